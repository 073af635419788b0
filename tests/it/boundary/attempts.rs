//! Attempts that are rolled back. `tests/programs` has a property over random streams.

use std::panic::{AssertUnwindSafe, catch_unwind};

use spanshot::{Capture, LocalSpans, TracingEventReceiver, predicates::*};
use tracing::{info, info_span, subscriber::NoSubscriber};

use crate::{boundary::persistence::Suspended, support::frames_of};

/// A program that is suspended when it has begun a job, and does a step of it afterwards.
fn frames() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut frames = frames_of(|| {
        let job = info_span!("job");
        job.in_scope(|| info_span!("step").in_scope(|| info!("working")));
        std::mem::forget(job);
    });
    let after = frames.split_off(2); // after the call site, and the span
    (frames, after)
}

fn feed(receiver: &mut TracingEventReceiver, frames: &[Vec<u8>]) {
    for frame in frames {
        receiver.receive_encoded(frame).unwrap();
    }
}

#[test]
fn rolling_back_without_an_attempt_panics_and_says_what_to_do() {
    let receiver = TracingEventReceiver::default();
    let panic = catch_unwind(AssertUnwindSafe(|| receiver.roll_back())).unwrap_err();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("call `begin_attempt()`"));
}

#[test]
fn attempt_may_begin_before_there_is_a_subscriber() {
    let (before, after) = frames();
    let suspended = {
        let _capture = Capture::start();
        Suspended::after(&before)
    };
    let restored = || {
        let mut receiver =
            tracing::subscriber::with_default(NoSubscriber::new(), || suspended.go_on_anew());
        receiver.begin_attempt();
        receiver
    };
    // There is still none when it is rolled back, and so nothing that a retry could need.
    let _: LocalSpans = restored().roll_back();

    // It is there with the first record.
    let capture = Capture::start();
    let mut receiver = restored();
    feed(&mut receiver, &after[..1]);
    let _local_spans = receiver.roll_back();
    let trace = capture.trace();
    assert!(!trace.scan_spans().single(&name(eq("job"))).stats().is_closed);
    assert!(trace.all_spans().all(|span| span.stats().entered == span.stats().exited));
}

#[test]
fn attempt_that_begins_again_is_rolled_back_to_where_it_did() {
    let (before, after) = frames();
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    receiver.begin_attempt();
    feed(&mut receiver, &before);
    receiver.begin_attempt();
    feed(&mut receiver, &after[..3]);
    let _local_spans = receiver.roll_back();
    let trace = capture.trace();
    assert!(!trace.scan_spans().single(&name(eq("job"))).stats().is_closed);
    for span in trace.all_spans() {
        assert_eq!(span.stats().entered, span.stats().exited, "{span}");
    }
}
