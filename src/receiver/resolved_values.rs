use alloc::vec::Vec;
use core::ops::Deref;

use super::sink::SinkValues;
use crate::wire::ValueRef;

/// Values that an ordinary record has at the most.
const FEW: usize = 6;

/// Values and the indexes of their fields, on the stack unless there are many.
#[derive(Debug)]
pub(super) struct ResolvedValues<'a> {
    few: [(usize, ValueRef<'a>); FEW],
    /// Number of those.
    len: usize,
    /// All values, if they are not few.
    many: Vec<(usize, ValueRef<'a>)>,
}

impl<'a> ResolvedValues<'a> {
    #[inline]
    pub(super) fn new() -> Self {
        Self { few: [(0, ValueRef::Bool(false)); FEW], len: 0, many: Vec::new() }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, index: usize, value: ValueRef<'a>) {
        if let Some(place) = self.few.get_mut(self.len) {
            *place = (index, value);
            self.len += 1;
        } else {
            self.push_to_many(index, value);
        }
    }

    #[cold]
    fn push_to_many(&mut self, index: usize, value: ValueRef<'a>) {
        if self.many.is_empty() {
            self.many.extend_from_slice(&self.few);
        }
        self.many.push((index, value));
    }
}

impl<'a> Deref for ResolvedValues<'a> {
    type Target = SinkValues<'a>;

    #[inline]
    fn deref(&self) -> &SinkValues<'a> {
        if self.many.is_empty() { self.few.get(..self.len).unwrap_or_default() } else { &self.many }
    }
}
