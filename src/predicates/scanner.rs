use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{
    cell::Cell,
    fmt,
    ops::{Bound, RangeBounds},
};

use ::predicates::Predicate;

use super::{ScanError, colour::coloured, failure::Searched, scope::Scope};
use crate::{
    capture::{
        Captured, CapturedEvent, CapturedEvents, CapturedSpan, CapturedSpans, DescendantEvents,
        DescendantSpans, Moment, Storage, is_coloured,
    },
    snapshot::Line,
};

/// What has spans and events to scan: a trace, and a span.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info_span!("serve").in_scope(|| {
///     tracing::info_span!("connect").in_scope(|| tracing::warn!("slow"));
/// });
/// let trace = capture.trace();
/// // A trace is scanned as a whole …
/// trace.scan_events().single(&message(eq("slow")));
/// // … and a span for what is in it itself, unless it is asked for more.
/// let serve = trace.scan_spans().single(&name(eq("serve")));
/// serve.scan_events().none(&always());
/// serve.deep_scan_events().single(&message(eq("slow")));
/// ```
pub trait ScanExt<'a>: Sized {
    /// Makes a scanner of spans.
    fn scan_spans(self) -> Scanner<Self, CapturedSpans<'a>>;

    /// Makes a scanner of events.
    fn scan_events(self) -> Scanner<Self, CapturedEvents<'a>>;
}

/// All spans and events, at any depth.
impl<'a> ScanExt<'a> for &'a Storage {
    fn scan_spans(self) -> Scanner<Self, CapturedSpans<'a>> {
        Scanner::new(self, "", Storage::all_spans)
    }

    fn scan_events(self) -> Scanner<Self, CapturedEvents<'a>> {
        Scanner::new(self, "", Storage::all_events)
    }
}

/// The spans and events in the span itself.
impl<'a> ScanExt<'a> for CapturedSpan<'a> {
    fn scan_spans(self) -> Scanner<Self, CapturedSpans<'a>> {
        Scanner::new(self, "directly in", |span| span.children())
    }

    fn scan_events(self) -> Scanner<Self, CapturedEvents<'a>> {
        Scanner::new(self, "directly in", |span| span.events())
    }
}

impl<'a> CapturedSpan<'a> {
    /// Makes a scanner of the spans in this one, at any depth.
    ///
    /// # Example
    ///
    /// See [`ScanExt`].
    pub fn deep_scan_spans(self) -> Scanner<Self, DescendantSpans<'a>> {
        Scanner::new(self, "in", |span| span.descendants())
    }

    /// Makes a scanner of the events in this span, at any depth, in the order of the tree.
    ///
    /// # Example
    ///
    /// See [`ScanExt`].
    pub fn deep_scan_events(self) -> Scanner<Self, DescendantEvents<'a>> {
        Scanner::new(self, "in", DescendantEvents::with_own)
    }

    /// Makes a scanner of the spans around this one, from the parent to the root.
    ///
    /// # Example
    ///
    /// See [`CapturedEvent::scan_ancestors()`].
    pub fn scan_ancestors(self) -> Scanner<Self, Ancestors<'a>> {
        Scanner::new(self, "around", |span| Ancestors(span.parent()))
    }
}

impl<'a> CapturedEvent<'a> {
    /// Makes a scanner of the spans around this event, from the parent to the root.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::start();
    /// tracing::info_span!("serve").in_scope(|| {
    ///     tracing::info_span!("connect").in_scope(|| tracing::warn!("slow"));
    /// });
    /// let trace = capture.trace();
    /// let slow = trace.scan_events().single(&message(eq("slow")));
    /// assert_eq!(slow.scan_ancestors().first(&always()).metadata().name(), "connect");
    /// slow.scan_ancestors().single(&name(eq("serve")));
    /// ```
    pub fn scan_ancestors(self) -> Scanner<Self, Ancestors<'a>> {
        Scanner::new(self, "around", |event| Ancestors(event.parent()))
    }
}

/// Iterator over the spans around a span or an event, from the parent to the root.
#[derive(Debug, Clone)]
pub struct Ancestors<'a>(Option<CapturedSpan<'a>>);

impl<'a> Iterator for Ancestors<'a> {
    type Item = CapturedSpan<'a>;

    fn next(&mut self) -> Option<CapturedSpan<'a>> {
        let next = self.0.take();
        self.0 = next.and_then(|span| span.parent());
        next
    }
}

/// Goes through spans or events, and asserts how many of them match a predicate.
///
/// It is made by the methods of [`ScanExt`], and can be used more than once. Of each assertion there is a
/// form that returns a `Result`, with the same text for `?`.
///
/// # Negatives
///
/// That something is not in a trace says nothing if the capture could not have seen it. So
/// [`none()`](Self::none), [`all()`](Self::all) and a [`count()`](Self::count) that is limited from above
/// fail where the capture left something out for want of room, as does [`exactly()`](Self::exactly); and
/// if there is nothing that matches, or does not, also where the capture saw nothing at all, or where its
/// [filter](crate::CaptureBuilder::filter) does not let pass what would make them fail, as far as
/// [`level()`](super::level) and [`target()`](super::target) tell; unless that is
/// [meant](Self::or_empty). Filters of other layers of a subscriber are not known to a
/// capture.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
/// use tracing::Level;
///
/// let capture = Capture::start();
/// for attempt in 1..=3 {
///     tracing::info!(attempt, "connecting");
/// }
/// let trace = capture.trace();
/// let events = trace.scan_events();
/// assert_eq!(events.first(&message(eq("connecting")))["attempt"], 1);
/// assert_eq!(events.last(&message(eq("connecting")))["attempt"], 3);
/// events.single(&field("attempt", 2));
/// events.all(&level(Level::INFO));
/// events.none(&field("attempt", 4));
/// ```
pub struct Scanner<T, I> {
    scope: T,
    /// Where in the scope, or around it, things are.
    relation: &'static str,
    into_iter: fn(T) -> I,
    during: (Bound<Moment>, Bound<Moment>),
    pub(super) may_be_empty: bool,
}

impl<T: fmt::Debug, I> fmt::Debug for Scanner<T, I> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Scanner")
            .field("scope", &self.scope)
            .field("during", &self.during)
            .field("may_be_empty", &self.may_be_empty)
            .finish_non_exhaustive()
    }
}

impl<T: Clone, I> Clone for Scanner<T, I> {
    fn clone(&self) -> Self {
        Self { scope: self.scope.clone(), ..*self }
    }
}

impl<T: Copy, I> Copy for Scanner<T, I> {}

impl<'a, T, I> Scanner<T, I>
where
    T: Scope<'a>,
    I: Iterator,
    I::Item: Captured<'a>,
{
    fn new(scope: T, relation: &'static str, into_iter: fn(T) -> I) -> Self {
        let during = (Bound::Unbounded, Bound::Unbounded);
        Self { scope, relation, into_iter, during, may_be_empty: false }
    }

    pub(super) fn searched(&self) -> Searched<'a> {
        Searched { storage: self.scope.storage(), scope: self.scope.node() }
    }

    /// Says what is scanned, to be put behind "no span": nothing for a whole trace.
    pub(super) fn place(&self) -> String {
        let place = self.scope.node().map_or_else(String::new, |node| {
            format!(" {} {}", self.relation, Line { node, is_cut: &Cell::new(false) })
        });
        place
            + match self.during {
                (Bound::Unbounded, Bound::Unbounded) => "",
                (_, Bound::Unbounded) => " since the given moment",
                (Bound::Unbounded, _) => " until the given moment",
                _ => " between the given moments",
            }
    }

    pub(super) fn scanned(&self) -> impl Iterator<Item = I::Item> + use<'a, T, I> {
        let during = self.during;
        (self.into_iter)(self.scope).filter(move |item| during.contains(&item.moment()))
    }

    /// Scans only what was created or emitted between two moments.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::start();
    /// tracing::info!("opened");
    /// tracing::info!("written");
    /// tracing::info!("closed");
    /// let trace = capture.trace();
    /// let events = trace.scan_events();
    /// let opened = events.single(&message(eq("opened"))).moment();
    /// let closed = events.single(&message(eq("closed"))).moment();
    /// events.during(opened..closed).single(&message(eq("written")));
    /// events.during(..closed).count(2, &always());
    /// events.during(closed..).none(&message(eq("written")));
    /// ```
    #[must_use]
    pub fn during(mut self, range: impl RangeBounds<Moment>) -> Self {
        self.during = (range.start_bound().cloned(), range.end_bound().cloned());
        self
    }

    /// Means it if an assertion holds because there is nothing: see [negatives](Self#negatives).
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::start();
    /// assert!(capture.trace().scan_events().try_none(&message(eq("failed"))).is_err());
    /// capture.trace().scan_events().or_empty().none(&message(eq("failed")));
    /// ```
    #[must_use]
    pub fn or_empty(mut self) -> Self {
        self.may_be_empty = true;
        self
    }

    /// Returns the only one that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or more than one.
    #[track_caller]
    pub fn single<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        or_panic(self.try_single(predicate))
    }

    /// Returns the first one that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches.
    #[track_caller]
    pub fn first<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        or_panic(self.try_first(predicate))
    }

    /// Returns the last one that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches.
    #[track_caller]
    pub fn last<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        or_panic(self.try_last(predicate))
    }

    /// Asserts that at least one matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches.
    #[track_caller]
    pub fn any<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) {
        or_panic(self.try_any(predicate));
    }

    /// Asserts that all match, of which there may be none.
    ///
    /// # Panics
    ///
    /// Panics if one does not match, or if the capture could not have seen it: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn all<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) {
        or_panic(self.try_all(predicate));
    }

    /// Asserts that none matches.
    ///
    /// # Panics
    ///
    /// Panics if one matches, or if the capture could not have seen it: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn none<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) {
        or_panic(self.try_none(predicate));
    }

    /// Returns those that match, of which there have to be so many: a number, or a range of numbers.
    ///
    /// # Panics
    ///
    /// Panics if there are more or fewer of them; or if there may not be more, and the capture could not
    /// have seen them: see [negatives](Self#negatives).
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::start();
    /// (1..=3).for_each(|attempt| tracing::info!(attempt, "connecting"));
    /// let trace = capture.trace();
    /// let events = trace.scan_events();
    /// let connecting = events.count(3, &message(eq("connecting")));
    /// assert_eq!(connecting[1]["attempt"], 2);
    /// events.count(1.., &field("attempt", value(gt(1_i64)))); // at least
    /// events.count(..=1, &field("attempt", 3)); // at most
    /// events.count(2..=3, &always()); // between
    /// ```
    #[track_caller]
    pub fn count<P: Predicate<I::Item> + ?Sized>(
        self,
        count: impl IntoCount,
        predicate: &P,
    ) -> Vec<I::Item> {
        or_panic(self.try_count(count, predicate))
    }
}

/// Numbers of spans or events that [`Scanner::count()`] accepts: a `usize`, or a range of them.
pub trait IntoCount {
    /// Returns the range.
    fn into_count(self) -> (Bound<usize>, Bound<usize>);
}

macro_rules! impl_into_count {
    ($($ty:ty),+) => {$(
        impl IntoCount for $ty {
            fn into_count(self) -> (Bound<usize>, Bound<usize>) {
                (self.start_bound().cloned(), self.end_bound().cloned())
            }
        }
    )+};
}

impl_into_count!(
    core::ops::Range<usize>,
    core::ops::RangeInclusive<usize>,
    core::ops::RangeFrom<usize>,
    core::ops::RangeTo<usize>,
    core::ops::RangeToInclusive<usize>,
    (Bound<usize>, Bound<usize>)
);

impl IntoCount for usize {
    fn into_count(self) -> (Bound<usize>, Bound<usize>) {
        (Bound::Included(self), Bound::Included(self))
    }
}

#[track_caller]
pub(super) fn or_panic<T>(result: Result<T, ScanError>) -> T {
    match result {
        Ok(value) => value,
        // Only who reads a panic sees it on a terminal: an error may be written anywhere.
        Err(error) if is_coloured() => panic!("{}", coloured(&error.to_string())),
        Err(error) => panic!("{error}"),
    }
}
