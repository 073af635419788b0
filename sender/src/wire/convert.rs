//! Conversions between [`TracedValue`]s and plain Rust values, and their equality.

use alloc::{borrow::ToOwned, boxed::Box, string::String};
use core::borrow::Borrow;

use super::{TracedError, TracedValue};

/// Conversion from a reference to a [`TracedValue`], which fails if the value is of another type.
///
/// Integers of any width and sign convert if the number fits. A `str` is what
/// [`TracedValue::as_text()`] returns: a string, `Debug` or `Display` output or an error's message.
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
#[diagnostic::on_unimplemented(
    message = "a `TracedValue` does not convert to `{Self}`",
    label = "not a type of traced values",
    note = "`bool`, `f64`, all integers, `str` (text of any kind) and `[u8]` (bytes) are such types"
)]
pub trait FromTracedValue<'a> {
    /// Output of the conversion.
    type Output: Borrow<Self> + 'a;

    /// Converts the value, or returns `None` if it is of another type.
    fn from_value(value: &'a TracedValue) -> Option<Self::Output>;
}

impl<'a> FromTracedValue<'a> for str {
    type Output = &'a str;

    fn from_value(value: &'a TracedValue) -> Option<Self::Output> {
        value.as_text()
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
            #[inline]
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

            #[inline]
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

impl From<TracedError> for TracedValue {
    fn from(value: TracedError) -> Self {
        Self::Error(Box::new(value))
    }
}

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
