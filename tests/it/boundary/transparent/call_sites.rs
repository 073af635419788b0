//! What is known of a call site.

use spanshot::{Trace, capture::CapturedMetadata};
use tracing::{
    Event, Level, Metadata, Span, debug_span, error, event, field::Value, info, info_span, trace,
    warn,
};
use tracing_core::{Kind, callsite::DefaultCallsite, field::FieldSet, identify_callsite};

use super::check;
use crate::support::{
    direct, events_of, feed_events, feed_frames, frames_of, native, relayed, through_json,
};

/// Checks that of each call site, natively and through the tunnel, this is known.
#[track_caller]
fn check_known<T: PartialEq + std::fmt::Debug>(
    program: impl Fn(),
    known: impl Fn(CapturedMetadata<'_>) -> T,
    expected: &[T],
) {
    let of_all = |trace: &Trace| -> Vec<T> {
        let spans = trace.all_spans().map(|span| span.metadata());
        spans.chain(trace.all_events().map(|event| event.metadata())).map(&known).collect()
    };
    assert_eq!(of_all(&native(&program)), expected, "natively");
    let (frames, events) = (frames_of(&program), through_json(&events_of(&program)));
    assert_eq!(of_all(&relayed(feed_frames(&frames))), expected, "frames, relayed");
    assert_eq!(of_all(&direct(feed_frames(&frames))), expected, "frames, directly");
    assert_eq!(of_all(&relayed(feed_events(events.clone()))), expected, "JSON, relayed");
    assert_eq!(of_all(&direct(feed_events(events))), expected, "JSON, directly");
}

#[test]
fn call_site_has_its_name() {
    const LINE: u32 = line!() + 4;
    check_known(
        || {
            drop((info_span!("a span"), info_span!("é\"\0")));
            info!("an event");
            info!(name: "named", "an event");
        },
        |metadata| metadata.name().to_owned(),
        &["a span", "é\"\0", &format!("event {}:{LINE}", file!()), "named"].map(str::to_owned),
    );
}

#[test]
fn call_site_has_its_target() {
    check_known(
        || {
            drop(debug_span!(target: "net::http", "span"));
            info!("by default, the module");
            info!(target: "a target with spaces", "event");
            info!(target: "", "event");
        },
        |metadata| metadata.target().to_owned(),
        &["net::http", module_path!(), "a target with spaces", ""].map(str::to_owned),
    );
}

#[test]
fn call_site_has_its_level() {
    const LEVELS: [Level; 6] =
        [Level::TRACE, Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
    check_known(
        || {
            drop(tracing::trace_span!("span"));
            error!("event");
            warn!("event");
            info!("event");
            event!(Level::DEBUG, "event");
            trace!("event");
        },
        |metadata| *metadata.level(),
        &LEVELS,
    );
}

#[test]
fn call_site_is_that_of_a_span_or_of_an_event() {
    check_known(
        || drop((info_span!("span"), info!("event"))),
        |metadata| (metadata.is_span(), metadata.is_event()),
        &[(true, false), (false, true)],
    );
}

#[test]
fn call_site_has_its_module_path() {
    check_known(
        || drop((info_span!(target: "other", "span"), info!("event"))),
        |metadata| metadata.module_path().map(str::to_owned),
        &[Some(module_path!().to_owned()), Some(module_path!().to_owned())],
    );
}

#[test]
fn call_site_has_its_file_and_line() {
    const LINE: u32 = line!() + 3;
    check_known(
        || {
            drop(info_span!("span"));
            info!("event");
        },
        |metadata| (metadata.file().map(str::to_owned), metadata.line()),
        &[LINE, LINE + 1].map(|line| (Some(file!().to_owned()), Some(line))),
    );
}

#[test]
fn call_site_has_all_its_fields_whether_they_have_values_or_not() {
    check_known(
        || {
            drop(info_span!("span", z = 1, empty = tracing::field::Empty, a = None::<u8>));
            info!(a.b = 1, r#type = 2, "quoted name" = 3, z = 4, z = 5, "event");
        },
        |metadata| metadata.fields().map(str::to_owned).collect::<Vec<_>>(),
        &[
            vec!["z".to_owned(), "empty".to_owned(), "a".to_owned()],
            ["message", "a.b", "type", "quoted name", "z", "z"].map(str::to_owned).to_vec(),
        ],
    );
}

/// A call site that is known to nobody, and to no subscriber by `register_callsite`.
macro_rules! unregistered {
    ($name:ident, $kind:expr, $level:expr) => {
        static $name: Metadata<'static> = {
            static CALL_SITE: DefaultCallsite = DefaultCallsite::new(&$name);
            let fields = FieldSet::new(&["number"], identify_callsite!(&CALL_SITE));
            Metadata::new("by hand", "unknown::target", $level, None, None, None, fields, $kind)
        };
    };
}

unregistered!(SPAN, Kind::SPAN, Level::WARN);
unregistered!(EVENT, Kind::EVENT, Level::DEBUG);

fn with_values<T>(
    metadata: &'static Metadata<'static>,
    f: impl FnOnce(&tracing::field::ValueSet<'_>) -> T,
) -> T {
    let field = metadata.fields().field("number").unwrap();
    f(&metadata.fields().value_set(&[(&field, Some(&1 as &dyn Value))]))
}

#[test]
fn event_whose_call_site_was_never_announced() {
    check(
        || (0..2).for_each(|_| with_values(&EVENT, |values| Event::dispatch(&EVENT, values))),
        "⟨2×⟩ DEBUG number=1",
    );
}

#[test]
fn span_whose_call_site_was_never_announced() {
    check(
        || {
            let span = with_values(&SPAN, |values| Span::new(&SPAN, values));
            span.in_scope(|| {
                Span::current().record("number", 2);
                info!("inside");
            });
        },
        "WARN by hand{number=2}\n└─ INFO inside",
    );
}

#[test]
fn call_site_of_no_known_place_has_none() {
    check_known(
        || with_values(&EVENT, |values| Event::dispatch(&EVENT, values)),
        |metadata| {
            let module_path = metadata.module_path().map(str::to_owned);
            (metadata.target().to_owned(), module_path, metadata.file().is_some(), metadata.line())
        },
        &[("unknown::target".to_owned(), None, false, None)],
    );
}
