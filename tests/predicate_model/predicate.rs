//! Predicates, as plain data.

use proptest::{prelude::*, sample::select};

use crate::{
    trace::{FIELDS, FILES, MODULES, NAMES},
    value::{BYTES, FLOATS, SIGNED, TEXTS, UNSIGNED},
};

/// For a text.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    Equal(&'static str),
    Contains(&'static str),
    StartsWith(&'static str),
    Any,
}

/// A plain value that a field is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Plain {
    Bool(bool),
    /// Compared as each signed type that it fits.
    Signed(i128),
    /// Compared as each unsigned type that it fits.
    Unsigned(u128),
    Float(f64),
    Single(f32),
    Text(&'static str),
    Char(char),
    Bytes(&'static [u8]),
}

/// For a value that is there.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Plain(Plain),
    MoreThan(i64),
    LessThan(u8),
    MoreThanFloat(f64),
    Text(Text),
    CloseTo(f64, f64),
    Debug(&'static str),
    ErrorChain(Text),
    Any,
    Both(Box<[Value; 2]>),
    Either(Box<[Value; 2]>),
    Not(Box<Value>),
}

/// For a field.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    Value(Value),
    Option(Option<Plain>),
}

#[derive(Debug, Clone)]
pub(crate) enum Level {
    Exact,
    OrMore,
    OrLess,
    Filter,
}

/// For spans and events.
#[derive(Debug, Clone)]
pub(crate) enum Common {
    Level(Level, usize),
    Target(&'static str),
    TargetText(Text),
    Module(&'static str),
    ModuleText(Text),
    File(Text),
    Field(&'static str, Field),
    AnyField(Value),
    Parent(Box<SpanPredicate>),
    Ancestor(Box<SpanPredicate>),
}

/// How predicates are combined: by operators, or by the methods of the crate `predicates`.
pub(crate) type ByMethod = bool;

#[derive(Debug, Clone)]
pub(crate) enum SpanPredicate {
    Common(Common),
    Name(Text),
    Child(Box<SpanPredicate>),
    Descendant(Box<SpanPredicate>),
    Event(Box<EventPredicate>),
    DeepEvent(Box<EventPredicate>),
    FollowsFrom(Box<SpanPredicate>),
    Entered(usize),
    EnteredMoreThan(usize),
    Exited(usize),
    Closed,
    Both(ByMethod, Box<[SpanPredicate; 2]>),
    Either(ByMethod, Box<[SpanPredicate; 2]>),
    Not(ByMethod, Box<SpanPredicate>),
}

#[derive(Debug, Clone)]
pub(crate) enum EventPredicate {
    Common(Common),
    Message(Text),
    /// A closure: there are more values than this.
    Values(usize),
    Both(ByMethod, Box<[EventPredicate; 2]>),
    Either(ByMethod, Box<[EventPredicate; 2]>),
    Not(ByMethod, Box<EventPredicate>),
}

fn text(from: &'static [&'static str]) -> impl Strategy<Value = Text> {
    prop_oneof![
        select(from).prop_map(Text::Equal),
        select(from).prop_map(Text::Contains),
        select(from).prop_map(Text::StartsWith),
        Just(Text::Any),
    ]
}

fn plain() -> impl Strategy<Value = Plain> {
    prop_oneof![
        any::<bool>().prop_map(Plain::Bool),
        select(&SIGNED[..]).prop_map(Plain::Signed),
        select(&UNSIGNED[..]).prop_map(Plain::Unsigned),
        select(&FLOATS[..]).prop_map(Plain::Float),
        select(&[0.1_f32, 5.0, f32::NAN][..]).prop_map(Plain::Single),
        select(&TEXTS[..]).prop_map(Plain::Text),
        select(&['a', '5', 'é'][..]).prop_map(Plain::Char),
        select(&BYTES[..]).prop_map(Plain::Bytes),
    ]
}

pub(crate) fn value(depth: u32) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        6 => plain().prop_map(Value::Plain),
        1 => select(&[-1, 5, i64::MAX][..]).prop_map(Value::MoreThan),
        1 => select(&[0, 6, 255][..]).prop_map(Value::LessThan),
        1 => select(&FLOATS[..]).prop_map(Value::MoreThanFloat),
        2 => text(&TEXTS).prop_map(Value::Text),
        2 => (select(&FLOATS[..]), select(&[0.0, 1e-3, 5.0, 1e300, f64::INFINITY][..]))
            .prop_map(|(expected, tolerance)| Value::CloseTo(expected, tolerance)),
        1 => select(&TEXTS[..]).prop_map(Value::Debug),
        2 => text(&TEXTS).prop_map(Value::ErrorChain),
        1 => Just(Value::Any),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = value(depth - 1);
    prop_oneof![
        4 => leaf,
        1 => [inner.clone(), inner.clone()].prop_map(|parts| Value::Both(Box::new(parts))),
        1 => [inner.clone(), inner.clone()].prop_map(|parts| Value::Either(Box::new(parts))),
        1 => inner.prop_map(|part| Value::Not(Box::new(part))),
    ]
    .boxed()
}

fn common(depth: u32) -> BoxedStrategy<Common> {
    let level = select(vec![Level::Exact, Level::OrMore, Level::OrLess, Level::Filter]);
    let field = prop_oneof![
        4 => value(2).prop_map(Field::Value),
        1 => prop::option::of(plain()).prop_map(Field::Option),
    ];
    let leaf = prop_oneof![
        2 => (level, 0..5_usize).prop_map(|(kind, severity)| Common::Level(kind, severity)),
        1 => select(&MODULES[..]).prop_map(Common::Target),
        1 => text(&MODULES).prop_map(Common::TargetText),
        1 => select(&MODULES[..]).prop_map(Common::Module),
        1 => text(&MODULES).prop_map(Common::ModuleText),
        1 => text(&FILES).prop_map(Common::File),
        5 => (select(&FIELDS[..]), field).prop_map(|(name, field)| Common::Field(name, field)),
        1 => value(1).prop_map(Common::AnyField),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let span = span_predicate(depth - 1);
    prop_oneof![
        8 => leaf,
        1 => span.clone().prop_map(|span| Common::Parent(Box::new(span))),
        1 => span.prop_map(|span| Common::Ancestor(Box::new(span))),
    ]
    .boxed()
}

/// Predicates for spans, nested up to this depth.
pub(crate) fn span_predicate(depth: u32) -> BoxedStrategy<SpanPredicate> {
    let leaf = prop_oneof![
        6 => common(depth).prop_map(SpanPredicate::Common),
        1 => text(&NAMES).prop_map(SpanPredicate::Name),
        1 => (0..3_usize).prop_map(SpanPredicate::Entered),
        1 => (0..3_usize).prop_map(SpanPredicate::EnteredMoreThan),
        1 => (0..3_usize).prop_map(SpanPredicate::Exited),
        1 => Just(SpanPredicate::Closed),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let span = span_predicate(depth - 1);
    let event = event_predicate(depth - 1);
    let boxed = || span.clone().prop_map(Box::new);
    let two = || (any::<ByMethod>(), [span.clone(), span.clone()].prop_map(Box::new));
    prop_oneof![
        8 => leaf,
        1 => boxed().prop_map(SpanPredicate::Child),
        1 => boxed().prop_map(SpanPredicate::Descendant),
        1 => event.clone().prop_map(|event| SpanPredicate::Event(Box::new(event))),
        1 => event.prop_map(|event| SpanPredicate::DeepEvent(Box::new(event))),
        1 => boxed().prop_map(SpanPredicate::FollowsFrom),
        1 => two().prop_map(|(by_method, parts)| SpanPredicate::Both(by_method, parts)),
        1 => two().prop_map(|(by_method, parts)| SpanPredicate::Either(by_method, parts)),
        1 => (any::<ByMethod>(), boxed())
            .prop_map(|(by_method, part)| SpanPredicate::Not(by_method, part)),
    ]
    .boxed()
}

/// Predicates for events, nested up to this depth.
pub(crate) fn event_predicate(depth: u32) -> BoxedStrategy<EventPredicate> {
    let leaf = prop_oneof![
        6 => common(depth).prop_map(EventPredicate::Common),
        2 => text(&TEXTS).prop_map(EventPredicate::Message),
        1 => (0..3_usize).prop_map(EventPredicate::Values),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let event = event_predicate(depth - 1);
    let two = || (any::<ByMethod>(), [event.clone(), event.clone()].prop_map(Box::new));
    prop_oneof![
        6 => leaf,
        1 => two().prop_map(|(by_method, parts)| EventPredicate::Both(by_method, parts)),
        1 => two().prop_map(|(by_method, parts)| EventPredicate::Either(by_method, parts)),
        1 => (any::<ByMethod>(), event.prop_map(Box::new))
            .prop_map(|(by_method, part)| EventPredicate::Not(by_method, part)),
    ]
    .boxed()
}
