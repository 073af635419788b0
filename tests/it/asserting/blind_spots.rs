//! What a capture says that it could not have seen, against all that it could have.

use std::{fmt, rc::Rc};

use proptest::{collection::vec, prelude::*, sample::select};
use spanshot::{Capture, CapturedEvent, Trace, predicates::*};
use tracing::{Level, error_span, event, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;

const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

const FILTERS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Targets of filters and predicates.
const NAMES: [&str; 6] = ["a", "a::b", "a::b::c", "ab", "b", "b::a"];

/// What lets a capture see something without an event.
const SOMETHING: &str = "something";

/// An event of each level for each of the targets, among them one that nobody names.
fn everything() -> Trace {
    macro_rules! emit {
        ($($target:literal)+) => {$(
            event!(target: $target, Level::ERROR, "event");
            event!(target: $target, Level::WARN, "event");
            event!(target: $target, Level::INFO, "event");
            event!(target: $target, Level::DEBUG, "event");
            event!(target: $target, Level::TRACE, "event");
        )+};
    }

    let capture = Capture::start();
    emit!("a" "a:other" "a::b" "a::b::c" "a::b::other" "a::other" "ab" "b" "b::a" "other" "something");
    capture.trace()
}

/// A capture that saw nothing but a span.
fn filtered(filter: &str) -> Trace {
    let capture = Capture::builder().filter(filter).start();
    drop(error_span!(target: "something", "span"));
    capture.trace()
}

fn any_filter() -> impl Strategy<Value = String> {
    let targets: Vec<_> = NAMES.into_iter().chain(["a:", "a::", "a::b::"]).collect();
    let directive = (select(targets), select(&FILTERS[..]));
    let directives = vec(directive.prop_map(|(target, level)| format!("{target}={level}")), 0..4);
    (directives, proptest::option::of(select(&FILTERS[..]))).prop_map(
        |(mut directives, default)| {
            directives.extend(default.map(str::to_owned));
            directives.push(format!("{SOMETHING}=error"));
            directives.join(",")
        },
    )
}

/// A predicate of any kind.
#[derive(Clone)]
struct Any(Rc<dyn for<'a> Predicate<CapturedEvent<'a>>>);

impl Any {
    fn new(predicate: impl for<'a> Predicate<CapturedEvent<'a>> + 'static) -> Self {
        Self(Rc::new(predicate))
    }

    // The operators are those of the predicates of this crate: one of them, which says nothing, is added.

    fn and(self, other: Self) -> Self {
        Self::new(level([always()]) & self & other)
    }

    fn or(self, other: Self) -> Self {
        Self::new(level([never()]) | self | other)
    }

    fn not(self) -> Self {
        Self::new(!(level([always()]) & self))
    }
}

impl fmt::Debug for Any {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Any {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ::predicates::reflection::PredicateReflection for Any {
    fn parameters<'a>(
        &'a self,
    ) -> Box<dyn Iterator<Item = ::predicates::reflection::Parameter<'a>> + 'a> {
        self.0.parameters()
    }

    fn children<'a>(
        &'a self,
    ) -> Box<dyn Iterator<Item = ::predicates::reflection::Child<'a>> + 'a> {
        self.0.children()
    }
}

impl Predicate<CapturedEvent<'_>> for Any {
    fn eval(&self, event: &CapturedEvent<'_>) -> bool {
        self.0.eval(event)
    }
}

fn any_level() -> impl Strategy<Value = Any> {
    prop_oneof![
        select(&LEVELS[..]).prop_map(|exact| Any::new(level(exact))),
        select(&LEVELS[..]).prop_map(|least| Any::new(level(LevelFilter::from(least)))),
        select(&LEVELS[..]).prop_map(|other| Any::new(level([ne(other)]))),
    ]
}

fn any_target() -> impl Strategy<Value = Any> {
    select(&NAMES[..]).prop_map(|name| Any::new(target(name)))
}

fn any_predicate() -> impl Strategy<Value = Any> {
    let leaf = prop_oneof![
        4 => any_level(),
        4 => any_target(),
        1 => Just(Any::new(message(eq("event")))),
        1 => Just(Any::new(target([starts_with("a")]))),
    ];
    leaf.prop_recursive(3, 12, 2, |part| {
        prop_oneof![
            (part.clone(), part.clone()).prop_map(|(one, other)| one.and(other)),
            (part.clone(), part.clone()).prop_map(|(one, other)| one.or(other)),
            part.prop_map(Any::not),
        ]
    })
}

fn any_levels_and_targets() -> impl Strategy<Value = Any> {
    prop_oneof![any_level(), any_target()].prop_recursive(3, 8, 2, |part| {
        prop_oneof![
            (part.clone(), part.clone()).prop_map(|(one, other)| one.and(other)),
            (part.clone(), part.clone()).prop_map(|(one, other)| one.or(other)),
            part.prop_map(|part| part.not().not()),
        ]
    })
}

/// Whether a negative assertion is refused, because of the filter.
fn is_blind(result: Result<(), ScanError>) -> bool {
    let Err(error) = result else { return false };
    assert!(error.to_string().contains("the capture's filter"), "{error}");
    true
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// What is refused could indeed not have failed.
    #[test]
    fn blind_spots_are_blind(filter in any_filter(), predicate in any_predicate()) {
        let targets: Targets = filter.parse().unwrap();
        let everything = everything();
        let passes = |event: &CapturedEvent<'_>| {
            targets.would_enable(event.metadata().target(), event.metadata().level())
        };
        let could_match =
            everything.all_events().any(|event| passes(&event) && predicate.eval(&event));
        let could_fail =
            everything.all_events().any(|event| passes(&event) && !predicate.eval(&event));
        let trace = filtered(&filter);
        let events = trace.scan_events();
        if is_blind(events.try_none(&predicate)) {
            prop_assert!(!could_match, "none");
        }
        if is_blind(events.try_count(..3, &predicate).map(drop)) {
            prop_assert!(!could_match, "at most 2");
        }
        if is_blind(events.try_all(&predicate)) {
            prop_assert!(!could_fail, "all");
        }
    }

    /// Whatever could not have failed is refused, if the predicate is of levels and targets that are not negated.
    #[test]
    fn blind_spots_are_found(filter in any_filter(), predicate in any_levels_and_targets()) {
        // There may be modules below one that a directive names, other than those of the test.
        let filter = filter.replace("::=", "=").replace(":=", "=");
        let targets: Targets = filter.parse().unwrap();
        let everything = everything();
        let could_match = everything.all_events().any(|event| {
            targets.would_enable(event.metadata().target(), event.metadata().level())
                && predicate.eval(&event)
        });
        let trace = filtered(&filter);
        let events = trace.scan_events();
        prop_assert_eq!(is_blind(events.try_none(&predicate)), !could_match);
        prop_assert_eq!(is_blind(events.try_all(&predicate.not())), !could_match);
    }
}
