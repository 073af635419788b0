//! Spans and events one after another.

use insta::assert_snapshot;
use spanshot::{CapturedEvent, CapturedSpan, predicates::*};
use tracing::Level;

use super::{evaluation, trace};

type Event<'p> = &'p dyn Predicate<CapturedEvent<'static>>;
type Span<'p> = &'p dyn Predicate<CapturedSpan<'static>>;

#[test]
fn in_order() {
    let events = trace().scan_events();
    let parsed = message(eq("parsed"));
    let failed = message(eq("no result"));
    let evaluated = message(eq("evaluated"));
    let modulo = field("operator", "Modulo");
    // The first is missing, one in the middle, the last.
    assert_snapshot!(failure!(events.in_order(&[&modulo, &parsed])), @r#"
    2 events in this order: not found

    ✗ field "operator"(var == "Modulo")
      nearest of what follows:
      TRACE operator operator=Add at=3
        ✗ field "operator"(var == "Modulo"): operator is Add
      TRACE operator operator=Multiply at=8
        ✗ field "operator"(var == "Modulo"): operator is Multiply
      TRACE operator operator=Divide at=2
        ✗ field "operator"(var == "Modulo"): operator is Divide
      TRACE operator operator=Subtract at=7
        ✗ field "operator"(var == "Modulo"): operator is Subtract
      TRACE operator operator=Power at=4
        ✗ field "operator"(var == "Modulo"): operator is Power
    (1 more expected)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
    ▶ │  ├─ TRACE operator operator=Add at=3
    ▶ │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
      └─ ⋮ 2 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7}
    ▶ │  ├─ TRACE operator operator=Divide at=2
    ▶ │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
      └─ ⋮ 2 more
      ⋮ 1 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ DEBUG parse{bytes=14 tokens=10}
    ▶ │  ├─ TRACE operator operator=Power at=4
      │  ├─ TRACE operator operator=Add at=10
      │  └─ DEBUG parsed expression=((-(2 ^ (-1))) + (3!))
      └─ ⋮ 2 more
      ⋮ 2 more
    "#);
    assert_snapshot!(failure!(events.in_order(&[&parsed, &modulo, &evaluated, &failed])), @r#"
    4 events in this order: only 1 found

    ✓ message(var == "parsed")
      DEBUG parsed expression=((1 + 2) * 3)
    ✗ field "operator"(var == "Modulo")
      nearest of what follows:
      TRACE operator operator=Divide at=2
        ✗ field "operator"(var == "Modulo"): operator is Divide
      TRACE operator operator=Subtract at=7
        ✗ field "operator"(var == "Modulo"): operator is Subtract
      TRACE operator operator=Power at=4
        ✗ field "operator"(var == "Modulo"): operator is Power
      TRACE operator operator=Add at=10
        ✗ field "operator"(var == "Modulo"): operator is Add
      TRACE operator operator=Power at=3
        ✗ field "operator"(var == "Modulo"): operator is Power
    (2 more expected)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Add at=3
      │  ├─ TRACE operator operator=Multiply at=8
    ▶ │  └─ DEBUG parsed expression=((1 + 2) * 3)
      └─ ⋮ 2 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7}
    ▶ │  ├─ TRACE operator operator=Divide at=2
    ▶ │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
      └─ ⋮ 2 more
      ⋮ 1 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ DEBUG parse{bytes=14 tokens=10}
    ▶ │  ├─ TRACE operator operator=Power at=4
    ▶ │  ├─ TRACE operator operator=Add at=10
      │  └─ DEBUG parsed expression=((-(2 ^ (-1))) + (3!))
      └─ ⋮ 2 more
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3}
    ▶ │  ├─ TRACE operator operator=Power at=3
      │  └─ DEBUG parsed expression=(10 ^ 400)
      └─ ⋮ 2 more
      ⋮ 1 more
    "#);
    let spans = trace().scan_spans();
    let (evaluate, compute, negate) =
        (name(eq("evaluate")), name(eq("compute")), name(eq("negate")));
    let thrice: [Span; 5] = [&evaluate, &compute, &negate, &negate, &negate];
    assert_snapshot!(failure!(spans.in_order(&thrice)), @r#"
    5 spans in this order: only 4 found

    ✓ name(var == "evaluate")
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
    ✓ name(var == "compute")
      DEBUG compute{operations=2} (follows from parse)
    ✓ name(var == "negate")
      DEBUG negate{operand=0.5}
    ✓ name(var == "negate")
      DEBUG negate{operand=1.0}
    ✗ name(var == "negate")
      nearest of what follows:
      DEBUG factorial{operand=3.0}
        ✗ name(var == "negate"): name is "factorial"
      INFO evaluate{expression="10 ^ 400" result=inf}
        ✗ name(var == "negate"): name is "evaluate"
      DEBUG parse{bytes=8 tokens=3}
        ✗ name(var == "negate"): name is "parse"
      DEBUG compute{operations=1} (follows from parse)
        ✗ name(var == "negate"): name is "compute"
      DEBUG power{lhs=10.0 rhs=400.0}
        ✗ name(var == "negate"): name is "power"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
    ▶ INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Add at=3
      │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
      │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
      │     │  └─ TRACE computed value=3.0
      │     └─ TRACE computed value=9.0
      └─ INFO evaluated whole=true
      INFO evaluate{expression="8 / (3 - 3)"} ⋮ 3 inside
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
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
    ▶ │     ├─ DEBUG factorial{operand=3.0}
      │     │  ├─ DEBUG multiplying up factors=3
      │     │  └─ TRACE computed value=6.0
      │     └─ TRACE computed value=5.5
      └─ ⋮ 1 more
    ▶ INFO evaluate{expression="10 ^ 400" result=inf}
    ▶ ├─ DEBUG parse{bytes=8 tokens=3}
      │  ├─ TRACE operator operator=Power at=3
      │  └─ DEBUG parsed expression=(10 ^ 400)
    ▶ ├─ DEBUG compute{operations=1} (follows from parse)
    ▶ │  └─ DEBUG power{lhs=10.0 rhs=400.0}
      │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
      │     └─ WARN not a finite number infinite=true
      └─ INFO evaluated whole=false
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""} ⋮ 2 inside
    "#);
    // The other way round.
    let infinite = field("infinite", true);
    let by_zero = message(eq("division by zero"));
    assert_snapshot!(failure!(events.in_order(&[&infinite, &by_zero])), @r#"
    2 events in this order: only 1 found

    ✓ field "infinite"(var == true)
      WARN not a finite number infinite=true
    ✗ message(var == "division by zero")
      it comes too early:
      ERROR division by zero
      nearest of what follows:
      INFO evaluated whole=false
        ✗ message(var == "division by zero"): message is "evaluated"
      ERROR not an expression error=unexpected character at byte 0
        ✗ message(var == "division by zero"): message is "not an expression"
      WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
        ✗ message(var == "division by zero"): message is "no result"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0} ⋮ 1 inside
    ▶ │     └─ ERROR division by zero
      └─ ⋮ 1 more
      ⋮ 2 more
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3} ⋮ 2 inside
      ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
      │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
    ▶ │     └─ WARN not a finite number infinite=true
    ▶ └─ INFO evaluated whole=false
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14}
    ▶ │  └─ ERROR not an expression error=unexpected character at byte 0
    ▶ └─ WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    "#);
    // Nothing follows.
    let last = field("error", "unexpected character at byte 0");
    let chain = message(eq("no result")) & field("error", [always()]);
    let expected: [Event; 4] = [&last, &chain, &parsed, &evaluated];
    let events = evaluation("\u{1f980} + \"\u{1b}[31m\"").deep_scan_events();
    assert_snapshot!(failure!(events.in_order(&expected)), @r#"
    4 events in INFO evaluate{expression="🦀 + \"\u{1b}[31m\""} in this order: only 2 found

    ✓ field "error"(var == "unexpected character at byte 0")
      ERROR not an expression error=unexpected character at byte 0
    ✓ (message(var == "no result") && field "error"(true))
      WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    ✗ message(var == "parsed")
      (nothing follows)
    (1 more expected)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 5 more
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14}
    ▶ │  └─ ERROR not an expression error=unexpected character at byte 0
    ▶ └─ WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    "#);
}

#[test]
fn in_a_row() {
    let spans = trace().scan_spans();
    let span = |expected| name(eq(expected));
    let (evaluate, parse, compute) = (span("evaluate"), span("parse"), span("compute"));
    let (divide, multiply, add) = (span("divide"), span("multiply"), span("add"));
    assert_snapshot!(failure!(spans.in_a_row(&[&evaluate, &parse, &divide])), @r#"
    3 spans in a row: only 2 found

    ✓ name(var == "evaluate")
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
    ✓ name(var == "parse")
      DEBUG parse{bytes=11 tokens=7}
    ✗ name(var == "divide")
      instead:
      DEBUG compute{operations=2} (follows from parse)
        ✗ name(var == "divide"): name is "compute"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
    ▶ INFO evaluate{expression="(1 + 2) * 3" result=9.0}
    ▶ ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Add at=3
      │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
      │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
      │     │  └─ TRACE computed value=3.0
      │     └─ TRACE computed value=9.0
      └─ INFO evaluated whole=true
      INFO evaluate{expression="8 / (3 - 3)"} ⋮ 3 inside
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      ⋮ 3 more
    "#);
    assert_snapshot!(failure!(spans.in_a_row(&[&evaluate, &parse, &compute, &multiply, &divide])), @r#"
    5 spans in a row: only 4 found

    ✓ name(var == "evaluate")
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
    ✓ name(var == "parse")
      DEBUG parse{bytes=11 tokens=7}
    ✓ name(var == "compute")
      DEBUG compute{operations=2} (follows from parse)
    ✓ name(var == "multiply")
      DEBUG multiply{lhs=3.0 rhs=3.0}
    ✗ name(var == "divide")
      instead:
      DEBUG add{lhs=1.0 rhs=2.0}
        ✗ name(var == "divide"): name is "add"

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
    assert_snapshot!(failure!(spans.in_a_row(&[&span("modulo"), &add])), @r#"
    2 spans in a row: not found

    ✗ name(var == "modulo")
      nearest of what follows:
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
    (1 more expected)

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
    // They are the last ones.
    assert_snapshot!(failure!(spans.in_a_row(&[&compute, &span("power"), &evaluate, &parse, &compute])), @r#"
    5 spans in a row: only 4 found

    ✓ name(var == "compute")
      DEBUG compute{operations=1} (follows from parse)
    ✓ name(var == "power")
      DEBUG power{lhs=10.0 rhs=400.0}
    ✓ name(var == "evaluate")
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
    ✓ name(var == "parse")
      DEBUG parse{bytes=14}
    ✗ name(var == "compute")
      (nothing follows)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 3 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      INFO evaluate{expression="10 ^ 400" result=inf}
      ├─ DEBUG parse{bytes=8 tokens=3} ⋮ 2 inside
    ▶ ├─ DEBUG compute{operations=1} (follows from parse)
    ▶ │  └─ DEBUG power{lhs=10.0 rhs=400.0}
      │     ├─ DEBUG multiplying up exponent=400
      │     ├─ TRACE computed value=inf
      │     └─ WARN not a finite number infinite=true
      └─ INFO evaluated whole=false
    ▶ INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
    ▶ ├─ DEBUG parse{bytes=14}
      │  └─ ERROR not an expression error=unexpected character at byte 0
      └─ WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    "#);
}

#[test]
fn exactly() {
    let (parse, compute, divide) = (name(eq("parse")), name(eq("compute")), name(eq("divide")));
    let children = evaluation("8 / (3 - 3)").scan_spans();
    assert_snapshot!(failure!(children.exactly(&[&parse])), @r#"
    1 span directly in INFO evaluate{expression="8 / (3 - 3)"} and nothing else: there is 1 more

    ✓ name(var == "parse")
      DEBUG parse{bytes=11 tokens=7}
    ✗ nothing else; but:
      DEBUG compute{operations=2} (follows from parse)

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
    assert_snapshot!(failure!(children.exactly(&[&parse, &divide])), @r#"
    2 spans directly in INFO evaluate{expression="8 / (3 - 3)"} and nothing else: only 1 found

    ✓ name(var == "parse")
      DEBUG parse{bytes=11 tokens=7}
    ✗ name(var == "divide")
      instead:
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
    assert_snapshot!(failure!(children.exactly(&[&parse, &compute, &divide])), @r#"
    3 spans directly in INFO evaluate{expression="8 / (3 - 3)"} and nothing else: only 2 found

    ✓ name(var == "parse")
      DEBUG parse{bytes=11 tokens=7}
    ✓ name(var == "compute")
      DEBUG compute{operations=2} (follows from parse)
    ✗ name(var == "divide")
      (nothing follows)

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
    assert_snapshot!(failure!(children.exactly(&[&compute, &parse])), @r#"
    2 spans directly in INFO evaluate{expression="8 / (3 - 3)"} and nothing else: not found

    ✗ name(var == "compute")
      instead:
      DEBUG parse{bytes=11 tokens=7}
        ✗ name(var == "compute"): name is "parse"
    (1 more expected)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

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
    assert_snapshot!(failure!(children.exactly(&[])), @r#"
    0 spans directly in INFO evaluate{expression="8 / (3 - 3)"} and nothing else: there are 2 more

    ✗ nothing else; but:
      DEBUG parse{bytes=11 tokens=7}
      DEBUG compute{operations=2} (follows from parse)

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
    let children = trace().scan_spans().first(&parse).scan_spans();
    assert_snapshot!(failure!(children.exactly(&[&divide])), @r#"
    1 span directly in DEBUG parse{bytes=11 tokens=7} and nothing else: not found

    ✗ name(var == "divide")
      (there is nothing)

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
    let ancestors = trace().scan_spans().single(&divide).scan_ancestors();
    let evaluate = name(eq("evaluate"));
    assert_snapshot!(failure!(ancestors.in_order(&[&compute, &parse, &evaluate])), @r#"
    3 spans around DEBUG divide{lhs=8.0 rhs=0.0} in this order: only 1 found

    ✓ name(var == "compute")
      DEBUG compute{operations=2} (follows from parse)
    ✗ name(var == "parse")
      nearest of what follows:
      INFO evaluate{expression="8 / (3 - 3)"}
        ✗ name(var == "parse"): name is "evaluate"
    (1 more expected)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0} ⋮ 3 inside
    ▶ INFO evaluate{expression="8 / (3 - 3)"}
      ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      ⋮ 2 more
    "#);
    let events = trace().scan_events();
    let (always, never) = (always(), never());
    let mut expected: Vec<Event> = vec![&always; 20];
    expected.push(&never);
    assert_snapshot!(failure!(events.exactly(&expected)), @r#"
    21 events and nothing else: only 20 found

    ✓ the first 15 of them
    ✓ true
      TRACE operator operator=Add at=10
    ✓ true
      DEBUG parsed expression=((-(2 ^ (-1))) + (3!))
    ✓ true
      TRACE computed value=-1.0
    ✓ true
      DEBUG multiplying up exponent=-1
    ✓ true
      TRACE computed value=0.5
    ✗ false
      instead:
      TRACE computed value=-0.5
        ✗ false

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 3 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ DEBUG parse{bytes=14 tokens=10}
      │  ├─ TRACE operator operator=Power at=4
    ▶ │  ├─ TRACE operator operator=Add at=10
    ▶ │  └─ DEBUG parsed expression=((-(2 ^ (-1))) + (3!))
      ├─ DEBUG compute{operations=5} (follows from parse)
      │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
      │     ├─ DEBUG negate{operand=0.5}
      │     │  ├─ DEBUG power{lhs=2.0 rhs=-1.0}
      │     │  │  ├─ DEBUG negate{operand=1.0}
    ▶ │     │  │  │  └─ TRACE computed value=-1.0
    ▶ │     │  │  ├─ DEBUG multiplying up exponent=-1
    ▶ │     │  │  └─ TRACE computed value=0.5
    ▶ │     │  └─ TRACE computed value=-0.5
      │     └─ ⋮ 2 more
      └─ ⋮ 1 more
      ⋮ 2 more
    "#);
    let debug = level(Level::DEBUG);
    assert_snapshot!(failure!(events.exactly(&[&debug])), @r#"
    1 event and nothing else: not found

    ✗ level(DEBUG)
      instead:
      TRACE operator operator=Add at=3
        ✗ level(DEBUG): level is TRACE

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7}
    ▶ │  ├─ TRACE operator operator=Add at=3
      │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
      └─ ⋮ 2 more
      ⋮ 5 more
    "#);
}
