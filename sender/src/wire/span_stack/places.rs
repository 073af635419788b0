//! Where each span stands on a deep stack.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// Enters among which looking for one costs next to nothing.
const FEW: usize = 64;

/// Places of enters, kept while there are more than a [`FEW`].
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    kept: Option<Kept>,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    /// Places of the enters of each span.
    by_key: BTreeMap<u64, Vec<usize>>,
    /// Places where spans were entered for the first time, but for those that are passed over.
    firsts: BTreeSet<usize>,
    /// Those of them where the span is wanted.
    wanted: BTreeSet<usize>,
}

/// An enter, as far as places are concerned.
#[derive(Clone, Copy)]
pub(super) struct Enter {
    pub(super) key: u64,
    pub(super) place: usize,
    pub(super) is_first: bool,
    pub(super) is_wanted: bool,
}

impl Places {
    pub(super) const fn new() -> Self {
        Self { kept: None }
    }

    /// Whether places should be kept for so many enters, and are not.
    pub(super) fn are_wanted(&self, enters: usize) -> bool {
        self.kept.is_none() && enters >= FEW
    }

    /// Takes in all enters that there are.
    pub(super) fn rebuild(&mut self, enters: impl ExactSizeIterator<Item = Enter>) {
        self.kept = (enters.len() >= FEW).then(Kept::default);
        enters.for_each(|enter| self.push(enter));
    }

    /// Notes the place of a new enter.
    pub(super) fn push(&mut self, enter: Enter) {
        let Some(Kept { by_key, firsts, wanted }) = &mut self.kept else { return };
        by_key.entry(enter.key).or_default().push(enter.place);
        if enter.is_first {
            firsts.insert(enter.place);
            if enter.is_wanted {
                wanted.insert(enter.place);
            }
        }
    }

    /// Forgets the latest enter of a span, which stands at this place.
    pub(super) fn pop(&mut self, key: u64, place: usize) {
        let Some(Kept { by_key, firsts, wanted }) = &mut self.kept else { return };
        if let Some(of_span) = by_key.get_mut(&key) {
            of_span.pop();
            if of_span.is_empty() {
                by_key.remove(&key);
            }
        }
        firsts.remove(&place);
        wanted.remove(&place);
    }

    /// Returns the place of the latest enter of a span, if there is one, or `Err` if places are not
    /// kept.
    pub(super) fn latest(&self, key: u64) -> Result<Option<usize>, ()> {
        let by_key = &self.kept.as_ref().ok_or(())?.by_key;
        Ok(by_key.get(&key).and_then(|of_span| of_span.last().copied()))
    }

    /// Returns places where spans were entered for the first time, innermost first, if places are kept.
    pub(super) fn firsts(&self) -> Option<impl Iterator<Item = usize>> {
        Some(self.kept.as_ref()?.firsts.iter().rev().copied())
    }
}

impl Places {
    /// Returns the innermost place where a span that is wanted was entered for the first time, or `Err` if
    /// places are not kept.
    pub(super) fn wanted(&self) -> Result<Option<usize>, ()> {
        Ok(self.kept.as_ref().ok_or(())?.wanted.last().copied())
    }

    /// Passes over the innermost places for as long as the function says so.
    #[inline]
    pub(super) fn pass_over(&mut self, is_passed_over: impl Fn(usize) -> bool) {
        let Some(Kept { firsts, .. }) = &mut self.kept else { return };
        while firsts.last().is_some_and(|place| is_passed_over(*place)) {
            firsts.pop_last();
        }
    }
}
