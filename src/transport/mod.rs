//! Both sides of common boundaries, which carry frames: WASM, child processes, dynamic libraries, files.
//!
//! A sender calls one function a frame; this module has such functions for common boundaries, and the
//! other side of each:
//!
//! | boundary | the module's side | the host's side |
//! |---|---|---|
//! | [WebAssembly](wasm) | `spanshot_sender::wasm_guest::install()` | `link_wasm_guest!`, `wasm_host::GuestTrace` |
//! | a child process, over a pipe or any other stream of bytes | `child_process::install()` | `child_process::run()`, `stream::receive()` |
//! | a dynamic library with a `tracing` of its own | `spanshot_sender::export_dynamic_library!` | `dynamic_library::Connection` |
//! | a file | as a child process, or `recorded::create()` | `recorded::RecordedTrace` |
//!
//! A function call keeps frames apart by itself. Where there are only bytes, it takes a format that
//! does, and that bears what happens to bytes: that is `stream`.

pub mod child_process;
pub mod dynamic_library;
pub mod recorded;
pub mod stream;
pub mod wasm_host;

#[doc(inline)]
pub use spanshot_sender::{frame, wasm};
