//! Loads a dynamic library, shows what it traced, and unloads it.
//!
//! ```sh
//! cargo build --manifest-path examples/dynamic_library/plugin/Cargo.toml --target-dir target/plugin
//! cargo run --example dynamic_library -- \
//!     target/plugin/debug/libspanshot_plugin.so '(1 + 2) * 3'
//! ```
//!
//! (It is `libspanshot_plugin.dylib` on macOS, and `spanshot_plugin.dll` on Windows.)
//!
//! The library, in `plugin`, evaluates arithmetic expressions. Try a wrong one, such as `8 / (3 - 3)`,
//! and `2 * 21!`, which is more than it can take: it panics.

mod evaluator;

use std::{env, error::Error, path::Path};

use evaluator::Evaluator;
use spanshot::Capture;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().ok_or("usage: dynamic_library LIBRARY [EXPRESSION]")?;
    let expression = arguments.next().unwrap_or_else(|| "(1 + 2) * -4 / 2".to_owned());
    let evaluator = Evaluator::load(Path::new(&path))?;

    let capture = Capture::start();
    let outcome = evaluator.evaluate(&expression)?;
    drop(evaluator);

    println!("{expression}: {outcome:?}\n\n{}", capture.trace());
    Ok(())
}
