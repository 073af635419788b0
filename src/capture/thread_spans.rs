//! In which spans of which capture, or layer that has a filter, the current thread is.

use alloc::vec::Vec;
use core::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

use tracing_core::span::Id;

use crate::wire::SpanStack;

std::thread_local! {
    /// Captures and layers in whose spans the thread is, each by its number.
    static ENTERED: RefCell<Vec<(u64, SpanStack<Id>)>> = const { RefCell::new(Vec::new()) };
}

/// Returns the number of a capture or a layer, which no other one has.
pub(super) fn next_number() -> u64 {
    static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

    NEXT_NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Notes that the thread enters a span.
pub(super) fn enter(capture: u64, id: &Id) {
    // A thread that is about to end has no memory any more, and is in no span.
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        if let Some((_, stack)) = entered.iter_mut().find(|(other, _)| *other == capture) {
            stack.push(id.clone());
        } else {
            let mut stack = SpanStack::new();
            stack.push(id.clone());
            entered.push((capture, stack));
        }
    });
}

/// Notes that the thread exits a span.
pub(super) fn exit(capture: u64, id: &Id) {
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let Some(position) = entered.iter().position(|(other, _)| *other == capture) else {
            return;
        };
        let (_, stack) = &mut entered[position];
        stack.remove(id.into_u64());
        if stack.is_empty() {
            entered.swap_remove(position);
        }
    });
}

/// Returns the span that the thread is in. It may be closed by now.
pub(super) fn current(capture: u64) -> Option<Id> {
    let current = ENTERED.try_with(|entered| {
        let entered = entered.borrow();
        let (_, stack) = entered.iter().find(|(other, _)| *other == capture)?;
        stack.scope().next().cloned()
    });
    current.ok().flatten()
}
