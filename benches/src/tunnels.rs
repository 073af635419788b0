//! The two tunnels, from the program's subscriber to the host's storage.

use tracing::{Subscriber, subscriber};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::{buffer::Buffer, workload};

/// A way for records from a program to a storage.
pub(crate) struct Tunnel {
    /// Traces units into encoded records.
    pub(crate) send: fn(u64, &Buffer),
    /// Replays them, and returns the storage.
    pub(crate) receive: fn(&Buffer) -> Box<dyn Stored>,
}

/// A storage, whichever library it is of.
pub(crate) trait Stored {
    /// Number of spans and events, to see that everything has arrived.
    fn nodes(&self) -> usize;
}

impl Stored for spanshot::SharedStorage {
    fn nodes(&self) -> usize {
        let storage = self.lock();
        storage.all_spans().len() + storage.all_events().len()
    }
}

impl Stored for tracing_capture::SharedStorage {
    fn nodes(&self) -> usize {
        let storage = self.lock();
        storage.all_spans().len() + storage.all_events().len()
    }
}

pub(crate) const RELAYED: Tunnel = Tunnel { send: send_frames, receive: relay_frames };
pub(crate) const DIRECT: Tunnel = Tunnel { send: send_frames, receive: capture_frames };
pub(crate) const PEERS: Tunnel = Tunnel { send: send_json, receive: relay_json };

fn sending(subscriber: impl Subscriber + Send + Sync, units: u64) {
    subscriber::with_default(subscriber, || workload::trace(units));
}

fn send_frames(units: u64, buffer: &Buffer) {
    let buffer = buffer.clone();
    let sender = spanshot::TracingEventSender::encoded(move |frame: &[u8]| {
        let mut records = buffer.records();
        records.bytes.extend_from_slice(frame);
        records.end();
    });
    sending(sender, units);
}

fn send_json(units: u64, buffer: &Buffer) {
    let buffer = buffer.clone();
    let sender = tracing_tunnel::TracingEventSender::new(move |event| {
        let mut records = buffer.records();
        serde_json::to_writer(&mut records.bytes, &event).expect("it goes into memory");
        records.end();
    });
    sending(sender, units);
}

fn relay_frames(buffer: &Buffer) -> Box<dyn Stored> {
    let storage = spanshot::SharedStorage::default();
    let subscriber = Registry::default().with(spanshot::CaptureLayer::new(&storage));
    subscriber::with_default(subscriber, || {
        receive_frames(spanshot::TracingEventReceiver::default(), buffer);
    });
    Box::new(storage)
}

fn capture_frames(buffer: &Buffer) -> Box<dyn Stored> {
    let storage = spanshot::SharedStorage::default();
    receive_frames(spanshot::TracingEventReceiver::capturing(&storage), buffer);
    Box::new(storage)
}

fn receive_frames(mut receiver: spanshot::TracingEventReceiver, buffer: &Buffer) {
    for frame in buffer.records().iter() {
        receiver.receive_encoded(frame).expect("it is in order");
    }
}

fn relay_json(buffer: &Buffer) -> Box<dyn Stored> {
    let storage = tracing_capture::SharedStorage::default();
    let subscriber = Registry::default().with(tracing_capture::CaptureLayer::new(&storage));
    subscriber::with_default(subscriber, || {
        let mut receiver = tracing_tunnel::TracingEventReceiver::default();
        for json in buffer.records().iter() {
            let event = serde_json::from_slice(json).expect("it was written a moment ago");
            receiver.try_receive(event).expect("it is in order");
        }
    });
    Box::new(storage)
}
