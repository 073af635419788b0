use alloc::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    vec::Vec,
};
use std::collections::HashMap;

use super::{
    ReceiveError,
    sink::{Innermost, Sink, SinkParent},
    span::{EnteredSpan, FoundParent, KnownSpan, LastHandle},
    values::{owned, resolve, update},
};
use crate::wire::{
    CallSiteData, CallSiteKind, MetadataId, Parent, RawSpanId, Record, RecordValues, SpanStack,
    ThreadIndex, ValueRef, log_record,
};

/// The state machine that understands a stream of records.
///
/// It knows which call sites were announced, which spans are open and which are entered on which
/// thread. Each record is checked as a whole before anything is changed or told to the sink.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Call sites in the order in which the sink was told of them.
    pub(super) call_sites: Vec<Arc<CallSiteData>>,
    /// Index of each call site.
    pub(super) call_site_ids: BTreeMap<MetadataId, usize>,
    /// Index of the call site of each place that records of the `log` crate came from.
    log_call_sites: HashMap<Arc<CallSiteData>, usize>,
    pub(super) spans: BTreeMap<RawSpanId, KnownSpan>,
    /// The highest ID that a span ever had, or may have had before the stream was restored.
    pub(super) last_span_id: RawSpanId,
    /// Open spans without a handle that the sink knows to have none.
    pub(super) without_handle: usize,
    pub(super) threads: BTreeMap<ThreadIndex, SpanStack<EnteredSpan>>,
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
                    Err(_) if self.is_closed(follows_from) => None,
                    Err(error) => return Err(error),
                };
                if let (Some(span), Some(source)) = (span, source) {
                    sink.follows_from(span, source);
                    self.span_mut(id)?.follows_from.push(follows_from);
                }
            }
            Record::SpanEntered { id, thread } => {
                let sink_span = self.span(id)?.sink_span;
                if let Some(span) = sink_span {
                    sink.enter(span, thread);
                }
                let is_closed_elsewhere = false;
                let span = EnteredSpan { id, sink_span, is_closed_elsewhere };
                self.push_entered(thread, span);
            }
            Record::SpanExited { id, thread } => self.exit(id, thread, sink)?,
            Record::SpanCloned { id } => self.clone_handle(id, sink)?,
            Record::SpanDropped { id } => self.drop_handle(id, sink)?,
            Record::ValuesRecorded { id, values } => self.record(id, &values, sink)?,
            Record::NewEvent { metadata_id, parent, values, thread } => {
                let (index, data) = self.call_site(metadata_id, CallSiteKind::Event)?;
                let mut values = resolve(metadata_id, data, &values)?;
                let parent = self.parent_of_event(parent, thread)?;
                let index = self.normalize_log_event(index, &mut values, sink).unwrap_or(index);
                sink.new_event(index, thread, parent.for_sink, &values);
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

    pub(super) fn call_site(
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

    pub(super) fn span(&self, id: RawSpanId) -> Result<&KnownSpan, ReceiveError> {
        self.spans.get(&id).ok_or(ReceiveError::UnknownSpanId(id))
    }

    /// Whether a span is closed that may have been there.
    fn is_closed(&self, id: RawSpanId) -> bool {
        (1..=self.last_span_id).contains(&id) && !self.spans.contains_key(&id)
    }

    /// Gives a record of the `log` crate the call site that it names itself.
    fn normalize_log_event(
        &mut self,
        index: usize,
        values: &mut Vec<(usize, ValueRef<'_>)>,
        sink: &mut dyn Sink,
    ) -> Option<usize> {
        let data = self.call_sites.get(index)?;
        let fields = data.fields.iter().map(|field| &**field);
        if !log_record::is_log_event(&data.name, &data.target, fields) {
            return None;
        }
        let data = log_record::call_site(data, values, ValueRef::as_str, ValueRef::as_u64);
        let data = Arc::new(data);
        values.retain(|(field, _)| *field == log_record::MESSAGE);
        let next = self.call_sites.len();
        let index = *self.log_call_sites.entry(Arc::clone(&data)).or_insert(next);
        if index == next {
            sink.new_call_site(&data);
            self.call_sites.push(data);
        }
        Some(index)
    }

    pub(super) fn span_mut(&mut self, id: RawSpanId) -> Result<&mut KnownSpan, ReceiveError> {
        self.spans.get_mut(&id).ok_or(ReceiveError::UnknownSpanId(id))
    }

    /// Finds the parent of a new span or event.
    fn parent(&self, parent: Parent, thread: ThreadIndex) -> Result<FoundParent, ReceiveError> {
        Ok(match parent {
            Parent::Root => FoundParent::root(),
            Parent::Explicit(id) => match self.span(id)?.sink_span {
                Some(span) => FoundParent {
                    in_program: Some(id),
                    in_sink: Some(id),
                    for_sink: SinkParent::Explicit(span),
                },
                // The handle of a disabled span has no ID, so that what names it for its parent
                // is natively a root.
                None => FoundParent { in_program: Some(id), ..FoundParent::root() },
            },
            Parent::Contextual => self.contextual_parent(thread),
        })
    }

    /// Finds the parent of an event, which natively, too, may name a closed span, and is in none then.
    fn parent_of_event(
        &self,
        parent: Parent,
        thread: ThreadIndex,
    ) -> Result<FoundParent, ReceiveError> {
        match parent {
            Parent::Explicit(id) if self.is_closed(id) => Ok(FoundParent::root()),
            _ => self.parent(parent, thread),
        }
    }

    fn contextual_parent(&self, thread: ThreadIndex) -> FoundParent {
        let stack = self.threads.get(&thread);
        let scope = || stack.into_iter().flat_map(SpanStack::scope);
        let is_open =
            |span: &EnteredSpan| self.spans.get(&span.id).is_some_and(|span| !span.is_closed);
        let is_enabled = |span: &EnteredSpan| span.sink_span.is_some();
        // Whoever is in a closed span is in none, whatever is around it; but a span that the sink
        // does not want is never entered there.
        let in_program =
            scope().find(|span| is_open(span) || is_enabled(span) || span.is_closed_elsewhere);
        let in_sink = scope().find(|span| is_enabled(span) || span.is_closed_elsewhere);
        let for_sink = match in_sink {
            Some(span) if span.is_closed_elsewhere => SinkParent::Root,
            Some(span) if !is_open(span) => SinkParent::Contextual(Innermost::Closed),
            Some(EnteredSpan { sink_span: Some(span), .. }) => {
                SinkParent::Contextual(Innermost::Open(*span))
            }
            _ => SinkParent::Contextual(Innermost::None),
        };
        FoundParent {
            in_program: in_program.filter(|span| is_open(span)).map(|span| span.id),
            in_sink: in_sink.filter(|span| is_open(span)).map(|span| span.id),
            for_sink,
        }
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
        let is_root = parent == Parent::Root;
        let parent = self.parent(parent, thread)?;
        let Entry::Vacant(entry) = self.spans.entry(id) else {
            return Err(ReceiveError::SpanExists(id));
        };
        let sink_span = sink.new_span(call_site, thread, parent.for_sink, &resolved);
        let keeps_open = parent.in_sink.filter(|_| sink_span.is_some());
        entry.insert(KnownSpan {
            metadata_id,
            call_site,
            parent: parent.in_program,
            keeps_open,
            handles: 1,
            unshared: 0,
            children: 0,
            entered: 0,
            is_closed: false,
            last_handle: LastHandle::InUse,
            values: owned(&resolved),
            is_root,
            follows_from: Vec::new(),
            sink_span,
            is_committed: false,
        });
        self.last_span_id = self.last_span_id.max(id);
        self.keep_open(keeps_open);
        Ok(())
    }

    /// Counts a child that a span has in the sink.
    pub(super) fn keep_open(&mut self, parent: Option<RawSpanId>) {
        if let Some(parent) = parent.and_then(|parent| self.spans.get_mut(&parent)) {
            parent.children += 1;
        }
    }

    fn exit(
        &mut self,
        id: RawSpanId,
        thread: ThreadIndex,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        let Entry::Occupied(mut stack) = self.threads.entry(thread) else {
            return Err(self.cannot_exit(id, thread));
        };
        let Some(entered) = stack.get_mut().remove(id) else {
            return Err(self.cannot_exit(id, thread));
        };
        if stack.get().is_empty() {
            stack.remove();
        }
        if let Some(span) = entered.sink_span {
            sink.exit(span, thread);
        }
        if let Some(span) = self.spans.get_mut(&id) {
            span.entered -= 1;
        }
        self.forget_if_closed(id);
        Ok(())
    }

    pub(super) fn push_entered(&mut self, thread: ThreadIndex, span: EnteredSpan) {
        if let Some(span) = self.spans.get_mut(&span.id) {
            span.entered += 1;
        }
        self.threads.entry(thread).or_insert_with(SpanStack::new).push(span);
    }

    fn cannot_exit(&self, id: RawSpanId, thread: ThreadIndex) -> ReceiveError {
        match self.span(id) {
            Ok(_) => ReceiveError::SpanNotEntered { id, thread },
            Err(error) => error,
        }
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
        let span = self.span_mut(id)?;
        update(&mut span.values, &values);
        if let Some(span) = span.sink_span {
            sink.record(span, call_site, &values);
        }
        Ok(())
    }
}
