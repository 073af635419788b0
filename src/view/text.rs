//! Text that a program traced, parts of which may have been replaced.

use alloc::{borrow::Cow, boxed::Box, format, string::ToString, vec, vec::Vec};
#[cfg(feature = "snapshot")]
use core::ops::Range;
use core::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

use crate::wire::{MAX_CHAIN, TracedValue};

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Piece<'a> {
    Traced(Cow<'a, str>),
    /// A mark that stands for a replaced part, or says something of the text.
    Mark(Cow<'a, str>, Replaced),
}

/// The text that a mark stands for, as long as the mark is yet to get a number. Marks that are shown alike are equal,
/// even if they replaced different texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Replaced(
    #[cfg_attr(not(feature = "snapshot"), expect(dead_code, reason = "only settings replace"))]
    pub(super) Option<Box<str>>,
);

impl PartialEq for Replaced {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Replaced {}

impl PartialOrd for Replaced {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Replaced {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

impl Hash for Replaced {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Piece<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Traced(text) | Self::Mark(text, _) => text,
        }
    }

    pub(super) fn is_traced(&self) -> bool {
        matches!(self, Self::Traced(_))
    }
}

/// The text of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Text<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
    pub(super) quote: Quote,
}

/// Whether a message, at the beginning of a line, would look like a branch of the tree, or like a line `…`, which stands for
/// any lines in a snapshot. It is at the beginning where settings hide the levels. There, insta would take `---` and `⋮`
/// for a part of a snapshot in an older format, and pass over them.
fn looks_drawn(text: &str) -> bool {
    text == "---" || starts_like_branch(text) || is_elision(text)
}

/// Whether a name, at the beginning of a line, would look like a branch of the tree.
pub(super) fn starts_like_branch(text: &str) -> bool {
    text.starts_with(['│', '├', '└', '⋮']) || text.starts_with("|  ") || text.starts_with("|- ")
}

/// Whether a line stands for other lines in a snapshot: `…`, to which a branch may lead. Lines of values are never
/// elisions, since a gutter precedes them.
pub(super) fn is_elision(line: &str) -> bool {
    line.trim_start_matches([' ', '│', '├', '└', '─', '|', '`', '-']).trim_end() == "…"
}

/// Marks an error whose last sources may be missing.
pub(super) fn cut_chain() -> Piece<'static> {
    Piece::Mark(Cow::Owned(format!("first {MAX_CHAIN} errors")), Replaced::default())
}

/// The quotes around a text, which show where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Quote {
    /// For numbers, and for the output of `Debug` and `Display`.
    None,
    /// For strings.
    Double,
    /// For text that would look like a field without quotes.
    Backtick,
}

impl Quote {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Double => "\"",
            Self::Backtick => "`",
        }
    }
}

impl<'a> Text<'a> {
    pub(super) fn of(value: &'a TracedValue) -> Self {
        let (text, quote) = match value {
            TracedValue::String(text) => (Cow::Borrowed(text.as_str()), Quote::Double),
            TracedValue::Object(text) => (Cow::Borrowed(text.as_ref()), Quote::None),
            TracedValue::Error(error) => {
                let messages: Vec<&str> = error.messages().collect();
                let text = Piece::Traced(Cow::Owned(messages.join(", caused by: ")));
                // It stands in front, since the end of a long text is not shown.
                let pieces = if error.may_be_cut() {
                    vec![cut_chain(), Piece::Traced(Cow::Borrowed(" ")), text]
                } else {
                    vec![text]
                };
                return Self { pieces, quote: Quote::None };
            }
            _ => (Cow::Owned(value.to_string()), Quote::None),
        };
        Self { pieces: vec![Piece::Traced(text)], quote }
    }

    /// Creates a text that was traced.
    pub(super) fn new(text: &'a str) -> Self {
        Self { pieces: vec![Piece::Traced(Cow::Borrowed(text))], quote: Quote::None }
    }

    /// Creates a mark that stands for a whole value.
    #[cfg(feature = "snapshot")]
    pub(super) fn mark(label: &str, replaced: Replaced) -> Text<'static> {
        let pieces = vec![Piece::Mark(Cow::Owned(label.into()), replaced)];
        Text { pieces, quote: Quote::None }
    }

    /// Whether a part of the text was replaced.
    #[cfg(feature = "snapshot")]
    pub(super) fn is_replaced(&self) -> bool {
        !self.pieces.iter().all(|piece| piece.is_traced() || *piece == cut_chain())
    }

    /// Returns the text of all pieces.
    #[cfg(feature = "snapshot")]
    pub(super) fn unquoted(&self) -> String {
        self.pieces.iter().map(Piece::as_str).collect()
    }

    #[cfg(feature = "snapshot")]
    pub(super) fn into_owned(self) -> Text<'static> {
        let pieces = self.pieces.into_iter().map(|piece| match piece {
            Piece::Traced(text) => Piece::Traced(Cow::Owned(text.into_owned())),
            Piece::Mark(mark, replaced) => Piece::Mark(Cow::Owned(mark.into_owned()), replaced),
        });
        Text { pieces: pieces.collect(), quote: self.quote }
    }

    /// Puts a mark in the place of everything that a function finds in the traced pieces. The function is called with
    /// the text of a piece and the mark in front of it.
    #[cfg(feature = "snapshot")]
    pub(super) fn replace_all(
        self,
        find_all: impl Fn(&str, Option<&str>) -> Vec<Range<usize>>,
        label: &str,
        is_numbered: bool,
    ) -> Self {
        let mut pieces: Vec<Piece<'a>> = Vec::new();
        for piece in self.pieces {
            let Piece::Traced(text) = &piece else {
                pieces.push(piece);
                continue;
            };
            let mark = pieces.last().filter(|piece| !piece.is_traced()).map(Piece::as_str);
            let mut kept = 0;
            for found in find_all(text, mark).into_iter().filter(|found| !found.is_empty()) {
                if found.start > kept {
                    pieces.push(Piece::Traced(Cow::Owned(text[kept..found.start].into())));
                }
                let replaced = is_numbered.then(|| text[found.clone()].into());
                pieces.push(Piece::Mark(Cow::Owned(label.into()), Replaced(replaced)));
                kept = found.end;
            }
            if kept == 0 {
                pieces.push(piece);
            } else if kept < text.len() {
                pieces.push(Piece::Traced(Cow::Owned(text[kept..].into())));
            }
        }
        Self { pieces, quote: self.quote }
    }

    /// Quotes the text if it would otherwise look as if fields followed it, as if there was no text, or like a line that
    /// is drawn.
    pub(super) fn into_message(mut self) -> Self {
        let is_empty = self.pieces.iter().all(|piece| piece.as_str().is_empty());
        // Text that would look like a span, or like a remark of the tree, is unclear, too.
        let is_unclear = is_empty
            || self.pieces.iter().any(|piece| piece.is_traced() && piece.as_str().contains('='))
            || self.starts_with(|c| matches!(c, '"' | '`' | '(') || c.is_whitespace())
            || self.ends_with(|c| c == '}' || c.is_whitespace())
            || self.pieces.iter().any(|piece| piece.as_str().contains("} (follows from "))
            || matches!(&self.pieces[..], [first, ..] if first.is_traced() && looks_drawn(first.as_str()));
        self.quote = if is_unclear { Quote::Backtick } else { Quote::None };
        self
    }

    /// Quotes the text of a field if it would otherwise look as if other fields followed it, or as if it stood between
    /// quotes. White space at its end is quoted as well: neither people nor insta would notice it.
    pub(super) fn into_field(mut self) -> Self {
        let looks_like_more =
            |text: &str| text.split_once(' ').is_some_and(|(_, rest)| rest.contains('='));
        let is_unclear =
            self.pieces.iter().any(|piece| piece.is_traced() && looks_like_more(piece.as_str()))
                || self.starts_with(|c| c == '`')
                || self.starts_with(|c| c == '"') && !self.is_plain_literal()
                || self.ends_with(char::is_whitespace);
        if self.quote == Quote::None && is_unclear {
            self.quote = Quote::Backtick;
        }
        self
    }

    /// Whether the text looks like the `Debug` output of a string without quotes in it. It cannot be mistaken for
    /// anything else.
    fn is_plain_literal(&self) -> bool {
        let traced = self.pieces.iter().filter(|piece| piece.is_traced());
        let quotes: usize = traced.map(|piece| piece.as_str().matches('"').count()).sum();
        quotes == 2 && self.starts_with(|c| c == '"') && self.ends_with(|c| c == '"')
    }

    fn starts_with(&self, condition: impl Fn(char) -> bool) -> bool {
        let first = self.pieces.first().filter(|piece| piece.is_traced());
        first.is_some_and(|piece| piece.as_str().starts_with(condition))
    }

    fn ends_with(&self, condition: impl Fn(char) -> bool) -> bool {
        let last = self.pieces.last().filter(|piece| piece.is_traced());
        last.and_then(|piece| piece.as_str().chars().next_back()).is_some_and(condition)
    }

    pub(super) fn is_multi_line(&self) -> bool {
        self.pieces.iter().any(|piece| piece.is_traced() && piece.as_str().contains('\n'))
    }

    /// Returns the lines of the text, without their line ends.
    pub(super) fn lines(&self) -> Vec<Vec<Piece<'_>>> {
        let mut lines = vec![Vec::new()];
        for piece in &self.pieces {
            match piece {
                Piece::Traced(text) => {
                    for (i, part) in text.split('\n').enumerate() {
                        if i > 0 {
                            lines.push(Vec::new());
                        }
                        if let (Some(line), false) = (lines.last_mut(), part.is_empty()) {
                            line.push(Piece::Traced(Cow::Borrowed(part)));
                        }
                    }
                }
                Piece::Mark(mark, _) => {
                    if let Some(line) = lines.last_mut() {
                        line.push(Piece::Mark(Cow::Borrowed(mark), Replaced::default()));
                    }
                }
            }
        }
        lines
    }
}
