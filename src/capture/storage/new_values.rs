use alloc::{string::String, vec::Vec};
use core::fmt::{self, Write};

use tracing_core::field::Field;

use crate::capture::storage::stored_value::{self, Elsewhere, Stored, StoredValue, TextKind};
#[cfg(feature = "receiver")]
use crate::wire::ValueRef;
use crate::wire::{
    TracedValue,
    visit::{VisitValue, VisitedValue},
};

/// What a node is captured with: values and the indexes of their fields.
#[derive(Debug)]
pub(crate) struct NewValues {
    pub(crate) values: Vec<StoredValue>,
    /// The fields, unless they are the first ones in their order.
    pub(crate) fields: Vec<StoredValue>,
    /// What there is of the values besides.
    pub(crate) text: String,
    pub(crate) others: Vec<TracedValue>,
}

impl NewValues {
    pub(crate) const fn new() -> Self {
        Self { values: Vec::new(), fields: Vec::new(), text: String::new(), others: Vec::new() }
    }

    #[inline(always)]
    fn push(&mut self, field: usize, value: StoredValue) {
        if field != self.values.len() || !self.fields.is_empty() {
            self.list(field);
        }
        self.values.push(value);
    }

    #[inline(never)] // programs tend to have a value for each field, in their order
    fn list(&mut self, field: usize) {
        if self.fields.is_empty() {
            self.fields.extend((0..self.values.len()).map(StoredValue::of_field));
        }
        self.fields.push(StoredValue::of_field(field));
    }

    #[inline(always)]
    fn push_or(
        &mut self,
        field: usize,
        value: Option<StoredValue>,
        other: impl FnOnce() -> TracedValue,
    ) {
        match value {
            Some(value) => self.push(field, value),
            None => self.push_other(field, other()),
        }
    }

    #[inline(never)] // there is a small number or some text, mostly
    fn push_other(&mut self, field: usize, value: TracedValue) {
        self.push(field, StoredValue::other(self.others.len()));
        self.others.push(value);
    }

    #[inline]
    pub(crate) fn push_bool(&mut self, field: usize, value: bool) {
        self.push(field, StoredValue::bool(value));
    }

    #[inline]
    pub(crate) fn push_int(&mut self, field: usize, value: i128) {
        let stored = i64::try_from(value).ok().and_then(StoredValue::int);
        self.push_or(field, stored, || value.into());
    }

    #[inline]
    pub(crate) fn push_uint(&mut self, field: usize, value: u128) {
        let stored = u64::try_from(value).ok().and_then(StoredValue::uint);
        self.push_or(field, stored, || value.into());
    }

    #[inline]
    pub(crate) fn push_text(&mut self, field: usize, kind: TextKind, text: &str) {
        if let Some(value) = StoredValue::short_text(kind, text) {
            self.push(field, value);
        } else if let Some(value) = StoredValue::text(kind, self.text.len(), text.len()) {
            self.text.push_str(text);
            self.push(field, value);
        } else {
            self.push_other(field, kind.value(text));
        }
    }

    /// Takes what is formatted, or what there is of it before an error.
    #[inline]
    fn push_debug(&mut self, field: usize, value: &dyn fmt::Debug) {
        let start = self.text.len();
        let _ = write!(self.text, "{value:?}");
        let text = self.text.get(start..).unwrap_or_default();
        if let Some(value) = StoredValue::short_text(TextKind::Object, text) {
            self.text.truncate(start);
            self.push(field, value);
        } else if let Some(value) = StoredValue::text(TextKind::Object, start, text.len()) {
            self.push(field, value);
        } else {
            let value = TextKind::Object.value(text);
            self.text.truncate(start);
            self.push_other(field, value);
        }
    }

    /// Adds a value that is stored elsewhere.
    pub(crate) fn push_stored(&mut self, field: usize, value: Stored<'_>) {
        match value {
            Stored::Bool(value) => self.push_bool(field, value),
            Stored::Int(value) => self.push_int(field, value.into()),
            Stored::UInt(value) => self.push_uint(field, value.into()),
            Stored::Text(kind, text) => self.push_text(field, kind, text),
            Stored::Other(value) => self.push_other(field, value.clone()),
        }
    }

    /// Adds a value that a stream brought.
    #[cfg(feature = "receiver")]
    #[inline(always)]
    pub(crate) fn push_ref(&mut self, field: usize, value: &ValueRef<'_>) {
        match *value {
            ValueRef::Bool(value) => self.push_bool(field, value),
            ValueRef::Int(value) => self.push_int(field, value),
            ValueRef::UInt(value) => self.push_uint(field, value),
            ValueRef::Str(text) => self.push_text(field, TextKind::String, text),
            ValueRef::Object(text) => self.push_text(field, TextKind::Object, text),
            ref other => self.push_other(field, other.into()),
        }
    }

    fn elsewhere(&self) -> Elsewhere<'_> {
        Elsewhere { text: &self.text, others: &self.others }
    }

    /// Iterates over the values and the indexes of their fields.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, Stored<'_>)> {
        let fields = Fields { listed: &self.fields };
        let values = self.values.iter().enumerate();
        values.map(move |(place, value)| (fields.get(place), value.get(self.elsewhere())))
    }

    /// Returns about how many bytes the values take.
    pub(crate) fn bytes(&self) -> usize {
        stored_value::bytes(&self.values, self.elsewhere())
    }

    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.fields.clear();
        self.text.clear();
        self.others.clear();
    }

    /// Whether there is much memory in it.
    pub(crate) fn is_large(&self) -> bool {
        const MANY: usize = 1_024;

        self.values.capacity() > MANY || self.text.capacity() > 16 * MANY
    }

    /// Keeps the first value of a field, and no other one.
    pub(crate) fn keep_only(&mut self, field: usize) {
        let mut kept = Self::new();
        if let Some((field, value)) = self.iter().find(|(other, _)| *other == field) {
            kept.push_stored(field, value);
        }
        *self = kept;
    }
}

impl VisitValue for &mut NewValues {
    #[inline(always)]
    fn visit(&mut self, field: &Field, value: VisitedValue<'_>) {
        let field = field.index();
        match value {
            VisitedValue::Bool(value) => self.push_bool(field, value),
            VisitedValue::I64(value) => {
                self.push_or(field, StoredValue::int(value), || value.into());
            }
            VisitedValue::U64(value) => {
                self.push_or(field, StoredValue::uint(value), || value.into());
            }
            VisitedValue::I128(value) => self.push_int(field, value),
            VisitedValue::U128(value) => self.push_uint(field, value),
            VisitedValue::Str(text) => self.push_text(field, TextKind::String, text),
            VisitedValue::Debug(value) => self.push_debug(field, value),
            other => self.push_other(field, other.into()),
        }
    }
}

/// Fields of some values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// Their indexes; none if they are the first ones in their order.
    pub(crate) listed: &'a [StoredValue],
}

impl<'a> Fields<'a> {
    /// Returns the indexes, unless they are the first ones in their order.
    #[inline]
    pub(crate) fn listed(&self) -> Option<&'a [StoredValue]> {
        (!self.listed.is_empty()).then_some(self.listed)
    }

    /// Returns the index of the field that a value is of, by the place of that.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> usize {
        self.listed.get(place).map_or(place, |field| field.field())
    }
}
