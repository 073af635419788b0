//! Matches patterns of subtrees, and explains why they do not match.

use alloc::{format, string::String, vec, vec::Vec};
use core::fmt;

use ::predicates::reflection::{Case, PredicateReflection};

use super::{
    combinators::find_any_case,
    failure::{absent, actual},
    nearest::Distance,
    shown_value::NOT_THERE,
    tree::{NodePredicate, TreePredicate},
};
use crate::{
    capture::{CapturedNode, CapturedSpan, Sealed},
    view::ShortLine,
};

impl TreePredicate {
    pub(super) fn matches(&self, span: CapturedSpan<'_>) -> bool {
        self.span.0.eval(&span) && {
            let nodes: Vec<_> = span.nodes().collect();
            let found = self.find(&nodes);
            found.iter().all(Option::is_some) && self.other(&found, &nodes).is_none()
        }
    }

    /// Finds a node for each predicate, if there is one.
    fn find(&self, nodes: &[CapturedNode<'_>]) -> Vec<Option<usize>> {
        if self.in_any_order { self.assign(nodes) } else { self.in_order(nodes) }
    }

    /// Finds a node that should not be there.
    fn other<'a>(
        &self,
        found: &[Option<usize>],
        nodes: &[CapturedNode<'a>],
    ) -> Option<CapturedNode<'a>> {
        let is_other = |index: &usize| !self.allows_others && !found.contains(&Some(*index));
        (0..nodes.len()).find(is_other).and_then(|index| nodes.get(index)).copied()
    }

    /// Finds a node for each predicate, in order. If a predicate has none, the search goes on with the next one.
    fn in_order(&self, nodes: &[CapturedNode<'_>]) -> Vec<Option<usize>> {
        let mut found = Vec::with_capacity(self.nodes.len());
        let mut next = 0;
        for predicate in &self.nodes {
            // The first match leaves most nodes for the predicates that follow.
            let matching = (next..nodes.len()).find(|index| predicate.eval(nodes[*index]));
            found.push(matching);
            next = matching.map_or(next, |index| index + 1);
        }
        found
    }

    /// Finds a node for as many predicates as possible, a different one for each.
    fn assign(&self, nodes: &[CapturedNode<'_>]) -> Vec<Option<usize>> {
        let matching: Vec<Vec<usize>> = (self.nodes.iter())
            .map(|predicate| (0..nodes.len()).filter(|i| predicate.eval(nodes[*i])).collect())
            .collect();
        let mut taken_by = vec![None; nodes.len()];
        for predicate in 0..self.nodes.len() {
            assign_one(predicate, &matching, &mut taken_by);
        }
        let of = |predicate| taken_by.iter().position(|by| *by == Some(predicate));
        (0..self.nodes.len()).map(of).collect()
    }

    /// Lists the parts that match and the parts that do not.
    pub(super) fn case(&self, span: CapturedSpan<'_>) -> Case<'_> {
        let case = Case::new(Some(self), false);
        let is_root = self.span.0.eval(&span);
        let own = find_any_case(&*self.span.0, &span);
        let case = own.into_iter().fold(case, Case::add_child);
        if !is_root {
            return case;
        }
        let nodes: Vec<_> = span.nodes().collect();
        let found = self.find(&nodes);
        let parts = self.nodes.iter().enumerate().map(|(index, predicate)| match found[index] {
            Some(node) => actual(predicate, true, &span, "it", &ShortLine::new(nodes[node])),
            None => self.missing(index, span, &found, &nodes),
        });
        let case = parts.fold(case, Case::add_child);
        let other = self.other(&found, &nodes);
        let other =
            other.map(|node| actual(&NothingElse, false, &span, "there", &ShortLine::new(node)));
        other.into_iter().fold(case, Case::add_child)
    }

    /// Returns the last node that was found for the predicates before this one, if there is an order.
    fn before(&self, predicate: usize, found: &[Option<usize>]) -> Option<usize> {
        found.iter().take(predicate).flatten().max().copied().filter(|_| !self.in_any_order)
    }

    /// Finds the nearest candidate for a missing node, where that should be, with its case in brief.
    fn candidate<'p, 'a>(
        &'p self,
        missing: usize,
        found: &[Option<usize>],
        nodes: &[CapturedNode<'a>],
    ) -> Option<(CapturedNode<'a>, Case<'p>)> {
        let first = self.before(missing, found).map_or(0, |index| index + 1);
        let free = (first..nodes.len()).filter(|index| !found.contains(&Some(*index)));
        let candidates = free.filter_map(|index| {
            let case = self.nodes[missing].case_of_kind(nodes[index], true)?;
            Some((Distance::of(&case), (nodes[index], case)))
        });
        candidates.min_by_key(|(distance, _)| *distance).map(|(_, found)| found)
    }

    /// Creates the case of a missing node, and of the node in its place.
    fn missing(
        &self,
        missing: usize,
        span: CapturedSpan<'_>,
        found: &[Option<usize>],
        nodes: &[CapturedNode<'_>],
    ) -> Case<'_> {
        let predicate = &self.nodes[missing];
        let candidate = self.candidate(missing, found, nodes);
        if span.is_brief() {
            let is_absent = || absent(predicate, false, &span, "it", NOT_THERE);
            return candidate.map_or_else(is_absent, |(_, case)| case);
        }
        let before = self.before(missing, found);
        let is_early =
            |index: &usize| !found.contains(&Some(*index)) && predicate.eval(nodes[*index]);
        if let Some((before, early)) =
            before.and_then(|before| Some((before, (0..before).find(is_early)?)))
        {
            let value = format!("before {}: {}", line(nodes[before]), line(nodes[early]));
            return actual(predicate, false, &span, "it", &value);
        }
        let after = before.map_or_else(String::new, |node| format!(" after {}", line(nodes[node])));
        match candidate {
            Some((node, _)) => {
                let what = format!("nearest{after}");
                let case = actual(predicate, false, &span, &what, &ShortLine::new(node));
                predicate.case_of_kind(node, false).into_iter().fold(case, Case::add_child)
            }
            None => actual(predicate, false, &span, "it", &format_args!("{NOT_THERE}{after}")),
        }
    }
}

/// Finds a node for a predicate; other predicates may have to switch to another node (Kuhn's algorithm).
fn assign_one(predicate: usize, matching: &[Vec<usize>], taken_by: &mut [Option<usize>]) -> bool {
    // Predicates that look for a node, each with its place among the nodes that match it.
    let mut is_tried = vec![false; taken_by.len()];
    let mut path = vec![(predicate, 0)];
    while let Some((looking, next)) = path.last_mut() {
        let looking = *looking;
        let Some(&node) = matching[looking].get(*next) else {
            path.pop();
            continue;
        };
        *next += 1;
        if core::mem::replace(&mut is_tried[node], true) {
            continue;
        }
        if let Some(other) = taken_by[node] {
            path.push((other, 0));
            continue;
        }
        for (looking, next) in path {
            taken_by[matching[looking][next - 1]] = Some(looking);
        }
        return true;
    }
    false
}

impl NodePredicate {
    fn eval(&self, node: CapturedNode<'_>) -> bool {
        match (self, node) {
            (Self::Span(tree), CapturedNode::Span(span)) => tree.matches(span),
            (Self::Event(predicate), CapturedNode::Event(event)) => predicate.eval(&event),
            _ => false,
        }
    }

    /// Says why a node does not match, if it is of the right kind.
    fn case_of_kind(&self, node: CapturedNode<'_>, in_brief: bool) -> Option<Case<'_>> {
        match (self, node) {
            (Self::Span(tree), CapturedNode::Span(span)) => {
                Some(tree.case(if in_brief { span.in_brief() } else { span }))
            }
            (Self::Event(predicate), CapturedNode::Event(event)) => {
                predicate.find_case(false, &if in_brief { event.in_brief() } else { event })
            }
            _ => None,
        }
    }
}

/// Stands in a case for [`TreePredicate::and_nothing_else()`].
struct NothingElse;

impl fmt::Display for NothingElse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("nothing else")
    }
}

impl PredicateReflection for NothingElse {}

fn line(node: CapturedNode<'_>) -> String {
    format!("{}", ShortLine::new(node))
}
