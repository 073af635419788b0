use core::fmt;

use tracing_core::{Dispatch, LevelFilter, dispatcher};

use super::{buffer, control::CONTROL, host};
use crate::{
    guest::wasm,
    sender::{Frames, HostFilter, TracingEventSender},
    wire::FilterAnswer,
};

type GuestSender = TracingEventSender<Frames<fn(&[u8])>>;

/// Installs a sender that buffers frames, asks the host for its filter, or both.
///
/// The guest imports only the functions that it needs.
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
// A guest must not import functions that it does not use. So each import is reached only from the method that needs it,
// which plugs in a function here, and the linker leaves out the rest:
//
//     new()               send = host::send    flush, hello, ask = nothing
//     buffered()          send = buffer::push  flush, hello
//     filtered_by_host()                              hello, ask
#[derive(Clone)]
#[must_use = "nothing is installed yet"]
pub struct Builder {
    capacity: usize,
    max_level: LevelFilter,
    allocate: fn(usize),
    send: fn(&[u8]),
    flush: fn(),
    hello: fn(),
    ask: fn(GuestSender, fn()) -> GuestSender,
}

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("capacity", &self.capacity)
            .field("max_level", &self.max_level)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Sends everything, at once, as [`install()`](super::install) does.
    pub const fn new() -> Self {
        Self {
            capacity: 0,
            max_level: LevelFilter::TRACE,
            allocate: |_| {},
            send: host::send,
            flush: || {},
            hello: || {},
            ask: |sender, _| sender,
        }
    }

    /// Collects frames in a buffer of this many bytes, and sends them together.
    ///
    /// The guest sends them when the buffer is full, when a handle of a span is dropped (as when the span is closed),
    /// before it asks the host something, and by [`flush()`](super::flush).
    ///
    /// Two things are then up to the host: to call `GuestTrace::read_buffer()` after each call of the guest, to get the last
    /// records; and in functions that the guest calls, before they trace. Use it only in guests with one thread.
    pub const fn buffered(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self.allocate = buffer::allocate;
        self.send = buffer::push;
        self.flush = buffer::flush;
        self.hello = hello;
        self
    }

    /// Asks the host which records it wants, and neither formats nor sends others.
    ///
    /// The host's filter then applies to the guest as if it traced there: see
    /// [`TracingEventSender::with_host_filter()`].
    pub const fn filtered_by_host(mut self) -> Self {
        self.ask = |sender, flush| sender.with_host_filter(Host { flush });
        self.hello = hello;
        self
    }

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
        (self.allocate)(self.capacity);
        (self.hello)();
        let sender = TracingEventSender::encoded(self.send).with_max_level(self.max_level);
        let sender = (self.ask)(sender, self.flush);
        dispatcher::set_global_default(Dispatch::new(sender)).is_ok()
    }
}

/// Tells the host where it finds the control block.
fn hello() {
    host::hello(wasm::VERSION, &CONTROL);
}

/// The host, asked through an import.
struct Host {
    flush: fn(),
}

impl HostFilter for Host {
    fn ask(&self, question: &[u8]) -> FilterAnswer {
        (self.flush)(); // the answer depends on the spans that the guest is in
        FilterAnswer::from_code(host::ask(question))
    }

    fn generation(&self) -> u32 {
        CONTROL.generation()
    }
}
