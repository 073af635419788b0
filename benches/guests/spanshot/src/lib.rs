//! The traced program of the benchmarks in a guest of spanshot.

use spanshot_sender::wasm_guest;

#[path = "../../../src/workload.rs"]
mod workload;

/// Traces some units.
#[unsafe(no_mangle)]
pub extern "C" fn run(units: u32) {
    wasm_guest::install();
    workload::trace(units.into());
}
