use alloc::{sync::Arc, vec::Vec};
use core::mem;
use std::collections::HashMap;

use super::{
    ReceiveError,
    id_map::IdMap,
    resolved_values::ResolvedValues,
    sink::{Innermost, Sink, SinkParent, SinkValues},
    span::{EnteredSpan, FoundParent, KnownSpan, LastHandle},
    span_values::SpanValues,
    stacks::Stacks,
    values::resolve,
};
use crate::wire::{
    CallSiteData, CallSiteKind, MetadataId, Parent, RawSpanId, Record, RecordValues, ThreadIndex,
    ValueRef, log_record,
};

/// The state machine that understands a stream of records.
///
/// It knows which call sites were announced, which spans are open and which are entered on which
/// thread. Each record is checked as a whole before anything is changed or told to the sink.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Call sites in the order in which the sink was told of them.
    pub(super) call_sites: Vec<KnownCallSite>,
    /// Index of each call site.
    pub(super) call_site_ids: IdMap<usize>,
    /// Index of the call site of each place that records of the `log` crate came from.
    log_call_sites: HashMap<Arc<CallSiteData>, usize>,
    pub(super) spans: IdMap<KnownSpan>,
    /// The highest ID that a span ever had, or may have had before the stream was restored.
    pub(super) last_span_id: RawSpanId,
    /// Open spans without a handle that the sink knows to have none.
    pub(super) without_handle: usize,
    pub(super) stacks: Stacks,
    /// Room for the encoded values of a new span.
    pub(super) encoded_room: Vec<u8>,
}

/// A call site that the sink was told of.
#[derive(Debug)]
pub(super) struct KnownCallSite {
    pub(super) data: Arc<CallSiteData>,
    /// Whether records of the `log` crate come from it.
    is_of_log: bool,
}

impl Stream {
    /// Takes in a record, and tells the sink. Where its kind is known, so is what is to be done.
    #[inline]
    pub(super) fn receive(
        &mut self,
        record: Record<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        match record {
            Record::NewCallSite { id, data } => self.new_call_site(id, data, sink),
            Record::NewSpan { id, parent, metadata_id, values, thread } => {
                self.new_span(id, parent, metadata_id, values, thread, sink)?;
            }
            Record::FollowsFrom { id, follows_from } => {
                self.follows_from(id, follows_from, sink)?;
            }
            Record::SpanEntered { id, thread } => self.enter(id, thread, sink)?,
            Record::SpanExited { id, thread } => self.exit(id, thread, sink)?,
            Record::SpanCloned { id } => self.clone_handle(id, sink)?,
            Record::SpanDropped { id } => self.drop_handle(id, sink)?,
            Record::ValuesRecorded { id, values } => self.record(id, values, sink)?,
            Record::NewEvent { metadata_id, parent, values, thread } => {
                self.new_event(metadata_id, parent, values, thread, sink)?;
            }
        }
        Ok(())
    }

    #[cold]
    pub(super) fn new_call_site(
        &mut self,
        id: MetadataId,
        data: Arc<CallSiteData>,
        sink: &mut dyn Sink,
    ) {
        // A sender may announce a call site more than once. It is another one only if a sender
        // that numbers by address comes back with other code.
        let known = self.call_site_ids.get(id).and_then(|index| self.call_sites.get(*index));
        if known.is_none_or(|known| known.data != data) {
            self.call_site_ids.insert(id, self.call_sites.len());
            self.tell_call_site(data, sink);
        }
    }

    fn tell_call_site(&mut self, data: Arc<CallSiteData>, sink: &mut dyn Sink) {
        sink.new_call_site(&data);
        let fields = data.fields.iter().map(|field| &**field);
        let is_of_log = log_record::is_log_event(&data.name, &data.target, fields);
        self.call_sites.push(KnownCallSite { data, is_of_log });
    }

    #[inline]
    pub(super) fn call_site(
        &self,
        id: MetadataId,
        kind: CallSiteKind,
    ) -> Result<(usize, &KnownCallSite), ReceiveError> {
        let index = *self.call_site_ids.get(id).ok_or(ReceiveError::UnknownMetadataId(id))?;
        let site = self.call_sites.get(index).ok_or(ReceiveError::UnknownMetadataId(id))?;
        if site.data.kind == kind {
            Ok((index, site))
        } else {
            Err(ReceiveError::WrongKind { metadata_id: id, actual: site.data.kind })
        }
    }

    #[inline]
    pub(super) fn span(&self, id: RawSpanId) -> Result<&KnownSpan, ReceiveError> {
        self.spans.get(id).ok_or(ReceiveError::UnknownSpanId(id))
    }

    /// Whether a span is closed that may have been there.
    fn is_closed(&self, id: RawSpanId) -> bool {
        (1..=self.last_span_id).contains(&id) && !self.spans.contains(id)
    }

    fn new_event(
        &mut self,
        metadata_id: MetadataId,
        parent: Parent,
        values: RecordValues<'_>,
        thread: ThreadIndex,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        let mut resolved = ResolvedValues::new();
        let (index, site) = self.call_site(metadata_id, CallSiteKind::Event)?;
        resolve(metadata_id, &site.data, values, &mut resolved)?;
        let parent = self.parent_of_event(parent, thread)?;
        if site.is_of_log {
            let data = Arc::clone(&site.data);
            let index = self.call_site_of_log(&data, &resolved, sink);
            let is_message = |(field, _): &&(usize, ValueRef<'_>)| *field == log_record::MESSAGE;
            let message: Vec<_> = resolved.iter().filter(is_message).copied().collect();
            sink.new_event(index, thread, parent, &message);
        } else {
            sink.new_event(index, thread, parent, &resolved);
        }
        Ok(())
    }

    /// Finds the call site that a record of the `log` crate names itself.
    #[cold]
    fn call_site_of_log(
        &mut self,
        data: &CallSiteData,
        values: &SinkValues<'_>,
        sink: &mut dyn Sink,
    ) -> usize {
        let data = log_record::call_site(data, values, ValueRef::as_str, ValueRef::as_u64);
        let data = Arc::new(data);
        let next = self.call_sites.len();
        let index = *self.log_call_sites.entry(Arc::clone(&data)).or_insert(next);
        if index == next {
            self.tell_call_site(data, sink);
        }
        index
    }

    #[inline]
    pub(super) fn span_mut(&mut self, id: RawSpanId) -> Result<&mut KnownSpan, ReceiveError> {
        self.spans.get_mut(id).ok_or(ReceiveError::UnknownSpanId(id))
    }

    /// Finds the parent of a new span.
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
    #[inline]
    fn parent_of_event(
        &self,
        parent: Parent,
        thread: ThreadIndex,
    ) -> Result<SinkParent, ReceiveError> {
        match parent {
            Parent::Contextual => Ok(self.contextual_parent(thread).for_sink),
            Parent::Explicit(id) if self.is_closed(id) => Ok(SinkParent::Root),
            _ => Ok(self.parent(parent, thread)?.for_sink),
        }
    }

    #[inline]
    fn contextual_parent(&self, thread: ThreadIndex) -> FoundParent {
        match self.stacks.current(thread) {
            None => FoundParent {
                for_sink: SinkParent::Contextual(Innermost::None),
                ..FoundParent::root()
            },
            Some(EnteredSpan { id, sink_span: Some(sink_span), is_closed_elsewhere: false })
                if self.span(*id).is_ok_and(|span| !span.is_closed) =>
            {
                FoundParent {
                    in_program: Some(*id),
                    in_sink: Some(*id),
                    for_sink: SinkParent::Contextual(Innermost::Open(*sink_span)),
                }
            }
            Some(_) => self.contextual_parent_around(thread),
        }
    }

    /// Finds the contextual parent of whatever is in a span that is closed, or that the sink does
    /// not want.
    #[cold]
    fn contextual_parent_around(&self, thread: ThreadIndex) -> FoundParent {
        let scope = || self.stacks.scope(thread);
        let is_open =
            |span: &EnteredSpan| self.spans.get(span.id).is_some_and(|span| !span.is_closed);
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

    fn follows_from(
        &mut self,
        id: RawSpanId,
        follows_from: RawSpanId,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
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
        Ok(())
    }

    fn new_span(
        &mut self,
        id: RawSpanId,
        parent: Parent,
        metadata_id: MetadataId,
        values: RecordValues<'_>,
        thread: ThreadIndex,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        let mut resolved = ResolvedValues::new();
        let (call_site, site) = self.call_site(metadata_id, CallSiteKind::Span)?;
        resolve(metadata_id, &site.data, values, &mut resolved)?;
        let is_root = parent == Parent::Root;
        let parent = self.parent(parent, thread)?;
        if self.spans.contains(id) {
            return Err(ReceiveError::SpanExists(id));
        }
        let sink_span = sink.new_span(call_site, thread, parent.for_sink, &resolved);
        let values = SpanValues::new(values, &resolved, mem::take(&mut self.encoded_room));
        let keeps_open = parent.in_sink.filter(|_| sink_span.is_some());
        let span = KnownSpan {
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
            values,
            is_root,
            follows_from: Vec::new(),
            sink_span,
            is_committed: false,
        };
        self.spans.insert(id, span);
        self.last_span_id = self.last_span_id.max(id);
        self.keep_open(keeps_open);
        Ok(())
    }

    /// Counts a child that a span has in the sink.
    pub(super) fn keep_open(&mut self, parent: Option<RawSpanId>) {
        if let Some(parent) = parent.and_then(|parent| self.spans.get_mut(parent)) {
            parent.children += 1;
        }
    }

    fn enter(
        &mut self,
        id: RawSpanId,
        thread: ThreadIndex,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        let sink_span = self.span(id)?.sink_span;
        if let Some(span) = sink_span {
            sink.enter(span, thread);
        }
        self.push_entered(thread, EnteredSpan { id, sink_span, is_closed_elsewhere: false });
        Ok(())
    }

    fn exit(
        &mut self,
        id: RawSpanId,
        thread: ThreadIndex,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        let Some(entered) = self.stacks.remove(thread, id) else {
            return Err(self.cannot_exit(id, thread));
        };
        if let Some(span) = entered.sink_span {
            sink.exit(span, thread);
        }
        if let Some(span) = self.spans.get_mut(id) {
            span.entered -= 1;
            if span.is_closed {
                self.forget_if_closed(id);
            }
        }
        Ok(())
    }

    pub(super) fn push_entered(&mut self, thread: ThreadIndex, span: EnteredSpan) {
        if let Some(span) = self.spans.get_mut(span.id) {
            span.entered += 1;
        }
        self.stacks.push(thread, span);
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
        values: RecordValues<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ReceiveError> {
        let span = self.span(id)?;
        let (metadata_id, call_site) = (span.metadata_id, span.call_site);
        let site =
            self.call_sites.get(call_site).ok_or(ReceiveError::UnknownMetadataId(metadata_id))?;
        let mut resolved = ResolvedValues::new();
        resolve(metadata_id, &site.data, values, &mut resolved)?;
        let span = self.span_mut(id)?;
        span.values.update(&resolved);
        if let Some(span) = span.sink_span {
            sink.record(span, call_site, &resolved);
        }
        Ok(())
    }
}
