//! The values of spans and events.

use alloc::{sync::Arc, vec::Vec};
use core::mem;

use crate::wire::TracedValue;

/// What a node is captured with: values and the indexes of their fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewValues {
    values: Vec<TracedValue>,
    /// The fields, unless they are the first ones in their order.
    fields: Vec<u32>,
}

impl NewValues {
    pub(crate) const fn new() -> Self {
        Self { values: Vec::new(), fields: Vec::new() }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, field: usize, value: TracedValue) {
        if field != self.values.len() || !self.fields.is_empty() {
            self.list(field);
        }
        self.values.push(value);
    }

    #[inline(never)] // programs tend to have a value for each field, in their order
    fn list(&mut self, field: usize) {
        if self.fields.is_empty() {
            self.fields.extend(first_fields(self.values.len()));
        }
        // No program declares four billion fields.
        self.fields.push(u32::try_from(field).unwrap_or(u32::MAX));
    }

    pub(crate) fn values(&self) -> &[TracedValue] {
        &self.values
    }

    /// Iterates over the values and the indexes of their fields.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &TracedValue)> {
        let fields = Fields { listed: &self.fields };
        self.values.iter().enumerate().map(move |(place, value)| (fields.get(place), value))
    }

    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.fields.clear();
    }

    pub(crate) fn capacity(&self) -> usize {
        self.values.capacity()
    }

    /// Keeps the first value of a field, and no other one.
    pub(crate) fn keep_only(&mut self, field: usize) {
        let place = self.iter().position(|(other, _)| other == field);
        let kept = place.map(|place| self.values.swap_remove(place));
        self.clear();
        if let Some(value) = kept {
            self.push(field, value);
        }
    }
}

/// The first fields of a call site.
fn first_fields(count: usize) -> impl Iterator<Item = u32> {
    (0..=u32::MAX).take(count)
}

/// Fields of some values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// Their indexes; none if they are the first ones in their order.
    listed: &'a [u32],
}

impl<'a> Fields<'a> {
    /// Returns the indexes, unless they are the first ones in their order.
    #[inline]
    pub(crate) fn listed(&self) -> Option<&'a [u32]> {
        (!self.listed.is_empty()).then_some(self.listed)
    }

    /// Returns the index of the field that a value is of, by the place of that.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> usize {
        self.listed.get(place).map_or(place, |field| *field as usize)
    }
}

/// Values of one node: a part of [`Values`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueRange {
    /// The chunk, times [`CHUNK`], plus the place of the first value in it.
    start: u32,
    len: u32,
    /// The place of the first field in the chunk, or [`FIRST_FIELDS`].
    fields: u32,
}

/// Said of fields that are the first ones in their order.
const FIRST_FIELDS: u32 = u32::MAX;

impl Default for ValueRange {
    fn default() -> Self {
        Self { start: 0, len: 0, fields: FIRST_FIELDS }
    }
}

/// Places in a chunk at which the values of a node may begin, and mostly the number of its values.
const CHUNK: usize = 512;

/// Values of all nodes. Those of a node are all in one chunk.
///
/// As with [`Chunks`](super::chunks::Chunks), copies share what is in full chunks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    full: Vec<Arc<Chunk>>,
    rest: Chunk,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    values: Vec<TracedValue>,
    /// Fields of those values of which they are not the first ones in their order.
    fields: Vec<u32>,
}

impl Values {
    /// Whether there is a place for the values of one more node.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.full.len() < u32::MAX as usize / CHUNK
    }

    /// Takes the values of one node over.
    #[inline(always)]
    pub(crate) fn add(&mut self, new: &mut NewValues) -> ValueRange {
        let len = new.values.len();
        if len == 0 {
            return ValueRange::default();
        }
        let start = self.place(len);
        let fields = if new.fields.is_empty() { FIRST_FIELDS } else { self.add_fields(new) };
        self.rest.values.append(&mut new.values);
        ValueRange { start, len: number(len), fields }
    }

    #[inline(never)]
    fn add_fields(&mut self, new: &mut NewValues) -> u32 {
        let start = self.rest.fields.len();
        self.rest.fields.append(&mut new.fields);
        number(start)
    }

    /// Returns the place at which so many values can be pushed to the last chunk.
    #[inline]
    fn place(&mut self, len: usize) -> u32 {
        if self.rest.values.len() + len > CHUNK && !self.rest.values.is_empty() {
            self.close_chunk();
        }
        number(self.full.len() * CHUNK + self.rest.values.len())
    }

    #[cold]
    fn close_chunk(&mut self) {
        let next = Chunk { values: Vec::with_capacity(CHUNK), fields: Vec::new() };
        self.full.push(Arc::new(mem::replace(&mut self.rest, next)));
    }

    /// Returns the chunk that a range is in.
    #[inline]
    fn chunk(&self, range: ValueRange) -> &Chunk {
        self.full.get(range.start as usize / CHUNK).map_or(&self.rest, |chunk| chunk)
    }

    /// Returns the values of a range, and their fields.
    #[inline]
    pub(crate) fn get(&self, range: ValueRange) -> (Fields<'_>, &[TracedValue]) {
        let chunk = self.chunk(range);
        let len = range.len as usize;
        let listed = match range.fields {
            FIRST_FIELDS => &[],
            start => &chunk.fields[start as usize..start as usize + len],
        };
        let start = range.start as usize % CHUNK;
        (Fields { listed }, &chunk.values[start..start + len])
    }

    /// Returns the values of a range, to change them.
    fn values_mut(&mut self, range: ValueRange) -> &mut [TracedValue] {
        let chunk = match self.full.get_mut(range.start as usize / CHUNK) {
            Some(chunk) => Arc::make_mut(chunk),
            None => &mut self.rest,
        };
        let start = range.start as usize % CHUNK;
        &mut chunk.values[start..start + range.len as usize]
    }

    /// Sets values among those of the range. Where there is no value of a field yet, it is put
    /// behind the others; to make room there, all of them may move to the end.
    pub(crate) fn update(&mut self, range: &mut ValueRange, new: &mut NewValues) {
        let fields = mem::take(&mut new.fields);
        let fields = Fields { listed: &fields };
        for (place, value) in new.values.drain(..).enumerate() {
            let field = fields.get(place);
            let known = self.iter(*range).rposition(|(known, _)| known == field);
            match known.and_then(|place| self.values_mut(*range).get_mut(place)) {
                Some(known) => *known = value,
                None => self.push(range, field, value),
            }
        }
    }

    /// Adds a value to a range, of a field that has none there.
    fn push(&mut self, range: &mut ValueRange, field: usize, value: TracedValue) {
        self.move_to_end(range);
        if range.fields != FIRST_FIELDS {
            self.rest.fields.push(number(field));
        } else if field != range.len as usize {
            range.fields = number(self.rest.fields.len());
            self.rest.fields.extend(first_fields(range.len as usize));
            self.rest.fields.push(number(field));
        }
        self.rest.values.push(value);
        range.len += 1;
    }

    /// Sees to it that the values of a range, and their fields if they are listed, are the last ones.
    fn move_to_end(&mut self, range: &mut ValueRange) {
        let is_in_rest = range.start as usize / CHUNK == self.full.len();
        let end = range.start as usize % CHUNK + range.len as usize;
        if range.len > 0 && is_in_rest && end == self.rest.values.len() {
            return;
        }
        let listed = self.get(*range).0.listed.to_vec();
        let values = self.values_mut(*range).iter_mut();
        let values = values.map(|value| mem::replace(value, TracedValue::Bool(false)));
        let values: Vec<_> = values.collect();
        range.start = self.place(values.len() + 1);
        if !listed.is_empty() {
            range.fields = number(self.rest.fields.len());
            self.rest.fields.extend(listed);
        }
        self.rest.values.extend(values);
    }

    /// Returns the bytes that the values of the range take, on the heap and here.
    pub(crate) fn bytes(&self, range: ValueRange) -> usize {
        bytes(self.get(range).1)
    }

    /// Iterates over the values of the range and the indexes of their fields.
    pub(crate) fn iter(
        &self,
        range: ValueRange,
    ) -> impl DoubleEndedIterator<Item = (usize, &TracedValue)> + ExactSizeIterator {
        let (fields, values) = self.get(range);
        values.iter().enumerate().map(move |(place, value)| (fields.get(place), value))
    }
}

/// A number of which is known that it fits: of values in a node, or a place for which there
/// [is room](Values::has_room).
#[inline]
fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Returns about how many bytes values take.
pub(super) fn bytes(values: &[TracedValue]) -> usize {
    let each = size_of::<TracedValue>();
    values.iter().map(|value| each + value.heap_bytes()).sum()
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;

    /// Values of some nodes, as a map has them, while they are added, changed and shared.
    #[test]
    #[allow(clippy::cast_possible_truncation)] // numbers are small
    fn values_are_those_of_a_map() {
        let mut values = Values::default();
        let mut ranges = Vec::new();
        let mut model = Vec::<BTreeMap<usize, u64>>::new();
        let mut copies = Vec::new();
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % below
        };
        for step in 0..4_000 {
            let count = next(if step % 500 == 0 { 2_000 } else { 9 });
            let new: Vec<_> = (0..count).map(|field| (field as usize * 3, next(100))).collect();
            let as_values = |new: &[(usize, u64)]| -> NewValues {
                let mut values = NewValues::new();
                for (field, value) in new {
                    values.push(*field, TracedValue::from(*value));
                }
                values
            };
            if next(3) > 0 || ranges.is_empty() {
                ranges.push(values.add(&mut as_values(&new)));
                model.push(new.into_iter().collect());
            } else {
                let node = next(ranges.len() as u64) as usize;
                let new: Vec<_> = new.into_iter().map(|(field, new)| (field / 2, new)).collect();
                values.update(&mut ranges[node], &mut as_values(&new));
                model[node].extend(new);
            }
            if step % 700 == 0 {
                copies.push((values.clone(), ranges.clone(), model.clone()));
            }
        }
        copies.push((values, ranges, model));
        for (values, ranges, model) in copies {
            for (range, expected) in ranges.iter().zip(&model) {
                let actual: BTreeMap<_, _> = values.iter(*range).collect();
                assert_eq!(actual.len(), values.iter(*range).len(), "a field has one value");
                assert!(actual.keys().eq(expected.keys()));
                assert!(actual.values().zip(expected.values()).all(|(value, of)| *value == of));
            }
        }
    }
}
