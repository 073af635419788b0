use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{
    fmt,
    ops::{Bound, RangeBounds},
};

use ::predicates::Predicate;

use super::{
    IntoCount, ScanError, answers::KeptAnswers, colour::coloured, failure::Searched, scope::Scope,
};
use crate::{
    capture::{Captured, Moment, is_coloured},
    view::ShortLine,
};

/// Goes through spans or events, and asserts how many of them match a predicate.
///
/// It is made by the methods of [`ScanExt`](super::ScanExt), and can be used more than once. Of each assertion there is a
/// form that returns a `Result`, with the same text for `?`.
///
/// # Negatives
///
/// That a trace lacks something says nothing if the capture could not have seen it. An assertion that holds
/// because something is missing fails if that may be so:
///
/// | assertion | what is missing |
/// |---|---|
/// | [`none()`](Self::none) | an item that matches |
/// | [`all()`](Self::all) | an item that does not match |
/// | [`single()`](Self::single), [`count()`](Self::count) with a maximum | more items that match |
/// | [`exactly()`](Self::exactly), [`in_a_row()`](Self::in_a_row) | other items, at all or between |
/// | [`first()`](Self::first), [`last()`](Self::last) | a match before, or after |
/// | any, by a predicate such as `!child(…)`, or `tree(…)` [and nothing else](super::TreePredicate::and_nothing_else) | what the predicate rules out |
///
/// These fail
///
/// - if the capture left something out for want of room; `first()` and `last()` if it was on their side;
/// - if another subscriber than the capture's has the records of the thread;
/// - if a receiver that was called in the scope of the capture relays to a capture that has ended, so that its records
///   are lost;
/// - if a receiver [refused](crate::TracingEventReceiver::refusals) a record that would have come here, or the bytes of
///   one were damaged or missing. If your test is about such a program, start the capture with
///   [`ignore_lost_records()`](crate::CaptureBuilder::ignore_lost_records);
/// - if all that could be missing is hidden by the capture's [filter](crate::CaptureBuilder::filter), or by
///   the levels that are compiled into `tracing`, as far as [`level()`](super::level) and
///   [`target()`](super::target) tell. If the filter was replaced meanwhile, each of its values counts;
/// - if there is nothing that matches, or does not, and the capture saw nothing at all.
///
/// A misspelt name of a field would make a negative hold as well. So it fails if no span or event of the trace declares
/// a [`field()`](super::field) of the predicate, or one of its [`only_fields()`](super::only_fields), while one declares a field of nearly the same name: `eror` and
/// `error`, `userId` and `user_id`. An assertion that holds because a field has no value, such as
/// `single(&field("error", None::<&str>))`, needs a call site that declares the field in any case.
///
/// Where a stream does not tell the kind of a parent ([`ParentKind`](crate::ParentKind)), they fail if a
/// [`parent_kind()`](super::parent_kind) that does not match is what they hold by.
///
/// The same goes for [`cloned()`](super::cloned) and [`dropped()`](super::dropped) where the capture is [not
/// told](crate::CapturedSpan::clones) what is done to the handles of spans.
///
/// They also fail if a layer [beside the capture](crate::CaptureBuilder::with_layer) hid a record that could
/// be what is missing, by its level and target.
///
/// Scan with [`or_empty()`](Self::or_empty) if you mean it. A [`CaptureLayer`](crate::CaptureLayer) does not know
/// the filters of other layers of its subscriber, nor any capture what a closure looks for. How often a span was entered and exited, and
/// whether it is closed, is known whatever was left out: `entered(0)` and `!closed()` are no negatives.
///
/// What should not be the case should not have been, either. Where a field of a span was recorded several
/// times, `none()`, `all()` and `count(0, …)` look at the last value, and at all that it had:
/// `none(field("status", "failed"))` fails if the status was "failed" before it was "done". If you mean the
/// last value only, look at it in a closure: [`satisfies()`](super::satisfies). A `field()` that you do not
/// negate holds with any of the values, so name what must not be: `none(field("attempts", value(gt(5))))`, rather
/// than `all(field("attempts", value(le(5))))`. Other assertions count what matches in the end;
/// [`ever()`](super::ever) looks at all values there.
///
/// In a [process-wide](crate::Capture::start_process_wide) capture, an assertion on a whole trace also fails if a
/// record that no test can claim would break it, were it the test's; but for `first()` and `last()`, which
/// are of what the trace holds. The message names the record, and what you can do. If such records do not
/// matter, scan with [`ignore_unattributed()`](Self::ignore_unattributed).
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
    ignores_unattributed: bool,
}

impl<T: fmt::Debug, I> fmt::Debug for Scanner<T, I> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Scanner")
            .field("scope", &self.scope)
            .field("during", &self.during)
            .field("may_be_empty", &self.may_be_empty)
            .field("ignores_unattributed", &self.ignores_unattributed)
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
    pub(super) fn new(scope: T, relation: &'static str, into_iter: fn(T) -> I) -> Self {
        let during = (Bound::Unbounded, Bound::Unbounded);
        Self {
            scope,
            relation,
            into_iter,
            during,
            may_be_empty: false,
            ignores_unattributed: false,
        }
    }

    pub(super) fn searched(&self) -> Searched<'a> {
        Searched { storage: self.scope.storage(), scope: self.scope.node() }
    }

    /// Has predicates remember what they find around spans, until the guard is dropped.
    pub(super) fn keep_answers(&self) -> KeptAnswers<'a> {
        KeptAnswers::new(self.searched().storage)
    }

    /// Says what is scanned, to be put behind "no span": nothing for a whole trace.
    pub(super) fn place(&self) -> String {
        let place = self.scope.node().map_or_else(String::new, |node| {
            format!(" {} {}", self.relation, ShortLine::new(node))
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
        let is_always = during == (Bound::Unbounded, Bound::Unbounded);
        let items = (self.into_iter)(self.scope);
        items.filter(move |item| is_always || during.contains(&item.moment()))
    }

    /// Iterates over what no test can claim, unless that does not matter. It has moments of its own, so that
    /// all of it may have been [during](Self::during) any others.
    pub(super) fn unattributed(&self) -> impl Iterator<Item = I::Item> + use<'a, T, I> {
        let scope = self.scope.unattributed().filter(|_| !self.ignores_unattributed);
        let sight = self.searched().storage.sight();
        let items = scope.into_iter().flat_map(self.into_iter);
        // If it is the test's, the filter of the capture applies to it.
        items.filter(|item| sight.passes(*item.metadata().level(), item.metadata().target()))
    }

    /// Returns how many spans and events that no test can claim were evicted.
    pub(super) fn unattributed_evicted(&self) -> u64 {
        let scope = self.scope.unattributed().filter(|_| !self.ignores_unattributed);
        scope.map_or(0, |_| self.searched().storage.sight().unattributed_evicted)
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

    /// Allows an assertion to hold because there is nothing, even if the capture could not have seen it: see
    /// [negatives](Self#negatives).
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

    /// Asserts only on what the capture can tell to be the test's.
    ///
    /// A [process-wide](crate::Capture::start_process_wide) capture cannot tell to which test the records of
    /// some threads belong. If such a record would break a [negative](Self#negatives), the negative fails.
    /// Call this if records of other tests, or of the runtime, are all that it could be.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    /// use tracing::Level;
    ///
    /// let capture = Capture::start_process_wide();
    /// tracing::info!("started");
    /// capture.trace().scan_events().ignore_unattributed().none(&level(Level::ERROR));
    /// ```
    #[must_use]
    pub fn ignore_unattributed(mut self) -> Self {
        self.ignores_unattributed = true;
        self
    }

    /// Returns all that match, in order. There may be none: this asserts nothing.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    /// use tracing::Level;
    ///
    /// let capture = Capture::start();
    /// tracing::warn!("slow");
    /// tracing::info!("connected");
    /// let trace = capture.trace();
    /// let warnings = trace.scan_events().matches(&level(Level::WARN));
    /// assert_eq!(warnings.len(), 1);
    /// ```
    #[must_use]
    pub fn matches<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> Vec<I::Item> {
        let _answers = self.keep_answers();
        self.scanned().filter(|item| predicate.eval(item)).collect()
    }

    /// Returns the only one that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or more than one; or if the capture could not have seen more: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn single<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        or_panic(self.try_single(predicate))
    }

    /// Returns the first one that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or if earlier spans and events were left out of the trace: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn first<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        or_panic(self.try_first(predicate))
    }

    /// Returns the last one that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or if later spans and events were left out of the trace: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn last<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        or_panic(self.try_last(predicate))
    }

    /// Asserts that at least one matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or if what does rules out something that the capture may have missed: see
    /// [negatives](Self#negatives).
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

#[track_caller]
pub(super) fn or_panic<T>(result: Result<T, ScanError>) -> T {
    match result {
        Ok(value) => value,
        // Only who reads a panic sees it on a terminal: an error may be written anywhere.
        Err(error) if is_coloured() => panic!("{}", coloured(&error.to_string())),
        Err(error) => panic!("{error}"),
    }
}
