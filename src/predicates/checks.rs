//! What scanners assert.

use alloc::{format, string::String, vec::Vec};
use core::{
    error::Error,
    fmt,
    ops::{Bound, RangeBounds},
};

use ::predicates::Predicate;

use super::{
    IntoCount, Scanner,
    failure::{blind, missing, unwanted},
    scope::Scope,
    sight::{blind_spot, gap},
};
use crate::capture::{Captured, Sealed};

/// The error of an assertion that failed: what [`Scanner`]'s methods panic with, as a value.
///
/// It shows what was expected, what there was instead, and the trace. Its [`Debug`](fmt::Debug) output is
/// the same text, since that is what a test shows that returns it.
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
#[derive(Clone, PartialEq, Eq)]
pub struct ScanError {
    message: String,
}

impl ScanError {
    pub(super) fn new(message: String) -> Self {
        Self { message }
    }
}

impl fmt::Debug for ScanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for ScanError {}

/// The same, with a [`Result`] instead of a panic, for `?`.
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

    /// The error that none matches.
    fn none_matches<P: Predicate<I::Item> + ?Sized>(&self, predicate: &P) -> ScanError {
        let headline = format!("no {}{} matches {predicate}", Self::NOUN, self.scope.place());
        ScanError::new(missing(&headline, self.scope.storage(), self.scanned(), predicate))
    }

    /// Fails, for a reason why an assertion that holds says nothing.
    fn look(&self, reason: Option<String>, predicate: &dyn fmt::Display) -> Result<(), ScanError> {
        let Some(reason) = reason.filter(|_| !self.may_be_empty) else { return Ok(()) };
        let headline = format!(
            "this says nothing, since {reason}: {predicate}\n\
             (if that is meant, scan with `or_empty()`)"
        );
        Err(ScanError::new(blind(&headline, self.scope.storage())))
    }

    /// Fails if what an assertion is satisfied not to find could not have been captured.
    fn look_for<P>(&self, predicate: &P) -> Result<(), ScanError>
    where
        P: Predicate<I::Item> + ?Sized,
    {
        self.look(blind_spot(self.scope.storage(), predicate), &predicate)
    }

    /// Returns the only one that matches.
    ///
    /// # Errors
    ///
    /// Returns an error if none matches, or more than one.
    pub fn try_single<P: Predicate<I::Item> + ?Sized>(
        self,
        predicate: &P,
    ) -> Result<I::Item, ScanError> {
        let mut matching = self.matching(predicate);
        match (matching.next(), matching.next()) {
            (Some(item), None) => Ok(item),
            (None, _) => Err(self.none_matches(predicate)),
            (Some(_), Some(_)) => Err(self.wrong_count("one", predicate)),
        }
    }

    /// Returns the first one that matches.
    ///
    /// # Errors
    ///
    /// Returns an error if none matches.
    pub fn try_first<P: Predicate<I::Item> + ?Sized>(
        self,
        predicate: &P,
    ) -> Result<I::Item, ScanError> {
        let first = self.matching(predicate).next();
        first.ok_or_else(|| self.none_matches(predicate))
    }

    /// Returns the last one that matches.
    ///
    /// # Errors
    ///
    /// Returns an error if none matches.
    pub fn try_last<P: Predicate<I::Item> + ?Sized>(
        self,
        predicate: &P,
    ) -> Result<I::Item, ScanError> {
        let last = self.matching(predicate).last();
        last.ok_or_else(|| self.none_matches(predicate))
    }

    /// Asserts that at least one matches.
    ///
    /// # Errors
    ///
    /// Returns an error if none matches.
    pub fn try_any<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> Result<(), ScanError> {
        self.try_first(predicate).map(drop)
    }

    /// Asserts that all match.
    ///
    /// # Errors
    ///
    /// Returns an error if one does not match, or if the capture saw nothing.
    pub fn try_all<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> Result<(), ScanError> {
        let failing = || self.scanned().filter(|item| !predicate.eval(item));
        let count = failing().count();
        if count == 0 {
            return self.look(gap(self.scope.storage()), &predicate);
        }
        let (all, nouns) = (self.scanned().count(), Self::NOUNS);
        let place = self.scope.place();
        let headline = format!("{count} of {all} {nouns}{place} do not match: {predicate}");
        Err(ScanError::new(unwanted(&headline, self.scope.storage(), failing(), predicate)))
    }

    /// Asserts that none matches.
    ///
    /// # Errors
    ///
    /// Returns an error if one matches, or if the capture could not have seen it.
    pub fn try_none<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> Result<(), ScanError> {
        let count = self.matching(predicate).count();
        if count == 0 {
            return self.look_for(predicate);
        }
        let noun = if count == 1 { Self::NOUN } else { Self::NOUNS };
        let headline =
            format!("{count} {noun}{} should not match: {predicate}", self.scope.place());
        let matching = self.matching(predicate);
        Err(ScanError::new(unwanted(&headline, self.scope.storage(), matching, predicate)))
    }

    /// Returns those that match, of which there have to be so many. See [`Scanner::count()`].
    ///
    /// # Errors
    ///
    /// Returns an error if there are more or fewer of them, or, if there may be none, if the capture
    /// could not have seen any.
    pub fn try_count<P: Predicate<I::Item> + ?Sized>(
        self,
        count: impl IntoCount,
        predicate: &P,
    ) -> Result<Vec<I::Item>, ScanError> {
        let count = count.into_count();
        let matching: Vec<_> = self.matching(predicate).collect();
        if count.contains(&matching.len()) {
            // What is not limited from above cannot be wrong for not having been seen.
            let may_miss = !matches!(count.end_bound(), Bound::Unbounded) && matching.is_empty();
            return if may_miss {
                self.look_for(predicate).map(|()| matching)
            } else {
                Ok(matching)
            };
        }
        Err(self.wrong_count(&described(&count), predicate))
    }

    /// The error that the number of those that match is another one.
    fn wrong_count<P>(&self, expected: &str, predicate: &P) -> ScanError
    where
        P: Predicate<I::Item> + ?Sized,
    {
        let count = self.matching(predicate).count();
        let (storage, nouns, place) = (self.scope.storage(), Self::NOUNS, self.scope.place());
        let noun = if count == 1 { Self::NOUN } else { nouns };
        let verb = if count == 1 { "matches" } else { "match" };
        let headline = format!("{count} {noun}{place} {verb} instead of {expected}: {predicate}");
        ScanError::new(if count == 0 {
            missing(&headline, storage, self.scanned(), predicate)
        } else {
            unwanted(&headline, storage, self.matching(predicate), predicate)
        })
    }
}

/// Says in words how many there may be.
fn described(count: &impl RangeBounds<usize>) -> String {
    let first = match count.start_bound() {
        Bound::Included(first) => *first,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let last = match count.end_bound() {
        Bound::Included(last) => Some(*last),
        Bound::Excluded(end) => Some(end.saturating_sub(1)),
        Bound::Unbounded => None,
    };
    match last {
        Some(last) if first == last => format!("{first}"),
        Some(last) if first == 0 => format!("at most {last}"),
        Some(last) => format!("{first} to {last}"),
        None => format!("at least {first}"),
    }
}
