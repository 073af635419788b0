//! Frames in a stream of bytes: a pipe, a file, the standard error of a child process.
//!
//! A [frame](crate::frame) does not say where it ends, and other programs may write text to the same pipe.
//! So a [`StreamWriter`] puts each frame into a *packet*, and the host can tell which packets are whole,
//! which are damaged, and which are missing.
//!
//! # Example
//!
//! ```
//! use spanshot_sender::stream::StreamWriter;
//!
//! let writer = StreamWriter::new(std::io::sink()); // or a pipe, a file, a socket
//! tracing::subscriber::with_default(writer.sender(), || tracing::info!("on its way"));
//! writer.finish()?;
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! # Several processes, one output
//!
//! A process hands its output down to those that it starts, and they may trace to it as well. So each
//! stream has a name, and each packet says which stream it belongs to. A reader follows the stream that
//! comes first, and reports the others. On Unix, each packet goes out with one `write()` that is short
//! enough for a pipe to take it as a whole: nothing gets into the middle of it, even if others write
//! to the same pipe. Give a [`StreamWriter`] an output without a buffer, such as
//! [`io::stderr()`](std::io::stderr): the buffer of [`io::stdout()`](std::io::stdout) cuts packets at line
//! ends, which only threads of the same process do not see.
//! [`install_from_env()`](crate::child_process::install_from_env) writes to the standard output without it.
//!
//! # Specification
//!
//! `uint` and `str` are defined for [frames](crate::frame#specification). Numbers are hexadecimal; `u32` is
//! in little-endian order.
//!
//! ```text
//! marker    ff 73 73 fe
//! version   u8       of what the packet holds: 02
//! kind      u8
//! number    uint     of the packet in its stream: 0 is the first one, 1 the next
//! length    uint     of the payload in bytes
//! payload
//! checksum  u32      CRC-32 of all from the version to the end of the payload
//! ```
//!
//! After the marker, a byte `ff` is written as `ff 00`; neither length nor checksum knows of that. So
//! a marker is nowhere but where a packet begins, and since neither `ff` nor `fe` is in any UTF-8 text,
//! it is in no such text either. `ff` and a byte other than `00` after a marker is not in a packet:
//! that one was cut there. The checksum is the CRC-32 of Ethernet and gzip (polynomial `04c11db7`,
//! reflected).
//!
//! | kind | packet | payload |
//! |---|---|---|
//! | 0 | start | `written_by: str`, the version of spanshot that writes; `stream: u32`; `process: uint`, the process that writes, or 0 if it has no number; `forked_from: uint`, the process that it is a fork of, or 0; what follows is passed over |
//! | 1 | frame | `stream: u32`; a [frame](crate::frame) |
//! | 2 | end | `stream: u32`; what follows is passed over |
//! | 3 | part | `stream: u32`; `place: uint`, where in a frame the bytes belong; `frame_len: uint`, the length of the whole frame; at least one byte of it |
//! | 4 | note | `stream: u32`; `name: str` and `value: str`, something to know about the stream; what follows is passed over |
//!
//! `stream` is the name of the stream: a random number. It has the same place in the payloads of all kinds
//! that are yet to come.
//!
//! The first packet of a stream is its start. After the end, there are no more, except for one: a second end says that
//! the program has traced something after the first one, which was not sent. A stream without an end is
//! from a program that was killed, or has not yet ended. A reader passes over packets of a kind that
//! it does not know.
//!
//! A frame that is too long for one packet is sent in parts, in order, with no other packet of the
//! stream between them. Packets have up to 4,096 bytes on Linux, Android and Windows, escapes included, and
//! up to 512 elsewhere; a reader takes longer ones.
//!
//! A process that was made by `fork()` does not go on with the stream of its parent. It may write a start of
//! a stream of its own, to say that it has traced something, and no more than that.
//!
//! The form of a packet is the same in all versions, and so are `written_by` and `stream`, from version 2 on.
//! A reader refuses packets of a version that it does not know, one by one, and can say who wrote
//! them. Another form would have another marker.
//!
//! In version 1, streams have no name: `stream`, and what follows it in a start, is not there, and neither are
//! parts. Readers take such a stream as well.
//!
//! For example, "span 5 is entered by the stream's first thread" (the frame `23 05`) in packet 7 of stream
//! `04030201` is `ff 73 73 fe 02 01 07 06 01 02 03 04 23 05` and the checksum `32 94 f2 f3`.

// | file | content |
// |---|---|
// | `writer.rs` | writes packets |
// | `packet.rs` | the form of a packet |
// | `unlocked.rs` | standard output and error, without their locks |

#[doc(hidden)]
pub mod packet;
#[cfg(unix)]
mod unlocked;
mod writer;

#[cfg(unix)]
pub(crate) use self::unlocked::Unlocked;
pub use self::writer::StreamWriter;

/// Version of the packets' contents that this crate writes. spanshot reads this one and those before it.
pub const VERSION: u8 = 2;
