//! What failure messages have in common: that they are bounded, and end with the trace.

use alloc::string::String;
use core::fmt::{self, Write};

use crate::capture::Shown;

/// Spans or events that a message lists.
pub(crate) const MAX_LISTED: usize = 5;

/// Lines of the trace that a message shows.
const MAX_TRACE_LINES: usize = 60;

/// Adds a trace to a message, or the beginning of a long one. If it is all there, whoever comes
/// later need not show it again.
pub(crate) fn push_trace(message: &mut String, trace: Shown<'_>) {
    message.push_str("\nthe trace:\n");
    let start = message.len();
    let mut lines = FirstLines { text: message, left: MAX_TRACE_LINES };
    if write!(lines, "{trace}").is_ok() {
        trace.storage.printed().set(&message[start..]);
    } else {
        let nodes = trace.storage.span_count() + trace.storage.event_count();
        // Writing to a string does not fail.
        let _ = writeln!(message, "(and more: it has {nodes} spans and events)");
    }
}

/// Takes text up to a number of lines, and fails from there on, so that the rest is not made.
struct FirstLines<'a> {
    text: &'a mut String,
    left: usize,
}

impl Write for FirstLines<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for line in text.split_inclusive('\n') {
            if self.left == 0 {
                return Err(fmt::Error);
            }
            self.text.push_str(line);
            self.left -= usize::from(line.ends_with('\n'));
        }
        Ok(())
    }
}
