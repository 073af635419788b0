//! What a sender knows of threads where there are no thread locals: the program is taken for one
//! thread.
//!
//! An interrupt handler that enters and exits its spans in pairs fits into that. Threads that a
//! program without `std` has all the same do no harm to one another but this: its records say
//! that they come from one thread.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tracing_core::span::Id;

use crate::{
    sender::{counter::Cell, segments::Segments},
    wire::ThreadIndex,
};

/// Spans that are entered, outermost first, by the rules of `tracing_subscriber::Registry`: see
/// `SpanStack`, which does the same where there are threads.
pub(in crate::sender) struct Context {
    entered: Segments<Cell>,
    len: AtomicUsize,
    is_sending: AtomicBool,
}

impl Context {
    pub(in crate::sender) const fn new() -> Self {
        Self {
            entered: Segments::new(),
            len: AtomicUsize::new(0),
            is_sending: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(in crate::sender) const fn thread(&self) -> Thread<'_> {
        Thread(self)
    }

    fn get(&self, index: usize) -> u64 {
        self.entered.get(index).map_or(0, Cell::load)
    }
}

/// The one thread.
pub(crate) struct Thread<'a>(&'a Context);

impl Thread<'_> {
    #[allow(clippy::unused_self)] // it is the same function as where there are threads
    #[inline]
    pub(in crate::sender) const fn index(&self) -> ThreadIndex {
        0
    }

    pub(in crate::sender) fn enter(&self, id: &Id) {
        let index = self.0.len.fetch_add(1, Ordering::Relaxed);
        if let Some(cell) = self.0.entered.get_or_default(index) {
            cell.store(id.into_u64());
        }
    }

    pub(in crate::sender) fn exit(&self, id: &Id) {
        let context = self.0;
        let len = context.len.load(Ordering::Relaxed);
        let position = (0..len).rev().find(|&index| context.get(index) == id.into_u64());
        if let Some(position) = position {
            for index in position + 1..len {
                if let Some(cell) = context.entered.get(index - 1) {
                    cell.store(context.get(index));
                }
            }
            context.len.store(len - 1, Ordering::Relaxed);
        }
    }

    pub(in crate::sender) fn current(&self) -> Option<Id> {
        let context = self.0;
        let len = context.len.load(Ordering::Relaxed);
        let is_first_enter = |&index: &usize| {
            let id = context.get(index);
            !(0..index).any(|below| context.get(below) == id)
        };
        let index = (0..len).rev().find(is_first_enter)?;
        core::num::NonZeroU64::new(context.get(index)).map(Id::from_non_zero_u64)
    }

    /// Whether the program is in the sender's function.
    #[inline]
    pub(in crate::sender) fn is_sending(&self) -> bool {
        self.0.is_sending.load(Ordering::Relaxed)
    }

    #[inline]
    pub(in crate::sender) fn set_sending(&self, is_sending: bool) {
        self.0.is_sending.store(is_sending, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: u64) -> Id {
        Id::from_u64(id)
    }

    #[test]
    fn reentered_span_does_not_become_current() {
        let context = Context::new();
        let thread = context.thread();
        assert_eq!(thread.current(), None);
        for entered in [1, 2, 1] {
            thread.enter(&id(entered));
        }
        assert_eq!(thread.current(), Some(id(2)));
        thread.exit(&id(1));
        assert_eq!(thread.current(), Some(id(2)));
        thread.exit(&id(1));
        assert_eq!(thread.current(), Some(id(2)));
        thread.exit(&id(7));
        thread.exit(&id(2));
        assert_eq!(thread.current(), None);
    }

    #[test]
    fn spans_are_exited_in_any_order() {
        let context = Context::new();
        let thread = context.thread();
        for entered in 1..=100 {
            thread.enter(&id(entered));
            assert_eq!(thread.index(), 0);
        }
        thread.exit(&id(50));
        thread.exit(&id(100));
        assert_eq!(thread.current(), Some(id(99)));
        for exited in (51..=99).rev() {
            thread.exit(&id(exited));
        }
        assert_eq!(thread.current(), Some(id(49)));
    }

    #[test]
    fn sending_is_noted() {
        let context = Context::new();
        let thread = context.thread();
        for is_sending in [true, false] {
            thread.set_sending(is_sending);
            assert_eq!(thread.is_sending(), is_sending);
        }
    }
}
