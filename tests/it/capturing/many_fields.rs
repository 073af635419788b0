//! Call sites that declare 20,000 fields, as only a hostile guest does. What takes quadratic time does not
//! come to an end here.

use std::collections::BTreeSet;

use serde_json::{Value, json};
#[cfg(feature = "export")]
use spanshot::export::HtmlPage;
use spanshot::{
    ReceiverLimits, SharedStorage, SnapshotSettings, StreamSnapshot, Trace, TracingEventReceiver,
    predicates::*, receiver::FrameDecoder,
};

const MANY: usize = 20_000;

/// The frame of a call site with these fields, and that of an event with a `false` for each of them.
fn frames(fields: &[String]) -> [Vec<u8>; 2] {
    let uint = |mut number: usize| {
        let mut bytes = vec![];
        while number >= 0x80 {
            bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
            number >>= 7;
        }
        bytes.push(u8::try_from(number).unwrap());
        bytes
    };
    let names = fields.iter().flat_map(|name| [uint(name.len()), name.as_bytes().to_vec()]);
    let names = names.collect::<Vec<_>>().concat();
    let values: Vec<u8> = (0..fields.len()).flat_map(|field| uint(16 * field)).collect();
    let site = [&b"\x20\x07\x01\x02\0\0\0\0\0"[..], &uint(fields.len()), &names].concat();
    [site, [&b"\x28\x07\0"[..], &values].concat()]
}

fn limits() -> ReceiverLimits {
    ReceiverLimits::default().max_values(usize::MAX)
}

fn trace(fields: &[String]) -> Trace {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits());
    for frame in frames(fields) {
        receiver.receive_encoded(&frame).unwrap();
    }
    storage.lock()
}

/// All the same, all different, and each one twice.
fn all_kinds() -> [Vec<String>; 3] {
    let one = vec!["a".to_owned(); MANY];
    let each = (0..MANY).map(|number| format!("a#{number}")).collect();
    let twice = (0..MANY).map(|number| format!("a#{}", number / 2)).collect();
    [one, each, twice]
}

#[test]
fn structured_snapshot_has_a_key_for_each() {
    for fields in all_kinds() {
        let json = serde_json::to_value(&*trace(&fields)).unwrap();
        let Value::Object(keys) = &json["nodes"][0]["fields"] else { panic!("{json}") };
        assert_eq!(keys.len(), MANY);
        for name in fields.iter().collect::<BTreeSet<_>>() {
            assert!(keys.contains_key(name), "{name}");
        }
    }
}

#[test]
fn numbers_pass_over_names() {
    let fields = ["a", "a", "a#2", "a", "a#2", "a#3", "a"].map(str::to_owned);
    let storage = trace(&fields);
    let mut values = serde_json::Serializer::new(vec![]);
    serde::Serialize::serialize(&*storage, &mut values).unwrap();
    let json = String::from_utf8(values.into_inner()).unwrap();
    let fields = json.split_once("\"fields\":").unwrap().1;
    assert_eq!(
        fields,
        r#"{"a":false,"a#4":false,"a#2":false,"a#5":false,"a#2#2":false,"a#3":false,"a#6":false}}]}"#
    );
}

#[test]
fn texts_show_each() {
    for fields in all_kinds() {
        let trace = trace(&fields);
        assert_eq!(trace.to_string().matches("=false").count(), MANY);
        #[cfg(feature = "export")]
        assert_eq!(HtmlPage::new(&trace).to_string().matches(">false<").count(), MANY);
    }
}

#[test]
fn all_values_are_replaced() {
    for fields in all_kinds() {
        let trace = trace(&fields);
        let settings = SnapshotSettings::new().redact_with(|_, _, _| Some("some".to_owned()));
        assert_eq!(settings.view(&trace).to_string().matches("=⟨some⟩").count(), MANY);
        let json = serde_json::to_value(settings.view(&trace)).unwrap();
        assert_eq!(json["nodes"][0]["normalized"].as_array().unwrap().len(), MANY);
    }
}

#[test]
fn comparison_finds_each_change() {
    let [one, each, twice] = all_kinds().map(|fields| trace(&fields));
    let settings = SnapshotSettings::new();
    for (old, new) in [(&one, &each), (&each, &twice), (&twice, &one)] {
        assert!(!settings.compare(&**old, &**new).is_equivalent());
        assert!(!settings.compare(&**old, &**new).to_string().is_empty());
    }
}

#[test]
fn stream_snapshots_show_each() {
    for fields in all_kinds() {
        let mut decoder = FrameDecoder::default().with_limits(limits());
        let events = frames(&fields).map(|frame| decoder.decode(&frame).unwrap());
        let snapshot = StreamSnapshot::new(&events);
        assert_eq!(snapshot.to_string().matches("=false").count(), MANY);
        assert!(serde_json::to_string(&snapshot).unwrap().matches(":false").count() >= MANY);
    }
}

#[test]
fn predicates_look_at_each_once() {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits());
    let mut receive = |record: &str| receiver.receive(serde_json::from_str(record).unwrap());
    let site = json!({ "id": 0, "kind": "span", "name": "span", "target": "guest", "level": "info",
        "fields": vec!["a"; MANY] });
    receive(&json!({ "new_call_site": site }).to_string());
    let values = format!("{{{}}}", vec![r#""a":{"int":1}"#; MANY].join(","));
    for id in 1..=10 {
        receive(&format!(r#"{{"new_span":{{"id":{id},"metadata_id":0,"values":{values}}}}}"#));
        receive(&format!(r#"{{"values_recorded":{{"id":{id},"values":{values}}}}}"#));
    }
    let trace = storage.lock();
    trace.scan_spans().none(&field("a", 2));
    trace.scan_spans().try_any(&ever(field("a", 2))).unwrap_err();
    trace.scan_spans().try_none(&field("a", 1)).unwrap_err();
}
