//! 64 bits that are changed through a shared reference, also on targets whose atomics have 32.

#[cfg(target_has_atomic = "64")]
mod imp {
    use core::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default)]
    pub(in super::super) struct Cell(AtomicU64);

    impl Cell {
        pub(in super::super) const fn new(value: u64) -> Self {
            Self(AtomicU64::new(value))
        }

        /// Adds one, and returns what it was before.
        pub(in super::super) fn increment(&self) -> u64 {
            self.0.fetch_add(1, Ordering::Relaxed)
        }

        #[cfg(any(not(feature = "std"), target_family = "wasm", test))]
        pub(in super::super) fn load(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }

        #[cfg(any(not(feature = "std"), target_family = "wasm", test))]
        pub(in super::super) fn store(&self, value: u64) {
            self.0.store(value, Ordering::Relaxed);
        }
    }
}

#[cfg(not(target_has_atomic = "64"))]
mod imp {
    use core::sync::atomic::{AtomicU32, Ordering};

    /// Its halves are not read and written as one: a thread that comes in between, every four
    /// billion increments, could see the new low half with the old high one.
    #[derive(Default)]
    pub(in super::super) struct Cell {
        high: AtomicU32,
        low: AtomicU32,
    }

    impl Cell {
        pub(in super::super) const fn new(value: u64) -> Self {
            #[allow(clippy::cast_possible_truncation)] // into halves
            let (high, low) = ((value >> 32) as u32, value as u32);
            Self { high: AtomicU32::new(high), low: AtomicU32::new(low) }
        }

        pub(in super::super) fn increment(&self) -> u64 {
            let low = self.low.fetch_add(1, Ordering::AcqRel);
            let high = if low == u32::MAX {
                self.high.fetch_add(1, Ordering::AcqRel)
            } else {
                self.high.load(Ordering::Acquire)
            };
            u64::from(high) << 32 | u64::from(low)
        }

        #[cfg(any(not(feature = "std"), target_family = "wasm", test))]
        pub(in super::super) fn load(&self) -> u64 {
            let high = self.high.load(Ordering::Acquire);
            u64::from(high) << 32 | u64::from(self.low.load(Ordering::Acquire))
        }

        #[cfg(any(not(feature = "std"), target_family = "wasm", test))]
        #[allow(clippy::cast_possible_truncation)] // into halves
        pub(in super::super) fn store(&self, value: u64) {
            self.high.store((value >> 32) as u32, Ordering::Release);
            self.low.store(value as u32, Ordering::Release);
        }
    }
}

pub(super) use imp::Cell;
