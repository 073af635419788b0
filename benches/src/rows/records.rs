//! One record, however much there is of what it refers to.
//!
//! These streams are made by hand, as only a hostile program makes them: a receiver takes time by the
//! number of records, whatever is in them.

use spanshot::{
    ReceiverLimits, SharedStorage, TracingEvent, TracingEventReceiver, receiver::FrameDecoder,
};
use tracing::{level_filters::LevelFilter, subscriber};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::row::{Row, Work};

const EVENT: (&str, u64) = ("an event", 1);
const RECORD: (&str, u64) = ("a record", 1);

const MANY: [u64; 2] = [1_000, 20_000];

pub(crate) const ROWS: &[Row] = &[
    Row::growth(
        "relay, events of new threads while 1,000 → 20,000 threads are in spans",
        RECORD,
        |n| relay(threads_in_spans(n)),
        MANY,
    ),
    Row::growth(
        "relay, records into a span of 1,000 → 20,000 values",
        RECORD,
        |n| relay(values_recorded(n)),
        MANY,
    ),
    Row::growth(
        "direct capture, records into a span of 1,000 → 20,000 values",
        RECORD,
        |n| receive(values_recorded(n)),
        MANY,
    ),
    Row::growth(
        "relay, events of one value, of 1,000 → 20,000 fields",
        EVENT,
        |n| relay(one_value(n)),
        MANY,
    ),
    Row::growth(
        "direct capture, events of one value, of 1,000 → 20,000 fields",
        EVENT,
        |n| receive(one_value(n)),
        MANY,
    ),
    Row::growth(
        "direct capture of JSON, events of one value, of 1,000 → 20,000 fields",
        EVENT,
        |n| receive_events(&one_value(n)),
        MANY,
    ),
    Row::growth(
        "frames decoded, events of one value, of 1,000 → 20,000 fields",
        EVENT,
        |n| decode(one_value(n)),
        MANY,
    ),
    Row::growth(
        "direct capture, events in a span that is entered 1,000 → 20,000 times",
        RECORD,
        |n| receive(entered_again(n)),
        MANY,
    ),
    Row::growth(
        "relay, events in 1,000 → 20,000 spans that are not wanted",
        RECORD,
        |n| relay(unwanted(n)),
        MANY,
    )
    .held_to(2.0), // most of a record's time goes to spans that are opened
];

/// Call site 0 creates spans, 1 emits events, and 2 creates spans of the level `TRACE`.
const SITES: [&[u8]; 3] =
    [b"\x20\0\0\x02\0\0\0\0\0\0", b"\x20\x01\x01\x02\0\0\0\0\0\0", b"\x20\x02\0\x04\0\0\0\0\0\0"];

#[allow(clippy::cast_possible_truncation)] // the low bits
pub(super) fn uint(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

pub(super) fn frame(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn frames(more: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    SITES.iter().map(|site| site.to_vec()).chain(more).collect()
}

fn threads_in_spans(n: u64) -> Vec<Vec<u8>> {
    let in_spans = (1..=n).map(|thread| frame(&[b"\x33", &uint(thread), b"\x01"]));
    let new = (n + 1..=2 * n).map(|thread| frame(&[b"\x38", &uint(thread), b"\x01\0"]));
    frames([b"\x21\x01\0\x01".to_vec()].into_iter().chain(in_spans).chain(new))
}

/// Call site 7, of so many fields.
fn fields(n: u64, kind: u8) -> Vec<u8> {
    let names = (0..n).flat_map(|field| {
        let name = field.to_string();
        [&uint(name.len() as u64)[..], name.as_bytes()].concat()
    });
    frame(&[b"\x20\x07", &[kind], b"\x02\0\0\0\0\0", &uint(n), &names.collect::<Vec<_>>()])
}

fn values_recorded(n: u64) -> Vec<Vec<u8>> {
    // A field and a `true`; see the frame's specification.
    let value = |field: u64| uint(16 * field);
    let all: Vec<u8> = (0..n).flat_map(value).collect();
    let span = frame(&[b"\x21\x01\x07\x01", &all]);
    let records = (0..n).map(|field| frame(&[b"\x27\x01", &value(field)]));
    frames([fields(n, 0), span].into_iter().chain(records))
}

fn one_value(n: u64) -> Vec<Vec<u8>> {
    let events = (0..n).map(|field| frame(&[b"\x28\x07\0", &uint(16 * field)]));
    frames([fields(n, 1)].into_iter().chain(events))
}

fn entered_again(n: u64) -> Vec<Vec<u8>> {
    let span = [b"\x21\x01\0\x01".to_vec()];
    let entered = (0..n).map(|_| b"\x23\x01".to_vec());
    let events = (0..n).map(|_| b"\x28\x01\0".to_vec());
    frames(span.into_iter().chain(entered).chain(events))
}

fn unwanted(n: u64) -> Vec<Vec<u8>> {
    let entered = (1..=n)
        .flat_map(|id| [frame(&[b"\x21", &uint(id), b"\x02\0"]), frame(&[b"\x23", &uint(id)])]);
    // Some are closed by now.
    let closed = (1..=n / 2).map(|id| frame(&[b"\x26", &uint(2 * id)]));
    let events = (0..n).map(|_| b"\x28\x01\0".to_vec());
    frames(entered.chain(closed).chain(events))
}

/// Limits that do not keep these streams from anything.
pub(super) fn limits() -> ReceiverLimits {
    let max = usize::MAX;
    ReceiverLimits::default().max_values(max).max_depth(max).max_entered(max)
}

fn relay(frames: Vec<Vec<u8>>) -> Work {
    let subscriber = Registry::default().with(LevelFilter::INFO);
    subscriber::with_default(subscriber, || take(TracingEventReceiver::default(), frames))
}

fn receive(frames: Vec<Vec<u8>>) -> Work {
    take(TracingEventReceiver::capturing(&SharedStorage::default()), frames)
}

fn take(receiver: TracingEventReceiver, frames: Vec<Vec<u8>>) -> Work {
    let mut receiver = receiver.with_limits(limits());
    Box::new(move || {
        for frame in &frames {
            receiver.receive_encoded(frame).expect("it is in order");
        }
    })
}

fn decode(frames: Vec<Vec<u8>>) -> Work {
    let mut decoder = FrameDecoder::default().with_limits(limits());
    Box::new(move || {
        for frame in &frames {
            decoder.decode(frame).expect("it is in order");
        }
    })
}

fn receive_events(frames: &[Vec<u8>]) -> Work {
    let mut decoder = FrameDecoder::default().with_limits(limits());
    let mut events: Vec<TracingEvent> =
        frames.iter().map(|frame| decoder.decode(frame).expect("it is in order")).collect();
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits());
    Box::new(move || {
        for event in events.drain(..) {
            receiver.receive(event);
        }
    })
}
