//! The values of spans and events.
//!
//! A [`TracedValue`] is 32 bytes, and often more on the heap. Tests look at few of those that they capture, so
//! that values are kept in 8 bytes each, and some for the text, until somebody looks.

use alloc::{sync::Arc, vec::Vec};
use core::mem;

use crate::capture::{
    storage::chunks::Chunks,
    storage::new_values::{Fields, NewValues},
    storage::node_values::{NodeValues, StoredValues},
    storage::value_chunk::ValueChunk,
};
use crate::wire::TracedValue;

/// Values of one node: a part of [`Values`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValueRange {
    /// The chunk, times [`CHUNK`], plus the place of the first value in it; or the place among the values that
    /// were changed.
    start: u32,
    /// Number of values, and perhaps [`LISTED`]; or [`CHANGED`].
    len: u32,
}

/// Set where the fields of the values are listed behind these, since they are not the first ones in their order.
const LISTED: u32 = 1 << 31;

/// Stands for the number of values that were changed.
const CHANGED: u32 = u32::MAX;

/// Places in a chunk at which the values of a node may begin, and mostly the number of its values.
const CHUNK: usize = 512;

/// Bytes of text behind which no other node's text is in a chunk.
const CHUNK_TEXT: usize = 32 * 1_024;

/// Values of all nodes. Those of a node are all in one chunk.
///
/// As with [`Chunks`], copies share what is in full chunks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    full: Vec<Arc<ValueChunk>>,
    rest: ValueChunk,
    /// Values of spans that got some after they were created, and the indexes of their fields.
    changed: Chunks<Vec<(usize, TracedValue)>>,
}

impl Values {
    /// Whether there is a place for the values of one more node.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.full.len() < u32::MAX as usize / CHUNK
    }

    /// Takes the values of one node over.
    #[inline(always)]
    pub(crate) fn add(&mut self, new: &NewValues) -> ValueRange {
        let len = new.values.len();
        if len == 0 {
            return ValueRange::default();
        }
        if self.rest.values.len() + len > CHUNK && !self.rest.values.is_empty() {
            self.close_chunk();
        }
        if new.text.is_empty() && new.others.is_empty() {
            self.rest.values.extend_from_slice(&new.values);
        } else {
            self.add_with_others(new);
        }
        let start = number(self.full.len() * CHUNK + self.rest.values.len() - len);
        let listed = if new.fields.is_empty() { 0 } else { self.list_fields(new) };
        ValueRange { start, len: number(len) | listed }
    }

    /// Adds values of which not everything is in them.
    #[inline(never)]
    fn add_with_others(&mut self, new: &NewValues) {
        if self.rest.text.len() + new.text.len() > CHUNK_TEXT && !self.rest.values.is_empty() {
            self.close_chunk();
        }
        self.rest.add(new);
    }

    #[inline(never)]
    fn list_fields(&mut self, new: &NewValues) -> u32 {
        self.rest.values.extend_from_slice(&new.fields);
        LISTED
    }

    /// Takes over values of a node from where there was room for them.
    pub(crate) fn copy(&mut self, values: NodeValues<'_>) -> ValueRange {
        match values {
            NodeValues::Stored(values) => {
                let mut new = NewValues::new();
                values.iter().for_each(|(field, value)| new.push_stored(field, value));
                self.add(&new)
            }
            NodeValues::Changed(values) => self.add_changed(values.to_vec()),
        }
    }

    #[cold]
    fn close_chunk(&mut self) {
        let next = ValueChunk::with_capacity(CHUNK);
        self.full.push(Arc::new(mem::replace(&mut self.rest, next)));
    }

    /// Forgets what was decoded where more may be added.
    pub(crate) fn go_on(&mut self) {
        self.rest.forget_decoded();
    }

    /// Returns the values of a range.
    #[inline(always)]
    pub(crate) fn get(&self, range: ValueRange) -> NodeValues<'_> {
        let (start, len) = (range.start as usize, (range.len & !LISTED) as usize);
        if range.len == CHANGED {
            return NodeValues::Changed(&self.changed[start]);
        }
        let chunk = self.full.get(start / CHUNK).map_or(&self.rest, |chunk| chunk);
        let start = start % CHUNK;
        let listed =
            if range.len & LISTED == 0 { &[] } else { &chunk.values[start + len..start + 2 * len] };
        let values = &chunk.values[start..start + len];
        NodeValues::Stored(StoredValues { values, fields: Fields { listed }, chunk, start })
    }

    /// Sets values among those of the range. Where there is no value of a field yet, it is put
    /// behind the others.
    pub(crate) fn update(&mut self, range: &mut ValueRange, new: &NewValues) {
        if range.len != CHANGED {
            let values = self.get(*range).to_vec();
            *range = self.add_changed(values);
        }
        let values = &mut self.changed[range.start as usize];
        for (field, value) in new.iter() {
            let value = TracedValue::from(value);
            match values.iter_mut().rfind(|(known, _)| *known == field) {
                Some((_, known)) => *known = value,
                None => values.push((field, value)),
            }
        }
    }

    fn add_changed(&mut self, values: Vec<(usize, TracedValue)>) -> ValueRange {
        let start = number(self.changed.len());
        self.changed.push(values);
        ValueRange { start, len: CHANGED }
    }
}

/// A number of which is known that it fits: of values in a node, or a place for which there
/// [is room](Values::has_room).
#[inline]
#[allow(clippy::cast_possible_truncation)] // as it says
fn number(number: usize) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use alloc::{
        borrow::ToOwned,
        collections::BTreeMap,
        format,
        string::{String, ToString},
    };

    use super::*;
    use crate::{
        capture::storage::{
            metadata::{CallSite, KnownCallSite},
            stored_value::{Stored, TextKind},
        },
        wire::{CallSiteData, CallSiteKind, DebugObject, TracedError, TracingLevel},
    };

    const FIELDS: usize = 2_048;

    fn call_site() -> KnownCallSite {
        KnownCallSite::new(CallSite::Logged(Arc::new(CallSiteData {
            kind: CallSiteKind::Span,
            name: "span".into(),
            target: "test".into(),
            level: TracingLevel::Info,
            module_path: None,
            file: None,
            line: None,
            fields: (0..FIELDS).map(|field| field.to_string().into()).collect(),
        })))
    }

    /// Values of all types, some at the limits of what is stored in their place.
    fn value(random: u64) -> TracedValue {
        let shifted = (random >> 8) >> (random % 56) << (random >> 3 & 8);
        let text =
            "ä text of some bytes".chars().take((random >> 8) as usize % 21).collect::<String>();
        match random % 11 {
            0 => TracedValue::Bool(random & 256 != 0),
            1 => TracedValue::Int(-i128::from(shifted)),
            2 => TracedValue::Int(i128::from(shifted) << (random >> 8 & 64)),
            3 => TracedValue::UInt(u128::from(shifted) << (random >> 8 & 64)),
            4 => TracedValue::UInt((random >> 8 & 511).into()),
            5 => TracedValue::from(f64::from_bits(random >> 2)),
            6 => TracedValue::String(text),
            7 => TracedValue::Object(DebugObject::new(text)),
            8 => TracedValue::Bytes(text.into_bytes()),
            9 => TracedValue::Error(TracedError { message: text, source: None }),
            _ => TracedValue::String(text.repeat((random >> 16) as usize % 300)),
        }
    }

    fn stored(value: &TracedValue) -> Stored<'_> {
        let other = Stored::Other(value);
        match value {
            TracedValue::Bool(value) => Stored::Bool(*value),
            TracedValue::Int(value) => i64::try_from(*value).map_or(other, Stored::Int),
            TracedValue::UInt(value) => u64::try_from(*value).map_or(other, Stored::UInt),
            TracedValue::String(text) => Stored::Text(TextKind::String, text),
            TracedValue::Object(text) => Stored::Text(TextKind::Object, text.as_ref()),
            _ => other,
        }
    }

    /// Values of some nodes, as a map has them, while they are added, changed, shared and looked at.
    #[test]
    #[allow(clippy::cast_possible_truncation)] // it is random
    fn values_are_those_of_a_map() {
        let call_site = call_site();
        let mut values = Values::default();
        let mut ranges = Vec::new();
        let mut model = Vec::<BTreeMap<usize, TracedValue>>::new();
        let mut copies = Vec::new();
        let mut random = 1_u64;
        let mut next = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random.rotate_left(21)
        };
        for step in 0..4_000 {
            let count = next() % if step % 500 == 0 { FIELDS as u64 } else { 9 };
            let every = 1 + next() as usize % 2;
            let fields = (0..count as usize).map(|place| place * every % FIELDS);
            let new: BTreeMap<_, _> = fields.map(|field| (field, value(next()))).collect();
            let mut as_values = NewValues::new();
            for (field, value) in &new {
                as_values.push_stored(*field, stored(value));
            }
            if next() % 3 > 0 || ranges.is_empty() {
                ranges.push(values.add(&as_values));
                model.push(new);
            } else {
                let node = next() as usize % ranges.len();
                values.update(&mut ranges[node], &as_values);
                model[node].extend(new);
            }
            if step % 700 == 0 {
                copies.push((values.clone(), ranges.clone(), model.clone()));
                let node = next() as usize % ranges.len();
                assert_eq!(values.get(ranges[node]).iter().count(), model[node].len());
                values.go_on();
            }
        }
        copies.push((values, ranges, model));
        for (values, ranges, model) in copies {
            let mut others = Values::default();
            for (range, expected) in ranges.iter().zip(&model) {
                let values = values.get(*range);
                let copy = others.copy(values);
                others.go_on();
                for values in [values, others.get(copy)] {
                    let in_order: BTreeMap<_, _> = values.iter().collect();
                    assert_eq!(in_order.len(), values.iter().count(), "a field has one value");
                    assert!(
                        in_order
                            .into_iter()
                            .eq(expected.iter().map(|(field, value)| (*field, value)))
                    );
                }
                for (field, expected) in expected {
                    let name = field.to_string();
                    assert_eq!(values.find(&call_site, &name), Some(expected));
                    #[cfg(feature = "predicates")]
                    values.look_at(&call_site, &name, |value| assert_eq!(value, Some(expected)));
                }
                let absent = (0..FIELDS).find(|field| !expected.contains_key(field));
                let absent = absent.map_or("none".to_owned(), |field| format!("{field}"));
                assert_eq!(values.find(&call_site, &absent), None);
            }
        }
    }
}
