//! A job that outlives the processes that work on it, and whose trace does, too.
//!
//! ```sh
//! cargo run --example workflow                      # the whole story
//! cargo run --example workflow -- start job.state   # or step by step
//! cargo run --example workflow -- resume job.state
//! ```
//!
//! A WASM guest, `examples/shop_guest`, does the job: a shop opens a shift, which is a span, serves orders inside it, and
//! ends it. After each step, `engine.rs` suspends the guest, and `state_file.rs` saves it. Any process goes on from there.

mod commands;
mod engine;
mod state_file;

use std::{
    env,
    ffi::OsString,
    io,
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    let arguments =
        env::args_os().skip(1).map(OsString::into_string).collect::<Result<Vec<_>, _>>();
    let result = match arguments.as_deref() {
        Ok([]) => commands::story(again),
        Ok(arguments) => commands::run(&arguments.iter().map(|it| &**it).collect::<Vec<_>>()),
        Err(_) => Err(commands::USAGE.into()),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    ExitCode::FAILURE
}

fn again(arguments: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(arguments);
    Ok(command)
}
