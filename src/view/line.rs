//! The line of a node, and the further lines of its values that have several.

use core::{
    cell::Cell,
    fmt::{self, Write},
};

use anstyle::{AnsiColor, Style};
use tracing_core::Level;

use super::{
    cut::{Cut, Rest},
    drawing::{Drawing, Mark},
    node::ViewNode,
    options::{MAX_CHARS, Options},
    text::{Piece, Quote, Text, starts_like_branch},
    timeline::{Beginning, Happened},
};
use crate::capture::{CapturedMetadata, CapturedNode, CapturedSpan};

/// The line of a node, without its children.
pub(super) struct Line<'v, 'a> {
    pub(super) options: &'v Options,
    pub(super) shown: &'v ViewNode<'a>,
    /// Set if a value was cut.
    pub(super) is_cut: Option<&'v Cell<bool>>,
}

impl fmt::Display for Line<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { options, shown, .. } = *self;
        let mut line = Words { formatter, is_first: true };
        if shown.times > 1 || shown.node.is_none() {
            let times = options.drawing.times();
            line.word(Mark(options.drawing, format_args!("{}{times}", shown.times)))?;
        }
        let Some(node) = shown.node else { return Ok(()) };
        if let Some(happened) = &shown.happened {
            line.word(Beginning { drawing: options.drawing, happened, node })?;
            if !happened.is_new() {
                self.write_fields(&mut line)?;
                return self.write_remarks_on(&mut line, node, happened);
            }
        }
        if options.levels {
            let level = *node.metadata().level();
            let style = if options.is_coloured { style(level) } else { Style::new() };
            line.word(format_args!("{style}{level}{style:#}"))?;
        }
        self.write_origin(&mut line, node.metadata())?;
        match node {
            CapturedNode::Span(span) => self.write_span(&mut line, span)?,
            CapturedNode::Event(_) => {
                if let Some(message) = shown.message() {
                    line.word(self.value(&message))?;
                }
                self.write_fields(&mut line)?;
            }
        }
        self.write_remarks(&mut line, node)
    }
}

/// Puts spaces between words.
struct Words<'w, 'f> {
    formatter: &'w mut fmt::Formatter<'f>,
    is_first: bool,
}

impl Words<'_, '_> {
    fn word(&mut self, word: impl fmt::Display) -> fmt::Result {
        if !self.is_first {
            self.formatter.write_char(' ')?;
        }
        self.is_first = false;
        write!(self.formatter, "{word}")
    }
}

impl Line<'_, '_> {
    /// Writes the target and the module, if they are shown. They are often the same.
    fn write_origin(
        &self,
        line: &mut Words<'_, '_>,
        metadata: CapturedMetadata<'_>,
    ) -> fmt::Result {
        let options = self.options;
        let target = Some(metadata.target()).filter(|_| options.targets);
        let module = metadata.module_path().filter(|_| options.modules);
        let traced = |text| Name::of_origin(options.drawing, text);
        match (target, module.filter(|module| target != Some(*module))) {
            (Some(target), Some(module)) => {
                line.word(format_args!("{} in {}:", traced(target), traced(module)))
            }
            (Some(origin), None) | (None, Some(origin)) => {
                line.word(format_args!("{}:", traced(origin)))
            }
            (None, None) => Ok(()),
        }
    }

    fn write_span(&self, line: &mut Words<'_, '_>, span: CapturedSpan<'_>) -> fmt::Result {
        let drawing = self.options.drawing;
        line.word(format_args!("{}{{", Name::of_span(drawing, span.metadata().name())))?;
        line.is_first = true;
        self.write_fields(line)?;
        line.formatter.write_str("}")?;
        line.is_first = false;
        for (index, (name, number)) in self.shown.source_names().enumerate() {
            let name = Name::of_span(drawing, name);
            match index {
                0 => line.word(format_args!("(follows from {name}"))?,
                _ => write!(line.formatter, ", {name}")?,
            }
            if let Some(number) = number {
                write!(line.formatter, "{}", Mark(drawing, format_args!("#{number}")))?;
            }
        }
        if self.shown.sources().next().is_some() {
            line.formatter.write_char(')')?;
        }
        Ok(())
    }

    fn write_fields(&self, line: &mut Words<'_, '_>) -> fmt::Result {
        for (name, value) in self.shown.fields(self.options) {
            line.word(Name::of_field(self.options.drawing, name))?;
            let value = value.text().into_field();
            write!(line.formatter, "={}", self.value(&value))?;
        }
        Ok(())
    }

    fn value<'t>(&self, text: &'t Text<'t>) -> Value<'t>
    where
        Self: 't,
    {
        let options = self.options;
        Value { text, options: *options, is_cut: self.is_cut }
    }

    /// Writes remarks of spanshot, which the program did not trace itself.
    fn write_remarks(&self, line: &mut Words<'_, '_>, node: CapturedNode<'_>) -> fmt::Result {
        let options = self.options;
        let mut remark = |remark: fmt::Arguments<'_>| line.word(Mark(options.drawing, remark));
        let inside = self.shown.inside;
        if inside > 0 {
            remark(format_args!("{inside} inside"))?;
        }
        if options.stats {
            if let CapturedNode::Span(span) = node {
                let stats = span.stats();
                let end = if stats.is_closed { "closed" } else { "open" };
                let times = options.drawing.times();
                remark(format_args!(
                    "entered {}{times}, exited {}{times}, {end}",
                    stats.entered, stats.exited
                ))?;
            }
        }
        if options.threads {
            if let Some(thread) = node.trace().thread_of(node.moment()) {
                remark(format_args!("thread {thread}"))?;
            }
        }
        if options.times {
            let durations = match node {
                CapturedNode::Span(span) => span.busy().zip(span.idle()),
                CapturedNode::Event(_) => None,
            };
            match (node.trace().time_since_start(node.moment()), durations) {
                (Some(at), Some((busy, idle))) => {
                    remark(format_args!("at {at:?}, busy {busy:?}, idle {idle:?}"))?;
                }
                (Some(at), None) => remark(format_args!("at {at:?}"))?,
                (None, _) => {}
            }
        }
        if options.lines {
            if let Some(file) = node.metadata().file() {
                let file = Name { drawing: options.drawing, text: file, is_clear: true };
                match node.metadata().line() {
                    Some(number) => remark(format_args!("{file}:{number}"))?,
                    None => remark(format_args!("{file}"))?,
                }
            }
        }
        Ok(())
    }

    /// Writes the same for a later happening of a node.
    fn write_remarks_on(
        &self,
        line: &mut Words<'_, '_>,
        node: CapturedNode<'_>,
        happened: &Happened<'_>,
    ) -> fmt::Result {
        let Options { drawing, threads, times, .. } = *self.options;
        let (trace, moment) = (node.trace(), happened.moment);
        if let Some(thread) = trace.thread_of(moment).filter(|_| threads) {
            line.word(Mark(drawing, format_args!("thread {thread}")))?;
        }
        if let Some(since_start) = trace.time_since_start(moment).filter(|_| times) {
            line.word(Mark(drawing, format_args!("at {since_start:?}")))?;
        }
        Ok(())
    }

    /// Calls a function with each line of the values that have several, in the order of the values.
    pub(super) fn try_for_each_further_line(
        &self,
        mut write: impl FnMut(&dyn fmt::Display) -> fmt::Result,
    ) -> fmt::Result {
        let options = self.options;
        let fields = self.shown.fields(self.options).map(|(_, value)| value.text());
        let values = self.shown.message().into_iter().chain(fields);
        for text in values.filter(|text| text.is_multi_line() && !options.is_one_line) {
            let lines = text.lines();
            for pieces in lines.iter().take(options.max_lines) {
                let line = Cut::new(pieces, Quote::None, options.drawing, options.max_chars);
                write(&line)?;
            }
            if let Some(number) = lines.len().checked_sub(options.max_lines).filter(|n| *n > 0) {
                let rest = Rest { number, noun: "lines", pieces: &text.pieces };
                write(&Mark(options.drawing, rest))?;
            }
        }
        Ok(())
    }
}

/// A value on the line of its node. For a value with several lines, their number stands there.
struct Value<'t> {
    text: &'t Text<'t>,
    options: Options,
    is_cut: Option<&'t Cell<bool>>,
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, ref options, is_cut } = *self;
        if text.is_multi_line() && !options.is_one_line {
            let quote = text.quote.as_str();
            let number = text.lines().len();
            write!(formatter, "{quote}")?;
            Mark(options.drawing, format_args!("{number} lines")).fmt(formatter)?;
            return write!(formatter, "{quote}");
        }
        let line = Cut::new(&text.pieces, text.quote, options.drawing, options.max_chars);
        Cut { noted: is_cut, ..line }.fmt(formatter)
    }
}

/// A name, between quotes unless it is clear.
pub(super) struct Name<'n> {
    drawing: Drawing,
    text: &'n str,
    is_clear: bool,
}

impl<'n> Name<'n> {
    /// The name of a field, shown unmistakably.
    fn of_field(drawing: Drawing, text: &'n str) -> Self {
        let is_plain =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':' | '#' | '@' | '/');
        Self { drawing, text, is_clear: !text.is_empty() && text.chars().all(is_plain) }
    }

    /// The name of a span, shown such that it cannot be mistaken for its fields, for several names, or for something
    /// else.
    fn of_span(drawing: Drawing, text: &'n str) -> Self {
        let is_clear = !text.is_empty()
            && !text.contains(['{', '}', '=', ',', '"', '`'])
            && !text.starts_with(char::is_whitespace)
            && !text.ends_with(char::is_whitespace)
            && !starts_like_branch(text);
        Self { drawing, text, is_clear }
    }

    /// A target or module, shown such that it cannot be mistaken for several words.
    fn of_origin(drawing: Drawing, text: &'n str) -> Self {
        let is_clear =
            !text.contains(|c: char| c.is_whitespace() || c == '"') && !starts_like_branch(text);
        Self { drawing, text, is_clear }
    }

    /// The name of a span in the middle of a line, shown such that it cannot be mistaken for words around it.
    pub(super) fn in_line(drawing: Drawing, text: &'n str) -> Self {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':');
        Self { drawing, text, is_clear: !text.is_empty() && text.chars().all(is_plain) }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.is_clear { Quote::None } else { Quote::Double };
        let pieces = [Piece::Traced(self.text.into())];
        Cut::new(&pieces, quote, self.drawing, MAX_CHARS).fmt(formatter)
    }
}

/// Returns the colour that `tracing_subscriber::fmt` has for a level.
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
