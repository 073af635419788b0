//! The form of a packet.

use alloc::vec::Vec;
use core::ops::Range;

use super::VERSION;
use crate::frame::{FrameError, FrameWriter, Reader};

/// Begins a packet. Its first byte is in no packet but escaped, and none of the others is the same, so
/// that there is never a marker in a marker.
pub const MARKER: [u8; 4] = [ESCAPE, b's', b's', 0xfe];

/// Neither this byte nor the last one of the marker is in any UTF-8 text.
pub const ESCAPE: u8 = 0xff;

/// Follows an [`ESCAPE`] that stands for itself.
pub const ESCAPED: u8 = 0;

/// Bytes of the checksum.
const CHECKSUM_LEN: usize = 4;

/// Kinds of packets.
pub mod kind {
    pub const START: u8 = 0;
    pub const FRAME: u8 = 1;
    pub const END: u8 = 2;
}

/// Appends a packet to `output`.
pub fn write(output: &mut Vec<u8>, kind: u8, number: u64, payload: &[u8]) {
    let mut header = FrameWriter::new();
    for part in [VERSION.into(), kind.into(), number, payload.len() as u64] {
        header.uint(part);
    }
    let header = header.as_bytes();
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(header);
    checksum.update(payload);

    output.extend_from_slice(&MARKER);
    escape(output, header);
    escape(output, payload);
    escape(output, &checksum.finalize().to_le_bytes());
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

    pub fn payload_len(&self) -> u64 {
        self.payload_len
    }

    /// Returns how many bytes there are from the version to the end of the checksum; `None` if the
    /// payload is longer than it may be.
    pub fn packet_len(&self, max_payload_len: usize) -> Option<usize> {
        let payload_len = usize::try_from(self.payload_len).ok()?;
        let within = (payload_len <= max_payload_len).then_some(payload_len)?;
        (self.len + CHECKSUM_LEN).checked_add(within)
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
