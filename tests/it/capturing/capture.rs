//! Captures of a thread, and the storage that they fill.

use std::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe, catch_unwind},
    thread,
};

use spanshot::{
    Capture, CaptureHandle, CaptureLayer, CapturedEvent, CapturedSpan, SharedStorage, Storage,
    Trace, capture::CapturedNode,
};
use tracing::{debug, field, info, info_span, warn};
use tracing_subscriber::{EnvFilter, filter::LevelFilter, layer::SubscriberExt};

use crate::support::native;

#[test]
fn capture_ends_when_it_is_dropped() {
    let capture = Capture::start();
    info!("captured");
    {
        let inner = Capture::start();
        info!("by the inner one");
        assert_eq!(inner.trace().to_string(), "INFO by the inner one");
    }
    info!("captured again");
    assert_eq!(capture.trace().to_string(), "INFO captured\nINFO captured again");
}

#[test]
fn captures_of_threads_are_apart() {
    thread::scope(|scope| {
        for index in 0..8 {
            scope.spawn(move || {
                let capture = Capture::start();
                for step in 0..100 {
                    info_span!("step", index, step).in_scope(|| info!(index, "in it"));
                }
                let trace = capture.trace();
                assert_eq!((trace.all_spans().len(), trace.all_events().len()), (100, 100));
                assert!(trace.all_events().all(|event| event["index"] == index));
            });
        }
    });
}

#[test]
fn spans_and_events_stand_in_the_order_in_which_they_happened() {
    let trace = native(|| {
        info!("first");
        let span = info_span!("span");
        span.in_scope(|| {
            info!("one");
            info_span!("inner").in_scope(|| ());
            info!("two");
        });
        info!("last");
    });
    let kinds = |nodes: spanshot::capture::CapturedNodes<'_>| -> Vec<_> {
        nodes.map(|node| matches!(node, CapturedNode::Span(_))).collect()
    };
    assert_eq!(kinds(trace.roots()), [false, true, false]);
    let span = trace.root_spans().next().unwrap();
    assert_eq!(kinds(span.nodes()), [false, true, false]);
    let backwards: Vec<_> = span.nodes().rev().map(|node| node.to_string()).collect();
    assert_eq!(backwards, ["INFO two", "INFO inner{}", "INFO one"]);
    let messages: Vec<_> = span.events().rev().filter_map(|event| event.message()).collect();
    assert_eq!(messages, ["two", "one"]);
}

#[test]
fn iterators_have_their_length_and_go_both_ways() {
    let trace = native(|| {
        for index in 0..3 {
            let _entered = info_span!("root", index).entered();
            for index in 0..4 {
                info!(index);
                drop(info_span!("child", index));
            }
        }
    });
    assert_eq!((trace.all_spans().len(), trace.root_spans().len()), (15, 3));
    assert_eq!((trace.all_events().len(), trace.root_events().len()), (12, 0));
    for root in trace.root_spans() {
        assert_eq!((root.children().len(), root.events().len(), root.nodes().len()), (4, 4, 8));
        let mut children = root.children();
        let (first, last) = (children.next().unwrap(), children.next_back().unwrap());
        assert_eq!(first["index"], 0);
        assert_eq!(last["index"], 3);
        assert_eq!(children.len(), 2);
        assert!(first < last && first != last);
        let rest: Vec<_> = children.by_ref().rev().map(|span| span["index"].clone()).collect();
        assert_eq!(rest, [2, 1]);
        assert!(children.next().is_none() && children.next_back().is_none());
    }
}

#[test]
fn descendants_come_in_the_order_of_time() {
    let trace = native(|| {
        let _root = info_span!("root").entered();
        for name in ["a", "b"] {
            let _entered = info_span!("branch", name).entered();
            info!("event in {name}");
            info_span!("leaf", name).in_scope(|| info!("event in leaf of {name}"));
        }
    });
    let root = trace.root_spans().next().unwrap();
    let names: Vec<_> = root
        .descendants()
        .map(|span| format!("{} {}", span.metadata().name(), span["name"]))
        .collect();
    assert_eq!(names, [r#"branch "a""#, r#"leaf "a""#, r#"branch "b""#, r#"leaf "b""#]);
    let messages: Vec<_> = root.descendant_events().filter_map(|event| event.message()).collect();
    assert_eq!(messages, ["event in a", "event in leaf of a", "event in b", "event in leaf of b"]);
    let branch = root.children().next().unwrap();
    assert_eq!(branch.descendants().count(), 1);
}

#[test]
fn late_values_overwrite_in_place_or_come_behind_the_others() {
    let trace = native(|| {
        let span = info_span!("span", a = 1, b = field::Empty, c = 3);
        let other = info_span!("other", a = field::Empty, b = 5);
        span.record("b", 2);
        other.record("a", 4).record("b", 6);
        span.record("a", 7);
    });
    assert_eq!(trace.to_string(), "INFO span{a=7 c=3 b=2}\nINFO other{b=6 a=4}");
}

#[test]
fn name_that_is_given_twice_has_two_values() {
    let trace = native(|| info!(a = 1, a = 2));
    let event = trace.all_events().next().unwrap();
    assert_eq!(event.to_string(), "INFO a=1 a=2");
    assert_eq!(event["a"], 2);
}

#[test]
fn tracing_goes_on_while_a_trace_is_read() {
    let capture = Capture::start();
    let span = info_span!("span", late = field::Empty);
    let before = capture.trace();
    span.record("late", 1);
    span.in_scope(|| info!("while it is read"));
    assert_eq!(before.to_string(), "INFO span{}");
    assert_eq!(capture.trace().to_string(), "INFO span{late=1}\n└─ INFO while it is read");
}

#[test]
fn debug_implementation_may_trace_panic_and_read_the_capture() {
    struct Curious<'a>(&'a Capture);

    impl fmt::Debug for Curious<'_> {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            info!("formatting");
            write!(formatter, "{} events before", self.0.trace().all_events().len())?;
            assert!(self.0.trace().all_events().len() < 2, "as it was told to");
            Ok(())
        }
    }

    let capture = Capture::start();
    info!("first");
    info!(value = ?Curious(&capture));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(
        || info!(value = ?Curious(&capture)),
    ));
    assert!(panicked.is_err());
    info!("last");
    let trace = capture.trace();
    let last = trace.all_events().next_back().unwrap();
    assert_eq!(last.message(), Some("last"));
    assert!(trace.all_events().any(|event| event.value("value").is_some()));
}

#[test]
fn layers_on_one_subscriber_have_their_own_storages_and_filters() {
    let [all, info, span] = std::array::from_fn(|_| SharedStorage::default());
    let subscriber = tracing_subscriber::registry()
        .with(CaptureLayer::new(&all))
        .with(CaptureLayer::new(&info).with_filter(LevelFilter::INFO))
        .with(CaptureLayer::new(&span).with_filter(EnvFilter::new("off,[wanted{id=7}]=debug")));
    tracing::subscriber::with_default(subscriber, || {
        info_span!("wanted", id = 7).in_scope(|| debug!("inside"));
        info_span!("wanted", id = 8).in_scope(|| warn!("outside"));
    });
    let tree = |storage: &SharedStorage| storage.lock().to_string();
    assert_eq!(
        tree(&all),
        "INFO wanted{id=7}\n└─ DEBUG inside\nINFO wanted{id=8}\n└─ WARN outside"
    );
    assert_eq!(tree(&info), "INFO wanted{id=7}\nINFO wanted{id=8}\n└─ WARN outside");
    assert!(tree(&span).starts_with("INFO wanted{id=7}\n└─ DEBUG inside"), "{}", tree(&span));
    assert!(!tree(&span).contains("outside"), "{}", tree(&span));
}

#[test]
fn deep_tree_is_captured_walked_shown_and_dropped() {
    const DEPTH: usize = 100_000;

    let trace = native(|| {
        let mut spans = vec![info_span!("root")];
        for depth in 1..DEPTH {
            spans.push(info_span!(parent: &spans[depth - 1], "span", depth));
        }
        spans[DEPTH - 1].in_scope(|| info!("deep"));
        drop(spans); // the outermost one first, so that the innermost one keeps all of them open
    });
    assert!(trace.all_spans().all(|span| span.stats().is_closed));
    let root = trace.root_spans().next().unwrap();
    assert_eq!(root.descendants().count(), DEPTH - 1);
    let event = root.descendant_events().next().unwrap();
    assert_eq!(event.ancestors().count(), DEPTH);
    let text = trace.to_string();
    assert_eq!(text.lines().count(), DEPTH + 1);
    assert!(text.len() < 300 * DEPTH, "{} bytes", text.len());
    let error = serde_json::to_string(&trace).unwrap_err();
    assert_eq!(error.to_string(), "spans are more than 128 deep within one another");
}

#[test]
fn captures_may_be_dropped_in_any_order() {
    let outer = Capture::start();
    let first = Capture::start();
    let second = Capture::start();
    drop(first);
    info!("second");
    drop(second);
    info!("outer");
    let mut reset = Capture::start();
    info!("reset");
    reset = {
        assert_eq!(reset.trace().to_string(), "INFO reset");
        Capture::start()
    };
    info!("after the reset");
    assert_eq!(reset.trace().to_string(), "INFO after the reset");
    drop(reset);
    info!("outer again");
    assert_eq!(outer.trace().to_string(), "INFO outer\nINFO outer again");
}

#[test]
fn events_at_any_depth_come_in_the_order_of_time() {
    use spanshot::predicates::*;

    let trace = native(|| {
        let _root = info_span!("root").entered();
        info!("1");
        info_span!("branch").in_scope(|| {
            info!("2");
            info_span!("leaf").in_scope(|| info!("3"));
            info!("4");
        });
        info!("5");
    });
    let root = trace.root_spans().next().unwrap();
    let messages: Vec<_> = root.descendant_events().filter_map(|event| event.message()).collect();
    assert_eq!(messages, ["2", "3", "4"]);
    let events = root.deep_scan_events();
    assert_eq!(events.first(&always()).message(), Some("1"));
    assert_eq!(events.last(&always()).message(), Some("5"));
    events.single(&message(eq("3")));
    let branch = root.children().next().unwrap();
    assert_eq!(branch.deep_scan_events().last(&always()).message(), Some("4"));
}

/// Values that somebody has looked at are kept for others, who look at what came since as well.
#[test]
fn values_are_there_whenever_they_are_looked_at() {
    let capture = Capture::start();
    let mut held = vec![];
    for number in 0..700_u64 {
        info!(number = number * 1_000, text = format!("text {number}"), "message {number}");
        let trace = capture.trace();
        assert_eq!(trace.all_events().len() as u64, number + 1);
        for looked_at in [0, number / 2, number] {
            let event = trace.all_events().nth(usize::try_from(looked_at).unwrap()).unwrap();
            assert_eq!(
                event.value("number"),
                Some(&(looked_at * 1_000).into()),
                "{number} {looked_at}"
            );
            assert_eq!(event["text"], format!("text {looked_at}").as_str());
            assert_eq!(event["message"].as_text(), event.message());
        }
        if number % 3 == 0 {
            held.push(trace);
        }
    }
    for trace in held {
        assert!(trace.all_events().all(|event| event.values().count() == 3));
    }
}

#[test]
fn captures_may_be_used_in_and_after_catch_unwind() {
    fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}

    is_unwind_safe::<Capture>();
    is_unwind_safe::<CaptureHandle>();
    is_unwind_safe::<SharedStorage>();
    is_unwind_safe::<Storage>();
    is_unwind_safe::<Trace>();
    is_unwind_safe::<CapturedSpan<'_>>();
    is_unwind_safe::<CapturedEvent<'_>>();

    let capture = Capture::start();
    let (handle, storage) = (capture.handle(), capture.storage().clone());
    let trace = capture.trace();
    let panicked = catch_unwind(|| {
        let _entered = info_span!("unwound").entered();
        handle.in_scope(|| info!("in it"));
        assert_eq!(storage.lock().all_events().len(), 1);
        assert_eq!(trace.all_events().len(), 0);
        panic!("{}", capture.trace());
    });
    let tree = "INFO unwound{}\n└─ INFO in it";
    assert_eq!(*panicked.unwrap_err().downcast::<String>().unwrap(), tree);
    info!("after it");
    assert_eq!(storage.lock().to_string(), format!("{tree}\nINFO after it"));
    assert!(capture.finish().all_spans().all(|span| span.stats().is_closed));
}
