//! The form of a packet.

use alloc::vec::Vec;
use core::ops::Range;

use super::VERSION;
use crate::frame::{FrameError, FrameWriter, Reader};

/// The version whose packets do not say which stream they belong to.
const UNNAMED: u8 = 1;

/// Begins a packet. Its first byte is in no packet but escaped, and none of the others is the same, so
/// that there is never a marker in a marker.
pub const MARKER: [u8; 4] = [ESCAPE, b's', b's', 0xfe];

/// Neither this byte nor the last one of the marker is in any UTF-8 text.
pub const ESCAPE: u8 = 0xff;

/// Follows an [`ESCAPE`] that stands for itself.
pub const ESCAPED: u8 = 0;

/// Bytes of the checksum.
const CHECKSUM_LEN: usize = 4;

/// Bytes that a pipe takes from one `write()` without bytes of other processes in between: `PIPE_BUF`.
/// POSIX promises 512.
const MAX_LEN: usize =
    if cfg!(any(target_os = "linux", target_os = "android", windows)) { 4096 } else { 512 };

/// Bytes that a packet adds to a frame, at the most: marker, header, stream, place in the
/// frame, and checksum, all but the marker escaped.
const OVERHEAD: usize = 4 + 2 * (2 + 10 + 3) + 2 * STREAM_LEN + 2 * PLACE_LEN + 2 * CHECKSUM_LEN;

/// Bytes of a stream's name.
const STREAM_LEN: usize = 4;

/// Bytes that say where a part is in its frame, at the most.
const PLACE_LEN: usize = 2 * 10;

/// Kinds of packets.
pub mod kind {
    pub const START: u8 = 0;
    pub const FRAME: u8 = 1;
    pub const END: u8 = 2;
    pub const PART: u8 = 3;
    pub const NOTE: u8 = 4;
}

/// Appends a packet to `output`. What comes first in the payload may be apart from the rest.
pub fn write(output: &mut Vec<u8>, kind: u8, number: u64, first: &[u8], rest: &[u8]) {
    let mut header = FrameWriter::new();
    for part in [VERSION.into(), kind.into(), number, (first.len() + rest.len()) as u64] {
        header.uint(part);
    }
    let mut checksum = crc32fast::Hasher::new();
    output.extend_from_slice(&MARKER);
    for part in [header.as_bytes(), first, rest] {
        checksum.update(part);
        escape(output, part);
    }
    escape(output, &checksum.finalize().to_le_bytes());
}

/// Returns how many of these bytes of a frame fit into one packet that is written at once.
pub fn fitting_len(bytes: &[u8]) -> usize {
    const ROOM: usize = MAX_LEN - OVERHEAD;
    if bytes.len() <= ROOM / 2 {
        return bytes.len(); // whatever is escaped
    }
    let lens = bytes.iter().scan(0, |len, byte| {
        *len += if *byte == ESCAPE { 2 } else { 1 };
        Some(*len)
    });
    lens.take_while(|len| *len <= ROOM).count()
}

/// The payload of a start.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    pub written_by: &'a str,
    /// Who writes the stream. Streams of version 1 do not say that.
    pub writer: Option<Writer>,
}

/// Who writes a stream.
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    pub stream: u32,
    /// The process, or 0 if it has no number.
    pub process: u64,
    /// The process that it is a fork of, or 0 if it is none.
    pub forked_from: u64,
}

impl<'a> Start<'a> {
    pub fn write(written_by: &str, writer: &Writer) -> FrameWriter {
        let mut payload = FrameWriter::new();
        payload.str(written_by);
        payload.plain(&writer.stream.to_le_bytes());
        payload.uint(writer.process);
        payload.uint(writer.forked_from);
        payload
    }

    /// Reads the payload of a packet of a version.
    pub fn read(version: u8, payload: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let written_by = reader.str("version of spanshot").ok()?;
        let writer = if version == UNNAMED { None } else { Some(Writer::read(&mut reader)?) };
        Some(Self { written_by, writer })
    }
}

impl Writer {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut stream = [0; STREAM_LEN];
        for byte in &mut stream {
            *byte = reader.byte("stream").ok()?;
        }
        Some(Self {
            stream: u32::from_le_bytes(stream),
            // Later versions may have something else here.
            process: reader.uint("process").unwrap_or(0),
            forked_from: reader.uint("forked from").unwrap_or(0),
        })
    }
}

/// A part of a frame.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Where it is in the frame, in bytes.
    pub place: u64,
    /// Bytes of the whole frame.
    pub frame_len: u64,
    pub bytes: &'a [u8],
}

impl<'a> Part<'a> {
    /// Reads a payload behind the stream's name.
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let place = reader.uint("place").ok()?;
        let frame_len = reader.uint("length of the frame").ok()?;
        let bytes = payload.get(reader.offset()..)?;
        let end = place.checked_add(bytes.len() as u64)?;
        (!bytes.is_empty() && end <= frame_len).then_some(Self { place, frame_len, bytes })
    }
}

/// Something to know about a stream.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

impl<'a> Note<'a> {
    pub fn write(&self) -> FrameWriter {
        let mut payload = FrameWriter::new();
        payload.str(self.name);
        payload.str(self.value);
        payload
    }

    /// Reads a payload behind the stream's name.
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let name = reader.str("name of the note").ok()?;
        Some(Self { name, value: reader.str("value of the note").ok()? })
    }
}

fn escape(output: &mut Vec<u8>, bytes: &[u8]) {
    for part in bytes.split_inclusive(|byte| *byte == ESCAPE) {
        output.extend_from_slice(part);
        if part.last() == Some(&ESCAPE) {
            output.push(ESCAPED);
        }
    }
}

/// What stands before the payload.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    pub version: u8,
    pub kind: u8,
    pub number: u64,
    payload_len: u64,
    /// Bytes of the header itself.
    len: usize,
}

/// How far the beginning of a packet can be understood.
#[derive(Debug)]
pub enum Beginning {
    /// It is not all there.
    Partial,
    Whole(Header),
    /// There is no such header.
    Malformed,
}

impl Header {
    /// Reads the header of what follows a marker, without escapes.
    pub fn read(packet: &[u8]) -> Beginning {
        match Self::try_read(Reader::new(packet)) {
            Ok(header) => Beginning::Whole(header),
            Err(FrameError::Truncated { .. }) => Beginning::Partial,
            Err(_) => Beginning::Malformed,
        }
    }

    fn try_read(mut packet: Reader<'_>) -> Result<Self, FrameError> {
        Ok(Self {
            version: packet.byte("version")?,
            kind: packet.byte("kind")?,
            number: packet.uint("number")?,
            payload_len: packet.uint("length")?,
            len: packet.offset(),
        })
    }

    /// Bytes of the payload, without what stands before a frame.
    pub fn content_len(&self) -> u64 {
        self.payload_len.saturating_sub(self.before_content() as u64)
    }

    /// Whether it is a part of a frame. There are none in version 1.
    pub fn is_part(&self) -> bool {
        self.kind == kind::PART && self.version != UNNAMED
    }

    fn before_content(&self) -> usize {
        match (self.version, self.kind) {
            (UNNAMED, _) => 0,
            (_, kind::PART) => STREAM_LEN + PLACE_LEN,
            _ => STREAM_LEN,
        }
    }

    /// Returns how many bytes there are from the version to the end of the checksum; `None` if the
    /// content of the payload is longer than it may be.
    pub fn packet_len(&self, max_content_len: usize) -> Option<usize> {
        let payload_len = usize::try_from(self.payload_len).ok()?;
        let within = (self.content_len() <= max_content_len as u64).then_some(payload_len)?;
        (self.len + CHECKSUM_LEN).checked_add(within)
    }

    /// Returns the stream that a packet with this payload belongs to, and the rest of the payload: a
    /// start has all of it, and streams of version 1 have no name. `None` if there is no such thing.
    pub fn split_stream(
        &self,
        payload: Range<usize>,
        packet: &[u8],
    ) -> Option<(Option<u32>, Range<usize>)> {
        if self.version == UNNAMED {
            return Some((None, payload));
        }
        let bytes = packet.get(payload.clone())?;
        if self.kind == kind::START {
            let writer = Start::read(self.version, bytes)?.writer?;
            return Some((Some(writer.stream), payload));
        }
        let (stream, _) = bytes.split_first_chunk::<STREAM_LEN>()?;
        Some((Some(u32::from_le_bytes(*stream)), payload.start + STREAM_LEN..payload.end))
    }

    /// Returns how many bytes follow the header.
    pub fn rest_len(&self) -> u64 {
        self.payload_len.saturating_add(CHECKSUM_LEN as u64)
    }

    /// Returns where the payload of a whole packet is, if the checksum is right.
    pub fn payload(&self, packet: &[u8]) -> Option<Range<usize>> {
        let (summed, checksum) = packet.split_last_chunk::<CHECKSUM_LEN>()?;
        let is_right = crc32fast::hash(summed) == u32::from_le_bytes(*checksum);
        (is_right && self.len <= summed.len()).then_some(self.len..summed.len())
    }
}
