use core::iter::FusedIterator;

use crate::capture::{CapturedEvent, CapturedNode, CapturedSpan};

/// Walks what is in a span, at any depth, in the order of the tree, without a stack: the tree may be
/// deeper than there is memory for one.
#[derive(Debug, Clone)]
struct Walk<'a> {
    root: CapturedSpan<'a>,
    next: Option<CapturedNode<'a>>,
}

impl<'a> Walk<'a> {
    fn new(root: CapturedSpan<'a>) -> Self {
        Self { root, next: root.nodes().next() }
    }

    /// The node that follows: the first child, or else the next sibling of the node itself or of
    /// the nearest ancestor that has one.
    fn successor(&self, node: CapturedNode<'a>) -> Option<CapturedNode<'a>> {
        let (first_child, mut sibling, mut parent) = match node {
            CapturedNode::Span(span) => (span.nodes().next(), span.next_sibling(), span.parent()),
            CapturedNode::Event(event) => (None, event.next_sibling(), event.parent()),
        };
        if first_child.is_some() {
            return first_child;
        }
        while sibling.is_none() {
            let span = parent.filter(|span| *span != self.root)?;
            (sibling, parent) = (span.next_sibling(), span.parent());
        }
        sibling
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = CapturedNode<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.next?;
        self.next = self.successor(node);
        Some(node)
    }
}

/// Iterator over the spans in a span at any depth, returned by [`CapturedSpan::descendants()`].
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

/// Iterator over the events in a span at any depth, returned by
/// [`CapturedSpan::descendant_events()`] and `CapturedSpan::deep_scan_events()`.
#[derive(Debug, Clone)]
pub struct DescendantEvents<'a> {
    walk: Walk<'a>,
    /// Whether the events in the span itself are among them.
    with_own: bool,
}

impl<'a> DescendantEvents<'a> {
    pub(crate) fn new(root: CapturedSpan<'a>) -> Self {
        Self { walk: Walk::new(root), with_own: false }
    }

    #[cfg(feature = "predicates")]
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
