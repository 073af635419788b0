//! Order, moments and patterns of subtrees against naive models, over generated traces.

use std::{collections::BTreeSet, fmt, ops::Bound};

use proptest::{collection::vec, prelude::*};
use spanshot::{
    Capture, Captured, CapturedEvent, CapturedSpan, Trace, TracedValue,
    capture::CapturedNode,
    predicates::{types::TreePredicate, *},
};
use tracing::{info, info_span};

/// A predicate for the field `kind`: a bit for each that matches.
#[derive(Debug, Clone, Copy)]
struct Kinds(u8);

impl Kinds {
    fn contains(self, kind: u8) -> bool {
        self.0 >> kind & 1 == 1
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "kinds {:b}", self.0)
    }
}

impl ::predicates::reflection::PredicateReflection for Kinds {}

impl<'a, T: Captured<'a>> Predicate<T> for Kinds {
    fn eval(&self, item: &T) -> bool {
        self.contains(kind_of(item))
    }
}

fn kind_of<'a>(item: &impl Captured<'a>) -> u8 {
    item.value("kind").and_then(TracedValue::as_uint).unwrap().try_into().unwrap()
}

const KINDS: u8 = 3;

fn any_kinds() -> impl Strategy<Value = Kinds> {
    (0..1_u8 << KINDS).prop_map(Kinds)
}

fn in_order(kinds: &[u8], expected: &[Kinds]) -> bool {
    let Some((first, others)) = expected.split_first() else { return true };
    (0..kinds.len()).any(|i| first.contains(kinds[i]) && in_order(&kinds[i + 1..], others))
}

fn are_all(kinds: &[u8], expected: &[Kinds]) -> bool {
    kinds.len() == expected.len()
        && kinds.iter().zip(expected).all(|(kind, expected)| expected.contains(*kind))
}

fn in_a_row(kinds: &[u8], expected: &[Kinds]) -> bool {
    expected.is_empty() || kinds.windows(expected.len()).any(|window| are_all(window, expected))
}

fn trace_events(kinds: &[u8]) -> Trace {
    let capture = Capture::start();
    for kind in kinds {
        info!(kind, "event");
    }
    capture.trace()
}

/// What is in a span.
#[derive(Debug, Clone)]
enum Node {
    Event(u8),
    Span(u8, Vec<Node>),
}

impl Node {
    fn trace(&self) {
        match self {
            Self::Event(kind) => info!(kind, "event"),
            Self::Span(kind, nodes) => {
                info_span!("span", kind).in_scope(|| nodes.iter().for_each(Self::trace));
            }
        }
    }
}

fn any_node() -> impl Strategy<Value = Node> {
    let event = || (0..KINDS).prop_map(Node::Event);
    let inner = (0..KINDS, vec(event(), 0..4)).prop_map(|(kind, nodes)| Node::Span(kind, nodes));
    prop_oneof![event(), inner]
}

/// What one of several tasks does when it is its turn.
#[derive(Debug, Clone)]
enum Step {
    Emit(u8),
    Open(u8),
    Close,
}

const TASKS: usize = 3;

fn any_turn() -> impl Strategy<Value = (usize, Step)> {
    let kind = || 0..KINDS;
    let step = prop_oneof![
        2 => kind().prop_map(Step::Emit),
        2 => kind().prop_map(Step::Open),
        1 => Just(Step::Close),
    ];
    (0..TASKS, step)
}

/// Traces tasks that take turns, each with spans of its own in a common one.
fn trace_tasks(turns: &[(usize, Step)]) -> Trace {
    let capture = Capture::start();
    let root = info_span!("root", kind = 0);
    let mut stacks = [(); TASKS].map(|()| vec![root.clone()]);
    for (task, step) in turns {
        let stack = &mut stacks[*task];
        let innermost = stack.last().unwrap();
        match step {
            Step::Emit(kind) => info!(parent: innermost, kind, "event"),
            Step::Open(kind) => stack.push(info_span!(parent: innermost, "span", kind)),
            Step::Close if stack.len() > 1 => drop(stack.pop()),
            Step::Close => {}
        }
    }
    capture.trace()
}

/// Sorts what is in a span by its moments.
fn inside<'a, T: Captured<'a>>(span: CapturedSpan<'a>, all: impl Iterator<Item = T>) -> Vec<T> {
    let is_inside = |item: &T| {
        std::iter::successors(item.parent(), CapturedSpan::parent).any(|around| around == span)
    };
    let mut inside: Vec<_> = all.filter(is_inside).collect();
    inside.sort_by_key(Captured::moment);
    inside
}

/// What should be in a span.
#[derive(Debug, Clone)]
enum Pattern {
    Event(Kinds),
    Span(Tree),
}

#[derive(Debug, Clone)]
struct Tree {
    kinds: Kinds,
    nodes: Vec<Pattern>,
    in_any_order: bool,
    allows_others: bool,
}

impl Tree {
    fn predicate(&self) -> TreePredicate {
        let add = |tree: TreePredicate, node: &Pattern| match node {
            Pattern::Event(kinds) => tree.event(*kinds),
            Pattern::Span(tree_inside) if tree_inside.is_plain() => tree.span([tree_inside.kinds]),
            Pattern::Span(tree_inside) => tree.span(tree_inside.predicate()),
        };
        let tree = self.nodes.iter().fold(tree(self.kinds), add);
        let tree = if self.in_any_order { tree.in_any_order() } else { tree };
        if self.allows_others { tree } else { tree.and_nothing_else() }
    }

    fn is_plain(&self) -> bool {
        self.nodes.is_empty() && self.allows_others
    }

    fn matches(&self, span: CapturedSpan<'_>) -> bool {
        let nodes: Vec<_> = span.nodes().collect();
        self.kinds.contains(kind_of(&span)) && self.all_found(&nodes, &mut vec![])
    }

    /// Tries all ways in which the rest of the patterns could be given nodes of their own.
    fn all_found(&self, nodes: &[CapturedNode<'_>], taken: &mut Vec<usize>) -> bool {
        let Some(pattern) = self.nodes.get(taken.len()) else {
            let is_sorted = taken.iter().zip(taken.iter().skip(1)).all(|(one, next)| one < next);
            return (self.in_any_order || is_sorted)
                && (self.allows_others || taken.len() == nodes.len());
        };
        (0..nodes.len()).any(|index| {
            if taken.contains(&index) || !pattern.matches(nodes[index]) {
                return false;
            }
            taken.push(index);
            let are_found = self.all_found(nodes, taken);
            taken.pop();
            are_found
        })
    }
}

impl Pattern {
    fn matches(&self, node: CapturedNode<'_>) -> bool {
        match (self, node) {
            (Self::Event(kinds), CapturedNode::Event(event)) => kinds.contains(kind_of(&event)),
            (Self::Span(tree), CapturedNode::Span(span)) => tree.matches(span),
            _ => false,
        }
    }
}

fn any_tree(node: impl Strategy<Value = Pattern>, max_nodes: usize) -> impl Strategy<Value = Tree> {
    let parts = (any_kinds(), vec(node, 0..=max_nodes), any::<bool>(), any::<bool>());
    parts.prop_map(|(kinds, nodes, in_any_order, allows_others)| Tree {
        // Patterns that match no span at all are of little interest.
        kinds: Kinds(kinds.0 | 1),
        nodes,
        in_any_order,
        allows_others,
    })
}

fn any_pattern() -> impl Strategy<Value = Tree> {
    let event = || any_kinds().prop_map(Pattern::Event);
    any_tree(prop_oneof![event(), any_tree(event(), 3).prop_map(Pattern::Span)], 4)
}

fn any_bound() -> impl Strategy<Value = Bound<usize>> {
    prop_oneof![
        Just(Bound::Unbounded),
        any::<usize>().prop_map(Bound::Included),
        any::<usize>().prop_map(Bound::Excluded),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn order_is_that_of_the_model(
        kinds in vec(0..KINDS, 0..8),
        expected in vec(any_kinds(), 0..6),
    ) {
        let trace = trace_events(&kinds);
        let events = trace.scan_events().or_empty();
        let refs: Vec<_> =
            expected.iter().map(|kinds| kinds as &dyn Predicate<CapturedEvent<'_>>).collect();
        let check = |found: Result<Vec<CapturedEvent<'_>>, ScanError>, holds: bool| {
            prop_assert_eq!(found.is_ok(), holds, "{:?}", found);
            if let Ok(found) = found {
                let found_kinds: Vec<_> = found.iter().map(kind_of).collect();
                prop_assert!(are_all(&found_kinds, &expected));
                prop_assert!(found.is_sorted_by(|one, next| one.moment() < next.moment()));
            }
            Ok(())
        };
        check(events.try_in_order(&refs), in_order(&kinds, &expected))?;
        check(events.try_in_a_row(&refs), in_a_row(&kinds, &expected))?;
        check(events.try_exactly(&refs), are_all(&kinds, &expected))?;
    }

    #[test]
    fn order_in_a_span_is_that_of_time(
        turns in vec(any_turn(), 0..24),
        expected in vec(any_kinds(), 0..6),
        kind in 0..KINDS,
    ) {
        let trace = trace_tasks(&turns);
        for span in trace.all_spans() {
            let spans = inside(span, trace.all_spans());
            prop_assert_eq!(span.descendants().collect::<Vec<_>>(), spans.clone());
            let events = inside(span, trace.all_events());
            let deeper: Vec<_> =
                events.iter().copied().filter(|event| event.parent() != Some(span)).collect();
            prop_assert_eq!(span.descendant_events().collect::<Vec<_>>(), deeper);

            let scanner = span.deep_scan_events().or_empty();
            prop_assert_eq!(scanner.matches(&always()), events.clone());
            prop_assert_eq!(span.deep_scan_spans().matches(&always()), spans);
            let wanted = Kinds(1 << kind);
            let is_wanted = |event: &&CapturedEvent<'_>| kind_of(*event) == kind;
            prop_assert_eq!(scanner.try_first(&wanted).ok(), events.iter().find(is_wanted).copied());
            prop_assert_eq!(scanner.try_last(&wanted).ok(), events.iter().rfind(is_wanted).copied());
            let kinds: Vec<_> = events.iter().map(kind_of).collect();
            let refs: Vec<_> =
                expected.iter().map(|kinds| kinds as &dyn Predicate<CapturedEvent<'_>>).collect();
            prop_assert_eq!(scanner.try_in_order(&refs).is_ok(), in_order(&kinds, &expected));
            prop_assert_eq!(scanner.try_in_a_row(&refs).is_ok(), in_a_row(&kinds, &expected));
            prop_assert_eq!(scanner.try_exactly(&refs).is_ok(), are_all(&kinds, &expected));
        }
    }

    #[test]
    fn failure_tells_how_far_the_order_holds(
        kinds in vec(0..KINDS, 0..8),
        expected in vec(any_kinds(), 1..6),
    ) {
        let trace = trace_events(&kinds);
        let refs: Vec<_> =
            expected.iter().map(|kinds| kinds as &dyn Predicate<CapturedEvent<'_>>).collect();
        let longest = |holds: fn(&[u8], &[Kinds]) -> bool| {
            (0..=expected.len()).rev().find(|len| holds(&kinds, &expected[..*len])).unwrap()
        };
        let found = |error: ScanError| error.to_string().matches("\n✓ ").count();
        let events = trace.scan_events();
        if let Err(error) = events.try_in_order(&refs) {
            prop_assert_eq!(found(error), longest(in_order));
        }
        if let Err(error) = events.try_in_a_row(&refs) {
            prop_assert_eq!(found(error), longest(in_a_row));
        }
    }

    #[test]
    fn tree_is_that_of_the_model(
        nodes in vec(any_node(), 0..5),
        pattern in any_pattern(),
    ) {
        let capture = Capture::start();
        Node::Span(0, nodes).trace();
        let trace = capture.trace();
        let predicate = pattern.predicate();
        for span in trace.all_spans() {
            let matches = pattern.matches(span);
            prop_assert_eq!(predicate.eval(&span), matches, "{}\n{}", predicate, span);
            prop_assert_eq!(predicate.find_case(matches, &span).is_some(), true);
            prop_assert_eq!(predicate.find_case(!matches, &span).is_some(), false);
        }
        // A failure has a cross where it does not match, and none where it does.
        let root = trace.all_spans().next().unwrap();
        if let Err(error) = trace.scan_spans().try_all(&predicate) {
            prop_assert!(error.to_string().contains("✗"), "{}", error);
        }
        if pattern.matches(root) {
            prop_assert!(trace.scan_spans().try_any(&predicate).is_ok());
        }
    }

    #[test]
    fn during_is_a_filter_by_moments(
        nodes in vec(any_node(), 1..6),
        start in any_bound(),
        end in any_bound(),
    ) {
        let capture = Capture::start();
        nodes.iter().for_each(Node::trace);
        let trace = capture.trace();
        // Every moment there is: also those when spans were entered, exited and closed.
        let moments: Vec<_> = trace.timeline().map(|(moment, _)| moment).collect();
        let to_moment = |bound: Bound<usize>| bound.map(|index| moments[index % moments.len()]);
        let range = (to_moment(start), to_moment(end));
        let is_during = |item: &dyn Fn() -> spanshot::capture::Moment| {
            let moment = item();
            let is_after = match range.0 {
                Bound::Included(start) => moment >= start,
                Bound::Excluded(start) => moment > start,
                Bound::Unbounded => true,
            };
            is_after && match range.1 {
                Bound::Included(end) => moment <= end,
                Bound::Excluded(end) => moment < end,
                Bound::Unbounded => true,
            }
        };
        let spans = trace.all_spans().filter(|span| is_during(&|| span.moment()));
        let found = trace.scan_spans().during(range).count(0.., &always());
        prop_assert_eq!(found, spans.collect::<Vec<_>>());
        let events: Vec<_> = trace.all_events().filter(|event| is_during(&|| event.moment())).collect();
        let found = trace.scan_events().during(range).count(0.., &always());
        let kinds: BTreeSet<_> = found.iter().map(kind_of).collect();
        prop_assert_eq!(&found, &events);
        // A negative says nothing of a range in which there can be nothing.
        let is_empty = match range {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => {
                start >= end
            }
        };
        for kind in 0..KINDS {
            let none = trace.scan_events().during(range).try_none(&Kinds(1 << kind));
            prop_assert_eq!(none.is_ok(), !is_empty && !kinds.contains(&kind));
        }
    }
}
