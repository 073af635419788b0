use alloc::boxed::Box;
use core::{error::Error, fmt};
use std::io;

/// Why a file is not a recorded trace that can be replayed.
///
/// # Example
///
/// ```
/// use spanshot::transport::recorded::{RecordedError, RecordedTrace};
///
/// let error = RecordedTrace::open("Cargo.toml").unwrap_err();
/// assert!(matches!(error, RecordedError::NoTrace { .. }));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordedError {
    /// The file cannot be read.
    Io(io::Error),
    /// There is no recorded trace in the file.
    NoTrace {
        /// Length of the file in bytes.
        len: u64,
    },
    /// The trace is of a version of the format that this crate does not read.
    UnsupportedVersion {
        /// Version of the trace.
        actual: u8,
        /// The latest version that is read.
        supported: u8,
        /// The version of spanshot that wrote it, if it can be known.
        written_by: Option<Box<str>>,
    },
}

impl fmt::Display for RecordedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "the recorded trace cannot be read: {error}"),
            Self::NoTrace { len } => {
                write!(formatter, "there is no recorded trace in the {len} bytes of the file")
            }
            Self::UnsupportedVersion { actual, supported, written_by } => {
                write!(formatter, "the trace was recorded in version {actual} of the format")?;
                if let Some(written_by) = written_by {
                    write!(formatter, ", by spanshot {written_by:?}")?;
                }
                let this = env!("CARGO_PKG_VERSION");
                write!(
                    formatter,
                    "; this is spanshot {this}, which reads versions up to {supported}: \
                     take a version of spanshot that reads both, or record it anew"
                )
            }
        }
    }
}

impl Error for RecordedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if let Self::Io(error) = self { Some(error) } else { None }
    }
}

impl From<io::Error> for RecordedError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
