//! A value as a storage keeps it.

use core::str;

use crate::wire::{DebugObject, TracedValue};

/// A value in 8 bytes. Longer text, and what is rare, is with the other values of its node.
#[derive(Debug, Clone, Copy)]
#[repr(align(8))]
pub(crate) struct StoredValue([u8; 8]);

/// [`StoredValue`] taken apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stored<'a> {
    Bool(bool),
    Int(i64),
    UInt(u64),
    Text(TextKind, &'a str),
    Other(&'a TracedValue),
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    String,
    Object,
}

/// Text that is elsewhere, and other values that are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Elsewhere<'a> {
    pub(crate) text: &'a str,
    pub(crate) others: &'a [TracedValue],
}

/// The low bits of the first byte say what the value is, the others hold it.
const KIND_BITS: u32 = 4;
const BOOL: u64 = 0;
const INT: u64 = 1;
const UINT: u64 = 2;
const SHORT_STRING: u64 = 3;
const SHORT_OBJECT: u64 = 4;
const STRING: u64 = 5;
const OBJECT: u64 = 6;
const OTHER: u64 = 7;

/// Bytes of text that there is room for, behind a byte that has their number above the kind.
const SHORT_LEN: usize = 7;

/// Of longer text, its length is above the kind, and above that, where it starts.
const START_SHIFT: u32 = 32;
const MAX_LEN: usize = (1 << (START_SHIFT - KIND_BITS)) - 1;

impl StoredValue {
    #[inline(always)]
    fn new(kind: u64, payload: u64) -> Self {
        Self((payload << KIND_BITS | kind).to_le_bytes())
    }

    #[inline(always)]
    fn bits(self) -> u64 {
        u64::from_le_bytes(self.0)
    }

    #[inline(always)]
    fn kind(self) -> u64 {
        self.bits() & ((1 << KIND_BITS) - 1)
    }

    #[inline]
    pub(crate) fn bool(value: bool) -> Self {
        Self::new(BOOL, value.into())
    }

    /// `None` for a number that there is no room for.
    #[inline]
    #[allow(clippy::cast_sign_loss)] // it is the same bits
    pub(crate) fn int(value: i64) -> Option<Self> {
        let is_small = value << KIND_BITS >> KIND_BITS == value;
        is_small.then_some(Self::new(INT, value as u64))
    }

    /// `None` for a number that there is no room for.
    #[inline]
    pub(crate) fn uint(value: u64) -> Option<Self> {
        let is_small = value << KIND_BITS >> KIND_BITS == value;
        is_small.then_some(Self::new(UINT, value))
    }

    /// `None` for text that is too long.
    #[inline]
    pub(crate) fn short_text(kind: TextKind, text: &str) -> Option<Self> {
        let bytes = few_bytes(text.as_bytes())?;
        let kind = if kind == TextKind::String { SHORT_STRING } else { SHORT_OBJECT };
        Some(Self::new(kind, bytes << (u8::BITS - KIND_BITS) | text.len() as u64))
    }

    /// Text that is elsewhere; `None` if it is too long, or too far away.
    #[inline]
    pub(crate) fn text(kind: TextKind, start: usize, len: usize) -> Option<Self> {
        let start = u32::try_from(start).ok()?;
        if len > MAX_LEN {
            return None;
        }
        let kind = if kind == TextKind::String { STRING } else { OBJECT };
        Some(Self::new(kind, u64::from(start) << (START_SHIFT - KIND_BITS) | len as u64))
    }

    /// A number that is the index of a field.
    pub(crate) fn of_field(index: usize) -> Self {
        // No program declares so many.
        Self::uint(index as u64).unwrap_or(Self::new(UINT, u64::MAX))
    }

    /// Returns the index of the field that it was made of.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // it was one before
    pub(crate) fn field(self) -> usize {
        (self.bits() >> KIND_BITS) as usize
    }

    pub(crate) fn other(place: usize) -> Self {
        Self::new(OTHER, place as u64)
    }

    /// Returns the value for where more text and others are before what it has elsewhere.
    pub(crate) fn moved(self, text: usize, others: usize) -> Self {
        let more = match self.kind() {
            STRING | OBJECT => (text as u64) << START_SHIFT,
            OTHER => (others as u64) << KIND_BITS,
            _ => return self,
        };
        Self((self.bits() + more).to_le_bytes())
    }

    /// Returns the value, which is what it was made of if the rest of that is here.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // it is parts of 64 bits
    pub(crate) fn get<'a>(&'a self, elsewhere: Elsewhere<'a>) -> Stored<'a> {
        let (bits, payload) = (self.bits(), self.bits() >> KIND_BITS);
        match self.kind() {
            UINT => Stored::UInt(payload),
            INT => Stored::Int(bits as i64 >> KIND_BITS),
            BOOL => Stored::Bool(payload != 0),
            SHORT_STRING => Stored::Text(TextKind::String, self.short()),
            SHORT_OBJECT => Stored::Text(TextKind::Object, self.short()),
            kind @ (STRING | OBJECT) => {
                let (start, len) = ((bits >> START_SHIFT) as usize, payload as usize & MAX_LEN);
                let text = elsewhere.text.get(start..start + len).unwrap_or_default();
                let is_string = kind == STRING;
                Stored::Text(if is_string { TextKind::String } else { TextKind::Object }, text)
            }
            _ => match elsewhere.others.get(payload as usize) {
                Some(value) => Stored::Other(value),
                None => Stored::Bool(false),
            },
        }
    }

    /// Returns the text that is in here.
    #[inline(never)]
    fn short(&self) -> &str {
        let [first, text @ ..] = &self.0;
        let text = text.get(..usize::from(first >> KIND_BITS)).unwrap_or_default();
        str::from_utf8(text).unwrap_or_default()
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

impl TextKind {
    pub(crate) fn value(self, text: &str) -> TracedValue {
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
            Stored::Text(kind, text) => kind.value(text),
            Stored::Other(value) => value.clone(),
        }
    }
}

/// Returns about how many bytes values take.
pub(crate) fn bytes(values: &[StoredValue], elsewhere: Elsewhere<'_>) -> usize {
    let more = |value: &StoredValue| match value.get(elsewhere) {
        Stored::Bool(_) | Stored::Int(_) | Stored::UInt(_) => 0,
        Stored::Text(_, text) => {
            if text.len() > SHORT_LEN {
                text.len()
            } else {
                0
            }
        }
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
                let value =
                    stored.map(|stored| TracedValue::from(stored.get(Elsewhere::default())));
                let expected = (len <= SHORT_LEN).then(|| kind.value(&text));
                assert_eq!(value, expected);
            }
        }
    }

    #[test]
    fn numbers_are_what_they_were_unless_they_are_too_large() {
        let value = |stored: Option<StoredValue>| -> Option<TracedValue> {
            Some(stored?.get(Elsewhere::default()).into())
        };
        for shift in 0..64 {
            for number in [1_u64 << shift, u64::MAX >> shift] {
                let expected = (number < 1 << 60).then(|| TracedValue::from(number));
                assert_eq!(value(StoredValue::uint(number)), expected);
                for number in [number, number.wrapping_neg()] {
                    let number = i64::from_ne_bytes(number.to_ne_bytes());
                    let is_small = (-(1_i64 << 59)..1 << 59).contains(&number);
                    let expected = is_small.then(|| TracedValue::from(number));
                    assert_eq!(value(StoredValue::int(number)), expected);
                }
            }
        }
    }
}
