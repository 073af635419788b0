use alloc::{format, string::String, vec, vec::Vec};
use core::fmt::Write;

use crate::view::{align::align, digest::digest_text, text::is_elision};

/// Lines of a difference, and of the trace, that a message shows.
const MAX_LINES: usize = 40;

/// The reason why a text does not match.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) reason: String,
    /// Whether the reason shows the text, or a part of it.
    pub(super) shows_trace: bool,
}

impl Mismatch {
    fn without_trace(reason: &str) -> Self {
        Self { reason: reason.into(), shows_trace: false }
    }
}

/// A snapshot in which some lines stand for any lines.
pub(super) struct Elided<'a> {
    lines: Vec<&'a str>,
}

impl<'a> Elided<'a> {
    /// Returns `None` if the snapshot has no line `…`.
    pub(super) fn new(snapshot: &'a str) -> Option<Self> {
        let lines: Vec<_> = snapshot.lines().collect();
        lines.iter().any(|line| is_elision(line)).then_some(Self { lines })
    }

    /// Checks that a text matches, or says why it does not.
    pub(super) fn check(&self, text: &str) -> Result<(), Mismatch> {
        let text: Vec<_> = text.lines().collect();
        if self.lines.iter().all(|line| is_elision(line) || line.trim().is_empty()) {
            let reason = "it has nothing but lines `…`, so it would match any trace";
            return Err(Mismatch::without_trace(reason));
        }
        // A trace never shows such a line. A filter in insta's settings may have made it.
        if text.iter().any(|line| is_elision(line)) {
            let reason = "a line of the trace is `…`, which stands for any lines in a snapshot";
            return Err(Mismatch::without_trace(reason));
        }
        let Some(stop) = self.stop(&text) else { return Ok(()) };
        let reason = format!(
            "lines `…` stand for any lines\n\n{}\nthe trace, which stops matching at ▶:\n{}\nEdit the snapshot: \
             insta does not update it as long as it has lines `…`",
            self.difference(&text),
            around(&text, stop),
        );
        Err(Mismatch { reason, shows_trace: true })
    }

    /// Returns the line of the text at which it stops matching, or `None` if it matches.
    ///
    /// The parts between the elisions must be there in their order, the first one at the beginning and the last one at
    /// the end. An elision passes over lines that are at least as deep as it is:
    ///
    /// ```text
    /// places = {0}
    /// for each part:
    ///     add to places all to which the elision in front of the part leads
    ///     places = ends of the part at these places
    /// ```
    fn stop(&self, text: &[&str]) -> Option<usize> {
        let depths: Vec<_> = text.iter().map(|line| depth(line)).collect();
        let mut elisions =
            self.lines.iter().filter(|line| is_elision(line)).map(|line| depth(line));
        let mut elision = None;
        let mut places = vec![0];
        for part in self.lines.split(|line| is_elision(line)) {
            if let Some(depth) = elision {
                places = passed(&places, &depths, depth);
            }
            elision = elisions.next();
            let is_last = elision.is_none();
            let fits = |end: usize| !is_last || end == text.len();
            let ends = places.iter().filter(|place| text[**place..].starts_with(part));
            let ends: Vec<_> =
                ends.map(|place| place + part.len()).filter(|end| fits(*end)).collect();
            if ends.is_empty() {
                let is_at_end = is_last && self.lines.len() > part.len();
                return Some(if is_at_end {
                    stop_before_end(part, text, &places)
                } else {
                    stop_behind(part, text, &places)
                });
            }
            places = ends;
        }
        None
    }

    /// Shows the snapshot, and the lines that it would need. Elided lines are not shown.
    ///
    /// Between two lines that are in both, a line next to them counts as changed if the snapshot has a line there.
    /// Lines further away count as elided.
    fn difference(&self, text: &[&str]) -> String {
        let digests =
            |lines: &[&str]| lines.iter().map(|line| digest_text(line)).collect::<Vec<_>>();
        let mut pairs = align(&digests(&self.lines), &digests(text));
        pairs.push((self.lines.len(), text.len()));
        let mut shown = Vec::new();
        let (mut old, mut new) = (0, 0);
        for (next_old, next_new) in pairs {
            let (gone, added) = (&self.lines[old..next_old], &text[new..next_new]);
            let before = gone.iter().position(|line| is_elision(line));
            let behind = gone.iter().rev().position(|line| is_elision(line)).unwrap_or(0);
            let (first, rest) = added.split_at(before.unwrap_or(added.len()).min(added.len()));
            let last = &rest[rest.len() - behind.min(rest.len())..];
            for (index, line) in gone.iter().enumerate() {
                if before == Some(index) {
                    shown.extend(first.iter().map(|line| ('+', *line)));
                }
                shown.push((if is_elision(line) { ' ' } else { '-' }, *line));
            }
            if before.is_none() {
                shown.extend(first.iter().map(|line| ('+', *line)));
            }
            shown.extend(last.iter().map(|line| ('+', *line)));
            shown.extend(self.lines.get(next_old).map(|line| (' ', *line)));
            (old, new) = (next_old + 1, next_new + 1);
        }
        // The first difference matters most.
        let first = shown.iter().position(|(mark, _)| *mark != ' ').unwrap_or(0);
        excerpt(shown.into_iter(), first.saturating_sub(MAX_LINES / 4))
    }
}

/// Shows lines with their marks, from one of them on, and how many there are before and behind.
fn excerpt<'t>(lines: impl ExactSizeIterator<Item = (char, &'t str)>, start: usize) -> String {
    let left = lines.len().saturating_sub(start + MAX_LINES);
    let mut shown = String::new();
    if start > 0 {
        let _ = writeln!(shown, "⋮ {start} more");
    }
    for (mark, line) in lines.skip(start).take(MAX_LINES) {
        let _ = writeln!(shown, "{mark} {line}");
    }
    if left > 0 {
        let _ = writeln!(shown, "⋮ {left} more");
    }
    shown
}

/// Returns the places to which an elision of a depth leads: past lines that are at least as deep, or past none.
fn passed(places: &[usize], depths: &[usize], depth: usize) -> Vec<usize> {
    let mut passed: Vec<usize> = Vec::new();
    for place in places {
        let mut next = *place;
        // Places ascend, and what leads on from the last one is added already.
        while passed.last().is_none_or(|last| *last < next) {
            passed.push(next);
            if depths.get(next).is_none_or(|deep| *deep < depth) {
                break;
            }
            next += 1;
        }
    }
    passed
}

/// Returns the line at which the text stops matching a part, at the place where most of it matches.
fn stop_behind(part: &[&str], text: &[&str], places: &[usize]) -> usize {
    let mut nearest = (0, 0);
    for (index, place) in places.iter().enumerate() {
        let same = part.iter().zip(&text[*place..]).take_while(|(one, other)| one == other).count();
        if index == 0 || same > nearest.1 {
            nearest = (*place, same);
        }
    }
    nearest.0 + nearest.1
}

/// Returns the line at which the end of the text stops matching the last part.
fn stop_before_end(part: &[&str], text: &[&str], places: &[usize]) -> usize {
    let ends = part.iter().rev().zip(text.iter().rev());
    let same = ends.take_while(|(one, other)| one == other).count();
    let (first, last) = (places.first().copied(), places.last().copied());
    if same == part.len() {
        // The end is there, but the elision in front of it does not lead there.
        return last.unwrap_or_default();
    }
    (text.len() - same).saturating_sub(1).max(first.unwrap_or_default())
}

/// Returns the depth of a line in the tree: the number of branches in front of it. Each takes three columns.
fn depth(line: &str) -> usize {
    const BRANCHES: [&str; 7] = ["│  ", "├─ ", "└─ ", "   ", "|  ", "|- ", "`- "];

    let mut depth = 0;
    let mut rest = line;
    while let Some(behind) = BRANCHES.iter().find_map(|branch| rest.strip_prefix(branch)) {
        (depth, rest) = (depth + 1, behind);
    }
    depth
}

/// Shows a text around one of its lines, or around its end.
fn around(text: &[&str], stop: usize) -> String {
    let last_start = text.len().saturating_sub(MAX_LINES);
    let start = stop.saturating_sub(MAX_LINES / 4).min(last_start);
    let mark = |index| if index == stop { '▶' } else { ' ' };
    let lines = text.iter().enumerate().map(|(index, line)| (mark(index), *line));
    let mut shown = excerpt(lines, start);
    if stop >= text.len() {
        shown.push_str("▶ (the end of the trace)\n");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(snapshot: &str, text: &str) -> Result<(), String> {
        let outcome = Elided::new(snapshot).expect("it has an elision").check(text);
        outcome.map_err(|mismatch| {
            assert_eq!(mismatch.shows_trace, mismatch.reason.contains("\nthe trace, which stops"));
            mismatch.reason
        })
    }

    #[test]
    fn any_lines_or_none_are_elided() {
        for snapshot in
            ["…\nc", "a\n…", "a\n…\nc", "…\nb\n…", "a\n├─ …\n│  └─ …\nb\nc", "…\na\nb\n…\nc\n…"]
        {
            assert_eq!(check(snapshot, "a\nb\nc"), Ok(()), "{snapshot}");
        }
        for snapshot in [
            "a\n|- …\nc",
            "…\nb",
            "b\n…",
            "…\nb\na\n…",
            "a\n…\nb\nb\nc",
            "a\nb\n…\nb\nc",
            "…\nd\n…",
        ] {
            assert!(check(snapshot, "a\nb\nc").is_err(), "{snapshot}");
        }
        // With a branch, they are at least as deep.
        for snapshot in
            ["a\n├─ …\nd", "a\n├─ b\n│  └─ …\nd", "a\n|- …\nd", "a\n   …\nd", "…\n│  └─ c\nd"]
        {
            assert_eq!(check(snapshot, "a\n├─ b\n│  └─ c\nd"), Ok(()), "{snapshot}");
        }
        for snapshot in
            ["a\n├─ …\ne", "a\n├─ b\n│  └─ …\nd", "├─ …\nd\ne", "a\n├─ …\n│  └─ …\nd\n└─ …"]
        {
            assert!(check(snapshot, "a\n├─ b\n└─ c\nd\ne").is_err(), "{snapshot}");
        }
        // The first place is not always the right one.
        assert_eq!(check("…\na\n├─ …\n├─ c\n…", "a\n├─ b\na\n├─ b\n├─ c"), Ok(()));
        for line in ["…{}", "┆ …", ": …", "`…`", "INFO …", "… a=1", "… (3 more)", "⟨…⟩"]
        {
            assert!(Elided::new(line).is_none(), "{line}");
        }
    }

    #[test]
    fn nothing_pinned_is_no_match() {
        for snapshot in ["…", "…\n\n├─ …"] {
            let reason = check(snapshot, "a").unwrap_err();
            assert_eq!(reason, "it has nothing but lines `…`, so it would match any trace");
        }
        let reason = check("a\n…", "a\n…").unwrap_err();
        assert_eq!(reason, "a line of the trace is `…`, which stands for any lines in a snapshot");
    }

    #[test]
    fn message_shows_the_difference_and_the_trace_around_the_stop() {
        let lines = |numbers: core::ops::Range<usize>| {
            numbers.map(|n| format!("line {n}")).collect::<Vec<_>>()
        };
        let text = lines(0..100_000).join("\n");
        let reason = check("line 0\n…\nline 7\nline 8\nline x\n…\nline 99999", &text).unwrap_err();
        let shown = |numbers| format!("  {}\n", lines(numbers).join("\n  "));
        let expected = format!(
            "lines `…` stand for any lines

  line 0
  …
  line 7
  line 8
- line x
+ line 9
  …
  line 99999

the trace, which stops matching at ▶:
{}▶ line 9
{}⋮ 99960 more

Edit the snapshot: insta does not update it as long as it has lines `…`",
            shown(0..9),
            shown(10..40),
        );
        assert_eq!(reason, expected);
        let reason = check("line y\n…\nline 99997", &text).unwrap_err();
        let expected = "\n- line y\n+ line 0\n  …\n  line 99997\n+ line 99998\n+ line 99999\n";
        assert!(reason.contains(expected), "{reason}");
        assert!(reason.contains("▶:\n▶ line 0\n  line 1\n"), "{reason}");
        let reason = check("line 0\n…\nline 99997\nline 99999", &text).unwrap_err();
        assert!(reason.contains("\n  line 99997\n▶ line 99998\n  line 99999\n"), "{reason}");
        assert!(reason.contains("▶:\n⋮ 99960 more\n"), "{reason}");
        // Every line differs.
        let reason = check(&format!("…\n{}", text.replace("line", "x")), &text).unwrap_err();
        assert!(reason.lines().count() < 100, "{reason}");
        assert!(reason.contains("\n⋮ 199961 more\n"), "{reason}");
    }

    #[test]
    fn line_that_is_missing_behind_an_elision_is_shown_with_the_actual_ones() {
        let stop = |snapshot, text: &str| {
            let text: Vec<_> = text.lines().collect();
            Elided::new(snapshot).unwrap().stop(&text)
        };
        assert_eq!(stop("a\nb\n…\nx\n…\nd", "a\nb\nc\nd"), Some(2));
        assert_eq!(stop("a\n…\nb\n…\nb", "a\nb"), Some(2));
        assert_eq!(stop("a\nb\nc\n…", "a\nb"), Some(2));
        assert_eq!(stop("…\nc\n…\nb\n…", "a\nb\na\nc"), Some(4));
        assert_eq!(stop("…\nb\nx\n…", "a\nb\nc"), Some(2));
        assert_eq!(stop("…\nx\nc", "a\nb\nc"), Some(1));
        assert_eq!(stop("a\n├─ …\nd", "a\n├─ b\nc\nd"), Some(2));
        assert_eq!(stop("a\n├─ …\n└─ d\n…", "a\n├─ b\nc\n└─ d"), Some(1));
        let reason = check("…\nc\n…\nb\n…", "a\nb\na\nc").unwrap_err();
        let expected = "  a\n  b\n  a\n  c\n▶ (the end of the trace)\n";
        assert!(reason.contains(expected), "{reason}");
    }
}
