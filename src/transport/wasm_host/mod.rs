//! The host's side of a WebAssembly boundary.
//!
//! Each instance of a guest makes a stream of its own, and has a [`GuestTrace`] in the host, which takes
//! the stream, relays it to the current subscriber (or where its receiver goes), and answers the guest's
//! questions. It is kept in the data of the engine's store.
//!
//! This crate depends on no engine. [`link_wasm_guest!`](crate::link_wasm_guest) provides the guest's
//! imports in one line for those that look like wasmi and wasmtime:
//!
//! ```
//! use spanshot::{Capture, link_wasm_guest, predicates::*, transport::wasm_host::GuestTrace};
//! use wasmi::{Engine, Linker, Module, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let wasm: &[u8] = include_bytes!("../../../examples/guest.wasm");
//! let capture = Capture::start();
//! let engine = Engine::default();
//! let mut linker = Linker::new(&engine);
//! link_wasm_guest!(wasmi, linker, |trace| trace)?;
//! let mut store = Store::new(&engine, GuestTrace::default());
//! let guest = linker.instantiate_and_start(&mut store, &Module::new(&engine, wasm)?)?;
//! let evaluate = guest.get_typed_func::<(), u32>(&store, "evaluate")?;
//! let scope = store.data().scope();
//! scope.in_scope(|| evaluate.call(&mut store, ()))?;
//! capture.trace().scan_spans().single(&name(eq("evaluate")));
//! # Ok(())
//! # }
//! ```
//!
//! For any other engine there are functions over the guest's memory, a `&[u8]`: [`GuestTrace::send()`]
//! and, for guests that do more than [`install()`](spanshot_sender::wasm_guest::install),
//! [`hello()`](GuestTrace::hello), [`flush()`](GuestTrace::flush) and [`ask()`](GuestTrace::ask).
//! `examples/third_engine` in the repository is a host that uses such a function.
//! Guests that hand over something else, such as JSON, have imports of their own, for which there is
//! [`guest_bytes()`].
//!
//! # Several guests
//!
//! Each instance needs a [`GuestTrace`], and so usually a store, of its own. Guests may call one another through the
//! host, take turns, wait in futures, and trap: call each in its [scope](GuestTrace::scope), or await it there. While a
//! guest runs, the host is in its spans, so that what the host traces in a function that the guest calls is inside them.
//! While it does not run, the host is in none of them. [Hosts that do several things at once](concurrent_hosts) shows
//! which call to write. If the guest
//! [buffers](spanshot_sender::wasm_guest::Builder::buffered), the host [reads the buffer](GuestTrace::read_buffer)
//! in such a function before it traces.
//!
//! # Suspended guests
//!
//! | to | call |
//! |---|---|
//! | suspend a guest, and go on in this process or another one | [`GuestTrace::persist()`], [`GuestTrace::restore()`] |
//! | try again from there when it has trapped | [`GuestTrace::begin_attempt()`], [`GuestTrace::roll_back()`] |
//! | attach an instance of a pool to the capture of the next test | [`GuestTrace::relay_here()`] |
//!
//! # Refused records
//!
//! The host traps a guest that hands over an invalid record, with a [`GuestError`] that says which
//! frame is wrong, and how; or not, [if the host prefers](GuestTrace::going_on). In any case nothing is
//! lost that came before, and the stream goes on with the next frame. You may call a guest again after any
//! [trap](super::wasm#traps): it traces on.

mod batch;
pub mod concurrent_hosts;
mod guest_error;
mod guest_trace;
mod link;
mod memory;
mod persisted_guest;

pub use self::{
    guest_error::GuestError, guest_trace::GuestTrace, memory::guest_bytes,
    persisted_guest::PersistedGuest,
};
