//! Scanners of a trace.

use insta::assert_snapshot;
use spanshot::predicates::*;
use tracing::{Level, level_filters::LevelFilter};

use super::trace;

#[test]
fn trace_that_is_scanned() {
    assert_snapshot!(trace().to_string(), @r#"
    INFO evaluate{expression="(1 + 2) * 3" result=9.0}
    ├─ DEBUG parse{bytes=11 tokens=7}
    │  ├─ TRACE operator operator=Add at=3
    │  ├─ TRACE operator operator=Multiply at=8
    │  └─ DEBUG parsed expression=((1 + 2) * 3)
    ├─ DEBUG compute{operations=2} (follows from parse)
    │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
    │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
    │     │  └─ TRACE computed value=3.0
    │     └─ TRACE computed value=9.0
    └─ INFO evaluated whole=true
    INFO evaluate{expression="8 / (3 - 3)"}
    ├─ DEBUG parse{bytes=11 tokens=7}
    │  ├─ TRACE operator operator=Divide at=2
    │  ├─ TRACE operator operator=Subtract at=7
    │  └─ DEBUG parsed expression=(8 / (3 - 3))
    ├─ DEBUG compute{operations=2} (follows from parse)
    │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
    │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
    │     │  └─ TRACE computed value=0.0
    │     └─ ERROR division by zero
    └─ WARN no result error=cannot compute the expression, caused by: division by zero
    INFO evaluate{expression="1 + 2.3.4"}
    ├─ DEBUG parse{bytes=9}
    │  └─ ERROR not an expression error=malformed number at byte 4, caused by: invalid digit found in string
    └─ WARN no result error=cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
    INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
    ├─ DEBUG parse{bytes=14 tokens=10}
    │  ├─ TRACE operator operator=Power at=4
    │  ├─ TRACE operator operator=Add at=10
    │  └─ DEBUG parsed expression=((-(2 ^ (-1))) + (3!))
    ├─ DEBUG compute{operations=5} (follows from parse)
    │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
    │     ├─ DEBUG negate{operand=0.5}
    │     │  ├─ DEBUG power{lhs=2.0 rhs=-1.0}
    │     │  │  ├─ DEBUG negate{operand=1.0}
    │     │  │  │  └─ TRACE computed value=-1.0
    │     │  │  ├─ DEBUG multiplying up exponent=-1
    │     │  │  └─ TRACE computed value=0.5
    │     │  └─ TRACE computed value=-0.5
    │     ├─ DEBUG factorial{operand=3.0}
    │     │  ├─ DEBUG multiplying up factors=3
    │     │  └─ TRACE computed value=6.0
    │     └─ TRACE computed value=5.5
    └─ INFO evaluated whole=false
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
    INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
    ├─ DEBUG parse{bytes=14}
    │  └─ ERROR not an expression error=unexpected character at byte 0
    └─ WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    "#);
}

#[test]
fn single_finds_none() {
    let spans = trace().scan_spans();
    let divide = name(eq("divide")) & field("lhs", 8) & field("rhs", 3.0);
    assert_snapshot!(failure!(spans.single(&divide)), @r#"
    no span matches ((name(var == "divide") && field "lhs"(var == 8)) && field "rhs"(var == 3.0))

    nearest of 26 spans:
      DEBUG divide{lhs=8.0 rhs=0.0}
        ✓ name(var == "divide"): name is "divide"
        ✗ field "lhs"(var == 8): lhs is 8.0
        ✗ field "rhs"(var == 3.0): rhs is 0.0
      DEBUG multiply{lhs=3.0 rhs=3.0}
        ✗ name(var == "divide"): name is "multiply"
        ✗ field "lhs"(var == 8): lhs is 3.0
        ✓ field "rhs"(var == 3.0): rhs is 3.0
      DEBUG subtract{lhs=3.0 rhs=3.0}
        ✗ name(var == "divide"): name is "subtract"
        ✗ field "lhs"(var == 8): lhs is 3.0
        ✓ field "rhs"(var == 3.0): rhs is 3.0

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
    ▶ │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
      │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
      │     │  └─ TRACE computed value=3.0
      │     └─ TRACE computed value=9.0
      └─ ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
    ▶ │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
    ▶ │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ ⋮ 1 more
      ⋮ 4 more
    "#);
    let events = trace().scan_events();
    let warning = level(Level::WARN) & field("error", "division by zero");
    assert_snapshot!(failure!(events.single(&warning)), @r#"
    no event matches (level(WARN) && field "error"(var == "division by zero"))

    nearest of 33 events:
      WARN no result error=cannot compute the expression, caused by: division by zero
        ✓ level(WARN): level is WARN
        ✗ field "error"(var == "division by zero"): error is cannot compute the expression, caused by: division by zero
      WARN no result error=cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
        ✓ level(WARN): level is WARN
        ✗ field "error"(var == "division by zero"): error is cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
      WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
        ✓ level(WARN): level is WARN
        ✗ field "error"(var == "division by zero"): error is cannot parse the expression, caused by: unexpected character at byte 0
      WARN not a finite number infinite=true
        ✓ level(WARN): level is WARN
        ✗ field "error"(var == "division by zero"): error is not there

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
    ▶ └─ WARN no result error=cannot compute the expression, caused by: division by zero
      INFO evaluate{expression="1 + 2.3.4"}
      ├─ DEBUG parse{bytes=9} ⋮ 1 inside
    ▶ └─ WARN no result error=cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
      ⋮ 1 more
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
      │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
    ▶ │     └─ WARN not a finite number infinite=true
      └─ ⋮ 1 more
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14} ⋮ 1 inside
    ▶ └─ WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    "#);
}

#[test]
fn single_finds_several() {
    let spans = trace().scan_spans();
    assert_snapshot!(failure!(spans.single(&name(eq("add")))), @r#"
    2 spans match instead of one: name(var == "add")

      DEBUG add{lhs=1.0 rhs=2.0}
      DEBUG add{lhs=-0.5 rhs=6.0}

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
    ▶ │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
      │     │  └─ TRACE computed value=3.0
      │     └─ TRACE computed value=9.0
      └─ ⋮ 1 more
      ⋮ 2 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=5} (follows from parse)
    ▶ │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
      │     ├─ DEBUG negate{operand=0.5}
      │     │  ├─ DEBUG power{lhs=2.0 rhs=-1.0}
      │     │  │  ├─ DEBUG negate{operand=1.0}
      │     │  │  │  └─ TRACE computed value=-1.0
      │     │  │  ├─ DEBUG multiplying up exponent=-1
      │     │  │  └─ TRACE computed value=0.5
      │     │  └─ TRACE computed value=-0.5
      │     ├─ DEBUG factorial{operand=3.0}
      │     │  ├─ DEBUG multiplying up factors=3
      │     │  └─ TRACE computed value=6.0
      │     └─ TRACE computed value=5.5
      └─ ⋮ 1 more
      ⋮ 2 more
    "#);
    let events = trace().scan_events();
    assert_snapshot!(failure!(events.single(&level(Level::TRACE))), @r#"
    16 events match instead of one: level(TRACE)

      TRACE operator operator=Add at=3
      TRACE operator operator=Multiply at=8
      TRACE computed value=3.0
      TRACE computed value=9.0
      TRACE operator operator=Divide at=2
      (and 11 more)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
    ▶ │  ├─ TRACE operator operator=Add at=3
    ▶ │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
      │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
    ▶ │     │  └─ TRACE computed value=3.0
    ▶ │     └─ TRACE computed value=9.0
      └─ ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7}
    ▶ │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
      └─ ⋮ 2 more
      ⋮ 4 more
    "#);
}

#[test]
fn first_finds_none() {
    let events = trace().scan_events();
    let slow = message(eq("multiplying up")) & field("factors", value(gt(3_u64)));
    assert_snapshot!(failure!(events.first(&slow)), @r#"
    no event matches (message(var == "multiplying up") && field "factors"(u64(var > 3)))

    nearest of 33 events:
      DEBUG multiplying up factors=3
        ✓ message(var == "multiplying up"): message is "multiplying up"
        ✗ field "factors"(u64(var > 3)): factors is 3
      DEBUG multiplying up exponent=-1
        ✓ message(var == "multiplying up"): message is "multiplying up"
        ✗ field "factors"(u64(var > 3)): factors is not there
      DEBUG multiplying up exponent=400
        ✓ message(var == "multiplying up"): message is "multiplying up"
        ✗ field "factors"(u64(var > 3)): factors is not there

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 3 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=5} (follows from parse)
      │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
      │     ├─ DEBUG negate{operand=0.5}
      │     │  ├─ DEBUG power{lhs=2.0 rhs=-1.0}
      │     │  │  ├─ DEBUG negate{operand=1.0} ⋮ 1 inside
    ▶ │     │  │  ├─ DEBUG multiplying up exponent=-1
      │     │  │  └─ TRACE computed value=0.5
      │     │  └─ ⋮ 1 more
      │     ├─ DEBUG factorial{operand=3.0}
    ▶ │     │  ├─ DEBUG multiplying up factors=3
      │     │  └─ TRACE computed value=6.0
      │     └─ ⋮ 1 more
      └─ ⋮ 1 more
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
    ▶ │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
      │     └─ WARN not a finite number infinite=true
      └─ ⋮ 1 more
      ⋮ 1 more
    "#);
}

#[test]
fn last_finds_none() {
    let spans = trace().scan_spans();
    let compute = name(eq("compute")) & target("spanshot_guest::evaluator::arithmetic");
    assert_snapshot!(failure!(spans.last(&compute)), @r#"
    no span matches (name(var == "compute") && target(spanshot_guest::evaluator::arithmetic or below))

    nearest of 26 spans:
      DEBUG compute{operations=2} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ target(spanshot_guest::evaluator::arithmetic or below): target is "spanshot_guest::evaluator::formula"
      DEBUG compute{operations=2} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ target(spanshot_guest::evaluator::arithmetic or below): target is "spanshot_guest::evaluator::formula"
      DEBUG compute{operations=5} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ target(spanshot_guest::evaluator::arithmetic or below): target is "spanshot_guest::evaluator::formula"
      DEBUG compute{operations=1} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ target(spanshot_guest::evaluator::arithmetic or below): target is "spanshot_guest::evaluator::formula"
      DEBUG multiply{lhs=3.0 rhs=3.0}
        ✗ name(var == "compute"): name is "multiply"
        ✓ target(spanshot_guest::evaluator::arithmetic or below): target is "spanshot_guest::evaluator::arithmetic"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
    ▶ │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
      │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
      │     │  └─ TRACE computed value=3.0
      │     └─ TRACE computed value=9.0
      └─ INFO evaluated whole=true
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
      ⋮ 1 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ DEBUG parse{bytes=14 tokens=10} ⋮ 3 inside
    ▶ ├─ DEBUG compute{operations=5} (follows from parse)
      │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
      │     ├─ DEBUG negate{operand=0.5}
      │     │  ├─ DEBUG power{lhs=2.0 rhs=-1.0}
      │     │  │  ├─ DEBUG negate{operand=1.0}
      │     │  │  │  └─ TRACE computed value=-1.0
      │     │  │  ├─ DEBUG multiplying up exponent=-1
      │     │  │  └─ TRACE computed value=0.5
      │     │  └─ TRACE computed value=-0.5
      │     ├─ DEBUG factorial{operand=3.0}
      │     │  ├─ DEBUG multiplying up factors=3
      │     │  └─ TRACE computed value=6.0
      │     └─ TRACE computed value=5.5
      └─ INFO evaluated whole=false
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3} ⋮ 2 inside
    ▶ ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
      │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
      │     └─ WARN not a finite number infinite=true
      └─ INFO evaluated whole=false
      ⋮ 1 more
    "#);
}

#[test]
fn any_finds_none() {
    let events = trace().scan_events();
    let predicate = (message(eq("evaluated")) | message(eq("no result"))) & field("whole", "true");
    assert_snapshot!(failure!(events.any(&predicate)), @r#"
    no event matches ((message(var == "evaluated") || message(var == "no result")) && field "whole"(var == "true"))

    nearest of 33 events:
      INFO evaluated whole=true
        ✓ one of:
          ✓ message(var == "evaluated"): message is "evaluated"
          ✗ message(var == "no result"): message is "evaluated"
        ✗ field "whole"(var == "true"): whole is true (a Boolean)
      INFO evaluated whole=false
        ✓ one of:
          ✓ message(var == "evaluated"): message is "evaluated"
          ✗ message(var == "no result"): message is "evaluated"
        ✗ field "whole"(var == "true"): whole is false
      INFO evaluated whole=false
        ✓ one of:
          ✓ message(var == "evaluated"): message is "evaluated"
          ✗ message(var == "no result"): message is "evaluated"
        ✗ field "whole"(var == "true"): whole is false
      WARN no result error=cannot compute the expression, caused by: division by zero
        ✓ one of:
          ✗ message(var == "evaluated"): message is "no result"
          ✓ message(var == "no result"): message is "no result"
        ✗ field "whole"(var == "true"): whole is not there
      WARN no result error=cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
        ✓ one of:
          ✗ message(var == "evaluated"): message is "no result"
          ✓ message(var == "no result"): message is "no result"
        ✗ field "whole"(var == "true"): whole is not there

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=true
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
    ▶ └─ WARN no result error=cannot compute the expression, caused by: division by zero
      INFO evaluate{expression="1 + 2.3.4"}
      ├─ DEBUG parse{bytes=9} ⋮ 1 inside
    ▶ └─ WARN no result error=cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ DEBUG parse{bytes=14 tokens=10} ⋮ 3 inside
      ├─ DEBUG compute{operations=5} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=false
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3} ⋮ 2 inside
      ├─ DEBUG compute{operations=1} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=false
      ⋮ 1 more
    "#);
}

#[test]
fn all_finds_others() {
    let spans = trace().scan_spans();
    assert_snapshot!(failure!(spans.all(&level(Level::DEBUG))), @r#"
    6 of 26 spans do not match: level(DEBUG)

      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
        ✗ level(DEBUG): level is INFO
      INFO evaluate{expression="8 / (3 - 3)"}
        ✗ level(DEBUG): level is INFO
      INFO evaluate{expression="1 + 2.3.4"}
        ✗ level(DEBUG): level is INFO
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
        ✗ level(DEBUG): level is INFO
      INFO evaluate{expression="10 ^ 400" result=inf}
        ✗ level(DEBUG): level is INFO
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
        ✗ level(DEBUG): level is INFO

    the trace (a part of its 59 spans and events):
    ▶ INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Add at=3
      │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
      │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
      │     │  └─ TRACE computed value=3.0
      │     └─ TRACE computed value=9.0
      └─ INFO evaluated whole=true
    ▶ INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    ▶ INFO evaluate{expression="1 + 2.3.4"}
      ├─ DEBUG parse{bytes=9}
      │  └─ ERROR not an expression error=malformed number at byte 4, caused by: invalid digit found in string
      └─ WARN no result error=cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
    ▶ INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ DEBUG parse{bytes=14 tokens=10} ⋮ 3 inside
      ├─ DEBUG compute{operations=5} (follows from parse) ⋮ 1 inside
      └─ INFO evaluated whole=false
    ▶ INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3}
      │  ├─ TRACE operator operator=Power at=3
      │  └─ DEBUG parsed expression=(10 ^ 400)
      ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
      │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
      │     └─ WARN not a finite number infinite=true
      └─ INFO evaluated whole=false
    ▶ INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14}
      │  └─ ERROR not an expression error=unexpected character at byte 0
      └─ WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    "#);
    let events = trace().scan_events();
    let predicate = ancestor(name(eq("compute"))) | ancestor(name(eq("parse")));
    assert_snapshot!(failure!(events.all(&predicate)), @r#"
    6 of 33 events do not match: (ancestor(name(var == "compute")) || ancestor(name(var == "parse")))

      INFO evaluated whole=true
        ✗ one of:
          ✗ ancestor(name(var == "compute")): it is in INFO evaluate{expression="(1 + 2) * 3" result=9.0}
          ✗ ancestor(name(var == "parse")): it is in INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      WARN no result error=cannot compute the expression, caused by: division by zero
        ✗ one of:
          ✗ ancestor(name(var == "compute")): it is in INFO evaluate{expression="8 / (3 - 3)"}
          ✗ ancestor(name(var == "parse")): it is in INFO evaluate{expression="8 / (3 - 3)"}
      WARN no result error=cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
        ✗ one of:
          ✗ ancestor(name(var == "compute")): it is in INFO evaluate{expression="1 + 2.3.4"}
          ✗ ancestor(name(var == "parse")): it is in INFO evaluate{expression="1 + 2.3.4"}
      INFO evaluated whole=false
        ✗ one of:
          ✗ ancestor(name(var == "compute")): it is in INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
          ✗ ancestor(name(var == "parse")): it is in INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      INFO evaluated whole=false
        ✗ one of:
          ✗ ancestor(name(var == "compute")): it is in INFO evaluate{expression="10 ^ 400" result=inf}
          ✗ ancestor(name(var == "parse")): it is in INFO evaluate{expression="10 ^ 400" result=inf}
      WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
        ✗ one of:
          ✗ ancestor(name(var == "compute")): it is in INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
          ✗ ancestor(name(var == "parse")): it is in INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=true
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
    ▶ └─ WARN no result error=cannot compute the expression, caused by: division by zero
      INFO evaluate{expression="1 + 2.3.4"}
      ├─ DEBUG parse{bytes=9} ⋮ 1 inside
    ▶ └─ WARN no result error=cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ DEBUG parse{bytes=14 tokens=10} ⋮ 3 inside
      ├─ DEBUG compute{operations=5} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=false
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3} ⋮ 2 inside
      ├─ DEBUG compute{operations=1} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=false
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14} ⋮ 1 inside
    ▶ └─ WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    "#);
}

#[test]
fn none_finds_some() {
    let events = trace().scan_events();
    assert_snapshot!(failure!(events.none(&level(Level::ERROR))), @r#"
    3 events should not match: level(ERROR)

      ERROR division by zero
      ERROR not an expression error=malformed number at byte 4, caused by: invalid digit found in string
      ERROR not an expression error=unexpected character at byte 0

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0} ⋮ 1 inside
    ▶ │     └─ ERROR division by zero
      └─ ⋮ 1 more
      INFO evaluate{expression="1 + 2.3.4"}
      ├─ DEBUG parse{bytes=9}
    ▶ │  └─ ERROR not an expression error=malformed number at byte 4, caused by: invalid digit found in string
      └─ ⋮ 1 more
      ⋮ 2 more
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14}
    ▶ │  └─ ERROR not an expression error=unexpected character at byte 0
      └─ ⋮ 1 more
    "#);
    let spans = trace().scan_spans();
    let negative = field("rhs", value(lt(0.0))) | field("operand", value(lt(0.0)));
    assert_snapshot!(failure!(spans.none(&negative)), @r#"
    1 span should not match: (field "rhs"(f64(var < 0.0)) || field "operand"(f64(var < 0.0)))

      DEBUG power{lhs=2.0 rhs=-1.0}

    the trace (a part of its 59 spans and events):
      ⋮ 3 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=5} (follows from parse)
      │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
      │     ├─ DEBUG negate{operand=0.5}
    ▶ │     │  ├─ DEBUG power{lhs=2.0 rhs=-1.0}
      │     │  │  ├─ DEBUG negate{operand=1.0}
      │     │  │  │  └─ TRACE computed value=-1.0
      │     │  │  ├─ DEBUG multiplying up exponent=-1
      │     │  │  └─ TRACE computed value=0.5
      │     │  └─ TRACE computed value=-0.5
      │     └─ ⋮ 2 more
      └─ ⋮ 1 more
      ⋮ 2 more
    "#);
}

#[test]
fn count_is_another_one() {
    let spans = trace().scan_spans();
    assert_snapshot!(failure!(spans.count(5, &name(eq("evaluate")))), @r#"
    6 spans match instead of 5: name(var == "evaluate")

      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      INFO evaluate{expression="8 / (3 - 3)"}
      INFO evaluate{expression="1 + 2.3.4"}
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      INFO evaluate{expression="10 ^ 400" result=inf}
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}

    the trace (a part of its 59 spans and events):
    ▶ INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Add at=3
      │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
      │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
      │     │  └─ TRACE computed value=3.0
      │     └─ TRACE computed value=9.0
      └─ INFO evaluated whole=true
    ▶ INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
    ▶ INFO evaluate{expression="1 + 2.3.4"}
      ├─ DEBUG parse{bytes=9}
      │  └─ ERROR not an expression error=malformed number at byte 4, caused by: invalid digit found in string
      └─ WARN no result error=cannot parse the expression, caused by: malformed number at byte 4, caused by: invalid digit found in string
    ▶ INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ DEBUG parse{bytes=14 tokens=10} ⋮ 3 inside
      ├─ DEBUG compute{operations=5} (follows from parse) ⋮ 1 inside
      └─ INFO evaluated whole=false
    ▶ INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3}
      │  ├─ TRACE operator operator=Power at=3
      │  └─ DEBUG parsed expression=(10 ^ 400)
      ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
      │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
      │     └─ WARN not a finite number infinite=true
      └─ INFO evaluated whole=false
    ▶ INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14}
      │  └─ ERROR not an expression error=unexpected character at byte 0
      └─ WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    "#);
    assert_snapshot!(failure!(spans.count(1, &name(eq("modulo")))), @r#"
    0 spans match instead of 1: name(var == "modulo")

    nearest of 26 spans:
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
        ✗ name(var == "modulo"): name is "evaluate"
      DEBUG parse{bytes=11 tokens=7}
        ✗ name(var == "modulo"): name is "parse"
      DEBUG compute{operations=2} (follows from parse)
        ✗ name(var == "modulo"): name is "compute"
      DEBUG multiply{lhs=3.0 rhs=3.0}
        ✗ name(var == "modulo"): name is "multiply"
      DEBUG add{lhs=1.0 rhs=2.0}
        ✗ name(var == "modulo"): name is "add"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
    ▶ INFO evaluate{expression="(1 + 2) * 3" result=9.0}
    ▶ ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Add at=3
      │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
    ▶ │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
    ▶ │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
      │     │  └─ TRACE computed value=3.0
      │     └─ TRACE computed value=9.0
      └─ INFO evaluated whole=true
      INFO evaluate{expression="8 / (3 - 3)"} ⋮ 3 inside
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      ⋮ 3 more
    "#);
    let events = trace().scan_events();
    assert_snapshot!(failure!(events.count(4.., &level(LevelFilter::ERROR))), @r#"
    3 events match instead of at least 4: level(ERROR or more severe)

      ERROR division by zero
      ERROR not an expression error=malformed number at byte 4, caused by: invalid digit found in string
      ERROR not an expression error=unexpected character at byte 0

    nearest of 30 other events:
      TRACE operator operator=Add at=3
        ✗ level(ERROR or more severe): level is TRACE
      TRACE operator operator=Multiply at=8
        ✗ level(ERROR or more severe): level is TRACE
      DEBUG parsed expression=((1 + 2) * 3)
        ✗ level(ERROR or more severe): level is DEBUG
      TRACE computed value=3.0
        ✗ level(ERROR or more severe): level is TRACE
      TRACE computed value=9.0
        ✗ level(ERROR or more severe): level is TRACE

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
    ▶ │  ├─ TRACE operator operator=Add at=3
    ▶ │  ├─ TRACE operator operator=Multiply at=8
    ▶ │  └─ DEBUG parsed expression=((1 + 2) * 3)
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
      │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
    ▶ │     │  └─ TRACE computed value=3.0
    ▶ │     └─ TRACE computed value=9.0
      └─ ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0} ⋮ 1 inside
    ▶ │     └─ ERROR division by zero
      └─ ⋮ 1 more
      INFO evaluate{expression="1 + 2.3.4"}
      ├─ DEBUG parse{bytes=9}
    ▶ │  └─ ERROR not an expression error=malformed number at byte 4, caused by: invalid digit found in string
      └─ ⋮ 1 more
      ⋮ 2 more
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14}
    ▶ │  └─ ERROR not an expression error=unexpected character at byte 0
      └─ ⋮ 1 more
    "#);
    assert_snapshot!(failure!(events.count(..=1, &message(eq("evaluated")))), @r#"
    3 events match instead of at most 1: message(var == "evaluated")

      INFO evaluated whole=true
      INFO evaluated whole=false
      INFO evaluated whole=false

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=true
      ⋮ 2 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ DEBUG parse{bytes=14 tokens=10} ⋮ 3 inside
      ├─ DEBUG compute{operations=5} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=false
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3} ⋮ 2 inside
      ├─ DEBUG compute{operations=1} (follows from parse) ⋮ 1 inside
    ▶ └─ INFO evaluated whole=false
      ⋮ 1 more
    "#);
    assert_snapshot!(failure!(events.count(2..=3, &field("infinite", true))), @r#"
    1 event matches instead of 2 to 3: field "infinite"(var == true)

      WARN not a finite number infinite=true

    nearest of 32 other events:
      TRACE operator operator=Add at=3
        ✗ field "infinite"(var == true): infinite is not there
      TRACE operator operator=Multiply at=8
        ✗ field "infinite"(var == true): infinite is not there
      DEBUG parsed expression=((1 + 2) * 3)
        ✗ field "infinite"(var == true): infinite is not there
      TRACE computed value=3.0
        ✗ field "infinite"(var == true): infinite is not there
      TRACE computed value=9.0
        ✗ field "infinite"(var == true): infinite is not there

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
    ▶ │  ├─ TRACE operator operator=Add at=3
    ▶ │  ├─ TRACE operator operator=Multiply at=8
    ▶ │  └─ DEBUG parsed expression=((1 + 2) * 3)
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
      │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
    ▶ │     │  └─ TRACE computed value=3.0
    ▶ │     └─ TRACE computed value=9.0
      └─ ⋮ 1 more
      ⋮ 3 more
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
