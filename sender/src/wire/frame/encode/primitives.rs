use core::fmt;

use super::FrameWriter;

/// Bits of a varint's byte that are not of the number: the byte is followed by another.
pub(super) const MORE: u8 = 0x80;

/// The parts of frames, written as postcard writes them, which tests compare. With postcard itself, and serde,
/// through which it is called, the sender would take twice the space in a small guest.
impl FrameWriter {
    #[allow(clippy::cast_possible_truncation)] // the low bits
    pub fn uint(&mut self, mut value: u64) {
        while value >= MORE.into() {
            self.buffer.push(value as u8 | MORE);
            value >>= 7;
        }
        self.buffer.push(value as u8);
    }

    /// Writes two numbers, which are mostly small both.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline)]
    #[allow(clippy::cast_possible_truncation)] // as above
    pub(super) fn uints(&mut self, first: u64, second: u64) {
        if first | second < MORE.into() {
            self.buffer.extend(&[first as u8, second as u8]);
        } else {
            self.large_uints(first, second);
        }
    }

    #[inline(never)]
    fn large_uints(&mut self, first: u64, second: u64) {
        self.uint(first);
        self.uint(second);
    }

    /// Goes about it in halves, which is less code where registers have 64 bits.
    #[allow(clippy::cast_possible_truncation)] // as above
    pub(super) fn uint_128(&mut self, value: u128) {
        let (mut high, mut low) = ((value >> 64) as u64, value as u64);
        while high != 0 {
            self.buffer.push(low as u8 | MORE);
            low = low >> 7 | high << 57;
            high >>= 7;
        }
        self.uint(low);
    }

    pub(super) fn len(&mut self, len: usize) {
        self.uint(len as u64);
    }

    /// Writes bytes without their length.
    #[cfg(feature = "stream")]
    pub(crate) fn plain(&mut self, bytes: &[u8]) {
        self.buffer.extend(bytes);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.len(bytes.len());
        self.buffer.extend(bytes);
    }

    pub fn str(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn optional_str(&mut self, text: Option<&str>) {
        self.uint(text.is_some().into());
        if let Some(text) = text {
            self.str(text);
        }
    }

    pub(super) fn optional_uint(&mut self, value: Option<u32>) {
        self.uint(value.is_some().into());
        if let Some(value) = value {
            self.uint(value.into());
        }
    }

    /// Writes text of a length that is known only afterwards, formatting it once.
    pub(super) fn text(&mut self, text: fmt::Arguments<'_>) {
        let start = self.placeholder();
        // What an implementation wrote before it failed stays.
        let _ = fmt::write(&mut self.buffer, text);
        self.fill(start, self.buffer.len() - start - 1);
    }

    /// Leaves a place for a small number, and returns where it is.
    pub(super) fn placeholder(&mut self) -> usize {
        self.buffer.push(0);
        self.buffer.len() - 1
    }

    /// Writes the number into its place, and moves what follows if it is not that small.
    #[allow(clippy::cast_possible_truncation)] // the low bits
    pub(super) fn fill(&mut self, mut place: usize, mut value: usize) {
        while value >= MORE.into() {
            self.buffer.set(place, value as u8 | MORE);
            value >>= 7;
            place += 1;
            self.buffer.insert(place, 0);
        }
        self.buffer.set(place, value as u8);
    }
}
