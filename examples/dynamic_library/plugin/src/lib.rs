//! The evaluator of `examples/guest` as a dynamic library: what it exports to its host.
//!
//! It is loaded by `examples/dynamic_library`. The one line of it that is about its trace is the macro's.

#[path = "../../../guest/src/evaluator/mod.rs"]
mod evaluator;

use std::{panic, slice, thread};

spanshot_sender::export_dynamic_library!();

/// What [`evaluate`] returns if there is a value.
const VALUE: u32 = 0;
/// What [`evaluate`] returns if the text has no value.
const REJECTED: u32 = 1;
/// What [`evaluate`] returns if the evaluator panicked.
const PANICKED: u32 = 2;

/// Evaluates an expression of `len` bytes of UTF-8, and stores its value, if it has one.
///
/// # Safety
///
/// `len` bytes from `expression` on must be readable, and `value` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evaluate(expression: *const u8, len: usize, value: *mut f64) -> u32 {
    // SAFETY: the caller has promised that the bytes are readable.
    let expression = unsafe { slice::from_raw_parts(expression, len) };
    match catch_panic(|| number(expression)) {
        Some(Some(number)) => {
            // SAFETY: the caller has promised that it is writable.
            unsafe { value.write(number) };
            VALUE
        }
        Some(None) => REJECTED,
        None => PANICKED,
    }
}

/// Evaluates an expression on so many threads of the library's own at once, and waits for them.
///
/// # Safety
///
/// `len` bytes from `expression` on must be readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evaluate_on_threads(expression: *const u8, len: usize, threads: usize) {
    // SAFETY: the caller has promised that the bytes are readable.
    let expression = unsafe { slice::from_raw_parts(expression, len) };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| catch_panic(|| number(expression)));
        }
    });
}

fn number(expression: &[u8]) -> Option<f64> {
    evaluator::evaluate(std::str::from_utf8(expression).ok()?).ok()
}

/// A panic must not leave the library.
fn catch_panic<T>(f: impl FnOnce() -> T + panic::UnwindSafe) -> Option<T> {
    panic::catch_unwind(f).ok()
}
