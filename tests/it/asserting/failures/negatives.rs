//! Assertions that hold because there is nothing that the capture could have seen.

use insta::assert_snapshot;
use spanshot::{Capture, Keep, Trace, predicates::*};
use tracing::{Level, field::Empty, info, info_span, level_filters::LevelFilter};

use crate::support::{load_plugin, native};

fn filtered(filter: &str) -> Trace {
    let capture = Capture::builder().filter(filter).start();
    load_plugin().evaluate("8 / (3 - 3)").unwrap_err();
    capture.trace()
}

#[test]
fn empty_capture() {
    let trace = Capture::start().trace();
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    assert_snapshot!(failure!(events.none(&level(Level::ERROR))), @"
    this says nothing, since the capture saw nothing at all: level(ERROR)
    (if that is meant, scan with `or_empty()`)
    ");
    assert_snapshot!(failure!(spans.all(&level(Level::INFO))), @"
    this says nothing, since the capture saw nothing at all: level(INFO)
    (if that is meant, scan with `or_empty()`)
    ");
    assert_snapshot!(failure!(spans.count(0, &name(eq("evaluate")))), @r#"
    this says nothing, since the capture saw nothing at all: name(var == "evaluate")
    (if that is meant, scan with `or_empty()`)
    "#);
    assert_snapshot!(failure!(spans.count(..5, &name(eq("evaluate")))), @r#"
    this says nothing, since the capture saw nothing at all: name(var == "evaluate")
    (if that is meant, scan with `or_empty()`)
    "#);
    assert_snapshot!(failure!(spans.exactly(&[])), @"
    this says nothing, since the capture saw nothing at all: nothing else
    (if that is meant, scan with `or_empty()`)
    ");
    events.or_empty().none(&level(Level::ERROR));
    spans.or_empty().exactly(&[]);
    spans.or_empty().all(&level(Level::INFO));
    spans.or_empty().count(..5, &always());
}

#[test]
fn nothing_can_be_between_moments() {
    let trace = native(|| {
        info!("opened");
        info!("closed");
    });
    let events = trace.scan_events();
    let moment = |text| events.single(&message(eq(text))).moment();
    let (opened, closed) = (moment("opened"), moment("closed"));
    let swapped = events.during(closed..opened);
    assert_snapshot!(failure!(swapped.none(&level(Level::ERROR))), @"
    this says nothing, since nothing can be between the given moments, the first of which is not before the second: level(ERROR)
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO opened
      INFO closed
    ");
    swapped.try_all(&level(Level::INFO)).unwrap_err();
    swapped.try_count(..3, &always()).unwrap_err();
    swapped.try_exactly(&[]).unwrap_err();
    events.during(closed..=opened).try_none(&level(Level::ERROR)).unwrap_err();
    events.during(opened..opened).try_none(&level(Level::ERROR)).unwrap_err();
    swapped.or_empty().none(&level(Level::ERROR));
    events.during(opened..closed).none(&level(Level::ERROR));
    events.during(opened..=opened).exactly(&[&message(eq("opened"))]);
    events.during(closed..).none(&message(eq("opened")));
}

#[test]
fn level_is_filtered_out() {
    let trace = filtered("info");
    let events = trace.scan_events();
    assert_snapshot!(failure!(events.none(&(level(Level::TRACE) & message(eq("computed"))))), @r#"
    this says nothing, since the capture's filter "info" lets none of it pass: (level(TRACE) && message(var == "computed"))
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    assert_snapshot!(failure!(events.count(..=3, &level([gt(Level::INFO)]))), @r#"
    this says nothing, since the capture's filter "info" lets none of it pass: level(var > Level(Info))
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    assert_snapshot!(failure!(events.none(&!level(LevelFilter::INFO))), @r#"
    this says nothing, since the capture's filter "info" lets none of it pass: !level(INFO or more severe)
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    // What is not of these levels was not captured; nor was a span that the whole pattern needs.
    assert_snapshot!(failure!(events.all(&level(LevelFilter::INFO))), @r#"
    this says nothing, since the capture's filter "info" lets nothing pass that could fail to match: level(INFO or more severe)
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    let spans = trace.scan_spans();
    let pattern = tree(level(Level::DEBUG)).event(always());
    assert_snapshot!(failure!(spans.none(&pattern)), @r#"
    this says nothing, since the capture's filter "info" lets none of it pass: tree(level(DEBUG), event true)
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    events.or_empty().none(&level(Level::TRACE));
    events.or_empty().all(&level(LevelFilter::INFO));
    events.all(&(level(Level::ERROR) | level(Level::WARN)));
    // These could have been seen.
    events.none(&level(Level::INFO));
    events.none(&(level(Level::TRACE) | message(eq("computed"))));
}

#[test]
fn target_is_filtered_out() {
    let trace = filtered("spanshot_guest::evaluator=info,other=trace");
    let spans = trace.scan_spans();
    assert_snapshot!(failure!(spans.none(&target("net"))), @r#"
    this says nothing, since the capture's filter "spanshot_guest::evaluator=info,other=trace" lets none of it pass from "net": target(net or below)
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    let parsing = target("spanshot_guest::evaluator::parser") & level(Level::DEBUG);
    assert_snapshot!(failure!(spans.count(0, &parsing)), @r#"
    this says nothing, since the capture's filter "spanshot_guest::evaluator=info,other=trace" lets none of it pass from "spanshot_guest::evaluator::parser": (target(spanshot_guest::evaluator::parser or below) && level(DEBUG))
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    spans.none(&target("other"));
}

#[test]
fn left_out_for_want_of_room() {
    let capture = Capture::builder().max_nodes(5, Keep::Newest).start();
    load_plugin().evaluate("8 / (3 - 3)").unwrap_err();
    let trace = capture.trace();
    let events = trace.scan_events();
    assert_snapshot!(failure!(events.none(&message(eq("parsed")))), @r#"
    this says nothing, since 4 spans and events were left out of the trace: message(var == "parsed")
    (if that is meant, scan with `or_empty()`)

    the trace:
      (4 nodes were left out of it)
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG compute{operations=2}
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    assert_snapshot!(failure!(events.all(&level(LevelFilter::DEBUG))), @r#"
    1 of 3 events does not match: level(DEBUG or more severe)

      TRACE computed value=0.0
        ✗ level(DEBUG or more severe): level is TRACE

    the trace:
      (4 nodes were left out of it)
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG compute{operations=2}
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
    ▶ │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    assert_snapshot!(failure!(events.all(&level(LevelFilter::TRACE))), @r#"
    this says nothing, since 4 spans and events were left out of the trace: level(TRACE or more severe)
    (if that is meant, scan with `or_empty()`)

    the trace:
      (4 nodes were left out of it)
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG compute{operations=2}
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    assert_snapshot!(failure!(events.count(..=1, &level(Level::ERROR))), @r#"
    this says nothing, since 4 spans and events were left out of the trace: level(ERROR)
    (if that is meant, scan with `or_empty()`)

    the trace:
      (4 nodes were left out of it)
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG compute{operations=2}
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    let errors = level(Level::ERROR);
    let events_of_divide = trace.scan_spans().last(&name(eq("divide"))).scan_events();
    assert_snapshot!(failure!(events_of_divide.exactly(&[&errors])), @r#"
    this says nothing, since 4 spans and events were left out of the trace: nothing else
    (if that is meant, scan with `or_empty()`)

    the trace:
      (4 nodes were left out of it)
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG compute{operations=2}
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
    events.or_empty().none(&message(eq("parsed")));
    events.or_empty().count(..=1, &level(Level::ERROR));
    events_of_divide.or_empty().exactly(&[&errors]);
    events.count(1.., &level(Level::ERROR));
}

/// The reason why an assertion is refused.
#[track_caller]
fn reason<T: std::fmt::Debug>(result: Result<T, ScanError>) -> String {
    let message = result.unwrap_err().to_string();
    let reason = message.strip_prefix("this says nothing, since ").expect(&message);
    reason.lines().next().unwrap().to_owned()
}

#[test]
fn what_is_left_out_may_be_another_match() {
    let bounded = |keep| {
        let capture = Capture::builder().max_nodes(5, keep).start();
        load_plugin().evaluate("8 / (3 - 3)").unwrap_err();
        capture.trace()
    };
    let (newest, oldest) = (bounded(Keep::Newest), bounded(Keep::Oldest));
    let (any, level) = (always(), level(LevelFilter::TRACE));
    for trace in [&newest, &oldest] {
        let spans = trace.scan_spans();
        let reason = reason(spans.try_single(&name("evaluate")));
        assert!(
            reason.ends_with("were left out of the trace: name(var == \"evaluate\")"),
            "{reason}"
        );
        assert!(spans.try_in_a_row(&[&any, &any]).is_err());
        spans.any(&any);
        spans.in_order(&[&any, &any]);
        spans.or_empty().single(&name("evaluate"));
    }
    assert_snapshot!(
        reason(newest.scan_events().try_first(&level)),
        @"4 spans and events were left out of the trace: level(TRACE or more severe)"
    );
    newest.scan_events().last(&level);
    oldest.scan_spans().first(&level);
    assert!(reason(oldest.scan_spans().try_last(&level)).contains("were left out"));
}

/// A predicate may hold because something is missing, whatever is asserted with it.
#[test]
fn what_a_predicate_rules_out_may_have_been_missed() {
    let capture = Capture::builder().max_nodes(5, Keep::Newest).start();
    load_plugin().evaluate("8 / (3 - 3)").unwrap_err();
    let trace = capture.trace();
    let spans = trace.scan_spans();
    assert_snapshot!(
        reason(spans.try_any(&(name("divide") & !child(name("parse"))))),
        @r#"the capture may have missed what child(name(var == "parse")) looks for (4 spans and events were left out of the trace): (name(var == "divide") && !child(name(var == "parse")))"#
    );
    assert_snapshot!(
        reason(spans.try_any(&tree(name("compute")).span([name("divide")]).and_nothing_else())),
        @r#"the capture may have missed something else in tree(name(var == "compute"), span tree(name(var == "divide")), and nothing else) (4 spans and events were left out of the trace): tree(name(var == "compute"), span tree(name(var == "divide")), and nothing else)"#
    );
    for absent in [
        reason(spans.try_any(&!parent(name("other")))),
        reason(spans.try_any(&!ancestor(name("other")))),
        reason(spans.try_any(&!descendant(name("other")))),
        reason(spans.try_any(&!event(message("other")))),
        reason(spans.try_any(&!deep_event(message("other")))),
        reason(spans.try_any(&!follows_from(name("other")))),
        reason(spans.try_any(&!tree(name("other")))),
        reason(spans.try_any(&name("divide").and(event(message("other")).not()))),
        reason(spans.try_in_order(&[&name("divide"), &!child(name("other"))])),
        reason(spans.try_count(1.., &!child(name("other")))),
        reason(spans.try_last(&!child(name("other")))),
    ] {
        assert!(absent.starts_with("the capture may have missed what "), "{absent}");
    }
    spans.or_empty().any(&!child(name("other")));
    // These say nothing of what is missing.
    spans.any(&child(name("divide")));
    spans.any(&!!child(name("divide")));
    spans.any(&tree(name("compute")).span([name("divide")]));
    spans.any(&!field("other", 1));
    // That is known of spans, whatever was left out.
    spans.any(&(closed() & !entered(0) & !exited(0)));
}

/// An earlier span, or a later one, may match by an event that was left out.
#[test]
fn first_and_last_do_not_pass_over_spans_that_may_have_matched() {
    let events_in_both = |max, keep| {
        let capture = Capture::builder().max_nodes(max, keep).start();
        let [a, b] = [info_span!("a"), info_span!("b")];
        b.in_scope(|| info!("in it"));
        a.in_scope(|| info!("in it"));
        a.in_scope(|| info!("in it"));
        capture.trace()
    };
    let (oldest, newest) = (events_in_both(3, Keep::Oldest), events_in_both(2, Keep::Newest));
    let with_event = event(message("in it"));
    assert_snapshot!(
        reason(oldest.scan_spans().try_first(&with_event)),
        @r#"the capture may have missed what event(message(var == "in it")) looks for (2 spans and events were left out of the trace): event(message(var == "in it"))"#
    );
    reason(newest.scan_spans().try_last(&with_event));
    oldest.scan_spans().or_empty().first(&with_event);
    // The others are known.
    oldest.scan_spans().first(&always());
    newest.scan_spans().last(&name("b"));
}

#[test]
fn what_a_predicate_looks_for_elsewhere_is_filtered_out() {
    let trace = filtered("info");
    let spans = trace.scan_spans();
    let (debug, warning) = (level(Level::DEBUG), level(Level::WARN));
    assert_snapshot!(
        reason(spans.try_none(&event(debug))),
        @r#"the capture's filter "info" lets none of it pass: event(level(DEBUG))"#
    );
    assert_snapshot!(
        reason(spans.try_any(&!event(debug))),
        @r#"the capture may have missed what event(level(DEBUG)) looks for (the capture's filter "info" lets none of it pass): !event(level(DEBUG))"#
    );
    assert!(reason(spans.try_all(&!deep_event(debug))).contains("lets nothing pass"));
    assert!(reason(trace.scan_events().try_none(&parent(debug))).contains("lets none of it pass"));
    assert!(reason(spans.try_none(&tree(name("evaluate")).event(debug))).contains("lets none"));
    spans.none(&event(level(Level::INFO)));
    spans.any(&event(warning));
    spans.any(&!child(warning));
}

/// A span and an event, each with a field that has a value and one that has none.
fn fields() -> Trace {
    native(|| {
        info_span!("request", user_id = 7, error = Empty).in_scope(|| {
            info!(attempts = 3, error = None::<&str>, "done");
        });
    })
}

#[test]
fn field_without_a_value_is_declared() {
    let trace = fields();
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    assert_snapshot!(failure!(spans.single(&(name("request") & field("eror", None::<&str>)))), @r#"
    this says nothing, since no span of the trace declares a field "eror", but one declares "error": (name(var == "request") && field "eror"(no value))
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO request{user_id=7}
      └─ INFO done attempts=3
    "#);
    assert_snapshot!(failure!(events.all(&field("failure", None::<&str>))), @r#"
    this says nothing, since no event of the trace declares a field "failure": field "failure"(no value)
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO request{user_id=7}
      └─ INFO done attempts=3
    "#);
    assert_snapshot!(reason(events.try_first(&field("user_id", None::<u64>))), @r#"no event of the trace declares a field "user_id": field "user_id"(no value)"#);
    assert_snapshot!(reason(events.try_any(&parent(field("attempts", None::<u64>)))), @r#"no span of the trace declares a field "attempts": parent(field "attempts"(no value))"#);
    assert_snapshot!(reason(spans.try_any(&event(field("user_id", None::<u64>)))), @r#"no event of the trace declares a field "user_id": event(field "user_id"(no value))"#);
    assert_snapshot!(reason(spans.try_any(&tree(always()).event(field("user_id", None::<u64>)))), @r#"no event of the trace declares a field "user_id": tree(true, event field "user_id"(no value))"#);
    for refused in [
        reason(spans.try_any(&ever(field("failure", None::<&str>)))),
        reason(spans.try_any(&field("failure", Some(None::<&str>)))),
        reason(spans.try_any(&name("request").and(field("failure", None::<&str>)))),
        reason(spans.try_in_order(&[&field("failure", None::<&str>)])),
        reason(spans.try_last(&(!!field("failure", None::<&str>)))),
        reason(spans.try_count(1, &field("failure", None::<&str>))),
    ] {
        assert!(
            refused.starts_with("no span of the trace declares a field \"failure\": "),
            "{refused}"
        );
    }
    spans.or_empty().single(&field("failure", None::<&str>));
    spans.single(&field("error", None::<&str>));
    events.all(&field("error", None::<&str>));
    spans.single(
        &(event(field("error", None::<&str>)) & tree(always()).event(field("error", None::<&str>))),
    );
    events.single(&parent(field("error", None::<&str>)));
    // One that is declared has a value, which is not so here.
    assert!(spans.try_any(&!field("failure", None::<&str>)).is_err());
    assert!(spans.try_none(&field("failure", None::<&str>)).is_err());
}

#[test]
fn name_of_a_field_is_misspelt() {
    let trace = fields();
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    assert_snapshot!(failure!(events.none(&field("attempt", 3))), @r#"
    this says nothing, since no event of the trace declares a field "attempt", but one declares "attempts": field "attempt"(var == 3)
    (if that is meant, scan with `or_empty()`)

    the trace:
      INFO request{user_id=7}
      └─ INFO done attempts=3
    "#);
    assert_snapshot!(failure!(spans.single(&field("user.id", 7))), @r#"
    no span matches field "user.id"(var == 7)

    the only span:
      INFO request{user_id=7}
        ✗ field "user.id"(var == 7): user.id is not there

    (no span of the trace declares a field "user.id", but one declares "user_id")

    the trace:
    ▶ INFO request{user_id=7}
      └─ INFO done attempts=3
    "#);
    for (misspelt, meant) in [
        ("attempt", "attempts"),
        ("attepmts", "attempts"),
        ("atempts", "attempts"),
        ("attenpts", "attempts"),
        ("Attempts", "attempts"),
        ("eror", "error"),
        ("errors", "error"),
    ] {
        let expected = format!(
            "no event of the trace declares a field \"{misspelt}\", but one declares \"{meant}\": "
        );
        for refused in [
            reason(events.try_none(&field(misspelt, 3))),
            reason(events.try_all(&!field(misspelt, 3))),
            reason(events.try_count(0, &(message("done") & field(misspelt, 3)))),
            reason(events.try_single(&(message("done") & !field(misspelt, 3)))),
            reason(spans.try_none(&event(field(misspelt, 3)))),
        ] {
            assert!(refused.starts_with(&expected), "{refused}");
        }
        events.or_empty().none(&field(misspelt, 3));
    }
    // Nobody has these, and that may be what is meant.
    for other in ["password", "a", "user_ids", "error2", "attempts_left", "no"] {
        events.none(&field(other, 3));
        events.single(&(message("done") & !field(other, 3)));
    }
    events.none(&field("error", [always()]));
    // What is a field of a span may be asked for in events.
    events.none(&field("user_id", 7));
}

#[test]
fn positive_that_cannot_hold_names_the_reason() {
    let trace = filtered("info");
    let events = trace.scan_events();
    assert_snapshot!(failure!(events.single(&(level(Level::TRACE) & message("computed")))), @r#"
    no event matches (level(TRACE) && message(var == "computed"))

    nearest of 2 events:
      ERROR division by zero
        ✗ level(TRACE): level is ERROR
        ✗ message(var == "computed"): message is "division by zero"
      WARN no result error=cannot compute the expression, caused by: division by zero
        ✗ level(TRACE): level is WARN
        ✗ message(var == "computed"): message is "no result"

    (it could not be captured, since the capture's filter "info" lets none of it pass)

    the trace:
      INFO evaluate{expression="8 / (3 - 3)"}
    ▶ ├─ ERROR division by zero
    ▶ └─ WARN no result error=cannot compute the expression, caused by: division by zero
    "#);
}
