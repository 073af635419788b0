use alloc::format;
use core::fmt;

use ::predicates::Predicate;

use super::failure::{no_match, unwanted};
use crate::capture::{
    Captured, CapturedEvents, CapturedSpan, CapturedSpans, DescendantEvents, DescendantSpans,
    Sealed, Storage,
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
        Scanner { items: self, into_iter: Storage::all_spans }
    }

    fn scan_events(self) -> Scanner<Self, CapturedEvents<'a>> {
        Scanner { items: self, into_iter: Storage::all_events }
    }
}

/// The spans and events in the span itself.
impl<'a> ScanExt<'a> for CapturedSpan<'a> {
    fn scan_spans(self) -> Scanner<Self, CapturedSpans<'a>> {
        Scanner { items: self, into_iter: |span| span.children() }
    }

    fn scan_events(self) -> Scanner<Self, CapturedEvents<'a>> {
        Scanner { items: self, into_iter: |span| span.events() }
    }
}

impl<'a> CapturedSpan<'a> {
    /// Makes a scanner of the spans in this one, at any depth.
    ///
    /// # Example
    ///
    /// See [`ScanExt`].
    pub fn deep_scan_spans(self) -> Scanner<Self, DescendantSpans<'a>> {
        Scanner { items: self, into_iter: |span| span.descendants() }
    }

    /// Makes a scanner of the events in this span, at any depth, in the order of the tree.
    ///
    /// # Example
    ///
    /// See [`ScanExt`].
    pub fn deep_scan_events(self) -> Scanner<Self, DescendantEvents<'a>> {
        Scanner { items: self, into_iter: DescendantEvents::with_own }
    }
}

/// Goes through spans or events, and asserts how many of them match a predicate.
///
/// It is made by the methods of [`ScanExt`], and can be used more than once.
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
    items: T,
    into_iter: fn(T) -> I,
}

impl<T: fmt::Debug, I> fmt::Debug for Scanner<T, I> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scanner").field("items", &self.items).finish_non_exhaustive()
    }
}

impl<T: Clone, I> Clone for Scanner<T, I> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), into_iter: self.into_iter }
    }
}

impl<T: Copy, I> Copy for Scanner<T, I> {}

impl<'a, T, I> Scanner<T, I>
where
    T: Clone,
    I: Iterator,
    I::Item: Captured<'a>,
{
    const NOUNS: [&'static str; 2] = <I::Item as Sealed>::NOUNS;

    fn scanned(&self) -> I {
        (self.into_iter)(self.items.clone())
    }

    /// Returns the only one that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches, or more than one.
    #[track_caller]
    pub fn single<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        let matching = || self.scanned().filter(|item| predicate.eval(item));
        let mut iter = matching();
        match (iter.next(), iter.next()) {
            (Some(item), None) => item,
            (None, _) => panic!("{}", no_match(self.scanned(), predicate)),
            (Some(_), Some(_)) => {
                let what =
                    format!("{} {} match instead of one", matching().count(), Self::NOUNS[1]);
                panic!("{}", unwanted(&what, matching(), predicate))
            }
        }
    }

    /// Returns the first one that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches.
    #[track_caller]
    pub fn first<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        match self.scanned().find(|item| predicate.eval(item)) {
            Some(item) => item,
            None => panic!("{}", no_match(self.scanned(), predicate)),
        }
    }

    /// Asserts that all match, of which there may be none.
    ///
    /// # Panics
    ///
    /// Panics if one does not match.
    #[track_caller]
    pub fn all<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) {
        let failing = || self.scanned().filter(|item| !predicate.eval(item));
        let count = failing().count();
        if count > 0 {
            let what =
                format!("{count} of {} {} do not match", self.scanned().count(), Self::NOUNS[1]);
            panic!("{}", unwanted(&what, failing(), predicate));
        }
    }

    /// Asserts that none matches.
    ///
    /// # Panics
    ///
    /// Panics if one matches.
    #[track_caller]
    pub fn none<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) {
        let matching = || self.scanned().filter(|item| predicate.eval(item));
        let count = matching().count();
        if count > 0 {
            let noun = if count == 1 { Self::NOUNS[0] } else { Self::NOUNS[1] };
            let what = format!("{count} {noun} should not match");
            panic!("{}", unwanted(&what, matching(), predicate));
        }
    }

    /// Returns the last one that matches.
    ///
    /// # Panics
    ///
    /// Panics if none matches.
    #[track_caller]
    pub fn last<P: Predicate<I::Item> + ?Sized>(self, predicate: &P) -> I::Item {
        match self.scanned().filter(|item| predicate.eval(item)).last() {
            Some(item) => item,
            None => panic!("{}", no_match(self.scanned(), predicate)),
        }
    }
}
