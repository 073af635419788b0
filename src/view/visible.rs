use alloc::{vec, vec::Vec};

use super::options::Rules;
use crate::capture::{CapturedNode, CapturedNodes};

/// Walks the nodes that are shown. The children of a hidden span take its place.
///
/// It does not recurse, since hidden spans may be nested deeper than a stack has room for.
pub(super) struct Visible<'a, 'r> {
    rules: &'r dyn Rules,
    /// Unread siblings, and the unread children of the hidden spans that it is in, outermost first.
    unread: Vec<CapturedNodes<'a>>,
    /// Nodes that are read afterwards.
    listed: vec::IntoIter<CapturedNode<'a>>,
}

impl<'a, 'r> Visible<'a, 'r> {
    pub(super) fn listed(nodes: Vec<CapturedNode<'a>>, rules: &'r dyn Rules) -> Self {
        Self { rules, unread: Vec::new(), listed: nodes.into_iter() }
    }

    pub(super) fn siblings(nodes: CapturedNodes<'a>, rules: &'r dyn Rules) -> Self {
        Self { rules, unread: vec![nodes], listed: Vec::new().into_iter() }
    }
}

impl<'a> Iterator for Visible<'a, '_> {
    type Item = CapturedNode<'a>;

    fn next(&mut self) -> Option<CapturedNode<'a>> {
        loop {
            let node = match self.unread.last_mut() {
                Some(siblings) => siblings.next(),
                None => Some(self.listed.next()?),
            };
            match node {
                None => {
                    self.unread.pop();
                }
                Some(node) if self.rules.shows(node) => return Some(node),
                Some(CapturedNode::Span(span)) => self.unread.push(span.nodes()),
                Some(CapturedNode::Event(_)) => {}
            }
        }
    }
}
