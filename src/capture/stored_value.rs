//! A value as a storage keeps it.

use core::str;

use crate::wire::{DebugObject, TracedValue};

/// A value in 8 bytes. Longer text, and what is rare, is with the other values of its node.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredValue(u64);

/// [`StoredValue`] taken apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stored<'a> {
    Bool(bool),
    Int(i64),
    UInt(u64),
    ShortText(TextKind, ShortText),
    Text(TextKind, &'a str),
    Other(&'a TracedValue),
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    String,
    Object,
}

/// Text of a few bytes, in the low ones of a number, and above them how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShortText(u64);

/// Text that is elsewhere, and other values that are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Elsewhere<'a> {
    pub(super) text: &'a str,
    pub(super) others: &'a [TracedValue],
}

/// The low bits say what the value is, the others hold it.
const KIND_BITS: u32 = 4;
const BOOL: u64 = 0;
const INT: u64 = 1;
const UINT: u64 = 2;
const SHORT_STRING: u64 = 3;
const SHORT_OBJECT: u64 = 4;
const STRING: u64 = 5;
const OBJECT: u64 = 6;
const OTHER: u64 = 7;

/// Bytes of text that there is room for.
const SHORT_LEN: usize = 7;
const SHORT_LEN_SHIFT: u32 = KIND_BITS;
const SHORT_TEXT_SHIFT: u32 = 8;

/// Of longer text, its length is above the kind, and above that, where it starts.
const START_SHIFT: u32 = 32;
const MAX_LEN: usize = (1 << (START_SHIFT - KIND_BITS)) - 1;

impl StoredValue {
    #[inline]
    pub(super) fn bool(value: bool) -> Self {
        Self(u64::from(value) << KIND_BITS | BOOL)
    }

    /// `None` for a number that there is no room for.
    #[inline]
    #[allow(clippy::cast_sign_loss)] // it is the same bits
    pub(super) fn int(value: i64) -> Option<Self> {
        let is_small = value << KIND_BITS >> KIND_BITS == value;
        is_small.then_some(Self((value << KIND_BITS) as u64 | INT))
    }

    /// `None` for a number that there is no room for.
    #[inline]
    pub(super) fn uint(value: u64) -> Option<Self> {
        let is_small = value << KIND_BITS >> KIND_BITS == value;
        is_small.then_some(Self(value << KIND_BITS | UINT))
    }

    /// `None` for text that is too long.
    #[inline]
    pub(super) fn short_text(kind: TextKind, text: &str) -> Option<Self> {
        let bytes = few_bytes(text.as_bytes())?;
        let kind = if kind == TextKind::String { SHORT_STRING } else { SHORT_OBJECT };
        let len = (text.len() as u64) << SHORT_LEN_SHIFT;
        Some(Self(bytes << SHORT_TEXT_SHIFT | len | kind))
    }

    /// Text that is elsewhere; `None` if it is too long, or too far away.
    #[inline]
    pub(super) fn text(kind: TextKind, start: usize, len: usize) -> Option<Self> {
        let start = u32::try_from(start).ok()?;
        if len > MAX_LEN {
            return None;
        }
        let kind = if kind == TextKind::String { STRING } else { OBJECT };
        Some(Self(u64::from(start) << START_SHIFT | (len as u64) << KIND_BITS | kind))
    }

    /// A number that is the index of a field.
    pub(super) fn of_field(index: usize) -> Self {
        // No program declares so many.
        Self::uint(index as u64).unwrap_or(Self(u64::MAX << KIND_BITS | UINT))
    }

    /// Returns the index of the field that it was made of.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // it was one before
    pub(super) fn field(self) -> usize {
        (self.0 >> KIND_BITS) as usize
    }

    pub(super) fn other(place: usize) -> Self {
        Self((place as u64) << KIND_BITS | OTHER)
    }

    /// Returns the value for where more text and others are before what it has elsewhere.
    pub(super) fn moved(self, text: usize, others: usize) -> Self {
        Self(match self.0 & ((1 << KIND_BITS) - 1) {
            STRING | OBJECT => self.0 + ((text as u64) << START_SHIFT),
            OTHER => self.0 + ((others as u64) << KIND_BITS),
            _ => self.0,
        })
    }

    /// Returns the value, which is what it was made of if the rest of that is here.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // it is parts of 64 bits
    pub(super) fn get(self, elsewhere: Elsewhere<'_>) -> Stored<'_> {
        let payload = self.0 >> KIND_BITS;
        let short = || ShortText(payload);
        let text = || {
            let (start, len) = ((self.0 >> START_SHIFT) as usize, payload as usize & MAX_LEN);
            elsewhere.text.get(start..start + len).unwrap_or_default()
        };
        match self.0 & ((1 << KIND_BITS) - 1) {
            UINT => Stored::UInt(payload),
            INT => Stored::Int(self.0 as i64 >> KIND_BITS),
            BOOL => Stored::Bool(payload != 0),
            SHORT_STRING => Stored::ShortText(TextKind::String, short()),
            SHORT_OBJECT => Stored::ShortText(TextKind::Object, short()),
            STRING => Stored::Text(TextKind::String, text()),
            OBJECT => Stored::Text(TextKind::Object, text()),
            _ => match elsewhere.others.get(payload as usize) {
                Some(value) => Stored::Other(value),
                None => Stored::Bool(false),
            },
        }
    }
}

/// Puts a few bytes into a number: in two halves that overlap, which is faster than one after another.
#[inline]
fn few_bytes(bytes: &[u8]) -> Option<u64> {
    let halves = |first: u64, last: u64, half: usize| first | last << (8 * (bytes.len() - half));
    Some(match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        _ if bytes.len() > SHORT_LEN => return None,
        (Some(first), Some(last)) => {
            halves(u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into(), 4)
        }
        _ => match (bytes.first_chunk::<2>(), bytes.last_chunk::<2>()) {
            (Some(first), Some(last)) => {
                halves(u16::from_le_bytes(*first).into(), u16::from_le_bytes(*last).into(), 2)
            }
            _ => bytes.first().copied().unwrap_or(0).into(),
        },
    })
}

impl ShortText {
    /// Has a function look at the text.
    #[allow(clippy::cast_possible_truncation)] // it is a few bits
    fn look_at<T>(self, look: impl FnOnce(&str) -> T) -> T {
        let len = self.0 as usize & ((1 << KIND_BITS) - 1);
        let bytes = (self.0 >> (SHORT_TEXT_SHIFT - KIND_BITS)).to_le_bytes();
        look(bytes.get(..len).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default())
    }
}

impl TextKind {
    pub(super) fn value(self, text: &str) -> TracedValue {
        match self {
            Self::String => TracedValue::String(text.into()),
            Self::Object => TracedValue::Object(DebugObject::new(text)),
        }
    }
}

impl From<Stored<'_>> for TracedValue {
    fn from(stored: Stored<'_>) -> Self {
        match stored {
            Stored::Bool(value) => value.into(),
            Stored::Int(value) => value.into(),
            Stored::UInt(value) => value.into(),
            Stored::ShortText(kind, text) => text.look_at(|text| kind.value(text)),
            Stored::Text(kind, text) => kind.value(text),
            Stored::Other(value) => value.clone(),
        }
    }
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
    use alloc::string::String;

    use super::*;

    #[test]
    fn short_text_is_what_it_was() {
        for len in 0..=SHORT_LEN + 1 {
            let text: String = ('a'..).take(len).collect();
            for kind in [TextKind::String, TextKind::Object] {
                let stored = StoredValue::short_text(kind, &text);
                let value = stored.map(|stored| stored.get(Elsewhere::default()).into());
                let expected = (len <= SHORT_LEN).then(|| kind.value(&text));
                assert_eq!(value, expected);
            }
        }
    }

    #[test]
    fn numbers_are_what_they_were_unless_they_are_too_large() {
        for shift in 0..64 {
            for number in [1_u64 << shift, u64::MAX >> shift] {
                let value =
                    StoredValue::uint(number).map(|stored| stored.get(Elsewhere::default()));
                assert_eq!(value, (number < 1 << 60).then_some(Stored::UInt(number)));
                for number in [
                    i64::from_ne_bytes(number.to_ne_bytes()),
                    i64::from_ne_bytes(number.wrapping_neg().to_ne_bytes()),
                ] {
                    let value =
                        StoredValue::int(number).map(|stored| stored.get(Elsewhere::default()));
                    let is_small = (-(1_i64 << 59)..1 << 59).contains(&number);
                    assert_eq!(value, is_small.then_some(Stored::Int(number)));
                }
            }
        }
    }
}
