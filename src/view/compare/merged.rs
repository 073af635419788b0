//! Two traces as one tree.

use alloc::{vec, vec::Vec};
use std::collections::HashMap;

use super::matching::{Step, match_children};
use crate::view::{node::Place, tree::View};

/// A node of either trace or of both.
#[derive(Debug)]
pub(super) struct MergedNode {
    pub(super) step: Step,
    /// Index of the counterpart, if this node is gone here and added elsewhere, or the other way round.
    pub(super) moved: Option<usize>,
    pub(super) children: Vec<usize>,
}

/// The nodes, parents before their children.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) nodes: Vec<MergedNode>,
    pub(super) roots: Vec<usize>,
}

impl Merged {
    /// Merges two views, going only into nodes that differ. It does not recurse, since a tree may be deeper than a
    /// stack has room for.
    pub(super) fn new(views: [&View<'_>; 2]) -> Self {
        let mut merged = Self { nodes: Vec::new(), roots: Vec::new() };
        let mut unmatched = vec![(None, [Place::ROOT; 2])];
        while let Some((parent, places)) = unmatched.pop() {
            for step in match_children(views, places) {
                let index = merged.nodes.len();
                merged.nodes.push(MergedNode { step, moved: None, children: Vec::new() });
                merged.children_mut(parent).push(index);
                if let Step::Changed(expected, actual) = step {
                    unmatched.push((Some(index), [expected, actual]));
                }
            }
        }
        merged.find_moved(views);
        merged
    }

    /// Iterates over the nodes, each before its children, and siblings in their order.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &MergedNode> {
        let mut unread: Vec<usize> = self.roots.iter().rev().copied().collect();
        core::iter::from_fn(move || {
            let node = &self.nodes[unread.pop()?];
            unread.extend(node.children.iter().rev());
            Some(node)
        })
    }

    fn children_mut(&mut self, parent: Option<usize>) -> &mut Vec<usize> {
        match parent {
            Some(parent) => &mut self.nodes[parent].children,
            None => &mut self.roots,
        }
    }

    /// Finds nodes that are gone at one place and added at another, with all their descendants.
    fn find_moved(&mut self, [expected, actual]: [&View<'_>; 2]) {
        let mut gone: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if let Step::Gone(place) = node.step {
                gone.entry(expected.get(place).digest).or_default().push(index);
            }
        }
        for index in 0..self.nodes.len() {
            let Step::Added(place) = self.nodes[index].step else { continue };
            let from = gone.get_mut(&actual.get(place).digest).and_then(Vec::pop);
            if let Some(from) = from {
                self.nodes[index].moved = Some(from);
                self.nodes[from].moved = Some(index);
            }
        }
    }
}
