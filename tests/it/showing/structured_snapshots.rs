//! The trace as data, in insta's snapshots of every format.

use insta::{
    assert_json_snapshot, assert_ron_snapshot, assert_toml_snapshot, assert_yaml_snapshot,
    with_settings,
};
use serde::Serialize;
use serde_json::{Value, json};
use spanshot::{Capture, SnapshotSettings, Trace, predicates::*};
use tracing::{Level, field, info, info_span};

use crate::support::{load_plugin, native};

fn trace_of_guest() -> Trace {
    native(|| {
        for _ in 0..2 {
            load_plugin().evaluate("8 / (3 - 3)").unwrap_err();
        }
    })
}

/// What of it is short enough to be read.
fn settings() -> SnapshotSettings {
    SnapshotSettings::new()
        .show_spans(name("evaluate") | name("divide"))
        .show_events(level(Level::ERROR) | level(Level::WARN))
        .stats(true)
        .threads(true)
        .modules(true)
        .redact_matches(r"\d \+ \d|by zero", "some")
}

fn json<T: Serialize + ?Sized>(trace: &T) -> Value {
    serde_json::to_value(trace).unwrap()
}

#[test]
fn trace_of_the_guest_in_every_format() {
    let trace = trace_of_guest();
    with_settings!({ snapshot_path => "../../../snapshots" }, {
        assert_json_snapshot!("trace_in_json", &*trace);
        assert_yaml_snapshot!("trace_in_yaml", &*trace);
        assert_ron_snapshot!("trace_in_ron", &*trace);
        assert_toml_snapshot!("trace_in_toml", &*trace);
    });
}

#[test]
fn trace_with_settings_in_every_format() {
    let trace = trace_of_guest();
    let settings = settings();
    let view = settings.view(&trace);
    with_settings!({ snapshot_path => "../../../snapshots" }, {
        assert_json_snapshot!("view_in_json", &view);
        assert_yaml_snapshot!("view_in_yaml", &view);
        assert_ron_snapshot!("view_in_ron", &view);
        assert_toml_snapshot!("view_in_toml", &view);
    });
}

#[test]
fn redactions_of_insta_select_nodes_and_fields() {
    let trace = trace_of_guest();
    let view = SnapshotSettings::new().depth(0).view(&trace).to_string();
    assert!(view.starts_with("⟨2×⟩ INFO evaluate{expression="), "{view}");
    let settings = SnapshotSettings::new().depth(0);
    let view = settings.view(&trace);
    assert_yaml_snapshot!(view, { ".nodes[].fields.expression" => "[expression]" }, @r#"
    nodes:
      - kind: span
        name: evaluate
        level: INFO
        target: "spanshot_guest::evaluator"
        repeated: 2
        inside: 3
        fields:
          expression: "[expression]"
    "#);
}

#[test]
fn redactions_of_insta_select_at_any_depth() {
    let capture = Capture::builder().keep_times().start();
    info_span!("outer", id = 7).in_scope(|| info_span!("inner", id = 8).in_scope(|| info!("m")));
    let trace = capture.trace();
    let settings = SnapshotSettings::new().times(true);
    assert_yaml_snapshot!(
        settings.view(&trace),
        { ".**.at" => "[at]", ".**.busy" => "[busy]", ".**.idle" => "[idle]", ".**.fields.id" => 0 },
        @r#"
    nodes:
      - kind: span
        name: outer
        level: INFO
        target: "it::showing::structured_snapshots"
        at: "[at]"
        busy: "[busy]"
        idle: "[idle]"
        fields:
          id: 0
        nodes:
          - kind: span
            name: inner
            level: INFO
            target: "it::showing::structured_snapshots"
            at: "[at]"
            busy: "[busy]"
            idle: "[idle]"
            fields:
              id: 0
            nodes:
              - kind: event
                level: INFO
                target: "it::showing::structured_snapshots"
                message: m
                at: "[at]"
    "#
    );
}

#[test]
fn numbers_are_what_every_format_has() {
    let trace = native(|| {
        info!(
            max = u64::MAX,
            min = i64::MIN,
            beyond = i64::MAX as u64 + 1,
            wide = u128::MAX,
            nan = f64::NAN,
            infinite = f64::NEG_INFINITY,
            minus_zero = -0.0,
            yes = true,
            "numbers"
        );
    });
    assert_json_snapshot!(&*trace, @r#"
    {
      "nodes": [
        {
          "kind": "event",
          "level": "INFO",
          "target": "it::showing::structured_snapshots",
          "message": "numbers",
          "fields": {
            "max": "18446744073709551615",
            "min": -9223372036854775808,
            "beyond": "9223372036854775808",
            "wide": "340282366920938463463374607431768211455",
            "nan": "NaN",
            "infinite": "-inf",
            "minus_zero": -0.0,
            "yes": true
          }
        }
      ]
    }
    "#);
    assert_toml_snapshot!(&*trace, @"
    [[nodes]]
    kind = 'event'
    level = 'INFO'
    target = 'it::showing::structured_snapshots'
    message = 'numbers'

    [nodes.fields]
    max = '18446744073709551615'
    min = -9223372036854775808
    beyond = '9223372036854775808'
    wide = '340282366920938463463374607431768211455'
    nan = 'NaN'
    infinite = '-inf'
    minus_zero = -0.0
    yes = true
    ");
    assert_ron_snapshot!(&*trace, @r#"
    {
      "nodes": [
        {
          "kind": "event",
          "level": "INFO",
          "target": "it::showing::structured_snapshots",
          "message": "numbers",
          "fields": {
            "max": "18446744073709551615",
            "min": -9223372036854775808,
            "beyond": "9223372036854775808",
            "wide": "340282366920938463463374607431768211455",
            "nan": "NaN",
            "infinite": "-inf",
            "minus_zero": -0.0,
            "yes": true,
          },
        },
      ],
    }
    "#);
    assert_yaml_snapshot!(&*trace, @r#"
    nodes:
      - kind: event
        level: INFO
        target: "it::showing::structured_snapshots"
        message: numbers
        fields:
          max: "18446744073709551615"
          min: -9223372036854775808
          beyond: "9223372036854775808"
          wide: "340282366920938463463374607431768211455"
          "nan": "NaN"
          infinite: "-inf"
          minus_zero: -0
          "yes": true
    "#);
}

#[test]
fn there_are_no_nulls() {
    fn has_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(values) => values.iter().any(has_null),
            Value::Object(map) => map.values().any(has_null),
            _ => false,
        }
    }
    let all =
        || SnapshotSettings::new().stats(true).times(true).threads(true).lines(true).modules(true);
    let nothing = native(|| ());
    assert_eq!(json(&*nothing), json!({ "nodes": [] }));
    let empty = native(|| {
        let _span = info_span!("s", late = field::Empty);
        info!("");
    });
    for trace in [nothing, empty, trace_of_guest()] {
        assert!(!has_null(&json(&*trace)));
        assert!(!has_null(&json(&all().view(&trace))));
    }
}

#[test]
fn no_field_is_lost_to_another_of_its_name() {
    // What `tracing` itself can declare twice, and a name that looks like a second one.
    let trace = native(|| info!(a = 1, a = 2, "a#2" = 3, a = 4, "m"));
    let text = serde_json::to_string(&*trace).unwrap();
    let fields = &json(&*trace)["nodes"][0]["fields"];
    assert_eq!(fields.as_object().unwrap().len(), 4, "{text}");
    assert_eq!(fields["a"], 1);
    assert_eq!(fields["a#2"], 3, "{text}");
    let mut values: Vec<_> = fields.as_object().unwrap().values().cloned().collect();
    values.sort_by_key(Value::as_i64);
    assert_eq!(values, [json!(1), json!(2), json!(3), json!(4)]);

    // What was replaced is listed under the name that it has there, if it is shown.
    let settings = SnapshotSettings::new().redact_matches("[24m]", "x");
    let node = &json(&settings.view(&trace))["nodes"][0];
    assert_eq!(node["normalized"], json!(["message", "a#3", "a#4"]));
    let node = &json(&settings.fields(false).view(&trace))["nodes"][0];
    assert_eq!((&node["normalized"], node.get("fields")), (&json!(["message"]), None));
}

#[test]
fn data_is_the_same_in_two_runs_and_survives_every_reader() {
    let settings = settings();
    let [first, second] = [trace_of_guest(), trace_of_guest()];
    let text = |trace: &Trace| serde_json::to_string(&settings.view(trace)).unwrap();
    assert_eq!(text(&first), text(&second));
    assert_eq!(serde_json::from_str::<Value>(&text(&first)).unwrap(), json(&settings.view(&first)));
    assert_eq!(json(&*first), json(&SnapshotSettings::new().view(&first)));

    // A part has the data that it has in the whole.
    let whole = json(&SnapshotSettings::new().folds(false).view(&first));
    let root = first.root_spans().next().unwrap();
    assert_eq!(json(&root), whole["nodes"][0]);
    assert_eq!(json(&SnapshotSettings::new().view(&root))["nodes"][0], whole["nodes"][0]);
}

#[test]
fn folded_nodes_and_deep_ones_are_counted() {
    let trace = native(|| {
        for _ in 0..3 {
            info_span!("s").in_scope(|| info!("in it"));
            info!("m");
        }
        info!("m");
    });
    let settings = SnapshotSettings::new().depth(0);
    assert_yaml_snapshot!(settings.view(&trace), @r#"
    nodes:
      - kind: group
        repeated: 3
        nodes:
          - kind: span
            name: s
            level: INFO
            target: "it::showing::structured_snapshots"
            inside: 1
          - kind: event
            level: INFO
            target: "it::showing::structured_snapshots"
            message: m
      - kind: event
        level: INFO
        target: "it::showing::structured_snapshots"
        message: m
    "#);
}
