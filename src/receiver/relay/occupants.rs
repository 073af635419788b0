use alloc::collections::BTreeMap;

use super::{FIRST_THREAD, lanes::Lane};
use crate::wire::ThreadIndex;

/// A thread of the stream.
#[derive(Debug)]
pub(super) struct Occupant {
    pub(super) lane: Lane,
    /// Spans that it is in.
    pub(super) entered: usize,
}

/// Threads of the stream that have a lane. The first one, which comes and goes with each span that
/// is entered in most streams, has a place of its own.
#[derive(Debug, Default)]
pub(super) struct Occupants {
    first: Option<Occupant>,
    others: BTreeMap<ThreadIndex, Occupant>,
}

impl Occupants {
    #[inline]
    pub(super) fn get(&self, thread: ThreadIndex) -> Option<&Occupant> {
        if thread == FIRST_THREAD { self.first.as_ref() } else { self.others.get(&thread) }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, thread: ThreadIndex) -> Option<&mut Occupant> {
        if thread == FIRST_THREAD { self.first.as_mut() } else { self.others.get_mut(&thread) }
    }

    #[inline]
    pub(super) fn insert(&mut self, thread: ThreadIndex, occupant: Occupant) {
        if thread == FIRST_THREAD {
            self.first = Some(occupant);
        } else {
            self.others.insert(thread, occupant);
        }
    }

    #[inline]
    pub(super) fn remove(&mut self, thread: ThreadIndex) {
        if thread == FIRST_THREAD {
            self.first = None;
        } else {
            self.others.remove(&thread);
        }
    }

    /// Finds the thread with the lowest number that is in no span, and its lane.
    pub(super) fn idle(&self) -> Option<(ThreadIndex, Lane)> {
        let first = self.first.iter().map(|first| (FIRST_THREAD, first));
        let others = self.others.iter().map(|(thread, occupant)| (*thread, occupant));
        let mut idle = first.chain(others).filter(|(_, occupant)| occupant.entered == 0);
        idle.next().map(|(thread, occupant)| (thread, occupant.lane))
    }
}
