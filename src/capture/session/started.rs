//! The captures that the current thread has started.

use alloc::{sync::Arc, vec::Vec};
use core::cell::RefCell;

use crate::capture::{
    CaptureHandle, SharedStorage,
    session::entered::Entered,
    subscriber::test_span::{Test, TestSpan},
};

/// A capture of this thread that is under way, or that is over while a later one is not.
struct Started {
    storage: SharedStorage,
    _entered: Entered,
    is_over: bool,
}

std::thread_local! {
    /// Captures of this thread in the order in which they were started. A guard restores the subscriber from the time
    /// of its creation, so guards have to be dropped in the opposite order.
    static STARTED: RefCell<Vec<Started>> = const { RefCell::new(Vec::new()) };
}

/// Makes a capture's subscriber the current thread's, and has the thread run the test of the capture.
pub(crate) fn begin(storage: &SharedStorage, handle: &CaptureHandle, test: Option<&Arc<Test>>) {
    let entered = Entered::new(handle, |handle| {
        test.map(|test| TestSpan::enter(handle.dispatch(), &Arc::downgrade(test)))
    });
    let capture = Started { storage: storage.clone(), _entered: entered, is_over: false };
    // While the thread ends, the list may be gone: then the capture is over at once.
    let _ = STARTED.try_with(|started| started.borrow_mut().push(capture));
}

/// Undoes [`begin()`], now or when the captures that were started later are over.
pub(crate) fn end(storage: &SharedStorage) {
    let _ = STARTED.try_with(|started| {
        for capture in started.borrow_mut().iter_mut() {
            capture.is_over |= capture.storage.is_same(storage);
        }
        // Dropping a subscriber may run code of its own, which must not happen under the borrow.
        loop {
            let mut captures = started.borrow_mut();
            if !captures.last().is_some_and(|last| last.is_over) {
                return;
            }
            let last = captures.pop();
            drop(captures);
            drop(last);
        }
    });
}
