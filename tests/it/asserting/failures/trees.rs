//! Patterns of subtrees.

use insta::assert_snapshot;
use spanshot::predicates::{types::TreePredicate, *};
use tracing::Level;

use super::trace;

fn evaluate(expression: &'static str) -> TreePredicate {
    tree(name(eq("evaluate")) & field("expression", expression))
}

#[test]
fn child_is_missing() {
    let spans = trace().scan_spans();
    let pattern = evaluate("8 / (3 - 3)").span([name(eq("parse"))]).span([name(eq("optimize"))]);
    assert_snapshot!(failure!(spans.single(&pattern)), @r#"
    no span matches tree((name(var == "evaluate") && field "expression"(var == "8 / (3 - 3)")), span tree(name(var == "parse")), span tree(name(var == "optimize")))

    nearest of 26 spans:
      INFO evaluate{expression="8 / (3 - 3)"}
        ✓ name(var == "evaluate"): name is "evaluate"
        ✓ field "expression"(var == "8 / (3 - 3)"): expression is "8 / (3 - 3)"
        ✓ span name(var == "parse"): it is DEBUG parse{bytes=11 tokens=7}
        ✗ name(var == "optimize"): name is "compute"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0} ⋮ 3 inside
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
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      ⋮ 2 more
    "#);
    // Further down.
    let divide = tree(name(eq("divide"))).span([name(eq("subtract"))]).span([name(eq("negate"))]);
    let pattern = evaluate("8 / (3 - 3)").span(tree(name(eq("compute"))).span(divide));
    assert_snapshot!(failure!(spans.single(&pattern)), @r#"
    no span matches tree((name(var == "evaluate") && field "expression"(var == "8 / (3 - 3)")), span tree(name(var == "compute"), span tree(name(var == "divide"), span tree(name(var == "subtract")), span tree(name(var == "negate")))))

    nearest of 26 spans:
      INFO evaluate{expression="8 / (3 - 3)"}
        ✓ name(var == "evaluate"): name is "evaluate"
        ✓ field "expression"(var == "8 / (3 - 3)"): expression is "8 / (3 - 3)"
        ✓ name(var == "compute"): name is "compute"
        ✓ name(var == "divide"): name is "divide"
        ✓ span name(var == "subtract"): it is DEBUG subtract{lhs=3.0 rhs=3.0}
        ✗ span name(var == "negate"): it is not there after DEBUG subtract{lhs=3.0 rhs=3.0}

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0} ⋮ 3 inside
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
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      ⋮ 2 more
    "#);
}

#[test]
fn field_is_wrong_deep_inside() {
    let spans = trace().scan_spans();
    let subtract = tree(name(eq("subtract"))).event(message(eq("computed")) & field("value", 1.0));
    let divide = tree(name(eq("divide"))).span(subtract).event(level(Level::ERROR));
    let compute = tree(name(eq("compute"))).span(divide);
    let pattern = evaluate("8 / (3 - 3)").span(compute).event(message(eq("no result")));
    assert_snapshot!(failure!(spans.single(&pattern)), @r#"
    no span matches tree((name(var == "evaluate") && field "expression"(var == "8 / (3 - 3)")), span tree(name(var == "compute"), span tree(name(var == "divide"), span tree(name(var == "subtract"), event (message(var == "computed") && field "value"(var == 1.0))), event level(ERROR))), event message(var == "no result"))

    nearest of 26 spans:
      INFO evaluate{expression="8 / (3 - 3)"}
        ✓ name(var == "evaluate"): name is "evaluate"
        ✓ field "expression"(var == "8 / (3 - 3)"): expression is "8 / (3 - 3)"
        ✓ name(var == "compute"): name is "compute"
        ✓ name(var == "divide"): name is "divide"
        ✓ name(var == "subtract"): name is "subtract"
        ✓ message(var == "computed"): message is "computed"
        ✗ field "value"(var == 1.0): value is 0.0
        ✓ event level(ERROR): it is ERROR division by zero
        ✓ event message(var == "no result"): it is WARN no result error=cannot compute the expression, caused by: division by zero

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0} ⋮ 3 inside
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
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      ⋮ 2 more
    "#);
}

#[test]
fn there_is_something_else() {
    let spans = trace().scan_spans();
    let pattern = evaluate("8 / (3 - 3)")
        .span([name(eq("parse"))])
        .span([name(eq("compute"))])
        .and_nothing_else();
    assert_snapshot!(failure!(spans.any(&pattern)), @r#"
    no span matches tree((name(var == "evaluate") && field "expression"(var == "8 / (3 - 3)")), span tree(name(var == "parse")), span tree(name(var == "compute")), and nothing else)

    nearest of 26 spans:
      INFO evaluate{expression="8 / (3 - 3)"}
        ✓ name(var == "evaluate"): name is "evaluate"
        ✓ field "expression"(var == "8 / (3 - 3)"): expression is "8 / (3 - 3)"
        ✓ span name(var == "parse"): it is DEBUG parse{bytes=11 tokens=7}
        ✓ span name(var == "compute"): it is DEBUG compute{operations=2} (follows from parse)
        ✗ nothing else: there is WARN no result error=cannot compute the expression, caused by: division by zero

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0} ⋮ 3 inside
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
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      ⋮ 2 more
    "#);
}

#[test]
fn order_of_what_is_inside() {
    let spans = trace().scan_spans();
    let pattern = || {
        tree(name(eq("parse")))
            .event(message(eq("parsed")))
            .event(field("operator", "Divide"))
            .event(field("operator", "Subtract"))
    };
    assert_snapshot!(failure!(spans.single(&pattern())), @r#"
    no span matches tree(name(var == "parse"), event message(var == "parsed"), event field "operator"(var == "Divide"), event field "operator"(var == "Subtract"))

    nearest of 26 spans:
      DEBUG parse{bytes=11 tokens=7}
        ✓ name(var == "parse"): name is "parse"
        ✓ event message(var == "parsed"): it is DEBUG parsed expression=((1 + 2) * 3)
        ✗ event field "operator"(var == "Divide"): it is not there after DEBUG parsed expression=((1 + 2) * 3)
        ✗ event field "operator"(var == "Subtract"): it is not there after DEBUG parsed expression=((1 + 2) * 3)
      DEBUG parse{bytes=11 tokens=7}
        ✓ name(var == "parse"): name is "parse"
        ✓ event message(var == "parsed"): it is DEBUG parsed expression=(8 / (3 - 3))
        ✗ event field "operator"(var == "Divide"): it is before DEBUG parsed expression=(8 / (3 - 3)): TRACE operator operator=Divide at=2
        ✗ event field "operator"(var == "Subtract"): it is before DEBUG parsed expression=(8 / (3 - 3)): TRACE operator operator=Subtract at=7
      DEBUG parse{bytes=14 tokens=10}
        ✓ name(var == "parse"): name is "parse"
        ✓ event message(var == "parsed"): it is DEBUG parsed expression=((-(2 ^ (-1))) + (3!))
        ✗ event field "operator"(var == "Divide"): it is not there after DEBUG parsed expression=((-(2 ^ (-1))) + (3!))
        ✗ event field "operator"(var == "Subtract"): it is not there after DEBUG parsed expression=((-(2 ^ (-1))) + (3!))
      DEBUG parse{bytes=8 tokens=3}
        ✓ name(var == "parse"): name is "parse"
        ✓ event message(var == "parsed"): it is DEBUG parsed expression=(10 ^ 400)
        ✗ event field "operator"(var == "Divide"): it is not there after DEBUG parsed expression=(10 ^ 400)
        ✗ event field "operator"(var == "Subtract"): it is not there after DEBUG parsed expression=(10 ^ 400)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
    ▶ ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Add at=3
      │  ├─ TRACE operator operator=Multiply at=8
      │  └─ DEBUG parsed expression=((1 + 2) * 3)
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
      └─ INFO evaluated whole=true
      INFO evaluate{expression="8 / (3 - 3)"}
    ▶ ├─ DEBUG parse{bytes=11 tokens=7}
      │  ├─ TRACE operator operator=Divide at=2
      │  ├─ TRACE operator operator=Subtract at=7
      │  └─ DEBUG parsed expression=(8 / (3 - 3))
      ├─ DEBUG compute{operations=2} (follows from parse) ⋮ 1 inside
      └─ WARN no result error=cannot compute the expression, caused by: division by zero
      ⋮ 1 more
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
    ▶ ├─ DEBUG parse{bytes=14 tokens=10}
      │  ├─ TRACE operator operator=Power at=4
      │  ├─ TRACE operator operator=Add at=10
      │  └─ DEBUG parsed expression=((-(2 ^ (-1))) + (3!))
      ├─ DEBUG compute{operations=5} (follows from parse) ⋮ 1 inside
      └─ INFO evaluated whole=false
      INFO evaluate{expression="10 ^ 400" result=inf}
    ▶ ├─ DEBUG parse{bytes=8 tokens=3}
      │  ├─ TRACE operator operator=Power at=3
      │  └─ DEBUG parsed expression=(10 ^ 400)
      ├─ DEBUG compute{operations=1} (follows from parse) ⋮ 1 inside
      └─ INFO evaluated whole=false
      ⋮ 1 more
    "#);
    spans.single(&pattern().in_any_order());
    let pattern = pattern().event(field("operator", "Negate")).in_any_order();
    assert_snapshot!(failure!(spans.single(&pattern)), @r#"
    no span matches tree(name(var == "parse"), event message(var == "parsed"), event field "operator"(var == "Divide"), event field "operator"(var == "Subtract"), event field "operator"(var == "Negate"), in any order)

    nearest of 26 spans:
      DEBUG parse{bytes=11 tokens=7}
        ✓ name(var == "parse"): name is "parse"
        ✓ event message(var == "parsed"): it is DEBUG parsed expression=(8 / (3 - 3))
        ✓ event field "operator"(var == "Divide"): it is TRACE operator operator=Divide at=2
        ✓ event field "operator"(var == "Subtract"): it is TRACE operator operator=Subtract at=7
        ✗ event field "operator"(var == "Negate"): it is not there

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
}

#[test]
fn root_of_the_pattern() {
    let spans = trace().scan_spans();
    let pattern = evaluate("8 / (3 - 2)").span([name(eq("parse"))]);
    assert_snapshot!(failure!(spans.single(&pattern)), @r#"
    no span matches tree((name(var == "evaluate") && field "expression"(var == "8 / (3 - 2)")), span tree(name(var == "parse")))

    nearest of 26 spans:
      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
        ✓ name(var == "evaluate"): name is "evaluate"
        ✗ field "expression"(var == "8 / (3 - 2)"): expression is "(1 + 2) * 3"
      INFO evaluate{expression="8 / (3 - 3)"}
        ✓ name(var == "evaluate"): name is "evaluate"
        ✗ field "expression"(var == "8 / (3 - 2)"): expression is "8 / (3 - 3)"
      INFO evaluate{expression="1 + 2.3.4"}
        ✓ name(var == "evaluate"): name is "evaluate"
        ✗ field "expression"(var == "8 / (3 - 2)"): expression is "1 + 2.3.4"
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
        ✓ name(var == "evaluate"): name is "evaluate"
        ✗ field "expression"(var == "8 / (3 - 2)"): expression is "-(2 ^ -1) + 3!"
      INFO evaluate{expression="10 ^ 400" result=inf}
        ✓ name(var == "evaluate"): name is "evaluate"
        ✗ field "expression"(var == "8 / (3 - 2)"): expression is "10 ^ 400"

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
    let pattern = tree(name(eq("evaluate"))).event(message(eq("no result")));
    assert_snapshot!(failure!(spans.none(&pattern)), @r#"
    3 spans should not match: tree(name(var == "evaluate"), event message(var == "no result"))

      INFO evaluate{expression="8 / (3 - 3)"}
      INFO evaluate{expression="1 + 2.3.4"}
      INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}

    the trace (a part of its 59 spans and events):
      INFO evaluate{expression="(1 + 2) * 3" result=9.0} ⋮ 3 inside
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
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5} ⋮ 3 inside
      INFO evaluate{expression="10 ^ 400" result=inf} ⋮ 3 inside
    ▶ INFO evaluate{expression="🦀 + \"\u{1b}[31m\""}
      ├─ DEBUG parse{bytes=14}
      │  └─ ERROR not an expression error=unexpected character at byte 0
      └─ WARN no result error=cannot parse the expression, caused by: unexpected character at byte 0
    "#);
    let pattern = pattern | !name(eq("evaluate"));
    assert_snapshot!(failure!(spans.all(&pattern)), @r#"
    3 of 26 spans do not match: (tree(name(var == "evaluate"), event message(var == "no result")) || !name(var == "evaluate"))

      INFO evaluate{expression="(1 + 2) * 3" result=9.0}
        ✗ one of:
          ✗ all of:
            ✓ name(var == "evaluate"): name is "evaluate"
            ✗ event message(var == "no result"): nearest is INFO evaluated whole=true
              ✗ message(var == "no result"): message is "evaluated"
          ✗ !name(var == "evaluate"): name is "evaluate"
      INFO evaluate{expression="-(2 ^ -1) + 3!" result=5.5}
        ✗ one of:
          ✗ all of:
            ✓ name(var == "evaluate"): name is "evaluate"
            ✗ event message(var == "no result"): nearest is INFO evaluated whole=false
              ✗ message(var == "no result"): message is "evaluated"
          ✗ !name(var == "evaluate"): name is "evaluate"
      INFO evaluate{expression="10 ^ 400" result=inf}
        ✗ one of:
          ✗ all of:
            ✓ name(var == "evaluate"): name is "evaluate"
            ✗ event message(var == "no result"): nearest is INFO evaluated whole=false
              ✗ message(var == "no result"): message is "evaluated"
          ✗ !name(var == "evaluate"): name is "evaluate"

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
      INFO evaluate{expression="8 / (3 - 3)"} ⋮ 3 inside
      INFO evaluate{expression="1 + 2.3.4"} ⋮ 2 inside
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
}
