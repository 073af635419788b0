//! How records are added to a storage.

use tracing_core::Metadata;

use crate::capture::{
    Storage,
    session::live::LiveRecord,
    storage::{
        bound::Size,
        call_sites::CallSiteIndex,
        handles::{Handles, OpenChildren},
        metadata::CallSite,
        node::{
            Children, EventIndex, EventNode, Links, NewParent, NodeIndex, NodeKind, SpanIndex,
            SpanKey, SpanNode,
        },
        threads::ThreadKey,
        timeline::EntryKind,
        values::{NewValues, Records},
    },
};

impl Storage {
    /// Adds a span; `None` if there is no room for it. Such a span is to be [closed](Self::close_left_out) as well.
    pub(crate) fn push_span(
        &mut self,
        call_site: &CallSite,
        parent: NewParent,
        values: &mut NewValues,
        thread: ThreadKey,
    ) -> Option<SpanKey> {
        let Some((index, key, call_site)) = self.next_span(call_site, values) else {
            self.left_out_later += 1;
            self.open_left_out += 1;
            if let Some(watch) = &self.watch {
                watch.left_out_span();
            }
            return None;
        };
        let links = self.link(NodeKind::Span(index), parent.span);
        let kind = EntryKind::Created(parent.said);
        let created = self.timeline.push(NodeKind::Span(index), kind, Some(thread));
        self.spans.push(SpanNode {
            call_site,
            created,
            last: created,
            links,
            values: self.values.add(values),
            children: Children::default(),
            entered: 0,
            exited: 0,
            handles: Handles::UNTOLD,
            open_children: OpenChildren::NONE,
            extras: None,
        });
        self.print_live(NodeKind::Span(index), LiveRecord::Created);
        Some(key)
    }

    /// Notes that a span for which there was no room is closed.
    pub(crate) fn close_left_out(&mut self) {
        self.open_left_out = self.open_left_out.saturating_sub(1);
    }

    /// Adds a span with one handle; `None` if there is no room for it. Such a span is closed when it has no more
    /// handles, and all spans in it that were added in this way are closed.
    pub(crate) fn open_span(
        &mut self,
        call_site: &CallSite,
        parent: NewParent,
        values: &mut NewValues,
        thread: ThreadKey,
    ) -> Option<SpanKey> {
        let key = self.push_span(call_site, parent, values, thread)?;
        let span = self.find(key)?;
        let node = &mut self.spans[span.get()];
        node.handles = Handles::ONE;
        if let Some(parent) = node.links.parent {
            self.spans[parent.get()].open_children.add();
        }
        Some(key)
    }

    /// Counts the handles of a span from now on, beginning with one.
    pub(crate) fn count_handles(&mut self, span: SpanKey) {
        if let Some(index) = self.open(span) {
            self.spans[index.get()].handles = Handles::ONE;
        }
    }

    pub(crate) fn clone_handle(&mut self, span: SpanKey) {
        if let Some(index) = self.open(span) {
            self.spans[index.get()].handles.count_clone();
        }
    }

    /// Counts a dropped handle of a span that is closed in another way.
    pub(crate) fn count_drop(&mut self, span: SpanKey) {
        if let Some(index) = self.open(span) {
            self.spans[index.get()].handles.count_drop();
        }
    }

    /// Keeps a span open on behalf of a child that is not captured.
    pub(crate) fn keep_open(&mut self, span: SpanKey) {
        if let Some(index) = self.open(span) {
            self.spans[index.get()].open_children.add();
        }
    }

    /// Undoes [`Self::keep_open()`].
    pub(crate) fn let_close(&mut self, span: SpanKey) {
        if let Some(index) = self.open(span) {
            self.spans[index.get()].open_children.remove();
            self.close_unused(index);
        }
    }

    /// Drops a handle, and closes the span if nothing else keeps it open, and then its ancestors in the same way.
    /// Returns whether the span was closed.
    pub(crate) fn drop_handle(&mut self, span: SpanKey) -> bool {
        let Some(index) = self.open(span) else { return false };
        self.spans[index.get()].handles.count_drop();
        self.close_unused(index);
        self.spans[index.get()].is_closed()
    }

    /// Closes a span if nothing keeps it open, and then its ancestors in the same way.
    fn close_unused(&mut self, index: SpanIndex) {
        let mut unused = Some(index);
        while let Some(index) = unused.take() {
            let node = &mut self.spans[index.get()];
            if !node.handles.is_any_left() && node.open_children == OpenChildren::NONE {
                node.open_children = OpenChildren::CLOSED;
                node.last = self.timeline.push(NodeKind::Span(index), EntryKind::Closed, None);
                self.tell_closed(index);
                let node = &self.spans[index.get()];
                if let Some(parent) = node.links.parent {
                    self.spans[parent.get()].open_children.remove();
                    unused = Some(parent);
                }
            }
        }
    }

    /// Returns the call site of a span that was captured natively, if it is open.
    pub(crate) fn metadata_if_open(&self, span: SpanKey) -> Option<&'static Metadata<'static>> {
        let node = &self.spans[self.open(span)?.get()];
        let call_site = &self.call_site(node.call_site).call_site;
        if let CallSite::Native(metadata) = call_site { Some(*metadata) } else { None }
    }

    /// Finds a span by its key, unless it was evicted. A key of another storage may be out of range.
    #[inline]
    fn find(&self, span: SpanKey) -> Option<SpanIndex> {
        self.keys.index(span).filter(|index| index.get() < self.spans.len())
    }

    /// Finds a span that is not closed. Operations on a closed span have no effect in `tracing`, and nothing is in it.
    #[inline]
    fn open(&self, span: SpanKey) -> Option<SpanIndex> {
        self.find(span).filter(|index| !self.spans[index.get()].is_closed())
    }

    /// Tells the watch over the test that a span is closed.
    #[inline]
    fn tell_closed(&self, span: SpanIndex) {
        if let Some(watch) = &self.watch {
            watch.closed(self.span(span));
        }
    }

    /// Prints a record, if live printing is enabled.
    #[inline]
    fn print_live(&self, node: NodeKind, record: LiveRecord) {
        if let Some(live) = &self.live {
            live.print(self.node(node.into()), record);
        }
    }

    /// Adds an event, if there is room for it, and returns its place.
    pub(crate) fn push_event(
        &mut self,
        call_site: &CallSite,
        parent: NewParent,
        values: &mut NewValues,
        thread: ThreadKey,
    ) -> Option<EventIndex> {
        let Some((index, call_site)) = self.next_event(call_site, values) else {
            self.left_out_later += 1;
            return None;
        };
        let links = self.link(NodeKind::Event(index), parent.span);
        let kind = EntryKind::Created(parent.said);
        let emitted = self.timeline.push(NodeKind::Event(index), kind, Some(thread));
        self.events.push(EventNode { call_site, emitted, links, values: self.values.add(values) });
        self.print_live(NodeKind::Event(index), LiveRecord::Created);
        Some(index)
    }

    /// Puts a new node behind the children of its parent, or behind the roots if it has none or the parent is closed.
    #[inline]
    fn link(&mut self, kind: NodeKind, parent: Option<SpanKey>) -> Links {
        let parent = parent.and_then(|parent| self.open(parent));
        self.link_in(kind, parent)
    }

    /// Puts a new node behind the children of a span, or behind the roots.
    #[inline]
    pub(crate) fn link_in(&mut self, kind: NodeKind, parent: Option<SpanIndex>) -> Links {
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

    /// Records values into a span. Earlier values of its fields stay.
    pub(crate) fn record(&mut self, span: SpanKey, values: &mut NewValues) {
        let bytes = if self.bound.is_none() { 0 } else { values.bytes() };
        // A stream does not tell on which thread values were recorded.
        if let Some(span) = self.happen(span, EntryKind::Recorded, None) {
            self.bytes += bytes;
            self.evictable += bytes;
            let range = self.values.add(values);
            let node = &mut self.spans[span.get()];
            let (initial, entry) = (node.values, node.last);
            let records = &mut node.extras_mut().records;
            let records = records.get_or_insert_with(|| Records::new(&self.values, initial));
            self.overwritten += records.push(&self.values, entry, range);
            self.print_live(NodeKind::Span(span), LiveRecord::Recorded);
        }
    }

    /// Links a span to one that it follows from, which may be closed. In a bounded storage, the number of a span's
    /// links is limited.
    pub(crate) fn follows_from(&mut self, span: SpanKey, follows_from: SpanKey) {
        const MAX_LINKS: usize = 1_024;

        let (Some(span), source) = (self.open(span), self.find(follows_from)) else { return };
        let extras = self.spans[span.get()].extras_mut();
        let has_room = self.bound.is_none() || extras.follows_from.len() < MAX_LINKS;
        match source.filter(|_| has_room) {
            Some(source) => extras.follows_from.push(source),
            None => extras.has_lost_sources = true,
        }
        self.evicted_values += u64::from(!has_room);
    }

    pub(crate) fn enter(&mut self, span: SpanKey, thread: ThreadKey) {
        if let Some(span) = self.happen(span, EntryKind::Entered, Some(thread)) {
            let node = &mut self.spans[span.get()];
            node.entered = node.entered.saturating_add(1);
        }
    }

    pub(crate) fn exit(&mut self, span: SpanKey, thread: ThreadKey) {
        if let Some(span) = self.happen(span, EntryKind::Exited, Some(thread)) {
            let node = &mut self.spans[span.get()];
            node.exited = node.exited.saturating_add(1);
        }
    }

    pub(crate) fn close(&mut self, span: SpanKey) {
        if let Some(span) = self.happen(span, EntryKind::Closed, None) {
            self.spans[span.get()].open_children = OpenChildren::CLOSED;
            self.tell_closed(span);
        }
    }

    /// Adds an entry for a span to the timeline, if the span is open.
    #[inline]
    fn happen(
        &mut self,
        span: SpanKey,
        kind: EntryKind,
        thread: Option<ThreadKey>,
    ) -> Option<SpanIndex> {
        if !self.bound.is_none() && self.bound.is_far_exceeded(self.size()) {
            self.evict(); // nothing but enters, exits and records may come for a long time
        }
        let index = self.open(span)?;
        self.evictable += self.timeline.entry_bytes();
        self.spans[index.get()].last = self.timeline.push(NodeKind::Span(index), kind, thread);
        Some(index)
    }

    /// Returns the place and the key of the next span, and its call site, if there is room for the span.
    #[inline]
    fn next_span(
        &mut self,
        call_site: &CallSite,
        values: &NewValues,
    ) -> Option<(SpanIndex, SpanKey, CallSiteIndex)> {
        self.make_room(size_of::<SpanNode>(), values).then_some(())?;
        let index = SpanIndex::new(self.spans.len())?;
        Some((index, self.keys.key(index)?, self.call_sites.index(call_site)?))
    }

    /// Returns the place of the next event, and its call site, if there is room for the event.
    #[inline]
    fn next_event(
        &mut self,
        call_site: &CallSite,
        values: &NewValues,
    ) -> Option<(EventIndex, CallSiteIndex)> {
        self.make_room(size_of::<EventNode>(), values).then_some(())?;
        Some((EventIndex::new(self.events.len())?, self.call_sites.index(call_site)?))
    }

    /// Makes room for a node of this size with these values. Returns whether it may be added.
    #[inline]
    fn make_room(&mut self, bytes: usize, values: &NewValues) -> bool {
        self.bound.is_none() || {
            let bytes = bytes + values.bytes();
            self.make_room_within_bound(Size { nodes: 1, entries: 1, bytes })
        }
    }

    fn make_room_within_bound(&mut self, new: Size) -> bool {
        let size = self.size();
        let has_room = self.bound.has_room(size, new);
        // Entries of kept nodes must not take room from new nodes, so they are evicted. That is too slow to do for each
        // new node.
        let may_make_room = !has_room && self.evictable > self.bound.max.bytes / 4;
        if may_make_room || self.bound.is_far_exceeded(size) {
            self.evict();
        }
        let has_room = has_room || may_make_room && self.bound.has_room(self.size(), new);
        if has_room {
            self.bytes += new.bytes;
        }
        has_room
    }
}
