//! A sender's function that traces itself. As a global default, `tracing-core` does not keep it from
//! being called for what it traces; and there is one of these a process.

use std::{
    panic,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use spanshot::{SharedStorage, TracingEventReceiver, TracingEventSender};
use tracing::{Span, info, info_span};

#[test]
fn what_the_function_traces_is_not_sent_and_what_it_panics_at_is_all_that_is_lost() {
    let storage = SharedStorage::default();
    let receiver = Mutex::new(TracingEventReceiver::capturing(&storage));
    let panics = Arc::new(AtomicBool::new(false));
    let should_panic = Arc::clone(&panics);
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let sender = TracingEventSender::encoded(move |frame| {
        let span = info_span!("in the function");
        span.in_scope(|| info!("in the function"));
        assert!(Span::current().is_none());
        *keep.lock().unwrap() = Some(span);
        assert!(!should_panic.load(Ordering::Relaxed), "the function panics");
        receiver.lock().unwrap().receive_encoded(frame).unwrap();
    });
    tracing::subscriber::set_global_default(sender).unwrap();

    let span = info_span!("span", late = tracing::field::Empty);
    span.in_scope(|| info!("before"));
    panics.store(true, Ordering::Relaxed);
    let result = panic::catch_unwind(|| info!("lost"));
    assert!(result.is_err());
    panics.store(false, Ordering::Relaxed);
    // The span of the function is used outside of it: nobody was told of it.
    let from_function = kept.lock().unwrap().take().unwrap();
    from_function.in_scope(|| info!(parent: &from_function, "after"));
    span.follows_from(&from_function);
    span.record("late", 1);
    drop((from_function, span));

    assert_eq!(storage.lock().to_string(), "INFO span{late=1}\n└─ INFO before\nINFO after");
    assert!(storage.lock().all_spans().all(|span| span.stats().is_closed));
}
