//! Compares plain values regardless of their type, for negatives.
//!
//! `field("status", 500)` does not match the text `500`, nor `field("user", "bob")` the `Debug` output `"bob"`. A
//! positive fails then, and says so. A negative would hold for that reason alone, so it looks at its items once more,
//! by handles that are [read loosely](crate::capture::Sealed::read_loosely):
//!
//! ```text
//! field("status", 500) matches       ⇔  a value of the field equals 500
//! … for an item that is read loosely ⇔  a value of the field, or one of its other forms, equals 500
//! ```
//!
//! The negative says nothing if it does not hold of these.
//!
//! `value(…)` names a type, so texts are no numbers to it. But the type of a number is rarely meant: `value(gt(500))` is
//! for an `i32`, and matches neither 3,000,000,000 nor 812.5. Read loosely, it looks at the nearest numbers that its
//! type can hold.

use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::{String, ToString},
};

use ::predicates::reflection::{Parameter, PredicateReflection};

use super::combinators::Operator::{self, And, Ever, Not, Or, Related, Tree};
use crate::wire::{FromTracedValue, TracedValue};

/// Name of the parameter by which a predicate says that it compares a field with a plain value.
const PLAIN: &str = "plain";

/// The type of a plain value that a field is compared with.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainType {
    Boolean,
    Integer,
    Float,
    Text,
    Bytes,
    /// No value, as `None` says.
    Absent,
    /// A number of the type that `value(…)` names.
    Number(NumberType),
}

/// The type of the numbers that `value(…)` looks at. It is small, since each look at a value copies it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberType {
    /// An integer of so many bits, without the one for the sign.
    Integer {
        bits: u8,
        is_signed: bool,
    },
    Float,
}

impl NumberType {
    /// Finds the type by its conversions.
    pub(super) fn of<T: for<'a> FromTracedValue<'a> + ?Sized>() -> Option<Self> {
        let holds = |value: TracedValue| T::from_value(&value).is_some();
        if holds(TracedValue::Float(0.0)) {
            return Some(Self::Float);
        }
        let bits = (1..=128).rev().find(|bits| holds(integer(greatest(*bits))))?;
        Some(Self::Integer { bits, is_signed: holds(TracedValue::Int(-1)) })
    }

    fn holds(self, value: &TracedValue) -> bool {
        match (self, value) {
            (Self::Integer { bits, is_signed }, TracedValue::Int(value)) => {
                match u128::try_from(*value) {
                    Ok(value) => value <= greatest(bits),
                    Err(_) => *value >= least(bits, is_signed),
                }
            }
            (Self::Integer { bits, .. }, TracedValue::UInt(value)) => *value <= greatest(bits),
            (Self::Float, value) => matches!(value, TracedValue::Float(_)),
            _ => false,
        }
    }

    /// The numbers of this type that are nearest to a number of another type: the next smaller and the next greater one.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // to the nearest
    fn nearest(self, value: &TracedValue) -> Option<[TracedValue; 2]> {
        let (lower, upper) = match (self, value) {
            (Self::Float, TracedValue::Int(value)) => {
                return Some([*value as f64; 2].map(TracedValue::Float));
            }
            (Self::Float, TracedValue::UInt(value)) => {
                return Some([*value as f64; 2].map(TracedValue::Float));
            }
            (_, TracedValue::Int(value)) => (*value, *value),
            (_, TracedValue::UInt(value)) => {
                let value = i128::try_from(*value).unwrap_or(i128::MAX);
                (value, value)
            }
            (_, TracedValue::Float(value)) if !value.is_nan() => {
                (value.floor() as i128, value.ceil() as i128)
            }
            _ => return None,
        };
        let Self::Integer { bits, is_signed } = self else { return None };
        let within = |value: i128| match u128::try_from(value) {
            Ok(value) => integer(value.min(greatest(bits))),
            Err(_) => TracedValue::Int(value.max(least(bits, is_signed))),
        };
        Some([within(lower), within(upper)])
    }
}

/// The greatest integer of so many bits, at least one.
fn greatest(bits: u8) -> u128 {
    u128::MAX >> (128 - u32::from(bits))
}

/// The least one, which has the opposite of all of these bits.
fn least(bits: u8, is_signed: bool) -> i128 {
    if is_signed {
        i128::try_from(greatest(bits)).map_or(i128::MIN, |greatest| !greatest)
    } else {
        0
    }
}

fn integer(value: u128) -> TracedValue {
    i128::try_from(value).map_or(TracedValue::UInt(value), TracedValue::Int)
}

impl PlainType {
    pub(super) fn parameter<'a>() -> Parameter<'a> {
        Parameter::new(PLAIN, &"")
    }

    /// Checks whether a value that does not match has another form that does.
    #[inline]
    pub(super) fn resembles(
        self,
        value: &TracedValue,
        matches: impl Fn(&TracedValue) -> bool,
    ) -> bool {
        // Nearly all values are of the expected type.
        let is_of_type = match self {
            Self::Boolean => matches!(value, TracedValue::Bool(_)),
            Self::Integer => matches!(value, TracedValue::Int(_) | TracedValue::UInt(_)),
            Self::Float => matches!(value, TracedValue::Float(_)),
            Self::Text => matches!(value, TracedValue::String(_) | TracedValue::Error(_)),
            Self::Bytes => matches!(value, TracedValue::Bytes(_)),
            // Whether the type can hold the number is asked where it takes less of the usual case's time.
            Self::Absent | Self::Number(_) => false,
        };
        !is_of_type && self.has_form(value, &matches)
    }

    #[cold]
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::float_cmp)] // it has to be this number
    fn has_form(self, value: &TracedValue, matches: &dyn Fn(&TracedValue) -> bool) -> bool {
        match (self, value) {
            (Self::Integer, TracedValue::Float(value)) => {
                let integer = *value as i128;
                let is_integer = integer as f64 == *value;
                is_integer && matches(&TracedValue::Int(integer))
            }
            (Self::Float, TracedValue::Int(value)) => matches(&TracedValue::Float(*value as f64)),
            (Self::Float, TracedValue::UInt(value)) => matches(&TracedValue::Float(*value as f64)),
            (Self::Text, TracedValue::Bytes(bytes)) => {
                let text = core::str::from_utf8(bytes);
                text.is_ok_and(|text| matches(&TracedValue::String(text.to_owned())))
            }
            (Self::Text, TracedValue::Float(value)) => {
                // `500.0` is shown as `500.0`, and displayed as `500`.
                [format!("{value:?}"), value.to_string()]
                    .into_iter()
                    .any(|text| matches(&TracedValue::String(text)))
            }
            (Self::Text, TracedValue::Bool(_) | TracedValue::Int(_) | TracedValue::UInt(_)) => {
                matches(&TracedValue::String(value.to_string()))
            }
            (Self::Absent, _) => value.as_debug_str() == Some("None"),
            (Self::Number(ty), _) => {
                !ty.holds(value)
                    && ty.nearest(value).is_some_and(|nearest| nearest.iter().any(matches))
            }
            _ => value.as_text().is_some_and(|text| {
                texts(text).any(|text| self.parse(text).is_some_and(|value| matches(&value)))
            }),
        }
    }

    /// Reads a text as a value of this type.
    fn parse(self, text: Cow<'_, str>) -> Option<TracedValue> {
        match self {
            Self::Boolean => text.parse().ok().map(TracedValue::Bool),
            Self::Integer => {
                let unsigned = || text.parse().ok().map(TracedValue::UInt);
                text.parse().ok().map(TracedValue::Int).or_else(unsigned)
            }
            Self::Float => text.parse().ok().map(TracedValue::Float),
            Self::Text => Some(TracedValue::String(text.into_owned())),
            Self::Bytes => Some(TracedValue::Bytes(text.into_owned().into_bytes())),
            Self::Absent | Self::Number(_) => None,
        }
    }
}

/// Iterates over a text, and what it is the `Debug` output of: `Some("a")`, `"a"`, `a`.
fn texts(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    fn in_some<'a>(text: &&'a str) -> Option<&'a str> {
        text.strip_prefix("Some(")?.strip_suffix(')')
    }

    let texts = core::iter::successors(Some(text), in_some);
    texts.flat_map(|text| [Some(Cow::Borrowed(text)), unquoted(text).map(Cow::Owned)]).flatten()
}

/// Returns the string, or the character, whose `Debug` output a text is.
fn unquoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|first| ['"', '\''].contains(first))?;
    let mut chars = text.strip_prefix(quote)?.strip_suffix(quote)?.chars();
    let mut unquoted = String::new();
    while let Some(char) = chars.next() {
        unquoted.push(match char {
            '\\' => match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let code = chars.as_str().strip_prefix('{')?.split_once('}')?.0;
                    chars.by_ref().find(|char| *char == '}');
                    char::from_u32(u32::from_str_radix(code, 16).ok()?)?
                }
                other => other,
            },
            // It is more than one string: `"a" and "b"`.
            char if char == quote => return None,
            char => char,
        });
    }
    Some(unquoted)
}

/// How the results of a predicate may change for items that are read loosely.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Items may get the result that is asked for.
    pub(super) adds: bool,
    /// Items may lose the result that is asked for.
    pub(super) removes: bool,
}

impl Changes {
    /// Finds out for which items a predicate may have another result than true, or than false.
    pub(super) fn of(predicate: &dyn PredicateReflection, result: bool) -> Self {
        let parts = predicate.children().map(|part| Self::of(part.value(), result));
        let parts = parts.fold(Self::default(), |all, part| Self {
            adds: all.adds | part.adds,
            removes: all.removes | part.removes,
        });
        if predicate.parameters().any(|parameter| parameter.name() == PLAIN) {
            return Self { adds: result, removes: !result };
        }
        match Operator::of(predicate) {
            Some(And | Or | Ever | Related | Tree) => parts,
            Some(Not) => Self { adds: parts.removes, removes: parts.adds },
            // It is unknown what becomes of the results of the parts.
            _ => {
                let any = parts.adds | parts.removes;
                Self { adds: any, removes: any }
            }
        }
    }
}
