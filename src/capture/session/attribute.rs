//! The runtime part of `#[spanshot::test]`, which its expansion calls.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;
use std::{eprintln, process::ExitCode};

use super::{
    ending::Way, entered::note_bypass_here, outcome::TestFunction, test_result::error_text,
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
