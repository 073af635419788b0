//! The handles and children that keep a span open.

/// How often handles of a span were cloned and dropped, if the capture is told.
///
/// It starts with one handle. Counts stop at four billion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handles {
    cloned: u32,
    dropped: u32,
}

impl Handles {
    /// The handles of a new span.
    pub(crate) const ONE: Self = Self { cloned: 0, dropped: 0 };

    /// The handles of a span that a layer captures: no layer is told when a handle is cloned or dropped.
    pub(crate) const UNTOLD: Self = Self { cloned: u32::MAX, dropped: u32::MAX };

    const MAX_COUNT: u32 = u32::MAX - 1;

    pub(crate) fn is_told(self) -> bool {
        self != Self::UNTOLD
    }

    pub(crate) fn cloned(self) -> Option<usize> {
        self.is_told().then_some(self.cloned as usize)
    }

    pub(crate) fn dropped(self) -> Option<usize> {
        self.is_told().then_some(self.dropped as usize)
    }

    pub(crate) fn count_clone(&mut self) {
        if self.is_told() {
            self.cloned = self.cloned.saturating_add(1).min(Self::MAX_COUNT);
        }
    }

    pub(crate) fn count_drop(&mut self) {
        if self.is_told() {
            self.dropped = self.dropped.saturating_add(1).min(Self::MAX_COUNT);
        }
    }

    /// Checks whether there is a handle left.
    pub(crate) fn is_any_left(self) -> bool {
        self.dropped <= self.cloned
    }
}

/// The number of open children of an open span, if they are counted; or the mark of a closed span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenChildren(u32);

impl OpenChildren {
    pub(crate) const NONE: Self = Self(0);

    /// The mark of a closed span. It is never a count, since there are less than two billion spans.
    pub(crate) const CLOSED: Self = Self(u32::MAX);

    pub(crate) fn add(&mut self) {
        if *self != Self::CLOSED {
            self.0 += 1;
        }
    }

    pub(crate) fn remove(&mut self) {
        if *self != Self::CLOSED {
            self.0 = self.0.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stop_before_they_mean_something_else() {
        let mut handles = Handles { cloned: u32::MAX - 2, dropped: u32::MAX - 2 };
        for _ in 0..3 {
            handles.count_clone();
            handles.count_drop();
        }
        assert_eq!(handles.cloned(), Some(u32::MAX as usize - 1));
        assert!(handles.is_told() && handles.is_any_left());

        let mut untold = Handles::UNTOLD;
        untold.count_clone();
        assert_eq!((untold.cloned(), untold.dropped()), (None, None));
    }
}
