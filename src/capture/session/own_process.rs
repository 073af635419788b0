//! A test in a process of its own: the test binary again, told to run this test only.
//!
//! This process prints what the other one writes, as it comes: the test runner takes it for the output of the test.
//! Output for which the test asked to be printed at once goes past the test runner, as in an ordinary test.

use alloc::{format, string::String, sync::Arc, vec::Vec};
use core::{panic::Location, time::Duration};
use std::{
    env, eprint, eprintln,
    io::{self, BufRead, BufReader, Read, Write},
    panic, print,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Instant,
};

use super::{
    attribute::{AttributeTest, TestOutcome},
    latest_panic::{Panic, Place},
    outcome::{Outcome, TestIdentity, name_of},
    report::{self, Report},
};
use crate::lock::Mutex;

/// Names the test that a process was started for.
const PROCESS: &str = "SPANSHOT_TEST_PROCESS";

/// Begins a line of the test runner with the number of tests that passed. Nothing comes behind it but what processes
/// write that the test has left behind.
const VERDICT: &str = "\ntest result: ";

/// How long output is waited for if the process is over, and others may write there.
const GRACE: Duration = Duration::from_millis(100);

/// The same, if the test runner of the process has not come to its verdict.
const MAX_GRACE: Duration = Duration::from_secs(10);

/// Runs a test in a process of its own.
///
/// # Panics
///
/// Panics if the test fails there, or does not run to its end.
#[track_caller]
pub fn in_own_process<R: TestOutcome>(test: &AttributeTest, run: impl FnOnce() -> R) -> R {
    let name = name_of(test.path);
    let note = |what| format!("spanshot: the test {name} {what} a process of its own\n");
    let (begun, ended) = (note("begins in"), note("has ended in"));
    if env::var(PROCESS).is_ok_and(|test| test == name) {
        // Past the test runner, which captures output. If writing fails, the parent process reports that.
        let _ = io::stdout().write_all(begun.as_bytes());
        let result = run();
        let _ = io::stdout().write_all(ended.as_bytes());
        return result;
    }
    let (status, stdout) = match run_process(test, name) {
        Ok(ended) => ended,
        Err(error) => panic!("the process of the test {name} cannot be started: {error}"),
    };
    let failure = if !status.success() {
        format!("the test {name} failed in its process, which ended with {status}")
    } else if !stdout.contains(&begun) {
        format!(
            "the test {name} did not run in its process: the test runner there does not know it by this name"
        )
    } else if !stdout.contains(&ended) {
        format!("the process of the test {name} ended before the test did")
    } else {
        return R::passed();
    };
    let is_reported_there = stdout.contains(&begun) && stdout.contains(VERDICT);
    if !is_reported_there {
        report_failure(test.path, &failure);
    }
    panic!("{failure}");
}

/// Runs the process, prints what it writes, and returns what it has written to its standard output.
fn run_process(test: &AttributeTest, name: &str) -> io::Result<(ExitStatus, String)> {
    let mut process = Command::new(env::current_exe()?);
    process.args([name, "--exact", "--include-ignored", "--nocapture", "--test-threads=1"]);
    process.env(PROCESS, name).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = process.spawn()?;

    let printing = test.capture.printing.clone().in_environment();
    let started = Instant::now();
    let [stdout, stderr] = [
        process.stdout.take().map(|stdout| Output::read(stdout, |line| print!("{line}"))),
        process.stderr.take().map(|stderr| {
            Output::read(stderr, move |line| {
                if printing.is_past_runner(started.elapsed()) {
                    let _ = io::stderr().write_all(line.as_bytes());
                } else {
                    eprint!("{line}");
                }
            })
        }),
    ];
    let status = process.wait()?;
    let has_verdict = |stdout: &str| stdout.contains(VERDICT);
    let is_complete = stdout.as_ref().is_none_or(|stdout| stdout.wait(has_verdict))
        & stderr.as_ref().is_none_or(|stderr| stderr.wait(|_| true));
    if !is_complete {
        eprintln!("spanshot: a process that the test {name} has started still holds its output");
    }
    Ok((status, stdout.map_or_else(String::new, |stdout| stdout.text.lock().clone())))
}

/// What a process writes, as far as it was read.
struct Output {
    text: Arc<Mutex<String>>,
    /// Disconnected when nobody can write any more.
    end: Receiver<()>,
}

impl Output {
    /// Reads and prints lines, on a thread of its own. The test runner takes what that prints for the output of the
    /// test, as for any thread that a test starts.
    fn read(source: impl Read + Send + 'static, print: impl Fn(&str) + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let (sender, end) = mpsc::channel();
        let read = Arc::clone(&text);
        thread::spawn(move || {
            let _sender = sender;
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while source.read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
                let shown = String::from_utf8_lossy(&line);
                // Printing panics if the output is closed.
                let _ = panic::catch_unwind(panic::AssertUnwindSafe(|| print(&shown)));
                read.lock().push_str(&shown);
                line.clear();
            }
        });
        Self { text, end }
    }

    /// Waits for the end of the output of a process that is over. Returns whether it was reached: the process may have
    /// left others behind that can still write. They are not waited for once the output so far is enough.
    fn wait(&self, is_enough: impl Fn(&str) -> bool) -> bool {
        let started = Instant::now();
        loop {
            match self.end.recv_timeout(GRACE) {
                Err(RecvTimeoutError::Timeout) => {
                    if is_enough(&self.text.lock()) || started.elapsed() > MAX_GRACE {
                        return false;
                    }
                }
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }
}

/// Reports a test that has no capture in this process.
#[track_caller]
fn report_failure(path: &str, message: &str) {
    if !report::is_wanted() {
        return;
    }
    let place = Place::from(Location::caller());
    let panic = Panic { message: message.into(), place: Some(place.clone()) };
    let test = TestIdentity::current(Some(path));
    report::begin();
    let outcome = &Outcome::Panicked(Some(panic));
    Report { test: &test, outcome, place: &place, nearest: None, recording: None }.print();
}
