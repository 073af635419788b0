use alloc::sync::Arc;
use core::{
    panic::{RefUnwindSafe, UnwindSafe},
    time::Duration,
};
use std::time::SystemTime;

use crate::capture::{
    CapturedEvent, CapturedEvents, CapturedNode, CapturedNodes, CapturedSpan, CapturedSpans,
    Happening, Keep, Moment,
    session::{live::Live, watch::Watch},
    storage::bound::{Bound, Size},
    storage::call_sites::{CallSiteIndex, CallSites},
    storage::chunks::Chunks,
    storage::keys::SpanKeys,
    storage::metadata::KnownCallSite,
    storage::node::{
        Children, EventIndex, EventNode, Links, NodeIndex, NodeKind, SpanIndex, SpanNode,
    },
    storage::printed_text::PrintedText,
    storage::sight::Sight,
    storage::timeline::{EntryIndex, EntryKind, Timeline},
    storage::values::{NodeValues, Records, Values},
};

/// Captured spans and events, as a tree.
///
/// Query it with the scanners of [`predicates`](crate::predicates), such as
/// [`scan_spans()`](crate::predicates::ScanExt::scan_spans), or with the iterators here.
///
/// A storage is filled through a [`SharedStorage`](crate::SharedStorage), and read through the
/// [`Trace`](crate::Trace) that its [`lock()`](crate::SharedStorage::lock) returns.
///
/// Its [`Display`](core::fmt::Display) output is the tree, a line for each span and event. It cuts long values,
/// and does not show overwritten ones. To assert that a secret is not in a trace, call
/// [`assert_never_contains()`](Self::assert_never_contains) rather than search the output.
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
    pub(crate) spans: Chunks<SpanNode>,
    pub(crate) events: Chunks<EventNode>,
    pub(crate) values: Values,
    pub(crate) call_sites: CallSites,
    pub(crate) roots: Children,
    pub(crate) keys: SpanKeys,
    pub(crate) timeline: Timeline,
    pub(crate) bound: Bound,
    /// About how much memory nodes and values take, if there is a bound.
    pub(crate) bytes: usize,
    /// About how many bytes entries of spans, with their values, have added since the storage was last made smaller.
    pub(crate) evictable: usize,
    /// Number of nodes that were evicted for newer ones, and of nodes for which there was no room.
    pub(crate) left_out_earlier: u64,
    pub(crate) left_out_later: u64,
    /// Number of open spans for which there was no room: the trace does not show which records are in them.
    pub(crate) open_left_out: u64,
    /// Number of overwritten values that were evicted from spans, and of links to other spans for which there was no room.
    pub(crate) evicted_values: u64,
    /// Number of overwritten values that spans still have.
    pub(crate) overwritten: usize,
    pub(crate) sight: Sight,
    pub(crate) printed: PrintedText,
    /// Notes the spans and events that fail the test.
    pub(crate) watch: Option<Arc<Watch>>,
    /// Prints records as they come, if live printing is enabled.
    pub(crate) live: Option<Arc<Live>>,
}

// Readers do not change a storage, and the functions that fill it run no code of the user.
impl UnwindSafe for Storage {}
impl RefUnwindSafe for Storage {}

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

    /// Returns how many spans and events are missing because there was no room for them: a storage holds two billion of
    /// each, or up to [its limit](crate::SharedStorage::set_max_nodes).
    pub fn left_out(&self) -> u64 {
        self.left_out_earlier + self.left_out_later
    }

    /// Returns the number of spans and events.
    pub(crate) fn node_count(&self) -> usize {
        self.span_count() + self.event_count()
    }

    /// Returns how much of this trace people have seen.
    pub(crate) fn printed(&self) -> &PrintedText {
        &self.printed
    }

    /// Returns how many nodes were left out to keep newer ones.
    pub(crate) fn left_out_earlier(&self) -> u64 {
        self.left_out_earlier
    }

    /// Returns how many nodes were left out because older ones had taken the room.
    pub(crate) fn left_out_later(&self) -> u64 {
        self.left_out_later
    }

    /// Iterates over everything that happened, in order.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, capture::Happening};
    ///
    /// let capture = Capture::start();
    /// let span = tracing::info_span!("connect");
    /// span.in_scope(|| tracing::warn!("slow"));
    ///
    /// let trace = capture.trace();
    /// let happenings: Vec<_> = trace.timeline().map(|(_, happening)| happening).collect();
    /// assert!(matches!(
    ///     happenings[..],
    ///     [Happening::Created(_), Happening::Entered(_), Happening::Emitted(_), Happening::Exited(_)]
    /// ));
    /// ```
    pub fn timeline(&self) -> impl DoubleEndedIterator<Item = (Moment, Happening<'_>)> + '_ {
        self.timeline.entries().map(|index| {
            let happening = match self.timeline.get(index) {
                (NodeKind::Event(event), _) => Happening::Emitted(self.event(event)),
                (NodeKind::Span(span), kind) => {
                    let span = self.span(span);
                    match kind {
                        EntryKind::Created(_) => Happening::Created(span),
                        EntryKind::Entered => Happening::Entered(span),
                        EntryKind::Recorded => Happening::Recorded(span),
                        EntryKind::Exited => Happening::Exited(span),
                        EntryKind::Closed => Happening::Closed(span),
                    }
                }
            };
            (self.timeline.moment(index), happening)
        })
    }

    /// Returns the time of a moment; `None` if times are not [kept](crate::SharedStorage::keep_times), or nothing in
    /// this trace happened at the moment.
    ///
    /// The time comes from a monotonic clock, which was aligned with the wall clock when the storage began to keep times: mostly
    /// when the capture was started. Everything before has the time of that moment.
    pub fn time_of(&self, moment: Moment) -> Option<SystemTime> {
        self.timeline.time_of(moment)
    }

    /// Returns the time from the start of the capture, or from a later call of
    /// [`keep_times()`](crate::SharedStorage::keep_times), to a moment, by the monotonic clock; `None` as for
    /// [`time_of()`](Self::time_of).
    pub fn time_since_start(&self, moment: Moment) -> Option<Duration> {
        self.timeline.time_since_start(moment)
    }

    /// Returns the index of the thread on which something happened: 0 for the first thread that the capture saw, 1 for
    /// the next one, and so on.
    ///
    /// Returns `None` if nothing in this trace happened at the moment. Also returns `None` if a span was closed or
    /// values were recorded then: modules do not tell on which thread they do that.
    ///
    /// A thread has the same index in all traces that are taken from a capture one after another.
    /// Threads beyond the first 16,383 share the last index. A module's threads are distinct from the host's threads,
    /// except for its first one, which counts as the receiving thread.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use std::thread;
    ///
    /// let capture = Capture::start();
    /// tracing::info!("here");
    /// thread::spawn(capture.carry(|| tracing::info!("on another thread"))).join().unwrap();
    /// tracing::info!("here again");
    ///
    /// let trace = capture.trace();
    /// let threads = trace.all_events().map(|event| trace.thread_of(event.moment()));
    /// assert!(threads.eq([Some(0), Some(1), Some(0)]));
    /// ```
    pub fn thread_of(&self, moment: Moment) -> Option<usize> {
        self.timeline.thread_of(moment)
    }

    /// Limits the storage.
    pub(crate) fn set_bound(&mut self, set: impl FnOnce(&mut Bound), keep: Keep) {
        if self.bound.is_none() {
            self.bytes = self.bytes_of_nodes();
        }
        set(&mut self.bound);
        self.bound.keep = keep;
        self.bound.settled_at = None;
    }

    pub(crate) fn is_within_bound(&self) -> bool {
        self.bound.is_kept(self.size(), self.timeline.next_moment())
    }

    /// Returns the limits of the capture's view.
    #[cfg(feature = "predicates")]
    pub(crate) fn sight(&self) -> &Sight {
        &self.sight
    }

    pub(crate) fn size(&self) -> Size {
        Size {
            nodes: self.spans.len() + self.events.len(),
            entries: self.timeline.len(),
            bytes: self.bytes + self.timeline.bytes(),
        }
    }

    pub(crate) fn span_count(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn event_count(&self) -> usize {
        self.events.len()
    }

    #[inline]
    pub(crate) fn span(&self, index: SpanIndex) -> CapturedSpan<'_> {
        CapturedSpan::new(self, index)
    }

    #[inline]
    pub(crate) fn event(&self, index: EventIndex) -> CapturedEvent<'_> {
        CapturedEvent::new(self, index)
    }

    pub(crate) fn node(&self, index: NodeIndex) -> CapturedNode<'_> {
        self.node_of(index.kind())
    }

    /// Returns the span or event to which something happened at a moment, if it is in this trace.
    pub(crate) fn node_at(&self, moment: Moment) -> Option<CapturedNode<'_>> {
        let (node, _) = self.timeline.get(self.timeline.entry_at(moment)?);
        Some(self.node_of(node))
    }

    fn node_of(&self, node: NodeKind) -> CapturedNode<'_> {
        match node {
            NodeKind::Span(index) => CapturedNode::Span(self.span(index)),
            NodeKind::Event(index) => CapturedNode::Event(self.event(index)),
        }
    }

    #[inline]
    pub(crate) fn span_node(&self, index: SpanIndex) -> &SpanNode {
        &self.spans[index.get()]
    }

    #[inline]
    pub(crate) fn event_node(&self, index: EventIndex) -> &EventNode {
        &self.events[index.get()]
    }

    pub(crate) fn links(&self, index: NodeIndex) -> &Links {
        match index.kind() {
            NodeKind::Span(index) => &self.span_node(index).links,
            NodeKind::Event(index) => &self.event_node(index).links,
        }
    }

    #[inline]
    pub(crate) fn call_site(&self, index: CallSiteIndex) -> &KnownCallSite {
        self.call_sites.get(index)
    }

    /// Returns the last values of a span, and its call site.
    #[inline]
    pub(crate) fn values_of_span(&self, span: SpanIndex) -> (&KnownCallSite, NodeValues<'_>) {
        let node = self.span_node(span);
        let values = match node.records() {
            Some(records) => records.last(&self.values),
            None => self.values.get(node.values),
        };
        (self.call_site(node.call_site), values)
    }

    /// Returns the values of an event, and its call site.
    #[inline(always)] // predicates look at many values
    pub(crate) fn values_of_event(&self, event: EventIndex) -> (&KnownCallSite, NodeValues<'_>) {
        let node = self.event_node(event);
        (self.call_site(node.call_site), self.values.get(node.values))
    }

    /// Checks whether a field of a span has had another value before its last one.
    #[cfg(feature = "predicates")]
    pub(crate) fn has_earlier_values(&self) -> bool {
        self.overwritten > 0
    }

    /// Iterates over the values of a span: the initial ones, and each later record.
    pub(crate) fn recorded(
        &self,
        span: SpanIndex,
    ) -> impl Iterator<Item = (EntryIndex, NodeValues<'_>)> + Clone {
        let node = self.span_node(span);
        let records = node.records().map_or(&[][..], Records::all);
        let all = core::iter::once((node.created, node.values)).chain(records.iter().copied());
        all.map(|(entry, range)| (entry, self.values.get(range)))
    }
}
