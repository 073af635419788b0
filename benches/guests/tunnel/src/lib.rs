//! The traced program of the benchmarks in a guest of `tracing-tunnel`, which hands its host JSON.

use tracing::subscriber;
use tracing_tunnel::{TracingEvent, TracingEventSender};

#[path = "../../../src/workload.rs"]
mod workload;

mod host {
    #[link(wasm_import_module = "app")]
    unsafe extern "C" {
        pub(super) fn trace(json: *const u8, len: usize);
    }
}

fn send(event: TracingEvent) {
    let json = serde_json::to_string(&event).unwrap_or_default();
    // SAFETY: the string is there until the call returns, and is only read.
    unsafe { host::trace(json.as_ptr(), json.len()) }
}

/// Traces some units.
#[unsafe(no_mangle)]
pub extern "C" fn run(units: u32) {
    let _ = subscriber::set_global_default(TracingEventSender::new(send));
    workload::trace(units.into());
}
