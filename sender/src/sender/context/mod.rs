//! Which thread traces, and in which span it is.
//!
//! A WebAssembly module has one thread, with or without `std`, and may be stopped at any instruction and
//! called again: `Drop` does not run then. So its sender has nothing that must be put back, such as the
//! borrow of a `RefCell`, and every change is made by a single store.

#[cfg(any(
    test,
    not(feature = "std"),
    all(target_family = "wasm", not(target_feature = "atomics"))
))]
mod single;
#[cfg(all(feature = "std", any(not(target_family = "wasm"), target_feature = "atomics")))]
mod threads;

/// Notes that the program is in the sender's function, until it is dropped.
///
/// In WebAssembly nobody notes it. A trap in that function would leave the note behind for good, and
/// the module would never trace again; the module cannot tell a trap from a function that is still
/// running. There, a function that traces is called for what it traces.
pub(super) struct Sending<'a> {
    thread: &'a Thread<'a>,
    /// Whether it was before: handles are dropped there, too.
    was_sending: bool,
}

impl<'a> Sending<'a> {
    #[inline]
    pub(super) fn start(thread: &'a Thread<'a>) -> Self {
        let was_sending = thread.is_sending();
        thread.set_sending(!cfg!(target_family = "wasm"));
        Self { thread, was_sending }
    }
}

impl Drop for Sending<'_> {
    #[inline]
    fn drop(&mut self) {
        self.thread.set_sending(self.was_sending);
    }
}

#[cfg(any(
    not(feature = "std"),
    all(target_family = "wasm", not(target_feature = "atomics"))
))]
use self::single as imp;
#[cfg(all(feature = "std", any(not(target_family = "wasm"), target_feature = "atomics")))]
use self::threads as imp;

pub(super) use self::imp::Context;
pub(crate) use self::imp::Thread;
