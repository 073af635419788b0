//! Records that a receiver was sent, or should have been, and that are not in the trace: whoever asserts that
//! something is missing has to be told.

use std::{
    io::{self, Read},
    thread,
};

use spanshot::{
    Capture, CaptureBuilder, CaptureLayer, Print, SharedStorage, Trace, TracingEvent,
    TracingEventReceiver, assert_trace_snapshot,
    predicates::*,
    transport::{
        stream::{self, StreamReceiver},
        wasm_host::GuestTrace,
    },
};
use tracing::{Level, error, info, subscriber::with_default};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::{
    boundary::byte_streams::packets,
    support::{assert_negatives_refuse, frames_of, panic_message},
};

const REMEDY: &str = "if that is meant, call `ignore_lost_records()` on the builder or the storage";

fn quiet() -> CaptureBuilder {
    Capture::builder().print(Print::Never)
}

fn refuse(receiver: &mut TracingEventReceiver) {
    receiver.try_receive(TracingEvent::SpanDropped { id: 7 }).unwrap_err();
}

/// Checks that nobody takes what is missing from this trace of one event, `captured`, for something that never was.
#[track_caller]
fn assert_refuses(trace: &Trace, lost: &str) {
    let events = trace.scan_events();
    assert_negatives_refuse(trace, &format!("{lost} ({REMEDY})"));
    events.any(&message("captured"));
    events.or_empty().none(&level(Level::ERROR));
    assert!(trace.try_never_contains("hunter2").is_err());
    // A value may have been lost that these rule out.
    events.any(&field("message", "captured"));
    assert!(events.try_any(&field("message", None::<&str>).or(only_fields(["message"]))).is_err());
    assert!(events.try_any(&only_fields(["message"])).is_err());

    let missing = events.try_any(&level(Level::ERROR)).unwrap_err().to_string();
    let expected = format!("(it could not be captured, since {lost} ({REMEDY}))");
    assert!(missing.contains(&expected), "{missing}");
    let refused = panic_message(|| {
        insta::allow_duplicates! { assert_trace_snapshot!(trace, @"INFO captured") }
    });
    let expected = format!("this trace is not all that was traced: {lost} ({REMEDY})");
    assert!(refused.contains(&expected), "{refused}");
}

#[track_caller]
fn assert_complete(trace: &Trace) {
    trace.scan_events().none(&level(Level::ERROR));
    trace.scan_events().single(&message("captured"));
    insta::allow_duplicates! { assert_trace_snapshot!(trace, @"INFO captured") }
}

const UNKNOWN: &str =
    "a record of a receiver was lost: there is no span with ID 7, or it is closed";

#[test]
fn negatives_refuse_after_a_refused_record_whichever_way_it_would_have_come() {
    let capture = quiet().start();
    info!("captured");
    let mut receiver = TracingEventReceiver::default();
    assert_complete(&capture.trace());
    refuse(&mut receiver);
    assert_refuses(&capture.trace(), UNKNOWN);

    let storage = SharedStorage::default();
    with_default(Registry::default().with(CaptureLayer::new(&storage)), || {
        info!("captured");
        refuse(&mut TracingEventReceiver::default());
    });
    assert_refuses(&storage.lock(), UNKNOWN);

    let capture = quiet().with_layer(tracing_subscriber::layer::Identity::new()).start();
    info!("captured");
    refuse(&mut TracingEventReceiver::default());
    assert_refuses(&capture.trace(), UNKNOWN);

    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    for frame in frames_of(|| info!("captured")) {
        receiver.receive_encoded(&frame).unwrap();
    }
    assert_complete(&storage.lock());
    refuse(&mut receiver);
    assert_refuses(&storage.lock(), UNKNOWN);
}

#[test]
fn receiver_tells_its_capture_on_whichever_thread_it_is_called() {
    let capture = quiet().start();
    info!("captured");
    let mut receiver = TracingEventReceiver::default().relaying_elsewhere();
    thread::spawn(move || refuse(&mut receiver)).join().unwrap();
    assert_refuses(&capture.trace(), UNKNOWN);
}

#[test]
fn lost_records_are_counted_and_the_first_is_explained() {
    let capture = quiet().start();
    info!("captured");
    let mut receiver = TracingEventReceiver::default();
    refuse(&mut receiver);
    receiver.receive_encoded(b"no frame").unwrap_err();
    receiver.answer(b"no question").unwrap_err();
    let lost = "3 records of receivers were lost, the first one: there is no span with ID 7, or it is closed";
    assert_refuses(&capture.trace(), lost);
}

#[test]
fn other_captures_are_not_concerned() {
    let outer = quiet().start();
    info!("captured");
    {
        let inner = quiet().start();
        info!("captured");
        refuse(&mut TracingEventReceiver::default());
        assert_refuses(&inner.trace(), UNKNOWN);
    }
    assert_complete(&outer.trace());
}

#[test]
fn trace_that_begins_anew_has_lost_nothing_and_the_end_of_the_test_knows_of_all() {
    let capture = quiet().fail_on_events(Level::ERROR).start();
    info!("captured");
    let mut receiver = TracingEventReceiver::default();
    refuse(&mut receiver);
    assert_refuses(&capture.take(), UNKNOWN);
    info!("captured");
    assert_complete(&capture.trace());
    let failed = panic_message(|| capture.finish());
    let expected =
        format!("{UNKNOWN}:\n  (it may be of what the capture was to watch over; {REMEDY})\n");
    assert!(failed.contains(&expected), "{failed}");
}

#[test]
fn test_may_say_that_they_do_not_matter() {
    let capture = Capture::builder().fail_on_events(Level::ERROR).ignore_lost_records().start();
    info!("captured");
    refuse(&mut TracingEventReceiver::default());
    assert_complete(&capture.trace());
    assert_complete(&capture.finish());

    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    refuse(&mut receiver);
    storage.ignore_lost_records();
    refuse(&mut receiver);
    for frame in frames_of(|| info!("captured")) {
        receiver.receive_encoded(&frame).unwrap();
    }
    assert_complete(&storage.lock());
}

#[test]
fn guest_may_hand_over_what_is_no_record() {
    let capture = quiet().start();
    info!("captured");
    let mut trace = GuestTrace::default().going_on();
    trace.send(&[0; 64], 60, 8).unwrap();
    let lost = "a record of a receiver was lost: the guest hands over 8 bytes at address 60, which are not in its \
                memory of 64 bytes";
    assert_refuses(&capture.trace(), lost);
    // The receiver tells of these itself, once each.
    capture.take();
    info!("captured");
    trace.send(b"no frame", 0, 8).unwrap();
    trace.ask(b"no question", 0, 11).unwrap();
    let trace = capture.trace();
    let refused = trace.scan_events().try_none(&level(Level::ERROR)).unwrap_err().to_string();
    assert!(refused.contains("2 records of receivers were lost"), "{refused}");
}

/// A stream with two events.
fn written() -> Vec<u8> {
    let frames = frames_of(|| {
        info!("captured");
        error!("lost");
    });
    packets(&frames).concat()
}

/// Reads some bytes, and then fails.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.0.read(bytes)? {
            0 => Err(io::Error::other("unplugged")),
            len => Ok(len),
        }
    }
}

/// Wherever a stream is cut, damaged or fails, the error event is there or negatives refuse.
#[test]
fn stream_that_is_damaged_anywhere_makes_no_verdict_green() {
    let whole = written();
    let check = |what: &str, receive: &dyn Fn(&mut TracingEventReceiver)| {
        let storage = SharedStorage::default();
        receive(&mut TracingEventReceiver::capturing(&storage));
        let trace = storage.lock();
        let verdict = trace.scan_events().try_none(&message("lost"));
        assert!(verdict.is_err(), "{what}: {trace}");
    };
    for at in 1..whole.len() {
        check(&format!("fails at byte {at}"), &|receiver| {
            stream::receive(Failing(&whole[..at]), receiver);
        });
        let mut damaged = whole.clone();
        damaged[at] ^= 0x11;
        check(&format!("byte {at} is damaged"), &|receiver| {
            let mut pushed = StreamReceiver::new(receiver);
            pushed.push(&damaged, |_| ());
            pushed.finish();
        });
    }
}
