//! The guest's side of a WebAssembly boundary.
//!
//! Call [`install()`] in your guest. It then sends each record to its host at once, so a guest that traps has sent
//! everything that it traced. Use [`Builder`] to send several records with one call, since a call into the host costs more
//! than a small record, or to send only records that the host wants.
//!
//! The guest imports `spanshot.send`, and other functions if you use the [`Builder`]. The page [`wasm`](super::wasm) lists
//! them, and says what each side may expect of the other. The host's side is `spanshot::transport::wasm_host`.

// | file | content |
// |---|---|
// | `builder.rs` | how to install the sender |
// | `buffer.rs` | frames that wait to be sent |
// | `control.rs` | what the host sets in the memory of its guest |
// | `host.rs` | the imports |

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

/// Sends the frames in the buffer of a guest that [buffers](Builder::buffered); does nothing in other guests.
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
