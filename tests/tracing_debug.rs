//! A `Debug` implementation that traces, under a sender that is the global default: then
//! `tracing-core` takes what is traced while it dispatches. There is one of these a process.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
};

use spanshot::{SharedStorage, TracingEventReceiver, TracingEventSender};
use tracing::{Span, field::Empty, info, info_span};

struct Tracing {
    should_panic: bool,
}

impl fmt::Debug for Tracing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        info_span!("formatting").in_scope(|| info!("in formatting"));
        Span::current().record("late", 1);
        assert!(!self.should_panic, "as it was told to");
        formatter.write_str("formatted")
    }
}

#[test]
fn debug_that_traces_is_sent_before_its_record_and_if_it_panics_nothing_later_is_lost() {
    let storage = SharedStorage::default();
    let receiver = Mutex::new(TracingEventReceiver::capturing(&storage));
    let sender = TracingEventSender::encoded(move |frame| {
        receiver.lock().unwrap().receive_encoded(frame).unwrap();
    });
    tracing::subscriber::set_global_default(sender).unwrap();

    let outer = info_span!("outer", late = Empty).entered();
    info!(value = ?Tracing { should_panic: false }, "event");
    let panicking = || info!(value = ?Tracing { should_panic: true }, "lost");
    assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
    info!("in outer");
    drop(outer);
    info!("in none");

    let tree = "\
INFO outer{late=1}
├─ INFO formatting{}
│  └─ INFO in formatting
├─ INFO event value=formatted
├─ INFO formatting{}
│  └─ INFO in formatting
└─ INFO in outer
INFO in none";
    assert_eq!(storage.lock().to_string(), tree);
}
