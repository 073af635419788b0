//! Patterns of whole subtrees.

use alloc::{boxed::Box, format, string::String, vec, vec::Vec};
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::failure::actual;
use crate::capture::{CapturedEvent, CapturedNode, CapturedSpan};

/// Creates a predicate for a span with what is in it: a pattern of a subtree.
///
/// Children and events are added one after another, and have to be there in this order, whatever is
/// between them; unless it is [any order](TreePredicate::in_any_order), or there is to be
/// [nothing else](TreePredicate::and_nothing_else).
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
/// use tracing::Level;
///
/// let capture = Capture::start();
/// tracing::info_span!("serve").in_scope(|| {
///     tracing::info!("accepted");
///     tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
///     tracing::info!("done");
/// });
///
/// let connect = tree(name(eq("connect")) & field("port", 8_080)).event(level(Level::WARN));
/// let serve = tree(name(eq("serve")))
///     .event(message(eq("accepted")))
///     .span(connect.and_nothing_else())
///     .event(message(eq("done")));
/// capture.trace().scan_spans().single(&serve);
/// ```
pub fn tree<P>(span: P) -> TreePredicate
where
    P: for<'a> Predicate<CapturedSpan<'a>> + 'static,
{
    TreePredicate {
        span: Box::new(span),
        nodes: Vec::new(),
        in_any_order: false,
        allows_others: true,
    }
}

type SpanMatcher = Box<dyn for<'a> Predicate<CapturedSpan<'a>>>;
type EventMatcher = Box<dyn for<'a> Predicate<CapturedEvent<'a>>>;

/// Predicate for a span with what is in it, returned by [`tree()`].
pub struct TreePredicate {
    span: SpanMatcher,
    nodes: Vec<NodePredicate>,
    in_any_order: bool,
    allows_others: bool,
}

impl_bool_ops!(TreePredicate);

/// Predicate for a child or an event.
enum NodePredicate {
    Span(TreePredicate),
    Event(EventMatcher),
}

impl TreePredicate {
    /// Adds a child: what [`tree()`] returns, or another predicate for spans.
    ///
    /// # Example
    ///
    /// See [`tree()`].
    #[must_use]
    pub fn span(mut self, child: impl IntoTree) -> Self {
        self.nodes.push(NodePredicate::Span(child.into_tree()));
        self
    }

    /// Adds an event in the span itself.
    ///
    /// # Example
    ///
    /// See [`tree()`].
    #[must_use]
    pub fn event<P>(mut self, event: P) -> Self
    where
        P: for<'a> Predicate<CapturedEvent<'a>> + 'static,
    {
        self.nodes.push(NodePredicate::Event(Box::new(event)));
        self
    }

    /// Does not care for the order of children and events of this span.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::start();
    /// tracing::info_span!("serve").in_scope(|| {
    ///     tracing::info!("first");
    ///     tracing::info!("second");
    /// });
    /// let serve = || tree(name(eq("serve"))).event(message(eq("second"))).event(message(eq("first")));
    /// capture.trace().scan_spans().none(&serve());
    /// capture.trace().scan_spans().single(&serve().in_any_order());
    /// ```
    #[must_use]
    pub fn in_any_order(mut self) -> Self {
        self.in_any_order = true;
        self
    }

    /// Wants nothing else to be in this span itself.
    ///
    /// # Example
    ///
    /// See [`tree()`].
    #[must_use]
    pub fn and_nothing_else(mut self) -> Self {
        self.allows_others = false;
        self
    }

    /// Finds what is wrong with a span; `None` if it matches.
    fn mismatch(&self, span: CapturedSpan<'_>) -> Option<String> {
        if !self.span.eval(&span) {
            return Some(format!("{span:.0}"));
        }
        let nodes: Vec<_> = span.nodes().collect();
        let found = if self.in_any_order { self.assign(&nodes) } else { self.in_order(&nodes) };
        if let Some(missing) = self.nodes.iter().zip(&found).position(|(_, node)| node.is_none()) {
            return Some(self.missing(missing, &found, &nodes));
        }
        let other = (0..nodes.len()).find(|index| !found.contains(&Some(*index)));
        let other = other.and_then(|index| nodes.get(index)).filter(|_| !self.allows_others);
        other.map(|other| format!("all there, and {other:.0} as well"))
    }

    /// Finds a node for each predicate, in order.
    fn in_order(&self, nodes: &[CapturedNode<'_>]) -> Vec<Option<usize>> {
        let mut found = Vec::with_capacity(self.nodes.len());
        let mut next = 0;
        for predicate in &self.nodes {
            // The first one that matches leaves most for those that follow.
            let matching = (next..nodes.len()).find(|index| predicate.eval(nodes[*index]));
            found.push(matching);
            next = matching.map_or(nodes.len(), |index| index + 1);
        }
        found
    }

    /// Finds a node for each predicate, and none for two, as far as there are such.
    fn assign(&self, nodes: &[CapturedNode<'_>]) -> Vec<Option<usize>> {
        let matching: Vec<Vec<usize>> = (self.nodes.iter())
            .map(|predicate| (0..nodes.len()).filter(|i| predicate.eval(nodes[*i])).collect())
            .collect();
        let mut taken_by = vec![None; nodes.len()];
        for predicate in 0..self.nodes.len() {
            assign_one(predicate, &matching, &mut taken_by);
        }
        let of = |predicate| taken_by.iter().position(|by| *by == Some(predicate));
        (0..self.nodes.len()).map(of).collect()
    }

    /// Says what is missing, and what is there where it should be.
    fn missing(
        &self,
        missing: usize,
        found: &[Option<usize>],
        nodes: &[CapturedNode<'_>],
    ) -> String {
        let predicate = &self.nodes[missing];
        let before = found.iter().take(missing).flatten().max();
        let after = match before.filter(|_| !self.in_any_order).and_then(|i| nodes.get(*i)) {
            Some(node) => format!(" after {node:.0}"),
            None => String::new(),
        };
        let rest = before.filter(|_| !self.in_any_order).map_or(0, |index| index + 1);
        let candidates = nodes.iter().enumerate().skip(rest);
        let mut candidates = candidates.filter(|(index, _)| !found.contains(&Some(*index)));
        let why = candidates.find_map(|(_, node)| predicate.mismatch_of_kind(*node));
        let there = why.map_or_else(|| "nothing like it".into(), |why| format!("instead {why}"));
        format!("without {predicate}{after}; there is {there}")
    }
}

/// Finds a node for a predicate, for which others may have to take another one (Kuhn's algorithm).
fn assign_one(predicate: usize, matching: &[Vec<usize>], taken_by: &mut [Option<usize>]) -> bool {
    // Predicates that look for a node, each with its place among the nodes that match it.
    let mut is_tried = vec![false; taken_by.len()];
    let mut path = vec![(predicate, 0)];
    while let Some((looking, next)) = path.last_mut() {
        let looking = *looking;
        let Some(&node) = matching[looking].get(*next) else {
            path.pop();
            continue;
        };
        *next += 1;
        if core::mem::replace(&mut is_tried[node], true) {
            continue;
        }
        if let Some(other) = taken_by[node] {
            path.push((other, 0));
            continue;
        }
        for (looking, next) in path {
            taken_by[matching[looking][next - 1]] = Some(looking);
        }
        return true;
    }
    false
}

impl NodePredicate {
    fn eval(&self, node: CapturedNode<'_>) -> bool {
        match (self, node) {
            (Self::Span(tree), CapturedNode::Span(span)) => tree.mismatch(span).is_none(),
            (Self::Event(predicate), CapturedNode::Event(event)) => predicate.eval(&event),
            _ => false,
        }
    }

    /// Says why a node does not match, if it is of the right kind.
    fn mismatch_of_kind(&self, node: CapturedNode<'_>) -> Option<String> {
        match (self, node) {
            (Self::Span(tree), CapturedNode::Span(span)) => tree.mismatch(span),
            (Self::Event(_), CapturedNode::Event(event)) => Some(format!("{event}")),
            _ => None,
        }
    }
}

impl fmt::Display for NodePredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(tree) => write!(formatter, "span {tree}"),
            Self::Event(predicate) => write!(formatter, "event {predicate}"),
        }
    }
}

impl fmt::Debug for TreePredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for TreePredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "tree({}", self.span)?;
        for node in &self.nodes {
            write!(formatter, ", {node}")?;
        }
        formatter.write_str(if self.in_any_order { ", in any order" } else { "" })?;
        formatter.write_str(if self.allows_others { ")" } else { ", and nothing else)" })
    }
}

impl PredicateReflection for TreePredicate {}

impl<'a> Predicate<CapturedSpan<'a>> for TreePredicate {
    fn eval(&self, span: &CapturedSpan<'a>) -> bool {
        self.mismatch(*span).is_none()
    }

    fn find_case(&self, expected: bool, span: &CapturedSpan<'a>) -> Option<Case<'_>> {
        let mismatch = self.mismatch(*span);
        let value = mismatch.clone().unwrap_or_else(|| format!("{span:.0}"));
        (mismatch.is_none() == expected).then(|| actual(self, expected, "it", &value))
    }
}

/// What [`TreePredicate::span()`] takes: a tree, or another predicate for spans in square brackets.
pub trait IntoTree {
    /// Makes the tree.
    fn into_tree(self) -> TreePredicate;
}

impl IntoTree for TreePredicate {
    fn into_tree(self) -> TreePredicate {
        self
    }
}

impl<P> IntoTree for [P; 1]
where
    P: for<'a> Predicate<CapturedSpan<'a>> + 'static,
{
    fn into_tree(self) -> TreePredicate {
        let [span] = self;
        tree(span)
    }
}
