//! Draws a comparison as one tree, with marks in front of the nodes that differ.

use alloc::{vec, vec::Vec};
use core::fmt;

use super::{
    changes::{Change, changes},
    matching::Step,
    merged::Merged,
};
use crate::view::{
    drawing::{Branch, Drawing, Leads},
    line::Line,
    node::Place,
    tree::View,
};

/// Number of equal siblings that are drawn on either side of one that differs.
const BESIDE: usize = 1;

/// If a node that is gone or added has up to this many descendants, all of them are drawn.
const SMALL: usize = 12;

/// Maximum number of spans that are drawn around a difference, if they differ only in their descendants.
const OUTSIDE: usize = 16;

/// Maximum number of lines that are drawn.
const MAX_LINES: usize = 100;

/// Draws the difference of two traces.
pub(super) struct Show<'s, 'a> {
    pub(super) views: [&'s View<'a>; 2],
    pub(super) merged: &'s Merged,
    /// Number of all differences.
    pub(super) differences: usize,
}

/// Something that has a line.
#[derive(Clone, Copy)]
enum Item {
    /// A node that may differ, by its index.
    Merged(usize),
    /// This number of equal siblings.
    Equal(usize),
    /// This number of nodes, each the only one in the node before, and the index of the node in the last of them.
    Levels(usize, usize),
    /// A descendant of a node that is gone or added.
    Inside(Side, Place),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Expected,
    Actual,
}

impl fmt::Display for Show<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The items that are yet to be drawn: siblings, and the siblings of the nodes around them, outermost first.
        let mut undrawn = vec![self.items_inside(&self.merged.roots)];
        let (mut lines, mut drawn) = (0, 0);
        while let Some(siblings) = undrawn.last_mut() {
            let Some(item) = siblings.next() else {
                undrawn.pop();
                continue;
            };
            if lines >= MAX_LINES {
                return match self.differences.saturating_sub(drawn) {
                    0 => formatter.write_str("\n  ⋮ and more of the last one"),
                    left => write!(formatter, "\n  ⋮ and {left} more differences"),
                };
            }
            lines += 1;
            formatter.write_str("\n")?;
            let has_more: Vec<_> = undrawn.iter().map(|items| items.len() > 0).collect();
            let branch = |leads| Branch {
                drawing: Drawing::Unicode,
                has_more: has_more.iter().skip(1).copied(),
                leads,
            };
            match item {
                Item::Equal(number) => {
                    write!(formatter, "  {}⋮ {number} equal", branch(Leads::To))?;
                }
                Item::Levels(number, index) => {
                    write!(formatter, "  {}⋮ {number} levels", branch(Leads::To))?;
                    undrawn.push(vec![Item::Merged(index)].into_iter());
                }
                Item::Inside(side, place) => {
                    let mark = if side == Side::Expected { '-' } else { '+' };
                    write!(formatter, "{mark} {}{}", branch(Leads::To), self.line(side, place))?;
                    undrawn.push(self.inside(side, place));
                }
                Item::Merged(index) => {
                    let (children, changes) = self.write_merged(formatter, index, &branch)?;
                    undrawn.push(children);
                    lines += changes;
                    drawn += usize::from(self.is_difference(index, changes));
                }
            }
        }
        Ok(())
    }
}

type Items = vec::IntoIter<Item>;

impl<'s, 'a> Show<'s, 'a> {
    /// Leaves out equal siblings that are not beside one that differs.
    fn items(&self, siblings: &[usize]) -> Vec<Item> {
        let differs =
            |index: usize| !matches!(self.merged.nodes[siblings[index]].step, Step::Equal(..));
        let is_near = |index: usize| {
            let near = index.saturating_sub(BESIDE)..=(index + BESIDE).min(siblings.len() - 1);
            near.into_iter().any(differs)
        };
        let mut items = Vec::new();
        for (index, sibling) in siblings.iter().enumerate() {
            match items.last_mut() {
                _ if is_near(index) => items.push(Item::Merged(*sibling)),
                Some(Item::Equal(number)) => *number += 1,
                _ => items.push(Item::Equal(1)),
            }
        }
        items
    }

    /// Leaves out the outer nodes of a long chain, in which each differs only in the next one, the only node in it.
    fn items_inside(&self, siblings: &[usize]) -> Items {
        let items = self.items(siblings);
        let [Item::Merged(first)] = items[..] else { return items.into_iter() };
        let chain: Vec<_> =
            core::iter::successors(Some(first), |index| self.only_inside(*index)).collect();
        match chain.len().checked_sub(OUTSIDE + 1) {
            Some(number) if number > 1 => vec![Item::Levels(number, chain[number])].into_iter(),
            _ => items.into_iter(),
        }
    }

    /// Returns the only node that is drawn in a node without changes of its own.
    fn only_inside(&self, index: usize) -> Option<usize> {
        let node = &self.merged.nodes[index];
        let Step::Changed(expected, actual) = node.step else { return None };
        match self.items(&node.children)[..] {
            [Item::Merged(inside)] if self.changes(expected, actual).is_empty() => Some(inside),
            _ => None,
        }
    }

    /// Whether a node with this number of changes of its own is one of the differences.
    fn is_difference(&self, index: usize, changes: usize) -> bool {
        let node = &self.merged.nodes[index];
        match node.step {
            Step::Equal(..) => false,
            Step::Changed(..) => changes > 0,
            // A moved node is there twice, but it is one difference.
            Step::Gone(_) => node.moved.is_none(),
            Step::Added(_) => true,
        }
    }

    /// Writes a node. Returns the items to draw in it, and the number of its changes.
    fn write_merged<B: fmt::Display>(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        index: usize,
        branch: &impl Fn(Leads) -> B,
    ) -> Result<(Items, usize), fmt::Error> {
        let node = &self.merged.nodes[index];
        let (side, place) = match node.step {
            Step::Gone(place) | Step::Equal(place, _) => (Side::Expected, place),
            Step::Added(place) | Step::Changed(_, place) => (Side::Actual, place),
        };
        let changes = match node.step {
            Step::Changed(expected, actual) => self.changes(expected, actual),
            _ => Vec::new(),
        };
        let mark = match (node.step, node.moved) {
            (Step::Gone(_), None) => '-',
            (Step::Gone(_), Some(_)) => '<',
            (Step::Added(_), None) => '+',
            (Step::Added(_), Some(_)) => '>',
            (Step::Changed(..), _) if !changes.is_empty() => '~',
            _ => ' ',
        };
        write!(formatter, "{mark} {}{}", branch(Leads::To), self.line(side, place))?;
        let inside = self.number_inside(side, place);
        let is_drawn = match node.step {
            Step::Changed(..) => true,
            Step::Equal(..) => false,
            Step::Gone(_) | Step::Added(_) => node.moved.is_none() && inside <= SMALL,
        };
        if inside > 0 && !is_drawn {
            write!(formatter, " ⋮ {inside} inside")?;
        }
        match (node.step, node.moved) {
            (Step::Gone(_), Some(_)) => formatter.write_str(" (moved from here)")?,
            (Step::Added(_), Some(_)) => formatter.write_str(" (moved to here)")?,
            _ => {}
        }
        for change in &changes {
            write!(formatter, "\n  {}    {change}", branch(Leads::Past))?;
        }
        let inside = match node.step {
            _ if !is_drawn => Vec::new().into_iter(),
            Step::Changed(..) => self.items_inside(&node.children),
            _ => self.inside(side, place),
        };
        Ok((inside, changes.len()))
    }

    pub(super) fn changes(&self, expected: Place, actual: Place) -> Vec<Change> {
        let [old, new] = self.views;
        changes(old.get(expected), new.get(actual), old.options())
    }

    fn view(&self, side: Side) -> &'s View<'a> {
        self.views[usize::from(side == Side::Actual)]
    }

    fn line(&self, side: Side, place: Place) -> Line<'s, 'a> {
        let view = self.view(side);
        Line { options: view.options(), shown: view.get(place), is_cut: None }
    }

    fn inside(&self, side: Side, place: Place) -> Items {
        let children = self.view(side).children(place);
        children.map(|child| Item::Inside(side, child)).collect::<Vec<_>>().into_iter()
    }

    /// Counts the descendants of a node.
    fn number_inside(&self, side: Side, place: Place) -> usize {
        let view = self.view(side);
        let mut number = 0;
        let mut uncounted: Vec<_> = view.children(place).collect();
        while let Some(place) = uncounted.pop() {
            number += 1;
            uncounted.extend(view.children(place));
        }
        number
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |text: &'_ Option<_>| -> alloc::string::String {
            Option::clone(text).unwrap_or_else(|| "(not there)".into())
        };
        write!(formatter, "{}: {} → {}", self.what, side(&self.expected), side(&self.actual))
    }
}
