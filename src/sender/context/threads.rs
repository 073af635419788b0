//! What a sender knows of each thread, where there are thread locals.

use alloc::{
    sync::{Arc, Weak},
    vec::Vec,
};
use core::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

use tracing_core::span::Id;

use crate::wire::{SpanStack, ThreadIndex};

/// Threads of one sender.
pub(in crate::sender) struct Context {
    threads: Arc<Threads>,
}

struct Threads {
    next_index: AtomicU64,
}

/// What the current thread is to one sender.
struct ThreadOfSender {
    sender: Weak<Threads>,
    index: ThreadIndex,
    entered: SpanStack<Id>,
    /// Whether the thread is in the sender's function.
    is_sending: bool,
}

std::thread_local! {
    static SENDERS: RefCell<Vec<ThreadOfSender>> = const { RefCell::new(Vec::new()) };
}

impl Context {
    pub(in crate::sender) fn new() -> Self {
        Self { threads: Arc::new(Threads { next_index: AtomicU64::new(0) }) }
    }

    /// Number of the current thread among those that used the sender.
    pub(in crate::sender) fn thread(&self) -> ThreadIndex {
        self.with(|thread| thread.index).unwrap_or_else(|| self.next_index())
    }

    /// Notes that the current thread enters a span, and returns its number.
    pub(in crate::sender) fn enter(&self, id: &Id) -> ThreadIndex {
        let entered = self.with(|thread| {
            thread.entered.push(id.clone());
            thread.index
        });
        entered.unwrap_or_else(|| self.next_index())
    }

    /// Notes that the current thread exits a span, and returns its number.
    pub(in crate::sender) fn exit(&self, id: &Id) -> ThreadIndex {
        let exited = self.with(|thread| {
            thread.entered.remove(id.into_u64());
            thread.index
        });
        exited.unwrap_or_else(|| self.next_index())
    }

    /// Returns the span that the current thread is in.
    pub(in crate::sender) fn current(&self) -> Option<Id> {
        self.with(|thread| thread.entered.scope().next().cloned()).flatten()
    }

    /// Whether the current thread is in the sender's function.
    pub(in crate::sender) fn is_sending(&self) -> bool {
        self.with(|thread| thread.is_sending).unwrap_or(false)
    }

    pub(in crate::sender) fn set_sending(&self, is_sending: bool) {
        self.with(|thread| thread.is_sending = is_sending);
    }

    /// Runs the function on the current thread's entry for this sender; `None` if the thread is
    /// about to end and has lost its memory. A thread that goes on tracing then is a new one with
    /// every record, so that its records go to no span which it may have left.
    fn with<T>(&self, f: impl FnOnce(&mut ThreadOfSender) -> T) -> Option<T> {
        SENDERS
            .try_with(|senders| {
                // Nothing that traces runs under this borrow.
                let mut senders = senders.try_borrow_mut().ok()?;
                let is_this = |thread: &ThreadOfSender| {
                    core::ptr::eq(thread.sender.as_ptr(), Arc::as_ptr(&self.threads))
                };
                let position = senders.iter().position(is_this).unwrap_or_else(|| {
                    senders.retain(|thread| thread.sender.strong_count() > 0);
                    senders.push(ThreadOfSender {
                        sender: Arc::downgrade(&self.threads),
                        index: self.next_index(),
                        entered: SpanStack::new(),
                        is_sending: false,
                    });
                    senders.len() - 1
                });
                senders.get_mut(position).map(f)
            })
            .ok()
            .flatten()
    }

    fn next_index(&self) -> ThreadIndex {
        self.threads.next_index.fetch_add(1, Ordering::Relaxed)
    }
}
