//! The parts of a trace that are shown.

use tracing_subscriber::filter::Targets;

use super::{drawing::Drawing, text::Text};
use crate::{
    capture::{CapturedNode, is_visible},
    wire::TracedValue,
};

/// Default limit for the characters that are shown of a value, or of each of its lines.
pub(super) const MAX_CHARS: usize = 300;

/// Default limit for the lines that are shown of a value.
const MAX_LINES: usize = 40;

/// Default limit for the characters of a value in data.
#[cfg(feature = "snapshot")]
pub(super) const MAX_DATA_CHARS: usize = MAX_CHARS * MAX_LINES;

/// The parts of each node that are shown.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // they have nothing to do with one another
pub(crate) struct Options {
    pub(crate) drawing: Drawing,
    pub(crate) is_coloured: bool,
    pub(crate) levels: bool,
    pub(crate) targets: bool,
    pub(crate) modules: bool,
    pub(crate) fields: bool,
    pub(crate) lines: bool,
    pub(crate) stats: bool,
    pub(crate) times: bool,
    pub(crate) threads: bool,
    /// Whether values with several lines stay on the line of their node.
    pub(crate) is_one_line: bool,
    /// Whether spans of one name are told apart where another span follows from one of them.
    pub(crate) tells_sources: bool,
    /// Whether equal nodes in a row are folded into one, with their number.
    pub(crate) folds: bool,
    /// Levels of the tree below the roots.
    pub(crate) max_depth: usize,
    /// Whether the number of deeper nodes is shown.
    pub(crate) says_what_is_deeper: bool,
    pub(crate) max_chars: usize,
    pub(crate) max_lines: usize,
}

impl Options {
    /// Limit for the characters of a value in data, over all of its lines.
    pub(super) fn max_data_chars(&self) -> usize {
        self.max_chars.saturating_mul(self.max_lines)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            drawing: Drawing::Unicode,
            is_coloured: false,
            levels: true,
            targets: false,
            modules: false,
            fields: true,
            lines: false,
            stats: false,
            times: false,
            threads: false,
            is_one_line: false,
            tells_sources: false,
            folds: true,
            max_depth: usize::MAX,
            says_what_is_deeper: true,
            max_chars: MAX_CHARS,
            max_lines: MAX_LINES,
        }
    }
}

/// Changes that are made to a trace before it is shown.
pub(crate) trait Rules {
    /// Whether the node is shown. If a span is not, its children take its place.
    fn shows(&self, node: CapturedNode<'_>) -> bool;

    /// Whether the position of the node among its siblings means nothing.
    fn is_unordered(&self, _: CapturedNode<'_>) -> bool {
        false
    }

    /// Returns the text that is shown instead of a value.
    fn normalize(
        &self,
        node: CapturedNode<'_>,
        name: &str,
        value: &TracedValue,
    ) -> Option<Text<'static>>;

    /// Whether marks get numbers.
    fn are_marks_numbered(&self) -> bool {
        false
    }
}

/// The rules of a trace that is shown as it is.
pub(super) const SHOW_ALL: Option<&Targets> = None;

/// Shows a trace as it is, without the nodes that the filter hides.
impl Rules for Option<&Targets> {
    fn shows(&self, node: CapturedNode<'_>) -> bool {
        is_visible(*self, node)
    }

    fn normalize(&self, _: CapturedNode<'_>, _: &str, _: &TracedValue) -> Option<Text<'static>> {
        None
    }
}
