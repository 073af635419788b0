//! Predicates for what is around spans, in a chain of many: what looks at all of it for each span does not
//! come to an end here.

use spanshot::{CapturedSpan, SnapshotSettings, Trace, TracedValue, predicates::*};
use tracing::{Level, info, info_span};

use crate::support::native;

const DEPTH: usize = 16_000;

/// Spans, each in the one before, with an event in each.
fn chain() -> Trace {
    native(|| {
        let _spans: Vec<_> = (0..DEPTH)
            .map(|depth| {
                let span = info_span!("span", depth).entered();
                info!(depth, "entered");
                span
            })
            .collect();
    })
}

#[test]
fn what_is_in_spans_is_found() {
    let trace = chain();
    let spans = trace.scan_spans();
    let last = || field("depth", DEPTH - 1);
    spans.count(DEPTH - 1, &descendant(last()));
    spans.count(DEPTH, &deep_event(last()));
    spans.single(&(descendant(last()) & !child(descendant(last()))));
    spans.count(DEPTH - 2, &descendant(child(last())));
    spans.count(DEPTH - 1, &descendant(deep_event(last())));
    spans.count(DEPTH - 1, &descendant(!descendant(name("other"))));
    spans.none(&descendant(descendant(deep_event(level(Level::ERROR)))));
}

#[test]
fn what_is_around_spans_is_found() {
    let trace = chain();
    let first = || field("depth", 0);
    trace.scan_spans().count(DEPTH - 1, &ancestor(first()));
    trace.scan_events().count(DEPTH, &ancestor(first()));
    trace.scan_events().count(DEPTH - 1, &ancestor(ancestor(first())));
    trace.scan_events().count(DEPTH, &ancestor(descendant(first()) | event(first())));
    trace.scan_events().none(&ancestor(name("other")));
    trace.scan_spans().none(&descendant(ancestor(name("other"))));
}

#[test]
fn nearest_is_found() {
    let trace = chain();
    let spans = trace.scan_spans();
    let [last, other] = [field("depth", DEPTH - 1), field("depth", DEPTH)];
    spans.try_single(&descendant(last)).unwrap_err();
    spans.try_single(&(name("other") & !descendant(last))).unwrap_err();
    spans.try_single(&(descendant(other) | deep_event(other))).unwrap_err();
    spans.try_single(&ancestor(other)).unwrap_err();
    spans.try_all(&descendant(last)).unwrap_err();
    spans.try_in_order(&[&descendant(last), &descendant(other)]).unwrap_err();
    trace.scan_events().try_single(&ancestor(other)).unwrap_err();
    trace.scan_events().try_none(&!ancestor(other)).unwrap_err();
}

#[test]
fn what_many_have_in_common_is_asked_once() {
    let trace = native(|| {
        let source = info_span!("source");
        source.in_scope(|| (0..DEPTH).for_each(|number| info!(number)));
        for _ in 0..DEPTH {
            info_span!("follower").follows_from(&source);
        }
    });
    trace.scan_events().none(&parent(event(field("number", DEPTH))));
    trace.scan_spans().none(&follows_from(event(field("number", DEPTH))));
    trace.scan_spans().count(DEPTH, &follows_from(event(field("number", DEPTH - 1))));
}

/// A closure may make a predicate for each span, another one each time.
#[test]
fn predicates_made_meanwhile_are_told_apart() {
    let trace = native(|| {
        info_span!("outer").in_scope(|| {
            for number in 0..4 {
                info_span!("inner", number).in_scope(|| info!(number));
            }
        });
    });
    let outer = trace.scan_spans().single(&name("outer"));
    let is_own = satisfies("its number is that of a sibling", |span: &CapturedSpan<'_>| {
        let number = span.value("number").and_then(TracedValue::as_int).unwrap_or(9);
        let found = descendant(field("number", number)).eval(&outer);
        assert_eq!(outer.deep_scan_spans().try_any(&field("number", number)).is_ok(), found);
        found
    });
    trace.scan_spans().count(4, &is_own);
    trace.scan_spans().single(&descendant(is_own));
}

#[test]
fn copies_answer_alike_and_each_trace_has_its_own_answers() {
    let predicate = descendant(name("inner"));
    for is_there in [true, false, true] {
        let trace = native(|| {
            info_span!("outer").in_scope(|| is_there.then(|| drop(info_span!("inner"))));
        });
        assert_eq!(trace.scan_spans().try_single(&predicate).is_ok(), is_there);
        let copy = predicate;
        assert_eq!(trace.scan_spans().try_none(&copy).is_err(), is_there);
        assert_eq!(copy, descendant(name("inner")));
    }
}

/// The same predicate is asked for the last values of fields, and for all that they had.
#[test]
fn earlier_values_have_answers_of_their_own() {
    let trace = native(|| {
        info_span!("outer").in_scope(|| {
            let inner = info_span!("inner", status = "failed");
            inner.record("status", "done");
        });
    });
    let failed = descendant(field("status", "failed"));
    let spans = trace.scan_spans();
    spans.try_single(&failed).unwrap_err();
    spans.single(&(!failed & ever(failed)));
    let error = spans.try_none(&failed).unwrap_err().to_string();
    assert!(error.starts_with("1 span should not match"), "{error}");
}

#[test]
fn snapshots_show_what_matches() {
    let trace = chain();
    let settings = SnapshotSettings::new().show_spans(descendant(field("depth", DEPTH)));
    assert!(!settings.view(&trace).to_string().contains("span{"));
    let spans: Vec<_> = trace.all_spans().collect();
    let settings = SnapshotSettings::new().show_spans(!ancestor(field("depth", 0)));
    assert_eq!(settings.view(&spans[..1]).to_string().matches("span{").count(), 1);
}
