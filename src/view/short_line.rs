use core::{cell::Cell, fmt};

use super::{
    line::Line,
    node::ViewNode,
    options::{Options, Rules, SHOW_ALL},
};
use crate::capture::{
    CapturedNode,
    short::{MAX_LINE, MAX_VALUE, Short},
};

/// The line of a span or event, without its children, and with long values cut.
pub(crate) struct ShortLine<'a> {
    node: CapturedNode<'a>,
    /// Set if something was cut.
    is_cut: Option<&'a Cell<bool>>,
    is_redacted: bool,
}

impl<'a> ShortLine<'a> {
    /// Creates the line for a message: without the values that a snapshot of the trace has redacted.
    pub(crate) fn new(node: CapturedNode<'a>) -> Self {
        Self { node, is_cut: None, is_redacted: true }
    }

    /// Creates the line with all values. It calls no function of the user, so this may be while a storage is locked.
    pub(crate) fn unredacted(node: CapturedNode<'a>) -> Self {
        Self { is_redacted: false, ..Self::new(node) }
    }

    /// Tells whether something was cut.
    pub(crate) fn noting_cuts(self, is_cut: &'a Cell<bool>) -> Self {
        Self { is_cut: Some(is_cut), ..self }
    }
}

impl fmt::Display for ShortLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nobody = Cell::new(false);
        let is_cut = self.is_cut.unwrap_or(&nobody);
        let printed = self.node.trace().printed();
        match printed.line_drawing().filter(|_| self.is_redacted) {
            Some(draw) => draw(self.node, is_cut, formatter),
            None => write_short_line(self.node, &SHOW_ALL, is_cut, formatter),
        }
    }
}

/// Writes the line of a span or event by these rules.
pub(super) fn write_short_line(
    node: CapturedNode<'_>,
    rules: &dyn Rules,
    is_cut: &Cell<bool>,
    formatter: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let options = Options { is_one_line: true, max_chars: MAX_VALUE, ..Options::default() };
    let shown = ViewNode::alone(node, rules);
    let line = Line { options: &options, shown: &shown, is_cut: Some(is_cut) };
    let line = Short { text: line, max_chars: MAX_LINE, is_cut: Some(is_cut), escapes: false };
    fmt::Display::fmt(&line, formatter)
}
