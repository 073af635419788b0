//! Nanoseconds, the best of some runs.

use std::time::Instant;

use crate::row::{Prepare, Row, Side};

/// Runs of each side, by turns, so that what slows the machine down slows both.
const RUNS: usize = 5;

pub(crate) const UNITS: u64 = 20_000;

/// Measures ours and the peers', in nanoseconds for one of what the row's figures are for.
pub(crate) fn measure(row: &Row, units: u64) -> (f64, Option<f64>) {
    let mut best = [f64::INFINITY; 2];
    for _ in 0..RUNS {
        for (side, best) in Side::ALL.into_iter().zip(&mut best) {
            if let Some(prepare) = row.side(side) {
                *best = best.min(once(prepare, units));
            }
        }
    }
    let count = (units * row.per.1) as f64;
    let [ours, peers] = best.map(|best| best / count);
    (ours, peers.is_finite().then_some(peers))
}

fn once(prepare: Prepare, units: u64) -> f64 {
    let mut work = prepare(units);
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}
