//! The values of one node, as others see them.

use alloc::vec::Vec;
use core::{ops::Range, slice};
use std::sync::LazyLock;
#[cfg(feature = "predicates")]
use {
    crate::capture::storage::stored_value::TextKind,
    alloc::string::String,
    core::{cell::Cell, mem::ManuallyDrop},
};

use crate::capture::{
    storage::metadata::KnownCallSite,
    storage::new_values::Fields,
    storage::stored_value::{self, Stored, StoredValue},
    storage::value_chunk::ValueChunk,
};
use crate::wire::TracedValue;

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
    pub(crate) values: &'a [StoredValue],
    pub(crate) fields: Fields<'a>,
    pub(crate) chunk: &'a ValueChunk,
    /// The place of the first one in the chunk.
    pub(crate) start: usize,
}

impl<'a> StoredValues<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = (usize, Stored<'a>)> {
        let values = self.values.iter().enumerate();
        values
            .map(move |(place, value)| (self.fields.get(place), value.get(self.chunk.elsewhere())))
    }

    /// Returns the place of the last value of a field with this name.
    #[inline(always)]
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

const SMALL_LEN: usize = 256;

/// Numbers that are there already when somebody looks for one: most are small.
static SMALL: LazyLock<[TracedValue; SMALL_LEN]> =
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
            (_, Stored::UInt(number)) if number < SMALL_LEN as u64 => {
                SMALL.get(usize::try_from(number).ok()?)
            }
            (_, Stored::Other(value)) => Some(value),
            (place, _) => values.decoded(place),
        }
    }

    /// Has a function look at the last value of a field with this name. Nothing is kept for others who look at
    /// it.
    #[inline]
    #[cfg(feature = "predicates")]
    pub(crate) fn look_at<T>(
        self,
        call_site: &KnownCallSite,
        name: &str,
        look: impl FnOnce(Option<&TracedValue>) -> T,
    ) -> T {
        let Self::Stored(values) = self else { return look(self.find(call_site, name)) };
        let Some((_, stored)) = values.find(call_site, name) else { return look(None) };
        let number = match stored {
            Stored::UInt(value) => value.into(),
            Stored::Int(value) => value.into(),
            Stored::Bool(value) => value.into(),
            Stored::Other(value) => return look(Some(value)),
            Stored::Text(TextKind::String, text) => return look_at_string(text, look),
            Stored::Text(kind, text) => return look(Some(&kind.value(text))),
        };
        look(Some(&ManuallyDrop::new(number))) // there is nothing to be dropped in it
    }

    /// Returns the text of the last value of a field with this name, as
    /// [`TracedValue::as_text()`] does.
    #[inline]
    pub(crate) fn text(self, call_site: &KnownCallSite, name: &str) -> Option<&'a str> {
        match self {
            Self::Stored(values) => match values.find(call_site, name)?.1 {
                Stored::Text(_, text) => Some(text),
                Stored::Other(value) => value.as_text(),
                Stored::Bool(_) | Stored::Int(_) | Stored::UInt(_) => None,
            },
            Self::Changed(values) => find_changed(values, call_site, name)?.as_text(),
        }
    }

    /// Returns about how many bytes they take, on the heap and here.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Stored(values) => stored_value::bytes(values.values, values.chunk.elsewhere()),
            Self::Changed(values) => {
                let each = size_of::<(usize, TracedValue)>();
                values.iter().map(|(_, value)| each + value.heap_bytes()).sum()
            }
        }
    }

    pub(crate) fn to_vec(self) -> Vec<(usize, TracedValue)> {
        match self {
            Self::Stored(values) => {
                values.iter().map(|(field, value)| (field, value.into())).collect()
            }
            Self::Changed(values) => values.to_vec(),
        }
    }
}

/// Has a function look at a string, in memory that the thread has for that.
#[cfg(feature = "predicates")]
fn look_at_string<T>(text: &str, look: impl FnOnce(Option<&TracedValue>) -> T) -> T {
    std::thread_local! {
        static SPARE: Cell<String> = const { Cell::new(String::new()) };
    }
    let mut string = SPARE.try_with(Cell::take).unwrap_or_default();
    string.clear();
    string.push_str(text);
    let value = TracedValue::String(string);
    let result = look(Some(&value));
    if let TracedValue::String(string) = value {
        let _ = SPARE.try_with(|spare| spare.set(string));
    }
    result
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
