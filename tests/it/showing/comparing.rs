//! Comparisons of two traces.

use std::{error::Error, fmt};

use proptest::prelude::*;
use spanshot::{Capture, Keep, SnapshotSettings, Trace, predicates::*, view::Difference};
use tracing::{Dispatch, Level, debug, dispatcher, error, field::Empty, info, info_span, warn};

use crate::support::{native, panic_message};

#[track_caller]
fn check(expected: &Trace, actual: &Trace, shown: &str) {
    assert_eq!(SnapshotSettings::new().compare(expected, actual).to_string(), shown);
}

fn connect(port: u16) -> Trace {
    native(|| {
        info!("before");
        info_span!("connect", port, host = "localhost").in_scope(|| {
            debug!("resolved");
            info!(port, "connected");
        });
    })
}

#[test]
fn equal_traces_are_equivalent() {
    let (expected, actual) = (connect(80), connect(80));
    check(&expected, &actual, "they are equivalent");
    let settings = SnapshotSettings::new().targets(true).modules(true).lines(true).stats(true);
    settings.assert_equivalent(&expected, &actual);
    assert_eq!(settings.compare(&expected, &actual).differences(), []);
}

#[test]
fn changed_fields_are_named() {
    check(
        &connect(80),
        &connect(81),
        "2 changed\n\
         \n\
         \x20 INFO before\n\
         ~ INFO connect{port=81 host=\"localhost\"}\n\
         \x20     port: 80 → 81\n\
         \x20 ├─ DEBUG resolved\n\
         ~ └─ INFO connected port=81\n\
         \x20        port: 80 → 81",
    );
}

#[test]
fn order_of_fields_counts() {
    let between = |program: fn()| {
        native(|| {
            info!("before");
            program();
            info!("behind");
        })
    };
    check(
        &between(|| info!(a = 1, b = 2, c = 3, "event")),
        &between(|| info!(a = 1, c = 3, b = 2, "event")),
        "1 changed\n\n  INFO before\n~ INFO event a=1 c=3 b=2\n      order of fields: b, c → c, b\n  INFO behind",
    );
    check(
        &between(|| drop(info_span!("span", a = 1, b = 2))),
        &between(|| drop(info_span!("span", b = 2, c = 3, a = 1))),
        "1 changed\n\n  INFO before\n~ INFO span{b=2 c=3 a=1}\n      c: (not there) → 3\n      \
         order of fields: a, b → b, a\n  INFO behind",
    );
    let recorded = |[first, second]: [&'static str; 2]| {
        native(|| {
            let span = info_span!("span", a = Empty, b = Empty);
            span.record(first, 1);
            span.record(second, 1);
        })
    };
    let (expected, actual) = (recorded(["a", "b"]), recorded(["b", "a"]));
    let comparison = SnapshotSettings::new().compare(&expected, &actual);
    let differences = comparison.differences();
    assert!(
        matches!(&differences[..], [Difference::Changed { fields, .. }] if fields == &["order of fields"]),
        "{differences:?}"
    );
    SnapshotSettings::new().fields(false).assert_equivalent(&expected, &actual);
    // The message stands in front.
    let (expected, actual) =
        (native(|| info!(a = 1, message = "m")), native(|| info!(message = "m", a = 1)));
    check(&expected, &actual, "they are equivalent");
}

#[test]
fn all_forms_of_nan_are_equal() {
    let forms = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff8_0000_0000_0001)];
    for form in forms {
        check(&native(|| info!(x = form)), &native(|| info!(x = f64::NAN)), "they are equivalent");
        let settings = SnapshotSettings::new().unordered(|_| true);
        let [expected, actual] = [f64::NAN, form].map(|x| {
            native(|| {
                info!(x = 1.0);
                info!(x);
            })
        });
        settings.assert_equivalent(&expected, &actual);
    }
    let folded = native(|| forms.iter().for_each(|x| info!(x)));
    assert_eq!(folded.to_string(), "⟨3×⟩ INFO x=NaN");
    check(
        &native(|| info!(x = 0.0)),
        &native(|| info!(x = -0.0)),
        "1 changed\n\n~ INFO x=-0.0\n      x: 0.0 → -0.0",
    );
}

/// An error with its sources.
#[derive(Debug)]
struct Chain(&'static [&'static str], Option<Box<Chain>>);

impl fmt::Display for Chain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0[0])
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[test]
fn errors_with_the_same_text_are_told_apart() {
    let trace = |messages: &'static [&'static str]| {
        let [first @ .., _] = messages else { unreachable!() };
        let last = Chain(&messages[first.len()..], None);
        let error = (0..first.len())
            .rev()
            .fold(last, |source, at| Chain(&messages[at..], Some(Box::new(source))));
        native(|| info!(error = &error as &dyn Error))
    };
    check(
        &trace(&["a, caused by: b"]),
        &trace(&["a", "b"]),
        "1 changed\n\n~ INFO error=a, caused by: b\n      error: [\"a, caused by: b\"] → [\"a\", \"b\"]",
    );
}

/// A span that follows from the job with this number.
fn retry(job: usize) -> Trace {
    native(|| {
        let jobs = [1, 2].map(|i| info_span!("job", i));
        info_span!("retry").follows_from(&jobs[job - 1]);
    })
}

#[test]
fn spans_that_others_follow_from_are_told_apart() {
    check(
        &retry(1),
        &retry(2),
        "1 changed\n\n  ⋮ 1 equal\n  INFO job{i=2}\n~ INFO retry{} (follows from job⟨#2⟩)\n      \
         follows from: job⟨#1⟩ → job⟨#2⟩",
    );
    SnapshotSettings::new().assert_equivalent(&retry(2), &retry(2));
    // The text has only names.
    assert_eq!(retry(1).to_string(), retry(2).to_string());
    // Where the order means nothing, a number would, too.
    let settings = SnapshotSettings::new();
    let unordered = settings.unordered_spans(name("job"));
    unordered.assert_equivalent(&retry(1), &retry(2));
}

#[test]
fn names_with_commas_are_told_apart() {
    let trace = |names: &[&str]| {
        native(|| {
            let sources: Vec<_> = names
                .iter()
                .map(|name| match *name {
                    "a" => info_span!("a"),
                    "b" => info_span!("b"),
                    _ => info_span!("a, b"),
                })
                .collect();
            let span = info_span!("span");
            for source in &sources {
                span.follows_from(source);
            }
        })
    };
    let (expected, actual) = (trace(&["a, b"]), trace(&["a", "b"]));
    let comparison = SnapshotSettings::new().compare(&expected, &actual).to_string();
    let expected = "follows from: 1 spans, [\"a, b\"] → 2 spans, [\"a\", \"b\"]";
    assert!(comparison.contains(expected), "{comparison}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn traces_that_are_not_equivalent_have_differences(
        expected in prop::collection::vec(0..14_u8, 0..6),
        actual in prop::collection::vec(0..14_u8, 0..6),
    ) {
        let trace = |kinds: &[u8]| native(|| {
            let job = [info_span!("job"), info_span!("job")];
            for kind in kinds {
                match kind {
                    0 => info!(a = 1, b = 2),
                    1 => info!(b = 2, a = 1),
                    2 => info!(x = f64::NAN),
                    3 => info!(x = -f64::NAN),
                    4 => info!(a = 1, a = 2),
                    5 => info!(a = 2, a = 1),
                    6 => info!(a = 1_u64, "same"),
                    7 => info!(a = "1", "same"),
                    8 => info!(a = %1, "same"),
                    9 => info!(a = true, "same"),
                    10 => warn!(a = true, "same"),
                    kind => {
                        let span = info_span!("retry").entered();
                        span.follows_from(&job[usize::from(*kind % 2)]);
                        info!(kind);
                    }
                }
            }
        });
        let (expected, actual) = (trace(&expected), trace(&actual));
        for settings in [SnapshotSettings::new(), SnapshotSettings::new().unordered(|_| true)] {
            let comparison = settings.compare(&expected, &actual);
            let differences = comparison.differences();
            prop_assert_eq!(comparison.is_equivalent(), differences.is_empty());
            let text = comparison.to_string();
            let is_marked = text.lines().any(|line| line.starts_with(['-', '+', '~', '<', '>']));
            prop_assert_eq!(comparison.is_equivalent(), !is_marked, "{}", text);
            let view = |trace| settings.view(trace).to_string();
            prop_assert!(!comparison.is_equivalent() || view(&expected) == view(&actual));
        }
    }
}

#[test]
fn gone_added_and_moved() {
    let expected = native(|| {
        info_span!("a").in_scope(|| {
            info!("first");
            info_span!("moving").in_scope(|| info!("with it"));
            info!("gone");
        });
        info_span!("b").in_scope(|| info!("last"));
    });
    let actual = native(|| {
        info_span!("a").in_scope(|| info!("first"));
        info_span!("b").in_scope(|| {
            info_span!("moving").in_scope(|| info!("with it"));
            info!("last");
            info_span!("new").in_scope(|| warn!("inside"));
        });
    });
    check(
        &expected,
        &actual,
        "1 added, 1 gone, 1 moved\n\
         \n\
         \x20 INFO a{}\n\
         \x20 ├─ INFO first\n\
         < ├─ INFO moving{} ⋮ 1 inside (moved from here)\n\
         - └─ INFO gone\n\
         \x20 INFO b{}\n\
         > ├─ INFO moving{} ⋮ 1 inside (moved to here)\n\
         \x20 ├─ INFO last\n\
         + └─ INFO new{}\n\
         +    └─ WARN inside",
    );
    let comparison = SnapshotSettings::new().compare(&expected, &actual);
    let differences = comparison.differences();
    let [
        Difference::Gone(gone),
        Difference::Moved { expected: from, actual: to },
        Difference::Added(added),
    ] = &differences[..]
    else {
        panic!("{differences:?}");
    };
    assert_eq!(gone.to_string(), "INFO gone");
    assert_eq!(from.parent().unwrap().metadata().name(), "a");
    assert_eq!(to.parent().unwrap().metadata().name(), "b");
    assert_eq!(added.metadata().name(), "new");
}

#[test]
fn equal_siblings_far_from_differences_are_left_out() {
    let count = |until: u32| native(|| (0..until).for_each(|number| info!(number)));
    check(
        &count(1_000),
        &count(1_001),
        "1 added\n\n  ⋮ 999 equal\n  INFO number=999\n+ INFO number=1000",
    );
}

#[test]
fn types_levels_messages_and_missing_fields() {
    let expected = native(|| {
        info!(number = 1_u64, gone = true, "one");
        warn!("level");
    });
    let actual = native(|| {
        info!(number = 1_i64, new = "x", "one");
        info!("level");
    });
    check(
        &expected,
        &actual,
        "2 changed\n\
         \n\
         ~ INFO one number=1 new=\"x\"\n\
         \x20     number: 1 (an unsigned integer) → 1 (a signed integer)\n\
         \x20     gone: true → (not there)\n\
         \x20     new: (not there) → \"x\"\n\
         ~ INFO level\n\
         \x20     level: WARN → INFO",
    );
}

#[test]
fn long_texts_are_shown_where_they_differ() {
    let trace = |end: &str| {
        let text = "x".repeat(100_000) + end;
        native(|| info!(text))
    };
    let shown = SnapshotSettings::new().compare(&trace("old"), &trace("new")).to_string();
    assert!(shown.len() < 2_000, "{shown}");
    let same = "x".repeat(50);
    let change = format!(
        "text: from character 99950 on: \"{same}old\" → from character 99950 on: \"{same}new\""
    );
    assert!(shown.contains(&change), "{shown}");
}

#[test]
fn what_is_not_shown_is_not_compared() {
    let expected = native(|| info!(target: "old", id = 1, "of 10ms"));
    let actual = native(|| {
        info!(target: "new", id = 2, "of 20ms");
        debug!("more");
    });
    let settings = SnapshotSettings::new()
        .redact("id", "id")
        .redact_durations()
        .show_events(!level(Level::DEBUG));
    settings.assert_equivalent(&expected, &actual);
    let with_targets = settings.targets(true).compare(&expected, &actual).to_string();
    assert!(with_targets.ends_with("\n      target: old → new"), "{with_targets}");
}

#[test]
fn unordered_nodes_are_equivalent_in_any_order() {
    let trace =
        |ids: [u32; 3]| native(|| ids.into_iter().for_each(|id| drop(info_span!("job", id))));
    let (expected, actual) = (trace([1, 2, 3]), trace([3, 1, 2]));
    assert!(!SnapshotSettings::new().compare(&expected, &actual).is_equivalent());
    SnapshotSettings::new().unordered_spans(name("job")).assert_equivalent(&expected, &actual);
}

#[test]
fn failure_shows_the_difference() {
    let (expected, actual) = (connect(80), connect(81));
    let message = panic_message(|| SnapshotSettings::new().assert_equivalent(&expected, &actual));
    assert!(
        message.starts_with("the traces are not equivalent (expected → actual): 2 changed\n\n"),
        "{message}"
    );
}

/// What is not there may differ.
#[test]
fn traces_that_lack_records_are_not_said_to_be_equivalent() {
    let whole = || {
        let capture = Capture::start();
        info!("connected");
        capture.finish()
    };
    let left_out = || {
        let capture = Capture::builder().max_nodes(1, Keep::Oldest).start();
        info!("connected");
        error!("failed");
        capture.finish()
    };
    let bypassed = || {
        let capture = Capture::start();
        info!("connected");
        let _left_behind = dispatcher::set_default(&Dispatch::none());
        error!("failed");
        capture.trace()
    };
    let settings = SnapshotSettings::new();
    let refusal = |expected: &Trace, actual: &Trace| {
        assert!(settings.compare(expected, actual).is_equivalent());
        panic_message(|| settings.assert_equivalent(expected, actual))
    };
    let expected =
        "the traces may differ, since the actual one is not whole: nodes were left out, 1 in all";
    assert_eq!(refusal(&whole(), &left_out()), expected);
    assert!(refusal(&left_out(), &left_out()).contains("the expected one is not whole"));
    let refusal = refusal(&bypassed(), &whole());
    assert!(refusal.contains("by the expected one: this trace is not all"), "{refusal}");
    // Nothing is equal to nothing.
    let nothing = "nothing was compared: with these settings, both traces show nothing";
    let empty = || Capture::start().finish();
    assert_eq!(panic_message(|| settings.assert_equivalent(&empty(), &empty())), nothing);
    let only_errors = SnapshotSettings::new().show_events(level(tracing::Level::ERROR));
    assert_eq!(panic_message(|| only_errors.assert_equivalent(&whole(), &whole())), nothing);
    // Parts stand for themselves.
    settings.assert_equivalent(
        &whole().roots().collect::<Vec<_>>(),
        &left_out().roots().collect::<Vec<_>>(),
    );
}

#[test]
fn parts_are_compared() {
    let trace = native(|| {
        for port in [80, 80, 81] {
            info_span!("connect", port).in_scope(|| info!("connected"));
        }
    });
    let spans: Vec<_> = trace.root_spans().collect();
    let settings = SnapshotSettings::new();
    settings.assert_equivalent(&spans[0], &spans[1]);
    assert!(!settings.compare(&spans[0], &spans[2]).is_equivalent());
    let events = trace.scan_events().matches(&always());
    settings.assert_equivalent(&events[..2], &events[1..]);
}

#[test]
fn hundred_thousand_nodes_that_all_differ() {
    let trace = |salt: u32| native(|| (0..50_000).for_each(|i| info!(i = i * 2 + salt, "m")));
    let (expected, actual) = (trace(0), trace(1));
    let comparison = SnapshotSettings::new().compare(&expected, &actual);
    assert_eq!(comparison.differences().len(), 50_000);
    let shown = comparison.to_string();
    assert!(shown.ends_with("\n  ⋮ and 49950 more differences"), "{shown}");
    assert!(shown.lines().count() < 110, "{shown}");
}

/// The shortest difference takes time by the product of the numbers. What is shown must not depend on how much
/// time there was.
#[test]
fn many_nodes_in_another_order_are_moved_and_nothing_else() {
    const LEN: u32 = 20_000;

    let trace =
        |numbers: &mut dyn Iterator<Item = u32>| native(|| numbers.for_each(|n| info!("{n}")));
    let in_order = trace(&mut (0..LEN));
    let odd_ones_last = trace(&mut (0..LEN).step_by(2).chain((1..LEN).step_by(2)));
    let comparison = SnapshotSettings::new().compare(&in_order, &odd_ones_last);
    let differences = comparison.differences();
    let moved =
        differences.iter().filter(|difference| matches!(difference, Difference::Moved { .. }));
    assert_eq!((moved.count(), differences.len()), (LEN as usize / 2 - 1, LEN as usize / 2 - 1));
}

#[test]
fn deep_traces_are_compared() {
    let trace = |last: u32| {
        native(|| {
            let spans: Vec<_> = (0..10_000).map(|_| info_span!("level").entered()).collect();
            info!(last);
            spans.into_iter().rev().for_each(drop);
        })
    };
    let (expected, actual) = (trace(1), trace(2));
    let comparison = SnapshotSettings::new().compare(&expected, &actual);
    assert_eq!(comparison.differences().len(), 1);
    let around: Vec<_> =
        (0..16).map(|depth| format!("  {}└─ INFO level{{}}\n", "   ".repeat(depth))).collect();
    let branch = "   ".repeat(16);
    let shown = format!(
        "1 changed\n\n  ⋮ 9984 levels\n{}\
         ~ {branch}└─ INFO last=2\n  {branch}       last: 1 → 2",
        around.concat()
    );
    assert_eq!(comparison.to_string(), shown);
}

/// A small tree.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    id: u8,
    children: Option<Vec<Node>>,
}

impl Node {
    fn trace(&self) {
        let id = self.id;
        if let Some(children) = &self.children {
            info_span!("span", id).in_scope(|| children.iter().for_each(Node::trace));
        } else {
            info!(id, "event");
        }
    }
}

fn trace_of(nodes: &[Node]) -> Trace {
    native(|| nodes.iter().for_each(Node::trace))
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let leaf = (0_u8..4, any::<bool>())
        .prop_map(|(id, is_span)| Node { id, children: is_span.then(Vec::new) });
    let node = leaf.prop_recursive(3, 24, 4, |inner| {
        (0_u8..4, prop::collection::vec(inner, 0..4))
            .prop_map(|(id, children)| Node { id, children: Some(children) })
    });
    prop::collection::vec(node, 0..4)
}

fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + node.children.as_deref().map_or(0, count)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Traces are equivalent if and only if they are of equal trees; and the nodes on either side are
    /// those that are equal, changed, moved, and gone or added.
    #[test]
    fn comparison_accounts_for_all_nodes(expected in nodes(), actual in nodes()) {
        let (old, new) = (trace_of(&expected), trace_of(&actual));
        let comparison = SnapshotSettings::new().compare(&old, &new);
        prop_assert_eq!(comparison.is_equivalent(), expected == actual);
        let differences = comparison.differences();
        prop_assert_eq!(differences.is_empty(), expected == actual, "{}", comparison);

        let size = |node: &spanshot::capture::CapturedNode<'_>| match node {
            spanshot::capture::CapturedNode::Span(span) => {
                1 + span.descendants().count() + span.descendant_events().count()
                    + span.events().len()
            }
            spanshot::capture::CapturedNode::Event(_) => 1,
        };
        let (mut added, mut gone) = (0, 0);
        for found in &differences {
            match found {
                Difference::Added(node) => added += size(node),
                Difference::Gone(node) => gone += size(node),
                Difference::Moved { expected, actual } => {
                    prop_assert_eq!(expected.to_string(), actual.to_string());
                }
                Difference::Changed { expected, actual, fields } => {
                    prop_assert_eq!(&fields[..], ["id"]);
                    prop_assert_ne!(expected.value("id"), actual.value("id"));
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(count(&expected) + added, count(&actual) + gone);
    }

    /// One node that is added is all that there is to tell.
    #[test]
    fn one_added_node_is_the_only_difference(
        mut nodes in nodes(),
        place in any::<prop::sample::Index>(),
    ) {
        let old = trace_of(&nodes);
        nodes.insert(place.index(nodes.len() + 1), Node { id: 9, children: None });
        let new = trace_of(&nodes);
        let comparison = SnapshotSettings::new().compare(&old, &new);
        let differences = comparison.differences();
        prop_assert!(
            matches!(&differences[..], [Difference::Added(node)] if *node.value("id").unwrap() == 9),
            "{}", comparison
        );
        let back = SnapshotSettings::new().compare(&new, &old);
        prop_assert!(matches!(&back.differences()[..], [Difference::Gone(_)]), "{}", back);
    }
}

/// Where a part of a text is replaced, its quotes still tell a string from the output of `Display`.
#[test]
fn redacted_texts_with_and_without_quotes_differ() {
    let settings = SnapshotSettings::new().redact_durations();
    let mixed = native(|| {
        info!(took = "in 1ms");
        info!(took = %"in 2ms");
    });
    let tree = "INFO took=\"in ⟨duration⟩\"\nINFO took=in ⟨duration⟩";
    assert_eq!(settings.view(&mixed).to_string(), tree);
    let strings = native(|| {
        info!(took = "in 3ms");
        info!(took = "in 4ms");
    });
    let compared = settings.compare(&strings, &mixed);
    assert!(!compared.is_equivalent());
    assert_eq!(compared.differences().len(), 1);
}
