//! A thread's stay in a capture, and subscribers that something leaves behind meanwhile.
//!
//! Code under test may call `set_default` and keep the guard. Then the records of the thread go elsewhere. The capture
//! looks for this each time the thread reads the trace, and when it leaves the capture.

use alloc::vec::Vec;
use core::cell::RefCell;

use tracing_core::dispatcher::{self, DefaultGuard};

use crate::{
    capture::{
        CaptureHandle, SharedStorage,
        subscriber::{are_same, in_effect, is_of_capture, storage_of, test_span::TestSpan},
    },
    receiver::RelayObserverGuard,
};

/// A capture that the current thread traces for. The fields are dropped in this order: the span before its subscriber.
pub(crate) struct Entered {
    pub(crate) stay: Stay,
    pub(crate) observer: RelayObserverGuard,
    pub(crate) span: Option<TestSpan>,
    pub(crate) default: DefaultGuard,
}

impl Entered {
    pub(crate) fn new(
        handle: &CaptureHandle,
        span: impl FnOnce(&CaptureHandle) -> Option<TestSpan>,
    ) -> Self {
        let default = dispatcher::set_default(handle.dispatch());
        let span = span(handle);
        Self { stay: Stay::new(handle), observer: handle.observe(), span, default }
    }
}

std::thread_local! {
    /// The captures that this thread is in, by their handles. Each may be there more than once.
    static STAYS: RefCell<Vec<CaptureHandle>> = const { RefCell::new(Vec::new()) };
}

/// The thread's entry in the list of captures that it is in.
pub(crate) struct Stay {
    handle: CaptureHandle,
}

impl Stay {
    fn new(handle: &CaptureHandle) -> Self {
        // While the thread ends, the list may be gone.
        let _ = STAYS.try_with(|stays| stays.borrow_mut().push(handle.clone()));
        Self { handle: handle.clone() }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some(storage) = self.handle.storage().filter(|storage| !storage.has_ended()) {
            note_bypass(&storage, None);
        }
        let is_this = |handle: &CaptureHandle| handle.number() == self.handle.number();
        // Dropping the last handle drops a subscriber, which may run code of its own. That must not happen under the
        // borrow.
        let removed = STAYS.try_with(|stays| {
            let mut stays = stays.borrow_mut();
            stays.iter().rposition(is_this).map(|last| stays.remove(last))
        });
        drop(removed);
    }
}

/// Notes if the current thread is in the capture of this storage, and another subscriber gets its records.
pub(crate) fn note_bypass_here(storage: &SharedStorage) {
    let is_of =
        |handle: &CaptureHandle| handle.storage().is_some_and(|captured| captured.is_same(storage));
    let stays = STAYS.try_with(|stays| {
        let stays = stays.try_borrow().ok()?;
        let is_here = stays.iter().any(is_of);
        is_here.then(|| stays.last().filter(|last| is_of(last)).cloned())
    });
    if let Ok(Some(innermost)) = stays {
        note_bypass(storage, innermost.as_ref());
    }
}

/// Notes if another subscriber gets the records of the current thread. That of another capture does not count: it is
/// meant to get them, unless this is the innermost capture of the thread.
fn note_bypass(storage: &SharedStorage, innermost: Option<&CaptureHandle>) {
    // In the middle of a dispatch, there is no current subscriber.
    let has_its_own = dispatcher::get_current(|current| {
        let is_meant =
            || innermost.is_none_or(|handle| are_same(in_effect(current), handle.dispatch()));
        is_of_capture(current) && is_meant()
            || storage_of(current).is_some_and(|other| other.is_same(storage))
    });
    if has_its_own == Some(false) {
        storage.note_bypass();
    }
}
