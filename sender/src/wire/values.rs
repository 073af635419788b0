use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::{fmt, mem, ops, slice};

use tracing_core::{
    Event,
    field::{Field, FieldSet, ValueSet},
    span::Record,
};

use super::{
    TracedValue,
    visit::{FieldVisitor, VisitValue, VisitedValue},
};

/// Named [`TracedValue`]s in the order in which they were recorded.
///
/// It is like a map that keeps the order of insertion: [`insert()`](Self::insert) and
/// [`Extend`] overwrite a value of the same name in its place. Only what a program itself
/// recorded can hold a name twice, since `tracing` lets a call site declare it twice.
///
/// # Example
///
/// ```
/// use spanshot::TracedValues;
///
/// let mut values = TracedValues::new();
/// values.insert("rows", 3_u64.into());
/// values.insert("table", "users".into());
/// values.insert("rows", 4_u64.into());
/// assert_eq!(values["rows"], 4);
/// assert_eq!(serde_json::to_string(&values)?, r#"{"rows":{"u_int":4},"table":{"string":"users"}}"#);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct TracedValues<S> {
    // Call sites rarely have more than a handful of fields, where a list beats a map.
    entries: Vec<(S, TracedValue)>,
    /// To which of the fields with its name each value belongs: 0 is the first. Empty if the values
    /// of one name belong to its fields in turn, as nearly all do.
    nth: Vec<usize>,
}

impl<S> Default for TracedValues<S> {
    fn default() -> Self {
        Self { entries: Vec::new(), nth: Vec::new() }
    }
}

impl<S: AsRef<str>> fmt::Debug for TracedValues<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self).finish()
    }
}

impl<S: From<&'static str> + AsRef<str>> TracedValues<S> {
    /// Takes the values that a span is created with.
    pub fn from_values(values: &ValueSet<'_>) -> Self {
        Self::collect(None, |visitor| values.record(visitor))
    }

    /// Takes the values that are recorded into a span.
    pub fn from_record(values: &Record<'_>) -> Self {
        Self::collect(None, |visitor| values.record(visitor))
    }

    /// Takes the values of an event.
    pub fn from_event(event: &Event<'_>) -> Self {
        Self::collect(Some(event.metadata().fields()), |visitor| event.record(visitor))
    }

    /// Takes values, which belong to these fields.
    pub(crate) fn collect(
        fields: Option<&FieldSet>,
        record: impl FnOnce(&mut FieldVisitor<Collector<S>>),
    ) -> Self {
        let mut visitor = FieldVisitor(Collector { values: Self::default(), indexes: Vec::new() });
        record(&mut visitor);
        let Collector { mut values, indexes } = visitor.0;
        if let Some(fields) = fields {
            values.set_fields(&indexes, || fields.iter().map(|field| field.name()));
        }
        values
    }
}

impl<S: AsRef<str>> TracedValues<S> {
    /// Creates an empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty collection with room for this many values.
    #[doc(hidden)]
    pub fn with_capacity(values: usize) -> Self {
        Self { entries: Vec::with_capacity(values), nth: Vec::new() }
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Checks whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the value with this name, or `None` if there is none; the last one if a program
    /// recorded several.
    pub fn get(&self, name: &str) -> Option<&TracedValue> {
        self.entries
            .iter()
            .rev()
            .find(|(existing, _)| existing.as_ref() == name)
            .map(|(_, value)| value)
    }

    /// Iterates over names and values in the order of their insertion.
    pub fn iter(&self) -> TracedValuesIter<'_, S> {
        TracedValuesIter { inner: self.entries.iter() }
    }

    /// Sets the value with this name, and returns what it was before, if anything.
    pub fn insert(&mut self, name: S, value: TracedValue) -> Option<TracedValue> {
        let existing =
            self.entries.iter_mut().rev().find(|(existing, _)| existing.as_ref() == name.as_ref());
        if let Some((_, place)) = existing {
            Some(mem::replace(place, value))
        } else {
            self.push(name, value);
            None
        }
    }

    /// Adds a value behind the others even if there is one with this name already.
    pub fn push(&mut self, name: S, value: TracedValue) {
        if !self.nth.is_empty() {
            let same = |(other, _): &&(S, TracedValue)| other.as_ref() == name.as_ref();
            self.nth.push(self.entries.iter().filter(same).count());
        }
        self.entries.push((name, value));
    }

    /// Says which field each value belongs to, given the names of all fields.
    pub(crate) fn set_fields<'a, I: Iterator<Item = &'a str>>(
        &mut self,
        indexes: &[usize],
        fields: impl Fn() -> I,
    ) {
        if !has_repeats(&fields) {
            return;
        }
        let of_fields = ranks(fields());
        let nth: Option<Vec<_>> =
            indexes.iter().map(|index| of_fields.get(*index).copied()).collect();
        let in_turn = ranks(self.entries.iter().map(|(name, _)| name.as_ref()));
        self.nth = nth.filter(|nth| *nth != in_turn).unwrap_or_default();
    }

    /// Returns to which of the fields with its name each value belongs, unless that is in turn.
    #[doc(hidden)]
    pub fn nth(&self) -> &[usize] {
        &self.nth
    }

    /// Says to which of the fields with its name each value belongs.
    #[doc(hidden)]
    pub fn set_nth(&mut self, nth: Vec<usize>) {
        self.nth = nth;
    }

    /// Iterates over names and values, to change the values.
    #[cfg(feature = "serde")]
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = (&str, &mut TracedValue)> {
        self.entries.iter_mut().map(|(name, value)| ((*name).as_ref(), value))
    }
}

impl<S: AsRef<str>> ops::Index<&str> for TracedValues<S> {
    type Output = TracedValue;

    /// # Panics
    ///
    /// Panics if there is no value with this name.
    #[track_caller]
    fn index(&self, name: &str) -> &TracedValue {
        match self.get(name) {
            Some(value) => value,
            None => panic!("there is no value `{name}` among {self:?}"),
        }
    }
}

impl<S: AsRef<str>> FromIterator<(S, TracedValue)> for TracedValues<S> {
    fn from_iter<I: IntoIterator<Item = (S, TracedValue)>>(iter: I) -> Self {
        let mut values = Self::new();
        values.extend(iter);
        values
    }
}

impl<S: AsRef<str>> Extend<(S, TracedValue)> for TracedValues<S> {
    fn extend<I: IntoIterator<Item = (S, TracedValue)>>(&mut self, iter: I) {
        for (name, value) in iter {
            self.insert(name, value);
        }
    }
}

impl<S> IntoIterator for TracedValues<S> {
    type Item = (S, TracedValue);
    type IntoIter = vec::IntoIter<(S, TracedValue)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a, S: AsRef<str>> IntoIterator for &'a TracedValues<S> {
    type Item = (&'a str, &'a TracedValue);
    type IntoIter = TracedValuesIter<'a, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterator over names and values, returned by [`TracedValues::iter()`].
#[derive(Debug)]
pub struct TracedValuesIter<'a, S> {
    inner: slice::Iter<'a, (S, TracedValue)>,
}

fn borrow_entry<S: AsRef<str>>((name, value): &(S, TracedValue)) -> (&str, &TracedValue) {
    (name.as_ref(), value)
}

impl<'a, S: AsRef<str>> Iterator for TracedValuesIter<'a, S> {
    type Item = (&'a str, &'a TracedValue);

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next().map(borrow_entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<S: AsRef<str>> DoubleEndedIterator for TracedValuesIter<'_, S> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.inner.next_back().map(borrow_entry)
    }
}

impl<S: AsRef<str>> ExactSizeIterator for TracedValuesIter<'_, S> {}

/// Names of an ordinary call site, which are compared faster than looked up.
const FEW_NAMES: usize = 32;

fn has_repeats<'a, I: Iterator<Item = &'a str>>(names: impl Fn() -> I) -> bool {
    if names().nth(FEW_NAMES).is_some() {
        return ranks(names()).iter().any(|rank| *rank > 0);
    }
    let is_repeat = |(position, name)| names().take(position).any(|other| other == name);
    names().enumerate().any(is_repeat)
}

/// Counts for each name those before it that are the same.
fn ranks<'a>(names: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut counts = BTreeMap::new();
    let rank = |name| {
        let count = counts.entry(name).or_insert(0);
        *count += 1;
        *count - 1
    };
    names.map(rank).collect()
}

/// Visit that collects values, and the indexes of their fields.
#[allow(missing_debug_implementations)] // it lives for the length of a call
pub(crate) struct Collector<S> {
    values: TracedValues<S>,
    indexes: Vec<usize>,
}

impl<S: From<&'static str> + AsRef<str>> VisitValue for Collector<S> {
    fn visit(&mut self, field: &Field, value: VisitedValue<'_>) {
        self.values.push(field.name().into(), value.into());
        self.indexes.push(field.index());
    }
}
