use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;

use crate::view::{align::align, digest::digest_text};

/// Lines of a difference that a message shows.
const MAX_LINES: usize = 40;

/// Lines of the trace that a message shows.
const MAX_TRACE_LINES: usize = 40;

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
    /// The part before the first elision must be at the beginning, and the part after the last one at the end. The
    /// other parts must come in between, in their order. For each, taking the first place where it is found is enough.
    fn stop(&self, text: &[&str]) -> Option<usize> {
        let mut parts = self.lines.split(|line| is_elision(line));
        let (Some(first), Some(last)) = (parts.next(), parts.next_back()) else { return Some(0) };
        let Some(rest) = text.strip_prefix(first) else { return Some(common(first, text)) };
        let mut at = first.len();
        let Some(mut rest) = rest.strip_suffix(last) else {
            let common = last.iter().rev().zip(rest.iter().rev()).take_while(|(a, b)| a == b);
            // The first line that is not part of the end, or the one that should begin it.
            return Some((text.len() - common.count()).saturating_sub(1).max(at));
        };
        for part in parts.filter(|part| !part.is_empty()) {
            let Some(place) = rest.windows(part.len()).position(|window| window == part) else {
                return Some(at + nearest(part, rest));
            };
            at += place + part.len();
            rest = &rest[place + part.len()..];
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
        let mut message = String::new();
        // The first difference matters most.
        let skipped = shown
            .iter()
            .position(|(mark, _)| *mark != ' ')
            .unwrap_or(0)
            .saturating_sub(MAX_LINES / 4);
        if skipped > 0 {
            let _ = writeln!(message, "⋮ {skipped} more");
        }
        for (mark, line) in shown.iter().skip(skipped).take(MAX_LINES) {
            let _ = writeln!(message, "{mark} {line}");
        }
        let left = shown.len().saturating_sub(skipped + MAX_LINES);
        if left > 0 {
            let _ = writeln!(message, "⋮ {left} more");
        }
        message
    }
}

/// Returns the number of lines at the beginning that are the same.
fn common(lines: &[&str], text: &[&str]) -> usize {
    lines.iter().zip(text).take_while(|(line, other)| line == other).count()
}

/// Returns the line at which a text stops matching some lines, at the place where most of them match.
fn nearest(lines: &[&str], text: &[&str]) -> usize {
    let mut nearest = (0, 0);
    for start in 0..text.len() {
        let same = common(lines, &text[start..]);
        if same > nearest.1 {
            nearest = (start, same);
        }
    }
    nearest.0 + nearest.1
}

/// Shows a text around one of its lines, or around its end.
fn around(text: &[&str], stop: usize) -> String {
    let mut shown = String::new();
    let start = match stop.saturating_sub(MAX_TRACE_LINES / 4) {
        _ if text.len() <= MAX_TRACE_LINES => 0,
        start => start.min(text.len() - MAX_TRACE_LINES),
    };
    if start > 0 {
        let _ = writeln!(shown, "⋮ {start} more");
    }
    for (index, line) in text.iter().enumerate().skip(start).take(MAX_TRACE_LINES) {
        let mark = if index == stop { '▶' } else { ' ' };
        let _ = writeln!(shown, "{mark} {line}");
    }
    let left = text.len().saturating_sub(start + MAX_TRACE_LINES);
    if left > 0 {
        let _ = writeln!(shown, "⋮ {left} more");
    }
    if stop >= text.len() {
        shown.push_str("▶ (the end of the trace)\n");
    }
    shown
}

/// Whether a line stands for any lines: `…`, to which a branch may lead. Lines of values are never elisions, since a
/// gutter precedes them.
fn is_elision(line: &str) -> bool {
    line.trim_start_matches([' ', '│', '├', '└', '─', '|', '`', '-']).trim_end() == "…"
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
        for snapshot in [
            "…\nc",
            "a\n…",
            "a\n…\nc",
            "…\nb\n…",
            "a\n├─ …\n│  └─ …\nb\nc",
            "…\na\nb\n…\nc\n…",
            "a\n|- …\nc",
        ] {
            assert_eq!(check(snapshot, "a\nb\nc"), Ok(()), "{snapshot}");
        }
        for snapshot in ["…\nb", "b\n…", "…\nb\na\n…", "a\n…\nb\nb\nc", "a\nb\n…\nb\nc", "…\nd\n…"]
        {
            assert!(check(snapshot, "a\nb\nc").is_err(), "{snapshot}");
        }
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
        let shown =
            |numbers| lines(numbers).iter().map(|line| format!("  {line}\n")).collect::<String>();
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
        assert_eq!(stop("a\n…\nb\n…\nb", "a\nb"), Some(1));
        assert_eq!(stop("a\nb\nc\n…", "a\nb"), Some(2));
        assert_eq!(stop("…\nc\n…\nb\n…", "a\nb\na\nc"), Some(4));
        assert_eq!(stop("…\nb\nx\n…", "a\nb\nc"), Some(2));
        assert_eq!(stop("…\nx\nc", "a\nb\nc"), Some(1));
        let reason = check("…\nc\n…\nb\n…", "a\nb\na\nc").unwrap_err();
        let expected = "  a\n  b\n  a\n  c\n▶ (the end of the trace)\n";
        assert!(reason.contains(expected), "{reason}");
    }
}
