//! The values of spans and events.

use alloc::{sync::Arc, vec::Vec};
use core::{mem, ops::Range};

use crate::wire::TracedValue;

/// What a node is captured with: values and the indexes of their fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewValues {
    fields: Vec<u32>,
    values: Vec<TracedValue>,
}

impl NewValues {
    pub(crate) const fn new() -> Self {
        Self { fields: Vec::new(), values: Vec::new() }
    }

    #[inline]
    pub(crate) fn push(&mut self, field: usize, value: TracedValue) {
        // No program declares four billion fields.
        self.fields.push(u32::try_from(field).unwrap_or(u32::MAX));
        self.values.push(value);
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.values.capacity()
    }

    pub(crate) fn values(&self) -> &[TracedValue] {
        &self.values
    }

    /// Iterates over the values and the indexes of their fields.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &TracedValue)> {
        self.fields.iter().map(|field| *field as usize).zip(&self.values)
    }

    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.values.clear();
    }

    /// Keeps the first value of a field, and no other one.
    pub(crate) fn keep_only(&mut self, field: usize) {
        let position = self.fields.iter().position(|other| *other as usize == field);
        let kept = position.map(|position| self.values.swap_remove(position));
        self.clear();
        kept.into_iter().for_each(|value| self.push(field, value));
    }
}

/// Values of one node: a part of [`Values`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValueRange {
    /// The chunk, times [`CHUNK`], plus the place of the first value in it.
    start: u32,
    len: u32,
}

/// Places in a chunk at which the values of a node may begin, and mostly the number of its values.
const CHUNK: usize = 512;

/// Values of all nodes, each with the index of its field. Those of a node are all in one chunk.
///
/// As with [`Chunks`](super::chunks::Chunks), copies share what is in full chunks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    full: Vec<Arc<NewValues>>,
    rest: NewValues,
}

impl Values {
    /// Whether there is a place for the values of one more node.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.full.len() < u32::MAX as usize / CHUNK
    }

    /// Takes the values of one node over.
    #[inline]
    pub(crate) fn add(&mut self, new: &mut NewValues) -> ValueRange {
        let Some(start) = self.place(new.len()) else { return ValueRange::default() };
        let len = u32::try_from(new.len()).unwrap_or(u32::MAX);
        self.rest.fields.append(&mut new.fields);
        self.rest.values.append(&mut new.values);
        ValueRange { start, len }
    }

    /// Returns the place at which so many values can be pushed to the last chunk, if they are any.
    #[inline]
    fn place(&mut self, len: usize) -> Option<u32> {
        if len == 0 {
            return None;
        }
        if self.rest.values.len() + len > CHUNK && !self.rest.values.is_empty() {
            self.close_chunk();
        }
        u32::try_from(self.full.len() * CHUNK + self.rest.values.len()).ok()
    }

    #[cold]
    fn close_chunk(&mut self) {
        let (fields, values) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
        let full = mem::replace(&mut self.rest, NewValues { fields, values });
        self.full.push(Arc::new(full));
    }

    #[inline]
    fn chunk(&self, range: ValueRange) -> (&NewValues, Range<usize>) {
        let start = range.start as usize % CHUNK;
        let chunk = self.full.get(range.start as usize / CHUNK);
        (chunk.map_or(&self.rest, |chunk| chunk), start..start + range.len as usize)
    }

    /// Returns the chunk that a range is in, to change it.
    fn chunk_mut(&mut self, range: ValueRange) -> &mut NewValues {
        match self.full.get_mut(range.start as usize / CHUNK) {
            Some(chunk) => Arc::make_mut(chunk),
            None => &mut self.rest,
        }
    }

    /// Sets values among those of the range. Where there is no value of a field yet, it is put
    /// behind the others; to make room there, all of them may move to the end.
    pub(crate) fn update(&mut self, range: &mut ValueRange, new: &mut NewValues) {
        for (field, value) in new.fields.drain(..).zip(new.values.drain(..)) {
            let (chunk, places) = self.chunk(*range);
            let start = places.start;
            let known = chunk.fields[places].iter().rposition(|known| *known == field);
            if let Some(position) = known {
                self.chunk_mut(*range).values[start + position] = value;
                continue;
            }
            self.move_to_end(range);
            self.rest.fields.push(field);
            self.rest.values.push(value);
            range.len += 1;
        }
    }

    /// Sees to it that the values of a range are the last ones.
    fn move_to_end(&mut self, range: &mut ValueRange) {
        let is_in_rest = range.start as usize / CHUNK == self.full.len();
        let end = range.start as usize % CHUNK + range.len as usize;
        if range.len > 0 && is_in_rest && end == self.rest.values.len() {
            return;
        }
        let (chunk, places) = self.chunk(*range);
        let fields = chunk.fields[places.clone()].to_vec();
        let values = &mut self.chunk_mut(*range).values[places];
        let values: Vec<_> = values
            .iter_mut()
            .map(|value| mem::replace(value, TracedValue::Bool(false)))
            .collect();
        range.start = self.place(values.len() + 1).unwrap_or_default();
        self.rest.fields.extend(fields);
        self.rest.values.extend(values);
    }

    /// Returns the bytes that the values of the range take, on the heap and here.
    pub(crate) fn bytes(&self, range: ValueRange) -> usize {
        let (chunk, places) = self.chunk(range);
        bytes(&chunk.values[places])
    }

    /// Returns the indexes of the fields of the range, and their values.
    #[inline]
    pub(crate) fn get(&self, range: ValueRange) -> (&[u32], &[TracedValue]) {
        let (chunk, places) = self.chunk(range);
        (&chunk.fields[places.clone()], &chunk.values[places])
    }

    /// Iterates over the values of the range and the indexes of their fields.
    pub(crate) fn iter(
        &self,
        range: ValueRange,
    ) -> impl DoubleEndedIterator<Item = (usize, &TracedValue)> + ExactSizeIterator {
        let (fields, values) = self.get(range);
        fields.iter().map(|field| *field as usize).zip(values)
    }
}

/// Returns about how many bytes values take.
pub(super) fn bytes(values: &[TracedValue]) -> usize {
    let each = size_of::<TracedValue>() + size_of::<u32>();
    values.iter().map(|value| each + value.heap_bytes()).sum()
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;

    /// Values of some nodes, as a map has them, while they are added, changed and shared.
    #[test]
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
                assert!(actual.into_iter().eq(expected.iter().map(|(field, value)| {
                    // Compared as what it was made of.
                    (*field, TracedValue::from(*value))
                }).collect::<Vec<_>>().iter().map(|(field, value)| (*field, value))));
            }
        }
    }
}
