use alloc::vec::Vec;
use core::fmt;

/// Bytes that suffice for an ordinary frame, which then needs no allocation.
const INLINE_LEN: usize = 256;

/// Stands for the length once the bytes have moved to the heap: nothing has room behind it.
const MOVED: usize = INLINE_LEN + 1;

/// Grows a frame: on the stack while it is small, on the heap from there on.
///
/// Each record has a buffer of its own rather than a shared one, so that a `Debug` implementation
/// that traces while it is formatted into a frame, or panics, disturbs nobody.
///
/// Nothing here is indexed in a way that could panic, not because it would: the messages of panics,
/// and what formats them, would be a good part of a small guest.
#[derive(Debug)]
pub(super) struct FrameBuffer {
    inline: [u8; INLINE_LEN],
    /// Bytes used of `inline`, or [`MOVED`].
    inline_len: usize,
    heap: Vec<u8>,
}

impl FrameBuffer {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { inline: [0; INLINE_LEN], inline_len: 0, heap: Vec::new() }
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[u8] {
        self.inline.get(..self.inline_len).unwrap_or(&self.heap)
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        self.inline.get_mut(..self.inline_len).unwrap_or(&mut self.heap)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        if self.inline_len == MOVED { self.heap.len() } else { self.inline_len }
    }

    #[inline]
    pub(super) fn push(&mut self, byte: u8) {
        if let Some(place) = self.inline.get_mut(self.inline_len) {
            *place = byte;
            self.inline_len += 1;
        } else {
            self.extend_heap(&[byte]);
        }
    }

    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let end = self.inline_len.wrapping_add(bytes.len());
        if let Some(place) = self.inline.get_mut(self.inline_len..end) {
            place.copy_from_slice(bytes);
            self.inline_len = end;
        } else {
            self.extend_heap(bytes);
        }
    }

    #[cold]
    #[inline(never)]
    fn extend_heap(&mut self, bytes: &[u8]) {
        if let Some(inline) = self.inline.get(..self.inline_len) {
            self.heap.reserve(2 * INLINE_LEN + bytes.len());
            self.heap.extend_from_slice(inline);
            self.inline_len = MOVED;
        }
        self.heap.extend_from_slice(bytes);
    }

    /// Replaces the byte at `position`.
    #[inline]
    pub(super) fn set(&mut self, position: usize, byte: u8) {
        if let Some(place) = self.as_mut_slice().get_mut(position) {
            *place = byte;
        }
    }

    /// Puts a byte in front of what stands from `position` on.
    #[cold]
    #[inline(never)]
    pub(super) fn insert(&mut self, position: usize, byte: u8) {
        self.push(byte); // makes room
        if let Some(rest) = self.as_mut_slice().get_mut(position..) {
            if let Some(len) = rest.len().checked_sub(1) {
                rest.copy_within(..len, 1);
            }
        }
        self.set(position, byte);
    }
}

impl fmt::Write for FrameBuffer {
    #[inline(never)] // into `write_char()`
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.extend(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    #[test]
    fn bytes_stay_in_order_wherever_they_move() {
        for step in [0, 1, 2, 7, 255, 256, 257, 1_000] {
            let mut buffer = FrameBuffer::new();
            let mut expected = vec![];
            for byte in 0..=u8::MAX {
                buffer.push(byte);
                expected.push(byte);
                let bytes = vec![byte; if byte % 16 == 0 { step } else { 0 }];
                buffer.extend(&bytes);
                expected.extend(bytes);
                assert_eq!(buffer.as_slice(), expected, "in steps of {step}");
                assert_eq!(buffer.len(), expected.len());
            }
        }
    }

    #[test]
    fn bytes_are_changed_wherever_they_are() {
        for len in [3, 200, 256, 257, 2_000] {
            let mut buffer = FrameBuffer::new();
            buffer.extend(&vec![1; len]);
            buffer.set(0, 2);
            buffer.set(len, 3); // there is none
            buffer.extend(&[7, 8]);
            buffer.insert(1, 4);
            let mut expected = vec![1; len + 3];
            expected[..2].copy_from_slice(&[2, 4]);
            expected[len + 1..].copy_from_slice(&[7, 8]);
            assert_eq!(buffer.as_slice(), expected);
            buffer.insert(len + 3, 9);
            expected.push(9);
            assert_eq!(buffer.as_slice(), expected);
        }
    }
}
