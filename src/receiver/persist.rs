//! Persisting a receiver: the part that is serialized, and the part that stays in memory.
//!
//! | what | for whom | lives |
//! |---|---|---|
//! | [`PersistedMetadata`] | any receiver that goes on | as long as the execution |
//! | [`PersistedSpans`] | any receiver that goes on | as long as the execution |
//! | [`LocalSpans`] | a receiver that goes on in the same subscriber or storage | as long as that |
//!
//! The first two are JSON that `tracing-tunnel` 0.2 reads and writes, with a few fields more. They have to tell a
//! subscriber that never heard of the spans all that it takes to create them. The last one is the state machine
//! itself, as it stood.

use alloc::{
    borrow::Cow,
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};
use core::{fmt, mem};
use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    TracingEventReceiver, attempt::close_all, parents::Around, relay::Relay, sink::Sink,
    span::KnownSpan, stream::Stream, told_sink::ToldSink, values::name,
};
use crate::panics::Steps;
use crate::wire::{
    CallSiteData, CallSiteKind, MetadataId, RawSpanId, StackedSpan, ThreadIndex, TracedValues,
    TracingLevel, names_of_bytes, record, restore,
};

/// Call sites that an execution of a program has announced, kept until the execution goes on.
///
/// Metadata belong to one execution (one instance of a WASM module, say), as [`PersistedSpans`] do. A
/// sender of this crate numbers call sites in the order of their first use, which may be another one in the next
/// execution. Senders of `tracing-tunnel` use addresses as numbers; all executions of one build of such a
/// module can share its metadata.
///
/// # Example
///
/// See [`TracingEventReceiver::persist()`].
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

/// Spans of one execution that are not closed yet, kept until the execution goes on.
///
/// Unlike [`LocalSpans`] they can be serialized, and live as long as the execution, which may
/// outlive the host.
///
/// # Example
///
/// See [`TracingEventReceiver::persist()`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PersistedSpans {
    pub(super) spans: BTreeMap<RawSpanId, SpanData>,
}

impl Serialize for PersistedSpans {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.spans.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PersistedSpans {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|spans| Self { spans }).map_err(record::shortened)
    }
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

/// Knowledge of one execution's [`PersistedSpans`] that the host's subscriber, or storage, shares.
///
/// Keep it in memory for as long as that subscriber or storage lives. A receiver that you restore with it goes on
/// where the earlier one was, with the very same spans. A receiver that you restore with the default creates the
/// spans anew in the current subscriber, and one that you restore with
/// [`LocalSpans::capturing()`](Self::capturing) in a storage.
///
/// # Example
///
/// See [`TracingEventReceiver::persist()`].
#[derive(Default)]
pub struct LocalSpans {
    /// The stream as the earlier receiver left it; `None` if nothing is known.
    pub(super) stream: Option<Stream>,
    /// Where the spans live.
    pub(super) sink: Option<Box<dyn ToldSink>>,
}

impl LocalSpans {
    /// No spans yet; they are to live in this sink.
    #[cfg(feature = "capture")]
    pub(crate) fn in_sink(sink: Box<dyn ToldSink>) -> Self {
        Self { stream: None, sink: Some(sink) }
    }
}

impl fmt::Debug for LocalSpans {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LocalSpans").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl TracingEventReceiver {
    /// Returns the call sites that were announced, and those that the receiver was restored with.
    ///
    /// They belong to this execution of the program: see [`PersistedMetadata`]. Call it right before
    /// [`Self::persist()`], and each span finds its call site.
    ///
    /// # Example
    ///
    /// See [`Self::persist()`].
    pub fn persist_metadata(&self) -> PersistedMetadata {
        self.stream.persist_metadata()
    }

    /// Ends the receiver, and returns the spans that are open for one that goes on from here.
    ///
    /// In the subscriber, spans that are entered are exited, and entered again when they are
    /// restored. They are not closed.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{LocalSpans, TracingEvent, TracingEventReceiver};
    ///
    /// # let subscriber = tracing_subscriber::registry();
    /// # let _guard = tracing::subscriber::set_default(subscriber);
    /// let mut receiver = TracingEventReceiver::default();
    /// let stream = r#"[
    ///     {"new_call_site":{"id":0,"kind":"span","name":"job","target":"app","level":"info","fields":[]}},
    ///     {"new_span":{"id":1,"metadata_id":0,"values":{}}}
    /// ]"#;
    /// for event in serde_json::from_str::<Vec<TracingEvent>>(stream)? {
    ///     receiver.receive(event);
    /// }
    ///
    /// let metadata = serde_json::to_string(&receiver.persist_metadata())?;
    /// let (spans, _) = receiver.persist();
    /// assert_eq!(spans.len(), 1);
    /// let spans = serde_json::to_string(&spans)?;
    ///
    /// // In another process, perhaps:
    /// let (metadata, spans) = (serde_json::from_str(&metadata)?, serde_json::from_str(&spans)?);
    /// let mut receiver = TracingEventReceiver::new(metadata, spans, LocalSpans::default());
    /// receiver.receive(TracingEvent::SpanDropped { id: 1 });
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    pub fn persist(mut self) -> (PersistedSpans, LocalSpans) {
        if let Some(spans) = self.to_restore.take() {
            // There was no subscriber yet, and so there is nothing local.
            return (PersistedSpans { spans: spans.into_iter().collect() }, LocalSpans::default());
        }
        let mut stream = mem::take(&mut self.stream);
        let mut sink = mem::replace(&mut self.sink, Box::new(Relay::default()));
        stream.end_attempt(&mut *sink);
        let spans = stream.persist();
        let mut steps = Steps::default();
        stream.exit_all(&mut *sink, &mut steps);
        sink.suspend();
        steps.end();
        (spans, LocalSpans { stream: Some(stream), sink: Some(sink) })
    }
}

impl Stream {
    fn persist_metadata(&self) -> PersistedMetadata {
        let announced = self.call_site_ids.iter().map(|(id, index)| (*index, *id));
        let all = announced.chain(self.ids_of_replaced());
        let data = |(index, id): (usize, MetadataId)| {
            self.call_sites.get(index).map(|site| (id, CallSiteData::clone(&site.data)))
        };
        PersistedMetadata { call_sites: all.filter_map(data).collect() }
    }

    /// Gives an ID to each call site that has none any more, as another one was announced by its ID, and that open
    /// spans were created with. It is that of an equal call site, or else one that the stream does not use.
    pub(super) fn ids_of_replaced(&self) -> BTreeMap<usize, MetadataId> {
        let is_replaced = |span: &KnownSpan| {
            self.call_site_ids.get(&span.metadata_id).is_none_or(|index| *index != span.call_site)
        };
        let spans = self.spans.iter().filter(|(_, span)| is_replaced(span));
        let replaced: BTreeSet<_> = spans.map(|(_, span)| span.call_site).collect();
        if replaced.is_empty() {
            return BTreeMap::new(); // as nearly always
        }
        let mut ids = HashMap::new();
        for (id, index) in &self.call_site_ids {
            if let Some(site) = self.call_sites.get(*index) {
                ids.entry(&*site.data).or_insert(*id); // the lowest
            }
        }
        let mut free =
            (0..=MetadataId::MAX).rev().filter(|id| !self.call_site_ids.contains_key(id));
        let mut id = |index: usize| {
            let data = &*self.call_sites.get(index)?.data;
            let id = ids.get(data).copied().or_else(|| free.next())?;
            ids.insert(data, id);
            Some((index, id))
        };
        replaced.into_iter().filter_map(&mut id).collect()
    }

    /// Tells all that is needed to create the open spans anew, and to enter them.
    pub(super) fn persist(&self) -> PersistedSpans {
        self.describe(|span| {
            let Some(site) = self.call_sites.get(span.call_site) else {
                return TracedValues::default();
            };
            name(site, span.values.to_owned(), |index| PersistedName::of_field(&site.data, index))
        })
    }

    /// Tells the same, with the values that the function returns.
    pub(super) fn describe(
        &self,
        values: impl Fn(&KnownSpan) -> TracedValues<PersistedName>,
    ) -> PersistedSpans {
        let replaced = self.ids_of_replaced();
        let mut in_order: Vec<_> =
            self.spans.iter().map(|(id, span)| (span.created, *id, span)).collect();
        in_order.sort_unstable_by_key(|(created, ..)| *created);
        let mut around = Around::default();
        let mut spans = BTreeMap::new();
        for (order, (_, id, span)) in (0..).zip(in_order) {
            let parent_id = self.persisted_parent(span, &around);
            let parent = parent_id.and_then(|id| Some((id, self.spans.get(&id)?)));
            around.add(id, span, around.find(parent, span.is_root));
            let follows_from = span.follows_from.iter();
            let follows_from = follows_from
                .filter(|source| !span.is_closed && self.still_open(**source).is_some());
            let data = SpanData {
                metadata_id: *replaced.get(&span.call_site).unwrap_or(&span.metadata_id),
                parent_id,
                is_root: span.is_root,
                is_closed: span.is_closed,
                ref_count: span.handles,
                values: values(span),
                follows_from: follows_from.map(|source| source.id).collect(),
                entered: Vec::new(),
                order,
            };
            spans.insert(id, data);
        }
        for (thread, stack) in self.stacks.iter() {
            for (depth, entered) in stack.enumerate() {
                if let Some(data) = spans.get_mut(&entered.id) {
                    let is_closed = data.is_closed && entered.is_wanted();
                    data.entered.push(Entered { thread, depth, is_closed });
                }
            }
        }
        PersistedSpans { spans }
    }

    /// Returns the parent that a span is persisted with: that in the program, if by the parent rule the span
    /// stands where it does because of it, and otherwise that in the sink.
    fn persisted_parent(&self, span: &KnownSpan, around: &Around) -> Option<RawSpanId> {
        if span.is_closed {
            return None; // it is not created anew
        }
        let parent = span.parent.and_then(|parent| Some((parent.id, self.still_open(parent)?)));
        if span.sink_span.is_some() && around.find(parent, span.is_root) != span.keeps_open {
            return span.keeps_open;
        }
        parent.map(|(id, _)| id)
    }

    /// Exits all spans, threads one after another, on each the innermost span first. The stream stays inside.
    pub(super) fn exit_all(&self, sink: &mut (impl Sink + ?Sized), steps: &mut Steps) {
        for (thread, stack) in self.stacks.iter() {
            for span in stack.rev().filter_map(|entered| entered.sink_span) {
                steps.run(|| sink.exit(span, thread));
            }
        }
    }

    /// Exits all entered spans, and closes those that were never persisted, the newest first.
    pub(super) fn roll_back(&mut self, sink: &mut (impl Sink + ?Sized)) {
        let mut steps = Steps::default();
        self.exit_all(sink, &mut steps);
        let Self { spans, committed, .. } = mem::take(self);
        let mut spans: Vec<_> = spans.into_values().collect();
        spans.retain(|span| span.created.get() > committed);
        close_all(spans, sink, &mut steps);
        steps.end();
    }
}

/// All that is needed to create a span anew.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SpanData {
    pub(super) metadata_id: MetadataId,
    /// The parent that the span was given, or that it found itself in.
    pub(super) parent_id: Option<RawSpanId>,
    /// Whether the span stands in no other if the host does not want its parent: it was given that parent, or none.
    pub(super) is_root: bool,
    /// Whether the span was closed while it was entered.
    pub(super) is_closed: bool,
    /// Handles of the span.
    pub(super) ref_count: usize,
    pub(super) values: TracedValues<PersistedName>,
    pub(super) follows_from: Vec<RawSpanId>,
    /// Places of the span on the stacks of threads.
    pub(super) entered: Vec<Entered>,
    /// How many of the persisted spans were created before it. `tracing-tunnel` does not tell.
    pub(super) order: u64,
}

/// Name of the field of a value. Spans share it with their call site: a name may be long, and spans are many.
#[derive(Clone)]
pub(super) enum PersistedName {
    /// The name of a field of the call site, by its index.
    OfField(Arc<CallSiteData>, usize),
    /// As it was read.
    Read(String),
}

impl PersistedName {
    fn of_field(data: &Arc<CallSiteData>, index: usize) -> Option<Self> {
        (index < data.fields.len()).then(|| Self::OfField(Arc::clone(data), index))
    }
}

impl AsRef<str> for PersistedName {
    fn as_ref(&self) -> &str {
        match self {
            Self::OfField(data, index) => data.fields.get(*index).map_or("", |name| &**name),
            Self::Read(name) => name,
        }
    }
}

impl PartialEq for PersistedName {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl<'de> Deserialize<'de> for PersistedName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Read)
    }
}

/// Place of a span on the stack of spans that a thread has entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) thread: ThreadIndex,
    /// Number of spans below it.
    pub(super) depth: usize,
    /// Whether the host was told of it, and the span was closed since.
    pub(super) is_closed: bool,
}

spanshot_sender::__record!(Entered { required thread, required depth, default is_closed });

/// [`SpanData`] as it is serialized: what `tracing-tunnel` 0.2 writes, and after it what that crate
/// does not know. All fields are always there, for the sake of formats that have no names.
struct SpanModel<'a> {
    metadata_id: MetadataId,
    parent_id: Option<RawSpanId>,
    ref_count: usize,
    values: Cow<'a, TracedValues<PersistedName>>,
    bytes: Vec<Cow<'a, str>>,
    nth: Cow<'a, [usize]>,
    is_root: bool,
    is_closed: bool,
    follows_from: Cow<'a, [RawSpanId]>,
    entered: Cow<'a, [Entered]>,
    order: u64,
}

spanshot_sender::__record!(SpanModel<'a> {
    required metadata_id,
    default parent_id,
    required ref_count,
    required values,
    default bytes,
    default nth,
    default is_root,
    default is_closed,
    default follows_from,
    default entered,
    default order,
});

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
            order: self.order,
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
            order: model.order,
        })
    }
}

/// [`CallSiteData`] with all of its fields, for the sake of formats that have no names.
struct CallSiteModel<'a> {
    kind: CallSiteKind,
    name: Cow<'a, str>,
    target: Cow<'a, str>,
    level: TracingLevel,
    module_path: Option<Cow<'a, str>>,
    file: Option<Cow<'a, str>>,
    line: Option<u32>,
    fields: Cow<'a, [Cow<'static, str>]>,
}

spanshot_sender::__record!(CallSiteModel<'a> {
    required kind,
    required name,
    required target,
    required level,
    default module_path,
    default file,
    default line,
    required fields,
});

impl<'a> From<&'a CallSiteData> for CallSiteModel<'a> {
    fn from(data: &'a CallSiteData) -> Self {
        let text = |text: &'a Cow<'static, str>| Cow::Borrowed(&**text);
        Self {
            kind: data.kind,
            name: text(&data.name),
            target: text(&data.target),
            level: data.level,
            module_path: data.module_path.as_ref().map(text),
            file: data.file.as_ref().map(text),
            line: data.line,
            fields: Cow::Borrowed(&data.fields),
        }
    }
}

impl From<CallSiteModel<'static>> for CallSiteData {
    fn from(model: CallSiteModel<'static>) -> Self {
        let CallSiteModel { kind, name, target, level, module_path, file, line, fields } = model;
        let fields = fields.into_owned();
        Self { kind, name, target, level, module_path, file, line, fields }
    }
}

impl Serialize for PersistedMetadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(id, data)| (id, CallSiteModel::from(data))))
    }
}

impl<'de> Deserialize<'de> for PersistedMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let call_sites = BTreeMap::<MetadataId, CallSiteModel<'static>>::deserialize(deserializer);
        let call_sites = call_sites.map_err(record::shortened)?;
        Ok(Self {
            call_sites: call_sites.into_iter().map(|(id, data)| (id, data.into())).collect(),
        })
    }
}
