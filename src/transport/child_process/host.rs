use std::{
    io::{self, Write},
    process::{Command, ExitStatus, Stdio},
};

use super::STREAM_VARIABLE;
use crate::{
    receiver::TracingEventReceiver,
    transport::stream::{Receipt, StreamEnd, StreamReceiver},
};

/// Where a child sends its stream.
///
/// # Example
///
/// See [`run()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipe {
    /// To its standard output.
    Stdout,
    /// To its standard error.
    Stderr,
}

/// The outcome of a child process.
///
/// # Example
///
/// See [`run()`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished {
    /// How the child ended.
    pub status: ExitStatus,
    /// The outcome of its stream.
    pub receipt: Receipt,
}

/// Runs a child to its end, and receives its stream.
///
/// It starts the child with `SPANSHOT_STREAM` set, and with the pipe in place. Other output of the child in this pipe goes
/// to the host's own standard output or error. You choose everything else in the command, but nobody reads other
/// pipes that you set up there. If the child traces faster than the receiver reads, the pipe blocks it.
///
/// The stream is received on this thread, until all processes have closed the pipe: the child, and those to which it has
/// given it. See [the module](super#processes-that-the-child-starts) for processes that the child starts, and for
/// [children that do not end their stream](super#children-that-do-not-end-their-stream).
///
/// # Errors
///
/// Returns an error if the child cannot be started or waited for. [`Finished::receipt`] holds the problems of the
/// stream; if it cannot be read, the child is killed.
///
/// # Example
///
/// ```
/// use std::process::Command;
/// use spanshot::{Capture, TracingEventReceiver, transport::child_process::{self, Pipe}};
///
/// # if cfg!(unix) {
/// let capture = Capture::start();
/// let mut receiver = TracingEventReceiver::default();
/// let mut command = Command::new("true"); // which does not trace
/// let finished = child_process::run(&mut command, Pipe::Stderr, &mut receiver)?;
/// assert!(finished.status.success());
/// assert_eq!(finished.receipt.frames, 0);
/// # }
/// # Ok::<_, std::io::Error>(())
/// ```
pub fn run(
    command: &mut Command,
    pipe: Pipe,
    receiver: &mut TracingEventReceiver,
) -> io::Result<Finished> {
    // There is nobody to tell if the host's own output is closed.
    run_with(command, pipe, receiver, |text| match pipe {
        Pipe::Stdout => drop(io::stdout().write_all(text)),
        Pipe::Stderr => drop(io::stderr().write_all(text)),
    })
}

/// Runs a child as [`run()`] does, and gives the function what else it writes to the pipe, in order and
/// in the pieces in which it comes.
///
/// # Errors
///
/// Returns the errors of [`run()`].
///
/// # Example
///
/// ```
/// use std::process::Command;
/// use spanshot::{TracingEventReceiver, transport::child_process::{Pipe, run_with}};
///
/// # if cfg!(unix) {
/// let (mut receiver, mut text) = (TracingEventReceiver::default(), vec![]);
/// run_with(Command::new("echo").arg("done"), Pipe::Stdout, &mut receiver, |bytes| {
///     text.extend_from_slice(bytes);
/// })?;
/// assert_eq!(text, b"done\n");
/// # }
/// # Ok::<_, std::io::Error>(())
/// ```
pub fn run_with(
    command: &mut Command,
    pipe: Pipe,
    receiver: &mut TracingEventReceiver,
    on_foreign: impl FnMut(&[u8]),
) -> io::Result<Finished> {
    let mut child = match pipe {
        Pipe::Stdout => command.env(STREAM_VARIABLE, "stdout").stdout(Stdio::piped()).spawn()?,
        Pipe::Stderr => command.env(STREAM_VARIABLE, "stderr").stderr(Stdio::piped()).spawn()?,
    };
    drop(child.stdin.take()); // nobody will write to it
    let stream = StreamReceiver::new(receiver);
    let receipt = match (pipe, child.stdout.take(), child.stderr.take()) {
        (Pipe::Stdout, Some(stdout), _) => stream.read(stdout, on_foreign),
        (Pipe::Stderr, _, Some(stderr)) => stream.read(stderr, on_foreign),
        _ => stream.finish(), // there is the pipe that was asked for
    };
    if matches!(receipt.end, StreamEnd::Failed(_)) {
        let _ = child.kill(); // it may have ended by now
    }
    Ok(Finished { status: child.wait()?, receipt })
}
