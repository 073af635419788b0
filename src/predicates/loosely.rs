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
//! The negative says nothing if it does not hold of these. Predicates such as `value(…)` name a type on purpose, so
//! they are never read loosely.

use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::{String, ToString},
};

use ::predicates::reflection::{Parameter, PredicateReflection};

use super::combinators::Operator::{self, And, Ever, Not, Or, Related, Tree};
use crate::wire::TracedValue;

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
            Self::Absent => false,
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
            Self::Absent => None,
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
