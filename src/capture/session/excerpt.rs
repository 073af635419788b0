//! Common parts of failure messages: they are bounded, and end with the trace.

use alloc::string::String;
use core::{cell::Cell, fmt::Write};

use crate::capture::Shown;

/// Maximal spans or events that a message lists.
pub(crate) const MAX_LISTED: usize = 5;

/// Maximal lines of the trace that a message shows.
const MAX_TRACE_LINES: usize = 60;

/// Limits a trace for a message: a long one is shown by its beginning and end.
pub(crate) fn excerpt(trace: Shown<'_>) -> Shown<'_> {
    Shown { max_lines: trace.max_lines.min(MAX_TRACE_LINES), ..trace }
}

/// Adds a trace to a message, and notes that the trace need not be shown again.
pub(crate) fn push_trace(message: &mut String, trace: Shown<'_>) {
    message.push_str("\nthe trace:\n");
    let start = message.len();
    let is_cut = Cell::new(false);
    // Writing to a string does not fail.
    let _ = write!(message, "{}", Shown { is_cut: Some(&is_cut), ..excerpt(trace) });
    if is_cut.get() {
        trace.storage.printed().set_part(trace.storage.node_count());
        message.push('\n');
    } else {
        trace.storage.printed().set(&message[start..]);
    }
}
