//! Runs a child process and shows what it traced, and what else it wrote.
//!
//! ```sh
//! cargo run --example child_process
//! ```
//!
//! The child is this program again.

use std::{env, error::Error, process::Command};

use spanshot::{
    Capture, TracingEventReceiver,
    transport::child_process::{self, Pipe},
};

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("child") {
        return child();
    }
    let capture = Capture::start();
    let mut child = Command::new(env::current_exe()?);
    let mut receiver = TracingEventReceiver::default();
    let finished = child_process::run(child.arg("child"), Pipe::Stderr, &mut receiver)?;
    println!("{}, {} frames", finished.status, finished.receipt.into_result()?.frames);
    println!("\n{}", capture.trace());
    Ok(())
}

fn child() -> Result<(), Box<dyn Error>> {
    let _stream = child_process::install_from_env()?;
    tracing::info_span!("bake", bread = "rye").in_scope(|| {
        tracing::info!(degrees = 230, "the oven is hot");
        eprintln!("this is no trace, and goes to the terminal");
        tracing::warn!("the crust is dark");
    });
    Ok(())
}
