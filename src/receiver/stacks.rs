use alloc::collections::BTreeMap;
use core::mem;

use super::span::EnteredSpan;
use crate::wire::{RawSpanId, SpanStack, ThreadIndex};

/// The thread that has a stack at all times, as most programs have just this one.
const FIRST_THREAD: ThreadIndex = 0;

/// Spans that are entered, on each thread of a stream.
#[derive(Debug)]
pub(super) struct Stacks {
    first: SpanStack<EnteredSpan>,
    /// Stacks of those other threads that are in spans.
    others: BTreeMap<ThreadIndex, SpanStack<EnteredSpan>>,
    /// Enters on all of them.
    len: usize,
}

impl Default for Stacks {
    fn default() -> Self {
        Self { first: SpanStack::new(), others: BTreeMap::new(), len: 0 }
    }
}

impl Stacks {
    #[inline]
    pub(super) fn push(&mut self, thread: ThreadIndex, span: EnteredSpan) {
        self.len += 1;
        match thread {
            FIRST_THREAD => self.first.push(span),
            _ => self.others.entry(thread).or_default().push(span),
        }
    }

    /// Undoes the latest enter of a span on a thread, and returns it if there is one.
    #[inline]
    pub(super) fn remove(&mut self, thread: ThreadIndex, id: RawSpanId) -> Option<EnteredSpan> {
        if thread == FIRST_THREAD {
            let removed = self.first.remove(id)?;
            self.len -= 1;
            return Some(removed);
        }
        let stack = self.others.get_mut(&thread)?;
        let removed = stack.remove(id)?;
        self.len -= 1;
        if stack.is_empty() {
            self.others.remove(&thread);
        }
        Some(removed)
    }

    /// Returns the number of enters on all threads.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns the number of enters on a thread.
    #[inline]
    pub(super) fn depth(&self, thread: ThreadIndex) -> usize {
        match thread {
            FIRST_THREAD => self.first.len(),
            _ => self.others.get(&thread).map_or(0, SpanStack::len),
        }
    }

    /// Iterates over those spans that a thread has entered for the first time, innermost first.
    #[inline]
    pub(super) fn scope(&self, thread: ThreadIndex) -> impl Iterator<Item = &EnteredSpan> {
        let stack = match thread {
            FIRST_THREAD => Some(&self.first),
            _ => self.others.get(&thread),
        };
        stack.into_iter().flat_map(SpanStack::scope)
    }

    /// Returns the span that a thread is in, if any.
    #[inline]
    pub(super) fn current(&self, thread: ThreadIndex) -> Option<&EnteredSpan> {
        match thread {
            FIRST_THREAD => self.first.current(),
            _ => self.others.get(&thread)?.current(),
        }
    }

    /// Iterates over all enters in the order of threads, on each the outermost one first.
    pub(super) fn iter(
        &self,
    ) -> impl Iterator<Item = (ThreadIndex, impl DoubleEndedIterator<Item = &EnteredSpan>)> {
        let others = self.others.iter().map(|(thread, stack)| (*thread, stack));
        [(FIRST_THREAD, &self.first)]
            .into_iter()
            .chain(others)
            .map(|(thread, stack)| (thread, stack.iter()))
    }

    /// Leaves the stacks empty.
    pub(super) fn take(&mut self) -> Self {
        mem::take(self)
    }
}
