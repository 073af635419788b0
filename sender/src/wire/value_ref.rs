//! Values as a receiver takes them: borrowed, from a record or from a frame.

use alloc::{borrow::ToOwned, string::String};

use super::{DebugObject, TracedError, TracedValue, TracedValues};

/// Values of a record, each with the name or the index of its field.
#[derive(Debug, Clone, Copy)]
pub enum RecordValues<'a> {
    Named(&'a TracedValues<String>),
    Encoded(super::frame::EncodedValues<'a>),
}

/// [`TracedValue`] that borrows its text and bytes, from one or from a frame.
#[derive(Debug, Clone, Copy)]
pub enum ValueRef<'a> {
    Bool(bool),
    Int(i128),
    UInt(u128),
    Float(f64),
    Str(&'a str),
    Object(&'a str),
    Error(ErrorRef<'a>),
    Bytes(&'a [u8]),
}

/// A [`TracedError`] somewhere else.
#[derive(Debug, Clone, Copy)]
pub enum ErrorRef<'a> {
    Borrowed(&'a TracedError),
    Encoded(super::frame::EncodedError<'a>),
}

impl ErrorRef<'_> {
    /// Copies the error. It is rare, and apart so that other values are copied in line.
    #[cold]
    #[inline(never)]
    fn to_value(self) -> TracedValue {
        self.to_error().into()
    }

    pub fn to_error(self) -> TracedError {
        match self {
            Self::Borrowed(error) => error.clone(),
            Self::Encoded(error) => error.to_error(),
        }
    }
}

impl ValueRef<'_> {
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    pub fn as_u64(&self) -> Option<u64> {
        if let Self::UInt(number) = self { u64::try_from(*number).ok() } else { None }
    }
}

impl<'a> From<&'a TracedValue> for ValueRef<'a> {
    fn from(value: &'a TracedValue) -> Self {
        match value {
            TracedValue::Bool(value) => Self::Bool(*value),
            TracedValue::Int(value) => Self::Int(*value),
            TracedValue::UInt(value) => Self::UInt(*value),
            TracedValue::Float(value) => Self::Float(*value),
            TracedValue::String(value) => Self::Str(value),
            TracedValue::Object(value) => Self::Object(value.as_ref()),
            TracedValue::Error(value) => Self::Error(ErrorRef::Borrowed(value)),
            TracedValue::Bytes(value) => Self::Bytes(value),
        }
    }
}

impl From<&ValueRef<'_>> for TracedValue {
    #[inline(always)] // each value that a host captures comes by here
    fn from(value: &ValueRef<'_>) -> Self {
        match value {
            ValueRef::Bool(value) => Self::Bool(*value),
            ValueRef::Int(value) => Self::Int(*value),
            ValueRef::UInt(value) => Self::UInt(*value),
            ValueRef::Float(value) => Self::Float(*value),
            ValueRef::Str(value) => Self::String((*value).to_owned()),
            ValueRef::Object(value) => Self::Object(DebugObject::new(*value)),
            ValueRef::Error(value) => value.to_value(),
            ValueRef::Bytes(value) => Self::Bytes((*value).to_owned()),
        }
    }
}
