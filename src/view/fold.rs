//! Folds equal nodes in a row, and equal groups of nodes in a row, into one with a count.

use alloc::vec::Vec;

use super::{node::Place, tree::View};

/// Number of nodes in the longest group that is looked for.
const MAX_GROUP: usize = 8;

/// Minimum number of repetitions of a group. Fewer are as easy to read unfolded.
const MIN_REPEATED_GROUPS: usize = 3;

/// Folds siblings.
pub(super) fn fold(view: &mut View<'_>, siblings: &[Place]) -> Vec<Place> {
    fold_groups(view, siblings, MAX_GROUP)
}

fn fold_groups(view: &mut View<'_>, siblings: &[Place], max_group: usize) -> Vec<Place> {
    let mut folded = Vec::with_capacity(siblings.len());
    let mut unread = siblings;
    while let Some(first) = unread.first() {
        let (group, times) = longest_run(view, unread, max_group);
        folded.push(match group {
            _ if times == 1 => *first,
            1 => {
                view.set_times(*first, times);
                *first
            }
            _ => {
                let group = fold_groups(view, &unread[..group], 1);
                view.add_group(&group, times)
            }
        });
        unread = &unread[group * times..];
    }
    folded
}

/// Finds the repeated group at the beginning that covers the most nodes. Returns its number of nodes, and how often it
/// is there.
fn longest_run(view: &View<'_>, siblings: &[Place], max_group: usize) -> (usize, usize) {
    let digest = |index: usize| siblings.get(index).map(|place| view.get(*place).digest);
    let mut longest = (1, 1);
    for group in 1..=max_group.min(siblings.len() / 2) {
        let repeats = |index: &usize| digest(*index) == digest(index - group);
        let run = (group..siblings.len()).take_while(repeats).count() + group;
        let times = run / group;
        let is_worthwhile = group == 1 || times >= MIN_REPEATED_GROUPS;
        if is_worthwhile && times > 1 && group * times > longest.0 * longest.1 {
            longest = (group, times);
        }
    }
    longest
}
