//! Pairs equal elements of two lists, in an order that fits both.
//!
//! Finding the shortest difference of two lists takes quadratic time in the worst case. A time limit would make the
//! result depend on the machine, so only short lists get the shortest difference. Longer lists are cut into short ones,
//! at elements that surely belong together:
//!
//! ```text
//! pair the first occurrence of each key in one list with its first in the other, the second with the second, …
//! keep the longest row of pairs that ascends in both lists       (n log n)
//! go on between any two of these pairs, where a key may be paired otherwise, but only some rounds
//! ```

use alloc::{collections::VecDeque, vec, vec::Vec};
use core::ops::Range;
use std::collections::HashMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Two lists with up to this many elements together get their shortest difference. That takes time by the square of
/// this number, even if one of the lists has only one element.
const SHORT: usize = 800;

/// Number of times that the lists are cut.
const MAX_ROUNDS: usize = 8;

/// Returns pairs of indexes of equal keys, ascending in both lists. The result is the same for the same lists on any
/// machine.
pub(super) fn align(old: &[u128], new: &[u128]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut unaligned = vec![(0..old.len(), 0..new.len(), MAX_ROUNDS)];
    while let Some((old_range, new_range, rounds)) = unaligned.pop() {
        let (old_part, new_part) = (&old[old_range.clone()], &new[new_range.clone()]);
        let shift = |(old, new): (usize, usize)| (old + old_range.start, new + new_range.start);
        if old_part.is_empty() || new_part.is_empty() {
            continue;
        }
        if old_part.len() + new_part.len() <= SHORT {
            pairs.extend(shortest_difference(old_part, new_part).map(shift));
        } else if rounds > 0 {
            let anchors = anchors(old_part, new_part);
            let (mut old_end, mut new_end) = (old_range.start, new_range.start);
            for (old, new) in anchors.into_iter().map(shift) {
                unaligned.push((old_end..old, new_end..new, rounds - 1));
                pairs.push((old, new));
                (old_end, new_end) = (old + 1, new + 1);
            }
            unaligned.push((old_end..old_range.end, new_end..new_range.end, rounds - 1));
        }
    }
    pairs.sort_unstable();
    pairs
}

fn shortest_difference(old: &[u128], new: &[u128]) -> impl Iterator<Item = (usize, usize)> {
    let equal = |op: DiffOp| -> (Range<usize>, Range<usize>) {
        match op {
            DiffOp::Equal { .. } => (op.old_range(), op.new_range()),
            _ => (0..0, 0..0),
        }
    };
    let ops = capture_diff_slices(Algorithm::Patience, old, new).into_iter();
    ops.map(equal).flat_map(|(old, new)| old.zip(new))
}

/// Returns as many ascending pairs as possible, each of two occurrences with the same number.
fn anchors(old: &[u128], new: &[u128]) -> Vec<(usize, usize)> {
    let mut occurrences = HashMap::<u128, VecDeque<usize>>::new();
    for (index, key) in new.iter().enumerate() {
        occurrences.entry(*key).or_default().push_back(index);
    }
    let pairs = old
        .iter()
        .enumerate()
        .filter_map(|(index, key)| Some((index, occurrences.get_mut(key)?.pop_front()?)));
    longest_ascending(&pairs.collect::<Vec<_>>())
}

/// Returns the longest row of pairs in which the second numbers ascend, too. The pairs are given in the order of their
/// first numbers.
///
/// Of all rows of one length, only the one with the lowest last number matters: `ends[n]` is the end of the row of
/// `n + 1` pairs. Each pair extends the longest row that ends below it.
fn longest_ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut ends: Vec<usize> = Vec::new();
    let mut previous = Vec::with_capacity(pairs.len());
    for (index, (_, new)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *new);
        previous.push(length.checked_sub(1).map(|last| ends[last]));
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut row: Vec<_> =
        core::iter::successors(ends.last().copied(), |index| previous[*index]).collect();
    row.reverse();
    row.into_iter().map(|index| pairs[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, the same in each run.
    fn numbers(seed: u64) -> impl Iterator<Item = u64> {
        core::iter::successors(Some(seed), |number| {
            Some(
                number
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407),
            )
        })
        .map(|number| number >> 33)
    }

    #[test]
    fn pairs_are_equal_and_ascend_in_both_lists() {
        for (seed, (len, keys)) in
            [(0, 1), (1, 1), (40, 3), (400, 40), (2_000, 2), (2_000, 500), (5_000, 1)]
                .into_iter()
                .enumerate()
        {
            let list = |seed: usize, len| -> Vec<u128> {
                numbers(seed as u64).map(|number| u128::from(number % keys)).take(len).collect()
            };
            let (old, new) = (list(seed, len), list(seed + 100, len + len / 7));
            let pairs = align(&old, &new);
            assert!(pairs.iter().all(|(a, b)| old[*a] == new[*b]));
            assert!(pairs.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1));
            let min = len / if keys == 1 { 1 } else { usize::try_from(keys).unwrap() };
            assert!(pairs.len() >= min, "{} pairs of {len} with {keys} keys", pairs.len());
        }
    }

    #[test]
    fn short_list_and_a_long_one() {
        let long: Vec<u128> = (0..100_000).collect();
        assert_eq!(align(&[5, 99_998], &long), [(0, 5), (1, 99_998)]);
        assert_eq!(align(&long, &[100_000]), []);
    }

    #[test]
    fn long_lists_lose_only_what_differs() {
        let old: Vec<u128> =
            numbers(7).map(|number| u128::from(number % 5_000)).take(10_000).collect();
        let mut new = old.clone();
        new.insert(9_000, 77_777);
        new.remove(5_000);
        new[100] = 88_888;
        let pairs = align(&old, &new);
        assert_eq!(pairs.len(), 10_000 - 2);
    }
}
