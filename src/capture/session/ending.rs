use alloc::{format, string::String, sync::Arc};
use core::panic::Location;
use std::thread;

use super::{
    excerpt::push_trace,
    latest_panic::{self, Place},
    outcome::{Outcome, TestFunction, TestIdentity},
    overdue::Overdue,
    print::Printing,
    recording::{Recorded, Recording},
    report::{self, Report},
    watch::Watch,
};
use crate::capture::{
    SharedStorage, Storage, storage::printed_text::Nearest, subscriber::process_wide::unattributed,
};

/// How a capture comes to its end.
pub(crate) enum Way {
    /// The test says so, and takes the trace.
    Finished,
    /// It goes out of scope: nobody knows what the test returns.
    Dropped,
    /// The function that it was started for has returned, perhaps with this error.
    Returned(Option<String>),
}

/// What there is to do when a capture ends: it prints its trace, leaves it in a file, reports the failure, and fails
/// its test.
#[derive(Debug)]
pub(crate) struct Ending {
    printing: Printing,
    recording: Recording,
    watch: Option<Arc<Watch>>,
    function: TestFunction,
    test: TestIdentity,
    started_at: &'static Location<'static>,
    /// A capture that something starts while it is being unwound is not that of the failing test.
    was_panicking: bool,
    is_process_wide: bool,
    /// Prints the trace while the test runs, if that takes long.
    overdue: Option<Overdue>,
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
        }
    }

    /// If the test fails, what belongs to no test is printed, too.
    pub(crate) fn of_process_wide(self) -> Self {
        Self { is_process_wide: true, ..self }
    }

    /// Prints the trace and leaves it in a file, if that is asked for. Returns what the test is to fail with, which is never
    /// the case while it panics.
    #[track_caller]
    pub(crate) fn end(
        mut self,
        storage: &Storage,
        unattributed: Option<&(Storage, u64)>,
        way: &Way,
    ) -> Result<(), String> {
        drop(self.overdue.take());
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
            self.tell(storage, &outcome, None);
            return Ok(());
        }
        let findings = self.findings(storage, unattributed);
        let returned = if let Way::Returned(error) = way { error.as_deref() } else { None };
        let outcome = match (&findings, way) {
            (Some(findings), way) => {
                // The line that drops a capture is in this crate.
                let place =
                    if matches!(way, Way::Dropped) { self.started_at } else { Location::caller() };
                Outcome::Failed { findings: findings.clone(), place: place.into() }
            }
            (None, Way::Returned(Some(error))) => Outcome::Returned(error.clone()),
            (None, Way::Returned(None)) => Outcome::Passed,
            (None, Way::Finished | Way::Dropped) => Outcome::Unknown,
        };
        let checked =
            findings.map_or(Ok(()), |findings| Err(self.message(storage, &findings, way)));
        self.tell(storage, &outcome, returned);
        checked
    }

    /// Tells people and machines of a test that has ended so.
    fn tell(&self, storage: &Storage, outcome: &Outcome, returned: Option<&str>) {
        let has_failed = !matches!(outcome, Outcome::Passed | Outcome::Unknown);
        self.printing.print(storage, self.started_at, has_failed, returned);
        if self.is_process_wide && has_failed {
            self.printing.print_unattributed(&unattributed().storage.lock());
        }
        let (trace, test, started_at) = (storage, &self.test, self.started_at);
        let recording = self.recording.record(Recorded { trace, test, started_at, outcome });
        if has_failed && report::is_wanted() {
            let nearest = storage.printed().nearest().clone();
            let message = outcome.message();
            let is_of_failure = |nearest: &Nearest| {
                message.as_deref().is_none_or(|message| message.contains(&nearest.headline))
            };
            let nearest = nearest.filter(is_of_failure).map(|nearest| nearest.line);
            let started_at = Place::from(self.started_at);
            let report = Report {
                test,
                outcome,
                place: outcome.place().unwrap_or(&started_at),
                nearest: nearest.as_deref(),
                recording: recording.as_deref(),
            };
            report.print();
        }
        #[cfg(feature = "log")]
        if let (Outcome::Panicked(_), Some(note)) =
            (outcome, crate::capture::session::logger::conflict())
        {
            self.printing.print_note(note);
        }
    }

    /// Returns what the test is to fail with.
    pub(crate) fn check(
        &self,
        storage: &Storage,
        unattributed: Option<&(Storage, u64)>,
    ) -> Result<(), String> {
        let findings = self.findings(storage, unattributed);
        findings.map_or(Ok(()), |findings| Err(self.message(storage, &findings, &Way::Finished)))
    }

    /// Returns what the capture watches over and has found.
    fn findings(&self, storage: &Storage, unattributed: Option<&(Storage, u64)>) -> Option<String> {
        let findings = self.watch.as_ref().map(|watch| watch.end(storage, unattributed));
        findings.filter(|findings| !findings.is_empty())
    }

    fn message(&self, storage: &Storage, findings: &str, way: &Way) -> String {
        let mut message =
            format!("the capture started at {} fails its test\n{findings}", self.started_at);
        match way {
            Way::Finished | Way::Returned(None) => {}
            // The thread that would tell of it is unwound instead.
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
