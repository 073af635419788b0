use core::ops::{Bound, RangeBounds};

/// Numbers of spans or events that [`Scanner::count()`](super::Scanner::count) accepts: a `usize`, or a
/// range of them.
///
/// # Example
///
/// See [`Scanner::count()`](super::Scanner::count).
pub trait IntoCount {
    /// Returns the range.
    fn into_count(self) -> (Bound<usize>, Bound<usize>);
}

macro_rules! impl_into_count {
    ($($ty:ty),+) => {$(
        impl IntoCount for $ty {
            fn into_count(self) -> (Bound<usize>, Bound<usize>) {
                (self.start_bound().cloned(), self.end_bound().cloned())
            }
        }
    )+};
}

impl_into_count!(
    core::ops::Range<usize>,
    core::ops::RangeInclusive<usize>,
    core::ops::RangeFrom<usize>,
    core::ops::RangeTo<usize>,
    core::ops::RangeToInclusive<usize>,
    (Bound<usize>, Bound<usize>)
);

impl IntoCount for usize {
    fn into_count(self) -> (Bound<usize>, Bound<usize>) {
        (Bound::Included(self), Bound::Included(self))
    }
}
