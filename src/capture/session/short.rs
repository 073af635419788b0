//! Long texts in failure messages, which are cut.

use alloc::string::String;
use core::{
    cell::Cell,
    fmt::{self, Write},
};

use crate::wire::text::Visible;

/// Shown characters of a value among others.
#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
pub(crate) const MAX_VALUE: usize = 200;

/// Shown characters of the text about one condition.
#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
pub(crate) const MAX_PHRASE: usize = 400;

/// Shown characters of a line.
pub(crate) const MAX_LINE: usize = 1_000;

/// Shows the beginning of a long text, and the number of characters that are cut. The text is never stored as a whole.
///
pub(crate) struct Short<'a, T> {
    pub(crate) text: T,
    pub(crate) max_chars: usize,
    /// Set if something was left out.
    pub(crate) is_cut: Option<&'a Cell<bool>>,
    /// Whether characters that are not seen are escaped, as in the text of a predicate. Backslashes are not: parts of the
    /// text may be escaped already. Lines of a trace are escaped, and may have colours.
    pub(crate) escapes: bool,
}

#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
impl<T> Short<'_, T> {
    /// Shortens the text about one condition.
    pub(crate) fn phrase(text: T) -> Self {
        Self { text, max_chars: MAX_PHRASE, is_cut: None, escapes: true }
    }

    /// Shortens a text on a line of its own.
    pub(crate) fn line(text: T) -> Self {
        Self { text, max_chars: MAX_LINE, is_cut: None, escapes: true }
    }
}

impl<T: fmt::Display> fmt::Display for Short<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut start = FirstChars { text: String::new(), left: self.max_chars, cut: 0 };
        write!(start, "{}", self.text)?;
        let FirstChars { text, cut, .. } = start;
        if self.escapes {
            write!(formatter, "{}", Visible(&text))?;
        } else {
            formatter.write_str(&text)?;
        }
        if cut > 0 {
            if let Some(is_cut) = self.is_cut {
                is_cut.set(true);
            }
            write!(formatter, "… ({cut} more characters)")?;
        }
        Ok(())
    }
}

/// Takes text up to a number of characters, and counts the rest.
struct FirstChars {
    text: String,
    left: usize,
    cut: usize,
}

impl Write for FirstChars {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.char_indices().nth(self.left).map_or(text.len(), |(end, _)| end);
        let (first, rest) = text.split_at(end);
        self.left -= first.chars().count();
        self.cut += rest.chars().count();
        self.text.push_str(first);
        Ok(())
    }
}
