use spanshot::{Capture, assert_trace_snapshot, predicates::*};
use tracing::{Level, error, instrument};

#[instrument]
fn divide(lhs: i32, rhs: i32) -> Option<i32> {
    let quotient = lhs.checked_div(rhs);
    quotient.is_none().then(|| error!("no quotient"));
    quotient
}

#[test]
fn division_by_zero_is_reported() {
    let capture = Capture::start();
    divide(8, 0);
    let trace = capture.trace();
    let division = trace.scan_spans().single(&(name(eq("divide")) & field("rhs", 0)));
    division.scan_events().single(&(level(Level::ERROR) & message(eq("no quotient"))));
    assert_trace_snapshot!(trace, @"INFO divide{lhs=8 rhs=0}\n└─ ERROR no quotient");
}
