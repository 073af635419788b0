//! Against the peers: what takes time.

use std::hint::black_box;

use spanshot::predicates::ScanExt as _;
use tracing::Subscriber;
use tracing_capture::predicates::ScanExt as _;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::{
    buffer::Buffer,
    row::{Row, Work},
    tunnels::{DIRECT, PEERS, RELAYED, Tunnel},
    workload,
};

/// What the figures of most rows are for.
const RECORD: (&str, u64) = ("a record", workload::RECORDS);

const EVENT: (&str, u64) = ("an event", workload::EVENTS);

pub(crate) const ROWS: &[Row] = &[
    Row::against_peers(
        "tracing with a bare `Registry`",
        RECORD,
        |units| native(units, Registry::default()),
        None,
    ),
    Row::against_peers("sender → encoded bytes", RECORD, encode, Some((encode_as_json, 1.0 / 5.0))),
    Row::against_peers(
        "decode + relay → `Registry` + capture",
        RECORD,
        |units| receive(units, &RELAYED),
        Some((|units| receive(units, &PEERS), 1.0 / 4.0)),
    )
    .held_to(0.32), // registration by level, counts of values and handles are as natively, and cost this
    Row::against_peers(
        "decode + direct capture",
        RECORD,
        |units| receive(units, &DIRECT),
        Some((|units| receive(units, &PEERS), 1.0 / 8.0)),
    )
    .held_to(0.17), // plain values take more memory, which is touched for the first time
    Row::against_peers(
        "end to end: sender, bytes, capture",
        RECORD,
        |units| send_and_receive(units, &DIRECT),
        Some((|units| send_and_receive(units, &PEERS), 1.0 / 7.0)),
    )
    .held_to(0.2),
    Row::against_peers(
        "capture of native code: `Capture`",
        RECORD,
        capture,
        Some((capture_layer_of_peers, 0.4)),
    )
    .or_count(0.63),
    Row::against_peers(
        "capture of native code: `CaptureLayer`",
        RECORD,
        capture_layer,
        Some((capture_layer_of_peers, 0.4)),
    )
    .held_to(0.46)
    .or_count(0.74),
    Row::against_peers(
        "a scan of a field over all events: predicate",
        EVENT,
        scan,
        Some((scan_of_peers, 1.0 / 2.0)),
    )
    .held_to(0.6)
    .or_count(2.5), // also regardless of types; a scan mostly waits for memory, which busy neighbours slow by half
    Row::against_peers(
        "a scan of a field over all events: value",
        EVENT,
        look_up,
        Some((look_up_of_peers, 1.0 / 2.0)),
    )
    .held_to(0.6)
    .or_count(1.55),
    Row::against_peers(
        "the first scan of a field over all events: value above 255",
        EVENT,
        first_look,
        Some((first_look_of_peers, 1.0 / 2.0)),
    )
    .held_to(0.6)
    .or_count(1.8),
];

fn native(units: u64, subscriber: impl Subscriber + Send + Sync) -> Work {
    let dispatch = tracing::Dispatch::new(subscriber);
    Box::new(move || {
        tracing::dispatcher::with_default(&dispatch, || workload::trace(units));
    })
}

/// Nothing but the sender: what comes of the bytes is measured end to end.
pub(crate) fn encode(units: u64) -> Work {
    native(
        units,
        spanshot::TracingEventSender::encoded(|frame: &[u8]| {
            black_box(frame);
        }),
    )
}

fn encode_as_json(units: u64) -> Work {
    native(
        units,
        tracing_tunnel::TracingEventSender::new(|event| {
            black_box(serde_json::to_vec(&event).expect("it goes into memory"));
        }),
    )
}

pub(crate) fn receive(units: u64, tunnel: &'static Tunnel) -> Work {
    let buffer = Buffer::default();
    (tunnel.send)(units, &buffer);
    let mut stored = vec![];
    Box::new(move || stored.push((tunnel.receive)(&buffer)))
}

fn send_and_receive(units: u64, tunnel: &'static Tunnel) -> Work {
    let mut stored = vec![];
    Box::new(move || {
        let buffer = Buffer::default();
        (tunnel.send)(units, &buffer);
        stored.push((tunnel.receive)(&buffer));
    })
}

pub(crate) fn capture(units: u64) -> Work {
    let mut captures = vec![];
    Box::new(move || {
        captures.push(spanshot::Capture::start());
        workload::trace(units);
    })
}

fn capture_layer(units: u64) -> Work {
    let storage = spanshot::SharedStorage::default();
    native(units, Registry::default().with(spanshot::CaptureLayer::new(&storage)))
}

fn capture_layer_of_peers(units: u64) -> Work {
    let storage = tracing_capture::SharedStorage::default();
    native(units, Registry::default().with(tracing_capture::CaptureLayer::new(&storage)))
}

/// Traces units into a storage of ours.
pub(crate) fn ours(units: u64) -> spanshot::SharedStorage {
    let storage = spanshot::SharedStorage::default();
    native(units, Registry::default().with(spanshot::CaptureLayer::new(&storage)))();
    storage
}

/// Traces units into a storage of the peers.
pub(crate) fn peers(units: u64) -> tracing_capture::SharedStorage {
    let storage = tracing_capture::SharedStorage::default();
    native(units, Registry::default().with(tracing_capture::CaptureLayer::new(&storage)))();
    storage
}

/// No event has this step.
const NO_STEP: u64 = 7;

pub(crate) fn scan(units: u64) -> Work {
    let storage = ours(units);
    Box::new(move || {
        let none = spanshot::predicates::field("step", black_box(NO_STEP));
        storage.lock().scan_events().none(&none);
    })
}

fn scan_of_peers(units: u64) -> Work {
    let storage = peers(units);
    Box::new(move || {
        let none = tracing_capture::predicates::field("step", black_box(NO_STEP));
        storage.lock().scan_events().none(&none);
    })
}

pub(crate) fn look_up(units: u64) -> Work {
    look_up_field(units, "step", NO_STEP)
}

fn look_up_of_peers(units: u64) -> Work {
    look_up_field_of_peers(units, "step", NO_STEP)
}

/// No event has this total.
const NO_TOTAL: u64 = u64::MAX;

/// Looks for what most events have a larger number for than any that is at hand.
fn first_look(units: u64) -> Work {
    look_up_field(units, "total", NO_TOTAL)
}

fn first_look_of_peers(units: u64) -> Work {
    look_up_field_of_peers(units, "total", NO_TOTAL)
}

fn look_up_field(units: u64, field: &'static str, none: u64) -> Work {
    let storage = ours(units);
    Box::new(move || {
        let storage = storage.lock();
        let is_it = |event: &spanshot::CapturedEvent<'_>| {
            event.value(field).is_some_and(|value| *value == black_box(none))
        };
        assert_eq!(storage.all_events().filter(is_it).count(), 0);
    })
}

fn look_up_field_of_peers(units: u64, field: &'static str, none: u64) -> Work {
    let storage = peers(units);
    Box::new(move || {
        let storage = storage.lock();
        let is_it = |event: &tracing_capture::CapturedEvent<'_>| {
            event.value(field).is_some_and(|value| *value == black_box(none))
        };
        assert_eq!(storage.all_events().filter(is_it).count(), 0);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tunnels::Stored;

    const UNITS: u64 = 100;

    /// A span and four events a unit.
    const NODES: usize = 500;

    #[test]
    fn each_way_captures_all_there_is() {
        for tunnel in [&RELAYED, &DIRECT, &PEERS] {
            let buffer = Buffer::default();
            (tunnel.send)(UNITS, &buffer);
            assert_eq!((tunnel.receive)(&buffer).nodes(), described(&ours(UNITS)));
        }
        assert_eq!(peers(UNITS).nodes(), described(&ours(UNITS)));
        assert_eq!(described(&ours(UNITS)).len(), NODES);
    }

    fn described(stored: &impl Stored) -> Vec<String> {
        stored.nodes()
    }
}
