//! Making a storage smaller: it is emptied for its next trace, or its oldest records are evicted.

use alloc::{boxed::Box, vec, vec::Vec};
use core::time::Duration;

use crate::capture::{
    Keep, Storage,
    storage::{
        bound::Size,
        durations::Durations,
        node::{Children, EventIndex, EventNode, Extras, NodeKind, SpanIndex, SpanNode},
        timeline::{EntryIndex, EntryKind},
        values::{NewValues, NodeValues, Records, ValueRange},
    },
};

/// The parts of a storage to keep in a smaller copy.
#[derive(Default)]
struct Kept {
    /// The first entry of the timeline from which on all nodes are kept.
    first_node: Option<EntryIndex>,
    /// The first entry from which on all enters and exits are kept.
    first_entry: Option<EntryIndex>,
    /// Whether all records of values into spans are kept.
    all_records: bool,
    /// Whether all open spans are kept, even older ones.
    open_spans: bool,
}

/// The amount of records that have come into a storage up to a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    nodes: u64,
    next_moment: u64,
    lost: u64,
}

impl Kept {
    fn has_node(&self, created: EntryIndex) -> bool {
        self.first_node.is_some_and(|first| created >= first)
    }

    fn has_entry(&self, entry: EntryIndex) -> bool {
        self.first_entry.is_some_and(|first| entry >= first)
    }

    fn has_record(&self, entry: EntryIndex) -> bool {
        self.all_records || self.has_entry(entry)
    }
}

impl Storage {
    /// Returns a storage that goes on like this one. It has only the open spans and their ancestors.
    pub(crate) fn successor(&self) -> Self {
        let kept = Kept { all_records: true, open_spans: true, ..Kept::default() };
        let mut successor = self.rebuilt(&kept);
        (successor.left_out_earlier, successor.left_out_later) = (0, self.open_left_out);
        successor.evicted_values = 0;
        successor.sight.lost.go_on();
        successor.bound.settled = successor.size();
        successor
    }

    /// Returns a storage with the nodes since then, and their ancestors; and the number of nodes since then that are
    /// gone.
    pub(crate) fn since(&self, then: Extent) -> (Self, u64) {
        let first = self.timeline.first_since(then.next_moment);
        let kept =
            Kept { first_node: first, first_entry: first, all_records: true, open_spans: false };
        let came = self.extent().nodes - then.nodes;
        let created = (first.map_or(self.timeline.len(), EntryIndex::get)..self.timeline.len())
            .filter(|index| {
                matches!(self.timeline.get(EntryIndex::new(*index)).1, EntryKind::Created(_))
            });
        let gone = came.saturating_sub(created.count() as u64);
        let mut since = self.rebuilt(&kept);
        since.sight.lost.keep_since(then.lost); // it only grows, since nobody empties this storage
        (since, gone)
    }

    /// Returns the current extent.
    pub(crate) fn extent(&self) -> Extent {
        let nodes = (self.spans.len() + self.events.len()) as u64 + self.left_out();
        Extent { nodes, next_moment: self.timeline.next_moment(), lost: self.sight.lost.count() }
    }

    /// Empties the storage, and keeps times from now on.
    pub(crate) fn keep_times(&mut self) {
        *self = self.successor();
        self.timeline.keep_times();
        for position in 0..self.spans.len() {
            let span = &mut self.spans[position];
            let entered = span.entered.saturating_sub(span.exited) as usize;
            span.extras_mut().before = Some(Durations::new(Duration::ZERO, entered));
        }
    }

    /// Makes the storage smaller, to fit its bound.
    pub(crate) fn evict(&mut self) {
        let kept = self.within_bound();
        let mut smaller = self.rebuilt(&kept);
        let nodes = |storage: &Self| storage.spans.len() + storage.events.len();
        smaller.left_out_earlier += (nodes(self) - nodes(&smaller)) as u64;
        smaller.bound.settled = smaller.size();
        smaller.bound.settled_at = Some(smaller.timeline.next_moment());
        *self = smaller;
    }

    /// Finds the parts to keep. For [`Keep::Oldest`], these are all nodes in their current state. For [`Keep::Newest`],
    /// these are the newest entries for which there is room, with their nodes and values.
    fn within_bound(&self) -> Kept {
        let all = || (0..self.timeline.len()).map(EntryIndex::new);
        if self.bound.keep == Keep::Oldest {
            return Kept { first_node: all().next(), open_spans: true, ..Kept::default() };
        }
        let (mut size, max) = (Size::default(), self.bound.max);
        let (mut first_node, mut first_entry) = (None, None);
        for index in all().rev() {
            size = size.plus(self.entry_size(index));
            if size.nodes > max.nodes || size.bytes > max.bytes {
                break;
            }
            first_node = Some(index);
            if size.entries <= max.entries {
                first_entry = Some(index);
            }
        }
        Kept { first_node, first_entry, open_spans: true, ..Kept::default() }
    }

    /// Returns the size of an entry that is taken over, with its node or its values. The number of nodes is limited
    /// itself, so their entries do not count.
    fn entry_size(&self, index: EntryIndex) -> Size {
        let bytes = self.timeline.taken_over_bytes();
        match self.timeline.get(index) {
            (NodeKind::Span(span), EntryKind::Created(_)) => {
                let values = self.values.get(self.span_node(span).values);
                Size { nodes: 1, entries: 0, bytes: bytes + size_of::<SpanNode>() + values.bytes() }
            }
            (NodeKind::Event(event), _) => {
                let values = self.values.get(self.event_node(event).values);
                Size {
                    nodes: 1,
                    entries: 0,
                    bytes: bytes + size_of::<EventNode>() + values.bytes(),
                }
            }
            (NodeKind::Span(span), EntryKind::Recorded) => {
                let values = self.span_node(span).record_at(index);
                let values = values.map_or(0, |range| self.values.get(range).bytes());
                Size { nodes: 0, entries: 1, bytes: bytes + values }
            }
            _ => Size { nodes: 0, entries: 1, bytes },
        }
    }

    /// Returns about how many bytes nodes and their values take.
    pub(crate) fn bytes_of_nodes(&self) -> usize {
        let spans = (0..self.spans.len()).filter_map(SpanIndex::new).map(|index| {
            let values = self.recorded(index).map(|(_, values)| values.bytes());
            size_of::<SpanNode>() + values.sum::<usize>()
        });
        let events = (0..self.events.len()).filter_map(EventIndex::new);
        let events =
            events.map(|index| size_of::<EventNode>() + self.values_of_event(index).1.bytes());
        spans.chain(events).sum()
    }

    /// Copies the nodes and open spans to keep, each with its ancestors. Of the earlier entries of spans, only their
    /// creation and closing stay on the timeline.
    fn rebuilt(&self, kept: &Kept) -> Self {
        let mut is_kept: Vec<_> = self
            .spans
            .iter()
            .map(|span| kept.has_node(span.created) || kept.open_spans && !span.is_closed())
            .collect();
        for event in self.events.iter().filter(|event| kept.has_node(event.emitted)) {
            event.links.parent.into_iter().for_each(|parent| is_kept[parent.get()] = true);
        }
        // A span comes before the spans in it.
        for (position, span) in self.spans.iter().enumerate().rev() {
            if let Some(parent) = span.links.parent.filter(|_| is_kept[position]) {
                is_kept[parent.get()] = true;
            }
        }

        let left = (0..self.spans.len()).filter(|position| is_kept[*position]);
        let Some(keys) = self.keys.leaving(self.spans.len(), left.filter_map(SpanIndex::new))
        else {
            return self.clone(); // keys have run out, and nothing is added any more
        };
        let mut copy = Self {
            keys,
            timeline: self.timeline.successor(),
            bound: self.bound,
            left_out_earlier: self.left_out_earlier,
            left_out_later: self.left_out_later,
            open_left_out: self.open_left_out,
            evicted_values: self.evicted_values,
            sight: self.sight.clone(),
            printed: self.printed.clone(),
            watch: self.watch.clone(),
            live: self.live.clone(),
            ..Self::default()
        };
        let mut places = vec![None; self.spans.len()];
        for entry in self.timeline.entries() {
            match self.timeline.get(entry) {
                (NodeKind::Span(span), EntryKind::Created(_)) if is_kept[span.get()] => {
                    places[span.get()] = copy.copy_span(self, entry, span, &places, kept);
                }
                (NodeKind::Event(event), _) if kept.has_node(entry) => {
                    copy.copy_event(self, entry, event, &places);
                }
                (NodeKind::Span(span), kind) => {
                    // Spans that are not kept have no place.
                    let Some(place) = places[span.get()] else { continue };
                    copy.copy_entry(self, entry, kind, (span, place), kept);
                }
                (NodeKind::Event(_), _) => {}
            }
        }
        for (span, place) in self.spans.iter().zip(&places) {
            let sources = span.follows_from().iter().filter_map(|source| places[source.get()]);
            let sources: Vec<_> = sources.collect();
            let has_lost_sources =
                span.has_lost_sources() || sources.len() < span.follows_from().len();
            if let (Some(place), true) = (place, has_lost_sources || !sources.is_empty()) {
                let extras = copy.spans[place.get()].extras_mut();
                (extras.follows_from, extras.has_lost_sources) = (sources, has_lost_sources);
            }
        }
        copy
    }

    /// Copies an entry of a span, or adds it to the durations from entries that are left out.
    fn copy_entry(
        &mut self,
        of: &Self,
        entry: EntryIndex,
        kind: EntryKind,
        (span, place): (SpanIndex, SpanIndex),
        kept: &Kept,
    ) {
        let is_kept = match kind {
            EntryKind::Created(_) | EntryKind::Closed => true,
            EntryKind::Recorded => kept.has_record(entry),
            EntryKind::Entered | EntryKind::Exited => kept.has_entry(entry),
        };
        if is_kept {
            let last = self.timeline.take_over(&of.timeline, entry, NodeKind::Span(place));
            self.spans[place.get()].last = last;
            if kind == EntryKind::Recorded {
                self.copy_record(of, entry, (span, place));
            }
        } else if let Some(time) = of.timeline.time(entry) {
            // Spans may live long, and be entered again and again.
            let node = &mut self.spans[place.get()];
            let created = self.timeline.time(node.created).unwrap_or(time);
            let before = &mut node.extras_mut().before;
            before.get_or_insert_with(|| Durations::new(created, 0)).happen(kind, time);
        }
    }

    fn copy_record(&mut self, of: &Self, entry: EntryIndex, (span, place): (SpanIndex, SpanIndex)) {
        let Some(range) = of.span_node(span).record_at(entry) else { return };
        let range = self.copy_values(of.values.get(range));
        let node = &mut self.spans[place.get()];
        let (initial, entry) = (node.values, node.last);
        let records = &mut node.extras_mut().records;
        let records = records.get_or_insert_with(|| Records::new(&self.values, initial));
        self.overwritten += records.push(&self.values, entry, range);
    }

    fn copy_span(
        &mut self,
        of: &Self,
        entry: EntryIndex,
        span: SpanIndex,
        places: &[Option<SpanIndex>],
        kept: &Kept,
    ) -> Option<SpanIndex> {
        let place = SpanIndex::new(self.spans.len())?;
        let node = &of.spans[span.get()];
        let call_site = self.call_sites.index(&of.call_site(node.call_site).call_site)?;
        let parent = node.links.parent.and_then(|parent| places[parent.get()]);
        let links = self.link_in(NodeKind::Span(place), parent);
        let created = self.timeline.take_over(&of.timeline, entry, NodeKind::Span(place));
        let values = self.copy_initial_values(of, node, kept);
        self.spans.push(SpanNode {
            call_site,
            created,
            last: created,
            links,
            values,
            children: Children::default(),
            entered: node.entered,
            exited: node.exited,
            handles: node.handles,
            open_children: node.open_children,
            extras: node
                .before()
                .map(|before| Box::new(Extras { before: Some(before), ..Extras::default() })),
        });
        self.bytes += size_of::<SpanNode>();
        Some(place)
    }

    /// Copies the initial values of a span: the values at its creation, or just before the first kept record.
    fn copy_initial_values(&mut self, of: &Self, node: &SpanNode, kept: &Kept) -> ValueRange {
        let initial = of.values.get(node.values);
        let records = node.records().map_or(&[][..], Records::all);
        let evicted = records.partition_point(|(entry, _)| !kept.has_record(*entry));
        if evicted == 0 {
            return self.copy_values(initial);
        }
        let mut before = Records::new(&of.values, node.values);
        for (entry, range) in &records[..evicted] {
            before.push(&of.values, *entry, *range);
        }
        self.evicted_values += before.overwritten() as u64;
        self.copy_values(before.last(&of.values))
    }

    fn copy_event(
        &mut self,
        of: &Self,
        entry: EntryIndex,
        event: EventIndex,
        places: &[Option<SpanIndex>],
    ) {
        let Some(place) = EventIndex::new(self.events.len()) else { return };
        let node = &of.events[event.get()];
        let call_site = self.call_sites.index(&of.call_site(node.call_site).call_site);
        let Some(call_site) = call_site else { return };
        let parent = node.links.parent.and_then(|parent| places[parent.get()]);
        let links = self.link_in(NodeKind::Event(place), parent);
        let emitted = self.timeline.take_over(&of.timeline, entry, NodeKind::Event(place));
        let values = self.copy_values(of.values.get(node.values));
        self.bytes += size_of::<EventNode>();
        self.events.push(EventNode { call_site, emitted, links, values });
    }

    fn copy_values(&mut self, values: NodeValues<'_>) -> ValueRange {
        let mut copy = NewValues::new();
        values.iter().for_each(|(field, value)| copy.push(field, value.clone()));
        self.bytes += copy.bytes();
        self.values.add(&mut copy)
    }
}
