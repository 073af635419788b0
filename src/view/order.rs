//! The order of nodes whose order means nothing.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{
    node::{Place, ShownValue, canonical},
    options::Rules,
    tree::View,
};
use crate::{capture::CapturedNode, wire::TracedValue};

/// Puts unordered siblings behind the others, sorted by their shown content. The others stay in the order of their
/// capture.
pub(super) fn sort(view: &View<'_>, siblings: &mut Vec<Place>, rules: &dyn Rules) {
    let is_unordered =
        |place: &Place| view.get(*place).node.is_some_and(|node| rules.is_unordered(node));
    let (mut unordered, ordered): (Vec<_>, Vec<_>) = siblings.drain(..).partition(is_unordered);
    unordered.sort_by(|a, b| compare(view, *a, *b));
    siblings.extend(ordered);
    siblings.extend(unordered);
}

/// Compares nodes by their lines, and then by their descendants.
fn compare(view: &View<'_>, a: Place, b: Place) -> Ordering {
    let mut ordering = compare_lines(view, a, b);
    // Nodes that are yet to be compared, with their later siblings.
    let mut uncompared = alloc::vec![(view.first_child(a), view.first_child(b))];
    while ordering.is_eq() {
        let Some(pair) = uncompared.pop() else {
            return view.get(a).digest.cmp(&view.get(b).digest);
        };
        ordering = match pair {
            (Some(a), Some(b)) => {
                uncompared.push((view.next_sibling(a), view.next_sibling(b)));
                if view.get(a).digest != view.get(b).digest {
                    uncompared.push((view.first_child(a), view.first_child(b)));
                }
                compare_lines(view, a, b)
            }
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
    }
    ordering
}

/// Compares lines: events come before spans. Then it compares names or messages, then the fields one after another
/// (numbers by their size), then levels and targets.
fn compare_lines(view: &View<'_>, a: Place, b: Place) -> Ordering {
    let key = |place| {
        let node = view.get(place).node;
        let metadata = node.map(|node| node.metadata());
        let name = match node {
            Some(CapturedNode::Span(span)) => Some(span.metadata().name()),
            _ => None,
        };
        (metadata.is_some_and(|metadata| metadata.is_span()), name, view.get(place).message())
    };
    let rest = |place| {
        let metadata = view.get(place).node.map(|node| node.metadata());
        metadata.map(|m| (core::cmp::Reverse(*m.level()), m.target(), m.module_path()))
    };
    let by_fields = || {
        let (mut a, mut b) =
            (view.get(a).fields(view.options()), view.get(b).fields(view.options()));
        loop {
            let ordering = match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (Some(a), Some(b)) => a.0.cmp(b.0).then_with(|| compare_values(a.1, b.1)),
                (a, b) => a.is_some().cmp(&b.is_some()),
            };
            if ordering.is_ne() {
                return ordering;
            }
        }
    };
    key(a).cmp(&key(b)).then_with(by_fields).then_with(|| rest(a).cmp(&rest(b)))
}

fn compare_values(a: ShownValue<'_>, b: ShownValue<'_>) -> Ordering {
    use TracedValue::{Float, Int, UInt};

    match (a, b) {
        (ShownValue::Traced(a), ShownValue::Traced(b)) => match (a, b) {
            (Int(a), Int(b)) => a.cmp(b),
            (UInt(a), UInt(b)) => a.cmp(b),
            (Float(a), Float(b)) => canonical(*a).total_cmp(&canonical(*b)),
            (Int(a), UInt(b)) => u128::try_from(*a).map_or(Ordering::Less, |a| a.cmp(b)),
            (UInt(a), Int(b)) => u128::try_from(*b).map_or(Ordering::Greater, |b| a.cmp(&b)),
            (Int(_) | UInt(_) | Float(_), _) if !is_number(b) => Ordering::Less,
            (_, Int(_) | UInt(_) | Float(_)) if !is_number(a) => Ordering::Greater,
            _ => ShownValue::Traced(a).text().cmp(&ShownValue::Traced(b).text()),
        },
        (a, b) => a.text().cmp(&b.text()),
    }
}

fn is_number(value: &TracedValue) -> bool {
    matches!(value, TracedValue::Int(_) | TracedValue::UInt(_) | TracedValue::Float(_))
}
