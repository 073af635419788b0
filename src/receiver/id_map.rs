//! What a program numbers, by its numbers.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

/// Gaps that are not worth to be looked after: between numbers that come one soon after another,
/// and in all.
const FEW_GAPS: usize = 64;

/// A map from numbers that a program gives to what it has of them.
///
/// A program counts, and so most of its numbers are near each other: these have places in a
/// row. It may have other ways, or be hostile: then the map is one like any. Its memory is that of what is
/// in it, whatever the numbers are, and no operation takes longer than in a tree, on average.
#[derive(Debug)]
pub(super) struct IdMap<T> {
    /// What has the first ID, and those after it. There is always something in the first place.
    row: VecDeque<Option<T>>,
    first_id: u64,
    /// Places in the row that are taken.
    taken: usize,
    /// What has an ID far from those, or was there so long that the row left it behind.
    others: BTreeMap<u64, T>,
}

impl<T> Default for IdMap<T> {
    fn default() -> Self {
        Self { row: VecDeque::new(), first_id: 0, taken: 0, others: BTreeMap::new() }
    }
}

impl<T> IdMap<T> {
    #[inline]
    fn place(&self, id: u64) -> Option<usize> {
        let place = usize::try_from(id.checked_sub(self.first_id)?).ok()?;
        (place < self.row.len()).then_some(place)
    }

    #[inline]
    pub(super) fn get(&self, id: u64) -> Option<&T> {
        if let Some(Some(value)) = self.place(id).and_then(|place| self.row.get(place)) {
            return Some(value);
        }
        if self.others.is_empty() { None } else { self.others.get(&id) }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        let place = self.place(id).and_then(|place| self.row.get_mut(place));
        if let Some(Some(value)) = place {
            return Some(value);
        }
        if self.others.is_empty() { None } else { self.others.get_mut(&id) }
    }

    #[inline]
    pub(super) fn contains(&self, id: u64) -> bool {
        self.get(id).is_some()
    }

    /// Returns the number of what there is.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.taken + self.others.len()
    }

    /// Puts in what has an ID, in the place of anything that had it before.
    pub(super) fn insert(&mut self, id: u64, value: T) {
        if let Some(known) = self.get_mut(id) {
            *known = value;
            return;
        }
        if self.row.is_empty() {
            self.first_id = id;
        }
        let place = id.checked_sub(self.first_id).and_then(|place| usize::try_from(place).ok());
        match place {
            Some(place) if place <= self.row.len().saturating_add(FEW_GAPS) => {
                while self.row.len() <= place {
                    self.row.push_back(None);
                }
                if let Some(empty) = self.row.get_mut(place) {
                    *empty = Some(value);
                    self.taken += 1;
                }
                self.leave_behind();
            }
            _ => {
                self.others.insert(id, value);
            }
        }
    }

    /// Shortens a row that has more gaps than anything else, as one has whose first ID stays while
    /// others come and go.
    fn leave_behind(&mut self) {
        while self.row.len() > 2 * self.taken + FEW_GAPS {
            if let Some(Some(value)) = self.row.pop_front() {
                self.others.insert(self.first_id, value);
                self.taken -= 1;
            }
            self.first_id += 1;
        }
        self.skip_gaps();
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<T> {
        let place = self.place(id).and_then(|place| self.row.get_mut(place));
        if let Some(value) = place.and_then(Option::take) {
            self.taken -= 1;
            self.skip_gaps();
            return Some(value);
        }
        if self.others.is_empty() { None } else { self.others.remove(&id) }
    }

    /// Sees to it that there is something in the first place.
    #[inline]
    fn skip_gaps(&mut self) {
        while let Some(None) = self.row.front() {
            self.row.pop_front();
            self.first_id = self.first_id.wrapping_add(1); // beyond the last ID, the row is empty
        }
    }

    /// Iterates over what there is, in no certain order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let id = |place: usize| self.first_id + place as u64;
        let in_row = self.row.iter().enumerate();
        let in_row = in_row.filter_map(move |(place, value)| Some((id(place), value.as_ref()?)));
        in_row.chain(self.others.iter().map(|(id, value)| (*id, value)))
    }

    /// Returns what there is in the order of its IDs.
    pub(super) fn into_sorted(self) -> Vec<(u64, T)> {
        let id = |place: usize| self.first_id + place as u64;
        let in_row = self.row.into_iter().enumerate();
        let in_row = in_row.filter_map(|(place, value)| Some((id(place), value?)));
        let mut sorted: Vec<_> = in_row.chain(self.others).collect();
        sorted.sort_unstable_by_key(|(id, _)| *id);
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % bound
        }
    }

    fn check(map: &IdMap<u64>, model: &BTreeMap<u64, u64>) {
        let mut all: Vec<_> = map.iter().map(|(id, value)| (id, *value)).collect();
        all.sort_unstable();
        assert!(all.iter().copied().eq(model.iter().map(|(id, value)| (*id, *value))));
        assert_eq!(map.taken + map.others.len(), model.len());
        assert!(map.row.front().is_none_or(Option::is_some));
    }

    /// Does the same with the map and with a tree. IDs are chosen by the step and by chance.
    fn compare(steps: u64, choose: impl Fn(u64, &mut Random) -> u64) {
        let (mut map, mut model, mut random) = (IdMap::default(), BTreeMap::new(), Random(steps));
        for step in 0..steps {
            let id = choose(step, &mut random);
            match random.below(5) {
                0 | 1 => {
                    map.insert(id, step);
                    model.insert(id, step);
                }
                2 | 3 => assert_eq!(map.remove(id), model.remove(&id)),
                _ => {
                    if let Some(value) = map.get_mut(id) {
                        *value += 1;
                    }
                    model.entry(id).and_modify(|value| *value += 1);
                }
            }
            assert_eq!(map.get(id), model.get(&id));
            assert_eq!(map.contains(id), model.contains_key(&id));
            if step % 50 == 0 {
                check(&map, &model);
            }
        }
        check(&map, &model);
        assert!(map.into_sorted().into_iter().eq(model));
    }

    #[test]
    fn it_is_a_map() {
        compare(20_000, |_, random| random.below(30));
        compare(20_000, |_, random| random.below(3_000));
        compare(20_000, |step, random| step / 5 + random.below(20));
        compare(20_000, |step, random| step / 5 + random.below(500) * random.below(2));
        compare(20_000, |step, random| step + random.below(200) * 50);
        compare(20_000, |_, random| u64::MAX - random.below(100));
        compare(20_000, |step, random| {
            (u64::MAX - 4_000) + step / 5 - random.below(9).min(step / 5)
        });
        compare(20_000, |_, random| random.below(8) << 61 | random.below(8));
    }

    #[test]
    fn told_ids_take_no_memory() {
        let mut map = IdMap::default();
        for id in [0, u64::MAX, 1 << 40, u64::MAX / 2, 65, 1 << 20] {
            map.insert(id, ());
        }
        assert!(map.row.capacity() < 1_000);
        for nth in 0..100_000_u64 {
            map.insert(nth * FEW_GAPS as u64, ());
        }
        assert!(map.row.capacity() < 1_000);
    }

    #[test]
    fn what_stays_does_not_keep_places_of_what_goes() {
        let mut map = IdMap::default();
        map.insert(1, ());
        for id in 2..1_000_000 {
            map.insert(id, ());
            map.remove(id);
        }
        assert!(map.contains(1));
        assert!(map.row.capacity() < 1_000);
    }
}
