use alloc::{
    string::{String, ToString},
    vec,
};
use core::fmt;

use tracing_subscriber::filter::Targets;

use super::{
    line::Line,
    node::Place,
    options::{Options, Rules, SHOW_ALL},
    tree::View,
};
use crate::capture::{CapturedEvent, CapturedNode, CapturedSpan, RelayedElsewhere, Shown, Storage};

/// Levels of the tree that are drawn. Deeper ones are as good as never read, and drawing them would
/// take space in the square of their number.
const MAX_DRAWN_DEPTH: usize = 48;

/// The tree of a trace, one span or event a line, in the order in which they were captured.
///
/// A span is `LEVEL name{field=value …}`, an event `LEVEL message field=value …`. Strings stand between
/// quotes; messages and the output of `Debug` and `Display` do not, unless they would look like
/// something else: then they stand between backticks. What could steer a terminal, what is invisible and
/// spaces other than U+0020 are escaped, `\u{a0}`, so that no two texts look the same; of emoji that are made of
/// several characters, a part is: `❤\u{fe0f}`. Targets, lines, threads and times are left out.
///
/// What spanshot says itself stands between `⟨` and `⟩`, which are escaped in what was traced. Equal nodes
/// in a row are one with their number, `⟨80×⟩`, and so are groups of up to 8 nodes that are there three
/// times or more. A value that has several lines is shown below its node; one of more than 300
/// characters or 40 lines is cut, with a digest of all of it.
///
/// A text that is missing in the output may thus be in the trace. To assert that a secret is nowhere in it, call
/// [`assert_never_contains()`](Storage::assert_never_contains), which searches all of every value.
///
/// A precision limits the depth: `{:.0}` shows the roots, `{:.1}` what is in them as well, and so on.
impl fmt::Display for Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown::plain(self).fmt(formatter)
    }
}

/// The same, without what the filter hides, and in colour.
impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storage, filter, is_coloured } = *self;
        let options = Options { is_coloured, ..options(formatter) };
        let mut view = View::of_trace(storage, options, &filter);
        view.hidden = hidden(storage, filter);
        // Not in snapshots: what they show does not depend on it.
        view.why_empty = storage.sight.relayed_elsewhere.map(RelayedElsewhere::what);
        view.fmt(formatter)
    }
}

/// The span with all that is in it, as in the tree of the whole trace. A precision limits the depth:
/// `{:.0}` shows the span alone.
impl fmt::Display for CapturedSpan<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        CapturedNode::Span(*self).fmt(formatter)
    }
}

/// The line of the event in the tree of the trace.
impl fmt::Display for CapturedEvent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        CapturedNode::Event(*self).fmt(formatter)
    }
}

/// The span with all that is in it, or the line of the event.
impl fmt::Display for CapturedNode<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        View::of_nodes(vec![*self], options(formatter), &SHOW_ALL).fmt(formatter)
    }
}

fn options(formatter: &fmt::Formatter<'_>) -> Options {
    let max_depth = formatter.precision().unwrap_or(usize::MAX);
    Options { max_depth, says_what_is_deeper: false, ..Options::default() }
}

/// How many spans and events a filter hides.
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
        let mut lines = Lines { view: self, formatter, is_first: true };
        lines.write_notes_before()?;
        // Nodes on the way to that which is written.
        let mut path = vec![];
        let mut next = self.first_child(Place::ROOT);
        while let Some(place) = next {
            path.push(place);
            lines.write_node(&path)?;
            next = self.first_child(place);
            while next.is_none() {
                let Some(place) = path.pop() else { break };
                next = self.next_sibling(place);
            }
        }
        lines.write_notes_after()
    }
}

/// Writes lines, with what leads to them.
struct Lines<'l, 'f, 'a> {
    view: &'l View<'a>,
    formatter: &'l mut fmt::Formatter<'f>,
    is_first: bool,
}

impl Lines<'_, '_, '_> {
    fn line(&mut self, line: fmt::Arguments<'_>) -> fmt::Result {
        if !self.is_first {
            self.formatter.write_str("\n")?;
        }
        self.is_first = false;
        self.formatter.write_fmt(line)
    }

    fn write_notes_before(&mut self) -> fmt::Result {
        let View { left_out_earlier, hidden, empty, why_empty, .. } = *self.view;
        if left_out_earlier > 0 {
            self.line(format_args!("({left_out_earlier} earlier nodes were left out)"))?;
        }
        if hidden == 0 && self.view.first_child(Place::ROOT).is_none() {
            let colon = if why_empty.is_some() { ": " } else { "" };
            self.line(format_args!("({empty}{colon}{})", why_empty.unwrap_or_default()))?;
        }
        Ok(())
    }

    fn write_notes_after(&mut self) -> fmt::Result {
        let View { left_out_later, hidden, .. } = *self.view;
        if hidden > 0 {
            let all = self.view.all;
            self.line(format_args!("(the print filter hides {hidden} of {all} spans and events)"))?;
        }
        if left_out_later > 0 {
            self.line(format_args!("({left_out_later} later nodes were left out)"))?;
        }
        Ok(())
    }

    fn write_node(&mut self, path: &[Place]) -> fmt::Result {
        let view = self.view;
        let Some((&place, ancestors)) = path.split_last() else { return Ok(()) };
        let line = Line { options: view.options(), shown: view.get(place), is_cut: None };
        let branch = Branch { view, ancestors, place: Some(place) };
        self.line(format_args!("{branch}{line}"))?;
        let gutter = view.options().drawing.gutter();
        let branch = Branch { view, ancestors: path, place: None };
        line.try_for_each_further_line(|further| {
            let further = further.to_string();
            // An empty line ends without a space. One that ends in white space shows it: neither eyes, nor
            // insta at the end of a snapshot, nor some editors would see it.
            let space = if further.is_empty() { "" } else { " " };
            let last = further.chars().next_back().filter(|last| last.is_whitespace());
            let text = &further[..further.len() - last.map_or(0, char::len_utf8)];
            let last = last.iter().flat_map(|last| last.escape_unicode()).collect::<String>();
            self.line(format_args!("{branch}{gutter}{space}{text}{last}"))
        })
    }
}

/// What leads to a node, or to lines that belong to the last one of the ancestors.
struct Branch<'b, 'a> {
    view: &'b View<'a>,
    ancestors: &'b [Place],
    place: Option<Place>,
}

impl fmt::Display for Branch<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { view, ancestors, place } = *self;
        let drawing = view.options().drawing;
        // Roots have no branches that lead to them.
        let Some((_, ancestors)) = ancestors.split_first() else { return Ok(()) };
        let has_more = |place| view.next_sibling(place).is_some();
        for ancestor in ancestors.iter().take(MAX_DRAWN_DEPTH) {
            formatter.write_str(drawing.passing(has_more(*ancestor)))?;
        }
        if ancestors.len() > MAX_DRAWN_DEPTH {
            write!(formatter, "(depth {}) ", ancestors.len() + 1)?;
        }
        place.map_or(Ok(()), |place| formatter.write_str(drawing.branch(has_more(place))))
    }
}
