use core::fmt;

use tracing_core::field::{Field, Visit};

use super::{DebugObject, TracedValue};

/// A value on its way out of a program, not yet formatted: one variant a method of [`Visit`].
#[derive(Debug)]
pub enum VisitedValue<'a> {
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    Debug(&'a dyn fmt::Debug),
    Error(&'a (dyn core::error::Error + 'static)),
}

/// Takes the values that a [`FieldVisitor`] comes by.
pub trait VisitValue {
    fn visit(&mut self, field: &Field, value: VisitedValue<'_>);
}

/// The one [`Visit`] of this crate.
#[derive(Debug)]
pub struct FieldVisitor<V>(pub V);

impl<V: VisitValue> Visit for FieldVisitor<V> {
    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.visit(field, VisitedValue::Bool(value));
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.visit(field, VisitedValue::I64(value));
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.visit(field, VisitedValue::U64(value));
    }

    #[inline]
    fn record_i128(&mut self, field: &Field, value: i128) {
        self.0.visit(field, VisitedValue::I128(value));
    }

    #[inline]
    fn record_u128(&mut self, field: &Field, value: u128) {
        self.0.visit(field, VisitedValue::U128(value));
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.visit(field, VisitedValue::F64(value));
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.visit(field, VisitedValue::Str(value));
    }

    #[inline]
    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.0.visit(field, VisitedValue::Bytes(value));
    }

    #[cfg(feature = "std")]
    #[inline]
    fn record_error(&mut self, field: &Field, value: &(dyn core::error::Error + 'static)) {
        self.0.visit(field, VisitedValue::Error(value));
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.visit(field, VisitedValue::Debug(value));
    }
}

impl From<VisitedValue<'_>> for TracedValue {
    #[inline(always)]
    fn from(value: VisitedValue<'_>) -> Self {
        match value {
            VisitedValue::Bool(value) => value.into(),
            VisitedValue::I64(value) => value.into(),
            VisitedValue::U64(value) => value.into(),
            VisitedValue::I128(value) => value.into(),
            VisitedValue::U128(value) => value.into(),
            VisitedValue::F64(value) => value.into(),
            VisitedValue::Str(value) => value.into(),
            VisitedValue::Bytes(value) => value.into(),
            VisitedValue::Debug(value) => Self::Object(DebugObject::of(value)),
            VisitedValue::Error(value) => super::TracedError::new(value).into(),
        }
    }
}

impl<'a> From<&'a TracedValue> for VisitedValue<'a> {
    fn from(value: &'a TracedValue) -> Self {
        match value {
            TracedValue::Bool(value) => Self::Bool(*value),
            TracedValue::Int(value) => Self::I128(*value),
            TracedValue::UInt(value) => Self::U128(*value),
            TracedValue::Float(value) => Self::F64(*value),
            TracedValue::String(value) => Self::Str(value),
            TracedValue::Object(value) => Self::Debug(value),
            TracedValue::Error(value) => Self::Error(&**value),
            TracedValue::Bytes(value) => Self::Bytes(value),
        }
    }
}
