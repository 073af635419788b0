//! The traced program that everything is measured on.

use tracing::{debug, info_span};

/// What a unit traces: a span that is created, entered, exited and closed, and four events in it.
#[allow(dead_code, reason = "guests include this file, too")]
pub(crate) const RECORDS: u64 = 8;

/// The events of a unit.
#[allow(dead_code, reason = "guests include this file, too")]
pub(crate) const EVENTS: u64 = 4;

/// Traces some units, one after another.
pub(crate) fn trace(units: u64) {
    (0..units).for_each(unit);
}

fn unit(index: u64) {
    let _entered = info_span!("unit", index, kind = "ordinary").entered();
    for step in 0..4_u64 {
        debug!(step, total = index + step, "stepped");
    }
}
