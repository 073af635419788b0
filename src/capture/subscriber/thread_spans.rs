//! The spans that the current thread is in, for each capture or layer.

use alloc::vec::Vec;
use core::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

use tracing_core::span::Id;

use crate::wire::SpanStack;

std::thread_local! {
    /// The entered spans of each capture or layer, by its number. An entry may be empty, to reuse its memory.
    static ENTERED: RefCell<Vec<(u64, SpanStack<Id>)>> = const { RefCell::new(Vec::new()) };
}

/// Returns a unique number for a capture or a layer.
pub(crate) fn next_number() -> u64 {
    static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

    NEXT_NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Notes that the thread enters a span.
pub(crate) fn enter(capture: u64, id: &Id) {
    // A thread that is about to end has no thread-local values any more, and is in no span.
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let is_this = |(other, _): &(u64, _)| *other == capture;
        let is_left = |(_, stack): &(_, SpanStack<Id>)| stack.is_empty();
        let known = entered.iter().position(is_this).or_else(|| entered.iter().position(is_left));
        let position = known.unwrap_or_else(|| {
            entered.push((capture, SpanStack::new()));
            entered.len() - 1
        });
        let (of, stack) = &mut entered[position];
        *of = capture;
        stack.push(id.clone());
    });
}

/// Notes that the thread exits a span.
pub(crate) fn exit(capture: u64, id: &Id) {
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let Some(position) = entered.iter().position(|(other, _)| *other == capture) else {
            return;
        };
        let (_, stack) = &mut entered[position];
        stack.remove(id.into_u64());
        if stack.is_empty() && entered.iter().filter(|(_, stack)| stack.is_empty()).count() > 1 {
            entered.swap_remove(position);
        }
    });
}

/// Returns the spans that the thread is in, innermost first. Some may be closed by now.
pub(crate) fn scope(capture: u64) -> Vec<Id> {
    let scope = ENTERED.try_with(|entered| {
        let entered = entered.borrow();
        let (_, stack) = entered.iter().find(|(other, _)| *other == capture)?;
        Some(stack.scope().cloned().collect())
    });
    scope.ok().flatten().unwrap_or_default()
}

/// Returns the span that the thread is in. It may be closed by now.
pub(crate) fn current(capture: u64) -> Option<Id> {
    let current = ENTERED.try_with(|entered| {
        let entered = entered.borrow();
        let (_, stack) = entered.iter().find(|(other, _)| *other == capture)?;
        stack.current().cloned()
    });
    current.ok().flatten()
}
