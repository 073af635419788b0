use alloc::{format, string::String, sync::Arc, vec::Vec};
use core::panic::Location;
use std::{
    path::{Path, PathBuf},
    thread,
};

use super::{
    excerpt::push_trace,
    latest_panic::{self, Place},
    outcome::{Outcome, TestFunction, TestIdentity},
    overdue::Overdue,
    print::{Print, Printing},
    recording::{Recorded, Recording},
    report::{self, Report},
    scope::{self, Scope},
    watch::Watch,
};
use crate::capture::{
    SharedStorage, Storage, Trace, storage::printed_text::Nearest,
    subscriber::process_wide::unattributed,
};

/// How a capture ends.
pub(crate) enum Way {
    /// The test has finished the capture, and takes the trace.
    Finished,
    /// The capture went out of scope: the result of the test is not known.
    Dropped,
    /// The function that it was started for has returned, perhaps with this error.
    Returned(Option<String>),
}

/// The work at the end of a capture: it prints its trace, records it in a file, reports the failure, and fails its
/// test.
#[derive(Debug)]
pub(crate) struct Ending {
    printing: Printing,
    recording: Recording,
    watch: Option<Arc<Watch>>,
    function: TestFunction,
    test: TestIdentity,
    started_at: &'static Location<'static>,
    /// Set if the capture was started during a panic: then it does not belong to the failing test.
    was_panicking: bool,
    is_process_wide: bool,
    /// Prints the trace while the test runs, if the test takes long.
    overdue: Option<Overdue>,
    /// Set if the capture will know how its test ends.
    scope: Option<Scope>,
}

impl Ending {
    #[track_caller]
    pub(crate) fn new(
        printing: Printing,
        recording: Recording,
        watch: Option<Arc<Watch>>,
        storage: &SharedStorage,
        function: TestFunction,
    ) -> Self {
        let (started_at, recording) = (Location::caller(), recording.in_environment());
        if recording.is_possible() || report::is_wanted() {
            latest_panic::note();
        }
        report::begin();
        scope::begin_turn();
        let test = TestIdentity::current(function.path);
        Self {
            overdue: printing.overdue(storage, &recording, &test, started_at),
            printing,
            recording,
            watch,
            function,
            test,
            started_at,
            was_panicking: thread::panicking(),
            is_process_wide: false,
            scope: function.sees_end.then(Scope::open),
        }
    }

    /// Also prints the unattributed records if the test fails.
    pub(crate) fn of_process_wide(self) -> Self {
        Self { is_process_wide: true, ..self }
    }

    /// Reports the end of the capture to people and machines, or leaves that to the scope around it. Returns an error
    /// with the message that the test should fail with; never during a panic.
    #[track_caller]
    pub(crate) fn end(
        mut self,
        trace: &Trace,
        unattributed: Option<&(Storage, u64)>,
        way: &Way,
    ) -> Result<(), String> {
        drop(self.overdue.take());
        let mut ended = self.scope.take().map(Scope::close).unwrap_or_default();
        if thread::panicking() {
            if let Some(watch) = &self.watch {
                watch.give_up();
            }
            let panic = latest_panic::get();
            let outcome = if self.was_panicking {
                Outcome::Unknown
            } else if self.function.expects(panic.as_ref()) {
                Outcome::Passed
            } else {
                Outcome::Panicked(panic)
            };
            let is_of_test = !self.was_panicking;
            ended.push(Ended::new(self, trace, outcome, None));
            if is_of_test {
                settle(ended);
            }
            return Ok(());
        }
        let findings = self.findings(trace, unattributed);
        let returned = match way {
            Way::Returned(error) => error.clone(),
            // Other code has dropped the future of the test.
            Way::Dropped if self.function.sees_end => {
                Some("nothing, since it was cancelled".into())
            }
            Way::Finished | Way::Dropped => None,
        };
        let outcome = match (&findings, &returned, way) {
            (Some(findings), ..) => {
                // Here, the caller of a dropped capture is a line of this crate.
                let place =
                    if matches!(way, Way::Dropped) { self.started_at } else { Location::caller() };
                Outcome::Failed { findings: findings.clone(), place: place.into() }
            }
            (None, Some(error), _) => Outcome::Returned(error.clone()),
            (None, None, Way::Returned(_)) => Outcome::Passed,
            (None, None, Way::Finished | Way::Dropped) => Outcome::Unknown,
        };
        let checked = findings.map_or(Ok(()), |findings| Err(self.message(trace, &findings, way)));
        ended.push(Ended::new(self, trace, outcome, returned));
        settle(ended);
        checked
    }

    /// Returns an error with the message that the test should fail with.
    pub(crate) fn check(
        &self,
        storage: &Storage,
        unattributed: Option<&(Storage, u64)>,
    ) -> Result<(), String> {
        let findings = self.findings(storage, unattributed);
        findings.map_or(Ok(()), |findings| Err(self.message(storage, &findings, &Way::Finished)))
    }

    /// Returns the findings of the watch, if there are any.
    fn findings(&self, storage: &Storage, unattributed: Option<&(Storage, u64)>) -> Option<String> {
        let findings = self.watch.as_ref().map(|watch| watch.end(storage, unattributed));
        findings.filter(|findings| !findings.is_empty())
    }

    fn message(&self, storage: &Storage, findings: &str, way: &Way) -> String {
        let mut message =
            format!("the capture started at {} fails its test\n{findings}", self.started_at);
        match way {
            Way::Finished | Way::Returned(None) => {}
            // An error that the test returns would be lost: its thread unwinds instead.
            Way::Dropped => message.push_str(
                "\n(if the test returns an error, this panic hides it: `Capture::run()` shows both)\n",
            ),
            Way::Returned(Some(error)) => {
                message.push_str("\nthe test returned an error, too:\n  ");
                message.push_str(error);
                message.push('\n');
            }
        }
        push_trace(&mut message, self.printing.shown(storage));
        message
    }
}

/// A capture that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    printing: Printing,
    recording: Recording,
    test: TestIdentity,
    pub(super) started_at: &'static Location<'static>,
    is_process_wide: bool,
    is_case: bool,
    trace: Trace,
    outcome: Outcome,
    /// The error that the test returned.
    returned: Option<String>,
    /// Number of captures of the same line in the same scope that have failed, up to this one; 0 if it has not failed.
    pub(super) failures: usize,
    is_printed: bool,
}

impl Ended {
    /// Prints and records the trace if that is due however the test ends.
    fn new(ending: Ending, trace: &Trace, outcome: Outcome, returned: Option<String>) -> Self {
        let Ending { printing, recording, test, function, started_at, is_process_wide, .. } =
            ending;
        let mut ended = Self {
            is_printed: printing.when == Print::Always,
            printing,
            recording,
            test,
            started_at,
            is_process_wide,
            is_case: function.is_case,
            trace: trace.clone(),
            failures: usize::from(outcome.is_failure()),
            outcome,
            returned,
        };
        if ended.is_printed {
            ended.print();
        }
        if !ended.has_failed() {
            ended.record();
        }
        ended
    }

    pub(super) fn has_failed(&self) -> bool {
        self.outcome.is_failure()
    }

    fn is_empty(&self) -> bool {
        self.trace.node_count() == 0 && self.trace.left_out() == 0
    }

    fn print(&mut self) {
        self.is_printed = true;
        let failed = self.failures;
        let returned = self.returned.as_deref();
        self.printing.print(&self.trace, self.started_at, self.has_failed(), returned, failed);
    }

    fn record(&self) -> Option<PathBuf> {
        let Self { trace, test, started_at, outcome, .. } = self;
        self.recording.record(Recorded { trace, test, started_at, outcome })
    }
}

/// Reports the last of these captures, or leaves it to the scope around it. The others have ended inside it.
fn settle(ended: Vec<Ended>) {
    if let Err(ended) = scope::leave(ended) {
        if ended.last().is_some_and(Ended::has_failed) {
            tell(ended);
        }
    }
}

/// Reports a failed test to people and machines.
fn tell(mut ended: Vec<Ended>) {
    let Some(test) = ended.pop() else { return };
    // Inner captures that are empty are not shown, and neither is an empty outer one around others.
    ended.retain(|inner| !inner.is_empty());
    let (outcome, returned) = (test.outcome.clone(), test.returned.clone());
    if ended.is_empty() || !test.is_empty() {
        ended.push(test);
    }
    let mut recording = None;
    for inner in &mut ended {
        if !inner.has_failed() {
            // It ended before the test failed.
            inner.outcome.clone_from(&outcome);
        }
        if inner.returned.is_none() {
            inner.returned.clone_from(&returned);
        }
        if !inner.is_printed {
            inner.print();
        }
        recording = inner.record().or(recording);
    }
    if let Some(process_wide) = ended.iter().find(|inner| inner.is_process_wide) {
        process_wide.printing.print_unattributed(&unattributed().storage.lock());
    }
    report(&ended, &outcome, recording.as_deref());
    #[cfg(feature = "log")]
    if let (Outcome::Panicked(_), Some(note), Some(last)) =
        (&outcome, crate::capture::session::logger::conflict(), ended.last())
    {
        last.printing.print_note(note);
    }
}

/// Reports a test with this outcome and these captures to machines.
fn report(ended: &[Ended], outcome: &Outcome, recording: Option<&Path>) {
    let Some(last) = ended.last() else { return };
    if !report::is_wanted() {
        return;
    }
    let message = outcome.message();
    let is_of_failure = |nearest: &Nearest| {
        message.as_deref().is_none_or(|message| message.contains(&nearest.headline))
    };
    let nearest = |ended: &Ended| ended.trace.printed().nearest().clone().filter(is_of_failure);
    let nearest = ended.iter().rev().find_map(nearest).map(|nearest| nearest.line);
    // A property panics at its own line, after its cases.
    let of_case =
        ended.iter().rev().find(|inner| inner.is_case).and_then(|case| case.outcome.place());
    let started_at = Place::from(last.started_at);
    let report = Report {
        test: &last.test,
        outcome,
        place: of_case.or(outcome.place()).unwrap_or(&started_at),
        nearest: nearest.as_deref(),
        recording,
    };
    report.print();
}
