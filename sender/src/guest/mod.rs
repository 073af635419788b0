//! What a module calls to reach its host over a common boundary.
//!
//! | file | boundary |
//! |---|---|
//! | `wasm.rs` | WebAssembly: the agreement between guest and host |
//! | `wasm_guest/` | WebAssembly: the guest's side of it |
//! | `dynamic_library/` | a dynamic library that the host loads |
//! | `child_process.rs` | a child process |
//! | `stream/` | anything that bytes go through |

#[cfg(feature = "stream")]
#[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
pub mod child_process;
#[cfg(feature = "std")]
#[cfg_attr(docsrs, doc(cfg(feature = "std")))]
pub mod dynamic_library;
#[cfg(feature = "stream")]
#[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
pub mod stream;
pub mod wasm;
pub mod wasm_guest;
