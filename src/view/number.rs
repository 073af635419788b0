//! Numbers marks: marks with the same label that replaced equal texts get equal numbers.
//!
//! Nodes are numbered in the order in which they are shown. The numbers of unordered siblings must not depend on the
//! order of their capture:
//!
//! ```text
//! sort unordered siblings by what is shown of them, without numbers
//! from the first node to the last, parents before children:
//!     sort unordered siblings that still are alike by the numbers that their marks have already
//!     number the marks of the node
//! ```

use alloc::{boxed::Box, format, vec, vec::Vec};
use std::collections::HashMap;

use super::{
    node::Place,
    text::{Piece, Replaced, Text},
    tree::View,
};
use crate::capture::CapturedNode;

/// Numbers by label and by replaced text.
#[derive(Default)]
struct Numbers {
    by_label: HashMap<Box<str>, HashMap<Box<str>, usize>>,
}

/// The number that a mark already has, or else how many new ones came before it in the same node.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Number(usize),
    New(usize),
}

/// Siblings. Some are numbered already.
struct Siblings {
    parent: Place,
    places: Vec<Place>,
    next: usize,
    /// Index up to which the order is final.
    sorted: usize,
}

/// Numbers all marks of a view whose nodes are sorted, but not yet folded.
pub(super) fn number_marks(view: &mut View<'_>, is_unordered: impl Fn(CapturedNode<'_>) -> bool) {
    let options = *view.options();
    let mut numbers = Numbers::default();
    let mut unread = vec![Siblings::in_node(view, Place::ROOT)];
    while let Some(siblings) = unread.last_mut() {
        let Some(place) = siblings.next(view, &numbers, &is_unordered) else {
            view.set_children(siblings.parent, &siblings.places);
            unread.pop();
            continue;
        };
        view.get_mut(place).for_each_shown_text(&options, |text| numbers.number(text));
        unread.push(Siblings::in_node(view, place));
    }
}

impl Siblings {
    fn in_node(view: &View<'_>, parent: Place) -> Self {
        Self { parent, places: view.children(parent).collect(), next: 0, sorted: 0 }
    }

    /// Returns the next sibling. Unordered siblings that are alike are sorted only now, when the numbers of everything
    /// before them are known.
    fn next(
        &mut self,
        view: &View<'_>,
        numbers: &Numbers,
        is_unordered: &impl Fn(CapturedNode<'_>) -> bool,
    ) -> Option<Place> {
        let rest = self.places.get_mut(self.next..)?;
        let first = *rest.first()?;
        if self.next >= self.sorted {
            let digest = view.get(first).digest;
            let is_alike = |place: &&Place| {
                let shown = view.get(**place);
                shown.digest == digest && shown.node.is_some_and(is_unordered)
            };
            let alike = rest.iter().take_while(is_alike).count();
            if alike > 1 {
                rest[..alike].sort_by_cached_key(|place| known(view, *place, numbers));
            }
            self.sorted = self.next + alike.max(1);
        }
        let next = self.places[self.next];
        self.next += 1;
        Some(next)
    }
}

impl Numbers {
    fn get(&self, label: &str, replaced: &str) -> Option<usize> {
        self.by_label.get(label)?.get(replaced).copied()
    }

    fn number(&mut self, text: &mut Text<'static>) {
        for piece in &mut text.pieces {
            let Piece::Mark(label, Replaced(replaced)) = piece else { continue };
            let Some(replaced) = replaced.take() else { continue };
            let numbers = self.by_label.entry((**label).into()).or_default();
            let next = numbers.len() + 1;
            let number = *numbers.entry(replaced).or_insert(next);
            *label = format!("{label} {number}").into();
        }
    }
}

/// Returns the known numbers of a node and its descendants.
fn known(view: &View<'_>, place: Place, numbers: &Numbers) -> Vec<Known> {
    let mut known = Vec::new();
    let mut new = HashMap::new();
    let mut unread = vec![place];
    while let Some(place) = unread.pop() {
        for piece in view.get(place).normalized.iter().flat_map(|(_, text)| &text.pieces) {
            let Piece::Mark(label, Replaced(Some(replaced))) = piece else { continue };
            let number = numbers.get(label, replaced).map(Known::Number);
            known.push(number.unwrap_or_else(|| {
                let next = new.len();
                Known::New(*new.entry((&**label, &**replaced)).or_insert(next))
            }));
        }
        unread.extend(view.children(place));
    }
    known
}
