//! A hash of numbers that come from this process, not from an attacker: addresses, and IDs that are given here.

use core::hash::Hasher;

/// Spreads numbers, which may be close to one another or multiples of 8, over all bits.
#[derive(Debug, Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        /// From the golden ratio; any odd number without a pattern would do.
        const FACTOR: u128 = 0x9e37_79b9_7f4a_7c15;

        let product = u128::from(self.0.rotate_left(26) ^ number) * FACTOR;
        #[allow(clippy::cast_possible_truncation)] // both halves are there
        let (low, high) = (product as u64, (product >> u64::BITS) as u64);
        self.0 = low ^ high;
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
