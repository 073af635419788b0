//! What stands for values that are not the same from run to run.

use alloc::{string::String, sync::Arc};
use core::fmt;
use std::sync::OnceLock;

use regex_lite::Regex;

use super::text::Text;
use crate::{capture::CapturedNode, wire::TracedValue};

/// One rule.
#[derive(Clone)]
pub(super) enum Redaction {
    /// All of the values of a field.
    Field { name: String, label: String },
    /// What a regular expression matches, in any value.
    Pattern { pattern: Regex, label: String },
    /// What a function has something to say about.
    With(Arc<RedactFn>),
}

pub(super) type RedactFn =
    dyn Fn(CapturedNode<'_>, &str, &TracedValue) -> Option<String> + Send + Sync;

impl fmt::Debug for Redaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { name, label } => write!(formatter, "Field({name:?}, {label:?})"),
            Self::Pattern { pattern, label } => {
                write!(formatter, "Pattern({pattern:?}, {label:?})")
            }
            Self::With(_) => formatter.write_str("With(_)"),
        }
    }
}

/// Applies the rules in turn: to what the ones before have left. `None` if none of them applies.
pub(super) fn redact(
    rules: &[Redaction],
    node: CapturedNode<'_>,
    name: &str,
    value: &TracedValue,
) -> Option<Text<'static>> {
    let mut text: Option<Text<'_>> = None;
    for rule in rules {
        match rule {
            Redaction::Field { name: of, label } if of == name => return Some(Text::mark(label)),
            Redaction::Field { .. } => {}
            Redaction::With(function) => {
                if let Some(label) = function(node, name, value) {
                    return Some(Text::mark(&label));
                }
            }
            Redaction::Pattern { pattern, label } => {
                let before = text.take().unwrap_or_else(|| Text::of(value));
                text = Some(before.replace_all(pattern, label));
            }
        }
    }
    text.filter(Text::has_marks).map(Text::into_owned)
}

/// What is recognized on request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    Pointer,
    Uuid,
    Duration,
    Timestamp,
}

impl Known {
    const ALL: [Self; 4] = [Self::Pointer, Self::Uuid, Self::Duration, Self::Timestamp];

    pub(super) fn redaction(self) -> Redaction {
        static PATTERNS: OnceLock<[Option<Regex>; 4]> = OnceLock::new();
        // The patterns are constants, and a test compiles them.
        let patterns =
            PATTERNS.get_or_init(|| Self::ALL.map(|known| Regex::new(known.pattern()).ok()));
        match &patterns[self as usize] {
            Some(pattern) => {
                Redaction::Pattern { pattern: pattern.clone(), label: self.label().into() }
            }
            None => Redaction::With(Arc::new(|_, _, _| None)),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Pointer => "pointer",
            Self::Uuid => "uuid",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
        }
    }

    fn pattern(self) -> &'static str {
        match self {
            Self::Pointer => r"\b0x[0-9a-fA-F]{3,16}\b",
            Self::Uuid => {
                r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"
            }
            // As `Duration` writes it for `Debug`; and several units in a row, among which are also those
            // that alone would rather be metres or dimensions.
            Self::Duration => concat!(
                r"\b(?:\d+(?:\.\d+)?(?:ns|µs|μs|us|ms|s|secs?|m|mins?|h|hrs?|d|days?|weeks?|months?|years?) )+",
                r"\d+(?:\.\d+)?(?:ns|µs|μs|us|ms|s|secs?|m|mins?|h|hrs?|d|days?|weeks?|months?|years?)\b",
                r"|\b\d+(?:\.\d+)?(?:ns|µs|μs|us|ms|s|secs?|mins?|h|hrs?|days?|weeks?|months?|years?)\b",
            ),
            // RFC 3339 with its liberties, the dates of HTTP, and what `SystemTime` and `Instant`
            // write for `Debug`.
            Self::Timestamp => concat!(
                r"\b\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:[Zz]\b| UTC\b| ?[+-]\d{2}:?\d{2}\b)?",
                r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}(?: GMT)?",
                r"|\b(?:SystemTime|Instant) \{ tv_sec: -?\d+, tv_nsec: \d+ \}",
                r"|\bSystemTime \{ intervals: -?\d+ \}|\bInstant \{ t: [0-9.]+(?:ns|µs|ms|s) \}",
            ),
        }
    }
}
