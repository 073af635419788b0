//! Records that a receiver was sent, or should have been, and that are not in the trace: whoever asserts that
//! something is missing has to be told.

use std::{
    io::{self, Read},
    path::Path,
    thread,
};

use spanshot::{
    Capture, CaptureBuilder, CaptureLayer, Print, SharedStorage, Trace, TracingEvent,
    TracingEventReceiver, assert_trace_snapshot,
    predicates::*,
    transport::{
        recorded::RecordedTrace,
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
        check(&format!("ends at byte {at}"), &|receiver| {
            stream::receive(&whole[..at], receiver);
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

type Receive<'a> = &'a dyn Fn(&mut TracingEventReceiver);

/// A program that is killed, exits, or cannot write any more leaves a stream whose packets are all whole.
#[test]
fn stream_that_is_not_ended_makes_no_verdict_green() {
    let frames = frames_of(|| info!("captured"));
    let all = packets(&frames);
    let (_end, before_end) = all.split_last().unwrap();
    let before_end = before_end.concat();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("not-ended.spanshot");
    std::fs::write(&file, &before_end).unwrap();

    let not_ended = "a record of a receiver was lost: its stream was not ended, so that there may have been more: the \
                     program was killed, left by `process::exit()`, or could not write any more";
    let not_read = "a record of a receiver was lost: its stream was not read to the end";
    let ways: [(&str, Receive<'_>); 4] = [
        (not_ended, &|receiver| drop(stream::receive(&before_end[..], receiver))),
        (not_ended, &|receiver| {
            drop(RecordedTrace::open(&file).unwrap().replay(receiver));
        }),
        (not_ended, &|receiver| {
            let mut stream = StreamReceiver::new(receiver);
            stream.push(&before_end, |_| ());
            stream.finish();
        }),
        (not_read, &|receiver| StreamReceiver::new(receiver).push(&before_end, |_| ())),
    ];
    for (lost, receive) in ways {
        let capture = quiet().start();
        receive(&mut TracingEventReceiver::default());
        assert_refuses(&capture.trace(), lost);
        let storage = SharedStorage::default();
        receive(&mut TracingEventReceiver::capturing(&storage));
        assert_refuses(&storage.lock(), lost);
        // A test that has killed the program says so.
        let capture = quiet().ignore_lost_records().start();
        receive(&mut TracingEventReceiver::default());
        assert_complete(&capture.trace());
    }
    std::fs::remove_file(file).unwrap();

    let capture = quiet().start();
    info!("captured");
    stream::receive(&b"only text"[..], &mut TracingEventReceiver::default());
    let lost = "a record of a receiver was lost: there is no stream: the program installed no sender, or could not write";
    assert_refuses(&capture.trace(), lost);
    // Of an ended stream, nothing is missing, whether or not anybody asks for the receipt.
    let capture = quiet().start();
    let mut receiver = TracingEventReceiver::default();
    StreamReceiver::new(&mut receiver).push(&all.concat(), |_| ());
    assert_complete(&capture.trace());
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn stream_that_is_given_up_makes_no_verdict_green() {
    use core::time::Duration;

    use tokio::{io::AsyncWriteExt, time::timeout};

    let all = packets(&frames_of(|| info!("captured")));
    let (mut writer, reader) = tokio::io::duplex(1_000);
    writer.write_all(&all[..all.len() - 1].concat()).await.unwrap();
    let capture = quiet().start();
    let mut receiver = TracingEventReceiver::default();
    timeout(Duration::from_millis(20), stream::receive_async(reader, &mut receiver))
        .await
        .unwrap_err();
    assert_refuses(
        &capture.trace(),
        "a record of a receiver was lost: its stream was not read to the end",
    );
}
