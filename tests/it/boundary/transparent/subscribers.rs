//! Which subscriber learns of what.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use spanshot::{CaptureLayer, SharedStorage, TracingEventReceiver};
use tracing::{
    Dispatch, Metadata, Subscriber, debug, dispatcher, info, info_span, subscriber::Interest, warn,
};
use tracing_subscriber::{
    Layer,
    filter::LevelFilter,
    layer::{Context, SubscriberExt},
    registry,
};

use super::Calls;
use crate::support::{feed_frames, frames_of};

/// Notes the names of the call sites that it is told of, and wants none.
#[derive(Clone, Default)]
struct Registered(Arc<Mutex<BTreeSet<String>>>);

impl Registered {
    fn subscriber() -> (Self, Dispatch) {
        let registered = Self::default();
        (registered.clone(), Dispatch::new(registry().with(registered)))
    }

    fn contains(&self, name: &str) -> bool {
        self.0.lock().unwrap().contains(name)
    }
}

impl<S: Subscriber> Layer<S> for Registered {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.lock().unwrap().insert(metadata.name().to_owned());
        Interest::never()
    }

    fn enabled(&self, _: &Metadata<'_>, _: Context<'_, S>) -> bool {
        false
    }
}

/// Announces a call site of this name, which is nowhere else in the process.
fn announce(name: &str) {
    let event = serde_json::json!({
        "new_call_site": {"id": 0, "kind": "span", "name": name, "target": "", "level": "info", "fields": []}
    });
    TracingEventReceiver::default().receive(serde_json::from_value(event).unwrap());
}

#[test]
fn call_site_is_registered_with_each_subscriber_that_exists() {
    let (own, dispatch) = Registered::subscriber();
    let (other, _other_dispatch) = Registered::subscriber();
    dispatcher::with_default(&dispatch, || announce("registered with all"));
    assert!(own.contains("registered with all"));
    assert!(other.contains("registered with all"));
}

#[test]
fn call_site_is_registered_with_a_subscriber_that_comes_later() {
    let (_, dispatch) = Registered::subscriber();
    dispatcher::with_default(&dispatch, || announce("registered later"));
    let (later, _later_dispatch) = Registered::subscriber();
    assert!(later.contains("registered later"));
}

fn capturing(max_level: LevelFilter) -> (SharedStorage, Dispatch) {
    let storage = SharedStorage::default();
    let subscriber = registry().with(max_level).with(CaptureLayer::new(&storage));
    (storage, Dispatch::new(subscriber))
}

fn three_levels() {
    warn!("warning");
    info!("information");
    debug!("detail");
}

#[test]
fn second_replay_under_another_subscriber_is_filtered_by_that_one() {
    let frames = frames_of(three_levels);
    for (max_level, tree) in [
        (LevelFilter::WARN, "WARN warning"),
        (LevelFilter::TRACE, "WARN warning\nINFO information\nDEBUG detail"),
        (LevelFilter::OFF, "(nothing was captured)"),
        (LevelFilter::INFO, "WARN warning\nINFO information"),
    ] {
        let (storage, dispatch) = capturing(max_level);
        dispatcher::with_default(&dispatch, || {
            feed_frames(&frames)(&mut TracingEventReceiver::default());
        });
        assert_eq!(storage.lock().to_string(), tree, "{max_level}");
    }
}

#[test]
fn replays_at_the_same_time_are_each_filtered_by_their_subscriber() {
    let frames = frames_of(three_levels);
    let mut replays = [LevelFilter::WARN, LevelFilter::TRACE, LevelFilter::INFO].map(|max_level| {
        let (storage, dispatch) = capturing(max_level);
        let receiver = dispatcher::with_default(&dispatch, TracingEventReceiver::default);
        (storage, receiver)
    });
    for frame in &frames {
        for (_, receiver) in &mut replays {
            receiver.receive_encoded(frame).unwrap();
        }
    }
    let trees = replays.map(|(storage, _)| storage.lock().to_string());
    let [warning, information] = ["WARN warning", "WARN warning\nINFO information"];
    let all = format!("{information}\nDEBUG detail");
    assert_eq!(trees, [warning, &all, information]);
}

/// Leaves a span open, and is in it.
fn open() {
    std::mem::forget(info_span!("span").entered());
    info!("event");
}

#[test]
fn receiver_is_pinned_to_the_subscriber_that_it_starts_under() {
    let frames = frames_of(open);
    let (first, dispatch) = capturing(LevelFilter::TRACE);
    let mut receiver = dispatcher::with_default(&dispatch, TracingEventReceiver::default);
    let (second, other_dispatch) = capturing(LevelFilter::TRACE);
    dispatcher::with_default(&other_dispatch, || feed_frames(&frames)(&mut receiver));
    assert_eq!(first.lock().to_string(), "INFO span{}\n└─ INFO event");
    assert_eq!(second.lock().to_string(), "(nothing was captured)");
}

#[test]
fn receiver_dropped_under_another_subscriber_closes_its_spans_where_they_live() {
    let frames = frames_of(open);
    let [own, other] = [Calls::default(), Calls::default()];
    let mut receiver = tracing::subscriber::with_default(
        registry().with(own.clone()),
        TracingEventReceiver::default,
    );
    feed_frames(&frames)(&mut receiver);
    own.take();
    tracing::subscriber::with_default(registry().with(other.clone()), || {
        // Its spans have the IDs that those of the receiver have in theirs.
        info_span!("other").in_scope(|| {
            other.take();
            drop(receiver);
            assert_eq!(other.take(), [""; 0]);
        });
    });
    assert_eq!(own.take(), ["exit span", "close span"]);
}

#[test]
fn receiver_dropped_without_a_subscriber_closes_its_spans_where_they_live() {
    let frames = frames_of(open);
    let own = Calls::default();
    let receiver = tracing::subscriber::with_default(registry().with(own.clone()), || {
        let mut receiver = TracingEventReceiver::default();
        feed_frames(&frames)(&mut receiver);
        receiver
    });
    own.take();
    drop(receiver);
    assert_eq!(own.take(), ["exit span", "close span"]);
}
