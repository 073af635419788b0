//! What the rest of the program sees of a subscriber while that is told of a record.

use core::{cell::Cell, num::NonZeroUsize, ptr::NonNull};

use tracing_core::dispatcher::{self, Dispatch};

/// Runs the function while the subscriber is the default one: a subscriber may ask for it, as
/// `Registry` does when it closes the parent of a closed span.
///
/// A receiver may be fed by the hook of a sender, in the middle of a dispatch on this thread.
/// Then the default cannot be changed; but neither has it a say, since `tracing-core` takes
/// nothing that is traced meanwhile.
pub(super) fn with_default<T>(dispatch: &Dispatch, f: impl FnOnce(&Dispatch) -> T) -> T {
    if dispatcher::get_current(|_| ()).is_some() {
        dispatcher::with_default(dispatch, || f(dispatch))
    } else {
        f(dispatch)
    }
}

/// Runs the function with the subscriber, which is the default one, and sees to it that nothing
/// which the subscriber traces meanwhile comes back to it.
pub(super) fn guarded<T>(dispatch: &Dispatch, f: impl Fn(&Dispatch) -> T) -> T {
    dispatcher::get_current(|current| f(current)).unwrap_or_else(|| f(dispatch))
}

std::thread_local! {
    /// Where the thread has a default of its own, once that was seen.
    static OWN_DEFAULT: Cell<Option<NonZeroUsize>> = const { Cell::new(None) };
}

/// Does the same on a thread that may have another default.
///
/// If it has one of its own, that can stay: while `tracing-core` takes nothing, nobody learns which one it is.
/// If it has not, `tracing-core` is held back only as long as some other thread has one, and so this thread is
/// given one.
pub(super) fn guarded_here<T>(dispatch: &Dispatch, f: impl Fn(&Dispatch) -> T) -> T {
    let is_own = |current: &Dispatch| OWN_DEFAULT.get() == Some(place(current));
    match dispatcher::get_current(|current| is_own(current).then(|| f(dispatch))) {
        Some(Some(result)) => result,
        Some(None) => dispatcher::with_default(dispatch, || {
            dispatcher::get_current(|current| OWN_DEFAULT.set(Some(place(current))));
            guarded(dispatch, f)
        }),
        None => f(dispatch), // this is in the middle of a dispatch
    }
}

/// `tracing-core` does not say whose default one is, but keeps that of a thread in one place of the thread. If
/// it no longer did, a thread would be given a default each time.
fn place(dispatch: &Dispatch) -> NonZeroUsize {
    NonNull::from(dispatch).addr()
}
