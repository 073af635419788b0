//! Send what a dynamic library traces to the program that loads it.
//!
//! A dynamic library has its own copy of `tracing`: its own call sites, its own global default, its
//! own idea of the current span. A subscriber cannot be handed over, since nothing says that both
//! copies are of one version or were built by one compiler. A C function and a context can: the library
//! calls the function once a record, with one [frame](crate::frame).
//!
//! # The library
//!
//! Keep using `tracing`'s macros, and export two more functions:
//!
//! ```
//! spanshot_sender::export_dynamic_library!();
//!
//! #[unsafe(no_mangle)]
//! pub extern "C" fn run() {
//!     tracing::info!("the host will know");
//! }
//! ```
//!
//! The host opens a `Connection` of `spanshot::transport::dynamic_library`.
//!
//! # The interface, for other languages
//!
//! ```c
//! typedef void (*spanshot_send)(void *context, const uint8_t *frame, size_t len);
//!
//! int32_t spanshot_install(uint32_t version, spanshot_send send, void *context);
//! int32_t spanshot_uninstall(int32_t wait);
//! ```
//!
//! - **Version.** This is version 1 of the interface ([`ABI_VERSION`]). The host passes the version that it
//!   speaks. A library that does not speak it does nothing and returns its own version, negated: -2 from a
//!   library of version 2. So both sides can say which one has to be updated. The signature of
//!   `spanshot_install` is the same in all versions; everything else may change with the version.
//! - **Result.** `spanshot_install` returns 0 if the library sends its trace from now on, and otherwise the
//!   [code](InstallError::code) of an [`InstallError`]. `spanshot_uninstall` returns 0 if no call of the
//!   function goes on: the library may be unloaded and the context freed. Otherwise it returns 1:
//!   [`UninstallError::InUse`].
//! - **Memory.** The frame is the library's. It is valid, and not written to, during the call; the host
//!   copies what it keeps. The context is the host's: the library hands it back and never looks into it.
//! - **Threads.** The library calls the function on the thread that traces, before the traced code goes
//!   on, and on several threads at once if several trace. A `FrameReceiver` takes one frame at a time, and relays it
//!   on that thread: records of the host, in a function that the library calls, are in the span which the library
//!   has entered there. A span that the library keeps entered when it returns keeps the thread in it, as in a program
//!   that is linked statically.
//! - **Unwinding.** The function does not unwind. A `FrameReceiver` catches the panic of a subscriber,
//!   and tells of it when it ends. A function that the library exports must not unwind
//!   either: Rust aborts the process if an `extern "C"` function does. With `catch_unwind` in it, the spans
//!   that a panic unwound are closed in the trace, as they are natively.
//! - **Reentrance.** If a subscriber of the host calls into the library, on the thread on which it is told
//!   of a record, the library does not send its records then, except for cloned and dropped handles of spans. The host
//!   takes these after the record at hand. A subscriber must not call into the library on a
//!   thread of its own and wait for it: there, the library would wait for the receiver.
//! - **Unloading.** A global default cannot be taken back: the library's subscriber stays until the
//!   library is unloaded. `spanshot_uninstall` cuts it off: the library starts no call of the function any more.
//!   With `wait` other than 0, it also waits for the calls that go on, and returns 0. It does not wait on a thread
//!   that is itself in such a call, where it would wait for itself, and returns 1. Pass 0 as `wait` on any other
//!   thread for which such a call waits. After 1, calls that go on may still call the function: do not unload the
//!   library, and do not free the context, until they have returned. Calling `spanshot_uninstall` again is no harm,
//!   unless the library was installed anew. A `Connection` calls it when it is finished or dropped. Before
//!   unloading, the library's threads have to have ended, as ever.
//! - **Loading again.** Most platforms keep a library in memory for as long as there are threads whose thread
//!   locals it has to drop, and `tracing` has some. Loading it again then gives you the same library, in its last state.
//!   So you can install it again, to the same host or another one. That begins a new stream: spans that are
//!   left from an earlier one are not mentioned in it.
//!
//! One installation at a time: to have a library in two hosts at once, load two copies of its file.

// | file | content |
// |---|---|
// | `install.rs` | the library begins and ends to send |
// | `export.rs` | the macro that exports its functions |
// | `abi.rs` | the C ABI |
// | `errors.rs` | errors of both sides |

mod abi;
mod errors;
mod export;
mod install;

pub use self::{
    abi::{
        ABI_VERSION, HostFunction, INSTALL_SYMBOL, InstallFunction, SendFunction, UNINSTALL_SYMBOL,
        UninstallFunction,
    },
    errors::{InstallError, UninstallError},
    install::{install, uninstall, uninstall_without_waiting},
};
