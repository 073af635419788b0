//! The tests of `tests/wasm`, in wasmtime.

mod async_engine;
#[path = "../../../guests/bodies.rs"]
mod bodies;
mod engine;
mod futures;
#[path = "../../../guests/host.rs"]
mod host;
#[path = "../../../guests/malicious.rs"]
mod malicious;
mod spawned;
