//! The tests of `tests/unsent.rs`, in wasmtime.

#[allow(dead_code)] // it is made for another binary, too
#[path = "../guests/engine.rs"]
mod engine;
#[allow(dead_code)]
#[path = "../../../guests/host.rs"]
mod host;
#[path = "../../../guests/unsent.rs"]
mod unsent;
