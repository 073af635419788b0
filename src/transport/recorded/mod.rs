//! A trace in a file, to be replayed later.
//!
//! A test fails on a machine that you cannot look at; a program does something odd in production, once. Keep the
//! trace in a file, and replay it when you have time: through any subscriber, or into a storage, where you query and compare it
//! as if you had just captured it.
//!
//! The file holds a [stream](super::stream#specification), and nothing else: the same bytes that a child sends to a
//! pipe. It is written
//!
//! - by a program, through [`create()`] and
//!   [`StreamWriter::sender()`](super::stream::StreamWriter::sender), or by
//!   [`child_process::install()`](super::child_process::install) into a file;
//! - by a host that lets frames pass by, through
//!   [`StreamWriter::send()`](super::stream::StreamWriter::send);
//! - from a storage, by `Storage::save()`;
//! - by a test that fails, if its capture is [asked to](crate::CaptureBuilder#recording).
//!
//! A [`RecordedTrace`] reads it. If the file was cut short, you get its intact part, and learn where that ends.
//!
//! # Versions
//!
//! A file says which version of spanshot wrote it. Whether it can be read is up to the version of the
//! format, which changes less often: spanshot 0.1 writes version 2, and reads version 1 as well. Additions
//! that older readers can do without, such as further information about the stream, leave it as it is.
//!
//! # Several streams in one file
//!
//! A process that `SPANSHOT_STREAM` names a file to appends its stream, as others may be writing to it. The
//! replay follows the first stream, and reports each other one as a
//! [problem](super::stream::StreamError::OtherStream). Delete the file of an earlier run before the next one.

// | file | content |
// |---|---|
// | `recorded_trace.rs` | reads a trace from a file |
// | `save.rs` | writes one |
// | `error.rs` | errors of both |

use std::{fs::File, io, path::Path};

use super::stream::StreamWriter;

mod error;
mod recorded_trace;
#[cfg(feature = "capture")]
mod save;

pub use self::{error::RecordedError, recorded_trace::RecordedTrace};

/// Name of the note that says why a saved trace is not all that was traced.
const LACK: &str = "lack";

/// Creates a file for a trace, or empties the one that is there.
///
/// # Errors
///
/// Returns an error if the file cannot be created.
///
/// # Example
///
/// ```
/// use spanshot::transport::recorded;
///
/// # let path = std::env::temp_dir().join(format!("spanshot-create-{}.spanshot", std::process::id()));
/// let recording = recorded::create(&path)?;
/// tracing::subscriber::with_default(recording.sender(), || tracing::info!("recorded"));
/// recording.finish()?;
/// # std::fs::remove_file(path)?;
/// # Ok::<_, std::io::Error>(())
/// ```
pub fn create(path: impl AsRef<Path>) -> io::Result<StreamWriter<File>> {
    File::create(path).map(StreamWriter::new)
}
