//! Send what a child process traces to the process that started it.
//!
//! The child sends a [stream](crate::stream) to its standard output or error, between all else that it
//! writes there, or to a file, a named pipe or a file descriptor that the host names.
//!
//! ```no_run
//! fn main() -> std::io::Result<()> {
//!     let _stream = spanshot_sender::child_process::install_from_env()?; // lives as long as `main`
//!     tracing::info!("the host will know");
//!     Ok(())
//! }
//! ```
//!
//! [`install_from_env()`] does nothing unless the host asks for it: the environment variable
//! `SPANSHOT_STREAM` is `stdout`, `stderr`, or the path of something that can be written to, such as a
//! file, a named pipe, or `/dev/fd/3` where there is a file descriptor that the child has got.
//! [`install()`] sends to the output that you give it.

use alloc::boxed::Box;
use core::fmt;
use std::{
    env,
    fs::File,
    io::{self, Write},
};

use tracing_core::{Dispatch, dispatcher};

use crate::stream::StreamWriter;

/// Name of the environment variable by which a host asks a child for its stream.
pub const STREAM_VARIABLE: &str = "SPANSHOT_STREAM";

/// A stream that the process sends, until this is dropped or [finished](Self::finish).
///
/// A process that is killed, or leaves by [`process::exit()`](std::process::exit), does not end its
/// stream, and its host learns that. What it has traced by then is there all the same.
///
/// # Example
///
/// ```no_run
/// let stream = spanshot_sender::child_process::install(std::io::stderr())?;
/// tracing::info!("the host will know");
/// stream.finish()?;
/// std::process::exit(1);
/// # #[allow(unreachable_code)]
/// # Ok::<_, std::io::Error>(())
/// ```
#[must_use = "the stream ends when it is dropped"]
pub struct ChildStream {
    writer: StreamWriter<Box<dyn Write + Send>>,
}

impl fmt::Debug for ChildStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ChildStream").finish_non_exhaustive()
    }
}

impl ChildStream {
    /// Ends the stream. Records traced from now on are discarded.
    ///
    /// # Errors
    ///
    /// Returns the first error that the output had. Records traced after it are lost.
    pub fn finish(self) -> io::Result<()> {
        self.writer.finish()
    }
}

impl Drop for ChildStream {
    fn drop(&mut self) {
        // It was reported when it happened.
        let _ = self.writer.finish();
    }
}

/// Sends what this process traces to an output, such as [`io::stderr()`](std::io::stderr).
///
/// The sender is the global default subscriber from now on, for all threads, and sends everything. To send
/// a part, or to send besides other subscribers, install [`StreamWriter::sender()`] in whatever way there
/// is. See [`StreamWriter`] for what happens if the output fails.
///
/// # Errors
///
/// Returns an error of the kind [`AlreadyExists`](io::ErrorKind::AlreadyExists) if the process has a
/// global default subscriber, which it keeps; nothing is written then. Returns the error of the output if
/// the stream cannot be started; nothing is written from then on.
///
/// # Example
///
/// ```no_run
/// fn main() -> std::io::Result<()> {
///     let _stream = spanshot_sender::child_process::install(std::io::stderr())?;
///     tracing::info!("the host will know");
///     eprintln!("and so is this told apart from it");
///     Ok(())
/// }
/// ```
pub fn install(output: impl Write + Send + 'static) -> io::Result<ChildStream> {
    let writer = StreamWriter::unstarted(Box::new(output) as Box<dyn Write + Send>);
    dispatcher::set_global_default(Dispatch::new(writer.sender())).map_err(|_| {
        let message = "the process has a global default subscriber already";
        io::Error::new(io::ErrorKind::AlreadyExists, message)
    })?;
    writer.start()?;
    Ok(ChildStream { writer })
}

/// Sends what this process traces to where its host asks for it, by the environment variable
/// `SPANSHOT_STREAM`: `stdout`, `stderr`, or the path of something that can be written to.
///
/// A file at the path is emptied, or created. Returns `None` if the variable is not set, or empty: the
/// process was not started by such a host.
///
/// # Errors
///
/// Returns the errors of [`install()`], and an error if the path cannot be opened.
///
/// # Example
///
/// ```no_run
/// fn main() -> std::io::Result<()> {
///     let _stream = spanshot_sender::child_process::install_from_env()?;
///     tracing::info!("the host will know, if there is one");
///     Ok(())
/// }
/// ```
pub fn install_from_env() -> io::Result<Option<ChildStream>> {
    let Some(output) = env::var_os(STREAM_VARIABLE).filter(|output| !output.is_empty()) else {
        return Ok(None);
    };
    let stream = match output.to_str() {
        Some("stdout") => install(io::stdout()),
        Some("stderr") => install(io::stderr()),
        _ => install(File::create(&output)?),
    };
    stream.map(Some)
}
