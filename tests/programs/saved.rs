//! Traces that are saved to a file, and replayed from it.

use std::{fs, path::Path};

use proptest::prelude::*;
use spanshot::{
    Capture, SharedStorage, Trace, TracingEventReceiver, transport::recorded::RecordedTrace,
};

use super::{
    check_all,
    program::{program, run},
    support::detailed,
};

/// Returns a trace as it is when it was saved and replayed, directly and through a subscriber.
fn replayed(trace: &Trace, file: &str) -> [String; 2] {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    trace.save(&path).unwrap();
    let mut recorded = RecordedTrace::open(&path).unwrap();

    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    recorded.replay(&mut receiver).into_result().unwrap();
    let directly = detailed(&storage.lock());

    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    recorded.replay(&mut receiver).into_result().unwrap();
    let relayed = detailed(&capture.trace());
    fs::remove_file(path).unwrap();
    [directly, relayed]
}

#[test]
fn saved_trace_is_replayed_as_an_equal_one() {
    check_all(&program(3), |program| {
        let capture = Capture::start();
        run(&program, capture.dispatch());
        let trace = capture.trace();
        let expected = detailed(&trace);
        for replayed in replayed(&trace, "saved.spanshot") {
            assert_eq!(replayed, expected);
        }
    });
}

#[test]
fn saved_parts_of_a_trace_are_replayed_as_equal_ones() {
    let strategy = (program(2), any::<prop::sample::Index>());
    check_all(&strategy, |(program, cut)| {
        let capture = Capture::start();
        let (first, second) = program.split_at(cut.index(program.len()));
        // Handles are dropped in between, but what is entered elsewhere stays.
        let open = tracing::info_span!("open", part = 1).entered();
        run(&first.to_vec(), capture.dispatch());
        capture.take();
        open.record("part", 2);
        run(&second.to_vec(), capture.dispatch());
        drop(open);
        let part = capture.take();
        let expected = detailed(&part);
        for replayed in replayed(&part, "saved-parts.spanshot") {
            assert_eq!(replayed, expected);
        }
    });
}
