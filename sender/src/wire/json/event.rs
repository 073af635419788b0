//! The shape of a [`TracingEvent`] in self-describing formats: `tracing-tunnel` 0.2's, and
//! additional fields where something has no place in it.

use alloc::{borrow::Cow, collections::BTreeSet, string::String, vec::Vec};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wire::{
    CallSiteData, MetadataId, RawSpanId, ThreadIndex, TracedValue, TracedValues, TracingEvent, hex,
};

#[derive(Serialize, Deserialize)]
#[serde(rename = "TracingEvent", rename_all = "snake_case")]
enum EventModel<'a> {
    NewCallSite {
        id: MetadataId,
        #[serde(flatten)]
        data: Cow<'a, CallSiteData>,
    },
    NewSpan {
        id: RawSpanId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent_id: Option<RawSpanId>,
        #[serde(default, skip_serializing_if = "is_default")]
        is_root: bool,
        metadata_id: MetadataId,
        values: Cow<'a, TracedValues<String>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bytes: Vec<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "<[usize]>::is_empty")]
        nth: Cow<'a, [usize]>,
        #[serde(default, skip_serializing_if = "is_default")]
        thread: ThreadIndex,
    },
    FollowsFrom {
        id: RawSpanId,
        follows_from: RawSpanId,
    },
    SpanEntered {
        id: RawSpanId,
        #[serde(default, skip_serializing_if = "is_default")]
        thread: ThreadIndex,
    },
    SpanExited {
        id: RawSpanId,
        #[serde(default, skip_serializing_if = "is_default")]
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
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bytes: Vec<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "<[usize]>::is_empty")]
        nth: Cow<'a, [usize]>,
    },
    NewEvent {
        metadata_id: MetadataId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<RawSpanId>,
        #[serde(default, skip_serializing_if = "is_default")]
        is_root: bool,
        values: Cow<'a, TracedValues<String>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bytes: Vec<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "<[usize]>::is_empty")]
        nth: Cow<'a, [usize]>,
        #[serde(default, skip_serializing_if = "is_default")]
        thread: ThreadIndex,
    },
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Names of the values that are byte strings, and that stand among the others as their text.
pub fn names_of_bytes(values: &TracedValues<String>) -> Vec<Cow<'_, str>> {
    let is_bytes = |(name, value)| matches!(value, &TracedValue::Bytes(_)).then_some(name);
    values.iter().filter_map(is_bytes).map(Cow::Borrowed).collect()
}

/// Adds to values what their own model cannot say. Those of the listed names are turned from text
/// into byte strings; one that is no such text stays what it is.
pub fn restore(
    values: Cow<'_, TracedValues<String>>,
    bytes: &[Cow<'_, str>],
    nth: Cow<'_, [usize]>,
) -> TracedValues<String> {
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
                Self::NewCallSite { id: *id, data: Cow::Borrowed(data) }
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

impl From<EventModel<'_>> for TracingEvent {
    fn from(model: EventModel<'_>) -> Self {
        match model {
            EventModel::NewCallSite { id, data } => {
                Self::NewCallSite { id, data: data.into_owned() }
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
        EventModel::deserialize(deserializer).map(Self::from)
    }
}
