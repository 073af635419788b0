//! The line of a span or event, and what stands below it and is still its own.

use core::{cell::Cell, fmt};

use tracing_core::Level;

use super::{
    text::{Count, Grouped, Time, traced},
    values::{Block, Field, Message, any_block},
};
use crate::{
    capture::{CapturedMetadata, CapturedNode, CapturedSpan, Durations, Moment, Storage},
    export::short,
    wire::TracedValue,
};

/// The line of a span or an event, without its children.
pub(super) struct Row<'a> {
    pub(super) storage: &'a Storage,
    pub(super) node: CapturedNode<'a>,
    /// The durations of all spans, if times were kept.
    pub(super) durations: &'a [Durations],
    /// Whether the threads are told.
    pub(super) has_threads: bool,
    /// How deep in the tree it is, if it does not stand there.
    pub(super) depth: Option<usize>,
}

/// What the level is called in the page.
pub(super) fn class(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The place of a span or event in the page.
pub(super) struct Anchor<'a>(pub(super) CapturedNode<'a>);

impl fmt::Display for Anchor<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            CapturedNode::Span(span) => write!(formatter, "s{}", span.number()),
            CapturedNode::Event(event) => write!(formatter, "e{}", event.number()),
        }
    }
}

impl<'a> Row<'a> {
    pub(super) fn metadata(&self) -> CapturedMetadata<'a> {
        match self.node {
            CapturedNode::Span(span) => span.metadata(),
            CapturedNode::Event(event) => event.metadata(),
        }
    }

    fn moment(&self) -> Moment {
        match self.node {
            CapturedNode::Span(span) => span.moment(),
            CapturedNode::Event(event) => event.moment(),
        }
    }

    /// Whether there is more of it than the line.
    pub(super) fn has_blocks(&self) -> bool {
        match self.node {
            CapturedNode::Span(span) => any_block(span.values()),
            CapturedNode::Event(event) => any_block(event.values()),
        }
    }

    /// Writes the line.
    pub(super) fn write_line(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(time) = self.storage.time_since_start(self.moment()) {
            write!(formatter, "<time>+{}</time> ", Time(time))?;
        }
        if let Some(depth) = self.depth {
            write!(formatter, "<small class=\"depth\">depth {}</small> ", Grouped(depth as u64))?;
        }
        write!(formatter, "<b>{}</b>", self.metadata().level())?;
        match self.node {
            CapturedNode::Span(span) => {
                let name = short::name(span.metadata().name());
                write!(formatter, " <strong>{}</strong>", traced(&name))?;
                for (name, value) in span.values() {
                    write!(formatter, " {}", Field(name, value))?;
                }
                self.write_facts(formatter, span)?;
            }
            CapturedNode::Event(event) => {
                // As in the tree of text, the message is what counts as one, and the last of its name.
                let message = event.value("message").filter(|value| value.as_text().is_some());
                if let Some(message) = message {
                    write!(formatter, " {}", Message(message))?;
                }
                let is_shown = |name: &str| message.is_some() && name == "message";
                for (name, value) in event.values().filter(|(name, _)| !is_shown(name)) {
                    write!(formatter, " {}", Field(name, value))?;
                }
            }
        }
        self.write_origin(formatter)?;
        write!(
            formatter,
            "<a href=\"#{}\" tabindex=\"-1\" aria-label=\"Link\"></a>",
            Anchor(self.node)
        )
    }

    /// Writes where it comes from.
    fn write_origin(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metadata = self.metadata();
        formatter.write_str(" <small class=\"origin\"")?;
        if let Some(module) = metadata.module_path().filter(|path| *path != metadata.target()) {
            write!(formatter, " title=\"module {}\"", traced(&short::name(module)))?;
        }
        write!(formatter, ">{}", traced(&short::name(metadata.target())))?;
        if let Some(file) = metadata.file() {
            write!(formatter, " {}", traced(&short::name(file)))?;
            if let Some(line) = metadata.line() {
                write!(formatter, ":{line}")?;
            }
        }
        if self.has_threads {
            if let Some(thread) = self.storage.thread_of(self.moment()) {
                write!(formatter, " · thread {thread}")?;
            }
        }
        formatter.write_str("</small>")
    }

    /// Writes values that do not fit on the line.
    pub(super) fn write_blocks(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut write =
            |(name, value): (&str, &TracedValue)| write!(formatter, "{}", Block(name, value));
        match self.node {
            CapturedNode::Span(span) => span.values().try_for_each(&mut write),
            CapturedNode::Event(event) => event.values().try_for_each(&mut write),
        }
    }

    /// Writes what happened to a span.
    fn write_facts(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        span: CapturedSpan<'_>,
    ) -> fmt::Result {
        formatter.write_str(" <small class=\"facts\">")?;
        let separator = Separator::default();
        if let Some(&Durations { busy, idle, .. }) = self.durations.get(span.number()) {
            let (all, busy, idle) = (Time(busy + idle), Time(busy), Time(idle));
            write!(formatter, "{separator}{all} (busy {busy}, idle {idle})")?;
        }
        let stats = span.stats();
        match stats.entered {
            0 => write!(formatter, "{separator}never entered")?,
            1 => {}
            entered => write!(formatter, "{separator}entered {}", Count(entered, "time"))?,
        }
        if stats.entered > stats.exited {
            let times = stats.entered - stats.exited;
            write!(formatter, "{separator}<em>not exited {}</em>", Count(times, "time"))?;
        }
        if !stats.is_closed {
            write!(formatter, "{separator}<em>still open</em>")?;
        }
        for (i, source) in span.follows_from().enumerate() {
            let (name, node) = (short::name(source.metadata().name()), CapturedNode::Span(source));
            if i == 0 {
                write!(formatter, "{separator}follows from ")?;
            } else {
                formatter.write_str(", ")?;
            }
            write!(formatter, "<a href=\"#{}\">{}</a>", Anchor(node), traced(&name))?;
        }
        formatter.write_str("</small>")
    }
}

/// Stands between facts, and not before the first one.
#[derive(Default)]
struct Separator {
    is_needed: Cell<bool>,
}

impl fmt::Display for Separator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_needed.replace(true) { " · " } else { "" })
    }
}
