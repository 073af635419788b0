//! What a sender knows of each thread, where there are thread locals.

use alloc::{
    rc::Rc,
    sync::{Arc, Weak},
    vec::Vec,
};
use core::{
    cell::{Cell, RefCell},
    marker::PhantomData,
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

/// What the current thread is to one sender. It is looked up once a record.
pub(crate) struct Thread<'a> {
    state: Rc<State>,
    sender: PhantomData<&'a Context>,
}

struct State {
    index: ThreadIndex,
    entered: RefCell<SpanStack<Id>>,
    /// Whether the thread is in the sender's function.
    is_sending: Cell<bool>,
}

struct ThreadOfSender {
    sender: Weak<Threads>,
    state: Rc<State>,
}

std::thread_local! {
    static SENDERS: RefCell<Vec<ThreadOfSender>> = const { RefCell::new(Vec::new()) };
}

impl Context {
    pub(in crate::sender) fn new() -> Self {
        Self { threads: Arc::new(Threads { next_index: AtomicU64::new(0) }) }
    }

    /// Returns what the current thread is.
    ///
    /// A thread that is about to end has lost its memory. If it goes on tracing then, it is a new one
    /// with every record: its records go to no span which it may have left.
    #[inline]
    pub(in crate::sender) fn thread(&self) -> Thread<'_> {
        // Nothing that traces runs under this borrow.
        let known = SENDERS.try_with(|senders| {
            let senders = senders.try_borrow().ok()?;
            let is_this = |thread: &&ThreadOfSender| {
                core::ptr::eq(thread.sender.as_ptr(), Arc::as_ptr(&self.threads))
            };
            senders.iter().find(is_this).map(|thread| Rc::clone(&thread.state))
        });
        let state = known.ok().flatten().unwrap_or_else(|| self.meet());
        Thread { state, sender: PhantomData }
    }

    /// Takes in a thread that was not known.
    #[cold]
    fn meet(&self) -> Rc<State> {
        let state = Rc::new(State {
            index: self.threads.next_index.fetch_add(1, Ordering::Relaxed),
            entered: RefCell::new(SpanStack::new()),
            is_sending: Cell::new(false),
        });
        let _ = SENDERS.try_with(|senders| {
            let Ok(mut senders) = senders.try_borrow_mut() else { return };
            senders.retain(|thread| thread.sender.strong_count() > 0);
            let sender = Arc::downgrade(&self.threads);
            senders.push(ThreadOfSender { sender, state: Rc::clone(&state) });
        });
        state
    }
}

impl Thread<'_> {
    /// Number of the thread among those that used the sender.
    #[inline]
    pub(in crate::sender) fn index(&self) -> ThreadIndex {
        self.state.index
    }

    /// Notes that the thread enters a span.
    #[inline]
    pub(in crate::sender) fn enter(&self, id: &Id) {
        if let Ok(mut entered) = self.state.entered.try_borrow_mut() {
            entered.push(id.clone());
        }
    }

    /// Notes that the thread exits a span.
    #[inline]
    pub(in crate::sender) fn exit(&self, id: &Id) {
        if let Ok(mut entered) = self.state.entered.try_borrow_mut() {
            entered.remove(id.into_u64());
        }
    }

    /// Returns the span that the thread is in.
    pub(in crate::sender) fn current(&self) -> Option<Id> {
        self.state.entered.try_borrow().ok()?.current().cloned()
    }

    /// Whether the thread is in the sender's function.
    #[inline]
    pub(in crate::sender) fn is_sending(&self) -> bool {
        self.state.is_sending.get()
    }

    #[inline]
    pub(in crate::sender) fn set_sending(&self, is_sending: bool) {
        self.state.is_sending.set(is_sending);
    }
}
