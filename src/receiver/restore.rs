//! The beginning and the end of a [`Stream`]: restoring, persisting and rolling back.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    persist::{Entered, PersistedMetadata, PersistedSpans, SpanData},
    sink::{Sink, SinkParent, SinkSpan},
    stream::{EnteredSpan, OpenSpan, Stream},
    values::resolve_named,
};
use crate::wire::{CallSiteData, CallSiteKind, MetadataId, RawSpanId, SpanStack};

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
            let Some(sink_span) = self.spans.get(&id).map(|span| span.sink_span) else { continue };
            if let Some(span) = sink_span {
                sink.enter(span);
            }
            let stack = self.threads.entry(place.thread).or_insert_with(SpanStack::new);
            stack.push(EnteredSpan { id, sink_span });
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
            for (depth, span) in stack.iter().enumerate() {
                entered.entry(span.id).or_default().push(Entered { thread: *thread, depth });
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
            for span in stack.iter().rev().filter_map(|entered| entered.sink_span) {
                sink.exit(span);
            }
        }
    }
}
