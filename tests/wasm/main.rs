//! The WASM boundary, in wasmi. `tests/wasmtime` has the same tests in wasmtime.
//!
//! A binary of its own, since guests ask with `enabled!`: the published `tracing-tunnel`, which is in the other one, panics
//! at such call sites, wherever they come from.

#[path = "../guests/bodies.rs"]
mod bodies;
mod engine;
#[path = "../guests/host.rs"]
mod host;
#[path = "../guests/malicious.rs"]
mod malicious;
mod refused;
mod stopped;
#[allow(dead_code, unused_imports)] // it is made for another binary, too
#[path = "../it/support.rs"]
mod support;
mod turns;
