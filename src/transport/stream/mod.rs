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
//! # Specification
//!
//! `uint` and `str` are those of [frames](crate::frame#specification). Numbers are hexadecimal.
//!
//! ```text
//! marker    ff 73 73 fe
//! version   u8       of what the packet holds: 01
//! kind      u8
//! number    uint     of the packet in its stream: 0 is the first one, 1 the next
//! length    uint     of the payload in bytes
//! payload
//! checksum  u32      CRC-32 of all from the version to the end of the payload, in little-endian order
//! ```
//!
//! After the marker, a byte `ff` is written as `ff 00`; neither length nor checksum knows of that. So
//! a marker is nowhere but where a packet begins, and since neither `ff` nor `fe` is in any UTF-8 text,
//! it is in no such text either. `ff` and a byte other than `00` after a marker is not in a packet:
//! that one was cut there. The checksum is that of Ethernet and gzip (polynomial `04c11db7`,
//! reflected).
//!
//! | kind | packet | payload |
//! |---|---|---|
//! | 0 | start | `written_by: str`, the version of spanshot that writes; what follows is passed over |
//! | 1 | frame | a [frame](crate::frame) |
//! | 2 | end | passed over |
//!
//! The first packet of a stream is its start. After the end, there are no more; a stream without one is
//! that of a program that was killed, or has not yet ended. A reader passes over packets of a kind that
//! it does not know.
//!
//! The form of a packet is the same in all versions, and so is the beginning of the start's payload.
//! A reader refuses packets of a version that it does not know, one by one, and can say who wrote
//! them. Another form would have another marker.
//!
//! For example, "span 5 is entered by the stream's first thread" (the frame `23 05`) in packet 7 is
//! `ff 73 73 fe 01 01 07 02 23 05` and the checksum `8f 34 6e 17`.

#[cfg(feature = "tokio")]
mod asynchronous;
mod decoder;
mod error;
mod limits;
mod packet;
#[cfg(feature = "receiver")]
mod receipt;
#[cfg(feature = "receiver")]
mod receive;
mod sequence;
mod writer;

#[cfg(feature = "tokio")]
pub use self::asynchronous::receive_async;
pub use self::{
    decoder::{StreamDecoder, StreamItem},
    error::StreamError,
    limits::StreamLimits,
    writer::StreamWriter,
};
#[cfg(feature = "receiver")]
pub use self::{
    receipt::{IncompleteStream, Problem, Receipt, StreamEnd},
    receive::{StreamReceiver, receive},
};

/// Version of what packets hold that this crate writes, and the only one that it reads.
pub const VERSION: u8 = 1;
