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
}

impl Default for Stacks {
    fn default() -> Self {
        Self { first: SpanStack::new(), others: BTreeMap::new() }
    }
}

impl Stacks {
    #[inline]
    pub(super) fn push(&mut self, thread: ThreadIndex, span: EnteredSpan) {
        match thread {
            FIRST_THREAD => self.first.push(span),
            _ => self.others.entry(thread).or_insert_with(SpanStack::new).push(span),
        }
    }

    /// Undoes the latest enter of a span on a thread, and returns it if there is one.
    #[inline]
    pub(super) fn remove(&mut self, thread: ThreadIndex, id: RawSpanId) -> Option<EnteredSpan> {
        if thread == FIRST_THREAD {
            return self.first.remove(id);
        }
        let stack = self.others.get_mut(&thread)?;
        let removed = stack.remove(id);
        if stack.is_empty() {
            self.others.remove(&thread);
        }
        removed
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
