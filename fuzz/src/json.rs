use spanshot::TracingEvent;

use super::support::{Received, assert_goes_on, contains};

/// Takes the bytes for lines of JSON, each an event for a receiver.
pub fn json(data: &[u8]) {
    let [mut all, mut accepted] = [(); 2].map(|()| Received::direct());
    for line in data.split(|byte| *byte == b'\n') {
        let Ok(event) = serde_json::from_slice::<TracingEvent>(line) else { continue };
        let written = serde_json::to_string(&event).expect("all of it has a place in JSON");
        let read: TracingEvent = serde_json::from_str(&written).expect("it is what was written");
        assert_eq!(serde_json::to_string(&read).expect("as before"), written);
        match all.receiver().try_receive(event) {
            Ok(()) => accepted.receiver().try_receive(read).expect("it was taken before"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    // Bytes of call sites may take the probe's place.
    if !contains(data, b"11169597") {
        assert_goes_on(all.receiver());
        assert_goes_on(accepted.receiver());
    }
    assert_eq!(all.finish(), accepted.finish(), "what is refused changes nothing");
}
