//! Finds the items that come nearest to matching a predicate.
//!
//! There may be a million candidates, but only a few of them are shown. For each candidate, the predicate returns a
//! brief case, which has a result for each condition, but no text. The distance is computed from it:
//!
//! ```text
//! distance of a condition  :=  0 or 1
//! distance of a & b        :=  distance of a + distance of b
//! distance of a | b        :=  the smaller one
//! ```
//!
//! A combination of another crate is a condition as a whole, unless it shows the cases of its parts.

use alloc::vec::Vec;
use core::cmp::Reverse;

use ::predicates::{Predicate, reflection::Case};

use super::combinators::Operator;
use crate::capture::{Captured, excerpt::MAX_LISTED};

/// Counts the items that do not match, and finds the nearest of them; among equals, the first.
pub(super) fn nearest<'a, T, P>(items: impl Iterator<Item = T>, predicate: &P) -> (usize, Vec<T>)
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let mut count = 0;
    let mut nearest = Vec::<(Distance, T)>::with_capacity(MAX_LISTED);
    for item in items {
        let Some(case) = predicate.find_case(false, &item.in_brief()) else { continue };
        count += 1;
        let distance = Distance::of(&case);
        let position = nearest.partition_point(|(other, _)| *other <= distance);
        if position < MAX_LISTED {
            nearest.truncate(MAX_LISTED - 1);
            nearest.insert(position, (distance, item));
        }
    }
    // Items that are further away than the nearest are of no use.
    let unmet = nearest.first().map_or(0, |(distance, _)| distance.unmet);
    nearest.retain(|(distance, _)| distance.unmet == unmet);
    (count, nearest.into_iter().map(|(_, item)| item).collect())
}

/// How far an item is from a match. The fields are compared one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Distance {
    /// Number of unmet conditions. For alternatives, the nearest one counts.
    unmet: usize,
    /// Number of met conditions before the first unmet one: names come first in predicates.
    met_first: Reverse<usize>,
    /// Number of conditions on missing values. A missing value is further away than a wrong one.
    absent: usize,
}

impl Distance {
    const MET: Self = Self { unmet: 0, met_first: Reverse(1), absent: 0 };
    const UNMET: Self = Self { unmet: 1, met_first: Reverse(0), absent: 0 };
    const ABSENT: Self = Self { absent: 1, ..Self::UNMET };

    /// Computes the distance from a brief case: from its conditions, and how they are combined.
    pub(super) fn of(case: &Case<'_>) -> Self {
        if case.result() {
            return Self::MET;
        }
        let parts = case.children().map(Self::of);
        match case.predicate().and_then(Operator::of) {
            _ if case.children().next().is_none() => {
                if case.products().next().is_some() {
                    Self::ABSENT
                } else {
                    Self::UNMET
                }
            }
            Some(Operator::Or) => parts.min().unwrap_or(Self::UNMET),
            Some(Operator::And | Operator::Ever) => parts.reduce(Self::and).unwrap_or(Self::UNMET),
            Some(Operator::Tree | Operator::TreeAlone) => {
                // Either the span itself does not match, or there is a case for everything that should be in it.
                let wanted = case.predicate().map_or(0, |predicate| predicate.children().count());
                let unnamed = wanted.saturating_sub(case.children().count());
                let named = parts.reduce(Self::and).unwrap_or(Self::UNMET);
                Self { unmet: named.unmet + unnamed, ..named }
            }
            _ => {
                // A combination of another crate: nothing else is known of it.
                let all = parts.fold(Self { met_first: Reverse(0), ..Self::MET }, Self::and);
                Self { unmet: all.unmet.max(1), ..all }
            }
        }
    }

    /// Returns the distance if both have to match.
    fn and(self, other: Self) -> Self {
        let met_after = if self.unmet == 0 { other.met_first.0 } else { 0 };
        Self {
            unmet: self.unmet + other.unmet,
            met_first: Reverse(self.met_first.0 + met_after),
            absent: self.absent + other.absent,
        }
    }
}
