//! Where each span stands on a deep stack.

use alloc::{collections::BTreeMap, vec::Vec};

/// Enters among which looking for one costs next to nothing.
const FEW: usize = 64;

/// Places of the enters of each span, kept while there are more than a [`FEW`].
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    places: Option<BTreeMap<u64, Vec<usize>>>,
}

impl Places {
    pub(super) const fn new() -> Self {
        Self { places: None }
    }

    /// Whether places should be kept for so many enters, and are not.
    pub(super) fn are_wanted(&self, enters: usize) -> bool {
        self.places.is_none() && enters >= FEW
    }

    /// Takes in the keys of all enters that there are.
    pub(super) fn rebuild(&mut self, keys: impl ExactSizeIterator<Item = u64>) {
        self.places = (keys.len() >= FEW).then(BTreeMap::new);
        for (place, key) in keys.enumerate() {
            self.push(key, place);
        }
    }

    /// Notes the place of a new enter.
    pub(super) fn push(&mut self, key: u64, place: usize) {
        if let Some(places) = &mut self.places {
            places.entry(key).or_default().push(place);
        }
    }

    /// Forgets the place of the latest enter of a span.
    pub(super) fn pop(&mut self, key: u64) {
        let Some(places) = &mut self.places else { return };
        if let Some(of_span) = places.get_mut(&key) {
            of_span.pop();
            if of_span.is_empty() {
                places.remove(&key);
            }
        }
    }

    /// Returns the place of the latest enter of a span, if there is one, or `Err` if places are not
    /// kept.
    pub(super) fn latest(&self, key: u64) -> Result<Option<usize>, ()> {
        let places = self.places.as_ref().ok_or(())?;
        Ok(places.get(&key).and_then(|of_span| of_span.last().copied()))
    }
}
