//! Frames in a stream of bytes: a pipe, a file, the standard error of a child process.
//!
//! A [frame](crate::frame) does not say where it ends, and a pipe does not say where anything does.
//! Nor is a pipe a quiet place. Others write text to the same stream; whoever writes is killed in the
//! middle of a frame; a file is cut short, or two programs write to one. So each frame is put into a
//! *packet*, of which whoever reads can tell that it is one, that it is whole, and which one it is.
//! What is damaged is told apart from what is not: a reader reports it with its place, and goes on.
//!
//! A [`StreamWriter`] writes packets to anything that is [`Write`](std::io::Write). [`receive()`] has a
//! receiver take those of anything that is [`Read`](std::io::Read), `receive_async()` (with the feature
//! `tokio`) those of an `AsyncRead`, and both return what came of it: a [`Receipt`]. A [`StreamReceiver`]
//! is for those who have chunks of bytes, wherever from, and a [`StreamDecoder`] for those who want the
//! frames themselves.
//!
//! Several processes may write to one pipe or file. The reader follows the stream that comes first and
//! reports each of the others as a [problem](StreamError::OtherStream). It receives nothing of them. See
//! [child processes](super::child_process#processes-that-the-child-starts) for what to do about it.
//!
//! No more is read than is asked for, and nothing is kept but the packet under way. So a program that
//! traces faster than its host reads is blocked by the pipe.
//!
//! # Example
//!
//! ```
//! use spanshot::{Capture, TracingEventReceiver, transport::stream};
//!
//! // One side. The bytes could go anywhere, and other text between them.
//! let (reader, writer) = std::io::pipe()?;
//! let writer = stream::StreamWriter::new(writer);
//! tracing::subscriber::with_default(writer.sender(), || tracing::info!("in a pipe"));
//! drop(writer);
//!
//! // The other side.
//! let capture = Capture::start();
//! let receipt = stream::receive(reader, &mut TracingEventReceiver::default());
//! assert!(receipt.is_complete());
//! assert_eq!(capture.trace().to_string(), "INFO in a pipe");
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! The [specification](spanshot_sender::stream#specification) of the packets is next to what writes them.

#[cfg(feature = "tokio")]
mod asynchronous;
mod decoder;
mod error;
mod limits;
mod receipt;
mod receive;
mod sequence;

#[cfg(feature = "tokio")]
pub use self::asynchronous::receive_async;
pub use self::{
    decoder::{StreamDecoder, StreamItem},
    error::{StreamError, StreamOrigin},
    limits::StreamLimits,
};
pub use self::{
    receipt::{IncompleteStream, Problem, Receipt, StreamEnd},
    receive::{StreamReceiver, receive},
};

pub use spanshot_sender::stream::{StreamWriter, VERSION};
