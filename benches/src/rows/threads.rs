//! Capturing on two threads at once.
//!
//! Each thread traces as many units as the one does which they are compared to, and the figures are for
//! a record of one of them: as much as for one thread, if neither is in the way of the other.
//!
//! Where a machine's two cores are two halves of one, or others use them as well, a thread is slowed down
//! by whatever the other one does. So the check compares with a thread beside which another one computes
//! something that it shares nothing with.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use spanshot::{Capture, CaptureLayer, SharedStorage};
use tracing::subscriber;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::{
    row::{JudgedBy, Prepare, Row, Side, UNITS, Work},
    table::Table,
    workload,
};

pub(crate) const ROWS: &[Row] = &[
    row(
        "each with a capture, against one alone",
        both_capture,
        one_captures,
        Some(JudgedBy::Nothing),
    ),
    row(
        "each with a capture, against one beside a busy one",
        both_capture,
        one_captures_beside_a_busy_one,
        Some(JudgedBy::Time),
    )
    .held_to(1.8), // how busy the machine is cannot be told from here
    row("one capture, carried to the other", both_into_one, one_captures, None),
    row("one storage, filled by two layers", both_layers, one_layer, None),
];

const fn row(name: &'static str, two: Prepare, one: Prepare, judged_by: Option<JudgedBy>) -> Row {
    let side = Side { prepare: two, units: UNITS, parts: workload::RECORDS };
    let (reach, judged_by) = match judged_by {
        Some(judged_by) => (Some(1.3), judged_by),
        None => (None, JudgedBy::Nothing),
    };
    Row {
        table: Table::Threads,
        name,
        per: "a record",
        first: side,
        second: Some(Side { prepare: one, ..side }),
        reach,
        held: None,
        held_count: None,
        judged_by,
    }
}

fn both_capture(units: u64) -> Work {
    let mut stored = vec![];
    Box::new(move || {
        stored.extend(thread::scope(|scope| {
            let threads = [(); 2].map(|()| scope.spawn(|| capture(units)));
            threads.map(|thread| thread.join().expect("it only traces"))
        }));
    })
}

fn one_captures(units: u64) -> Work {
    let mut stored = vec![];
    Box::new(move || {
        let thread = thread::spawn(move || capture(units));
        stored.push(thread.join().expect("it only traces"));
    })
}

fn one_captures_beside_a_busy_one(units: u64) -> Work {
    let mut stored = vec![];
    Box::new(move || {
        let is_done = AtomicBool::new(false);
        stored.push(thread::scope(|scope| {
            scope.spawn(|| compute_until(&is_done));
            let thread = scope.spawn(|| capture(units));
            let stored = thread.join().expect("it only traces");
            is_done.store(true, Ordering::Relaxed);
            stored
        }));
    })
}

fn both_into_one(units: u64) -> Work {
    let mut captures = vec![];
    Box::new(move || {
        let capture = Capture::start();
        let other = capture.carry(|| workload::trace(units));
        thread::scope(|scope| {
            scope.spawn(other);
            workload::trace(units);
        });
        captures.push(capture);
    })
}

fn both_layers(units: u64) -> Work {
    let storage = SharedStorage::default();
    Box::new(move || {
        thread::scope(|scope| {
            scope.spawn(|| trace_into(&storage, units));
            trace_into(&storage, units);
        });
    })
}

fn one_layer(units: u64) -> Work {
    let storage = SharedStorage::default();
    Box::new(move || trace_into(&storage, units))
}

fn trace_into(storage: &SharedStorage, units: u64) {
    let subscriber = Registry::default().with(CaptureLayer::new(storage));
    subscriber::with_default(subscriber, || workload::trace(units));
}

/// Returns the storage, which is not to be dropped before the time is taken.
fn capture(units: u64) -> SharedStorage {
    let capture = Capture::start();
    workload::trace(units);
    capture.storage().clone()
}

/// Allocates, fills and frees, as capturing does.
fn compute_until(is_done: &AtomicBool) {
    while !is_done.load(Ordering::Relaxed) {
        let parts: Vec<Vec<u64>> =
            (0..1_000).map(|part| (0..20).map(|i| i ^ part).collect()).collect();
        black_box(parts);
    }
}
