//! The timeline of a trace as text.
//!
//! It is a view like any other, with one level: each of its nodes is a span or an event at a moment. So values, marks,
//! folding and notes are the same as in the tree.

use alloc::vec::Vec;
use core::fmt;

#[cfg(feature = "snapshot")]
use super::number;
use super::{
    drawing::Drawing,
    line::Name,
    node::{Place, ViewNode},
    options::{Options, Rules, SHOW_ALL},
    tree::View,
};
use crate::capture::{CapturedNode, CapturedSpan, Happening, Moment, Storage};

/// The timeline of a trace as text, one line per happening, returned by [`Storage::timeline_text()`].
///
/// ```text
/// new span 1: INFO connect{port=8080}
/// span 1 connect: entered
/// event in span 1 connect: WARN slow millis=850
/// span 1 connect: recorded port=8081
/// span 1 connect: exited
/// new span 2 in span 1 connect: INFO retry{} (follows from connect)
/// span 2 retry: closed
/// event: INFO done
/// ```
///
/// - Spans are numbered from 1 in the order in which they were created, and shown by number and name. The name stands
///   between quotes unless it consists of letters, digits, `_`, `-`, `.` and `:`. A new span or event is shown in its
///   parent.
/// - A new span has the values that it was created with; values that were recorded later have lines of their own.
/// - A capture does not know when a span was declared to follow from another one, so this is shown with the new span.
/// - Otherwise, lines look as in the tree: see [`Storage`'s `Display`](Storage#impl-Display-for-Storage). Equal lines
///   in a row are folded into one with their number, `⟨80×⟩`, and so are groups.
///
/// [`assert_trace_snapshot!`](crate::assert_trace_snapshot) takes it, with the settings that are
/// [bound](crate::SnapshotSettings::bind), if there are any. A line `…` in the snapshot stands for any lines, so your
/// test can pin only the part that it is about. To use other settings, call
/// [`SnapshotSettings::timeline_text()`](crate::SnapshotSettings::timeline_text).
///
/// # Example
///
/// A future that is polled twice, regardless of anything else that is traced meanwhile:
///
/// ```
/// use spanshot::{Capture, assert_trace_snapshot};
///
/// let capture = Capture::start();
/// let poll = tracing::info_span!("poll");
/// poll.in_scope(|| tracing::debug!("pending"));
/// poll.in_scope(|| tracing::debug!("ready"));
/// drop(poll);
/// assert_trace_snapshot!(capture.trace().timeline_text(), @r"
/// …
/// span 1 poll: entered
/// event in span 1 poll: DEBUG pending
/// span 1 poll: exited
/// span 1 poll: entered
/// …
/// span 1 poll: exited
/// span 1 poll: closed
/// ");
/// ```
pub struct TimelineText<'a> {
    storage: &'a Storage,
    /// The view to show, unless the settings of the scope decide.
    #[cfg(feature = "snapshot")]
    view: Option<View<'a>>,
}

impl Storage {
    /// Returns the timeline of the trace as text, with a line each time that a span is created, entered, exited,
    /// recorded into or closed, or an event is emitted.
    ///
    /// For the same as data, see [`timeline()`](Self::timeline).
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::start();
    /// tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
    /// assert_eq!(
    ///     capture.trace().timeline_text().to_string(),
    ///     "new span 1: INFO connect{port=8080}\n\
    ///      span 1 connect: entered\n\
    ///      event in span 1 connect: WARN slow\n\
    ///      span 1 connect: exited\n\
    ///      span 1 connect: closed"
    /// );
    /// ```
    pub fn timeline_text(&self) -> TimelineText<'_> {
        TimelineText {
            storage: self,
            #[cfg(feature = "snapshot")]
            view: None,
        }
    }
}

#[cfg(feature = "snapshot")]
impl<'a> TimelineText<'a> {
    pub(super) fn new(storage: &'a Storage, view: View<'a>) -> Self {
        Self { storage, view: Some(view) }
    }

    pub(super) fn storage(&self) -> &'a Storage {
        self.storage
    }

    /// Whether it has settings of its own.
    pub(super) fn has_settings(&self) -> bool {
        self.view.is_some()
    }
}

impl fmt::Display for TimelineText<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "snapshot")]
        if let Some(view) = &self.view {
            return view.fmt(formatter);
        }
        View::of_timeline(self.storage, Options::default(), &SHOW_ALL).fmt(formatter)
    }
}

impl fmt::Debug for TimelineText<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TimelineText").finish_non_exhaustive()
    }
}

/// A happening of a span or event that is shown in a timeline.
#[derive(Clone, Copy)]
pub(super) struct Happened<'a> {
    pub(super) what: What,
    pub(super) moment: Moment,
    /// The number of the span; 0 for an event.
    pub(super) number: usize,
    /// For a new span or event, the nearest shown span around it.
    pub(super) parent: Option<Numbered<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum What {
    Created,
    Entered,
    Recorded,
    Exited,
    Closed,
    Emitted,
}

/// A span that is shown, and its number.
#[derive(Clone, Copy)]
pub(super) struct Numbered<'a> {
    pub(super) number: usize,
    span: CapturedSpan<'a>,
}

impl Happened<'_> {
    /// Whether the span or event is new. Then its line shows it in full.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.what, What::Created | What::Emitted)
    }
}

/// The beginning of a line of a timeline.
pub(super) struct Beginning<'h, 'a> {
    pub(super) drawing: Drawing,
    pub(super) happened: &'h Happened<'a>,
    pub(super) node: CapturedNode<'a>,
}

impl fmt::Display for Beginning<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { drawing, happened, node } = *self;
        let number = happened.number;
        let what = match (happened.what, node) {
            (What::Created, _) => {
                write!(formatter, "new span {number}")?;
                return self.write_parent(formatter);
            }
            (What::Emitted, _) | (_, CapturedNode::Event(_)) => {
                formatter.write_str("event")?;
                return self.write_parent(formatter);
            }
            (What::Entered, _) => "entered",
            (What::Recorded, _) => "recorded",
            (What::Exited, _) => "exited",
            (What::Closed, _) => "closed",
        };
        let CapturedNode::Span(span) = node else { return Ok(()) };
        write!(
            formatter,
            "span {number} {}: {what}",
            Name::in_line(drawing, span.metadata().name())
        )
    }
}

impl Beginning<'_, '_> {
    fn write_parent(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Numbered { number, span }) = self.happened.parent {
            let name = Name::in_line(self.drawing, span.metadata().name());
            write!(formatter, " in span {number} {name}")?;
        }
        formatter.write_str(":")
    }
}

impl<'a> View<'a> {
    /// Views the timeline of a trace.
    pub(super) fn of_timeline(storage: &'a Storage, options: Options, rules: &dyn Rules) -> Self {
        let mut view = Self::empty(options);
        view.trace = Some(storage);
        let mut previous = None;
        for_each_shown(storage, rules, |node, happened| {
            let node = ViewNode::at_moment(node, happened, rules);
            previous = Some(view.add(Place::ROOT, previous, node));
        });
        let digest_all = |view: &mut Self| view.places().for_each(|place| view.set_digest(place));
        digest_all(&mut view);
        #[cfg(feature = "snapshot")]
        if rules.are_marks_numbered() {
            // The order of a timeline means something.
            number::number_marks(&mut view, |_| false);
            digest_all(&mut view);
        }
        view.fold(Place::ROOT);
        view
    }
}

/// Calls a function with each happening of the spans and events that are shown.
fn for_each_shown<'a>(
    storage: &'a Storage,
    rules: &dyn Rules,
    mut see: impl FnMut(CapturedNode<'a>, Happened<'a>),
) {
    // Indexed by the numbers of spans in the storage: the number that each span has here, and the nearest shown span,
    // which may be the span itself. A span is created before anything else happens to it.
    let mut numbers = Vec::<Option<usize>>::new();
    let mut nearest = Vec::<Option<Numbered<'a>>>::new();
    let mut last = 0;
    for (moment, happening) in storage.timeline() {
        let (what, node) = match happening {
            Happening::Created(span) => (What::Created, CapturedNode::Span(span)),
            Happening::Entered(span) => (What::Entered, CapturedNode::Span(span)),
            Happening::Recorded(span) => (What::Recorded, CapturedNode::Span(span)),
            Happening::Exited(span) => (What::Exited, CapturedNode::Span(span)),
            Happening::Closed(span) => (What::Closed, CapturedNode::Span(span)),
            Happening::Emitted(event) => (What::Emitted, CapturedNode::Event(event)),
        };
        let around = node.parent().and_then(|parent| nearest.get(parent.number()).copied()?);
        let (number, parent) = match node {
            CapturedNode::Event(_) => (rules.shows(node).then_some(0), around),
            CapturedNode::Span(span) => {
                if what == What::Created {
                    let number = rules.shows(node).then(|| last + 1);
                    last = number.unwrap_or(last);
                    let own = number.map(|number| Numbered { number, span });
                    numbers.push(number);
                    nearest.push(own.or(around));
                }
                (numbers.get(span.number()).copied().flatten(), around)
            }
        };
        if let Some(number) = number {
            see(node, Happened { what, moment, number, parent });
        }
    }
}
