//! What the sender sends.

use std::{fmt, thread};

use spanshot::TracingEvent;
use tracing::{Span, debug, error, field, info, info_span, trace};

use crate::support::{events_of, frames_of};

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
        TracingEvent::NewCallSite { .. } => None,
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
