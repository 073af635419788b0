//! Numbers the spans that others follow from, where several of the shown spans have one name.
//!
//! A number is a position in the tree. It must not depend on the order of the capture where that order means nothing, so
//! unordered spans and the spans in them have no numbers.

use alloc::{vec, vec::Vec};
use std::collections::HashMap;

use super::{node::Place, options::Rules, tree::View};

/// Sets the numbers of the spans that others follow from. The view is sorted, but not yet folded.
pub(super) fn number_sources(view: &mut View<'_>, rules: &dyn Rules) {
    let sources = view.places().flat_map(|place| view.get(place).sources());
    // The moments of the spans that have the name of one, in the order in which they are shown.
    let mut by_name: HashMap<_, Vec<_>> =
        sources.map(|source| (source.metadata().name(), Vec::new())).collect();
    let mut unread = vec![view.first_child(Place::ROOT)];
    while let Some(siblings) = unread.last_mut() {
        let Some(place) = *siblings else {
            unread.pop();
            continue;
        };
        *siblings = view.next_sibling(place);
        let Some(node) = view.get(place).node.filter(|node| !rules.is_unordered(*node)) else {
            continue;
        };
        let metadata = node.metadata();
        if let Some(moments) = by_name.get_mut(metadata.name()).filter(|_| metadata.is_span()) {
            moments.push(node.moment());
        }
        unread.push(view.first_child(place));
    }
    let several = by_name.into_values().filter(|moments| moments.len() > 1);
    let numbers: HashMap<_, _> = several
        .flat_map(|moments| moments.into_iter().enumerate())
        .map(|(index, moment)| (moment, index + 1))
        .collect();
    for place in view.places() {
        let sources = view.get(place).sources();
        let found: Vec<_> = sources.map(|source| numbers.get(&source.moment()).copied()).collect();
        view.get_mut(place).source_numbers = found;
    }
}
