use core::iter;

use ::predicates::{Predicate, reflection::Case};

use super::{
    answers::{Identity, any_around},
    combinators::impl_with_part,
    failure::{absent, actual, first_few},
    related::{with_history, with_nearest},
    shown_value::NOT_THERE,
};
use crate::{
    capture::{Captured, CapturedNode, CapturedSpan},
    view::ShortLine,
};

/// Matches spans and events by their parent.
///
/// A root never matches.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info_span!("connect").in_scope(|| tracing::warn!("slow"));
/// let trace = capture.trace();
/// trace.scan_events().single(&parent(name("connect")));
/// ```
pub fn parent<'a, P: Predicate<CapturedSpan<'a>>>(matches: P) -> ParentPredicate<P> {
    ParentPredicate { matches, identity: Identity::new() }
}

/// Predicate for the parent of a span or event, returned by [`parent()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParentPredicate<P> {
    matches: P,
    identity: Identity,
}

impl_with_part!(ParentPredicate, "parent", Related, "span");

impl<'a, P: Predicate<CapturedSpan<'a>>, T: Captured<'a>> Predicate<T> for ParentPredicate<P> {
    fn eval(&self, item: &T) -> bool {
        let matches = |parent| self.identity.answer(parent, || self.matches.eval(&parent));
        item.parent().is_some_and(matches)
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        if self.eval(item) != expected {
            return None;
        }
        Some(match item.parent() {
            Some(_) if item.is_brief() => Case::new(Some(self), expected),
            Some(parent) => {
                let line = ShortLine::new(CapturedNode::Span(parent));
                let case = actual(self, expected, item, "parent", &line);
                if expected {
                    with_history(case, &self.matches, Some(parent))
                } else {
                    with_nearest(case, &self.matches, iter::once(parent))
                }
            }
            None => absent(self, expected, item, "parent", NOT_THERE),
        })
    }
}

/// Matches spans and events that have a matching span around them, at any distance.
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
/// trace.scan_events().single(&ancestor(name("serve")));
/// ```
pub fn ancestor<'a, P: Predicate<CapturedSpan<'a>>>(matches: P) -> AncestorPredicate<P> {
    AncestorPredicate { matches, identity: Identity::new() }
}

/// Predicate for the ancestors of a span or event, returned by [`ancestor()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AncestorPredicate<P> {
    matches: P,
    identity: Identity,
}

impl_with_part!(AncestorPredicate, "ancestor", Related, "span");

/// Number of ancestors that are shown if none of them matches.
const MAX_SHOWN: usize = 4;

impl<'a, P: Predicate<CapturedSpan<'a>>, T: Captured<'a>> Predicate<T> for AncestorPredicate<P> {
    fn eval(&self, item: &T) -> bool {
        any_around(self.identity, item.parent(), |span| self.matches.eval(span))
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        if self.eval(item) != expected {
            return None;
        }
        if item.is_brief() {
            return Some(Case::new(Some(self), expected));
        }
        let ancestors = || iter::successors(item.parent(), CapturedSpan::parent);
        let lines = ancestors().map(|span| ShortLine::new(CapturedNode::Span(span)));
        let shown = first_few(lines, MAX_SHOWN, " in ").unwrap_or_else(|| "no span".into());
        let case = actual(self, expected, item, "it", &format_args!("in {shown}"));
        Some(if expected {
            let found = ancestors().find(|span| self.matches.eval(span));
            with_history(case, &self.matches, found)
        } else {
            with_nearest(case, &self.matches, ancestors())
        })
    }
}
