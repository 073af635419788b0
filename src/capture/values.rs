//! The values of spans and events.
//!
//! A [`TracedValue`] is 32 bytes, and often more on the heap. Tests look at few of those that they capture, so
//! that values are kept in 8 bytes each, and some for the text, until somebody looks.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
#[cfg(feature = "predicates")]
use core::mem::ManuallyDrop;
use core::{mem, ops::Range, slice};
use std::sync::{LazyLock, OnceLock};

use super::{
    chunks::Chunks,
    metadata::KnownCallSite,
    new_values::{Fields, NewValues},
    stored_value::{Elsewhere, Stored, StoredValue},
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
    full: Vec<Arc<Chunk>>,
    rest: Chunk,
    /// Values of spans that got some after they were created, and the indexes of their fields.
    changed: Chunks<Vec<(usize, TracedValue)>>,
}

#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// Values, and fields of some.
    values: Vec<StoredValue>,
    /// What there is of the values besides.
    text: String,
    others: Vec<TracedValue>,
    /// All values, once somebody has looked at one for longer than a moment.
    decoded: OnceLock<Box<[TracedValue]>>,
}

impl Clone for Chunk {
    fn clone(&self) -> Self {
        Self {
            values: self.values.clone(),
            text: self.text.clone(),
            others: self.others.clone(),
            decoded: OnceLock::new(),
        }
    }
}

impl Chunk {
    #[inline]
    fn elsewhere(&self) -> Elsewhere<'_> {
        Elsewhere { text: &self.text, others: &self.others }
    }

    fn decoded(&self) -> &[TracedValue] {
        self.decoded.get_or_init(|| {
            self.values.iter().map(|value| value.get(self.elsewhere()).into()).collect()
        })
    }
}

impl Values {
    /// Whether there is a place for the values of one more node.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
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
        let chunk = &mut self.rest;
        let (text, others) = (chunk.text.len(), chunk.others.len());
        chunk.values.extend(new.values.iter().map(|value| value.moved(text, others)));
        chunk.text.push_str(&new.text);
        chunk.others.extend_from_slice(&new.others);
    }

    #[inline(never)]
    fn list_fields(&mut self, new: &NewValues) -> u32 {
        self.rest.values.extend_from_slice(&new.fields);
        LISTED
    }

    /// Takes over values of a node from where there was room for them.
    pub(super) fn copy(&mut self, values: NodeValues<'_>) -> ValueRange {
        match values {
            NodeValues::Stored(values) => {
                let mut new = NewValues::new();
                values.iter().for_each(|(field, value)| new.push_value(field, value));
                self.add(&new)
            }
            NodeValues::Changed(values) => self.add_changed(values.to_vec()),
        }
    }

    #[cold]
    fn close_chunk(&mut self) {
        let next = Chunk { values: Vec::with_capacity(CHUNK), ..Chunk::default() };
        self.full.push(Arc::new(mem::replace(&mut self.rest, next)));
    }

    /// Forgets what was decoded where more may be added.
    pub(super) fn go_on(&mut self) {
        self.rest.decoded.take();
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

/// The values of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NodeValues<'a> {
    /// As they were recorded.
    Stored(StoredValues<'a>),
    /// Values and the indexes of their fields.
    Changed(&'a [(usize, TracedValue)]),
}

/// Values of a node that nothing was added to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredValues<'a> {
    values: &'a [StoredValue],
    fields: Fields<'a>,
    chunk: &'a Chunk,
    /// The place of the first one in the chunk.
    start: usize,
}

impl<'a> StoredValues<'a> {
    fn iter(self) -> impl Iterator<Item = (usize, TracedValue)> {
        let value = move |(place, value): (usize, &StoredValue)| {
            (self.fields.get(place), value.get(self.chunk.elsewhere()).into())
        };
        self.values.iter().enumerate().map(value)
    }

    /// Returns the place of the last value of a field with this name.
    #[inline]
    fn position(self, call_site: &KnownCallSite, name: &str) -> Option<usize> {
        match self.fields.listed() {
            None => call_site.last_named(name, self.values.len()),
            Some(fields) => {
                let is_named = |field: &StoredValue| call_site.is_named(field.field(), name);
                fields.iter().rposition(is_named)
            }
        }
    }

    /// Finds the last value of a field with this name, and its place.
    #[inline(always)]
    fn find(self, call_site: &KnownCallSite, name: &str) -> Option<(usize, Stored<'a>)> {
        let place = self.position(call_site, name)?;
        Some((place, self.values.get(place)?.get(self.chunk.elsewhere())))
    }

    /// Returns the value at a place as it is to be seen by everybody.
    fn decoded(self, place: usize) -> Option<&'a TracedValue> {
        self.chunk.decoded().get(self.start + place)
    }
}

/// Numbers that are there already when somebody looks for one: most are small.
static SMALL: LazyLock<[TracedValue; 256]> =
    LazyLock::new(|| core::array::from_fn(|number| TracedValue::UInt(number as u128)));

impl<'a> NodeValues<'a> {
    /// Iterates over the values and the indexes of their fields.
    pub(crate) fn iter(self) -> NodeValuesIter<'a> {
        match self {
            Self::Stored(StoredValues { values: [], .. }) => NodeValuesIter::Changed([].iter()),
            Self::Stored(values) => NodeValuesIter::Stored(values, 0..values.values.len()),
            Self::Changed(values) => NodeValuesIter::Changed(values.iter()),
        }
    }

    /// Finds the last value of a field with this name.
    #[inline]
    pub(crate) fn find(self, call_site: &KnownCallSite, name: &str) -> Option<&'a TracedValue> {
        let values = match self {
            Self::Stored(values) => values,
            Self::Changed(values) => return find_changed(values, call_site, name),
        };
        match values.find(call_site, name)? {
            (_, Stored::UInt(number)) if number < SMALL.len() as u64 => {
                SMALL.get(usize::try_from(number).ok()?)
            }
            (_, Stored::Other(value)) => Some(value),
            (place, _) => values.decoded(place),
        }
    }

    /// Has a function look at the last value of a field with this name. Nothing is kept for others who look at
    /// it, unless that is quicker.
    #[inline]
    #[cfg(feature = "predicates")]
    pub(crate) fn look_at<T>(
        self,
        call_site: &KnownCallSite,
        name: &str,
        look: impl FnOnce(Option<&TracedValue>) -> T,
    ) -> T {
        let Self::Stored(values) = self else { return look(self.find(call_site, name)) };
        let Some((place, stored)) = values.find(call_site, name) else { return look(None) };
        let number = match stored {
            Stored::UInt(value) => value.into(),
            Stored::Int(value) => value.into(),
            Stored::Bool(value) => value.into(),
            Stored::Other(value) => return look(Some(value)),
            Stored::ShortText(..) | Stored::Text(..) => return look(values.decoded(place)),
        };
        look(Some(&ManuallyDrop::new(number))) // there is nothing to be dropped in it
    }

    /// Returns about how many bytes they take, on the heap and here.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Stored(values) => bytes(values.values, values.chunk.elsewhere()),
            Self::Changed(values) => {
                let each = size_of::<(usize, TracedValue)>();
                values.iter().map(|(_, value)| each + value.heap_bytes()).sum()
            }
        }
    }

    fn to_vec(self) -> Vec<(usize, TracedValue)> {
        match self {
            Self::Stored(values) => values.iter().collect(),
            Self::Changed(values) => values.to_vec(),
        }
    }
}

#[inline(never)] // few spans get values after they were created
fn find_changed<'a>(
    values: &'a [(usize, TracedValue)],
    call_site: &KnownCallSite,
    name: &str,
) -> Option<&'a TracedValue> {
    let found = values.iter().rfind(|(field, _)| call_site.field_name(*field) == Some(name));
    found.map(|(_, value)| value)
}

/// Iterator over values and the indexes of their fields.
#[derive(Debug, Clone)]
pub(crate) enum NodeValuesIter<'a> {
    /// Values, and the places of those that are left.
    Stored(StoredValues<'a>, Range<usize>),
    Changed(slice::Iter<'a, (usize, TracedValue)>),
}

impl<'a> Iterator for NodeValuesIter<'a> {
    type Item = (usize, &'a TracedValue);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Stored(values, places) => {
                let place = places.next()?;
                Some((values.fields.get(place), values.decoded(place)?))
            }
            Self::Changed(values) => values.next().map(|(field, value)| (*field, value)),
        }
    }
}

/// A number of which is known that it fits: of values in a node, or a place for which there
/// [is room](Values::has_room).
#[inline]
#[allow(clippy::cast_possible_truncation)] // as it says
fn number(number: usize) -> u32 {
    number as u32
}

/// Returns about how many bytes values take.
pub(super) fn bytes(values: &[StoredValue], elsewhere: Elsewhere<'_>) -> usize {
    let more = |value: &StoredValue| match value.get(elsewhere) {
        Stored::Bool(_) | Stored::Int(_) | Stored::UInt(_) | Stored::ShortText(..) => 0,
        Stored::Text(_, text) => text.len(),
        Stored::Other(value) => size_of::<TracedValue>() + value.heap_bytes(),
    };
    values.iter().map(|value| size_of::<StoredValue>() + more(value)).sum()
}
#[cfg(test)]
mod tests {
    use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::ToString};

    use super::*;
    use crate::{
        capture::metadata::CallSite,
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

    /// Values of some nodes, as a map has them, while they are added, changed, shared and looked at.
    #[test]
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
                as_values.push_value(*field, value.clone());
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
