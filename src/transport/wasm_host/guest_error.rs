use alloc::string::{String, ToString};
use core::{error::Error, fmt};

use crate::receiver::ReceiveError;

/// Why a [`GuestTrace`](super::GuestTrace) refused a call of a guest.
///
/// Frames of a guest are numbered from 0. Addresses are in the guest's memory.
///
/// # Example
///
/// ```
/// use spanshot::transport::wasm_host::{GuestError, GuestTrace};
///
/// let error = GuestTrace::default().send(&[0; 100], 96, 8).unwrap_err();
/// assert_eq!(error, GuestError::OutOfBounds { address: 96, len: 8, memory_len: 100 });
/// let error = GuestTrace::default().send(&[0x23, 5], 0, 2).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "frame 0 of the guest, at address 0: there is no span with ID 5, or it is closed"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuestError {
    /// The guest exports no memory with the name `memory`.
    NoMemory,
    /// Something is not in the guest's memory as a whole.
    OutOfBounds {
        /// Where the guest says that it is.
        address: u32,
        /// How long the guest says that it is.
        len: u32,
        /// Size of the memory.
        memory_len: usize,
    },
    /// The guest keeps to a version of the [agreement](crate::transport::wasm) that this crate does
    /// not know.
    UnsupportedVersion {
        /// Version of the guest.
        actual: u32,
        /// The version that is known.
        supported: u32,
    },
    /// The guest asks its host to read its buffer, but has not called `hello` of this
    /// [`GuestTrace`](super::GuestTrace).
    NoHello,
    /// A frame is invalid, or does not fit the earlier ones.
    Refused {
        /// Number of the frame.
        frame: u64,
        /// Where it is.
        address: u32,
        /// The error.
        error: ReceiveError,
    },
    /// A batch ends in the middle of a frame.
    CutBatch {
        /// Number of the frame.
        frame: u64,
        /// Where the frame's length is, or should be.
        address: u32,
        /// Bytes of the batch from there on.
        left: usize,
    },
    /// A question is invalid.
    InvalidQuestion {
        /// Where it is.
        address: u32,
        /// The error.
        error: ReceiveError,
    },
}

impl fmt::Display for GuestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMemory => formatter.write_str("the guest exports no memory named `memory`"),
            Self::OutOfBounds { address, len, memory_len } => write!(
                formatter,
                "the guest hands over {len} bytes at address {address}, which are not in its memory of \
                 {memory_len} bytes"
            ),
            Self::UnsupportedVersion { actual, supported } => write!(
                formatter,
                "the guest is of version {actual} of the boundary, and its host of version {supported}: \
                 build both with the same spanshot"
            ),
            Self::NoHello => formatter.write_str(
                "the guest buffers, and has not said where: keep the `GuestTrace` with which it was installed, \
                 or persist and restore that",
            ),
            Self::Refused { frame, address, error } => {
                write!(formatter, "frame {frame} of the guest, at address {address}: {error}")
            }
            Self::CutBatch { frame, address, left } => write!(
                formatter,
                "the batch ends in the middle of frame {frame} of the guest, {left} bytes after \
                 address {address}"
            ),
            Self::InvalidQuestion { address, error } => {
                write!(formatter, "question of the guest, at address {address}: {error}")
            }
        }
    }
}

/// The message has all: engines that show a chain of errors would show a source twice.
impl Error for GuestError {}

/// The message, for engines whose errors are made of one.
impl From<GuestError> for String {
    fn from(error: GuestError) -> Self {
        error.to_string()
    }
}
