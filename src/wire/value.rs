use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{borrow::Borrow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{TracedError, hex};

/// [`Debug`](fmt::Debug) or [`Display`](fmt::Display) output that a program recorded as a value.
///
/// `tracing` hands both to a subscriber in the same way, so that they cannot be told apart; the
/// text stands for itself, without quotes around it.
///
/// # Example
///
/// ```
/// use spanshot::TracedValue;
///
/// let value = TracedValue::debug(&Some(3));
/// assert_eq!(value.as_debug_str(), Some("Some(3)"));
/// assert!(value.is_debug(&Some(3)));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DebugObject(String);

impl DebugObject {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for DebugObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for DebugObject {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Value of a field, as a program recorded it.
///
/// There is one variant for each method of [`Visit`](tracing_core::field::Visit), but that 64-bit
/// and 128-bit integers share one: a number that fits 64 bits is replayed as such.
///
/// Values compare with plain Rust values as a person means it: numbers by their value whatever
/// their width and sign type, strings with strings *and* with `Debug` / `Display` output.
///
/// # Example
///
/// ```
/// use spanshot::TracedValue;
///
/// assert_eq!(TracedValue::from(5_u64), 5);
/// assert_eq!(TracedValue::from(5_i64), 5_u64);
/// assert_eq!(TracedValue::from("text"), "text");
/// assert_eq!(TracedValue::from(0.5), 0.5);
/// assert_ne!(TracedValue::from(5_u64), "5");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TracedValue {
    /// Boolean.
    Bool(bool),
    /// Signed integer.
    Int(i128),
    /// Unsigned integer.
    UInt(u128),
    /// Floating-point number.
    Float(f64),
    /// String.
    String(String),
    /// Output of `Debug` or `Display`.
    Object(DebugObject),
    /// Error with its chain of sources.
    Error(TracedError),
    /// Byte string.
    Bytes(Vec<u8>),
}

impl TracedValue {
    /// Takes the [`Debug`](fmt::Debug) output of an object.
    pub fn debug(object: &dyn fmt::Debug) -> Self {
        Self::Object(DebugObject(format!("{object:?}")))
    }

    /// Returns a Boolean, or `None` if the value is of another variant.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// Returns a signed integer, or `None` if the value is of another variant.
    pub fn as_int(&self) -> Option<i128> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// Returns an unsigned integer, or `None` if the value is of another variant.
    pub fn as_uint(&self) -> Option<u128> {
        if let Self::UInt(value) = self { Some(*value) } else { None }
    }

    /// Returns a floating-point number, or `None` if the value is of another variant.
    pub fn as_float(&self) -> Option<f64> {
        if let Self::Float(value) = self { Some(*value) } else { None }
    }

    /// Returns a string, or `None` if the value is of another variant.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// Returns a byte string, or `None` if the value is of another variant.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }

    /// Returns an error, or `None` if the value is of another variant.
    pub fn as_error(&self) -> Option<&TracedError> {
        if let Self::Error(value) = self { Some(value) } else { None }
    }

    /// Returns `Debug` or `Display` output, or `None` if the value is of another variant.
    pub fn as_debug_str(&self) -> Option<&str> {
        if let Self::Object(value) = self { Some(&value.0) } else { None }
    }

    /// Checks whether this value is `Debug` output, and the same as that of the `object`.
    pub fn is_debug(&self, object: &dyn fmt::Debug) -> bool {
        self.as_debug_str().is_some_and(|text| text == format!("{object:?}"))
    }

    /// Text of a string, of `Debug` / `Display` output or of an error's message.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Object(object) => Some(&object.0),
            Self::Error(error) => Some(&error.message),
            _ => None,
        }
    }
}

/// Conversion from a reference to a [`TracedValue`], which fails if the value is of another type.
///
/// Integers of any width and sign convert if the number fits.
///
/// # Example
///
/// ```
/// use spanshot::{FromTracedValue, TracedValue};
///
/// let value = TracedValue::from(300_u64);
/// assert_eq!(i64::from_value(&value), Some(300));
/// assert_eq!(u8::from_value(&value), None);
/// assert_eq!(str::from_value(&value), None);
/// ```
pub trait FromTracedValue<'a> {
    /// Output of the conversion.
    type Output: Borrow<Self> + 'a;

    /// Converts the value, or returns `None` if it is of another type.
    fn from_value(value: &'a TracedValue) -> Option<Self::Output>;
}

impl<'a> FromTracedValue<'a> for str {
    type Output = &'a str;

    fn from_value(value: &'a TracedValue) -> Option<Self::Output> {
        value.as_str().or_else(|| value.as_debug_str())
    }
}

impl<'a> FromTracedValue<'a> for [u8] {
    type Output = &'a [u8];

    fn from_value(value: &'a TracedValue) -> Option<Self::Output> {
        value.as_bytes()
    }
}

impl FromTracedValue<'_> for bool {
    type Output = Self;

    fn from_value(value: &TracedValue) -> Option<Self> {
        value.as_bool()
    }
}

impl FromTracedValue<'_> for f64 {
    type Output = Self;

    fn from_value(value: &TracedValue) -> Option<Self> {
        value.as_float()
    }
}

/// Equality with a plain value, from both sides.
macro_rules! impl_eq {
    ($($ty:ty),+) => {$(
        impl PartialEq<$ty> for TracedValue {
            fn eq(&self, other: &$ty) -> bool {
                <$ty>::from_value(self).is_some_and(|value| value == *other)
            }
        }

        impl PartialEq<TracedValue> for $ty {
            fn eq(&self, other: &TracedValue) -> bool {
                other == self
            }
        }
    )+};
}

macro_rules! impl_integer {
    ($variant:ident: $($ty:ty),+) => {$(
        impl From<$ty> for TracedValue {
            #[allow(clippy::cast_lossless)] // no `From` for `isize` and `usize`
            fn from(value: $ty) -> Self {
                Self::$variant(value as _)
            }
        }

        impl FromTracedValue<'_> for $ty {
            type Output = Self;

            fn from_value(value: &TracedValue) -> Option<Self> {
                match value {
                    TracedValue::Int(value) => (*value).try_into().ok(),
                    TracedValue::UInt(value) => (*value).try_into().ok(),
                    _ => None,
                }
            }
        }

        impl_eq!($ty);
    )+};
}

impl_integer!(Int: i8, i16, i32, i64, i128, isize);
impl_integer!(UInt: u8, u16, u32, u64, u128, usize);
impl_eq!(bool, f64);

impl From<bool> for TracedValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for TracedValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for TracedValue {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for TracedValue {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<&[u8]> for TracedValue {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_owned())
    }
}

impl PartialEq<str> for TracedValue {
    fn eq(&self, other: &str) -> bool {
        str::from_value(self) == Some(other)
    }
}

impl PartialEq<TracedValue> for str {
    fn eq(&self, other: &TracedValue) -> bool {
        other == self
    }
}

impl PartialEq<&str> for TracedValue {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialEq<TracedValue> for &str {
    fn eq(&self, other: &TracedValue) -> bool {
        other == *self
    }
}

/// Variants and names of `tracing-tunnel` 0.2. It knows no byte strings: they are written as the
/// `Debug` output that `tracing` gives them, and the record around them says which they are.
#[derive(Serialize, Deserialize)]
#[serde(rename = "TracedValue", rename_all = "snake_case")]
enum ValueModel<S, E> {
    Bool(bool),
    Int(i128),
    UInt(u128),
    Float(FloatModel),
    String(S),
    Object(S),
    Error(E),
}

/// A float, which self-describing text formats get as a string where they have no number for it.
struct FloatModel(f64);

impl Serialize for TracedValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes;
        let model = match self {
            Self::Bool(value) => ValueModel::Bool(*value),
            Self::Int(value) => ValueModel::Int(*value),
            Self::UInt(value) => ValueModel::UInt(*value),
            Self::Float(value) => ValueModel::Float(FloatModel(*value)),
            Self::String(value) => ValueModel::String(value.as_str()),
            Self::Object(value) => ValueModel::Object(value.0.as_str()),
            Self::Error(value) => ValueModel::Error(value),
            Self::Bytes(value) => {
                bytes = hex::Hex(value).to_string();
                ValueModel::Object(bytes.as_str())
            }
        };
        model.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TracedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match ValueModel::<String, TracedError>::deserialize(deserializer)? {
            ValueModel::Bool(value) => Self::Bool(value),
            ValueModel::Int(value) => Self::Int(value),
            ValueModel::UInt(value) => Self::UInt(value),
            ValueModel::Float(value) => Self::Float(value.0),
            ValueModel::String(value) => Self::String(value),
            ValueModel::Object(value) => Self::Object(DebugObject(value)),
            ValueModel::Error(value) => Self::Error(value),
        })
    }
}

impl Serialize for FloatModel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() || !serializer.is_human_readable() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.collect_str(&self.0) // "NaN", "inf", "-inf"
        }
    }
}

impl<'de> Deserialize<'de> for FloatModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FloatVisitor;

        #[allow(clippy::cast_precision_loss)] // an integer in the text is a float without a fraction
        impl de::Visitor<'_> for FloatVisitor {
            type Value = f64;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
                Ok(value)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<f64, E> {
                match value {
                    "NaN" => Ok(f64::NAN),
                    "inf" => Ok(f64::INFINITY),
                    "-inf" => Ok(f64::NEG_INFINITY),
                    _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
                }
            }
        }

        let value = if deserializer.is_human_readable() {
            deserializer.deserialize_any(FloatVisitor)
        } else {
            deserializer.deserialize_f64(FloatVisitor)
        };
        value.map(Self)
    }
}
