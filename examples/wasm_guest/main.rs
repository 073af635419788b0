//! Runs a WASM guest and shows what it traced.
//!
//! ```sh
//! cargo run --example wasm_guest -- '(1 + 2) * 3'
//! ```
//!
//! The guest, in `examples/guest`, evaluates arithmetic expressions. Try a wrong one, such as
//! `8 / (3 - 3)`, and `2 * 21!`, which is more than it can take: it traps.

mod plugin;

use std::{env, process::ExitCode};

use plugin::{EvaluateError, Plugin};
use spanshot::Capture;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let expression = env::args().nth(1).unwrap_or_else(|| "(1 + 2) * -4 / 2".to_owned());
    let plugin = Plugin::load(include_bytes!("../guest.wasm"))?;

    let capture = Capture::start();
    let result = plugin.evaluate(&expression);
    let trace = capture.trace();

    let exit_code = match result {
        Ok(number) => {
            println!("{expression} = {number}");
            ExitCode::SUCCESS
        }
        Err(EvaluateError::Rejected(message)) => {
            println!("error: {message}");
            ExitCode::SUCCESS
        }
        Err(error @ EvaluateError::Trapped(_)) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    };
    println!("\n{trace}");
    Ok(exit_code)
}
