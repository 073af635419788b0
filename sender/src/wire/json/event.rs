//! The shape of a [`TracingEvent`] in self-describing formats: `tracing-tunnel` 0.2's, and
//! additional fields where something has no place in it.

use alloc::{borrow::Cow, collections::BTreeSet, string::String, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{EnumAccess, VariantAccess as _, Visitor},
    ser::{SerializeMap as _, SerializeStructVariant as _},
};

use super::record::{VariantName, shortened};
use crate::wire::{
    CallSiteData, CallSiteKind, MetadataId, RawSpanId, ThreadIndex, TracedValue, TracedValues,
    TracingEvent, TracingLevel, hex,
};

enum EventModel<'a> {
    NewCallSite(NewCallSite<'a>),
    NewSpan {
        id: RawSpanId,
        parent_id: Option<RawSpanId>,
        is_root: bool,
        metadata_id: MetadataId,
        values: Cow<'a, TracedValues<String>>,
        bytes: Vec<Cow<'a, str>>,
        nth: Cow<'a, [usize]>,
        thread: ThreadIndex,
    },
    FollowsFrom {
        id: RawSpanId,
        follows_from: RawSpanId,
    },
    SpanEntered {
        id: RawSpanId,
        thread: ThreadIndex,
    },
    SpanExited {
        id: RawSpanId,
        thread: ThreadIndex,
    },
    SpanCloned {
        id: RawSpanId,
    },
    SpanDropped {
        id: RawSpanId,
    },
    ValuesRecorded {
        id: RawSpanId,
        values: Cow<'a, TracedValues<String>>,
        bytes: Vec<Cow<'a, str>>,
        nth: Cow<'a, [usize]>,
    },
    NewEvent {
        metadata_id: MetadataId,
        parent: Option<RawSpanId>,
        is_root: bool,
        values: Cow<'a, TracedValues<String>>,
        bytes: Vec<Cow<'a, str>>,
        nth: Cow<'a, [usize]>,
        thread: ThreadIndex,
    },
}

/// A call site beside its ID, in one map.
struct NewCallSite<'a> {
    id: MetadataId,
    kind: CallSiteKind,
    name: Cow<'a, str>,
    target: Cow<'a, str>,
    level: TracingLevel,
    module_path: Option<Cow<'a, str>>,
    file: Option<Cow<'a, str>>,
    line: Option<u32>,
    fields: Cow<'a, [Cow<'static, str>]>,
}

impl Serialize for NewCallSite<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("kind", &self.kind)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("target", &self.target)?;
        map.serialize_entry("level", &self.level)?;
        if let Some(module_path) = &self.module_path {
            map.serialize_entry("module_path", module_path)?;
        }
        if let Some(file) = &self.file {
            map.serialize_entry("file", file)?;
        }
        if let Some(line) = &self.line {
            map.serialize_entry("line", line)?;
        }
        map.serialize_entry("fields", &self.fields)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for NewCallSite<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(crate::__visitor!(
            "struct variant TracingEvent::NewCallSite",
            NewCallSite<'static>,
            NewCallSite {
                required id,
                required kind,
                required name,
                required target,
                required level,
                optional module_path,
                optional file,
                optional line,
                required fields,
            }
        ))
    }
}

/// Implements the traits of serde for the model, with the number, the name and the fields of each variant after the
/// first.
macro_rules! variants {
    ($($number:literal $variant:ident $name:literal { $($mode:ident $field:ident),+ })+) => {
        const VARIANTS: &[&str] = &["new_call_site", $($name),+];

        impl Serialize for EventModel<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::NewCallSite(call_site) => {
                        serializer.serialize_newtype_variant("TracingEvent", 0, VARIANTS[0], call_site)
                    }
                    $(Self::$variant { $($field),+ } => crate::__write_fields!(
                        |len| serializer.serialize_struct_variant("TracingEvent", $number, $name, len),
                        { $($mode $field),+ }
                    ),)+
                }
            }
        }

        impl<'de> Visitor<'de> for EventVisitor {
            type Value = EventModel<'static>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("enum TracingEvent")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Self::Value, A::Error> {
                let (number, variant) = data.variant_seed(VariantName(VARIANTS))?;
                match number {
                    $($number => variant.struct_variant(
                        &[$(stringify!($field)),+],
                        crate::__visitor!(
                            concat!("struct variant TracingEvent::", stringify!($variant)),
                            EventModel<'static>,
                            EventModel::$variant { $($mode $field),+ }
                        ),
                    ),)+
                    _ => variant.newtype_variant().map(EventModel::NewCallSite),
                }
            }
        }
    };
}

struct EventVisitor;

variants! {
    1 NewSpan "new_span" {
        required id,
        optional parent_id,
        optional is_root,
        required metadata_id,
        required values,
        optional bytes,
        optional nth,
        optional thread
    }
    2 FollowsFrom "follows_from" { required id, required follows_from }
    3 SpanEntered "span_entered" { required id, optional thread }
    4 SpanExited "span_exited" { required id, optional thread }
    5 SpanCloned "span_cloned" { required id }
    6 SpanDropped "span_dropped" { required id }
    7 ValuesRecorded "values_recorded" { required id, required values, optional bytes, optional nth }
    8 NewEvent "new_event" {
        required metadata_id,
        optional parent,
        optional is_root,
        required values,
        optional bytes,
        optional nth,
        optional thread
    }
}

/// Names of the values that are byte strings, and that stand among the others as their text.
pub fn names_of_bytes<S: AsRef<str>>(values: &TracedValues<S>) -> Vec<Cow<'_, str>> {
    let is_bytes = |(name, value)| matches!(value, &TracedValue::Bytes(_)).then_some(name);
    values.iter().filter_map(is_bytes).map(Cow::Borrowed).collect()
}

/// Adds to values what their own model cannot say. Those of the listed names are turned from text
/// into byte strings; one that is no such text stays what it is.
pub fn restore<S: AsRef<str> + Clone>(
    values: Cow<'_, TracedValues<S>>,
    bytes: &[Cow<'_, str>],
    nth: Cow<'_, [usize]>,
) -> TracedValues<S> {
    let mut values = values.into_owned();
    let bytes: BTreeSet<&str> = bytes.iter().map(|name| &**name).collect();
    for (name, value) in values.values_mut() {
        if bytes.contains(name) {
            if let Some(bytes) = value.as_debug_str().and_then(hex::parse) {
                *value = TracedValue::Bytes(bytes);
            }
        }
    }
    values.set_nth(nth.into_owned());
    values
}

impl<'a> From<&'a TracingEvent> for EventModel<'a> {
    fn from(event: &'a TracingEvent) -> Self {
        match event {
            TracingEvent::NewCallSite { id, data } => {
                let text = |text: &'a Cow<'static, str>| Cow::Borrowed(&**text);
                Self::NewCallSite(NewCallSite {
                    id: *id,
                    kind: data.kind,
                    name: text(&data.name),
                    target: text(&data.target),
                    level: data.level,
                    module_path: data.module_path.as_ref().map(text),
                    file: data.file.as_ref().map(text),
                    line: data.line,
                    fields: Cow::Borrowed(&data.fields),
                })
            }
            TracingEvent::NewSpan { id, parent_id, is_root, metadata_id, values, thread } => {
                Self::NewSpan {
                    id: *id,
                    parent_id: *parent_id,
                    is_root: *is_root,
                    metadata_id: *metadata_id,
                    values: Cow::Borrowed(values),
                    bytes: names_of_bytes(values),
                    nth: Cow::Borrowed(values.nth()),
                    thread: *thread,
                }
            }
            TracingEvent::FollowsFrom { id, follows_from } => {
                Self::FollowsFrom { id: *id, follows_from: *follows_from }
            }
            TracingEvent::SpanEntered { id, thread } => {
                Self::SpanEntered { id: *id, thread: *thread }
            }
            TracingEvent::SpanExited { id, thread } => {
                Self::SpanExited { id: *id, thread: *thread }
            }
            TracingEvent::SpanCloned { id } => Self::SpanCloned { id: *id },
            TracingEvent::SpanDropped { id } => Self::SpanDropped { id: *id },
            TracingEvent::ValuesRecorded { id, values } => Self::ValuesRecorded {
                id: *id,
                values: Cow::Borrowed(values),
                bytes: names_of_bytes(values),
                nth: Cow::Borrowed(values.nth()),
            },
            TracingEvent::NewEvent { metadata_id, parent, is_root, values, thread } => {
                Self::NewEvent {
                    metadata_id: *metadata_id,
                    parent: *parent,
                    is_root: *is_root,
                    values: Cow::Borrowed(values),
                    bytes: names_of_bytes(values),
                    nth: Cow::Borrowed(values.nth()),
                    thread: *thread,
                }
            }
        }
    }
}

impl From<EventModel<'static>> for TracingEvent {
    fn from(model: EventModel<'static>) -> Self {
        match model {
            EventModel::NewCallSite(call_site) => {
                let NewCallSite { id, kind, name, target, level, module_path, file, line, fields } =
                    call_site;
                let fields = fields.into_owned();
                let data =
                    CallSiteData { kind, name, target, level, module_path, file, line, fields };
                Self::NewCallSite { id, data }
            }
            EventModel::NewSpan {
                id,
                parent_id,
                is_root,
                metadata_id,
                values,
                bytes,
                nth,
                thread,
            } => {
                let values = restore(values, &bytes, nth);
                Self::NewSpan { id, parent_id, is_root, metadata_id, values, thread }
            }
            EventModel::FollowsFrom { id, follows_from } => Self::FollowsFrom { id, follows_from },
            EventModel::SpanEntered { id, thread } => Self::SpanEntered { id, thread },
            EventModel::SpanExited { id, thread } => Self::SpanExited { id, thread },
            EventModel::SpanCloned { id } => Self::SpanCloned { id },
            EventModel::SpanDropped { id } => Self::SpanDropped { id },
            EventModel::ValuesRecorded { id, values, bytes, nth } => {
                Self::ValuesRecorded { id, values: restore(values, &bytes, nth) }
            }
            EventModel::NewEvent { metadata_id, parent, is_root, values, bytes, nth, thread } => {
                let values = restore(values, &bytes, nth);
                Self::NewEvent { metadata_id, parent, is_root, values, thread }
            }
        }
    }
}

impl Serialize for TracingEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        EventModel::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TracingEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = deserializer.deserialize_enum("TracingEvent", VARIANTS, EventVisitor);
        event.map(Self::from).map_err(shortened)
    }
}
