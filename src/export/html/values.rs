//! Fields: each on the line of its span or event, and where the value is long or has several lines, as
//! a block below.

use alloc::{borrow::Cow, format, string::ToString, vec::Vec};
use core::fmt;

use super::text::{Count, Html, traced};
use crate::{
    export::short,
    wire::{TracedValue, hex::Hex, text::Escaped},
};

/// Bytes of a value on a line.
const MAX_ON_LINE: usize = 200;
/// Bytes of it if it is more, and stands in a block.
const MAX_OF_BLOCK_ON_LINE: usize = 60;
/// Bytes and lines of a block that is not folded.
const MAX_UNFOLDED: usize = 2_000;
const MAX_UNFOLDED_LINES: usize = 25;

/// The class of a value on the page, by which its type can be told.
fn class(value: &TracedValue) -> &'static str {
    match value {
        TracedValue::Bool(_) => "bool",
        TracedValue::Int(_) | TracedValue::UInt(_) | TracedValue::Float(_) => "number",
        TracedValue::String(_) => "string",
        TracedValue::Object(_) => "debug",
        TracedValue::Error(_) => "error-value",
        TracedValue::Bytes(_) => "bytes",
    }
}

/// A field on the line of its span or event.
pub(super) struct Field<'a>(pub(super) &'a str, pub(super) &'a TracedValue);

impl fmt::Display for Field<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name, value) = self;
        write!(formatter, "<i>{}</i>=", traced(&short::name(name)))?;
        write!(formatter, "<span class=\"{}\">", class(value))?;
        match (block(value), value) {
            (None, value) => write!(formatter, "{}", Html(value))?,
            (Some(_), TracedValue::Bytes(bytes)) => {
                let start = bytes.get(..MAX_OF_BLOCK_ON_LINE / 3).unwrap_or(bytes);
                write!(formatter, "{}…", Hex(start))?;
            }
            (Some(text), TracedValue::String(_)) => {
                write!(formatter, "&quot;{}…", traced(first_line(&text)))?;
            }
            (Some(text), _) => write!(formatter, "{}…", traced(first_line(&text)))?,
        }
        formatter.write_str("</span>")
    }
}

/// The message of an event on its line.
pub(super) struct Message<'a>(pub(super) &'a TracedValue);

impl fmt::Display for Message<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<span class=\"message\">")?;
        match block(self.0) {
            Some(text) => write!(formatter, "{}…", traced(first_line(&text)))?,
            // Nothing would look as if there were no message.
            None => match self.0.as_text() {
                None | Some("") => formatter.write_str("&quot;&quot;")?,
                Some(text) => write!(formatter, "{}", traced(text))?,
            },
        }
        formatter.write_str("</span>")
    }
}

/// The shown part of a text in a block.
fn first_line(text: &str) -> &str {
    short::start(text.split('\n').next().unwrap_or_default(), MAX_OF_BLOCK_ON_LINE)
}

/// Returns the text of a value that does not fit on a line.
fn block(value: &TracedValue) -> Option<Cow<'_, str>> {
    let does_not_fit = |text: &str| text.len() > MAX_ON_LINE || text.contains('\n');
    match value {
        TracedValue::Bool(_)
        | TracedValue::Int(_)
        | TracedValue::UInt(_)
        | TracedValue::Float(_) => None,
        TracedValue::String(text) => does_not_fit(text).then_some(Cow::Borrowed(text)),
        TracedValue::Object(text) => {
            does_not_fit(text.as_ref()).then_some(Cow::Borrowed(text.as_ref()))
        }
        TracedValue::Error(error) => {
            let rest = error.may_be_cut().then_some("…");
            let messages: Vec<_> = error.messages().chain(rest).collect();
            let does_not_fit = messages.iter().copied().any(does_not_fit)
                || messages.iter().map(|message| message.len()).sum::<usize>() > MAX_ON_LINE;
            does_not_fit.then(|| Cow::Owned(messages.join("\ncaused by: ")))
        }
        TracedValue::Bytes(bytes) => {
            (bytes.len() > MAX_ON_LINE / 3).then(|| Cow::Owned(Hex(bytes).to_string()))
        }
    }
}

/// Whether any of the values stands in a block.
pub(super) fn any_block<'a>(mut values: impl Iterator<Item = (&'a str, &'a TracedValue)>) -> bool {
    values.any(|(_, value)| block(value).is_some())
}

/// The block of a field, if it has one.
pub(super) struct Block<'a>(pub(super) &'a str, pub(super) &'a TracedValue);

impl fmt::Display for Block<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(text) = block(self.1) else { return Ok(()) };
        let name = short::name(self.0);
        let name = traced(&name);
        let size = match self.1 {
            TracedValue::Bytes(bytes) => bytes.len(),
            _ => text.len(),
        };
        let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let size = match lines {
            1 => format!("{}", Count(size, "byte")),
            lines => format!("{} in {}", Count(size, "byte"), Count(lines, "line")),
        };
        let is_folded = text.len() > MAX_UNFOLDED || lines > MAX_UNFOLDED_LINES;
        let end = if is_folded {
            write!(
                formatter,
                "<details class=\"value\"><summary><i>{name}</i> <small>{size}</small></summary>"
            )?;
            "</pre></details>"
        } else {
            write!(formatter, "<div class=\"value\"><i>{name}</i>")?;
            "</pre></div>"
        };
        // A line break that follows the tag is none of the text.
        writeln!(formatter, "<pre class=\"{}\">", class(self.1))?;
        for (i, line) in text.split('\n').enumerate() {
            formatter.write_str(if i > 0 { "\n" } else { "" })?;
            write!(formatter, "{}", Html(Escaped(line)))?;
        }
        formatter.write_str(end)
    }
}
