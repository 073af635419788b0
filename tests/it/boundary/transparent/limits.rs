//! What does not hold: each of the limitations that the crate's documentation names.
//!
//! Floats in text formats are in `json`; fields of one name in JSON are in `values`.

use std::{
    error::Error,
    fmt,
    num::ParseIntError,
    sync::{Arc, Mutex},
};

use spanshot::TracingEventReceiver;
use tracing::{
    Event, Instrument, Metadata, Span, Subscriber, debug_span,
    field::{Empty, Field, Visit},
    info, info_span,
    level_filters::LevelFilter,
};
use tracing_core::{Kind, Level, callsite::DefaultCallsite, field::FieldSet, identify_callsite};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry,
};

use super::{block_on, values::Numbered};
use crate::{
    boundary::persistence::captured,
    support::{
        current_dispatch, direct, events_of, feed_events, feed_frames, frames_of, through_json,
    },
};

/// Looks closer at values than a trace does.
#[derive(Clone, Default)]
struct Looks(Arc<Mutex<Vec<String>>>);

impl Looks {
    fn push(&self, look: String) {
        self.0.lock().unwrap().push(look);
    }
}

impl<S: Subscriber> Layer<S> for Looks {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Looks {
    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        let chain = std::iter::successors(Some(value), |error| (*error).source());
        let types: Vec<_> = chain
            .map(|error| if error.is::<ParseIntError>() { "ParseIntError" } else { "unknown" })
            .collect();
        self.push(format!("{} {}", types.len(), types[0]));
    }

    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        self.push(format!("{value:#?}"));
    }
}

/// Checks what is seen natively, and through the tunnel.
#[track_caller]
fn check_looks(program: impl Fn(), natively: &str, replayed: &str) {
    let look = |program: &dyn Fn()| {
        let looks = Looks::default();
        tracing::subscriber::with_default(registry().with(looks.clone()), program);
        let looks = looks.0.lock().unwrap();
        looks.join(", ")
    };
    assert_eq!(look(&program), natively);
    let (frames, events) = (frames_of(&program), through_json(&events_of(&program)));
    let receiver = TracingEventReceiver::default;
    assert_eq!(look(&|| feed_frames(&frames)(&mut receiver())), replayed, "frames");
    assert_eq!(look(&|| feed_events(events.clone())(&mut receiver())), replayed, "JSON");
}

#[test]
fn chain_of_errors_ends_after_100_messages() {
    for (len, carried) in [(100, "100 unknown"), (101, "100 unknown"), (500, "100 unknown")] {
        let error = Numbered::chain(len);
        let program = || info!(error = &error as &(dyn Error + 'static));
        check_looks(program, &format!("{len} unknown"), carried);
    }
}

#[test]
fn types_of_errors_are_not_carried() {
    let error = "x".parse::<u8>().unwrap_err();
    let program = || info!(error = &error as &(dyn Error + 'static));
    check_looks(program, "1 ParseIntError", "1 unknown");
}

#[test]
fn of_a_value_recorded_through_debug_its_text_is_carried() {
    check_looks(|| info!(value = ?Some(1)), "Some(\n    1,\n)", "Some(1)");
}

/// Uses call sites that there were not before.
fn use_call_sites(count: usize) {
    static CALL_SITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = metadata();

    const fn metadata() -> Metadata<'static> {
        let fields = FieldSet::new(&[], identify_callsite!(&CALL_SITE));
        Metadata::new("", "", Level::INFO, None, None, None, fields, Kind::EVENT)
    }

    for _ in 0..count {
        let metadata = &*Box::leak(Box::new(metadata()));
        Event::dispatch(metadata, &metadata.fields().value_set(&[]));
    }
}

#[test]
fn current_span_is_not_known_beyond_65_535_call_sites() {
    let frames = frames_of(|| {
        use_call_sites(65_534);
        info_span!("the last that is known").in_scope(|| {
            assert_eq!(Span::current().metadata().unwrap().name(), "the last that is known");
        });
        let span = info_span!("the first that is not", late = Empty).entered();
        assert!(Span::current().is_none());
        Span::current().record("late", 1);
        info!("in it all the same");
        span.record("late", 2);
    });
    let trace = direct(feed_frames(&frames));
    let tree = "INFO the first that is not{late=2}\n└─ INFO in it all the same";
    assert_eq!(trace.all_spans().next_back().unwrap().to_string(), tree);
}

/// Checks what is left of a program under a host that disables spans of level `DEBUG`.
#[track_caller]
fn check_under_info(program: impl Fn(), natively: &str, replayed: &str) {
    let captured = |f: &dyn Fn()| captured(LevelFilter::INFO, f).to_string();
    assert_eq!(captured(&program), natively);
    let (frames, events) = (frames_of(&program), through_json(&events_of(&program)));
    let receiver = TracingEventReceiver::default;
    assert_eq!(captured(&|| feed_frames(&frames)(&mut receiver())), replayed, "frames");
    assert_eq!(captured(&|| feed_events(events.clone())(&mut receiver())), replayed, "JSON");
}

#[test]
fn record_into_a_current_span_that_the_host_disables_goes_nowhere() {
    check_under_info(
        || {
            let _outer = info_span!("outer", late = Empty).entered();
            let _disabled = debug_span!("disabled", late = Empty).entered();
            Span::current().record("late", 1);
        },
        "INFO outer{late=1}",
        "INFO outer{}",
    );
}

#[test]
fn explicit_child_of_a_current_span_that_the_host_disables_is_a_root() {
    check_under_info(
        || {
            let _outer = info_span!("outer").entered();
            let _disabled = debug_span!("disabled").entered();
            info!(parent: &Span::current(), "event");
        },
        "INFO outer{}\n└─ INFO event",
        "INFO outer{}\nINFO event",
    );
}

#[test]
fn future_in_a_current_span_that_the_host_disables_is_in_none() {
    check_under_info(
        || {
            let in_disabled = || async { info!("event") }.in_current_span();
            let future =
                info_span!("outer").in_scope(|| debug_span!("disabled").in_scope(in_disabled));
            block_on(future);
        },
        "INFO outer{}\n└─ INFO event",
        "INFO outer{}\nINFO event",
    );
}

#[test]
fn span_that_the_host_disables_is_not_replaced_by_the_current_one() {
    check_under_info(
        || {
            let span = info_span!("outer").in_scope(|| debug_span!("disabled").or_current());
            span.in_scope(|| info!("event"));
        },
        "INFO outer{}\n└─ INFO event",
        "INFO outer{}\nINFO event",
    );
}

#[test]
fn module_finds_no_subscriber_but_its_sender() {
    let has_registry = || current_dispatch().is::<tracing_subscriber::Registry>();
    tracing::subscriber::with_default(registry(), || assert!(has_registry(), "natively"));
    frames_of(|| assert!(!has_registry()));
}
