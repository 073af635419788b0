use alloc::{boxed::Box, string::String, vec::Vec};
use core::{error::Error, fmt};
use std::io;

use super::StreamError;
use crate::receiver::ReceiveError;

/// What came of receiving a stream.
///
/// Whatever it says: all that came whole was received.
///
/// # Example
///
/// ```
/// use spanshot::{TracingEventReceiver, transport::stream};
///
/// let cut = &b"only text, and then \xffss"[..];
/// let receipt = stream::receive(cut, &mut TracingEventReceiver::default());
/// assert!(!receipt.is_complete());
/// assert_eq!((receipt.frames, receipt.foreign), (0, 20));
/// assert_eq!(
///     receipt.into_result().unwrap_err().to_string(),
///     "the stream is not complete, with 0 frames: \
///      the stream ends within the packet at byte 20, of which there are 3 bytes"
/// );
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Receipt {
    /// Frames that the receiver took.
    pub frames: u64,
    /// Frames of other streams in the same place, and parts of such frames, which nobody received. Each of
    /// these streams is one of the [problems](StreamError::OtherStream).
    pub other_frames: u64,
    /// Bytes that are of no whole packet, such as other text.
    pub foreign: u64,
    /// The version of spanshot that wrote the stream, as that says itself.
    pub written_by: Option<String>,
    /// What was wrong, in order: the [first](super::StreamLimits::max_problems) of it.
    pub problems: Vec<Problem>,
    /// How much was wrong.
    pub problem_count: u64,
    /// How the stream ended.
    pub end: StreamEnd,
}

/// How a stream ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamEnd {
    /// Whoever wrote it ended it.
    Finished,
    /// It was not ended, but nothing is cut: the program was killed, left by
    /// [`process::exit()`](std::process::exit), or goes on.
    Open,
    /// It ends in the middle of a packet.
    Cut {
        /// Where the packet begins, in bytes from the start of the stream.
        offset: u64,
        /// Bytes of it that are there.
        len: u64,
    },
    /// It could not be read any further.
    Failed(io::Error),
}

/// Something that is wrong with a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Bytes are not as they were written.
    Stream(StreamError),
    /// The receiver refused a frame. If some are missing before it, that may be why.
    Refused {
        /// Where its packet begins, in bytes from the start of the stream.
        offset: u64,
        /// Number of its packet.
        number: u64,
        /// The receiver's reason.
        error: ReceiveError,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(formatter),
            Self::Refused { offset, number, error } => {
                write!(
                    formatter,
                    "the frame of packet {number} at byte {offset} is refused: {error}"
                )
            }
        }
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Stream(error) => Some(error),
            Self::Refused { error, .. } => Some(error),
        }
    }
}

impl Receipt {
    pub(super) fn new() -> Self {
        Self {
            frames: 0,
            other_frames: 0,
            foreign: 0,
            written_by: None,
            problems: Vec::new(),
            problem_count: 0,
            end: StreamEnd::Open,
        }
    }

    /// Whether all that was sent was received: whoever wrote the stream ended it, and nothing was wrong.
    pub fn is_complete(&self) -> bool {
        self.problem_count == 0 && matches!(self.end, StreamEnd::Finished)
    }

    /// Makes an error of a stream that is not complete, for a test that wants all of it.
    ///
    /// # Errors
    ///
    /// Returns an error unless the stream [is complete](Self::is_complete). It holds what was received.
    pub fn into_result(self) -> Result<Self, IncompleteStream> {
        if self.is_complete() { Ok(self) } else { Err(IncompleteStream(Box::new(self))) }
    }
}

/// A stream that is not all that was sent, or that was not ended.
///
/// # Example
///
/// See [`Receipt`].
#[derive(Debug)]
pub struct IncompleteStream(Box<Receipt>);

impl IncompleteStream {
    /// Returns what was received nevertheless.
    pub fn receipt(&self) -> &Receipt {
        &self.0
    }
}

impl fmt::Display for IncompleteStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Receipt { frames, problems, problem_count, end, .. } = &*self.0;
        write!(formatter, "the stream is not complete, with {frames} frames: ")?;
        match end {
            StreamEnd::Finished => write!(formatter, "it was ended")?,
            StreamEnd::Open => write!(formatter, "it was not ended")?,
            StreamEnd::Cut { offset, len } => {
                write!(formatter, "{}", StreamError::Cut { offset: *offset, len: *len })?;
            }
            StreamEnd::Failed(error) => write!(formatter, "it could not be read: {error}")?,
        }
        match (&problems[..], problem_count) {
            (_, 0) => Ok(()),
            ([first, ..], 1) => write!(formatter, "; {first}"),
            ([first, ..], count) => write!(formatter, "; {count} problems, first: {first}"),
            ([], count) => write!(formatter, "; {count} problems"),
        }
    }
}

impl Error for IncompleteStream {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.end {
            StreamEnd::Failed(error) => Some(error),
            _ => self.0.problems.first().map(|problem| problem as &(dyn Error + 'static)),
        }
    }
}
