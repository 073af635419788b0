/// A result that is no future: every type that does not implement [`Future`].
///
/// [`Capture::carry()`](crate::Capture::carry) and [`CaptureHandle::in_scope()`](crate::CaptureHandle::in_scope) run a
/// closure in the scope of a capture, and [`GuestScope::in_scope()`](crate::GuestScope::in_scope) runs one in the spans
/// of a guest. If the closure returned a future, as in `carry(|| async { … })`, only the *creation* of the future would
/// run there: it would be polled outside of the scope, and its records would be lost. The compiler therefore rejects
/// such a closure: *type annotations needed* (`E0282` or `E0283`) *for the type parameter `UseCarryFutureInstead`*,
/// since a future implements this trait in two ways. Call [`carry_future()`](crate::Capture::carry_future) with the
/// future itself:
///
/// ```
/// use spanshot::Capture;
///
/// let capture = Capture::start();
/// let future = capture.carry_future(async { tracing::info!("captured") });
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
/// # assert_eq!(capture.trace().to_string(), "INFO captured");
/// ```
///
/// The handle of a spawned task is a future as well. The task does not get the capture by being spawned in its scope:
/// carry the future that you spawn, `tokio::spawn(capture.carry_future(…))`.
///
/// You never need to implement or name this trait. In generic code, any `T` will do.
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
