use alloc::sync::Arc;
use core::{fmt, ops};

use parking_lot::Mutex;

use super::Storage;

/// A [`Storage`] that is filled and read at the same time, from any thread.
///
/// Clones share one storage.
///
/// # Example
///
/// ```
/// use spanshot::{CaptureLayer, SharedStorage};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let storage = SharedStorage::default();
/// let subscriber = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
/// tracing::subscriber::with_default(subscriber, || tracing::info!("started"));
/// assert_eq!(storage.lock().all_events().len(), 1);
/// ```
#[derive(Clone, Default)]
pub struct SharedStorage {
    storage: Arc<Mutex<Arc<Storage>>>,
}

impl fmt::Debug for SharedStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SharedStorage").field(&self.lock().storage).finish()
    }
}

impl SharedStorage {
    /// Returns what was captured so far.
    ///
    /// Nothing stays locked: what is traced while the returned guard lives is captured as ever, and
    /// seen by the next call.
    pub fn lock(&self) -> Trace {
        Trace { storage: Arc::clone(&self.storage.lock()) }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.storage, &other.storage)
    }

    /// Changes the storage. The function must not run code of the user: it runs under a lock.
    pub(crate) fn write<T>(&self, f: impl FnOnce(&mut Storage) -> T) -> T {
        f(Arc::make_mut(&mut self.storage.lock()))
    }
}

/// What was captured up to a moment: a guard that derefs to [`Storage`].
///
/// # Example
///
/// ```
/// use spanshot::Capture;
///
/// let capture = Capture::start();
/// tracing::info!("before");
/// let trace = capture.trace();
/// tracing::info!("after");
/// assert_eq!(trace.all_events().len(), 1);
/// assert_eq!(capture.trace().all_events().len(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct Trace {
    storage: Arc<Storage>,
}

impl ops::Deref for Trace {
    type Target = Storage;

    fn deref(&self) -> &Storage {
        &self.storage
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.storage.fmt(formatter)
    }
}

impl serde::Serialize for Trace {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.storage.serialize(serializer)
    }
}
