use alloc::vec::Vec;
use core::{cell::RefCell, fmt, marker::PhantomData, time::Duration};

use super::{CaptureBuilder, SharedStorage, Storage, Trace, subscriber::CaptureSubscriber};
use tracing_core::{
    Dispatch,
    dispatcher::{self, DefaultGuard},
};

/// Captures what the current thread traces, until it is dropped.
///
/// A test starts one at its beginning. It captures all levels and targets, of code that the thread
/// itself runs and of guests whose receiver relays on it. While it lives, the thread's subscriber is
/// the capture's own; the one before it comes back when the capture is dropped. Captures of other
/// threads, in other tests, go on at the same time.
///
/// Of several captures of a thread, the one that was started last captures. They may be dropped in
/// any order.
///
/// A [`TracingEventReceiver`](crate::TracingEventReceiver) stays with the subscriber that it
/// started with. One that is to relay into the capture is created after it.
///
/// # Other threads
///
/// What another thread traces is not captured, unless it is given the capture's
/// [`dispatch()`](Self::dispatch).
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
    dispatch: Dispatch,
    /// It is that of a thread.
    not_send: PhantomData<*const ()>,
}

impl fmt::Debug for Capture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Capture").field("storage", &self.storage).finish_non_exhaustive()
    }
}

impl Capture {
    /// Begins to capture.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Begins to say what a capture is to be like.
    pub fn builder() -> CaptureBuilder {
        CaptureBuilder::default()
    }

    pub(super) fn start_with(_options: CaptureBuilder) -> Self {
        let storage = SharedStorage::default();
        let dispatch = Dispatch::new(CaptureSubscriber::new(&storage));
        let guard = dispatcher::set_default(&dispatch);
        started(Started { storage: storage.clone(), _guard: guard, is_over: false });
        Self { storage, dispatch, not_send: PhantomData }
    }

    /// Returns what was captured so far. The capture goes on meanwhile.
    pub fn trace(&self) -> Trace {
        self.storage.lock()
    }

    /// Returns what was captured since this was last called, and goes on; see
    /// [`SharedStorage::take()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::start();
    /// tracing::info!("request 1");
    /// assert_eq!(capture.take().to_string(), "INFO request 1");
    /// tracing::info!("request 2");
    /// assert_eq!(capture.take().to_string(), "INFO request 2");
    /// ```
    pub fn take(&self) -> Trace {
        self.storage.take()
    }

    /// Waits until the condition holds for what was captured, and returns that.
    ///
    /// The condition is asked now, and again after changes. It may be the
    /// [function](crate::predicates::into_fn) of a predicate, applied to some spans or events.
    ///
    /// # Panics
    ///
    /// Panics if the condition did not hold before the timeout had passed, with a message that shows
    /// the trace. [`SharedStorage::wait_until()`] returns an error instead.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use std::{thread, time::Duration};
    ///
    /// let capture = Capture::start();
    /// let dispatch = capture.dispatch().clone();
    /// thread::spawn(move || {
    ///     tracing::dispatcher::with_default(&dispatch, || tracing::info!("ready"));
    /// });
    /// capture.wait_until(Duration::from_secs(10), |trace| {
    ///     trace.all_events().any(|event| event.message() == Some("ready"))
    /// });
    /// ```
    #[track_caller]
    pub fn wait_until(&self, timeout: Duration, condition: impl FnMut(&Storage) -> bool) -> Trace {
        match self.storage.wait_until(timeout, condition) {
            Ok(trace) => trace,
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the storage that is filled, which other threads can read, too.
    pub fn storage(&self) -> &SharedStorage {
        &self.storage
    }

    /// Returns the capture's subscriber, to be made the default of another thread.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use tracing::dispatcher;
    ///
    /// let capture = Capture::start();
    /// let dispatch = capture.dispatch().clone();
    /// std::thread::spawn(move || {
    ///     dispatcher::with_default(&dispatch, || tracing::info!("on another thread"));
    /// })
    /// .join()
    /// .unwrap();
    /// assert_eq!(capture.trace().to_string(), "INFO on another thread");
    /// ```
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        ended(&self.storage);
    }
}

/// A capture of this thread that is under way, or over while a later one is not.
struct Started {
    storage: SharedStorage,
    _guard: DefaultGuard,
    is_over: bool,
}

std::thread_local! {
    /// Captures of this thread in the order in which they were started. A guard brings back what
    /// was there when it was made, so that they have to be dropped in the opposite order.
    static STARTED: RefCell<Vec<Started>> = const { RefCell::new(Vec::new()) };
}

fn started(capture: Started) {
    // There is no list any more while the thread ends, and then the capture is over at once.
    let _ = STARTED.try_with(|started| started.borrow_mut().push(capture));
}

fn ended(storage: &SharedStorage) {
    let _ = STARTED.try_with(|started| {
        for capture in started.borrow_mut().iter_mut() {
            capture.is_over |= capture.storage.is_same(storage);
        }
        // A subscriber that is dropped may run code of its own: not under the borrow.
        loop {
            let mut captures = started.borrow_mut();
            if !captures.last().is_some_and(|last| last.is_over) {
                return;
            }
            let last = captures.pop();
            drop(captures);
            drop(last);
        }
    });
}
