//! Which packets of a stream have come.

use alloc::vec::Vec;
use core::ops::Range;

/// Number of gaps to remember, in order to tell late packets from repeated ones.
const MAX_GAPS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// Number of the packet that is to come.
    next: u64,
    gaps: Vec<Range<u64>>,
}

/// What the number of a packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    InOrder,
    /// So many before it have not come.
    AfterGap {
        first: u64,
        count: u64,
    },
    /// It did not come when it should have.
    Late,
    Again,
}

impl Sequence {
    /// Notes that a packet has come. After a gap, it is the next one in order.
    pub(super) fn arrive(&mut self, number: u64) -> Arrival {
        if number < self.next {
            let is_late = self.gaps.iter().any(|gap| gap.contains(&number));
            return if is_late { Arrival::Late } else { Arrival::Again };
        }
        if number > self.next {
            let gap = self.next..number;
            let arrival = Arrival::AfterGap { first: gap.start, count: gap.end - gap.start };
            if self.gaps.len() == MAX_GAPS {
                self.gaps.remove(0);
            }
            self.gaps.push(gap);
            self.next = number;
            return arrival;
        }
        self.next = number.saturating_add(1);
        Arrival::InOrder
    }
}
