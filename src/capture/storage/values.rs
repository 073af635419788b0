//! The values of spans and events.
//!
//! Values stand one after another in the order in which they were recorded. A node has a range of them.
//! Mostly they belong to the first fields of its call site, in their order. For other values, the indexes of the fields
//! are stored beside them. Nothing is overwritten: a span whose field is recorded anew gets one more value, and
//! remembers which one is the last ([`Records`]).

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use core::{iter, mem, slice};

use tracing_core::field::Field;

use crate::{
    capture::storage::{metadata::KnownCallSite, timeline::EntryIndex},
    wire::{
        TracedValue,
        visit::{VisitValue, VisitedValue},
    },
};

/// The values of a record on their way into a storage.
#[derive(Debug, Default)]
pub(crate) struct NewValues {
    /// The index of the field of each value; empty if the values belong to the first fields, in their order.
    fields: Vec<u32>,
    values: Vec<TracedValue>,
}

impl NewValues {
    pub(crate) const fn new() -> Self {
        Self { fields: Vec::new(), values: Vec::new() }
    }

    #[inline(always)] // each value of each record comes by here
    pub(crate) fn push(&mut self, field: usize, value: TracedValue) {
        if field != self.values.len() || !self.fields.is_empty() {
            self.push_field(field);
        }
        self.values.push(value);
    }

    #[inline(never)] // values come in the order of the fields, mostly
    fn push_field(&mut self, field: usize) {
        if self.fields.is_empty() {
            self.fields.extend(0..number(self.values.len()));
        }
        // No call site declares four billion fields: `tracing` and receivers limit them.
        self.fields.push(number(field));
    }

    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.values.clear();
    }

    /// Checks whether this has allocated much memory.
    pub(crate) fn is_large(&self) -> bool {
        self.values.capacity() > 1_024
    }

    /// Iterates over the values and the indexes of their fields.
    pub(crate) fn iter(&self) -> NodeValuesIter<'_> {
        let Self { fields, values } = self;
        NodeValuesIter::InARow { fields, values: values.iter().enumerate() }
    }

    /// Keeps the first value of a field, and no other one.
    pub(crate) fn keep_only(&mut self, field: usize) {
        let kept = self.iter().find(|(other, _)| *other == field).map(|(_, value)| value.clone());
        self.clear();
        if let Some(value) = kept {
            self.push(field, value);
        }
    }

    /// Returns about how many bytes the values take.
    pub(crate) fn bytes(&self) -> usize {
        bytes(&self.values)
    }
}

impl VisitValue for &mut NewValues {
    #[inline(always)]
    fn visit(&mut self, field: &Field, value: VisitedValue<'_>) {
        self.push(field.index(), value.into());
    }
}

fn bytes(values: &[TracedValue]) -> usize {
    let each = size_of::<u32>() + size_of::<TracedValue>();
    values.iter().map(|value| each + value.heap_bytes()).sum()
}

/// The values of one record: a part of [`Values`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValueRange {
    /// Place of the first value.
    start: ValueIndex,
    len: u32,
}

/// The place of a value: its chunk, and its place there. Only a record with more than [`CHUNK`] values has places
/// beyond that.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValueIndex {
    chunk: u32,
    place: u32,
}

/// Values of a chunk, and mostly no more.
const CHUNK: usize = 512;

/// The values of all nodes. The values of one record are all in one chunk.
///
/// Copies share the chunks that are full.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    full: Vec<Arc<Chunk>>,
    rest: Chunk,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    /// The index of the field of each value, up to the last record that needs indexes. [`IN_ORDER`] for values of the
    /// first fields, in their order.
    fields: Vec<u32>,
    values: Vec<TracedValue>,
    /// Number of errors that may have more sources than are kept, once the chunk is full: each negative asks for it.
    cut_chains: usize,
}

impl Chunk {
    fn count_cut_chains(&self) -> usize {
        let is_cut =
            |value: &&TracedValue| matches!(value, TracedValue::Error(error) if error.may_be_cut());
        self.values.iter().filter(is_cut).count()
    }
}

const IN_ORDER: u32 = u32::MAX;

impl Values {
    /// Takes the values of a record.
    #[inline]
    pub(crate) fn add(&mut self, new: &mut NewValues) -> ValueRange {
        if self.rest.values.len() + new.values.len() > CHUNK && !self.rest.values.is_empty() {
            self.close_chunk();
        }
        let Chunk { fields, values, .. } = &mut self.rest;
        let start = ValueIndex { chunk: number(self.full.len()), place: number(values.len()) };
        let len = number(new.values.len());
        if !new.fields.is_empty() {
            fields.resize(values.len(), IN_ORDER);
            fields.append(&mut new.fields);
        }
        values.append(&mut new.values);
        ValueRange { start, len }
    }

    #[cold]
    fn close_chunk(&mut self) {
        let rest = Chunk { values: Vec::with_capacity(CHUNK), ..Chunk::default() };
        let mut full = mem::replace(&mut self.rest, rest);
        full.cut_chains = full.count_cut_chains();
        self.full.push(Arc::new(full));
    }

    #[inline]
    fn chunk(&self, index: ValueIndex) -> &Chunk {
        self.full.get(index.chunk as usize).map_or(&self.rest, |chunk| chunk)
    }

    /// Returns the values of a record.
    #[inline(always)] // predicates look at many values
    pub(crate) fn get(&self, range: ValueRange) -> NodeValues<'_> {
        let chunk = self.chunk(range.start);
        let start = range.start.place as usize;
        let places = start..start + range.len as usize;
        let fields = chunk.fields.get(places.clone()).unwrap_or_default();
        let fields = if fields.first() == Some(&IN_ORDER) { &[] } else { fields };
        NodeValues::InARow { fields, values: chunk.values.get(places).unwrap_or_default() }
    }

    /// Returns the number of errors that may have more sources than are kept.
    #[cfg(feature = "predicates")]
    pub(crate) fn cut_chains(&self) -> usize {
        let full: usize = self.full.iter().map(|chunk| chunk.cut_chains).sum();
        full + self.rest.count_cut_chains()
    }

    fn at(&self, index: ValueIndex) -> Option<&TracedValue> {
        self.chunk(index).values.get(index.place as usize)
    }
}

/// Converts a number of values, or the place of one. There is no memory for four billion values: they would take 144
/// gigabytes.
#[inline]
fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The values that were recorded into a span after it was created.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    /// The entry of each record, and its values.
    all: Vec<(EntryIndex, ValueRange)>,
    /// The last value of each field and the index of the field, in the order in which the fields first
    /// got one.
    last: Vec<(u32, ValueIndex)>,
    /// The place in `last` of each field.
    places: BTreeMap<u32, usize>,
    /// Number of values that a later value of the same field has replaced.
    overwritten: usize,
}

impl Records {
    /// Begins with the values of a new span.
    pub(crate) fn new(values: &Values, initial: ValueRange) -> Self {
        let mut records = Self::default();
        records.note(values, initial);
        records.overwritten = 0; // a stream may say a field twice at once: that is no change
        records
    }

    /// Adds a record. Returns the number of values that it replaces.
    pub(crate) fn push(&mut self, values: &Values, entry: EntryIndex, range: ValueRange) -> usize {
        let before = self.overwritten;
        self.note(values, range);
        self.all.push((entry, range));
        self.overwritten - before
    }

    fn note(&mut self, values: &Values, range: ValueRange) {
        for ((field, _), place) in values.get(range).iter().zip(range.start.place..) {
            let (field, index) = (number(field), ValueIndex { place, ..range.start });
            let place = *self.places.entry(field).or_insert(self.last.len());
            if let Some((_, last)) = self.last.get_mut(place) {
                *last = index;
                self.overwritten += 1;
            } else {
                self.last.push((field, index));
            }
        }
    }

    pub(crate) fn all(&self) -> &[(EntryIndex, ValueRange)] {
        &self.all
    }

    pub(crate) fn overwritten(&self) -> usize {
        self.overwritten
    }

    /// Returns the last value of each field.
    pub(crate) fn last<'a>(&'a self, values: &'a Values) -> NodeValues<'a> {
        NodeValues::Last { values, last: &self.last }
    }
}

/// The values of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NodeValues<'a> {
    /// The values of one record, and the indexes of their fields; no indexes if these are the first fields, in order.
    InARow { fields: &'a [u32], values: &'a [TracedValue] },
    /// The last values of a span into which more was recorded.
    Last { values: &'a Values, last: &'a [(u32, ValueIndex)] },
}

impl<'a> NodeValues<'a> {
    /// Iterates over the values and the indexes of their fields.
    #[inline]
    pub(crate) fn iter(self) -> NodeValuesIter<'a> {
        match self {
            Self::InARow { fields, values } => {
                NodeValuesIter::InARow { fields, values: values.iter().enumerate() }
            }
            Self::Last { values, last } => NodeValuesIter::Last(values, last.iter()),
        }
    }

    /// Finds the last value of a field with this name.
    #[inline(always)] // predicates look at many values
    pub(crate) fn find(self, call_site: &KnownCallSite, name: &str) -> Option<&'a TracedValue> {
        match self {
            Self::InARow { fields: [], values } if call_site.has_unique_names() => {
                values.get(call_site.first_named(name)?)
            }
            _ => self.search(call_site, name),
        }
    }

    #[inline(never)] // mostly, each field has one value
    fn search(self, call_site: &KnownCallSite, name: &str) -> Option<&'a TracedValue> {
        match self {
            Self::InARow { fields, values } => {
                let is_named = |place: &usize| call_site.is_named(field_of(fields, *place), name);
                values.get((0..values.len()).rfind(is_named)?)
            }
            Self::Last { values, last } => {
                let is_named = |(field, _): &&_| call_site.is_named(*field as usize, name);
                values.at(last.iter().rfind(is_named)?.1)
            }
        }
    }

    /// Checks whether a value of a field with this name matches; `None` if there is no such value.
    #[cfg(feature = "predicates")]
    #[inline]
    pub(crate) fn any_named(
        self,
        call_site: &KnownCallSite,
        name: &str,
        matches: impl Fn(&TracedValue) -> bool,
    ) -> Option<bool> {
        if call_site.has_unique_names() {
            return self.find(call_site, name).map(matches);
        }
        self.any_of_several(call_site, name, matches)
    }

    #[cfg(feature = "predicates")]
    #[inline(never)] // fields that are declared twice are an exception
    fn any_of_several(
        self,
        call_site: &KnownCallSite,
        name: &str,
        matches: impl Fn(&TracedValue) -> bool,
    ) -> Option<bool> {
        let named = self.iter().filter(|(field, _)| call_site.is_named(*field, name));
        named.fold(None, |found, (_, value)| Some(found == Some(true) || matches(value)))
    }

    /// Returns about how many bytes the values take, on the heap and in the list.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::InARow { values, .. } => bytes(values),
            Self::Last { .. } => self.iter().map(|(_, value)| bytes(slice::from_ref(value))).sum(),
        }
    }
}

/// Returns the index of the field of the value at a place in a record.
#[inline]
fn field_of(fields: &[u32], place: usize) -> usize {
    fields.get(place).map_or(place, |field| *field as usize)
}

/// Iterator over values and the indexes of their fields.
#[derive(Debug, Clone)]
pub(crate) enum NodeValuesIter<'a> {
    InARow { fields: &'a [u32], values: iter::Enumerate<slice::Iter<'a, TracedValue>> },
    Last(&'a Values, slice::Iter<'a, (u32, ValueIndex)>),
}

impl<'a> Iterator for NodeValuesIter<'a> {
    type Item = (usize, &'a TracedValue);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::InARow { fields, values } => {
                values.next().map(|(place, value)| (field_of(fields, place), value))
            }
            Self::Last(values, last) => {
                let (field, index) = last.next()?;
                Some((*field as usize, values.at(*index)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_have_the_fields_that_they_were_given(
            records in prop::collection::vec(prop::collection::vec(0..4_usize, 0..5), 0..400),
        ) {
            let mut values = Values::default();
            let mut new = NewValues::new();
            let mut ranges = Vec::new();
            let mut number = 0_u64;
            let mut expected = Vec::new();
            for fields in records {
                let record: Vec<_> = fields.into_iter().zip(number..).collect();
                number += record.len() as u64;
                for (field, value) in &record {
                    new.push(*field, TracedValue::from(*value));
                }
                ranges.push(values.add(&mut new));
                expected.push(record);
            }
            for (range, record) in ranges.into_iter().zip(expected) {
                let found = values.get(range).iter();
                let found: Vec<_> = found.map(|(field, value)| (field, value.clone())).collect();
                let record = record.into_iter().map(|(field, value)| (field, value.into()));
                prop_assert_eq!(found, record.collect::<Vec<_>>());
            }
        }
    }
}
