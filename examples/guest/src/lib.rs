//! The evaluator as a WASM module: what it exports to its host.
//!
//! The host calls [`input`] with the length of an expression, writes the expression to the address it gets, calls
//! [`evaluate`], and reads the answer from [`output`] and [`output_len`].

mod evaluator;

use std::{
    error::Error,
    iter,
    sync::{Mutex, MutexGuard, PoisonError},
};

use spanshot_sender::wasm_guest;

static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static OUTPUT: Mutex<String> = Mutex::new(String::new());

/// What [`evaluate`] returns if the answer is a number.
const NUMBER: u32 = 0;
/// What [`evaluate`] returns if the answer is an error.
const ERROR: u32 = 1;

/// Makes room for an expression of `len` bytes and returns its address, which holds until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn input(len: usize) -> *mut u8 {
    let mut input = lock(&INPUT);
    *input = vec![0; len];
    input.as_mut_ptr()
}

/// Evaluates the input, and returns 0 if the answer is a number and 1 if it is an error.
#[unsafe(no_mangle)]
pub extern "C" fn evaluate() -> u32 {
    wasm_guest::install();
    let input = std::mem::take(&mut *lock(&INPUT));
    let (kind, answer) = match answer(&input) {
        Ok(number) => (NUMBER, number.to_string()),
        Err(error) => (ERROR, with_causes(&*error)),
    };
    *lock(&OUTPUT) = answer;
    kind
}

/// The address of the answer: a number, or an error with its causes, as UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    lock(&OUTPUT).as_ptr()
}

/// The length of the answer in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn output_len() -> usize {
    lock(&OUTPUT).len()
}

fn answer(input: &[u8]) -> Result<f64, Box<dyn Error>> {
    let expression = std::str::from_utf8(input)?;
    Ok(evaluator::evaluate(expression)?)
}

fn with_causes(error: &dyn Error) -> String {
    let chain: Vec<_> =
        iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    chain.join(": ")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
