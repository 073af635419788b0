//! Which threads of the host are in the spans of a stream's first thread.

use alloc::{collections::BTreeSet, sync::Arc, vec, vec::Vec};
use core::{
    cell::Cell,
    mem,
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicU64, Ordering},
};
use std::{sync::MutexGuard, thread};

use tracing_core::{Dispatch, span::Id};

use super::{
    guard::with_default,
    id,
    lanes::current_span,
    observers::{Told, tell_guest},
};
use crate::{
    lock::Mutex,
    panics,
    receiver::{sink::SinkSpan, unsent::Unsent},
    this_thread::{ThreadNumber, this_thread},
    wire::{SpanStack, StackedSpan},
};

/// The spans that the first thread of a stream is in, and the threads of the host that are in them, too.
///
/// A guest keeps its spans for as long as it lives; a thread of the host is in them only while it runs the guest. So
/// there are two kinds of lists: the guest's stack, and for each thread of the host what that has entered. Before a
/// record is relayed, and when a call of the guest begins, the second is made equal to the first:
///
/// ```text
/// common := length of the longest common prefix of `entered` and `stack`
/// exit what is in `entered` from there on, innermost first
/// enter what is in `stack` from there on, outermost first
/// ```
///
/// When a call of the guest ends, the thread exits what it has entered since the call began. The lists are not
/// locked while the subscriber is told: it may call back.
///
/// A call that is a future has several turns, and a function of the host that the guest calls may have a span of its own,
/// in which it awaits another call of the guest. This span has to be entered between the spans of the two calls, in each
/// turn. So each span of the stack has the number of the call in which the guest entered it: how many calls the thread
/// was in. The next turn of the outer call enters what has its own number or a lower one, and leaves the rest to the turn
/// of the inner one. Whenever the guest itself shows that it runs in the outer call, the inner one is over, and what it
/// has left open is the outer one's:
///
/// ```text
/// stack                     order 1, item 1, order 2, item 2
/// turn of the outer call    enters order, item
/// turn of the host's span   enters that
/// turn of the inner call    enters order, item
/// ```
///
/// Most records need none of this: the thread runs the guest, and is in the same spans. Its number is kept beside the
/// lock, so that such a record only has to look at that. A thread that changes the lists writes it before it releases the
/// lock. Only the thread with this number, or one that takes the records in its place, can make it untrue.
#[derive(Debug, Clone, Default)]
pub(in crate::receiver) struct HostThreads(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Number of the thread that runs the guest and is in the same spans, or 0.
    in_step: AtomicU64,
}

/// The lists, while they are locked.
struct Locked<'a> {
    state: MutexGuard<'a, State>,
    in_step: &'a AtomicU64,
}

impl Deref for Locked<'_> {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        self.in_step.store(self.state.in_step().map_or(0, ThreadNumber::get), Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct State {
    /// The subscriber that the spans are of.
    dispatch: Option<Dispatch>,
    /// Whether the receiver is gone, and the subscriber is only needed for threads that are still in spans.
    is_let_go: bool,
    stack: SpanStack<Stacked>,
    /// Spans on the stack that the subscriber has closed: they cannot be entered again.
    closed: BTreeSet<SinkSpan>,
    /// Whether threads of the host are in the guest's spans during calls only. If not, the thread that receives is in
    /// them until the guest exits them.
    is_scoped: bool,
    /// The one that was the last to do something comes first.
    threads: Vec<HostThread>,
    /// Records that the guest may not have sent to the capture that watches it.
    unsent: Arc<Unsent>,
    told: Told,
    /// Whether the capture of this subscriber, if any, watches the guest.
    is_watched: bool,
}

#[derive(Debug, Clone)]
struct Stacked {
    span: SinkSpan,
    /// Number of the call in which the guest entered it, or of one around it that has gone on since.
    call: Cell<usize>,
}

impl StackedSpan for Stacked {
    fn key(&self) -> u64 {
        self.span.get()
    }
}

/// Which part of a call of the guest begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::receiver) enum Turn {
    /// All of it: it does not wait.
    Whole,
    /// The first poll of a future, or none yet.
    First,
    /// A further poll of a future, or its drop. A call within this one may be waiting, too.
    Further,
}

#[derive(Debug)]
struct HostThread {
    number: ThreadNumber,
    /// Calls of the guest that this thread is in, one within the other.
    calls: usize,
    entered: SpanStack<EnteredSpan>,
    /// Whether `entered` is equal to the stack.
    is_in_step: bool,
    /// How many of the entered spans were passed over.
    passed_over: usize,
    /// The host's own span around `entered`, kept open.
    host_span: Option<Id>,
    /// How often, one within the other, the subscriber is being told of moves of this thread: it may call back.
    told: usize,
}

#[derive(Debug, Clone, Copy)]
struct EnteredSpan {
    span: SinkSpan,
    /// Number of calls that the thread was in.
    call: usize,
    /// Whether it was passed over, since it was closed.
    is_passed_over: bool,
}

impl StackedSpan for EnteredSpan {
    fn key(&self) -> u64 {
        self.span.get()
    }
}

/// What the subscriber is to be told, in this order.
#[derive(Debug, Default)]
struct Moves {
    exits: Vec<SinkSpan>,
    /// Whether this thread has been in no span of the guest until now.
    is_first: bool,
    enters: Vec<SinkSpan>,
}

impl HostThreads {
    #[inline]
    fn lock(&self) -> Locked<'_> {
        Locked { state: self.0.state.lock(), in_step: &self.0.in_step }
    }

    /// Whether this thread runs the guest, and is in the same spans.
    #[inline]
    fn is_in_step(&self) -> bool {
        self.0.in_step.load(Ordering::Relaxed) == this_thread().get()
    }

    /// From now on, threads of the host are in the guest's spans during calls only.
    pub(super) fn leave_after_calls(&self) {
        let exits = {
            let mut state = self.lock();
            state.is_scoped = true;
            let thread = state.find().filter(|thread| thread.calls == 0);
            thread.map_or_else(Vec::new, |thread| thread.leave(|_| true))
        };
        self.tell_of(Moves { exits, ..Moves::default() });
    }

    /// Sets the subscriber that the spans are of.
    pub(super) fn set_dispatch(&self, dispatch: &Dispatch) {
        let (before, host_spans) = {
            let mut state = self.lock();
            // What other threads are in is not known to this subscriber.
            let host_spans: Vec<_> =
                state.threads.iter_mut().filter_map(HostThread::forget).collect();
            state.is_let_go = false;
            state.is_watched = false;
            (state.dispatch.replace(dispatch.clone()), host_spans)
        };
        // Not under the lock: this may be the end of the subscriber before, which may call back.
        if let Some(before) = before {
            release_all(host_spans, &before);
        }
    }

    /// Lets go of the subscriber, for which there are no spans any more. Handles may outlive the receiver.
    pub(super) fn let_go(&self) {
        let (dispatch, host_spans) = {
            let mut state = self.lock();
            state.is_let_go = true;
            // Threads that the receiver was moved from are in no call, at whose end they would leave.
            let left = state.threads.iter_mut().filter(|thread| thread.calls == 0);
            let host_spans = left.filter_map(HostThread::forget).collect();
            (state.dispatch.clone(), host_spans)
        };
        if let Some(dispatch) = &dispatch {
            release_all(host_spans, dispatch);
        }
        let unused = self.lock().unused_dispatch();
        drop(unused); // not while it is locked: this may be the last one
    }

    /// Whether the guest is in no span.
    pub(super) fn is_outside(&self) -> bool {
        self.lock().stack.is_empty()
    }

    /// Whether spans may be entered and exited on this thread: it runs the guest, or need not say so.
    #[inline]
    pub(in crate::receiver) fn is_in_scope(&self) -> bool {
        self.is_in_step() || self.has_begun_a_call()
    }

    fn has_begun_a_call(&self) -> bool {
        let mut state = self.lock();
        !state.is_scoped || state.find().is_some_and(|thread| thread.calls > 0)
    }

    /// Whether this thread runs the guest in its scope.
    fn is_in_call(&self) -> bool {
        let mut state = self.lock();
        state.is_scoped && state.find().is_some_and(|thread| thread.calls > 0)
    }

    /// Begins a call of the guest on this thread, or a turn of it, which enters the guest's spans.
    #[inline]
    pub(in crate::receiver) fn begin_call(&self, turn: Turn) {
        let moves = {
            let State { threads, stack, closed, unsent, .. } = &mut *self.watched();
            unsent.note_run();
            let thread = this_one_of(threads);
            thread.calls += 1;
            if turn == Turn::First {
                take_over(stack, thread.calls);
            }
            // A subscriber that calls the guest whenever a span is exited would come here without an end.
            let is_left_alone = thread.is_in_step || thread.told > 0;
            let calls = if turn == Turn::Further { thread.calls } else { usize::MAX };
            if is_left_alone { None } else { Some(thread.catch_up(stack, closed, calls)) }
        };
        if let Some(moves) = moves {
            self.tell_of(moves);
        }
    }

    /// Has the capture that the guest is relayed to watch the guest, and the capture of this thread learn the subscriber.
    pub(in crate::receiver) fn watch(&self) {
        drop(self.watched());
    }

    /// Does that, and locks the state.
    #[inline]
    fn watched(&self) -> Locked<'_> {
        let state = self.lock();
        let is_due = state.dispatch.is_some() && (!state.is_watched || state.told.is_due());
        if is_due { self.watch_now(state) } else { state } // it hardly ever is
    }

    #[cold]
    fn watch_now<'a>(&'a self, mut state: Locked<'a>) -> Locked<'a> {
        let Some(dispatch) = state.dispatch.clone() else { return state };
        state.is_watched = true;
        let (mut told, mut unsent) = (state.told, Arc::clone(&state.unsent));
        drop(state);
        told.tell(&dispatch);
        tell_guest(&dispatch, &mut unsent);
        let mut state = self.lock();
        state.told = told;
        state.unsent = unsent;
        state
    }

    /// Notes that the guest runs, since it calls its host.
    pub(in crate::receiver) fn note_run(&self) {
        self.watched().unsent.note_run();
    }

    /// Returns what the guest may not have sent.
    pub(in crate::receiver) fn unsent(&self) -> Arc<Unsent> {
        Arc::clone(&self.lock().unsent)
    }

    /// Ends the call of the guest that began last on this thread, which exits what it has entered since.
    #[inline]
    pub(in crate::receiver) fn end_call(&self) {
        let exits = {
            let mut state = self.lock();
            state.unsent.note_end();
            let is_scoped = state.is_scoped;
            let Some(thread) = state.find() else { return };
            let calls = thread.calls;
            thread.calls = calls.saturating_sub(1);
            if thread.entered.is_empty() {
                return; // as nearly always
            }
            // What it has entered in no call, before there was a scope, goes with the outermost.
            thread.leave(|entered| is_scoped && calls <= 1 || entered.call >= calls)
        };
        self.tell_of(Moves { exits, ..Moves::default() });
        let unused = self.lock().unused_dispatch();
        drop(unused);
    }

    /// Has this thread in the guest's spans, if it runs the guest. Returns whether the guest's current span is the
    /// thread's then.
    #[inline]
    pub(super) fn catch_up(&self, dispatch: &Dispatch) -> bool {
        self.is_in_step() || self.catch_up_now(dispatch)
    }

    fn catch_up_now(&self, dispatch: &Dispatch) -> bool {
        let (moves, is_exact) = {
            let State { threads, stack, closed, is_scoped, .. } = &mut *self.lock();
            let thread = this_one_of(threads);
            if *is_scoped && thread.calls == 0 {
                return stack.is_empty();
            }
            if thread.is_in_step {
                return thread.is_exact();
            }
            take_over(stack, thread.calls);
            (thread.catch_up(stack, closed, usize::MAX), thread.is_exact())
        };
        self.tell(moves, dispatch);
        is_exact
    }

    /// Notes that the guest enters a span. This thread does, too, if it runs the guest.
    pub(super) fn enter(&self, span: SinkSpan, dispatch: &Dispatch) {
        self.catch_up(dispatch);
        let is_first = {
            let State { threads, stack, closed, is_scoped, .. } = &mut *self.lock();
            let thread = this_one_of(threads);
            stack.push(Stacked { span, call: Cell::new(thread.calls) });
            if !closed.is_empty() {
                closed.remove(&span); // an ID may be used again
            }
            let runs_here = !*is_scoped || thread.calls > 0;
            let is_first = !thread.is_inside();
            if runs_here {
                thread.push(span, false);
            }
            lose_step(threads, runs_here);
            if !runs_here {
                return;
            }
            is_first
        };
        if is_first {
            self.note_host_span(dispatch);
        }
        let unwinding = TakeBack { host: self, span };
        dispatch.enter(&id(span)); // whichever subscriber is the default one, as natively
        mem::forget(unwinding);
    }

    /// Notes that the guest exits a span, as does the thread that has entered it.
    pub(super) fn exit(&self, span: SinkSpan, dispatch: &Dispatch) {
        let (is_entered, host_span) = {
            let State { threads, stack, closed, .. } = &mut *self.lock();
            if stack.remove(span.get()).is_none() {
                return;
            }
            if !closed.is_empty() && !stack.contains(span.get()) {
                closed.remove(&span); // the guest may stay in another span for ever
            }
            let exit = |thread: &mut HostThread| {
                let exited = thread.remove(span)?;
                Some((!exited.is_passed_over, thread.host_span_to_release()))
            };
            let exited = exit(this_one_of(threads));
            lose_step(threads, exited.is_some());
            // A receiver may have been moved since: another thread is still in it, as far as the subscriber knows.
            // If that is in a call, it exits the span when the call ends.
            let mut left = threads.iter_mut().filter(|thread| thread.calls == 0);
            exited.or_else(|| left.find_map(exit)).unwrap_or((false, None))
        };
        if is_entered || host_span.is_some() {
            with_default(dispatch, |dispatch| {
                let _released = host_span.map(|host_span| Released { dispatch, host_span });
                if is_entered {
                    dispatch.exit(&id(span));
                }
            });
        }
        if !self.is_in_step() && self.is_in_call() {
            self.catch_up_now(dispatch); // an inner call, which has left spans open, is over
        }
    }

    /// Notes that the subscriber has closed a span that the guest is in, on this thread of the stream or another one.
    pub(super) fn closed(&self, span: SinkSpan) {
        let mut state = self.lock();
        if state.stack.contains(span.get()) {
            state.closed.insert(span);
        }
    }

    /// Returns the host's own span on this thread, which may be in the guest's spans.
    pub(super) fn host_span(&self, dispatch: &Dispatch) -> Option<Id> {
        {
            let mut state = self.lock();
            if let Some(thread) = state.find().filter(|thread| thread.is_inside()) {
                return thread.host_span.clone();
            }
        }
        dispatch.current_span().id().cloned()
    }

    fn note_host_span(&self, dispatch: &Dispatch) {
        let Some(host_span) = current_span(dispatch) else { return };
        let before = self.lock().find().and_then(|thread| thread.host_span.replace(host_span));
        drop(before.map(|host_span| Released { dispatch, host_span }));
    }

    /// Tells the subscriber that the spans are of. If there is none yet, there are no spans.
    fn tell_of(&self, moves: Moves) {
        if moves.exits.is_empty() && moves.enters.is_empty() {
            return; // as nearly always
        }
        let dispatch = self.lock().dispatch.clone();
        if let Some(dispatch) = dispatch {
            self.tell(moves, &dispatch);
        }
    }

    fn tell(&self, moves: Moves, dispatch: &Dispatch) {
        let Moves { exits, is_first, enters } = moves;
        if exits.is_empty() && enters.is_empty() {
            return;
        }
        with_default(dispatch, |dispatch| {
            // An idle thread may be forgotten meanwhile, but not one that is being told.
            this_one_of(&mut self.lock().threads).told += 1;
            let (exits, enters) = (exits.into_iter(), enters.into_iter());
            let mut telling = Telling { host: self, dispatch, exits, enters };
            if is_first {
                self.note_host_span(dispatch);
            }
            telling.exit();
            for span in telling.enters.by_ref() {
                dispatch.enter(&id(span));
            }
        });
    }
}

/// Tells the subscriber of moves. If it panics, it learns of the other exits all the same, and of no enter.
struct Telling<'a> {
    host: &'a HostThreads,
    dispatch: &'a Dispatch,
    exits: vec::IntoIter<SinkSpan>,
    enters: vec::IntoIter<SinkSpan>,
}

impl Telling<'_> {
    fn exit(&mut self) {
        for span in self.exits.by_ref() {
            self.dispatch.exit(&id(span));
        }
    }

    /// Closes the host's own span if the thread is in no span of the guest any more.
    fn end(&self) {
        let released = {
            let mut state = self.host.lock();
            let Some(thread) = state.find() else { return };
            thread.told -= 1;
            for span in self.enters.as_slice().iter().rev() {
                thread.remove(*span);
                thread.is_in_step = false;
            }
            thread.host_span_to_release()
        };
        drop(released.map(|host_span| Released { dispatch: self.dispatch, host_span }));
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return self.end();
        }
        while !self.exits.as_slice().is_empty() {
            let _ = panics::catch(|| self.exit());
        }
        let _ = panics::catch(|| self.end());
    }
}

/// Lets go of the host's own spans on several threads.
fn release_all(host_spans: Vec<Id>, dispatch: &Dispatch) {
    if host_spans.is_empty() {
        return; // as nearly always
    }
    with_default(dispatch, |dispatch| {
        for host_span in host_spans {
            drop(Released { dispatch, host_span });
        }
    });
}

/// A span of the host that is closed when this is dropped, even if the subscriber panics before.
struct Released<'a> {
    dispatch: &'a Dispatch,
    host_span: Id,
}

impl Drop for Released<'_> {
    fn drop(&mut self) {
        panics::without_second(|| self.dispatch.try_close(self.host_span.clone()));
    }
}

/// Takes a span from the guest's stack, if the subscriber panics when it is told that the guest enters the span: nobody
/// will tell of an exit.
struct TakeBack<'a> {
    host: &'a HostThreads,
    span: SinkSpan,
}

impl Drop for TakeBack<'_> {
    fn drop(&mut self) {
        let State { stack, threads, .. } = &mut *self.host.lock();
        stack.remove(self.span.get());
        lose_step(threads, false);
    }
}

impl State {
    /// Returns the thread that runs the guest and is in the same spans, if it was the last to do something.
    #[inline]
    fn in_step(&self) -> Option<ThreadNumber> {
        let first = self.threads.first()?;
        let is_running = !self.is_scoped || first.calls > 0;
        (first.is_in_step && first.passed_over == 0 && is_running).then_some(first.number)
    }

    /// Takes the subscriber out if it is not needed any more.
    fn unused_dispatch(&mut self) -> Option<Dispatch> {
        let is_unused = || self.threads.iter().all(|thread| thread.entered.is_empty());
        if self.is_let_go && is_unused() { self.dispatch.take() } else { None }
    }

    fn find(&mut self) -> Option<&mut HostThread> {
        let number = this_thread();
        self.threads.iter_mut().find(|thread| thread.number == number)
    }
}

/// Gives spans that were entered in calls within this one to this one: it is going on, and they are over.
fn take_over(stack: &SpanStack<Stacked>, call: usize) {
    for stacked in stack.iter() {
        stacked.call.set(stacked.call.get().min(call));
    }
}

/// Returns this thread, which comes first then.
#[inline]
fn this_one_of(threads: &mut Vec<HostThread>) -> &mut HostThread {
    let number = this_thread();
    if threads.first().is_none_or(|first| first.number != number) {
        bring_forward(threads, number);
    }
    &mut threads[0]
}

#[cold]
fn bring_forward(threads: &mut Vec<HostThread>, number: ThreadNumber) {
    if let Some(place) = threads.iter().position(|thread| thread.number == number) {
        threads.swap(0, place);
    } else {
        threads.retain(|thread| !thread.is_idle());
        threads.insert(0, HostThread::new(number));
    }
}

/// Notes that the stack has changed, and that only the first thread has changed with it, if any.
#[inline]
fn lose_step(threads: &mut [HostThread], but_first: bool) {
    for thread in threads.iter_mut().skip(usize::from(but_first)) {
        thread.is_in_step = false;
    }
}

impl HostThread {
    fn new(number: ThreadNumber) -> Self {
        Self {
            number,
            calls: 0,
            entered: SpanStack::new(),
            is_in_step: false,
            passed_over: 0,
            host_span: None,
            told: 0,
        }
    }

    fn is_idle(&self) -> bool {
        // A span of the host that is to be released would stay open.
        self.calls == 0 && self.entered.is_empty() && self.host_span.is_none() && self.told == 0
    }

    /// Forgets what it has entered, and returns the host's span to release.
    fn forget(&mut self) -> Option<Id> {
        self.entered = SpanStack::new();
        (self.passed_over, self.is_in_step) = (0, false);
        self.host_span.take()
    }

    /// Whether the thread is in a span of the guest, as far as the subscriber knows.
    #[inline]
    fn is_inside(&self) -> bool {
        self.entered.len() > self.passed_over
    }

    /// Whether the guest's current span is this thread's.
    #[inline]
    fn is_exact(&self) -> bool {
        let innermost = || self.entered.iter().next_back();
        self.passed_over == 0 || innermost().is_none_or(|innermost| !innermost.is_passed_over)
    }

    /// Makes the spans that this thread has entered equal to the stack, but for what was entered in calls with higher
    /// numbers than this.
    fn catch_up(
        &mut self,
        stack: &SpanStack<Stacked>,
        closed: &BTreeSet<SinkSpan>,
        calls: usize,
    ) -> Moves {
        let is_first = !self.is_inside();
        let pairs = self.entered.iter().zip(stack.iter());
        let common = pairs.take_while(|(entered, stacked)| entered.span == stacked.span).count();
        let mut extra = common..self.entered.len();
        let exits = self.leave(|_| extra.next().is_some());
        let mut enters = Vec::new();
        let missing = stack.iter().skip(common);
        for stacked in missing.take_while(|stacked| stacked.call.get() <= calls) {
            let span = stacked.span;
            let is_passed_over = closed.contains(&span);
            self.push(span, is_passed_over);
            if !is_passed_over {
                enters.push(span);
            }
        }
        self.is_in_step = self.entered.len() == stack.len();
        Moves { exits, is_first, enters }
    }

    fn push(&mut self, span: SinkSpan, is_passed_over: bool) {
        self.entered.push(EnteredSpan { span, call: self.calls, is_passed_over });
        self.passed_over += usize::from(is_passed_over);
    }

    fn remove(&mut self, span: SinkSpan) -> Option<EnteredSpan> {
        let removed = self.entered.remove(span.get())?;
        self.passed_over -= usize::from(removed.is_passed_over);
        Some(removed)
    }

    /// Forgets the innermost spans for as long as the function says so, and returns those that are to be exited.
    fn leave(&mut self, mut is_left: impl FnMut(&EnteredSpan) -> bool) -> Vec<SinkSpan> {
        let mut exits = Vec::new();
        loop {
            let innermost = self.entered.iter().next_back().copied();
            let Some(innermost) = innermost.filter(&mut is_left) else { break };
            self.remove(innermost.span);
            self.is_in_step = false;
            if !innermost.is_passed_over {
                exits.push(innermost.span);
            }
        }
        exits
    }

    fn host_span_to_release(&mut self) -> Option<Id> {
        if self.is_inside() { None } else { self.host_span.take() }
    }
}
