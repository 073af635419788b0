use serde::Deserialize;
use spanshot::{
    LocalSpans, PersistedMetadata, PersistedSpans, ReceiverLimits, TracingEventReceiver,
    receiver::FrameDecoder,
};
use tracing_subscriber::filter::LevelFilter;

use super::support::{Received, assert_goes_on, contains};

/// What is persisted, in one piece.
#[derive(Deserialize)]
struct Persisted {
    metadata: PersistedMetadata,
    spans: PersistedSpans,
}

/// Records that may or may not fit what was restored.
const AFTER: [&[u8]; 22] = [
    b"\x25\x01",
    b"\x26\x01",
    b"\x23\x02",
    b"\x24\x02",
    b"\x22\x02\x01",
    b"\x27\x01\x07\x01x",
    b"\x21\x09\0\0",
    b"\x21\x0a\0\x02",
    b"\x23\x0a",
    b"\x26\x0a",
    b"\x28\x01\0",
    b"\x28\x01\x03",
    b"\x24\x01",
    b"\x24\x03",
    b"\x34\x01\x01",
    b"\x34\x02\x02",
    b"\x26\x02",
    b"\x26\x01",
    b"\x26\x03",
    b"\x26\x04",
    b"\x26\x01",
    b"\x26\x09",
];

/// Takes the bytes for JSON of what a receiver has persisted, and goes on from there.
pub fn restore(data: &[u8]) {
    let Ok(Persisted { metadata, spans }) = serde_json::from_slice(data) else { return };
    let limits = ReceiverLimits::default();
    let decoder = FrameDecoder::try_new(metadata.clone(), spans.clone(), limits);
    let direct = Received::restored(metadata.clone(), spans.clone());
    let (mut decoder, mut direct) = match (decoder, direct) {
        (Ok(decoder), Ok(direct)) => (decoder, direct),
        (decoder, direct) => return assert_eq!(decoder.err(), direct.err()),
    };
    // Whoever relays keeps call sites for ever, and too many of them would look like what is to be found here.
    let mut relayed = (!cfg!(fuzzing)).then(|| {
        let make = || TracingEventReceiver::new(metadata, spans, LocalSpans::default());
        Received::relaying(LevelFilter::TRACE, make)
    });
    for frame in AFTER {
        let result = direct.receiver().receive_encoded(frame);
        assert_eq!(decoder.decode(frame).map(|_| ()), result);
        if let Some(relayed) = &mut relayed {
            assert_eq!(relayed.receiver().receive_encoded(frame), result);
            assert_eq!(relayed.storage.lock().to_string(), direct.storage.lock().to_string());
        }
    }
    // Spans may have the probe's ID.
    if !contains(data, b"11169597") {
        assert_goes_on(direct.receiver());
    }
    // What it persists is consistent: when that is restored, it stays what it is.
    let first = direct.finish().0;
    assert_eq!(again(&first), first);
}

/// Restores what was persisted, and persists it.
fn again(persisted: &str) -> String {
    let (metadata, spans) = persisted.split_once('\n').expect("it has two lines");
    let metadata = serde_json::from_str(metadata).expect("it was persisted");
    let spans = serde_json::from_str(spans).expect("it was persisted");
    Received::restored(metadata, spans).expect("it was persisted").finish().0
}
