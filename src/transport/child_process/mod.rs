//! A child process that traces into a pipe of its host.
//!
//! The child sends a [stream](super::stream) to its standard output or error, among its other output, or to a file, a
//! named pipe or a file descriptor that the host names. The host tells the two apart: it receives the stream, and passes
//! on the other output.
//!
//! # The child
//!
//! ```no_run
//! fn main() -> std::io::Result<()> {
//!     let _stream = spanshot::transport::child_process::install_from_env()?; // lives as long as `main`
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
//! # The host
//!
//! ```no_run
//! use std::process::Command;
//! use spanshot::{Capture, TracingEventReceiver, transport::child_process::{self, Pipe}};
//!
//! let capture = Capture::start();
//! let mut receiver = TracingEventReceiver::default();
//! let finished = child_process::run(&mut Command::new("./plugin"), Pipe::Stderr, &mut receiver)?;
//! assert!(finished.status.success());
//! finished.receipt.into_result()?; // an error if the child was killed, or anything is missing
//! assert_eq!(capture.trace().root_spans().len(), 1);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`run()`] is for a child that runs to its end. If your host goes on meanwhile, writes to the child's standard input, or
//! kills the child, start it yourself, with `SPANSHOT_STREAM` set. Pass the pipe to
//! [`stream::receive()`](super::stream::receive) on a thread of its own, with a receiver that you have created where the
//! capture is, or await `receive_async()` in a task.
//!
//! # Children that do not end their stream
//!
//! A child ends its stream when [`ChildStream`] is dropped or finished. If it is killed, calls
//! [`process::exit()`](std::process::exit), or cannot write any more, all whole records from before are in your
//! trace, and [`Receipt::end`](super::stream::Receipt::end) is not `Finished`. There may have been more. So assertions that something is *not* in
//! the trace fail, and say why. The same goes for a child that never started a stream.
//!
//! If a child traces a span or an event after its `ChildStream` is dropped, you do not receive it. The receipt has a
//! [`StreamError::AfterEnd`](super::stream::StreamError::AfterEnd), and assertions that something is *not* in the trace fail.
//! The child has dropped it at once (`let _ = …`), say, or a thread or an async runtime of it outlives `main`.
//!
//! | your child | do this |
//! |---|---|
//! | traces after its `ChildStream` is dropped | keep that longer, or call [`ChildStream::finish()`] where you want the trace to end |
//! | calls `process::exit()` | finish the stream before: [`ChildStream::finish()`] |
//! | is killed by your test, or may be | tell the capture, or the storage: [`ignore_lost_records()`](crate::SharedStorage::ignore_lost_records) |
//!
//! # Processes that the child starts
//!
//! A process that the child starts inherits `SPANSHOT_STREAM` and the pipe. If it installs a sender, it traces
//! into the same pipe. You receive the whole trace of the process that started its stream first: your child,
//! if it calls [`install_from_env()`] before it starts others. Nothing that the others write changes
//! or ends that stream, and nothing of them is received.
//!
//! The receipt reports the rest: [`Receipt::problems`](super::stream::Receipt::problems) has a
//! [`StreamError::OtherStream`](super::stream::StreamError::OtherStream) for each of the others, and
//! [`into_result()`](super::stream::Receipt::into_result) fails. Choose what you want, in the code that
//! starts the process:
//!
//! | you want | do this before the child starts the process |
//! |---|---|
//! | no trace of it | remove the variable: `command.env_remove("SPANSHOT_STREAM")` |
//! | its trace, too | set the variable to a file, a named pipe or an output of its own, and read that like the first one |
//! | to leave the program as it is | do not call `into_result()`: check that [`Receipt::end`](super::stream::Receipt::end) is `Finished`, and that all problems are of this kind |
//!
//! Remove the variable in any case if the child reads what the process writes: the stream would be in it.
//!
//! | your child | you receive | besides |
//! |---|---|---|
//! | starts a process that traces | all of the child | one problem, and the number of [frames](super::stream::Receipt::other_frames) that were not received |
//! | replaces itself by `exec` | all from before that | the stream [is not ended](#children-that-do-not-end-their-stream); one problem if the new program traces |
//! | calls `fork()` | all of the parent; the copy does not affect it | one problem if the copy traces a new span or an event: its records are discarded |
//!
//! The copy that `fork()` makes cannot report itself if another thread of its parent was writing to the stream
//! at that moment. Then its records are discarded without a problem.
//!
//! A file works like a pipe: several processes append to it, and a
//! [`RecordedTrace`](super::recorded::RecordedTrace) follows the first. That includes the stream of an
//! earlier run. Delete the file before you start the child.

mod host;

pub use spanshot_sender::child_process::{ChildStream, STREAM_VARIABLE, install, install_from_env};

pub use self::host::{Finished, Pipe, run, run_with};
