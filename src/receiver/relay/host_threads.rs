//! Which threads of the host are in the spans of a stream's first thread.

use alloc::{sync::Arc, vec::Vec};
use core::mem;

use parking_lot::Mutex;
use tracing_core::{Dispatch, span::Id};

use super::{
    guard::with_default,
    id,
    lanes::current_span,
    this_thread::{ThreadNumber, this_thread},
};
use crate::receiver::sink::SinkSpan;

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
    /// Outermost first. A span may be there more than once.
    stack: Vec<StackedSpan>,
    /// How often the stack has changed.
    version: u64,
    /// Whether threads of the host are in the guest's spans during calls only. If not, the thread that receives is in
    /// them until the guest exits them.
    is_scoped: bool,
    threads: Vec<HostThread>,
}

#[derive(Debug, Clone, Copy)]
struct StackedSpan {
    span: SinkSpan,
    /// Whether the subscriber has closed it since: it cannot be entered again.
    is_closed: bool,
}

#[derive(Debug)]
struct HostThread {
    number: ThreadNumber,
    /// Calls of the guest that this thread is in, one within the other.
    calls: usize,
    entered: Vec<EnteredSpan>,
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
            thread.map_or_else(Vec::new, |thread| thread.leave(0))
        };
        self.tell_of(Moves { exits, ..Moves::default() });
    }

    /// Goes on with the stack of a receiver that has entered spans before it was told of this one. This thread leaves
    /// them: it has entered them for the other.
    pub(super) fn take_over(&self, other: &Self) {
        if Arc::ptr_eq(&self.0, &other.0) {
            return;
        }
        let (stack, exits) = {
            let mut state = other.0.lock();
            state.version += 1;
            let exits = state.find().map_or_else(Vec::new, |thread| thread.leave(0));
            (mem::take(&mut state.stack), exits)
        };
        other.tell_of(Moves { exits, ..Moves::default() });
        if !stack.is_empty() {
            let mut state = self.0.lock();
            state.stack.extend(stack);
            state.version += 1;
        }
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

    /// Whether this thread has begun a call of the guest.
    pub(in crate::receiver) fn is_in_call(&self) -> bool {
        self.0.lock().find().is_some_and(|thread| thread.calls > 0)
    }

    /// Begins a call of the guest on this thread, which enters the guest's spans.
    pub(in crate::receiver) fn begin_call(&self) {
        let moves = {
            let mut state = self.0.lock();
            let (thread, stack, version) = state.here();
            thread.calls += 1;
            thread.catch_up(stack, version)
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
            let kept = thread.entered.partition_point(|entered| entered.call < calls);
            thread.leave(kept)
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
            let (thread, stack, version) = state.here();
            (thread.catch_up(stack, version), thread.is_exact())
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
                let (thread, stack, version) = state.here();
                moves = thread.catch_up(stack, version);
                moves.is_first |= thread.entered.is_empty();
                thread.enter(span, version + 1);
            }
            state.stack.push(StackedSpan { span, is_closed: false });
            state.version += 1;
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
            let State { stack, version, threads, .. } = &mut *state;
            let Some(place) = stack.iter().rposition(|stacked| stacked.span == span) else {
                return;
            };
            stack.remove(place);
            let before = *version;
            *version += 1;
            // A receiver may have been moved since: this thread comes before others.
            let number = this_thread();
            let entered = |thread: &HostThread| {
                thread.place_of(span).map(|place| (thread.number == number, place))
            };
            let found = threads.iter_mut().filter_map(|thread| Some((entered(thread)?, thread)));
            let Some(((is_here, place), thread)) = found.max_by_key(|((is_here, _), _)| *is_here)
            else {
                return;
            };
            let exited = thread.entered.remove(place);
            if thread.version == Some(before) {
                thread.version = Some(*version);
            }
            let host_span = if is_here { thread.host_span_to_release() } else { None };
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
        let stacked = state.stack.iter_mut().filter(|stacked| stacked.span == span);
        stacked.for_each(|stacked| stacked.is_closed = true);
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

    /// Returns this thread, with the stack and its version.
    fn here(&mut self) -> (&mut HostThread, &[StackedSpan], u64) {
        let number = this_thread();
        let threads = &mut self.threads;
        let place = threads.iter().position(|thread| thread.number == number);
        let place = place.unwrap_or_else(|| {
            threads.retain(|thread| !thread.is_idle());
            threads.push(HostThread::new(number));
            threads.len() - 1
        });
        (&mut threads[place], &self.stack, self.version)
    }
}

impl HostThread {
    fn new(number: ThreadNumber) -> Self {
        Self { number, calls: 0, entered: Vec::new(), version: None, host_span: None }
    }

    fn is_idle(&self) -> bool {
        self.calls == 0 && self.entered.is_empty()
    }

    fn place_of(&self, span: SinkSpan) -> Option<usize> {
        self.entered.iter().rposition(|entered| entered.span == span)
    }

    /// Whether the guest's current span is this thread's.
    fn is_exact(&self) -> bool {
        self.entered.last().is_none_or(|innermost| !innermost.is_passed_over)
    }

    #[inline]
    fn catch_up(&mut self, stack: &[StackedSpan], version: u64) -> Moves {
        if self.version == Some(version) {
            Moves::default()
        } else {
            self.catch_up_now(stack, version)
        }
    }

    fn catch_up_now(&mut self, stack: &[StackedSpan], version: u64) -> Moves {
        let pairs = self.entered.iter().zip(stack);
        let common = pairs.take_while(|(entered, stacked)| entered.span == stacked.span).count();
        let exits = self.leave(common);
        let missing = stack.get(common..).unwrap_or_default();
        let is_first = self.entered.is_empty() && exits.is_empty() && !missing.is_empty();
        let call = self.calls;
        self.entered.extend(missing.iter().map(|stacked| EnteredSpan {
            span: stacked.span,
            call,
            is_passed_over: stacked.is_closed,
        }));
        self.version = Some(version);
        let enters = missing.iter().filter(|stacked| !stacked.is_closed);
        Moves { exits, is_first, enters: enters.map(|stacked| stacked.span).collect() }
    }

    fn enter(&mut self, span: SinkSpan, version: u64) {
        self.entered.push(EnteredSpan { span, call: self.calls, is_passed_over: false });
        self.version = Some(version);
    }

    /// Forgets the spans from this place on, and returns those that are to be exited.
    fn leave(&mut self, place: usize) -> Vec<SinkSpan> {
        if place >= self.entered.len() {
            return Vec::new();
        }
        self.version = None;
        let left = self.entered.drain(place..).rev();
        left.filter(|entered| !entered.is_passed_over).map(|entered| entered.span).collect()
    }

    fn host_span_to_release(&mut self) -> Option<Id> {
        if self.entered.is_empty() { self.host_span.take() } else { None }
    }
}
