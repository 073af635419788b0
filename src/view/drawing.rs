//! What a tree is drawn with, and what keeps traced text apart from it.

use core::fmt;

use crate::wire::text::Escaped;

/// What lines, branches and marks are drawn with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Drawing {
    #[default]
    Unicode,
    Ascii,
}

impl Drawing {
    pub(super) fn opening(self) -> &'static str {
        if self == Self::Ascii { "<<" } else { "⟨" }
    }

    pub(super) fn closing(self) -> &'static str {
        if self == Self::Ascii { ">>" } else { "⟩" }
    }

    /// Leads past a node to those in its later siblings.
    pub(super) fn passing(self, has_more: bool) -> &'static str {
        match self {
            _ if !has_more => "   ",
            Self::Unicode => "│  ",
            Self::Ascii => "|  ",
        }
    }

    /// Leads to a node.
    pub(super) fn branch(self, has_more: bool) -> &'static str {
        match (self, has_more) {
            (Self::Unicode, true) => "├─ ",
            (Self::Unicode, false) => "└─ ",
            (Self::Ascii, true) => "|- ",
            (Self::Ascii, false) => "`- ",
        }
    }

    /// Stands in front of a line that is a part of a value.
    pub(super) fn gutter(self) -> &'static str {
        if self == Self::Ascii { ":" } else { "┆" }
    }

    pub(super) fn times(self) -> &'static str {
        if self == Self::Ascii { "x" } else { "×" }
    }
}

/// What spanshot says, rather than the program. Between these brackets, which are escaped in traced
/// text, nobody mistakes it.
pub(super) struct Mark<T>(pub(super) Drawing, pub(super) T);

impl<T: fmt::Display> fmt::Display for Mark<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}{}", self.0.opening(), self.1, self.0.closing())
    }
}

/// Traced text without anything that steers a terminal or could be taken for a mark.
pub(super) struct Traced<'a>(pub(super) Drawing, pub(super) &'a str);

impl fmt::Display for Traced<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(drawing, text) = *self;
        let is_mark = |position: usize, found: &str| match drawing {
            Drawing::Unicode => true,
            Drawing::Ascii => text[position + found.len()..].starts_with('<'),
        };
        let first = if drawing == Drawing::Ascii { '<' } else { '⟨' };
        let mut written = 0;
        for (position, found) in text.match_indices(first) {
            if is_mark(position, found) {
                write!(
                    formatter,
                    "{}{}",
                    Escaped(&text[written..position]),
                    first.escape_unicode()
                )?;
                written = position + found.len();
            }
        }
        Escaped(&text[written..]).fmt(formatter)
    }
}
