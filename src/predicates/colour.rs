//! Colours of failure messages.

use alloc::string::String;
use core::fmt::Write;

use anstyle::{AnsiColor, Effects, Style};

/// Colours the conditions that are met, those that are not, and marked nodes. It recognizes them by the beginnings of
/// lines, which are safe: traced text is escaped, and never begins a line.
pub(super) fn coloured(message: &str) -> String {
    let mut coloured = String::with_capacity(message.len() + message.len() / 8);
    for line in message.split_inclusive('\n') {
        let text = line.trim_end_matches('\n');
        let style = match text.trim_start().chars().next() {
            Some('✓') => AnsiColor::Green.on_default(),
            Some('✗') => AnsiColor::Red.on_default(),
            Some('▶') => Style::new().effects(Effects::BOLD),
            _ => Style::new(),
        };
        // Writing to a string does not fail.
        let _ = write!(coloured, "{style}{text}{style:#}");
        coloured.push_str(&line[text.len()..]);
    }
    coloured
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_and_marked_lines_are_coloured() {
        let message = "no event matches\n\n  INFO text\n    ✓ met\n    ✗ unmet\n\n▶ INFO text\n";
        let expected = "no event matches\n\n  INFO text\n\
                        \u{1b}[32m    ✓ met\u{1b}[0m\n\u{1b}[31m    ✗ unmet\u{1b}[0m\n\n\
                        \u{1b}[1m▶ INFO text\u{1b}[0m\n";
        assert_eq!(coloured(message), expected);
        assert_eq!(coloured("no event matches"), "no event matches");
    }
}
