//! Assertions on the order in which spans were created, or events emitted.

use alloc::{format, string::String, vec::Vec};

use ::predicates::Predicate;

use super::{Scanner, checks::ScanError, failure::out_of_order, scanner::or_panic, scope::Scope};
use crate::capture::{Captured, Sealed};

/// A predicate for each of the items that are expected, one after another.
type Expected<'p, Item> = [&'p dyn Predicate<Item>];

/// Order. The predicates are given as a slice of references, `&[&first, &second]`.
///
/// Items are looked at in the order of the scan, which is that of their capture.
impl<'a, T, I> Scanner<T, I>
where
    T: Scope<'a>,
    I: Iterator,
    I::Item: Captured<'a>,
{
    /// Returns items that match the predicates one after another, whatever comes between them.
    ///
    /// # Panics
    ///
    /// Panics if there are none. The message shows how far the order holds.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::start();
    /// tracing::info!("opened");
    /// tracing::debug!("seeking");
    /// tracing::info!("written");
    /// tracing::info!("closed");
    /// let trace = capture.trace();
    /// let events = trace.scan_events();
    /// events.in_order(&[&message(eq("opened")), &message(eq("closed"))]);
    /// assert!(events.try_in_order(&[&message(eq("closed")), &message(eq("opened"))]).is_err());
    /// ```
    #[track_caller]
    pub fn in_order(self, expected: &[&dyn Predicate<I::Item>]) -> Vec<I::Item> {
        or_panic(self.try_in_order(expected))
    }

    /// Returns items that match the predicates one after another, without others between them.
    ///
    /// # Panics
    ///
    /// Panics if there are none. The message shows where it comes nearest.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::start();
    /// tracing::info!("opened");
    /// tracing::info!("written");
    /// tracing::info!("closed");
    /// let trace = capture.trace();
    /// let events = trace.scan_events();
    /// events.in_a_row(&[&message(eq("written")), &message(eq("closed"))]);
    /// assert!(events.try_in_a_row(&[&message(eq("opened")), &message(eq("closed"))]).is_err());
    /// ```
    #[track_caller]
    pub fn in_a_row(self, expected: &[&dyn Predicate<I::Item>]) -> Vec<I::Item> {
        or_panic(self.try_in_a_row(expected))
    }

    /// Asserts that there is nothing else but items which match the predicates one after another.
    ///
    /// # Panics
    ///
    /// Panics if an item does not match its predicate, or if there are more or fewer of them.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::start();
    /// tracing::info!("opened");
    /// tracing::info!("closed");
    /// let trace = capture.trace();
    /// let events = trace.scan_events();
    /// events.exactly(&[&message(eq("opened")), &message(eq("closed"))]);
    /// assert!(events.try_exactly(&[&message(eq("opened"))]).is_err());
    /// ```
    #[track_caller]
    pub fn exactly(self, expected: &[&dyn Predicate<I::Item>]) -> Vec<I::Item> {
        or_panic(self.try_exactly(expected))
    }

    /// Does what [`Self::in_order()`] does, with a [`Result`].
    ///
    /// # Errors
    ///
    /// Returns an error if there are no such items.
    pub fn try_in_order(self, expected: &Expected<'_, I::Item>) -> Result<Vec<I::Item>, ScanError> {
        let mut items = self.scanned();
        let mut found = Vec::new();
        for predicate in expected {
            // The first one that matches leaves most for those that follow.
            match items.find(|item| predicate.eval(item)) {
                Some(item) => found.push(item),
                None => return Err(self.out_of_order("in this order", expected, &found, None)),
            }
        }
        Ok(found)
    }

    /// Does what [`Self::in_a_row()`] does, with a [`Result`].
    ///
    /// # Errors
    ///
    /// Returns an error if there are no such items.
    pub fn try_in_a_row(self, expected: &Expected<'_, I::Item>) -> Result<Vec<I::Item>, ScanError> {
        let items: Vec<_> = self.scanned().collect();
        let mut nearest: (usize, usize) = (0, 0);
        for first in 0..=items.len().saturating_sub(expected.len()) {
            let in_a_row = items.iter().skip(first).zip(expected);
            let len = in_a_row.take_while(|(item, predicate)| predicate.eval(item)).count();
            if len == expected.len() {
                return Ok(items[first..first + len].to_vec());
            }
            if len > nearest.1 {
                nearest = (first, len);
            }
        }
        let (first, len) = nearest;
        let instead = items.get(first + len).copied().filter(|_| len > 0);
        Err(self.out_of_order("in a row", expected, &items[first..first + len], instead))
    }

    /// Does what [`Self::exactly()`] does, with a [`Result`].
    ///
    /// # Errors
    ///
    /// Returns an error if an item does not match its predicate, or if there are more or fewer.
    pub fn try_exactly(self, expected: &Expected<'_, I::Item>) -> Result<Vec<I::Item>, ScanError> {
        let items: Vec<_> = self.scanned().collect();
        let in_order = items.iter().zip(expected);
        let len = in_order.take_while(|(item, predicate)| predicate.eval(item)).count();
        if len == expected.len() && len == items.len() {
            return Ok(items);
        }
        let instead = items.get(len).copied();
        Err(self.out_of_order("and nothing else", expected, &items[..len], instead))
    }

    fn out_of_order(
        &self,
        how: &str,
        expected: &Expected<'_, I::Item>,
        found: &[I::Item],
        instead: Option<I::Item>,
    ) -> ScanError {
        let [noun, nouns] = <I::Item as Sealed>::NOUNS;
        let place = self.scope.place();
        let len = expected.len();
        let headline = match len {
            1 => format!("1 {noun}{place} {how}: not found"),
            _ => format!("{len} {nouns}{place} {how}: only {} found", found.len()),
        };
        let last = found.last().map(Captured::moment);
        let rest = self.scanned().filter(|item| last.is_none_or(|last| item.moment() > last));
        let message: String =
            out_of_order(&headline, self.scope.storage(), expected, found, instead, rest);
        ScanError::new(message)
    }
}
