//! The commands. Each is a process of its own, which prints the trace that it captured.

use std::{cell::Cell, env, fs, io, process, rc::Rc, str::FromStr};

use spanshot::{Capture, LocalSpans};

use crate::{
    engine::{Guest, OnImport, Result},
    state_file::Job,
};

pub const USAGE: &str = "\
usage: workflow                             tell the whole story
       workflow start FILE [BUFFER ASKS]    begin a job; bytes that its guest buffers, and true if it asks its host
       workflow resume FILE [--crash-at N]  finish it, or crash when the guest calls its host for the Nth time
       workflow retry FILE ITEMS...         finish it with the first of these orders that does not trap";

/// The steps of a job: calls of the guest, which is in a shift from the first one to the last one.
const STEPS: [(&str, i32); 5] =
    [("shift", 7), ("order", 2), ("order", 1), ("order", 3), ("shift", 0)];

pub fn run(arguments: &[&str]) -> Result {
    let capture = Rc::new(Capture::builder().filter("debug").start());
    let on_import: OnImport = Rc::new(|| ());
    let result = match *arguments {
        ["start", file] => start(file, 0, false, &on_import),
        ["start", file, buffer, asks] => start(file, parse(buffer)?, parse(asks)?, &on_import),
        ["resume", file] => go_on(Job::load(file)?, &STEPS, file, &on_import),
        ["resume", file, "--crash-at", call] => {
            let on_import = crash_at(parse(call)?, Rc::clone(&capture));
            go_on(Job::load(file)?, &STEPS, file, &on_import)
        }
        ["retry", file, ref orders @ ..] => {
            let orders = orders.iter().map(|items| parse(items)).collect::<Result<Vec<_>>>()?;
            retry(file, &orders, &on_import)
        }
        _ => return Err(USAGE.into()),
    };
    show(&capture);
    result
}

fn parse<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| USAGE.into())
}

fn start(file: &str, buffer: u16, asks: bool, on_import: &OnImport) -> Result {
    let (guest, _) = Guest::start(buffer, asks, on_import)?.suspend();
    go_on(Job { done: 0, guest }, &STEPS[..2], file, on_import)
}

/// Saves the job after each step, so that a process that dies has only one to do again.
fn go_on(mut job: Job, steps: &[(&str, i32)], file: &str, on_import: &OnImport) -> Result {
    let mut spans = LocalSpans::default();
    for (export, argument) in steps.get(job.done..).unwrap_or_default() {
        println!("step {}: {export} {argument}", job.done);
        let mut guest = Guest::resume(&job.guest, spans, on_import)?;
        guest.call(export, &[*argument])?;
        (job.guest, spans) = guest.suspend();
        job.done += 1;
        job.save(file)?;
    }
    println!("{} steps are done, {} records were sent", job.done, job.guest.records);
    Ok(())
}

/// Tries to serve one of the orders and to end the shift, from the same state until there is no trap.
fn retry(file: &str, orders: &[i32], on_import: &OnImport) -> Result {
    let job = Job::load(file)?;
    let mut spans = LocalSpans::default();
    for items in orders {
        let mut guest = Guest::resume(&job.guest, spans, on_import)?;
        let called = guest.call("order", &[*items]);
        let Err(error) = called.and_then(|()| guest.call("shift", &[0])) else {
            println!("order {items}: served");
            return Job { done: STEPS.len(), guest: guest.suspend().0 }.save(file);
        };
        println!("order {items}: {error}");
        spans = guest.roll_back();
    }
    Err("no order was served, the job is as it was".into())
}

/// Kills the process in an import of the guest, between two records.
fn crash_at(call: u64, capture: Rc<Capture>) -> OnImport {
    let calls = Cell::new(0);
    Rc::new(move || {
        calls.set(calls.get() + 1);
        if calls.get() == call {
            show(&capture);
            process::abort();
        }
    })
}

fn show(capture: &Capture) {
    let trace = capture.trace();
    let open = trace.all_spans().filter(|span| !span.stats().is_closed);
    let open: Vec<_> = open.map(|span| span.metadata().name()).collect();
    println!("{trace}\nstill open: {open:?}");
}

/// Runs the commands as if you had typed them. The function makes a command that is this program again.
pub fn story(again: impl Fn(&[&str]) -> io::Result<process::Command>) -> Result {
    let directory = env::temp_dir().join(format!("spanshot-workflow-{}", process::id()));
    fs::create_dir_all(&directory)?;
    for (what, arguments) in [
        ("A process begins a job, and ends.", "start job"),
        ("The next one goes on, and crashes.", "resume job --crash-at 20"),
        ("A third one goes on from the state that was saved last.", "resume job"),
        ("Another job begins. Its guest buffers, and asks its host.", "start other 4096 true"),
        ("Its order traps, and is rolled back; another one is served.", "retry other 13 2"),
    ] {
        println!("# {what}\n$ workflow {arguments}");
        let arguments: Vec<_> = arguments.split(' ').collect();
        let status = again(&arguments)?.current_dir(&directory).status()?;
        println!("{status}\n");
    }
    Ok(fs::remove_dir_all(&directory)?)
}
