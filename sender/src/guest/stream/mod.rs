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
//! # Specification
//!
//! `uint` and `str` are defined for [frames](crate::frame#specification). Numbers are hexadecimal.
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
//! that one was cut there. The checksum is the CRC-32 of Ethernet and gzip (polynomial `04c11db7`,
//! reflected).
//!
//! | kind | packet | payload |
//! |---|---|---|
//! | 0 | start | `written_by: str`, the version of spanshot that writes; what follows is passed over |
//! | 1 | frame | a [frame](crate::frame) |
//! | 2 | end | passed over |
//!
//! The first packet of a stream is its start. After the end, there are no more; a stream without one is
//! from a program that was killed, or has not yet ended. A reader passes over packets of a kind that
//! it does not know.
//!
//! The form of a packet is the same in all versions, and so is the beginning of the start's payload.
//! A reader refuses packets of a version that it does not know, one by one, and can say who wrote
//! them. Another form would have another marker.
//!
//! For example, "span 5 is entered by the stream's first thread" (the frame `23 05`) in packet 7 is
//! `ff 73 73 fe 01 01 07 02 23 05` and the checksum `8f 34 6e 17`.

#[doc(hidden)]
pub mod packet;
mod writer;

pub use self::writer::StreamWriter;

/// Version of the packets' contents that this crate writes, and the only one that spanshot reads.
pub const VERSION: u8 = 1;
