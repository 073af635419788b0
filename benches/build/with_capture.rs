//! The same test with `tracing-capture`.

use predicates::ord::eq;
use shop::pay;
use tracing::{Level, subscriber::with_default};
use tracing_capture::{CaptureLayer, SharedStorage, predicates::*};
use tracing_subscriber::{layer::SubscriberExt as _, registry};

#[test]
fn payment_is_traced() {
    let storage = SharedStorage::default();
    with_default(registry().with(CaptureLayer::new(&storage)), || pay(3));
    let storage = storage.lock();
    let span = storage.scan_spans().single(&(name(eq("pay")) & field("order", 3_u64)));
    span.scan_events().single(&(level(Level::INFO) & message(eq("paid")) & field("cents", 6_u64)));
}
