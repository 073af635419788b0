//! What carries frames over a boundary.
//!
//! A sender calls one function a frame; these are such functions for common boundaries, and what is at
//! the other side of each:
//!
//! | boundary | the module's side | the host's side |
//! |---|---|---|
//! | [WebAssembly](wasm) | `wasm_guest::install()`, with the feature `wasm-guest` | `link_wasm_guest!`, `wasm_host::GuestTrace` |
//! | a child process, over a pipe or whatever else bytes go through | `child_process::install()` | `child_process::run()`, `stream::receive()` |
//! | a dynamic library with a `tracing` of its own | `export_dynamic_library!` | `dynamic_library::Connection` |
//! | a file | as a child process, or `recorded::create()` | `recorded::RecordedTrace` |
//!
//! A function call keeps frames apart by itself. Where there are only bytes, it takes a format that
//! does, and that bears what happens to bytes: that is `stream`.

#[cfg(feature = "stream")]
#[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
pub mod child_process;
#[cfg(feature = "dynamic-library")]
#[cfg_attr(docsrs, doc(cfg(feature = "dynamic-library")))]
pub mod dynamic_library;
#[cfg(feature = "stream")]
#[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
pub mod recorded;
#[cfg(feature = "stream")]
#[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
pub mod stream;
#[cfg(feature = "frames")]
#[cfg_attr(docsrs, doc(cfg(feature = "frames")))]
pub mod wasm;
#[cfg(feature = "wasm-guest")]
#[cfg_attr(docsrs, doc(cfg(feature = "wasm-guest")))]
pub mod wasm_guest;
#[cfg(all(feature = "receiver", feature = "frames"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "receiver", feature = "frames"))))]
pub mod wasm_host;
