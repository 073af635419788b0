//! A hundred times the work, at the same price for each part of it.

use std::{
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
};

use spanshot::{Capture, Keep, Trace, TracingEventSender, predicates::ScanExt as _};
use tracing::{Dispatch, debug, dispatcher, info, info_span};

use crate::{
    row::{Row, Work},
    rows::peers,
    tunnels::{DIRECT, RELAYED},
    workload,
};

const RECORD: (&str, u64) = ("a record", workload::RECORDS);
const EVENT: (&str, u64) = ("an event", workload::EVENTS);

const UNITS: [u64; 2] = [10_000, 1_000_000];

pub(crate) const ROWS: &[Row] = &[
    Row::growth("sender, 10,000 → 1,000,000 units", RECORD, send, UNITS),
    Row::growth(
        "relay → `Registry` + capture, 10,000 → 1,000,000 units",
        RECORD,
        |units| peers::receive(units, &RELAYED),
        UNITS,
    ),
    Row::growth(
        "direct capture, 10,000 → 1,000,000 units",
        RECORD,
        |units| peers::receive(units, &DIRECT),
        UNITS,
    ),
    Row::growth("`Capture`, 10,000 → 1,000,000 units", RECORD, peers::capture, UNITS),
    Row::growth("the newest 1,000 nodes, 10,000 → 1,000,000 units", RECORD, capture_newest, UNITS),
    Row::growth("a span with 10,000 → 1,000,000 events", ("an event", 1), capture_one_span, UNITS),
    Row::growth("a scan, 10,000 → 1,000,000 events", EVENT, peers::scan, [2_500, 250_000]),
    Row::growth(
        "a scan of each span's events, 1,000 → 100,000 spans",
        EVENT,
        scan_each_span,
        [1_000, 100_000],
    ),
    Row::growth("the tree as text, 1,000 → 100,000 units", RECORD, show, [1_000, 100_000]),
    Row::growth(
        "a trace held at each event, 1,000 → 10,000 events",
        ("an event", 1),
        hold_a_trace_at_each_event,
        [1_000, 10_000],
    ),
    Row::growth(
        "a trace looked at after each event, 1,000 → 100,000 events",
        ("an event", 1),
        look_after_each_event,
        [1_000, 100_000],
    ),
    Row::growth(
        "a trace taken after each event, 1,000 → 100,000 events",
        ("an event", 1),
        take_after_each_event,
        [1_000, 100_000],
    ),
];

/// A sender whose frames go nowhere, so that nothing but it grows.
pub(super) fn sender() -> Dispatch {
    let bytes = AtomicUsize::new(0);
    Dispatch::new(TracingEventSender::encoded(move |frame: &[u8]| {
        bytes.fetch_add(frame.len(), Ordering::Relaxed);
    }))
}

fn send(units: u64) -> Work {
    let sender = sender();
    Box::new(move || dispatcher::with_default(&sender, || workload::trace(units)))
}

fn capture_newest(units: u64) -> Work {
    let mut captures = vec![];
    Box::new(move || {
        captures.push(Capture::builder().max_nodes(1_000, Keep::Newest).start());
        workload::trace(units);
    })
}

fn capture_one_span(events: u64) -> Work {
    let mut captures = vec![];
    Box::new(move || {
        captures.push(Capture::start());
        info_span!("span").in_scope(|| (0..events).for_each(|number| debug!(number)));
    })
}

fn scan_each_span(units: u64) -> Work {
    let storage = peers::ours(units);
    Box::new(move || {
        let none = spanshot::predicates::field("step", black_box(7));
        for span in storage.lock().all_spans() {
            span.scan_events().none(&none);
        }
    })
}

fn show(units: u64) -> Work {
    let trace = peers::ours(units).lock();
    let mut texts = vec![];
    Box::new(move || texts.push(trace.to_string()))
}

fn hold_a_trace_at_each_event(events: u64) -> Work {
    after_each_event(events, |capture, held| *held = Some(capture.trace()))
}

fn look_after_each_event(events: u64) -> Work {
    after_each_event(events, |capture, _| {
        black_box(capture.trace().all_events().len());
    })
}

fn take_after_each_event(events: u64) -> Work {
    after_each_event(events, |capture, held| *held = Some(capture.take()))
}

fn after_each_event(events: u64, look: fn(&Capture, &mut Option<Trace>)) -> Work {
    let mut captures = vec![];
    let mut held = None;
    Box::new(move || {
        let capture = Capture::start();
        for number in 0..events {
            info!(number);
            look(&capture, &mut held);
        }
        captures.push(capture);
    })
}
