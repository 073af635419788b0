//! The assertions of scanners.

use alloc::{format, string::String, vec::Vec};
use core::{error::Error, fmt, iter};

use ::predicates::{Predicate, reflection::PredicateReflection};

use super::{
    Scanner,
    combinators::Behind,
    count::{IntoCount, limits},
    failure::{Failure, blind, missing, mistakable, unwanted},
    loosely::Changes,
    scope::Scope,
    sight::{absence, bypass, gap, left_out, limit},
};
use crate::capture::{Captured, Sealed, Storage, short::Short};

/// The error of a failed assertion: the message with which the methods of [`Scanner`] panic, as a value.
///
/// It shows the expectation, the actual items, and the trace. Its [`Debug`](fmt::Debug) output is the same text, since
/// a test that returns the error shows that.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!("started");
/// let error = capture.trace().scan_events().try_single(&message(eq("stopped"))).unwrap_err();
/// assert!(error.to_string().starts_with("no event matches message(var == \"stopped\")"));
/// ```
#[derive(Clone)]
pub struct ScanError {
    failure: Failure,
}

impl ScanError {
    pub(super) fn new(failure: impl Into<Failure>) -> Self {
        Self { failure: failure.into() }
    }

    /// Writes the message, which is then assumed to be read. It includes the trace, which need not be printed again.
    fn write(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(shown) = &self.failure.shown {
            shown.set_seen();
        }
        formatter.write_str(&self.failure.text)
    }
}

impl PartialEq for ScanError {
    fn eq(&self, other: &Self) -> bool {
        self.failure.text == other.failure.text
    }
}

impl Eq for ScanError {}

impl fmt::Debug for ScanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter)
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter)
    }
}

impl Error for ScanError {}

/// The same assertions, with a [`Result`] instead of a panic, for `?`.
impl<'a, T, I> Scanner<T, I>
where
    T: Scope<'a>,
    I: Iterator,
    I::Item: Captured<'a>,
{
    const NOUN: &'static str = <I::Item as Sealed>::NOUNS[0];
    const NOUNS: &'static str = <I::Item as Sealed>::NOUNS[1];

    fn matching<P: Predicate<I::Item> + ?Sized>(
        &self,
        predicate: &P,
    ) -> impl Iterator<Item = I::Item> {
        self.scanned().filter(|item| predicate.eval(item))
    }

    /// Returns a check whether a predicate has this result for an item, with the last values of its fields or with any
    /// that they had. Negatives cover earlier values, too.
    fn was<'p, P: Predicate<I::Item> + ?Sized>(
        &self,
        matches: bool,
        predicate: &'p P,
    ) -> impl Fn(&I::Item) -> bool + Copy + use<'p, 'a, T, I, P> {
        let storage = self.searched().storage;
        let unattributed = storage.sight().unattributed.as_deref();
        let has_earlier =
            storage.has_earlier_values() || unattributed.is_some_and(Storage::has_earlier_values);
        move |item| {
            predicate.eval(item) == matches
                || has_earlier && predicate.eval(&item.with_earlier_values()) == matches
        }
    }

    /// Finds out for which items a predicate may have another result if values are compared regardless of their type.
    fn changes<P: PredicateReflection + ?Sized>(&self, matches: bool, predicate: &P) -> Changes {
        if self.may_be_empty {
            return Changes::default(); // that would be of no interest
        }
        Changes::of(&Behind(predicate), matches)
    }

    /// Counts the items for which a predicate has this result, and those for which it has it only if values are
    /// compared regardless of their type.
    fn tally<P: Predicate<I::Item> + ?Sized>(&self, matches: bool, predicate: &P) -> Tally {
        let was = self.was(matches, predicate);
        let changes = self.changes(matches, predicate);
        let mut tally = Tally { count: 0, similar: 0, changes };
        if !changes.adds {
            tally.count = self.scanned().filter(was).count();
            return tally;
        }
        self.scanned().for_each(|item| {
            let is_similar = was(&item.read_loosely());
            // One look is enough at nearly all items, unless some may lose the result.
            if is_similar || changes.removes {
                if was(&item) {
                    tally.count += 1;
                } else if is_similar {
                    tally.similar += 1;
                }
            }
        });
        tally
    }

    /// Creates the error that no item matches.
    fn none_matches<P: Predicate<I::Item> + ?Sized>(&self, predicate: &P) -> ScanError {
        let headline = format!("no {}{} matches", Self::NOUN, self.place());
        let headline = format!("{headline} {}", Short::line(predicate));
        let (none, hints) = (core::iter::empty(), self.hints(predicate));
        let searched = self.searched();
        ScanError::new(missing(&headline, searched, none, self.scanned(), predicate, &hints))
    }

    /// Fails if there is a reason why an assertion that holds says nothing.
    pub(super) fn look(
        &self,
        reason: Option<String>,
        predicate: &dyn fmt::Display,
    ) -> Result<(), ScanError> {
        let Some(reason) = reason.filter(|_| !self.may_be_empty) else { return Ok(()) };
        let headline = says_nothing(&reason, predicate, "scan with `or_empty()`");
        Err(ScanError::new(blind(&headline, self.searched())))
    }

    /// Fails if there are items that break the assertion if values are compared regardless of their type.
    fn refuse_similar<P>(
        &self,
        similar: impl Iterator<Item = I::Item>,
        which: &str,
        predicate: &P,
        matches: bool,
    ) -> Result<(), ScanError>
    where
        P: Predicate<I::Item> + ?Sized,
    {
        let similar: Vec<_> = similar.collect();
        let (noun, verb) = match (similar.len(), matches) {
            (0, _) => return Ok(()),
            (1, true) => (Self::NOUN, "matches"),
            (1, false) => (Self::NOUN, "does not match"),
            (_, true) => (Self::NOUNS, "match"),
            (_, false) => (Self::NOUNS, "do not match"),
        };
        let count = similar.len();
        let reason =
            format!("{count} {noun}{which} {verb} if values are compared regardless of their type");
        let way_out = "name the type, as in `value(eq(5_i128))` or `value(eq(0.5))`, or scan with `or_empty()`";
        let (headline, searched) = (says_nothing(&reason, &predicate, way_out), self.searched());
        Err(ScanError::new(mistakable(
            &headline,
            searched,
            similar.into_iter(),
            predicate,
            matches,
        )))
    }

    /// Says why a predicate may have its result only because the capture missed something, if that is so.
    fn absence<P>(&self, predicate: &P, holds: bool) -> Option<String>
    where
        P: Predicate<I::Item> + ?Sized,
    {
        absence(self.searched().storage, &Behind(predicate), holds, <I::Item as Sealed>::KIND)
    }

    /// Says why the capture could not have seen an item for which a predicate has this result, if that is so.
    fn unseen<P>(&self, predicate: &P, matches: bool) -> Option<String>
    where
        P: Predicate<I::Item> + ?Sized,
    {
        let storage = self.searched().storage;
        self.no_moment()
            .or_else(|| limit(storage, &Behind(predicate), matches))
            .or_else(|| gap(storage))
            .or_else(|| self.absence(predicate, !matches))
    }

    /// Fails if a predicate may match only because the capture missed something.
    pub(super) fn trust_match<P>(&self, predicate: &P) -> Result<(), ScanError>
    where
        P: Predicate<I::Item> + ?Sized,
    {
        self.look(self.absence(predicate, true), &predicate)
    }

    /// Fails if fewer than so many of the matching items match if values are compared regardless of their type: a part
    /// of the predicate rules values out.
    pub(super) fn trust_types<P, M>(
        &self,
        matching: impl Fn() -> M,
        min: usize,
        predicate: &P,
    ) -> Result<(), ScanError>
    where
        P: Predicate<I::Item> + ?Sized,
        M: Iterator<Item = I::Item>,
    {
        if !self.changes(true, predicate).removes {
            return Ok(());
        }
        let still_matches = |item: &I::Item| predicate.eval(&item.read_loosely());
        if matching().filter(still_matches).take(min).count() == min {
            return Ok(());
        }
        let similar = matching().filter(|item| !still_matches(item));
        self.refuse_similar(similar, "", predicate, false)
    }

    /// Fails if an assertion holds only because no item was found that matches (or that does not), and the capture
    /// could not have seen such an item, or there are similar ones.
    fn trust_nothing<P>(&self, predicate: &P, matches: bool, tally: &Tally) -> Result<(), ScanError>
    where
        P: Predicate<I::Item> + ?Sized,
    {
        self.look(self.unseen(predicate, matches), &predicate)?;
        let was = self.was(matches, predicate);
        let is_similar = |item: &I::Item| !was(item) && was(&item.read_loosely());
        if tally.similar > 0 {
            let similar = self.scanned().filter(is_similar);
            self.refuse_similar(similar, "", predicate, matches)?;
        }
        self.settle(self.unattributed().filter(was), &predicate)?;
        if !tally.changes.adds {
            return Ok(());
        }
        let similar = self.unattributed().filter(is_similar);
        self.refuse_similar(similar, UNCLAIMED, predicate, matches)
    }

    /// Fails if the capture could not have seen more matches, or if matches that may be the test's would exceed the
    /// maximum.
    fn trust_at_most<P>(&self, max: usize, count: usize, predicate: &P) -> Result<(), ScanError>
    where
        P: Predicate<I::Item> + ?Sized,
    {
        self.look(self.unseen(predicate, true), &predicate)?;
        let more = || self.unattributed().filter(|item| predicate.eval(item));
        let breaks = more().count() > max.saturating_sub(count);
        self.settle(more().filter(|_| breaks), &predicate)?;
        if !self.changes(true, predicate).adds {
            return Ok(());
        }
        let matches = |item: &I::Item| predicate.eval(&item.read_loosely());
        let is_similar = |item: &I::Item| !predicate.eval(item) && matches(item);
        let count = self.scanned().filter(matches).count();
        if count > max {
            self.refuse_similar(self.scanned().filter(is_similar), "", predicate, true)?;
        }
        if self.unattributed().filter(matches).count() > max.saturating_sub(count) {
            let similar = self.unattributed().filter(is_similar);
            self.refuse_similar(similar, UNCLAIMED, predicate, true)?;
        }
        Ok(())
    }

    /// Returns the first or the last match, if there is one, and if none may have been left out on its side.
    fn outermost<P: Predicate<I::Item> + ?Sized>(
        &self,
        found: Option<I::Item>,
        left_out_beside: fn(&Storage) -> u64,
        predicate: &P,
    ) -> Result<I::Item, ScanError> {
        let found = found.ok_or_else(|| self.none_matches(predicate))?;
        self.trust_match(predicate)?;
        self.trust_types(|| iter::once(found), 1, predicate)?;
        let storage = self.searched().storage;
        let reason = bypass(storage)
            .or_else(|| left_out(left_out_beside(storage)))
            .or_else(|| self.absence(predicate, false));
        self.look(reason, &predicate)?;
        self.settle(self.unattributed().filter(|item| predicate.eval(item)), &predicate)?;
        Ok(found)
    }

    /// Asserts that exactly one item matches, and returns it.
    ///
    /// # Errors
    ///
    /// Returns an error if none matches, or more than one, or if the capture could not have seen more.
    pub fn try_single<P: Predicate<I::Item> + ?Sized>(
        self,
        predicate: &P,
    ) -> Result<I::Item, ScanError> {
        let _answers = self.keep_answers();
        let mut matching = self.matching(predicate);
        match (matching.next(), matching.next()) {
            (Some(item), None) => {
                self.trust_match(predicate)?;
                self.trust_types(|| iter::once(item), 1, predicate)?;
                self.trust_at_most(1, 1, predicate)?;
                Ok(item)
            }
            (None, _) => Err(self.none_matches(predicate)),
            (Some(_), Some(_)) => Err(self.wrong_count("one", false, predicate)),
        }
    }

    /// Returns the first item that matches.
    ///
    /// # Errors
    ///
    /// Returns an error if none matches, or if there may be an earlier match: spans and events were left out of the trace,
    /// or a record matches that no test can claim.
    pub fn try_first<P: Predicate<I::Item> + ?Sized>(
        self,
        predicate: &P,
    ) -> Result<I::Item, ScanError> {
        let _answers = self.keep_answers();
        self.outermost(self.matching(predicate).next(), Storage::left_out_earlier, predicate)
    }

    /// Returns the last item that matches.
    ///
    /// # Errors
    ///
    /// Returns an error if none matches, or if there may be a later match: spans and events were left out of the trace, or
    /// a record matches that no test can claim.
    pub fn try_last<P: Predicate<I::Item> + ?Sized>(
        self,
        predicate: &P,
    ) -> Result<I::Item, ScanError> {
        let _answers = self.keep_answers();
        self.outermost(self.matching(predicate).last(), Storage::left_out_later, predicate)
    }

    /// Asserts that at least one item matches.
    ///
    /// # Errors
    ///
    /// Returns an error if none matches, or if the match rules out something that the capture may have missed.
    pub fn try_any<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> Result<(), ScanError> {
        let _answers = self.keep_answers();
        match self.matching(predicate).next() {
            Some(_) => {
                self.trust_match(predicate)?;
                self.trust_types(|| self.matching(predicate), 1, predicate)
            }
            None => Err(self.none_matches(predicate)),
        }
    }

    /// Asserts that all items match.
    ///
    /// # Errors
    ///
    /// Returns an error if one does not match, or if the capture could not have seen it.
    pub fn try_all<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> Result<(), ScanError> {
        let _answers = self.keep_answers();
        let was = self.was(false, predicate);
        let failing = || self.scanned().filter(was);
        let tally = self.tally(false, predicate);
        let count = tally.count;
        if count == 0 {
            return self.trust_nothing(predicate, false, &tally);
        }
        let (all, nouns, place) = (self.scanned().count(), Self::NOUNS, self.place());
        let verb = if count == 1 { "does" } else { "do" };
        let headline = format!("{count} of {all} {nouns}{place} {verb} not match");
        let headline = format!("{headline}: {}", Short::line(predicate));
        Err(ScanError::new(unwanted(&headline, self.searched(), failing(), predicate, false)))
    }

    /// Asserts that no item matches.
    ///
    /// # Errors
    ///
    /// Returns an error if one matches, or if the capture could not have seen it.
    pub fn try_none<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> Result<(), ScanError> {
        let _answers = self.keep_answers();
        let was = self.was(true, predicate);
        let matching = || self.scanned().filter(was);
        let tally = self.tally(true, predicate);
        let count = tally.count;
        if count == 0 {
            return self.trust_nothing(predicate, true, &tally);
        }
        let noun = if count == 1 { Self::NOUN } else { Self::NOUNS };
        let headline = format!("{count} {noun}{} should not match", self.place());
        let headline = format!("{headline}: {}", Short::line(predicate));
        Err(ScanError::new(unwanted(&headline, self.searched(), matching(), predicate, true)))
    }

    /// Asserts that `count` items match, and returns them. See [`Scanner::count()`].
    ///
    /// # Errors
    ///
    /// Returns an error if more or fewer items match. With a maximum, it also returns one if the capture could not have
    /// seen more.
    pub fn try_count<P: Predicate<I::Item> + ?Sized>(
        self,
        count: impl IntoCount,
        predicate: &P,
    ) -> Result<Vec<I::Item>, ScanError> {
        let _answers = self.keep_answers();
        let (min, max) = limits(count);
        // There may be a million more matches, which are not needed.
        let enough = max.map_or(usize::MAX, |max| max.saturating_add(1));
        let matching: Vec<_> = self.matching(predicate).take(enough).collect();
        let number = matching.len();
        if number < min || max.is_some_and(|max| number > max) {
            return Err(self.wrong_count(&described(min, max), number < min, predicate));
        }
        if !matching.is_empty() {
            self.trust_match(predicate)?;
            self.trust_types(|| matching.iter().copied(), min, predicate)?;
        }
        match max {
            // Without a maximum, unseen items cannot make the assertion wrong.
            None => {}
            Some(0) => self.try_none(predicate)?,
            Some(max) => self.trust_at_most(max, matching.len(), predicate)?,
        }
        Ok(matching)
    }

    /// Creates the error that the number of matches is wrong.
    fn wrong_count<P>(&self, expected: &str, is_too_few: bool, predicate: &P) -> ScanError
    where
        P: Predicate<I::Item> + ?Sized,
    {
        let matching = || self.matching(predicate);
        let count = matching().count();
        let noun = if count == 1 { Self::NOUN } else { Self::NOUNS };
        let verb = if count == 1 { "matches" } else { "match" };
        let headline = format!("{count} {noun}{} {verb} instead of {expected}", self.place());
        let headline = format!("{headline}: {}", Short::line(predicate));
        ScanError::new(if is_too_few {
            let hints = self.hints(predicate);
            missing(&headline, self.searched(), matching(), self.scanned(), predicate, &hints)
        } else {
            unwanted(&headline, self.searched(), matching(), predicate, true)
        })
    }
}

/// Numbers of items that break an assertion.
struct Tally {
    count: usize,
    /// Those that break it only if values are compared regardless of their type.
    similar: usize,
    changes: Changes,
}

/// Says of items that they are unattributed.
const UNCLAIMED: &str = " that no test can claim";

/// Makes the headline that an assertion says nothing.
fn says_nothing(reason: &str, predicate: &dyn fmt::Display, way_out: &str) -> String {
    let predicate = Short::line(predicate);
    format!("this says nothing, since {reason}: {predicate}\n(if that is meant, {way_out})")
}

/// Describes the range in words.
fn described(min: usize, max: Option<usize>) -> String {
    match max {
        Some(max) if min == max => format!("{min}"),
        Some(max) if min == 0 => format!("at most {max}"),
        Some(max) => format!("{min} to {max}"),
        None => format!("at least {min}"),
    }
}
