//! The host's side of the boundary between a program and a dynamic library that it loads.
//!
//! A dynamic library has its own copy of `tracing`: its own call sites, its own global default, its
//! own idea of the current span. A subscriber cannot be handed over, since nothing says that both
//! copies are of one version or were built by one compiler. What can be handed over is a C function
//! and a context, and that is all there is to this boundary: the library calls the function once a
//! record, with one [frame](crate::transport::frame).
//!
//! The library depends on `spanshot-sender` and says `spanshot_sender::export_dynamic_library!();`. Its
//! documentation has [the interface for other languages](spanshot_sender::dynamic_library#the-interface-for-other-languages),
//! and what each side may expect of the other.
//!
//! # The host
//!
//! A [`Connection`] relays to the current subscriber of the thread that opens it, or to a receiver
//! of one's own. With [libloading], or anything else that finds symbols:
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
//! # Bad input
//!
//! A library is no sandbox: it can break anything it wants. But a mistake (a library
//! built with another version of the format, a stream that does not begin at its beginning) is a
//! [`RelayError`] that says in which frame. The receiver is then as it was before, and goes on.

// | file | content |
// |---|---|
// | `connection.rs` | a library that sends its trace, until this is dropped |
// | `frame_receiver.rs` | what takes the frames |
// | `hosts.rs` | all hosts of the process, by their numbers |
// | `library_functions.rs` | the functions of the C ABI, as the host sees them |
// | `relay_error.rs` | why a frame was not taken |

mod connection;
mod frame_receiver;
mod hosts;
mod library_functions;
mod relay_error;

pub use spanshot_sender::dynamic_library::{
    ABI_VERSION, HostFunction, INSTALL_SYMBOL, InstallError, InstallFunction, SendFunction,
    UNINSTALL_SYMBOL, UninstallError, UninstallFunction,
};

pub use self::{
    connection::Connection, frame_receiver::FrameReceiver, library_functions::LibraryFunctions,
    relay_error::RelayError,
};
