use crate::capture::{CapturedEvent, CapturedSpan};

/// What happened at a [`Moment`](crate::Moment).
///
/// # Example
///
/// See [`Storage::timeline()`](crate::Storage::timeline).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Happening<'a> {
    /// A span was created.
    Created(CapturedSpan<'a>),
    /// A span was entered.
    Entered(CapturedSpan<'a>),
    /// Values were recorded into a span after it was created; see
    /// [`CapturedSpan::recorded_at()`].
    Recorded(CapturedSpan<'a>),
    /// A span was exited.
    Exited(CapturedSpan<'a>),
    /// A span was closed.
    Closed(CapturedSpan<'a>),
    /// An event was emitted.
    Emitted(CapturedEvent<'a>),
}
