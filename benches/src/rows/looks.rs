//! A look at a trace, however much there is of what it looks at.
//!
//! These traces are made by hand, as only a hostile program makes them. Instructions are counted: what grows
//! with the square of something does so in them, too, on any machine.

use std::hint::black_box;

use spanshot::{
    Capture, SharedStorage, SnapshotSettings, StreamSnapshot, Trace, TracingEventReceiver,
    predicates,
    predicates::{ScanExt as _, ancestor, deep_event, descendant, ever, field},
    receiver::FrameDecoder,
};
use tracing::{info, info_span};

use crate::{
    row::{Row, Work},
    rows::records::{frame, limits, uint},
};

const FIELD: (&str, u64) = ("a field", 1);
const SPAN: (&str, u64) = ("a span", 1);

const FIELDS: [u64; 2] = [1_000, 20_000];
const SPANS: [u64; 2] = [1_000, 16_000];

pub(crate) const ROWS: &[Row] = &[
    Row::growth(
        "an event as data, of 1,000 → 20,000 fields of one name",
        FIELD,
        |n| look(event(n, |_| "a".into()), to_data),
        FIELDS,
    )
    .counted(),
    Row::growth(
        "an event as data, of 1,000 → 20,000 fields",
        FIELD,
        |n| look(event(n, own_name), to_data),
        FIELDS,
    )
    .counted(),
    Row::growth(
        "an event as data, of 1,000 → 20,000 fields that are replaced",
        FIELD,
        |n| look(event(n, own_name), to_replaced),
        FIELDS,
    )
    .counted(),
    Row::growth(
        "an event as text, of 1,000 → 20,000 fields",
        FIELD,
        |n| look(event(n, own_name), ToString::to_string),
        FIELDS,
    )
    .counted(),
    Row::growth(
        "a scan for earlier values, of 1,000 → 20,000 fields of one name",
        FIELD,
        |n| look(recorded(n), |trace| trace.scan_spans().try_any(&ever(field("a", 1))).is_ok()),
        FIELDS,
    )
    .counted(),
    Row::growth("events compared, of 1,000 → 20,000 fields", FIELD, compare, FIELDS).counted(),
    Row::growth("a stream as data, of 1,000 → 20,000 fields", FIELD, stream_to_data, FIELDS)
        .counted(),
    Row::growth(
        "a scan for what is in spans, in a chain of 1,000 → 16,000",
        SPAN,
        |n| look(chain(n), scan_inside),
        SPANS,
    )
    .counted(),
    Row::growth(
        "a scan for what is around spans, in a chain of 1,000 → 16,000",
        SPAN,
        |n| look(chain(n), scan_around),
        SPANS,
    )
    .counted(),
    Row::growth(
        "the nearest to what is in spans, in a chain of 1,000 → 16,000",
        SPAN,
        |n| look(chain(n), nearest),
        SPANS,
    )
    .counted(),
    Row::growth(
        "a search for a secret, in a chain of 1,000 → 16,000",
        SPAN,
        |n| look(chain(n), |trace| trace.try_never_contains("hunter2").is_ok()),
        SPANS,
    )
    .counted(),
];

fn own_name(field: u64) -> String {
    field.to_string()
}

/// A call site and an event with a value for each of its fields.
fn event(n: u64, name: fn(u64) -> String) -> [Vec<u8>; 2] {
    [call_site(n, 1, name), frame(&[b"\x28\x07\0", &values(n)])]
}

/// A span with a value for each of its fields, which have one name, and another one recorded later.
fn recorded(n: u64) -> [Vec<u8>; 3] {
    let values = values(n);
    let new_span = frame(&[b"\x21\x01\x07\0", &values]);
    [call_site(n, 0, |_| "a".into()), new_span, frame(&[b"\x27\x01", &values])]
}

fn call_site(n: u64, kind: u8, name: fn(u64) -> String) -> Vec<u8> {
    let names =
        (0..n).map(name).flat_map(|name| [&uint(name.len() as u64)[..], name.as_bytes()].concat());
    let names: Vec<u8> = names.collect();
    frame(&[b"\x20\x07", &[kind], b"\x02\0\0\0\0\0", &uint(n), &names])
}

fn values(n: u64) -> Vec<u8> {
    (0..n).flat_map(|field| uint(16 * field)).collect()
}

/// What a look takes a trace from.
trait IntoTrace {
    fn into_trace(self) -> Trace;
}

impl<const N: usize> IntoTrace for [Vec<u8>; N] {
    fn into_trace(self) -> Trace {
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits());
        for frame in self {
            receiver.receive_encoded(&frame).expect("it is in order");
        }
        storage.lock()
    }
}

impl IntoTrace for Trace {
    fn into_trace(self) -> Trace {
        self
    }
}

/// Spans, each in the one before, with an event in each.
fn chain(n: u64) -> Trace {
    let capture = Capture::start();
    let mut spans = vec![];
    for depth in 0..n {
        spans.push(info_span!("span", depth).entered());
        info!(depth, "entered");
    }
    while spans.pop().is_some() {}
    capture.finish()
}

fn look<T: 'static>(trace: impl IntoTrace, look: fn(&Trace) -> T) -> Work {
    let trace = trace.into_trace();
    Box::new(move || {
        black_box(look(&trace));
    })
}

fn to_data(trace: &Trace) -> String {
    serde_json::to_string(trace).expect("it can be written")
}

fn to_replaced(trace: &Trace) -> String {
    let settings = SnapshotSettings::new().redact_with(|_, _, _| Some("replaced".to_owned()));
    serde_json::to_string(&settings.view(trace)).expect("it can be written")
}

fn compare(n: u64) -> Work {
    let [old, new] = [event(n, own_name), event(n, |field| (field + 1).to_string())];
    let [old, new] = [old.into_trace(), new.into_trace()];
    Box::new(move || {
        black_box(SnapshotSettings::new().compare(&old, &new).differences().len());
    })
}

fn stream_to_data(n: u64) -> Work {
    let mut decoder = FrameDecoder::default().with_limits(limits());
    let events = event(n, own_name).map(|frame| decoder.decode(&frame).expect("it is in order"));
    Box::new(move || {
        black_box(serde_json::to_string(&StreamSnapshot::new(&events)).expect("it can be written"));
    })
}

fn scan_inside(trace: &Trace) -> usize {
    let last = field("depth", trace.all_spans().len() - 1);
    trace.scan_spans().matches(&(descendant(last) & deep_event(last))).len()
}

fn scan_around(trace: &Trace) -> usize {
    let first = ancestor(predicates::event(field("depth", 0)));
    trace.scan_spans().matches(&first).len() + trace.scan_events().matches(&first).len()
}

fn nearest(trace: &Trace) -> bool {
    trace
        .scan_spans()
        .try_single(&(!descendant(field("depth", -1)) & ancestor(field("depth", -1))))
        .is_ok()
}
