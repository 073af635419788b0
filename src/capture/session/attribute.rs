//! What `#[spanshot::test]` expands to.

use alloc::{borrow::ToOwned, format, string::String};
use std::{
    env, eprint, eprintln,
    io::{self, Write},
    process::{Command, ExitCode, Stdio},
};

use crate::capture::{Capture, CaptureBuilder, TestResult, session::ending::Way};

/// A test that is an ordinary function, and the capture to run it in.
#[derive(Debug)]
pub struct AttributeTest {
    /// What the capture is like.
    pub capture: CaptureBuilder,
    /// Whether it captures the whole process.
    pub is_process_wide: bool,
    /// Whether the test passes only if it panics.
    pub should_panic: bool,
    /// Says whether an assertion has failed that lets the test go on.
    pub has_failed_softly: fn() -> bool,
}

impl AttributeTest {
    /// Runs the test, to which it gives its capture.
    ///
    /// # Panics
    ///
    /// Panics if the capture fails the test.
    #[track_caller]
    pub fn run<R: TestResult>(self, test: impl FnOnce(Capture) -> R) -> R {
        let (should_panic, has_failed_softly) = (self.should_panic, self.has_failed_softly);
        let mut capture = self.start();
        let result = test(capture.lend());
        match end(&mut capture, error(&result, has_failed_softly), should_panic) {
            Ok(()) => result,
            Err(message) => panic!("{message}"),
        }
    }

    /// Runs the test of an async framework likewise.
    ///
    /// # Panics
    ///
    /// Panics if the capture fails the test.
    pub async fn run_async<R: TestResult, F: Future<Output = R>>(
        self,
        test: impl FnOnce(Capture) -> F,
    ) -> R {
        let (should_panic, has_failed_softly) = (self.should_panic, self.has_failed_softly);
        let mut capture = self.start();
        let result = test(capture.lend()).await;
        match end(&mut capture, error(&result, has_failed_softly), should_panic) {
            Ok(()) => result,
            Err(message) => panic!("{message}"),
        }
    }

    #[track_caller]
    fn start(self) -> Capture {
        if self.is_process_wide { self.capture.start_process_wide() } else { self.capture.start() }
    }
}

/// What a test returns that has passed elsewhere.
pub trait PassedElsewhere {
    fn passed() -> Self;
}

impl PassedElsewhere for () {
    fn passed() -> Self {}
}

impl<T: PassedElsewhere, E> PassedElsewhere for Result<T, E> {
    fn passed() -> Self {
        Ok(T::passed())
    }
}

impl PassedElsewhere for ExitCode {
    fn passed() -> Self {
        Self::SUCCESS
    }
}

/// Names the test that a process was started for.
const PROCESS: &str = "SPANSHOT_TEST_PROCESS";

/// Runs a test in a process of its own: this test binary again, told to run this test only.
///
/// `here` is the path of a function in the test's function.
///
/// # Panics
///
/// Panics if the test fails there, or does not run.
#[track_caller]
pub fn in_own_process<R: PassedElsewhere>(here: &str, test: impl FnOnce() -> R) -> R {
    // Of `my_crate::tests::works::__spanshot_here`, the test runner knows the middle.
    let path = here.rsplit_once("::").map_or(here, |(path, _)| path);
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    let begun = format!("spanshot: the test {name} runs in a process of its own\n");
    if env::var(PROCESS).is_ok_and(|test| test == name) {
        // Past what captures the output of tests. If there is no output, the other process says that.
        let _ = io::stdout().write_all(begun.as_bytes());
        return test();
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
    if output.status.success() && stdout.contains(&begun) {
        return R::passed();
    }
    // Where the test runner captures it, and shows it as that of this test.
    eprint!("{stdout}{stderr}");
    assert!(
        !output.status.success(),
        "the test {name} did not run in its process: the test runner there does not know it by this name"
    );
    panic!("the test {name} failed in its process, which ended with {}", output.status);
}

/// Returns why a test that has returned has failed, if it has.
fn error(result: &impl TestResult, has_failed_softly: fn() -> bool) -> Option<String> {
    let soft = || has_failed_softly().then(|| "the failed assertions above".to_owned());
    result.error().or_else(soft)
}

/// Ends the capture of a test that has returned, perhaps with this error.
fn end(capture: &mut Capture, error: Option<String>, should_panic: bool) -> Result<(), String> {
    if !should_panic {
        return capture.end(&Way::Returned(error)).map(drop);
    }
    // If the capture panicked, the test would pass.
    let error = error.unwrap_or_else(|| "nothing, and should have panicked".to_owned());
    if let Err(message) = capture.end(&Way::Returned(Some(error))) {
        eprintln!("{message}");
    }
    Ok(())
}
