//! Records of the `log` crate, in a binary of their own: the logger is that of the process.

#[path = "it/support.rs"]
#[allow(dead_code, unused_imports)] // it is made for another binary, too
mod support;

use std::{
    fmt::{self, Write as _},
    io,
    sync::{Arc, Mutex, Once},
};

use spanshot::{
    CapturedEvent, ReceiverLimits, TracingEventReceiver, TracingEventSender, predicates::*,
    receiver::FilterAnswer,
};
use support::{
    assert_transparent, direct, events_of, feed_events, feed_frames, frames_of, native, on_thread,
    relayed, through_json,
};
use tracing::{
    Event, Level, Metadata, Subscriber, dispatcher,
    field::{Field, Visit},
    info, info_span,
};
use tracing_log::NormalizeEvent;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::LevelFilter,
    layer::{Context, SubscriberExt},
    registry,
};

/// Has records of the `log` crate become events, in all of this process.
fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| tracing_log::LogTracer::init().unwrap());
}

/// Line of the error that the program logs.
const ERROR_LINE: u32 = line!() + 5;

fn program() {
    info_span!("span").in_scope(|| {
        log::warn!(target: "library::net", "took {} ms", 850);
        log::error!("here");
        log::trace!("as verbose as can be");
    });
    log::logger().log(&log::Record::builder().args(format_args!("bare")).build());
}

fn where_from(event: CapturedEvent<'_>) -> (String, Option<String>, Option<String>, Option<u32>) {
    let metadata = event.metadata();
    (
        metadata.target().to_owned(),
        metadata.module_path().map(str::to_owned),
        metadata.file().map(str::to_owned),
        metadata.line(),
    )
}

#[test]
fn log_records_have_their_own_target_level_file_and_line() {
    init();
    let here = (
        "log_records".to_owned(),
        Some("log_records".to_owned()),
        Some("tests/log_records.rs".to_owned()),
        Some(ERROR_LINE),
    );
    let frames = frames_of(program);
    let events = through_json(&events_of(program));
    for trace in [
        native(program),
        relayed(feed_frames(&frames)),
        direct(feed_frames(&frames)),
        relayed(feed_events(events.clone())),
        direct(feed_events(events)),
    ] {
        let tree = "INFO span{}\n├─ WARN took 850 ms\n├─ ERROR here\n└─ TRACE as verbose as can be\n\
                    INFO bare";
        assert_eq!(trace.to_string(), tree);
        let events = trace.scan_events();
        events.single(&(target("library::net") & level(Level::WARN)));
        assert_eq!(where_from(events.single(&message(eq("here")))), here);
        let bare = where_from(events.single(&message(eq("bare"))));
        assert_eq!(bare, (String::new(), None, None, None));
        for event in trace.all_events() {
            assert!(event.metadata().fields().eq(["message"]));
        }
    }
    assert_transparent(program);
    // What only looks like one is left alone.
    assert_transparent(|| tracing::info!(target: "log", { log.target = "a" }, "message"));
}

/// A program that logs in spans, in none, on threads, and between events.
fn logging_program() {
    log::info!("in none");
    info_span!("outer", number = 1).in_scope(|| {
        log::warn!(target: "library::net", "took {} ms", 850);
        info!(number = 2, "an event");
        info_span!("inner").in_scope(|| log::debug!("in inner"));
        on_thread(|| {
            log::info!("on a thread");
            info_span!("of the thread").in_scope(|| log::error!(target: "library", "in its span"));
        });
    });
    for level in log::Level::iter() {
        log::log!(target: "library::levels", level, "at level {level}");
    }
    log::logger().log(&log::Record::builder().args(format_args!("bare")).build());
    // What only looks like a record.
    info!(
        name: "log event",
        target: "log",
        { log.target = "a", log.module_path = "b", log.file = "c", log.line = 4_u64 },
        "traced"
    );
}

/// Writes down what subscribers that know `tracing-log` see of each event, and what they are asked.
#[derive(Clone, Default)]
struct Normalizing(Arc<Mutex<Vec<String>>>);

fn written(metadata: &Metadata<'_>) -> String {
    format!(
        "{} {} {} {:?} {:?} {:?} {}",
        metadata.name(),
        metadata.target(),
        metadata.level(),
        metadata.module_path(),
        metadata.file(),
        metadata.line(),
        metadata.fields()
    )
}

struct Values(String);

impl Visit for Values {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " debug {field}={value:?}").unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " str {field}={value:?}").unwrap();
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        write!(self.0, " u64 {field}={value}").unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Normalizing {
    fn register_callsite(
        &self,
        metadata: &'static Metadata<'static>,
    ) -> tracing::subscriber::Interest {
        if metadata.target() == "log" && metadata.file().is_none() {
            self.0.lock().unwrap().push(format!("registered {}", written(metadata)));
        }
        tracing::subscriber::Interest::always()
    }

    /// `LogTracer` asks before there is an event, as well, without a file.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        if metadata.name() == "log record" && metadata.file().is_some() {
            self.0.lock().unwrap().push(format!("asked {}", written(metadata)));
        }
        true
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let normalized = event.normalized_metadata();
        let mut values = Values(String::new());
        event.record(&mut values);
        self.0.lock().unwrap().push(format!(
            "{} {} {:?}{}",
            event.is_log(),
            written(event.metadata()),
            normalized.as_ref().map(written),
            values.0
        ));
    }
}

/// What comes out of a function under a subscriber.
type Under = fn(&dyn Fn()) -> String;

fn normalizing(f: &dyn Fn()) -> String {
    let seen = Normalizing::default();
    tracing::subscriber::with_default(registry().with(seen.clone()), f);
    std::mem::take(&mut *seen.0.lock().unwrap()).join("\n")
}

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn formatted<S>(f: &dyn Fn(), subscriber: impl FnOnce(Output) -> S) -> String
where
    S: Subscriber + Send + Sync,
{
    let output = Output::default();
    tracing::subscriber::with_default(subscriber(output.clone()), f);
    String::from_utf8(std::mem::take(&mut *output.0.lock().unwrap())).unwrap()
}

fn fmt(f: &dyn Fn()) -> String {
    formatted(f, |output| {
        tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_file(true)
            .with_line_number(true)
            .with_ansi(false)
            .without_time()
            .with_writer(move || output.clone())
            .finish()
    })
}

fn json(f: &dyn Fn()) -> String {
    formatted(f, |output| {
        let subscriber = tracing_subscriber::fmt().json().with_max_level(Level::DEBUG);
        subscriber.with_file(true).without_time().with_writer(move || output.clone()).finish()
    })
}

/// By the target that the record itself names, for the whole subscriber, and for one of its layers.
fn filtered(f: &dyn Fn()) -> String {
    formatted(f, |output| {
        let filter = EnvFilter::new("info,library=error,library::net=warn");
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
        subscriber.without_time().with_writer(move || output.clone()).finish()
    })
}

fn filtered_by_layer(f: &dyn Fn()) -> String {
    formatted(f, |output| {
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).without_time();
        let filter = EnvFilter::new("off,library::levels=debug,[inner]=trace");
        registry()
            .with(layer.with_writer(move || output.clone()).with_filter(filter))
            .with(Normalizing::default().with_filter(LevelFilter::TRACE))
    })
}

#[test]
fn subscribers_get_records_as_natively() {
    init();
    let (frames, events) = (frames_of(logging_program), events_of(logging_program));
    let events = through_json(&events);
    let unders: [(&str, Under); 5] = [
        ("NormalizeEvent", normalizing),
        ("fmt", fmt),
        ("json", json),
        ("filtered", filtered),
        ("filtered by layer", filtered_by_layer),
    ];
    for (name, under) in unders {
        let natively = under(&logging_program);
        assert!(natively.lines().count() > 4, "{name}: {natively}");
        assert!(!natively.contains("registered"), "{name}: {natively}");
        let relay = |feed: &dyn Fn(&mut TracingEventReceiver)| {
            under(&|| feed(&mut TracingEventReceiver::default()))
        };
        assert_eq!(relay(&|receiver| feed_frames(&frames)(receiver)), natively, "{name}, frames");
        let by_events = relay(&|receiver| feed_events(events.clone())(receiver));
        assert_eq!(by_events, natively, "{name}, events");
    }
    let seen = normalizing(&|| log::warn!(target: "library::net", "took {} ms", 850));
    assert!(
        seen.contains("true log event log WARN None None None {message, log.target,"),
        "{seen}"
    );
    assert!(
        seen.contains("Some(\"log event library::net WARN Some(\\\"log_records\\\")"),
        "{seen}"
    );
    assert_transparent(logging_program);
}

/// More threads than a receiver has threads for share the one that receives: who is in which span is said
/// explicitly there.
#[test]
fn records_of_many_threads_are_in_their_spans() {
    init();
    assert_transparent(|| {
        fn nested(threads: usize) {
            info_span!("span", threads).in_scope(|| {
                log::info!("with {threads} threads to come");
                if threads > 0 {
                    on_thread(|| nested(threads - 1));
                }
                log::info!("back");
            });
        }
        nested(80);
    });
}

#[test]
fn host_filter_decides_by_the_target_of_the_record() {
    init();
    let program = || {
        logging_program();
        info_span!("inner").in_scope(|| log::trace!(target: "library", "in inner"));
    };
    for under in [filtered as Under, filtered_by_layer] {
        let asking = || {
            let receiver = Arc::new(Mutex::new(
                TracingEventReceiver::default().with_limits(ReceiverLimits::default()),
            ));
            let asked = Arc::clone(&receiver);
            let sender = TracingEventSender::encoded(move |frame: &[u8]| {
                receiver.lock().unwrap().receive_encoded(frame).unwrap();
            })
            .with_host_filter(move |question: &[u8]| {
                asked.lock().unwrap().answer(question).unwrap_or(FilterAnswer::NotNow)
            });
            dispatcher::with_default(&sender.into(), program);
        };
        assert_eq!(under(&asking), under(&program));
    }
}

#[test]
fn records_leak_nothing_however_many_places_they_name() {
    init();
    let limits = ReceiverLimits::default().max_leaked_bytes(0).max_call_sites(1);
    let frames = frames_of(|| {
        for number in 0..10_000 {
            log::info!(target: &format!("target {number}"), "{number}");
        }
    });
    for (way, trace) in [("relayed", relayed as fn(_) -> _), ("direct", direct)] {
        let trace = trace(Box::new(|receiver: &mut TracingEventReceiver| {
            *receiver = std::mem::take(receiver).with_limits(limits);
            feed_frames(&frames)(receiver);
        }) as Box<dyn FnOnce(&mut TracingEventReceiver)>);
        assert_eq!(trace.all_events().len(), 10_000, "{way}");
        trace.scan_events().single(&(target("target 9999") & message("9999")));
    }

    // Nor does a program that asks for each.
    let receiver = Arc::new(Mutex::new(TracingEventReceiver::default().with_limits(limits)));
    tracing::subscriber::with_default(registry(), || {
        *receiver.lock().unwrap() = TracingEventReceiver::default().with_limits(limits);
    });
    let asked = Arc::clone(&receiver);
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        receiver.lock().unwrap().receive_encoded(frame).unwrap();
    })
    .with_host_filter(move |question: &[u8]| asked.lock().unwrap().answer(question).unwrap());
    tracing::subscriber::with_default(sender, || {
        for number in 0..1_000 {
            log::info!(target: &format!("asked {number}"), "{number}");
        }
    });
}
