//! What is shown of a trace.

use tracing_subscriber::filter::Targets;

use super::{drawing::Drawing, text::Text};
use crate::{
    capture::{CapturedNode, is_visible},
    wire::TracedValue,
};

/// Characters of a value, or of a line of it, that are shown unless another number is asked for.
pub(super) const MAX_CHARS: usize = 300;

/// Lines of a value that are shown unless another number is asked for.
const MAX_LINES: usize = 40;

/// The same for data.
#[cfg(feature = "snapshot")]
pub(super) const MAX_DATA_CHARS: usize = MAX_CHARS * MAX_LINES;

/// What is shown of each node.
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
    /// Whether values have no lines of their own.
    pub(crate) is_one_line: bool,
    /// Whether equal nodes in a row are one, with their number.
    pub(crate) folds: bool,
    /// Levels of the tree below the roots.
    pub(crate) max_depth: usize,
    /// Whether the number of what is deeper is shown.
    pub(crate) says_what_is_deeper: bool,
    pub(crate) max_chars: usize,
    pub(crate) max_lines: usize,
}

impl Options {
    /// Characters of a value that are shown in data: those of all of its lines.
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
            folds: true,
            max_depth: usize::MAX,
            says_what_is_deeper: true,
            max_chars: MAX_CHARS,
            max_lines: MAX_LINES,
        }
    }
}

/// What makes a trace another one before it is shown.
pub(crate) trait Rules {
    /// Whether the node is shown. If a span is not, what is in it stands at its place.
    fn shows(&self, node: CapturedNode<'_>) -> bool;

    /// Whether the order among its siblings means nothing.
    fn is_unordered(&self, node: CapturedNode<'_>) -> bool;

    /// What is shown instead of a value.
    fn normalize(
        &self,
        node: CapturedNode<'_>,
        name: &str,
        value: &TracedValue,
    ) -> Option<Text<'static>>;

    /// Whether marks are to get numbers.
    fn are_marks_numbered(&self) -> bool {
        false
    }
}

/// The rules of a trace that is shown as it is.
pub(super) const SHOW_ALL: Option<&Targets> = None;

/// A trace is shown as it is, but for what a filter hides.
impl Rules for Option<&Targets> {
    fn shows(&self, node: CapturedNode<'_>) -> bool {
        is_visible(*self, node)
    }

    fn is_unordered(&self, _: CapturedNode<'_>) -> bool {
        false
    }

    fn normalize(&self, _: CapturedNode<'_>, _: &str, _: &TracedValue) -> Option<Text<'static>> {
        None
    }
}
