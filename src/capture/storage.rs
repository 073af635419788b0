use alloc::vec::Vec;

use super::{
    CapturedEvent, CapturedEvents, CapturedNode, CapturedNodes, CapturedSpan, CapturedSpans,
    metadata::CallSite,
    node::{
        Children, EventIndex, EventNode, Links, NewValues, NodeIndex, NodeKind, SpanIndex,
        SpanNode, Values,
    },
    span::SpanStats,
};

/// Captured spans and events, as a tree.
///
/// It is queried with the scanners of [`predicates`](crate::predicates), such as
/// [`scan_spans()`](crate::predicates::ScanExt::scan_spans), or with the iterators here.
///
/// A storage is filled through a [`SharedStorage`](super::SharedStorage), and read through the
/// [`Trace`](super::Trace) that its [`lock()`](super::SharedStorage::lock) returns.
///
/// Its [`Display`](core::fmt::Display) output is the tree, a line for each span and event.
///
/// # Example
///
/// ```
/// use spanshot::Capture;
///
/// let capture = Capture::start();
/// tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
///
/// let trace = capture.trace();
/// assert_eq!(trace.all_spans().len(), 1);
/// assert_eq!(trace.root_events().len(), 0);
/// assert_eq!(trace.to_string(), "INFO connect{port=8080}\n└─ WARN slow");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Storage {
    spans: Vec<SpanNode>,
    events: Vec<EventNode>,
    values: Values,
    roots: Children,
    left_out: u64,
}

impl Storage {
    /// Iterates over all spans in the order of their capture.
    pub fn all_spans(&self) -> CapturedSpans<'_> {
        CapturedSpans::all(self)
    }

    /// Iterates over the spans that have no captured parent, in the order of their capture.
    pub fn root_spans(&self) -> CapturedSpans<'_> {
        CapturedSpans::children(self, self.roots)
    }

    /// Iterates over all events in the order of their capture.
    pub fn all_events(&self) -> CapturedEvents<'_> {
        CapturedEvents::all(self)
    }

    /// Iterates over the events that are in no captured span, in the order of their capture.
    pub fn root_events(&self) -> CapturedEvents<'_> {
        CapturedEvents::children(self, self.roots)
    }

    /// Iterates over the root spans and root events in the order of their capture.
    pub fn roots(&self) -> CapturedNodes<'_> {
        CapturedNodes::new(self, self.roots)
    }

    /// Returns how many spans and events came when there was no room for more: a storage holds
    /// two billion of each.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(crate) fn span_count(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn event_count(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn span(&self, index: SpanIndex) -> CapturedSpan<'_> {
        CapturedSpan::new(self, index)
    }

    pub(crate) fn event(&self, index: EventIndex) -> CapturedEvent<'_> {
        CapturedEvent::new(self, index)
    }

    pub(crate) fn node(&self, index: NodeIndex) -> CapturedNode<'_> {
        match index.kind() {
            NodeKind::Span(index) => CapturedNode::Span(self.span(index)),
            NodeKind::Event(index) => CapturedNode::Event(self.event(index)),
        }
    }

    pub(crate) fn span_node(&self, index: SpanIndex) -> &SpanNode {
        &self.spans[index.get()]
    }

    pub(crate) fn event_node(&self, index: EventIndex) -> &EventNode {
        &self.events[index.get()]
    }

    pub(crate) fn links(&self, index: NodeIndex) -> &Links {
        match index.kind() {
            NodeKind::Span(index) => &self.span_node(index).links,
            NodeKind::Event(index) => &self.event_node(index).links,
        }
    }

    pub(crate) fn values(&self) -> &Values {
        &self.values
    }
}

/// Filling. The indexes are those that this storage returned.
impl Storage {
    /// Adds a span; `None` if there is no room for it.
    pub(crate) fn push_span(
        &mut self,
        call_site: CallSite,
        parent: Option<SpanIndex>,
        values: NewValues,
    ) -> Option<SpanIndex> {
        let Some(index) = SpanIndex::new(self.spans.len()) else {
            self.left_out += 1;
            return None;
        };
        let links = self.link(NodeKind::Span(index), parent);
        self.spans.push(SpanNode {
            call_site,
            links,
            values: self.values.add(values),
            children: Children::default(),
            stats: SpanStats::default(),
            follows_from: Vec::new(),
        });
        Some(index)
    }

    /// Adds an event, if there is room for it.
    pub(crate) fn push_event(
        &mut self,
        call_site: CallSite,
        parent: Option<SpanIndex>,
        values: NewValues,
    ) {
        let Some(index) = EventIndex::new(self.events.len()) else {
            self.left_out += 1;
            return;
        };
        let links = self.link(NodeKind::Event(index), parent);
        self.events.push(EventNode { call_site, links, values: self.values.add(values) });
    }

    /// Puts a new node behind the children that its parent has.
    fn link(&mut self, kind: NodeKind, parent: Option<SpanIndex>) -> Links {
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

    pub(crate) fn record(&mut self, span: SpanIndex, values: NewValues) {
        self.values.update(&mut self.spans[span.get()].values, values);
    }

    pub(crate) fn follows_from(&mut self, span: SpanIndex, follows_from: SpanIndex) {
        self.spans[span.get()].follows_from.push(follows_from);
    }

    pub(crate) fn stats_mut(&mut self, span: SpanIndex) -> &mut SpanStats {
        &mut self.spans[span.get()].stats
    }
}
