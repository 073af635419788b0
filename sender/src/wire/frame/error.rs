use core::{error::Error, fmt};

/// Why bytes are not a [frame](super).
///
/// Offsets count bytes from the start of the frame.
///
/// # Example
///
/// ```
/// use spanshot::{ReceiveError, TracingEventReceiver, transport::frame::FrameError};
///
/// let mut receiver = TracingEventReceiver::default();
/// let error = receiver.receive_encoded(&[0x23]).unwrap_err();
/// assert!(matches!(error, ReceiveError::Frame(FrameError::Truncated { offset: 1, .. })));
/// assert_eq!(error.to_string(), "invalid frame: it ends at byte 1, in the middle of the span ID");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// There are no bytes at all.
    Empty,
    /// The frame is of a version that this crate does not read.
    UnsupportedVersion {
        /// Version of the frame.
        actual: u8,
        /// The version that is read.
        supported: u8,
    },
    /// There is no record of this kind.
    UnknownKind {
        /// Kind that the header names.
        kind: u8,
    },
    /// The frame ends too early.
    Truncated {
        /// Where it ends.
        offset: usize,
        /// The part that is cut off there.
        what: &'static str,
    },
    /// Something is not encoded as it should be: a number does not fit its type, a string is not
    /// UTF-8, an option is neither there nor not.
    Malformed {
        /// Where it starts.
        offset: usize,
        /// What it should have been.
        what: &'static str,
    },
    /// There is no type of values with this number.
    UnknownValueType {
        /// Where the value starts.
        offset: usize,
        /// Number of the type.
        value_type: u8,
    },
    /// There are bytes after the end of the record.
    TrailingBytes {
        /// Where they start.
        offset: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("it is empty"),
            Self::UnsupportedVersion { actual, supported } => {
                write!(formatter, "it is of version {actual}, and only {supported} can be read")
            }
            Self::UnknownKind { kind } => write!(formatter, "there is no record of kind {kind}"),
            Self::Truncated { offset, what } => {
                write!(formatter, "it ends at byte {offset}, in the middle of the {what}")
            }
            Self::Malformed { offset, what } => {
                write!(formatter, "what stands at byte {offset} is not a valid {what}")
            }
            Self::UnknownValueType { offset, value_type } => {
                write!(formatter, "the value at byte {offset} is of the unknown type {value_type}")
            }
            Self::TrailingBytes { offset } => {
                write!(formatter, "bytes follow after its end at byte {offset}")
            }
        }
    }
}

impl Error for FrameError {}
