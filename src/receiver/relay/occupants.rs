use alloc::collections::BTreeSet;

use super::lanes::Lane;
use crate::{receiver::per_thread::PerThread, wire::ThreadIndex};

/// A thread of the stream that has a lane.
#[derive(Debug)]
pub(super) struct Occupant {
    pub(super) lane: Lane,
    /// Spans that it is in.
    pub(super) entered: usize,
}

/// Threads of the stream that have a lane. They have a worker's lane until it is needed for another
/// thread; they share a worker, or the thread that receives, for as long as they are in spans there.
#[derive(Debug, Default)]
pub(super) struct Occupants {
    threads: PerThread<Occupant>,
    /// Those that have a worker of their own, and are in no span. Looking for one among all threads would take the longer
    /// the more of them are in spans.
    idle: BTreeSet<ThreadIndex>,
}

impl Occupants {
    #[inline]
    pub(super) fn get(&self, thread: ThreadIndex) -> Option<&Occupant> {
        self.threads.get(thread)
    }

    /// Gives a worker to a thread that is in no span.
    pub(super) fn assign(&mut self, thread: ThreadIndex, lane: Lane) {
        self.threads.get_or_insert_with(thread, || Occupant { lane, entered: 0 });
        self.idle.insert(thread);
    }

    /// Notes that a thread enters a span in its lane.
    #[inline]
    pub(super) fn enter(&mut self, thread: ThreadIndex, lane: Lane) {
        let occupant = self.threads.get_or_insert_with(thread, || Occupant { lane, entered: 0 });
        occupant.entered += 1;
        if let Lane::Worker(_) = lane {
            self.idle.remove(&thread);
        }
    }

    /// Notes that a thread exits a span, and returns the lane in which it does.
    #[inline]
    pub(super) fn exit(&mut self, thread: ThreadIndex) -> Option<Lane> {
        let occupant = self.threads.get_mut(thread)?;
        occupant.entered -= 1;
        let lane = occupant.lane;
        if occupant.entered == 0 {
            if let Lane::Worker(_) = lane {
                self.idle.insert(thread);
            } else {
                self.threads.remove(thread);
            }
        }
        Some(lane)
    }

    /// Takes the worker of the thread with the lowest number of those that are in no span: threads come
    /// and go, so that it is probably the oldest.
    pub(super) fn take_idle(&mut self) -> Option<Lane> {
        let thread = self.idle.pop_first()?;
        Some(self.threads.remove(thread)?.lane)
    }
}
