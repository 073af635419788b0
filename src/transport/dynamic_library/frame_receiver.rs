use alloc::sync::Arc;
use core::fmt;

use super::{
    HostFunction, RelayError,
    hosts::{self, Host},
    library_functions,
};
use crate::receiver::TracingEventReceiver;

/// Host's end of the boundary: a receiver, and the function that hands it the frames of a library.
///
/// A [`Connection`](super::Connection) has one. By itself, it is for a library with an interface of its
/// own, to which the function and its context are given.
///
/// A library may call the function for as long as it likes: when the receiver is gone, it does nothing.
///
/// [Finish](Self::finish) or drop it outside of its own records. If a subscriber drops it while it is told of one, the
/// receiver ignores all frames from then on, and closes what the library left open when the subscriber returns.
///
/// # Example
///
/// ```
/// use core::ffi::c_void;
/// use spanshot::{Capture, transport::dynamic_library::{FrameReceiver, SendFunction}};
///
/// // What the library exports.
/// extern "C" fn plugin_run(version: u32, send: SendFunction, context: *mut c_void) {
///     // …
/// }
///
/// let capture = Capture::start();
/// let receiver = FrameReceiver::new(); // relays to the capture
/// let host = receiver.host_function();
/// plugin_run(host.version(), host.function(), host.context());
/// receiver.finish()?;
/// let trace = capture.trace();
/// # Ok::<_, spanshot::transport::dynamic_library::RelayError>(())
/// ```
#[must_use = "what comes when it is dropped is ignored"]
pub struct FrameReceiver {
    host: Arc<Host>,
}

impl FrameReceiver {
    /// Creates one that relays to the current subscriber of this thread.
    pub fn new() -> Self {
        Self::with_receiver(TracingEventReceiver::default())
    }

    /// Creates one that gives its frames to this receiver: one that goes the
    /// [direct way](TracingEventReceiver::capturing), for example.
    pub fn with_receiver(receiver: TracingEventReceiver) -> Self {
        Self { host: hosts::add(receiver) }
    }

    /// Returns the function, the context to call it with, and the version of the interface that it is of.
    pub fn host_function(&self) -> HostFunction {
        library_functions::host_function(self.host.handle())
    }

    /// Returns why a frame was not relayed, the first that was not.
    pub fn first_error(&self) -> Option<RelayError> {
        self.host.first_error()
    }

    /// Waits for the frame at hand, and closes what the library left open, as when a receiver is
    /// [dropped](TracingEventReceiver#dropping). Frames that come later are ignored.
    ///
    /// # Errors
    ///
    /// - [`RelayError::EndedInsideRecord`] if you call it where a subscriber is told of a record of this receiver. It
    ///   cannot wait for that, and closes what the library left open as soon as the subscriber returns.
    /// - Otherwise the error of the first frame that was not relayed. All others are in the trace.
    pub fn finish(self) -> Result<(), RelayError> {
        self.end()
    }

    /// Does what [`Self::finish()`] does.
    pub(super) fn end(&self) -> Result<(), RelayError> {
        let is_inside = self.is_inside_record();
        self.host.end();
        if is_inside {
            return Err(RelayError::EndedInsideRecord);
        }
        self.first_error().map_or(Ok(()), Err)
    }

    /// Whether the caller is being told of a record of this receiver.
    pub(super) fn is_inside_record(&self) -> bool {
        self.host.is_inside_record()
    }
}

impl Default for FrameReceiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for FrameReceiver {
    fn drop(&mut self) {
        self.host.end();
    }
}

impl fmt::Debug for FrameReceiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first_error = self.first_error();
        formatter
            .debug_struct("FrameReceiver")
            .field("first_error", &first_error)
            .finish_non_exhaustive()
    }
}
