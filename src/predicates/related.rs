//! Predicates for the spans and events in a span, and for the spans that it follows from.

use alloc::{
    format,
    string::{String, ToString},
};

use ::predicates::{
    Predicate,
    reflection::{Case, Product},
};

use super::{
    answers::{Identity, any_inside},
    combinators::impl_with_part,
    failure::{actual, first_few},
    nearest::nearest,
    sight::SOURCE,
};
use crate::{
    capture::{Captured, CapturedEvent, CapturedNode, CapturedSpan, DescendantEvents, Sealed},
    view::ShortLine,
};

/// Number of spans or events that a reason lists.
const MAX_SHOWN: usize = 4;

/// Shows the first items, each on its own.
fn list<'a, T: Captured<'a>>(items: impl Iterator<Item = T>) -> String {
    let lines = items.map(|item| ShortLine::new(item.node()).to_string());
    first_few(lines, MAX_SHOWN, ", ").unwrap_or_else(|| format!("no {}", T::NOUNS[0]))
}

fn all_events<'a>(span: &CapturedSpan<'a>) -> DescendantEvents<'a> {
    DescendantEvents::with_own(*span)
}

/// Adds to a case the nearest item that does not match, and the conditions that it meets. It does so only if there are
/// several conditions, or if the item had other values before, which its line does not show.
pub(super) fn with_nearest<'p, 'a, T, P>(
    case: Case<'p>,
    part: &'p P,
    items: impl Iterator<Item = T>,
) -> Case<'p>
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let (count, nearest) = nearest(items, part);
    let Some(nearest) = nearest.first() else { return case };
    let says_more =
        |found: &Case<'_>| found.children().next().is_some() || nearest.has_earlier_values();
    let Some(found) = part.find_case(false, nearest).filter(says_more) else { return case };
    let which =
        (count > 1).then(|| Product::new("nearest", ShortLine::new(nearest.node()).to_string()));
    which.into_iter().fold(case, Case::add_product).add_child(found)
}

/// Adds to a case how a part matches another span or event, if an earlier value may have caused it, which the line of a
/// span does not show.
pub(super) fn with_history<'p, 'a, T, P>(case: Case<'p>, part: &'p P, item: Option<T>) -> Case<'p>
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let item = item.filter(T::has_earlier_values);
    let found = item.and_then(|item| part.find_case(true, &item));
    found.into_iter().fold(case, Case::add_child)
}

/// Implements a predicate for spans that is true if one of the items that belong to a span matches.
macro_rules! impl_related {
    ($ty:ident, $name:literal, $item:ident, $part:expr, $where:literal, $related:expr, |$this:ident, $span:ident| $any:expr) => {
        impl_with_part!($ty, $name, Related, $part);

        impl<'a, P: Predicate<$item<'a>>> Predicate<CapturedSpan<'a>> for $ty<P> {
            fn eval(&self, $span: &CapturedSpan<'a>) -> bool {
                let $this = self;
                $any
            }

            fn find_case(&self, expected: bool, span: &CapturedSpan<'a>) -> Option<Case<'_>> {
                if self.eval(span) != expected {
                    return None;
                }
                if span.is_brief() {
                    return Some(Case::new(Some(self), expected));
                }
                // If one should not be there, the others are of no interest.
                let shown = || $related(span).filter(|item| !expected || self.matches.eval(item));
                let case = actual(self, expected, span, $where, &list(shown()));
                Some(if expected {
                    with_history(case, &self.matches, shown().next())
                } else {
                    with_nearest(case, &self.matches, shown())
                })
            }
        }
    };
}

/// Matches spans that have a matching direct child.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info_span!("serve").in_scope(|| drop(tracing::info_span!("connect")));
/// let trace = capture.trace();
/// trace.scan_spans().single(&child(name("connect")));
/// ```
pub fn child<'a, P: Predicate<CapturedSpan<'a>>>(matches: P) -> ChildPredicate<P> {
    ChildPredicate { matches }
}

/// Predicate for the children of a span, returned by [`child()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildPredicate<P> {
    matches: P,
}

impl_related!(
    ChildPredicate,
    "child",
    CapturedSpan,
    CapturedSpan::NOUNS[0],
    "in it",
    CapturedSpan::children,
    |this, span| span.children().any(|child| this.matches.eval(&child))
);

/// Matches spans that have a matching span in them, at any depth.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info_span!("serve").in_scope(|| {
///     tracing::info_span!("connect").in_scope(|| drop(tracing::info_span!("resolve")));
/// });
/// let trace = capture.trace();
/// trace.scan_spans().single(&(name("serve") & descendant(name("resolve"))));
/// ```
pub fn descendant<'a, P: Predicate<CapturedSpan<'a>>>(matches: P) -> DescendantPredicate<P> {
    DescendantPredicate { matches, identity: Identity::new() }
}

/// Predicate for the descendants of a span, returned by [`descendant()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DescendantPredicate<P> {
    matches: P,
    identity: Identity,
}

impl_related!(
    DescendantPredicate,
    "descendant",
    CapturedSpan,
    CapturedSpan::NOUNS[0],
    "in it",
    CapturedSpan::descendants,
    |this, span| any_inside(
        this.identity,
        *span,
        |node| matches!(node, CapturedNode::Span(span) if this.matches.eval(&span)),
    )
);

/// Matches spans that have a matching event directly in them.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info_span!("connect", attempt = 1).in_scope(|| tracing::warn!("slow"));
/// tracing::info_span!("connect", attempt = 2).in_scope(|| tracing::info!("connected"));
/// let trace = capture.trace();
/// let span = trace.scan_spans().single(&event(message("connected")));
/// assert_eq!(span["attempt"], 2);
/// ```
pub fn event<'a, P: Predicate<CapturedEvent<'a>>>(matches: P) -> EventPredicate<P> {
    EventPredicate { matches }
}

/// Predicate for the events in a span itself, returned by [`event()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPredicate<P> {
    matches: P,
}

impl_related!(
    EventPredicate,
    "event",
    CapturedEvent,
    CapturedEvent::NOUNS[0],
    "in it",
    CapturedSpan::events,
    |this, span| span.events().any(|event| this.matches.eval(&event))
);

/// Matches spans that have a matching event in them, at any depth.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
/// use tracing::Level;
///
/// let capture = Capture::start();
/// tracing::info_span!("serve").in_scope(|| {
///     tracing::info_span!("connect").in_scope(|| tracing::warn!("slow"));
/// });
/// let trace = capture.trace();
/// trace.scan_spans().all(&deep_event(level(Level::WARN)));
/// trace.scan_spans().single(&event(level(Level::WARN)));
/// ```
pub fn deep_event<'a, P: Predicate<CapturedEvent<'a>>>(matches: P) -> DeepEventPredicate<P> {
    DeepEventPredicate { matches, identity: Identity::new() }
}

/// Predicate for the events in a span and its descendants, returned by [`deep_event()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeepEventPredicate<P> {
    matches: P,
    identity: Identity,
}

impl_related!(
    DeepEventPredicate,
    "deep_event",
    CapturedEvent,
    CapturedEvent::NOUNS[0],
    "in it",
    all_events,
    |this, span| any_inside(
        this.identity,
        *span,
        |node| matches!(node, CapturedNode::Event(event) if this.matches.eval(&event)),
    )
);

/// Matches spans that follow from a matching span.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// let request = tracing::info_span!("request");
/// tracing::info_span!("clean up").follows_from(&request);
/// let trace = capture.trace();
/// trace.scan_spans().single(&follows_from(name("request")));
/// ```
pub fn follows_from<'a, P: Predicate<CapturedSpan<'a>>>(matches: P) -> FollowsFromPredicate<P> {
    FollowsFromPredicate { matches, identity: Identity::new() }
}

/// Predicate for the spans that a span follows from, returned by [`follows_from()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowsFromPredicate<P> {
    matches: P,
    identity: Identity,
}

impl_related!(
    FollowsFromPredicate,
    "follows_from",
    CapturedSpan,
    SOURCE,
    "what it follows from",
    CapturedSpan::follows_from,
    |this, span| {
        let matches = |source| this.identity.answer(source, || this.matches.eval(&source));
        span.follows_from().any(matches)
    }
);
