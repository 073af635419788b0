//! What predicates mean, said over plain data.

use crate::{
    predicate::{Common, EventPredicate, Field, Level, Plain, SpanPredicate, Text, Value},
    trace::{CallSite, Model, Values},
    value::Value as Recorded,
};

fn text(predicate: &Text, text: &str) -> bool {
    match predicate {
        Text::Equal(expected) => text == *expected,
        Text::Contains(part) => text.contains(part),
        Text::StartsWith(part) => text.starts_with(part),
        Text::Any => true,
    }
}

/// A number as its sign and its magnitude.
fn number(value: &Recorded) -> Option<(bool, u128)> {
    match value {
        Recorded::Int(value) => Some((*value < 0, value.unsigned_abs())),
        Recorded::UInt(value) => Some((false, *value)),
        _ => None,
    }
}

#[allow(clippy::float_cmp)]
fn plain(predicate: &Plain, value: &Recorded) -> bool {
    let is_float = |expected: f64| match value {
        Recorded::Float(value) => *value == expected || value.is_nan() && expected.is_nan(),
        _ => false,
    };
    match predicate {
        Plain::Bool(expected) => *value == Recorded::Bool(*expected),
        Plain::Signed(expected) => number(value) == Some((*expected < 0, expected.unsigned_abs())),
        Plain::Unsigned(expected) => number(value) == Some((false, *expected)),
        Plain::Float(expected) => is_float(*expected),
        Plain::Single(expected) => is_float(f64::from(*expected)),
        Plain::Text(expected) => value.text() == Some(expected),
        Plain::Char(expected) => value.text() == Some(&expected.to_string()),
        Plain::Bytes(expected) => *value == Recorded::Bytes(expected),
    }
}

#[allow(clippy::cast_precision_loss)]
fn is_close(expected: f64, tolerance: f64, value: &Recorded) -> bool {
    let value = match value {
        Recorded::Float(value) => *value,
        Recorded::Int(value) => *value as f64,
        Recorded::UInt(value) => *value as f64,
        _ => return false,
    };
    match (value.is_nan(), expected.is_nan()) {
        (true, true) => true,
        (false, false) => {
            tolerance.is_infinite()
                || value.partial_cmp(&expected).is_some_and(std::cmp::Ordering::is_eq)
                || value.is_finite()
                    && expected - tolerance <= value
                    && value <= expected + tolerance
        }
        _ => false,
    }
}

pub(crate) fn value(predicate: &Value, recorded: &Recorded) -> bool {
    match predicate {
        Value::Plain(expected) => plain(expected, recorded),
        // A number that does not fit the type does not match.
        Value::MoreThan(bound) => match number(recorded) {
            Some((false, value)) => i64::try_from(value).is_ok_and(|value| value > *bound),
            Some((true, value)) => 0_i64
                .checked_sub_unsigned(u64::try_from(value).unwrap_or(u64::MAX))
                .is_some_and(|value| value > *bound),
            None => false,
        },
        Value::LessThan(bound) => number(recorded)
            .is_some_and(|(is_negative, value)| !is_negative && value < u128::from(*bound)),
        Value::MoreThanFloat(bound) => matches!(recorded, Recorded::Float(value) if value > bound),
        Value::Text(expected) => recorded.text().is_some_and(|actual| text(expected, actual)),
        Value::CloseTo(expected, tolerance) => is_close(*expected, *tolerance, recorded),
        Value::Debug(expected) => *recorded == Recorded::Debug(expected),
        Value::ErrorChain(expected) => match recorded {
            Recorded::Error(messages) => messages.iter().any(|message| text(expected, message)),
            _ => recorded.text().is_some_and(|actual| text(expected, actual)),
        },
        Value::Any => true,
        Value::Both(parts) => parts.iter().all(|part| value(part, recorded)),
        Value::Either(parts) => parts.iter().any(|part| value(part, recorded)),
        Value::Not(part) => !value(part, recorded),
    }
}

fn find<'a>(values: &'a Values, field: &str) -> Option<&'a Recorded> {
    values.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
}

/// Whether it is this module or one below it.
fn is_below(module: &str, path: &str) -> bool {
    path == module || path.starts_with(&format!("{module}::"))
}

fn common(
    predicate: &Common,
    model: &Model,
    (call_site, values, parent): (&CallSite, &Values, Option<usize>),
) -> bool {
    match predicate {
        Common::Level(Level::Exact, severity) => call_site.severity == *severity,
        Common::Level(Level::OrMore | Level::Filter, severity) => call_site.severity >= *severity,
        Common::Level(Level::OrLess, severity) => call_site.severity <= *severity,
        Common::Target(module) => is_below(module, call_site.target),
        Common::TargetText(expected) => text(expected, call_site.target),
        Common::Module(module) => call_site.module.is_some_and(|path| is_below(module, path)),
        Common::ModuleText(expected) => call_site.module.is_some_and(|path| text(expected, path)),
        Common::File(expected) => call_site.file.is_some_and(|file| text(expected, file)),
        Common::Field(name, field) => match (field, find(values, name)) {
            (Field::Value(expected), Some(actual)) => value(expected, actual),
            (Field::Option(Some(expected)), Some(actual)) => plain(expected, actual),
            (Field::Option(None), actual) => actual.is_none(),
            (_, None) => false,
        },
        Common::AnyField(expected) => values.iter().any(|(_, actual)| value(expected, actual)),
        Common::Parent(matches) => parent.is_some_and(|parent| span(matches, model, parent)),
        Common::Ancestor(matches) => {
            let mut next = parent;
            while let Some(ancestor) = next {
                if span(matches, model, ancestor) {
                    return true;
                }
                next = model.spans[ancestor].parent;
            }
            false
        }
    }
}

/// Whether a span is in another one, at any depth.
fn is_in(model: &Model, parent: Option<usize>, ancestor: usize) -> bool {
    parent.is_some_and(|parent| {
        parent == ancestor || is_in(model, model.spans[parent].parent, ancestor)
    })
}

fn is_closed(model: &Model, index: usize) -> bool {
    let mut children = (0..model.spans.len()).filter(|i| model.spans[*i].parent == Some(index));
    model.spans[index].is_dropped && children.all(|child| is_closed(model, child))
}

pub(crate) fn span(predicate: &SpanPredicate, model: &Model, index: usize) -> bool {
    use SpanPredicate as Is;
    let this = &model.spans[index];
    let mut spans = 0..model.spans.len();
    let mut events = 0..model.events.len();
    match predicate {
        Is::Common(matches) => common(matches, model, (&this.call_site, &this.values, this.parent)),
        Is::Name(expected) => text(expected, this.call_site.name),
        Is::Child(matches) => {
            spans.any(|i| model.spans[i].parent == Some(index) && span(matches, model, i))
        }
        Is::Descendant(matches) => {
            spans.any(|i| is_in(model, model.spans[i].parent, index) && span(matches, model, i))
        }
        Is::Event(matches) => {
            events.any(|i| model.events[i].parent == Some(index) && event(matches, model, i))
        }
        Is::DeepEvent(matches) => {
            events.any(|i| is_in(model, model.events[i].parent, index) && event(matches, model, i))
        }
        Is::FollowsFrom(matches) => this.follows_from.iter().any(|i| span(matches, model, *i)),
        Is::Entered(times) => this.entered == *times,
        Is::EnteredMoreThan(times) => this.entered > *times,
        Is::Exited(times) => this.exited == *times,
        Is::Closed => is_closed(model, index),
        Is::Both(_, parts) => parts.iter().all(|part| span(part, model, index)),
        Is::Either(_, parts) => parts.iter().any(|part| span(part, model, index)),
        Is::Not(_, part) => !span(part, model, index),
    }
}

pub(crate) fn event(predicate: &EventPredicate, model: &Model, index: usize) -> bool {
    use EventPredicate as Is;
    let this = &model.events[index];
    match predicate {
        Is::Common(matches) => common(matches, model, (&this.call_site, &this.values, this.parent)),
        Is::Message(expected) => {
            let message = find(&this.values, "message").and_then(Recorded::text);
            message.is_some_and(|message| text(expected, message))
        }
        Is::Values(count) => this.values.len() > *count,
        Is::Both(_, parts) => parts.iter().all(|part| event(part, model, index)),
        Is::Either(_, parts) => parts.iter().any(|part| event(part, model, index)),
        Is::Not(_, part) => !event(part, model, index),
    }
}
