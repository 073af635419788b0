//! Builds a view.

use alloc::{vec, vec::Vec};

use super::{
    fold,
    node::{Place, ViewNode},
    options::{Options, Rules},
    order,
    tree::View,
    visible::Visible,
};
#[cfg(feature = "snapshot")]
use super::{follows, number};
use crate::capture::{CapturedNode, Storage};

impl<'a> View<'a> {
    /// Views a trace.
    pub(super) fn of_trace(storage: &'a Storage, options: Options, rules: &dyn Rules) -> Self {
        let mut view = Self::new(Visible::siblings(storage.roots(), rules), options, rules);
        view.trace = Some(storage);
        view
    }

    /// Views some nodes, each with its descendants.
    pub(super) fn of_nodes(
        nodes: Vec<CapturedNode<'a>>,
        options: Options,
        rules: &dyn Rules,
    ) -> Self {
        Self::new(Visible::listed(nodes, rules), options, rules)
    }

    fn new(roots: Visible<'a, '_>, options: Options, rules: &dyn Rules) -> Self {
        let mut view = Self::empty(options);
        view.add_all(roots, rules);
        // Numbering needs the order, and equality is known only with the numbers.
        let is_numbered = rules.are_marks_numbered() || options.tells_sources;
        // Children come after their parents, so this goes from the leaves to the root.
        for place in view.places().rev() {
            view.sort(place, rules);
            if !is_numbered {
                view.fold(place);
            }
            view.set_digest(place);
        }
        #[cfg(feature = "snapshot")]
        if is_numbered {
            if rules.are_marks_numbered() {
                number::number_marks(&mut view, |node| rules.is_unordered(node));
            }
            if view.options().tells_sources {
                follows::number_sources(&mut view, rules);
            }
            for place in view.places().rev() {
                view.fold(place);
                view.set_digest(place);
            }
        }
        view
    }

    fn add_all<'r>(&mut self, roots: Visible<'a, 'r>, rules: &'r dyn Rules) {
        // Siblings that are yet to be added, with their parent and previous sibling.
        let mut unread = vec![(Place::ROOT, None, roots)];
        while let Some((parent, previous, siblings)) = unread.last_mut() {
            let Some(node) = siblings.next() else {
                unread.pop();
                continue;
            };
            let place = self.add(*parent, *previous, ViewNode::alone(node, rules));
            *previous = Some(place);
            if let CapturedNode::Span(span) = node {
                let children = Visible::siblings(span.nodes(), rules);
                if unread.len() > self.options().max_depth {
                    if self.options().says_what_is_deeper {
                        self.get_mut(place).inside = children.count();
                    }
                } else {
                    unread.push((place, None, children));
                }
            }
        }
    }

    /// Sorts the children of a node.
    fn sort(&mut self, place: Place, rules: &dyn Rules) {
        let mut children: Vec<Place> = self.children(place).collect();
        order::sort(self, &mut children, rules);
        self.set_children(place, &children);
    }

    /// Folds the equal children of a node.
    pub(super) fn fold(&mut self, place: Place) {
        if self.options().folds {
            let children: Vec<Place> = self.children(place).collect();
            let children = fold::fold(self, &children);
            self.set_children(place, &children);
        }
    }
}
