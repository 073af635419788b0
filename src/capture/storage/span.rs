use core::{cmp, fmt, iter, ops, ptr, time::Duration};

use crate::capture::{
    CapturedEvents, CapturedMetadata, CapturedNode, CapturedNodes, CapturedSpans, DescendantEvents,
    DescendantSpans, Moment, ParentKind, Storage,
    storage::captured::Reading,
    storage::durations::Durations,
    storage::event::DebugValues,
    storage::handles::Handles,
    storage::metadata::KnownCallSite,
    storage::node::{SpanIndex, SpanNode},
    storage::timeline::{EntryIndex, EntryKind, Timeline},
    storage::values::NodeValues,
};
use crate::{said_parent::SaidParent, wire::TracedValue};

/// How often a [`CapturedSpan`] was entered and exited so far, and whether it is closed.
///
/// # Example
///
/// ```
/// use spanshot::Capture;
///
/// let capture = Capture::start();
/// let span = tracing::info_span!("connect");
/// span.in_scope(|| ());
/// let entered = span.enter();
///
/// let trace = capture.trace();
/// let stats = trace.all_spans().next().unwrap().stats();
/// assert_eq!((stats.entered, stats.exited, stats.is_closed), (2, 1, false));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SpanStats {
    /// Number of times that the span was entered.
    pub entered: usize,
    /// Number of times that the span was exited.
    pub exited: usize,
    /// Whether the span is closed: it has no more handles, and its children are closed.
    pub is_closed: bool,
}

/// A captured span: a handle into a [`Storage`].
///
/// Two handles are equal if they refer to the same span in the same storage, and a span is less than one that was
/// captured after it. [`Display`](fmt::Display) shows the span with everything in it, as a tree.
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
/// let span = trace.all_spans().next().unwrap();
/// assert_eq!(span.metadata().name(), "connect");
/// assert_eq!(span["port"], 8_080);
/// assert_eq!(span.events().next().unwrap().message(), Some("slow"));
/// assert!(span.stats().is_closed);
/// ```
#[derive(Clone, Copy)]
pub struct CapturedSpan<'a> {
    storage: &'a Storage,
    index: SpanIndex,
    /// How predicates read values. Handles that are reached from here have them read in the same way.
    reading: Reading,
    /// Whether cases of predicates leave out explanations.
    #[cfg(feature = "predicates")]
    is_brief: bool,
}

impl<'a> CapturedSpan<'a> {
    #[inline]
    pub(crate) fn new(storage: &'a Storage, index: SpanIndex) -> Self {
        Self {
            storage,
            index,
            reading: Reading::default(),
            #[cfg(feature = "predicates")]
            is_brief: false,
        }
    }

    /// Sets how predicates read values.
    #[inline]
    pub(crate) fn read_as(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    #[cfg(feature = "predicates")]
    #[inline]
    pub(crate) fn reading(&self) -> Reading {
        self.reading
    }

    #[cfg(feature = "predicates")]
    pub(crate) fn brief(self) -> Self {
        Self { is_brief: true, ..self }
    }

    #[cfg(feature = "predicates")]
    pub(crate) fn is_brief(&self) -> bool {
        self.is_brief
    }

    /// Iterates over the values that a field had before its last one, in order.
    #[cfg(feature = "predicates")]
    pub(crate) fn earlier_values<'n>(
        &self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a TracedValue> + use<'a, 'n> {
        let ((_, last), call_site) = (self.named_values(), self.call_site());
        let all = self.storage.recorded(self.index).flat_map(|(_, values)| values.iter());
        let named = all.filter(move |(field, _)| call_site.is_named(*field, name));
        let values = named.map(|(_, value)| value);
        // Names that are declared several times have several last values: these are sought by their addresses.
        let only = call_site.has_unique_names().then(|| last.find(call_site, name));
        let mut several = Vec::new();
        if only.is_none() {
            let named = last.iter().filter(|(field, _)| call_site.is_named(*field, name));
            several.extend(named.map(|(_, value)| ptr::from_ref(value)));
            several.sort_unstable();
        }
        values.filter(move |value| match only {
            Some(last) => !last.is_some_and(|last| ptr::eq(last, *value)),
            None => several.binary_search(&ptr::from_ref(*value)).is_err(),
        })
    }

    /// Iterates over the values that predicates look at: the last one of each field, or all of them.
    #[cfg(feature = "predicates")]
    pub(crate) fn all_values(&self) -> impl Iterator<Item = (&'a str, &'a TracedValue)> + use<'a> {
        let last = (!self.reading.ever).then(|| self.named_values().1);
        let recorded = self.reading.ever.then(|| self.storage.recorded(self.index));
        let recorded = recorded.into_iter().flatten().map(|(_, values)| values);
        let call_site = self.call_site();
        let values = last.into_iter().chain(recorded);
        values.flat_map(|values| crate::capture::storage::event::named(call_site, values))
    }

    /// Returns the trace of the span.
    pub(crate) fn trace(&self) -> &'a Storage {
        self.storage
    }

    /// Returns the number of the span, which is unique in the trace.
    pub(crate) fn number(&self) -> usize {
        self.index.get()
    }

    #[inline]
    fn node(&self) -> &'a SpanNode {
        self.storage.span_node(self.index)
    }

    #[inline]
    fn call_site(&self) -> &'a KnownCallSite {
        self.storage.call_site(self.node().call_site)
    }

    /// Returns the static description of the span.
    pub fn metadata(&self) -> CapturedMetadata<'a> {
        self.call_site().metadata()
    }

    /// Iterates over names and values of the fields that have a value, in the order in which they
    /// were first recorded. The value is the last one that was recorded.
    pub fn values(&self) -> impl Iterator<Item = (&'a str, &'a TracedValue)> + use<'a> {
        let (call_site, values) = self.named_values();
        crate::capture::storage::event::named(call_site, values)
    }

    #[inline]
    pub(crate) fn named_values(&self) -> (&'a KnownCallSite, NodeValues<'a>) {
        self.storage.values_of_span(self.index)
    }

    /// Returns the value of a field, or `None` if it has none. If the call site declares several fields of this name,
    /// returns the value that was recorded last.
    #[inline]
    pub fn value(&self, name: &str) -> Option<&'a TracedValue> {
        let (call_site, values) = self.named_values();
        values.find(call_site, name)
    }

    /// Iterates over all values that a field was given, with their moments, in order.
    ///
    /// [`value()`](Self::value) returns the last one. A value that the span was created with has the
    /// [moment](Self::moment) of the creation. A bounded capture may have [evicted](crate::Keep) earlier values.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::start();
    /// let job = tracing::info_span!("job", status = "waiting");
    /// job.record("status", "running");
    /// job.record("status", "done");
    ///
    /// let trace = capture.trace();
    /// let job = trace.all_spans().next().unwrap();
    /// let statuses: Vec<_> = job.recorded("status").map(|(_, status)| status).collect();
    /// assert_eq!(statuses, ["waiting", "running", "done"]);
    /// assert_eq!(job["status"], "done");
    /// ```
    pub fn recorded<'n>(
        &self,
        name: &'n str,
    ) -> impl Iterator<Item = (Moment, &'a TracedValue)> + use<'a, 'n> {
        let (storage, call_site) = (self.storage, self.call_site());
        storage.recorded(self.index).flat_map(move |(entry, values)| {
            let named = values.iter().filter(move |(field, _)| call_site.is_named(*field, name));
            named.map(move |(_, value)| (storage.timeline.moment(entry), value))
        })
    }

    /// Iterates over names and values of the fields that were recorded at a moment: when the span was
    /// created, or at a [`Recorded`](crate::capture::Happening::Recorded) on the
    /// [timeline](Storage::timeline).
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, capture::Happening};
    ///
    /// let capture = Capture::start();
    /// let job = tracing::info_span!("job", status = "waiting");
    /// job.record("status", "done");
    ///
    /// let trace = capture.trace();
    /// let recorded = trace.timeline().find_map(|(moment, happening)| match happening {
    ///     Happening::Recorded(span) => Some(span.recorded_at(moment)),
    ///     _ => None,
    /// });
    /// let (name, value) = recorded.unwrap().next().unwrap();
    /// assert!(name == "status" && *value == "done");
    /// ```
    pub fn recorded_at(
        &self,
        moment: Moment,
    ) -> impl Iterator<Item = (&'a str, &'a TracedValue)> + use<'a> {
        let (storage, node, call_site) = (self.storage, self.node(), self.call_site());
        let range = storage.timeline.entry_at(moment).and_then(|entry| {
            if entry == node.created { Some(node.values) } else { node.record_at(entry) }
        });
        let values = range.map(|range| storage.values.get(range));
        values
            .into_iter()
            .flat_map(|values| crate::capture::storage::event::named(call_site, values))
    }

    /// Returns how often the span was entered and exited so far, and whether it is closed.
    pub fn stats(&self) -> SpanStats {
        self.node().stats()
    }

    /// Returns how often a handle of the span was cloned: the number of calls of the subscriber's `clone_span`.
    ///
    /// Returns `None` if the capture is not told: for a span that a [`CaptureLayer`](crate::CaptureLayer), a
    /// [`ProcessWideLayer`](crate::capture::ProcessWideLayer) or a capture [with layers](crate::CaptureBuilder::with_layer)
    /// captured, that a receiver [restored](crate::LocalSpans), or that comes from a [recorded
    /// trace](crate::transport::recorded::RecordedTrace).
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::start();
    /// let span = tracing::info_span!("job");
    /// drop(span.clone());
    ///
    /// let trace = capture.trace();
    /// let job = trace.all_spans().next().unwrap();
    /// assert_eq!((job.clones(), job.drops()), (Some(1), Some(1)));
    /// assert!(!job.stats().is_closed); // `span` is a handle, too
    /// ```
    pub fn clones(&self) -> Option<usize> {
        self.told_handles()?.cloned()
    }

    /// Returns how often a handle of the span was dropped, including the last drop; `None` as for [`Self::clones()`].
    pub fn drops(&self) -> Option<usize> {
        self.told_handles()?.dropped()
    }

    /// Returns the handles, unless the span is older than the stream, which only named it again.
    fn told_handles(&self) -> Option<Handles> {
        let node = self.node();
        let is_new = self.timeline().said_parent(node.created) != SaidParent::Unknown;
        is_new.then_some(node.handles)
    }

    /// Returns the moment when the span was created.
    #[inline]
    pub fn moment(&self) -> Moment {
        self.timeline().moment(self.node().created)
    }

    /// Returns the moment when the span was closed, if it is closed.
    pub fn closed(&self) -> Option<Moment> {
        let node = self.node();
        // Closing is the last entry of a span.
        node.is_closed().then(|| self.timeline().moment(node.last))
    }

    /// Iterates over the moments when the span was entered, in order.
    ///
    /// If the span was in an earlier trace that you [took](crate::SharedStorage::take), or is older than the
    /// [newest](crate::Keep::Newest) nodes that are kept, only later moments are included. [`Self::stats()`] counts all
    /// of them.
    pub fn enters(&self) -> impl DoubleEndedIterator<Item = Moment> + use<'a> {
        self.moments(EntryKind::Entered)
    }

    /// Iterates over the moments when the span was exited, in order, as [`Self::enters()`] does for enters.
    pub fn exits(&self) -> impl DoubleEndedIterator<Item = Moment> + use<'a> {
        self.moments(EntryKind::Exited)
    }

    fn moments(&self, wanted: EntryKind) -> impl DoubleEndedIterator<Item = Moment> + use<'a> {
        let timeline = self.timeline();
        let of_span = self.entries().filter(move |(_, kind)| *kind == wanted);
        of_span.map(|(entry, _)| timeline.moment(entry))
    }

    fn entries(&self) -> impl DoubleEndedIterator<Item = (EntryIndex, EntryKind)> + use<'a> {
        let node = self.node();
        self.timeline().of_span(self.index, node.created, node.last)
    }

    fn timeline(&self) -> &'a Timeline {
        &self.storage.timeline
    }

    /// Returns how long threads were in the span, from its creation until it was closed or, if it is open, until the
    /// last entry of the capture. If several threads were in it at once, that time counts once. Returns `None` if times
    /// are not [kept](crate::SharedStorage::keep_times).
    pub fn busy(&self) -> Option<Duration> {
        self.durations().map(|durations| durations.busy)
    }

    /// Returns how long no thread was in the span; the counterpart of [`Self::busy()`].
    pub fn idle(&self) -> Option<Duration> {
        self.durations().map(|durations| durations.idle)
    }

    fn durations(&self) -> Option<Durations> {
        let (node, timeline) = (self.node(), self.timeline());
        let mut durations = match node.before() {
            Some(before) => before,
            None => Durations::new(timeline.time(node.created)?, 0),
        };
        for (entry, kind) in self.entries() {
            durations.happen(kind, timeline.time(entry)?);
        }
        if !node.is_closed() {
            durations.pass(timeline.last_time()?);
        }
        Some(durations)
    }

    /// Iterates over the events directly in this span, in the order of their capture.
    pub fn events(&self) -> CapturedEvents<'a> {
        CapturedEvents::children(self.storage, self.node().children).read_as(self.reading)
    }

    /// Iterates over the spans directly in this span, in the order of their capture.
    pub fn children(&self) -> CapturedSpans<'a> {
        CapturedSpans::children(self.storage, self.node().children).read_as(self.reading)
    }

    /// Iterates over the spans and events directly in this span, in the order of their capture.
    pub fn nodes(&self) -> CapturedNodes<'a> {
        CapturedNodes::new(self.storage, self.node().children).read_as(self.reading)
    }

    /// Returns the span that contains this one, or `None` for a root.
    pub fn parent(&self) -> Option<Self> {
        self.node().links.parent.map(|parent| self.storage.span(parent).read_as(self.reading))
    }

    /// Returns how the span's parent was determined, or that it has none; `None` if a stream does not tell.
    ///
    /// # Example
    ///
    /// See [`ParentKind`].
    pub fn parent_kind(&self) -> Option<ParentKind> {
        let said = self.storage.timeline.said_parent(self.node().created);
        ParentKind::new(said, self.node().links.parent.is_some())
    }

    /// Iterates over the spans around this one, from the parent to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = CapturedSpan<'a>> + use<'a> {
        iter::successors(self.parent(), Self::parent)
    }

    /// Iterates over the spans in this one, at any depth, in the order of time.
    ///
    /// Spans of tasks that take turns come in the order of their creation, not one task after the other.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use tracing::info_span;
    ///
    /// let capture = Capture::start();
    /// let serve = info_span!("serve");
    /// let [a, b] = [1, 2].map(|task| info_span!(parent: &serve, "task", task));
    /// a.in_scope(|| drop(info_span!("step", number = 1)));
    /// b.in_scope(|| drop(info_span!("step", number = 2)));
    /// a.in_scope(|| drop(info_span!("step", number = 3)));
    ///
    /// let trace = capture.trace();
    /// let serve = trace.root_spans().next().unwrap();
    /// let steps = serve.descendants().filter_map(|span| span.value("number")?.as_int());
    /// assert!(steps.eq([1, 2, 3]));
    /// ```
    pub fn descendants(&self) -> DescendantSpans<'a> {
        DescendantSpans::new(*self)
    }

    /// Iterates over the events in the [descendants](Self::descendants) of this span, in the order of
    /// time. The [events](Self::events) directly in this span are not included; `deep_scan_events()` includes them.
    pub fn descendant_events(&self) -> DescendantEvents<'a> {
        DescendantEvents::new(*self)
    }

    /// Returns the previous span or event with the same parent.
    pub(crate) fn previous_sibling(&self) -> Option<CapturedNode<'a>> {
        self.node().links.previous.map(|node| self.storage.node(node).read_as(self.reading))
    }

    /// Returns the next span or event with the same parent.
    pub(crate) fn next_sibling(&self) -> Option<CapturedNode<'a>> {
        self.node().links.next.map(|node| self.storage.node(node).read_as(self.reading))
    }

    /// Iterates over the spans that this one follows from, in the order of their declaration.
    pub fn follows_from(&self) -> CapturedSpans<'a> {
        CapturedSpans::listed(self.storage, self.node().follows_from()).read_as(self.reading)
    }

    /// Checks whether the span also follows from others that are not in the trace, or not any more.
    #[cfg(feature = "predicates")]
    pub(crate) fn has_lost_sources(&self) -> bool {
        self.node().has_lost_sources()
    }
}

impl fmt::Debug for CapturedSpan<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CapturedSpan")
            .field("name", &self.metadata().name())
            .field("values", &DebugValues(|| self.values()))
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl PartialEq for CapturedSpan<'_> {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.storage, other.storage) && self.index == other.index
    }
}

impl Eq for CapturedSpan<'_> {}

impl PartialOrd for CapturedSpan<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        ptr::eq(self.storage, other.storage).then(|| self.index.cmp(&other.index))
    }
}

impl ops::Index<&str> for CapturedSpan<'_> {
    type Output = TracedValue;

    /// # Panics
    ///
    /// Panics if the field has no value.
    #[track_caller]
    fn index(&self, name: &str) -> &TracedValue {
        match self.value(name) {
            Some(value) => value,
            None => panic!("field `{name}` has no value in {self:?}"),
        }
    }
}
