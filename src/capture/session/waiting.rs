//! Waiting for something to be captured.

use core::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use std::time::Instant;

use crate::capture::{
    LEFT_BEHIND, REMEDIES, SharedStorage, Shown, Storage, Trace, session::excerpt::excerpt,
};

/// Printed lines of records that no test can claim.
const MAX_UNATTRIBUTED: usize = 10;

/// The error returned when a wait times out.
///
/// Its [`Display`](fmt::Display) output shows the trace, or the beginning and end of a long one.
///
/// # Example
///
/// ```
/// use spanshot::SharedStorage;
/// use std::time::Duration;
///
/// let storage = SharedStorage::default();
/// let result = storage.wait_until(Duration::from_millis(5), |trace| trace.all_events().len() > 0);
/// let message = result.unwrap_err().to_string();
/// assert!(message.starts_with("nothing like it was captured within 5ms\n"));
/// assert!(message.ends_with("\nthe trace so far:\n(nothing was captured)"));
/// ```
#[derive(Debug, Clone)]
pub struct TimedOut {
    timeout: Duration,
    trace: Trace,
}

impl TimedOut {
    /// Returns the trace at the end of the wait.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { timeout, trace } = self;
        let sight = &trace.sight;
        writeln!(
            formatter,
            "nothing like it was captured within {timeout:?}\n\
             (`wait_until()` blocks its thread: if that thread runs the tasks of a runtime, await \
             `until()` instead)"
        )?;
        let unattributed = sight.unattributed.as_deref();
        if sight.is_bypassed {
            writeln!(formatter, "({LEFT_BEHIND})")?;
        } else if let Some(lost) = sight.lost_relayed() {
            writeln!(formatter, "({lost})")?;
        } else if sight.is_of_thread {
            writeln!(formatter, "{REMEDIES}")?;
        } else if let Some(records) = unattributed.filter(|records| records.node_count() > 0) {
            let records =
                Shown { max_lines: MAX_UNATTRIBUTED, is_redacted: true, ..Shown::plain(records) };
            writeln!(
                formatter,
                "(what was waited for may be among the records that no test can claim: attach the thread with \
                 `CaptureHandle::attach_thread()` or `carry()`, or run the test in a process of its own)\n\
                 records that no test can claim:\n{records}\n"
            )?;
        }
        let trace = excerpt(Shown { is_redacted: true, ..Shown::plain(trace) });
        write!(formatter, "the trace so far:\n{trace}")
    }
}

impl Error for TimedOut {}

impl SharedStorage {
    /// Waits until the condition holds for the trace, and returns the trace.
    ///
    /// The condition is checked now, and again after changes. Records that were captured in time count, even if this
    /// thread wakes up too late. Tracing does not wait for the condition.
    ///
    /// # Errors
    ///
    /// Returns an error if the condition did not hold before the timeout had passed. If the tasks that would trace run
    /// on this thread, as in `#[tokio::test]`, it always times out: await [`until()`](Self::until) there.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{CaptureLayer, SharedStorage};
    /// use std::{thread, time::Duration};
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// let storage = SharedStorage::default();
    /// let subscriber = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
    /// thread::spawn(move || {
    ///     tracing::subscriber::with_default(subscriber, || tracing::info!("ready"));
    /// });
    /// let is_ready = |trace: &spanshot::Storage| {
    ///     trace.all_events().any(|event| event.message() == Some("ready"))
    /// };
    /// storage.wait_until(Duration::from_secs(10), is_ready)?;
    /// # Ok::<_, spanshot::capture::TimedOut>(())
    /// ```
    pub fn wait_until(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&Storage) -> bool,
    ) -> Result<Trace, TimedOut> {
        // A timeout beyond the range of the clock is cut to ten years.
        let now = Instant::now();
        let deadline = now.checked_add(timeout).unwrap_or(now + Duration::from_secs(315_360_000));
        let mut asked_after = None;
        loop {
            // The clock is read before the trace: a thread that wakes up late still sees the records that came in time.
            // A condition that traces changes something each time, and must time out nevertheless.
            let is_over = Instant::now() >= deadline;
            let (trace, changes) = self.observe();
            if asked_after != Some(changes) && condition(&trace) {
                return Ok(trace);
            }
            if is_over {
                return Err(TimedOut { timeout, trace });
            }
            drop(trace); // what is traced would have to be written into a copy
            asked_after = Some(changes);
            self.wait_for_change(changes, deadline);
        }
    }

    /// Returns a future that waits until the condition holds for the trace, and yields the trace.
    ///
    /// The future has no timeout of its own: use one of the runtime, such as `tokio`'s `timeout()`.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::SharedStorage;
    ///
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     match std::pin::pin!(future).poll(&mut context) {
    /// #         std::task::Poll::Ready(output) => output,
    /// #         std::task::Poll::Pending => panic!("it waits"),
    /// #     }
    /// # }
    /// # block_on(async {
    /// let storage = SharedStorage::default();
    /// let trace = storage.until(|trace| trace.all_spans().len() == 0).await;
    /// assert_eq!(trace.all_events().len(), 0);
    /// # });
    /// ```
    pub fn until<C>(&self, condition: C) -> impl Future<Output = Trace> + use<C>
    where
        C: FnMut(&Storage) -> bool,
    {
        Until { storage: self.clone(), condition, waker: None }
    }
}

struct Until<C> {
    storage: SharedStorage,
    condition: C,
    /// Number of this future's waker in the storage.
    waker: Option<u64>,
}

/// The future does not pin its condition.
impl<C> Unpin for Until<C> {}

impl<C> Until<C> {
    fn forget_waker(&mut self) {
        if let Some(number) = self.waker.take() {
            self.storage.forget_waker(number);
        }
    }
}

impl<C> Drop for Until<C> {
    fn drop(&mut self) {
        self.forget_waker();
    }
}

impl<C: FnMut(&Storage) -> bool> Future for Until<C> {
    type Output = Trace;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Trace> {
        self.forget_waker();
        loop {
            let (trace, changes) = self.storage.observe();
            if (self.condition)(&trace) {
                return Poll::Ready(trace);
            }
            drop(trace);
            // A waker is code of the user: it is cloned before anything is locked.
            self.waker = self.storage.wake_on_change(changes, context.waker().clone());
            if self.waker.is_some() {
                return Poll::Pending;
            }
        }
    }
}
