use alloc::boxed::Box;
use core::{error::Error, fmt};

/// The error at one place of a stream.
///
/// A [`StreamDecoder`](super::StreamDecoder) goes on after each. Offsets count bytes from the start of
/// the stream; packets are numbered from 0.
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
        /// Its number, unless the number itself was changed.
        number: u64,
    },
    /// A packet has no valid header, or contents that do not fit its kind.
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
        /// The latest version that is read.
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
    /// A packet came that was there already. It is passed over.
    Duplicated {
        /// Where the packet begins.
        offset: u64,
        /// Its number.
        number: u64,
    },
    /// A packet came after packets with higher numbers. It is skipped, since those were received already.
    Reordered {
        /// Where the packet begins.
        offset: u64,
        /// Its number.
        number: u64,
    },
    /// A packet came after the end. It is passed over. A child process writes one if it traces something after
    /// its [`ChildStream`](crate::transport::child_process::ChildStream) was dropped.
    AfterEnd {
        /// Where the packet begins.
        offset: u64,
        /// Its number.
        number: u64,
    },
    /// Another stream is in the same place. The reader follows the one that came first, and passes over
    /// this one. It is reported once, unless there are more than 64 of them.
    OtherStream {
        /// Where the first packet of it begins.
        offset: u64,
        /// The process that writes it, if it says so. It is 0 where processes have no numbers.
        process: Option<u64>,
        /// Where it comes from.
        origin: StreamOrigin,
    },
}

/// Where another stream comes from, in the same place as the one that a reader follows.
///
/// # Example
///
/// ```
/// use spanshot::transport::stream::{StreamOrigin, StreamError};
///
/// let (process, origin) = (Some(4_711), StreamOrigin::SameProcess);
/// let error = StreamError::OtherStream { offset: 812, process, origin };
/// assert_eq!(
///     error.to_string(),
///     "process 4711 starts another stream at byte 812, after `exec` or by a second writer, and only the \
///      first one is received"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamOrigin {
    /// Another process writes it: it has inherited `SPANSHOT_STREAM` and the output, or has written to the
    /// same file earlier or later.
    OtherProcess,
    /// The same process writes it: after `exec`, or by a second writer.
    SameProcess,
    /// A fork of the process has traced a span or an event. Records of a fork are not sent.
    Forked,
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
            | Self::AfterEnd { offset, .. }
            | Self::OtherStream { offset, .. } => *offset,
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
                write!(formatter, "; versions up to {supported} can be read by spanshot {this}")
            }
            Self::Missing { offset, first, count: 1 } => {
                write!(formatter, "packet {first} is missing before byte {offset}")
            }
            Self::Missing { offset, first, count } => {
                let last = first.saturating_add(count.saturating_sub(1));
                write!(formatter, "packets {first} to {last} are missing before byte {offset}")
            }
            Self::Duplicated { offset, number } => {
                write!(formatter, "packet {number} at byte {offset} came before: it is there twice")
            }
            Self::Reordered { offset, number } => {
                write!(formatter, "packet {number} at byte {offset} comes after later ones")
            }
            Self::AfterEnd { offset, number } => {
                write!(
                    formatter,
                    "packet {number} at byte {offset} comes after the end: if it is a child process, it has \
                     traced something after its `ChildStream` was dropped, which is not received; keep that to \
                     the end of `main`, or call its `finish()` where the trace is to end"
                )
            }
            Self::OtherStream { offset, process, origin } => {
                match process {
                    Some(process) => write!(formatter, "process {process} ")?,
                    None => formatter.write_str("another process ")?,
                }
                match origin {
                    StreamOrigin::OtherProcess => write!(
                        formatter,
                        "writes another stream from byte {offset} on, which is not received: start it \
                         without SPANSHOT_STREAM in its environment, or with an output of its own there; if it \
                         is of an earlier run, delete the file before each run"
                    ),
                    StreamOrigin::SameProcess => write!(
                        formatter,
                        "starts another stream at byte {offset}, after `exec` or by a second writer, and \
                         only the first one is received"
                    ),
                    StreamOrigin::Forked => write!(
                        formatter,
                        "was forked, and traced something by byte {offset}: what a fork traces is not \
                         received, unless it is given a stream and an output of its own"
                    ),
                }
            }
        }
    }
}

impl Error for StreamError {}
