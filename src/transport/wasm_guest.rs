//! The guest's side of a WebAssembly boundary.
//!
//! A guest imports one function of its host, `send` of the module `spanshot`, with the signature
//! `(i32, i32) -> ()`: the address and the length in bytes of one [frame](crate::frame) in the
//! guest's memory. The memory stays the guest's. The host copies the frame, or reads it in place,
//! before it returns, and gives it to
//! [`TracingEventReceiver::receive_encoded`](crate::TracingEventReceiver::receive_encoded).
//! Each record is a call, so that a guest that traps has sent everything that it traced.
//!
//! [`install()`] is all that a guest has to call.

use tracing_core::{Dispatch, dispatcher};

use crate::sender::TracingEventSender;

/// Makes a sender to the host this guest's global default subscriber.
///
/// Returns whether it did so: `false` means that the guest has a subscriber already, from an
/// earlier call of this function or its own, and keeps it.
///
/// # Example
///
/// ```no_run
/// #[unsafe(no_mangle)]
/// pub extern "C" fn run() {
///     spanshot::transport::wasm_guest::install();
///     tracing::info!("the host will know");
/// }
/// ```
pub fn install() -> bool {
    if dispatcher::has_been_set() {
        return false; // not even a sender is built: it would be told of all call sites
    }
    let sender = TracingEventSender::encoded(send);
    dispatcher::set_global_default(Dispatch::new(sender)).is_ok()
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code)]
fn send(frame: &[u8]) {
    mod import {
        #[link(wasm_import_module = "spanshot")]
        unsafe extern "C" {
            /// Hands a frame to the host.
            ///
            /// # Safety
            ///
            /// `len` bytes from `frame` on must be readable until the call returns.
            pub(super) fn send(frame: *const u8, len: usize);
        }
    }

    // SAFETY: address and length are those of a slice that is borrowed during the call, and the
    // host only reads from it.
    unsafe { import::send(frame.as_ptr(), frame.len()) }
}

/// There is no host on other targets: the module is there for its documentation to be read and
/// its callers to be checked.
#[cfg(not(target_arch = "wasm32"))]
fn send(_frame: &[u8]) {}
