//! The values of spans and events.
//!
//! Values stand one after another in the order in which they were recorded, each next to the index of
//! its field. A node has a range of them. Nothing is overwritten: a span whose field is recorded anew
//! gets one more value, and remembers which one is the last ([`Records`]).

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use core::{mem, slice};

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
    fields: Vec<u32>,
    values: Vec<TracedValue>,
}

impl NewValues {
    pub(crate) const fn new() -> Self {
        Self { fields: Vec::new(), values: Vec::new() }
    }

    #[inline(always)] // each value of each record comes by here
    pub(crate) fn push(&mut self, field: usize, value: TracedValue) {
        // No call site declares four billion fields: `tracing` and receivers limit them.
        self.fields.push(u32::try_from(field).unwrap_or(u32::MAX));
        self.values.push(value);
    }

    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.values.clear();
    }

    /// Checks whether there is much memory in it.
    pub(crate) fn is_large(&self) -> bool {
        self.values.capacity() > 1_024
    }

    /// Iterates over the values and the indexes of their fields.
    pub(crate) fn iter(&self) -> NodeValuesIter<'_> {
        let Self { fields, values } = self;
        NodeValuesIter::InARow(fields.iter().zip(values))
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

/// The place of a value: its chunk, times [`CHUNK`], plus its place there, if that is less than
/// [`CHUNK`]. Only the values of a node that has more of them than fit a chunk stand beyond.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValueIndex {
    chunk: u32,
    place: u32,
}

/// Values of a chunk, and mostly no more.
const CHUNK: usize = 512;

/// The values of all nodes. Those of a record all stand in one chunk.
///
/// Copies share the chunks that are full.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    full: Vec<Arc<Chunk>>,
    rest: Chunk,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    fields: Vec<u32>,
    values: Vec<TracedValue>,
}

impl Values {
    /// Takes the values of a record.
    #[inline]
    pub(crate) fn add(&mut self, new: &mut NewValues) -> ValueRange {
        if self.rest.values.len() + new.values.len() > CHUNK && !self.rest.values.is_empty() {
            self.close_chunk();
        }
        let Chunk { fields, values } = &mut self.rest;
        let start = ValueIndex { chunk: number(self.full.len()), place: number(values.len()) };
        let len = number(new.values.len());
        fields.extend_from_slice(&new.fields);
        values.append(&mut new.values);
        new.fields.clear();
        ValueRange { start, len }
    }

    #[cold]
    fn close_chunk(&mut self) {
        let (fields, values) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
        self.full.push(Arc::new(mem::replace(&mut self.rest, Chunk { fields, values })));
    }

    #[inline]
    fn chunk(&self, index: ValueIndex) -> &Chunk {
        self.full.get(index.chunk as usize).map_or(&self.rest, |chunk| chunk)
    }

    /// Returns the values of a record.
    #[inline]
    pub(crate) fn get(&self, range: ValueRange) -> NodeValues<'_> {
        let start = range.start.place as usize;
        let (chunk, end) = (self.chunk(range.start), start + range.len as usize);
        NodeValues::InARow {
            fields: chunk.fields.get(start..end).unwrap_or_default(),
            values: chunk.values.get(start..end).unwrap_or_default(),
        }
    }

    /// Returns the value at a place, and the index of its field.
    fn at(&self, index: ValueIndex) -> Option<(usize, &TracedValue)> {
        let (chunk, place) = (self.chunk(index), index.place as usize);
        Some((*chunk.fields.get(place)? as usize, chunk.values.get(place)?))
    }
}

impl ValueRange {
    fn indexes(self) -> impl Iterator<Item = ValueIndex> {
        let Self { start: ValueIndex { chunk, place }, len } = self;
        (place..place + len).map(move |place| ValueIndex { chunk, place })
    }
}

/// A number of values, or a place of one. There is no memory for four billion of them: they would take
/// 144 gigabytes.
#[inline]
fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What was recorded into a span after it was created.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    /// Each time that something was recorded, and what.
    all: Vec<(EntryIndex, ValueRange)>,
    /// The last value of each field, in the order in which the fields first got one.
    last: Vec<ValueIndex>,
    /// The place in `last` of each field.
    places: BTreeMap<u32, usize>,
    /// Number of values that a later one of the same field came for.
    overwritten: usize,
}

impl Records {
    /// Begins with what a span was created with.
    pub(crate) fn new(values: &Values, initial: ValueRange) -> Self {
        let mut records = Self::default();
        records.note(values, initial);
        records.overwritten = 0; // a stream may say a field twice at once: that is no change
        records
    }

    /// Adds a record. Returns the number of values that it comes for in the place of others.
    pub(crate) fn push(&mut self, values: &Values, entry: EntryIndex, range: ValueRange) -> usize {
        let before = self.overwritten;
        self.note(values, range);
        self.all.push((entry, range));
        self.overwritten - before
    }

    fn note(&mut self, values: &Values, range: ValueRange) {
        for index in range.indexes() {
            let Some((field, _)) = values.at(index) else { continue };
            let place = *self.places.entry(number(field)).or_insert(self.last.len());
            if let Some(last) = self.last.get_mut(place) {
                *last = index;
                self.overwritten += 1;
            } else {
                self.last.push(index);
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
    /// Those of one record, each next to the index of its field.
    InARow { fields: &'a [u32], values: &'a [TracedValue] },
    /// The last ones of a span into which more was recorded.
    Last { values: &'a Values, last: &'a [ValueIndex] },
}

impl<'a> NodeValues<'a> {
    /// Iterates over the values and the indexes of their fields.
    #[inline]
    pub(crate) fn iter(self) -> NodeValuesIter<'a> {
        match self {
            Self::InARow { fields, values } => NodeValuesIter::InARow(fields.iter().zip(values)),
            Self::Last { values, last } => NodeValuesIter::Last(values, last.iter()),
        }
    }

    /// Finds the last value of a field with this name.
    #[inline]
    pub(crate) fn find(self, call_site: &KnownCallSite, name: &str) -> Option<&'a TracedValue> {
        match self {
            Self::InARow { fields, values } => {
                // Mostly there is a value for each field, in their order.
                if let Some(place) = call_site.only_named(name) {
                    if fields.get(place).is_some_and(|field| *field as usize == place) {
                        return values.get(place);
                    }
                }
                let is_named = |field: &u32| call_site.is_named(*field as usize, name);
                values.get(fields.iter().rposition(is_named)?)
            }
            Self::Last { values, last } => {
                let mut last = last.iter().rev().filter_map(|index| values.at(*index));
                last.find(|(field, _)| call_site.is_named(*field, name)).map(|(_, value)| value)
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
        let mut found = None;
        let mut look = |field: usize, value: &TracedValue| {
            if call_site.is_named(field, name) {
                found = Some(found == Some(true) || matches(value));
            }
        };
        match self {
            Self::InARow { fields, values } => {
                for (field, value) in fields.iter().zip(values) {
                    look(*field as usize, value);
                }
            }
            Self::Last { .. } => self.iter().for_each(|(field, value)| look(field, value)),
        }
        found
    }

    /// Returns about how many bytes they take, on the heap and here.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::InARow { values, .. } => bytes(values),
            Self::Last { .. } => self.iter().map(|(_, value)| bytes(slice::from_ref(value))).sum(),
        }
    }
}

/// Iterator over values and the indexes of their fields.
#[derive(Debug, Clone)]
pub(crate) enum NodeValuesIter<'a> {
    InARow(core::iter::Zip<slice::Iter<'a, u32>, slice::Iter<'a, TracedValue>>),
    Last(&'a Values, slice::Iter<'a, ValueIndex>),
}

impl<'a> Iterator for NodeValuesIter<'a> {
    type Item = (usize, &'a TracedValue);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::InARow(values) => values.next().map(|(field, value)| (*field as usize, value)),
            Self::Last(values, last) => last.next().and_then(|index| values.at(*index)),
        }
    }
}
