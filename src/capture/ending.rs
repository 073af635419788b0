use alloc::{format, string::String};
use core::panic::{AssertUnwindSafe, Location};
use std::{panic, thread};

use super::{Storage, excerpt::push_trace, print::Printing, watch::Watch};

/// What there is to do when a capture ends: it prints its trace, and fails its test.
#[derive(Debug)]
pub(super) struct Ending {
    printing: Printing,
    watch: Watch,
    started_at: &'static Location<'static>,
    /// A capture that something starts while it is being unwound is not that of the failing test.
    was_panicking: bool,
}

impl Ending {
    #[track_caller]
    pub(super) fn new(printing: Printing, watch: Watch) -> Self {
        Self {
            printing: printing.in_environment(),
            watch,
            started_at: Location::caller(),
            was_panicking: thread::panicking(),
        }
    }

    /// Prints the trace, if that is asked for. Returns what the test is to fail with, which is never
    /// the case while it panics.
    pub(super) fn end(self, storage: &Storage) -> Result<(), String> {
        if thread::panicking() {
            self.printing.print(storage, self.started_at, !self.was_panicking);
            return Ok(());
        }
        // What the test allows is its own code, and may panic: that is a failure as well.
        let checked = panic::catch_unwind(AssertUnwindSafe(|| self.check(storage)));
        self.printing.print(storage, self.started_at, !matches!(checked, Ok(Ok(()))));
        checked.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }

    fn check(&self, storage: &Storage) -> Result<(), String> {
        let findings = self.watch.findings(storage);
        if findings.is_empty() {
            return Ok(());
        }
        let mut message =
            format!("the capture started at {} fails its test\n{findings}", self.started_at);
        push_trace(&mut message, self.printing.shown(storage));
        Err(message)
    }
}
