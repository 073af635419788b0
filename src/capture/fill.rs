//! How a storage is filled.

use alloc::vec::Vec;

use tracing_core::Metadata;

use super::{
    Storage,
    bound::Size,
    metadata::CallSite,
    node::{
        Children, EventIndex, EventNode, Links, NewValues, NodeIndex, NodeKind, SpanIndex, SpanKey,
        SpanNode,
    },
    span::SpanStats,
    threads::ThreadKey,
    timeline::EntryKind,
};
use crate::wire::TracedValue;

impl Storage {
    /// Adds a span; `None` if there is no room for it.
    pub(crate) fn push_span(
        &mut self,
        call_site: CallSite,
        parent: Option<SpanKey>,
        values: NewValues,
        thread: ThreadKey,
    ) -> Option<SpanKey> {
        let size = Size { nodes: 1, bytes: size_of::<SpanNode>() + bytes(&values) };
        let Some((index, key)) = self.next_span(size) else {
            self.left_out_later += 1;
            return None;
        };
        let parent = parent.and_then(|parent| self.open(parent));
        let links = self.link(NodeKind::Span(index), parent);
        let created = self.timeline.push(NodeKind::Span(index), EntryKind::Created, thread);
        self.spans.push(SpanNode {
            call_site,
            created,
            last: created,
            links,
            values: self.values.add(values),
            before: None,
            children: Children::default(),
            stats: SpanStats::default(),
            follows_from: Vec::new(),
            handles: 0,
            open_children: 0,
        });
        Some(key)
    }

    /// Adds a span with one handle; `None` if there is no room for it. A span that is added so is
    /// closed when it has no more handles, and all such spans in it are closed.
    pub(crate) fn open_span(
        &mut self,
        call_site: CallSite,
        parent: Option<SpanKey>,
        values: NewValues,
        thread: ThreadKey,
    ) -> Option<SpanKey> {
        let key = self.push_span(call_site, parent, values, thread)?;
        let span = self.keys.index(key)?;
        self.spans[span.get()].handles = 1;
        if let Some(parent) = self.spans[span.get()].links.parent {
            self.spans[parent.get()].open_children += 1;
        }
        Some(key)
    }

    pub(crate) fn clone_handle(&mut self, span: SpanKey) {
        if let Some(index) = self.open(span) {
            self.spans[index.get()].handles += 1;
        }
    }

    /// Drops a handle, and closes the span if it was what kept it open, and then those around it for
    /// which the same is true. Returns whether the span was closed.
    pub(crate) fn drop_handle(&mut self, span: SpanKey) -> bool {
        let Some(index) = self.open(span) else { return false };
        let node = &mut self.spans[index.get()];
        node.handles = node.handles.saturating_sub(1);
        let mut unused = Some(index);
        while let Some(index) = unused.take() {
            let node = &mut self.spans[index.get()];
            if node.handles == 0 && node.open_children == 0 {
                node.stats.is_closed = true;
                node.last = self.timeline.push_closed(index);
                if let Some(parent) = node.links.parent {
                    self.spans[parent.get()].open_children -= 1;
                    unused = Some(parent);
                }
            }
        }
        self.spans[index.get()].stats.is_closed
    }

    /// Returns the call site of a span that was captured natively, if it is open.
    pub(crate) fn metadata_if_open(&self, span: SpanKey) -> Option<&'static Metadata<'static>> {
        let node = &self.spans[self.open(span)?.get()];
        if let CallSite::Native(metadata) = node.call_site { Some(metadata) } else { None }
    }

    /// Finds a span that is not closed: what is done to a closed one has no effect natively, and
    /// nothing is in it.
    fn open(&self, span: SpanKey) -> Option<SpanIndex> {
        self.keys.index(span).filter(|index| !self.spans[index.get()].stats.is_closed)
    }

    /// Adds an event, if there is room for it.
    pub(crate) fn push_event(
        &mut self,
        call_site: CallSite,
        parent: Option<SpanKey>,
        values: NewValues,
        thread: ThreadKey,
    ) {
        let size = Size { nodes: 1, bytes: size_of::<EventNode>() + bytes(&values) };
        let Some(index) = self.next_event(size) else {
            self.left_out_later += 1;
            return;
        };
        let parent = parent.and_then(|parent| self.open(parent));
        let links = self.link(NodeKind::Event(index), parent);
        let emitted = self.timeline.push(NodeKind::Event(index), EntryKind::Created, thread);
        self.events.push(EventNode { call_site, emitted, links, values: self.values.add(values) });
    }

    /// Puts a new node behind the children that its parent has.
    pub(super) fn link(&mut self, kind: NodeKind, parent: Option<SpanIndex>) -> Links {
        let node = NodeIndex::from(kind);
        let children = match parent {
            Some(parent) => &mut self.spans[parent.get()].children,
            None => &mut self.roots,
        };
        match kind {
            NodeKind::Span(_) => children.spans += 1,
            NodeKind::Event(_) => children.events += 1,
        }
        let previous = children.last.replace(node);
        match previous.map(NodeIndex::kind) {
            None => children.first = Some(node),
            Some(NodeKind::Span(index)) => self.spans[index.get()].links.next = Some(node),
            Some(NodeKind::Event(index)) => self.events[index.get()].links.next = Some(node),
        }
        Links { parent, previous, next: None }
    }

    pub(crate) fn record(&mut self, span: SpanKey, values: NewValues) {
        let Some(index) = self.open(span) else { return };
        let range = &mut self.spans[index.get()].values;
        let before = self.values.bytes(*range);
        self.values.update(range, values);
        self.bytes = (self.bytes + self.values.bytes(*range)).saturating_sub(before);
    }

    pub(crate) fn follows_from(&mut self, span: SpanKey, follows_from: SpanKey) {
        let (span, source) = (self.open(span), self.open(follows_from));
        if let (Some(span), Some(source)) = (span, source) {
            self.spans[span.get()].follows_from.push(source);
        }
    }

    pub(crate) fn enter(&mut self, span: SpanKey, thread: ThreadKey) {
        self.happen(span, |stats| stats.entered += 1, Some((EntryKind::Entered, thread)));
    }

    pub(crate) fn exit(&mut self, span: SpanKey, thread: ThreadKey) {
        self.happen(span, |stats| stats.exited += 1, Some((EntryKind::Exited, thread)));
    }

    pub(crate) fn close(&mut self, span: SpanKey) {
        self.happen(span, |stats| stats.is_closed = true, None);
    }

    /// Notes what happens to a span: something on a thread, or that it is closed.
    fn happen(
        &mut self,
        span: SpanKey,
        f: impl FnOnce(&mut SpanStats),
        what: Option<(EntryKind, ThreadKey)>,
    ) {
        if self.bound.is_far_exceeded(self.size()) {
            self.leave_out_oldest(); // nothing but enters and exits may come for a long time
        }
        let Some(index) = self.open(span) else { return };
        let node = &mut self.spans[index.get()];
        f(&mut node.stats);
        node.last = match what {
            Some((kind, thread)) => self.timeline.push(NodeKind::Span(index), kind, thread),
            None => self.timeline.push_closed(index),
        };
    }

    /// Returns the place and the name of the next span, if there is room for it.
    fn next_span(&mut self, size: Size) -> Option<(SpanIndex, SpanKey)> {
        self.make_room(size).then_some(())?;
        let index = SpanIndex::new(self.spans.len())?;
        Some((index, self.keys.key(index)?))
    }

    /// Returns the place of the next event, if there is room for it.
    fn next_event(&mut self, size: Size) -> Option<EventIndex> {
        self.make_room(size).then_some(())?;
        EventIndex::new(self.events.len())
    }

    /// Sees to it that something can be added, if it may.
    fn make_room(&mut self, new: Size) -> bool {
        let size = self.size();
        if !self.bound.has_room(size, new) {
            return false;
        }
        if self.bound.is_far_exceeded(size) {
            self.leave_out_oldest();
        }
        self.bytes += new.bytes;
        true
    }
}

/// Returns about how many bytes values will take.
fn bytes(values: &NewValues) -> usize {
    let each = size_of::<TracedValue>() + size_of::<u32>();
    values.iter().map(|(_, value)| each + value.heap_bytes()).sum()
}
