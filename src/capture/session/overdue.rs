//! Prints the trace of a test that is still running after some time: it may hang, and be killed.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::{fmt, panic::Location, time::Duration};
use std::{
    io::{self, Write as _},
    sync::{Condvar, PoisonError},
    thread,
};

use super::{
    outcome::{Outcome, TestIdentity},
    recording::{Recorded, Recording},
};
use crate::{
    capture::{CapturedNode, CapturedSpan, SharedStorage, Storage},
    lock::Mutex,
    view::Around,
    wire::text::Escaped,
};

/// Open spans that are marked. They are where the tasks and threads of the test wait.
const MAX_MARKED: usize = 20;

/// Prints the trace of a capture once, unless it has ended by then.
#[derive(Debug)]
pub(crate) struct Overdue {
    has_ended: Arc<(Mutex<bool>, Condvar)>,
}

impl Overdue {
    /// Begins to wait, on a thread of its own: the thread of the test may hang.
    pub(crate) fn after(
        time: Duration,
        storage: &SharedStorage,
        recording: &Recording,
        test: &TestIdentity,
        started_at: &'static Location<'static>,
    ) -> Self {
        let (test, recording) = (test.clone(), recording.clone());
        let has_ended = Arc::new((Mutex::new(false), Condvar::new()));
        let (waiting, storage) = (Arc::clone(&has_ended), storage.clone());
        let wait = move || {
            let (has_ended, changed) = &*waiting;
            let waited =
                changed.wait_timeout_while(has_ended.lock(), time, |has_ended| !*has_ended);
            // Unlocked at once: the end of the capture does not wait for this thread.
            let is_due = !*waited.unwrap_or_else(PoisonError::into_inner).0;
            if is_due {
                let trace = storage.lock();
                let unattributed = storage.unattributed_since_start().map(|(records, _)| records);
                let (test_name, unattributed) = (test.name.as_deref(), unattributed.as_ref());
                let running =
                    Running { test: test_name, time, started_at, trace: &trace, unattributed };
                // Past the test runner, which captures output: captured output is lost if the test is killed.
                let _ = io::stderr().write_all(running.to_string().as_bytes());
                let (test, outcome) = (&test, &Outcome::Running(time));
                recording.record(Recorded { trace: &trace, test, started_at, outcome });
            }
        };
        // If the thread cannot be started, nothing is printed: this has no way to report the error.
        let _ = thread::Builder::new().name("spanshot overdue".into()).spawn(wait);
        Self { has_ended }
    }
}

impl Drop for Overdue {
    fn drop(&mut self) {
        let (has_ended, changed) = &*self.has_ended;
        *has_ended.lock() = true;
        changed.notify_all();
    }
}

/// The report about a test that is still running.
struct Running<'a> {
    test: Option<&'a str>,
    time: Duration,
    started_at: &'a Location<'a>,
    trace: &'a Storage,
    /// Records that no test can claim. Threads of this test may wait there, too.
    unattributed: Option<&'a Storage>,
}

impl fmt::Display for Running<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let test = self.test.map_or_else(String::new, |test| format!(" {}", Escaped(test)));
        let Self { time, started_at, trace, unattributed, .. } = self;
        writeln!(
            formatter,
            "spanshot: the test{test} is still running after {time:?}; its capture started at {started_at}"
        )?;
        write_marked(formatter, trace)?;
        match unattributed.filter(|records| records.roots().next().is_some()) {
            None => Ok(()),
            Some(records) => {
                writeln!(formatter, "\ntraced in this process meanwhile, by none of its tests:")?;
                write_marked(formatter, records)
            }
        }
    }
}

/// Writes a trace around its innermost open spans.
fn write_marked(formatter: &mut fmt::Formatter<'_>, trace: &Storage) -> fmt::Result {
    if trace.roots().next().is_none() {
        return writeln!(formatter, "(nothing was captured)");
    }
    let is_open = |span: &CapturedSpan<'_>| !span.stats().is_closed;
    let innermost = |span: &CapturedSpan<'_>| !span.children().any(|child| is_open(&child));
    let mut open: Vec<_> =
        trace.all_spans().filter(|span| is_open(span) && innermost(span)).collect();
    let left = open.len().saturating_sub(MAX_MARKED);
    open.truncate(MAX_MARKED);
    match (open.len(), left) {
        (0, _) => writeln!(formatter, "(no span is open)")?,
        (_, 0) => writeln!(formatter, "(▶ marks the innermost open spans: it waits there)")?,
        (_, left) => writeln!(
            formatter,
            "(▶ marks the first innermost open spans: it waits there, and in {left} more)"
        )?,
    }
    let marked = open.into_iter().map(CapturedNode::Span).collect();
    writeln!(formatter, "{}", Around::new(trace, marked, None))
}
