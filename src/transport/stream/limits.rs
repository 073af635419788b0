/// What whoever reads a stream puts up with.
///
/// # Example
///
/// ```
/// use spanshot::transport::stream::{StreamDecoder, StreamLimits};
///
/// let decoder = StreamDecoder::with_limits(StreamLimits::default().max_frame_len(64 << 10));
/// assert_eq!(decoder.offset(), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    pub(super) max_frame_len: usize,
    pub(super) max_problems: usize,
}

impl Default for StreamLimits {
    /// Frames of up to 16 MiB, and the first 100 problems.
    fn default() -> Self {
        Self { max_frame_len: 16 << 20, max_problems: 100 }
    }
}

impl StreamLimits {
    /// Sets how long a frame may be, in bytes: 16 MiB unless this is called.
    ///
    /// A reader keeps one frame at a time, and takes at most about three times this memory. It takes it
    /// as bytes arrive, rather than when a length is told.
    #[must_use]
    pub fn max_frame_len(self, max_frame_len: usize) -> Self {
        Self { max_frame_len, ..self }
    }

    /// Sets how many problems are listed in a `Receipt`: 100 unless this is called. All of them are
    /// counted.
    #[must_use]
    pub fn max_problems(self, max_problems: usize) -> Self {
        Self { max_problems, ..self }
    }
}
