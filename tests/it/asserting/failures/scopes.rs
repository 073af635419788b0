//! Scanners of what is in a span or around it, and of what came at some time.

use insta::assert_snapshot;
use spanshot::predicates::*;
use tracing::{Level, level_filters::LevelFilter};

use super::{evaluation, trace};

#[test]
fn children_of_a_span() {
    let children = evaluation("8 / (3 - 3)").scan_spans();
    // It is not a child, but further down.
    assert_snapshot!(failure!(children.single(&name(eq("divide")))), @r#"
    no span directly in INFO evaluate{expression="8 / (3 - 3)"} matches name(var == "divide")

    nearest of 2 spans:
      DEBUG parse{bytes=11 tokens=7}
        ✗ name(var == "divide"): name is "parse"
      DEBUG compute{operations=2} (follows from parse)
        ✗ name(var == "divide"): name is "compute"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
    ▶ ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
      ⋮ 4 more
    "#);
    assert_snapshot!(failure!(children.none(&name(eq("parse")))), @r#"
    1 span directly in INFO evaluate{expression="8 / (3 - 3)"} should not match: name(var == "parse")

      DEBUG parse{bytes=11 tokens=7}

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
    ▶ ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
      ⋮ 4 more
    "#);
    let parse = trace().scan_spans().first(&name(eq("parse")));
    let children = parse.scan_spans();
    assert_snapshot!(failure!(children.first(&always())), @r#"
    no span directly in DEBUG parse{bytes=11 tokens=7} matches true

    there are no spans to look at

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Add at=3
      │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
      └─ INFO evaluated whole=true
      ⋮ 5 more
    "#);
}

#[test]
fn descendants_of_a_span() {
    let descendants = evaluation("-(2 ^ -1) + 3!").deep_scan_spans();
    assert_snapshot!(failure!(descendants.single(&name(eq("negate")))), @r#"
    2 spans in INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} match instead of one: name(var == "negate")

      DEBUG negate{operand=0.5}
      DEBUG negate{operand=1.0}

    the trace (a part of its 59 spans and events):
      ⋮ 3 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=5} (follows from parse)
      │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
    ▶ │     ├─ DEBUG negate{operand=0.5}
      │     │  ├─ DEBUG power{lhs=2.0 rhs=-1.0}
    ▶ │     │  │  ├─ DEBUG negate{operand=1.0}
      │     │  │  │  └─ TRACE computed value=-1.0
      │     │  │  ├─ DEBUG multiplying up exponent=-1
      │     │  │  └─ TRACE computed value=0.5
      │     │  └─ TRACE computed value=-0.5
      │     ├─ DEBUG factorial{operand=3.0} ⋮ 2 inside
      │     └─ TRACE computed value=5.5
      └─ ⋮ 1 more
      ⋮ 2 more
    "#);
    let descendants = evaluation("8 / (3 - 3)").deep_scan_spans();
    assert_snapshot!(failure!(descendants.all(&field("lhs", [always()]))), @r#"
    2 of 4 spans in INFO evaluate{expression="8 / (3 - 3)"} do not match: field "lhs"(true)

      DEBUG parse{bytes=11 tokens=7}
        ✗ field "lhs"(true): lhs is not there
      DEBUG compute{operations=2} (follows from parse)
        ✗ field "lhs"(true): lhs is not there

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
    ▶ ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
      ⋮ 4 more
    "#);
    let descendants = evaluation("10 ^ 400").deep_scan_events();
    assert_snapshot!(failure!(descendants.none(&level(LevelFilter::WARN))), @r#"
    1 event in INFO evaluate{expression="10 ^ 400" result=inf} should not match: level(WARN or more severe)

      WARN not a finite number infinite=true

    the trace (a part of its 59 spans and events):
      ⋮ 4 more
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
      │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
    ▶ │     └─ WARN not a finite number infinite=true
      └─ ⋮ 1 more
      ⋮ 1 more
    "#);
}

#[test]
fn events_of_a_span() {
    let events = evaluation("8 / (3 - 3)").scan_events();
    assert_snapshot!(failure!(events.single(&message(contains("by zero")))), @r#"
    no event directly in INFO evaluate{expression="8 / (3 - 3)"} matches message(var.contains(by zero))

    the only event:
      WARN no result error=cannot compute the expression, caused by: division by zero
        ✗ message(var.contains(by zero)): message is "no result"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
    ▶ └─ WARN no result error=cannot compute the expression, caused by: division by zero
      ⋮ 4 more
    "#);
    let events = evaluation("(1 + 2) * 3").scan_events();
    assert_snapshot!(failure!(events.last(&field("whole", false))), @r#"
    no event directly in INFO evaluate{expression="(1 + 2) * 3" result=9.0} matches field "whole"(var == false)

    the only event:
      INFO evaluated whole=true
        ✗ field "whole"(var == false): whole is true

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=true
      ⋮ 5 more
    "#);
}

#[test]
fn ancestors() {
    let error = trace().scan_events().single(&message(eq("division by zero")));
    let ancestors = error.scan_ancestors();
    assert_snapshot!(failure!(ancestors.single(&name(eq("parse")))), @r#"
    no span around ERROR division by zero matches name(var == "parse")

    nearest of 3 spans:
      DEBUG divide{lhs=8.0 rhs=0.0}
        ✗ name(var == "parse"): name is "divide"
      DEBUG compute{operations=2} (follows from parse)
        ✗ name(var == "parse"): name is "compute"
      INFO evaluate{expression="8 / (3 - 3)"}
        ✗ name(var == "parse"): name is "evaluate"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0} ⋮ 3 inside
    ▶ INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
    ▶ │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      ⋮ 2 more
    "#);
    let subtract = trace().scan_spans().single(&name(eq("subtract")));
    let ancestors = subtract.scan_ancestors();
    assert_snapshot!(failure!(ancestors.count(3, &level(Level::DEBUG))), @r#"
    2 spans around DEBUG subtract{lhs=3.0 rhs=3.0} match instead of 3: level(DEBUG)

      DEBUG divide{lhs=8.0 rhs=0.0}
      DEBUG compute{operations=2} (follows from parse)

    the only other span:
      INFO evaluate{expression="8 / (3 - 3)"}
        ✗ level(DEBUG): level is INFO

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0} ⋮ 3 inside
    ▶ INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
    ▶ │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      ⋮ 2 more
    "#);
    let root = evaluation("10 ^ 400");
    let ancestors = root.scan_ancestors();
    assert_snapshot!(failure!(ancestors.first(&name(eq("host")))), @r#"
    no span around INFO evaluate{expression="10 ^ 400" result=inf} matches name(var == "host")

    there are no spans to look at

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 2 more
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3}
      │  ├─ TRACE operator operator=Power at=3
      │  └─ DEBUG parsed expression=(10 ^ 400)
      ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
      │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
      │     └─ WARN not a finite number infinite=true
      └─ INFO evaluated whole=false
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""} ⋮ 2 inside
    "#);
}

#[test]
fn during_some_time() {
    let moment = |expression| evaluation(expression).moment();
    let events = trace().scan_events().during(moment("8 / (3 - 3)")..moment("1 + 2.3.4"));
    assert_snapshot!(failure!(events.single(&field("infinite", true))), @r#"
    no event between the given moments matches field "infinite"(var == true)

    nearest of 6 events:
      TRACE operator operator=Divide at=2
        ✗ field "infinite"(var == true): infinite is not there
      TRACE operator operator=Subtract at=7
        ✗ field "infinite"(var == true): infinite is not there
      DEBUG parsed expression=(8 / (3 - 3))
        ✗ field "infinite"(var == true): infinite is not there
      TRACE computed value=0.0
        ✗ field "infinite"(var == true): infinite is not there
      ERROR division by zero
        ✗ field "infinite"(var == true): infinite is not there

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7}
    ▶ │  ├─ TRACE operator operator=Divide at=2
    ▶ │  ├─ TRACE operator operator=Subtract at=7
    ▶ │  └─ DEBUG parsed expression=(8 / (3 - 3))
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
    ▶ │     │  └─ TRACE computed value=0.0
    ▶ │     └─ ERROR division by zero
      └─ ⋮ 1 more
      ⋮ 4 more
    "#);
    assert_snapshot!(failure!(events.none(&level(Level::ERROR))), @r#"
    1 event between the given moments should not match: level(ERROR)

      ERROR division by zero

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0} ⋮ 1 inside
    ▶ │     └─ ERROR division by zero
      └─ ⋮ 1 more
      ⋮ 4 more
    "#);
    let events = trace().scan_events().during(moment("10 ^ 400")..);
    assert_snapshot!(failure!(events.count(2, &message(eq("evaluated")))), @r#"
    1 event since the given moment matches instead of 2: message(var == "evaluated")

      INFO evaluated whole=false

    nearest of 7 other events:
      TRACE operator operator=Power at=3
        ✗ message(var == "evaluated"): message is "operator"
      DEBUG parsed expression=(10 ^ 400)
        ✗ message(var == "evaluated"): message is "parsed"
      DEBUG multiplying up exponent=400
        ✗ message(var == "evaluated"): message is "multiplying up"
      TRACE computed value=inf
        ✗ message(var == "evaluated"): message is "computed"
      WARN not a finite number infinite=true
        ✗ message(var == "evaluated"): message is "not a finite number"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 4 more
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3}
    ▶ │  ├─ TRACE operator operator=Power at=3
    ▶ │  └─ DEBUG parsed expression=(10 ^ 400)
      ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
    ▶ │     ├─ DEBUG multiplying up exponent=400
    ▶ │     ├─ TRACE computed value=inf
    ▶ │     └─ WARN not a finite number infinite=true
    ▶ └─ INFO evaluated whole=false
      ⋮ 1 more
    "#);
    let spans = trace().scan_spans().during(..moment("(1 + 2) * 3"));
    assert_snapshot!(failure!(spans.first(&name(eq("evaluate")))), @r#"
    no span until the given moment matches name(var == "evaluate")

    there are no spans to look at

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0} ⋮ 3 inside
      INFO evaluate{expression="8 / (3 - 3)"} ⋮ 3 inside
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      ⋮ 3 more
    "#);
}
