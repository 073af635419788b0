use alloc::collections::BinaryHeap;
use core::{
    cmp::{Ordering, Reverse},
    iter::FusedIterator,
};

use crate::capture::{CapturedEvent, CapturedNode, CapturedSpan, Moment};

/// Walks the descendants of a span, at any depth, in the order of time.
///
/// Children of one span are in this order already, so the walk merges the lists of children:
///
/// ```text
/// frontier := { first child of the root }
/// while frontier is not empty:
///     node := take the earliest of frontier
///     add the next sibling of node, and its first child, to frontier; both are later
///     yield node
/// ```
///
/// The frontier holds one node for each span that has children left, and needs no stack: the tree may be
/// deeper than there is memory for one.
#[derive(Debug, Clone)]
struct Walk<'a> {
    root: CapturedSpan<'a>,
    frontier: BinaryHeap<Reverse<Next<'a>>>,
}

/// A node on the frontier, ordered by its moment.
#[derive(Debug, Clone, Copy)]
struct Next<'a> {
    moment: Moment,
    node: CapturedNode<'a>,
}

impl PartialEq for Next<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.moment == other.moment
    }
}

impl Eq for Next<'_> {}

impl PartialOrd for Next<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Next<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.moment.cmp(&other.moment)
    }
}

impl<'a> Walk<'a> {
    fn new(root: CapturedSpan<'a>) -> Self {
        let mut walk = Self { root, frontier: BinaryHeap::new() };
        walk.add(root.nodes().next());
        walk
    }

    fn add(&mut self, node: Option<CapturedNode<'a>>) {
        let next = node.map(|node| Reverse(Next { moment: node.moment(), node }));
        self.frontier.extend(next);
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = CapturedNode<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse(Next { node, .. }) = self.frontier.pop()?;
        self.add(node.next_sibling());
        if let CapturedNode::Span(span) = node {
            self.add(span.nodes().next());
        }
        Some(node)
    }
}

/// Iterator over the spans in a span at any depth, in the order of time, returned by
/// [`CapturedSpan::descendants()`].
#[derive(Debug, Clone)]
pub struct DescendantSpans<'a> {
    walk: Walk<'a>,
}

impl<'a> DescendantSpans<'a> {
    pub(crate) fn new(root: CapturedSpan<'a>) -> Self {
        Self { walk: Walk::new(root) }
    }
}

impl<'a> Iterator for DescendantSpans<'a> {
    type Item = CapturedSpan<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.walk.find_map(|node| match node {
            CapturedNode::Span(span) => Some(span),
            CapturedNode::Event(_) => None,
        })
    }
}

impl FusedIterator for DescendantSpans<'_> {}

/// Iterator over the events in a span at any depth, in the order of time, returned by
/// [`CapturedSpan::descendant_events()`] and `CapturedSpan::deep_scan_events()`.
#[derive(Debug, Clone)]
pub struct DescendantEvents<'a> {
    walk: Walk<'a>,
    /// Whether the events in the span itself are included.
    with_own: bool,
}

impl<'a> DescendantEvents<'a> {
    pub(crate) fn new(root: CapturedSpan<'a>) -> Self {
        Self { walk: Walk::new(root), with_own: false }
    }

    pub(crate) fn with_own(root: CapturedSpan<'a>) -> Self {
        Self { walk: Walk::new(root), with_own: true }
    }
}

impl<'a> Iterator for DescendantEvents<'a> {
    type Item = CapturedEvent<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (root, with_own) = (self.walk.root, self.with_own);
        self.walk.find_map(|node| match node {
            CapturedNode::Event(event) if with_own || event.parent() != Some(root) => Some(event),
            _ => None,
        })
    }
}

impl FusedIterator for DescendantEvents<'_> {}
