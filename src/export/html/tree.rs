//! The tree of the page: spans that fold, with their children.

use alloc::{vec, vec::Vec};
use core::fmt;

use super::row::{Anchor, Row, class};
use crate::capture::{CapturedNode, CapturedNodes, CapturedSpan, Durations, Storage};

/// Levels of the tree that are nested in the page. Deeper spans and events stand in the innermost of
/// them, one after another: browsers cannot take more than some hundred levels.
const MAX_NESTED: usize = 48;

/// Levels that are indented as is good to read; the others are a little.
const MAX_WIDE: usize = 12;

/// Spans and events that are shown at first, unless there are more roots.
const MAX_UNFOLDED: usize = 1_000;

/// Siblings that are laid out only when they are scrolled to.
const CHUNK: usize = 50;

/// The tree of a trace.
pub(super) struct Tree<'a> {
    storage: &'a Storage,
    durations: Vec<Durations>,
    has_threads: bool,
    /// Spans at less than this depth are unfolded.
    unfolded: usize,
}

/// The children of a span, or the roots, in the page.
struct Container {
    /// Whether they are laid out by chunks, and how many are in the last one.
    is_chunked: bool,
    in_chunk: usize,
}

impl Container {
    fn start_child(&mut self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_chunked {
            return Ok(());
        }
        if self.in_chunk == CHUNK {
            self.finish(formatter)?;
        }
        self.in_chunk += 1;
        formatter.write_str(if self.in_chunk == 1 { "<div class=\"chunk\">\n" } else { "" })
    }

    fn finish(&mut self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_open = self.in_chunk > 0;
        self.in_chunk = 0;
        formatter.write_str(if is_open { "</div>\n" } else { "" })
    }
}

impl<'a> Tree<'a> {
    pub(super) fn new(storage: &'a Storage, has_threads: bool) -> Self {
        let durations = storage.durations();
        Self { storage, durations, has_threads, unfolded: unfolded_depth(storage) }
    }

    fn is_nested(depth: usize) -> bool {
        depth < MAX_NESTED
    }

    fn container(children: &CapturedNodes<'_>, depth: usize) -> Container {
        let is_chunked = children.len() > CHUNK || !Self::is_nested(depth);
        Container { is_chunked, in_chunk: 0 }
    }

    fn row<'b>(&'b self, node: CapturedNode<'b>, depth: usize) -> Row<'b> {
        let depth = (depth > MAX_NESTED).then_some(depth);
        let Self { storage, durations, has_threads, .. } = self;
        Row { storage, node, durations, has_threads: *has_threads, depth }
    }

    /// Writes a node that does not fold, or all of it that stands before its children.
    fn start_node(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        node: CapturedNode<'_>,
        depth: usize,
        folds: bool,
    ) -> fmt::Result {
        let row = self.row(node, depth);
        let kind = match node {
            CapturedNode::Span(_) => "span",
            CapturedNode::Event(_) => "event",
        };
        let deep = if depth > MAX_WIDE { " deep" } else { "" };
        let class = class(*row.metadata().level());
        let element = if folds { "details" } else { "div" };
        write!(
            formatter,
            "<{element} id=\"{}\" class=\"node {kind} {class}{deep}\"",
            Anchor(node)
        )?;
        let (line, end) = if folds { ("summary", "") } else { ("p", "</div>\n") };
        formatter.write_str(if folds && depth < self.unfolded { " open>" } else { ">" })?;
        write!(formatter, "<{line}>")?;
        row.write_line(formatter)?;
        write!(formatter, "</{line}>")?;
        if row.has_blocks() {
            formatter.write_str("<div class=\"values\">")?;
            row.write_blocks(formatter)?;
            formatter.write_str("</div>")?;
        }
        formatter.write_str(end)?;
        formatter.write_str(if folds { "\n" } else { "" })
    }

    fn folds(span: CapturedSpan<'_>, depth: usize) -> bool {
        Self::is_nested(depth) && span.nodes().len() > 0
    }
}

/// A tree may be deeper than a stack has room for: the nodes to be written are kept on the heap.
impl fmt::Display for Tree<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut containers = vec![Self::container(&self.storage.roots(), 0)];
        let mut unwritten = vec![self.storage.roots()];
        while let Some(siblings) = unwritten.last_mut() {
            let next = siblings.next();
            let depth = unwritten.len() - 1;
            let Some(container) = containers.last_mut() else { break };
            let Some(node) = next else {
                if depth <= MAX_NESTED {
                    container.finish(formatter)?;
                    containers.pop();
                    formatter.write_str(if depth > 0 { "</details>\n" } else { "" })?;
                }
                unwritten.pop();
                continue;
            };
            container.start_child(formatter)?;
            let span = match node {
                CapturedNode::Span(span) => Some(span).filter(|span| span.nodes().len() > 0),
                CapturedNode::Event(_) => None,
            };
            let folds = span.is_some_and(|span| Self::folds(span, depth));
            self.start_node(formatter, node, depth, folds)?;
            if let Some(span) = span {
                if folds {
                    containers.push(Self::container(&span.nodes(), depth + 1));
                }
                unwritten.push(span.nodes());
            }
        }
        Ok(())
    }
}

/// Returns up to which depth spans are unfolded, in order not to show too much at first.
fn unfolded_depth(storage: &Storage) -> usize {
    let mut depths = Vec::with_capacity(storage.span_count());
    // How many nodes there are at each depth.
    let mut counts = vec![storage.roots().len()];
    for span in storage.all_spans() {
        // A span comes before those in it.
        let of_parent = span.parent().and_then(|parent| depths.get(parent.number()).copied());
        let depth = of_parent.map_or(0, |depth: usize| depth + 1);
        depths.push(depth);
        let children = span.nodes().len();
        if children > 0 {
            if counts.len() < depth + 2 {
                counts.resize(depth + 2, 0);
            }
            counts[depth + 1] += children;
        }
    }
    let shown = counts.iter().scan(0, |shown, count| {
        *shown += count;
        Some(*shown)
    });
    shown.skip(1).take_while(|shown| *shown <= MAX_UNFOLDED).count()
}
