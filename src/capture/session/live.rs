//! Prints each span and event of a capture at once: a test that aborts, exits or is killed has shown them by then.

use alloc::{format, string::String};
use core::fmt::Write as _;
use std::{
    io::{self, Write as _},
    thread,
};

use tracing_subscriber::filter::Targets;

use crate::{
    capture::{CapturedNode, CapturedSpan, is_visible},
    view::ShortLine,
    wire::text::Escaped,
};

/// Maximal number of surrounding spans that indent the line of a record.
const MAX_INDENT: usize = 32;

/// Prints records when they are captured.
#[derive(Debug)]
pub(crate) struct Live {
    /// Names the test, since several may print at once.
    prefix: String,
    filter: Option<Targets>,
}

/// The kind of a printed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiveRecord {
    Created,
    /// Values were recorded into a span.
    Recorded,
}

impl Live {
    /// Creates a printer for the test of the current thread, which the test runner has named. Only records that pass
    /// the filter are printed.
    pub(crate) fn new(filter: Option<Targets>) -> Self {
        let thread = thread::current();
        let test = thread.name().filter(|name| *name != "main");
        let prefix = test.map_or_else(String::new, |test| format!("[{}] ", Escaped(test)));
        Self { prefix, filter }
    }

    /// Creates a printer for records that no test can claim.
    pub(crate) fn of_no_test(filter: Option<Targets>) -> Self {
        Self { prefix: "[no test] ".into(), filter }
    }

    /// Prints a line, past the test runner, which captures output: captured output is lost if the process dies.
    pub(crate) fn print(&self, node: CapturedNode<'_>, record: LiveRecord) {
        let filter = self.filter.as_ref();
        if !is_visible(filter, node) {
            return;
        }
        let parent = match node {
            CapturedNode::Span(span) => span.parent(),
            CapturedNode::Event(event) => event.parent(),
        };
        let around = core::iter::successors(parent, CapturedSpan::parent);
        let visible = around.filter(|span| is_visible(filter, CapturedNode::Span(*span)));
        let indent = visible.take(MAX_INDENT).count() * 2;
        let recorded = if record == LiveRecord::Recorded { "recorded: " } else { "" };
        let mut line = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(
            line,
            "{}{:indent$}{recorded}{}",
            self.prefix,
            "",
            ShortLine::unredacted(node)
        );
        // If there is no error stream, the line is lost. A single write keeps lines whole.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}
