//! Whether all limits are reached, with room for noise.
//!
//! Nanoseconds are what it is about, so that time decides, in as many rounds as it takes up to some
//! number. Where a machine is so noisy that they do not show it, instructions may: if those are in the
//! ratio that is asked for, or in one of their own, without any room, the row passes. They alone would not do, since what peers
//! lose in caches and allocators' locks is not in them, nor what we would lose.

use std::io;

use crate::{
    counting,
    figures::Figures,
    row::{Amount, JudgedBy, Row},
    timing,
};

/// How far a ratio of times may be beyond its limit.
const ROOM_OF_TIME: f64 = 1.25;

/// How far a ratio of instructions may be beyond its limit where nothing else decides: for work that is done once.
const ROOM_OF_COUNT: f64 = 1.01;

/// Bytes and fuel are the same each time.
const ROOM_OF_AMOUNT: f64 = 1.0;

/// A row that was looked at.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) figures: Figures,
    /// Why it fails.
    pub(crate) failure: Option<String>,
}

impl Judgement {
    /// Judges figures by their limit, or by what is `held` instead.
    pub(crate) fn new(figures: Figures, held: Option<f64>, room: f64) -> Self {
        let reach = held.or(figures.reach);
        let failure = (!Figures { reach, ..figures.clone() }.is_within(room)).then(|| {
            let [ratio, reach] = [figures.ratio(), reach].map(Option::unwrap_or_default);
            let measure = figures.measure();
            let space = if measure.is_empty() { "" } else { " " };
            format!(
                "{}: {:.1} against {:.1}{space}{measure} is {ratio:.3}; {reach:.3} is {}{}",
                figures.name,
                figures.first,
                figures.second.unwrap_or_default(),
                if held.is_some() { "what it was" } else { "to be reached" },
                if room > 1.0 {
                    format!(", and {:.3} passes", reach * room)
                } else {
                    String::new()
                },
            )
        });
        Self { figures, failure }
    }
}

/// Judges a row; `None` if there is nothing to be judged, or nothing to do it by.
pub(crate) fn judge(row: &Row, can_count: bool) -> io::Result<Option<Judgement>> {
    match row.judged_by {
        JudgedBy::Count if can_count => {
            Ok(Some(Judgement::new(counting::measure(row)?, row.held, ROOM_OF_COUNT)))
        }
        JudgedBy::Nothing | JudgedBy::Count => Ok(None),
        JudgedBy::Time => by_time(row, can_count).map(Some),
    }
}

fn by_time(row: &Row, can_count: bool) -> io::Result<Judgement> {
    let reach = row.held.or(row.reach);
    let is_good_enough =
        |figures: &Figures| Figures { reach, ..figures.clone() }.is_within(ROOM_OF_TIME);
    let figures = timing::measure(row, row.table.rounds(), is_good_enough);
    let by_time = Judgement::new(figures, row.held, ROOM_OF_TIME);
    if by_time.failure.is_some() && can_count && row.table.is_countable() {
        let held = row.held_count.or(row.held);
        let by_count = Judgement::new(counting::measure(row)?, held, 1.0);
        if by_count.failure.is_none() {
            return Ok(by_count);
        }
    }
    Ok(by_time)
}

/// Judges an amount.
pub(crate) fn judge_amount(amount: &Amount) -> Result<Judgement, wasmi::Error> {
    Ok(Judgement::new(amount.figures()?, None, ROOM_OF_AMOUNT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_tells_the_row_and_its_figures() {
        let figures = |first| Figures {
            name: "a scan",
            unit: "ns",
            per: "an event",
            first,
            second: Some(100.0),
            reach: Some(0.5),
        };
        assert_eq!(Judgement::new(figures(62.5), None, ROOM_OF_TIME).failure, None);
        assert_eq!(Judgement::new(figures(74.9), Some(0.6), ROOM_OF_TIME).failure, None);
        assert_eq!(
            Judgement::new(figures(62.6), None, ROOM_OF_TIME).failure.as_deref(),
            Some(
                "a scan: 62.6 against 100.0 ns an event is 0.626; 0.500 is to be reached, and 0.625 passes"
            )
        );
        assert_eq!(
            Judgement::new(figures(62.6), Some(0.6), 1.0).failure.as_deref(),
            Some("a scan: 62.6 against 100.0 ns an event is 0.626; 0.600 is what it was")
        );
    }
}
