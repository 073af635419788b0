use tracing_core::{Dispatch, LevelFilter, dispatcher};

use super::{buffer, control::CONTROL, host};
use crate::{
    guest::wasm,
    sender::{HostFilter, TracingEventSender},
    wire::FilterAnswer,
};

/// Installs a sender that buffers frames, asks the host for its filter, or both.
///
/// The guest imports only the functions that it needs. The type parameters say which, and you need not name them.
///
/// # Example
///
/// ```no_run
/// use spanshot_sender::wasm_guest::Builder;
///
/// #[unsafe(no_mangle)]
/// pub extern "C" fn run() {
///     Builder::new().buffered(64 * 1_024).filtered_by_host().install();
///     tracing::info!("the host will know, if it wants to");
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is installed yet"]
pub struct Builder<const BUFFERED: bool = false, const FILTERED: bool = false> {
    capacity: usize,
    max_level: LevelFilter,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Sends everything, at once, as [`install()`](super::install) does.
    pub const fn new() -> Self {
        Self { capacity: 0, max_level: LevelFilter::TRACE }
    }
}

impl<const FILTERED: bool> Builder<false, FILTERED> {
    /// Collects frames in a buffer of this many bytes, and sends them together.
    ///
    /// The guest sends them when the buffer is full, when a handle of a span is dropped (as when the span is closed),
    /// before it asks the host something, and by [`flush()`](super::flush).
    ///
    /// Two things are then up to the host: to call `GuestTrace::read_buffer()` in functions that the guest calls, before
    /// they trace; and to call it after a trap, to get the last records. Use it only in guests with one thread.
    pub const fn buffered(self, capacity: usize) -> Builder<true, FILTERED> {
        Builder { capacity, max_level: self.max_level }
    }
}

impl<const BUFFERED: bool> Builder<BUFFERED, false> {
    /// Asks the host which records it wants, and neither formats nor sends others.
    ///
    /// The host's filter then applies to the guest as if it traced there: see
    /// [`TracingEventSender::with_host_filter()`].
    pub const fn filtered_by_host(self) -> Builder<BUFFERED, true> {
        Builder { capacity: self.capacity, max_level: self.max_level }
    }
}

impl<const BUFFERED: bool, const FILTERED: bool> Builder<BUFFERED, FILTERED> {
    /// Sends spans and events up to this level of verbosity only, even if the host wants more.
    pub const fn max_level(mut self, max_level: LevelFilter) -> Self {
        self.max_level = max_level;
        self
    }

    /// Makes the sender this guest's global default subscriber, and returns whether it did so, as
    /// [`install()`](super::install) does.
    pub fn install(self) -> bool {
        if dispatcher::has_been_set() {
            return false;
        }
        let send: fn(&[u8]) = if BUFFERED {
            buffer::allocate(self.capacity);
            buffer::push
        } else {
            host::send
        };
        if BUFFERED || FILTERED {
            host::hello(wasm::VERSION, &CONTROL);
        }
        let mut sender = TracingEventSender::encoded(send).with_max_level(self.max_level);
        if FILTERED {
            sender = sender.with_host_filter(Host::<BUFFERED>);
        }
        dispatcher::set_global_default(Dispatch::new(sender)).is_ok()
    }
}

/// The host, asked through an import.
struct Host<const BUFFERED: bool>;

impl<const BUFFERED: bool> HostFilter for Host<BUFFERED> {
    fn ask(&self, question: &[u8]) -> FilterAnswer {
        if BUFFERED {
            buffer::flush(); // the answer depends on the spans that the guest is in
        }
        FilterAnswer::from_code(host::ask(question))
    }

    fn generation(&self) -> u32 {
        CONTROL.generation()
    }
}
