//! The characters that a tree is drawn with, and the escaping that keeps traced text apart from them.

use core::fmt;

use crate::wire::text::Escaped;

/// The characters for lines, branches and marks.
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

    /// Leads past a node to its later siblings.
    fn passing(self, has_more: bool) -> &'static str {
        match self {
            _ if !has_more => "   ",
            Self::Unicode => "│  ",
            Self::Ascii => "|  ",
        }
    }

    /// Leads to a node.
    fn branch(self, has_more: bool) -> &'static str {
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

/// Maximum number of levels of a tree that are drawn. Deeper levels are hardly ever read, and drawing them would take
/// quadratic space.
const MAX_DRAWN_DEPTH: usize = 48;

/// The branch that leads from the root of a tree to a node, or past the node to lines that belong to it.
#[derive(Clone)]
pub(super) struct Branch<L> {
    pub(super) drawing: Drawing,
    /// For the node and each of its ancestors, outermost first: whether later siblings are drawn. Roots are not
    /// included, since no branches lead to them.
    pub(super) has_more: L,
    pub(super) leads: Leads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leads {
    /// To the last one of the nodes.
    To,
    /// Past all of them.
    Past,
}

impl<L> fmt::Display for Branch<L>
where
    L: DoubleEndedIterator<Item = bool> + ExactSizeIterator + Clone,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { drawing, mut has_more, leads } = self.clone();
        let last = if leads == Leads::To { has_more.next_back() } else { None };
        let passed = has_more.len();
        for has_more in has_more.take(MAX_DRAWN_DEPTH) {
            formatter.write_str(drawing.passing(has_more))?;
        }
        if passed > MAX_DRAWN_DEPTH {
            write!(formatter, "(depth {}) ", passed + 1)?;
        }
        last.map_or(Ok(()), |has_more| formatter.write_str(drawing.branch(has_more)))
    }
}

/// A remark of spanshot, not of the program. It stands between brackets that are escaped in traced text, so it is
/// unmistakable.
pub(super) struct Mark<T>(pub(super) Drawing, pub(super) T);

impl<T: fmt::Display> fmt::Display for Mark<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}{}", self.0.opening(), self.1, self.0.closing())
    }
}

/// Traced text, escaped such that it neither steers a terminal nor looks like a mark.
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
