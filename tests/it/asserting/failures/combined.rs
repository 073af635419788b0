//! Predicates that are combined, and values.

use insta::assert_snapshot;
use spanshot::predicates::*;
use tracing::Level;

use super::trace;

#[test]
fn combined() {
    let spans = trace().scan_spans();
    let predicate = !name(eq("divide")) & !level(Level::INFO) & field("rhs", 0);
    assert_snapshot!(failure!(spans.single(&predicate)), @r#"
    no span matches ((!name(var == "divide") && !level(INFO)) && field "rhs"(var == 0))

    nearest of 26 spans:
      DEBUG multiply{lhs=3.0 rhs=3.0}
        ✓ !name(var == "divide"): name is "multiply"
        ✓ !level(INFO): level is DEBUG
        ✗ field "rhs"(var == 0): rhs is 3.0
      DEBUG add{lhs=1.0 rhs=2.0}
        ✓ !name(var == "divide"): name is "add"
        ✓ !level(INFO): level is DEBUG
        ✗ field "rhs"(var == 0): rhs is 2.0
      DEBUG subtract{lhs=3.0 rhs=3.0}
        ✓ !name(var == "divide"): name is "subtract"
        ✓ !level(INFO): level is DEBUG
        ✗ field "rhs"(var == 0): rhs is 3.0
      DEBUG add{lhs=-0.5 rhs=6.0}
        ✓ !name(var == "divide"): name is "add"
        ✓ !level(INFO): level is DEBUG
        ✗ field "rhs"(var == 0): rhs is 6.0
      DEBUG power{lhs=2.0 rhs=-1.0}
        ✓ !name(var == "divide"): name is "power"
        ✓ !level(INFO): level is DEBUG
        ✗ field "rhs"(var == 0): rhs is -1.0

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
    ▶ │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
    ▶ │     ├─ DEBUG add{lhs=1.0 rhs=2.0}
      │     │  └─ TRACE computed value=3.0
      │     └─ TRACE computed value=9.0
      └─ ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
    ▶ │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ ⋮ 1 more
      ⋮ 1 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=5} (follows from parse)
    ▶ │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
      │     ├─ DEBUG negate{operand=0.5}
    ▶ │     │  ├─ DEBUG power{lhs=2.0 rhs=-1.0}
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
    let own =
        (name(eq("divide")) & field("lhs", 9.0)) | (name(eq("factorial")) & field("operand", 4.0));
    assert_snapshot!(failure!(spans.single(&own)), @r#"
    no span matches ((name(var == "divide") && field "lhs"(var == 9.0)) || (name(var == "factorial") && field "operand"(var == 4.0)))

    nearest of 26 spans:
      DEBUG divide{lhs=8.0 rhs=0.0}
        ✗ one of:
          ✗ all of:
            ✓ name(var == "divide"): name is "divide"
            ✗ field "lhs"(var == 9.0): lhs is 8.0
          ✗ all of:
            ✗ name(var == "factorial"): name is "divide"
            ✗ field "operand"(var == 4.0): operand is not there
      DEBUG factorial{operand=3.0}
        ✗ one of:
          ✗ all of:
            ✗ name(var == "divide"): name is "factorial"
            ✗ field "lhs"(var == 9.0): lhs is not there
          ✗ all of:
            ✓ name(var == "factorial"): name is "factorial"
            ✗ field "operand"(var == 4.0): operand is 3.0

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      ⋮ 1 more
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
    ▶ │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ ⋮ 1 more
      ⋮ 1 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=5} (follows from parse)
      │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
      │     ├─ DEBUG negate{operand=0.5} ⋮ 2 inside
    ▶ │     ├─ DEBUG factorial{operand=3.0}
      │     │  ├─ DEBUG multiplying up factors=3
      │     │  └─ TRACE computed value=6.0
      │     └─ TRACE computed value=5.5
      └─ ⋮ 1 more
      ⋮ 2 more
    "#);
    let theirs = name(eq("divide")).and(field("lhs", 9.0)).or(name(eq("factorial")).not());
    assert_snapshot!(failure!(spans.all(&theirs)), @r#"
    1 of 26 spans does not match: ((name(var == "divide") && field "lhs"(var == 9.0)) || (! name(var == "factorial")))

      DEBUG factorial{operand=3.0}
        ✗ ((name(var == "divide") && field "lhs"(var == 9.0)) || (! name(var == "factorial")))
          ✗ (name(var == "divide") && field "lhs"(var == 9.0))
            ✗ name(var == "divide"): name is "factorial"
          ✗ (! name(var == "factorial"))
            ✓ name(var == "factorial"): name is "factorial"

    the trace (a part of its 59 spans and events):
      ⋮ 3 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=5} (follows from parse)
      │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
      │     ├─ DEBUG negate{operand=0.5} ⋮ 2 inside
    ▶ │     ├─ DEBUG factorial{operand=3.0}
      │     │  ├─ DEBUG multiplying up factors=3
      │     │  └─ TRACE computed value=6.0
      │     └─ TRACE computed value=5.5
      └─ ⋮ 1 more
      ⋮ 2 more
    "#);
    let theirs = name(eq("divide")).and(field("lhs", 9.0));
    assert_snapshot!(failure!(spans.single(&theirs)), @r#"
    no span matches (name(var == "divide") && field "lhs"(var == 9.0))

    nearest of 26 spans:
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
        ✗ (name(var == "divide") && field "lhs"(var == 9.0))
          ✗ name(var == "divide"): name is "evaluate"
      DEBUG parse{bytes=11 tokens=7}
        ✗ (name(var == "divide") && field "lhs"(var == 9.0))
          ✗ name(var == "divide"): name is "parse"
      DEBUG compute{operations=2} (follows from parse)
        ✗ (name(var == "divide") && field "lhs"(var == 9.0))
          ✗ name(var == "divide"): name is "compute"
      DEBUG multiply{lhs=3.0 rhs=3.0}
        ✗ (name(var == "divide") && field "lhs"(var == 9.0))
          ✗ name(var == "divide"): name is "multiply"
      DEBUG add{lhs=1.0 rhs=2.0}
        ✗ (name(var == "divide") && field "lhs"(var == 9.0))
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
    let named = name(eq("add").or(eq("subtract")).and(starts_with("s")));
    assert_snapshot!(failure!(spans.count(2, &named)), @r#"
    1 span matches instead of 2: name(((var == "add" || var == "subtract") && var.starts_with("s")))

      DEBUG subtract{lhs=3.0 rhs=3.0}

    nearest of 25 other spans:
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
        ✗ name(((var == "add" || var == "subtract") && var.starts_with("s"))): name is "evaluate"
      DEBUG parse{bytes=11 tokens=7}
        ✗ name(((var == "add" || var == "subtract") && var.starts_with("s"))): name is "parse"
      DEBUG compute{operations=2} (follows from parse)
        ✗ name(((var == "add" || var == "subtract") && var.starts_with("s"))): name is "compute"
      DEBUG multiply{lhs=3.0 rhs=3.0}
        ✗ name(((var == "add" || var == "subtract") && var.starts_with("s"))): name is "multiply"
      DEBUG add{lhs=1.0 rhs=2.0}
        ✗ name(((var == "add" || var == "subtract") && var.starts_with("s"))): name is "add"

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
      INFO evaluate{expression="8 / (3 - 3)"}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
    ▶ │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
      │     │  └─ TRACE computed value=0.0
      │     └─ ERROR division by zero
      └─ ⋮ 1 more
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      ⋮ 3 more
    "#);
    let closure = function(|span: &spanshot::CapturedSpan<'_>| span.stats().entered > 1);
    assert_snapshot!(failure!(spans.any(&closure)), @r#"
    no span matches fn(var)

    nearest of 26 spans:
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
        ✗ fn(var)
      DEBUG parse{bytes=11 tokens=7}
        ✗ fn(var)
      DEBUG compute{operations=2} (follows from parse)
        ✗ fn(var)
      DEBUG multiply{lhs=3.0 rhs=3.0}
        ✗ fn(var)
      DEBUG add{lhs=1.0 rhs=2.0}
        ✗ fn(var)

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
    let predicate = parent(name(eq("compute"))) & message(eq("computed"));
    assert_snapshot!(failure!(events.first(&predicate)), @r#"
    no event matches (parent(name(var == "compute")) && message(var == "computed"))

    nearest of 33 events:
      TRACE computed value=3.0
        ✗ parent(name(var == "compute")): parent is DEBUG add{lhs=1.0 rhs=2.0}
        ✓ message(var == "computed"): message is "computed"
      TRACE computed value=9.0
        ✗ parent(name(var == "compute")): parent is DEBUG multiply{lhs=3.0 rhs=3.0}
        ✓ message(var == "computed"): message is "computed"
      TRACE computed value=0.0
        ✗ parent(name(var == "compute")): parent is DEBUG subtract{lhs=3.0 rhs=3.0}
        ✓ message(var == "computed"): message is "computed"
      TRACE computed value=-1.0
        ✗ parent(name(var == "compute")): parent is DEBUG negate{operand=1.0}
        ✓ message(var == "computed"): message is "computed"
      TRACE computed value=0.5
        ✗ parent(name(var == "compute")): parent is DEBUG power{lhs=2.0 rhs=-1.0}
        ✓ message(var == "computed"): message is "computed"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ ⋮ 1 more
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
      │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
    ▶ │     │  └─ TRACE computed value=0.0
      │     └─ ⋮ 1 more
      └─ ⋮ 1 more
      ⋮ 1 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=5} (follows from parse)
      │  └─ DEBUG add{lhs=-0.5 rhs=6.0}
      │     ├─ DEBUG negate{operand=0.5}
      │     │  ├─ DEBUG power{lhs=2.0 rhs=-1.0}
      │     │  │  ├─ DEBUG negate{operand=1.0}
    ▶ │     │  │  │  └─ TRACE computed value=-1.0
      │     │  │  ├─ DEBUG multiplying up exponent=-1
    ▶ │     │  │  └─ TRACE computed value=0.5
      │     │  └─ ⋮ 1 more
      │     └─ ⋮ 2 more
      └─ ⋮ 1 more
      ⋮ 2 more
    "#);
}

#[test]
fn conditions_on_what_is_in_a_span_or_around_it() {
    let spans = trace().scan_spans();
    let computing = name("compute") & child(name("divide") & event(level(Level::WARN)));
    assert_snapshot!(failure!(spans.single(&computing)), @r#"
    no span matches (name(var == "compute") && child((name(var == "divide") && event(level(WARN)))))

    nearest of 26 spans:
      DEBUG compute{operations=2} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ child((name(var == "divide") && event(level(WARN)))): in it is DEBUG multiply{lhs=3.0 rhs=3.0}
          ✗ name(var == "divide"): name is "multiply"
          ✗ event(level(WARN)): in it is TRACE computed value=9.0
      DEBUG compute{operations=2} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ child((name(var == "divide") && event(level(WARN)))): in it is DEBUG divide{lhs=8.0 rhs=0.0}
          ✓ name(var == "divide"): name is "divide"
          ✗ event(level(WARN)): in it is ERROR division by zero
      DEBUG compute{operations=5} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ child((name(var == "divide") && event(level(WARN)))): in it is DEBUG add{lhs=-0.5 rhs=6.0}
          ✗ name(var == "divide"): name is "add"
          ✗ event(level(WARN)): in it is TRACE computed value=5.5
      DEBUG compute{operations=1} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ child((name(var == "divide") && event(level(WARN)))): in it is DEBUG power{lhs=10.0 rhs=400.0}
          ✗ name(var == "divide"): name is "power"
          ✓ event(level(WARN)): in it is WARN not a finite number infinite=true

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
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
    let not_computing =
        name("compute") & child(name("divide")) & !child(name("divide") & field("rhs", 0.0));
    assert_snapshot!(failure!(spans.single(&not_computing)), @r#"
    no span matches ((name(var == "compute") && child(name(var == "divide"))) && !child((name(var == "divide") && field "rhs"(var == 0.0))))

    nearest of 26 spans:
      DEBUG compute{operations=2} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ child(name(var == "divide")): in it is DEBUG multiply{lhs=3.0 rhs=3.0}
        ✓ !child((name(var == "divide") && field "rhs"(var == 0.0))): in it is DEBUG multiply{lhs=3.0 rhs=3.0}
      DEBUG compute{operations=2} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✓ child(name(var == "divide")): in it is DEBUG divide{lhs=8.0 rhs=0.0}
        ✗ !child((name(var == "divide") && field "rhs"(var == 0.0))): in it is DEBUG divide{lhs=8.0 rhs=0.0}
      DEBUG compute{operations=5} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ child(name(var == "divide")): in it is DEBUG add{lhs=-0.5 rhs=6.0}
        ✓ !child((name(var == "divide") && field "rhs"(var == 0.0))): in it is DEBUG add{lhs=-0.5 rhs=6.0}
      DEBUG compute{operations=1} (follows from parse)
        ✓ name(var == "compute"): name is "compute"
        ✗ child(name(var == "divide")): in it is DEBUG power{lhs=10.0 rhs=400.0}
        ✓ !child((name(var == "divide") && field "rhs"(var == 0.0))): in it is DEBUG power{lhs=10.0 rhs=400.0}

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
      ├─ DEBUG parse{bytes=11 tokens=7} ⋮ 3 inside
    ▶ ├─ DEBUG compute{operations=2} (follows from parse)
      │  └─ DEBUG multiply{lhs=3.0 rhs=3.0}
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
    let events = trace().scan_events();
    let in_division = message("division by zero") & parent(name("divide") & field("lhs", 9.0));
    assert_snapshot!(failure!(events.single(&in_division)), @r#"
    no event matches (message(var == "division by zero") && parent((name(var == "divide") && field "lhs"(var == 9.0))))

    nearest of 33 events:
      ERROR division by zero
        ✓ message(var == "division by zero"): message is "division by zero"
        ✗ parent((name(var == "divide") && field "lhs"(var == 9.0))): parent is DEBUG divide{lhs=8.0 rhs=0.0}
          ✓ name(var == "divide"): name is "divide"
          ✗ field "lhs"(var == 9.0): lhs is 8.0

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
      ⋮ 4 more
    "#);
    let in_sum = message("division by zero") & ancestor(name("compute") & field("operations", 1));
    assert_snapshot!(failure!(events.single(&in_sum)), @r#"
    no event matches (message(var == "division by zero") && ancestor((name(var == "compute") && field "operations"(var == 1))))

    nearest of 33 events:
      ERROR division by zero
        ✓ message(var == "division by zero"): message is "division by zero"
        ✗ ancestor((name(var == "compute") && field "operations"(var == 1))): it is in DEBUG divide{lhs=8.0 rhs=0.0} in DEBUG compute{operations=2} (follows from parse) in INFO evaluate{expression="8 / (3 - 3)"}: nearest is DEBUG compute{operations=2} (follows from parse)
          ✓ name(var == "compute"): name is "compute"
          ✗ field "operations"(var == 1): operations is 2
      DEBUG multiplying up exponent=400
        ✗ message(var == "division by zero"): message is "multiplying up"
        ✓ ancestor((name(var == "compute") && field "operations"(var == 1))): it is in DEBUG power{lhs=10.0 rhs=400.0} in DEBUG compute{operations=1} (follows from parse) in INFO evaluate{expression="10 ^ 400" result=inf}
      TRACE computed value=inf
        ✗ message(var == "division by zero"): message is "computed"
        ✓ ancestor((name(var == "compute") && field "operations"(var == 1))): it is in DEBUG power{lhs=10.0 rhs=400.0} in DEBUG compute{operations=1} (follows from parse) in INFO evaluate{expression="10 ^ 400" result=inf}
      WARN not a finite number infinite=true
        ✗ message(var == "division by zero"): message is "not a finite number"
        ✓ ancestor((name(var == "compute") && field "operations"(var == 1))): it is in DEBUG power{lhs=10.0 rhs=400.0} in DEBUG compute{operations=1} (follows from parse) in INFO evaluate{expression="10 ^ 400" result=inf}

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
      ├─ ⋮ 1 more
      ├─ DEBUG compute{operations=1} (follows from parse)
      │  └─ DEBUG power{lhs=10.0 rhs=400.0}
    ▶ │     ├─ DEBUG multiplying up exponent=400
    ▶ │     ├─ TRACE computed value=inf
    ▶ │     └─ WARN not a finite number infinite=true
      └─ ⋮ 1 more
      ⋮ 1 more
    "#);
}

#[test]
fn text_is_escaped() {
    let spans = trace().scan_spans();
    assert_snapshot!(failure!(spans.single(&field("expression", "\u{1f980} + \"\u{1b}[32m\""))), @r#"
    no span matches field "expression"(var == "🦀 + \"\u{1b}[32m\"")

    nearest of 26 spans:
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
        ✗ field "expression"(var == "🦀 + \"\u{1b}[32m\""): expression is "(1 + 2) * 3"
      INFO evaluate{expression="8 / (3 - 3)"}
        ✗ field "expression"(var == "🦀 + \"\u{1b}[32m\""): expression is "8 / (3 - 3)"
      INFO evaluate{expression="1 + 2.3.4"}
        ✗ field "expression"(var == "🦀 + \"\u{1b}[32m\""): expression is "1 + 2.3.4"
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
        ✗ field "expression"(var == "🦀 + \"\u{1b}[32m\""): expression is "-(2 ^ -1) + 3!"
      INFO evaluate{expression="10 ^ 400" result=inf}
        ✗ field "expression"(var == "🦀 + \"\u{1b}[32m\""): expression is "10 ^ 400"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

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
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""} ⋮ 2 inside
    "#);
    let events = trace().scan_events();
    assert_snapshot!(failure!(events.none(&field("error", "unexpected character at byte 0"))), @r#"
    1 event should not match: field "error"(var == "unexpected character at byte 0")

      ERROR not an expression error=unexpected character at byte 0

    the trace (a part of its 59 spans and events):
      ⋮ 5 more
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14}
    ▶ │  └─ ERROR not an expression error=unexpected character at byte 0
      └─ ⋮ 1 more
    "#);
}
