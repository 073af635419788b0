use alloc::collections::BTreeMap;

use crate::wire::ThreadIndex;

/// The thread that most programs have alone.
pub(super) const FIRST_THREAD: ThreadIndex = 0;

/// A map from the threads of a stream.
///
/// The first thread has a place of its own: in most streams its entry comes and goes with each span that
/// is entered, and a tree that becomes empty each time would allocate a node each time.
#[derive(Debug, Clone)]
pub(super) struct PerThread<T> {
    first: Option<T>,
    others: BTreeMap<ThreadIndex, T>,
}

impl<T> Default for PerThread<T> {
    fn default() -> Self {
        Self { first: None, others: BTreeMap::new() }
    }
}

impl<T> PerThread<T> {
    #[inline]
    pub(super) fn get(&self, thread: ThreadIndex) -> Option<&T> {
        if thread == FIRST_THREAD { self.first.as_ref() } else { self.others.get(&thread) }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, thread: ThreadIndex) -> Option<&mut T> {
        if thread == FIRST_THREAD { self.first.as_mut() } else { self.others.get_mut(&thread) }
    }

    /// Returns the entry of a thread, which is made if there is none.
    #[inline]
    pub(super) fn get_or_insert_with(
        &mut self,
        thread: ThreadIndex,
        new: impl FnOnce() -> T,
    ) -> &mut T {
        if thread == FIRST_THREAD {
            self.first.get_or_insert_with(new)
        } else {
            self.others.entry(thread).or_insert_with(new)
        }
    }

    #[inline]
    pub(super) fn remove(&mut self, thread: ThreadIndex) -> Option<T> {
        if thread == FIRST_THREAD { self.first.take() } else { self.others.remove(&thread) }
    }

    /// Iterates over the entries in the order of threads.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ThreadIndex, &T)> {
        let first = self.first.iter().map(|first| (FIRST_THREAD, first));
        first.chain(self.others.iter().map(|(thread, other)| (*thread, other)))
    }
}
