//! A list that grows without moving its elements, and whose copies share all but its end.

use alloc::{sync::Arc, vec::Vec};
use core::{mem, ops};

/// Elements of a chunk.
const LEN: usize = 256;

/// Elements in the order in which they came: in full chunks, and behind these the rest that does not fill one yet.
///
/// A copy clones a reference to each full chunk, and the rest. Changing an element then copies its chunk.
#[derive(Debug, Clone)]
pub(crate) struct Chunks<T> {
    full: Vec<Arc<Vec<T>>>,
    rest: Vec<T>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { full: Vec::new(), rest: Vec::new() }
    }
}

impl<T> Chunks<T> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.full.len() * LEN + self.rest.len()
    }

    #[inline]
    pub(crate) fn push(&mut self, element: T) {
        if self.rest.len() == LEN {
            self.close_chunk();
        }
        self.rest.push(element);
    }

    #[cold]
    fn close_chunk(&mut self) {
        // The first chunk grows from nothing, since captures are often small; later ones begin with their full
        // capacity.
        let full = mem::replace(&mut self.rest, Vec::with_capacity(LEN));
        self.full.push(Arc::new(full));
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        match self.full.get(index / LEN) {
            Some(chunk) => chunk.get(index % LEN),
            None => self.rest.get(index - self.full.len() * LEN),
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        (0..self.len()).map(|index| &self[index])
    }
}

impl<T: Clone> Chunks<T> {
    #[inline(never)] // what is changed is new, mostly
    fn in_full_mut(&mut self, index: usize) -> &mut T {
        &mut Arc::make_mut(&mut self.full[index / LEN])[index % LEN]
    }
}

impl<T> FromIterator<T> for Chunks<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut chunks = Self::default();
        elements.into_iter().for_each(|element| chunks.push(element));
        chunks
    }
}

impl<T> ops::Index<usize> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        match self.full.get(index / LEN) {
            Some(chunk) => &chunk[index % LEN],
            None => &self.rest[index - self.full.len() * LEN],
        }
    }
}

impl<T: Clone> ops::IndexMut<usize> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut T {
        match index.checked_sub(self.full.len() * LEN) {
            Some(index) => &mut self.rest[index],
            None => self.in_full_mut(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stay_where_they_are_put() {
        let mut chunks = Chunks::default();
        for index in 0..3 * LEN + 7 {
            assert_eq!(chunks.len(), index);
            assert_eq!(chunks.get(index), None);
            chunks.push(index);
        }
        for index in 0..chunks.len() {
            assert_eq!((chunks[index], chunks.get(index)), (index, Some(&index)));
        }
        assert!(chunks.iter().copied().eq(0..chunks.len()));
        assert!(chunks.iter().rev().copied().eq((0..chunks.len()).rev()));
    }

    #[test]
    fn copies_share_chunks_until_they_are_changed() {
        let mut chunks: Chunks<_> = (0..=2 * LEN).collect();
        let copy = chunks.clone();
        chunks[0] = 7;
        chunks[2 * LEN] = 8;
        chunks.push(9);
        assert!(copy.iter().copied().eq(0..=2 * LEN));
        assert_eq!((chunks[0], chunks[1], chunks[2 * LEN], chunks[2 * LEN + 1]), (7, 1, 8, 9));
        assert!(!Arc::ptr_eq(&chunks.full[0], &copy.full[0]));
        assert!(Arc::ptr_eq(&chunks.full[1], &copy.full[1]));
    }
}
