//! The predicates of the crate that a plain one stands for.

use std::fmt;

use ::predicates::reflection::{Case, Child, Parameter, PredicateReflection};
use spanshot::predicates::{event as with_event, value as of_type};
use spanshot::{
    Captured, CapturedEvent, CapturedSpan, TracedValue,
    predicates::{
        types::{IntoFieldPredicate, Or},
        *,
    },
};
use tracing::level_filters::LevelFilter;

use crate::predicate as plain;

/// A predicate of any type. Those of `predicates` want what is `'static`, which a span is not.
pub(crate) struct Dyn<'a, T: ?Sized>(Box<dyn Predicate<T> + 'a>);

impl<T: ?Sized> fmt::Display for Dyn<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<T: ?Sized> PredicateReflection for Dyn<'_, T> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        self.0.parameters()
    }

    fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
        self.0.children()
    }
}

impl<T: ?Sized> Predicate<T> for Dyn<'_, T> {
    fn eval(&self, item: &T) -> bool {
        self.0.eval(item)
    }

    fn find_case<'a>(&'a self, expected: bool, item: &T) -> Option<Case<'a>> {
        self.0.find_case(expected, item)
    }
}

fn dynamic<'a, T: ?Sized>(predicate: impl Predicate<T> + 'a) -> Dyn<'a, T> {
    Dyn(Box::new(predicate))
}

fn text(predicate: &plain::Text) -> Dyn<'static, str> {
    match predicate {
        plain::Text::Equal(text) => dynamic(eq(*text)),
        plain::Text::Contains(part) => dynamic(contains(*part)),
        plain::Text::StartsWith(part) => dynamic(starts_with(*part)),
        plain::Text::Any => dynamic(always()),
    }
}

/// Predicates that are to say the same.
struct Same<T>(Vec<Dyn<'static, T>>);

impl<T> fmt::Display for Same<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[0].fmt(formatter)
    }
}

impl<T> PredicateReflection for Same<T> {}

impl<T> Predicate<T> for Same<T> {
    fn eval(&self, item: &T) -> bool {
        let eval = self.0[0].eval(item);
        assert!(self.0.iter().all(|other| other.eval(item) == eval), "{self} as several types");
        eval
    }
}

fn plain_value(predicate: &plain::Plain) -> Dyn<'static, TracedValue> {
    use plain::Plain as Is;

    fn is(expected: impl IntoFieldPredicate<Predicate: 'static>) -> Dyn<'static, TracedValue> {
        dynamic(expected.into_predicate())
    }

    macro_rules! of_each_type {
        ($number:ident: $($ty:ty),+) => {{
            let predicates = [$(<$ty>::try_from(*$number).ok().map(is)),+];
            dynamic(Same(predicates.into_iter().flatten().collect()))
        }};
    }

    match predicate {
        Is::Bool(value) => is(*value),
        Is::Signed(value) => of_each_type!(value: i8, i16, i32, i64, i128, isize),
        Is::Unsigned(value) => of_each_type!(value: u8, u16, u32, u64, u128, usize),
        Is::Float(value) => is(*value),
        Is::Single(value) => is(*value),
        Is::Text(value) => is(*value),
        Is::Char(value) => is(*value),
        Is::Bytes(value) => is(*value),
    }
}

pub(crate) fn value(predicate: &plain::Value) -> Dyn<'static, TracedValue> {
    use plain::Value as Is;
    // Operators are for types of the crate.
    let lift = |part| of_type::<bool, _>(never()) | value(part);
    match predicate {
        Is::Plain(value) => plain_value(value),
        Is::MoreThan(bound) => dynamic(of_type(gt(*bound))),
        Is::LessThan(bound) => dynamic(of_type(lt(*bound))),
        Is::MoreThanFloat(bound) => dynamic(of_type(gt(*bound))),
        Is::Text(expected) => dynamic(of_type::<str, _>(text(expected))),
        Is::CloseTo(expected, tolerance) => dynamic(close_to(*expected, *tolerance)),
        Is::Debug(text) => dynamic(debug(&format_args!("{text}"))),
        Is::ErrorChain(plain::Text::Equal(message)) => dynamic(error_chain(*message)),
        Is::ErrorChain(expected) => dynamic(error_chain(text(expected))),
        Is::Any => dynamic(always()),
        Is::Both(parts) => dynamic(lift(&parts[0]) & value(&parts[1])),
        Is::Either(parts) => dynamic(lift(&parts[0]) | value(&parts[1])),
        Is::Not(part) => dynamic(!lift(part)),
    }
}

fn option_field<'a, T: Captured<'a> + 'a>(
    name: &'static str,
    predicate: Option<&plain::Plain>,
) -> Dyn<'a, T> {
    use plain::Plain as Is;
    match predicate {
        None => dynamic(field(name, None::<i32>)),
        Some(Is::Bool(value)) => dynamic(field(name, Some(*value))),
        Some(Is::Signed(value)) => dynamic(field(name, Some(*value))),
        Some(Is::Unsigned(value)) => dynamic(field(name, Some(*value))),
        Some(Is::Float(value)) => dynamic(field(name, Some(*value))),
        Some(Is::Single(value)) => dynamic(field(name, Some(*value))),
        Some(Is::Text(value)) => dynamic(field(name, Some(*value))),
        Some(Is::Char(value)) => dynamic(field(name, Some(*value))),
        Some(Is::Bytes(value)) => dynamic(field(name, Some(*value))),
    }
}

fn level_predicate<'a, T: Captured<'a> + 'a>(kind: &plain::Level, severity: usize) -> Dyn<'a, T> {
    use tracing::Level;
    let wanted = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR][severity];
    match kind {
        plain::Level::Exact => dynamic(level(wanted)),
        plain::Level::OrMore => dynamic(level(wanted).or_more_severe()),
        plain::Level::OrLess => dynamic(level(wanted).or_less_severe()),
        plain::Level::Filter => dynamic(level(LevelFilter::from_level(wanted))),
    }
}

fn common<'a, T: Captured<'a> + 'a>(predicate: &plain::Common) -> Dyn<'a, T> {
    use plain::Common as Is;
    match predicate {
        Is::Level(kind, severity) => level_predicate(kind, *severity),
        Is::Target(module) => dynamic(target(*module)),
        Is::TargetText(expected) => dynamic(target([text(expected)])),
        Is::Module(path) => dynamic(module(*path)),
        Is::ModuleText(expected) => dynamic(module([text(expected)])),
        Is::File(plain::Text::Equal(path)) => dynamic(file(*path)),
        Is::File(expected) => dynamic(file(text(expected))),
        Is::Field(name, plain::Field::Value(expected)) => dynamic(field(name, [value(expected)])),
        Is::Field(name, plain::Field::Option(value)) => option_field(name, value.as_ref()),
        Is::AnyField(expected) => dynamic(any_field([value(expected)])),
        Is::Parent(matches) => dynamic(parent(span(matches))),
        Is::Ancestor(matches) => dynamic(ancestor(span(matches))),
    }
}

/// Makes it one of the crate's types, which have operators.
fn lift<'a, T: Captured<'a> + 'a>(predicate: Dyn<'a, T>) -> Or<impl Predicate<T> + 'a, Dyn<'a, T>> {
    level([never()]) | predicate
}

fn both<'a, T: Captured<'a> + 'a>(by_method: bool, parts: [Dyn<'a, T>; 2]) -> Dyn<'a, T> {
    let [first, second] = parts;
    if by_method { dynamic(first.and(second)) } else { dynamic(lift(first) & second) }
}

fn either<'a, T: Captured<'a> + 'a>(by_method: bool, parts: [Dyn<'a, T>; 2]) -> Dyn<'a, T> {
    let [first, second] = parts;
    if by_method { dynamic(first.or(second)) } else { dynamic(lift(first) | second) }
}

fn not<'a, T: Captured<'a> + 'a>(by_method: bool, part: Dyn<'a, T>) -> Dyn<'a, T> {
    if by_method { dynamic(part.not()) } else { dynamic(!lift(part)) }
}

pub(crate) fn span<'a>(predicate: &plain::SpanPredicate) -> Dyn<'a, CapturedSpan<'a>> {
    use plain::SpanPredicate as Is;
    match predicate {
        Is::Common(predicate) => common(predicate),
        Is::Name(plain::Text::Equal(expected)) => dynamic(name(*expected)),
        Is::Name(expected) => dynamic(name(text(expected))),
        Is::Child(matches) => dynamic(child(span(matches))),
        Is::Descendant(matches) => dynamic(descendant(span(matches))),
        Is::Event(matches) => dynamic(with_event(event(matches))),
        Is::DeepEvent(matches) => dynamic(deep_event(event(matches))),
        Is::FollowsFrom(matches) => dynamic(follows_from(span(matches))),
        Is::Entered(times) => dynamic(entered(*times)),
        Is::EnteredMoreThan(times) => dynamic(entered([gt(*times)])),
        Is::Exited(times) => dynamic(exited(*times)),
        Is::Closed => dynamic(closed()),
        Is::Both(by_method, parts) => both(*by_method, [span(&parts[0]), span(&parts[1])]),
        Is::Either(by_method, parts) => either(*by_method, [span(&parts[0]), span(&parts[1])]),
        Is::Not(by_method, part) => not(*by_method, span(part)),
    }
}

pub(crate) fn event<'a>(predicate: &plain::EventPredicate) -> Dyn<'a, CapturedEvent<'a>> {
    use plain::EventPredicate as Is;
    match predicate {
        Is::Common(predicate) => common(predicate),
        Is::Message(plain::Text::Equal(expected)) => dynamic(message(*expected)),
        Is::Message(expected) => dynamic(message(text(expected))),
        Is::Values(count) => {
            let count = *count;
            let has_more = move |event: &CapturedEvent<'_>| event.values().count() > count;
            dynamic(satisfies(format!("more than {count} values"), has_more))
        }
        Is::Both(by_method, parts) => both(*by_method, [event(&parts[0]), event(&parts[1])]),
        Is::Either(by_method, parts) => either(*by_method, [event(&parts[0]), event(&parts[1])]),
        Is::Not(by_method, part) => not(*by_method, event(part)),
    }
}
