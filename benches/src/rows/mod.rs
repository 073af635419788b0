//! The rows of the tables.
//!
//! Those that take time are [`Row`]s; what comes out the same each time is an [`Amount`].

mod amounts;
mod call_sites;
mod calls;
mod growth;
mod looks;
mod open_spans;
pub(crate) mod peers;
mod records;
mod threads;
mod unused;

use crate::row::{Amount, Row};

/// All that take time.
pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    let rows = [
        peers::ROWS,
        growth::ROWS,
        looks::ROWS,
        call_sites::ROWS,
        calls::ROWS,
        open_spans::ROWS,
        records::ROWS,
        threads::ROWS,
        unused::ROWS,
    ];
    rows.into_iter().flatten()
}

/// All amounts.
pub(crate) fn amounts() -> impl Iterator<Item = &'static Amount> {
    amounts::AMOUNTS.iter()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::row::JudgedBy;

    #[test]
    fn names_are_all_different() {
        let names: Vec<&str> =
            all().map(|row| row.name).chain(amounts().map(|amount| amount.name)).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:#?}");
    }

    #[test]
    fn what_is_judged_is_compared_and_has_a_ratio_to_reach() {
        for row in all() {
            assert!(row.judged_by == JudgedBy::Nothing || row.reach.is_some(), "{}", row.name);
            assert!(row.reach.is_none() || row.second.is_some(), "{}", row.name);
        }
    }

    #[test]
    fn work_of_each_row_is_done() {
        for row in all() {
            for side in [Some(row.first), row.second].into_iter().flatten() {
                (side.prepare)(3)();
            }
        }
    }
}
