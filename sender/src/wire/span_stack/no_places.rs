//! Places that are never kept, in modules under test: they are to be small, and seldom are in more
//! than a few spans at once.

#[derive(Debug, Clone, Default)]
pub(super) struct Places;

#[allow(dead_code)] // it has the fields that a place has
pub(super) struct Enter {
    pub(super) key: u64,
    pub(super) place: usize,
    pub(super) is_first: bool,
    pub(super) is_wanted: bool,
}

#[allow(clippy::unused_self)] // it has the functions of the one that keeps places
impl Places {
    pub(super) const fn new() -> Self {
        Self
    }

    pub(super) fn are_wanted(&self, _enters: usize) -> bool {
        false
    }

    pub(super) fn rebuild(&mut self, _enters: impl ExactSizeIterator<Item = Enter>) {}
    pub(super) fn push(&mut self, _enter: Enter) {}
    pub(super) fn pop(&mut self, _key: u64, _place: usize) {}

    pub(super) fn latest(&self, _key: u64) -> Result<Option<usize>, ()> {
        Err(())
    }

    pub(super) fn firsts(&self) -> Option<impl Iterator<Item = usize>> {
        None::<core::iter::Empty<usize>>
    }
}
