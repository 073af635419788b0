//! The form of a packet.

use alloc::vec::Vec;
use core::ops::Range;

use super::VERSION;

/// Begins a packet. Its first byte is in no packet but escaped, and none of the others is the same, so
/// that there is never a marker in a marker.
pub(super) const MARKER: [u8; 4] = [ESCAPE, b's', b's', 0xfe];

/// Neither this byte nor the last one of the marker is in any UTF-8 text.
pub(super) const ESCAPE: u8 = 0xff;

/// Follows an [`ESCAPE`] that stands for itself.
pub(super) const ESCAPED: u8 = 0;

/// Bytes of the checksum.
const CHECKSUM_LEN: usize = 4;

/// Bytes of the longest varint.
const MAX_VARINT: usize = 10;

/// Kinds of packets.
pub(super) mod kind {
    pub(in super::super) const START: u8 = 0;
    pub(in super::super) const FRAME: u8 = 1;
    pub(in super::super) const END: u8 = 2;
}

/// Writes a packet behind what is in `output`.
pub(super) fn write(output: &mut Vec<u8>, kind: u8, number: u64, payload: &[u8]) {
    let mut buffer = [0; 2 + 2 * MAX_VARINT];
    // There is room for all that is in a header.
    let header = postcard::to_slice(&(VERSION, kind, number, payload.len() as u64), &mut buffer);
    let header = header.map_or(&[][..], |header| &*header);
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
pub(super) struct Header {
    pub(super) version: u8,
    pub(super) kind: u8,
    pub(super) number: u64,
    payload_len: u64,
    /// Bytes of the header itself.
    len: usize,
}

/// How far the beginning of a packet can be understood.
pub(super) enum Beginning {
    /// It is not all there.
    Partial,
    Whole(Header),
    /// There is no such header.
    Malformed,
}

impl Header {
    /// Reads the header of what follows a marker, without escapes.
    pub(super) fn read(packet: &[u8]) -> Beginning {
        match postcard::take_from_bytes(packet) {
            Ok(((version, kind, number, payload_len), rest)) => {
                let len = packet.len() - rest.len();
                Beginning::Whole(Self { version, kind, number, payload_len, len })
            }
            Err(postcard::Error::DeserializeUnexpectedEnd) => Beginning::Partial,
            Err(_) => Beginning::Malformed,
        }
    }

    pub(super) fn payload_len(&self) -> u64 {
        self.payload_len
    }

    /// Returns how many bytes there are from the version to the end of the checksum; `None` if the
    /// payload is longer than it may be.
    pub(super) fn packet_len(&self, max_payload_len: usize) -> Option<usize> {
        let payload_len = usize::try_from(self.payload_len).ok()?;
        let within = (payload_len <= max_payload_len).then_some(payload_len)?;
        (self.len + CHECKSUM_LEN).checked_add(within)
    }

    /// Returns how many bytes follow the header.
    pub(super) fn rest_len(&self) -> u64 {
        self.payload_len.saturating_add(CHECKSUM_LEN as u64)
    }

    /// Returns where the payload of a whole packet is, if the checksum is right.
    pub(super) fn payload(&self, packet: &[u8]) -> Option<Range<usize>> {
        let (summed, checksum) = packet.split_last_chunk::<CHECKSUM_LEN>()?;
        let is_right = crc32fast::hash(summed) == u32::from_le_bytes(*checksum);
        (is_right && self.len <= summed.len()).then_some(self.len..summed.len())
    }
}
