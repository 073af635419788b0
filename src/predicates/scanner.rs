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
    ScanError, answers::KeptAnswers, colour::coloured, count::IntoCount, failure::Searched,
    scope::Scope, sight::evicted_unattributed,
};
use crate::{
    capture::{Captured, Moment, is_coloured},
    view::ShortLine,
};

/// Scans spans or events, and asserts how many of them match a predicate.
///
/// The methods of [`ScanExt`](super::ScanExt) create one, and you can use it more than once. Each assertion also has a
/// form that returns a `Result`, whose error has the same text, for use with `?`.
///
/// # Negatives
///
/// A negative says that something is missing from a trace. It means nothing if the capture could not have seen that. So
/// an assertion that holds because something is missing fails if the capture may have missed it:
///
/// | assertion | missing |
/// |---|---|
/// | [`none()`](Self::none) | an item that matches |
/// | [`all()`](Self::all) | an item that does not match |
/// | [`single()`](Self::single), [`count()`](Self::count) with a maximum | more items that match |
/// | [`exactly()`](Self::exactly), [`in_a_row()`](Self::in_a_row) | other items, at all or between |
/// | [`first()`](Self::first), [`last()`](Self::last) | a match before, or after |
/// | any, by a predicate such as `!child(…)`, or `tree(…)` [and nothing else](super::types::TreePredicate::and_nothing_else) | anything that the predicate rules out |
///
/// These fail
///
/// - if the capture left something out for lack of room; `first()` and `last()` only if it was on their side;
/// - if a subscriber other than the capture's receives the records of the thread;
/// - if a receiver that was called in the scope of the capture relays to a capture that has ended, and so its records
///   are lost;
/// - if a guest that asks for the filter has run while it went by the filter of an earlier capture: see
///   [`GuestTrace::tell_filter()`](crate::transport::wasm_host::GuestTrace::tell_filter);
/// - if a guest that buffers has run since its
///   [buffer was read](crate::transport::wasm_host::GuestTrace::read_buffer);
/// - if a receiver [refused](crate::TracingEventReceiver::refusals) a record that would have come here, or the bytes of
///   such a record were damaged or missing, or its stream was not ended, as by a child process that was killed. If your
///   test is about such a program, start the capture with
///   [`ignore_lost_records()`](crate::CaptureBuilder::ignore_lost_records);
/// - if the capture's [filter](crate::CaptureBuilder::filter), or the levels that are compiled into `tracing`, hide
///   everything that could be missing, as far as [`level()`](super::level) and [`target()`](super::target) tell. If you
///   replaced the filter meanwhile, each of its values counts;
/// - if the capture saw nothing at all;
/// - if nothing can be between the moments that you gave to [`during()`](Self::during): the first has to come before the
///   second.
///
/// A misspelt field name would make a negative hold as well. So it fails if no span or event of the trace declares a
/// [`field()`](super::field) of the predicate, or one of its [`only_fields()`](super::only_fields), but one declares a
/// field with nearly the same name: `eror` and `error`, `userId` and `user_id`. An assertion that holds because a field
/// has no value, such as `single(&field("error", None::<&str>))`, always needs a call site that declares the field.
///
/// A value of another type than you think would do so, too: `none(&field("user", "bob"))` would hold if your code traced
/// `user = ?"bob"`, since `Debug` output has quotes, and `none(&field("status", 500))` if the status is a text. So a
/// negative fails if it would not hold with the plain values in [`field()`](super::field) and
/// [`any_field()`](super::any_field) compared regardless of their type. So does `any(&!field("user", "bob"))`, whose part
/// rules a value out, as do `single()`, `first()`, `last()`, `count()` and the assertions on order. If you mean one type, name it:
/// `field("status", value(eq(500_i128)))` does not match a text, nor [`debug()`](super::debug) anything but `Debug`
/// output. Only numbers that a [`value()`](super::value) cannot hold, such as 812.5 in `value(gt(500))`, make a negative
/// fail.
///
/// If a stream does not tell the kind of a parent ([`ParentKind`](crate::capture::ParentKind)), negatives fail if they hold
/// because a [`parent_kind()`](super::parent_kind) does not match.
///
/// The same goes for [`cloned()`](super::cloned) and [`dropped()`](super::dropped) if the capture is [not
/// told](crate::CapturedSpan::clones) how the handles of spans are used.
///
/// They also fail if the trace has an error whose chain [may be cut](crate::TracedError::may_be_cut), and if a layer
/// [beside the capture](crate::CaptureBuilder::with_layer) hid a record that could be the
/// missing one, by its level and target.
///
/// Scan with [`or_empty()`](Self::or_empty) to allow an assertion to hold nevertheless. A
/// [`CaptureLayer`](crate::CaptureLayer) does not know the filters of other layers of its subscriber, and no capture
/// knows what a closure looks for. The numbers of entries and exits of a span, and whether it is closed, are known even
/// if the capture left something out: `entered(0)` and `!closed()` are no negatives.
///
/// Negatives cover earlier values, too. If a field of a span was recorded several times, `none()`, `all()` and
/// `count(0, …)` look at the last value, and at all values that it had: `none(field("status", "failed"))` fails if the
/// status was "failed" before it was "done". If you mean only the last value, look at it in a closure:
/// [`satisfies()`](super::satisfies). A `field()` that you do not negate holds with any of the values, so name the
/// values that must not be: `none(field("attempts", value(gt(5))))`, rather than
/// `all(field("attempts", value(le(5))))`. Other assertions look at the last values; use [`ever()`](super::ever) there to
/// look at all values.
///
/// In a [process-wide](crate::Capture::start_process_wide) capture, an assertion on a whole trace also fails if a
/// record that no test can claim would break it, supposing that the record is your test's: for `first()` and `last()`, a
/// record that matches. The message names the record, and your options. If such records do not matter, scan with
/// [`ignore_unattributed()`](Self::ignore_unattributed).
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
    /// Relation of the items to the scope: "in" or "around".
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

    /// Makes predicates remember their answers for spans until the guard is dropped.
    pub(super) fn keep_answers(&self) -> KeptAnswers<'a> {
        KeptAnswers::new(self.searched().storage)
    }

    /// Describes the scope, to be put behind "no span": nothing for a whole trace.
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

    /// Says that the given moments leave no room for any item, if that is so.
    pub(super) fn no_moment(&self) -> Option<String> {
        use Bound::{Excluded, Included};

        let is_empty = match self.during {
            (Included(start), Included(end)) => start > end,
            (Included(start) | Excluded(start), Included(end) | Excluded(end)) => start >= end,
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        };
        is_empty.then(|| {
            "nothing can be between the given moments, the first of which is not before the second"
                .to_string()
        })
    }

    /// Iterates over the items that no test can claim, unless they are ignored. They have moments of their own, so each
    /// of them may have been [during](Self::during) any others.
    pub(super) fn unattributed(&self) -> impl Iterator<Item = I::Item> + use<'a, T, I> {
        let scope = self.scope.unattributed().filter(|_| !self.ignores_unattributed);
        let sight = self.searched().storage.sight();
        let items = scope.into_iter().flat_map(self.into_iter);
        // If an item is the test's, the filter of the capture applies to it.
        items.filter(|item| sight.passes(*item.metadata().level(), item.metadata().target()))
    }

    /// Says that spans and events that no test can claim were evicted, if some were.
    pub(super) fn unattributed_evicted(&self) -> Option<String> {
        self.scope.unattributed().filter(|_| !self.ignores_unattributed)?;
        evicted_unattributed(self.searched().storage)
    }

    /// Scans only spans created, or events emitted, between two moments.
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

    /// Allows an assertion to hold because nothing was captured, even if the capture could not have seen it: see
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

    /// Asserts only on records that the capture can attribute to your test.
    ///
    /// A [process-wide](crate::Capture::start_process_wide) capture cannot tell to which test the records of some
    /// threads belong. If such a record would break a [negative](Self#negatives), the negative fails. Call this if such
    /// records can come only from other tests, or from the runtime.
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

    /// Returns all items that match, in order. There may be none: this asserts nothing.
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

    /// Asserts that exactly one item matches, and returns it.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or more than one, or if the capture could not have seen more: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn single<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        or_panic(self.try_single(predicate))
    }

    /// Returns the first item that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or if earlier spans and events were left out of the trace: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn first<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        or_panic(self.try_first(predicate))
    }

    /// Returns the last item that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or if later spans and events were left out of the trace: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn last<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        or_panic(self.try_last(predicate))
    }

    /// Asserts that at least one item matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or if the match rules out something that the capture may have missed: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn any<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) {
        or_panic(self.try_any(predicate));
    }

    /// Asserts that all items match. There may be none.
    ///
    /// # Panics
    ///
    /// Panics if one does not match, or if the capture could not have seen it: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn all<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) {
        or_panic(self.try_all(predicate));
    }

    /// Asserts that no item matches.
    ///
    /// # Panics
    ///
    /// Panics if one matches, or if the capture could not have seen it: see
    /// [negatives](Self#negatives).
    #[track_caller]
    pub fn none<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) {
        or_panic(self.try_none(predicate));
    }

    /// Asserts that `count` items match (a number or a range), and returns them.
    ///
    /// # Panics
    ///
    /// Panics if more or fewer items match. With a maximum, it also panics if the capture could not have seen more: see
    /// [negatives](Self#negatives).
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
        // Only panics are coloured, since they are read on a terminal: an error may be written anywhere.
        Err(error) if is_coloured() => panic!("{}", coloured(&error.to_string())),
        Err(error) => panic!("{error}"),
    }
}
