//! The rows of the table that take time.

use std::hint::black_box;

use spanshot::predicates::ScanExt as _;
use tracing::Subscriber;
use tracing_capture::predicates::ScanExt as _;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::{
    buffer::Buffer,
    row::{Row, Work},
    tunnels::{DIRECT, PEERS, RELAYED, Stored, Tunnel},
    workload,
};

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "tracing with a bare `Registry`",
        per: ("record", workload::RECORDS),
        ours: |units| native(units, Registry::default()),
        peers: None,
    },
    Row {
        name: "sender → encoded bytes",
        per: ("record", workload::RECORDS),
        ours: |units| send(units, &DIRECT),
        peers: Some((|units| send(units, &PEERS), 1.0 / 5.0)),
    },
    Row {
        name: "decode + relay → `Registry` + capture",
        per: ("record", workload::RECORDS),
        ours: |units| receive(units, &RELAYED),
        peers: Some((|units| receive(units, &PEERS), 1.0 / 4.0)),
    },
    Row {
        name: "decode + direct capture",
        per: ("record", workload::RECORDS),
        ours: |units| receive(units, &DIRECT),
        peers: Some((|units| receive(units, &PEERS), 1.0 / 8.0)),
    },
    Row {
        name: "end to end: sender, bytes, capture",
        per: ("record", workload::RECORDS),
        ours: |units| send_and_receive(units, &DIRECT),
        peers: Some((|units| send_and_receive(units, &PEERS), 1.0 / 7.0)),
    },
    Row {
        name: "capture of native code: `Capture`",
        per: ("record", workload::RECORDS),
        ours: capture,
        peers: Some((capture_layer_of_peers, 1.0 / 3.0)),
    },
    Row {
        name: "capture of native code: `CaptureLayer`",
        per: ("record", workload::RECORDS),
        ours: capture_layer,
        peers: Some((capture_layer_of_peers, 1.0 / 3.0)),
    },
    Row {
        name: "a scan of a field over all events: predicate",
        per: ("event", 4),
        ours: scan,
        peers: Some((scan_of_peers, 1.0 / 2.0)),
    },
    Row {
        name: "a scan of a field over all events: value",
        per: ("event", 4),
        ours: look_up,
        peers: Some((look_up_of_peers, 1.0 / 2.0)),
    },
];

fn native(units: u64, subscriber: impl Subscriber + Send + Sync) -> Work {
    let dispatch = tracing::Dispatch::new(subscriber);
    Box::new(move || {
        tracing::dispatcher::with_default(&dispatch, || workload::trace(units));
    })
}

fn send(units: u64, tunnel: &'static Tunnel) -> Work {
    let buffer = Buffer::default();
    Box::new(move || (tunnel.send)(units, &buffer))
}

fn receive(units: u64, tunnel: &'static Tunnel) -> Work {
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

fn capture(units: u64) -> Work {
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

fn scan(units: u64) -> Work {
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

fn look_up(units: u64) -> Work {
    let storage = ours(units);
    Box::new(move || {
        let storage = storage.lock();
        let is_it = |event: &spanshot::CapturedEvent<'_>| {
            event.value("step").is_some_and(|step| *step == black_box(NO_STEP))
        };
        assert_eq!(storage.all_events().filter(is_it).count(), 0);
    })
}

fn look_up_of_peers(units: u64) -> Work {
    let storage = peers(units);
    Box::new(move || {
        let storage = storage.lock();
        let is_it = |event: &tracing_capture::CapturedEvent<'_>| {
            event.value("step").is_some_and(|step| *step == black_box(NO_STEP))
        };
        assert_eq!(storage.all_events().filter(is_it).count(), 0);
    })
}

/// Sees to it that each way captures all there is, and no two of them different things.
pub(crate) fn check() {
    const UNITS: u64 = 100;
    let expected = usize::try_from(UNITS * 5).unwrap_or(usize::MAX); // a span and four events
    for tunnel in [&RELAYED, &DIRECT, &PEERS] {
        let buffer = Buffer::default();
        (tunnel.send)(UNITS, &buffer);
        assert_eq!((tunnel.receive)(&buffer).nodes(), expected);
    }
    assert_eq!(ours(UNITS).nodes(), expected);
    assert_eq!(peers(UNITS).nodes(), expected);
}
