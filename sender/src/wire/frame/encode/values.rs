use core::fmt;

use tracing_core::field::{Field, Visit};

use super::{super::value_type, FrameWriter};
use crate::wire::visit::VisitedValue;

fn key(field: usize, value_type: u64) -> u64 {
    field as u64 * value_type::COUNT + value_type
}

/// A value is a key, which is the index of the field and a type, and what the type has it followed by.
impl FrameWriter {
    fn key(&mut self, field: usize, value_type: u64) {
        self.uint(key(field, value_type));
    }

    pub(super) fn bool(&mut self, field: usize, value: bool) {
        self.key(field, if value { value_type::TRUE } else { value_type::FALSE });
    }

    #[allow(clippy::cast_sign_loss)] // zigzag
    pub(super) fn i64(&mut self, field: usize, value: i64) {
        let zigzag = (value << 1 ^ value >> (i64::BITS - 1)) as u64;
        self.uints(key(field, value_type::INT), zigzag);
    }

    pub(super) fn u64(&mut self, field: usize, value: u64) {
        self.uints(key(field, value_type::UINT), value);
    }

    #[allow(clippy::cast_sign_loss)] // zigzag
    pub(super) fn i128(&mut self, field: usize, value: i128) {
        if let Ok(value) = i64::try_from(value) {
            self.i64(field, value);
        } else {
            self.key(field, value_type::INT_128);
            self.uint_128((value << 1 ^ value >> (i128::BITS - 1)) as u128);
        }
    }

    pub(super) fn u128(&mut self, field: usize, value: u128) {
        if let Ok(value) = u64::try_from(value) {
            self.u64(field, value);
        } else {
            self.key(field, value_type::UINT_128);
            self.uint_128(value);
        }
    }

    pub(super) fn f64(&mut self, field: usize, value: f64) {
        self.key(field, value_type::FLOAT);
        self.buffer.extend(&value.to_le_bytes());
    }

    pub(super) fn string(&mut self, field: usize, value: &str) {
        self.keyed_bytes(key(field, value_type::STRING), value.as_bytes());
    }

    pub(super) fn byte_string(&mut self, field: usize, value: &[u8]) {
        self.keyed_bytes(key(field, value_type::BYTES), value);
    }

    fn keyed_bytes(&mut self, key: u64, bytes: &[u8]) {
        self.uints(key, bytes.len() as u64);
        self.buffer.extend(bytes);
    }

    pub(super) fn debug(&mut self, field: usize, value: &dyn fmt::Debug) {
        self.key(field, value_type::OBJECT);
        self.text(format_args!("{value:?}"));
    }

    pub(super) fn error(&mut self, field: usize, value: &(dyn core::error::Error + 'static)) {
        self.key(field, value_type::ERROR);
        let place = self.placeholder();
        let chain = core::iter::successors(Some(value), |error| error.source());
        let mut count = 0;
        for error in chain.take(crate::wire::error::MAX_CHAIN) {
            self.text(format_args!("{error}"));
            self.text(format_args!("{error:?}"));
            count += 1;
        }
        self.fill(place, count);
    }

    /// Writes the value of the field with this index.
    pub fn field(&mut self, field: usize, value: &VisitedValue<'_>) {
        match *value {
            VisitedValue::Bool(value) => self.bool(field, value),
            VisitedValue::I64(value) => self.i64(field, value),
            VisitedValue::U64(value) => self.u64(field, value),
            VisitedValue::I128(value) => self.i128(field, value),
            VisitedValue::U128(value) => self.u128(field, value),
            VisitedValue::F64(value) => self.f64(field, value),
            VisitedValue::Str(value) => self.string(field, value),
            VisitedValue::Bytes(value) => self.byte_string(field, value),
            VisitedValue::Debug(value) => self.debug(field, value),
            VisitedValue::Error(value) => self.error(field, value),
        }
    }
}

/// Values go straight into the frame.
impl Visit for FrameWriter {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bool(field.index(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.i64(field.index(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.u64(field.index(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.i128(field.index(), value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.u128(field.index(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.f64(field.index(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.string(field.index(), value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.byte_string(field.index(), value);
    }

    #[cfg(feature = "std")]
    fn record_error(&mut self, field: &Field, value: &(dyn core::error::Error + 'static)) {
        self.error(field.index(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.debug(field.index(), value);
    }
}
