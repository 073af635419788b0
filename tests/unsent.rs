//! Guests that may not have sent all that they have traced, in wasmi. A process of its own, since what a guest learns
//! of its host's filter depends on all subscribers.

#[allow(dead_code)] // it is made for another binary, too
#[path = "wasm/engine.rs"]
mod engine;
#[allow(dead_code)]
#[path = "guests/host.rs"]
mod host;
#[path = "guests/unsent.rs"]
mod unsent;
