//! Snapshots of what crossed the boundary.

use std::{collections::HashSet, error::Error};

use insta::{
    assert_json_snapshot, assert_ron_snapshot, assert_toml_snapshot, assert_yaml_snapshot,
};
use proptest::prelude::*;
use serde_json::json;
use spanshot::{
    SharedStorage, StreamSnapshot, TracedValue, TracedValues, TracingEvent, TracingEventReceiver,
    assert_trace_snapshot,
};
use tracing::{debug_span, error, field, info, info_span, warn};

use crate::{
    boundary::guest::{decode, frames_of_guest},
    support::{direct, evaluator, events_of, feed_events, frames_of, on_thread, through_json},
};

fn text(events: &[TracingEvent]) -> String {
    StreamSnapshot::new(events).to_string()
}

fn structure(events: &[TracingEvent]) -> String {
    serde_json::to_string_pretty(&StreamSnapshot::new(events)).unwrap()
}

fn normalized(mut events: Vec<TracingEvent>) -> Vec<TracingEvent> {
    TracingEvent::normalize(&mut events);
    events
}

/// Reads events, as they may come from anyone.
fn read(events: serde_json::Value) -> Vec<TracingEvent> {
    serde_json::from_value(events).unwrap()
}

/// A program with all kinds of records.
fn program() {
    let connect = info_span!(target: "net", "connect", port = 8_080, late = field::Empty);
    let retry = debug_span!(target: "net", parent: None, "http retry");
    retry.follows_from(&connect);
    connect.in_scope(|| {
        warn!(target: "net", millis = 850, "slow");
        info!(target: "net", parent: &retry, ready = true);
        info!(target: "net", parent: None, "alone");
    });
    connect.record("late", "x y");
    on_thread(|| {
        let _entered = retry.clone().entered();
        info!(name: "custom", target: "net", "elsewhere");
    });
}

#[test]
fn every_kind_of_record_has_its_line() {
    let events = events_of(program);
    assert_trace_snapshot!(StreamSnapshot::new(&events), @r#"
    call site 0: INFO span connect{port, late} in net
    new span 1 of call site 0: INFO connect{port=8080}
    call site 1: DEBUG span "http retry"{} in net
    new span 2 of call site 1 at the root: DEBUG "http retry"{}
    span 2 "http retry": follows from span 1 connect
    span 1 connect: entered
    call site 2: WARN event{message, millis} in net
    event of call site 2: WARN slow millis=850
    call site 3: INFO event{ready} in net
    event of call site 3 in span 2 "http retry": INFO ready=true
    call site 4: INFO event{message} in net
    event of call site 4 at the root: INFO alone
    span 1 connect: exited
    span 1 connect: recorded late="x y"
    span 2 "http retry": cloned
    thread 1: span 2 "http retry": entered
    call site 5: INFO event custom{message} in net
    thread 1: event of call site 5: INFO elsewhere
    thread 1: span 2 "http retry": exited
    span 2 "http retry": dropped
    span 2 "http retry": dropped
    span 1 connect: dropped
    "#);
}

#[test]
fn stream_of_the_guest() {
    for (name, expression) in [
        ("stream_of_the_guest", "(1 + 2) * 3"),
        ("stream_of_the_guest_with_an_error", "8 / (3 - 3)"),
    ] {
        let events = decode(&frames_of_guest(expression)).unwrap();
        assert_trace_snapshot!(name, &events[..]);
        let native = text(&events_of(|| drop(evaluator::evaluate(expression))));
        assert_eq!(
            native.replace("it::support::evaluator", "spanshot_guest::evaluator"),
            text(&events)
        );
    }
}

#[test]
fn encodings_carry_the_same_stream() {
    let events = events_of(program);
    assert_eq!(text(&decode(&frames_of(program)).unwrap()), text(&events));
    assert_eq!(text(&through_json(&events)), text(&events));
}

#[test]
fn what_a_sender_numbered_before_is_not_seen() {
    let expected = text(&events_of(program));
    let before = || {
        on_thread(|| info_span!("before").in_scope(|| info!("before")));
        on_thread(|| drop(info_span!("before, too")));
    };
    let events = events_of(|| {
        before();
        program();
    });
    let tail = &events[events_of(before).len()..];
    assert!(matches!(tail[0], TracingEvent::NewCallSite { id: 3, .. }), "{:?}", tail[0]);
    assert!(matches!(tail[1], TracingEvent::NewSpan { id: 3, thread: 2, .. }), "{:?}", tail[1]);
    assert_eq!(text(tail), expected);
}

#[test]
fn lines_of_the_source_are_not_seen() {
    let [first, second] = [events_of(|| info!("same")), events_of(|| info!("same"))];
    assert_ne!(normalized(first.clone()), first);
    assert_eq!(text(&first), text(&second));

    let at_line = |line: u32| {
        let data = json!({
            "id": 0, "kind": "event", "name": "log event", "target": "log", "level": "warn",
            "fields": ["message", "log.target", "log.module_path", "log.file", "log.line"],
        });
        let values = json!({
            "message": { "object": "from a library" }, "log.target": { "string": "lib" },
            "log.file": { "string": "lib.rs" }, "log.line": { "u_int": line },
        });
        read(json!([
            { "new_call_site": data },
            { "new_event": { "metadata_id": 0, "values": values } },
        ]))
    };
    assert_trace_snapshot!(at_line(7), @r#"
    call site 0: WARN event "log event"{message, log.target, log.module_path, log.file, log.line} in log
    event of call site 0: WARN from a library log.target="lib"
    "#);
    assert_eq!(text(&at_line(7)), text(&at_line(8)));
    // What a receiver makes of it depends on the call site's name.
    let trace = direct(feed_events(normalized(at_line(7))));
    assert_eq!(trace.all_events().next().unwrap().metadata().target(), "lib");
}

#[test]
fn invalid_stream_is_shown_as_it_is() {
    let site = |id: u64, kind: &str, name: &str| {
        json!({ "new_call_site": {
            "id": id, "kind": kind, "name": name, "target": "t", "level": "info", "fields": ["x"],
        } })
    };
    let span = |id: u64, site: u64| {
        json!({ "new_span": {
            "id": id, "parent_id": 99, "metadata_id": site, "values": { "x": { "int": -1 } },
        } })
    };
    let events = read(json!([
        { "span_exited": { "id": u64::MAX } },
        span(5, 70),
        { "span_entered": { "id": 5, "thread": 9 } },
        site(70, "event", "event src/lib.rs:3"),
        site(71, "span", "span"),
        span(6, 70),
        span(7, 71),
        span(7, 71),
        { "span_dropped": { "id": 7 } },
        { "span_dropped": { "id": 7 } },
        span(7, 71),
        site(71, "span", "other code"),
        span(8, 71),
        { "span_cloned": { "id": 7 } },
        { "follows_from": { "id": 0, "follows_from": 7 } },
        { "values_recorded": { "id": 7, "values": {} } },
        { "values_recorded": { "id": 99, "values": { "x": { "bool": true } } } },
        { "new_event": { "metadata_id": 71, "parent": 99, "is_root": true, "values": {} } },
        { "new_event": { "metadata_id": 1, "is_root": true, "values": { "message": { "string": "" } } } },
    ]));
    assert_trace_snapshot!(events, @r#"
    unknown span 1: exited
    new span 3 of unknown call site 0 in unknown span 2: {x=-1}
    thread 1: span 3: entered
    call site 0: INFO event{x} in t
    call site 1: INFO span span{x} in t
    new span 4 of call site 0 (of events) in unknown span 2: INFO {x=-1}
    new span 5 of call site 1 in unknown span 2: INFO span{x=-1}
    new span 5 of call site 1 in unknown span 2: INFO span{x=-1}
    span 5 span: dropped
    span 5 span: dropped
    new span 6 of call site 1 in unknown span 2: INFO span{x=-1}
    call site 1: INFO span "other code"{x} in t
    new span 7 of call site 1 in unknown span 2: INFO "other code"{x=-1}
    span 6 span: cloned
    unknown span 8: follows from span 6 span
    span 6 span: recorded nothing
    unknown span 2: recorded x=true
    event of call site 1 (of spans) in unknown span 2: INFO
    event of unknown call site 2 at the root: ``
    "#);
}

#[test]
fn empty_stream_says_so() {
    assert_trace_snapshot!(Vec::<TracingEvent>::new(), @"(the stream is empty)");
}

/// A stream in which everything that a program may choose is this text.
fn hostile(text: &str) -> Vec<TracingEvent> {
    let site = |id: u64, kind: &str| {
        json!({ "new_call_site": {
            "id": id, "kind": kind, "name": text, "target": text, "level": "error",
            "module_path": text, "file": text, "fields": [text, "message"],
        } })
    };
    let error = json!({ "message": text, "source": { "message": text, "source": null } });
    let mut events = read(json!([
        site(0, "span"),
        { "new_span": { "id": 1, "metadata_id": 0, "values": { text: { "string": text } } } },
        { "values_recorded": { "id": 1, "values": { text: { "object": text } } } },
        { "follows_from": { "id": 1, "follows_from": 1 } },
        site(1, "event"),
        { "new_event": { "metadata_id": 1, "parent": 1, "values": {
            "message": { "object": text }, text: { "error": error },
        } } },
    ]));
    let values = [(text.to_owned(), TracedValue::from(text.as_bytes()))];
    let mut last = events[5].clone();
    if let TracingEvent::NewEvent { values: place, .. } = &mut last {
        *place = values.into_iter().collect::<TracedValues<_>>();
    }
    events.push(last);
    events
}

#[test]
fn hostile_text_keeps_to_its_place() {
    assert_trace_snapshot!(hostile("<script>alert(1)</script>"), @r#"
    call site 0: ERROR span "<script>alert(1)</script>"{"<script>alert(1)</script>", message} in "<script>alert(1)</script>"
    new span 1 of call site 0: ERROR "<script>alert(1)</script>"{"<script>alert(1)</script>"="<script>alert(1)</script>"}
    span 1 "<script>alert(1)</script>": recorded "<script>alert(1)</script>"=<script>alert(1)</script>
    span 1 "<script>alert(1)</script>": follows from span 1 "<script>alert(1)</script>"
    call site 1: ERROR event "<script>alert(1)</script>"{"<script>alert(1)</script>", message} in "<script>alert(1)</script>"
    event of call site 1 in span 1 "<script>alert(1)</script>": ERROR <script>alert(1)</script> "<script>alert(1)</script>"=<script>alert(1)</script>, caused by: <script>alert(1)</script>
    event of call site 1 in span 1 "<script>alert(1)</script>": ERROR "<script>alert(1)</script>"=[3c 73 63 72 69 70 74 3e 61 6c 65 72 74 28 31 29 3c 2f 73 63 72 69 70 74 3e]
    "#);
    assert_trace_snapshot!(hostile("\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"), @r#"
    call site 0: ERROR span "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"{"\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped", message} in "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"
    new span 1 of call site 0: ERROR "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"{"\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"="\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"}
    span 1 "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped": recorded "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"=\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped
    span 1 "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped": follows from span 1 "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"
    call site 1: ERROR event "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"{"\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped", message} in "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"
    event of call site 1 in span 1 "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped": ERROR \u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"=\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped, caused by: \u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped
    event of call site 1 in span 1 "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped": ERROR "\u{1b}[2J\u{1b}]0;x\u{7}\n\u{202e}span 1: dropped"=[1b 5b 32 4a 1b 5d 30 3b 78 07 0a e2 80 ae 73 70 61 6e 20 31 3a 20 64 72 6f 70 70 65 64]
    "#);
}

#[test]
fn hostile_text_is_data_in_every_format() {
    let events = hostile("\u{1b}[2J\"'\n- x: }])\u{7}");
    let event = StreamSnapshot::new(&events[5..6]);
    assert_yaml_snapshot!(event, @r#"
    records:
      - record: event
        call_site: 0
        parent: unknown 1
        message: "\u001b[2J\"'\n- x: }])\u0007"
        fields:
          "\u001b[2J\"'\n- x: }])\u0007":
            - "\u001b[2J\"'\n- x: }])\u0007"
            - "\u001b[2J\"'\n- x: }])\u0007"
    "#);
    assert_json_snapshot!(event, @r#"
    {
      "records": [
        {
          "record": "event",
          "call_site": 0,
          "parent": "unknown 1",
          "message": "\u001b[2J\"'\n- x: }])\u0007",
          "fields": {
            "\u001b[2J\"'\n- x: }])\u0007": [
              "\u001b[2J\"'\n- x: }])\u0007",
              "\u001b[2J\"'\n- x: }])\u0007"
            ]
          }
        }
      ]
    }
    "#);
    assert_ron_snapshot!(event, @r#"
    {
      "records": [
        {
          "record": "event",
          "call_site": 0,
          "parent": "unknown 1",
          "message": "\u{1b}[2J\"\'\n- x: }])\u{7}",
          "fields": {
            "\u{1b}[2J\"\'\n- x: }])\u{7}": [
              "\u{1b}[2J\"\'\n- x: }])\u{7}",
              "\u{1b}[2J\"\'\n- x: }])\u{7}",
            ],
          },
        },
      ],
    }
    "#);
    assert_toml_snapshot!(event, @r#"
    [[records]]
    record = 'event'
    call_site = 0
    parent = 'unknown 1'
    message = """
    \u001B[2J"'
    - x: }])\u0007"""

    [records.fields]
    "\u001B[2J\"'\n- x: }])\u0007" = [
        """
    \u001B[2J"'
    - x: }])\u0007""",
        """
    \u001B[2J"'
    - x: }])\u0007""",
    ]
    "#);
}

#[test]
fn long_text_is_cut_but_all_of_it_counts() {
    let mut long = "\u{1f980}".repeat(250_000);
    let events = hostile(&long);
    assert!(text(&events).len() < 30_000 && structure(&events).len() < 2_000_000);
    long.pop();
    long.push('x');
    let (others, other_structure) = (text(&hostile(&long)), structure(&hostile(&long)));
    for (line, other) in text(&events).lines().zip(others.lines()) {
        assert_ne!(line, other);
    }
    assert_ne!(structure(&events), other_structure);

    let value = |len: usize| events_of(|| info!(target: "t", text = "x".repeat(len)));
    assert_eq!(
        text(&value(300)).lines().nth(1).unwrap().len(),
        "event of call site 0: INFO text=".len() + 302
    );
    assert!(
        text(&value(301)).ends_with("x\"⟨1 more characters, digest decb10cd579d56ff⟩"),
        "{}",
        text(&value(301))
    );
}

/// A stream with values of all types.
fn values() -> Vec<TracingEvent> {
    events_of(|| {
        let span =
            info_span!(target: "t", "span", wide = u128::MAX, max = u64::MAX, min = i64::MIN);
        on_thread(|| {
            let error = "x".parse::<i32>().unwrap_err();
            let error = &error as &(dyn Error + 'static);
            error!(
                target: "t", parent: &span, nan = f64::NAN, half = 0.5, error, bytes = &[1_u8, 255][..],
                debug = ?Some("x"), no = false, "quoted \"message\""
            );
        });
        info!(target: "t", parent: None, "");
    })
}

#[test]
fn structure_in_yaml() {
    assert_yaml_snapshot!(StreamSnapshot::new(&values()), @r#"
    records:
      - record: call_site
        call_site: 0
        kind: span
        level: INFO
        name: span
        target: t
        fields:
          - wide
          - max
          - min
      - record: new_span
        span: 1 span
        call_site: 0
        level: INFO
        fields:
          wide: "340282366920938463463374607431768211455"
          max: "18446744073709551615"
          min: -9223372036854775808
      - record: call_site
        call_site: 1
        kind: event
        level: ERROR
        target: t
        fields:
          - message
          - "nan"
          - half
          - error
          - bytes
          - debug
          - "no"
      - record: event
        thread: 1
        call_site: 1
        level: ERROR
        parent: 1 span
        message: "quoted \"message\""
        fields:
          "nan": "NaN"
          half: 0.5
          error:
            - invalid digit found in string
          bytes: "[01 ff]"
          debug: "Some(\"x\")"
          "no": false
      - record: call_site
        call_site: 2
        kind: event
        level: INFO
        target: t
        fields:
          - message
      - record: event
        call_site: 2
        level: INFO
        parent: root
        message: ""
      - record: dropped
        span: 1 span
    "#);
}

#[test]
fn structure_in_json() {
    assert_json_snapshot!(StreamSnapshot::new(&events_of(program)[4..8]), {
        ".records[].target" => "[target]",
        ".records[].fields.millis" => "[millis]",
    }, @r#"
    {
      "records": [
        {
          "record": "follows_from",
          "span": "unknown 1",
          "follows_from": "unknown 2"
        },
        {
          "record": "entered",
          "span": "unknown 2"
        },
        {
          "record": "call_site",
          "call_site": 0,
          "kind": "event",
          "level": "WARN",
          "target": "[target]",
          "fields": [
            "message",
            "millis"
          ]
        },
        {
          "record": "event",
          "call_site": 0,
          "level": "WARN",
          "message": "slow",
          "fields": {
            "millis": "[millis]"
          }
        }
      ]
    }
    "#);
}

#[test]
fn structure_in_ron() {
    assert_ron_snapshot!(StreamSnapshot::new(&values()), @r#"
    {
      "records": [
        {
          "record": "call_site",
          "call_site": 0,
          "kind": "span",
          "level": "INFO",
          "name": "span",
          "target": "t",
          "fields": [
            "wide",
            "max",
            "min",
          ],
        },
        {
          "record": "new_span",
          "span": "1 span",
          "call_site": 0,
          "level": "INFO",
          "fields": {
            "wide": "340282366920938463463374607431768211455",
            "max": "18446744073709551615",
            "min": -9223372036854775808,
          },
        },
        {
          "record": "call_site",
          "call_site": 1,
          "kind": "event",
          "level": "ERROR",
          "target": "t",
          "fields": [
            "message",
            "nan",
            "half",
            "error",
            "bytes",
            "debug",
            "no",
          ],
        },
        {
          "record": "event",
          "thread": 1,
          "call_site": 1,
          "level": "ERROR",
          "parent": "1 span",
          "message": "quoted \"message\"",
          "fields": {
            "nan": "NaN",
            "half": 0.5,
            "error": [
              "invalid digit found in string",
            ],
            "bytes": "[01 ff]",
            "debug": "Some(\"x\")",
            "no": false,
          },
        },
        {
          "record": "call_site",
          "call_site": 2,
          "kind": "event",
          "level": "INFO",
          "target": "t",
          "fields": [
            "message",
          ],
        },
        {
          "record": "event",
          "call_site": 2,
          "level": "INFO",
          "parent": "root",
          "message": "",
        },
        {
          "record": "dropped",
          "span": "1 span",
        },
      ],
    }
    "#);
}

#[test]
fn structure_in_toml() {
    assert_toml_snapshot!(StreamSnapshot::new(&values()), @r#"
    [[records]]
    record = 'call_site'
    call_site = 0
    kind = 'span'
    level = 'INFO'
    name = 'span'
    target = 't'
    fields = [
        'wide',
        'max',
        'min',
    ]

    [[records]]
    record = 'new_span'
    span = '1 span'
    call_site = 0
    level = 'INFO'

    [records.fields]
    wide = '340282366920938463463374607431768211455'
    max = '18446744073709551615'
    min = -9223372036854775808

    [[records]]
    record = 'call_site'
    call_site = 1
    kind = 'event'
    level = 'ERROR'
    target = 't'
    fields = [
        'message',
        'nan',
        'half',
        'error',
        'bytes',
        'debug',
        'no',
    ]

    [[records]]
    record = 'event'
    thread = 1
    call_site = 1
    level = 'ERROR'
    parent = '1 span'
    message = 'quoted "message"'

    [records.fields]
    nan = 'NaN'
    half = 0.5
    error = ['invalid digit found in string']
    bytes = '[01 ff]'
    debug = 'Some("x")'
    no = false

    [[records]]
    record = 'call_site'
    call_site = 2
    kind = 'event'
    level = 'INFO'
    target = 't'
    fields = ['message']

    [[records]]
    record = 'event'
    call_site = 2
    level = 'INFO'
    parent = 'root'
    message = ''

    [[records]]
    record = 'dropped'
    span = '1 span'
    "#);
}

const IDS: u64 = 4;

/// One record after another, as likely as not in a wrong place.
fn record() -> impl Strategy<Value = serde_json::Value> {
    let id = || 1..=IDS;
    let site = || 0..4_u64;
    let thread = || 0..3_u64;
    let parent = || prop_oneof![3 => Just((None, false)), 1 => Just((None, true)), 2 => id().prop_map(|id| (Some(id), false))];
    let values = || (0..3_i64).prop_map(|x| json!({ "x": { "int": x } }));
    prop_oneof![
        2 => (site(), 0..2_u64).prop_map(|(id, version)| {
            let (kind, name) = if id % 2 == 0 { ("span", "s") } else { ("event", "event a.rs:1") };
            json!({ "new_call_site": {
                "id": id, "kind": kind, "name": name, "target": format!("t{version}"),
                "level": "info", "line": id, "fields": ["x"],
            } })
        }),
        4 => (id(), parent(), site(), values(), thread()).prop_map(
            |(id, (parent_id, is_root), metadata_id, values, thread)| json!({ "new_span": {
                "id": id, "parent_id": parent_id, "is_root": is_root, "metadata_id": metadata_id,
                "values": values, "thread": thread,
            } })
        ),
        2 => (parent(), site(), values(), thread()).prop_map(
            |((parent, is_root), metadata_id, values, thread)| json!({ "new_event": {
                "parent": parent, "is_root": is_root, "metadata_id": metadata_id,
                "values": values, "thread": thread,
            } })
        ),
        2 => (id(), thread()).prop_map(|(id, thread)| json!({ "span_entered": { "id": id, "thread": thread } })),
        2 => (id(), thread()).prop_map(|(id, thread)| json!({ "span_exited": { "id": id, "thread": thread } })),
        1 => id().prop_map(|id| json!({ "span_cloned": { "id": id } })),
        4 => id().prop_map(|id| json!({ "span_dropped": { "id": id } })),
        1 => (id(), id()).prop_map(|(id, from)| json!({ "follows_from": { "id": id, "follows_from": from } })),
        1 => (id(), values()).prop_map(|(id, values)| json!({ "values_recorded": { "id": id, "values": values } })),
    ]
}

fn stream() -> impl Strategy<Value = Vec<serde_json::Value>> {
    prop::collection::vec(record(), 0..60)
}

/// Gives other IDs to everything that has one: no two the same.
fn renumbered(events: &[serde_json::Value], factor: u64, offset: u64) -> Vec<TracingEvent> {
    let mut events = events.to_vec();
    for event in &mut events {
        let (_, fields) = event.as_object_mut().unwrap().iter_mut().next().unwrap();
        for key in ["id", "follows_from", "parent", "parent_id", "metadata_id", "thread"] {
            if let Some(id) = fields.get_mut(key).filter(|id| !id.is_null()) {
                *id = id.as_u64().unwrap().wrapping_mul(factor | 1).wrapping_add(offset).into();
            }
        }
    }
    read(events.into())
}

proptest! {
    #[test]
    fn ids_are_not_seen(events in stream(), factor: u64, offset: u64) {
        let original = read(events.clone().into());
        let others = renumbered(&events, factor, offset);
        prop_assert_eq!(text(&others), text(&original));
        prop_assert_eq!(structure(&others), structure(&original));
        prop_assert_eq!(text(&original).lines().count(), original.len().max(1));

        let normal = normalized(original.clone());
        prop_assert_eq!(text(&normal), text(&original));
        prop_assert_eq!(structure(&normal), structure(&original));
        prop_assert_eq!(&normalized(others), &normal);
        prop_assert_eq!(&normalized(normal.clone()), &normal);
    }

    #[test]
    fn normal_stream_makes_the_same_trace(events in stream(), offset: u64) {
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let mut created = HashSet::new();
        let mut valid = vec![];
        for event in read(events.into()) {
            if mentioned(&event).iter().all(|id| created.contains(id))
                && receiver.try_receive(event.clone()).is_ok()
            {
                if let TracingEvent::NewSpan { id, .. } = event {
                    created.insert(id);
                }
                valid.push(event);
            }
        }
        let normal = normalized(valid);
        let trace = direct(feed_events(through_json(&normal)));
        prop_assert_eq!(trace.to_string(), storage.lock().to_string());
    }
}

/// Spans that a record takes for known.
fn mentioned(event: &TracingEvent) -> Vec<u64> {
    match event {
        TracingEvent::NewSpan { parent_id: parent, .. } | TracingEvent::NewEvent { parent, .. } => {
            parent.iter().copied().collect()
        }
        TracingEvent::FollowsFrom { id, follows_from } => vec![*id, *follows_from],
        TracingEvent::SpanEntered { id, .. }
        | TracingEvent::SpanExited { id, .. }
        | TracingEvent::SpanCloned { id }
        | TracingEvent::SpanDropped { id }
        | TracingEvent::ValuesRecorded { id, .. } => vec![*id],
        TracingEvent::NewCallSite { .. } => vec![],
    }
}
