use alloc::{borrow::Cow, boxed::Box, collections::BTreeMap, vec::Vec};

use crate::wire::CallSiteData;

/// The names of a call site's fields. They are sorted: a record takes time by its values, and not by all fields.
///
/// A call site may declare a name more than once; a field has a rank among the fields of its name.
#[derive(Debug)]
pub(super) struct FieldNames {
    /// Indexes of the fields, sorted by name; fields of one name keep their order.
    sorted: Box<[u32]>,
    has_repeats: bool,
    total_len: usize,
}

impl FieldNames {
    pub(super) fn new(data: &CallSiteData) -> Self {
        let fields = &data.fields;
        let count = u32::try_from(fields.len()).unwrap_or(u32::MAX); // limits are far below
        let mut sorted: Box<[u32]> = (0..count).collect();
        sorted.sort_by_key(|index| fields.get(*index as usize)); // it keeps the order of equal names
        let is_same = |two: &[u32]| matches!(two, [a, b] if fields.get(*a as usize) == fields.get(*b as usize));
        let has_repeats = sorted.windows(2).any(is_same);
        let total_len = fields.iter().fold(0, |len: usize, name| len.saturating_add(name.len()));
        Self { sorted, has_repeats, total_len }
    }

    /// Returns the bytes of all names together.
    pub(super) fn total_len(&self) -> usize {
        self.total_len
    }

    /// Returns the place of the first field of a name in the order of names, or where it would be.
    fn first(&self, data: &CallSiteData, name: &str) -> usize {
        let name_of = |index: u32| data.fields.get(index as usize).map(|name| &**name);
        self.sorted.partition_point(|index| name_of(*index) < Some(name))
    }

    /// Returns the field of this name that has this rank.
    pub(super) fn with_rank(&self, data: &CallSiteData, name: &str, rank: usize) -> Option<usize> {
        let place = self.first(data, name).checked_add(rank)?;
        let index = *self.sorted.get(place)? as usize;
        (data.fields.get(index)? == name).then_some(index)
    }

    /// Returns the rank of a field.
    fn rank(&self, data: &CallSiteData, index: usize) -> Option<usize> {
        let name = data.fields.get(index)?;
        let key = |other: u32| (data.fields.get(other as usize), other as usize);
        let place =
            self.sorted.binary_search_by(|other| key(*other).cmp(&(Some(name), index))).ok()?;
        place.checked_sub(self.first(data, name))
    }

    /// Returns the ranks of fields, unless each is the next one of its name.
    pub(super) fn ranks(&self, data: &CallSiteData, indexes: &[usize]) -> Option<Vec<usize>> {
        if !self.has_repeats {
            return None;
        }
        let ranks: Vec<_> =
            indexes.iter().map(|index| self.rank(data, *index)).collect::<Option<_>>()?;
        let mut in_turn = InTurn::default();
        let names = indexes.iter().map(|index| data.fields.get(*index));
        let is_in_turn = names.zip(&ranks).all(|(name, rank)| in_turn.next_rank(name) == *rank);
        (!is_in_turn).then_some(ranks)
    }
}

/// Counts values by the name of their field.
#[derive(Default)]
struct InTurn<'a>(BTreeMap<Option<&'a Cow<'static, str>>, usize>);

impl<'a> InTurn<'a> {
    fn next_rank(&mut self, name: Option<&'a Cow<'static, str>>) -> usize {
        let count = self.0.entry(name).or_default();
        *count += 1;
        *count - 1
    }
}

/// Finds the fields of values that only have names: the second value of a name belongs to its second field.
pub(super) struct FieldsInTurn<'a> {
    data: &'a CallSiteData,
    names: &'a FieldNames,
    in_turn: InTurn<'a>,
}

impl<'a> FieldsInTurn<'a> {
    pub(super) fn new(data: &'a CallSiteData, names: &'a FieldNames) -> Self {
        Self { data, names, in_turn: InTurn::default() }
    }

    /// Returns the first field of this name that was not returned yet, or else the first one.
    pub(super) fn next(&mut self, name: &str) -> Option<usize> {
        let first = self.names.with_rank(self.data, name, 0)?;
        if !self.names.has_repeats {
            return Some(first);
        }
        let rank = self.in_turn.next_rank(self.data.fields.get(first));
        self.names.with_rank(self.data, name, rank).or(Some(first))
    }
}
