use alloc::vec::Vec;

use super::{
    sink::SinkValues,
    values::{owned, update},
};
use crate::wire::{RecordValues, TracedValue};
use crate::wire::{
    ValueRef,
    frame::{EncodedValues, TakeValue},
};

/// Values of an open span, kept for those who persist it.
///
/// Nearly all spans are closed before anyone does. So values that came encoded stay so, until more
/// are recorded.
#[derive(Debug)]
pub(super) enum SpanValues {
    /// Those of one record, which were checked.
    Encoded(Vec<u8>),
    /// Values and the indexes of their fields.
    Owned(Vec<(usize, TracedValue)>),
}

/// Bytes that are kept for another span when they are not needed any more.
const MAX_ROOM: usize = 1_024;

impl SpanValues {
    /// Keeps the values of a record, which are the `resolved` ones, in the `room` if that helps.
    #[inline]
    pub(super) fn new(values: RecordValues<'_>, resolved: &SinkValues<'_>, room: Vec<u8>) -> Self {
        match values {
            RecordValues::Named(_) => Self::Owned(owned(resolved)),
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
        let mut values = core::mem::replace(self, Self::Owned(Vec::new())).into_owned();
        update(&mut values, new);
        *self = Self::Owned(values);
    }

    pub(super) fn into_owned(self) -> Vec<(usize, TracedValue)> {
        match self {
            Self::Encoded(bytes) => {
                let mut owned = Owned(Vec::new());
                let mut values = EncodedValues::new(&bytes);
                while let Ok(Some(())) = values.next(&mut owned) {} // they were read before
                owned.0
            }
            Self::Owned(values) => values,
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

/// Takes values out of the frame that they came in.
struct Owned(Vec<(usize, TracedValue)>);

impl TakeValue<'_> for Owned {
    type Output = ();

    fn take(&mut self, field: usize, value: ValueRef<'_>) {
        self.0.push((field, TracedValue::from(&value)));
    }
}
