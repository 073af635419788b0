//! A trace as it is shown: without hidden nodes, with normalized values, sorted, and with equal nodes in a row folded.

use alloc::{vec, vec::Vec};

use super::{
    digest::digest,
    node::{Place, ViewNode},
    options::Options,
};
use crate::capture::Storage;

/// A tree, which is walked by its links from parents to children and on to siblings. It may be deeper than a stack has
/// room for.
pub(crate) struct View<'a> {
    nodes: Vec<ViewNode<'a>>,
    options: Options,
    /// The trace, if it is a whole one.
    pub(super) trace: Option<&'a Storage>,
    /// Why the trace may be empty, if that is to be written.
    pub(super) why_empty: Option<&'static str>,
    /// Number of spans and events that a filter hides, if that is to be written.
    pub(super) hidden: usize,
}

impl<'a> View<'a> {
    /// Creates a view without nodes.
    pub(super) fn empty(options: Options) -> Self {
        Self { nodes: vec![ViewNode::new(None)], options, trace: None, why_empty: None, hidden: 0 }
    }

    /// Adds a node behind its previous sibling.
    pub(super) fn add(
        &mut self,
        parent: Place,
        previous: Option<Place>,
        node: ViewNode<'a>,
    ) -> Place {
        let place = Place(self.nodes.len());
        match previous {
            Some(Place(previous)) => self.nodes[previous].next_sibling = Some(place),
            None => self.nodes[parent.0].first_child = Some(place),
        }
        self.nodes.push(node);
        place
    }

    /// Replaces the children of a node.
    pub(super) fn set_children(&mut self, parent: Place, children: &[Place]) {
        self.nodes[parent.0].first_child = children.first().copied();
        for (i, child) in children.iter().enumerate() {
            self.nodes[child.0].next_sibling = children.get(i + 1).copied();
        }
    }

    /// Sets how often a node is there in a row.
    pub(super) fn set_times(&mut self, place: Place, times: usize) {
        self.nodes[place.0].times = times;
        self.set_digest(place);
    }

    /// Digests a node whose children already have their digests.
    pub(super) fn set_digest(&mut self, place: Place) {
        let children = self.children(place).map(|child| self.get(child).digest);
        self.nodes[place.0].digest = digest(self.get(place), &self.options, children);
    }

    /// Adds a group of nodes that is there several times in a row.
    pub(super) fn add_group(&mut self, children: &[Place], times: usize) -> Place {
        let place = Place(self.nodes.len());
        self.nodes.push(ViewNode::new(None));
        self.set_children(place, children);
        self.set_times(place, times);
        place
    }

    /// All places, parents before their children.
    pub(super) fn places(&self) -> impl DoubleEndedIterator<Item = Place> + use<> {
        (0..self.nodes.len()).map(Place)
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn get(&self, place: Place) -> &ViewNode<'a> {
        &self.nodes[place.0]
    }

    pub(super) fn get_mut(&mut self, place: Place) -> &mut ViewNode<'a> {
        &mut self.nodes[place.0]
    }

    pub(super) fn first_child(&self, place: Place) -> Option<Place> {
        self.get(place).first_child
    }

    pub(super) fn next_sibling(&self, place: Place) -> Option<Place> {
        self.get(place).next_sibling
    }

    pub(super) fn children(&self, place: Place) -> impl Iterator<Item = Place> + '_ {
        core::iter::successors(self.first_child(place), |child| self.next_sibling(*child))
    }
}
