//! How often handles of spans are cloned and dropped, whichever way they were captured.

use std::thread;

use insta::assert_snapshot;
use spanshot::{
    Capture, CaptureLayer, Keep, LocalSpans, SharedStorage, Trace, TracingEventReceiver,
    predicates::*, transport::recorded::RecordedTrace,
};
use tracing::{Dispatch, Span, debug_span, dispatcher, info, info_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{
    direct, events_of, feed_events, feed_frames, frames_of, native, on_thread, relayed,
    through_json,
};

/// Clones and drops handles. Names of spans say how often.
fn program() {
    drop(info_span!("0 1"));
    let open = info_span!("2 1");
    drop(open.clone());
    std::mem::forget(open.clone());
    std::mem::forget(open);
    let entered = info_span!("1 2").entered();
    let current = Span::current();
    let child = info_span!("0 1");
    drop(entered);
    drop(current);
    drop(child); // a child keeps its parent open, and is no handle of it
    let sent = info_span!("1 2");
    on_thread(|| drop(sent.clone()));
    drop(sent);
}

fn counts(trace: &Trace) -> Vec<(String, Option<usize>, Option<usize>)> {
    let spans = trace.all_spans();
    spans.map(|span| (span.metadata().name().to_owned(), span.clones(), span.drops())).collect()
}

#[track_caller]
fn assert_counts(trace: &Trace, way: &str) {
    let counts = counts(trace);
    assert_eq!(counts.len(), 5, "{way}");
    for (name, clones, drops) in counts {
        assert_eq!(format!("{} {}", clones.unwrap(), drops.unwrap()), name, "{way}");
    }
}

#[track_caller]
fn assert_unknown(trace: &Trace) {
    let counts = counts(trace);
    assert!(counts.iter().all(|(_, clones, drops)| clones.or(*drops).is_none()), "{counts:?}");
    assert!(!counts.is_empty());
    let spans = trace.scan_spans();
    for refused in [
        spans.try_none(&cloned(7)),
        spans.try_none(&dropped(7)),
        spans.try_all(&!cloned(7)),
        spans.try_any(&!dropped(7)),
        spans.try_none(&(name("0 1") & cloned([gt(7)]))),
        trace.scan_events().try_none(&parent(cloned(7))),
    ] {
        let refused = refused.unwrap_err().to_string();
        let reason = "it is not known how often handles were cloned and dropped";
        assert!(refused.lines().next().unwrap().contains(reason), "{refused}");
    }
    spans.try_any(&cloned([always()])).unwrap_err();
    spans.try_all(&dropped([always()])).unwrap_err();
}

#[test]
fn handles_are_counted_in_every_way_that_is_told() {
    assert_counts(&native(program), "natively");
    let frames = frames_of(program);
    let events = through_json(&events_of(program));
    assert_counts(&direct(feed_frames(&frames)), "frames, directly");
    assert_counts(&direct(feed_events(events.clone())), "JSON, directly");
    assert_counts(&relayed(feed_frames(&frames)), "frames, relayed");
    assert_counts(&relayed(feed_events(events)), "JSON, relayed");
}

#[test]
fn layers_are_not_told() {
    let storage = SharedStorage::default();
    let registry = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
    dispatcher::with_default(&Dispatch::new(registry), || {
        program();
        info!("event");
    });
    assert_unknown(&storage.lock());

    let capture = Capture::builder().with_layer(tracing_subscriber::layer::Identity::new()).start();
    program();
    info!("event");
    assert_unknown(&capture.finish());
}

#[test]
fn spans_of_an_earlier_time_are_not_known() {
    let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
    let program = || {
        std::mem::forget(info_span!("0 1").clone());
        info!("event");
    };
    feed_frames(&frames_of(program))(&mut receiver);
    let metadata = receiver.persist_metadata();
    let (spans, _) = receiver.persist();
    let storage = SharedStorage::default();
    let local_spans = LocalSpans::capturing(&storage);
    let mut receiver = TracingEventReceiver::new(metadata, spans, local_spans);
    let event = frames_of(|| info!("event"));
    receiver.receive_encoded(&event[0]).unwrap();
    receiver.receive_encoded(&event[1]).unwrap();
    assert_unknown(&storage.lock());

    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("handles.spanshot");
    native(program).save(&path).unwrap();
    let replay = |receiver: &mut TracingEventReceiver| {
        assert!(RecordedTrace::open(&path).unwrap().replay(receiver).is_complete());
    };
    assert_unknown(&direct(replay));
    assert_unknown(&relayed(replay));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn counts_outlive_taking_and_eviction() {
    let capture = Capture::start();
    let span = info_span!("1 1");
    drop(span.clone());
    capture.take();
    assert_eq!(counts(&capture.trace()), [("1 1".to_owned(), Some(1), Some(1))]);

    capture.storage().set_max_nodes(2, Keep::Newest);
    (0..1_000).for_each(|_| info!("again"));
    drop(span.clone());
    assert_eq!(counts(&capture.trace()), [("1 1".to_owned(), Some(2), Some(2))]);
    capture.storage().set_max_nodes(10_000, Keep::Newest);
    drop(span);
    let trace = capture.trace();
    trace.scan_spans().any(&(closed() & cloned(2) & dropped(3)));
}

/// A span that is filtered out keeps the span around it open, and is no handle of it.
#[test]
fn hidden_children_are_no_handles() {
    let capture = Capture::builder().filter("info").start();
    let outer = info_span!("outer");
    let hidden = outer.in_scope(|| debug_span!("hidden"));
    drop(outer);
    let spans = |trace: Trace, is_closed| {
        trace.scan_spans().single(&(name("outer") & cloned(0) & dropped(1)));
        assert_eq!(trace.all_spans().next().unwrap().stats().is_closed, is_closed);
    };
    assert!(hidden.is_disabled());
    spans(capture.trace(), true);

    // There is no room for this one, which the capture knows nevertheless.
    let capture = Capture::start();
    capture.storage().set_max_nodes(1, Keep::Oldest);
    let outer = info_span!("outer");
    let left_out = outer.in_scope(|| info_span!("left out"));
    drop(outer);
    let trace = capture.trace();
    assert_eq!(counts(&trace), [("outer".to_owned(), Some(0), Some(1))]);
    assert!(!trace.all_spans().next().unwrap().stats().is_closed);
    drop(left_out.clone());
    drop(left_out);
    let trace = capture.trace();
    assert_eq!(counts(&trace), [("outer".to_owned(), Some(0), Some(1))]);
    assert!(trace.all_spans().next().unwrap().stats().is_closed);
}

/// A receiver keeps the last handle of a span back from its sink if very many are kept open by their children only.
#[test]
fn drops_are_counted_when_the_program_says_so() {
    let frames = frames_of(|| {
        let mut spans = vec![info_span!("outermost")];
        for _ in 0..300 {
            let child = info_span!(parent: spans.last().unwrap(), "span");
            spans.push(child);
        }
        let innermost = spans.pop();
        drop(spans);
        std::mem::forget(innermost);
    });
    let trace = direct(feed_frames(&frames));
    trace.scan_spans().count(300, &(dropped(1) & !closed()));
    trace.scan_spans().single(&dropped(0));
}

#[test]
fn many_threads_clone_handles() {
    let capture = Capture::start();
    let span = info_span!("shared");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..100).for_each(|_| drop(span.clone())));
        }
    });
    capture.trace().scan_spans().single(&(cloned(800) & dropped(800) & !closed()));
}

#[test]
fn failures_say_how_often_it_was() {
    let trace = native(|| {
        let _clone = info_span!("job").clone();
    });
    let spans = trace.scan_spans();
    assert_snapshot!(spans.try_single(&(cloned(0) & dropped([gt(2)]))).unwrap_err(), @"
    no span matches (cloned(never) && dropped(var > 2))

    the only span:
      INFO job{}
        ✗ cloned(never): a handle is cloned once
        ✗ dropped(var > 2): a handle is dropped 2 times

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
    ▶ INFO job{}
    ");
    assert_snapshot!(spans.try_none(&cloned(1)).unwrap_err(), @"
    1 span should not match: cloned(once)

      INFO job{}

    the trace:
    ▶ INFO job{}
    ");
    let storage = SharedStorage::default();
    let registry = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
    dispatcher::with_default(&Dispatch::new(registry), || drop(info_span!("job")));
    let trace = storage.lock();
    assert_snapshot!(trace.scan_spans().try_single(&cloned(0)).unwrap_err(), @"
    no span matches cloned(never)

    the only span:
      INFO job{}
        ✗ cloned(never): that is not known

    the trace:
    ▶ INFO job{}
    ");
    assert_snapshot!(trace.scan_spans().try_none(&cloned(1)).unwrap_err(), @"
    this says nothing, since of 1 span of the trace it is not known how often handles were cloned and dropped: cloned(once)
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO job{}
    ");
}
