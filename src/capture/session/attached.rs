//! Captures that stay on a thread until it ends.

use core::cell::RefCell;

use tracing_core::dispatcher;

use crate::{
    capture::{CaptureHandle, session::entered::Entered, subscriber::are_same},
    panics,
};

/// A capture that stays on the current thread.
struct Attached {
    /// Unique number of the capture.
    number: u64,
    /// `Some` until it is dropped.
    entered: Option<Entered>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        let Some(Entered { stay, observer, span, default }) = self.entered.take() else { return };
        // A panic while a thread-local value is dropped aborts the process. Layers of the user see that the
        // span of the test is exited, and may use thread-local values that are gone.
        let _ = panics::catch(|| drop(stay));
        let _ = panics::catch(|| drop(observer));
        let _ = panics::catch(|| drop(span));
        let _ = panics::catch(|| drop(default));
    }
}

std::thread_local! {
    static ATTACHED: RefCell<Option<Attached>> = const { RefCell::new(None) };
}

/// Attaches a capture to the current thread until the thread ends.
pub(crate) fn attach(handle: &CaptureHandle) {
    if is_attached(handle) {
        return;
    }
    // Dropping the previous attachment may run code of the user, which must not happen under the borrow.
    let previous = ATTACHED.try_with(RefCell::take);
    drop(previous);
    let new = Attached { number: handle.number(), entered: Some(handle.enter()) };
    // It is pushed after it has entered, since thread-local values are mostly dropped in the opposite order of
    // their first use: the ones of `tracing` are still there when this one is dropped. If the thread is ending already,
    // the attachment ends at once.
    let replaced = ATTACHED.try_with(|attached| attached.replace(Some(new)));
    drop(replaced); // code of the user may have attached the thread meanwhile
}

/// Checks whether the thread traces for the capture already. It may have been attached in a scope that has ended since.
fn is_attached(handle: &CaptureHandle) -> bool {
    let is_this = ATTACHED.try_with(|attached| {
        attached.borrow().as_ref().is_some_and(|attached| attached.number == handle.number())
    });
    is_this.unwrap_or(false)
        && handle.is_running()
        && dispatcher::get_default(|current| are_same(current, handle.dispatch()))
}
