//! A trace as a stream: the frames that a program would have sent to give this trace, as far as the trace tells.

use alloc::{collections::BTreeMap, vec, vec::Vec};
use std::collections::{HashMap, HashSet};

use crate::capture::{
    Storage,
    storage::call_sites::CallSiteIndex,
    storage::metadata::CallSite,
    storage::node::{EventIndex, NodeKind, SpanIndex},
    storage::timeline::{EntryIndex, EntryKind},
    storage::values::ValueRange,
};
use crate::wire::{CallSiteData, MetadataId, Parent, RawSpanId, ThreadIndex, frame::FrameWriter};

impl Storage {
    /// Hands out the frames, one after another, of a stream that gives this trace.
    pub(crate) fn for_each_frame(&self, mut send: impl FnMut(&[u8])) {
        Saving::new(self).run(|frame| send(frame.as_bytes()));
    }
}

/// A storage that is written as a stream.
struct Saving<'a> {
    storage: &'a Storage,
    /// IDs of call sites.
    call_sites: HashMap<CallSiteIndex, MetadataId>,
    /// The links of spans to the spans that they follow from, by the entry behind which they are sent.
    follows_from: HashMap<EntryIndex, Vec<(SpanIndex, SpanIndex)>>,
    /// Closed spans from which a span follows that is created later. A stream can only link spans that are open, so
    /// these are closed behind the later span.
    closed_late: HashMap<EntryIndex, Vec<SpanIndex>>,
    is_closed_late: HashSet<SpanIndex>,
    earlier: Vec<Earlier>,
    /// The threads that are in each span, once for each time it was entered.
    entered: Vec<Vec<ThreadIndex>>,
}

/// How often a span was entered and exited in parts of the trace that were taken or left out. Only the numbers are left
/// of these.
#[derive(Clone, Copy)]
struct Earlier {
    entered: usize,
    exited: usize,
}

impl<'a> Saving<'a> {
    fn new(storage: &'a Storage) -> Self {
        let closed_late = closed_late(storage);
        Self {
            storage,
            call_sites: HashMap::new(),
            follows_from: follows_from(storage),
            is_closed_late: closed_late.values().flatten().copied().collect(),
            closed_late,
            earlier: earlier(storage),
            entered: vec![Vec::new(); storage.span_count()],
        }
    }

    fn run(mut self, mut send: impl FnMut(FrameWriter)) {
        let timeline = &self.storage.timeline;
        for entry in timeline.entries() {
            let thread = timeline.thread(entry).unwrap_or_default().into();
            match timeline.get(entry) {
                (NodeKind::Event(event), _) => self.event(event, thread, &mut send),
                (NodeKind::Span(span), EntryKind::Created(_)) => self.span(span, thread, &mut send),
                (NodeKind::Span(span), EntryKind::Entered) => self.enter(span, thread, &mut send),
                (NodeKind::Span(span), EntryKind::Recorded) => self.record(span, entry, &mut send),
                (NodeKind::Span(span), EntryKind::Exited) => self.exit(span, thread, &mut send),
                (NodeKind::Span(span), EntryKind::Closed) => {
                    if !self.is_closed_late.contains(&span) {
                        send(FrameWriter::span_dropped(id(span)));
                    }
                }
            }
            for (span, source) in self.follows_from.remove(&entry).unwrap_or_default() {
                send(FrameWriter::follows_from(id(span), id(source)));
            }
            for span in self.closed_late.remove(&entry).unwrap_or_default() {
                send(FrameWriter::span_dropped(id(span)));
            }
        }
    }

    fn span(&mut self, span: SpanIndex, thread: ThreadIndex, send: &mut impl FnMut(FrameWriter)) {
        let node = self.storage.span_node(span);
        let call_site = self.call_site(node.call_site, send);
        let frame = FrameWriter::new_span(id(span), parent(node.links.parent), call_site, thread);
        send(self.with_values(frame, node.values));

        let Earlier { entered, exited } = self.earlier[span.get()];
        (0..entered).for_each(|_| self.enter(span, thread, send));
        (0..exited).for_each(|_| self.exit(span, thread, send));
    }

    fn event(
        &mut self,
        event: EventIndex,
        thread: ThreadIndex,
        send: &mut impl FnMut(FrameWriter),
    ) {
        let node = self.storage.event_node(event);
        let call_site = self.call_site(node.call_site, send);
        let frame = FrameWriter::new_event(parent(node.links.parent), call_site, thread);
        send(self.with_values(frame, node.values));
    }

    fn record(&mut self, span: SpanIndex, entry: EntryIndex, send: &mut impl FnMut(FrameWriter)) {
        if let Some(values) = self.storage.span_node(span).record_at(entry) {
            send(self.with_values(FrameWriter::values_recorded(id(span)), values));
        }
    }

    fn enter(&mut self, span: SpanIndex, thread: ThreadIndex, send: &mut impl FnMut(FrameWriter)) {
        self.entered[span.get()].push(thread);
        send(FrameWriter::span_entered(id(span), thread));
    }

    /// Exits the span on this thread, or on another one that is in the span: a receiver counts no other exit.
    fn exit(&mut self, span: SpanIndex, thread: ThreadIndex, send: &mut impl FnMut(FrameWriter)) {
        let entered = &mut self.entered[span.get()];
        let found = entered.iter().rposition(|entered| *entered == thread);
        if let Some(last) = found.or(entered.len().checked_sub(1)) {
            let thread = entered.remove(last);
            send(FrameWriter::span_exited(id(span), thread));
        }
    }

    /// Returns the ID of a call site, and announces it unless that is done.
    fn call_site(
        &mut self,
        index: CallSiteIndex,
        send: &mut impl FnMut(FrameWriter),
    ) -> MetadataId {
        let next = self.call_sites.len() as MetadataId;
        let id = *self.call_sites.entry(index).or_insert(next);
        if id == next {
            send(match &self.storage.call_site(index).call_site {
                CallSite::Native(metadata) => {
                    FrameWriter::described_call_site(id, &CallSiteData::from(*metadata))
                }
                CallSite::Received(data) | CallSite::Logged(data) => {
                    FrameWriter::described_call_site(id, data)
                }
            });
        }
        id
    }

    fn with_values(&self, mut frame: FrameWriter, values: ValueRange) -> FrameWriter {
        for (field, value) in self.storage.values.get(values).iter() {
            frame.field(field, &value.into());
        }
        frame
    }
}

fn id(span: SpanIndex) -> RawSpanId {
    span.get() as RawSpanId + 1
}

fn parent(parent: Option<SpanIndex>) -> Parent {
    parent.map_or(Parent::Root, |parent| Parent::Explicit(id(parent)))
}

fn earlier(storage: &Storage) -> Vec<Earlier> {
    let stats = storage.all_spans().map(|span| span.stats());
    let all = stats.map(|stats| Earlier { entered: stats.entered, exited: stats.exited });
    let mut earlier: Vec<_> = all.collect();
    for entry in storage.timeline.entries() {
        let (NodeKind::Span(span), kind) = storage.timeline.get(entry) else { continue };
        let count = match kind {
            EntryKind::Entered => &mut earlier[span.get()].entered,
            EntryKind::Exited => &mut earlier[span.get()].exited,
            EntryKind::Created(_) | EntryKind::Recorded | EntryKind::Closed => continue,
        };
        *count = count.saturating_sub(1);
    }
    earlier
}

/// Finds the spans to close late: each behind the last span that follows from it.
fn closed_late(storage: &Storage) -> HashMap<EntryIndex, Vec<SpanIndex>> {
    let mut latest = BTreeMap::<SpanIndex, EntryIndex>::new();
    for span in (0..storage.span_count()).filter_map(SpanIndex::new) {
        let node = storage.span_node(span);
        for source in node.follows_from() {
            let closed = storage.span_node(*source);
            if closed.is_closed() && closed.last < node.created {
                let latest = latest.entry(*source).or_insert(node.created);
                *latest = (*latest).max(node.created);
            }
        }
    }
    let mut all = HashMap::<_, Vec<_>>::new();
    for (span, entry) in latest {
        all.entry(entry).or_default().push(span);
    }
    all
}

/// Finds the place of each link between spans: as early as both exist, and in the original order.
fn follows_from(storage: &Storage) -> HashMap<EntryIndex, Vec<(SpanIndex, SpanIndex)>> {
    let mut all = HashMap::<_, Vec<_>>::new();
    for index in (0..storage.span_count()).filter_map(SpanIndex::new) {
        let span = storage.span_node(index);
        let mut earliest = span.created;
        for source in span.follows_from() {
            earliest = earliest.max(storage.span_node(*source).created);
            all.entry(earliest).or_default().push((index, *source));
        }
    }
    all
}
