use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::fmt::{self, Write};

use smol_str::{SmolStr, SmolStrBuilder};

use super::TracedError;

/// [`Debug`](fmt::Debug) or [`Display`](fmt::Display) output that a program recorded as a value.
///
/// `tracing` hands both to a subscriber in the same way: they cannot be told apart; the
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
#[derive(Clone, PartialEq, Eq)]
pub struct DebugObject(SmolStr);

impl DebugObject {
    pub(crate) fn new(text: impl Into<SmolStr>) -> Self {
        Self(text.into())
    }

    /// Takes the output, or what there is of it before an error. If it is short, as nearly all messages
    /// are, it takes no memory of its own.
    #[inline]
    pub(crate) fn of(object: &dyn fmt::Debug) -> Self {
        let mut text = SmolStrBuilder::new();
        let _ = write!(text, "{object:?}");
        Self(text.finish())
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
    Error(Box<TracedError>),
    /// Byte string.
    Bytes(Vec<u8>),
}

impl TracedValue {
    /// Takes the [`Debug`](fmt::Debug) output of an object.
    pub fn debug(object: &dyn fmt::Debug) -> Self {
        Self::Object(DebugObject::of(object))
    }

    /// Returns about how many bytes the value takes on the heap.
    #[doc(hidden)]
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Bool(_) | Self::Int(_) | Self::UInt(_) | Self::Float(_) => 0,
            Self::String(text) => text.len(),
            Self::Object(text) => text.as_ref().len(),
            Self::Error(error) => error.heap_bytes(),
            Self::Bytes(bytes) => bytes.len(),
        }
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

    /// Checks whether this value is `Debug` output, and equals the output of `object`.
    pub fn is_debug(&self, object: &dyn fmt::Debug) -> bool {
        self.as_debug_str().is_some_and(|text| text == format!("{object:?}"))
    }

    /// Returns a string, `Debug` or `Display` output or the message of an error, or `None` if the
    /// value is of another variant.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Object(object) => Some(&object.0),
            Self::Error(error) => Some(&error.message),
            _ => None,
        }
    }
}
