use core::fmt;

use super::Capture;

/// What a [`Capture`] is to be like, before it is started.
///
/// # Example
///
/// ```
/// use spanshot::Capture;
///
/// let capture = Capture::builder().start();
/// tracing::info!("captured");
/// assert_eq!(capture.trace().all_events().len(), 1);
/// ```
#[derive(Default)]
#[must_use = "nothing is captured before it is started"]
pub struct CaptureBuilder {}

impl fmt::Debug for CaptureBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CaptureBuilder").finish_non_exhaustive()
    }
}

impl CaptureBuilder {
    /// Begins to capture what the current thread traces.
    pub fn start(self) -> Capture {
        Capture::start_with(self)
    }
}
