//! A log of JSON objects, by `tracing_subscriber::fmt::json`.

use serde_json::{Value, json};
use tracing::{info, info_span};
use tracing_subscriber::fmt::{fmt, format::FmtSpan};

use crate::{
    guest::load_plugin,
    support::{Output, check_guest, check_programs, frames_of, relay},
};

fn nested(f: &dyn Fn()) -> String {
    let output = Output::default();
    let writer = output.clone();
    let subscriber = fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_file(true)
        .with_line_number(true)
        .without_time()
        .with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.finish(), f);
    output.take()
}

fn flattened(f: &dyn Fn()) -> String {
    let output = Output::default();
    let writer = output.clone();
    let subscriber = fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::TRACE)
        .without_time()
        .with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.finish(), f);
    output.take()
}

fn records(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

#[test]
fn programs_are_logged_as_natively() {
    check_programs(nested);
    check_programs(flattened);
}

#[test]
fn guest_is_logged_as_natively() {
    check_guest(nested);
    check_guest(flattened);
}

#[test]
fn record_of_the_guest_lists_the_spans_around_it() {
    let plugin = load_plugin();
    let log = flattened(&|| {
        info_span!("request", id = 7).in_scope(|| plugin.evaluate("8 / (3 - 3)").unwrap_err());
    });
    let records = records(&log);
    let error = records.iter().find(|record| record["level"] == "ERROR").unwrap();
    assert_eq!(
        *error,
        json!({
            "level": "ERROR",
            "message": "division by zero",
            "target": "spanshot_guest::evaluator::arithmetic",
            "span": { "name": "divide", "lhs": 8.0, "rhs": 0.0 },
            "spans": [
                { "name": "request", "id": 7 },
                { "name": "evaluate", "expression": "8 / (3 - 3)" },
                { "name": "compute", "operations": 2 },
                { "name": "divide", "lhs": 8.0, "rhs": 0.0 },
            ],
        })
    );
    let warning = records.iter().find(|record| record["level"] == "WARN").unwrap();
    assert_eq!(warning["error"], "cannot compute the expression");
}

/// What is different: see `main`.
#[test]
fn small_integer_of_128_bits_arrives_as_one_of_64() {
    let program = || info!(small = 1_i128, large = i128::MAX);
    let natively = &records(&flattened(&program))[0];
    assert_eq!([&natively["small"], &natively["large"]], ["1", &*i128::MAX.to_string()]);
    let frames = frames_of(&program);
    let relayed = &records(&flattened(&|| relay(&frames)))[0];
    assert_eq!(relayed["small"], 1);
    assert_eq!(relayed["large"], natively["large"]);
}
