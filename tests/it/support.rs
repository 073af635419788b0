//! Helpers for several topics: the guest, and ways of getting a program's trace.

use std::{
    env, fs,
    sync::{Arc, Mutex},
    thread,
};

use spanshot::{
    Capture, CaptureLayer, SharedStorage, Trace, TracingEvent, TracingEventReceiver,
    TracingEventSender, capture::ParentKind,
};
use tracing::Dispatch;
#[cfg(feature = "export")]
use tracing::{info, info_span};
use tracing_subscriber::layer::SubscriberExt;

#[path = "../../examples/guest/src/evaluator/mod.rs"]
pub(crate) mod evaluator;
#[path = "../../examples/wasm_guest/plugin.rs"]
pub(crate) mod plugin;

pub(crate) use plugin::{EvaluateError, Plugin};

/// Loads the guest: the committed one, or the file that `SPANSHOT_GUEST_WASM` names.
pub(crate) fn load_plugin() -> Plugin {
    Plugin::load(&guest_wasm()).expect("the guest is valid")
}

pub(crate) fn guest_wasm() -> Vec<u8> {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/guest.wasm");
    let path = env::var("SPANSHOT_GUEST_WASM").unwrap_or_else(|_| committed.to_owned());
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs a program under the sender, and returns the frames that it sent.
pub(crate) fn frames_of(program: impl FnOnce()) -> Vec<Vec<u8>> {
    let frames = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&frames);
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        pushed.lock().unwrap().push(frame.to_vec());
    });
    tracing::subscriber::with_default(sender, program);
    std::mem::take(&mut frames.lock().unwrap())
}

/// Runs a program under the sender, and returns the events that it sent.
pub(crate) fn events_of(program: impl FnOnce()) -> Vec<TracingEvent> {
    let events = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&events);
    let sender = TracingEventSender::new(move |event| pushed.lock().unwrap().push(event));
    tracing::subscriber::with_default(sender, program);
    std::mem::take(&mut events.lock().unwrap())
}

/// Writes events as JSON and reads them again.
pub(crate) fn through_json(events: &[TracingEvent]) -> Vec<TracingEvent> {
    events
        .iter()
        .map(|event| serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap())
        .collect()
}

/// Captures the records of a program natively.
pub(crate) fn native(program: impl FnOnce()) -> Trace {
    let capture = Capture::start();
    program();
    capture.trace()
}

/// Feeds a relaying receiver, and returns the trace that it relayed.
pub(crate) fn relayed(feed: impl FnOnce(&mut TracingEventReceiver)) -> Trace {
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    feed(&mut receiver);
    capture.trace() // before the receiver closes what the program left open
}

/// Feeds a receiver that captures directly, and returns the trace that it captured.
pub(crate) fn direct(feed: impl FnOnce(&mut TracingEventReceiver)) -> Trace {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    feed(&mut receiver);
    storage.lock()
}

pub(crate) fn feed_frames(frames: &[Vec<u8>]) -> impl FnOnce(&mut TracingEventReceiver) {
    move |receiver| {
        for frame in frames {
            receiver.receive_encoded(frame).unwrap();
        }
    }
}

pub(crate) fn feed_events(events: Vec<TracingEvent>) -> impl FnOnce(&mut TracingEventReceiver) {
    move |receiver| events.into_iter().for_each(|event| receiver.receive(event))
}

/// Returns a subscriber for each way of capturing into the storage: a capture's own, a layer, and a sender whose
/// receiver captures directly.
pub(crate) fn every_way(
    prepare: impl Fn(&SharedStorage),
) -> [(&'static str, SharedStorage, Dispatch); 3] {
    let capture = Capture::start();
    let [layered, direct] = std::array::from_fn(|_| SharedStorage::default());
    let layer = CaptureLayer::new(&layered);
    let receiver = Mutex::new(TracingEventReceiver::capturing(&direct));
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        receiver.lock().unwrap().receive_encoded(frame).unwrap();
    });
    let ways = [
        ("capture", capture.storage().clone(), capture.dispatch().clone()),
        ("layer", layered, Dispatch::new(tracing_subscriber::registry().with(layer))),
        ("direct", direct, Dispatch::new(sender)),
    ];
    for (_, storage, _) in &ways {
        prepare(storage);
    }
    ways
}

/// Runs a program once for each way of capturing.
pub(crate) fn captured_by_every_way(
    prepare: impl Fn(&SharedStorage),
    program: impl Fn(&'static str, &SharedStorage),
) {
    for (way, storage, dispatch) in every_way(prepare) {
        tracing::dispatcher::with_default(&dispatch, || program(way, &storage));
    }
}

/// Shows everything in a trace that is stable from run to run: the tree, and also targets, statistics and the variants
/// of values, which the tree leaves out.
pub(crate) fn detailed(trace: &Trace) -> String {
    let spans = trace.all_spans().map(|span| {
        let (metadata, stats) = (span.metadata(), span.stats());
        let fields: Vec<_> = metadata.fields().collect();
        let values: Vec<_> = span.values().collect();
        format!("{} {} {fields:?} {stats:?} {values:?}", metadata.target(), metadata.name())
    });
    let events = trace.all_events().map(|event| {
        let metadata = event.metadata();
        let fields: Vec<_> = metadata.fields().collect();
        let values: Vec<_> = event.values().collect();
        format!("{} {:?} {fields:?} {values:?}", metadata.target(), metadata.line())
    });
    let lines: Vec<_> = [trace.to_string()].into_iter().chain(spans).chain(events).collect();
    lines.join("\n")
}

/// Returns the kinds of the parents of all spans, and then of all events.
pub(crate) fn parent_kinds(trace: &Trace) -> Vec<Option<ParentKind>> {
    let spans = trace.all_spans().map(|span| span.parent_kind());
    spans.chain(trace.all_events().map(|event| event.parent_kind())).collect()
}

/// Returns the thread of each happening, in order.
pub(crate) fn threads(trace: &Trace) -> Vec<usize> {
    trace.timeline().filter_map(|(moment, _)| trace.thread_of(moment)).collect()
}

/// Asserts that a program gives the same trace natively and through the tunnel, with either encoding and either way of
/// receiving.
#[track_caller]
pub(crate) fn assert_transparent(program: impl Fn()) {
    let detailed = |trace: &Trace| format!("{}\n{:?}", detailed(trace), parent_kinds(trace));
    let expected = detailed(&native(&program));
    let frames = frames_of(&program);
    let events = through_json(&events_of(&program));
    assert_eq!(detailed(&relayed(feed_frames(&frames))), expected, "frames, relayed");
    assert_eq!(detailed(&direct(feed_frames(&frames))), expected, "frames, directly");
    assert_eq!(detailed(&relayed(feed_events(events.clone()))), expected, "JSON, relayed");
    assert_eq!(detailed(&direct(feed_events(events))), expected, "JSON, directly");
}

/// Checks that negatives on a trace of one event, `captured`, fail with this reason why records may be missing.
#[track_caller]
pub(crate) fn assert_negatives_refuse(trace: &Trace, reason: &str) {
    use spanshot::predicates::*;
    use tracing::Level;

    let events = trace.scan_events();
    let expected = format!("this says nothing, since {reason}: ");
    for result in [
        events.try_none(&level(Level::ERROR)),
        events.try_all(&level(Level::INFO)),
        events.try_count(..=1, &level(Level::INFO)).map(drop),
        events.try_count(0, &level(Level::ERROR)).map(drop),
        events.try_exactly(&[&message("captured")]).map(drop),
        events.try_single(&message("captured")).map(drop),
        events.try_first(&message("captured")).map(drop),
        events.try_last(&message("captured")).map(drop),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(message.starts_with(&expected), "{message}");
    }
}

/// Runs a function and returns the message that it panics with, without the colours that it has on a terminal. Any
/// other escapes in a message are shown, not interpreted.
#[track_caller]
pub(crate) fn panic_message<T>(f: impl FnOnce() -> T) -> String {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    let Err(payload) = result else { panic!("it did not panic") };
    let message = match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().expect("the panic has a message")).to_owned(),
    };
    let mut parts = message.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').expect("it is a colour").1)
}

/// Runs a part of a program on a thread of its own, to its end.
pub(crate) fn on_thread(program: impl FnOnce() + Send) {
    let dispatch = current_dispatch();
    let program = || tracing::dispatcher::with_default(&dispatch, program);
    thread::scope(|scope| scope.spawn(program).join().unwrap());
}

/// Returns the subscriber of the current thread.
pub(crate) fn current_dispatch() -> Dispatch {
    tracing::dispatcher::get_default(Dispatch::clone)
}

/// Texts that do harm where they are interpreted instead of shown.
pub(crate) const HOSTILE_TEXTS: &[&str] = &[
    "<script>pwned = 1</script>",
    "</script><script>pwned = 1</script>",
    "</style></title></pre></textarea><img src=x onerror=pwned=1>",
    "\"><svg onload=\"pwned = 1\">",
    "' onmouseover='pwned = 1",
    "<!-- <script> --!> ]]> <![CDATA[",
    "&lt;b&gt; &amp;amp; &#60; \\u{3c} \\n",
    "javascript:alert(1)",
    "{{constructor.constructor('pwned = 1')()}}",
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\0\r\u{8}",
    "\u{202e}desrever\u{2066} \u{200f}\u{61c}\u{feff}\u{e0041}",
    "\n\n</pre>\nlines\r\n\tof \u{2028}text\u{85}\n",
    "größer 你好 🦀",
];

/// Captures the records of a guest whose names and values are all hostile, one of them a megabyte long.
pub(crate) fn hostile_trace() -> Trace {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let mut receive = |event: serde_json::Value| {
        receiver.receive(serde_json::from_value(event).expect("it is an event"));
    };
    let long = format!("{}</script><script>pwned = 1</script>", "<b>\u{202e}".repeat(150_000));
    for (i, text) in HOSTILE_TEXTS.iter().chain([&&*long]).enumerate() {
        let (span, event) = (2 * i, 2 * i + 1);
        let site = |id: usize, kind: &str| {
            serde_json::json!({ "new_call_site": {
                "id": id, "kind": kind, "name": text, "target": text, "level": "warn",
                "module_path": text, "file": text, "line": 7, "fields": ["message", text, "rest"],
            }})
        };
        let values = serde_json::json!({
            "message": { "object": text },
            *text: { "string": text },
            "rest": { "error": { "message": text, "debug": text, "source": { "message": text } } },
        });
        receive(site(span, "span"));
        receive(site(event, "event"));
        let id = i + 1;
        receive(
            serde_json::json!({ "new_span": { "id": id, "metadata_id": span, "values": values } }),
        );
        receive(serde_json::json!({ "span_entered": { "id": id } }));
        receive(serde_json::json!({ "new_event": { "metadata_id": event, "values": values } }));
        if i > 0 {
            receive(serde_json::json!({ "follows_from": { "id": id, "follows_from": i } }));
        }
    }
    storage.lock()
}

/// Captures nested spans, and an event in the innermost one. All of them are open.
#[cfg(feature = "export")]
pub(crate) fn deep(depth: usize) -> Trace {
    let capture = Capture::start();
    let _spans: Vec<_> = (0..depth).map(|depth| info_span!("span", depth).entered()).collect();
    info!("the innermost");
    capture.trace()
}
