//! Finds the parts of a text that differ from run to run: an ID, an address, a time.
//!
//! A form is recognized only as a whole: next to letters or digits, it is a part of something else.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};
use std::sync::OnceLock;

use regex_lite::Regex;

use super::durations;

/// A form that is recognized on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Pointer,
    Uuid,
    Ulid,
    Duration,
    Timestamp,
    IpAddress,
    Port,
    ThreadId,
}

/// Length of the longest IPv6 address with its zone and brackets.
const MAX_IPV6: usize = 64;

/// Number of bytes in front of a port that are searched for the beginning of a URL.
const MAX_URL: usize = 300;

impl Known {
    const ALL: [Self; 8] = [
        Self::Pointer,
        Self::Uuid,
        Self::Ulid,
        Self::Duration,
        Self::Timestamp,
        Self::IpAddress,
        Self::Port,
        Self::ThreadId,
    ];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Pointer => "pointer",
            Self::Uuid => "uuid",
            Self::Ulid => "ulid",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::IpAddress => "ip",
            Self::Port => "port",
            Self::ThreadId => "thread id",
        }
    }

    /// Finds the parts of a text to replace. `is_behind_ip` tells that the mark of an IP address is in front of the
    /// text, which may then begin with the port of that address.
    pub(super) fn find_all(self, text: &str, is_behind_ip: bool) -> Vec<Range<usize>> {
        let Some(candidates) = self.candidates() else { return Vec::new() };
        let text = &*without_escapes(text);
        if self == Self::Duration {
            let mut found = durations::find_all(text);
            found.extend(candidates.find_iter(text).map(|found| found.range()));
            found.sort_by_key(|found| found.start);
            return found;
        }
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut from = 0;
        while let Some(candidate) = candidates.find_at(text, from) {
            // A rejected candidate may overlap with a match, but no match begins within a word. Candidates that can be
            // rejected are short, so this does not take quadratic time.
            if let Some(range) = self.accept(text, candidate.range(), is_behind_ip) {
                from = range.end;
                found.push(range);
            } else {
                let rest = &text[candidate.start()..];
                let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
                from = candidate.start() + word.max(1);
            }
        }
        found
    }

    fn candidates(self) -> Option<&'static Regex> {
        static PATTERNS: OnceLock<[Option<Regex>; 8]> = OnceLock::new();
        // The patterns are constants, and tests compile all of them.
        let patterns =
            PATTERNS.get_or_init(|| Known::ALL.map(|known| Regex::new(known.pattern()).ok()));
        patterns[self as usize].as_ref()
    }

    /// Candidates begin with an ASCII character.
    fn pattern(self) -> &'static str {
        match self {
            Self::Pointer => r"\b0x[0-9a-fA-F]{3,16}\b",
            // Digests and trace IDs look like the simple form, too. So the digits of version and variant have to be
            // valid in RFC 9562.
            Self::Uuid => concat!(
                "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
                "|[0-9a-fA-F]{12}[1-8][0-9a-fA-F]{3}[89abAB][0-9a-fA-F]{15}",
            ),
            // The `Debug` output of the crate `ulid` is a number, on one line or several.
            Self::Ulid => concat!(
                "[0-7](?:[0-9A-HJKMNP-TV-Z]{25}|[0-9a-hjkmnp-tv-z]{25})",
                r"|\bUlid\(\s*\d{1,39},?\s*\)",
            ),
            // The `Debug` output of structures, on one line or several. Numbers with units have no pattern.
            Self::Duration => concat!(
                r"\b\w*(?:Duration|TimeDelta) \{\s+sec(?:ond)?s: -?\d+,",
                r"\s+nano(?:second)?s: -?\d+,?\s+\}",
            ),
            // RFC 3339 with its liberties, dates of mail and HTTP, and the `Debug` output of structures.
            Self::Timestamp => concat!(
                r"\b\d{4}-\d{2}-\d{2}[Tt ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?",
                r"(?:[Zz]\b| ?(?:UTC|GMT|BST|IST|JST|KST|MSK|[CEW]ES?T|[ECMP][SD]T|A[CEW][SD]T|NZ[SD]T)\b",
                r"| ?[+-]\d{2}:?\d{2}(?::\d{2})?\b|[+-]\d{2}\b| \+00\b)?",
                r"(?:\[[A-Za-z0-9_+/:-]{1,48}\])?",
                r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?:\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}",
                r"(?: GMT\b| UTC\b| [+-]\d{4}\b)?|[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}\b)",
                r"|\b(?:SystemTime|Instant) \{\s+tv_sec: -?\d+,\s+tv_nsec: \d+,?\s+\}",
                r"|\bSystemTime \{\s+intervals: -?\d+,?\s+\}",
                r"|\bInstant \{\s+t: [0-9.]+(?:ns|µs|ms|s),?\s+\}",
                r"|\b\w*Timestamp \{\s+sec(?:ond)?s: -?\d+,\s+nano(?:second)?s: -?\d+,?\s+\}",
            ),
            Self::IpAddress => concat!(
                r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}",
                "|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,41}(?:%[0-9A-Za-z_.-]{1,15})?",
            ),
            Self::Port => r":\d{1,5}",
            Self::ThreadId => r"\bThreadId\(\s*\d+,?\s*\)",
        }
    }

    /// Returns the part of a candidate to replace, unless the candidate is rejected.
    fn accept(
        self,
        text: &str,
        candidate: Range<usize>,
        is_behind_ip: bool,
    ) -> Option<Range<usize>> {
        let found = &text[candidate.clone()];
        match self {
            Self::Uuid => stands_alone(text, &candidate).then_some(candidate),
            // A number of 26 digits is rejected: hardly any ULID has no letter.
            Self::Ulid => {
                let has_letter = found.bytes().any(|byte| byte.is_ascii_alphabetic());
                (has_letter && stands_alone(text, &candidate)).then_some(candidate)
            }
            Self::IpAddress => accept_ip(text, candidate),
            Self::Port => {
                let (host, rest) = (&text[..candidate.start], &text[candidate.end..]);
                let is_port = found[1..].parse::<u16>().is_ok()
                    && !rest.starts_with(|c: char| is_of_word(c) || c == '@')
                    && (ends_with_host(host) || is_behind_ip && matches!(host, "" | "]"));
                is_port.then_some(candidate.start + 1..candidate.end)
            }
            Self::Pointer | Self::Duration | Self::Timestamp | Self::ThreadId => Some(candidate),
        }
    }
}

/// Replaces escaped line breaks and tabs by spaces, as many as they have bytes: otherwise, the letter of `\n` would be a part
/// of the word behind it.
fn without_escapes(text: &str) -> Cow<'_, str> {
    let mut rest = text;
    let mut spaced = String::new();
    while let Some(position) = rest.find('\\') {
        let (before, escape) = rest.split_at(position);
        let len = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
        spaced.push_str(before);
        let is_space = matches!(&escape[..len], "\\n" | "\\r" | "\\t");
        spaced.push_str(if is_space { "  " } else { &escape[..len] });
        rest = &escape[len..];
    }
    if spaced.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(spaced + rest)
}

/// Whether a character belongs to the word that it is next to.
pub(super) fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Whether neither side has a letter or digit. `_` and `-` are allowed, since they join IDs to words.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    !text[..range.start].ends_with(char::is_alphanumeric)
        && !text[range.end..].starts_with(char::is_alphanumeric)
}

/// Whether a text ends in digits and a point. Then a number behind it is a part of another number.
pub(super) fn ends_in_number(text: &str) -> bool {
    text.strip_suffix('.').is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit()))
}

fn accept_ip(text: &str, candidate: Range<usize>) -> Option<Range<usize>> {
    let before = &text[..candidate.start];
    if before.ends_with(is_of_word) || ends_in_number(before) {
        return None;
    }
    let found = &text[candidate.clone()];
    // The text behind an address may look like a part of it: `::1: unreachable`.
    let found = if found.contains('%') { found } else { found.trim_end_matches('.') };
    let is_address = |found: &str| {
        let address = found.split_once('%').map_or(found, |(address, _)| address);
        if address.parse::<Ipv4Addr>().is_ok() {
            return true;
        }
        // Without a digit, it is more likely a Rust path: `a::b`.
        address.parse::<Ipv6Addr>().is_ok()
            && !before.ends_with(':')
            && (address.contains(|c: char| c.is_ascii_digit()) || before.ends_with('['))
    };
    let found = if is_address(found) {
        found
    } else {
        Some(found.trim_end_matches(':')).filter(|found| is_address(found))?
    };
    let end = candidate.start + found.len();
    let rest = &text[end..];
    let goes_on = rest.starts_with(is_of_word)
        || rest
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    (!goes_on).then_some(candidate.start..end)
}

/// Whether a text ends in a host that can have a port: an IP address, `localhost`, or the host of a URL.
fn ends_with_host(text: &str) -> bool {
    if let Some(text) = text.strip_suffix(']') {
        return tail(text, MAX_IPV6).rsplit_once('[').is_some_and(|(_, inner)| {
            let address = inner.split_once('%').map_or(inner, |(address, _)| address);
            address.parse::<Ipv6Addr>().is_ok()
        });
    }
    let name = text.trim_end_matches(|c: char| is_of_word(c) || matches!(c, '.' | '-'));
    let (before, host) = text.split_at(name.len());
    if host == "localhost" || host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    // `scheme://host` or `scheme://user:password@host`.
    let Some(before) = before.strip_suffix('@') else {
        return !host.is_empty() && before.ends_with("://");
    };
    let user = tail(before, MAX_URL).rsplit_once("://").map(|(_, user)| user);
    !host.is_empty()
        && user.is_some_and(|user| !user.contains(|c: char| c == '/' || c.is_whitespace()))
}

/// Returns the end of a text, at most this many bytes. A guest may send megabytes of text that looks like ports:
/// looking back from each of them to the beginning would take hours.
fn tail(text: &str, max_bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(max_bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}
