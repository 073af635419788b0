//! Restoring a receiver: checks of the persisted state, and how its spans come back.
//!
//! 1. [`check`] looks at all of it before anything is created. It may have been changed where it was kept.
//! 2. With [`LocalSpans`], the stream goes on as it stood: [`Stream::resume`] enters what it has entered.
//! 3. Without them, [`Stream::restore`] creates each open span anew, parents first, and enters them.

use alloc::{boxed::Box, collections::BTreeMap, sync::Arc, vec::Vec};
use core::{error::Error, fmt};
use std::collections::HashSet;

use super::{
    GuestScope, Limit, ReceiveError, ReceiverLimits, TracingEventReceiver,
    field_names::FieldNames,
    parents::Around,
    per_thread::FIRST_THREAD,
    persist::{Entered, LocalSpans, PersistedMetadata, PersistedSpans, SpanData},
    relay::Relay,
    resolved_values::ResolvedValues,
    sink::{Innermost, Sink, SinkParent},
    span::{EnteredSpan, KnownSpan, LastHandle},
    span_values::SpanValues,
    stream::Stream,
    told_sink::ToldSink,
    values::{owned, resolve_named},
};
use crate::{
    said_parent::SaidParent,
    wire::{CallSiteData, CallSiteKind, MetadataId, RawSpanId, ThreadIndex, TracedValues},
};

/// Spans that were checked, parents before their children.
pub(super) type CheckedSpans = Vec<(RawSpanId, SpanData)>;

impl TracingEventReceiver {
    /// Restores a receiver from what an earlier one was [persisted](Self::persist) to.
    ///
    /// Pass the `local_spans` of the same execution, and the receiver goes on in the subscriber, or the storage,
    /// that they live in. Without them (after a restart of the host, say), pass the default: the receiver creates
    /// open spans anew in the current subscriber, and enters those that were entered. Pass
    /// [`LocalSpans::capturing()`], and it does so in a storage.
    ///
    /// Spans that are created anew keep their order, and stand in the nearest span that the subscriber wants now, by
    /// the same rules as new ones. A filter which looks at the spans that a thread is in sees each of them alone. One
    /// which looks at a span's values when the span is entered sees those that were recorded meanwhile.
    ///
    /// The records that follow should be of the execution that was persisted. Otherwise the receiver refuses them, or
    /// attributes them to the wrong spans.
    ///
    /// # Panics
    ///
    /// Panics where [`Self::try_new()`] returns an error.
    ///
    /// # Example
    ///
    /// See [`Self::persist()`].
    #[track_caller]
    pub fn new(
        metadata: PersistedMetadata,
        spans: PersistedSpans,
        local_spans: LocalSpans,
    ) -> Self {
        match Self::try_new(metadata, spans, local_spans) {
            Ok(receiver) => receiver,
            Err(error) => panic!("cannot restore the receiver: {error}"),
        }
    }

    /// Restores a receiver, as [`Self::new()`] does, if the persisted state is consistent.
    ///
    /// Use it if the state may have been changed since: on a disk, or in a database.
    ///
    /// # Errors
    ///
    /// Returns an error if a span is of a call site that is not in `metadata`, or that cannot create it with
    /// its values; if spans are in one another in a circle, or entered at the same place; if `local_spans` know
    /// other spans than those in `spans`; or if anything exceeds one of the default
    /// [limits](super::ReceiverLimits). Nothing is created in a subscriber or a storage then; what `local_spans` know
    /// stays open there.
    ///
    /// # Example
    ///
    /// See [`RestoreError`].
    pub fn try_new(
        metadata: PersistedMetadata,
        spans: PersistedSpans,
        local_spans: LocalSpans,
    ) -> Result<Self, RestoreError> {
        Self::try_new_with_limits(metadata, spans, local_spans, ReceiverLimits::default())
    }

    /// Restores a receiver, as [`Self::try_new()`] does, under these limits.
    ///
    /// They hold for the restored state, and for the records that follow. Pass the limits of the earlier receiver:
    /// limits are not persisted.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Self::try_new()`], with `limits` in the place of the default ones.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{
    ///     LocalSpans, ReceiverLimits, TracingEventReceiver,
    ///     receiver::{Limit, RestoreError},
    /// };
    ///
    /// let metadata = r#"{"0":{"kind":"span","name":"job","target":"app","level":"info","fields":[]}}"#;
    /// let spans = r#"{"1":{"metadata_id":0,"ref_count":1,"values":{}}}"#;
    /// let restore = |limits| {
    ///     let (metadata, spans) = (serde_json::from_str(metadata)?, serde_json::from_str(spans)?);
    ///     let local_spans = LocalSpans::default();
    ///     Ok(TracingEventReceiver::try_new_with_limits(metadata, spans, local_spans, limits))
    /// };
    ///
    /// let limits = ReceiverLimits::default().max_open_spans(0);
    /// let error = restore(limits)?.unwrap_err();
    /// assert!(matches!(error, RestoreError::InvalidSpan { span: 1, .. }));
    ///
    /// let receiver = restore(limits.max_open_spans(1))?.unwrap();
    /// assert_eq!(receiver.limits().get(Limit::OpenSpans), 1);
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    pub fn try_new_with_limits(
        metadata: PersistedMetadata,
        spans: PersistedSpans,
        local_spans: LocalSpans,
        limits: ReceiverLimits,
    ) -> Result<Self, RestoreError> {
        Self::restore(metadata, spans, local_spans, limits, |_| ())
    }

    /// Restores a receiver whose host is in spans of the stream only in this scope, or in one of its own; or in none,
    /// if it relays elsewhere.
    pub(crate) fn restore_in_scope(
        metadata: PersistedMetadata,
        spans: PersistedSpans,
        local_spans: LocalSpans,
        limits: ReceiverLimits,
        scope: Option<GuestScope>,
        is_elsewhere: bool,
    ) -> Result<Self, RestoreError> {
        let set_up = |sink: &mut dyn ToldSink| {
            if is_elsewhere {
                sink.relay_elsewhere();
            }
            sink.enter_only_in_scope(scope);
        };
        Self::restore(metadata, spans, local_spans, limits, set_up)
    }

    fn restore(
        metadata: PersistedMetadata,
        spans: PersistedSpans,
        local_spans: LocalSpans,
        limits: ReceiverLimits,
        set_up: impl FnOnce(&mut dyn ToldSink),
    ) -> Result<Self, RestoreError> {
        let LocalSpans { stream, sink } = local_spans;
        let spans = check(&metadata, spans, &limits)?;
        let mut metadata = metadata;
        if let Some(stream) = &stream {
            stream.check_known(&spans)?;
            // It knows these without an ID.
            for id in stream.ids_of_replaced().values() {
                metadata.call_sites.remove(id);
            }
        }
        let is_known = stream.is_some();
        let mut stream = stream.unwrap_or_default();
        let mut sink = sink.unwrap_or_else(|| Box::new(Relay::new()));
        set_up(&mut *sink);
        stream.limits = limits;
        stream.announce(metadata, &mut *sink)?;
        // From here on nothing fails: a receiver that is dropped rolls back.
        let mut receiver = Self::with_sink(sink);
        receiver.stream = stream;
        if is_known {
            receiver.stream.resume(&mut *receiver.sink);
        } else {
            receiver.to_restore = Some(spans);
            if receiver.sink.is_ready() {
                receiver.start();
            }
        }
        Ok(receiver)
    }
}

/// Checks the persisted state, and sorts the spans in the order in which they are to be created.
///
/// A parent that is not there is none: `tracing-tunnel` names parents that were closed.
pub(super) fn check(
    metadata: &PersistedMetadata,
    spans: PersistedSpans,
    limits: &ReceiverLimits,
) -> Result<CheckedSpans, RestoreError> {
    for (&metadata_id, data) in &metadata.call_sites {
        let error = |error| RestoreError::InvalidCallSite { metadata_id, error: Box::new(error) };
        limits.check_call_site(data).map_err(error)?;
    }
    let mut entered = BTreeMap::<_, HashSet<_>>::new(); // places on the stack of each thread
    let mut entered_in_all = 0;
    let mut names = BTreeMap::new();
    for (open, (&span, data)) in spans.spans.iter().enumerate() {
        let metadata_id = data.metadata_id;
        let Some(site) = metadata.call_sites.get(&metadata_id) else {
            return Err(RestoreError::UnknownCallSite { span, metadata_id });
        };
        let error = |error| RestoreError::InvalidSpan { span, error: Box::new(error) };
        let names = names.entry(metadata_id).or_insert_with(|| FieldNames::new(site));
        check_span(data, site, names, limits).map_err(error)?;
        limits.check_one_more(Limit::OpenSpans, open).map_err(error)?;
        for &Entered { thread, depth, .. } in &data.entered {
            let places = entered.entry(thread).or_default();
            limits.check_one_more(Limit::Depth, places.len()).map_err(error)?;
            limits.check_one_more(Limit::Entered, entered_in_all).map_err(error)?;
            if !places.insert(depth) {
                return Err(RestoreError::EnteredTwice { thread, depth });
            }
            entered_in_all += 1;
        }
    }
    let spans = parents_first(spans)?;
    let mut depths = BTreeMap::new();
    for (span, data) in &spans {
        let around = data.parent_id.and_then(|parent| depths.get(&parent).copied()).unwrap_or(0);
        let error = |error| RestoreError::InvalidSpan { span: *span, error: Box::new(error) };
        limits.check_one_more(Limit::Depth, around).map_err(error)?;
        depths.insert(*span, around + 1);
    }
    Ok(spans)
}

fn check_span(
    data: &SpanData,
    site: &CallSiteData,
    names: &FieldNames,
    limits: &ReceiverLimits,
) -> Result<(), ReceiveError> {
    let metadata_id = data.metadata_id;
    if site.kind != CallSiteKind::Span {
        return Err(ReceiveError::WrongKind { metadata_id, actual: site.kind });
    }
    let mut values = ResolvedValues::new();
    resolve_named(metadata_id, site, names, &data.values, &mut values)?;
    limits.check_each_value(&values)?;
    limits.check(Limit::FollowsFrom, data.follows_from.len() as u64)
}

/// Sorts spans in the order of their creation, but each after its parent: who tells no order may number spans
/// anyhow.
fn parents_first(spans: PersistedSpans) -> Result<CheckedSpans, RestoreError> {
    let mut spans = spans.spans;
    let mut ids: Vec<_> = spans.iter().map(|(id, data)| (data.order, *id)).collect();
    ids.sort_unstable();
    let mut sorted = Vec::with_capacity(ids.len());
    for (_, id) in ids {
        // The span and those around it, up to one that has its place.
        let mut around = Vec::new();
        let mut next = Some(id);
        while let Some((span, data)) = next.and_then(|id| Some((id, spans.get(&id)?))) {
            if around.len() == spans.len() {
                return Err(RestoreError::InItself { span });
            }
            around.push(span);
            next = data.parent_id;
        }
        let outermost_first = around.into_iter().rev();
        sorted.extend(outermost_first.filter_map(|id| Some((id, spans.remove(&id)?))));
    }
    Ok(sorted)
}

impl Stream {
    /// Checks that these are the spans that this stream has.
    fn check_known(&self, spans: &CheckedSpans) -> Result<(), RestoreError> {
        let mut known = self.describe(|_| TracedValues::new()).spans;
        for (span, data) in spans {
            if !known.remove(span).is_some_and(|known| known.is_same_span(data)) {
                return Err(RestoreError::Mismatch { span: *span });
            }
        }
        match known.into_keys().next() {
            Some(span) => Err(RestoreError::Missing { span }),
            None => Ok(()),
        }
    }

    /// Takes in call sites, as if they had just been announced.
    pub(super) fn announce(
        &mut self,
        metadata: PersistedMetadata,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), RestoreError> {
        for (metadata_id, data) in metadata.call_sites {
            let announced = self.new_call_site(metadata_id, Arc::new(data), sink);
            announced.map_err(|error| {
                let error = Box::new(error);
                RestoreError::InvalidCallSite { metadata_id, error }
            })?;
        }
        Ok(())
    }

    /// Goes on in the sink that the stream was suspended in.
    fn resume(&mut self, sink: &mut (impl Sink + ?Sized)) {
        self.committed = self.created;
        for (thread, stack) in self.stacks.iter() {
            for span in stack.filter_map(|entered| entered.sink_span) {
                sink.enter(span, thread);
            }
        }
    }

    /// Creates spans anew, and enters them, in a sink that never had them.
    pub(super) fn restore(&mut self, spans: CheckedSpans, sink: &mut (impl Sink + ?Sized)) {
        // Which spans there were before and are closed is not persisted.
        self.last_span_id = RawSpanId::MAX;

        let mut around = Around::default();
        let mut followers = Vec::new();
        let mut entered = Vec::new();
        let mut ids = Vec::with_capacity(spans.len());
        for (id, data) in spans {
            self.restore_span(id, &data, &mut around, sink);
            followers.extend(data.follows_from.into_iter().map(|source| (id, source)));
            entered.extend(data.entered.into_iter().map(|place| (place, id)));
            ids.push(id);
        }
        for (id, source) in followers {
            self.restore_follows_from(id, source, sink);
        }
        entered.sort_unstable_by_key(|(place, _)| (place.thread, place.depth));
        for (place, id) in entered {
            self.restore_enter(id, place, sink);
        }
        // What has no handle should be kept open by its children, which are there now.
        for id in ids.into_iter().rev() {
            self.close_if_unused(id, sink);
        }
        self.committed = self.created;
    }

    fn restore_span(
        &mut self,
        id: RawSpanId,
        data: &SpanData,
        around: &mut Around,
        sink: &mut (impl Sink + ?Sized),
    ) {
        let Ok((call_site, site)) = self.call_site(data.metadata_id, CallSiteKind::Span) else {
            return; // it was checked
        };
        let mut values = ResolvedValues::new();
        if resolve_named(data.metadata_id, &site.data, &site.names, &data.values, &mut values)
            .is_err()
        {
            return; // it was checked
        }
        let parent = data.parent_id.and_then(|id| Some((id, self.spans.get(&id)?)));
        let stands_in = around.find(parent, data.is_root);
        let in_sink = stands_in.and_then(|id| self.spans.get(&id)?.sink_span);
        let for_sink = match in_sink {
            Some(span) => SinkParent::Explicit(span),
            None if data.is_root => SinkParent::Root,
            None => SinkParent::Contextual(Innermost::None),
        };
        let depth = parent.map_or(0, |(_, span)| span.depth).saturating_add(1);
        let parent = parent.map(|(id, span)| span.named(id));
        let sink_span = if data.is_closed {
            None
        } else {
            // What the program said is not persisted as such.
            let said = SaidParent::Unknown;
            sink.new_span(call_site, FIRST_THREAD, for_sink, said, Some(&values))
        };
        let keeps_open = stands_in.filter(|_| sink_span.is_some());
        let span = KnownSpan {
            metadata_id: data.metadata_id,
            call_site,
            created: self.next_created(),
            parent,
            is_root: data.is_root,
            depth,
            keeps_open,
            handles: data.ref_count,
            // A new span has a handle in the sink, whether the program has one or more, or none.
            unshared: data.ref_count.saturating_sub(1),
            last_handle: match data.ref_count {
                0 => LastHandle::DropDeferred,
                _ => LastHandle::InUse,
            },
            children: 0,
            entered: 0,
            is_closed: data.is_closed,
            values: SpanValues::Owned(owned(&values)),
            follows_from: Vec::new(),
            sink_span,
        };
        around.add(id, &span, stands_in);
        self.keep_open(keeps_open);
        self.spans.insert(id, span);
    }

    fn restore_follows_from(
        &mut self,
        id: RawSpanId,
        source: RawSpanId,
        sink: &mut (impl Sink + ?Sized),
    ) {
        let wanted =
            |id| self.spans.get(&id).and_then(|span| Some((span.sink_span?, span.named(id))));
        let (Some((span, _)), Some((sink_source, source))) = (wanted(id), wanted(source)) else {
            return;
        };
        sink.follows_from(span, sink_source);
        if let Some(span) = self.spans.get_mut(&id) {
            span.follows_from.push(source);
        }
    }

    fn restore_enter(&mut self, id: RawSpanId, place: Entered, sink: &mut (impl Sink + ?Sized)) {
        let Some(KnownSpan { sink_span, is_closed, .. }) = self.spans.get(&id) else { return };
        let (sink_span, is_closed_elsewhere) = (*sink_span, *is_closed && place.is_closed);
        if let Some(span) = sink_span {
            sink.enter(span, place.thread);
        }
        self.push_entered(place.thread, EnteredSpan { id, sink_span, is_closed_elsewhere });
    }
}

impl SpanData {
    /// Whether all but the values is the same.
    fn is_same_span(&self, other: &Self) -> bool {
        let Self {
            metadata_id,
            parent_id,
            is_root,
            is_closed,
            ref_count,
            values: _, // those that the stream has count
            follows_from,
            entered,
            order: _, // of no meaning while the stream is there
        } = self;
        *metadata_id == other.metadata_id
            && *parent_id == other.parent_id
            && *is_root == other.is_root
            && *is_closed == other.is_closed
            && *ref_count == other.ref_count
            && *follows_from == other.follows_from
            && *entered == other.entered
    }
}

/// The error of restoring a receiver from what does not fit together.
///
/// The persisted state was changed since, belongs to something else, or exceeds the limits. It is returned by
/// [`TracingEventReceiver::try_new()`].
///
/// # Example
///
/// ```
/// use spanshot::{
///     LocalSpans, PersistedMetadata, PersistedSpans, TracingEventReceiver,
///     receiver::RestoreError,
/// };
///
/// let spans = r#"{"1":{"metadata_id":7,"ref_count":1,"values":{}}}"#;
/// let spans: PersistedSpans = serde_json::from_str(spans)?;
/// let metadata = PersistedMetadata::default();
/// let error = TracingEventReceiver::try_new(metadata, spans, LocalSpans::default()).unwrap_err();
/// assert_eq!(error, RestoreError::UnknownCallSite { span: 1, metadata_id: 7 });
/// assert_eq!(error.to_string(), "span 1 is of call site 7, which is not in the metadata");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// A call site exceeds one of the limits.
    InvalidCallSite {
        /// The call site.
        metadata_id: MetadataId,
        /// Why it cannot be taken.
        error: Box<ReceiveError>,
    },
    /// The call site of a span is not in the metadata.
    UnknownCallSite {
        /// The span.
        span: RawSpanId,
        /// The call site.
        metadata_id: MetadataId,
    },
    /// A call site cannot create a span, or its values; or the span exceeds one of the limits.
    InvalidSpan {
        /// The span.
        span: RawSpanId,
        /// Why it would be refused as a new one.
        error: Box<ReceiveError>,
    },
    /// Two spans are said to be at the same place among those that a thread is in.
    EnteredTwice {
        /// The thread.
        thread: ThreadIndex,
        /// Number of spans around the place.
        depth: usize,
    },
    /// A span is in a circle of parents.
    InItself {
        /// The span.
        span: RawSpanId,
    },
    /// The [`LocalSpans`] disagree with the persisted state of a span, or do not know the span.
    Mismatch {
        /// The span.
        span: RawSpanId,
    },
    /// The [`LocalSpans`] know a span that was not persisted.
    Missing {
        /// The span.
        span: RawSpanId,
    },
}

impl fmt::Display for RestoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidCallSite { metadata_id, error } => {
                write!(formatter, "call site {metadata_id} is not taken: {error}")
            }
            Self::UnknownCallSite { span, metadata_id } => write!(
                formatter,
                "span {span} is of call site {metadata_id}, which is not in the metadata"
            ),
            Self::InvalidSpan { span, error } => {
                write!(formatter, "span {span} is not possible: {error}")
            }
            Self::EnteredTwice { thread, depth } => write!(
                formatter,
                "two spans are at place {depth} of those that thread {thread} has entered"
            ),
            Self::InItself { span } => {
                write!(formatter, "span {span} is in itself, by way of its parents")
            }
            Self::Mismatch { span } => {
                write!(formatter, "span {span} is another one than that which is known locally")
            }
            Self::Missing { span } => {
                write!(formatter, "span {span} is known locally, but was not persisted")
            }
        }
    }
}

impl Error for RestoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidCallSite { error, .. } | Self::InvalidSpan { error, .. } => Some(&**error),
            _ => None,
        }
    }
}
