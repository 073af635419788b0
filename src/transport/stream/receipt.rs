use alloc::{boxed::Box, string::String, vec::Vec};
use core::{error::Error, fmt};
use std::io;

use super::StreamError;
use crate::receiver::ReceiveError;

/// The outcome of receiving a stream.
///
/// Every intact frame was received, even if this reports problems.
///
/// # Example
///
/// ```
/// use spanshot::{TracingEventReceiver, transport::stream};
///
/// let cut = &b"only text, and then \xffss"[..];
/// let receipt = stream::receive(cut, &mut TracingEventReceiver::default());
/// assert!(!receipt.is_complete());
/// assert_eq!((receipt.frames, receipt.foreign), (0, 23));
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
    /// Bytes outside of whole packets, such as other text.
    pub foreign: u64,
    /// The version of spanshot that wrote the stream, according to the stream itself.
    pub written_by: Option<String>,
    /// The [first](super::StreamLimits::max_problems) problems, in order.
    pub problems: Vec<Problem>,
    /// Number of all problems.
    pub problem_count: u64,
    /// How the stream ended.
    pub end: StreamEnd,
}

/// How a stream ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamEnd {
    /// The writer ended it.
    Finished,
    /// The writer did not end it, but the last packet is whole, if there is any. The program was killed, called
    /// [`process::exit()`](std::process::exit), could not write any more, or goes on.
    ///
    /// Nobody knows whether there would have been more records. So assertions that something is not in the trace
    /// fail. If you kill the program on purpose, or read the recording of one that goes on, call
    /// [`ignore_lost_records()`](crate::SharedStorage::ignore_lost_records).
    Open,
    /// It ends in the middle of a packet.
    Cut {
        /// Where the packet begins, in bytes from the start of the stream.
        offset: u64,
        /// Bytes of it that are there.
        len: u64,
    },
    /// Reading it failed.
    Failed(io::Error),
}

/// A problem of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Bytes are missing, damaged, or of another stream.
    Stream(StreamError),
    /// The receiver refused a frame. Missing frames before it may be the reason.
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

    /// Returns whether everything arrived: the writer ended the stream, and there was no problem.
    pub fn is_complete(&self) -> bool {
        self.problem_count == 0 && matches!(self.end, StreamEnd::Finished)
    }

    /// Returns an error if the stream is not complete. Call it in a test that needs all of it.
    ///
    /// # Errors
    ///
    /// Returns an error unless the stream [is complete](Self::is_complete). The error holds this receipt.
    pub fn into_result(self) -> Result<Self, IncompleteStream> {
        if self.is_complete() { Ok(self) } else { Err(IncompleteStream(Box::new(self))) }
    }
}

/// The error for a stream that was not ended, or that had problems.
///
/// # Example
///
/// See [`Receipt`].
#[derive(Debug)]
pub struct IncompleteStream(Box<Receipt>);

impl IncompleteStream {
    /// Returns the receipt of the incomplete stream.
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
