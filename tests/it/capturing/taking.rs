//! Taking what was captured so far, and going on.

use spanshot::{Capture, CapturedSpan, Storage, TracedValue, predicates::*};
use tracing::{field, info, info_span, warn};

use crate::support::captured_by_every_way;

fn span<'a>(trace: &'a Storage, name: &str) -> CapturedSpan<'a> {
    trace.all_spans().find(|span| span.metadata().name() == name).expect("there is such a span")
}

#[test]
fn what_is_taken_is_not_there_any_more() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            info!("first");
            info_span!("closed").in_scope(|| warn!("in it"));
            assert_eq!(
                storage.take().to_string(),
                "INFO first\nINFO closed{}\n└─ WARN in it",
                "{way}"
            );
            assert_eq!(storage.lock().to_string(), "(nothing was captured)", "{way}");
            info!("second");
            assert_eq!(storage.take().to_string(), "INFO second", "{way}");
            assert_eq!(storage.take().timeline().count(), 0, "{way}");
        },
    );
}

#[test]
fn open_spans_and_those_around_them_go_on() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let outer = info_span!("outer", a = 1);
            let passed = info_span!(parent: &outer, "passed");
            let inner = info_span!(parent: &passed, "inner", b = field::Empty);
            drop((passed.clone(), info_span!(parent: &outer, "closed")));
            drop(outer);
            let (first, now) = (storage.take(), storage.lock());
            let tree = "INFO outer{a=1}\n└─ INFO passed{}\n   └─ INFO inner{}";
            assert_eq!(now.to_string(), tree, "{way}");
            let tree = "INFO outer{a=1}\n├─ INFO passed{}\n│  └─ INFO inner{}\n└─ INFO closed{}";
            assert_eq!(first.to_string(), tree, "{way}");
            inner.record("b", 2);
            inner.in_scope(|| info!("later"));
            drop((inner, passed));
            let last = storage.take();
            assert_eq!(
                last.to_string(),
                "INFO outer{a=1}\n└─ INFO passed{}\n   └─ INFO inner{b=2}\n      └─ INFO later",
                "{way}"
            );
            assert!(last.all_spans().all(|span| span.stats().is_closed), "{way}");
            assert_eq!(storage.lock().all_spans().len(), 0, "{way}");
            // What was taken stays as it was.
            assert!(first.all_spans().take(3).all(|span| !span.stats().is_closed), "{way}");
        },
    );
}

#[test]
fn what_happened_to_an_open_span_is_told_once_and_counted_on() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let open = info_span!("open").entered();
            open.in_scope(|| ());
            let first = storage.take();
            open.in_scope(|| ());
            let again = storage.take();
            drop(open);
            let last = storage.take();
            let told = |trace: &Storage| {
                let (span, stats) = (span(trace, "open"), span(trace, "open").stats());
                let told = (span.enters().count(), span.exits().count(), span.closed().is_some());
                (told, (stats.entered, stats.exited, stats.is_closed))
            };
            assert_eq!(told(&first), ((2, 1, false), (2, 1, false)), "{way}");
            assert_eq!(told(&again), ((1, 1, false), (3, 2, false)), "{way}");
            assert_eq!(told(&last), ((0, 1, true), (3, 3, true)), "{way}");
            assert_eq!(last.timeline().count(), 3, "{way}: created, exited, closed");
            assert!(span(&last, "open").moment() < span(&again, "open").exits().next().unwrap());
        },
    );
}

#[test]
fn values_are_recorded_into_spans_that_have_moved() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let spans = [0, 1, 2].map(|number| {
                drop(info_span!("closed", number));
                info_span!("open", a = field::Empty, number, b = field::Empty)
            });
            for (round, name) in ["a", "b", "a"].into_iter().enumerate() {
                storage.take();
                spans.iter().rev().for_each(|span| _ = span.record(name, round));
            }
            let trace = storage.lock();
            for (number, span) in trace.all_spans().enumerate() {
                let values: Vec<_> =
                    span.values().map(|(name, value)| format!("{name}={value}")).collect();
                assert_eq!(values, [&format!("number={number}"), "a=2", "b=1"], "{way}");
            }
        },
    );
}

#[test]
fn spans_follow_from_those_that_are_still_there() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let [late, open, closed] =
                ["late", "open", "closed"].map(|name| info_span!("span", name));
            late.follows_from(&closed);
            late.follows_from(&open);
            drop(closed);
            let names = |trace: &Storage| -> Vec<TracedValue> {
                let late = trace.all_spans().next().unwrap();
                late.follows_from().map(|source| source["name"].clone()).collect()
            };
            assert_eq!(names(&storage.take()), ["closed", "open"], "{way}");
            late.follows_from(&info_span!("span", name = "new"));
            let trace = storage.take();
            assert_eq!(names(&trace), ["open", "new"], "{way}");
            assert_eq!(names(&storage.lock()), ["open"], "{way}");
        },
    );
}

/// Which spans it follows from is not known any more, and nobody may say that it follows from none of these.
#[test]
fn negatives_refuse_where_a_span_follows_from_one_that_was_taken() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let (early, _open, closed) =
                (info_span!("early"), info_span!("open"), info_span!("closed"));
            early.follows_from(&closed);
            drop(closed);
            storage.take().scan_spans().single(&follows_from(name("closed")));
            for _ in 0..2 {
                let trace = storage.lock();
                for refused in [
                    trace.scan_spans().try_none(&follows_from(name("closed"))),
                    trace.scan_spans().try_any(&!follows_from(always())),
                ] {
                    let refusal = refused.unwrap_err().to_string();
                    let reason = "1 span follows from others that are not in the trace any more";
                    assert!(refusal.contains(reason), "{way}: {refusal}");
                }
                trace.scan_spans().any(&!parent(always()));
                storage.take();
            }
            drop(early);
            storage.take();
            storage.lock().scan_spans().none(&follows_from(always()));
        },
    );
}

/// A `Capture` is told of links to spans that are closed.
#[test]
fn negatives_refuse_where_a_span_follows_from_one_that_was_taken_before() {
    let capture = Capture::start();
    let (closed, late) = (info_span!("closed"), info_span!("late"));
    let id = closed.id();
    drop(closed);
    capture.take();
    capture.trace().scan_spans().none(&follows_from(always()));
    late.follows_from(id);
    capture.trace().scan_spans().try_none(&follows_from(always())).unwrap_err();
}

#[test]
fn handles_outlive_any_number_of_traces() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let span = info_span!("span");
            let mut clones = vec![];
            for _ in 0..10 {
                clones.push(span.clone());
                assert!(!storage.take().all_spans().next().unwrap().stats().is_closed, "{way}");
            }
            drop(clones);
            assert_eq!(storage.take().all_spans().len(), 1, "{way}");
            drop(span);
            assert!(storage.take().all_spans().next().unwrap().stats().is_closed, "{way}");
            assert_eq!(storage.take().all_spans().len(), 0, "{way}");
        },
    );
}

/// A span that is closed is gone, also for a thread that is still in it.
#[test]
fn span_that_was_closed_while_it_was_entered_does_not_come_back() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let span = info_span!("span");
            let (id, dispatch) =
                span.with_subscriber(|(id, dispatch)| (id.clone(), dispatch.clone())).unwrap();
            dispatch.enter(&id);
            drop(span);
            storage.take();
            info!("in no span");
            dispatch.exit(&id);
            info!("after it");
            assert_eq!(storage.take().to_string(), "INFO in no span\nINFO after it", "{way}");
        },
    );
}

#[test]
fn capture_takes_as_its_storage_does() {
    let capture = Capture::start();
    let open = info_span!("open").entered();
    assert_eq!(capture.take().all_spans().len(), 1);
    drop(open);
    assert_eq!(capture.storage().take().to_string(), "INFO open{}");
    assert_eq!(capture.trace().roots().len(), 0);
}

/// What is kept for the next trace does not grow with what has happened.
#[test]
fn traces_that_are_taken_from_a_long_run_are_small() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let server = info_span!("server");
            for request in 0..200 {
                for _ in 0..50 {
                    server.in_scope(|| info!(request));
                }
                let trace = storage.take();
                assert_eq!(trace.all_events().len(), 50, "{way}");
                assert!(trace.timeline().count() <= 151, "{way}: {}", trace.timeline().count());
            }
            let trace = storage.take();
            assert_eq!(span(&trace, "server").stats().exited, 10_000, "{way}");
        },
    );
}
