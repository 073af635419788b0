//! `enabled!` under the sender and under captures. The published `tracing-tunnel`, which is in the other binary, panics at
//! such call sites, while `tracing-core` holds its locks.

use std::sync::mpsc;

use spanshot::{Capture, TracingEventSender};
use tracing::{Level, enabled, event_enabled, level_filters::LevelFilter, span_enabled};

#[test]
fn enabled_answers_as_the_sender_filters() {
    let (sent, events) = mpsc::channel();
    let sender = TracingEventSender::new(move |event| sent.send(event).unwrap())
        .with_max_level(LevelFilter::DEBUG)
        .with_filter(|metadata| metadata.target() != "noisy");
    tracing::subscriber::with_default(sender, || {
        assert!(!enabled!(Level::TRACE));
        assert!(enabled!(Level::DEBUG));
        assert!(!enabled!(target: "noisy", Level::ERROR));
    });
    assert_eq!(events.iter().count(), 0, "asking sends nothing");
}

#[test]
fn whoever_asks_is_told_what_is_captured() {
    /// Asks at the same call sites, whichever capture is there.
    fn asked() -> [bool; 5] {
        [
            enabled!(Level::INFO),
            enabled!(Level::DEBUG),
            enabled!(target: "noisy", Level::INFO),
            event_enabled!(target: "noisy", Level::WARN),
            span_enabled!(target: "other", Level::TRACE),
        ]
    }

    let all = Capture::start();
    assert_eq!(asked(), [true; 5]);
    {
        let _some = Capture::builder().filter("info,noisy=warn").start();
        assert_eq!(asked(), [true, false, false, true, false]);
        let _one = Capture::builder().filter("other=trace").start();
        assert_eq!(asked(), [false, false, false, false, true]);
        let _none = Capture::builder().filter("off").start();
        assert_eq!(asked(), [false; 5]);
    }
    assert_eq!(asked(), [true; 5]);
    drop(all);
    assert_eq!(asked(), [false; 5]);
}
