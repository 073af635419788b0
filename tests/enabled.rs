//! `enabled!` under the sender. The published `tracing-tunnel`, which is in the other binary, panics at
//! such call sites, while `tracing-core` holds its locks.

use std::sync::mpsc;

use spanshot::TracingEventSender;
use tracing::{Level, enabled, level_filters::LevelFilter};

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
