//! What failure messages have in common: that they are bounded, and end with the trace.

use alloc::string::String;
use core::{
    cell::Cell,
    fmt::{self, Write},
};

use super::Shown;

/// Spans or events that a message lists.
pub(crate) const MAX_LISTED: usize = 5;

/// Lines of the trace that a message shows.
const MAX_TRACE_LINES: usize = 60;

/// Characters of a value among others that a message shows.
pub(crate) const MAX_VALUE: usize = 200;

/// Characters of a line that a message shows.
#[cfg(feature = "predicates")]
pub(crate) const MAX_LINE: usize = 1_000;

/// Adds a trace to a message, or the beginning of a long one. If it is all there, whoever comes
/// later need not show it again.
pub(crate) fn push_trace(message: &mut String, trace: Shown<'_>) {
    message.push_str("\nthe trace:\n");
    let start = message.len();
    let mut lines = FirstLines { text: message, left: MAX_TRACE_LINES };
    if write!(lines, "{trace}").is_ok() {
        trace.storage.seen().set(&message[start..]);
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

/// Shows the beginning of a long text, and how much of it is left out. It is not made as a whole.
pub(crate) struct Short<'a, T> {
    pub(crate) text: T,
    pub(crate) max_chars: usize,
    /// Set if something was left out.
    pub(crate) is_cut: Option<&'a Cell<bool>>,
}

#[cfg(feature = "predicates")]
impl<T> Short<'_, T> {
    /// What there is to say of one condition.
    pub(crate) fn phrase(text: T) -> Self {
        Self { text, max_chars: 400, is_cut: None }
    }

    /// A line of its own.
    pub(crate) fn line(text: T) -> Self {
        Self { text, max_chars: MAX_LINE, is_cut: None }
    }
}

impl<T: fmt::Display> fmt::Display for Short<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut start = FirstChars { formatter: &mut *formatter, left: self.max_chars, cut: 0 };
        write!(start, "{}", self.text)?;
        let cut = start.cut;
        if cut > 0 {
            if let Some(is_cut) = self.is_cut {
                is_cut.set(true);
            }
            write!(formatter, "… ({cut} more characters)")?;
        }
        Ok(())
    }
}

/// Takes text up to a number of characters, and counts the rest.
struct FirstChars<'a, 'f> {
    formatter: &'a mut fmt::Formatter<'f>,
    left: usize,
    cut: usize,
}

impl Write for FirstChars<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.char_indices().nth(self.left).map_or(text.len(), |(end, _)| end);
        let (first, rest) = text.split_at(end);
        self.left -= first.chars().count();
        self.cut += rest.chars().count();
        self.formatter.write_str(first)
    }
}
