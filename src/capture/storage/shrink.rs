//! How a storage is made smaller: emptied for its next trace, or rid of its oldest nodes.

use alloc::{boxed::Box, vec, vec::Vec};

use core::time::Duration;

use crate::capture::{
    Storage,
    storage::bound::Size,
    storage::durations::Durations,
    storage::node::{Children, EventIndex, EventNode, Extras, NodeKind, SpanIndex, SpanNode},
    storage::timeline::{EntryIndex, EntryKind},
    storage::values::ValueRange,
};

impl Storage {
    /// Returns a storage that goes on like this one. Of its nodes, it has the spans that are open,
    /// and those around them.
    pub(crate) fn successor(&self) -> Self {
        let mut successor = self.newest(None);
        (successor.left_out_earlier, successor.left_out_later) = (0, 0);
        successor.bound.settled = successor.size();
        successor
    }

    /// Keeps times from now on, of a storage that is emptied for it.
    pub(crate) fn keep_times(&mut self) {
        *self = self.successor();
        self.timeline.keep_times();
        for position in 0..self.spans.len() {
            let span = &mut self.spans[position];
            let entered = span.entered.saturating_sub(span.exited) as usize;
            span.extras_mut().before = Some(Durations::new(Duration::ZERO, entered));
        }
    }

    /// Makes the storage as small as it is to be.
    pub(crate) fn leave_out_oldest(&mut self) {
        let mut newest = self.newest(self.first_within_bound());
        let nodes = |storage: &Self| storage.spans.len() + storage.events.len();
        newest.left_out_earlier += (nodes(self) - nodes(&newest)) as u64;
        newest.bound.settled = newest.size();
        newest.bound.settled_at = Some(newest.timeline.next_moment());
        *self = newest;
    }

    /// Finds the oldest of the newest entries for which, and for whose nodes, there is room.
    fn first_within_bound(&self) -> Option<EntryIndex> {
        let mut size = Size::default();
        let mut first = None;
        for index in self.timeline.entries().rev() {
            size = size.plus(Size { nodes: 0, bytes: self.timeline.taken_over_bytes() });
            if let (node, EntryKind::Created) = self.timeline.get(index) {
                size = size.plus(Size { nodes: 1, bytes: self.node_bytes(node) });
            }
            if size.nodes > self.bound.max.nodes || size.bytes > self.bound.max.bytes {
                break;
            }
            first = Some(index);
        }
        first
    }

    /// Returns about how many bytes nodes and their values take.
    pub(crate) fn bytes_of_nodes(&self) -> usize {
        let spans = (0..self.spans.len()).filter_map(SpanIndex::new).map(NodeKind::Span);
        let events = (0..self.events.len()).filter_map(EventIndex::new).map(NodeKind::Event);
        spans.chain(events).map(|node| self.node_bytes(node)).sum()
    }

    fn node_bytes(&self, node: NodeKind) -> usize {
        match node {
            NodeKind::Span(index) => {
                size_of::<SpanNode>() + self.values.get(self.spans[index.get()].values).bytes()
            }
            NodeKind::Event(index) => {
                size_of::<EventNode>() + self.values.get(self.events[index.get()].values).bytes()
            }
        }
    }

    /// Copies the nodes that were created from an entry on, and the spans that are open, each with
    /// the spans around it. Of what happened to spans before, only that they were created and closed
    /// stays on the timeline.
    fn newest(&self, first: Option<EntryIndex>) -> Self {
        let is_new = |created: EntryIndex| first.is_some_and(|first| created >= first);
        let mut is_kept: Vec<_> =
            self.spans.iter().map(|span| is_new(span.created) || !span.is_closed).collect();
        for event in self.events.iter().filter(|event| is_new(event.emitted)) {
            event.links.parent.into_iter().for_each(|parent| is_kept[parent.get()] = true);
        }
        // A span comes before those in it.
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
            filter: self.filter.clone(),
            seen: self.seen.clone(),
            watch: self.watch.clone(),
            ..Self::default()
        };
        let mut places = vec![None; self.spans.len()];
        for entry in self.timeline.entries() {
            match self.timeline.get(entry) {
                (NodeKind::Span(span), EntryKind::Created) if is_kept[span.get()] => {
                    places[span.get()] = copy.copy_span(self, entry, span, &places);
                }
                (NodeKind::Event(event), _) if is_new(entry) => {
                    copy.copy_event(self, entry, event, &places);
                }
                (NodeKind::Span(span), kind) => {
                    // Those that are not kept have no place.
                    let Some(place) = places[span.get()] else { continue };
                    let node = &mut copy.spans[place.get()];
                    if kind == EntryKind::Closed || is_new(entry) {
                        let place = NodeKind::Span(place);
                        node.last = copy.timeline.take_over(&self.timeline, entry, place);
                    } else if let Some(time) = self.timeline.time(entry) {
                        // Spans may live long, and be entered ever again.
                        let created = copy.timeline.time(node.created).unwrap_or(time);
                        let before = &mut node.extras_mut().before;
                        before.get_or_insert_with(|| Durations::new(created, 0)).happen(kind, time);
                    }
                }
                (NodeKind::Event(_), _) => {}
            }
        }
        for (span, place) in self.spans.iter().zip(&places) {
            let sources = span.follows_from().iter().filter_map(|source| places[source.get()]);
            let sources: Vec<_> = sources.collect();
            if let (Some(place), false) = (place, sources.is_empty()) {
                copy.spans[place.get()].extras_mut().follows_from = sources;
            }
        }
        copy
    }

    fn copy_span(
        &mut self,
        of: &Self,
        entry: EntryIndex,
        span: SpanIndex,
        places: &[Option<SpanIndex>],
    ) -> Option<SpanIndex> {
        let place = SpanIndex::new(self.spans.len())?;
        let node = &of.spans[span.get()];
        let call_site = self.call_sites.index(&of.call_site(node.call_site).call_site)?;
        let parent = node.links.parent.and_then(|parent| places[parent.get()]);
        let links = self.link_in(NodeKind::Span(place), parent, |_| true);
        let created = self.timeline.take_over(&of.timeline, entry, NodeKind::Span(place));
        let values = self.copy_values(of, node.values);
        self.bytes += of.node_bytes(NodeKind::Span(span));
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
            is_closed: node.is_closed,
            extras: node
                .before()
                .map(|before| Box::new(Extras { before: Some(before), ..Extras::default() })),
        });
        Some(place)
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
        let links = self.link_in(NodeKind::Event(place), parent, |_| true);
        let emitted = self.timeline.take_over(&of.timeline, entry, NodeKind::Event(place));
        let values = self.copy_values(of, node.values);
        self.bytes += of.node_bytes(NodeKind::Event(event));
        self.events.push(EventNode { call_site, emitted, links, values });
    }

    fn copy_values(&mut self, of: &Self, range: ValueRange) -> ValueRange {
        self.values.copy(of.values.get(range))
    }
}
