//! What comes nearest to a predicate.
//!
//! There may be a million candidates, of which a few are shown. While they are ranked, the cases of
//! predicates say only how far each is from a match: no value is formatted, and nothing allocated by the
//! predicates of this module.

use alloc::vec::Vec;
use core::{cell::Cell, cmp::Reverse, fmt, ptr};

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::shown_value::NOT_THERE;
use crate::capture::{Captured, excerpt::MAX_LISTED};

std::thread_local! {
    static IS_RANKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a case is to say how far something is from a match, and nothing else.
pub(super) fn is_ranking() -> bool {
    IS_RANKING.get()
}

fn with_ranking<R>(is_ranking: bool, f: impl FnOnce() -> R) -> R {
    struct Restore(bool);

    impl Drop for Restore {
        fn drop(&mut self) {
            IS_RANKING.set(self.0);
        }
    }

    let _restore = Restore(IS_RANKING.replace(is_ranking));
    f()
}

/// Finds why an item does not match, with all that there is to say. Predicates may scan in turn, and so
/// fail while others are ranked.
pub(super) fn full_case<'p, T, P>(predicate: &'p P, item: &T) -> Option<Case<'p>>
where
    P: Predicate<T> + ?Sized,
{
    with_ranking(false, || predicate.find_case(false, item))
}

/// Counts the items that do not match, and finds those that are nearest to it; among equals, the first.
pub(super) fn nearest<'a, T, P>(items: impl Iterator<Item = T>, predicate: &P) -> (usize, Vec<T>)
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let mut count = 0;
    let mut nearest = Vec::<(Distance, T)>::with_capacity(MAX_LISTED);
    for item in items {
        let case = with_ranking(true, || predicate.find_case(false, &item));
        let Some(case) = case else { continue };
        count += 1;
        let distance = Distance::of(&case);
        let position = nearest.partition_point(|(other, _)| *other <= distance);
        if position < MAX_LISTED {
            nearest.truncate(MAX_LISTED - 1);
            nearest.insert(position, (distance, item));
        }
    }
    // What is further away is of no use if there is something near.
    let unmet = nearest.first().map_or(0, |(distance, _)| distance.unmet);
    nearest.retain(|(distance, _)| distance.unmet == unmet);
    (count, nearest.into_iter().map(|(_, item)| item).collect())
}

/// Numbers of conditions that are told apart.
const MAX: usize = 16;

/// How far something is from a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Distance {
    /// Conditions that are not met. Of alternatives, one would be enough.
    unmet: usize,
    /// Conditions that are met, up to the first one that is not: names come first in predicates.
    met_first: usize,
    /// Conditions on what is not there, which is further away than another value.
    absent: usize,
}

impl Distance {
    const MET: Self = Self { unmet: 0, met_first: 1, absent: 0 };
    const UNMET: Self = Self { unmet: 1, met_first: 0, absent: 0 };
    pub(super) const ABSENT: Self = Self { unmet: 1, met_first: 0, absent: 1 };

    /// The distance that a case says, or that of its parts.
    pub(super) fn of(case: &Case<'_>) -> Self {
        if let Some(distance) = case.predicate().and_then(Self::decode) {
            distance
        } else if case.result() {
            Self::MET
        } else if case.children().next().is_none() {
            Self::UNMET
        } else {
            // A combination of another crate, of which nothing else is known.
            let all =
                case.children().map(Self::of).fold(Self { met_first: 0, ..Self::MET }, Self::and);
            Self { unmet: all.unmet.max(1), ..all }
        }
    }

    /// The distance of an item from a match.
    pub(super) fn to<P, T>(predicate: &P, item: &T) -> Self
    where
        P: Predicate<T> + ?Sized,
        T: ?Sized,
    {
        with_ranking(true, || {
            predicate.find_case(false, item).map_or(Self::MET, |case| Self::of(&case))
        })
    }

    /// Both are to match.
    pub(super) fn and(self, other: Self) -> Self {
        let met_after = if self.unmet == 0 { other.met_first } else { 0 };
        Self {
            unmet: self.unmet + other.unmet,
            met_first: self.met_first + met_after,
            absent: self.absent + other.absent,
        }
    }

    /// One of them is to match.
    pub(super) fn or(self, other: Self) -> Self {
        self.min(other)
    }

    /// This many conditions more, none of which is met.
    pub(super) fn and_unmet(self, count: usize) -> Self {
        Self { unmet: self.unmet + count, ..self }
    }

    pub(super) fn is_match(self) -> bool {
        self.unmet == 0
    }

    /// Makes a case that says a distance.
    pub(super) fn into_case<'a>(self) -> Case<'a> {
        let [unmet, met_first, absent] =
            [self.unmet, self.met_first, self.absent].map(|count| count.min(MAX - 1));
        let said = &SAID[(unmet * MAX + met_first) * MAX + absent];
        Case::new(Some(said), unmet == 0)
    }

    fn decode(predicate: &dyn PredicateReflection) -> Option<Self> {
        let address = ptr::from_ref(predicate).cast::<u8>().addr();
        let index = address.checked_sub(SAID.as_ptr().addr())?;
        (index < SAID.len()).then_some(Self {
            unmet: index / MAX / MAX,
            met_first: index / MAX % MAX,
            absent: index % MAX,
        })
    }
}

impl PartialOrd for Distance {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Distance {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        let key = |distance: &Self| (distance.unmet, Reverse(distance.met_first), distance.absent);
        key(self).cmp(&key(other))
    }
}

/// Stands in a case where the predicate should, and says a distance by its place in [`SAID`]. A case can
/// hold nothing else that is not allocated.
struct Said {
    _one_byte: u8,
}

static SAID: [Said; MAX * MAX * MAX] = [const { Said { _one_byte: 0 } }; MAX * MAX * MAX];

impl fmt::Display for Said {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl PredicateReflection for Said {}

/// The case of one condition, while candidates are ranked.
pub(super) fn ranked_case<'a>(
    predicate: &'a dyn PredicateReflection,
    result: bool,
    value: &dyn fmt::Display,
) -> Case<'a> {
    let mut rest = Rest(NOT_THERE);
    let is_absent = !result && fmt::write(&mut rest, format_args!("{value}")).is_ok();
    if is_absent && rest.0.is_empty() {
        Distance::ABSENT.into_case()
    } else {
        Case::new(Some(predicate), result)
    }
}

/// Compares with a text what is written, and stops where it is another one.
struct Rest(&'static str);

impl fmt::Write for Rest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}
