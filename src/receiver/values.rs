//! From values that a record names or numbers to fields of its call site, and back.

use alloc::{string::String, vec::Vec};

use super::{ReceiveError, sink::SinkValues};
use crate::wire::{CallSiteData, MetadataId, RecordValues, TracedValue, TracedValues, ValueRef};

/// Finds the field of each value.
pub(super) fn resolve<'a>(
    metadata_id: MetadataId,
    data: &CallSiteData,
    values: &RecordValues<'a>,
) -> Result<Vec<(usize, ValueRef<'a>)>, ReceiveError> {
    let resolved = match *values {
        RecordValues::Named(values) => resolve_named(metadata_id, data, values)?,
        #[cfg(feature = "frames")]
        RecordValues::Encoded(mut values) => {
            let len = data.fields.len();
            let mut resolved = Vec::with_capacity(len.min(16));
            while let Some((index, value)) = values.next()? {
                if index >= len {
                    return Err(ReceiveError::UnknownFieldIndex { metadata_id, index, len });
                }
                resolved.push((index, value));
            }
            resolved
        }
    };
    if resolved.len() > data.fields.len() {
        let (max, actual) = (data.fields.len(), resolved.len());
        return Err(ReceiveError::TooManyValues { max, actual });
    }
    Ok(resolved)
}

pub(super) fn resolve_named<'a>(
    metadata_id: MetadataId,
    data: &CallSiteData,
    values: &'a TracedValues<String>,
) -> Result<Vec<(usize, ValueRef<'a>)>, ReceiveError> {
    let mut resolved = Vec::<(usize, ValueRef<'a>)>::with_capacity(values.len());
    for (name, value) in values {
        let candidates = (0..).zip(&data.fields).filter(|(_, field)| *field == name);
        // A call site may declare a name twice: its second value is that of its second field.
        let is_free = |index: usize| resolved.iter().all(|(taken, _)| *taken != index);
        let first = candidates.clone().next().map(|(index, _)| index);
        let index = candidates.map(|(index, _)| index).find(|index| is_free(*index)).or(first);
        let unknown = || ReceiveError::UnknownField { metadata_id, name: name.into() };
        resolved.push((index.ok_or_else(unknown)?, ValueRef::from(value)));
    }
    Ok(resolved)
}

/// Gives each value the name of its field.
pub(super) fn name(
    data: &CallSiteData,
    values: impl IntoIterator<Item = (usize, TracedValue)>,
) -> TracedValues<String> {
    let mut named = TracedValues::new();
    for (index, value) in values {
        if let Some(name) = data.fields.get(index) {
            named.push(name.clone().into_owned(), value);
        }
    }
    named
}

/// Takes values out of the record that they came in.
pub(super) fn owned(values: &SinkValues<'_>) -> Vec<(usize, TracedValue)> {
    values.iter().map(|(index, value)| (*index, TracedValue::from(value))).collect()
}

/// Sets values, each in the place of an earlier one of its field, if there is one.
pub(super) fn update(values: &mut Vec<(usize, TracedValue)>, new: &SinkValues<'_>) {
    for (index, value) in new {
        let value = TracedValue::from(value);
        match values.iter_mut().find(|(known, _)| known == index) {
            Some((_, place)) => *place = value,
            None => values.push((*index, value)),
        }
    }
}
