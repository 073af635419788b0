//! Predicates that are made at random match what a naive model says, in traces that are made at
//! random.
//!
//! By default there are 1,000 traces, the same in every run. `SPANSHOT_PROGRAMS` sets their number, and
//! then they are others in every run.

use std::{cell::RefCell, collections::BTreeMap, env, fmt::Debug};

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use spanshot::predicates::{Predicate, ScanExt as _};

mod naive;
mod predicate;
mod real;
mod trace;
mod value;

use predicate::{EventPredicate, SpanPredicate, event_predicate, span_predicate};
use trace::{run, steps};

/// How often predicates of each kind were false, and how often true.
#[derive(Default)]
struct Seen(RefCell<BTreeMap<String, [usize; 2]>>);

impl Seen {
    fn add(&self, predicate: &impl Debug, is_true: bool) {
        let text = format!("{predicate:?}");
        // Some kinds have a variant of their own around them.
        let text = text.strip_prefix("Common(").or(text.strip_prefix("Plain(")).unwrap_or(&text);
        let kind = text.split(|char: char| !char.is_alphanumeric()).next().unwrap();
        self.0.borrow_mut().entry(kind.to_owned()).or_default()[usize::from(is_true)] += 1;
    }
}

/// Asserts that a predicate says of an item what the model says, and that there is a case of it.
#[track_caller]
fn check<T>(real: &impl Predicate<T>, item: &T, expected: bool) {
    assert_eq!(real.eval(item), expected, "{real}");
    for wanted in [true, false] {
        let case = real.find_case(wanted, item);
        assert_eq!(case.is_some(), wanted == expected, "a case of {wanted} for {real}");
        if let Some(case) = case {
            assert_eq!(case.result(), wanted, "{real}");
        }
    }
}

type Predicates = (Vec<SpanPredicate>, Vec<EventPredicate>);

fn predicates() -> impl Strategy<Value = Predicates> {
    (
        prop::collection::vec(span_predicate(3), 1..8),
        prop::collection::vec(event_predicate(3), 1..8),
    )
}

/// Checks values of a strategy, by default always the same ones. Returns whether they were those.
fn check_all<S: Strategy>(strategy: &S, check: impl Fn(S::Value)) -> bool {
    let cases = env::var("SPANSHOT_PROGRAMS").ok().map(|cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases: cases.unwrap_or(1_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = if cases.is_some() {
        TestRunner::new(config)
    } else {
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::default()))
    };
    let result = runner.run(strategy, |value| {
        check(value);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    cases.is_none()
}

impl Seen {
    /// Asserts that all kinds were sometimes true and sometimes not: without that, the test is not
    /// worth anything.
    #[track_caller]
    fn assert_various(self, kinds: usize) {
        let seen = self.0.into_inner();
        assert_eq!(seen.len(), kinds, "{seen:?}");
        let counts = seen.iter().filter(|(kind, _)| *kind != "Any");
        assert!(counts.flat_map(|(_, counts)| counts).all(|count| *count >= 10), "{seen:?}");
    }
}

#[test]
fn values_match_what_the_model_says() {
    let seen = Seen::default();
    let strategy = (predicate::value(2), prop::collection::vec(value::value(), 40));
    let is_usual = check_all(&strategy, |(predicate, values)| {
        let real = real::value(&predicate);
        for value in values {
            let expected = naive::value(&predicate, &value);
            seen.add(&predicate, expected);
            check(&real, &value.traced(), expected);
        }
    });
    if is_usual {
        seen.assert_various(18);
    }
}

#[test]
fn predicates_match_what_the_model_says() {
    let (seen_spans, seen_events) = (Seen::default(), Seen::default());
    let is_usual = check_all(&(steps(), predicates()), |(steps, (of_spans, of_events))| {
        let (model, trace) = run(&steps);
        assert_eq!(trace.all_spans().len(), model.spans.len());
        assert_eq!(trace.all_events().len(), model.events.len());
        for predicate in &of_spans {
            let real = real::span(predicate);
            let mut matching = vec![];
            for (index, span) in trace.all_spans().enumerate() {
                let expected = naive::span(predicate, &model, index);
                seen_spans.add(predicate, expected);
                check(&real, &span, expected);
                matching.extend(expected.then_some(span));
            }
            // A scanner has predicates remember what they found around spans.
            assert_eq!(trace.scan_spans().matches(&real), matching, "{real}");
            let is_only = matching.len() == 1;
            assert_eq!(trace.scan_spans().or_empty().try_single(&real).is_ok(), is_only, "{real}");
        }
        for predicate in &of_events {
            let real = real::event(predicate);
            let mut matching = vec![];
            for (index, event) in trace.all_events().enumerate() {
                let expected = naive::event(predicate, &model, index);
                seen_events.add(predicate, expected);
                check(&real, &event, expected);
                matching.extend(expected.then_some(event));
            }
            // A scanner has predicates remember what they found around spans.
            assert_eq!(trace.scan_events().matches(&real), matching, "{real}");
            let is_only = matching.len() == 1;
            assert_eq!(trace.scan_events().or_empty().try_single(&real).is_ok(), is_only, "{real}");
        }
    });
    if is_usual {
        seen_spans.assert_various(23);
        seen_events.assert_various(15);
    }
}
