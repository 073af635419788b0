use core::{cell::Cell, fmt};

use tracing_subscriber::filter::Targets;

use crate::capture::{CapturedMetadata, CapturedNode, Storage};

/// A trace as people are to see it.
///
/// Its `Display` output stands in `view`, with that of [`Storage`]: what ends a capture needs the
/// tree, and does not know how it is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) storage: &'a Storage,
    /// What is shown, or `None` for everything. What is in a hidden span is shown at its place.
    pub(crate) filter: Option<&'a Targets>,
    pub(crate) is_coloured: bool,
    /// Lines to show. The middle is left out: the end shows the last records before a failure.
    pub(crate) max_lines: usize,
    /// Whether values are redacted as the latest snapshot of the trace has done.
    pub(crate) is_redacted: bool,
    /// Set if something was left out.
    pub(crate) is_cut: Option<&'a Cell<bool>>,
}

impl<'a> Shown<'a> {
    /// All of a trace, without colours.
    pub(crate) fn plain(storage: &'a Storage) -> Self {
        Self {
            storage,
            filter: None,
            is_coloured: false,
            max_lines: usize::MAX,
            is_redacted: false,
            is_cut: None,
        }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shown").field("filter", &self.filter).finish_non_exhaustive()
    }
}

/// Whether a filter lets a span or event be seen.
pub(crate) fn is_visible(filter: Option<&Targets>, node: CapturedNode<'_>) -> bool {
    let passes = |filter: &Targets, metadata: CapturedMetadata<'_>| {
        filter.would_enable(metadata.target(), metadata.level())
    };
    filter.is_none_or(|filter| match node {
        CapturedNode::Span(span) => passes(filter, span.metadata()),
        CapturedNode::Event(event) => passes(filter, event.metadata()),
    })
}
