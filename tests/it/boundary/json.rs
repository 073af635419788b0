//! `TracingEvent`s in self-describing formats: streams pass between this crate and the published
//! `tracing-tunnel`, and what that crate cannot say survives as well.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};
use spanshot::{
    CallSiteData, Capture, PersistedMetadata, PersistedSpans, Trace, TracedError, TracedValue,
    TracedValues, TracingEvent, TracingLevel, transport::wasm_host::PersistedGuest,
};
use tracing::{Level, dispatcher, field, field::Empty, info, info_span};

use crate::support::{
    assert_transparent, current_dispatch, detailed, direct, events_of, feed_events, native,
    relayed, through_json,
};

/// Error with a source.
#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl fmt::Display for Outer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("cannot \"read\"\n")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Programs of one thread that `tracing-tunnel` understands as well.
const PROGRAMS: [(&str, fn()); 7] = [
    ("levels and nesting", || {
        let _outer = tracing::error_span!(target: "app::net", "outer", port = 8_080).entered();
        for i in 0..2_u32 {
            let _inner = tracing::debug_span!("inner", i).entered();
            tracing::event!(target: "other", Level::TRACE, "message {i}");
        }
        tracing::warn!(name: "named", "after");
    }),
    ("explicit parents", || {
        let first = info_span!("first");
        let second = info_span!("second").entered();
        let third = info_span!(parent: &first, "third", depth = 1);
        info!(parent: &third, "in third");
        info!("in second");
        drop(second);
        info!("in none");
    }),
    ("follows from", || {
        let (cause, effect) = (info_span!("cause"), info_span!("effect"));
        effect.follows_from(&cause);
        effect.follows_from(&effect);
    }),
    ("late records", || {
        let span = info_span!("span", early = 1, late = Empty, never = Empty);
        span.record("late", field::debug(Some("x"))).record("early", "overwritten");
        span.in_scope(|| info!(none = None::<u8>, some = Some(3_u8), "recorded"));
    }),
    ("errors", || {
        let error = Outer("x".parse::<i32>().unwrap_err());
        tracing::error!(error = &error as &(dyn Error + 'static), "failed");
        let _span = info_span!("span", source = error.source());
    }),
    ("values", || {
        info!(yes = true, no = false, min = i64::MIN, max = u64::MAX, small = -1_i8);
        info!(min = i128::MIN, max = u128::MAX, fits = 5_i128, also = 6_u128);
        info!(zero = -0.0, one = 1.0, tiny = f64::MIN_POSITIVE, huge = f64::MAX, tenth = 0.1);
        info!(empty = "", text = "é\0\u{1f980}\"\\\n\u{7f}", string = String::from("s"));
        info!(debug = ?("a", 'b'), display = %"\u{1b}[31m", a.dotted.name = 1, "quoted name" = 2);
    }),
    ("handles", || {
        let span = info_span!("span");
        let clone = span.clone();
        span.in_scope(|| span.in_scope(|| info!("twice inside")));
        drop(span);
        clone.in_scope(|| drop(info_span!("child of a clone")));
        std::mem::forget(info_span!("never closed"));
    }),
];

/// JSON of each event of a program, from the published crate.
///
/// A program that leaves a span open leaves the sender in the process, which is told of all call
/// sites there are whenever there is a new subscriber: it is to write nothing then.
pub(crate) fn published_json(program: fn()) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Some(vec![])));
    let pushed = Arc::clone(&lines);
    let sender = tracing_tunnel::TracingEventSender::new(move |event| {
        if let Some(lines) = &mut *pushed.lock().unwrap() {
            lines.push(serde_json::to_string(&event).unwrap());
        }
    });
    tracing::subscriber::with_default(sender, program);
    lines.lock().unwrap().take().unwrap()
}

/// JSON of each event of a program.
pub(crate) fn json(program: impl FnOnce()) -> Vec<String> {
    events_of(program).iter().map(|event| serde_json::to_string(event).unwrap()).collect()
}

/// Numbers call sites from 0, and announces each where it is first used. The published crate
/// numbers them by address, and announces all that there are in the process.
fn normalize(lines: &[String]) -> Vec<String> {
    let mut announced = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    let mut normalized = vec![];
    for line in lines {
        let event: Value = serde_json::from_str(line).unwrap();
        let (kind, fields) = event.as_object().unwrap().iter().next().unwrap();
        if kind == "new_call_site" {
            announced.insert(fields["id"].to_string(), line);
            continue;
        }
        let Some(id) = fields.get("metadata_id").map(Value::to_string) else {
            normalized.push(line.clone());
            continue;
        };
        let next = numbers.len();
        let number = *numbers.entry(id.clone()).or_insert(next);
        if number == next {
            let old = format!("{{\"id\":{id},");
            normalized.push(announced[&id].replacen(&old, &format!("{{\"id\":{number},"), 1));
        }
        let old = format!("\"metadata_id\":{id},");
        normalized.push(line.replacen(&old, &format!("\"metadata_id\":{number},"), 1));
    }
    normalized
}

fn read(lines: &[String]) -> Vec<TracingEvent> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Relays JSON through the published crate's receiver.
fn relayed_by_published(lines: &[String]) -> Trace {
    let capture = Capture::start();
    let mut receiver = tracing_tunnel::TracingEventReceiver::default();
    for line in lines {
        receiver.receive(serde_json::from_str(line).unwrap());
    }
    capture.trace()
}

/// Takes from lines what errors have of `Debug`, which the published crate does not carry.
fn without_debug(lines: &[String]) -> Vec<String> {
    let without = |line: &String| {
        let mut parts = line.split(r#","debug":""#);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |line, part| line + part.split_once('"').unwrap().1)
    };
    lines.iter().map(without).collect()
}

/// The trace of a program without what errors have of `Debug`.
fn expected_without_debug(program: fn()) -> String {
    let trace = direct(feed_events(read(&without_debug(&json(program)))));
    assert_eq!(trace.to_string(), native(program).to_string());
    detailed(&trace)
}

#[test]
fn stream_is_that_of_the_published_crate() {
    for (name, program) in PROGRAMS {
        let lines = json(program);
        assert_eq!(without_debug(&lines), normalize(&published_json(program)), "{name}");
        assert_eq!(lines, normalize(&lines), "call sites are announced where they are used");
    }
}

#[test]
fn published_crate_reads_the_stream() {
    for (name, program) in PROGRAMS {
        let trace = relayed_by_published(&json(program));
        assert_eq!(detailed(&trace), expected_without_debug(program), "{name}");
    }
}

#[test]
fn stream_of_the_published_crate_is_read() {
    for (name, program) in PROGRAMS {
        let events = read(&published_json(program));
        let expected = expected_without_debug(program);
        assert_eq!(detailed(&relayed(feed_events(events.clone()))), expected, "{name}, relayed");
        assert_eq!(detailed(&direct(feed_events(events))), expected, "{name}, directly");
    }
}

/// A program that says what the published crate cannot say.
fn further_program() {
    let span = info_span!("span", bytes = &[0xde_u8, 0xad][..], text = ?"[de ad]").entered();
    drop(info_span!(parent: None, "root"));
    info!(same = None::<i64>, same = 1);
    info!(parent: None, none = &[][..] as &[u8], "root");
    span.record("bytes", &[0_u8][..]);
    let error = Outer("x".parse::<i32>().unwrap_err());
    info!(error = &error as &(dyn Error + 'static));
    let (dispatch, id) = (current_dispatch(), span.id().unwrap());
    let on_thread = || {
        dispatcher::with_default(&dispatch, || {
            dispatch.enter(&id);
            drop(info_span!("on thread"));
            dispatch.exit(&id);
            info!("bare");
        });
    };
    thread::scope(|scope| scope.spawn(on_thread).join().unwrap());
}

#[test]
fn what_the_published_crate_cannot_say_is_in_additional_fields() {
    let lines = json(further_program);
    let lines: Vec<_> = lines.iter().filter(|line| !line.contains("new_call_site")).collect();
    let expected = [
        r#"{"new_span":{"id":1,"metadata_id":0,"values":{"bytes":{"object":"[de ad]"},"text":{"object":"\"[de ad]\""}},"bytes":["bytes"]}}"#,
        r#"{"span_entered":{"id":1}}"#,
        r#"{"new_span":{"id":2,"is_root":true,"metadata_id":1,"values":{}}}"#,
        r#"{"span_dropped":{"id":2}}"#,
        r#"{"new_event":{"metadata_id":2,"values":{"same":{"int":1}},"nth":[1]}}"#,
        r#"{"new_event":{"metadata_id":3,"is_root":true,"values":{"message":{"object":"root"},"none":{"object":"[]"}},"bytes":["none"]}}"#,
        r#"{"values_recorded":{"id":1,"values":{"bytes":{"object":"[00]"}},"bytes":["bytes"]}}"#,
        r#"{"new_event":{"metadata_id":4,"values":{"error":{"error":{"message":"cannot \"read\"\n","source":{"message":"invalid digit found in string","source":null,"debug":"ParseIntError { kind: InvalidDigit }"},"debug":"Outer(ParseIntError { kind: InvalidDigit })"}}}}}"#,
        r#"{"span_entered":{"id":1,"thread":1}}"#,
        r#"{"new_span":{"id":3,"metadata_id":5,"values":{},"thread":1}}"#,
        r#"{"span_dropped":{"id":3}}"#,
        r#"{"span_exited":{"id":1,"thread":1}}"#,
        r#"{"new_event":{"metadata_id":6,"values":{"message":{"object":"bare"}},"thread":1}}"#,
        r#"{"span_exited":{"id":1}}"#,
        r#"{"span_dropped":{"id":1}}"#,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn additional_fields_survive() {
    let events = events_of(further_program);
    assert_eq!(through_json(&events), events);
    for event in &events {
        let value = serde_json::to_value(event).unwrap();
        assert_eq!(serde_json::from_value::<TracingEvent>(value).unwrap(), *event);
    }
    assert_transparent(further_program);
}

#[test]
fn published_crate_passes_over_additional_fields() {
    let trace = relayed_by_published(&json(further_program));
    let expected = "\
INFO span{bytes=[00] text=\"[de ad]\"}
├─ INFO root{}
├─ INFO same=1
├─ INFO root none=[]
├─ INFO error=⟨2 lines⟩
│  ┆ cannot \"read\"
│  ┆ , caused by: invalid digit found in string
├─ INFO on thread{}
└─ INFO bare";
    assert_eq!(trace.to_string(), expected); // roots and threads are lost to it
    let bytes = &trace.all_spans().next().unwrap()["bytes"];
    assert_eq!(bytes.as_debug_str(), Some("[00]"));
}

#[test]
fn fields_of_a_later_version_are_passed_over() {
    let lines = json(|| info_span!("span", a = 1).in_scope(|| info!("event")));
    let extended = lines.iter().map(|line| line.replacen(":{\"", ":{\"future\":[{}],\"", 1));
    assert_eq!(read(&extended.collect::<Vec<_>>()), read(&lines));
}

#[track_caller]
fn check_value(value: impl Into<TracedValue>, expected: &str) {
    let value = value.into();
    let text = serde_json::to_string(&value).unwrap();
    assert_eq!(text, expected);
    let read: TracedValue = serde_json::from_str(&text).unwrap();
    // NaN is not equal to itself.
    assert_eq!(format!("{read:?}"), format!("{value:?}"));
}

#[test]
fn numbers_survive() {
    check_value(f64::NAN, r#"{"float":"NaN"}"#);
    check_value(f64::INFINITY, r#"{"float":"inf"}"#);
    check_value(f64::NEG_INFINITY, r#"{"float":"-inf"}"#);
    check_value(-0.0, r#"{"float":-0.0}"#);
    check_value(1e300, r#"{"float":1e+300}"#);
    check_value(i128::MIN, r#"{"int":-170141183460469231731687303715884105728}"#);
    check_value(i128::MAX, r#"{"int":170141183460469231731687303715884105727}"#);
    check_value(u128::MAX, r#"{"u_int":340282366920938463463374607431768211455}"#);
    let floats = || info!(nan = f64::NAN, inf = f64::INFINITY, negative = f64::NEG_INFINITY);
    assert_transparent(floats);
}

#[test]
fn float_may_be_written_without_a_fraction() {
    for (text, expected) in [("5", 5.0), ("-5", -5.0), ("18446744073709551615", 2_f64.powi(64))] {
        let value: TracedValue = serde_json::from_str(&format!("{{\"float\":{text}}}")).unwrap();
        assert_eq!(value, TracedValue::Float(expected));
    }
    for wrong in [json!("nan"), json!("1.0"), json!(""), json!([]), json!(true)] {
        serde_json::from_value::<TracedValue>(json!({ "float": wrong })).unwrap_err();
    }
}

#[test]
fn finite_float_is_written_exactly_and_read_nearly_so() {
    let mut bits = 1_u64;
    for _ in 0..10_000 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let value = f64::from_bits(bits);
        if value.is_finite() {
            let text = serde_json::to_string(&TracedValue::Float(value)).unwrap();
            let digits = text.strip_prefix(r#"{"float":"#).unwrap().strip_suffix('}').unwrap();
            assert_eq!(digits.parse::<f64>().unwrap().to_bits(), bits);
            // Only with its feature `float_roundtrip` does `serde_json` read what it wrote.
            let read = serde_json::from_str::<TracedValue>(&text).unwrap().as_float().unwrap();
            assert!(read.to_bits().abs_diff(bits) <= 2, "{text}");
        }
    }
}

/// Error whose chain has no end.
#[derive(Debug)]
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("endless")
    }
}

impl Error for Endless {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn longest_chain_of_errors_survives() {
    let program = || info!(error = &Endless as &(dyn Error + 'static));
    let events = events_of(program);
    assert_eq!(through_json(&events), events);
}

#[test]
fn error_without_its_debug_output_survives_in_every_format() {
    let error = "x".parse::<i32>().unwrap_err();
    let mut error = TracedError::new(&Outer(error));
    error.source.as_mut().unwrap().debug = None;
    let json = serde_json::to_string(&error).unwrap();
    assert!(
        json.contains(r#""source":{"message":"invalid digit found in string","source":null},"#)
    );
    assert_eq!(serde_json::from_str::<TracedError>(&json).unwrap(), error);
    let postcard = postcard::to_allocvec(&error).unwrap();
    assert_eq!(postcard::from_bytes::<TracedError>(&postcard).unwrap(), error);
    assert_eq!(
        format!("{:?}", error.source.unwrap()),
        "TracedError { message: \"invalid digit found in string\", source: None }"
    );
}

#[test]
fn name_given_twice_is_written_twice() {
    let lines = json(|| info!(a = 1, b = 2, a = 3));
    let values = r#""values":{"a":{"int":1},"b":{"int":2},"a":{"int":3}}"#;
    assert!(lines[1].contains(values), "{}", lines[1]);
    assert_eq!(serde_json::to_string(&read(&lines)[1]).unwrap(), lines[1]);
    // What keeps one value for a name keeps the last: formats without repetition, and the
    // published crate.
    let event: Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!(event["new_event"]["values"], json!({ "a": { "int": 3 }, "b": { "int": 2 } }));
    assert_eq!(relayed_by_published(&lines).to_string(), "INFO a=3 b=2");
}

#[test]
fn chain_of_errors_that_is_too_long_is_refused_before_the_stack_is_used_up() {
    let json = |len: usize| {
        let open = r#"{"message":"m","source":"#.repeat(len - 1);
        format!(r#"{{"error":{open}{{"message":"m"}}{}}}"#, "}".repeat(len - 1))
    };
    serde_json::from_str::<TracedValue>(&json(100)).unwrap();
    let error = serde_json::from_str::<TracedValue>(&json(101)).unwrap_err();
    assert!(error.to_string().starts_with("a chain of more than 100 errors"), "{error}");

    // The index of the variant, and then messages with their sources without an end.
    let mut postcard = vec![6];
    postcard.extend(b"\x01m\x01".repeat(1_000_000));
    postcard::from_bytes::<TracedValue>(&postcard).unwrap_err();
}

/// The message of the error of reading this JSON, in which `TEXT` stands for a text.
fn error_of<T: fmt::Debug + serde::de::DeserializeOwned>(json: &str, text: &str) -> String {
    serde_json::from_str::<T>(&json.replace("TEXT", text)).unwrap_err().to_string()
}

#[test]
fn errors_repeat_no_more_than_the_beginning_of_a_text() {
    const SITE: &str = r#""name":"s","target":"t","fields":[]"#;

    let event = |json: &str, text: &str| error_of::<TracingEvent>(json, text);
    let value =
        |value: &str| format!(r#"{{"new_event":{{"metadata_id":0,"values":{{"a":{value}}}}}}}"#);
    let kind_of_record = r#"{"TEXT":1}"#.to_string();
    let type_of_value = value(r#"{"TEXT":true}"#);
    let float = value(r#"{"float":"TEXT"}"#);
    let boolean = value(r#"{"bool":"TEXT"}"#);
    let id = r#"{"span_entered":{"id":"TEXT"}}"#.to_string();
    let level = format!(r#"{{"new_call_site":{{"id":0,"kind":"event","level":"TEXT",{SITE}}}}}"#);
    let site = format!(r#"{{"kind":"TEXT","level":"info",{SITE}}}"#);
    let span = r#"{"1":{"metadata_id":0,"ref_count":"TEXT","values":{}}}"#;

    let errors = |text: &str| {
        [
            event(&kind_of_record, text),
            event(&type_of_value, text),
            event(&float, text),
            event(&boolean, text),
            event(&id, text),
            event(&level, text),
            error_of::<CallSiteData>(&site, text),
            error_of::<TracingLevel>(r#""TEXT""#, text),
            error_of::<TracedValue>(r#"{"TEXT":1}"#, text),
            error_of::<TracedValue>(r#"{"bool":"TEXT"}"#, text),
            error_of::<TracedValues<String>>(r#"{"a":"TEXT"}"#, text),
            error_of::<TracedError>(r#"{"message":"","source":"TEXT"}"#, text),
            error_of::<PersistedSpans>(span, text),
            error_of::<PersistedMetadata>(r#"{"1":"TEXT"}"#, text),
            error_of::<PersistedGuest>(r#"{"metadata":{},"spans":"TEXT"}"#, text),
            error_of::<PersistedGuest>(r#"{"metadata":{},"spans":{},"frames":"TEXT"}"#, text),
        ]
    };
    for (short, long) in errors("nnnn").into_iter().zip(errors(&"n".repeat(3_000_000))) {
        assert!(short.contains("nnnn") && short.contains("expected"), "{short}");
        assert!(long.len() <= 1_000, "{} bytes: {:.100}", long.len(), long);
        // They tell the same, and where it is.
        let (before, after) = short.split_once("nnnn").unwrap();
        let expected = after.split_once(" at line").map_or(after, |(expected, _)| expected);
        assert!(long.starts_with(&format!("{before}nnnn")), "{long}");
        assert!(long.contains(expected), "{long}");
        assert!(long.contains("at line 1 column"), "{long}");
    }
    // What steers a terminal does not get there.
    for error in errors("n\\u001b[2Jn\\u202e") {
        assert!(!error.contains(['\u{1b}', '\u{202e}']), "{error:?}");
    }
}
