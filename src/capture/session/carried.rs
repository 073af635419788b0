use alloc::boxed::Box;
use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use crate::capture::CaptureHandle;

/// A value that is dropped in the scope of a capture, which captures the records of the drop.
pub(crate) struct Kept<T> {
    handle: CaptureHandle,
    /// `None` once it is dropped or taken.
    value: Option<T>,
}

impl<T> Kept<T> {
    pub(crate) fn new(handle: CaptureHandle, value: T) -> Self {
        Self { handle, value: Some(value) }
    }

    /// Gives the value to a function that runs in the scope.
    pub(crate) fn into_result_of<R>(mut self, f: impl FnOnce(T) -> R) -> R {
        match self.value.take() {
            Some(value) => self.handle.in_scope(|| f(value)),
            None => unreachable!("only this and `drop()` take it, and each comes last"),
        }
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.handle.in_scope(|| drop(value));
        }
    }
}

/// Future that carries a capture along, returned by
/// [`Capture::carry_future()`](crate::Capture::carry_future).
///
/// It is polled and dropped in the scope of the capture. The inner future is dropped as soon as it
/// is ready.
///
/// # Panics
///
/// Polling it again after that panics.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, capture::Carried};
///
/// let capture = Capture::start();
/// let future: Carried<_> = capture.carry_future(async { tracing::info!("polled") });
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// std::thread::spawn(move || runtime.block_on(future)).join().unwrap();
/// assert_eq!(capture.trace().to_string(), "INFO polled");
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct Carried<F> {
    future: Option<Kept<Pin<Box<F>>>>,
}

impl<F> fmt::Debug for Carried<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Carried").finish_non_exhaustive()
    }
}

impl<F: Future> Carried<F> {
    pub(crate) fn new(handle: CaptureHandle, future: F) -> Self {
        Self { future: Some(Kept::new(handle, Box::pin(future))) }
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(Kept { handle, value: Some(future) }) = &mut self.future else {
            panic!("a future was polled that was ready before")
        };
        let polled = handle.in_scope(|| future.as_mut().poll(context));
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }
}
