use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;

use crate::view::{align::align, digest::digest_text};

/// Lines of a difference that a message shows.
const MAX_LINES: usize = 80;

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
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        let text: Vec<_> = text.lines().collect();
        if self.lines.iter().all(|line| is_elision(line) || line.trim().is_empty()) {
            return Err("it has nothing but lines `…`, so it would match any trace".into());
        }
        // A trace never shows such a line. A filter in insta's settings may have made it.
        if text.iter().any(|line| is_elision(line)) {
            return Err(
                "a line of the trace is `…`, which stands for any lines in a snapshot".into()
            );
        }
        if self.matches(&text) {
            return Ok(());
        }
        Err(format!(
            "lines `…` stand for any lines\n\n{}\nEdit the snapshot: insta does not update it as long as it has \
             lines `…`",
            self.difference(&text)
        ))
    }

    /// The part before the first elision must be at the beginning, and the part after the last one at the end. The
    /// other parts must come in between, in their order. For each, taking the first place where it is found is enough.
    fn matches(&self, text: &[&str]) -> bool {
        let mut parts = self.lines.split(|line| is_elision(line));
        let (Some(first), Some(last)) = (parts.next(), parts.next_back()) else { return false };
        let rest = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
        let Some(mut rest) = rest else { return false };
        parts.filter(|part| !part.is_empty()).all(|part| {
            let found = rest.windows(part.len()).position(|window| window == part);
            found.is_some_and(|place| {
                rest = &rest[place + part.len()..];
                true
            })
        })
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
        Elided::new(snapshot).expect("it has an elision").check(text)
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
    fn difference_keeps_what_is_elided() {
        let text = (0..100_000).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        let reason = check("line 0\n…\nline x\nline 9\n…\nline 99999", &text).unwrap_err();
        let expected = "lines `…` stand for any lines

  line 0
  …
- line x
+ line 8
  line 9
  …
  line 99999

Edit the snapshot: insta does not update it as long as it has lines `…`";
        assert_eq!(reason, expected);
        let reason = check("line y\n…\nline 99997", &text).unwrap_err();
        assert!(
            reason
                .contains("\n- line y\n+ line 0\n  …\n  line 99997\n+ line 99998\n+ line 99999\n"),
            "{reason}"
        );
        // Every line differs.
        let reason = check(&format!("…\n{}", text.replace("line", "x")), &text).unwrap_err();
        assert!(reason.lines().count() < 100, "{reason}");
        assert!(reason.contains("\n⋮ 199921 more\n"), "{reason}");
    }
}
