//! What several bodies need.

use spanshot::{
    CaptureLayer, LocalSpans, PersistedMetadata, PersistedSpans, SharedStorage,
    TracingEventReceiver, receiver::RestoreError,
};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

/// A receiver, with the storage that its records come to.
pub(crate) struct Received {
    pub(crate) storage: SharedStorage,
    /// There is none only while another takes its place.
    receiver: Option<TracingEventReceiver>,
    is_direct: bool,
}

impl Received {
    /// One that goes the direct way.
    pub(crate) fn direct() -> Self {
        let storage = SharedStorage::default();
        let receiver = Some(TracingEventReceiver::capturing(&storage));
        Self { storage, receiver, is_direct: true }
    }

    /// One that goes on from what was persisted, if that fits together.
    pub(crate) fn restored(
        metadata: PersistedMetadata,
        spans: PersistedSpans,
    ) -> Result<Self, RestoreError> {
        let storage = SharedStorage::default();
        let local_spans = LocalSpans::capturing(&storage);
        let receiver = Some(TracingEventReceiver::try_new(metadata, spans, local_spans)?);
        Ok(Self { storage, receiver, is_direct: true })
    }

    /// One that relays to a capture through a registry, which panics where it is told of a span that it does not
    /// have.
    pub(crate) fn relayed() -> Self {
        Self::relaying(LevelFilter::TRACE, TracingEventReceiver::default)
    }

    /// One that does so under a filter.
    pub(crate) fn filtered() -> Self {
        Self::relaying(LevelFilter::INFO, TracingEventReceiver::default)
    }

    pub(crate) fn relaying(
        filter: LevelFilter,
        make: impl FnOnce() -> TracingEventReceiver,
    ) -> Self {
        let storage = SharedStorage::default();
        let registry = tracing_subscriber::registry().with(filter);
        let subscriber = registry.with(CaptureLayer::new(&storage));
        let receiver = tracing::subscriber::with_default(subscriber, make);
        Self { storage, receiver: Some(receiver), is_direct: false }
    }

    pub(crate) fn receiver(&mut self) -> &mut TracingEventReceiver {
        self.receiver.as_mut().expect("it is there between the calls of its functions")
    }

    /// Suspends it, and goes on where it was with what was persisted, through JSON.
    pub(crate) fn suspend(&mut self) {
        let (metadata, spans, local_spans) = self.persist();
        self.receiver = Some(TracingEventReceiver::new(metadata, spans, local_spans));
    }

    /// Suspends it, and goes on where nothing is known of it.
    pub(crate) fn restart(&mut self) {
        let (metadata, spans, _) = self.persist();
        *self = if self.is_direct {
            Self::restored(metadata, spans).expect("it was just persisted")
        } else {
            let make = || TracingEventReceiver::new(metadata, spans, LocalSpans::default());
            Self::relaying(LevelFilter::TRACE, make)
        };
    }

    fn persist(&mut self) -> (PersistedMetadata, PersistedSpans, LocalSpans) {
        let receiver =
            self.receiver.take().expect("it is there between the calls of its functions");
        let metadata = through_json(&receiver.persist_metadata());
        let (spans, local_spans) = receiver.persist();
        (metadata, through_json(&spans), local_spans)
    }

    /// What it persists, as JSON, and all that it has captured.
    pub(crate) fn finish(self) -> (String, String) {
        let tree = self.storage.lock().to_string();
        let receiver = self.receiver.expect("it is there between the calls of its functions");
        let metadata = serde_json::to_string(&receiver.persist_metadata()).expect("maps of data");
        let spans = serde_json::to_string(&receiver.persist().0).expect("maps of data");
        (format!("{metadata}\n{spans}"), tree)
    }
}

/// Frames of a call site that nobody else has, of a span of it, and of that span's end.
const PROBE: [&[u8]; 5] = [
    b"\x20\xbd\xde\xa9\x05\0\x02\x05probe\x05probe\0\0\0\0",
    b"\x21\xbd\xde\xa9\x05\xbd\xde\xa9\x05\x01",
    b"\x33\x7f\xbd\xde\xa9\x05",
    b"\x34\x7f\xbd\xde\xa9\x05",
    b"\x26\xbd\xde\xa9\x05",
];

/// Asserts that a receiver still takes what is valid.
pub(crate) fn assert_goes_on(receiver: &mut TracingEventReceiver) {
    for frame in PROBE {
        assert_eq!(receiver.receive_encoded(frame), Ok(()));
    }
}

pub(crate) fn through_json<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let json = serde_json::to_string(value).expect("maps of data");
    serde_json::from_str(&json).expect("what is persisted can be read")
}

pub(crate) fn contains(data: &[u8], part: &[u8]) -> bool {
    data.windows(part.len()).any(|window| window == part)
}
