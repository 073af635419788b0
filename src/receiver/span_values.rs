use alloc::{boxed::Box, vec::Vec};
use core::mem;

use super::{
    sink::SinkValues,
    values::{owned, update},
};
use crate::wire::frame::EncodedValues;
use crate::wire::{RecordValues, TracedValue};

/// Values of an open span, kept for those who persist it.
///
/// Nearly all spans are closed before anyone does. So values that came encoded stay so, until more
/// are recorded.
#[derive(Debug, Clone)]
pub(super) enum SpanValues {
    /// The values of one record, which were checked.
    Encoded(Vec<u8>),
    /// Values and the indexes of their fields.
    Owned(Vec<(usize, TracedValue)>),
    /// Values into which others are to be merged that were recorded since.
    ///
    /// Merging looks at all of them, and is put off until as many are recorded as there were: with each
    /// record, a span of `n` values would cost `n` steps.
    Recorded(Box<[Vec<(usize, TracedValue)>; 2]>),
}

/// Values among which looking for one costs next to nothing.
const FEW: usize = 16;

/// Bytes that are kept for another span when they are not needed any more.
const MAX_ROOM: usize = 1_024;

impl SpanValues {
    /// Keeps the values of a record, which are the `resolved` ones, in the `room` if that helps.
    #[inline]
    pub(super) fn new(values: RecordValues<'_>, resolved: &SinkValues<'_>, room: Vec<u8>) -> Self {
        match values {
            RecordValues::Named(_) => Self::Owned(one_for_each_field(owned(resolved))),
            RecordValues::Encoded(values) => {
                let mut room = room;
                room.clear();
                room.extend_from_slice(values.bytes());
                Self::Encoded(room)
            }
        }
    }

    /// Sets values, each in the place of an earlier one of its field, if there is one.
    pub(super) fn update(&mut self, new: &SinkValues<'_>) {
        if let Self::Recorded(values) = self {
            let [merged, recorded] = &mut **values;
            recorded.extend(owned(new));
            if recorded.len() >= merged.len() {
                update(merged, recorded.drain(..));
            }
            return;
        }
        let mut values = mem::replace(self, Self::Owned(Vec::new())).into_owned();
        if values.len() <= FEW {
            update(&mut values, owned(new));
            *self = Self::Owned(values);
        } else {
            *self = Self::Recorded(Box::new([values, owned(new)]));
        }
    }

    fn into_owned(self) -> Vec<(usize, TracedValue)> {
        match self {
            Self::Encoded(bytes) => decode(&bytes),
            Self::Owned(values) => values,
            Self::Recorded(values) => {
                let [mut merged, recorded] = *values;
                update(&mut merged, recorded);
                merged
            }
        }
    }

    /// Returns the values, which stay here, too.
    pub(super) fn to_owned(&self) -> Vec<(usize, TracedValue)> {
        match self {
            Self::Encoded(bytes) => decode(bytes),
            Self::Owned(values) => values.clone(),
            Self::Recorded(values) => {
                let [merged, recorded] = &**values;
                let mut merged = merged.clone();
                update(&mut merged, recorded.iter().cloned());
                merged
            }
        }
    }

    /// Returns the room that the values took, as far as others may need it.
    #[inline]
    pub(super) fn into_room(self) -> Vec<u8> {
        match self {
            Self::Encoded(bytes) if bytes.capacity() <= MAX_ROOM => bytes,
            _ => Vec::new(),
        }
    }
}

fn decode(bytes: &[u8]) -> Vec<(usize, TracedValue)> {
    let values = EncodedValues::new(bytes).map_while(Result::ok); // they were checked
    one_for_each_field(values.map(|(field, value)| (field, TracedValue::from(&value))).collect())
}

/// Leaves each field its last value, in the place of its first. A record may give a field several, and with what is
/// recorded later there would be more values than a span is restored with.
fn one_for_each_field(values: Vec<(usize, TracedValue)>) -> Vec<(usize, TracedValue)> {
    if values.is_sorted_by(|(field, _), (next, _)| field < next) {
        return values; // as records of `tracing`'s macros are
    }
    let mut kept = Vec::with_capacity(values.len());
    update(&mut kept, values);
    kept
}
