//! Which thread of the host stands for which thread of the stream.

use alloc::vec::Vec;

use tracing_core::{Dispatch, span::Id};

use super::{
    guard::with_default, host_threads::HostThreads, id, occupants::Occupants, worker::Worker,
};
use crate::{
    receiver::{per_thread::FIRST_THREAD, sink::SinkSpan},
    wire::ThreadIndex,
};

/// Threads that are started for one receiver at the most, each for one thread of the stream. One more is shared.
const MAX_WORKERS: usize = 63;

/// Threads of the host, each for one thread of the stream.
///
/// A subscriber keeps for each thread which spans it is in, and filters do, too. So it would not do
/// to enter on one thread what was entered on several. The first thread of a stream is the one that
/// receives, unless that is to be kept out of it; any other has a [`Worker`], which it keeps for as long as it is in spans, and longer
/// unless there are too many threads. If more are in spans at once than there can be workers, the
/// others share one more. They share the thread that receives only where no thread can be started: the host
/// would be in their spans, also while the guest does not run.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// Threads of the stream that have a lane.
    threads: Occupants,
    /// Threads of the host that are in the spans of the stream's first thread.
    host: HostThreads,
    /// Spans that were entered here by threads of the stream for which no worker could be started.
    shared: usize,
    /// The host's own span that was current when the first of these was entered, kept open.
    shared_host_span: Option<Id>,
    /// Whether threads of the host are in these spans only during calls.
    is_scoped: bool,
    /// Whether the first thread of the stream has a worker, too.
    is_elsewhere: bool,
    /// Whether each thread of the stream is a thread of the host, and hands over its records itself.
    is_in_place: bool,
    workers: Vec<Worker>,
    /// The worker of all threads that have none of their own.
    shared_worker: Option<Worker>,
}

/// A thread of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// The one that receives.
    Here,
    /// The worker with this index.
    Worker(usize),
    /// The worker that is shared.
    SharedWorker,
}

impl Lanes {
    /// Gives the first thread of the stream a worker, as soon as it is in no span here.
    pub(super) fn leave_here(&mut self) {
        self.is_elsewhere = true;
    }

    /// Whether the first thread of the stream has a worker, too.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.is_elsewhere
    }

    /// Has each thread of the stream do what its records tell.
    pub(super) fn stay_in_place(&mut self) {
        self.is_in_place = true;
    }

    /// Threads of the host that are in the spans of the stream's first thread.
    pub(super) fn host(&self) -> &HostThreads {
        &self.host
    }

    /// Keeps threads of the host out of spans but during calls. These are told by handles that the host may have
    /// already, from a receiver before this one.
    pub(super) fn leave_after_calls(&mut self, host: Option<HostThreads>) {
        self.is_scoped = true;
        if let Some(host) = host {
            self.host = host;
        }
        self.host.leave_after_calls();
    }

    /// Whether a thread of the stream may enter and exit spans: the first one only if the host runs the guest.
    #[inline]
    pub(super) fn is_in_scope(&self, thread: ThreadIndex) -> bool {
        let is_free = !self.is_scoped || thread != FIRST_THREAD;
        is_free || self.is_in_place || self.is_elsewhere || self.host.is_in_scope()
    }

    /// Finds the lane of a thread, in which it stays if it enters a span.
    pub(super) fn lane(&mut self, thread: ThreadIndex, dispatch: &Dispatch) -> Lane {
        if self.is_in_place {
            return Lane::Here;
        }
        if thread == FIRST_THREAD && !(self.is_elsewhere && self.host.is_outside()) {
            return Lane::Here;
        }
        if let Some(known) = self.threads.get(thread) {
            return known.lane;
        }
        let lane = self.new_lane(dispatch);
        if let Lane::Worker(_) = lane {
            self.threads.assign(thread, lane);
        }
        lane
    }

    /// Returns the lane that a thread has, or else that which receives.
    pub(super) fn lane_if_any(&self, thread: ThreadIndex) -> Lane {
        self.threads.get(thread).map_or(Lane::Here, |known| known.lane)
    }

    fn new_lane(&mut self, dispatch: &Dispatch) -> Lane {
        if self.workers.len() < MAX_WORKERS {
            if let Ok(worker) = Worker::start(dispatch.clone()) {
                self.workers.push(worker);
                return Lane::Worker(self.workers.len() - 1);
            }
        }
        if let Some(lane) = self.threads.take_idle() {
            return lane;
        }
        if self.shared_worker.is_none() {
            self.shared_worker = Worker::start(dispatch.clone()).ok();
        }
        if self.shared_worker.is_some() { Lane::SharedWorker } else { Lane::Here }
    }

    /// Returns the worker of a lane; `None` for the thread that receives.
    pub(super) fn worker(&self, lane: Lane) -> Option<&Worker> {
        match lane {
            Lane::Here => None,
            Lane::Worker(index) => self.workers.get(index),
            Lane::SharedWorker => self.shared_worker.as_ref(),
        }
    }

    /// Enters a span on a thread.
    pub(super) fn enter(&mut self, span: SinkSpan, thread: ThreadIndex, dispatch: &Dispatch) {
        let lane = self.lane(thread, dispatch);
        if self.is_in_place {
            return with_default(dispatch, |dispatch| dispatch.enter(&id(span)));
        }
        if is_host(thread, lane) {
            return self.host.enter(span, dispatch);
        }
        if lane == Lane::Here {
            if self.shared == 0 {
                self.shared_host_span = self.host_span(dispatch).map(|id| dispatch.clone_span(&id));
            }
            self.shared += 1;
        }
        self.threads.enter(thread, lane);
        self.run_in(lane, dispatch, move |dispatch| dispatch.enter(&id(span)));
    }

    /// Exits a span on a thread.
    pub(super) fn exit(&mut self, span: SinkSpan, thread: ThreadIndex, dispatch: &Dispatch) {
        let lane = self.lane(thread, dispatch);
        if self.is_in_place {
            return with_default(dispatch, |dispatch| dispatch.exit(&id(span)));
        }
        if is_host(thread, lane) {
            return self.host.exit(span, dispatch);
        }
        self.run_in(lane, dispatch, move |dispatch| dispatch.exit(&id(span)));
        if self.threads.exit(thread) == Some(Lane::Here) {
            self.shared -= 1;
            if self.shared == 0 {
                if let Some(host_span) = self.shared_host_span.take() {
                    with_default(dispatch, |dispatch| dispatch.try_close(host_span));
                }
            }
        }
    }

    /// Runs the function in a lane while the subscriber is the default one.
    pub(super) fn run_in(
        &self,
        lane: Lane,
        dispatch: &Dispatch,
        f: impl FnOnce(&Dispatch) + Send + 'static,
    ) {
        match self.worker(lane) {
            None => with_default(dispatch, f),
            Some(worker) => drop(worker.run(f)),
        }
    }

    /// Has a thread of the host in the spans of this thread of the stream, and returns whether the subscriber, asked
    /// in this lane, knows then which spans those are.
    pub(super) fn catch_up(&self, thread: ThreadIndex, lane: Lane, dispatch: &Dispatch) -> bool {
        match lane {
            Lane::Worker(_) => true,
            Lane::Here if self.is_in_place => true,
            Lane::Here if thread == FIRST_THREAD => {
                self.host.catch_up(dispatch) && self.shared == 0
            }
            Lane::Here | Lane::SharedWorker => false,
        }
    }

    /// Returns the host's own span: the current span of the receiving thread. If several threads receive in turn, it is
    /// the span of the thread that receives this record.
    pub(super) fn host_span(&self, dispatch: &Dispatch) -> Option<Id> {
        if self.shared > 0 {
            return self.shared_host_span.clone();
        }
        self.host.host_span(dispatch)
    }

    /// Ends the workers, none of which is in a span.
    pub(super) fn end_workers(&mut self) {
        self.threads = Occupants::default();
        self.workers.clear();
        self.shared_worker = None;
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.host.let_go();
    }
}

/// Whether a thread of the stream is that whose spans threads of the host are in.
fn is_host(thread: ThreadIndex, lane: Lane) -> bool {
    thread == FIRST_THREAD && lane == Lane::Here
}

/// Returns the current span of this thread, and keeps it open.
pub(super) fn current_span(dispatch: &Dispatch) -> Option<Id> {
    dispatch.current_span().id().map(|id| dispatch.clone_span(id))
}
