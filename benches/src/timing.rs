//! Nanoseconds, the best of some rounds.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::{
    figures::Figures,
    row::{Row, Side, Work},
};

/// A side that has less to do than the other one does it so often at most in a round, that what slows
/// the machine down for a moment is as likely to slow it.
const MAX_TIMES: u64 = 20;

/// Measures both sides in some rounds, in nanoseconds for one of what the row's figures are for.
///
/// In a round, each side has its turn, so that what slows the machine down slows both. There are more
/// rounds, up to `most`, while the figures are not good enough.
pub(crate) fn measure(
    row: &Row,
    [least, most]: [u32; 2],
    is_good_enough: impl Fn(&Figures) -> bool,
) -> Figures {
    let mut best = [f64::INFINITY; 2];
    for round in 1.. {
        for (side, best) in [Some(row.first), row.second].into_iter().zip(&mut best) {
            if let Some(side) = side {
                *best = best.min(once(side, times(row, side)));
            }
        }
        let figures = row.figures("ns", best);
        if round >= most || (round >= least && is_good_enough(&figures)) {
            return figures;
        }
    }
    unreachable!("rounds have no end")
}

fn times(row: &Row, side: Side) -> u64 {
    let most_units = row.second.map_or(0, |second| second.units).max(row.first.units);
    (most_units / side.units).clamp(1, MAX_TIMES)
}

/// Returns how long the work takes: of one thread, the time in which it runs, whatever else the machine does
/// meanwhile; of several, the time that passes.
fn time(side: Side, mut work: Work) -> Duration {
    if side.parts == 1 {
        let start = ThreadTime::now();
        work();
        start.elapsed()
    } else {
        let start = Instant::now();
        work();
        start.elapsed()
    }
}

/// Does the work some times, each time prepared anew, and returns the mean.
fn once(side: Side, times: u64) -> f64 {
    let mut sum = 0.0;
    for _ in 0..times {
        let work = (side.prepare)(side.units);
        sum += time(side, work).as_nanos() as f64;
    }
    sum / (times * side.units * side.parts) as f64
}
