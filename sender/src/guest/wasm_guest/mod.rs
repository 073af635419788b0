//! The guest's side of a WebAssembly boundary.
//!
//! [`install()`] is all that a guest has to call: what it traces then goes to its host, a frame a
//! record, at once, so that a guest that traps has sent everything that it traced. [`Builder`] is for
//! guests that would rather collect frames, since a call into the host costs more than a small record
//! does, or that want to be told what the host wants.
//!
//! A guest imports a function of its host for each thing that it needs, `send` in any case. What they
//! are, and what each side may expect of the other, is in [`wasm`](super::wasm); the host's side is
//! `spanshot::transport::wasm_host`.

mod buffer;
mod builder;
mod control;
mod host;

use tracing_core::{Dispatch, dispatcher};

pub use self::builder::Builder;
use crate::sender::TracingEventSender;

/// Makes a sender to the host this guest's global default subscriber.
///
/// The guest imports `spanshot.send` and nothing else.
///
/// Returns whether it did so: `false` means that the guest has a subscriber already, from an
/// earlier call of this function or its own, and keeps it.
///
/// # Example
///
/// ```no_run
/// #[unsafe(no_mangle)]
/// pub extern "C" fn run() {
///     spanshot_sender::wasm_guest::install();
///     tracing::info!("the host will know");
/// }
/// ```
pub fn install() -> bool {
    if dispatcher::has_been_set() {
        return false; // not even a sender is built: it would be told of all call sites
    }
    let sender = TracingEventSender::encoded(host::send);
    dispatcher::set_global_default(Dispatch::new(sender)).is_ok()
}

/// Sends the buffered frames of a guest that [buffers](Builder::buffered). Otherwise it does
/// nothing.
///
/// # Example
///
/// ```no_run
/// # fn wait_for_the_host() {}
/// tracing::info!("waiting");
/// spanshot_sender::wasm_guest::flush(); // it may take long
/// wait_for_the_host();
/// ```
pub fn flush() {
    buffer::flush();
}
