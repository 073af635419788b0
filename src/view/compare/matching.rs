//! Matches the nodes of two lists of siblings.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use crate::{
    capture::CapturedNode,
    view::{align::align, digest::digest, node::Place, tree::View},
};

/// The outcome for siblings, in an order that fits both lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// They are equal, and so are their descendants.
    Equal(Place, Place),
    /// They are the same node, but something differs in it.
    Changed(Place, Place),
    Gone(Place),
    Added(Place),
}

/// A key by which nodes are matched. The keys apply one after another, each to the nodes that the earlier keys have
/// left.
type Key = fn(&View<'_>, Place) -> u128;

const KEYS: [Key; 4] = [whole, line, title, kind];

/// Matches the children of two nodes.
pub(super) fn match_children(
    [expected, actual]: [&View<'_>; 2],
    [expected_parent, actual_parent]: [Place; 2],
) -> Vec<Step> {
    let expected_children: Vec<_> = expected.children(expected_parent).collect();
    let actual_children: Vec<_> = actual.children(actual_parent).collect();
    let mut steps = Vec::new();
    match_by(&KEYS, [expected, actual], &expected_children, &actual_children, &mut steps);
    steps
}

fn match_by(
    keys: &[Key],
    views: [&View<'_>; 2],
    expected: &[Place],
    actual: &[Place],
    steps: &mut Vec<Step>,
) {
    let Some((key, weaker)) =
        keys.split_first().filter(|_| !expected.is_empty() && !actual.is_empty())
    else {
        steps.extend(expected.iter().map(|place| Step::Gone(*place)));
        steps.extend(actual.iter().map(|place| Step::Added(*place)));
        return;
    };
    let keys_of = |view: &View<'_>, places: &[Place]| -> Vec<u128> {
        places.iter().map(|place| key(view, *place)).collect()
    };
    let step = if keys.len() == KEYS.len() { Step::Equal } else { Step::Changed };
    let pairs = align(&keys_of(views[0], expected), &keys_of(views[1], actual));
    let (mut old, mut new) = (0, 0);
    for (next_old, next_new) in pairs {
        match_by(weaker, views, &expected[old..next_old], &actual[new..next_new], steps);
        steps.push(step(expected[next_old], actual[next_new]));
        (old, new) = (next_old + 1, next_new + 1);
    }
    match_by(weaker, views, &expected[old..], &actual[new..], steps);
}

/// Everything that is shown of a node and its descendants.
fn whole(view: &View<'_>, place: Place) -> u128 {
    view.get(place).digest
}

/// Everything that is shown of the node itself.
fn line(view: &View<'_>, place: Place) -> u128 {
    digest(view.get(place), view.options(), core::iter::empty())
}

/// The name or the message: people would call the node by it.
fn title(view: &View<'_>, place: Place) -> u128 {
    let node = view.get(place);
    let name = match node.node {
        Some(CapturedNode::Span(span)) => Some(span.metadata().name()),
        _ => None,
    };
    hash(&(name, node.message()))
}

/// The name of a span, or the names of an event's fields.
fn kind(view: &View<'_>, place: Place) -> u128 {
    let node = view.get(place);
    match node.node {
        Some(CapturedNode::Event(event)) => {
            hash(&event.values().map(|(name, _)| name).collect::<Vec<_>>())
        }
        _ => title(view, place),
    }
}

fn hash(key: &impl Hash) -> u128 {
    let mut hasher = SipHasher13::new();
    key.hash(&mut hasher);
    hasher.finish().into()
}
