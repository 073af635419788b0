//! What `tracing` caches of a subscriber's interest stays cached while spanshot is in the process. A
//! filter that changes its mind without telling `tracing` is broken then as it is in production.
//!
//! Subscribers of other tests would change what is cached, so that this is a binary of its own.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use spanshot::{Capture, CaptureLayer, SharedStorage, TracingEventReceiver};
use tracing::{
    Event, Metadata, Subscriber, info,
    span::{Attributes, Id, Record},
    subscriber::{Interest, with_default},
};
use tracing_subscriber::layer::SubscriberExt;

/// Subscriber that says it always wants everything, and lets nothing pass if it is asked again.
#[derive(Clone, Default)]
struct ChangesItsMind {
    is_off: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    events: Arc<AtomicUsize>,
}

impl Subscriber for ChangesItsMind {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        self.asked.fetch_add(1, Relaxed);
        !self.is_off.load(Relaxed)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.events.fetch_add(1, Relaxed);
    }
}

#[test]
fn subscriber_is_asked_as_often_as_natively() {
    let trace = || (0..10).for_each(|number| info!(number));
    let run = |subscriber: &ChangesItsMind| {
        with_default(subscriber.clone(), || {
            trace();
            subscriber.is_off.store(true, Relaxed);
            trace();
        });
        (subscriber.asked.load(Relaxed), subscriber.events.load(Relaxed))
    };
    let natively = run(&ChangesItsMind::default());
    assert_eq!(natively, (0, 20));

    let storage = SharedStorage::default();
    let layer = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
    let layer = tracing::Dispatch::new(layer);
    let capture = Capture::start();
    let receiver = TracingEventReceiver::default();
    assert_eq!(run(&ChangesItsMind::default()), natively);

    trace();
    assert_eq!(capture.trace().all_events().len(), 10);
    drop((receiver, capture, layer));
    assert_eq!(run(&ChangesItsMind::default()), natively);
}
