//! Times of what happened in a capture: how they relate, never how long anything takes.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant, SystemTime},
};

use spanshot::{
    CapturedSpan, SharedStorage, Storage,
    capture::{Happening, Moment},
};
use tracing::{Span, info, info_span};

use crate::support::{captured_by_every_way, current_dispatch, on_thread};

fn span<'a>(trace: &'a Storage, name: &str) -> CapturedSpan<'a> {
    trace.all_spans().find(|span| span.metadata().name() == name).expect("there is such a span")
}

fn time(trace: &Storage, moment: Moment) -> SystemTime {
    trace.time_of(moment).expect("times are kept")
}

fn between(trace: &Storage, from: Moment, to: Moment) -> Option<Duration> {
    time(trace, to).duration_since(time(trace, from)).ok()
}

fn last_moment(trace: &Storage) -> Moment {
    trace.timeline().next_back().expect("something happened").0
}

/// How long threads were in a span, and not in it, added up from the timeline.
fn durations(trace: &Storage, span: CapturedSpan<'_>) -> (Duration, Duration) {
    let (mut busy, mut idle) = (Duration::ZERO, Duration::ZERO);
    let (mut entered, mut is_open) = (0_usize, false);
    let mut since = None;
    for (moment, happening) in trace.timeline() {
        if is_open {
            let passed = between(trace, since.expect("it was created"), moment);
            *(if entered > 0 { &mut busy } else { &mut idle }) += passed.expect("time goes on");
        }
        since = Some(moment);
        match happening {
            Happening::Created(other) if other == span => is_open = true,
            Happening::Entered(other) if other == span => entered += 1,
            Happening::Exited(other) if other == span => entered -= 1,
            Happening::Closed(other) if other == span => is_open = false,
            _ => {}
        }
    }
    (busy, idle)
}

/// Takes as long as the clock needs to go on.
fn pass() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(1) {}
}

fn enter(span: &Span) {
    span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
    pass();
}

fn exit(span: &Span) {
    pass();
    span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
    pass();
}

#[test]
fn times_are_none_unless_they_are_kept() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            info_span!("span").in_scope(|| info!("event"));
            let trace = storage.lock();
            assert!(trace.timeline().all(|(moment, _)| trace.time_of(moment).is_none()), "{way}");
            let span = span(&trace, "span");
            assert_eq!((span.busy(), span.idle()), (None, None), "{way}");
        },
    );
}

#[test]
fn times_go_on_with_moments_and_lie_within_the_test() {
    captured_by_every_way(SharedStorage::keep_times, |way, storage| {
        for number in 0..20 {
            info_span!("span", number).in_scope(|| on_thread(|| info!("event")));
        }
        let trace = storage.lock();
        let times: Vec<_> = trace.timeline().map(|(moment, _)| time(&trace, moment)).collect();
        assert_eq!(times.len(), 100, "{way}");
        assert!(times.is_sorted(), "{way}");
    });
}

#[test]
fn busy_and_idle_make_up_the_life_of_a_span() {
    captured_by_every_way(SharedStorage::keep_times, |way, storage| {
        let span_1 = info_span!("span");
        pass();
        for _ in 0..3 {
            enter(&span_1);
            info!("in it");
            exit(&span_1);
            info!("not in it");
        }
        drop(span_1);
        let trace = storage.lock();
        let span = span(&trace, "span");
        let (busy, idle) = (span.busy().unwrap(), span.idle().unwrap());
        assert_eq!(Some(busy + idle), between(&trace, span.moment(), span.closed().unwrap()));
        assert_eq!((busy, idle), durations(&trace, span), "{way}");
        assert!(busy > Duration::ZERO && idle > Duration::ZERO, "{way}: {busy:?} {idle:?}");
    });
}

#[test]
fn span_that_is_entered_again_is_busy_until_the_last_exit() {
    captured_by_every_way(SharedStorage::keep_times, |way, storage| {
        let again = info_span!("again");
        pass();
        enter(&again);
        enter(&again);
        exit(&again);
        exit(&again);
        drop(again);
        let trace = storage.lock();
        let span = span(&trace, "again");
        let (first, last) = (span.enters().next().unwrap(), span.exits().next_back().unwrap());
        assert_eq!(span.busy(), between(&trace, first, last), "{way}");
        assert_eq!((span.busy().unwrap(), span.idle().unwrap()), durations(&trace, span), "{way}");
    });
}

#[test]
fn time_of_two_threads_in_a_span_at_once_counts_once() {
    captured_by_every_way(SharedStorage::keep_times, |way, storage| {
        let shared = info_span!("shared");
        let (both_in, dispatch) = (Barrier::new(2), current_dispatch());
        let work = || {
            enter(&shared);
            both_in.wait();
            exit(&shared);
        };
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| tracing::dispatcher::with_default(&dispatch, work));
            }
        });
        let trace = storage.lock();
        let span = span(&trace, "shared");
        let (first, last) = (span.enters().next().unwrap(), span.exits().next_back().unwrap());
        assert_eq!(span.busy(), between(&trace, first, last), "{way}");
        assert_eq!((span.busy().unwrap(), span.idle().unwrap()), durations(&trace, span), "{way}");
    });
}

#[test]
fn open_spans_last_until_the_last_thing_that_was_captured() {
    captured_by_every_way(SharedStorage::keep_times, |way, storage| {
        let (idle, busy) = (info_span!("idle"), info_span!("busy"));
        enter(&busy);
        info!("so far");
        for _ in 0..2 {
            let trace = storage.lock();
            let last = last_moment(&trace);
            let (idle, busy) = (span(&trace, "idle"), span(&trace, "busy"));
            assert_eq!(idle.idle(), between(&trace, idle.moment(), last), "{way}");
            assert_eq!(idle.busy(), Some(Duration::ZERO), "{way}");
            assert_eq!(busy.busy(), between(&trace, busy.enters().next().unwrap(), last), "{way}");
            info!("more");
        }
        exit(&busy);
        drop(idle);
    });
}

/// A span that lives through several traces is as old in each of them as it was then.
#[test]
fn durations_go_on_in_the_traces_that_are_taken() {
    captured_by_every_way(SharedStorage::keep_times, |way, storage| {
        let long = info_span!("long");
        let mut last = (Duration::ZERO, Duration::ZERO);
        for round in 0..4 {
            // In every second round it is entered already, and in the others it stays so.
            enter(&long);
            exit(&long);
            info!("in it");
            if round % 2 == 0 {
                enter(&long);
            } else {
                exit(&long);
            }
            info!("last");
            let (trace, left) = (storage.take(), storage.lock());
            let (before, after) = (span(&trace, "long"), span(&left, "long"));
            let both = |span: CapturedSpan<'_>| (span.busy().unwrap(), span.idle().unwrap());
            assert_eq!(both(after), both(before), "{way}");
            let sum = |(busy, idle): (Duration, Duration)| busy + idle;
            assert!(both(before).0 >= last.0 && both(before).1 >= last.1, "{way}");
            let age = between(&trace, before.moment(), last_moment(&trace)).unwrap();
            assert_eq!(sum(both(before)), age, "{way}");
            last = both(before);
        }
    });
}

#[test]
fn times_begin_when_they_are_asked_for() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let open = info_span!("open").entered();
            info!("before");
            storage.keep_times();
            info!("after");
            drop(open);
            let trace = storage.lock();
            assert_eq!(trace.to_string(), "INFO open{}\n└─ INFO after", "{way}");
            let span = span(&trace, "open");
            let (created, closed) = (span.moment(), span.closed().unwrap());
            assert_eq!(
                span.busy().unwrap() + span.idle().unwrap(),
                between(&trace, created, closed).unwrap(),
                "{way}"
            );
            assert!(trace.timeline().all(|(moment, _)| trace.time_of(moment).is_some()), "{way}");
        },
    );
}
