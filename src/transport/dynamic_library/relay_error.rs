use alloc::boxed::Box;
use core::{error::Error, fmt};

use crate::receiver::ReceiveError;

/// Why a frame of a dynamic library was not relayed, or why its stream could not be ended.
///
/// Frames are counted from 1, in the order in which they came. The earlier and the later records are in the trace.
///
/// # Example
///
/// ```
/// use spanshot::transport::dynamic_library::{FrameReceiver, RelayError};
///
/// let receiver = FrameReceiver::new();
/// let host = receiver.host_function();
/// // SAFETY: they are three bytes.
/// unsafe { (host.function())(host.context(), [0xff; 3].as_ptr(), 3) };
/// let error = receiver.finish().unwrap_err();
/// assert!(matches!(error, RelayError::Refused { frame: 1, .. }));
/// assert!(error.to_string().starts_with("frame 1 of the library was refused: invalid frame: "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelayError {
    /// The receiver has refused it.
    Refused {
        /// Which frame.
        frame: u64,
        /// Why.
        error: ReceiveError,
    },
    /// Its address is null, or its length more than there can be.
    NotInMemory {
        /// Which frame.
        frame: u64,
        /// The length in bytes that was told.
        len: usize,
    },
    /// A subscriber of the host has panicked. Natively, the library's code would have.
    Panicked {
        /// Which frame.
        frame: u64,
        /// The message of the panic, if it has one.
        message: Box<str>,
    },
    /// The connection or the receiver was ended by a subscriber that was being told of one of its records. Nothing
    /// more is received. End it after the call into the library has returned, and do not unload the library before:
    /// see [`Connection`](super::Connection#ending-it-inside-a-record).
    EndedInsideRecord,
}

impl fmt::Display for RelayError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { frame, error } => {
                write!(formatter, "frame {frame} of the library was refused: {error}")
            }
            Self::NotInMemory { frame, len } => {
                write!(
                    formatter,
                    "frame {frame} of the library, of {len} bytes, is nowhere in memory"
                )
            }
            Self::Panicked { frame, message } => {
                write!(
                    formatter,
                    "a subscriber panicked at frame {frame} of the library: {message}"
                )
            }
            Self::EndedInsideRecord => formatter.write_str(
                "the stream of the library was ended inside one of its records, which is still \
                 being told: end it after the call into the library has returned, and do not \
                 unload the library before",
            ),
        }
    }
}

impl Error for RelayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused { error, .. } => Some(error),
            _ => None,
        }
    }
}
