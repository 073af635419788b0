//! Which thread of the host stands for which thread of the stream.

use alloc::vec::Vec;

use tracing_core::{Dispatch, span::Id};

use super::{
    occupants::Occupants,
    this_thread::{ThreadNumber, this_thread},
    worker::Worker,
};
use crate::{receiver::per_thread::FIRST_THREAD, wire::ThreadIndex};

/// Threads that are started for one receiver at the most.
const MAX_WORKERS: usize = 64;

/// Threads of the host, each for one thread of the stream.
///
/// A subscriber keeps for each thread which spans it is in, and filters do, too. So it would not do
/// to enter on one thread what was entered on several. The first thread of a stream is the one that
/// receives, unless that is to be kept out of it; any other has a [`Worker`], which it keeps for as long as it is in spans, and longer
/// unless there are too many threads. If more are in spans at once than there can be workers, the
/// others share the thread that receives.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// Threads of the stream that have a lane.
    threads: Occupants,
    here: Here,
    /// Whether the first thread of the stream has a worker, too.
    is_elsewhere: bool,
    workers: Vec<Worker>,
}

/// A thread of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// The one that receives.
    Here,
    /// The worker with this index.
    Worker(usize),
}

/// The thread that receives.
#[derive(Debug, Default)]
struct Here {
    /// Spans of the stream that are entered here.
    entered: usize,
    /// Whether they were entered by several threads of the stream.
    is_shared: bool,
    /// Where that is: a receiver may be moved meanwhile.
    thread: Option<ThreadNumber>,
    /// The host's own span that was current when the first of them was entered, kept open until the
    /// last of them is exited.
    host_span: Option<Id>,
}

impl Lanes {
    /// Gives the first thread of the stream a worker, as soon as it is in no span here.
    pub(super) fn leave_here(&mut self) {
        self.is_elsewhere = true;
    }

    /// Finds the lane of a thread, in which it stays if it enters a span.
    pub(super) fn lane(&mut self, thread: ThreadIndex, dispatch: &Dispatch) -> Lane {
        if thread == FIRST_THREAD && !self.is_elsewhere {
            return Lane::Here;
        }
        if let Some(known) = self.threads.get(thread) {
            return known.lane;
        }
        let lane = self.new_lane(dispatch);
        if lane != Lane::Here {
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
        self.threads.take_idle().unwrap_or(Lane::Here)
    }

    pub(super) fn worker(&self, index: usize) -> Option<&Worker> {
        self.workers.get(index)
    }

    /// Notes that a thread is about to enter a span in its lane.
    pub(super) fn enter(&mut self, thread: ThreadIndex, lane: Lane, dispatch: &Dispatch) {
        if lane == Lane::Here {
            if self.here.entered == 0 {
                self.here.thread = Some(this_thread());
                self.here.host_span = current_span(dispatch);
            } else {
                self.here.is_shared |= self.threads.get(thread).is_none();
            }
            self.here.entered += 1;
        }
        self.threads.enter(thread, lane);
    }

    /// Notes that a thread has exited a span.
    pub(super) fn exit(&mut self, thread: ThreadIndex, dispatch: &Dispatch) {
        if self.threads.exit(thread) != Some(Lane::Here) {
            return;
        }
        self.here.entered -= 1;
        if self.here.entered == 0 {
            if let Some(host_span) = core::mem::take(&mut self.here).host_span {
                dispatch.try_close(host_span);
            }
        }
    }

    /// Whether the subscriber, asked in this lane, knows which spans the thread is in.
    pub(super) fn is_exact(&self, thread: ThreadIndex, lane: Lane) -> bool {
        lane != Lane::Here
            || self.here.entered == 0
            || (!self.here.is_shared
                && self.threads.get(thread).is_some()
                && self.here.thread == Some(this_thread()))
    }

    /// Returns the host's own span, which is that of the thread that receives: where several do in
    /// turn, that of the one which receives this record.
    pub(super) fn host_span(&self, dispatch: &Dispatch) -> Option<Id> {
        if self.here.thread == Some(this_thread()) {
            return self.here.host_span.clone();
        }
        dispatch.current_span().id().cloned()
    }

    /// Ends the workers, none of which is in a span.
    pub(super) fn end_workers(&mut self) {
        self.threads = Occupants::default();
        self.workers.clear();
    }
}

/// Returns the current span of this thread, and keeps it open.
fn current_span(dispatch: &Dispatch) -> Option<Id> {
    dispatch.current_span().id().map(|id| dispatch.clone_span(id))
}
