use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::fmt::{self, Write};

use tracing_core::LevelFilter;

use crate::capture::{
    CapturedEvent, CapturedMetadata, CapturedSpan, Storage, session::excerpt::MAX_LISTED,
};
use crate::wire::text::Escaped;

type AllowEvent = Box<dyn Fn(&CapturedEvent<'_>) -> bool>;

/// What a capture watches over: what must not be in its trace when it ends.
pub(crate) struct Watch {
    pub(crate) events: LevelFilter,
    pub(crate) allowed: Vec<AllowEvent>,
    pub(crate) open_spans: bool,
    pub(crate) unbalanced_enters: bool,
}

impl Default for Watch {
    fn default() -> Self {
        let (open_spans, unbalanced_enters) = (false, false);
        Self { events: LevelFilter::OFF, allowed: Vec::new(), open_spans, unbalanced_enters }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Watch")
            .field("events", &self.events)
            .field("allowed", &self.allowed.len())
            .field("open_spans", &self.open_spans)
            .field("unbalanced_enters", &self.unbalanced_enters)
            .finish()
    }
}

impl Watch {
    /// Says what is wrong with a trace, and what can be done; nothing if it is as it should be.
    pub(crate) fn findings(&self, storage: &Storage) -> String {
        let mut findings = String::new();
        let what = format!("at level {} or more severe that nothing allows", self.events);
        let unwanted = Finding {
            nouns: ["event", "events"],
            what: &what,
            help: "those that are expected are allowed with `allow_events()`",
        };
        let events = storage.all_events().filter(|event| self.is_unwanted(event));
        unwanted.list(&mut findings, events, event_line);
        if self.open_spans {
            let open = Finding {
                nouns: ["span", "spans"],
                what: &"still open",
                help: "a span is closed when all of its handles and guards are dropped, and all \
                       spans in it are closed",
            };
            let spans = storage.all_spans().filter(|span| !span.stats().is_closed);
            open.list(&mut findings, spans, span_line);
        }
        if self.unbalanced_enters {
            let unbalanced = Finding {
                nouns: ["span", "spans"],
                what: &"not exited as often as entered",
                help: "a span is exited when the guard that entered it is dropped",
            };
            let spans = storage.all_spans().filter(|span| is_unbalanced(*span));
            unbalanced.list(&mut findings, spans, span_line);
        }
        findings
    }

    fn is_unwanted(&self, event: &CapturedEvent<'_>) -> bool {
        *event.metadata().level() <= self.events && !self.allowed.iter().any(|allow| allow(event))
    }
}

fn is_unbalanced(span: CapturedSpan<'_>) -> bool {
    let stats = span.stats();
    stats.entered != stats.exited
}

/// Something that is wrong with spans or events.
struct Finding<'a> {
    nouns: [&'a str; 2],
    what: &'a dyn fmt::Display,
    /// What can be done.
    help: &'a str,
}

impl Finding<'_> {
    /// Lists the first of those that were found, and counts them, if there are any.
    fn list<T>(
        &self,
        findings: &mut String,
        found: impl Iterator<Item = T>,
        write_line: fn(&mut String, T) -> fmt::Result,
    ) {
        let mut lines = String::new();
        let mut count = 0_usize;
        for item in found {
            count += 1;
            if count <= MAX_LISTED {
                // Writing to a string does not fail.
                let _ = write_line(&mut lines, item);
            }
        }
        let noun = match count {
            0 => return,
            1 => self.nouns[0],
            _ => self.nouns[1],
        };
        let _ = write!(findings, "\n{count} {noun} {}:\n{lines}", self.what);
        if count > MAX_LISTED {
            let _ = writeln!(findings, "  (and {} more)", count - MAX_LISTED);
        }
        let _ = writeln!(findings, "  ({})", self.help);
    }
}

fn event_line(line: &mut String, event: CapturedEvent<'_>) -> fmt::Result {
    writeln!(line, "  {event}\n    {}", Origin(event.metadata()))
}

fn span_line(line: &mut String, span: CapturedSpan<'_>) -> fmt::Result {
    let stats = span.stats();
    let origin = Origin(span.metadata());
    writeln!(line, "  {span:.0}")?;
    writeln!(line, "    entered {}x, exited {}x, {origin}", stats.entered, stats.exited)
}

/// Where something was traced.
struct Origin<'a>(CapturedMetadata<'a>);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "by {}", Escaped(self.0.target()))?;
        if let Some(file) = self.0.file() {
            write!(formatter, " at {}", Escaped(file))?;
            if let Some(line) = self.0.line() {
                write!(formatter, ":{line}")?;
            }
        }
        Ok(())
    }
}
