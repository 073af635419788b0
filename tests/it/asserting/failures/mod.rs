//! What failed assertions say: every message as a whole, over the trace of the guest.
//!
//! Each was read as by whoever has to mend the code that was tested, and sees nothing else of it.
#![allow(clippy::too_many_lines)] // they are tables

use std::sync::OnceLock;

use spanshot::{Capture, CapturedSpan, Trace, predicates::*};

use crate::support::load_plugin;

/// Asserts that a method of a scanner panics, and that the one which returns a `Result` says the same;
/// returns what they say.
macro_rules! failure {
    ($scanner:ident.single($($arg:expr),+)) => { failure!(@ $scanner, single, try_single, $($arg),+) };
    ($scanner:ident.first($($arg:expr),+)) => { failure!(@ $scanner, first, try_first, $($arg),+) };
    ($scanner:ident.last($($arg:expr),+)) => { failure!(@ $scanner, last, try_last, $($arg),+) };
    ($scanner:ident.any($($arg:expr),+)) => { failure!(@ $scanner, any, try_any, $($arg),+) };
    ($scanner:ident.all($($arg:expr),+)) => { failure!(@ $scanner, all, try_all, $($arg),+) };
    ($scanner:ident.none($($arg:expr),+)) => { failure!(@ $scanner, none, try_none, $($arg),+) };
    ($scanner:ident.count($($arg:expr),+)) => { failure!(@ $scanner, count, try_count, $($arg),+) };
    ($scanner:ident.in_order($($arg:expr),+)) => {
        failure!(@ $scanner, in_order, try_in_order, $($arg),+)
    };
    ($scanner:ident.in_a_row($($arg:expr),+)) => {
        failure!(@ $scanner, in_a_row, try_in_a_row, $($arg),+)
    };
    ($scanner:ident.exactly($($arg:expr),+)) => {
        failure!(@ $scanner, exactly, try_exactly, $($arg),+)
    };
    (@ $scanner:ident, $method:ident, $try_method:ident, $($arg:expr),+) => {{
        let message = $crate::support::panic_message(|| $scanner.$method($($arg),+));
        let error = $scanner.$try_method($($arg),+).map(drop).expect_err("it does not hold");
        assert_eq!(error.to_string(), message);
        assert_eq!(format!("{error:?}"), message);
        message
    }};
}

mod combined;
mod large;
mod negatives;
mod order;
mod scanners;
mod scopes;
mod trees;

/// What the guest traces when it evaluates some expressions, good and bad.
fn trace() -> &'static Trace {
    static TRACE: OnceLock<Trace> = OnceLock::new();
    TRACE.get_or_init(|| {
        let capture = Capture::start();
        let plugin = load_plugin();
        plugin.evaluate("(1 + 2) * 3").unwrap();
        plugin.evaluate("8 / (3 - 3)").unwrap_err();
        plugin.evaluate("1 + 2.3.4").unwrap_err();
        plugin.evaluate("-(2 ^ -1) + 3!").unwrap();
        plugin.evaluate("10 ^ 400").unwrap();
        plugin.evaluate("\u{1f980} + \"\u{1b}[31m\"").unwrap_err();
        capture.trace()
    })
}

/// The span of the evaluation of an expression.
fn evaluation(expression: &'static str) -> CapturedSpan<'static> {
    trace().scan_spans().single(&field("expression", expression))
}
