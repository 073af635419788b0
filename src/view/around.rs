//! The part of a tree around some of its nodes, which are marked.

use alloc::{vec, vec::Vec};
use core::{
    cell::Cell,
    fmt::{self, Write},
};

use super::{
    drawing::{Branch, Drawing, Leads},
    short_line::ShortLine,
};
use crate::capture::{
    CapturedNode, CapturedNodes, CapturedSpan, DescendantEvents, Shown, ShownPart, Storage,
};

/// A tree with up to this many nodes is drawn as a whole.
const FEW: usize = 50;

/// Number of siblings that are drawn on either side of a marked node.
const BESIDE: usize = 2;

/// If a marked span has up to this many descendants, all of them are drawn.
const SMALL: usize = 12;

/// Number of children that are drawn of a larger span.
const INSIDE: usize = 3;

/// Maximum number of spans that are drawn around a marked node.
const OUTSIDE: usize = 16;

/// Maximum number of lines that are drawn.
const MAX_LINES: usize = 80;

/// Shows marked nodes in their tree: the whole tree if it is small, and otherwise only the nodes next to them. Nodes
/// that are left out are counted, but never drawn and then thrown away: there may be millions of them.
pub(crate) struct Around<'a> {
    storage: &'a Storage,
    marked: Vec<CapturedNode<'a>>,
    /// Spans around marked nodes.
    open: Vec<CapturedSpan<'a>>,
    /// Nodes beside and inside marked ones.
    context: Vec<CapturedNode<'a>>,
    /// The outermost spans that are drawn, if they are in other spans, which are not drawn.
    inner_roots: Vec<CapturedSpan<'a>>,
    /// The roots that these are in.
    outer_roots: Vec<CapturedSpan<'a>>,
    is_whole: bool,
    /// Whether long values were cut while drawing.
    is_cut: Cell<bool>,
    /// Numbers of lines and of marked nodes that are drawn so far.
    lines: Cell<usize>,
    marks: Cell<usize>,
}

impl<'a> Around<'a> {
    /// Shows the nodes around the marked ones. If no node is marked, it shows those around the focus, which gets no
    /// mark, or else the beginning of the tree.
    pub(crate) fn new(
        storage: &'a Storage,
        marked: Vec<CapturedNode<'a>>,
        focus: Option<CapturedNode<'a>>,
    ) -> Self {
        let is_whole = storage.all_spans().len() + storage.all_events().len() <= FEW;
        let mut around = Self {
            storage,
            marked: Vec::new(),
            open: Vec::new(),
            context: Vec::new(),
            inner_roots: Vec::new(),
            outer_roots: Vec::new(),
            is_whole,
            is_cut: Cell::new(false),
            lines: Cell::new(0),
            marks: Cell::new(0),
        };
        if !is_whole {
            for node in &marked {
                around.keep(*node);
            }
            match focus.filter(|_| marked.is_empty()) {
                Some(focus) => {
                    around.context.push(focus);
                    around.keep(focus);
                    if let CapturedNode::Span(span) = focus {
                        around.open.push(span);
                    }
                }
                None if marked.is_empty() => around.context.extend(storage.roots().take(INSIDE)),
                None => {}
            }
        }
        around.marked = marked;
        around
    }

    /// Returns which part of the tree was drawn: all of it, with uncut values, or only a part. Call it after drawing.
    pub(crate) fn shown(&self) -> ShownPart {
        if self.is_whole && !self.is_cut.get() {
            ShownPart::all(Shown::plain(self.storage))
        } else {
            ShownPart::part(self.storage)
        }
    }

    fn keep(&mut self, node: CapturedNode<'a>) {
        let mut ancestors = node.ancestors();
        let around: Vec<_> = ancestors.by_ref().take(OUTSIDE).collect();
        if let (Some(outermost), Some(_)) = (around.last().copied(), ancestors.next()) {
            // Nodes in another root are drawn there, and so is a root that is in this one.
            let is_drawn = self.open.contains(&outermost);
            self.inner_roots.retain(|root| is_drawn || !around.contains(root));
            if !is_drawn {
                self.inner_roots.push(outermost);
                self.outer_roots.extend(outermost.ancestors().last());
            }
        }
        self.open.extend(around);
        let siblings = |step: fn(&CapturedNode<'a>) -> Option<CapturedNode<'a>>| {
            core::iter::successors(step(&node), step).take(BESIDE)
        };
        self.context.extend(siblings(CapturedNode::previous_sibling));
        self.context.extend(siblings(CapturedNode::next_sibling));
        if let CapturedNode::Span(span) = node {
            let spans = span.descendants();
            let events = DescendantEvents::with_own(span);
            let inside = spans.clone().map(CapturedNode::Span);
            let inside = inside.chain(events.map(CapturedNode::Event));
            if inside.clone().nth(SMALL).is_none() {
                self.open.extend(spans);
                self.context.extend(inside);
            } else {
                self.context.extend(span.nodes().take(INSIDE));
            }
        }
    }

    fn draw(&self, node: CapturedNode<'a>) -> Drawn {
        let is_open = |span| self.open.contains(&span);
        match node {
            node if self.is_whole || self.marked.contains(&node) => Drawn::WithInside,
            CapturedNode::Span(span) if is_open(span) => Drawn::WithInside,
            node if self.context.contains(&node) => Drawn::Alone,
            _ => Drawn::Not,
        }
    }

    /// Writes the siblings that are drawn, each with its drawn descendants. Roots have no branches that lead to them.
    fn write_siblings(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        siblings: CapturedNodes<'a>,
        are_roots: bool,
    ) -> fmt::Result {
        let branch = |unwritten: &[Level<'_>], has_more| {
            let around = unwritten.split_last().map_or(&[][..], |(_, around)| around);
            let around = around.iter().map(|level| level.siblings.len() > 0);
            let has_more = around.chain([has_more]).skip(usize::from(are_roots));
            Branch {
                drawing: Drawing::Unicode,
                has_more: has_more.collect::<Vec<_>>().into_iter(),
                leads: Leads::To,
            }
        };
        let mut unwritten = vec![Level { siblings, skipped: 0 }];
        while let Some(level) = unwritten.last_mut() {
            if self.lines.get() >= MAX_LINES {
                return Ok(());
            }
            let node = level.siblings.next();
            let drawn = node.map_or(Drawn::Alone, |node| self.draw(node));
            if drawn == Drawn::Not {
                // Roots that are too far away are named below, above the part of them that is drawn.
                let is_below = |node| matches!(node, CapturedNode::Span(span) if self.outer_roots.contains(&span));
                level.skipped += usize::from(!node.is_some_and(is_below));
                continue;
            }
            let skipped = core::mem::take(&mut level.skipped);
            if skipped > 0 {
                self.lines.set(self.lines.get() + 1);
                write!(formatter, "\n  {}⋮ {skipped} more", branch(&unwritten, node.is_some()))?;
            }
            let Some(node) = node else {
                unwritten.pop();
                continue;
            };
            self.write_mark(formatter, node)?;
            let has_more = unwritten.last().is_some_and(|level| level.siblings.len() > 0);
            write!(formatter, "{}", branch(&unwritten, has_more))?;
            self.write_line(formatter, node)?;
            match (node, drawn) {
                (CapturedNode::Span(span), Drawn::WithInside) => {
                    unwritten.push(Level { siblings: span.nodes(), skipped: 0 });
                }
                (CapturedNode::Span(span), _) if span.nodes().len() > 0 => {
                    write!(formatter, " ⋮ {} inside", span.nodes().len())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn write_line(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        node: CapturedNode<'a>,
    ) -> fmt::Result {
        write!(formatter, "{}", ShortLine::new(node).noting_cuts(&self.is_cut))
    }

    fn write_mark(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        node: CapturedNode<'a>,
    ) -> fmt::Result {
        self.lines.set(self.lines.get() + 1);
        let is_marked = self.marked.contains(&node);
        self.marks.set(self.marks.get() + usize::from(is_marked));
        formatter.write_str(if is_marked { "\n▶ " } else { "\n  " })
    }
}

/// How much is drawn of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drawn {
    Not,
    Alone,
    WithInside,
}

/// Siblings that are yet to be written.
struct Level<'a> {
    siblings: CapturedNodes<'a>,
    /// Number of siblings just before that were not drawn.
    skipped: usize,
}

impl fmt::Display for Around<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.set(0);
        self.marks.set(0);
        formatter.write_str("the trace")?;
        if !self.is_whole {
            let nodes = self.storage.all_spans().len() + self.storage.all_events().len();
            write!(formatter, " (a part of its {nodes} spans and events)")?;
        }
        formatter.write_char(':')?;
        if self.storage.left_out() > 0 {
            write!(formatter, "\n  ({} nodes were left out of it)", self.storage.left_out())?;
        }
        self.write_siblings(formatter, self.storage.roots(), true)?;
        for span in &self.inner_roots {
            if self.lines.get() >= MAX_LINES {
                break;
            }
            write!(formatter, "\n  (in {} more spans", span.ancestors().count())?;
            if let Some(outermost) = span.ancestors().last() {
                formatter.write_str(", the outermost is ")?;
                self.write_line(formatter, CapturedNode::Span(outermost))?;
            }
            formatter.write_char(')')?;
            self.write_mark(formatter, CapturedNode::Span(*span))?;
            self.write_line(formatter, CapturedNode::Span(*span))?;
            self.write_siblings(formatter, span.nodes(), false)?;
        }
        if self.lines.get() >= MAX_LINES {
            formatter.write_str("\n  ⋮ and more around them")?;
            let left = self.marked.len().saturating_sub(self.marks.get());
            if left > 0 {
                write!(formatter, ", with {left} more ▶")?;
            }
        }
        Ok(())
    }
}
