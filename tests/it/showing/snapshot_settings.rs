//! Every setting, over one trace of the guest.

use std::{panic, thread};

use spanshot::{
    Capture, SnapshotSettings, Trace, assert_trace_snapshot, capture::CapturedNode, predicates::*,
};
use tracing::{Level, info, info_span};

use crate::support::{load_plugin, native};

/// The guest divides by zero, and then does the same three times.
fn evaluate() {
    let plugin = load_plugin();
    info_span!(target: "host", "host", job = 7).in_scope(|| {
        plugin.evaluate("8 / (3 - 3)").unwrap_err();
        for _ in 0..3 {
            plugin.evaluate("-2").unwrap();
        }
    });
}

fn trace() -> Trace {
    native(evaluate)
}

fn shown(settings: &SnapshotSettings, trace: &Trace) -> String {
    settings.view(trace).to_string()
}

macro_rules! assert_settings_snapshots {
    ($($name:literal: $settings:expr),+ $(,)?) => {{
        let trace = trace();
        let default = trace.to_string();
        assert_eq!(shown(&SnapshotSettings::new(), &trace), default);
        $(
            let settings = $settings;
            assert_ne!(shown(&settings, &trace), default, $name);
            assert_trace_snapshot!($name, settings.view(&trace));
        )+
    }};
}

fn new() -> SnapshotSettings {
    SnapshotSettings::new()
}

#[test]
fn default_settings() {
    assert_trace_snapshot!("settings_default", trace());
}

#[test]
fn what_is_shown() {
    assert_settings_snapshots! {
        "settings_no_levels": new().levels(false),
        "settings_targets": new().targets(true),
        "settings_modules": new().modules(true),
        "settings_targets_and_modules": new().targets(true).modules(true),
        "settings_no_fields": new().fields(false),
        "settings_stats": new().stats(true),
        "settings_threads": new().threads(true),
        "settings_no_folds": new().folds(false),
        "settings_ascii": new().ascii(true),
        "settings_ascii_with_marks": new().ascii(true).stats(true).redact("lhs", "lhs").depth(2),
        "settings_depth_0": new().depth(0),
        "settings_depth_2": new().depth(2),
        "settings_max_value_chars": new().max_value_chars(5),
    }
}

#[test]
fn what_is_hidden() {
    assert_settings_snapshots! {
        "settings_filter": new().filter(|node| *node.metadata().level() <= Level::INFO),
        "settings_two_filters": new()
            .filter(|node| node.metadata().target() != "host")
            .filter(|node| matches!(node, CapturedNode::Span(_))),
        "settings_show_spans": new().show_spans(name("evaluate") | name("divide")),
        "settings_show_events": new().show_events(level(Level::WARN)),
    }
    let trace = trace();
    assert_eq!(shown(&new().filter(|_| false), &trace), "(nothing is shown)");
}

#[test]
fn what_has_no_order() {
    assert_settings_snapshots! {
        "settings_unordered": new().unordered(|node| node.metadata().name() == "evaluate"),
        "settings_unordered_spans": new().unordered_spans(name("parse")),
        "settings_unordered_events": new().unordered_events(level(Level::WARN)).folds(false),
    }
}

#[test]
fn what_is_replaced() {
    assert_settings_snapshots! {
        "settings_redact": new().redact("expression", "an expression").redact("message", "text"),
        "settings_redact_matches": new().redact_matches(r"\d+", "n"),
        "settings_redact_with": new().redact_with(|node, name, value| {
            let is_zero = name == "rhs" && value.as_float() == Some(0.0);
            is_zero.then(|| format!("zero of {}", node.metadata().name()))
        }),
    }
}

#[test]
fn recognized_values_are_replaced_in_a_trace() {
    let trace = native(|| {
        info!(at = "0x7ffd1234abcd", id = %"67e55044-10b1-426f-9247-bb680e5fe0c8", "took 1.5ms");
        info!("since 2026-02-03T04:05:06Z");
    });
    assert_eq!(
        shown(&new().redact_pointers(), &trace).lines().next(),
        Some("INFO took 1.5ms at=\"⟨pointer⟩\" id=67e55044-10b1-426f-9247-bb680e5fe0c8")
    );
    assert_trace_snapshot!(
        new().redact_pointers().redact_uuids().redact_durations().redact_timestamps().view(&trace),
        @r#"
    INFO took ⟨duration⟩ at="⟨pointer⟩" id=⟨uuid⟩
    INFO since ⟨timestamp⟩
    "#
    );
}

/// What stands between the last marks of a line.
fn last_mark(line: &str) -> &str {
    let (_, mark) = line.rsplit_once('⟨').unwrap_or_else(|| panic!("{line}"));
    mark.strip_suffix('⟩').unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn lines_are_those_of_the_sources() {
    let trace = trace();
    let tree = shown(&new().lines(true).folds(false), &trace);
    let default = shown(&new().folds(false), &trace);
    assert_eq!(tree.lines().count(), default.lines().count());
    for (i, (line, without)) in tree.lines().zip(default.lines()).enumerate() {
        let (file, number) = last_mark(line).rsplit_once(':').unwrap();
        let here = file!().replace('\\', "/");
        let file = file.replace("\\\\", "/");
        assert!(
            if i == 0 { here.ends_with(&file) } else { file.contains("src/evaluator/") },
            "{line}"
        );
        assert!(number.parse::<u32>().unwrap() > 0);
        assert_eq!(line.rsplit_once(" ⟨").unwrap().0, without);
    }
}

/// Whether it is the output of `Debug` for a duration.
fn is_duration(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    ["ns", "µs", "ms", "s"].contains(&unit)
        && text.strip_suffix(unit).is_some_and(|number| number.parse::<f64>().is_ok())
}

#[test]
fn times_are_shown_where_they_were_kept() {
    let capture = Capture::builder().keep_times().start();
    evaluate();
    let trace = capture.trace();
    // No two nodes have the same times, and none is folded.
    let tree = shown(&new().times(true), &trace);
    let default = shown(&new().folds(false), &trace);
    assert_eq!(tree.lines().count(), default.lines().count());
    for (line, without) in tree.lines().zip(default.lines()) {
        let is_span = without.contains('{');
        let times: Vec<(&str, &str)> =
            last_mark(line).split(", ").map(|time| time.split_once(' ').unwrap()).collect();
        let (names, durations): (Vec<_>, Vec<_>) = times.into_iter().unzip();
        assert_eq!(names, if is_span { vec!["at", "busy", "idle"] } else { vec!["at"] }, "{line}");
        assert!(durations.into_iter().all(is_duration), "{line}");
        assert_eq!(line.rsplit_once(" ⟨").unwrap().0, without);
    }
    let data = serde_json::to_value(new().times(true).view(&trace)).unwrap();
    let host = &data["nodes"][0];
    assert!(["at", "busy", "idle"].iter().all(|key| host[key].as_f64().unwrap() >= 0.0), "{host}");

    // Where no times were kept, there are none to show.
    let without = native(evaluate);
    assert_eq!(shown(&new().times(true).folds(false), &without), default);
}

#[test]
fn threads_are_numbered_as_they_came() {
    let capture = Capture::start();
    info!("here");
    thread::spawn(capture.carry(|| info_span!("there").in_scope(|| info!("in it"))))
        .join()
        .unwrap();
    assert_trace_snapshot!(new().threads(true).view(&capture.trace()), @r"
    INFO here ⟨thread 0⟩
    INFO there{} ⟨thread 1⟩
    └─ INFO in it ⟨thread 1⟩
    ");
}

#[test]
fn long_values_are_cut_with_a_digest_of_all_of_them() {
    let shown = |settings: SnapshotSettings, last: char| {
        let text = format!("{}{last}", "0123456789".repeat(30));
        shown(&settings, &native(|| info!(text, short = "x", "{text}")))
    };
    let (cut, other) = (shown(new().max_value_chars(3), 'a'), shown(new().max_value_chars(3), 'b'));
    assert!(cut.starts_with("INFO 012⟨298 more characters, digest "), "{cut}");
    assert!(cut.contains(" text=\"012\"⟨298 more characters, digest "), "{cut}");
    assert!(cut.ends_with(" short=\"x\""), "{cut}");
    assert_ne!(cut, other);
    assert!(shown(new().max_value_chars(301), 'a').contains("9a text="));
    // The default is 300.
    assert!(shown(new(), 'a').contains("9⟨1 more characters, digest "), "{}", shown(new(), 'a'));
    assert!(
        shown(new().max_value_chars(0), 'a').contains(" short=\"\"⟨1 more characters, digest ")
    );
}

#[test]
fn long_texts_are_cut_by_lines() {
    let shown = |settings: SnapshotSettings, lines: usize, last: &str| {
        let text = "line\n".repeat(lines - 1) + last;
        shown(&settings, &native(|| info!("{text}")))
    };
    let cut = shown(new().max_value_lines(2), 5, "last");
    let lines: Vec<_> = cut.lines().collect();
    assert_eq!(lines[..3], ["INFO ⟨5 lines⟩", "┆ line", "┆ line"]);
    assert!(lines[3].starts_with("┆ ⟨3 more lines, digest "), "{cut}");
    assert_eq!(lines.len(), 4);
    assert_ne!(cut, shown(new().max_value_lines(2), 5, "another"));
    assert_eq!(shown(new(), 40, "last").lines().count(), 41);
    assert_eq!(shown(new(), 400, "last").lines().count(), 42);
}

#[test]
fn parts_are_shown_alone() {
    let trace = trace();
    let divide = trace.scan_spans().single(&name("divide"));
    assert_trace_snapshot!("settings_span", divide);
    assert_trace_snapshot!("settings_span_with_targets", new().targets(true).view(&divide));
    let event = trace.scan_events().single(&level(Level::ERROR));
    assert_trace_snapshot!(event, @"ERROR division by zero");
    assert_trace_snapshot!(CapturedNode::Event(event), @"ERROR division by zero");
    assert_trace_snapshot!(trace.scan_spans().matches(&name("parse")), @"
    DEBUG parse{bytes=11 tokens=7}
    ├─ TRACE operator operator=Divide at=2
    ├─ TRACE operator operator=Subtract at=7
    └─ DEBUG parsed expression=(8 / (3 - 3))
    ⟨3×⟩ DEBUG parse{bytes=2 tokens=2}
    └─ DEBUG parsed expression=(-2)
    ");
    assert_trace_snapshot!(
        new().levels(false).view(&trace.scan_events().matches(&message("evaluated"))),
        @"⟨3×⟩ evaluated whole=true"
    );
    assert_trace_snapshot!(trace.scan_events().matches(&message("unheard of")), @"(no spans or events)");
    let spans = trace.root_spans();
    assert_trace_snapshot!(new().fields(false).depth(0).view(&spans), @"INFO host{} ⟨4 inside⟩");
}

#[test]
fn unnamed_snapshot_with_the_settings_of_a_scope() {
    let _scope = new().depth(1).bind_to_scope();
    assert_trace_snapshot!(trace());
}

#[test]
fn settings_are_bound_and_restored() {
    let trace = native(|| info!(target: "net", id = 7, "m"));
    let current = || SnapshotSettings::current().view(&trace).to_string();
    assert_eq!(current(), "INFO m id=7");

    let outer = new().targets(true).bind_to_scope();
    assert_eq!(current(), "INFO net: m id=7");
    let value = new().redact("id", "id").bind(|| {
        // What is bound within stands alone, unless it goes on from what is current.
        assert_eq!(current(), "INFO m id=⟨id⟩");
        SnapshotSettings::current().levels(false).bind(|| assert_eq!(current(), "m id=⟨id⟩"));
        assert_eq!(current(), "INFO m id=⟨id⟩");
        7
    });
    assert_eq!((value, current().as_str()), (7, "INFO net: m id=7"));
    // Those of an assertion are its own.
    assert_trace_snapshot!(new().levels(false).view(&trace), @"m id=7");
    assert_trace_snapshot!(trace, @"INFO net: m id=7");

    // They are those of this thread, and stay so after a panic.
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(SnapshotSettings::current().view(&trace).to_string(), "INFO m id=7");
        });
    });
    let panicked = panic::catch_unwind(|| new().bind(|| panic!("as it was told to")));
    assert!(panicked.is_err());
    assert_eq!(current(), "INFO net: m id=7");
    drop(outer);
    assert_eq!(current(), "INFO m id=7");
}

#[test]
fn new_settings_are_the_default_whatever_is_bound() {
    let trace = native(|| info!(target: "net", "m"));
    let _scope = new().targets(true).bind_to_scope();
    assert_eq!(new().view(&trace).to_string(), "INFO m");
    assert_eq!(SnapshotSettings::default().view(&trace).to_string(), "INFO m");
}

#[test]
fn order_of_redactions_is_that_of_their_calls() {
    let trace = native(|| info!(id = "a1b2", "m"));
    let first = new().redact_matches("[a-z]", "letter").redact_matches(".", "any");
    // What was replaced is not matched again.
    assert_eq!(shown(&first, &trace), "INFO ⟨letter⟩ id=\"⟨letter⟩⟨any⟩⟨letter⟩⟨any⟩\"");
    let whole = new().redact_matches("[a-z]", "letter").redact("id", "id ⟨x⟩");
    assert_eq!(shown(&whole, &trace), "INFO ⟨letter⟩ id=⟨id \\u{27e8}x⟩⟩");
    let empty = new().redact_matches("x*", "nothing");
    assert_eq!(shown(&empty, &trace), "INFO m id=\"a1b2\"");
}

#[test]
#[should_panic(expected = "\"(\" is not a regular expression: ")]
fn pattern_must_be_one() {
    let _ = new().redact_matches("(", "label");
}

#[test]
fn sibling_without_an_order_is_compared_by_what_is_shown() {
    let trace = native(|| {
        for id in [10, 9, -1, 2] {
            info!(id, "m");
        }
        info!(id = "x", "m");
        info!(id = 1.5, "m");
        info!("first");
    });
    assert_trace_snapshot!(new().unordered(|_| true).view(&trace), @r#"
    INFO first
    INFO m id=-1
    INFO m id=1.5
    INFO m id=2
    INFO m id=9
    INFO m id=10
    INFO m id="x"
    "#);
}
