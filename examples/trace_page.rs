//! Runs a WASM guest, and writes what it traced as a page for a browser and as a file for a trace viewer.
//!
//! ```sh
//! cargo run --features export --example trace_page -- DIRECTORY '(1 + 2) * 3'
//! ```
//!
//! `trace.html` is opened in any browser, `trace.json` in <https://ui.perfetto.dev>. Without a
//! directory, they are put where temporary files are.

#[path = "wasm_guest/plugin.rs"]
mod plugin;

use std::{
    env,
    fs::{self, File},
    path::PathBuf,
};

use plugin::Plugin;
use spanshot::{
    Capture,
    export::{ChromeTrace, HtmlPage},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args_os().skip(1);
    let directory = arguments.next().map_or_else(env::temp_dir, PathBuf::from);
    let expression = arguments.next().map_or_else(
        || Ok("(1 + 2) * -4 / 2".to_owned()),
        |expression| expression.into_string().map_err(|_| "the expression is not UTF-8"),
    )?;
    let plugin = Plugin::load(include_bytes!("guest.wasm"))?;

    let capture = Capture::builder().keep_times().start();
    match plugin.evaluate(&expression) {
        Ok(number) => println!("{expression} = {number}"),
        Err(error) => println!("error: {error}"),
    }
    let trace = capture.finish();

    fs::create_dir_all(&directory)?;
    let (page, chrome) = (directory.join("trace.html"), directory.join("trace.json"));
    HtmlPage::new(&trace).title(expression.as_str()).write_to(File::create(&page)?)?;
    ChromeTrace::new(&trace).title(expression).write_to(File::create(&chrome)?)?;
    println!("wrote {} and {}", page.display(), chrome.display());
    Ok(())
}
