//! Knows in which records a call is nested, on whichever thread it runs.
//!
//! A subscriber that is told of a record may do something that has to wait for the end of the record, such as ending
//! the stream. It would wait for itself. So each thread knows the streams of whose records it is being told, and a
//! worker of a relay knows those of the thread that waits for it.

use core::cell::Cell;

/// Streams that are remembered. A call that is nested deeper counts as nested in records of every stream: then an
/// error is returned where waiting might have been all right, and not the other way round.
const MAX_DEPTH: usize = 8;

/// Numbers of the streams in whose records a call is nested, the outermost first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nesting {
    streams: [usize; MAX_DEPTH],
    depth: usize,
}

std::thread_local! {
    // There is nothing to be dropped, so that it is there until the thread has ended.
    static CURRENT: Cell<Nesting> = const { Cell::new(Nesting { streams: [0; MAX_DEPTH], depth: 0 }) };
}

impl Nesting {
    /// Returns that of the current thread.
    pub(crate) fn current() -> Self {
        CURRENT.get()
    }

    pub(crate) fn contains(&self, stream: usize) -> bool {
        self.streams.get(..self.depth).is_none_or(|streams| streams.contains(&stream))
    }

    /// Adds a record of the stream.
    pub(crate) fn within(mut self, stream: usize) -> Self {
        if let Some(place) = self.streams.get_mut(self.depth) {
            *place = stream;
        }
        self.depth = self.depth.saturating_add(1);
        self
    }

    /// Runs the function in these records instead of those of the thread.
    pub(crate) fn run<T>(self, f: impl FnOnce() -> T) -> T {
        struct Restore(Nesting);

        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }

        let _restore = Restore(CURRENT.replace(self));
        f()
    }
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;

    #[test]
    fn call_that_is_nested_too_deep_is_in_every_stream() {
        let mut nesting = Nesting::current();
        for stream in 1..=MAX_DEPTH {
            nesting = nesting.within(stream);
        }
        assert!((1..=MAX_DEPTH).all(|stream| nesting.contains(stream)));
        assert!(!nesting.contains(MAX_DEPTH + 1));
        assert!(nesting.within(7).contains(MAX_DEPTH + 1));
    }

    #[test]
    fn nesting_ends_with_the_function_even_if_that_panics() {
        let nesting = Nesting::current().within(1);
        assert!(nesting.run(|| Nesting::current().contains(1)));
        let _ = panic::catch_unwind(|| nesting.run(|| panic!("in a record")));
        assert!(!Nesting::current().contains(1));
    }
}
