use alloc::{boxed::Box, collections::BTreeMap, sync::Arc, vec::Vec};
use core::{mem, num::NonZeroU64};
use std::collections::HashMap;

use super::values::resolve_each;
use super::{
    Limit, ReceiveError, ReceiverLimits,
    attempt::Checkpoint,
    field_names::FieldNames,
    resolved_values::ResolvedValues,
    sink::{Sink, SinkValues},
    span::{EnteredSpan, KnownSpan, LastHandle},
    span_values::SpanValues,
    stacks::Stacks,
    values::resolve,
};
use crate::wire::{
    CallSiteData, CallSiteKind, MetadataId, Parent, RawSpanId, Record, RecordValues, ThreadIndex,
};

/// The state machine that understands a stream of records.
///
/// It knows which call sites were announced, which spans are open and which are entered on which
/// thread. Each record is checked as a whole before anything is changed or told to the sink.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Call sites in the order in which the sink was told of them.
    pub(super) call_sites: Vec<KnownCallSite>,
    /// Index of each call site.
    pub(super) call_site_ids: BTreeMap<MetadataId, usize>,
    pub(super) spans: BTreeMap<RawSpanId, KnownSpan>,
    /// The highest ID that a span ever had, or may have had before the stream was restored.
    pub(super) last_span_id: RawSpanId,
    /// Spans that were created so far.
    pub(super) created: u64,
    /// Spans of these that were persisted, or closed before: they stay open if the execution is rolled back.
    pub(super) committed: u64,
    /// Open spans without a handle that the sink knows to have none.
    pub(super) without_handle: usize,
    pub(super) stacks: Stacks,
    /// Room for the encoded values of a new span.
    pub(super) encoded_room: Vec<u8>,
    pub(super) limits: ReceiverLimits,
    /// What there was when the attempt began that may be rolled back.
    pub(super) attempt: Option<Box<Checkpoint>>,
    /// Call sites that were announced in attempts that were rolled back, or in earlier streams of bytes. Each attempt and
    /// stream announces them again, and they are not one more each time.
    pub(super) rolled_back: HashMap<Arc<CallSiteData>, usize>,
    /// Records that were taken.
    taken: u64,
    /// Whether the trace tells that something was refused.
    pub(super) is_loss_traced: bool,
    /// Whether the records are those of a trace that was read again, rather than those of a program: they name the span
    /// that each was in, whatever the program said.
    pub(super) is_of_trace: bool,
}

/// A call site that the sink was told of.
#[derive(Debug)]
pub(super) struct KnownCallSite {
    pub(super) data: Arc<CallSiteData>,
    pub(super) names: FieldNames,
}

impl Stream {
    /// Takes in a record, and tells the sink. It is inlined where the kind of the record is known.
    #[inline(always)]
    pub(super) fn receive(
        &mut self,
        record: Record<RecordValues<'_>>,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        self.limits.check(Limit::Records, self.taken.saturating_add(1))?;
        match record {
            Record::NewCallSite { id, data } => self.new_call_site(id, Arc::new(data), sink)?,
            Record::NewSpan { id, parent_id, is_root, metadata_id, values, thread } => {
                let parent = Parent::new(parent_id, is_root);
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
            Record::NewEvent { metadata_id, parent, is_root, values, thread } => {
                let parent = Parent::new(parent, is_root);
                self.new_event(metadata_id, parent, values, thread, sink)?;
            }
        }
        self.taken = self.taken.saturating_add(1);
        Ok(())
    }

    /// Rolls back, and goes on with another stream under the same limits.
    pub(super) fn begin_anew(&mut self, sink: &mut (impl Sink + ?Sized)) {
        if self.committed > 0 || self.attempt.is_some() {
            return;
        }
        let mut earlier = mem::take(self);
        // The sink knows call sites by their indices. The same program announces the same ones.
        self.call_sites = mem::take(&mut earlier.call_sites);
        let announced = self.call_sites.iter().enumerate();
        self.rolled_back = announced.map(|(index, site)| (Arc::clone(&site.data), index)).collect();
        self.limits = earlier.limits;
        self.taken = earlier.taken;
        self.is_loss_traced = earlier.is_loss_traced;
        self.is_of_trace = earlier.is_of_trace;
        earlier.roll_back(sink);
    }

    #[cold]
    pub(super) fn new_call_site(
        &mut self,
        id: MetadataId,
        data: Arc<CallSiteData>,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        // A sender may announce a call site more than once. It is another one only if a sender
        // that numbers by address comes back with other code.
        let known = self.call_site_ids.get(&id).and_then(|index| self.call_sites.get(*index));
        if known.is_none_or(|known| known.data != data) {
            let limits = self.limits;
            limits.check_call_site(&data)?;
            let index = if let Some(index) = self.rolled_back.get(&data) {
                *index
            } else {
                limits.check_one_more(
                    Limit::CallSites,
                    self.call_sites.len() - usize::from(self.is_loss_traced),
                )?;
                self.push_call_site(data, &limits, sink)?
            };
            self.call_site_ids.insert(id, index);
        }
        Ok(())
    }

    /// Tells the sink of a call site, and returns its index.
    pub(super) fn push_call_site(
        &mut self,
        data: Arc<CallSiteData>,
        limits: &ReceiverLimits,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<usize, ReceiveError> {
        sink.new_call_site(&data, limits)?;
        let names = FieldNames::new(&data);
        self.call_sites.push(KnownCallSite { data, names });
        Ok(self.call_sites.len() - 1)
    }

    #[inline]
    pub(super) fn call_site(
        &self,
        id: MetadataId,
        kind: CallSiteKind,
    ) -> Result<(usize, &KnownCallSite), ReceiveError> {
        let index = *self.call_site_ids.get(&id).ok_or(ReceiveError::UnknownMetadataId(id))?;
        let site = self.call_sites.get(index).ok_or(ReceiveError::UnknownMetadataId(id))?;
        if site.data.kind == kind {
            Ok((index, site))
        } else {
            Err(ReceiveError::WrongKind { metadata_id: id, actual: site.data.kind })
        }
    }

    /// Checks the values of a new span or event. Returns them, unless the sink took each.
    #[inline(always)]
    fn values<'room, 'a>(
        &self,
        metadata_id: MetadataId,
        site: &KnownCallSite,
        values: RecordValues<'a>,
        sink: &mut (impl Sink + ?Sized),
        room: &'room mut Option<ResolvedValues<'a>>,
    ) -> Result<Option<&'room SinkValues<'a>>, ReceiveError> {
        match values {
            RecordValues::Encoded(values)
                if sink.takes_each_value() && self.limits.allow_each_of(values) =>
            {
                sink.begin_values();
                let take = |index, value| sink.take_value(index, &value);
                let count = resolve_each(metadata_id, &site.data, values, take)?;
                self.limits.check(Limit::ValuesPerRecord, count as u64)?;
                Ok(None)
            }
            _ => {
                let resolved = room.insert(ResolvedValues::new());
                resolve(metadata_id, site, values, resolved)?;
                self.limits.check_values(values, resolved)?;
                Ok(Some(resolved))
            }
        }
    }

    #[inline]
    pub(super) fn span(&self, id: RawSpanId) -> Result<&KnownSpan, ReceiveError> {
        self.spans.get(&id).ok_or(ReceiveError::UnknownSpanId(id))
    }

    /// Returns the call site that a span was created with.
    #[inline]
    pub(super) fn call_site_of_span(
        &self,
        id: RawSpanId,
    ) -> Result<(MetadataId, &KnownCallSite), ReceiveError> {
        let span = self.span(id)?;
        let site = self.call_sites.get(span.call_site);
        site.map(|site| (span.metadata_id, site))
            .ok_or(ReceiveError::UnknownMetadataId(span.metadata_id))
    }

    /// Whether a span is closed that may have been there.
    pub(super) fn is_closed(&self, id: RawSpanId) -> bool {
        (1..=self.last_span_id).contains(&id) && !self.spans.contains_key(&id)
    }

    fn new_event(
        &mut self,
        metadata_id: MetadataId,
        parent: Parent,
        values: RecordValues<'_>,
        thread: ThreadIndex,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        self.pass_over_closed(thread);
        let (index, site) = self.call_site(metadata_id, CallSiteKind::Event)?;
        let mut room = None;
        let values = self.values(metadata_id, site, values, sink, &mut room)?;
        self.check_scope(parent, thread, sink)?;
        let said = self.said(parent);
        let parent = self.parent_of_event(parent, thread)?;
        sink.new_event(index, thread, parent, said, values);
        Ok(())
    }

    #[inline]
    pub(super) fn span_mut(&mut self, id: RawSpanId) -> Result<&mut KnownSpan, ReceiveError> {
        self.spans.get_mut(&id).ok_or(ReceiveError::UnknownSpanId(id))
    }

    fn follows_from(
        &mut self,
        id: RawSpanId,
        follows_from: RawSpanId,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        let span = self.span(id)?.sink_span;
        // Natively, too, one may follow from a span that is closed, and nobody learns.
        let source = match self.span(follows_from) {
            Ok(source) => source.sink_span.map(|span| (span, source.named(follows_from))),
            Err(_) if self.is_closed(follows_from) => None,
            Err(error) => return Err(error),
        };
        if let (Some(span), Some((sink_source, source))) = (span, source) {
            self.limits.check_one_more(Limit::FollowsFrom, self.span(id)?.follows_from.len())?;
            sink.follows_from(span, sink_source);
            self.span_mut(id)?.follows_from.push(source);
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
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        self.pass_over_closed(thread);
        let (call_site, site) = self.call_site(metadata_id, CallSiteKind::Span)?;
        let mut room = None;
        let resolved = self.values(metadata_id, site, values, sink, &mut room)?;
        self.check_scope(parent, thread, sink)?;
        let said = self.said(parent);
        let parent = self.parent(parent, thread)?;
        if self.spans.contains_key(&id) {
            return Err(ReceiveError::SpanExists(id));
        }
        self.limits.check_one_more(Limit::Depth, parent.depth)?;
        self.limits.check_one_more(Limit::OpenSpans, self.spans.len())?;
        let sink_span = sink.new_span(call_site, thread, parent.for_sink, said, resolved);
        let values = SpanValues::new(
            values,
            resolved.unwrap_or_default(),
            mem::take(&mut self.encoded_room),
        );
        let keeps_open = parent.in_sink.filter(|_| sink_span.is_some());
        let span = KnownSpan {
            metadata_id,
            call_site,
            created: self.next_created(),
            parent: parent.in_program,
            is_root: parent.is_root(),
            depth: parent.depth.saturating_add(1),
            keeps_open,
            handles: 1,
            unshared: 0,
            children: 0,
            entered: 0,
            is_closed: false,
            last_handle: LastHandle::InUse,
            values,
            follows_from: Vec::new(),
            sink_span,
        };
        self.spans.insert(id, span);
        self.last_span_id = self.last_span_id.max(id);
        self.keep_open(keeps_open);
        Ok(())
    }

    /// Checks that the host is in the span that a new span or event is in, as filters have to know.
    #[inline]
    pub(super) fn check_scope(
        &self,
        parent: Parent,
        thread: ThreadIndex,
        sink: &(impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        if matches!(parent, Parent::Contextual) && !sink.is_in_scope(thread) {
            let entered = self.stacks.in_sink(thread);
            if let Some(EnteredSpan { id, sink_span: Some(_), .. }) = entered {
                return Err(ReceiveError::NotInScope { id: *id });
            }
        }
        Ok(())
    }

    /// Numbers a span that is about to be created.
    pub(super) fn next_created(&mut self) -> NonZeroU64 {
        self.created = self.created.saturating_add(1); // nobody gets so far
        NonZeroU64::new(self.created).unwrap_or(NonZeroU64::MIN)
    }

    /// Counts a child that a span has in the sink.
    pub(super) fn keep_open(&mut self, parent: Option<RawSpanId>) {
        if let Some(parent) = parent.and_then(|parent| self.spans.get_mut(&parent)) {
            parent.children += 1;
        }
    }

    fn enter(
        &mut self,
        id: RawSpanId,
        thread: ThreadIndex,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        let sink_span = self.span(id)?.sink_span;
        self.limits.check_one_more(Limit::Entered, self.stacks.len())?;
        self.limits.check_one_more(Limit::Depth, self.stacks.depth(thread))?;
        if let Some(span) = sink_span {
            if !sink.is_in_scope(thread) {
                return Err(ReceiveError::NotInScope { id });
            }
            sink.enter(span, thread);
        }
        self.push_entered(thread, EnteredSpan { id, sink_span, is_closed_elsewhere: false });
        Ok(())
    }

    fn exit(
        &mut self,
        id: RawSpanId,
        thread: ThreadIndex,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        // What a guest that buffers has entered may be known from its host, which has read the buffer while it was called.
        if !sink.is_in_scope(thread) {
            let span = self.spans.get(&id);
            if span.is_some_and(|span| span.entered > 0 && span.sink_span.is_some()) {
                return Err(ReceiveError::NotInScope { id });
            }
        }
        let Some(entered) = self.stacks.remove(thread, id) else {
            return Err(self.cannot_exit(id, thread));
        };
        if let Some(span) = entered.sink_span {
            sink.exit(span, thread);
        }
        if let Some(span) = self.spans.get_mut(&id) {
            span.entered -= 1;
            if span.sink_span.is_none() {
                self.forget_if_unused(id);
            }
        }
        Ok(())
    }

    pub(super) fn push_entered(&mut self, thread: ThreadIndex, span: EnteredSpan) {
        if let Some(span) = self.spans.get_mut(&span.id) {
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
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        let (metadata_id, site) = self.call_site_of_span(id)?;
        let mut resolved = ResolvedValues::new();
        resolve(metadata_id, site, values, &mut resolved)?;
        self.limits.check_values(values, &resolved)?;
        let span = self.span_mut(id)?;
        span.values.update(&resolved);
        if let Some(sink_span) = span.sink_span {
            sink.record(sink_span, span.call_site, &resolved);
        }
        Ok(())
    }
}
