//! Attempts that are rolled back. `tests/programs` has a property over random streams.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;
use spanshot::{
    Capture, LocalSpans, ReceiveError, ReceiverLimits, TracingEvent, TracingEventReceiver,
    predicates::*,
    transport::wasm_host::{GuestTrace, PersistedGuest},
};
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
    let mut receiver = restored();
    let capture = Capture::start();
    feed(&mut receiver, &after[..1]);
    let _local_spans = receiver.roll_back();
    let trace = capture.trace();
    assert!(!trace.scan_spans().single(&name(eq("job"))).stats().is_closed);
    assert!(trace.all_spans().all(|span| span.stats().entered == span.stats().exited));
}

/// A refused frame is no record, and a question is none either.
#[test]
fn spans_wait_for_a_subscriber_whatever_is_refused_before() {
    let (before, after) = frames();
    let suspended = {
        let _capture = Capture::start();
        Suspended::after(&before)
    };
    let mut receiver =
        tracing::subscriber::with_default(NoSubscriber::new(), || suspended.go_on_anew());
    receiver.receive_encoded(b"no frame").unwrap_err();
    receiver.answer(b"no question").unwrap_err();
    let capture = Capture::start();
    feed(&mut receiver, &after[..1]);
    capture.trace().scan_spans().single(&name(eq("job")));
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

fn record(json: serde_json::Value) -> TracingEvent {
    serde_json::from_value(json).unwrap()
}

fn announces(id: u64, name: &str) -> TracingEvent {
    record(json!({ "new_call_site": {
        "id": id, "kind": "span", "name": name, "target": "app", "level": "info", "fields": [],
    }}))
}

fn opens(id: u64, metadata_id: u64) -> TracingEvent {
    record(json!({ "new_span": { "id": id, "metadata_id": metadata_id, "values": {} } }))
}

/// The call site of an open span has no ID any more, and the attempt announces an equal one.
#[test]
fn roll_back_can_be_retried_whatever_call_sites_the_attempt_has_announced() {
    let capture = Capture::builder().ignore_lost_records().start();
    let mut receiver = TracingEventReceiver::default();
    for record in [announces(0, "first"), opens(1, 0), announces(0, "second")] {
        receiver.receive(record);
    }
    let metadata = receiver.persist_metadata();
    let (spans, mut local_spans) = receiver.persist();
    let limits = ReceiverLimits::default().max_call_sites(4);
    for _ in 0..5 {
        let (metadata, spans) = (metadata.clone(), spans.clone());
        let mut receiver =
            TracingEventReceiver::try_new_with_limits(metadata, spans, local_spans, limits)
                .unwrap();
        // Announcements of an earlier attempt are not known any more.
        let unknown = receiver.try_receive(opens(2, 7)).unwrap_err();
        assert_eq!(unknown, ReceiveError::UnknownMetadataId(7));
        receiver.begin_attempt();
        // They are the third and the fourth call site, each time.
        for record in [announces(7, "first"), opens(2, 7), announces(0, "third"), opens(3, 0)] {
            receiver.receive(record);
        }
        local_spans = receiver.roll_back();
    }
    drop(local_spans);
    let trace = capture.trace();
    trace.scan_spans().count(6, &name(eq("first")));
    trace.scan_spans().count(5, &name(eq("third")));
    let open = trace.scan_spans().single(&!closed());
    assert_eq!(Some(open), trace.all_spans().next());
}

#[test]
fn attempt_goes_on_where_a_guest_relays_from_then_on() {
    let (before, after) = frames();
    let mut trace = GuestTrace::default();
    let send = |trace: &mut GuestTrace, frames: &[Vec<u8>]| {
        trace.scope().in_scope(|| {
            for frame in frames {
                trace.send(frame, 0, u32::try_from(frame.len()).unwrap()).unwrap();
            }
        });
    };
    {
        let _capture = Capture::start();
        trace.relay_here().unwrap();
        send(&mut trace, &before);
    }
    let (saved, _) = trace.persist();

    let elsewhere = Capture::start();
    let mut trace = GuestTrace::restore(saved.clone(), LocalSpans::default()).unwrap();
    trace.begin_attempt();
    let capture = Capture::start();
    trace.relay_here().unwrap();
    send(&mut trace, &after[..3]);
    let mut local_spans = trace.roll_back();
    for _ in 0..2 {
        let mut trace = GuestTrace::restore(saved.clone(), local_spans).unwrap();
        trace.begin_attempt();
        send(&mut trace, &after);
        local_spans = trace.roll_back();
    }
    let trace = capture.trace();
    let job = trace.scan_spans().single(&name(eq("job")));
    assert!(!job.stats().is_closed);
    assert_eq!(job.stats().entered, job.stats().exited);
    trace.scan_spans().count(3, &name(eq("step")));
    assert_eq!(elsewhere.trace().to_string(), "INFO job{}");
}

#[test]
fn guest_goes_on_from_any_number_of_frames() {
    let json = format!(r#"{{"metadata":{{}},"spans":{{}},"frames":{},"control":8}}"#, u64::MAX);
    let restored = || {
        let guest: PersistedGuest = serde_json::from_str(&json).unwrap();
        GuestTrace::restore(guest, LocalSpans::default()).unwrap()
    };
    let site = b"\x20\0\0\x02\0\0\0\0\0\0";
    let mut trace = restored();
    trace.send(site, 0, 10).unwrap();
    assert_eq!(trace.frames(), u64::MAX);

    let mut trace = restored();
    let mut memory = [0; 64];
    memory[12] = 32; // address of the buffer
    memory[16] = 14; // its length
    memory[32] = 10; // of the frame
    memory[36..46].copy_from_slice(site);
    trace.read_buffer(&mut memory).unwrap();
    assert_eq!((trace.frames(), trace.receiver().persist_metadata().len()), (u64::MAX, 1));
}
