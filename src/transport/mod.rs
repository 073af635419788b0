//! What carries frames over a boundary.
//!
//! A sender calls one function a frame; these are such functions for common boundaries.

#[cfg(feature = "wasm-guest")]
#[cfg_attr(docsrs, doc(cfg(feature = "wasm-guest")))]
pub mod wasm_guest;
