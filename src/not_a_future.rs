//! The bound by which closures that return a future do not compile where their future would be lost.
//!
//! [`Capture::carry()`](crate::Capture::carry) and [`CaptureHandle::in_scope()`](crate::CaptureHandle::in_scope) run a
//! closure in the scope of a capture, and [`GuestScope::in_scope()`](crate::receiver::GuestScope::in_scope) runs one in
//! the spans of a guest. If the closure returned a future, as in `carry(|| async { … })`, only the *creation* of the
//! future would run there: it would be polled outside of the scope, and its records would be lost.
//!
//! Users never name the trait. It is hidden, and public only because it bounds public functions.

/// A result that is no future: every type that does not implement [`Future`].
pub trait NotAFuture<Marker> {}

// How it works: `carry()` leaves `Marker` to inference. Its own type parameter for that is called
// `UseCarryFutureInstead`, since the compiler names it where inference fails.
//
//     type is no future:  one impl applies     → Marker = (), it compiles
//     type is a future:   both impls apply     → Marker is ambiguous, which is an error
impl<T: ?Sized> NotAFuture<()> for T {}

impl<T: ?Sized + Future> NotAFuture<UseCarryFutureInstead> for T {}

/// The type that the compiler names when it rejects a future.
#[derive(Debug)]
pub struct UseCarryFutureInstead(());
