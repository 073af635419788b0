use alloc::{vec, vec::Vec};
use core::fmt;

use crate::{
    capture::{CapturedEvent, CapturedNode, CapturedNodes, CapturedSpan, Storage},
    wire::{TracedValue, text::Escaped},
};

/// Levels of the tree that are drawn. Deeper ones are as good as never read, and drawing them would
/// take space in the square of their number.
const MAX_DRAWN_DEPTH: usize = 48;

/// The tree of a trace, one span or event a line, in the order in which they were captured.
///
/// A span is `LEVEL name{field=value …}`, an event `LEVEL message field=value …`. Strings stand between
/// quotes; messages and the output of `Debug` and `Display` do not, and may therefore look like one.
/// What could steer a terminal is escaped. Targets, lines, threads and times are left out.
///
/// A precision limits the depth: `{:.0}` shows the roots, `{:.1}` what is in them as well, and so on.
impl fmt::Display for Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines::default();
        if self.left_out() > 0 && self.is_oldest_left_out() {
            lines.next(formatter)?;
            write!(formatter, "({} earlier nodes were left out)", self.left_out())?;
        }
        if self.roots().len() == 0 {
            lines.next(formatter)?;
            formatter.write_str("(nothing was captured)")?;
        }
        for root in self.roots() {
            lines.next(formatter)?;
            lines.write_tree(formatter, root)?;
        }
        if self.left_out() > 0 && !self.is_oldest_left_out() {
            lines.next(formatter)?;
            write!(formatter, "({} later nodes were left out)", self.left_out())?;
        }
        Ok(())
    }
}

/// The span with all that is in it, as in the tree of the whole trace. A precision limits the depth:
/// `{:.0}` shows the span alone.
impl fmt::Display for CapturedSpan<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lines::default().write_tree(formatter, CapturedNode::Span(*self))
    }
}

/// The line of the event in the tree of the trace.
impl fmt::Display for CapturedEvent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(formatter, &CapturedNode::Event(*self))
    }
}

/// The span with all that is in it, or the line of the event.
impl fmt::Display for CapturedNode<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lines::default().write_tree(formatter, *self)
    }
}

/// Puts line breaks between lines.
#[derive(Default)]
struct Lines {
    is_first_written: bool,
}

impl Lines {
    fn next(&mut self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_first_written {
            formatter.write_str("\n")?;
        }
        self.is_first_written = true;
        Ok(())
    }

    /// Writes a node and what is in it. A tree may be deeper than a stack has room for: what is
    /// yet to be written is kept on the heap.
    fn write_tree(
        &mut self,
        formatter: &mut fmt::Formatter<'_>,
        root: CapturedNode<'_>,
    ) -> fmt::Result {
        self.is_first_written = true;
        let max_depth = formatter.precision().unwrap_or(usize::MAX);
        write_line(formatter, &root)?;
        let mut unwritten: Vec<CapturedNodes<'_>> = match root {
            CapturedNode::Span(span) if max_depth > 0 => vec![span.nodes()],
            _ => return Ok(()),
        };
        while let Some(siblings) = unwritten.last_mut() {
            let Some(node) = siblings.next() else {
                unwritten.pop();
                continue;
            };
            self.next(formatter)?;
            write_branches(formatter, &unwritten)?;
            write_line(formatter, &node)?;
            match node {
                CapturedNode::Span(span) if unwritten.len() < max_depth => {
                    unwritten.push(span.nodes());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Draws what leads to a node, whose later siblings and those of its ancestors are given.
fn write_branches(
    formatter: &mut fmt::Formatter<'_>,
    unwritten: &[CapturedNodes<'_>],
) -> fmt::Result {
    let Some((siblings, ancestors)) = unwritten.split_last() else { return Ok(()) };
    for siblings in ancestors.iter().take(MAX_DRAWN_DEPTH) {
        formatter.write_str(if siblings.len() > 0 { "│  " } else { "   " })?;
    }
    if ancestors.len() > MAX_DRAWN_DEPTH {
        write!(formatter, "(depth {}) ", unwritten.len())?;
    }
    formatter.write_str(if siblings.len() > 0 { "├─ " } else { "└─ " })
}

fn write_line(formatter: &mut fmt::Formatter<'_>, node: &CapturedNode<'_>) -> fmt::Result {
    match node {
        CapturedNode::Span(span) => {
            let metadata = span.metadata();
            write!(formatter, "{} {}{{", metadata.level(), Escaped(metadata.name()))?;
            for (i, (name, value)) in span.values().enumerate() {
                formatter.write_str(if i > 0 { " " } else { "" })?;
                write_field(formatter, name, value)?;
            }
            formatter.write_str("}")?;
            for (i, source) in span.follows_from().enumerate() {
                formatter.write_str(if i > 0 { ", " } else { " (follows from " })?;
                write!(formatter, "{}", Escaped(source.metadata().name()))?;
            }
            formatter.write_str(if span.follows_from().len() > 0 { ")" } else { "" })
        }
        CapturedNode::Event(event) => {
            write!(formatter, "{}", event.metadata().level())?;
            match event.message() {
                // Nothing would look as if there were no message.
                Some("") => formatter.write_str(" \"\"")?,
                Some(message) => write!(formatter, " {}", Escaped(message))?,
                None => {}
            }
            let is_shown = event.message().is_some();
            for (name, value) in event.values().filter(|(name, _)| !is_shown || *name != "message")
            {
                formatter.write_str(" ")?;
                write_field(formatter, name, value)?;
            }
            Ok(())
        }
    }
}

fn write_field(formatter: &mut fmt::Formatter<'_>, name: &str, value: &TracedValue) -> fmt::Result {
    write!(formatter, "{}={}", Escaped(name), value)
}
