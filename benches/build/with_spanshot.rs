//! The test with spanshot.

use shop::pay;
use spanshot::{Capture, predicates::*};
use tracing::Level;

#[spanshot::test]
fn payment_is_traced(capture: Capture) {
    pay(3);
    let trace = capture.trace();
    let span = trace.scan_spans().single(&(name("pay") & field("order", 3_u64)));
    span.scan_events().single(&(level(Level::INFO) & message("paid") & field("cents", 6_u64)));
}
