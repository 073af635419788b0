//! Values, as plain data.

use std::{error::Error, fmt};

use proptest::prelude::*;
use spanshot::{TracedError, TracedValue};

/// What is recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Int(i128),
    UInt(u128),
    Float(f64),
    Text(&'static str),
    Debug(&'static str),
    Error(Vec<&'static str>),
    Bytes(&'static [u8]),
}

pub(crate) const TEXTS: [&str; 6] = ["", "a", "ab", "5", "Some(5)", "b\n\u{1b}é"];
pub(crate) const BYTES: [&[u8]; 3] = [b"", b"a", &[0, 255]];
pub(crate) const FLOATS: [f64; 8] =
    [0.0, -0.0, 5.0, 0.1, 0.1_f32 as f64, 1e40, f64::INFINITY, f64::NAN];

/// Numbers, of which those that fit are compared as each type.
pub(crate) const SIGNED: [i128; 12] = [
    0,
    5,
    -1,
    255,
    -128,
    i64::MAX as i128,
    i64::MIN as i128,
    i64::MIN as i128 - 1,
    u64::MAX as i128,
    u64::MAX as i128 + 1,
    i128::MAX,
    i128::MIN,
];
pub(crate) const UNSIGNED: [u128; 7] =
    [0, 5, 255, u64::MAX as u128, u64::MAX as u128 + 1, i128::MAX as u128 + 1, u128::MAX];

pub(crate) fn text() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&TEXTS[..])
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        prop::sample::select(&SIGNED[..]).prop_map(Value::Int),
        prop::sample::select(&UNSIGNED[..]).prop_map(Value::UInt),
        prop::sample::select(&FLOATS[..]).prop_map(Value::Float),
        text().prop_map(Value::Text),
        text().prop_map(Value::Debug),
        prop::collection::vec(text(), 1..4).prop_map(Value::Error),
        prop::sample::select(&BYTES[..]).prop_map(Value::Bytes),
    ]
}

impl Value {
    /// The text that the value is, or the first message of an error.
    pub(crate) fn text(&self) -> Option<&'static str> {
        match self {
            Self::Text(text) | Self::Debug(text) => Some(text),
            Self::Error(messages) => Some(messages[0]),
            _ => None,
        }
    }

    pub(crate) fn traced(&self) -> TracedValue {
        match self {
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::UInt(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(text) => (*text).into(),
            Self::Debug(text) => TracedValue::debug(&format_args!("{text}")),
            Self::Error(messages) => TracedError::new(&Chain::new(messages)).into(),
            Self::Bytes(bytes) => (*bytes).into(),
        }
    }
}

/// An error with its sources.
#[derive(Debug)]
struct Chain {
    message: &'static str,
    source: Option<Box<Chain>>,
}

impl Chain {
    fn new(messages: &[&'static str]) -> Self {
        let source = (messages.len() > 1).then(|| Box::new(Self::new(&messages[1..])));
        Self { message: messages[0], source }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message)
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
