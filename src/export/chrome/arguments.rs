use alloc::{borrow::Cow, collections::BTreeMap, string::String, string::ToString, vec, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    capture::{CapturedEvent, CapturedMetadata, CapturedSpan},
    export::short,
    wire::{TracedValue, hex::Hex},
};

/// What there is to know of a span, an event or a slice.
#[derive(Debug, Default, Serialize)]
pub(super) struct Arguments<'a> {
    /// Number of the span that it is of, or in.
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<usize>,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    fields: Fields<'a>,
    #[serde(flatten)]
    origin: Option<Origin<'a>>,
    /// A remark about the slice itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    /// When the span was really exited, if that is not the end of the slice.
    #[serde(skip_serializing_if = "Option::is_none")]
    exited: Option<f64>,
}

/// Where something comes from.
#[derive(Debug, Serialize)]
struct Origin<'a> {
    level: &'static str,
    target: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

impl<'a> Origin<'a> {
    fn new(metadata: CapturedMetadata<'a>) -> Self {
        Self {
            level: metadata.level().as_str(),
            target: short::name(metadata.target()),
            module: metadata.module_path().map(short::name),
            file: metadata.file().map(short::name),
            line: metadata.line(),
        }
    }
}

/// Numbers of spans as viewers show them, where 0 is none.
pub(super) fn number(span: CapturedSpan<'_>) -> usize {
    span.number() + 1
}

impl<'a> Arguments<'a> {
    pub(super) fn of_span(span: CapturedSpan<'a>) -> Self {
        Self {
            span: Some(number(span)),
            parent: span.parent().map(number),
            fields: Fields::new(span.values()),
            origin: Some(Origin::new(span.metadata())),
            ..Self::default()
        }
    }

    pub(super) fn of_event(event: CapturedEvent<'a>) -> Self {
        Self {
            span: event.parent().map(number),
            fields: Fields::new(event.values()),
            origin: Some(Origin::new(event.metadata())),
            ..Self::default()
        }
    }

    /// The arguments of a slice that is not the first one of its span.
    pub(super) fn of_slice(span: CapturedSpan<'a>) -> Self {
        Self { span: Some(number(span)), ..Self::default() }
    }

    pub(super) fn note(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }

    pub(super) fn exited(self, exited: f64) -> Self {
        Self { exited: Some(exited), ..self }
    }
}

/// The values of each name, in the order of the names' first values.
#[derive(Debug, Default)]
struct Fields<'a>(Vec<(Cow<'a, str>, Vec<&'a TracedValue>)>);

impl<'a> Fields<'a> {
    fn new(values: impl Iterator<Item = (&'a str, &'a TracedValue)>) -> Self {
        let mut fields: Vec<(_, Vec<_>)> = Vec::new();
        let mut places = BTreeMap::new();
        for (name, value) in values {
            let name = short::name(name);
            let place = places.get(&name).and_then(|place: &usize| fields.get_mut(*place));
            if let Some((_, values)) = place {
                values.push(value);
            } else {
                places.insert(name.clone(), fields.len());
                fields.push((name, vec![value]));
            }
        }
        Self(fields)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, values) in &self.0 {
            let values = values.iter().map(|value| Value::new(value));
            let values: Vec<_> = values.collect();
            match &values[..] {
                [value] => map.serialize_entry(name, value)?,
                values => map.serialize_entry(name, values)?,
            }
        }
        map.end()
    }
}

/// A value as viewers can read it.
#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(&'a str),
    Owned(String),
}

impl<'a> Value<'a> {
    fn new(value: &'a TracedValue) -> Self {
        match value {
            TracedValue::Bool(value) => Self::Bool(*value),
            TracedValue::Int(value) => {
                i64::try_from(*value).map_or_else(|_| Self::Owned(value.to_string()), Self::Int)
            }
            TracedValue::UInt(value) => {
                u64::try_from(*value).map_or_else(|_| Self::Owned(value.to_string()), Self::UInt)
            }
            TracedValue::Float(value) if value.is_finite() => Self::Float(*value),
            TracedValue::Float(value) => Self::Owned(value.to_string()),
            TracedValue::String(text) => Self::Text(text),
            TracedValue::Object(text) => Self::Text(text.as_ref()),
            TracedValue::Error(error) => {
                let rest = error.may_be_cut().then_some("…");
                let messages: Vec<_> = error.messages().chain(rest).collect();
                Self::Owned(messages.join(", caused by: "))
            }
            TracedValue::Bytes(bytes) => Self::Owned(Hex(bytes).to_string()),
        }
    }
}
