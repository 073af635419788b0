//! The runtime part of `#[spanshot::test]`, which its expansion calls.

use alloc::{borrow::ToOwned, format, string::String};
use core::{fmt, panic::Location};
use std::{
    env, eprint, eprintln,
    io::{self, Write},
    print,
    process::{Command, ExitCode, Stdio},
};

use super::{
    ending::Way,
    entered::note_bypass_here,
    latest_panic::{Panic, Place},
    outcome::{Outcome, TestFunction, TestIdentity},
    report::{self, Report},
    test_result::error_text,
};
use crate::capture::{Capture, CaptureBuilder, CaptureHandle, TestResult};

/// A test that is an ordinary function, and the capture to run it in.
#[derive(Debug)]
pub struct AttributeTest {
    /// The path of the function.
    pub path: &'static str,
    /// The options of the capture.
    pub capture: CaptureBuilder,
    /// Whether the capture is process-wide.
    pub is_process_wide: bool,
    /// Whether the test passes only if it panics.
    pub should_panic: bool,
    /// Text that the message of the panic must contain.
    pub expected_panic: Option<&'static str>,
    /// Returns whether an assertion has failed that lets the test go on.
    pub has_failed_softly: fn() -> bool,
}

impl AttributeTest {
    /// Starts the capture, at the line of the test.
    #[track_caller]
    pub fn start(self) -> RunningTest {
        self.start_as(false)
    }

    /// Starts a capture for one case of the test, inside the capture of the test.
    #[track_caller]
    pub fn start_case(self) -> RunningTest {
        self.start_as(true)
    }

    #[track_caller]
    fn start_as(self, is_case: bool) -> RunningTest {
        let Self { capture, is_process_wide, should_panic, has_failed_softly, .. } = self;
        let (path, expected) = (Some(self.path), self.expected_panic);
        let sees_end = true;
        let function = TestFunction { path, sees_end, is_case, should_panic, expected };
        let capture = CaptureBuilder { function, ..capture };
        let capture = if is_process_wide { capture.start_process_wide() } else { capture.start() };
        RunningTest { capture, should_panic, has_failed_softly }
    }
}

/// A test that runs. If it panics, this is dropped, and the capture shows its trace.
#[derive(Debug)]
pub struct RunningTest {
    capture: Capture,
    should_panic: bool,
    has_failed_softly: fn() -> bool,
}

impl RunningTest {
    /// Returns the capture for the test, which may drop or finish it.
    pub fn capture(&self) -> Capture {
        self.capture.lend(self.should_panic)
    }

    /// Ends a test that has returned.
    ///
    /// # Panics
    ///
    /// Panics if the capture fails the test.
    #[track_caller]
    pub fn end<R: TestOutcome>(self, result: R) -> R {
        let soft = || (self.has_failed_softly)().then(|| "the failed assertions above".to_owned());
        let error = result.error().or_else(soft);
        self.end_with(result, error)
    }

    /// Ends a case whose result another framework judges.
    ///
    /// # Panics
    ///
    /// Panics if the capture fails the case.
    #[track_caller]
    pub fn end_judged<R>(self, result: R, has_failed: impl FnOnce(&R) -> bool) -> R {
        let error = has_failed(&result).then(|| "that the property does not hold".to_owned());
        self.end_with(result, error)
    }

    #[track_caller]
    fn end_with<R>(mut self, result: R, error: Option<String>) -> R {
        if !self.should_panic {
            if let Err(message) = self.capture.end(&Way::Returned(error)) {
                panic!("{message}");
            }
            return result;
        }
        // If the capture panicked, the test would pass.
        let error = error.unwrap_or_else(|| "nothing, and should have panicked".to_owned());
        if let Err(message) = self.capture.end(&Way::Returned(Some(error))) {
            eprintln!("{message}");
        }
        result
    }
}

/// The result of a test.
#[diagnostic::on_unimplemented(
    message = "a `#[spanshot::test]` returns `()`, an `ExitCode`, or a `Result` of these whose error is `Debug`",
    label = "this is `{Self}`"
)]
pub trait TestOutcome {
    /// Returns the text of an error, if there is one.
    fn error(&self) -> Option<String>;

    /// Returns the result for a test that has passed in another process.
    fn passed() -> Self;
}

impl TestOutcome for () {
    fn error(&self) -> Option<String> {
        None
    }

    fn passed() -> Self {}
}

impl TestOutcome for ExitCode {
    fn error(&self) -> Option<String> {
        TestResult::error(self)
    }

    fn passed() -> Self {
        Self::SUCCESS
    }
}

impl<T: TestOutcome, E: fmt::Debug> TestOutcome for Result<T, E> {
    fn error(&self) -> Option<String> {
        match self {
            Ok(returned) => returned.error(),
            Err(error) => error_text(error),
        }
    }

    fn passed() -> Self {
        Ok(T::passed())
    }
}

/// Notes if something has left another subscriber behind on this thread of the test's runtime. The runtime calls this
/// whenever the thread has nothing to do.
pub fn look_around(handle: &CaptureHandle) {
    if let Some(storage) = handle.storage() {
        note_bypass_here(&storage);
    }
}

/// Names the test that a process was started for.
const PROCESS: &str = "SPANSHOT_TEST_PROCESS";

/// Runs a test in a process of its own: this test binary again, told to run this test only.
///
/// # Panics
///
/// Panics if the test fails there, or does not run to its end.
#[track_caller]
pub fn in_own_process<R: TestOutcome>(path: &str, test: impl FnOnce() -> R) -> R {
    // The test runner knows `my_crate::tests::works` as `tests::works`.
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    let note = |what| format!("spanshot: the test {name} {what} a process of its own\n");
    let (begun, ended) = (note("begins in"), note("has ended in"));
    if env::var(PROCESS).is_ok_and(|test| test == name) {
        // Past the test runner, which captures output. If writing fails, the parent process reports that.
        let _ = io::stdout().write_all(begun.as_bytes());
        let result = test();
        let _ = io::stdout().write_all(ended.as_bytes());
        return result;
    }
    let output = env::current_exe().and_then(|binary| {
        let mut process = Command::new(binary);
        process.args([name, "--exact", "--include-ignored", "--nocapture", "--test-threads=1"]);
        process.env(PROCESS, name).stdin(Stdio::null()).output()
    });
    let output = match output {
        Ok(output) => output,
        Err(error) => panic!("the process of the test {name} cannot be started: {error}"),
    };
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    // Printed again here, so the test runner captures it as the output of this test.
    print!("{stdout}");
    eprint!("{stderr}");
    let status = output.status;
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
    let is_reported_there = stdout.contains(&begun) && stdout.contains("\ntest result: ");
    if !is_reported_there {
        report_failure(path, &failure);
    }
    panic!("{failure}");
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
