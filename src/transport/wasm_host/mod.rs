//! The host's side of a WebAssembly boundary.
//!
//! Create a [`GuestTrace`] for each instance of a guest, and keep it in the data of the engine's store. It takes the
//! guest's records, relays them to the current subscriber, and answers the guest's questions. Then call the guest in its
//! [scope](GuestTrace::scope).
//!
//! This crate depends on no engine. [`link_wasm_guest!`](crate::link_wasm_guest) links the guest's imports for engines whose
//! API looks like wasmi or wasmtime:
//!
//! ```
//! use spanshot::{Capture, link_wasm_guest, predicates::*, transport::wasm_host::GuestTrace};
//! use wasmi::{Engine, Linker, Module, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let wasm: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/guest.wasm"));
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
//! With any other engine, define the imports yourself. Pass the guest's memory, a `&[u8]`, to [`GuestTrace::send()`]
//! and, for guests that do more than [`install()`](spanshot_sender::wasm_guest::install), to
//! [`hello()`](GuestTrace::hello), [`flush()`](GuestTrace::flush) and [`ask()`](GuestTrace::ask).
//! `examples/third_engine` in the repository is such a host. If your guest hands over something else, such as JSON,
//! use [`guest_bytes()`] in an import of your own.
//!
//! # Several guests
//!
//! Each instance needs a [`GuestTrace`], and so usually a store, of its own. Guests may call one another through the
//! host, take turns, wait in futures, and trap: call each in its [scope](GuestTrace::scope), or await it there. While a
//! guest runs, the host is in its spans: functions that the guest calls trace into its current span.
//! While it does not run, the host is in none of them. [Hosts that do several things at once](concurrent_hosts) shows
//! which call to write. If the guest [buffers](spanshot_sender::wasm_guest::Builder::buffered), such a function
//! [reads the buffer](GuestTrace::read_buffer) before it traces. Otherwise its records end up outside the guest's
//! span, without an error. Read the buffer after each call of such a guest, too: its last records may be there.
//!
//! # Suspended guests
//!
//! Between two calls, a guest that rustc compiled has all of its state in its memory. Save the memory together with the
//! [`PersistedGuest`], and write it into a new instance to resume. [`GuestTrace::persist()`] shows how;
//! `examples/workflow` in the repository does so with a file.
//!
//! | to | call |
//! |---|---|
//! | suspend a guest, and go on in this process or another one | [`GuestTrace::persist()`], [`GuestTrace::restore()`] |
//! | try again from there when it has trapped | [`GuestTrace::begin_attempt()`], [`GuestTrace::roll_back()`] |
//! | attach an instance of a pool to the capture of the next test | [`GuestTrace::relay_here()`], and [`GuestTrace::tell_filter()`] if the guest asks for the filter |
//!
//! # Refused records
//!
//! A guest that hands over an invalid frame traps, with a [`GuestError`] that says which frame is wrong, and how. If you
//! would rather let it run on, and count its errors, create its trace with [`going_on()`](GuestTrace::going_on). In either
//! case, all earlier records are kept, and the next frame is taken again. You may call a guest again after any
//! [trap](super::wasm#traps), and its records continue.
//!
//! wasmi shows the [`GuestError`] in the text of its error. wasmtime shows it with `{:?}` and `{:#}`, but not with `{}`. You
//! also get it from [`GuestTrace::first_error()`].

// | file | content |
// |---|---|
// | `guest_trace.rs` | [`GuestTrace`]: the trace of one guest |
// | `link.rs` | `link_wasm_guest!` |
// | `memory.rs`, `batch.rs` | frames in the memory of a guest, alone and in batches |
// | `persisted_guest.rs` | a guest that is suspended |
// | `guest_error.rs` | why a guest is stopped |
// | `concurrent_hosts.rs` | a page of documentation |

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
