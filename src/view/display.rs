use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::{cell::Cell, fmt, ops::Range};

use tracing_subscriber::filter::Targets;

use super::{
    drawing::{Branch, Leads},
    line::Line,
    node::Place,
    options::{Options, Rules, SHOW_ALL},
    tree::View,
};
use crate::capture::{
    CapturedEvent, CapturedNode, CapturedSpan, RelayedElsewhere, Shown, Storage,
    short::{MAX_LINE, Short},
};

/// Maximum number of ancestors in a gap that are shown for the first node behind it.
const MAX_RESUMED: usize = 16;

/// Draws the tree of a trace, one span or event per line, in the order in which they were captured.
///
/// A span is `LEVEL name{field=value …}`, an event `LEVEL message field=value …`. Strings stand between quotes.
/// Messages and the output of `Debug` and `Display` do not, unless they would look like something else: then they stand
/// between backticks. Characters that could steer a terminal, invisible characters and spaces other than U+0020 are
/// escaped, as in `\u{a0}`. So no two texts look the same. In emoji that are made of several characters, some are
/// escaped: `❤\u{fe0f}`. Targets, lines, threads and times are left out.
///
/// Remarks of spanshot stand between `⟨` and `⟩`, which are escaped in traced text. Equal nodes in a row are folded
/// into one with their number, `⟨80×⟩`, and so are groups of up to 8 nodes that are there three times or more. A value
/// with several lines is shown below its node. A value of more than 300 characters or 40 lines is cut, with a digest of
/// the whole value.
///
/// So the trace may contain a text that the output does not show. To assert that a secret is nowhere in it, call
/// [`assert_never_contains()`](Storage::assert_never_contains), which searches every value as a whole.
///
/// A precision limits the depth: `{:.0}` shows the roots, `{:.1}` their children as well, and so on.
impl fmt::Display for Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown::plain(self).fmt(formatter)
    }
}

/// Draws the same tree without the nodes that the filter hides, and coloured, bounded and redacted as requested.
impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.storage.printed().drawing().filter(|_| self.is_redacted) {
            Some(draw) => draw(*self, formatter),
            None => write_shown(*self, &self.filter, formatter),
        }
    }
}

/// Writes a trace that is printed.
pub(super) fn write_shown(
    shown: Shown<'_>,
    rules: &dyn Rules,
    formatter: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let Shown { storage, filter, is_coloured, .. } = shown;
    let options = Options { is_coloured, ..options(formatter) };
    let mut view = View::of_trace(storage, options, rules);
    view.hidden = hidden(storage, filter);
    // Snapshots do not show this: their content does not depend on it.
    view.why_empty = storage.sight.relayed_elsewhere.map(RelayedElsewhere::what);
    if shown.max_lines == usize::MAX {
        return Lines::new(&view, formatter).write_all();
    }
    let mut counting = Lines::new(&view, formatter);
    counting.skipped = 0..usize::MAX;
    counting.write_all()?;
    let lines = counting.number;
    let is_cut = Cell::new(false);
    let mut writing = Lines::new(&view, formatter);
    writing.is_cut = Some(&is_cut);
    if lines > shown.max_lines {
        is_cut.set(true);
        let first = shown.max_lines / 3;
        writing.skipped = first..lines - (shown.max_lines - first);
    }
    writing.write_all()?;
    if is_cut.get() {
        if let Some(cut) = shown.is_cut {
            cut.set(true);
        }
        write!(
            formatter,
            "\n(a part of its {lines} lines: SPANSHOT_PRINT_LINES=all prints all of them, \
             SPANSHOT_RECORD=failure records the trace)"
        )?;
    }
    Ok(())
}

/// Draws the span with all its descendants, as in the tree of the whole trace. A precision limits the depth: `{:.0}`
/// shows the span alone.
impl fmt::Display for CapturedSpan<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        CapturedNode::Span(*self).fmt(formatter)
    }
}

/// Writes the line of the event in the tree of the trace.
impl fmt::Display for CapturedEvent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        CapturedNode::Event(*self).fmt(formatter)
    }
}

/// Draws the span with all its descendants, or writes the line of the event.
impl fmt::Display for CapturedNode<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        View::of_nodes(vec![*self], options(formatter), &SHOW_ALL).fmt(formatter)
    }
}

fn options(formatter: &fmt::Formatter<'_>) -> Options {
    let max_depth = formatter.precision().unwrap_or(usize::MAX);
    Options { max_depth, says_what_is_deeper: false, ..Options::default() }
}

/// Returns how many spans and events a filter hides.
fn hidden(storage: &Storage, filter: Option<&Targets>) -> usize {
    if filter.is_none() {
        return 0;
    }
    let spans = storage.all_spans().map(CapturedNode::Span);
    let nodes = spans.chain(storage.all_events().map(CapturedNode::Event));
    nodes.filter(|node| !filter.shows(*node)).count()
}

/// Draws the tree.
impl fmt::Display for View<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lines::new(self, formatter).write_all()
    }
}

/// Writes lines, with the branches that lead to them.
struct Lines<'l, 'f, 'a> {
    view: &'l View<'a>,
    formatter: &'l mut fmt::Formatter<'f>,
    is_first: bool,
    /// Number of lines so far, including skipped ones.
    number: usize,
    /// Line numbers of the node that is written, and of its ancestors.
    path: Vec<usize>,
    /// Lines that are left out.
    skipped: Range<usize>,
    /// Set if a line is cut. If it is `None`, lines are not cut.
    is_cut: Option<&'l Cell<bool>>,
}

impl<'l, 'f, 'a> Lines<'l, 'f, 'a> {
    fn new(view: &'l View<'a>, formatter: &'l mut fmt::Formatter<'f>) -> Self {
        let path = Vec::new();
        Self { view, formatter, is_first: true, number: 0, path, skipped: 0..0, is_cut: None }
    }

    fn write_all(&mut self) -> fmt::Result {
        self.write_notes_before()?;
        // The node that is written, and its ancestors.
        let mut path = vec![];
        let mut next = self.view.first_child(Place::ROOT);
        while let Some(place) = next {
            path.push(place);
            self.write_node(&path)?;
            next = self.view.first_child(place);
            while next.is_none() {
                let Some(place) = path.pop() else { break };
                next = self.view.next_sibling(place);
            }
        }
        self.write_notes_after()
    }

    fn line(&mut self, line: fmt::Arguments<'_>) -> fmt::Result {
        let is_skipped = self.skipped.contains(&self.number);
        if self.number == self.skipped.end {
            self.write_gap(0)?;
        }
        self.number += 1;
        if is_skipped { Ok(()) } else { self.write_line(line) }
    }

    fn write_line(&mut self, line: fmt::Arguments<'_>) -> fmt::Result {
        if !self.is_first {
            self.formatter.write_str("\n")?;
        }
        self.is_first = false;
        self.formatter.write_fmt(line)
    }

    /// Writes how many lines are left out, unless that was written already. It does not count the lines that are shown
    /// all the same.
    fn write_gap(&mut self, shown: usize) -> fmt::Result {
        let skipped = core::mem::take(&mut self.skipped);
        if skipped.is_empty() {
            return Ok(());
        }
        self.write_line(format_args!("⋮ {} more lines", skipped.len() - shown))
    }

    /// Goes on behind the gap, with those ancestors of the next node that are in it.
    fn resume(&mut self, ancestors: &[Place]) -> fmt::Result {
        let skipped = self.skipped.clone();
        let is_skipped = |place: &usize| skipped.contains(&self.path[*place]);
        let around: Vec<_> =
            (0..ancestors.len()).rev().take_while(is_skipped).take(MAX_RESUMED).collect();
        self.write_gap(around.len())?;
        for index in around.into_iter().rev() {
            self.write_node_line(&ancestors[..=index])?;
        }
        Ok(())
    }

    fn write_notes_before(&mut self) -> fmt::Result {
        let View { trace, hidden, why_empty, .. } = *self.view;
        let left_out = trace.map_or(0, Storage::left_out_earlier);
        if left_out > 0 {
            self.line(format_args!("({left_out} earlier nodes were left out)"))?;
        }
        if hidden == 0 && self.view.first_child(Place::ROOT).is_none() {
            let empty = match trace.map(Storage::node_count) {
                None => "no spans or events",
                Some(0) => "nothing was captured",
                Some(_) => "nothing is shown",
            };
            let colon = if why_empty.is_some() { ": " } else { "" };
            self.line(format_args!("({empty}{colon}{})", why_empty.unwrap_or_default()))?;
        }
        Ok(())
    }

    fn write_notes_after(&mut self) -> fmt::Result {
        let View { trace, hidden, .. } = *self.view;
        if hidden > 0 {
            let all = trace.map_or(0, Storage::node_count);
            self.line(format_args!("(the print filter hides {hidden} of {all} spans and events)"))?;
        }
        let left_out = trace.map_or(0, Storage::left_out_later);
        if left_out > 0 {
            self.line(format_args!("({left_out} later nodes were left out)"))?;
        }
        Ok(())
    }

    fn write_node(&mut self, path: &[Place]) -> fmt::Result {
        let view = self.view;
        let Some((&place, ancestors)) = path.split_last() else { return Ok(()) };
        if self.number == self.skipped.end {
            self.resume(ancestors)?;
        }
        self.path.truncate(ancestors.len());
        self.path.push(self.number);
        if self.skipped.contains(&self.number) {
            self.number += 1;
        } else {
            self.number += 1;
            self.write_node_line(path)?;
        }
        let line = Line { options: view.options(), shown: view.get(place), is_cut: None };
        let gutter = view.options().drawing.gutter();
        let branch = branch(view, path, Leads::Past);
        line.try_for_each_further_line(|further| {
            let further = further.to_string();
            // An empty line ends without a space. White space at the end of a line is escaped: people, some editors,
            // and insta at the end of a snapshot would not notice it.
            let space = if further.is_empty() { "" } else { " " };
            let last = further.chars().next_back().filter(|last| last.is_whitespace());
            let text = &further[..further.len() - last.map_or(0, char::len_utf8)];
            let last = last.iter().flat_map(|last| last.escape_unicode()).collect::<String>();
            self.line(format_args!("{branch}{gutter}{space}{text}{last}"))
        })
    }

    /// Writes the line of the last one of these nodes, each the parent of the next.
    fn write_node_line(&mut self, path: &[Place]) -> fmt::Result {
        let view = self.view;
        let Some(&place) = path.last() else { return Ok(()) };
        let text = Line { options: view.options(), shown: view.get(place), is_cut: None };
        let branch = branch(view, path, Leads::To);
        if self.is_cut.is_none() {
            return self.write_line(format_args!("{branch}{text}"));
        }
        let line = Short { text, max_chars: MAX_LINE, is_cut: self.is_cut, escapes: false };
        self.write_line(format_args!("{branch}{line}"))
    }
}

/// Returns the branch that leads to the last one of these nodes, each the parent of the next, or past it.
fn branch(view: &View<'_>, path: &[Place], leads: Leads) -> impl fmt::Display {
    let has_more = path.iter().skip(1).map(|place| view.next_sibling(*place).is_some());
    Branch { drawing: view.options().drawing, has_more, leads }
}
