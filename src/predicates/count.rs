use core::ops::{Bound, RangeBounds};

/// Numbers of spans or events that [`Scanner::count()`](super::Scanner::count) accepts, or numbers of times that
/// [`entered()`](super::entered) and others do: a `usize`, or a range.
///
/// # Example
///
/// See [`Scanner::count()`](super::Scanner::count).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number or a range of numbers",
    label = "not a number",
    note = "write a `usize` such as `2`, or a range such as `1..`, `..=3` or `1..3`"
)]
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

/// Returns the minimum and the maximum of a range. No number is within the limits of an empty range.
pub(super) fn limits(count: impl IntoCount) -> (usize, Option<usize>) {
    let (start, end) = count.into_count();
    let min = match start {
        Bound::Included(first) => first,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    match end {
        Bound::Included(last) => (min, Some(last)),
        Bound::Excluded(0) => (1, Some(0)),
        Bound::Excluded(end) => (min, Some(end - 1)),
        Bound::Unbounded => (min, None),
    }
}
