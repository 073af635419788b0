use alloc::{vec, vec::Vec};

use super::options::Rules;
use crate::capture::{CapturedNode, CapturedNodes};

/// Walks nodes as far as they are shown. What is in a span that is not stands at its place.
///
/// Hidden spans may be deeper within one another than a stack has room for.
pub(super) struct Visible<'a, 'r> {
    rules: &'r dyn Rules,
    /// What is left of the nodes, and of what hidden spans among them stand in, outermost first.
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
