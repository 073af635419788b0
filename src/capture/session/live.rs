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

/// Spans around a record by which its line is indented, at the most.
const MAX_INDENT: usize = 32;

/// Prints records when they are captured.
#[derive(Debug)]
pub(crate) struct Live {
    /// Names the test, since several may print at once.
    prefix: String,
    filter: Option<Targets>,
}

/// What happened to a span or event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiveRecord {
    Created,
    /// Values were recorded into a span.
    Recorded,
}

impl Live {
    /// Prints for the test of the current thread, which the test runner has named, what passes the filter.
    pub(crate) fn new(filter: Option<Targets>) -> Self {
        let thread = thread::current();
        let test = thread.name().filter(|name| *name != "main");
        let prefix = test.map_or_else(String::new, |test| format!("[{}] ", Escaped(test)));
        Self { prefix, filter }
    }

    /// Prints a line, past what captures the output of tests: that is lost with the process.
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
        let _ = writeln!(line, "{}{:indent$}{recorded}{}", self.prefix, "", ShortLine::new(node));
        // Without an error stream there is nobody to tell. It is one write, so that lines stay whole.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}
