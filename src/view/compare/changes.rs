//! The differences between two nodes, apart from their children.

use alloc::{format, string::String, vec::Vec};
use core::fmt;
use std::collections::HashMap;

use crate::{
    capture::CapturedNode,
    view::{
        cut::Cut,
        drawing::Drawing,
        node::{ShownValue, ViewNode},
        options::Options,
        text::{Quote, Text},
    },
    wire::TracedValue,
};

/// Number of characters that are shown of each side.
const MAX_VALUE: usize = 200;

/// Something that differs: a field (`message` is one, too), or `level`, `target` and the like, with the text of either
/// side, unless that side has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) what: String,
    pub(super) expected: Option<String>,
    pub(super) actual: Option<String>,
}

/// Lists the differences between the lines of two nodes.
pub(super) fn changes(
    expected: &ViewNode<'_>,
    actual: &ViewNode<'_>,
    options: &Options,
) -> Vec<Change> {
    let mut changes = Vec::new();
    if let (Some(expected), Some(actual)) = (expected.node, actual.node) {
        for (what, of) in aspects(options) {
            push_text(&mut changes, what, of(expected), of(actual));
        }
    }
    let [old, new] = [expected, actual].map(|node| node.source_names().collect::<Vec<_>>());
    if old != new {
        changes.push(sources_change(&old, &new));
    }
    if expected.inside != actual.inside {
        let number = |node: &ViewNode<'_>| Some(format!("{}", node.inside));
        push_text(&mut changes, "nodes that are deeper", number(expected), number(actual));
    }
    let [old, new] = [expected, actual].map(|node| fields(node, options));
    let [old_values, new_values] =
        [&old, &new].map(|fields| fields.iter().copied().collect::<HashMap<_, _>>());
    for (key, value) in &old {
        let other = new_values.get(key).copied();
        if other.is_none_or(|other| differ(*value, other)) {
            changes.push(change(key.0, Some(*value), other));
        }
    }
    for (key, value) in &new {
        if !old_values.contains_key(key) {
            changes.push(change(key.0, None, Some(*value)));
        }
    }
    // The order of the fields that both have.
    let [old_keys, new_keys] =
        [(&old, &new_values), (&new, &old_values)].map(|(fields, others)| {
            let keys = fields.iter().map(|(key, _)| *key);
            keys.filter(|key| others.contains_key(key)).collect::<Vec<_>>()
        });
    let first = old_keys.iter().zip(&new_keys).position(|(old, new)| old != new);
    if let Some(first) = first {
        let names = |keys: &[Key<'_>]| {
            let names: Vec<_> = keys[first..].iter().map(|(name, _)| *name).collect();
            Some(show(&Text::new(&names.join(", ")), 0))
        };
        let (expected, actual) = (names(&old_keys), names(&new_keys));
        changes.push(Change { what: "order of fields".into(), expected, actual });
    }
    changes
}

/// A change of the spans that a span follows from.
fn sources_change(expected: &[(&str, Option<usize>)], actual: &[(&str, Option<usize>)]) -> Change {
    let show = |sources: &[(&str, Option<usize>)]| {
        let sources = sources.iter().map(|(name, number)| {
            let name = show(&Text::new(name), 0);
            number.map_or_else(|| name.clone(), |number| format!("{name}⟨#{number}⟩"))
        });
        let sources: Vec<_> = sources.collect();
        (!sources.is_empty()).then(|| sources.join(", "))
    };
    let (mut old, mut new) = (show(expected), show(actual));
    if old == new {
        // Names may contain commas.
        [old, new] = [expected, actual].map(|sources| {
            let names: Vec<_> = sources.iter().map(|(name, _)| *name).collect();
            Some(format!("{} spans, {:?}", names.len(), names))
        });
    }
    Change { what: "follows from".into(), expected: old, actual: new }
}

type Aspect = fn(CapturedNode<'_>) -> Option<String>;

/// Returns the aspects that are compared besides the fields.
fn aspects(options: &Options) -> impl Iterator<Item = (&'static str, Aspect)> + use<> {
    let aspects: [(bool, &str, Aspect); 6] = [
        (true, "level", |node| Some(format!("{}", node.metadata().level()))),
        (options.targets, "target", |node| Some(node.metadata().target().into())),
        (options.modules, "module", |node| node.metadata().module_path().map(String::from)),
        (options.lines, "line", |node| {
            let metadata = node.metadata();
            Some(format!("{}:{}", metadata.file()?, metadata.line()?))
        }),
        (options.threads, "thread", |node| {
            node.trace().thread_of(node.moment()).map(|thread| format!("{thread}"))
        }),
        (options.stats, "statistics", |node| match node {
            CapturedNode::Span(span) => Some(format!("{:?}", span.stats())),
            CapturedNode::Event(_) => None,
        }),
    ];
    let shown = aspects.into_iter().filter(|(is_shown, ..)| *is_shown);
    shown.map(|(_, what, aspect)| (what, aspect))
}

/// The name of a field, and the number of fields with the same name before it.
type Key<'v> = (&'v str, usize);

/// Returns the fields, with the message.
fn fields<'v>(node: &'v ViewNode<'_>, options: &Options) -> Vec<(Key<'v>, ShownValue<'v>)> {
    let message = node.message_value().map(|value| ("message", value));
    let mut counts = HashMap::<&str, usize>::new();
    let fields = message.into_iter().chain(node.fields(options)).map(|(name, value)| {
        let count = counts.entry(name).or_default();
        let nth = *count;
        *count += 1;
        ((name, nth), value)
    });
    fields.collect()
}

fn differ(expected: ShownValue<'_>, actual: ShownValue<'_>) -> bool {
    type_of(expected) != type_of(actual)
        || expected.text() != actual.text()
        || messages(expected) != messages(actual)
}

/// Returns the messages of an error and its sources. The text of an error does not tell where a message ends.
fn messages(value: ShownValue<'_>) -> Vec<&str> {
    match value {
        ShownValue::Traced(TracedValue::Error(error)) => error.messages().collect(),
        _ => Vec::new(),
    }
}

fn push_text(
    changes: &mut Vec<Change>,
    what: &str,
    expected: Option<String>,
    actual: Option<String>,
) {
    if expected != actual {
        let shown = |text: Option<String>| text.map(|text| show(&Text::new(&text), 0));
        changes.push(Change {
            what: what.into(),
            expected: shown(expected),
            actual: shown(actual),
        });
    }
}

fn change(name: &str, expected: Option<ShownValue<'_>>, actual: Option<ShownValue<'_>>) -> Change {
    let [old, new] = [expected, actual].map(|value| value.map(ShownValue::text));
    let from = match (&old, &new) {
        (Some(old), Some(new)) => first_to_show(&old.unquoted(), &new.unquoted()),
        _ => 0,
    };
    let mut expected_text = old.map(|text| show(&text, from));
    let mut actual_text = new.map(|text| show(&text, from));
    if let (Some(expected), Some(actual)) = (expected, actual) {
        if expected_text == actual_text {
            let with_type = |text: Option<String>, value| {
                text.map(|text| format!("{text} ({})", type_of(value)))
            };
            expected_text = with_type(expected_text, expected);
            actual_text = with_type(actual_text, actual);
        }
        if expected_text == actual_text {
            let listed = |value| Some(show(&Text::new(&format!("{:?}", messages(value))), 0));
            (expected_text, actual_text) = (listed(expected), listed(actual));
        }
    }
    let name = show(&Text::new(name), 0);
    Change { what: name, expected: expected_text, actual: actual_text }
}

fn type_of(value: ShownValue<'_>) -> &'static str {
    match value {
        ShownValue::Normalized(_) => "replaced",
        ShownValue::Traced(value) => match value {
            TracedValue::Bool(_) => "a Boolean",
            TracedValue::Int(_) => "a signed integer",
            TracedValue::UInt(_) => "an unsigned integer",
            TracedValue::Float(_) => "a float",
            TracedValue::String(_) => "a string",
            TracedValue::Object(_) => "output of Debug or Display",
            TracedValue::Error(_) => "an error",
            TracedValue::Bytes(_) => "bytes",
        },
    }
}

/// Returns the position of the first character to show of long texts, such that their difference is visible.
fn first_to_show(expected: &str, actual: &str) -> usize {
    let same = expected.chars().zip(actual.chars()).take_while(|(old, new)| old == new).count();
    if same < MAX_VALUE / 2 { 0 } else { same - MAX_VALUE / 4 }
}

fn show(text: &Text<'_>, from: usize) -> String {
    let line = |text: &Text<'_>| format!("{}", OneLine(text));
    if from == 0 {
        return line(text);
    }
    let rest: String = text.unquoted().chars().skip(from).collect();
    format!("from character {from} on: {}", line(&Text { quote: text.quote, ..Text::new(&rest) }))
}

struct OneLine<'t>(&'t Text<'t>);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text { pieces, quote } = self.0;
        let quote = if *quote == Quote::Double { Quote::Double } else { Quote::None };
        Cut::new(pieces, quote, Drawing::Unicode, MAX_VALUE).fmt(formatter)
    }
}
