//! Frames in a stream of bytes: a pipe, a file, the standard error of a child process.
//!
//! A [frame](crate::transport::frame) does not say where it ends, and neither does a pipe. Other text may be written to
//! the same stream; a program may be killed in the middle of a frame; a file may be cut short, or two
//! programs may write to one. So the writer puts each frame into a *packet*. The reader recognizes
//! packets among other bytes, and checks their order and their contents. It reports a damaged or missing packet with
//! its place, and goes on.
//!
//! | you have, or want | use |
//! |---|---|
//! | an output to send to, any [`Write`](std::io::Write) | [`StreamWriter`] |
//! | an input, any [`Read`](std::io::Read) | [`receive()`] |
//! | an input, any `AsyncRead` | `receive_async()`, with the feature `tokio` |
//! | chunks of bytes | [`StreamReceiver`] |
//! | the frames themselves | [`StreamDecoder`] |
//!
//! A [`Receipt`] tells you whether the stream was complete, and lists its problems.
//!
//! Several processes may write to one pipe or file. The reader follows the stream that comes first and
//! reports each of the others as a [problem](StreamError::OtherStream). It receives nothing of them.
//! [Child processes](super::child_process#processes-that-the-child-starts) shows how to deal with that.
//!
//! The reader reads no further than you ask it to, and keeps only the packet under way. If a program traces
//! faster than its host reads, the pipe blocks it.
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
//! The [specification](spanshot_sender::stream#specification) of the packets is next to the writer.

// | file | content |
// |---|---|
// | `receive.rs`, `asynchronous.rs` | reads a stream and hands its frames to a receiver |
// | `decoder.rs`, `sequence.rs` | bytes to packets, in their order |
// | `limits.rs` | how much a stream may take |
// | `receipt.rs` | what came of it |
// | `error.rs` | problems of a stream, with their place |

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
