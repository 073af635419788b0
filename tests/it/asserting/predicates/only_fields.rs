//! The predicate that spans and events have fields of exactly these names.

use insta::assert_snapshot;
use spanshot::{Trace, TracingEvent, predicates::*};
use tracing::{field::Empty, info, info_span};

use crate::support::{direct, feed_events, native};

fn trace() -> Trace {
    native(|| {
        let request = info_span!("request", user_id = 7, path = "/", status = Empty, size = Empty);
        request.in_scope(|| {
            info!(attempts = 3, error = None::<&str>, "done");
            info!(attempts = 4);
            info!(error = None::<&str>);
        });
        request.record("status", 200);
        info_span!("empty").in_scope(|| ());
    })
}

#[test]
fn fields_match_in_any_order_and_by_their_values() {
    let trace = trace();
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    assert_eq!(
        spans.single(&only_fields(["status", "user_id", "path"])).metadata().name(),
        "request"
    );
    spans.single(&only_fields(["path", "path", "status", "user_id"]));
    spans.single(&(only_fields(["path", "status", "user_id"]) & field("status", 200)));
    spans.none(&only_fields(["path", "user_id"]));
    spans.none(&only_fields(["path", "user_id", "status", "size"]));
    assert_eq!(spans.single(&only_fields([])).metadata().name(), "empty");
    spans.single(&!only_fields([]));
    events.single(&only_fields(["message", "attempts"]));
    events.single(&only_fields(["attempts"]));
    events.single(&only_fields([]));
    events.none(&only_fields(["message"]));
    events.none(&only_fields(["message", "attempts", "error"]));
    // All values count that were recorded so far, also within `ever()`.
    spans.single(&ever(only_fields(["status", "user_id", "path"])));
    spans.none(&ever(only_fields(["user_id", "path"])));
    for span in trace.all_spans() {
        for expected in [true, false] {
            let predicate = only_fields(["status", "user_id", "path"]);
            let is_as_expected = predicate.eval(&span) == expected;
            assert_eq!(predicate.find_case(expected, &span).is_some(), is_as_expected);
        }
    }
}

#[test]
fn surplus_and_missing_fields_are_named() {
    let trace = trace();
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    let predicate = name("request") & only_fields(["user_id", "route", "method"]);
    assert_snapshot!(spans.try_single(&predicate).unwrap_err(), @r#"
    no span matches (name(var == "request") && only fields ["user_id", "route", "method"])

    nearest of 2 spans:
      INFO request{user_id=7 path="/" status=200}
        ✓ name(var == "request"): name is "request"
        ✗ only fields ["user_id", "route", "method"]: it is without "route", "method", and also with "path", "status"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
    ▶ INFO request{user_id=7 path="/" status=200}
      ├─ INFO done attempts=3
      ├─ INFO attempts=4
      └─ INFO
      INFO empty{}
    "#);
    assert_snapshot!(events.try_all(&only_fields(["attempts"])).unwrap_err(), @r#"
    2 of 3 events do not match: only fields ["attempts"]

      INFO done attempts=3
        ✗ only fields ["attempts"]: it is also with "message"
      INFO
        ✗ only fields ["attempts"]: it is without fields

    the trace:
      INFO request{user_id=7 path="/" status=200}
    ▶ ├─ INFO done attempts=3
      ├─ INFO attempts=4
    ▶ └─ INFO
      INFO empty{}
    "#);
    let error = spans.try_none(&(name("request") & only_fields(["path", "status", "user_id"])));
    assert_snapshot!(error.unwrap_err(), @r#"
    1 span should not match: (name(var == "request") && only fields ["path", "status", "user_id"])

      INFO request{user_id=7 path="/" status=200}

    the trace:
    ▶ INFO request{user_id=7 path="/" status=200}
      ├─ INFO done attempts=3
      ├─ INFO attempts=4
      └─ INFO
      INFO empty{}
    "#);
    let error = spans.try_single(&(name("empty") & !only_fields([]))).unwrap_err();
    assert_snapshot!(error, @r#"
    no span matches (name(var == "empty") && !only fields [])

    nearest of 2 spans:
      INFO empty{}
        ✓ name(var == "empty"): name is "empty"
        ✗ !only fields []: it is without fields
      INFO request{user_id=7 path="/" status=200}
        ✗ name(var == "empty"): name is "request"
        ✓ !only fields []: it is also with "user_id", "path", "status"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
    ▶ INFO request{user_id=7 path="/" status=200}
      ├─ INFO done attempts=3
      ├─ INFO attempts=4
      └─ INFO
    ▶ INFO empty{}
    "#);
}

#[test]
fn names_that_nobody_declares_are_no_reason_to_pass() {
    let trace = trace();
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    let expected = "this says nothing, since no span of the trace declares a field \"statsu\", \
                    but one declares \"status\": ";
    for refused in [
        spans.try_none(&only_fields(["no_such", "statsu"])).unwrap_err(),
        spans.try_all(&!only_fields(["user_id", "statsu"])).unwrap_err(),
        spans.try_any(&!only_fields(["user_id", "path", "statsu"])).unwrap_err(),
        spans.try_count(0, &(name("request") & only_fields(["statsu"]))).unwrap_err(),
    ] {
        let refused = refused.to_string();
        assert!(refused.starts_with(expected), "{refused}");
    }
    let missing = events.try_any(&only_fields(["message", "atempts"])).unwrap_err().to_string();
    let hint =
        "(no event of the trace declares a field \"atempts\", but one declares \"attempts\")";
    assert!(missing.contains(hint), "{missing}");
    // That nobody has such a field may be what is meant.
    spans.none(&only_fields(["colour"]));
}

/// A guest may declare a name several times, and record a field of which it has no name.
#[test]
fn names_of_a_guest_may_repeat() {
    let stream = r#"[
        {"new_call_site":{"id":0,"kind":"event","name":"e","target":"t","level":"info","fields":["a","b","a"]}},
        {"new_event":{"metadata_id":0,"values":{"a":{"int":1},"b":{"int":2}}}}
    ]"#;
    let events: Vec<TracingEvent> = serde_json::from_str(stream).unwrap();
    let trace = direct(feed_events(events));
    trace.scan_events().single(&only_fields(["b", "a"]));
    trace.scan_events().none(&only_fields(["a"]));
}

/// What a guest declares may be a thousand fields.
#[test]
fn long_lists_are_cut() {
    let fields: Vec<_> = (0..1_000).map(|index| format!("f{index}")).collect();
    let values: serde_json::Map<_, _> =
        fields.iter().map(|name| (name.clone(), serde_json::json!({ "int": 1 }))).collect();
    let stream = serde_json::json!([
        { "new_call_site": { "id": 0, "kind": "event", "name": "e", "target": "t", "level": "info", "fields": fields } },
        { "new_event": { "metadata_id": 0, "values": values } },
    ]);
    let trace = direct(feed_events(serde_json::from_value(stream).unwrap()));
    let error = trace.scan_events().try_any(&only_fields(["f3", "g"])).unwrap_err().to_string();
    let reason = error.lines().find(|line| line.contains("✗")).unwrap();
    assert_snapshot!(reason, @r#"    ✗ only fields ["f3", "g"]: it is without "g", and also with "f0", "f1", "f10", "f100", "f101", "f102", "f103", "f104", …"#);
}
