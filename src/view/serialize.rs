use alloc::{borrow::Cow, format, string::ToString, vec, vec::Vec};
use core::time::Duration;
use std::collections::{HashMap, HashSet};

use super::{
    cut::{Cut, is_numbered},
    drawing::Drawing,
    node::{Place, ShownValue, ViewNode},
    options::{MAX_CHARS, Options, SHOW_ALL},
    text::{Quote, Text, cut_chain},
    tree::View,
};
use crate::{
    capture::{CapturedEvent, CapturedNode, CapturedSpan, Storage},
    wire::TracedValue,
};
use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap},
};

/// Number of nested spans that are serialized. Serializers, and the readers of their output, recurse into the data.
const MAX_DEPTH: usize = 128;

/// A map with the roots as its `nodes`. Each span and event is a map:
///
/// ```yaml
/// nodes:
///   - kind: span             # or `event`
///     name: connect          # of spans only
///     level: INFO
///     target: net
///     follows_from:          # names of the spans
///       - resolve
///     fields:
///       port: 8080
///     nodes:                 # spans and events in a span, in order
///       - kind: event
///         level: WARN
///         target: net
///         message: slow      # of events that have one
///         repeated: 80       # where so many equal nodes in a row are one
/// ```
///
/// Empty entries are left out: there are no nulls. Equal groups of nodes in a row are one node of the `kind` `group`,
/// with `repeated` and its `nodes`. If the capture left out nodes, the trace has `left_out_earlier` and
/// `left_out_later`.
///
/// Values are Booleans, numbers and strings. Integers that do not fit an `i64` and floats that are not finite are
/// strings, since not every format has them. So are the output of `Debug` and `Display` and, in hexadecimal digits,
/// byte strings. An error is the list of the messages of its chain. If a call site declares a name twice, the second
/// one is `name#2`. Texts of more than 12,000 characters, and names of more than 300, are cut, with a digest of the
/// whole text.
///
/// Characters beyond ASCII that are invisible, look like a space, or turn the direction of text, are shown as their
/// numbers, `⟨u+202e⟩`; formats escape ASCII characters themselves.
///
/// [`SnapshotSettings`](crate::SnapshotSettings) can add `module`, `file` and `line`, `entered`, `exited` and
/// `is_closed`, `thread`, and in seconds `at`, `busy` and `idle`; `inside`, the number of nodes that are too deep; and
/// `normalized`, the names of the fields in which something was replaced.
///
/// # Errors
///
/// Serializing fails if spans are nested more than 128 deep.
impl Serialize for Storage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        View::of_trace(self, Options::default(), &SHOW_ALL).serialize(serializer)
    }
}

/// The span with all its descendants, as among the nodes of the whole trace.
impl Serialize for CapturedSpan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CapturedNode::Span(*self).serialize(serializer)
    }
}

/// The event, as among the nodes of the whole trace.
impl Serialize for CapturedEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CapturedNode::Event(*self).serialize(serializer)
    }
}

/// The span with all its descendants, or the event, as among the nodes of the whole trace.
impl Serialize for CapturedNode<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = View::of_nodes(alloc::vec![*self], Options::default(), &SHOW_ALL);
        match view.first_child(Place::ROOT) {
            Some(place) => Node { view: &view, place, depth: 0 }.serialize(serializer),
            None => Err(S::Error::custom("there is nothing to serialize")),
        }
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, number) in [
            ("left_out_earlier", self.trace.map_or(0, Storage::left_out_earlier)),
            ("left_out_later", self.trace.map_or(0, Storage::left_out_later)),
        ] {
            if number > 0 {
                map.serialize_entry(key, &number)?;
            }
        }
        map.serialize_entry("nodes", &children(self, Place::ROOT, 0))?;
        map.end()
    }
}

/// The children of a node.
fn children<'v>(view: &'v View<'_>, place: Place, depth: usize) -> impl Serialize + use<'v> {
    Seq(move || view.children(place).map(move |place| Node { view, place, depth }))
}

struct Node<'v, 'a> {
    view: &'v View<'a>,
    place: Place,
    depth: usize,
}

/// Tables come last, since some formats require it.
impl Serialize for Node<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { view, place, depth } = *self;
        if depth >= MAX_DEPTH {
            return Err(S::Error::custom(format_args!(
                "spans are more than {MAX_DEPTH} deep within one another"
            )));
        }
        let mut map = serializer.serialize_map(None)?;
        let shown = view.get(place);
        let kind = match shown.node {
            None => "group",
            Some(CapturedNode::Span(_)) => "span",
            Some(CapturedNode::Event(_)) => "event",
        };
        map.serialize_entry("kind", kind)?;
        if let Some(node) = shown.node {
            self.serialize_description(&mut map, node)?;
        }
        if shown.times > 1 {
            map.serialize_entry("repeated", &shown.times)?;
        }
        if shown.inside > 0 {
            map.serialize_entry("inside", &shown.inside)?;
        }
        let normalized = normalized(shown, view.options());
        if !normalized.is_empty() {
            map.serialize_entry("normalized", &normalized)?;
        }
        let sources: Vec<_> =
            shown.sources().map(|span| name_data(span.metadata().name())).collect();
        if !sources.is_empty() {
            map.serialize_entry("follows_from", &sources)?;
        }
        let options = view.options();
        if shown.fields(options).next().is_some() {
            let max_chars = options.max_data_chars();
            let fields =
                || fields(shown, options).map(|(key, value)| (key, Shown(value, max_chars)));
            map.serialize_entry("fields", &Map(fields))?;
        }
        if view.first_child(place).is_some() {
            map.serialize_entry("nodes", &children(view, place, depth + 1))?;
        }
        map.end()
    }
}

impl Node<'_, '_> {
    fn serialize_description<M: SerializeMap>(
        &self,
        map: &mut M,
        node: CapturedNode<'_>,
    ) -> Result<(), M::Error> {
        let options = self.view.options();
        let metadata = node.metadata();
        if metadata.is_span() {
            map.serialize_entry("name", &name_data(metadata.name()))?;
        }
        map.serialize_entry("level", metadata.level().as_str())?;
        map.serialize_entry("target", &name_data(metadata.target()))?;
        if let Some(module) = metadata.module_path().filter(|_| options.modules) {
            map.serialize_entry("module", &name_data(module))?;
        }
        if options.lines {
            if let Some(file) = metadata.file() {
                map.serialize_entry("file", &name_data(file))?;
            }
            if let Some(line) = metadata.line() {
                map.serialize_entry("line", &line)?;
            }
        }
        if let Some(message) = self.view.get(self.place).message() {
            map.serialize_entry("message", &Data(message, options.max_data_chars()))?;
        }
        if let CapturedNode::Span(span) = node {
            if options.stats {
                let stats = span.stats();
                map.serialize_entry("entered", &stats.entered)?;
                map.serialize_entry("exited", &stats.exited)?;
                map.serialize_entry("is_closed", &stats.is_closed)?;
            }
        }
        if options.threads {
            if let Some(thread) = node.trace().thread_of(node.moment()) {
                map.serialize_entry("thread", &thread)?;
            }
        }
        if options.times {
            serialize_times(map, node)?;
        }
        Ok(())
    }
}

fn serialize_times<M: SerializeMap>(map: &mut M, node: CapturedNode<'_>) -> Result<(), M::Error> {
    let at = node.trace().time_since_start(node.moment());
    let (busy, idle) = match node {
        CapturedNode::Span(span) => (span.busy(), span.idle()),
        CapturedNode::Event(_) => (None, None),
    };
    for (key, time) in [("at", at), ("busy", busy), ("idle", idle)] {
        if let Some(time) = time.as_ref().map(Duration::as_secs_f64) {
            map.serialize_entry(key, &time)?;
        }
    }
    Ok(())
}

/// The values that a function iterates over.
pub(super) struct Seq<F>(pub(super) F);

impl<T: Serialize, I: Iterator<Item = T>, F: Fn() -> I> Serialize for Seq<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// The entries that a function iterates over.
pub(super) struct Map<F>(pub(super) F);

impl<K: Serialize, V: Serialize, I: Iterator<Item = (K, V)>, F: Fn() -> I> Serialize for Map<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)())
    }
}

/// Iterates over the fields of a node, each with a key of its own.
///
/// A guest may declare thousands of fields, all with one name. So each name remembers the last number that one of its
/// fields got, and the next field goes on from there:
///
/// ```text
/// a, a, a#2, a  →  a, a#3, a#2, a#4
/// ```
///
/// A key that is passed over is the name of a field, and belongs to one name and one number only. All
/// fields together thus pass over no more keys than there are fields.
fn fields<'v>(
    shown: &'v ViewNode<'_>,
    options: &'v Options,
) -> impl Iterator<Item = (Cow<'v, str>, ShownValue<'v>)> {
    let names: HashSet<&str> = shown.fields(options).map(|(name, _)| name).collect();
    let mut last_numbers = HashMap::<&str, usize>::new();
    shown.fields(options).map(move |(name, value)| {
        let Some(last) = last_numbers.get_mut(name) else {
            last_numbers.insert(name, 1);
            return (name_data(name), value);
        };
        let key = loop {
            *last += 1;
            let key = format!("{name}#{last}");
            if !names.contains(&*key) {
                break key;
            }
        };
        (name_data(&key).into_owned().into(), value)
    })
}

/// Returns the keys of the values that are not shown as they were traced.
fn normalized<'v>(shown: &'v ViewNode<'_>, options: &'v Options) -> Vec<Cow<'v, str>> {
    let is_normalized = |value: ShownValue<'_>| match value {
        ShownValue::Normalized(_) => true,
        ShownValue::Traced(value) => has_numbered(value),
    };
    let message = shown.message_value().filter(|value| is_normalized(*value));
    let message = message.map(|_| Cow::Borrowed("message"));
    let fields =
        fields(shown, options).filter(|(_, value)| is_normalized(*value)).map(|(key, _)| key);
    message.into_iter().chain(fields).collect()
}

/// Whether characters of a value are shown as their numbers.
fn has_numbered(value: &TracedValue) -> bool {
    match value {
        TracedValue::String(text) => text.contains(is_numbered),
        TracedValue::Object(text) => text.as_ref().contains(is_numbered),
        TracedValue::Error(error) => error.messages().any(|text| text.contains(is_numbered)),
        _ => false,
    }
}

struct Shown<'v>(ShownValue<'v>, usize);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ShownValue::Traced(value) => Plain(value, self.1).serialize(serializer),
            ShownValue::Normalized(text) => serializer.collect_str(&data(text, self.1)),
        }
    }
}

/// A value without its type, and the maximum number of characters of a text.
pub(super) struct Plain<'v>(pub(super) &'v TracedValue, pub(super) usize);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            TracedValue::Bool(value) => serializer.serialize_bool(*value),
            TracedValue::Int(value) => match i64::try_from(*value) {
                Ok(value) => serializer.serialize_i64(value),
                Err(_) => serializer.collect_str(value),
            },
            TracedValue::UInt(value) => match i64::try_from(*value) {
                Ok(value) => serializer.serialize_i64(value),
                Err(_) => serializer.collect_str(value),
            },
            TracedValue::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            TracedValue::Float(value) => serializer.collect_str(value),
            TracedValue::Error(error) => {
                let rest =
                    error.may_be_cut().then(|| Text { pieces: vec![cut_chain()], ..Text::new("") });
                let messages = error.messages().map(Text::new).chain(rest);
                serializer.collect_seq(messages.map(|message| Data(message, self.1)))
            }
            value => serializer.collect_str(&data(&Text::of(value), self.1)),
        }
    }
}

/// A text as data.
pub(super) struct Data<'v>(pub(super) Text<'v>, pub(super) usize);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&data(&self.0, self.1))
    }
}

/// A name as data. A guest may have names of any length.
fn name_data(name: &str) -> Cow<'_, str> {
    if name.len() <= MAX_CHARS && !name.contains(is_numbered) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(data(&Text::new(name), MAX_CHARS).to_string())
}

/// Traced text stays as it was traced. Replaced values are listed separately.
fn data<'t>(text: &'t Text<'t>, max_chars: usize) -> Cut<'t> {
    Cut { is_data: true, ..Cut::new(&text.pieces, Quote::None, Drawing::Unicode, max_chars) }
}
