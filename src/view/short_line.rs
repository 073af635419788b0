use core::{cell::Cell, fmt};

use super::{
    line::Line,
    node::ViewNode,
    options::{Options, SHOW_ALL},
};
use crate::capture::{
    CapturedNode,
    short::{MAX_LINE, MAX_VALUE, Short},
};

/// The line of a span or event, without its children, and with long values cut.
pub(crate) struct ShortLine<'a> {
    pub(crate) node: CapturedNode<'a>,
    /// Set if something was cut.
    pub(crate) is_cut: Option<&'a Cell<bool>>,
}

impl<'a> ShortLine<'a> {
    pub(crate) fn new(node: CapturedNode<'a>) -> Self {
        Self { node, is_cut: None }
    }
}

impl fmt::Display for ShortLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = Options { is_one_line: true, max_chars: MAX_VALUE, ..Options::default() };
        let shown = ViewNode::alone(self.node, &SHOW_ALL);
        let is_cut = Cell::new(false);
        let line =
            Line { options: &options, shown: &shown, is_cut: Some(self.is_cut.unwrap_or(&is_cut)) };
        Short { text: line, max_chars: MAX_LINE, is_cut: self.is_cut, escapes: false }
            .fmt(formatter)
    }
}
