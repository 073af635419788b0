//! The tests of `tests/wasm`, in wasmtime.

#[path = "../../../guests/bodies.rs"]
mod bodies;
mod engine;
#[path = "../../../guests/host.rs"]
mod host;
#[path = "../../../guests/malicious.rs"]
mod malicious;
