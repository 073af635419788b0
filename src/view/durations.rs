//! Finds durations in a text: numbers with a unit of time, several of them in a row, and ISO 8601 durations.
//!
//! A unit may be the beginning of another word, or mean something else: `5 men`, `10m`. So a unit has to end where its
//! word does, and units that more likely mean metres or dimensions count only beside others:
//!
//! ```text
//! find number, unit            1h
//! while a smaller unit follows    30m
//! accept if what follows is no letter or digit, and one unit says time, or there are several
//! ```

use alloc::vec::Vec;
use core::ops::Range;

use super::recognize::{ends_in_number, is_of_word};

/// When a unit turns the number in front of it into a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// `5ms`, `5 ms`.
    Always,
    /// `30days`, which a program wrote. `30 days` is more likely prose.
    Unspaced,
    /// `2h 30m`, `1d 2h`. Alone it may be anything.
    InRow,
}

/// Units from the largest to the smallest, with their rank.
const UNITS: &[(u8, When, &[&str])] = &[
    (0, When::Unspaced, &["year", "years"]),
    (0, When::InRow, &["y", "yr", "yrs"]),
    (1, When::Unspaced, &["month", "months"]),
    (1, When::InRow, &["mo", "mos"]),
    (2, When::Unspaced, &["week", "weeks"]),
    (2, When::InRow, &["w", "wk", "wks"]),
    (3, When::Unspaced, &["day", "days"]),
    (3, When::InRow, &["d"]),
    (4, When::Always, &["hr", "hrs", "hour", "hours"]),
    (4, When::Unspaced, &["h"]),
    (5, When::Always, &["min", "mins", "minute", "minutes"]),
    (5, When::InRow, &["m"]),
    (6, When::Always, &["s", "sec", "secs", "second", "seconds"]),
    (7, When::Always, &["ms", "msec", "msecs", "millis", "millisecond", "milliseconds"]),
    // Both the sign for micro and the Greek letter.
    (8, When::Always, &["\u{b5}s", "\u{3bc}s", "us", "micros", "microsecond", "microseconds"]),
    (8, When::Always, &["\u{b5}sec", "\u{3bc}sec", "usec", "\u{b5}secs", "\u{3bc}secs", "usecs"]),
    (9, When::Always, &["ns", "nsec", "nsecs", "nanos", "nanosecond", "nanoseconds"]),
];

/// Finds all durations in a text.
pub(super) fn find_all(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(|c: char| c.is_ascii_digit() || c == 'P') {
        let start = from + start;
        let before = &text[..start];
        let is_start = !before.ends_with(is_of_word) && !ends_in_number(before);
        let end = is_start.then(|| iso(text, start).or_else(|| in_row(text, start))).flatten();
        match end.filter(|end| !text[*end..].starts_with(is_of_word)) {
            Some(end) => {
                found.push(start..end);
                from = end;
            }
            // The rest of the same number, or of the same word, is no duration either.
            None => from = (start + 1).max(digits(text, start)),
        }
    }
    found
}

/// A number with its unit.
struct Component {
    end: usize,
    rank: u8,
    when: When,
    is_spaced: bool,
    /// Whether it is written as people write it: `2 hours`.
    is_words: bool,
}

/// Returns the end of numbers with units in a row.
fn in_row(text: &str, start: usize) -> Option<usize> {
    let mut last = component(text, start)?;
    let mut says_time = last.says_time();
    loop {
        let rest = &text[last.end..];
        let separator =
            [", ", " ", ""].into_iter().find(|separator| rest.starts_with(separator))?;
        let next = component(text, last.end + separator.len());
        // Values of a list are not one duration: `[2s, 5ms]`. Words are one: `1 day, 2 hours`.
        let belongs = |next: &Component| {
            next.rank > last.rank && (separator != ", " || last.is_words && next.is_words)
        };
        let Some(next) = next.filter(belongs) else { break };
        says_time = true;
        last = next;
    }
    says_time.then_some(last.end)
}

impl Component {
    fn says_time(&self) -> bool {
        match self.when {
            When::Always => true,
            When::Unspaced => !self.is_spaced,
            When::InRow => false,
        }
    }
}

fn component(text: &str, start: usize) -> Option<Component> {
    let number = number(text, start)?;
    let is_spaced = text[number..].starts_with(' ');
    let unit = number + usize::from(is_spaced);
    let rest = &text[unit..];
    let len = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let is_unit = |(_, _, names): &&(u8, When, &[&str])| names.contains(&&rest[..len]);
    let (rank, when, _) = UNITS.iter().find(is_unit)?;
    let is_words = is_spaced && len >= "min".len();
    Some(Component { end: unit + len, rank: *rank, when: *when, is_spaced, is_words })
}

/// Returns the end of digits, with a fraction and an exponent if there are any.
fn number(text: &str, start: usize) -> Option<usize> {
    let mut end = Some(digits(text, start)).filter(|end| *end > start)?;
    if text[end..].starts_with('.') {
        end = Some(digits(text, end + 1)).filter(|fraction| *fraction > end + 1).unwrap_or(end);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = end + 1 + sign;
        end = Some(digits(text, exponent)).filter(|digits| *digits > exponent).unwrap_or(end);
    }
    Some(end)
}

/// Returns the end of the digits from here on.
fn digits(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    start + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
}

/// Returns the end of an ISO 8601 duration. Days alone are more likely a name: `P3D`. But `P0D` is what chrono writes for
/// no time at all.
fn iso(text: &str, start: usize) -> Option<usize> {
    let mut end = start + text[start..].strip_prefix('P').map(|_| 1)?;
    let mut designators = "YMWD";
    let (mut components, mut times) = (0, None);
    loop {
        if times.is_none() && text[end..].starts_with('T') {
            (end, designators, times) = (end + 1, "HMS", Some(0));
        }
        let Some(unit) = number(text, end) else { break };
        let designator = text[unit..].chars().next()?;
        let (_, smaller) = designators.split_once(designator)?;
        (end, designators, components) = (unit + 1, smaller, components + 1);
        times = times.map(|times| times + 1);
    }
    let is_zero = &text[start..end] == "P0D";
    times.map_or(components > 1 || is_zero, |times: u32| times > 0).then_some(end)
}
