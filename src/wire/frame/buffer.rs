use alloc::vec::Vec;
use core::fmt;

use postcard::ser_flavors::Flavor;

/// Bytes that an ordinary frame gets by with, so that it needs no allocation.
const INLINE_LEN: usize = 256;

/// Grows a frame: on the stack while it is small, on the heap from there on.
///
/// Each record has a buffer of its own rather than a shared one, so that a `Debug` implementation
/// that traces while it is formatted into a frame, or panics, disturbs nobody.
pub(super) struct FrameBuffer {
    inline: [u8; INLINE_LEN],
    /// Bytes used of `inline`; meaningless once they have moved to the heap.
    inline_len: usize,
    heap: Vec<u8>,
}

impl FrameBuffer {
    pub(super) fn new() -> Self {
        Self { inline: [0; INLINE_LEN], inline_len: 0, heap: Vec::new() }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        if self.heap.is_empty() { &self.inline[..self.inline_len] } else { &self.heap }
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        if self.heap.is_empty() { &mut self.inline[..self.inline_len] } else { &mut self.heap }
    }

    pub(super) fn len(&self) -> usize {
        self.as_slice().len()
    }

    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let end = self.inline_len + bytes.len();
        if self.heap.is_empty() && end <= INLINE_LEN {
            self.inline[self.inline_len..end].copy_from_slice(bytes);
            self.inline_len = end;
        } else {
            self.extend_heap(bytes);
        }
    }

    #[cold]
    fn extend_heap(&mut self, bytes: &[u8]) {
        if self.heap.is_empty() {
            self.heap.reserve(2 * INLINE_LEN + bytes.len());
            self.heap.extend_from_slice(&self.inline[..self.inline_len]);
        }
        self.heap.extend_from_slice(bytes);
    }

    /// Puts bytes in front of what stands from `position` on.
    pub(super) fn insert(&mut self, position: usize, bytes: &[u8]) {
        let old_len = self.len();
        self.extend(bytes); // makes room; what it puts there is overwritten
        let slice = self.as_mut_slice();
        slice.copy_within(position..old_len, position + bytes.len());
        slice[position..position + bytes.len()].copy_from_slice(bytes);
    }
}

impl Flavor for FrameBuffer {
    type Output = Self;

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.extend(&[byte]);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.extend(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Self> {
        Ok(self)
    }
}

impl fmt::Write for FrameBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.extend(text.as_bytes());
        Ok(())
    }
}
