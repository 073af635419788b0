use alloc::{vec, vec::Vec};
use core::{cell::Cell, fmt};

use anstyle::{AnsiColor, Style};
use tracing_core::Level;
use tracing_subscriber::filter::Targets;

use super::visible::Visible;
#[cfg(feature = "predicates")]
use crate::capture::excerpt::MAX_LINE;
use crate::{
    capture::{
        CapturedEvent, CapturedNode, CapturedSpan, Shown, Storage,
        excerpt::{MAX_VALUE, Short},
        is_visible,
    },
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
        Shown::plain(self).fmt(formatter)
    }
}

/// The same, without what the filter hides, and in colour.
impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storage, filter, is_coloured } = *self;
        let mut tree = Tree { filter, is_coloured, ..Tree::default() };
        if storage.left_out_earlier() > 0 {
            tree.next_line(formatter)?;
            write!(formatter, "({} earlier nodes were left out)", storage.left_out_earlier())?;
        }
        if storage.roots().len() == 0 {
            tree.next_line(formatter)?;
            formatter.write_str("(nothing was captured)")?;
        }
        for root in Visible::new(storage.roots(), filter) {
            tree.next_line(formatter)?;
            tree.write(formatter, root)?;
        }
        let hidden = hidden(storage, filter);
        if hidden > 0 {
            tree.next_line(formatter)?;
            let all = storage.all_spans().len() + storage.all_events().len();
            write!(formatter, "(the print filter hides {hidden} of {all} spans and events)")?;
        }
        if storage.left_out_later() > 0 {
            tree.next_line(formatter)?;
            write!(formatter, "({} later nodes were left out)", storage.left_out_later())?;
        }
        Ok(())
    }
}

/// The span with all that is in it, as in the tree of the whole trace. A precision limits the depth:
/// `{:.0}` shows the span alone.
impl fmt::Display for CapturedSpan<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Tree::default().write(formatter, CapturedNode::Span(*self))
    }
}

/// The line of the event in the tree of the trace.
impl fmt::Display for CapturedEvent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Tree::default().write(formatter, CapturedNode::Event(*self))
    }
}

/// The span with all that is in it, or the line of the event.
impl fmt::Display for CapturedNode<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Tree::default().write(formatter, *self)
    }
}

/// How many spans and events a filter hides.
fn hidden(storage: &Storage, filter: Option<&Targets>) -> usize {
    if filter.is_none() {
        return 0;
    }
    let spans = storage.all_spans().map(CapturedNode::Span);
    let nodes = spans.chain(storage.all_events().map(CapturedNode::Event));
    nodes.filter(|node| !is_visible(filter, *node)).count()
}

/// Draws a tree, and puts line breaks between its lines.
#[derive(Default)]
struct Tree<'a> {
    filter: Option<&'a Targets>,
    is_coloured: bool,
    is_first_written: bool,
    /// If there is one, long values are cut, which is noted there.
    is_cut: Option<&'a Cell<bool>>,
}

/// The line of a span or event, without what is in it, and with long values cut.
#[cfg(feature = "predicates")]
pub(crate) struct Line<'a> {
    pub(crate) node: CapturedNode<'a>,
    /// Set if something was cut.
    pub(crate) is_cut: &'a Cell<bool>,
}

#[cfg(feature = "predicates")]
impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_cut = Some(self.is_cut);
        let line = WithShortValues(Tree { is_cut, ..Tree::default() }, self.node);
        Short { text: line, max_chars: MAX_LINE, is_cut }.fmt(formatter)
    }
}

#[cfg(feature = "predicates")]
struct WithShortValues<'a>(Tree<'a>, CapturedNode<'a>);

#[cfg(feature = "predicates")]
impl fmt::Display for WithShortValues<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_line(formatter, self.1)
    }
}

impl<'a> Tree<'a> {
    fn next_line(&mut self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_first_written {
            formatter.write_str("\n")?;
        }
        self.is_first_written = true;
        Ok(())
    }

    /// Writes a node and what is in it. A tree may be deeper than a stack has room for: what is
    /// yet to be written is kept on the heap.
    fn write(&mut self, formatter: &mut fmt::Formatter<'_>, root: CapturedNode<'a>) -> fmt::Result {
        self.is_first_written = true;
        let max_depth = formatter.precision().unwrap_or(usize::MAX);
        self.write_line(formatter, root)?;
        let mut unwritten: Vec<Visible<'_>> = match root {
            CapturedNode::Span(span) if max_depth > 0 => {
                vec![Visible::new(span.nodes(), self.filter)]
            }
            _ => return Ok(()),
        };
        while let Some(siblings) = unwritten.last_mut() {
            let Some(node) = siblings.next() else {
                unwritten.pop();
                continue;
            };
            self.next_line(formatter)?;
            write_branches(formatter, &unwritten)?;
            self.write_line(formatter, node)?;
            match node {
                CapturedNode::Span(span) if unwritten.len() < max_depth => {
                    unwritten.push(Visible::new(span.nodes(), self.filter));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn write_line(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        node: CapturedNode<'_>,
    ) -> fmt::Result {
        match node {
            CapturedNode::Span(span) => {
                self.write_level(formatter, *span.metadata().level())?;
                self.write_span(formatter, span)
            }
            CapturedNode::Event(event) => {
                self.write_level(formatter, *event.metadata().level())?;
                self.write_event(formatter, event)
            }
        }
    }

    fn write_level(&self, formatter: &mut fmt::Formatter<'_>, level: Level) -> fmt::Result {
        let style = if self.is_coloured { style(level) } else { Style::new() };
        write!(formatter, "{style}{level}{style:#}")
    }

    /// Writes what stands behind the level of a span.
    fn write_span(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        span: CapturedSpan<'_>,
    ) -> fmt::Result {
        write!(formatter, " {}{{", Escaped(span.metadata().name()))?;
        for (i, (name, value)) in span.values().enumerate() {
            formatter.write_str(if i > 0 { " " } else { "" })?;
            self.write_field(formatter, name, value)?;
        }
        formatter.write_str("}")?;
        for (i, source) in span.follows_from().enumerate() {
            formatter.write_str(if i > 0 { ", " } else { " (follows from " })?;
            write!(formatter, "{}", Escaped(source.metadata().name()))?;
        }
        formatter.write_str(if span.follows_from().len() > 0 { ")" } else { "" })
    }

    /// Writes what stands behind the level of an event.
    fn write_event(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        event: CapturedEvent<'_>,
    ) -> fmt::Result {
        match event.message() {
            // Nothing would look as if there were no message.
            Some("") => formatter.write_str(" \"\"")?,
            Some(message) => {
                formatter.write_str(" ")?;
                self.write_value(formatter, &Escaped(message))?;
            }
            None => {}
        }
        let is_shown = event.message().is_some();
        for (name, value) in event.values().filter(|(name, _)| !is_shown || *name != "message") {
            formatter.write_str(" ")?;
            self.write_field(formatter, name, value)?;
        }
        Ok(())
    }

    fn write_field(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        name: &str,
        value: &TracedValue,
    ) -> fmt::Result {
        write!(formatter, "{}=", Escaped(name))?;
        self.write_value(formatter, value)
    }

    fn write_value(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        value: &dyn fmt::Display,
    ) -> fmt::Result {
        match self.is_cut {
            Some(_) => {
                let value = Short { text: value, max_chars: MAX_VALUE, is_cut: self.is_cut };
                write!(formatter, "{value}")
            }
            None => value.fmt(formatter),
        }
    }
}

/// The colours that `tracing_subscriber::fmt` has for levels.
fn style(level: Level) -> Style {
    let colour = match level {
        Level::ERROR => AnsiColor::Red,
        Level::WARN => AnsiColor::Yellow,
        Level::INFO => AnsiColor::Green,
        Level::DEBUG => AnsiColor::Blue,
        Level::TRACE => AnsiColor::Magenta,
    };
    colour.on_default()
}

/// Draws what leads to a node, whose later siblings and those of its ancestors are given.
fn write_branches(formatter: &mut fmt::Formatter<'_>, unwritten: &[Visible<'_>]) -> fmt::Result {
    let Some((siblings, ancestors)) = unwritten.split_last() else { return Ok(()) };
    for siblings in ancestors.iter().take(MAX_DRAWN_DEPTH) {
        formatter.write_str(if siblings.has_more() { "│  " } else { "   " })?;
    }
    if ancestors.len() > MAX_DRAWN_DEPTH {
        write!(formatter, "(depth {}) ", unwritten.len())?;
    }
    formatter.write_str(if siblings.has_more() { "├─ " } else { "└─ " })
}
