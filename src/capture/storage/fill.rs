//! How a storage is filled.

use tracing_core::Metadata;

use crate::capture::{
    Storage,
    storage::bound::Size,
    storage::call_sites::CallSiteIndex,
    storage::metadata::CallSite,
    storage::new_values::NewValues,
    storage::node::{
        Children, EventIndex, EventNode, Links, NodeIndex, NodeKind, SpanIndex, SpanKey, SpanNode,
    },
    storage::threads::ThreadKey,
    storage::timeline::EntryKind,
};

impl Storage {
    /// Adds a span; `None` if there is no room for it.
    pub(crate) fn push_span(
        &mut self,
        call_site: &CallSite,
        parent: Option<SpanKey>,
        values: &NewValues,
        thread: ThreadKey,
    ) -> Option<SpanKey> {
        let Some((index, key, call_site)) = self.next_span(call_site, values) else {
            self.left_out_later += 1;
            if let Some(watch) = &self.watch {
                watch.left_out_span();
            }
            return None;
        };
        let links = self.link(NodeKind::Span(index), parent);
        let created = self.timeline.push(NodeKind::Span(index), EntryKind::Created, thread);
        self.spans.push(SpanNode {
            call_site,
            created,
            last: created,
            links,
            values: self.values.add(values),
            children: Children::default(),
            entered: 0,
            exited: 0,
            handles: 0,
            open_children: 0,
            is_closed: false,
            extras: None,
        });
        Some(key)
    }

    /// Adds a span with one handle; `None` if there is no room for it. A span that is added so is
    /// closed when it has no more handles, and all such spans in it are closed.
    pub(crate) fn open_span(
        &mut self,
        call_site: &CallSite,
        parent: Option<SpanKey>,
        values: &NewValues,
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
                node.is_closed = true;
                node.last = self.timeline.push_closed(index);
                self.tell_closed(index);
                let node = &self.spans[index.get()];
                if let Some(parent) = node.links.parent {
                    self.spans[parent.get()].open_children -= 1;
                    unused = Some(parent);
                }
            }
        }
        self.spans[index.get()].is_closed
    }

    /// Returns the call site of a span that was captured natively, if it is open.
    pub(crate) fn metadata_if_open(&self, span: SpanKey) -> Option<&'static Metadata<'static>> {
        let node = &self.spans[self.open(span)?.get()];
        let call_site = &self.call_site(node.call_site).call_site;
        if let CallSite::Native(metadata) = call_site { Some(*metadata) } else { None }
    }

    /// Finds a span that is not closed: what is done to a closed one has no effect natively, and
    /// nothing is in it.
    #[inline]
    fn open(&self, span: SpanKey) -> Option<SpanIndex> {
        self.keys.index(span).filter(|index| !self.spans[index.get()].is_closed)
    }

    /// Tells whoever watches over the test that a span is closed.
    #[inline]
    fn tell_closed(&self, span: SpanIndex) {
        if let Some(watch) = &self.watch {
            watch.closed(self.span(span));
        }
    }

    /// Adds an event, if there is room for it, and returns its place.
    pub(crate) fn push_event(
        &mut self,
        call_site: &CallSite,
        parent: Option<SpanKey>,
        values: &NewValues,
        thread: ThreadKey,
    ) -> Option<EventIndex> {
        let Some((index, call_site)) = self.next_event(call_site, values) else {
            self.left_out_later += 1;
            return None;
        };
        let links = self.link(NodeKind::Event(index), parent);
        let emitted = self.timeline.push(NodeKind::Event(index), EntryKind::Created, thread);
        self.events.push(EventNode { call_site, emitted, links, values: self.values.add(values) });
        Some(index)
    }

    /// Puts a new node behind the children that its parent has, or behind the roots, if that is closed.
    #[inline(always)]
    fn link(&mut self, kind: NodeKind, parent: Option<SpanKey>) -> Links {
        let parent = parent.and_then(|parent| self.keys.index(parent));
        self.link_in(kind, parent, |parent| !parent.is_closed)
    }

    /// Puts a new node behind the children of a span, if that will do, or behind the roots.
    #[inline(always)]
    pub(crate) fn link_in(
        &mut self,
        kind: NodeKind,
        parent: Option<SpanIndex>,
        will_do: impl FnOnce(&SpanNode) -> bool,
    ) -> Links {
        let node = NodeIndex::from(kind);
        let span = parent.map(|parent| (parent, &mut self.spans[parent.get()]));
        let (parent, children) = match span.filter(|(_, span)| will_do(span)) {
            Some((parent, span)) => (Some(parent), &mut span.children),
            None => (None, &mut self.roots),
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

    pub(crate) fn record(&mut self, span: SpanKey, values: &NewValues) {
        let Some(index) = self.open(span) else { return };
        let mut range = self.spans[index.get()].values;
        if self.bound.is_none() {
            self.values.update(&mut range, values);
        } else {
            let before = self.values.get(range).bytes();
            self.values.update(&mut range, values);
            self.bytes = (self.bytes + self.values.get(range).bytes()).saturating_sub(before);
        }
        self.spans[index.get()].values = range;
    }

    pub(crate) fn follows_from(&mut self, span: SpanKey, follows_from: SpanKey) {
        let (span, source) = (self.open(span), self.open(follows_from));
        if let (Some(span), Some(source)) = (span, source) {
            self.spans[span.get()].extras_mut().follows_from.push(source);
        }
    }

    pub(crate) fn enter(&mut self, span: SpanKey, thread: ThreadKey) {
        let count = |node: &mut SpanNode| node.entered = node.entered.saturating_add(1);
        self.happen(span, count, Some((EntryKind::Entered, thread)));
    }

    pub(crate) fn exit(&mut self, span: SpanKey, thread: ThreadKey) {
        let count = |node: &mut SpanNode| node.exited = node.exited.saturating_add(1);
        self.happen(span, count, Some((EntryKind::Exited, thread)));
    }

    pub(crate) fn close(&mut self, span: SpanKey) {
        self.happen(span, |node| node.is_closed = true, None);
    }

    /// Notes what happens to a span: something on a thread, or that it is closed.
    #[inline(always)]
    fn happen(
        &mut self,
        span: SpanKey,
        f: impl FnOnce(&mut SpanNode),
        what: Option<(EntryKind, ThreadKey)>,
    ) {
        if !self.bound.is_none() && self.bound.is_far_exceeded(self.size()) {
            self.leave_out_oldest(); // nothing but enters and exits may come for a long time
        }
        let Some(index) = self.keys.index(span) else { return };
        let node = &mut self.spans[index.get()];
        if node.is_closed {
            return;
        }
        f(node);
        node.last = match what {
            Some((kind, thread)) => self.timeline.push(NodeKind::Span(index), kind, thread),
            None => self.timeline.push_closed(index),
        };
        if what.is_none() {
            self.tell_closed(index);
        }
    }

    /// Returns the place and the name of the next span, and its call site, if there is room for it.
    #[inline(always)]
    fn next_span(
        &mut self,
        call_site: &CallSite,
        values: &NewValues,
    ) -> Option<(SpanIndex, SpanKey, CallSiteIndex)> {
        self.make_room(size_of::<SpanNode>(), values).then_some(())?;
        let index = SpanIndex::new(self.spans.len())?;
        Some((index, self.keys.key(index)?, self.call_sites.index(call_site)?))
    }

    /// Returns the place of the next event, and its call site, if there is room for it.
    #[inline(always)]
    fn next_event(
        &mut self,
        call_site: &CallSite,
        values: &NewValues,
    ) -> Option<(EventIndex, CallSiteIndex)> {
        self.make_room(size_of::<EventNode>(), values).then_some(())?;
        Some((EventIndex::new(self.events.len())?, self.call_sites.index(call_site)?))
    }

    /// Sees to it that a node of so many bytes can be added with these values, if it may.
    #[inline(always)]
    fn make_room(&mut self, bytes: usize, values: &NewValues) -> bool {
        if !self.bound.is_none() {
            let bytes = bytes + values.bytes();
            if !self.make_room_within_bound(Size { nodes: 1, bytes }) {
                return false;
            }
        }
        self.values.has_room()
    }

    fn make_room_within_bound(&mut self, new: Size) -> bool {
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
