//! Valid streams that programs seldom send, suspended record by record: they go on as if they had not been.

use serde_json::json;
use spanshot::{SharedStorage, TracingEvent, TracingEventReceiver};
use tracing_subscriber::filter::LevelFilter;

use crate::boundary::persistence::{Suspended, captured};

/// Reads a stream. Call site 0 is of spans, 1 of spans that are less important, and 2 of events.
fn stream(records: &serde_json::Value) -> Vec<TracingEvent> {
    let site = |id: usize, kind: &str, level: &str, name: &str| {
        json!({ "new_call_site": {
            "id": id, "kind": kind, "name": name, "target": "app", "level": level, "fields": [],
        }})
    };
    let mut all = vec![
        site(0, "span", "info", "wanted"),
        site(1, "span", "debug", "detail"),
        site(2, "event", "info", "event"),
    ];
    all.extend(records.as_array().unwrap().clone());
    serde_json::from_value(all.into()).unwrap()
}

fn new_span(id: u64, site: u64, parent: Option<u64>) -> serde_json::Value {
    json!({ "new_span": { "id": id, "metadata_id": site, "parent_id": parent, "values": {} } })
}

/// Checks a stream that is suspended at each boundary, in the same subscriber and directly, against one that is not.
#[track_caller]
#[allow(clippy::needless_pass_by_value)] // it is made where it is passed
fn check_suspended_stream(max_level: LevelFilter, records: serde_json::Value, expected: &str) {
    let events = stream(&records);
    let feed = |mut receiver: TracingEventReceiver, cut: Option<usize>| {
        for (place, event) in events.iter().enumerate() {
            if cut == Some(place) {
                receiver = Suspended::new(receiver).go_on();
            }
            receiver.receive(event.clone());
        }
        receiver
    };
    for cut in [None].into_iter().chain((0..events.len()).map(Some)) {
        let mut receiver = None;
        let trace = captured(max_level, || {
            receiver = Some(feed(TracingEventReceiver::default(), cut));
        });
        assert_eq!(trace.to_string(), expected, "relayed, suspended at {cut:?}");
        if max_level == LevelFilter::TRACE {
            let storage = SharedStorage::default();
            let _receiver = feed(TracingEventReceiver::capturing(&storage), cut);
            assert_eq!(storage.lock().to_string(), expected, "directly, suspended at {cut:?}");
        }
    }
}

#[test]
fn span_of_a_closed_parent_keeps_nothing_open() {
    check_suspended_stream(
        LevelFilter::TRACE,
        json!([
            new_span(1, 0, None),
            { "span_entered": { "id": 1 } },
            new_span(2, 0, None),
            { "span_entered": { "id": 2 } },
            { "span_dropped": { "id": 2 } }, // it is closed now
            new_span(3, 0, Some(2)),
            { "span_dropped": { "id": 1 } }, // and so is this
            { "span_cloned": { "id": 1 } }, // but the program is still in it
            { "span_exited": { "id": 2 } },
            { "span_exited": { "id": 1 } },
        ]),
        "INFO wanted{}\n└─ INFO wanted{}\nINFO wanted{}",
    );
}

#[test]
fn span_of_an_unwanted_parent_keeps_nothing_open() {
    check_suspended_stream(
        LevelFilter::INFO,
        json!([
            new_span(1, 0, None),
            { "span_entered": { "id": 1 } },
            new_span(2, 1, None),
            new_span(3, 0, Some(2)),
            { "span_dropped": { "id": 1 } },
            { "span_cloned": { "id": 1 } },
            { "span_exited": { "id": 1 } },
        ]),
        "⟨2×⟩ INFO wanted{}",
    );
}

#[test]
fn parent_may_have_a_higher_number_than_its_child() {
    check_suspended_stream(
        LevelFilter::TRACE,
        json!([
            new_span(7, 0, None),
            new_span(3, 1, Some(7)),
            new_span(5, 1, Some(3)),
            { "span_dropped": { "id": 7 } },
            { "new_event": { "metadata_id": 2, "parent": 7, "values": {} } },
            { "span_dropped": { "id": 3 } },
            { "new_event": { "metadata_id": 2, "parent": 3, "values": {} } },
            { "span_dropped": { "id": 5 } },
            { "new_event": { "metadata_id": 2, "parent": 7, "values": {} } },
        ]),
        "\
INFO wanted{}
├─ DEBUG detail{}
│  ├─ DEBUG detail{}
│  └─ INFO
└─ INFO
INFO",
    );
}

/// The number of a span that is closed may be used again.
#[test]
fn span_is_not_taken_for_the_parent_whose_number_it_got() {
    let events = stream(&json!([
        new_span(1, 1, None), // unwanted by the host
        { "span_entered": { "id": 1 } },
        new_span(2, 0, None),
        { "span_exited": { "id": 1 } },
        { "span_dropped": { "id": 1 } },
        new_span(1, 0, Some(2)),
    ]));
    let mut receiver = None;
    captured(LevelFilter::INFO, || {
        let receiver = receiver.insert(TracingEventReceiver::default());
        for event in events {
            receiver.receive(event);
        }
    });
    let suspended = Suspended::new(receiver.unwrap());
    let trace = captured(LevelFilter::TRACE, || std::mem::forget(suspended.go_on_anew()));
    assert_eq!(trace.to_string(), "INFO wanted{}\n└─ INFO wanted{}");
}

#[test]
fn span_is_restored_with_the_call_site_that_it_was_created_with() {
    let events = stream(&json!([
        new_span(1, 0, None),
        { "new_call_site": {
            "id": 0, "kind": "event", "name": "other", "target": "app", "level": "warn", "fields": [],
        }},
        new_span(2, 1, Some(1)),
        { "new_event": { "metadata_id": 0, "parent": 1, "values": {} } },
    ]));
    let (before, after) = events.split_at(events.len() - 1);
    let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
    for event in before {
        receiver.receive(event.clone());
    }
    let suspended = Suspended::new(receiver);
    assert_eq!(suspended.metadata.len(), 4);
    for _ in 0..3 {
        let trace = captured(LevelFilter::TRACE, || {
            let mut receiver = suspended.go_on_anew();
            for event in after {
                receiver.receive(event.clone());
            }
            let again = Suspended::new(receiver);
            assert_eq!((&again.metadata, &again.spans), (&suspended.metadata, &suspended.spans));
        });
        assert_eq!(trace.to_string(), "INFO wanted{}\n├─ DEBUG detail{}\n└─ WARN");
    }
}
