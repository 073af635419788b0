//! Which captures the current thread has started.

use alloc::{sync::Arc, vec::Vec};
use core::cell::RefCell;

use tracing_core::dispatcher::{self, DefaultGuard};

use crate::{
    capture::{
        CaptureHandle, SharedStorage,
        subscriber::test_span::{Test, TestSpan},
    },
    receiver::RelayObserverGuard,
};

/// A capture of this thread that is under way, or over while a later one is not.
struct Started {
    storage: SharedStorage,
    /// Exited before its subscriber goes.
    _span: Option<TestSpan>,
    _default: DefaultGuard,
    _observer: RelayObserverGuard,
    is_over: bool,
}

std::thread_local! {
    /// Captures of this thread in the order in which they were started. A guard brings back what
    /// was there when it was made, so that they have to be dropped in the opposite order.
    static STARTED: RefCell<Vec<Started>> = const { RefCell::new(Vec::new()) };
}

/// Has the current thread's subscriber be that of a capture, and the thread run its test.
pub(crate) fn begin(storage: &SharedStorage, handle: &CaptureHandle, test: Option<&Arc<Test>>) {
    let dispatch = handle.dispatch();
    let default = dispatcher::set_default(dispatch);
    let span = test.map(|test| TestSpan::enter(dispatch, &Arc::downgrade(test)));
    let capture = Started {
        storage: storage.clone(),
        _span: span,
        _default: default,
        _observer: handle.observe(),
        is_over: false,
    };
    // There is no list any more while the thread ends, and then the capture is over at once.
    let _ = STARTED.try_with(|started| started.borrow_mut().push(capture));
}

/// Undoes that, now or when the captures that were started later are over.
pub(crate) fn end(storage: &SharedStorage) {
    let _ = STARTED.try_with(|started| {
        for capture in started.borrow_mut().iter_mut() {
            capture.is_over |= capture.storage.is_same(storage);
        }
        // A subscriber that is dropped may run code of its own: not under the borrow.
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
