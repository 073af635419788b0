use alloc::{
    collections::{BTreeMap, btree_map::Entry},
    string::String,
    sync::Arc,
    vec::Vec,
};

use super::{
    ReceiveError,
    persist::{Entered, PersistedMetadata, PersistedSpans, SpanData},
    sink::{Sink, SinkParent, SinkSpan, SinkValues},
};
use crate::wire::{
    CallSiteData, CallSiteKind, MetadataId, Parent, RawSpanId, Record, RecordValues, SpanStack,
    ThreadIndex, TracedValue, TracedValues, ValueRef,
};

/// The state machine that understands a stream of records.
///
/// It knows which call sites were announced, which spans are open and which are entered on which
/// thread. Each record is checked as a whole before anything is changed or told to the sink.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Call sites in the order in which the sink was told of them.
    call_sites: Vec<Arc<CallSiteData>>,
    /// Index of each call site.
    call_site_ids: BTreeMap<MetadataId, usize>,
    spans: BTreeMap<RawSpanId, OpenSpan>,
    /// The highest ID that a span ever had.
    last_span_id: RawSpanId,
    threads: BTreeMap<ThreadIndex, SpanStack<RawSpanId>>,
}

/// A span that is not closed. As in `tracing_subscriber::Registry`, a span is kept open by its
/// handles, by the threads that are in it and by its children.
#[derive(Debug)]
struct OpenSpan {
    metadata_id: MetadataId,
    call_site: usize,
    parent: Option<RawSpanId>,
    handles: usize,
    entered: usize,
    children: usize,
    values: TracedValues<String>,
    /// What the sink calls it; `None` if the sink does not want it.
    sink_span: Option<SinkSpan>,
    /// Whether it stays open if the execution is rolled back, having been persisted before.
    is_committed: bool,
}

impl OpenSpan {
    fn is_closed(&self) -> bool {
        self.handles == 0 && self.entered == 0 && self.children == 0
    }
}

impl Stream {
    /// Takes in a record, and tells the sink.
    pub(super) fn receive(
        &mut self,
        record: Record<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        match record {
            Record::NewCallSite { id, data } => self.new_call_site(id, Arc::new(data), sink),
            Record::NewSpan { id, parent, metadata_id, values, thread } => {
                self.new_span(id, parent, metadata_id, &values, thread, sink)?;
            }
            Record::FollowsFrom { id, follows_from } => {
                let span = self.span(id)?.sink_span;
                // Natively, too, one may follow from a span that is closed, and nobody learns.
                let source = match self.span(follows_from) {
                    Ok(source) => source.sink_span,
                    Err(_) if (1..=self.last_span_id).contains(&follows_from) => None,
                    Err(error) => return Err(error),
                };
                if let (Some(span), Some(source)) = (span, source) {
                    sink.follows_from(span, source);
                }
            }
            Record::SpanEntered { id, thread } => {
                let span = self.span_mut(id)?;
                span.entered += 1;
                if let Some(span) = span.sink_span {
                    sink.enter(span);
                }
                self.threads.entry(thread).or_insert_with(SpanStack::new).push(id);
            }
            Record::SpanExited { id, thread } => self.exit(id, thread, sink)?,
            Record::SpanCloned { id } => {
                let span = self.span_mut(id)?;
                span.handles += 1;
                if let Some(span) = span.sink_span {
                    sink.clone_handle(span);
                }
            }
            Record::SpanDropped { id } => {
                let span = self.span_mut(id)?;
                span.handles =
                    span.handles.checked_sub(1).ok_or(ReceiveError::UnknownSpanId(id))?;
                if let Some(span) = span.sink_span {
                    sink.drop_handle(span);
                }
                self.close_if_unused(id, sink);
            }
            Record::ValuesRecorded { id, values } => self.record(id, &values, sink)?,
            Record::NewEvent { metadata_id, parent, values, thread } => {
                let (index, data) = self.call_site(metadata_id, CallSiteKind::Event)?;
                let values = resolve(metadata_id, data, &values)?;
                let (_, parent) = self.parent(parent, thread)?;
                sink.new_event(index, parent, &values);
            }
        }
        Ok(())
    }

    pub(super) fn new_call_site(
        &mut self,
        id: MetadataId,
        data: Arc<CallSiteData>,
        sink: &mut dyn Sink,
    ) {
        // A sender may announce a call site more than once. It is another one only if a sender
        // that numbers by address comes back with other code.
        let known = self.call_site_ids.get(&id).and_then(|index| self.call_sites.get(*index));
        if known.is_none_or(|known| *known != data) {
            sink.new_call_site(&data);
            self.call_site_ids.insert(id, self.call_sites.len());
            self.call_sites.push(data);
        }
    }

    fn call_site(
        &self,
        id: MetadataId,
        kind: CallSiteKind,
    ) -> Result<(usize, &CallSiteData), ReceiveError> {
        let index = *self.call_site_ids.get(&id).ok_or(ReceiveError::UnknownMetadataId(id))?;
        let data = self.call_sites.get(index).ok_or(ReceiveError::UnknownMetadataId(id))?;
        if data.kind == kind {
            Ok((index, data))
        } else {
            Err(ReceiveError::WrongKind { metadata_id: id, actual: data.kind })
        }
    }

    fn span(&self, id: RawSpanId) -> Result<&OpenSpan, ReceiveError> {
        self.spans.get(&id).ok_or(ReceiveError::UnknownSpanId(id))
    }

    fn span_mut(&mut self, id: RawSpanId) -> Result<&mut OpenSpan, ReceiveError> {
        self.spans.get_mut(&id).ok_or(ReceiveError::UnknownSpanId(id))
    }

    /// Finds the parent of a new span or event: which span it is in this stream, and what the sink
    /// has to know of it.
    fn parent(
        &self,
        parent: Parent,
        thread: ThreadIndex,
    ) -> Result<(Option<RawSpanId>, SinkParent), ReceiveError> {
        Ok(match parent {
            Parent::Root => (None, SinkParent::Root),
            Parent::Explicit(id) => match self.span(id)?.sink_span {
                Some(span) => (Some(id), SinkParent::Explicit(span)),
                // The handle of a disabled span has no ID, so that what names it for its parent
                // is natively a root.
                None => (Some(id), SinkParent::Root),
            },
            Parent::Contextual => {
                let scope = || self.threads.get(&thread).into_iter().flat_map(SpanStack::scope);
                let id = scope().next().copied();
                let current = scope().find_map(|id| self.spans.get(id)?.sink_span);
                let is_ambiguous = self.threads.keys().any(|other| *other != thread);
                (id, SinkParent::Contextual { current, is_ambiguous })
            }
        })
    }

    fn new_span(
        &mut self,
        id: RawSpanId,
        parent: Parent,
        metadata_id: MetadataId,
        values: &RecordValues<'_>,
        thread: ThreadIndex,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        let (call_site, data) = self.call_site(metadata_id, CallSiteKind::Span)?;
        let resolved = resolve(metadata_id, data, values)?;
        let named = name(data, &resolved);
        let (parent, sink_parent) = self.parent(parent, thread)?;
        let Entry::Vacant(entry) = self.spans.entry(id) else {
            return Err(ReceiveError::SpanExists(id));
        };
        entry.insert(OpenSpan {
            metadata_id,
            call_site,
            parent,
            handles: 1,
            entered: 0,
            children: 0,
            values: named,
            sink_span: sink.new_span(call_site, sink_parent, &resolved),
            is_committed: false,
        });
        self.last_span_id = self.last_span_id.max(id);
        if let Some(parent) = parent.and_then(|parent| self.spans.get_mut(&parent)) {
            parent.children += 1;
        }
        Ok(())
    }

    fn exit(
        &mut self,
        id: RawSpanId,
        thread: ThreadIndex,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        let span = self.spans.get_mut(&id).ok_or(ReceiveError::UnknownSpanId(id))?;
        let Entry::Occupied(mut stack) = self.threads.entry(thread) else {
            return Err(ReceiveError::SpanNotEntered { id, thread });
        };
        if !stack.get_mut().remove(&id) {
            return Err(ReceiveError::SpanNotEntered { id, thread });
        }
        if stack.get().is_empty() {
            stack.remove();
        }
        span.entered -= 1;
        if let Some(span) = span.sink_span {
            sink.exit(span);
        }
        self.close_if_unused(id, sink);
        Ok(())
    }

    fn record(
        &mut self,
        id: RawSpanId,
        values: &RecordValues<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        let span = self.span(id)?;
        let (metadata_id, call_site) = (span.metadata_id, span.call_site);
        let data =
            self.call_sites.get(call_site).ok_or(ReceiveError::UnknownMetadataId(metadata_id))?;
        let values = resolve(metadata_id, data, values)?;
        let named = name(data, &values);
        let span = self.span_mut(id)?;
        span.values.extend(named);
        if let Some(span) = span.sink_span {
            sink.record(span, call_site, &values);
        }
        Ok(())
    }

    /// Closes a span that nothing keeps open any more, and those that only it kept open.
    fn close_if_unused(&mut self, id: RawSpanId, sink: &mut dyn Sink) {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let Entry::Occupied(entry) = self.spans.entry(id) else { return };
            if !entry.get().is_closed() {
                return;
            }
            let span = entry.remove();
            if let Some(span) = span.sink_span {
                sink.closed(span);
            }
            if let Some(parent) = span.parent {
                if let Some(parent) = self.spans.get_mut(&parent) {
                    parent.children = parent.children.saturating_sub(1);
                }
                next = Some(parent);
            }
        }
    }
}

/// Restoring, persisting and rolling back.
impl Stream {
    /// Takes in spans that were persisted. What does not fit together is left out.
    pub(super) fn restore(
        &mut self,
        spans: PersistedSpans,
        mut sink_spans: BTreeMap<RawSpanId, Option<SinkSpan>>,
        sink: &mut dyn Sink,
    ) {
        let mut entered = Vec::new();
        let mut without_handle = Vec::new();
        // Parents come first: they have lower IDs.
        for (id, data) in spans.spans {
            let call_site = self.call_site(data.metadata_id, CallSiteKind::Span);
            let Ok((call_site, site_data)) = call_site else { continue };
            let parent = data.parent_id.filter(|parent| self.spans.contains_key(parent));
            let known = sink_spans.remove(&id);
            let is_new = known.is_none();
            let sink_span = known
                .unwrap_or_else(|| self.restore_in_sink(call_site, site_data, parent, &data, sink));
            if data.ref_count == 0 {
                without_handle.extend(sink_span.filter(|_| is_new));
            }
            entered.extend(data.entered.iter().map(|place| (*place, id)));
            if let Some(parent) = parent.and_then(|parent| self.spans.get_mut(&parent)) {
                parent.children += 1;
            }
            self.spans.insert(
                id,
                OpenSpan {
                    metadata_id: data.metadata_id,
                    call_site,
                    parent,
                    handles: data.ref_count,
                    entered: 0,
                    children: 0,
                    values: data.values,
                    sink_span,
                    is_committed: true,
                },
            );
            self.last_span_id = self.last_span_id.max(id);
        }
        entered.sort_by_key(|(place, _)| (place.thread, place.depth));
        for (place, id) in entered {
            let Some(span) = self.spans.get_mut(&id) else { continue };
            span.entered += 1;
            if let Some(span) = span.sink_span {
                sink.enter(span);
            }
            self.threads.entry(place.thread).or_insert_with(SpanStack::new).push(id);
        }
        // They are kept open by what was restored since.
        for span in without_handle {
            sink.drop_handle(span);
        }
        let unused = |(id, span): (&RawSpanId, &OpenSpan)| span.is_closed().then_some(*id);
        for id in self.spans.iter().filter_map(unused).collect::<Vec<_>>() {
            self.close_if_unused(id, sink);
        }
    }

    /// Creates a span anew in a sink that does not know it.
    fn restore_in_sink(
        &self,
        call_site: usize,
        site_data: &CallSiteData,
        parent: Option<RawSpanId>,
        data: &SpanData,
        sink: &mut dyn Sink,
    ) -> Option<SinkSpan> {
        let parent = parent.and_then(|parent| self.spans.get(&parent)?.sink_span);
        let parent = parent.map_or(
            SinkParent::Contextual { current: None, is_ambiguous: false },
            SinkParent::Explicit,
        );
        let values = resolve_named(data.metadata_id, site_data, &data.values).ok()?;
        let span = sink.new_span(call_site, parent, &values)?;
        for _ in 1..data.ref_count {
            sink.clone_handle(span);
        }
        Some(span)
    }

    pub(super) fn persist_metadata(&self) -> PersistedMetadata {
        let data = |(id, index): (&MetadataId, &usize)| {
            self.call_sites.get(*index).map(|data| (*id, CallSiteData::clone(data)))
        };
        PersistedMetadata { call_sites: self.call_site_ids.iter().filter_map(data).collect() }
    }

    /// Hands over the open spans, which are exited but not closed in the sink.
    pub(super) fn persist(
        &mut self,
        sink: &mut dyn Sink,
    ) -> (PersistedSpans, BTreeMap<RawSpanId, Option<SinkSpan>>) {
        let mut entered = BTreeMap::<RawSpanId, Vec<Entered>>::new();
        for (thread, stack) in &self.threads {
            for (depth, id) in stack.iter().enumerate() {
                entered.entry(*id).or_default().push(Entered { thread: *thread, depth });
            }
        }
        self.exit_all(sink);

        let mut spans = BTreeMap::new();
        let mut sink_spans = BTreeMap::new();
        for (id, span) in core::mem::take(&mut self.spans) {
            sink_spans.insert(id, span.sink_span);
            spans.insert(
                id,
                SpanData {
                    metadata_id: span.metadata_id,
                    parent_id: span.parent,
                    ref_count: span.handles,
                    values: span.values,
                    entered: entered.remove(&id).unwrap_or_default(),
                },
            );
        }
        (PersistedSpans { spans }, sink_spans)
    }

    /// Exits what is entered, and closes those spans that were never persisted.
    pub(super) fn roll_back(&mut self, sink: &mut dyn Sink) {
        self.exit_all(sink);
        // Children come first: they have higher IDs.
        for (_, span) in core::mem::take(&mut self.spans).into_iter().rev() {
            let Some(sink_span) = span.sink_span.filter(|_| !span.is_committed) else { continue };
            for _ in 0..span.handles {
                sink.drop_handle(sink_span);
            }
            sink.closed(sink_span);
        }
    }

    /// Exits all spans, threads one after another, on each the innermost span first.
    fn exit_all(&mut self, sink: &mut dyn Sink) {
        for (_, stack) in core::mem::take(&mut self.threads) {
            for id in stack.iter().rev() {
                if let Some(span) = self.spans.get(id).and_then(|span| span.sink_span) {
                    sink.exit(span);
                }
            }
        }
    }
}

/// Finds the field of each value.
fn resolve<'a>(
    metadata_id: MetadataId,
    data: &CallSiteData,
    values: &RecordValues<'a>,
) -> Result<Vec<(usize, ValueRef<'a>)>, ReceiveError> {
    let resolved = match *values {
        RecordValues::Named(values) => resolve_named(metadata_id, data, values)?,
        #[cfg(feature = "frames")]
        RecordValues::Encoded(mut values) => {
            let len = data.fields.len();
            let mut resolved = Vec::with_capacity(len.min(16));
            while let Some((index, value)) = values.next()? {
                if index >= len {
                    return Err(ReceiveError::UnknownFieldIndex { metadata_id, index, len });
                }
                resolved.push((index, value));
            }
            resolved
        }
    };
    if resolved.len() > data.fields.len() {
        let (max, actual) = (data.fields.len(), resolved.len());
        return Err(ReceiveError::TooManyValues { max, actual });
    }
    Ok(resolved)
}

fn resolve_named<'a>(
    metadata_id: MetadataId,
    data: &CallSiteData,
    values: &'a TracedValues<String>,
) -> Result<Vec<(usize, ValueRef<'a>)>, ReceiveError> {
    let mut resolved = Vec::<(usize, ValueRef<'a>)>::with_capacity(values.len());
    for (name, value) in values {
        let candidates = (0..).zip(&data.fields).filter(|(_, field)| *field == name);
        // A call site may declare a name twice: its second value is that of its second field.
        let is_free = |index: usize| resolved.iter().all(|(taken, _)| *taken != index);
        let first = candidates.clone().next().map(|(index, _)| index);
        let index = candidates.map(|(index, _)| index).find(|index| is_free(*index)).or(first);
        let unknown = || ReceiveError::UnknownField { metadata_id, name: name.into() };
        resolved.push((index.ok_or_else(unknown)?, ValueRef::from(value)));
    }
    Ok(resolved)
}

/// Gives each value the name of its field.
fn name(data: &CallSiteData, values: &SinkValues<'_>) -> TracedValues<String> {
    let mut named = TracedValues::new();
    for (index, value) in values {
        if let Some(name) = data.fields.get(*index) {
            named.push(name.clone().into_owned(), TracedValue::from(value));
        }
    }
    named
}
