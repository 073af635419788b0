//! Which threads of the host are in the spans of a stream's first thread.

use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};

use parking_lot::Mutex;
use tracing_core::{Dispatch, span::Id};

use super::{
    guard::with_default,
    id,
    lanes::current_span,
    this_thread::{ThreadNumber, this_thread},
};
use crate::{
    receiver::sink::SinkSpan,
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
#[derive(Debug, Clone, Default)]
pub(in crate::receiver) struct HostThreads(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The subscriber that the spans are of.
    dispatch: Option<Dispatch>,
    stack: SpanStack<Stacked>,
    /// How often the stack has changed.
    version: u64,
    /// Spans on the stack that the subscriber has closed: they cannot be entered again.
    closed: BTreeSet<SinkSpan>,
    /// Whether threads of the host are in the guest's spans during calls only. If not, the thread that receives is in
    /// them until the guest exits them.
    is_scoped: bool,
    threads: Vec<HostThread>,
}

#[derive(Debug, Clone, Copy)]
struct Stacked(SinkSpan);

impl StackedSpan for Stacked {
    fn key(&self) -> u64 {
        self.0.get()
    }
}

#[derive(Debug)]
struct HostThread {
    number: ThreadNumber,
    /// Calls of the guest that this thread is in, one within the other.
    calls: usize,
    entered: SpanStack<EnteredSpan>,
    /// Version of the stack that `entered` is equal to.
    version: Option<u64>,
    /// The host's own span around `entered`, kept open.
    host_span: Option<Id>,
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
    /// From now on, threads of the host are in the guest's spans during calls only.
    pub(super) fn leave_after_calls(&self) {
        let exits = {
            let mut state = self.0.lock();
            state.is_scoped = true;
            let thread = state.find().filter(|thread| thread.calls == 0);
            thread.map_or_else(Vec::new, |thread| thread.leave(|_| true))
        };
        self.tell_of(Moves { exits, ..Moves::default() });
    }

    /// Sets the subscriber that the spans are of.
    pub(super) fn set_dispatch(&self, dispatch: &Dispatch) {
        self.0.lock().dispatch = Some(dispatch.clone());
    }

    /// Whether the guest is in no span.
    pub(super) fn is_outside(&self) -> bool {
        self.0.lock().stack.is_empty()
    }

    /// Whether spans may be entered and exited on this thread: it runs the guest, or need not say so.
    pub(super) fn is_in_scope(&self) -> bool {
        self.0.lock().runs_here()
    }

    /// Begins a call of the guest on this thread, which enters the guest's spans.
    pub(in crate::receiver) fn begin_call(&self) {
        let moves = {
            let mut state = self.0.lock();
            let (thread, guest) = state.here();
            thread.calls += 1;
            thread.catch_up(&guest)
        };
        self.tell_of(moves);
    }

    /// Ends the call of the guest that began last on this thread, which exits what it has entered since.
    pub(in crate::receiver) fn end_call(&self) {
        let exits = {
            let mut state = self.0.lock();
            let Some(thread) = state.find() else { return };
            let calls = thread.calls;
            thread.calls = calls.saturating_sub(1);
            thread.leave(|entered| entered.call >= calls)
        };
        self.tell_of(Moves { exits, ..Moves::default() });
    }

    /// Has this thread in the guest's spans, if it runs the guest. Returns whether the guest's current span is the
    /// thread's then.
    pub(super) fn catch_up(&self, dispatch: &Dispatch) -> bool {
        let (moves, is_exact) = {
            let mut state = self.0.lock();
            if !state.runs_here() {
                return state.stack.is_empty();
            }
            let (thread, guest) = state.here();
            (thread.catch_up(&guest), thread.is_exact())
        };
        self.tell(moves, dispatch);
        is_exact
    }

    /// Notes that the guest enters a span. This thread does, too, if it runs the guest.
    pub(super) fn enter(&self, span: SinkSpan, dispatch: &Dispatch) {
        let (moves, runs_here) = {
            let mut state = self.0.lock();
            let runs_here = state.runs_here();
            let mut moves = Moves::default();
            if runs_here {
                let (thread, guest) = state.here();
                moves = thread.catch_up(&guest);
                moves.is_first |= thread.entered.is_empty();
                let version = guest.version + 1;
                thread.enter(span, version);
            }
            state.stack.push(Stacked(span));
            state.version += 1;
            if !state.closed.is_empty() {
                state.closed.remove(&span); // an ID may be used again
            }
            (moves, runs_here)
        };
        if runs_here {
            self.tell(moves, dispatch);
            with_default(dispatch, |dispatch| dispatch.enter(&id(span)));
        }
    }

    /// Notes that the guest exits a span, as does the thread that has entered it.
    pub(super) fn exit(&self, span: SinkSpan, dispatch: &Dispatch) {
        let (is_entered, host_span) = {
            let mut state = self.0.lock();
            let State { stack, version, closed, threads, .. } = &mut *state;
            if stack.remove(span.get()).is_none() {
                return;
            }
            if stack.is_empty() {
                closed.clear();
            }
            let before = *version;
            *version += 1;
            // A receiver may have been moved since: this thread comes before others.
            let number = this_thread();
            threads.sort_by_key(|thread| thread.number != number);
            let exited = threads
                .iter_mut()
                .find_map(|thread| Some((thread.entered.remove(span.get())?, thread)));
            let Some((exited, thread)) = exited else { return };
            if thread.version == Some(before) {
                thread.version = Some(*version);
            }
            let host_span =
                if thread.number == number { thread.host_span_to_release() } else { None };
            (!exited.is_passed_over, host_span)
        };
        with_default(dispatch, |dispatch| {
            if is_entered {
                dispatch.exit(&id(span));
            }
            if let Some(host_span) = host_span {
                dispatch.try_close(host_span);
            }
        });
    }

    /// Notes that the subscriber has closed a span that the guest is in.
    pub(super) fn closed(&self, span: SinkSpan) {
        let mut state = self.0.lock();
        if !state.stack.is_empty() {
            state.closed.insert(span);
        }
    }

    /// Returns the host's own span on this thread, which may be in the guest's spans.
    pub(super) fn host_span(&self, dispatch: &Dispatch) -> Option<Id> {
        {
            let mut state = self.0.lock();
            if let Some(thread) = state.find().filter(|thread| !thread.entered.is_empty()) {
                return thread.host_span.clone();
            }
        }
        dispatch.current_span().id().cloned()
    }

    fn note_host_span(&self, dispatch: &Dispatch) {
        let Some(host_span) = with_default(dispatch, current_span) else { return };
        if let Some(thread) = self.0.lock().find() {
            thread.host_span = Some(host_span);
        }
    }

    /// Tells the subscriber that the spans are of. If there is none yet, there are no spans.
    fn tell_of(&self, moves: Moves) {
        if moves.exits.is_empty() && moves.enters.is_empty() {
            return; // as nearly always
        }
        let dispatch = self.0.lock().dispatch.clone();
        if let Some(dispatch) = dispatch {
            self.tell(moves, &dispatch);
        }
    }

    fn tell(&self, moves: Moves, dispatch: &Dispatch) {
        let Moves { exits, is_first, enters } = moves;
        if is_first {
            self.note_host_span(dispatch);
        }
        if exits.is_empty() && enters.is_empty() {
            return;
        }
        with_default(dispatch, |dispatch| {
            for span in exits {
                dispatch.exit(&id(span));
            }
            for span in enters {
                dispatch.enter(&id(span));
            }
            let released = self.0.lock().find().and_then(HostThread::host_span_to_release);
            if let Some(host_span) = released {
                dispatch.try_close(host_span);
            }
        });
    }
}

impl State {
    fn find(&mut self) -> Option<&mut HostThread> {
        let number = this_thread();
        self.threads.iter_mut().find(|thread| thread.number == number)
    }

    /// Whether this thread is to be in the guest's spans.
    fn runs_here(&mut self) -> bool {
        !self.is_scoped || self.find().is_some_and(|thread| thread.calls > 0)
    }

    /// Returns this thread, and the guest's spans.
    fn here(&mut self) -> (&mut HostThread, GuestSpans<'_>) {
        let number = this_thread();
        let threads = &mut self.threads;
        let place = threads.iter().position(|thread| thread.number == number);
        let place = place.unwrap_or_else(|| {
            threads.retain(|thread| !thread.is_idle());
            threads.push(HostThread::new(number));
            threads.len() - 1
        });
        let guest = GuestSpans { stack: &self.stack, closed: &self.closed, version: self.version };
        (&mut threads[place], guest)
    }
}

/// The spans that the guest is in.
struct GuestSpans<'a> {
    stack: &'a SpanStack<Stacked>,
    closed: &'a BTreeSet<SinkSpan>,
    version: u64,
}

impl HostThread {
    fn new(number: ThreadNumber) -> Self {
        Self { number, calls: 0, entered: SpanStack::new(), version: None, host_span: None }
    }

    fn is_idle(&self) -> bool {
        self.calls == 0 && self.entered.is_empty()
    }

    /// Whether the guest's current span is this thread's.
    fn is_exact(&self) -> bool {
        self.entered.iter().next_back().is_none_or(|innermost| !innermost.is_passed_over)
    }

    #[inline]
    fn catch_up(&mut self, guest: &GuestSpans<'_>) -> Moves {
        if self.version == Some(guest.version) {
            Moves::default()
        } else {
            self.catch_up_now(guest)
        }
    }

    fn catch_up_now(&mut self, guest: &GuestSpans<'_>) -> Moves {
        let pairs = self.entered.iter().zip(guest.stack.iter());
        let common = pairs.take_while(|(entered, stacked)| entered.span == stacked.0).count();
        let mut extra = common..self.entered.len();
        let exits = self.leave(|_| extra.next().is_some());
        let is_first = common == 0 && exits.is_empty();
        let mut enters = Vec::new();
        for &Stacked(span) in guest.stack.iter().skip(common) {
            let is_passed_over = guest.closed.contains(&span);
            self.entered.push(EnteredSpan { span, call: self.calls, is_passed_over });
            if !is_passed_over {
                enters.push(span);
            }
        }
        self.version = Some(guest.version);
        Moves { exits, is_first: is_first && !enters.is_empty(), enters }
    }

    fn enter(&mut self, span: SinkSpan, version: u64) {
        self.entered.push(EnteredSpan { span, call: self.calls, is_passed_over: false });
        self.version = Some(version);
    }

    /// Forgets the innermost spans for as long as the function says so, and returns those that are to be exited.
    fn leave(&mut self, mut is_left: impl FnMut(&EnteredSpan) -> bool) -> Vec<SinkSpan> {
        let innermost_first = self.entered.iter().rev();
        let left: Vec<_> =
            innermost_first.take_while(|entered| is_left(entered)).copied().collect();
        for entered in &left {
            self.entered.remove(entered.key());
            self.version = None;
        }
        let exits = left.iter().filter(|entered| !entered.is_passed_over);
        exits.map(|entered| entered.span).collect()
    }

    fn host_span_to_release(&mut self) -> Option<Id> {
        if self.entered.is_empty() { self.host_span.take() } else { None }
    }
}
