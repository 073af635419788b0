//! Threads as small numbers, which fit into the entries of a timeline.

use alloc::collections::BTreeMap;
use core::cell::Cell;

use crate::capture::subscriber::thread_spans::next_number;
use crate::wire::ThreadIndex;

/// The index that all further threads share once the others are used up.
const LAST_INDEX: u16 = (1 << 14) - 1;

/// A thread of this process, or one of a stream that is captured directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ThreadKey {
    /// Unique number of the thread, or of the sink that captures the stream.
    number: u64,
    /// The thread of the stream; 0 for one of this process.
    in_stream: u64,
}

impl ThreadKey {
    /// Returns the current thread.
    #[inline]
    pub(crate) fn current() -> Self {
        std::thread_local! {
            static NUMBER: Cell<Option<u64>> = const { Cell::new(None) };
        }
        // The value needs no drop, so it stays until the thread has ended.
        let number = NUMBER.with(|number| {
            number.get().unwrap_or_else(|| {
                let next = next_number();
                number.set(Some(next));
                next
            })
        });
        Self { number, in_stream: 0 }
    }

    /// Returns a thread of a stream, by the number of the sink that captures the stream. As with a relayed stream, the
    /// first thread is the one that receives, and the others are not threads of this process.
    pub(crate) fn of_stream(stream: u64, thread: ThreadIndex) -> Self {
        if thread == 0 {
            return Self::current();
        }
        Self { number: stream, in_stream: thread }
    }
}

/// Indexes of threads, in the order in which the capture saw them first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Threads {
    indexes: BTreeMap<ThreadKey, u16>,
    /// The last lookup: mostly the next one is for the same thread.
    last: Option<(ThreadKey, u16)>,
}

impl Threads {
    /// Returns the index of a thread. The number of indexes is limited, since a guest may have any number of threads.
    #[inline]
    pub(crate) fn index(&mut self, thread: ThreadKey) -> u16 {
        match self.last {
            Some((last, index)) if last == thread => index,
            _ => self.find(thread),
        }
    }

    #[cold]
    fn find(&mut self, thread: ThreadKey) -> u16 {
        let index = self.indexes.get(&thread).copied().unwrap_or_else(|| {
            let next = u16::try_from(self.indexes.len()).unwrap_or(LAST_INDEX);
            if next < LAST_INDEX {
                self.indexes.insert(thread, next);
            }
            next.min(LAST_INDEX)
        });
        self.last = Some((thread, index));
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(in_stream: u64) -> ThreadKey {
        ThreadKey { number: u64::MAX, in_stream }
    }

    #[test]
    fn indexes_are_in_the_order_of_appearance() {
        let mut threads = Threads::default();
        let indexes = [7, 7, 3, 7, 5, 3, 5].map(|thread| threads.index(key(thread)));
        assert_eq!(indexes, [0, 0, 1, 0, 2, 1, 2]);
    }

    #[test]
    fn threads_beyond_the_bound_share_the_last_index() {
        let mut threads = Threads::default();
        for number in 0..40_000_u64 {
            let expected = number.min(u64::from(LAST_INDEX));
            assert_eq!(u64::from(threads.index(key(number))), expected);
        }
        assert_eq!(threads.indexes.len(), usize::from(LAST_INDEX));
        assert_eq!(threads.index(key(5)), 5);
    }

    #[test]
    fn each_thread_has_a_key_of_its_own() {
        let here = ThreadKey::current();
        assert_eq!(here, ThreadKey::current());
        let there = std::thread::spawn(ThreadKey::current).join().unwrap();
        assert_ne!(here, there);
    }
}
