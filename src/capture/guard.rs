use core::fmt;

use tracing_core::{
    Dispatch,
    dispatcher::{self, DefaultGuard},
};
use tracing_subscriber::layer::SubscriberExt;

use super::{CaptureLayer, SharedStorage, Trace};

/// Captures what the current thread traces, until it is dropped.
///
/// A test starts one at its beginning. It captures all levels and targets. While it lives, the
/// thread's subscriber is the capture's own; the one before it comes back when the capture is
/// dropped. Captures of other threads, in other tests, go on at the same time.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// # fn charge(_: u32) { tracing::info!(cents = 250, "charged") }
/// let capture = Capture::start();
/// charge(250);
/// let trace = capture.trace();
/// trace.scan_events().single(&(message(eq("charged")) & field("cents", 250)));
/// ```
#[must_use = "nothing is captured once it is dropped"]
pub struct Capture {
    storage: SharedStorage,
    _guard: DefaultGuard,
}

impl fmt::Debug for Capture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Capture").field("storage", &self.storage).finish_non_exhaustive()
    }
}

impl Capture {
    /// Begins to capture.
    pub fn start() -> Self {
        let storage = SharedStorage::default();
        let subscriber = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
        let guard = dispatcher::set_default(&Dispatch::new(subscriber));
        Self { storage, _guard: guard }
    }

    /// Returns what was captured so far. The capture goes on meanwhile.
    pub fn trace(&self) -> Trace {
        self.storage.lock()
    }
}
