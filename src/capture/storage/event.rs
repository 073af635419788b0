use core::{cmp, fmt, iter, ops, ptr};

use crate::capture::{
    CapturedMetadata, CapturedNode, CapturedSpan, Moment, ParentKind, Storage,
    storage::captured::Reading,
    storage::metadata::KnownCallSite,
    storage::node::{EventIndex, EventNode},
    storage::values::NodeValues,
};
use crate::wire::TracedValue;

/// A captured event: a handle into a [`Storage`].
///
/// Two handles are equal if they refer to the same event in the same storage, and an event is less than one that was
/// captured after it. [`Display`](fmt::Display) shows the event as a line of the tree.
///
/// # Example
///
/// ```
/// use spanshot::Capture;
///
/// let capture = Capture::start();
/// tracing::info_span!("connect").in_scope(|| tracing::warn!(millis = 850, "slow"));
///
/// let trace = capture.trace();
/// let event = trace.all_events().next().unwrap();
/// assert_eq!(event.message(), Some("slow"));
/// assert_eq!(event["millis"], 850);
/// assert_eq!(event.parent().unwrap().metadata().name(), "connect");
/// ```
#[derive(Clone, Copy)]
pub struct CapturedEvent<'a> {
    storage: &'a Storage,
    index: EventIndex,
    /// How predicates read values. Handles that are reached from here have them read in the same way.
    reading: Reading,
    /// Whether cases of predicates leave out explanations.
    #[cfg(feature = "predicates")]
    is_brief: bool,
}

impl<'a> CapturedEvent<'a> {
    #[inline]
    pub(crate) fn new(storage: &'a Storage, index: EventIndex) -> Self {
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

    /// Iterates over the values that a field had before its last one: an event has none.
    #[cfg(feature = "predicates")]
    #[allow(clippy::unused_self)] // as that of spans
    pub(crate) fn earlier_values(
        &self,
        _: &str,
    ) -> impl Iterator<Item = &'a TracedValue> + use<'a> {
        iter::empty()
    }

    /// Iterates over the values that predicates look at.
    #[cfg(feature = "predicates")]
    pub(crate) fn all_values(&self) -> impl Iterator<Item = (&'a str, &'a TracedValue)> + use<'a> {
        self.values()
    }

    /// Returns the trace of the event.
    pub(crate) fn trace(&self) -> &'a Storage {
        self.storage
    }

    /// Returns the number of the event, which is unique in the trace.
    #[cfg(feature = "export")]
    pub(crate) fn number(&self) -> usize {
        self.index.get()
    }

    #[inline]
    fn node(&self) -> &'a EventNode {
        self.storage.event_node(self.index)
    }

    #[inline]
    fn call_site(&self) -> &'a KnownCallSite {
        self.storage.call_site(self.node().call_site)
    }

    /// Returns the static description of the event.
    pub fn metadata(&self) -> CapturedMetadata<'a> {
        self.call_site().metadata()
    }

    /// Iterates over names and values of the fields, in the order in which they were recorded.
    pub fn values(&self) -> impl Iterator<Item = (&'a str, &'a TracedValue)> + use<'a> {
        let (call_site, values) = self.named_values();
        named(call_site, values)
    }

    #[inline]
    pub(crate) fn named_values(&self) -> (&'a KnownCallSite, NodeValues<'a>) {
        self.storage.values_of_event(self.index)
    }

    /// Returns the value of a field, or `None` if it has none. If the call site declares several fields of this name,
    /// returns the value that was recorded last.
    #[inline]
    pub fn value(&self, name: &str) -> Option<&'a TracedValue> {
        let (call_site, values) = self.named_values();
        values.find(call_site, name)
    }

    /// Returns the message: the text of the field `message`, if its value is a text, `Debug` or `Display` output, or an
    /// error.
    pub fn message(&self) -> Option<&'a str> {
        let (call_site, values) = self.named_values();
        values.find(call_site, "message")?.as_text()
    }

    /// Returns the moment when the event was emitted.
    #[inline]
    pub fn moment(&self) -> Moment {
        self.storage.timeline.moment(self.node().emitted)
    }

    /// Returns the span that contains this event, or `None` for a root.
    pub fn parent(&self) -> Option<CapturedSpan<'a>> {
        self.node().links.parent.map(|parent| self.storage.span(parent).read_as(self.reading))
    }

    /// Returns how the event's parent was determined, or that it has none; `None` if a stream does not tell.
    ///
    /// # Example
    ///
    /// See [`ParentKind`].
    pub fn parent_kind(&self) -> Option<ParentKind> {
        let said = self.storage.timeline.said_parent(self.node().emitted);
        ParentKind::new(said, self.node().links.parent.is_some())
    }

    /// Returns the previous span or event with the same parent.
    pub(crate) fn previous_sibling(&self) -> Option<CapturedNode<'a>> {
        self.node().links.previous.map(|node| self.storage.node(node).read_as(self.reading))
    }

    /// Returns the next span or event with the same parent.
    pub(crate) fn next_sibling(&self) -> Option<CapturedNode<'a>> {
        self.node().links.next.map(|node| self.storage.node(node).read_as(self.reading))
    }

    /// Iterates over the spans around this event, from the parent to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = CapturedSpan<'a>> + use<'a> {
        iter::successors(self.parent(), CapturedSpan::parent)
    }
}

/// Iterates over the values of a node, with their names.
pub(crate) fn named<'a>(
    call_site: &'a KnownCallSite,
    values: NodeValues<'a>,
) -> impl Iterator<Item = (&'a str, &'a TracedValue)> + use<'a> {
    let values = values.iter();
    values.filter_map(|(field, value)| Some((call_site.field_name(field)?, value)))
}

/// Shows values as a map.
pub(crate) struct DebugValues<F>(pub(crate) F);

impl<'a, I, F> fmt::Debug for DebugValues<F>
where
    I: Iterator<Item = (&'a str, &'a TracedValue)>,
    F: Fn() -> I,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries((self.0)()).finish()
    }
}

impl fmt::Debug for CapturedEvent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CapturedEvent")
            .field("level", self.metadata().level())
            .field("values", &DebugValues(|| self.values()))
            .finish_non_exhaustive()
    }
}

impl PartialEq for CapturedEvent<'_> {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.storage, other.storage) && self.index == other.index
    }
}

impl Eq for CapturedEvent<'_> {}

impl PartialOrd for CapturedEvent<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        ptr::eq(self.storage, other.storage).then(|| self.index.cmp(&other.index))
    }
}

impl ops::Index<&str> for CapturedEvent<'_> {
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
