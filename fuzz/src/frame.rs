use serde_json::Value;
use spanshot::{TracingEvent, receiver::FrameDecoder};

use super::support::{Received, assert_goes_on};

/// What came before the frame: call sites of a span and of an event, and two spans, of which one is entered.
const BEFORE: [&[u8]; 6] = [
    b"\x20\0\0\x02\x04span\x06target\0\0\0\x03\x01a\x01b\x01a",
    b"\x20\x01\x01\x02\x05event\x06target\0\0\0\x02\x07message\x01b",
    b"\x21\x01\0\0\x07\x01x",
    b"\x21\x02\0\x02",
    b"\x23\x01",
    b"\x33\x01\x02",
];

/// Takes the bytes for one frame: of a stream, of a program that asks its host, and of a packet.
pub fn frame(data: &[u8]) {
    let mut decoder = FrameDecoder::default();
    let [mut direct, mut by_event, mut untouched] = [(); 3].map(|()| Received::direct());
    let mut relayed = Received::relayed();
    for before in BEFORE {
        decoder.decode(before).expect("it is valid");
        for receiver in [&mut direct, &mut by_event, &mut relayed, &mut untouched] {
            receiver.receiver().receive_encoded(before).expect("it is valid");
        }
    }

    let event = decoder.decode(data);
    let result = direct.receiver().receive_encoded(data);
    assert_eq!(event.as_ref().err(), result.as_ref().err());
    // Whoever relays keeps call sites for ever. That is known, and is nothing to be found here.
    if !matches!(event, Ok(TracingEvent::NewCallSite { .. })) {
        assert_eq!(relayed.receiver().receive_encoded(data), result);
        assert_eq!(relayed.storage.lock().to_string(), direct.storage.lock().to_string());
    }
    match event {
        Ok(event) => {
            // It is the same record as an event, and as JSON.
            let json = serde_json::to_string(&event).expect("all of it has a place in JSON");
            let read: TracingEvent = serde_json::from_str(&json).expect("it is what was written");
            assert_eq!(serde_json::to_string(&read).expect("as before"), json);
            by_event.receiver().try_receive(read).expect("its frame was taken");
            let (by_event, direct) = (by_event.finish(), direct.finish());
            assert_eq!(by_event.1, direct.1);
            // Floats keep their value, not the bits of a NaN; what is persisted is JSON in any case.
            let [by_event, direct] =
                [by_event.0, direct.0].map(|json| json.lines().map(parsed).collect::<Vec<_>>());
            assert_eq!(by_event, direct);
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_goes_on(direct.receiver());
            assert_goes_on(untouched.receiver());
            assert_eq!(direct.finish(), untouched.finish(), "what is refused changes nothing");
        }
    }
    drop(relayed.receiver().answer(data));
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("it was written as JSON")
}
