//! Replaces values that differ from run to run.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt;

use regex_lite::Regex;

use super::{
    recognize::Known,
    text::{Replaced, Text},
};
use crate::{capture::CapturedNode, wire::TracedValue};

/// A rule for replacing.
#[derive(Clone)]
pub(super) enum Redaction {
    /// Replaces all values of a field.
    Field { name: String, label: String },
    /// Replaces the matches of a regular expression, in any value.
    Pattern { pattern: Regex, label: String },
    /// Replaces text of a known form.
    Known(Known),
    /// Replaces the values for which a function returns a label.
    With(Arc<RedactFn>),
}

pub(super) type RedactFn =
    dyn Fn(CapturedNode<'_>, &str, &TracedValue) -> Option<String> + Send + Sync;

impl Redaction {
    /// Whether the rule replaces, or might replace, something by this label.
    pub(super) fn may_have_label(&self, wanted: &str) -> bool {
        match self {
            Self::Field { label, .. } | Self::Pattern { label, .. } => label == wanted,
            Self::Known(known) => known.label() == wanted,
            Self::With(_) => true,
        }
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { name, label } => write!(formatter, "Field({name:?}, {label:?})"),
            Self::Pattern { pattern, label } => {
                write!(formatter, "Pattern({pattern:?}, {label:?})")
            }
            Self::Known(known) => known.fmt(formatter),
            Self::With(_) => formatter.write_str("With(_)"),
        }
    }
}

/// Applies the rules in turn, each to the text that the earlier rules left. Returns `None` if no rule applies. Marks
/// with numbered labels keep the text that they replaced until they get their numbers.
pub(super) fn redact(
    rules: &[Redaction],
    numbered: &[String],
    node: CapturedNode<'_>,
    name: &str,
    value: &TracedValue,
) -> Option<Text<'static>> {
    let is_numbered = |label: &str| numbered.iter().any(|numbered| numbered == label);
    let whole = |label: &str| {
        let replaced = is_numbered(label).then(|| Text::of(value).unquoted().into());
        Some(Text::mark(label, Replaced(replaced)))
    };
    let mut text: Option<Text<'_>> = None;
    for rule in rules {
        match rule {
            Redaction::Field { name: of, label } if of == name => return whole(label),
            Redaction::Field { .. } => {}
            Redaction::With(function) => {
                if let Some(label) = function(node, name, value) {
                    return whole(&label);
                }
            }
            Redaction::Pattern { pattern, label } => {
                let before = text.take().unwrap_or_else(|| Text::of(value));
                let find_all = |text: &str, _: Option<&str>| {
                    pattern.find_iter(text).map(|found| found.range()).collect::<Vec<_>>()
                };
                text = Some(before.replace_all(find_all, label, is_numbered(label)));
            }
            Redaction::Known(known) => {
                let before = text.take().unwrap_or_else(|| Text::of(value));
                let find_all = |text: &str, mark: Option<&str>| {
                    known.find_all(text, mark == Some(Known::IpAddress.label()))
                };
                let label = known.label();
                text = Some(before.replace_all(find_all, label, is_numbered(label)));
            }
        }
    }
    text.filter(Text::is_replaced).map(Text::into_owned)
}
