use core::{cell::Cell, fmt};

use tracing_subscriber::filter::Targets;

use crate::capture::{CapturedMetadata, CapturedNode, Storage};

/// A trace to show to people.
///
/// The `Display` implementations of this and of [`Storage`] are in `view`: the code that ends a capture needs the tree,
/// but not its drawing.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) storage: &'a Storage,
    /// Selects nodes to show; `None` shows everything. The children of a hidden span are shown in its place.
    pub(crate) filter: Option<&'a Targets>,
    pub(crate) is_coloured: bool,
    /// Maximal lines to show. Of a longer trace, the middle is left out: the end shows the last records before a
    /// failure.
    pub(crate) max_lines: usize,
    /// Whether values are redacted in the same way as in the latest snapshot of the trace.
    pub(crate) is_redacted: bool,
    /// Set if something was left out.
    pub(crate) is_cut: Option<&'a Cell<bool>>,
}

impl<'a> Shown<'a> {
    /// Shows all of a trace, without colours.
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

/// Checks whether a filter shows a span or event.
pub(crate) fn is_visible(filter: Option<&Targets>, node: CapturedNode<'_>) -> bool {
    let passes = |filter: &Targets, metadata: CapturedMetadata<'_>| {
        filter.would_enable(metadata.target(), metadata.level())
    };
    filter.is_none_or(|filter| match node {
        CapturedNode::Span(span) => passes(filter, span.metadata()),
        CapturedNode::Event(event) => passes(filter, event.metadata()),
    })
}
