//! Records that are refused, each by an error that names the IDs and limits: the receiver is as it
//! was before, and goes on.
//!
//! Frames that are cut short or of another version, at every byte and in every version, are in
//! `frames`.

use spanshot::{
    CallSiteKind, ReceiveError as E, TracedValues, TracingEvent, TracingEventReceiver,
    transport::frame::FrameError,
};
use tracing::{field::Empty, info, info_span};

use crate::support::{detailed, direct, events_of, feed_events, frames_of, relayed};

/// Its span 1 is of call site 0, and its first event of call site 1.
fn program() {
    let outer = info_span!("outer", a = 1, b = Empty).entered();
    info!(number = 1, "in outer");
    drop(info_span!("closed"));
    let open = info_span!("open");
    outer.record("b", 2);
    open.in_scope(|| info_span!("inner").in_scope(|| info!("in inner")));
}

/// ID of a span that is closed where records are refused.
const CLOSED: u64 = 2;

/// ID of a span that is open there, and not entered.
const OPEN: u64 = 3;

/// Checks that records are refused in the middle of the program, where it is in span 1, and that
/// the trace is that of the program without them.
#[track_caller]
fn check_with(
    refuse: impl Fn(&mut TracingEventReceiver) -> Result<(), E>,
    expected: &E,
    message: &str,
) {
    let events = events_of(program);
    let is_it = |event: &_| matches!(event, TracingEvent::ValuesRecorded { .. });
    let position = events.iter().position(is_it).unwrap();
    let feed = |receiver: &mut TracingEventReceiver| {
        for (i, event) in events.iter().enumerate() {
            if i == position {
                let before = format!("{receiver:?}");
                for _ in 0..2 {
                    let error = refuse(receiver).unwrap_err();
                    assert_eq!((&error, &*error.to_string()), (expected, message));
                    assert_eq!(format!("{receiver:?}"), before);
                }
            }
            receiver.receive(event.clone());
        }
    };
    let without = detailed(&direct(feed_events(events.clone())));
    assert_eq!(detailed(&relayed(feed)), without, "relayed");
    assert_eq!(detailed(&direct(feed)), without, "directly");
}

#[track_caller]
fn check(record: &TracingEvent, expected: &E, message: &str) {
    check_with(|receiver| receiver.try_receive(record.clone()), expected, message);
}

#[track_caller]
fn check_frame(frame: &[u8], expected: &E, message: &str) {
    check_with(|receiver| receiver.receive_encoded(frame), expected, message);
}

fn traced(names: &[&str]) -> TracedValues<String> {
    names.iter().map(|name| ((*name).to_owned(), 7.into())).collect()
}

fn new_span(id: u64, metadata_id: u64, parent_id: Option<u64>, names: &[&str]) -> TracingEvent {
    let values = traced(names);
    TracingEvent::NewSpan { id, parent_id, is_root: false, metadata_id, values, thread: 0 }
}

fn new_event(metadata_id: u64, parent: Option<u64>, names: &[&str]) -> TracingEvent {
    let values = traced(names);
    TracingEvent::NewEvent { metadata_id, parent, is_root: false, values, thread: 0 }
}

fn recorded(id: u64, names: &[&str]) -> TracingEvent {
    TracingEvent::ValuesRecorded { id, values: traced(names) }
}

#[test]
fn unknown_call_site_is_refused() {
    let message = "call site 9 was not announced in this stream";
    check(&new_span(9, 9, None, &[]), &E::UnknownMetadataId(9), message);
    check(&new_event(9, None, &[]), &E::UnknownMetadataId(9), message);
}

#[test]
fn unknown_span_is_refused() {
    for id in [0, 9, CLOSED, u64::MAX] {
        let message = format!("there is no span with ID {id}, or it is closed");
        for record in [
            TracingEvent::SpanEntered { id, thread: 0 },
            TracingEvent::SpanExited { id, thread: 0 },
            TracingEvent::SpanExited { id, thread: 9 },
            TracingEvent::SpanCloned { id },
            TracingEvent::SpanDropped { id },
            TracingEvent::FollowsFrom { id, follows_from: 1 },
            recorded(id, &[]),
        ] {
            check(&record, &E::UnknownSpanId(id), &message);
        }
    }
}

#[test]
fn unknown_parent_is_refused() {
    for id in [0, 9] {
        let message = format!("there is no span with ID {id}, or it is closed");
        check(&new_span(10, 0, Some(id), &[]), &E::UnknownSpanId(id), &message);
        check(&new_event(1, Some(id), &[]), &E::UnknownSpanId(id), &message);
    }
    let message = "there is no span with ID 2, or it is closed";
    check(&new_span(10, 0, Some(CLOSED), &[]), &E::UnknownSpanId(CLOSED), message);
}

/// One that was closed is not: see `span_that_follows_from_a_closed_one_follows_from_none`.
#[test]
fn span_that_follows_from_one_that_never_was_is_refused() {
    for id in [0, 9] {
        let message = format!("there is no span with ID {id}, or it is closed");
        let record = TracingEvent::FollowsFrom { id: 1, follows_from: id };
        check(&record, &E::UnknownSpanId(id), &message);
    }
}

#[test]
fn kind_that_does_not_fit_its_call_site_is_refused() {
    check(
        &new_span(9, 1, None, &[]),
        &E::WrongKind { metadata_id: 1, actual: CallSiteKind::Event },
        "span of call site 1, which emits events",
    );
    check(
        &new_event(0, None, &[]),
        &E::WrongKind { metadata_id: 0, actual: CallSiteKind::Span },
        "event of call site 0, which creates spans",
    );
}

#[test]
fn too_many_values_are_refused() {
    let (error, message) =
        (E::TooManyValues { max: 2, actual: 3 }, "3 values for a call site with 2 fields");
    let values = ["a", "b", "c"];
    check(&new_span(9, 0, None, &values), &error, message);
    check(&recorded(1, &values), &error, message);
    check(&new_event(1, None, &["number", "message", "other"]), &error, message);
}

#[test]
fn record_of_a_field_that_does_not_exist_is_refused() {
    let unknown = |metadata_id| E::UnknownField { metadata_id, name: "c".into() };
    check(&new_span(9, 0, None, &["c"]), &unknown(0), "call site 0 has no field \"c\"");
    check(&recorded(1, &["a", "c"]), &unknown(0), "call site 0 has no field \"c\"");
    check(&new_event(1, None, &["c"]), &unknown(1), "call site 1 has no field \"c\"");
}

#[test]
fn record_of_a_field_index_that_does_not_exist_is_refused() {
    // An event of call site 1, with `false` for field 5.
    check_frame(
        &[0x28, 1, 0, 0x50],
        &E::UnknownFieldIndex { metadata_id: 1, index: 5, len: 2 },
        "call site 1 has no field with index 5, only 2 fields",
    );
}

#[test]
fn span_id_used_twice_is_refused() {
    let message = "new span with ID 1, which is that of an open span";
    check(&new_span(1, 0, None, &[]), &E::SpanExists(1), message);
    check(&new_span(1, 0, Some(1), &["a"]), &E::SpanExists(1), message);
}

#[test]
fn exit_without_an_enter_is_refused() {
    check(
        &TracingEvent::SpanExited { id: OPEN, thread: 0 },
        &E::SpanNotEntered { id: OPEN, thread: 0 },
        "exit of span 3, which thread 0 has not entered",
    );
}

#[test]
fn exit_on_a_thread_that_has_not_entered_the_span_is_refused() {
    check(
        &TracingEvent::SpanExited { id: 1, thread: 9 },
        &E::SpanNotEntered { id: 1, thread: 9 },
        "exit of span 1, which thread 9 has not entered",
    );
}

#[test]
fn frame_cut_short_is_refused() {
    check_frame(&[], &E::Frame(FrameError::Empty), "invalid frame: it is empty");
    check_frame(
        &[0x23],
        &E::Frame(FrameError::Truncated { offset: 1, what: "span ID" }),
        "invalid frame: it ends at byte 1, in the middle of the span ID",
    );
}

#[test]
fn frame_of_another_version_is_refused() {
    let mut frame = frames_of(program).swap_remove(0);
    frame[0] = (frame[0] & 0b1_1111) | 2 << 5;
    check_frame(
        &frame,
        &E::Frame(FrameError::UnsupportedVersion { actual: 2, supported: 1 }),
        "invalid frame: it is of version 2, and only 1 can be read",
    );
}
