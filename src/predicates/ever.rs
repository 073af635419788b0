use ::predicates::{Predicate, reflection::Case};

use super::combinators::{copy, impl_with_part};
use crate::capture::Captured;

/// Makes a predicate look at all values that fields ever had, not only at the last ones.
///
/// A field of a span may be recorded several times. [`field()`](super::field()) matches its last value;
/// `ever(field(…))` matches any of them. The same goes for the spans in it or around it, in predicates such as
/// [`child()`](super::child()) and [`parent()`](super::parent()).
///
/// You need it to assert that something is there. [`Scanner::none()`](super::Scanner::none) and other
/// [negatives](super::Scanner#negatives) look at earlier values without it.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// let job = tracing::info_span!("job", status = "waiting");
/// job.in_scope(|| tracing::info!("accepted"));
/// job.record("status", "done");
///
/// let trace = capture.trace();
/// trace.scan_spans().single(&field("status", "done"));
/// trace.scan_spans().single(&ever(field("status", "waiting")));
/// trace.scan_events().single(&ever(parent(field("status", "waiting"))));
/// trace.scan_spans().none(&field("status", "failed")); // nor was it so before
/// ```
pub fn ever<P>(matches: P) -> EverPredicate<P> {
    EverPredicate { matches }
}

/// Predicate for all values that fields ever had, returned by [`ever()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EverPredicate<P> {
    matches: P,
}

impl_with_part!(EverPredicate, "ever", Ever, "ever");

impl<'a, P: Predicate<T>, T: Captured<'a>> Predicate<T> for EverPredicate<P> {
    fn eval(&self, item: &T) -> bool {
        self.matches.eval(&item.with_earlier_values())
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        let item = item.with_earlier_values();
        let found = self.matches.find_case(expected, &item)?;
        let case = Case::new(Some(self), expected);
        if found.children().next().is_some() {
            return Some(case.add_child(found));
        }
        // A single condition stands on one line, with the actual values.
        Some(found.products().map(copy).fold(case, Case::add_product))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Capture,
        capture::{CapturedNode, Sealed},
    };

    #[test]
    fn handles_are_equal_whichever_values_predicates_look_at() {
        let capture = Capture::start();
        tracing::info_span!("outer").in_scope(|| {
            tracing::info_span!("inner").in_scope(|| tracing::info!("event"));
            tracing::info!("after");
        });
        let trace = capture.trace();
        for span in trace.all_spans() {
            let ever = span.with_earlier_values();
            assert!(ever.has_earlier_values() && !span.has_earlier_values());
            assert_eq!(ever, span);
            assert_eq!(CapturedNode::Span(ever), CapturedNode::Span(span));
            // Everything that is reached from it is of its kind.
            let around = ever.ancestors().chain(ever.children()).chain(ever.descendants());
            assert!(around.into_iter().all(|span| span.has_earlier_values()));
            let events = ever.events().chain(ever.descendant_events());
            let nodes = ever.nodes().chain(ever.nodes().rev()).chain(ever.next_sibling());
            let nodes = nodes.chain(ever.nodes().filter_map(|node| node.previous_sibling()));
            let mut nodes = nodes.chain(events.map(CapturedNode::Event));
            assert!(nodes.all(|node| match node {
                CapturedNode::Span(span) => span.has_earlier_values(),
                CapturedNode::Event(event) => event.has_earlier_values(),
            }));
        }
        for event in trace.all_events() {
            let ever = event.with_earlier_values();
            assert_eq!(ever, event);
            assert!(ever.ancestors().all(|span| span.has_earlier_values()));
        }
    }
}
