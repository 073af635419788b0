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
//!
//! # The end of the stream
//!
//! The stream ends when you drop the [`ChildStream`]. What the process traces later is not sent, but the first new span or
//! event is reported to the host, whose trace is not complete then. Threads that outlive `main` trace so late, and so does
//! an async runtime that outlives the `ChildStream` in it. Wait for them, or call [`ChildStream::finish()`] to say that the
//! trace is complete.
//!
//! # Processes that the child starts
//!
//! A child hands its environment and its outputs down to the processes that it starts. If such a process
//! calls [`install_from_env()`] as well, it traces to the same place. The host receives the whole trace of
//! the process that started its stream first, which is the child if it installs before it starts others. It
//! does not receive the others, and reports a problem for each.
//!
//! If your program starts itself, or other programs that trace, choose what you want:
//!
//! | you want | do this before you start the process |
//! |---|---|
//! | no trace of it | remove the variable: `command.env_remove("SPANSHOT_STREAM")` |
//! | its trace, too | set the variable to a file, a named pipe or an output of its own, and read that like the first one |
//!
//! Remove the variable in any case if you read what the process writes: it writes its stream there.
//!
//! **`exec`** replaces the program and keeps the process. The host has all records from before, but the stream does
//! not end. If the new program traces, it starts another stream, which the host reports as a problem.
//!
//! **`fork()`** makes a copy of the process, in which the copied sender does not send anything. The stream goes on in
//! the parent, and nothing of it is lost, whether the copy calls `_exit()` or returns from `main`. Records that the
//! copy traces are discarded. If there is a new span or an event among them, the host reports a problem, unless
//! another thread was writing to the stream at the time of the `fork()`. To trace in the copy, give it an output and a
//! [`StreamWriter`](crate::stream::StreamWriter) of its own, and enter
//! [its sender](crate::stream::StreamWriter::sender) with `tracing::subscriber::with_default()`.

use alloc::boxed::Box;
use core::fmt;
use std::{
    env,
    fs::File,
    io::{self, Write},
};

use tracing_core::{Dispatch, dispatcher};

use crate::stream::StreamWriter;
#[cfg(unix)]
use crate::stream::Unlocked;

/// Name of the environment variable by which a host asks a child for its stream.
pub const STREAM_VARIABLE: &str = "SPANSHOT_STREAM";

/// A stream that the process sends, until this is dropped or [finished](Self::finish).
///
/// Keep it until the end of `main`: `let _stream = …`, and not `let _ = …`, which drops it at once. If the process
/// traces another span or event after that, in a thread that still runs or a task that is dropped with its runtime, the
/// host reports a problem. To end the stream earlier, finish it: records traced after that are none of the trace.
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
        self.writer.end_with_owner(); // an error was reported when it happened
    }
}

/// Sends the trace of this process to an output, such as [`io::stderr()`](std::io::stderr).
///
/// The sender is the global default subscriber from now on, for all threads, and sends everything. To send
/// a part, or to send besides other subscribers, install [`StreamWriter::sender()`] yourself. See [`StreamWriter`] for what happens if the output fails, and [the module](self) for processes that
/// this one starts.
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
/// A file at the path is created if there is none. Otherwise the stream is appended, since another process
/// that has the same variable may be writing there: delete the file of an earlier run before you start the
/// process. Returns `None` if the variable is not set, or empty: the process was not started by such a host.
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
        #[cfg(unix)]
        Some("stdout") => install(Unlocked(io::stdout())),
        #[cfg(unix)]
        Some("stderr") => install(Unlocked(io::stderr())),
        #[cfg(not(unix))]
        Some("stdout") => install(io::stdout()),
        #[cfg(not(unix))]
        Some("stderr") => install(io::stderr()),
        // Nothing of what another process has written may go: this one may be started by it.
        _ => install(File::options().append(true).create(true).open(&output)?),
    };
    stream.map(Some)
}
