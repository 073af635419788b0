//! Assertions that hold because there is nothing that the capture could have seen.

use insta::assert_snapshot;
use spanshot::{Capture, Keep, Trace, predicates::*};
use tracing::{Level, level_filters::LevelFilter};

use crate::support::load_plugin;

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
    this says nothing, since the capture's filter "info" lets none of it pass: level(var > Level(
        Info,
    ))
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
    let events_of_divide = trace.scan_spans().single(&name(eq("divide"))).scan_events();
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
