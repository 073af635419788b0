use alloc::vec::Vec;
use core::mem;

use tracing_subscriber::filter::Targets;

use crate::capture::{CapturedNode, CapturedNodes, is_visible};

/// Walks the children of a span, or the roots, as far as a filter lets them be seen. The children of
/// a hidden span stand at its place.
///
/// It is one ahead, so that it knows whether there are more to come. Hidden spans may be deeper
/// within one another than a stack has room for.
#[derive(Debug)]
pub(super) struct Visible<'a> {
    filter: Option<&'a Targets>,
    siblings: CapturedNodes<'a>,
    /// The rest of what hidden spans stand in, outermost first.
    around: Vec<CapturedNodes<'a>>,
    next: Option<CapturedNode<'a>>,
}

impl<'a> Visible<'a> {
    pub(super) fn new(nodes: CapturedNodes<'a>, filter: Option<&'a Targets>) -> Self {
        let mut visible = Self { filter, siblings: nodes, around: Vec::new(), next: None };
        visible.next = visible.find();
        visible
    }

    pub(super) fn has_more(&self) -> bool {
        self.next.is_some()
    }

    fn find(&mut self) -> Option<CapturedNode<'a>> {
        loop {
            let Some(node) = self.siblings.next() else {
                self.siblings = self.around.pop()?;
                continue;
            };
            match node {
                node if is_visible(self.filter, node) => return Some(node),
                CapturedNode::Span(span) => {
                    self.around.push(mem::replace(&mut self.siblings, span.nodes()));
                }
                CapturedNode::Event(_) => {}
            }
        }
    }
}

impl<'a> Iterator for Visible<'a> {
    type Item = CapturedNode<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.next.take()?;
        self.next = self.find();
        Some(node)
    }
}
