//! The beginning and the end of a [`Stream`]: restoring, persisting and rolling back.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::iter;

use super::{
    per_thread::FIRST_THREAD,
    persist::{Entered, PersistedMetadata, PersistedSpans, SpanData},
    resolved_values::ResolvedValues,
    sink::{Innermost, Sink, SinkParent, SinkSpan},
    span::{EnteredSpan, KnownSpan, LastHandle},
    span_values::SpanValues,
    stream::Stream,
    values::{name, owned, resolve_named},
};
use crate::wire::{CallSiteData, CallSiteKind, MetadataId, RawSpanId};

/// What a sink knows of spans.
pub(super) type SinkSpans = BTreeMap<RawSpanId, LocalSpan>;

/// What a sink knows of a span.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalSpan {
    /// What it calls the span, unless it does not want it.
    sink_span: Option<SinkSpan>,
    /// Handles that it does not know of.
    unshared: usize,
    last_handle: LastHandle,
    /// What else the stream knew of it.
    metadata_id: MetadataId,
    parent: Option<RawSpanId>,
    handles: usize,
    is_closed: bool,
}

impl LocalSpan {
    /// Whether this is what was persisted of it.
    pub(super) fn is(&self, data: &SpanData) -> bool {
        self.metadata_id == data.metadata_id
            && self.parent == data.parent_id
            && self.handles == data.ref_count
            && self.is_closed == data.is_closed
    }
}

impl Stream {
    /// Takes in spans that were persisted. What does not fit together is left out.
    pub(super) fn restore(
        &mut self,
        spans: PersistedSpans,
        sink_spans: &SinkSpans,
        sink: &mut (impl Sink + ?Sized),
    ) {
        // Which spans there were before and are closed is not persisted.
        self.last_span_id = RawSpanId::MAX;

        let parents: BTreeSet<_> = spans.spans.values().filter_map(|data| data.parent_id).collect();
        let mut entered = Vec::new();
        let mut new_spans = Vec::new();
        let mut restored = Vec::new();
        // Parents come first: they have lower IDs.
        for (id, mut data) in spans.spans {
            entered.extend(data.entered.iter().map(|place| (*place, id)));
            if let Some(known) = sink_spans.get(&id) {
                // A sink counts on it, so that it is not taken from whoever kept it.
                data.parent_id = known.parent;
                data.ref_count = known.handles;
                data.is_closed = known.is_closed;
            } else {
                data.is_closed |= data.ref_count == 0 && !parents.contains(&id);
                new_spans.push(id);
            }
            restored.push(id);
            self.restore_span(id, data, sink_spans, sink);
        }
        self.close_left_out(sink_spans, sink);
        for id in &new_spans {
            self.restore_follows_from(*id, sink);
        }

        entered.sort_by_key(|(place, _)| (place.thread, place.depth));
        for (place, id) in entered {
            let Some(span) = self.spans.get(&id) else { continue };
            let known = || sink_spans.get(&id).and_then(|known| known.sink_span);
            let sink_span = if span.is_closed { known() } else { span.sink_span };
            if let Some(span) = sink_span {
                sink.enter(span, place.thread);
            }
            let is_closed_elsewhere = span.is_closed && !sink_spans.contains_key(&id);
            let span = EnteredSpan { id, sink_span, is_closed_elsewhere };
            self.push_entered(place.thread, span);
        }

        // What has no handle should be kept open by its children, which are there now.
        for id in restored.into_iter().rev() {
            self.close_if_unused(id, sink);
        }
    }

    fn restore_span(
        &mut self,
        id: RawSpanId,
        data: SpanData,
        sink_spans: &SinkSpans,
        sink: &mut (impl Sink + ?Sized),
    ) {
        let call_site = self.call_site(data.metadata_id, CallSiteKind::Span);
        let Ok((call_site, site)) = call_site else { return };
        let mut values = ResolvedValues::new();
        if resolve_named(data.metadata_id, &site.data, &site.names, &data.values, &mut values)
            .is_err()
        {
            return;
        }
        let parent = data.parent_id.filter(|parent| self.spans.contains_key(parent));
        let (in_sink, for_sink) = self.parent_in_sink(parent, data.is_root);
        let (sink_span, unshared, last_handle) = match sink_spans.get(&id) {
            _ if data.is_closed => (None, 0, LastHandle::InUse),
            Some(known) => (known.sink_span, known.unshared, known.last_handle),
            None => (
                sink.new_span(call_site, FIRST_THREAD, for_sink, Some(&values)),
                data.ref_count.saturating_sub(1),
                // A new span has a handle.
                match data.ref_count {
                    0 => LastHandle::DropDeferred,
                    _ => LastHandle::InUse,
                },
            ),
        };
        let span = KnownSpan {
            metadata_id: data.metadata_id,
            call_site,
            parent,
            depth: self.depth(parent).saturating_add(1),
            keeps_open: in_sink.filter(|_| sink_span.is_some()),
            handles: data.ref_count,
            unshared,
            last_handle,
            children: 0,
            entered: 0,
            is_closed: data.is_closed,
            values: SpanValues::Owned(owned(&values)),
            is_root: data.is_root,
            follows_from: data.follows_from,
            sink_span,
            is_committed: true,
        };
        self.without_handle += usize::from(last_handle == LastHandle::Dropped);
        self.keep_open(span.keeps_open);
        self.spans.insert(id, span);
    }

    /// Closes those spans that the sink knows and that were not restored, as nobody can name them.
    fn close_left_out(&self, sink_spans: &SinkSpans, sink: &mut (impl Sink + ?Sized)) {
        let left_out = sink_spans.iter().filter(|(id, _)| !self.spans.contains_key(*id));
        // Children come first: they have higher IDs.
        for (_, known) in left_out.rev().filter(|(_, known)| !known.is_closed) {
            if let Some(sink_span) = known.sink_span {
                close(sink_span, known.unshared, known.handles, known.last_handle, sink);
            }
        }
    }

    /// Finds the nearest span around a restored one that the sink wants.
    fn parent_in_sink(
        &self,
        parent: Option<RawSpanId>,
        is_root: bool,
    ) -> (Option<RawSpanId>, SinkParent) {
        let ancestors = iter::successors(parent, |id| self.spans.get(id)?.parent);
        let wanted = |id: RawSpanId| Some((id, self.spans.get(&id)?.sink_span?));
        match ancestors.into_iter().find_map(wanted) {
            Some((id, span)) => (Some(id), SinkParent::Explicit(span)),
            None if is_root => (None, SinkParent::Root),
            None => (None, SinkParent::Contextual(Innermost::None)),
        }
    }

    fn restore_follows_from(&self, id: RawSpanId, sink: &mut (impl Sink + ?Sized)) {
        let Some(span) = self.spans.get(&id) else { return };
        let sources = span.follows_from.iter().filter_map(|source| self.spans.get(source));
        for source in sources.filter_map(|source| source.sink_span) {
            if let Some(span) = span.sink_span {
                sink.follows_from(span, source);
            }
        }
    }

    pub(super) fn persist_metadata(&self) -> PersistedMetadata {
        let data = |(id, index): (&MetadataId, &usize)| {
            self.call_sites.get(*index).map(|site| (*id, CallSiteData::clone(&site.data)))
        };
        PersistedMetadata { call_sites: self.call_site_ids.iter().filter_map(data).collect() }
    }

    /// Hands over the open spans, which are exited but not closed in the sink.
    pub(super) fn persist(
        &mut self,
        sink: &mut (impl Sink + ?Sized),
    ) -> (PersistedSpans, SinkSpans) {
        let mut spans = BTreeMap::new();
        let mut sink_spans = SinkSpans::new();
        for (id, span) in core::mem::take(&mut self.spans) {
            let site = self.call_sites.get(span.call_site);
            let values = span.values.into_owned();
            let values = site.map(|site| name(site, values)).unwrap_or_default();
            let known = LocalSpan {
                sink_span: span.sink_span,
                unshared: span.unshared,
                last_handle: span.last_handle,
                metadata_id: span.metadata_id,
                parent: span.parent,
                handles: span.handles,
                is_closed: span.is_closed,
            };
            sink_spans.insert(id, known);
            spans.insert(
                id,
                SpanData {
                    metadata_id: span.metadata_id,
                    parent_id: span.parent,
                    is_root: span.is_root,
                    is_closed: span.is_closed,
                    ref_count: span.handles,
                    values,
                    follows_from: span.follows_from,
                    entered: Vec::new(),
                },
            );
        }
        for (thread, stack) in self.stacks.iter() {
            for (depth, span) in stack.enumerate() {
                if let Some(data) = spans.get_mut(&span.id) {
                    data.entered.push(Entered { thread, depth });
                }
                // If the span was closed while it was entered, it is known for the sake of its exit.
                if let Some(known) = sink_spans.get_mut(&span.id) {
                    known.sink_span = known.sink_span.or(span.sink_span);
                }
            }
        }
        self.exit_all(sink);
        (PersistedSpans { spans }, sink_spans)
    }

    /// Exits what is entered, and closes those spans that were never persisted.
    pub(super) fn roll_back(&mut self, sink: &mut (impl Sink + ?Sized)) {
        self.exit_all(sink);
        self.without_handle = 0;
        // Children come first: they have higher IDs.
        for (_, span) in core::mem::take(&mut self.spans).into_iter().rev() {
            let Some(sink_span) = span.sink_span.filter(|_| !span.is_committed) else { continue };
            close(sink_span, span.unshared, span.handles, span.last_handle, sink);
        }
    }

    /// Exits all spans, threads one after another, on each the innermost span first.
    fn exit_all(&mut self, sink: &mut (impl Sink + ?Sized)) {
        for (thread, stack) in self.stacks.take().iter() {
            for span in stack.rev().filter_map(|entered| entered.sink_span) {
                sink.exit(span, thread);
            }
        }
    }
}

/// Drops those handles of a span that the sink knows.
fn close(
    span: SinkSpan,
    unshared: usize,
    handles: usize,
    last_handle: LastHandle,
    sink: &mut (impl Sink + ?Sized),
) {
    let deferred = usize::from(last_handle == LastHandle::DropDeferred);
    for _ in unshared..handles.saturating_add(deferred) {
        sink.drop_handle(span);
    }
    sink.closed(span);
}
