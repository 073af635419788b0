//! Both sides of the boundary between a program and a dynamic library that it loads.
//!
//! A dynamic library has its own copy of `tracing`: its own call sites, its own global default, its
//! own idea of the current span. A subscriber cannot be handed over, since nothing says that both
//! copies are of one version or were built by one compiler. What can be handed over is a C function
//! and a context, and that is all there is to this boundary: the library calls the function once a
//! record, with one [frame](crate::frame).
//!
//! # The library
//!
//! It takes `spanshot` with `default-features = false, features = ["dynamic-library"]`, goes on using
//! `tracing`'s macros, and exports two functions more:
//!
//! ```
//! spanshot::export_dynamic_library!();
//!
//! #[unsafe(no_mangle)]
//! pub extern "C" fn run() {
//!     tracing::info!("the host will know");
//! }
//! ```
//!
//! # The host
//!
//! A [`Connection`] relays to the current subscriber of the thread that opens it, or to a receiver
//! of one's own. With [libloading], or whatever else finds symbols:
//!
//! ```no_run
//! use libloading::Library;
//! use spanshot::transport::dynamic_library::{
//!     Connection, INSTALL_SYMBOL, LibraryFunctions, UNINSTALL_SYMBOL,
//! };
//!
//! let library = unsafe { Library::new("libplugin.so")? };
//! // SAFETY: they are what `export_dynamic_library!` exports, and the library outlives the connection.
//! let functions = unsafe {
//!     LibraryFunctions::new(*library.get(INSTALL_SYMBOL)?, *library.get(UNINSTALL_SYMBOL)?)
//! };
//! let connection = Connection::open(functions)?;
//! // … call into the library …
//! connection.finish()?; // the first record that was refused, if any
//! drop(library);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [libloading]: https://docs.rs/libloading
//!
//! # The interface, for other languages
//!
//! ```c
//! typedef void (*spanshot_send)(void *context, const uint8_t *frame, size_t len);
//!
//! int32_t spanshot_install(spanshot_send send, void *context); /* see InstallError for what it returns */
//! void spanshot_uninstall(void);
//! ```
//!
//! - **Memory.** The frame is the library's. It is valid, and not written to, during the call; the host
//!   copies what it keeps. The context is the host's: the library hands it back and never looks into it.
//! - **Threads.** The library calls the function on the thread that traces, before the traced code goes
//!   on, and on several threads at once if several trace. A [`FrameReceiver`] takes one frame at a time.
//! - **Unwinding.** The function does not unwind. A [`FrameReceiver`] catches the panic of a subscriber,
//!   and [tells of it](RelayError::Panicked) when it ends. A function that the library exports must not unwind
//!   either: Rust aborts the process if an `extern "C"` function does. With `catch_unwind` in it, the spans
//!   that a panic unwound are closed in the trace, as they are natively.
//! - **Reentrance.** If a subscriber of the host calls into the library, on the thread on which it is told
//!   of a record, what the library traces then is not sent, but that handles of spans are cloned and dropped
//!   there is, and is taken after the record at hand. A subscriber must not call into the library on a
//!   thread of its own and wait for it, nor when it is told of a record of the library's *further* threads,
//!   which is on a thread of the receiver's: there, the library would wait for the receiver.
//! - **Unloading.** A global default cannot be taken back, so that the library's subscriber stays until the
//!   library is unloaded. [`uninstall()`] cuts it off: when it returns, the function is not being called,
//!   and will not be. It waits for calls that go on, and so must not be called from within one. A
//!   [`Connection`] does that when it is finished or dropped. Before unloading, the library's threads have to
//!   have ended, as ever.
//! - **Loading again.** Most platforms keep a library in memory for as long as there are threads whose thread
//!   locals it has to drop, and `tracing` has some: what is loaded next is the same library, as it was left.
//!   So it can be installed again, to the same host or another one. That begins a new stream: spans that are
//!   left from an earlier one are not mentioned in it.
//!
//! One installation at a time: to have a library in two hosts at once, load two copies of its file.
//!
//! # Bad input
//!
//! A library is no sandbox: whatever it wants to break, it can. But what is wrong by mistake (a library
//! built with another version of the format, a stream that does not begin at its beginning) is a
//! [`RelayError`] that says in which frame. The receiver is then as it was before, and goes on.

mod abi;
#[cfg(feature = "receiver")]
mod connection;
mod export;
#[cfg(feature = "receiver")]
mod frame_receiver;
#[cfg(feature = "receiver")]
mod hosts;
mod install;
mod install_error;
#[cfg(feature = "receiver")]
mod relay_error;

#[cfg(feature = "receiver")]
#[cfg_attr(docsrs, doc(cfg(feature = "receiver")))]
pub use self::{
    abi::LibraryFunctions, connection::Connection, frame_receiver::FrameReceiver,
    relay_error::RelayError,
};
pub use self::{
    abi::{
        HostFunction, INSTALL_SYMBOL, InstallFunction, SendFunction, UNINSTALL_SYMBOL,
        UninstallFunction,
    },
    install::{install, uninstall},
    install_error::InstallError,
};
