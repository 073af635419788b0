/// Limits for reading a byte stream.
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
    /// Sets the maximum length of a frame in bytes. The default is 16 MiB.
    ///
    /// A reader keeps one frame at a time, and allocates at most about three times this memory. It allocates as bytes
    /// arrive, and not for a length that it was merely told.
    #[must_use]
    pub fn max_frame_len(self, max_frame_len: usize) -> Self {
        Self { max_frame_len, ..self }
    }

    /// Sets how many problems a `Receipt` lists. The default is 100. All of them are counted.
    #[must_use]
    pub fn max_problems(self, max_problems: usize) -> Self {
        Self { max_problems, ..self }
    }
}
