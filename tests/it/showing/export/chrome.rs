//! What trace viewers make of a file: this reads it as they do, and is strict where they are lenient.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use spanshot::{
    Capture, SharedStorage, Storage, TracingEvent, TracingEventReceiver, capture::Happening,
    export::ChromeTrace,
};
use tracing::{Span, info, info_span};

use super::captured;
use crate::support::{deep, hostile_trace};

/// Something that a viewer takes out of a file, or that a capture has on its timeline: when, what,
/// on which thread if that is known, and the number of the span, or the name of the event.
type Seen = (Option<u64>, &'static str, Option<u64>, String);

/// Returns the events of the file.
fn read(trace: &Storage) -> Vec<Value> {
    let mut json: Value = serde_json::from_str(&ChromeTrace::new(trace).to_string()).unwrap();
    let Value::Array(events) = json["traceEvents"].take() else { panic!("{json}") };
    events
}

/// Reads a file, sees that all is in order, and returns what it says that happened.
fn seen_by_viewer(trace: &Storage, has_times: bool) -> Vec<Seen> {
    let (mut stacks, mut spans) = (BTreeMap::<u64, Vec<u64>>::new(), BTreeMap::new());
    let (mut arrows, mut named) = (BTreeMap::new(), vec![]);
    let (mut seen, mut now) = (vec![], 0.0);
    for event in read(trace) {
        assert_eq!(event["pid"], 1);
        if event["ph"] == "M" {
            named.extend(event["tid"].as_u64());
            continue;
        }
        let ts = event["ts"].as_f64().unwrap();
        assert!(ts >= now, "{event} after {now}");
        now = ts;
        let tid = event["tid"].as_u64().unwrap();
        assert!(named.contains(&tid), "{event}");
        let stack = stacks.entry(tid).or_default();
        let (span, note) = (event["args"]["span"].as_u64(), event["args"]["note"].as_str());
        let (mut what, mut when, mut thread) = (None, ts, Some(tid - 1));
        match event["ph"].as_str().unwrap() {
            "B" => {
                stack.push(span.unwrap());
                what = note.is_none().then_some("entered");
                assert!(note.is_none_or(|note| ["continued", "entered before"].contains(&note)));
            }
            "E" => {
                assert_eq!(stack.pop(), span, "{event}");
                what = note.is_none().then_some("exited");
                assert!(note.is_none_or(|note| ["goes on", "not exited"].contains(&note)));
                when = event["args"]["exited"].as_f64().unwrap_or(ts);
            }
            "b" => {
                assert_eq!(event["id"], format!("{:#x}", span.unwrap()));
                assert!(spans.insert(span, true).is_none(), "{event}");
                what = Some("created");
            }
            "e" => {
                assert_eq!(spans.insert(span, false), Some(true), "{event}");
                what = note.is_none().then_some("closed");
                assert!(note.is_none_or(|note| note == "still open"));
                thread = None;
            }
            "i" => {
                assert_eq!(event["s"], "t");
                what = Some("emitted");
            }
            "s" => assert!(arrows.insert(event["id"].to_string(), true).is_none(), "{event}"),
            "f" => assert_eq!(arrows.insert(event["id"].to_string(), false), Some(true), "{event}"),
            other => panic!("{other}"),
        }
        let Some(what) = what else { continue };
        let name = match what {
            "emitted" => event["name"].as_str().unwrap().to_owned(),
            _ => span.unwrap().to_string(),
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        seen.push(((!has_times).then_some(when as u64), what, thread, name));
    }
    assert!(stacks.values().all(Vec::is_empty), "{stacks:?}");
    assert!(spans.values().chain(arrows.values()).all(|is_open| !is_open));
    seen.sort();
    seen
}

/// Returns what a capture says that happened.
fn seen_by_capture(trace: &Storage, has_times: bool) -> Vec<Seen> {
    let spans: Vec<_> = trace.all_spans().collect();
    let number = |span| (spans.iter().position(|other| *other == span).unwrap() + 1).to_string();
    let mut seen: Vec<_> = trace
        .timeline()
        .map(|(moment, happening)| {
            let (what, name) = match happening {
                Happening::Created(span) => ("created", number(span)),
                Happening::Entered(span) => ("entered", number(span)),
                Happening::Exited(span) => ("exited", number(span)),
                Happening::Closed(span) => ("closed", number(span)),
                Happening::Emitted(event) => ("emitted", event.message().unwrap().to_owned()),
                other => panic!("{other:?}"),
            };
            assert_eq!(trace.time_of(moment).is_some(), has_times);
            // Without times, a moment is what counts as a microsecond.
            let digits = format!("{moment:?}").replace(|char: char| !char.is_ascii_digit(), "");
            let when = (!has_times).then(|| digits.parse().unwrap());
            (when, what, trace.thread_of(moment).map(|thread| thread as u64), name)
        })
        .collect();
    seen.sort();
    seen
}

fn check(trace: &Storage, has_times: bool) {
    assert_eq!(seen_by_viewer(trace, has_times), seen_by_capture(trace, has_times));
}

#[derive(Debug, Clone)]
enum Step {
    New(u64),
    Enter(u64),
    Exit(u64),
    Drop(u64),
    FollowsFrom(u64, u64),
    Event,
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 1..7_u64;
    prop_oneof![
        4 => id().prop_map(Step::New),
        8 => id().prop_map(Step::Enter),
        6 => id().prop_map(Step::Exit),
        2 => id().prop_map(Step::Drop),
        2 => (id(), id()).prop_map(|(id, source)| Step::FollowsFrom(id, source)),
        3 => Just(Step::Event),
        1 => Just(Step::Take),
    ]
}

/// Runs a program, each step on one of its threads, as far as a receiver takes it.
fn run(program: &[(u64, Step)], storage: &SharedStorage, mut on_trace: impl FnMut(&Storage)) {
    let mut receiver = TracingEventReceiver::capturing(storage);
    let call_sites = r#"[
        {"new_call_site":{"id":0,"kind":"span","name":"span","target":"t","level":"info","fields":[]}},
        {"new_call_site":{"id":1,"kind":"event","name":"event","target":"t","level":"info","fields":["message"]}}
    ]"#;
    for event in serde_json::from_str::<Vec<_>>(call_sites).unwrap() {
        receiver.receive(event);
    }
    for (number, (thread, step)) in program.iter().enumerate() {
        let event = match step {
            Step::New(id) => {
                json!({ "new_span": { "id": id, "metadata_id": 0, "values": {}, "thread": thread } })
            }
            Step::Enter(id) => json!({ "span_entered": { "id": id, "thread": thread } }),
            Step::Exit(id) => json!({ "span_exited": { "id": id, "thread": thread } }),
            Step::Drop(id) => json!({ "span_dropped": { "id": id } }),
            Step::FollowsFrom(id, follows_from) => {
                json!({ "follows_from": { "id": id, "follows_from": follows_from } })
            }
            Step::Event => json!({ "new_event": {
                "metadata_id": 1, "values": { "message": { "string": format!("event {number}") } },
                "thread": thread,
            }}),
            Step::Take => {
                on_trace(&storage.take());
                continue;
            }
        };
        let event: TracingEvent = serde_json::from_value(event).unwrap();
        let _ = receiver.try_receive(event);
    }
    on_trace(&storage.lock());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn file_says_what_happened(
        program in prop::collection::vec((0..3_u64, step()), 0..80),
        has_times: bool,
    ) {
        let storage = SharedStorage::default();
        if has_times {
            storage.keep_times();
        }
        run(&program, &storage, |trace| check(trace, has_times));
    }
}

/// Spans are entered one in another, and exited in the order in which they were entered.
fn exited_in_order(spans: usize) -> SharedStorage {
    let capture = Capture::start();
    let entered: Vec<_> = (0..spans).map(|_| info_span!("span").entered()).collect();
    drop(entered);
    capture.storage().clone()
}

#[test]
fn spans_that_are_not_exited_in_order_are_divided() {
    let trace = exited_in_order(3).lock();
    check(&trace, false);
    let events = read(&trace);
    let slices = events.iter().filter(|event| event["ph"] == "B" || event["ph"] == "E");
    let slices: Vec<_> = slices
        .map(|event| {
            let (ph, args) = (event["ph"].as_str().unwrap(), &event["args"]);
            format!("{ph} {} {}", args["span"], args["note"].as_str().unwrap_or_default())
        })
        .collect();
    let expected = [
        "B 1 ",
        "B 2 ",
        "B 3 ",
        "E 3 goes on",
        "E 2 goes on",
        "E 1 ",
        "B 2 continued",
        "B 3 continued",
        "E 3 goes on",
        "E 2 ",
        "B 3 continued",
        "E 3 ",
    ];
    assert_eq!(slices, expected);
}

#[test]
fn many_spans_that_are_not_exited_in_order_do_not_make_the_square_of_slices() {
    for spans in [33, 34, 35, 100] {
        check(&exited_in_order(spans).lock(), false);
    }
    let trace = exited_in_order(20_000).lock();
    let slices = seen_by_viewer(&trace, false);
    assert_eq!(slices.len(), 80_000);
    assert!(read(&trace).len() < 100_000);
}

#[test]
fn deep_and_hostile_traces_are_in_order() {
    let deep = deep(20_000);
    assert_eq!(seen_by_viewer(&deep, false).len(), 40_001);
    let hostile = hostile_trace();
    assert_eq!(seen_by_viewer(&hostile, false).len(), hostile.timeline().count());
}

#[test]
fn fields_are_what_they_were() {
    let storage = captured(
        r#"[
        {"new_call_site":{"id":0,"kind":"event","name":"event","target":"net","level":"warn",
            "module_path":"app::net","file":"src/net.rs","line":7,
            "fields":["message","a","b","c","d","e","f","g","h","twice","twice"]}},
        {"new_event":{"metadata_id":0,"values":{"message":{"object":"it \u001b said"},
            "a":{"bool":true},"b":{"int":-9223372036854775808},"c":{"u_int":18446744073709551615},
            "d":{"u_int":340282366920938463463374607431768211455},"e":{"float":0.5},
            "f":{"string":"<b>\u202e"},"g":{"error":{"message":"x","source":{"message":"y"}}}}}}
    ]"#,
    );
    let trace = storage.lock();
    let events = read(&trace);
    let event = events.last().unwrap();
    assert_eq!(event["name"], "it \u{1b} said");
    assert_eq!(
        event["args"],
        json!({
            "fields": {
                "message": "it \u{1b} said", "a": true, "b": i64::MIN, "c": u64::MAX,
                "d": "340282366920938463463374607431768211455", "e": 0.5, "f": "<b>\u{202e}",
                "g": "x, caused by: y",
            },
            "level": "WARN", "target": "net", "module": "app::net", "file": "src/net.rs", "line": 7,
        })
    );
}

#[test]
fn fields_of_the_same_name_and_floats_that_are_no_numbers() {
    let capture = Capture::start();
    info!(x = 1, x = "two", nan = f64::NAN, bytes = &[0xde_u8, 0xad][..]);
    let trace = capture.trace();
    let events = read(&trace);
    let fields = json!({ "x": [1, "two"], "nan": "NaN", "bytes": "[de ad]" });
    assert_eq!(events.last().unwrap()["args"]["fields"], fields);
}

#[test]
fn spans_that_follow_from_others_are_linked() {
    let capture = Capture::start();
    let (first, second, never) = (info_span!("first"), info_span!("second"), info_span!("never"));
    second.follows_from(&first);
    second.follows_from(&never);
    first.follows_from(&second);
    let enter = |span: &Span| span.in_scope(|| ());
    enter(&first);
    enter(&first);
    enter(&second);
    let trace = capture.trace();
    check(&trace, false);
    let events = read(&trace);
    let arrows: Vec<_> = events
        .windows(2)
        .filter(|pair| pair[1]["cat"] == "follows_from")
        .map(|pair| format!("{} {}", pair[1]["ph"], pair[0]["name"]))
        .collect();
    assert_eq!(arrows, [r#""s" "first""#, r#""f" "second""#]);
}

/// A guest that says something long once does not make a file of it that is as long as many such.
#[test]
fn fields_of_a_span_are_told_twice_however_often_it_is_entered() {
    let capture = Capture::start();
    let span = info_span!("span", text = "long ".repeat(20_000));
    for _ in 0..1_000 {
        span.in_scope(|| ());
    }
    let json = ChromeTrace::new(&capture.trace()).to_string();
    assert!(json.len() < 1_000_000, "{}", json.len());
}

#[test]
fn file_says_whether_there_are_times_and_what_is_left_out() {
    let about = |trace: &Storage| {
        let json = ChromeTrace::new(trace).title("a \u{202e}title").to_string();
        let mut json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["displayTimeUnit"], "ms");
        assert_eq!(json["traceEvents"][0]["args"]["name"], r"a \u{202e}title");
        json["otherData"].take()
    };
    let capture = Capture::builder().max_nodes(1, spanshot::Keep::Oldest).start();
    (0..3).for_each(|number| info!(number));
    let said = about(&capture.trace());
    assert_eq!(
        (&said["spans"], &said["events"], &said["left_out"]),
        (&json!(0), &json!(1), &json!(2))
    );
    assert_eq!(said["times"], "were not kept: a microsecond stands for a moment");
    let capture = Capture::builder().keep_times().start();
    info!("event");
    assert_eq!(about(&capture.trace())["times"], "since the capture was started");
}

/// What was entered before a trace that was taken is around what it has, in the order of before.
#[test]
fn spans_that_were_entered_before_begin_with_the_trace() {
    let capture = Capture::start();
    let outer = info_span!("outer").entered();
    let inner = info_span!("inner").entered();
    capture.storage().take();
    info!("in both");
    drop(inner);
    drop(outer);
    let trace = capture.trace();
    check(&trace, false);
    let slices: Vec<_> = read(&trace)
        .iter()
        .filter(|event| event["cat"] == "entered")
        .map(|event| format!("{} {} {}", event["ph"], event["name"], event["args"]["note"]))
        .collect();
    let expected = [
        r#""B" "outer" "entered before""#,
        r#""B" "inner" "entered before""#,
        r#""E" "inner" null"#,
        r#""E" "outer" null"#,
    ];
    assert_eq!(slices, expected);
}
