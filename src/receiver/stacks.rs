use super::{
    per_thread::{FIRST_THREAD, PerThread},
    span::EnteredSpan,
};
use crate::wire::{RawSpanId, SpanStack, ThreadIndex};

/// Spans that are entered, on each thread of a stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Stacks {
    /// Stacks of those threads that are in spans. The first thread's stack stays, for the sake of its memory.
    stacks: PerThread<SpanStack<EnteredSpan>>,
    /// Enters on all of them.
    len: usize,
}

impl Stacks {
    #[inline]
    pub(super) fn push(&mut self, thread: ThreadIndex, span: EnteredSpan) {
        self.len += 1;
        self.stacks.get_or_insert_with(thread, SpanStack::new).push(span);
    }

    /// Undoes the latest enter of a span on a thread, and returns it if there is one.
    #[inline]
    pub(super) fn remove(&mut self, thread: ThreadIndex, id: RawSpanId) -> Option<EnteredSpan> {
        let stack = self.stacks.get_mut(thread)?;
        let removed = stack.remove(id)?;
        self.len -= 1;
        if thread != FIRST_THREAD && stack.is_empty() {
            self.stacks.remove(thread);
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
        self.stacks.get(thread).map_or(0, SpanStack::len)
    }

    /// Iterates over those spans that a thread has entered for the first time, innermost first.
    #[inline]
    pub(super) fn scope(&self, thread: ThreadIndex) -> impl Iterator<Item = &EnteredSpan> {
        self.stacks.get(thread).into_iter().flat_map(SpanStack::scope)
    }

    /// Returns the span that a thread is in, if any.
    #[inline]
    pub(super) fn current(&self, thread: ThreadIndex) -> Option<&EnteredSpan> {
        self.stacks.get(thread)?.current()
    }

    /// Returns the innermost span in the scope of a thread that the sink has, or had.
    #[inline]
    pub(super) fn in_sink(&self, thread: ThreadIndex) -> Option<&EnteredSpan> {
        self.stacks.get(thread)?.wanted()
    }

    /// Leaves the innermost spans out of a thread's scope for as long as the function says so, if there are so
    /// many that passing over them with each record would take long.
    #[inline]
    pub(super) fn pass_over(
        &mut self,
        thread: ThreadIndex,
        is_passed_over: impl Fn(&EnteredSpan) -> bool,
    ) {
        if let Some(stack) = self.stacks.get_mut(thread) {
            stack.pass_over(is_passed_over);
        }
    }

    /// Iterates over all enters in the order of threads, on each the outermost one first.
    pub(super) fn iter(
        &self,
    ) -> impl Iterator<Item = (ThreadIndex, impl DoubleEndedIterator<Item = &EnteredSpan>)> {
        self.stacks.iter().map(|(thread, stack)| (thread, stack.iter()))
    }
}
