use alloc::{borrow::Cow, boxed::Box, collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{restore::SinkSpans, told_sink::ToldSink};
use crate::wire::{
    CallSiteData, MetadataId, RawSpanId, ThreadIndex, TracedValues, names_of_bytes, restore,
};

/// Call sites that an execution of a program has announced, to be kept until it goes on.
///
/// It belongs to one execution (a WASM instance), like [`PersistedSpans`]: a sender numbers call
/// sites in the order of their first use, which may be another one in the next execution. (Senders
/// of `tracing-tunnel` use addresses, so that executions of one module can share it.)
///
/// # Example
///
/// See [`TracingEventReceiver::persist()`](super::TracingEventReceiver::persist).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PersistedMetadata {
    pub(super) call_sites: BTreeMap<MetadataId, CallSiteData>,
}

impl PersistedMetadata {
    /// Returns the number of call sites.
    pub fn len(&self) -> usize {
        self.call_sites.len()
    }

    /// Checks whether there are no call sites.
    pub fn is_empty(&self) -> bool {
        self.call_sites.is_empty()
    }

    /// Iterates over the call sites in the order of their IDs.
    pub fn iter(&self) -> impl Iterator<Item = (MetadataId, &CallSiteData)> + '_ {
        self.call_sites.iter().map(|(id, data)| (*id, data))
    }

    /// Adds call sites of the same execution, which win where both collections have an ID.
    pub fn extend(&mut self, other: Self) {
        self.call_sites.extend(other.call_sites);
    }
}

/// Spans of one execution that are not closed yet, to be kept until it goes on.
///
/// Unlike [`LocalSpans`] it can be serialized, and lives as long as the execution, which may
/// outlive the host.
///
/// # Example
///
/// See [`TracingEventReceiver::persist()`](super::TracingEventReceiver::persist).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersistedSpans {
    pub(super) spans: BTreeMap<RawSpanId, SpanData>,
}

impl PersistedSpans {
    /// Returns the number of open spans.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Checks whether there are no open spans.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}

/// What the host's subscriber, or storage, knows of the [`PersistedSpans`] of one execution.
///
/// It is kept in memory for as long as that lives. A receiver that is restored with it goes on
/// where the earlier one was, with the very same spans. One that is restored with the default, which
/// is empty, creates them anew in the current subscriber; and one that is restored with
/// [`LocalSpans::capturing()`], in a storage.
///
/// # Example
///
/// See [`TracingEventReceiver::persist()`](super::TracingEventReceiver::persist).
#[derive(Default)]
pub struct LocalSpans {
    pub(super) spans: SinkSpans,
    /// Where the spans live.
    pub(super) sink: Option<Box<dyn ToldSink>>,
}

impl LocalSpans {
    /// No spans yet; they are to live in this sink.
    #[cfg(feature = "capture")]
    pub(crate) fn in_sink(sink: Box<dyn ToldSink>) -> Self {
        Self { spans: SinkSpans::new(), sink: Some(sink) }
    }
}

impl fmt::Debug for LocalSpans {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LocalSpans").field("spans", &self.spans).finish_non_exhaustive()
    }
}

/// All that is needed to create a span anew.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SpanData {
    pub(super) metadata_id: MetadataId,
    /// The parent that the span was given, or that it found itself in.
    pub(super) parent_id: Option<RawSpanId>,
    /// Whether the span was created as an explicit root.
    pub(super) is_root: bool,
    /// Whether the span was closed while it was entered.
    pub(super) is_closed: bool,
    /// Handles of the span.
    pub(super) ref_count: usize,
    pub(super) values: TracedValues<String>,
    pub(super) follows_from: Vec<RawSpanId>,
    /// Places of the span on the stacks of threads.
    pub(super) entered: Vec<Entered>,
}

/// Place of a span on the stack of spans that a thread has entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entered {
    pub(super) thread: ThreadIndex,
    /// Number of spans below it.
    pub(super) depth: usize,
}

/// [`SpanData`] as it is serialized: what `tracing-tunnel` 0.2 writes, and after it what that crate
/// does not know. All fields are always there, for the sake of formats that have no names.
#[derive(Serialize, Deserialize)]
struct SpanModel<'a> {
    metadata_id: MetadataId,
    #[serde(default)]
    parent_id: Option<RawSpanId>,
    ref_count: usize,
    values: Cow<'a, TracedValues<String>>,
    #[serde(default)]
    bytes: Vec<Cow<'a, str>>,
    #[serde(default)]
    nth: Cow<'a, [usize]>,
    #[serde(default)]
    is_root: bool,
    #[serde(default)]
    is_closed: bool,
    #[serde(default)]
    follows_from: Cow<'a, [RawSpanId]>,
    #[serde(default)]
    entered: Cow<'a, [Entered]>,
}

impl Serialize for SpanData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let model = SpanModel {
            metadata_id: self.metadata_id,
            parent_id: self.parent_id,
            ref_count: self.ref_count,
            values: Cow::Borrowed(&self.values),
            bytes: names_of_bytes(&self.values),
            nth: Cow::Borrowed(self.values.nth()),
            is_root: self.is_root,
            is_closed: self.is_closed,
            follows_from: Cow::Borrowed(&self.follows_from),
            entered: Cow::Borrowed(&self.entered),
        };
        model.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SpanData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let model = SpanModel::deserialize(deserializer)?;
        Ok(Self {
            metadata_id: model.metadata_id,
            parent_id: model.parent_id,
            is_root: model.is_root,
            is_closed: model.is_closed,
            ref_count: model.ref_count,
            values: restore(model.values, &model.bytes, model.nth),
            follows_from: model.follows_from.into_owned(),
            entered: model.entered.into_owned(),
        })
    }
}

/// [`CallSiteData`] with all of its fields, for the sake of formats that have no names.
#[derive(Serialize, Deserialize)]
#[serde(remote = "CallSiteData")]
struct CallSiteModel {
    kind: crate::wire::CallSiteKind,
    name: Cow<'static, str>,
    target: Cow<'static, str>,
    level: crate::wire::TracingLevel,
    #[serde(default)]
    module_path: Option<Cow<'static, str>>,
    #[serde(default)]
    file: Option<Cow<'static, str>>,
    #[serde(default)]
    line: Option<u32>,
    fields: Vec<Cow<'static, str>>,
}

#[derive(Serialize)]
struct SerializedCallSite<'a>(#[serde(with = "CallSiteModel")] &'a CallSiteData);

#[derive(Deserialize)]
struct DeserializedCallSite(#[serde(with = "CallSiteModel")] CallSiteData);

impl Serialize for PersistedMetadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(id, data)| (id, SerializedCallSite(data))))
    }
}

impl<'de> Deserialize<'de> for PersistedMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let call_sites = BTreeMap::<MetadataId, DeserializedCallSite>::deserialize(deserializer)?;
        Ok(Self { call_sites: call_sites.into_iter().map(|(id, data)| (id, data.0)).collect() })
    }
}
