use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use tracing::{Event, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

/// Counts events.
#[derive(Clone, Default)]
pub struct Collector(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Collector {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Collector {
    pub fn count(&self) -> usize {
        self.0.load(Relaxed)
    }
}
