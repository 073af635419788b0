use super::Scanner;
use crate::capture::{
    CapturedEvent, CapturedEvents, CapturedSpan, CapturedSpans, DescendantEvents, DescendantSpans,
    Storage,
};

/// Types that have spans and events to scan: traces and spans.
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
    /// Creates a scanner of the spans.
    fn scan_spans(self) -> Scanner<Self, CapturedSpans<'a>>;

    /// Creates a scanner of the events.
    fn scan_events(self) -> Scanner<Self, CapturedEvents<'a>>;
}

/// Scans all spans and events, at any depth.
impl<'a> ScanExt<'a> for &'a Storage {
    fn scan_spans(self) -> Scanner<Self, CapturedSpans<'a>> {
        Scanner::new(self, "", Storage::all_spans)
    }

    fn scan_events(self) -> Scanner<Self, CapturedEvents<'a>> {
        Scanner::new(self, "", Storage::all_events)
    }
}

/// Scans the spans and events directly in the span.
impl<'a> ScanExt<'a> for CapturedSpan<'a> {
    fn scan_spans(self) -> Scanner<Self, CapturedSpans<'a>> {
        Scanner::new(self, "directly in", |span| span.children())
    }

    fn scan_events(self) -> Scanner<Self, CapturedEvents<'a>> {
        Scanner::new(self, "directly in", |span| span.events())
    }
}

impl<'a> CapturedSpan<'a> {
    /// Creates a scanner of the spans in this one, at any depth, in the order of time.
    ///
    /// # Example
    ///
    /// See [`ScanExt`].
    pub fn deep_scan_spans(self) -> Scanner<Self, DescendantSpans<'a>> {
        Scanner::new(self, "in", |span| span.descendants())
    }

    /// Creates a scanner of the events in this span, at any depth, in the order of time.
    ///
    /// # Example
    ///
    /// See [`ScanExt`].
    pub fn deep_scan_events(self) -> Scanner<Self, DescendantEvents<'a>> {
        Scanner::new(self, "in", DescendantEvents::with_own)
    }

    /// Creates a scanner of the spans around this one, from the parent to the root.
    ///
    /// # Example
    ///
    /// See [`CapturedEvent::scan_ancestors()`].
    pub fn scan_ancestors(self) -> Scanner<Self, Ancestors<'a>> {
        Scanner::new(self, "around", |span| Ancestors(span.parent()))
    }
}

impl<'a> CapturedEvent<'a> {
    /// Creates a scanner of the spans around this event, from the parent to the root.
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
