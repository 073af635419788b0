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
///
/// There are two lists, and one of them is valid. A span that is not innermost is exited by copying the
/// others to the second list, which is valid from then on: a single store changes from one to the
/// other: a program that is stopped in the middle has either.
///
/// ```text
/// enter:  list[len] = id;                       state = (list, len + 1)
/// exit:   innermost:                            state = (list, len - 1)
///         otherwise: other = list without id;   state = (other, len - 1)
/// ```
pub(in crate::sender) struct Context {
    lists: [Segments<Cell>; 2],
    /// Twice the number of spans, plus 1 if the second list is valid.
    state: AtomicUsize,
    is_sending: AtomicBool,
}

impl Context {
    pub(in crate::sender) const fn new() -> Self {
        Self {
            lists: [const { Segments::new() }; 2],
            state: AtomicUsize::new(0),
            is_sending: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(in crate::sender) const fn thread(&self) -> Thread<'_> {
        Thread(self)
    }

    /// Returns the valid list, the other one, and how many spans are entered.
    fn entered(&self) -> (&Segments<Cell>, &Segments<Cell>, usize) {
        let [first, second] = &self.lists;
        let state = self.state.load(Ordering::Relaxed);
        if state % 2 == 0 { (first, second, state / 2) } else { (second, first, state / 2) }
    }
}

fn get(list: &Segments<Cell>, index: usize) -> u64 {
    list.get(index).map_or(0, Cell::load)
}

/// Stores an ID; `false` if there is no room.
fn set(list: &Segments<Cell>, index: usize, id: u64) -> bool {
    list.get_or_default(index).map(|cell| cell.store(id)).is_some()
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
        let (list, _, len) = self.0.entered();
        if set(list, len, id.into_u64()) {
            self.0.state.fetch_add(2, Ordering::Relaxed);
        }
    }

    pub(in crate::sender) fn exit(&self, id: &Id) {
        let (list, other, len) = self.0.entered();
        let position = (0..len).rev().find(|&index| get(list, index) == id.into_u64());
        let Some(position) = position else { return };
        let state = self.0.state.load(Ordering::Relaxed) - 2;
        if position + 1 == len {
            return self.0.state.store(state, Ordering::Relaxed);
        }
        let others = (0..len).filter(|index| *index != position).map(|index| get(list, index));
        if others.enumerate().all(|(index, id)| set(other, index, id)) {
            self.0.state.store(state ^ 1, Ordering::Relaxed);
        }
    }

    pub(in crate::sender) fn current(&self) -> Option<Id> {
        let (list, _, len) = self.0.entered();
        let is_first_enter = |&index: &usize| {
            let id = get(list, index);
            !(0..index).any(|below| get(list, below) == id)
        };
        let index = (0..len).rev().find(is_first_enter)?;
        core::num::NonZeroU64::new(get(list, index)).map(Id::from_non_zero_u64)
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
