//! Captures that want only a part of what is traced.

use std::{cell::Cell, fmt, thread};

use spanshot::Capture;
use tracing::{Span, debug, field, info, info_span, warn};

use crate::support::{feed_frames, frames_of, panic_message, relayed};

/// Counts how often it is formatted.
#[derive(Default)]
struct Counted(Cell<usize>);

impl fmt::Debug for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        formatter.write_str("counted")
    }
}

#[test]
fn what_is_filtered_out_is_not_formatted() {
    let capture = Capture::builder().filter("info,noisy=warn").start();
    let value = Counted::default();
    debug!(?value);
    info!(target: "noisy", ?value);
    let span = info_span!(target: "noisy", "span", ?value, late = field::Empty);
    span.record("late", field::debug(&value));
    span.in_scope(|| debug!("{value:?}"));
    assert_eq!((value.0.get(), span.is_disabled()), (0, true));
    info!(?value);
    warn!(target: "noisy", ?value);
    assert_eq!(value.0.get(), 2);
    assert_eq!(capture.trace().to_string(), "INFO value=counted\nWARN value=counted");
}

#[test]
fn spans_that_are_filtered_out_are_passed_over() {
    let capture = Capture::builder().filter("info,noisy=off").start();
    let outer = info_span!("outer").entered();
    let noisy = info_span!(target: "noisy", "noisy").entered();
    info!("in the outer one");
    info_span!("inner").in_scope(|| {
        tracing::error_span!(target: "noisy::deeper", "noisy")
            .in_scope(|| warn!("in the inner one"));
    });
    info!(parent: &*noisy, "in none");
    assert_eq!(Span::current().id(), outer.id());
    drop((noisy, outer));
    assert_eq!(
        capture.trace().to_string(),
        "INFO outer{}\n├─ INFO in the outer one\n└─ INFO inner{}\n   └─ WARN in the inner one\n\
            INFO in none"
    );
}

#[test]
fn captures_at_once_have_their_own_filters_for_the_same_call_sites() {
    fn program() {
        for number in 0..100 {
            info!(number);
            debug!(number);
            warn!(target: "noisy", number);
        }
    }

    thread::scope(|scope| {
        for round in 0..12 {
            scope.spawn(move || {
                let (filter, expected) =
                    [("trace", 300), ("info", 200), ("off,noisy=error", 0), ("noisy=warn", 100)]
                        [round % 4];
                let capture = Capture::builder().filter(filter).start();
                program();
                assert_eq!(capture.trace().all_events().len(), expected, "{filter}");
            });
        }
    });
}

#[test]
fn what_is_relayed_is_filtered_as_well() {
    let frames = frames_of(|| {
        info_span!(target: "noisy", "noisy").in_scope(|| {
            info!("kept");
            debug!("filtered out");
        });
    });
    let capture = Capture::builder().filter("info,noisy=off").start();
    let mut receiver = spanshot::TracingEventReceiver::default();
    feed_frames(&frames)(&mut receiver);
    assert_eq!(capture.trace().to_string(), "INFO kept");
    let whole = relayed(feed_frames(&frames));
    assert_eq!(whole.all_events().len(), 2);
}

#[test]
fn filter_that_is_none_is_refused() {
    for filter in ["my_crate=loud", "[span]=debug"] {
        let message = panic_message(|| Capture::builder().filter(filter));
        assert!(message.starts_with(&format!("{filter:?} is no filter: ")), "{message}");
        assert_eq!(panic_message(|| Capture::builder().print_filter(filter)), message);
    }
}
