//! Assertions on the order in which spans were created, or events emitted.

use alloc::{collections::VecDeque, format, vec::Vec};
use core::iter;

use ::predicates::Predicate;

use super::{
    Scanner,
    checks::ScanError,
    failure::{Progress, out_of_order},
    scanner::or_panic,
    scope::Scope,
    sight::{gap, hidden_by_layer},
};
use crate::capture::{Captured, Sealed};

/// A predicate for each of the expected items, in their order.
type Expected<'p, Item> = [&'p dyn Predicate<Item>];

const IN_ORDER: &str = "in this order";

/// Assertions on order. Pass the predicates as a slice of references, `&[&first, &second]`.
///
/// Scanners look at items in the order of time, regardless of their spans: events of two tasks that take turns
/// alternate. Only [ancestors](crate::CapturedEvent::scan_ancestors) are scanned from the parent to the root.
impl<'a, T, I> Scanner<T, I>
where
    T: Scope<'a>,
    I: Iterator,
    I::Item: Captured<'a>,
{
    /// Asserts that items match the predicates one after another, with anything between them, and returns these items.
    ///
    /// # Panics
    ///
    /// Panics if there are no such items, or if a match rules out something that the capture may have missed: see
    /// [negatives](Self#negatives). The message shows how far the order holds.
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

    /// Asserts that items match the predicates one after another, with no others between them, and returns these items.
    ///
    /// # Panics
    ///
    /// Panics if there are no such items, or if there may be others between them that the capture does not have: see
    /// [negatives](Self#negatives). The message shows the place that comes nearest.
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

    /// Asserts that the items match the predicates one after another and that there are no others, and returns them.
    ///
    /// # Panics
    ///
    /// Panics if an item does not match its predicate, if there are more or fewer items, or if the capture could not
    /// have seen more: see [negatives](Self#negatives).
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

    /// Does the same as [`Self::in_order()`], with a [`Result`].
    ///
    /// # Errors
    ///
    /// Returns an error if there are no such items.
    pub fn try_in_order(self, expected: &Expected<'_, I::Item>) -> Result<Vec<I::Item>, ScanError> {
        let _answers = self.keep_answers();
        let mut items = self.scanned();
        let mut found = Vec::new();
        for predicate in expected {
            // The first match leaves most items for the predicates that follow.
            match items.find(|item| predicate.eval(item)) {
                Some(item) => found.push(item),
                None => return Err(self.out_of_order(IN_ORDER, expected, &found, None)),
            }
        }
        self.trust_each(expected, &found)?;
        Ok(found)
    }

    /// Does the same as [`Self::in_a_row()`], with a [`Result`].
    ///
    /// # Errors
    ///
    /// Returns an error if there are no such items.
    pub fn try_in_a_row(self, expected: &Expected<'_, I::Item>) -> Result<Vec<I::Item>, ScanError> {
        let _answers = self.keep_answers();
        let mut nearest = Vec::new();
        let mut instead = None;
        // The items that would be the row if they matched: at most the expected number.
        let mut row = VecDeque::with_capacity(expected.len());
        let mut items = self.scanned();
        loop {
            while row.len() < expected.len() {
                let Some(item) = items.next() else { break };
                row.push_back(item);
            }
            let in_a_row = row.iter().zip(expected);
            let len = in_a_row.take_while(|(item, predicate)| predicate.eval(item)).count();
            if len == expected.len() {
                self.trust_each(expected, row.make_contiguous())?;
                if len > 1 {
                    self.trust_no_others("in a row")?;
                }
                return Ok(row.into());
            }
            if len > nearest.len() {
                nearest = row.iter().take(len).copied().collect();
                instead = row.get(len).copied();
            }
            if row.pop_front().is_none() {
                return Err(self.out_of_order("in a row", expected, &nearest, instead));
            }
        }
    }

    /// Does the same as [`Self::exactly()`], with a [`Result`].
    ///
    /// # Errors
    ///
    /// Returns an error if an item does not match its predicate, if there are more or fewer items, or if the capture
    /// could not have seen more.
    pub fn try_exactly(self, expected: &Expected<'_, I::Item>) -> Result<Vec<I::Item>, ScanError> {
        let _answers = self.keep_answers();
        let mut items = self.scanned();
        let mut found = Vec::new();
        for predicate in expected {
            match items.next() {
                Some(item) if predicate.eval(&item) => found.push(item),
                other => {
                    return Err(self.out_of_order("and nothing else", expected, &found, other));
                }
            }
        }
        if items.next().is_some() {
            return Err(self.out_of_order("and nothing else", expected, &found, None));
        }
        self.trust_each(expected, &found)?;
        self.trust_no_others("nothing else")?;
        Ok(found)
    }

    /// Fails if one of the items may match its predicate only because the capture missed something, or because of the
    /// type of a value.
    fn trust_each(
        &self,
        expected: &Expected<'_, I::Item>,
        found: &[I::Item],
    ) -> Result<(), ScanError> {
        expected.iter().zip(found).try_for_each(|(predicate, item)| {
            self.trust_match(*predicate)?;
            self.trust_types(|| iter::once(*item), 1, *predicate)
        })
    }

    /// Fails if there may be items that the capture lacks.
    fn trust_no_others(&self, how: &str) -> Result<(), ScanError> {
        let storage = self.searched().storage;
        let reason = self.no_moment().or_else(|| gap(storage)).or_else(|| hidden_by_layer(storage));
        self.look(reason, &how)?;
        self.settle(self.unattributed(), &how)
    }

    fn out_of_order(
        &self,
        how: &str,
        expected: &Expected<'_, I::Item>,
        found: &[I::Item],
        instead: Option<I::Item>,
    ) -> ScanError {
        let [noun, nouns] = <I::Item as Sealed>::NOUNS;
        let last = found.last();
        let rest = || {
            let mut items = self.scanned();
            if let Some(last) = last {
                items.find(|item| item == last);
            }
            items
        };
        let next = expected.get(found.len());
        let what = if expected.len() == 1 { noun } else { nouns };
        let progress = match (next, found.len()) {
            (None, _) => match rest().count() {
                1 => "there is 1 more".into(),
                count => format!("there are {count} more"),
            },
            (Some(_), 0) => "not found".into(),
            (Some(_), len) => format!("only {len} found"),
        };
        let headline = format!("{} {what}{} {how}: {progress}", expected.len(), self.place());
        let may_be_early = how == IN_ORDER;
        let earlier = last.zip(next).filter(|_| may_be_early).and_then(|(last, predicate)| {
            let mut before = self.scanned().take_while(|item| item != last);
            let is_unused = |item: &I::Item| !found.contains(item);
            before.find(|item| is_unused(item) && predicate.eval(item))
        });
        let progress = Progress { expected, found, instead, earlier };
        let hints = next.map_or_else(Vec::new, |predicate| self.hints(*predicate));
        ScanError::new(out_of_order(&headline, self.searched(), &progress, rest(), &hints))
    }
}
