//! What the traced code, or the function that a sender is given, may do on the side.
//!
//! What a sender filters out, and a receiver that is fed from inside a sender's function, are in
//! `sender` and `receiver`. What is different for a sender that is the global default is in
//! binaries of their own.

use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use spanshot::{SharedStorage, TracingEventReceiver, TracingEventSender};
use tracing::{field::Empty, info, info_span};

use super::check_trace;

/// A value that traces when it is formatted.
#[derive(Clone, Copy)]
struct Tracing;

impl fmt::Debug for Tracing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        info_span!("formatting").in_scope(|| info!("formatting"));
        formatter.write_str("formatted")
    }
}

impl fmt::Display for Tracing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl Error for Tracing {}

/// A value that panics when it is formatted.
struct Panicking;

impl fmt::Debug for Panicking {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("cannot be formatted")
    }
}

impl fmt::Display for Panicking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl Error for Panicking {}

fn panics(f: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
}

/// `tracing-core` takes nothing that is traced while it dispatches a new span or an event on the
/// same thread, natively as well.
#[test]
fn debug_that_traces_loses_neither_its_record_nor_later_ones() {
    check_trace(
        || {
            let span = info_span!("span", value = ?Tracing, late = Empty);
            span.record("late", tracing::field::debug(Tracing));
            span.in_scope(|| info!(value = ?Tracing));
            info!("later");
        },
        "INFO span{value=formatted late=formatted}\n\
         └─ INFO value=formatted\n\
         INFO formatting{}\n\
         └─ INFO formatting\n\
         INFO later",
    );
}

#[test]
fn display_that_traces_loses_neither_its_record_nor_later_ones() {
    check_trace(
        || {
            info!(value = %Tracing, "{Tracing}");
            info!(error = &Tracing as &(dyn Error + 'static));
            info!("later");
        },
        "INFO formatted value=formatted\nINFO error=formatted\nINFO later",
    );
}

#[test]
fn debug_that_panics_loses_its_record_and_no_later_one() {
    check_trace(
        || {
            let span = info_span!("span", late = Empty);
            panics(|| drop(info_span!("lost", value = ?Panicking)));
            panics(|| {
                span.record("late", tracing::field::debug(Panicking));
            });
            panics(|| span.in_scope(|| info!(value = ?Panicking)));
            info!("later, in no span");
            span.record("late", 1);
        },
        "INFO span{late=1}\nINFO later, in no span",
    );
}

#[test]
fn display_that_panics_loses_its_record_and_no_later_one() {
    check_trace(
        || {
            panics(|| info!(value = %Panicking));
            panics(|| info!("{Panicking}"));
            panics(|| info!(error = &Panicking as &(dyn Error + 'static)));
            info!("later");
        },
        "INFO later",
    );
}

#[test]
fn function_that_panics_loses_its_record_and_no_later_one() {
    let storage = SharedStorage::default();
    let receiver = Mutex::new(TracingEventReceiver::capturing(&storage));
    let function = move |frame: &[u8]| {
        assert!(frame.windows(4).all(|part| part != b"lost"), "the function panics");
        receiver.lock().unwrap().receive_encoded(frame).unwrap();
    };
    tracing::subscriber::with_default(TracingEventSender::encoded(function), || {
        let span = info_span!("span").entered();
        panics(|| info!("lost"));
        info!("later");
        drop(span);
        info!("in none");
    });
    assert_eq!(storage.lock().to_string(), "INFO span{}\n└─ INFO later\nINFO in none");
}

#[test]
fn call_site_whose_announcement_panicked_is_announced_again() {
    let storage = SharedStorage::default();
    let receiver = Mutex::new(TracingEventReceiver::capturing(&storage));
    let is_first = AtomicBool::new(true);
    let function = move |frame: &[u8]| {
        assert!(!is_first.swap(false, Ordering::Relaxed), "the function panics");
        receiver.lock().unwrap().receive_encoded(frame).unwrap();
    };
    tracing::subscriber::with_default(TracingEventSender::encoded(function), || {
        let trace = |number| info!(number);
        panics(|| trace(1));
        trace(2);
    });
    assert_eq!(storage.lock().to_string(), "INFO number=2");
}
