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

    #[allow(clippy::unused_self)] // it is the same function as where there are threads
    pub(in crate::sender) const fn thread(&self) -> ThreadIndex {
        0
    }

    pub(in crate::sender) fn enter(&self, id: &Id) -> ThreadIndex {
        let index = self.len.fetch_add(1, Ordering::Relaxed);
        if let Some(cell) = self.entered.get_or_default(index) {
            cell.store(id.into_u64());
        }
        0
    }

    pub(in crate::sender) fn exit(&self, id: &Id) -> ThreadIndex {
        let len = self.len.load(Ordering::Relaxed);
        let position = (0..len).rev().find(|&index| self.get(index) == id.into_u64());
        if let Some(position) = position {
            for index in position + 1..len {
                if let Some(cell) = self.entered.get(index - 1) {
                    cell.store(self.get(index));
                }
            }
            self.len.store(len - 1, Ordering::Relaxed);
        }
        0
    }

    pub(in crate::sender) fn current(&self) -> Option<Id> {
        let len = self.len.load(Ordering::Relaxed);
        let is_first_enter = |&index: &usize| {
            let id = self.get(index);
            !(0..index).any(|below| self.get(below) == id)
        };
        let index = (0..len).rev().find(is_first_enter)?;
        core::num::NonZeroU64::new(self.get(index)).map(Id::from_non_zero_u64)
    }

    /// Whether the program is in the sender's function.
    pub(in crate::sender) fn is_sending(&self) -> bool {
        self.is_sending.load(Ordering::Relaxed)
    }

    pub(in crate::sender) fn set_sending(&self, is_sending: bool) {
        self.is_sending.store(is_sending, Ordering::Relaxed);
    }

    fn get(&self, index: usize) -> u64 {
        self.entered.get(index).map_or(0, Cell::load)
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
        assert_eq!(context.current(), None);
        for entered in [1, 2, 1] {
            context.enter(&id(entered));
        }
        assert_eq!(context.current(), Some(id(2)));
        context.exit(&id(1));
        assert_eq!(context.current(), Some(id(2)));
        context.exit(&id(1));
        assert_eq!(context.current(), Some(id(2)));
        context.exit(&id(7));
        context.exit(&id(2));
        assert_eq!(context.current(), None);
    }

    #[test]
    fn spans_are_exited_in_any_order() {
        let context = Context::new();
        for entered in 1..=100 {
            assert_eq!(context.enter(&id(entered)), context.thread());
        }
        context.exit(&id(50));
        context.exit(&id(100));
        assert_eq!(context.current(), Some(id(99)));
        for exited in (51..=99).rev() {
            context.exit(&id(exited));
        }
        assert_eq!(context.current(), Some(id(49)));
    }

    #[test]
    fn sending_is_noted() {
        let context = Context::new();
        for is_sending in [true, false] {
            context.set_sending(is_sending);
            assert_eq!(context.is_sending(), is_sending);
        }
    }
}
