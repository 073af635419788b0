//! Reading a trace is safe, whatever goes on meanwhile and however deep it is.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::Duration,
};

use spanshot::{
    Capture, Keep, ReceiverLimits, SharedStorage, Storage, Trace, TracingEventReceiver,
};
use tracing::{dispatcher::with_default, field, info, info_span, span::EnteredSpan};

use crate::support::{
    captured_by_every_way, current_dispatch, direct, feed_frames, frames_of, native, relayed,
};

#[test]
fn tracing_goes_on_while_a_trace_is_held() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let span = info_span!("span", late = field::Empty);
            let before = storage.lock();
            let (again, events) = (storage.lock(), before.all_events());
            span.in_scope(|| info!("in it"));
            span.record("late", 1);
            let taken = storage.take();
            drop(span);
            assert_eq!((before.to_string().as_str(), events.len()), ("INFO span{}", 0), "{way}");
            assert_eq!(again.to_string(), "INFO span{}", "{way}");
            assert_eq!(taken.to_string(), "INFO span{late=1}\n└─ INFO in it", "{way}");
            assert!(storage.lock().all_spans().next().unwrap().stats().is_closed, "{way}");
        },
    );
}

#[test]
fn other_threads_trace_while_a_trace_is_held() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let held = storage.lock();
            let dispatch = current_dispatch();
            thread::scope(|scope| {
                for number in 0..4 {
                    let trace = move || (0..50).for_each(|step| info!(number, step));
                    let dispatch = &dispatch;
                    scope.spawn(move || with_default(dispatch, trace));
                }
            });
            assert_eq!(
                (held.all_events().len(), storage.lock().all_events().len()),
                (0, 200),
                "{way}"
            );
        },
    );
}

#[test]
fn panic_while_a_trace_is_held_poisons_nothing() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            info!("before");
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let (trace, _entered) = (storage.lock(), info_span!("entered").entered());
                info!("while it is held");
                assert!(trace.all_events().len() > 1, "as it was told to");
            }));
            assert!(panicked.is_err(), "{way}");
            info!("after");
            let expected = "INFO before\nINFO entered{}\n└─ INFO while it is held\nINFO after";
            assert_eq!(storage.take().to_string(), expected, "{way}");
        },
    );
}

/// Waits, while it is formatted, until other threads have been captured.
struct Slow<'a>(&'a SharedStorage, mpsc::Sender<()>);

impl fmt::Debug for Slow<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.send(()).unwrap();
        let is_there = |trace: &Storage| trace.all_events().len() == 100;
        let trace = self.0.wait_until(Duration::from_secs(600), is_there);
        let trace = trace.map_err(|_| fmt::Error)?;
        write!(formatter, "formatted in {} spans", trace.all_spans().len())
    }
}

#[test]
fn others_are_captured_while_a_value_is_formatted() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let (formatting, is_formatted) = mpsc::channel();
            let dispatch = current_dispatch();
            let other = move || {
                is_formatted.recv().unwrap();
                (0..100).for_each(|number| info_span!("span", number).in_scope(|| info!("in it")));
            };
            let other = thread::spawn(move || with_default(&dispatch, other));
            info!(value = ?Slow(storage, formatting), "slow");
            other.join().unwrap();
            let trace = storage.lock();
            let last = trace.all_events().next_back().unwrap();
            assert_eq!(last.message(), Some("slow"), "{way}");
            assert!(trace.all_spans().all(|span| span.stats().is_closed), "{way}");
        },
    );
}

/// Traces, reads what was captured and takes it, and panics if it is told to.
struct Curious<'a>(&'a SharedStorage, bool);

impl fmt::Debug for Curious<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _entered = info_span!("formatting").entered();
        info!("formatting");
        let (trace, taken) = (self.0.lock(), self.0.take());
        assert!(!self.1, "as it was told to");
        write!(formatter, "{} and {} roots", trace.roots().len(), taken.roots().len())
    }
}

#[test]
fn value_that_is_formatted_may_trace_and_read_and_panic() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let span = info_span!("span", late = field::Empty);
            info!("first");
            let tell = |panics| {
                let value = || Curious(storage, panics);
                let all: [&dyn Fn(); 3] = [
                    &|| info!(value = ?value(), "event"),
                    &|| drop(info_span!("other", value = ?value())),
                    &|| _ = span.record("late", field::debug(value())),
                ];
                all.map(|trace| catch_unwind(AssertUnwindSafe(trace)).is_err())
            };
            assert_eq!(tell(true), [true; 3], "{way}");
            assert_eq!(tell(false), [false; 3], "{way}");
            info!("last");
            drop(span);
            let trace = storage.lock();
            assert!(trace.all_spans().all(|span| span.stats().is_closed), "{way}");
            assert_eq!(trace.all_events().next_back().unwrap().message(), Some("last"), "{way}");
            assert!(trace.all_spans().any(|span| span.value("late").is_some()), "{way}");
        },
    );
}

const DEPTH: usize = 100_000;

/// Enters a span in a span in a span, and leaves them from this end.
fn nest(depth: usize, is_outermost_first: bool) {
    let mut entered: VecDeque<EnteredSpan> =
        (0..depth).map(|depth| info_span!("span", depth).entered()).collect();
    info!("deep");
    let leave = if is_outermost_first { VecDeque::pop_front } else { VecDeque::pop_back };
    while let Some(entered) = leave(&mut entered) {
        drop(entered);
    }
    info!("out of them");
}

#[track_caller]
fn assert_deep(trace: &Trace, depth: usize) {
    assert_eq!((trace.roots().len(), trace.all_spans().len()), (2, depth));
    assert!(trace.all_spans().all(|span| {
        let stats = span.stats();
        stats.entered == 1 && stats.exited == 1 && stats.is_closed
    }));
    let root = trace.root_spans().next().unwrap();
    assert_eq!(root.descendants().count(), depth - 1);
    assert_eq!(root.descendant_events().next().unwrap().ancestors().count(), depth);
    assert_eq!(trace.to_string().lines().count(), depth + 2);
    assert_eq!(trace.timeline().count(), 4 * depth + 2);
    // The innermost span is what keeps the others open: it closes first.
    let closed: Vec<_> = trace.all_spans().filter_map(|span| span.closed()).collect();
    assert!(closed.is_sorted_by(|outer, inner| outer > inner));
}

fn assert_deep_through_the_tunnel(depth: usize, is_outermost_first: bool) {
    let frames = frames_of(|| nest(depth, is_outermost_first));
    let feed = |receiver: &mut TracingEventReceiver| {
        let limits = ReceiverLimits::default().max_entered(depth);
        *receiver = std::mem::take(receiver).with_limits(limits);
        feed_frames(&frames)(receiver);
    };
    assert_deep(&relayed(feed), depth);
    assert_deep(&direct(feed), depth);
}

#[test]
fn deep_stack_is_captured() {
    for is_outermost_first in [false, true] {
        assert_deep(&native(|| nest(DEPTH, is_outermost_first)), DEPTH);
    }
}

#[test]
fn deep_stack_that_is_left_from_its_outermost_span_on_is_received() {
    assert_deep_through_the_tunnel(DEPTH / 2, true); // receivers take no more than 65,536
}

/// It is deep enough for what would go down the stack to use it up.
#[test]
fn deep_stack_that_is_left_from_its_innermost_span_on_is_received() {
    assert_deep_through_the_tunnel(DEPTH / 5, false);
}

#[test]
fn deep_stack_is_taken_and_bounded() {
    let capture = Capture::builder().max_nodes(10, Keep::Newest).start();
    let entered: Vec<_> = (0..DEPTH).map(|_| info_span!("span").entered()).collect();
    assert_eq!(capture.take().all_spans().len(), DEPTH);
    assert_eq!(capture.trace().all_spans().len(), DEPTH);
    drop(entered); // the outermost one first
    // Spans that are around any of the newest nodes stay as well.
    (0..9).for_each(|number| info!(number));
    assert_eq!(capture.trace().all_spans().len(), DEPTH);
    info!("last");
    let trace = capture.trace();
    assert_eq!((trace.all_spans().len(), trace.all_events().len()), (0, 10));
}
