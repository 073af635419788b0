//! What a guest sends to harm whoever looks at its trace, in every output there is.

use std::{collections::BTreeSet, fmt::Write as _};

use insta::_macro_support::{SerializationFormat, serialize_value};
use serde_json::Value;
use spanshot::{
    CallSiteKind, LocalSpans, ReceiverLimits, SharedStorage, SnapshotSettings,
    TracingEventReceiver,
    predicates::*,
    transport::stream::{self, Problem, StreamError},
};
use tracing::Level;

use crate::{
    boundary::{
        byte_streams::crc32,
        receiver::{call_site, new_span},
    },
    support::{HOSTILE_TEXTS, hostile_trace, panic_message},
};

/// All of the outputs of the trace, of whose texts one is a megabyte.
const MAX_LEN: usize = 200_000;

/// Characters that steer terminals, are invisible, or turn the direction of text.
fn harmful(text: &str) -> BTreeSet<char> {
    let is_harmful = |c: &char| {
        c.is_control() && *c != '\n'
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    text.chars().filter(is_harmful).collect()
}

#[track_caller]
fn assert_harmless(text: &str) {
    assert_eq!(harmful(text), BTreeSet::new());
    assert!(text.len() < MAX_LEN, "{} bytes", text.len());
    assert!(text.contains("more characters"));
}

fn with_everything() -> SnapshotSettings {
    SnapshotSettings::new()
        .targets(true)
        .modules(true)
        .lines(true)
        .stats(true)
        .threads(true)
        .times(true)
}

#[test]
fn trees_are_harmless() {
    let trace = hostile_trace();
    let nodes = trace.all_spans().len() + trace.all_events().len();
    for settings in [SnapshotSettings::new(), with_everything()] {
        for settings in [settings.clone(), settings.ascii(true)] {
            let tree = settings.view(&trace).to_string();
            assert_harmless(&tree);
            let of_nodes = tree.lines().filter(|line| line.contains("WARN ")).count();
            assert_eq!(of_nodes, nodes);
        }
    }
    assert_harmless(&trace.to_string());
}

#[test]
fn ascii_trees_are_drawn_in_ascii() {
    let tree = with_everything().ascii(true).view(&hostile_trace()).to_string();
    // What is not ASCII is what was traced: letters, ideographs, an emoji.
    let others: BTreeSet<char> = tree.chars().filter(|c| !c.is_ascii()).collect();
    assert_eq!(others, "größer 你好 🦀".chars().filter(|c| !c.is_ascii()).collect());
}

#[test]
fn names_of_a_megabyte_are_cut_like_values() {
    let trace = hostile_trace();
    let tree = with_everything().view(&trace).to_string();
    let longest = tree.lines().map(|line| line.chars().count()).max().unwrap();
    // A line has a dozen names and values at the most.
    assert!(longest < 12 * 10 * 300, "{longest}");
}

#[test]
fn failures_are_harmless() {
    let trace = hostile_trace();
    for message in [
        panic_message(|| trace.scan_events().none(&level(Level::WARN))),
        panic_message(|| trace.scan_spans().single(&name("<script>pwned = 1</script>\u{1b}[2J"))),
        panic_message(|| trace.scan_events().single(&message(contains("e")))),
    ] {
        assert_eq!(harmful(&message), BTreeSet::new(), "{message}");
        assert!(message.len() < MAX_LEN, "{} bytes", message.len());
    }
}

/// Texts of data, keys among them.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(map) => {
            for (key, value) in map {
                found.push(key.clone());
                texts(value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn data_is_what_was_traced_but_bounded_and_escaped_as_the_format_can() {
    let trace = hostile_trace();
    let settings = with_everything();
    let view = settings.view(&trace);
    let formats = [
        ("JSON", SerializationFormat::Json),
        ("YAML", SerializationFormat::Yaml),
        ("RON", SerializationFormat::Ron),
        ("TOML", SerializationFormat::Toml),
    ];
    for (format, serialization) in formats {
        let written = serialize_value(&view, serialization);
        // Twelve thousand characters of a value are shown in data, and there are four values of the node.
        assert!(written.len() < 4_000_000, "{format:?}: {} bytes", written.len());
        assert_eq!(harmful(&written), BTreeSet::new(), "{format:?}");
    }
    // What is read back is the text that was traced, but for what nobody would see.
    let read: Value =
        serde_json::from_str(&serialize_value(&view, SerializationFormat::Json)).unwrap();
    let mut found = vec![];
    texts(&read, &mut found);
    for text in HOSTILE_TEXTS {
        let mut shown = String::new();
        for char in text.chars() {
            if char.is_ascii() || harmful(char.encode_utf8(&mut [0; 4])).is_empty() {
                shown.push(char);
            } else {
                write!(shown, "⟨u+{:04x}⟩", u32::from(char)).unwrap();
            }
        }
        assert!(found.contains(&shown), "{text:?}");
    }
}

/// Checks all texts that there are of an error.
#[track_caller]
fn assert_short(error: &impl std::error::Error) {
    for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
        assert!(text.len() < 5_000, "{} bytes: {}", text.len(), &text[..200]);
        assert_eq!(harmful(&text), BTreeSet::new());
    }
}

#[test]
fn errors_are_short_whatever_was_sent() {
    let long = "\u{1b}".repeat(1 << 20);

    let storage = SharedStorage::default();
    let limits = ReceiverLimits::default().trace_loss(true);
    let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits);
    receiver.receive(call_site(0, CallSiteKind::Span, &["known"]));
    let span = new_span(1, 0, &[(&long, 1)]);
    assert_short(&receiver.try_receive(span.clone()).unwrap_err());
    let message = panic_message(|| receiver.receive(span));
    assert!(message.len() < 5_000, "{} bytes", message.len());
    let traced = storage.lock().all_events().next().unwrap().message().unwrap().len();
    assert!(traced < 5_000, "{traced} bytes");

    let spans = format!(
        r#"{{"1":{{"metadata_id":0,"parent_id":null,"ref_count":1,"values":{{{}:{{"bool":true}}}}}}}}"#,
        serde_json::to_string(&long).unwrap()
    );
    let spans = serde_json::from_str(&spans).unwrap();
    let metadata = receiver.persist_metadata();
    let restored = TracingEventReceiver::try_new(metadata, spans, LocalSpans::default());
    assert_short(&restored.unwrap_err());

    // A stream of another version, which says who wrote it.
    let payload = [&postcard::to_allocvec(&long).unwrap()[..], b"name"].concat();
    let body = [&b"\x03\0\0"[..], &postcard::to_allocvec(&payload).unwrap()].concat();
    let stream = [b"\xffss\xfe", &body[..], &crc32(&body).to_le_bytes()].concat();
    let receipt = stream::receive(&stream[..], &mut TracingEventReceiver::default());
    assert!(matches!(
        receipt.problems[..],
        [Problem::Stream(StreamError::UnsupportedVersion { written_by: Some(_), .. })]
    ));
    assert_short(&receipt.into_result().unwrap_err());
}
