//! What was persisted and comes back changed: by somebody who wants to harm the host, or by a disk.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use spanshot::{
    CaptureLayer, LocalSpans, PersistedMetadata, PersistedSpans, ReceiverLimits, SharedStorage,
    TracingEventReceiver,
    receiver::{FrameDecoder, RestoreError},
};
use tracing::{field::Empty, info, info_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{detailed, feed_frames, frames_of, on_thread, panic_message};

/// A program with something of everything in what is persisted, whenever it is suspended.
fn program() {
    let outer = info_span!("outer", port = 8_080, late = Empty).entered();
    let sibling = info_span!("sibling", a = 1, a = 2);
    let inner = info_span!("inner", bytes = &[1_u8, 2][..], error = ?Some(1)).entered();
    inner.follows_from(&sibling);
    let clone = inner.clone();
    let child = info_span!("child");
    drop(sibling);
    on_thread(|| child.in_scope(|| info!("on thread")));
    outer.record("late", "recorded").record("port", 80);
    drop(inner);
    info!("in outer");
    drop(child);
    drop(clone);
    info_span!("last").in_scope(|| info!("last"));
}

/// Something that is done to JSON somewhere.
#[derive(Debug, Clone)]
struct Tampering {
    place: prop::sample::Index,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Remove,
    Replace(Value),
    /// What is at another place comes here, too.
    Copy(prop::sample::Index),
    /// The key of a map: the ID of a span or call site, or the name of a field.
    Rename(String),
}

fn any_tampering() -> impl Strategy<Value = Tampering> {
    let number = prop_oneof![
        (0..8_u64).prop_map(Value::from),
        prop::sample::select(vec![u64::MAX, u64::MAX - 1, 1 << 63, 1 << 32]).prop_map(Value::from),
        Just(json!(-1)),
        Just(json!(0.5)),
    ];
    let other = prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(false),
        json!("text"),
        json!([]),
        json!({}),
        json!([1, 1, 2, 3]),
        json!([{ "thread": 0, "depth": 0 }, { "thread": 0, "depth": 0 }]),
        json!([{ "thread": u64::MAX, "depth": u64::MAX }]),
        json!({ "object": "[zz" }),
        json!("event"),
    ]);
    let key = prop_oneof![
        (0..8_u64).prop_map(|id| id.to_string()),
        prop::sample::select(vec!["18446744073709551615", "port", "a", ""]).prop_map(str::to_owned),
    ];
    let what = prop_oneof![
        1 => Just(What::Remove),
        4 => number.prop_map(What::Replace),
        2 => other.prop_map(What::Replace),
        2 => any::<prop::sample::Index>().prop_map(What::Copy),
        2 => key.prop_map(What::Rename),
    ];
    (any::<prop::sample::Index>(), what).prop_map(|(place, what)| Tampering { place, what })
}

/// The places of all values in it, as pointers.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let mut visit = |key: &str, value: &Value| {
        let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push(pointer.clone());
        places(value, &pointer, found);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| visit(key, value)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| visit(&index.to_string(), value));
        }
        _ => {}
    }
}

impl Tampering {
    fn apply(&self, persisted: &mut Value) {
        let mut found = vec![];
        places(persisted, "", &mut found);
        let Some(place) = (!found.is_empty()).then(|| self.place.get(&found).clone()) else {
            return;
        };
        let (parent, key) = place.rsplit_once('/').expect("it is within another");
        match &self.what {
            What::Replace(value) => *persisted.pointer_mut(&place).unwrap() = value.clone(),
            What::Copy(source) => {
                let value = persisted.pointer(source.get(&found[..]).as_str()).unwrap().clone();
                *persisted.pointer_mut(&place).unwrap() = value;
            }
            What::Remove | What::Rename(_) => match persisted.pointer_mut(parent).unwrap() {
                Value::Array(list) => drop(list.remove(key.parse().unwrap())),
                Value::Object(map) => {
                    let value = map.remove(&key.replace("~1", "/").replace("~0", "~"));
                    if let What::Rename(name) = &self.what {
                        map.insert(name.clone(), value.unwrap());
                    }
                }
                _ => unreachable!("it has parts"),
            },
        }
    }
}

/// What the program had persisted after so many of its frames, as JSON, and what its host knew besides.
fn suspended(receiver: TracingEventReceiver, frames: &[Vec<u8>]) -> (Value, LocalSpans) {
    let mut receiver = receiver;
    for frame in frames {
        receiver.receive_encoded(frame).unwrap();
    }
    let metadata = serde_json::to_value(receiver.persist_metadata()).unwrap();
    let (spans, local_spans) = receiver.persist();
    (json!({ "metadata": metadata, "spans": serde_json::to_value(spans).unwrap() }), local_spans)
}

/// Reads what was persisted; `None` if that is told to be wrong.
fn read(persisted: &Value) -> Option<(PersistedMetadata, PersistedSpans)> {
    let read = |part: &str| persisted.get(part).cloned();
    let metadata = serde_json::from_value(read("metadata")?).ok()?;
    Some((metadata, serde_json::from_value(read("spans")?).ok()?))
}

/// A span that the program does not have.
const PROBE: [&[u8]; 3] = [
    b"\x20\x63\0\x02\x05probe\x05probe\0\0\0\0",
    b"\x21\xe3\xe3\xe3\x03\x63\x01",
    b"\x26\xe3\xe3\xe3\x03",
];

/// Restores what was tampered with, and has the program go on: in the subscriber, or directly in the storage.
fn go_on(
    storage: &SharedStorage,
    make: impl Fn() -> TracingEventReceiver,
    known: bool,
    restore_local: impl Fn() -> LocalSpans,
    (before, after): (&[Vec<u8>], &[Vec<u8>]),
    tamper: impl Fn(&mut Value),
) -> Result<(), TestCaseError> {
    let (mut persisted, local_spans) = suspended(make(), before);
    tamper(&mut persisted);
    let Some((metadata, spans)) = read(&persisted) else { return Ok(()) };
    let local_spans = if known { local_spans } else { restore_local() };
    let gone_on = catch_unwind(AssertUnwindSafe(|| {
        let restored = TracingEventReceiver::try_new(metadata.clone(), spans.clone(), local_spans);
        let decoder =
            FrameDecoder::try_new(metadata.clone(), spans.clone(), ReceiverLimits::default());
        let mut receiver = match (restored, decoder) {
            (Ok(receiver), Ok(_)) => receiver,
            (Err(error), Err(same)) => return assert_eq!(error, same),
            // Only a receiver knows what is known here.
            (Err(RestoreError::Mismatch { .. } | RestoreError::Missing { .. }), Ok(_)) if known => {
                return;
            }
            (restored, decoder) => panic!("{:?}, but {:?}", restored.err(), decoder.err()),
        };
        for frame in after.iter().chain(after) {
            // It is refused, or it is not.
            let _ = receiver.receive_encoded(frame);
        }
        for frame in PROBE {
            receiver.receive_encoded(frame).unwrap();
        }
        // What is persisted now is read, and so is that again.
        let (persisted, local_spans) = suspended(receiver, &[]);
        let (metadata, spans) = read(&persisted).expect("it was just persisted");
        drop(TracingEventReceiver::new(metadata, spans, local_spans));
        let mut decoder = FrameDecoder::new(metadata_of(&persisted), spans_of(&persisted));
        for frame in after {
            drop(decoder.decode(frame));
        }
        drop(storage.lock().to_string());
    }));
    prop_assert!(gone_on.is_ok(), "it panics, with local spans: {known}; {persisted}");
    Ok(())
}

fn metadata_of(persisted: &Value) -> PersistedMetadata {
    read(persisted).unwrap().0
}

fn spans_of(persisted: &Value) -> PersistedSpans {
    read(persisted).unwrap().1
}

/// Checks it over what is tampered with in up to so many places, after each number of frames.
fn check(relays: bool, known: bool) {
    let frames = frames_of(program);
    let cases = (0..=frames.len(), prop::collection::vec(any_tampering(), 1..4));
    let config =
        ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::default());
    let result = TestRunner::new_with_rng(config, rng).run(&cases, |(count, tamperings)| {
        let storage = SharedStorage::default();
        let tamper =
            |persisted: &mut Value| tamperings.iter().for_each(|some| some.apply(persisted));
        let parts = frames.split_at(count);
        if relays {
            let layer = CaptureLayer::new(&storage);
            let subscriber = tracing_subscriber::registry().with(layer);
            tracing::subscriber::with_default(subscriber, || {
                let (make, local) = (TracingEventReceiver::default, LocalSpans::default);
                go_on(&storage, make, known, local, parts, tamper)
            })
        } else {
            let make = || TracingEventReceiver::capturing(&storage);
            go_on(&storage, make, known, || LocalSpans::capturing(&storage), parts, tamper)
        }
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn tampered_state_is_restored_in_another_storage_or_refused() {
    check(false, false);
}

#[test]
fn tampered_state_is_restored_in_its_storage_or_refused() {
    check(false, true);
}

#[test]
fn tampered_state_is_restored_in_another_subscriber_or_refused() {
    check(true, false);
}

#[test]
fn tampered_state_is_restored_in_its_subscriber_or_refused() {
    check(true, true);
}

#[test]
fn state_of_one_guest_is_nothing_to_the_spans_of_another() {
    // The host confuses them: what is known here of one, and what was persisted of the other.
    for swapped in [false, true] {
        let storage = SharedStorage::default();
        let layer = CaptureLayer::new(&storage);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let frames = frames_of(program);
            let (first, of_first) = suspended(TracingEventReceiver::default(), &frames[..8]);
            let (second, of_second) = suspended(TracingEventReceiver::default(), &frames[..12]);
            let (metadata, spans) = read(if swapped { &second } else { &first }).unwrap();
            let restored = TracingEventReceiver::try_new(metadata, spans, of_first);
            assert_eq!(restored.is_err(), swapped);
            if let Ok(mut receiver) = restored {
                feed_frames(&frames[8..])(&mut receiver);
            }
            drop(of_second);
        });
        drop(storage.lock().to_string());
    }
}

fn receiver(relays: bool, storage: &SharedStorage) -> TracingEventReceiver {
    if relays { TracingEventReceiver::default() } else { TracingEventReceiver::capturing(storage) }
}

/// What is wrong with it.
type IsExpected<'a> = &'a dyn Fn(RestoreError) -> bool;

/// Suspends the program after so many frames, changes what was persisted, and restores it strictly.
fn try_restored(
    count: usize,
    relays: bool,
    tamper: impl Fn(&mut Value),
) -> Result<TracingEventReceiver, RestoreError> {
    let storage = SharedStorage::default();
    let layer = CaptureLayer::new(&storage);
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let receiver = receiver(relays, &storage);
    let (mut persisted, local_spans) = suspended(receiver, &frames_of(program)[..count]);
    tamper(&mut persisted);
    let (metadata, spans) = read(&persisted).expect("it can be read");
    let restored = TracingEventReceiver::try_new(metadata, spans, local_spans);
    drop(storage.lock().to_string());
    restored
}

#[test]
fn what_is_as_it_was_persisted_is_restored() {
    for count in 0..=frames_of(program).len() {
        for relays in [false, true] {
            let restored = try_restored(count, relays, |_| ());
            assert!(restored.is_ok(), "after {count} frames: {restored:?}");
        }
    }
}

#[test]
fn what_does_not_fit_together_is_told() {
    // The outer span, which is entered, its sibling, and the inner one, which is, too.
    let frames = frames_of(program);
    let count = frames.iter().filter(|frame| frame[0] == 0x23).count();
    assert!(count >= 2);
    let after =
        frames.iter().enumerate().filter(|(_, frame)| frame[0] == 0x23).nth(1).unwrap().0 + 1;
    let cases: [(&str, Value, IsExpected<'_>); 7] = [
        ("/spans/1/metadata_id", json!(77), &|error| {
            error == RestoreError::UnknownCallSite { span: 1, metadata_id: 77 }
        }),
        ("/metadata/0/kind", json!("event"), &|error| {
            matches!(error, RestoreError::InvalidSpan { span: 1, .. })
        }),
        ("/spans/1/values", json!({ "unknown": { "bool": true } }), &|error| {
            matches!(error, RestoreError::InvalidSpan { span: 1, .. })
        }),
        ("/spans/3/entered", json!([{ "thread": 0, "depth": 0 }]), &|error| {
            error == RestoreError::EnteredTwice { thread: 0, depth: 0 }
        }),
        ("/spans/1/ref_count", json!(2), &|error| error == RestoreError::Mismatch { span: 1 }),
        ("/spans/3/parent_id", json!(2), &|error| error == RestoreError::Mismatch { span: 3 }),
        ("/spans", json!({}), &|error| error == RestoreError::Missing { span: 1 }),
    ];
    for (pointer, value, is_expected) in &cases {
        for relays in [false, true] {
            let change = |persisted: &mut Value| {
                *persisted.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) =
                    value.clone();
            };
            let error = try_restored(after, relays, change).map(|_| ()).unwrap_err();
            assert!(is_expected(error.clone()), "{pointer}: {error}");
        }
    }
}

#[test]
fn what_is_refused_stays_open_and_is_told_loudly() {
    for relays in [false, true] {
        let storage = SharedStorage::default();
        let layer = CaptureLayer::new(&storage);
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        let receiver = receiver(relays, &storage);
        let (persisted, local_spans) = suspended(receiver, &frames_of(program)[..6]);
        let are_open = || storage.lock().all_spans().all(|span| !span.stats().is_closed);
        assert!(are_open());
        let none = PersistedSpans::default();
        let restore = || TracingEventReceiver::new(metadata_of(&persisted), none, local_spans);
        assert_eq!(
            panic_message(restore),
            "cannot restore the receiver: span 1 is known locally, but was not persisted"
        );
        assert!(are_open());

        let spans = spans_of(&persisted);
        let decode = || FrameDecoder::new(PersistedMetadata::default(), spans);
        assert_eq!(
            panic_message(decode),
            "cannot restore the decoder: span 1 is of call site 0, which is not in the metadata"
        );
    }
}

/// What is persisted of a chain of spans, each in the next one, the last of which is in the first.
#[test]
fn spans_that_are_in_themselves_are_refused() {
    let site = json!({ "kind": "span", "name": "", "target": "", "level": "info", "fields": [] });
    for len in 1..=5_u64 {
        let span = |id: u64| {
            let parent_id = 1 + id % len;
            let span = json!({
                "metadata_id": 0, "ref_count": 1, "values": {}, "parent_id": parent_id,
            });
            (id.to_string(), span)
        };
        let mut spans: serde_json::Map<_, _> = (1..=len).map(span).collect();
        spans.insert("9".to_owned(), json!({ "metadata_id": 0, "ref_count": 1, "values": {} }));
        let persisted = json!({ "metadata": { "0": site }, "spans": spans });
        let (metadata, spans) = read(&persisted).unwrap();
        let local_spans = LocalSpans::capturing(&SharedStorage::default());
        let restored = TracingEventReceiver::try_new(metadata, spans, local_spans);
        let error = restored.unwrap_err();
        assert!(matches!(error, RestoreError::InItself { .. }), "{error}");
    }
}

#[test]
fn call_site_that_is_one_too_many_changes_nothing() {
    for relays in [false, true] {
        let storage = SharedStorage::default();
        let layer = CaptureLayer::new(&storage);
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        let receiver = receiver(relays, &storage);
        let (mut persisted, local_spans) = suspended(receiver, &frames_of(program)[..8]);
        let metadata = persisted["metadata"].as_object_mut().unwrap();
        let known = metadata.len();
        let mut other = metadata["0"].clone();
        other["name"] = json!("other");
        metadata.insert("77".to_owned(), other);
        let before = detailed(&storage.lock());
        assert!(before.contains("entered: 1"), "{before}");
        let limits = ReceiverLimits::default().max_call_sites(known);
        let (metadata, spans) = read(&persisted).unwrap();
        let restored =
            TracingEventReceiver::try_new_with_limits(metadata, spans, local_spans, limits);
        let error = restored.unwrap_err();
        assert!(matches!(error, RestoreError::InvalidCallSite { metadata_id: 77, .. }), "{error}");
        assert_eq!(detailed(&storage.lock()), before);
    }
}
