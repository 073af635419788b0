//! The sender, and programs whose trace must be the same through the tunnel as natively.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use spanshot::TracingEvent;
use tracing::{
    Span, debug, error, error_span, event, field, info, info_span, instrument, span, trace,
    trace_span, warn,
};

use crate::support::{assert_transparent, events_of, frames_of};

/// Kinds of the records of a stream, without call sites.
fn kinds(events: &[TracingEvent]) -> Vec<&'static str> {
    let kind = |event: &TracingEvent| match event {
        TracingEvent::NewSpan { .. } => Some("new"),
        TracingEvent::SpanEntered { .. } => Some("enter"),
        TracingEvent::SpanExited { .. } => Some("exit"),
        TracingEvent::SpanCloned { .. } => Some("clone"),
        TracingEvent::SpanDropped { .. } => Some("drop"),
        TracingEvent::ValuesRecorded { .. } => Some("record"),
        TracingEvent::NewEvent { .. } => Some("event"),
        TracingEvent::FollowsFrom { .. } => Some("follows"),
        _ => None,
    };
    events.iter().filter_map(kind).collect()
}

#[test]
fn call_site_is_announced_once_before_its_first_use() {
    let events = events_of(|| {
        for _ in 0..3 {
            info!("again");
        }
        info!("another");
    });
    let announced: Vec<_> = events
        .iter()
        .map(|event| match event {
            TracingEvent::NewCallSite { id, .. } => (*id, true),
            TracingEvent::NewEvent { metadata_id, .. } => (*metadata_id, false),
            other => panic!("unexpected {other:?}"),
        })
        .collect();
    assert_eq!(announced, [(0, true), (0, false), (0, false), (0, false), (1, true), (1, false)]);
}

#[test]
fn every_sender_announces_for_itself() {
    let program = || info!("by two senders");
    assert_eq!(frames_of(program), frames_of(program));
}

#[test]
fn span_ids_start_at_1_and_are_never_reused() {
    let events = events_of(|| {
        for _ in 0..3 {
            drop(info_span!("span"));
        }
    });
    let ids: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            TracingEvent::NewSpan { id, .. } => Some(*id),
            _ => None,
        })
        .collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn span_current_is_that_of_the_thread() {
    let events = events_of(|| {
        assert!(Span::current().is_none());
        let outer = info_span!("outer", late = field::Empty);
        let inner = info_span!("inner");
        outer.in_scope(|| {
            assert_eq!(Span::current().metadata().unwrap().name(), "outer");
            inner.in_scope(|| assert_eq!(Span::current().id(), inner.id()));
            assert_eq!(Span::current().id(), outer.id());
            let dispatch = crate::support::current_dispatch();
            thread::scope(|scope| {
                scope.spawn(|| {
                    tracing::dispatcher::with_default(&dispatch, || {
                        assert!(Span::current().is_none());
                        inner.in_scope(|| assert_eq!(Span::current().id(), inner.id()));
                    });
                });
            });
            Span::current().record("late", 5);
        });
        assert!(Span::current().is_none());
    });
    assert!(kinds(&events).contains(&"record"));
}

#[test]
fn record_knows_its_thread() {
    let events = events_of(|| {
        let dispatch = crate::support::current_dispatch();
        let span = info_span!("span");
        thread::scope(|scope| {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || span.in_scope(|| info!("there")));
            });
        });
        span.in_scope(|| info!("here"));
    });
    let threads: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            TracingEvent::SpanEntered { thread, .. }
            | TracingEvent::SpanExited { thread, .. }
            | TracingEvent::NewEvent { thread, .. } => Some(*thread),
            _ => None,
        })
        .collect();
    assert_eq!(threads, [1, 1, 1, 0, 0, 0]);
}

#[test]
fn debug_implementation_may_trace_and_panic() {
    struct Tracing;

    impl fmt::Debug for Tracing {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            info!("formatting");
            formatter.write_str("formatted")
        }
    }

    struct Panicking;

    impl fmt::Debug for Panicking {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("cannot be formatted")
        }
    }

    let program = || {
        info!(value = ?Tracing, "before");
        let span = info_span!("span");
        let panicking = || span.in_scope(|| info!(value = ?Panicking));
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        info!("after");
    };
    assert_transparent(program);
    let frames = frames_of(program);
    let contains = |text: &str| {
        frames.iter().any(|frame| frame.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    assert!(contains("formatted") && contains("after"));
}

#[test]
fn programs_with_parents_of_all_kinds() {
    assert_transparent(|| {
        let outer = info_span!("outer");
        let other = info_span!("other", key = "value");
        let _entered = outer.enter();
        info!("contextual");
        info!(parent: &other, "explicit");
        info!(parent: None, "root");
        let _contextual = info_span!("contextual");
        let explicit = info_span!(parent: &other, "explicit");
        let root = info_span!(parent: None, "root");
        explicit.in_scope(|| info!("in explicit"));
        root.in_scope(|| info_span!("in root").in_scope(|| warn!("deep")));
    });
}

#[test]
fn programs_with_lives_of_all_kinds() {
    assert_transparent(|| {
        let span = info_span!("reentered");
        span.in_scope(|| span.in_scope(|| info!("twice")));
        let (first, second) = (info_span!("first"), info_span!("second"));
        let (entered_first, entered_second) = (first.enter(), second.enter());
        drop(entered_first);
        info!("in second only");
        drop(entered_second);
        let clone = first.clone();
        drop(first);
        clone.in_scope(|| info!("in clone"));
        // A span may be closed while it is entered.
        let dispatch = crate::support::current_dispatch();
        let id = clone.id().unwrap();
        dispatch.enter(&id);
        drop(clone);
        info!("in a closed span, that is, in none");
        dispatch.exit(&id);
        info!("outside");
        std::mem::forget(second);
        let child = {
            let parent = info_span!("parent");
            let _entered = parent.enter();
            info_span!("child")
        };
        child.in_scope(|| info!("parent is kept open by its child"));
        let closed = info_span!("closed").id();
        child.follows_from(closed);
    });
}

#[test]
fn programs_with_values_of_all_kinds() {
    #[instrument(fields(late = field::Empty), ret, err)]
    fn instrumented(input: u8) -> Result<u8, std::num::ParseIntError> {
        Span::current().record("late", "recorded");
        "no number".parse::<u8>().map(|number| number + input)
    }

    assert_transparent(|| {
        let error = std::io::Error::other(instrumented(3).unwrap_err());
        let span = info_span!("span", a = 1_u8, b = field::Empty, c = ?[1, 2], d = %"shown");
        span.record("b", i128::MIN).record("a", u128::MAX);
        span.in_scope(|| {
            error!(error = &error as &dyn std::error::Error, "failed: {}", 1 + 1);
            event!(tracing::Level::DEBUG, dotted.name = true, "quoted name" = f64::NEG_INFINITY);
            trace!(bytes = &[0_u8, 255][..], text = "nul \0 and \u{1f980}", negative_zero = -0.0);
            debug!(some = Some(5), none = None::<u64>, r#type = "raw");
            info!(huge = "x".repeat(100_000));
        });
        drop(trace_span!("empty"));
        drop(error_span!("error"));
        drop(span!(target: "other::target", tracing::Level::WARN, "targeted"));
    });
}

#[test]
fn programs_on_threads_that_take_turns() {
    assert_transparent(|| {
        let dispatch = crate::support::current_dispatch();
        let shared = info_span!("shared");
        let _entered = shared.enter();
        thread::scope(|scope| {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    info!("root on the other thread");
                    shared.in_scope(|| info_span!("child").in_scope(|| info!("deep")));
                });
            });
        });
        info!("in shared");
    });
}

#[test]
fn what_the_sender_filters_out_is_not_even_formatted() {
    struct Unformatted;

    impl fmt::Debug for Unformatted {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("it is formatted")
        }
    }

    let (sent, events) = std::sync::mpsc::channel();
    let sender = spanshot::TracingEventSender::new(move |event| sent.send(event).unwrap())
        .with_max_level(tracing::level_filters::LevelFilter::DEBUG)
        .with_filter(|metadata| metadata.target() != "noisy")
        .with_filter(|metadata| !metadata.is_span() || metadata.name() != "hidden");
    tracing::subscriber::with_default(sender, || {
        let hidden = info_span!("hidden", value = ?Unformatted);
        assert!(hidden.is_disabled());
        hidden.in_scope(|| {
            trace!(value = ?Unformatted, "too verbose");
            error!(target: "noisy", value = ?Unformatted);
            debug!("sent");
        });
    });
    assert_eq!(kinds(&events.try_iter().collect::<Vec<_>>()), ["event"]);
}
