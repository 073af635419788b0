use alloc::boxed::Box;
use core::{error::Error, fmt};

/// What is wrong with a stream at one place.
///
/// A [`StreamDecoder`](super::StreamDecoder) goes on after each. Offsets count bytes from the start of
/// the stream; numbers are those of packets, of which the first is 0.
///
/// # Example
///
/// ```
/// use spanshot::transport::stream::{StreamDecoder, StreamError};
///
/// let mut decoder = StreamDecoder::default();
/// let mut cut = &b"text\xffss\xfe\x01"[..];
/// while decoder.decode(&mut cut).is_some() {}
/// let error = decoder.finish().unwrap_err();
/// assert_eq!(error, StreamError::Cut { offset: 4, len: 5 });
/// assert_eq!(error.to_string(), "the stream ends within the packet at byte 4, of which there are 5 bytes");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamError {
    /// The stream ends in the middle of a packet.
    Cut {
        /// Where the packet begins.
        offset: u64,
        /// Bytes of it that are there.
        len: u64,
    },
    /// Something that is not of the packet begins in the middle of it: the next packet, if a part is
    /// missing.
    Interrupted {
        /// Where the packet begins.
        offset: u64,
        /// Bytes of it that are there.
        len: u64,
    },
    /// A packet's checksum is not right: bytes were changed, or text got into the middle.
    Corrupt {
        /// Where the packet begins.
        offset: u64,
        /// Its number, if that is not what was changed.
        number: u64,
    },
    /// What a packet begins with is not a header, or what it holds is not what its kind says.
    Malformed {
        /// Where the packet begins.
        offset: u64,
    },
    /// A packet is longer than is [allowed](super::StreamLimits::max_frame_len). It is passed over.
    TooLong {
        /// Where the packet begins.
        offset: u64,
        /// Its number.
        number: u64,
        /// The length that it tells, in bytes.
        len: u64,
        /// The greatest length that is allowed.
        max: usize,
    },
    /// A packet is of a version that this crate does not read.
    UnsupportedVersion {
        /// Where the packet begins.
        offset: u64,
        /// Its number.
        number: u64,
        /// Its version.
        actual: u8,
        /// The version that is read.
        supported: u8,
        /// The version of spanshot that wrote it, if it is the start of the stream.
        written_by: Option<Box<str>>,
    },
    /// Packets are missing.
    Missing {
        /// Where the packet begins that came instead.
        offset: u64,
        /// Number of the first one that is missing.
        first: u64,
        /// How many there are.
        count: u64,
    },
    /// A packet came that was there already. It is passed over. It may be that another program writes
    /// to the same stream.
    Duplicated {
        /// Where the packet begins.
        offset: u64,
        /// Its number.
        number: u64,
    },
    /// A packet came later than others that it is before. It is passed over: what was made of those
    /// cannot be undone.
    Reordered {
        /// Where the packet begins.
        offset: u64,
        /// Its number.
        number: u64,
    },
    /// A packet came after the end. It is passed over.
    AfterEnd {
        /// Where the packet begins.
        offset: u64,
        /// Its number.
        number: u64,
    },
}

impl StreamError {
    /// Returns where it is, in bytes from the start of the stream.
    pub fn offset(&self) -> u64 {
        match self {
            Self::Cut { offset, .. }
            | Self::Interrupted { offset, .. }
            | Self::Corrupt { offset, .. }
            | Self::Malformed { offset }
            | Self::TooLong { offset, .. }
            | Self::UnsupportedVersion { offset, .. }
            | Self::Missing { offset, .. }
            | Self::Duplicated { offset, .. }
            | Self::Reordered { offset, .. }
            | Self::AfterEnd { offset, .. } => *offset,
        }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { offset, len } => write!(
                formatter,
                "the stream ends within the packet at byte {offset}, of which there are {len} bytes"
            ),
            Self::Interrupted { offset, len } => {
                write!(formatter, "the packet at byte {offset} breaks off after {len} bytes")
            }
            Self::Corrupt { offset, number } => {
                write!(formatter, "packet {number} at byte {offset} has a wrong checksum")
            }
            Self::Malformed { offset } => {
                write!(formatter, "what stands at byte {offset} is not a valid packet")
            }
            Self::TooLong { offset, number, len, max } => write!(
                formatter,
                "packet {number} at byte {offset} has {len} bytes, and {max} are allowed"
            ),
            Self::UnsupportedVersion { offset, number, actual, supported, written_by } => {
                write!(formatter, "packet {number} at byte {offset} is of version {actual}")?;
                if let Some(written_by) = written_by {
                    write!(formatter, ", by spanshot {written_by:?}")?;
                }
                let this = env!("CARGO_PKG_VERSION");
                write!(formatter, "; only version {supported} can be read by spanshot {this}")
            }
            Self::Missing { offset, first, count: 1 } => {
                write!(formatter, "packet {first} is missing before byte {offset}")
            }
            Self::Missing { offset, first, count } => {
                let last = first.saturating_add(count.saturating_sub(1));
                write!(formatter, "packets {first} to {last} are missing before byte {offset}")
            }
            Self::Duplicated { offset, number } => write!(
                formatter,
                "packet {number} at byte {offset} came before: it is there twice, or another program \
                 writes to the same stream"
            ),
            Self::Reordered { offset, number } => {
                write!(formatter, "packet {number} at byte {offset} comes after later ones")
            }
            Self::AfterEnd { offset, number } => {
                write!(formatter, "packet {number} at byte {offset} comes after the end")
            }
        }
    }
}

impl Error for StreamError {}
