//! From values that a record names or numbers to fields of its call site, and back.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    ReceiveError,
    field_names::{FieldNames, FieldsInTurn},
    resolved_values::ResolvedValues,
    sink::SinkValues,
    stream::KnownCallSite,
};
use crate::wire::frame::EncodedValues;
use crate::wire::{CallSiteData, MetadataId, RecordValues, TracedValue, TracedValues, ValueRef};

/// Finds the field of each value.
#[inline]
pub(super) fn resolve<'a>(
    metadata_id: MetadataId,
    site: &KnownCallSite,
    values: RecordValues<'a>,
    resolved: &mut ResolvedValues<'a>,
) -> Result<(), ReceiveError> {
    match values {
        RecordValues::Named(values) => {
            resolve_named(metadata_id, &site.data, &site.names, values, resolved)
        }
        RecordValues::Encoded(values) => {
            let take = |index, value| resolved.push(index, value);
            resolve_each(metadata_id, &site.data, values, take).map(drop)
        }
    }
}

/// Checks each value, and hands it on with the index of its field. Returns how many there are.
#[inline(always)]
pub(super) fn resolve_each<'a>(
    metadata_id: MetadataId,
    data: &CallSiteData,
    values: EncodedValues<'a>,
    mut take: impl FnMut(usize, ValueRef<'a>),
) -> Result<usize, ReceiveError> {
    let len = data.fields.len();
    let mut count = 0;
    for value in values {
        let (index, value) = value?;
        if index >= len {
            return Err(ReceiveError::UnknownFieldIndex { metadata_id, index, len });
        }
        count += 1;
        // A receiver counts the values that are too many, but does not keep them.
        if count <= len {
            take(index, value);
        }
    }
    if count > len {
        return Err(ReceiveError::TooManyValues { max: len, actual: count });
    }
    Ok(count)
}

pub(super) fn resolve_named<'a>(
    metadata_id: MetadataId,
    data: &CallSiteData,
    names: &FieldNames,
    values: &'a TracedValues<impl AsRef<str>>,
    resolved: &mut ResolvedValues<'a>,
) -> Result<(), ReceiveError> {
    let len = data.fields.len();
    if values.len() > len {
        return Err(ReceiveError::TooManyValues { max: len, actual: values.len() });
    }
    let mut in_turn = FieldsInTurn::new(data, names);
    let mut ranks = values.nth().iter();
    for (name, value) in values {
        let index = match ranks.next() {
            Some(rank) => names.with_rank(data, name, *rank),
            None => in_turn.next(name),
        };
        let unknown = || ReceiveError::unknown_field(metadata_id, name);
        resolved.push(index.ok_or_else(unknown)?, value.into());
    }
    Ok(())
}

/// Gives each value the name of its field, which the function returns.
pub(super) fn name<S: AsRef<str>>(
    KnownCallSite { data, names, .. }: &KnownCallSite,
    values: Vec<(usize, TracedValue)>,
    name_of: impl Fn(usize) -> Option<S>,
) -> TracedValues<S> {
    let mut named = TracedValues::with_capacity(values.len());
    let mut indexes = Vec::with_capacity(values.len());
    for (index, value) in values {
        if let Some(name) = name_of(index) {
            named.push(name, value);
            indexes.push(index);
        }
    }
    named.set_nth(names.ranks(data, &indexes).unwrap_or_default());
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
