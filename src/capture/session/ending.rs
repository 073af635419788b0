use alloc::{format, string::String, sync::Arc};
use core::panic::Location;
use std::thread;

use crate::capture::{
    SharedStorage, Storage, session::excerpt::push_trace, session::overdue::Overdue,
    session::print::Printing, session::recording::Recording, session::watch::Watch,
    subscriber::process_wide::unattributed,
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

/// What there is to do when a capture ends: it prints its trace, leaves it in a file, and fails its test.
#[derive(Debug)]
pub(crate) struct Ending {
    printing: Printing,
    recording: Recording,
    watch: Option<Arc<Watch>>,
    started_at: &'static Location<'static>,
    /// A capture that something starts while it is being unwound is not that of the failing test.
    was_panicking: bool,
    is_process_wide: bool,
    /// Prints the trace while the test runs, if that takes long.
    _overdue: Option<Overdue>,
}

impl Ending {
    #[track_caller]
    pub(crate) fn new(
        printing: Printing,
        recording: Recording,
        watch: Option<Arc<Watch>>,
        storage: &SharedStorage,
    ) -> Self {
        let started_at = Location::caller();
        Self {
            _overdue: printing.overdue(storage, started_at),
            printing,
            recording: recording.in_environment(),
            watch,
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
    pub(crate) fn end(
        self,
        storage: &Storage,
        unattributed: Option<&(Storage, u64)>,
        way: &Way,
    ) -> Result<(), String> {
        if thread::panicking() {
            if let Some(watch) = &self.watch {
                watch.give_up();
            }
            self.print(storage, !self.was_panicking, None);
            #[cfg(feature = "log")]
            if let Some(note) = crate::capture::session::logger::conflict() {
                self.printing.print_note(note);
            }
            return Ok(());
        }
        let checked = self.check(storage, unattributed, way);
        let returned = if let Way::Returned(error) = way { error.as_deref() } else { None };
        self.print(storage, checked.is_err() || returned.is_some(), returned);
        checked
    }

    fn print(&self, storage: &Storage, has_failed: bool, returned: Option<&str>) {
        self.printing.print(storage, self.started_at, has_failed, returned);
        if self.is_process_wide && has_failed {
            self.printing.print_unattributed(&unattributed().storage.lock());
        }
        self.recording.record(storage, self.started_at, has_failed);
    }

    /// Returns what the test is to fail with.
    pub(crate) fn check(
        &self,
        storage: &Storage,
        unattributed: Option<&(Storage, u64)>,
        way: &Way,
    ) -> Result<(), String> {
        let findings = self.watch.as_ref().map(|watch| watch.end(storage, unattributed));
        let Some(findings) = findings.filter(|findings| !findings.is_empty()) else {
            return Ok(());
        };
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
        Err(message)
    }
}
