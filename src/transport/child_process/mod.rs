//! A child process that traces into a pipe of its host.
//!
//! The child sends a [stream](super::stream) to its standard output or error, between all else that it
//! writes there, or to a file, a named pipe or a file descriptor that the host names. The host
//! tells the two apart, has a receiver take the one, and passes on the other.
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
//! [`run()`] is for a child that runs to its end. Where the host goes on meanwhile, writes to the
//! child's standard input, or kills it, it starts the child itself, with `SPANSHOT_STREAM` set, and
//! gives the pipe to [`stream::receive()`](super::stream::receive): on a thread of its own, with a
//! receiver that it has created where the capture is, or in a task by `receive_async()`.

mod host;

pub use spanshot_sender::child_process::{ChildStream, STREAM_VARIABLE, install, install_from_env};

pub use self::host::{Finished, Pipe, run, run_with};
