//! What a field of a span had before its last value.

use insta::assert_snapshot;
use spanshot::{CapturedSpan, SharedStorage, Trace, predicates::*};
use tracing::{field::Empty, info, info_span};

use crate::support::{captured_by_every_way, native};

/// A job that failed before it was done, with an event and a span in it.
fn retried() {
    let job = info_span!("job", status = "failed", late = Empty);
    job.in_scope(|| {
        info!("accepted");
        drop(info_span!("step"));
    });
    let clean_up = info_span!("clean up");
    clean_up.follows_from(&job);
    job.record("status", "done");
    job.record("late", 1);
}

fn by_every_way(check: impl Fn(&Trace)) {
    captured_by_every_way(
        |_| {},
        |_, storage: &SharedStorage| {
            retried();
            check(&storage.lock());
        },
    );
}

/// The beginning of a message, before remarks and the trace.
#[track_caller]
fn failure<T: std::fmt::Debug>(result: Result<T, ScanError>) -> String {
    let message = result.unwrap_err().to_string();
    let before = message.split("\n\nthe trace:").next().unwrap();
    before.split("\n\n(records of other threads").next().unwrap().to_owned()
}

#[test]
fn negatives_look_at_earlier_values() {
    by_every_way(|trace| {
        let (spans, events) = (trace.scan_spans(), trace.scan_events());
        let [failed, done] = ["failed", "done"].map(|status| field("status", status));
        for error in [
            spans.try_none(&failed),
            spans.try_none(&done),
            spans.try_all(&!failed),
            spans.try_all(&!done),
            spans.try_none(&(name("job") & failed)),
            spans.try_none(&(name("other") | failed)),
            spans.try_count(0, &failed).map(drop),
            spans.try_none(&parent(failed)),
            spans.try_none(&follows_from(failed)),
            spans.try_none(&tree(failed).event(message("accepted"))),
            spans.try_all(&!ancestor(failed)),
            events.try_none(&parent(failed)),
            events.try_none(&ancestor(failed)),
            events.try_all(&!parent(failed)),
            events.try_none(&parent(child(name("step")) & failed)),
        ] {
            assert!(error.is_err());
        }
        let job = spans.single(&name("job"));
        assert!(job.scan_events().try_none(&parent(failed)).is_err());
        assert!(job.scan_spans().try_none(&parent(failed)).is_err());
        assert!(job.deep_scan_spans().try_none(&ancestor(failed)).is_err());

        spans.none(&field("status", "waiting"));
        spans.all(&(!name("job") | done));
        spans.none(&field("late", 2));
        events.none(&parent(field("status", "waiting")));
    });
}

#[test]
fn positives_look_at_the_last_value() {
    by_every_way(|trace| {
        let (spans, events) = (trace.scan_spans(), trace.scan_events());
        let [failed, done] = ["failed", "done"].map(|status| field("status", status));
        spans.single(&done);
        spans.any(&(name("job") & !failed));
        events.single(&parent(done));
        assert!(spans.try_any(&failed).is_err());
        assert!(spans.try_count(1.., &failed).is_err());
        assert!(spans.try_in_order(&[&failed]).is_err());
        assert!(events.try_any(&parent(failed)).is_err());
    });
}

#[test]
fn ever_looks_at_all_values() {
    by_every_way(|trace| {
        let (spans, events) = (trace.scan_spans(), trace.scan_events());
        let [failed, done, waiting] =
            ["failed", "done", "waiting"].map(|status| field("status", status));
        let job = spans.single(&ever(failed));
        assert_eq!(job["status"], "done");
        let is_done = |span: &CapturedSpan<'_>| span.value("status") == Some(&"done".into());
        spans.single(&ever(failed & satisfies("is done", is_done)));
        spans.single(&ever(done));
        spans.single(&ever(failed & done));
        spans.single(&(ever(failed) & done));
        assert!(spans.try_any(&ever(waiting)).is_err());
        assert!(spans.try_any(&ever(name("job") & !failed)).is_err());
        spans.none(&ever(waiting));
        events.single(&ever(parent(failed)));
        events.single(&parent(ever(failed)));
        events.single(&ever(ancestor(failed)));
        spans.single(&ever(child(parent(failed))));
        spans.single(&ever(event(parent(failed))));
        spans.single(&ever(descendant(ancestor(failed))));
        spans.single(&ever(deep_event(parent(failed))));
        spans.single(&ever(follows_from(failed)));
        spans.single(&ever(tree(failed).event(ancestor(failed)).span([parent(failed)])));
    });
}

/// What is counted is what there is in the end, unless there is to be none.
#[test]
fn maximum_counts_those_that_match_in_the_end() {
    let trace = native(|| {
        let jobs = [1, 2, 3].map(|job| info_span!("job", job, status = "open"));
        jobs[0].record("status", "closed");
        jobs[1].record("status", "closed");
    });
    let spans = trace.scan_spans();
    let open = field("status", "open");
    assert_eq!(spans.single(&open)["job"], 3);
    spans.count(1, &open);
    spans.count(..=2, &open);
    spans.count(3, &ever(open));
    assert!(spans.try_single(&ever(open)).is_err());
    assert!(spans.try_count(0, &(open & field("job", 1))).is_err());
    assert!(spans.try_count(..1, &(open & field("job", 1))).is_err());
    spans.count(0, &(open & field("job", 4)));
}

#[test]
fn failures_say_what_was_before() {
    let trace = native(retried);
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    let [failed, waiting] = ["failed", "waiting"].map(|status| field("status", status));
    assert_snapshot!(failure(spans.try_none(&failed)), @r#"
    1 span should not match: field "status"(var == "failed")

      INFO job{status="done" late=1}
        ✓ field "status"(var == "failed"): status is "done", and was "failed" before
    "#);
    assert_snapshot!(failure(spans.try_all(&!failed)), @r#"
    1 of 3 spans does not match: !field "status"(var == "failed")

      INFO job{status="done" late=1}
        ✗ !field "status"(var == "failed"): status is "done", and was "failed" before
    "#);
    assert_snapshot!(failure(spans.try_all(&(name("job") & !failed))), @r#"
    3 of 3 spans do not match: (name(var == "job") && !field "status"(var == "failed"))

      INFO job{status="done" late=1}
        ✓ name(var == "job"): name is "job"
        ✗ !field "status"(var == "failed"): status is "done", and was "failed" before
      INFO step{}
        ✗ name(var == "job"): name is "step"
        ✓ !field "status"(var == "failed"): status is not there
      INFO clean up{} (follows from job)
        ✗ name(var == "job"): name is "clean up"
        ✓ !field "status"(var == "failed"): status is not there
    "#);
    assert_snapshot!(failure(events.try_none(&parent(failed))), @r#"
    1 event should not match: parent(field "status"(var == "failed"))

      INFO accepted
        ✓ parent(field "status"(var == "failed")): parent is INFO job{status="done" late=1}
          ✓ field "status"(var == "failed"): status is "done", and was "failed" before
    "#);
    assert_snapshot!(failure(events.try_none(&!!ancestor(name("job") & failed))), @r#"
    1 event should not match: !!ancestor((name(var == "job") && field "status"(var == "failed")))

      INFO accepted
        ✓ !!ancestor((name(var == "job") && field "status"(var == "failed"))): it is in INFO job{status="done" late=1}: status is "done", and was "failed" before: name is "job"
    "#);
    assert_snapshot!(failure(spans.try_none(&child(parent(failed)))), @r#"
    1 span should not match: child(parent(field "status"(var == "failed")))

      INFO job{status="done" late=1}
        ✓ child(parent(field "status"(var == "failed"))): in it is INFO step{}
          ✓ parent(field "status"(var == "failed")): parent is INFO job{status="done" late=1}
            ✓ field "status"(var == "failed"): status is "done", and was "failed" before
    "#);
    assert_snapshot!(failure(spans.try_none(&tree(failed).event(message("accepted")))), @r#"
    1 span should not match: tree(field "status"(var == "failed"), event message(var == "accepted"))

      INFO job{status="done" late=1}
        ✓ field "status"(var == "failed"): status is "done", and was "failed" before
    "#);
    assert_snapshot!(failure(spans.try_any(&(name("job") & failed))), @r#"
    no span matches (name(var == "job") && field "status"(var == "failed"))

    nearest of 3 spans:
      INFO job{status="done" late=1}
        ✓ name(var == "job"): name is "job"
        ✗ field "status"(var == "failed"): status is "done", and was "failed" before

    (it did match, with earlier values: `ever(…)` looks at these, too)
    "#);
    assert_snapshot!(failure(spans.try_any(&ever(waiting))), @r#"
    no span matches ever(field "status"(var == "waiting"))

    nearest of 3 spans:
      INFO job{status="done" late=1}
        ✗ ever(field "status"(var == "waiting")): status is "done", and was "failed" before
      INFO step{}
        ✗ ever(field "status"(var == "waiting")): status is not there
      INFO clean up{} (follows from job)
        ✗ ever(field "status"(var == "waiting")): status is not there
    "#);
    assert_snapshot!(failure(spans.try_any(&ever(name("job") & waiting))), @r#"
    no span matches ever((name(var == "job") && field "status"(var == "waiting")))

    nearest of 3 spans:
      INFO job{status="done" late=1}
        ✗ ever((name(var == "job") && field "status"(var == "waiting")))
          ✓ name(var == "job"): name is "job"
          ✗ field "status"(var == "waiting"): status is "done", and was "failed" before
    "#);
}

#[test]
fn many_earlier_values_are_cut() {
    let trace = native(|| {
        let span = info_span!("span", number = 0);
        for number in 1..=9 {
            span.record("number", number);
        }
    });
    let spans = trace.scan_spans();
    let message = failure(spans.try_any(&field("number", 10)));
    assert!(message.ends_with("number is 9, and was 0, 1, 2, 3, … before"), "{message}");
    let message = failure(spans.try_none(&field("number", 7)));
    assert!(message.ends_with("number is 9, and was 7 before"), "{message}");
}

/// A name that is declared twice has earlier values in either place.
#[test]
fn earlier_values_of_either_place_count() {
    let trace = native(|| {
        let span = info_span!("span", a = 1, a = 2);
        span.record("a", 3);
        let second = span.metadata().unwrap().fields().iter().last().unwrap();
        span.record(&second, 4);
    });
    let spans = trace.scan_spans();
    for number in [1, 2, 3, 4] {
        assert!(spans.try_none(&field("a", number)).is_err(), "{number}");
        spans.single(&ever(field("a", number)));
    }
    spans.none(&field("a", 5));
}
