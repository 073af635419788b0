use spanshot::{Capture, assert_trace_snapshot, predicates::*};
use tracing::{Level, instrument};

#[instrument(err)]
fn divide(lhs: i32, rhs: i32) -> Result<i32, &'static str> {
    lhs.checked_div(rhs).ok_or("no quotient")
}

#[spanshot::test]
fn division_by_zero_is_reported(capture: Capture) {
    divide(8, 0).unwrap_err();
    let trace = capture.trace();
    trace.scan_events().single(&(level(Level::ERROR) & parent(field("rhs", 0))));
    assert_trace_snapshot!(trace, @r"
    INFO divide{lhs=8 rhs=0}
    └─ ERROR error=no quotient
    ");
}
