//! The code under test.

use tracing::{info, instrument};

/// Charges for an order, and returns how much.
#[instrument]
pub fn pay(order: u64) -> u64 {
    let cents = order * 2;
    info!(cents, "paid");
    cents
}
