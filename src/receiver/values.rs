//! From values that a record names or numbers to fields of its call site, and back.

use alloc::{borrow::Cow, collections::BTreeMap, string::String, vec::Vec};

use super::{ReceiveError, resolved_values::ResolvedValues, sink::SinkValues};
use crate::wire::frame::{EncodedValues, TakeValue};
use crate::wire::{CallSiteData, MetadataId, RecordValues, TracedValue, TracedValues, ValueRef};

/// Finds the field of each value.
#[inline]
pub(super) fn resolve<'a>(
    metadata_id: MetadataId,
    data: &CallSiteData,
    values: RecordValues<'a>,
    resolved: &mut ResolvedValues<'a>,
) -> Result<(), ReceiveError> {
    match values {
        RecordValues::Named(values) => resolve_named(metadata_id, data, values, resolved),
        RecordValues::Encoded(values) => {
            resolve_each(metadata_id, data, values, resolved).map(drop)
        }
    }
}

/// Finds the field of each value, and hands them on. Returns how many there are.
#[inline(always)]
pub(super) fn resolve_each<'a, T: TakeValue<'a>>(
    metadata_id: MetadataId,
    data: &CallSiteData,
    values: EncodedValues<'a>,
    take: &mut T,
) -> Result<usize, ReceiveError> {
    let len = data.fields.len();
    let mut resolve = Resolve { take, len, count: 0 };
    let mut values = values; // one that can be in registers
    while let Some(resolved) = values.next(&mut resolve)? {
        if let Err(index) = resolved {
            return Err(ReceiveError::UnknownFieldIndex { metadata_id, index, len });
        }
    }
    if resolve.count > len {
        return Err(ReceiveError::TooManyValues { max: len, actual: resolve.count });
    }
    Ok(resolve.count)
}

/// Takes values of a call site with so many fields, and counts them.
struct Resolve<'t, T> {
    take: &'t mut T,
    len: usize,
    count: usize,
}

impl<'a, T: TakeValue<'a>> TakeValue<'a> for Resolve<'_, T> {
    /// The index of a field that there is not.
    type Output = Result<(), usize>;

    #[inline(always)]
    fn take(&mut self, field: usize, value: ValueRef<'a>) -> Self::Output {
        if field >= self.len {
            return Err(field);
        }
        self.count += 1;
        // What is too much is counted, but not kept.
        if self.count <= self.len {
            self.take.take(field, value);
        }
        Ok(())
    }
}

/// Fields of an ordinary call site, among which looking for a name costs next to nothing.
const FEW_FIELDS: usize = 32;

pub(super) fn resolve_named<'a>(
    metadata_id: MetadataId,
    data: &CallSiteData,
    values: &'a TracedValues<String>,
    resolved: &mut ResolvedValues<'a>,
) -> Result<(), ReceiveError> {
    let len = data.fields.len();
    if values.len() > len {
        return Err(ReceiveError::TooManyValues { max: len, actual: values.len() });
    }
    let mut fields = FieldsByName::new(data);
    let mut nth = values.nth().iter();
    for (name, value) in values {
        let index = match nth.next() {
            Some(nth) => fields.nth(name, *nth),
            None => fields.next(name),
        };
        let unknown = || ReceiveError::UnknownField { metadata_id, name: name.into() };
        resolved.push(index.ok_or_else(unknown)?, value.into());
    }
    Ok(())
}

/// Finds fields by name. A call site may declare a name twice: the second value of that name is
/// that of its second field.
enum FieldsByName<'a> {
    Few {
        fields: &'a [Cow<'static, str>],
        used: [bool; FEW_FIELDS],
    },
    /// Indexes of the fields of each name, and how many values there were of it.
    Many(BTreeMap<&'a str, (Vec<usize>, usize)>),
}

impl<'a> FieldsByName<'a> {
    fn new(data: &'a CallSiteData) -> Self {
        if data.fields.len() <= FEW_FIELDS {
            return Self::Few { fields: &data.fields, used: [false; FEW_FIELDS] };
        }
        let mut by_name = BTreeMap::<_, (Vec<_>, _)>::new();
        for (index, field) in data.fields.iter().enumerate() {
            by_name.entry(&**field).or_default().0.push(index);
        }
        Self::Many(by_name)
    }

    /// Returns the field of this name that has so many others before it.
    fn nth(&self, name: &str, nth: usize) -> Option<usize> {
        match self {
            Self::Few { fields, .. } => {
                let named = (0..).zip(*fields).filter(|(_, field)| *field == name);
                named.map(|(index, _)| index).nth(nth)
            }
            Self::Many(by_name) => by_name.get(name)?.0.get(nth).copied(),
        }
    }

    /// Returns the first field of this name that was not returned yet, or else the first one.
    fn next(&mut self, name: &str) -> Option<usize> {
        match self {
            Self::Few { fields, used } => {
                let named = || (0..).zip(*fields).filter(|(_, field)| *field == name);
                let first = named().next()?.0;
                let unused = named().map(|(index, _)| index).find(|index| !used[*index]);
                let index = unused.unwrap_or(first);
                used[index] = true;
                Some(index)
            }
            Self::Many(by_name) => {
                let (indexes, used) = by_name.get_mut(name)?;
                *used += 1;
                indexes.get(*used - 1).or(indexes.first()).copied()
            }
        }
    }
}

/// Gives each value the name of its field.
pub(super) fn name(
    data: &CallSiteData,
    values: impl IntoIterator<Item = (usize, TracedValue)>,
) -> TracedValues<String> {
    let mut named = TracedValues::new();
    let mut indexes = Vec::new();
    for (index, value) in values {
        if let Some(name) = data.fields.get(index) {
            named.push(name.clone().into_owned(), value);
            indexes.push(index);
        }
    }
    named.set_fields(&indexes, || data.fields.iter().map(|field| &**field));
    named
}

/// Takes values out of the record that they came in.
pub(super) fn owned(values: &SinkValues<'_>) -> Vec<(usize, TracedValue)> {
    values.iter().map(|(index, value)| (*index, TracedValue::from(value))).collect()
}

/// Lends values that were taken out of their record.
pub(super) fn borrowed(values: &[(usize, TracedValue)]) -> Vec<(usize, ValueRef<'_>)> {
    values.iter().map(|(index, value)| (*index, ValueRef::from(value))).collect()
}

/// Sets values, each in the place of an earlier one of its field, if there is one.
pub(super) fn update(
    values: &mut Vec<(usize, TracedValue)>,
    new: impl IntoIterator<Item = (usize, TracedValue)>,
) {
    let mut places = BTreeMap::new();
    for (place, (index, _)) in values.iter().enumerate() {
        places.entry(*index).or_insert(place);
    }
    for (index, value) in new {
        let place = *places.entry(index).or_insert(values.len());
        match values.get_mut(place) {
            Some((_, place)) => *place = value,
            None => values.push((index, value)),
        }
    }
}
