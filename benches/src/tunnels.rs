//! The two tunnels, from the program's subscriber to the host's storage.

use tracing::{Dispatch, dispatcher, subscriber};
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
    /// Says of each span and event what it is and where, to see that everything has arrived.
    #[allow(dead_code, reason = "measuring looks at nothing")]
    fn nodes(&self) -> Vec<String>;
}

/// The two libraries' storages have the same methods.
macro_rules! nodes_of {
    ($storage:expr) => {{
        let storage = $storage;
        let spans = storage.all_spans().map(|span| {
            let index = span.value("index").and_then(|index| index.as_uint());
            let kind = span.value("kind").and_then(|kind| kind.as_str());
            format!("{} {index:?} {kind:?} {:?}", span.metadata().name(), span.stats().entered)
        });
        let events = storage.all_events().map(|event| {
            let number = |name| event.value(name).and_then(|value| value.as_uint());
            let parent = event.parent().and_then(|span| span.value("index")?.as_uint());
            let (step, total) = (number("step"), number("total"));
            format!("{parent:?} {:?} {step:?} {total:?}", event.message())
        });
        spans.chain(events).collect()
    }};
}

impl Stored for spanshot::SharedStorage {
    fn nodes(&self) -> Vec<String> {
        nodes_of!(self.lock())
    }
}

impl Stored for tracing_capture::SharedStorage {
    fn nodes(&self) -> Vec<String> {
        nodes_of!(self.lock())
    }
}

pub(crate) const RELAYED: Tunnel = Tunnel { send: send_frames, receive: relay_frames };
pub(crate) const DIRECT: Tunnel = Tunnel { send: send_frames, receive: capture_frames };
pub(crate) const PEERS: Tunnel = Tunnel { send: send_json, receive: relay_json };

fn send_frames(units: u64, buffer: &Buffer) {
    dispatcher::with_default(&encoded_to(buffer), || workload::trace(units));
}

/// A sender of ours whose frames are put into a buffer.
pub(crate) fn encoded_to(buffer: &Buffer) -> Dispatch {
    let buffer = buffer.clone();
    Dispatch::new(spanshot::TracingEventSender::encoded(move |frame: &[u8]| {
        let mut records = buffer.records();
        records.bytes.extend_from_slice(frame);
        records.end();
    }))
}

fn send_json(units: u64, buffer: &Buffer) {
    let buffer = buffer.clone();
    let sender = tracing_tunnel::TracingEventSender::new(move |event| {
        let mut records = buffer.records();
        serde_json::to_writer(&mut records.bytes, &event).expect("it goes into memory");
        records.end();
    });
    subscriber::with_default(sender, || workload::trace(units));
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
