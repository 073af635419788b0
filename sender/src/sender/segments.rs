use alloc::{boxed::Box, vec::Vec};

use once_cell::race::OnceBox;

/// Segments of a list. The last one ends beyond any `u32`.
const SEGMENTS: usize = 27;

/// Elements of the first segment; each further one is twice as long.
const FIRST_LEN: usize = 32;

/// A list that grows through a shared reference, and whose elements never move.
///
/// It needs neither a lock nor `unsafe`: a segment is allocated when it is first used, and if two
/// threads do so at once, one of the allocations is given up.
pub(super) struct Segments<T> {
    segments: [OnceBox<Vec<T>>; SEGMENTS],
}

impl<T: Default> Segments<T> {
    pub(super) const fn new() -> Self {
        Self { segments: [const { OnceBox::new() }; SEGMENTS] }
    }

    /// Returns a segment, or `None` if it was never used.
    pub(super) fn segment(&self, segment: usize) -> Option<&[T]> {
        self.segments.get(segment)?.get().map(|elements| &**elements)
    }

    /// Returns a segment, whose elements are in their default state when it is first asked for;
    /// `None` if there can be no such segment.
    #[inline]
    pub(super) fn segment_or_default(&self, segment: usize) -> Option<&[T]> {
        let elements = self.segments.get(segment)?;
        Some(elements.get().unwrap_or_else(|| allocate(elements, FIRST_LEN << segment)))
    }

    /// Returns an element, or `None` if its segment was never used.
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        let (segment, offset) = locate(index);
        self.segment(segment)?.get(offset)
    }

    /// Returns an element, as [`Self::segment_or_default()`] does a segment.
    pub(super) fn get_or_default(&self, index: usize) -> Option<&T> {
        let (segment, offset) = locate(index);
        self.segment_or_default(segment)?.get(offset)
    }
}

#[cold]
#[inline(never)]
fn allocate<T: Default>(elements: &OnceBox<Vec<T>>, len: usize) -> &Vec<T> {
    elements.get_or_init(|| Box::new(core::iter::repeat_with(T::default).take(len).collect()))
}

/// Segment `n` starts at index `FIRST_LEN * (2^n - 1)`.
fn locate(index: usize) -> (usize, usize) {
    let segment = (index / FIRST_LEN + 1).ilog2() as usize;
    (segment, index - FIRST_LEN * ((1 << segment) - 1))
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn each_index_has_an_element_of_its_own() {
        let list = Segments::<AtomicUsize>::new();
        for index in 0..1_000 {
            assert!(list.get(index).is_none_or(|element| element.load(Ordering::Relaxed) == 0));
            list.get_or_default(index).unwrap().store(index + 1, Ordering::Relaxed);
        }
        for index in 0..1_000 {
            assert_eq!(list.get(index).unwrap().load(Ordering::Relaxed), index + 1);
        }
        assert!(list.get(1_000_000).is_none());
        assert!(list.get_or_default(usize::MAX / 2).is_none());
    }
}
