use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap},
};

use crate::{
    capture::{CapturedEvent, CapturedNode, CapturedNodes, CapturedSpan, Storage},
    wire::{TracedValue, hex::Hex},
};

/// Spans within one another that are serialized. Serializers, and what reads their output, go down
/// with the data on their stack.
const MAX_DEPTH: usize = 128;

/// A list of the roots. Each span and event is a map:
///
/// ```yaml
/// - span: connect          # or `event`, with its message or null
///   level: INFO
///   target: net
///   fields:                # left out if there are none
///     port: 8080
///   follows_from:          # names of the spans, left out if there are none
///     - resolve
///   nodes:                 # spans and events in a span, in order, left out if there are none
///     - event: slow
///       level: WARN
///       target: net
/// ```
///
/// Values are Booleans, numbers and strings. Numbers beyond 64 bits and floats that are not finite
/// are strings, as are the output of `Debug` and `Display` and, in hexadecimal digits, byte
/// strings; an error is the list of the messages of its chain.
///
/// # Errors
///
/// Spans more than 128 deep within one another are an error.
impl Serialize for Storage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Nodes { nodes: self.roots(), depth: 0 }.serialize(serializer)
    }
}

/// The span with all that is in it, as in the list of the whole trace.
impl Serialize for CapturedSpan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_span(self, 0, serializer)
    }
}

/// The event as in the list of the whole trace.
impl Serialize for CapturedEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let metadata = self.metadata();
        map.serialize_entry("event", &self.message())?;
        map.serialize_entry("level", metadata.level().as_str())?;
        map.serialize_entry("target", metadata.target())?;
        let is_shown = self.message().is_some();
        let fields = || self.values().filter(|(name, _)| !is_shown || *name != "message");
        if fields().next().is_some() {
            map.serialize_entry("fields", &Fields(fields))?;
        }
        map.end()
    }
}

struct Nodes<'a> {
    nodes: CapturedNodes<'a>,
    depth: usize,
}

impl Serialize for Nodes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nodes = self.nodes.clone();
        serializer.collect_seq(nodes.map(|node| Node { node, depth: self.depth }))
    }
}

struct Node<'a> {
    node: CapturedNode<'a>,
    depth: usize,
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.node {
            CapturedNode::Span(span) => serialize_span(span, self.depth, serializer),
            CapturedNode::Event(event) => event.serialize(serializer),
        }
    }
}

fn serialize_span<S: Serializer>(
    span: &CapturedSpan<'_>,
    depth: usize,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if depth >= MAX_DEPTH {
        return Err(S::Error::custom(format_args!(
            "spans are more than {MAX_DEPTH} deep within one another"
        )));
    }
    let mut map = serializer.serialize_map(None)?;
    let metadata = span.metadata();
    map.serialize_entry("span", metadata.name())?;
    map.serialize_entry("level", metadata.level().as_str())?;
    map.serialize_entry("target", metadata.target())?;
    if span.values().next().is_some() {
        map.serialize_entry("fields", &Fields(|| span.values()))?;
    }
    if span.follows_from().len() > 0 {
        map.serialize_entry("follows_from", &FollowsFrom(span))?;
    }
    if span.nodes().len() > 0 {
        map.serialize_entry("nodes", &Nodes { nodes: span.nodes(), depth: depth + 1 })?;
    }
    map.end()
}

struct FollowsFrom<'a>(&'a CapturedSpan<'a>);

impl Serialize for FollowsFrom<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.follows_from().map(|span| span.metadata().name()))
    }
}

struct Fields<F>(F);

impl<'a, I, F> Serialize for Fields<F>
where
    I: Iterator<Item = (&'a str, &'a TracedValue)>,
    F: Fn() -> I,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)().map(|(name, value)| (name, Plain(value))))
    }
}

/// A value without its type.
struct Plain<'a>(&'a TracedValue);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            TracedValue::Bool(value) => serializer.serialize_bool(*value),
            TracedValue::Int(value) => match i64::try_from(*value) {
                Ok(value) => serializer.serialize_i64(value),
                Err(_) => serializer.collect_str(value),
            },
            TracedValue::UInt(value) => match u64::try_from(*value) {
                Ok(value) => serializer.serialize_u64(value),
                Err(_) => serializer.collect_str(value),
            },
            TracedValue::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            TracedValue::Float(value) => serializer.collect_str(value),
            TracedValue::String(value) => serializer.serialize_str(value),
            TracedValue::Object(value) => serializer.serialize_str(value.as_ref()),
            TracedValue::Error(error) => serializer.collect_seq(error.messages()),
            TracedValue::Bytes(value) => serializer.collect_str(&Hex(value)),
        }
    }
}
