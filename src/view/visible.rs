use alloc::{vec, vec::Vec};

use super::options::Rules;
use crate::capture::{CapturedNode, CapturedNodes};

/// Walks the nodes that are shown. The children of a hidden span take its place.
///
/// It does not recurse, since hidden spans may be nested deeper than a stack has room for.
pub(super) struct Visible<'a, 'r> {
    rules: &'r dyn Rules,
    /// The unread nodes, and the unread children of the hidden spans that it is in, outermost first.
    unread: Vec<Nodes<'a>>,
}

enum Nodes<'a> {
    Listed(vec::IntoIter<CapturedNode<'a>>),
    Siblings(CapturedNodes<'a>),
}

impl<'a> Nodes<'a> {
    fn next(&mut self) -> Option<CapturedNode<'a>> {
        match self {
            Self::Listed(nodes) => nodes.next(),
            Self::Siblings(nodes) => nodes.next(),
        }
    }
}

impl<'a, 'r> Visible<'a, 'r> {
    pub(super) fn listed(nodes: Vec<CapturedNode<'a>>, rules: &'r dyn Rules) -> Self {
        Self { rules, unread: vec![Nodes::Listed(nodes.into_iter())] }
    }

    pub(super) fn siblings(nodes: CapturedNodes<'a>, rules: &'r dyn Rules) -> Self {
        Self { rules, unread: vec![Nodes::Siblings(nodes)] }
    }
}

impl<'a> Iterator for Visible<'a, '_> {
    type Item = CapturedNode<'a>;

    fn next(&mut self) -> Option<CapturedNode<'a>> {
        while let Some(nodes) = self.unread.last_mut() {
            match nodes.next() {
                None => {
                    self.unread.pop();
                }
                Some(node) if self.rules.shows(node) => return Some(node),
                Some(CapturedNode::Span(span)) => self.unread.push(Nodes::Siblings(span.nodes())),
                Some(CapturedNode::Event(_)) => {}
            }
        }
        None
    }
}
