//! The tree, and snapshots of it.

use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
use tracing::{Level, field, info, info_span, span, trace, warn};

use crate::support::{native, panic_message};

#[test]
fn inline_snapshot() {
    let capture = Capture::start();
    info!("a root event");
    info_span!("serve", port = 8_080, path = "/a b", late = field::Empty).in_scope(|| {
        let accept = span!(Level::DEBUG, "accept");
        accept.in_scope(|| trace!(bytes = 3, "read"));
        let reply = info_span!("reply", status = %404, body = ?Some("x"));
        reply.follows_from(&accept);
        reply.in_scope(|| warn!(ok = false));
    });
    assert_trace_snapshot!(capture.trace(), @r#"
    INFO a root event
    INFO serve{port=8080 path="/a b"}
    ├─ DEBUG accept{}
    │  └─ TRACE read bytes=3
    └─ INFO reply{status=404 body=Some("x")} (follows from accept)
       └─ WARN ok=false
    "#);
}

#[test]
fn named_snapshot_of_a_part() {
    let trace = native(|| {
        info!("outside");
        info_span!("part").in_scope(|| info!("inside"));
    });
    let part = trace.root_spans().next().unwrap();
    assert_trace_snapshot!("part_of_a_trace", part);
}

#[test]
fn event_alone() {
    let trace = native(|| info_span!("around").in_scope(|| info!(a = 1, "event")));
    assert_trace_snapshot!(trace.all_events().next().unwrap(), @"INFO event a=1");
}

#[test]
fn empty_trace_says_so() {
    assert_trace_snapshot!(native(|| ()), @"(nothing was captured)");
}

#[test]
fn text_of_the_program_keeps_to_its_lines() {
    let trace = native(|| {
        info!(text = "a\nb", shown = %"\u{1b}[31mred", "first\nsecond\t\u{202e}\\");
    });
    assert_trace_snapshot!(
        trace,
        @r#"
    INFO ⟨2 lines⟩ text="⟨2 lines⟩" shown=\u{1b}[31mred
    ┆ first
    ┆ second\t\u{202e}\\
    ┆ a
    ┆ b
    "#
    );
}

#[test]
fn lines_may_be_elided() {
    let trace = native(|| {
        info_span!("serve").in_scope(|| (0..3).for_each(|n| info!("{n}")));
        warn!(text = "a\n…", "…");
    });
    assert_trace_snapshot!(trace, @r"
    INFO serve{}
    ├─ …
    └─ INFO 2
    …
    ┆ …
    ");
    let message = panic_message(|| assert_trace_snapshot!(trace, @"…"));
    assert!(
        message.ends_with("it has nothing but lines `…`, so it would match any trace"),
        "{message}"
    );
    // What was traced elides nothing.
    let trace = native(|| info_span!("…").in_scope(|| info!("…")));
    let settings = SnapshotSettings::new().levels(false);
    assert_eq!(settings.view(&trace).to_string(), "…{}\n└─ `…`");
    assert_eq!(settings.ascii(true).view(&trace).to_string(), "…{}\n`- `…`");
}

#[test]
fn failure_with_elided_lines_shows_the_trace_where_it_stops_matching() {
    let trace = native(|| {
        info_span!("req").in_scope(|| {
            info!("a");
            warn!("b");
        });
        info!("end");
    });
    let message = panic_message(|| {
        assert_trace_snapshot!(trace, @r"
    INFO req{}
    ├─ INFO a
    …
    └─ WARN bb
    …
    INFO end
    ");
    });
    let expected = r#"the trace does not match the snapshot "failure_with_elided_lines_shows_the_trace_where_it_stops_matching": lines `…` stand for any lines

  INFO req{}
  ├─ INFO a
  …
- └─ WARN bb
  …
  INFO end

the trace, which stops matching at ▶:
  INFO req{}
  ├─ INFO a
▶ └─ WARN b
  INFO end

Edit the snapshot: insta does not update it as long as it has lines `…`"#;
    assert_eq!(message, expected);
}

#[test]
fn precision_limits_the_depth() {
    let trace = native(|| {
        info_span!("a").in_scope(|| info_span!("b").in_scope(|| info!("c")));
        info!("d");
    });
    assert_eq!(format!("{trace:.0}"), "INFO a{}\nINFO d");
    assert_eq!(format!("{trace:.1}"), "INFO a{}\n└─ INFO b{}\nINFO d");
    assert_eq!(format!("{trace:.2}"), trace.to_string());
}

#[test]
fn another_trace_fails_the_assertion() {
    // Where insta is told to take any result, no assertion fails.
    if ["INSTA_UPDATE", "INSTA_FORCE_PASS"].iter().any(|name| std::env::var(name).is_ok()) {
        return;
    }
    // A pending snapshot of a test that is meant to fail is nothing to review.
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(env!("CARGO_TARGET_TMPDIR"));
    settings.bind(|| {
        let trace = native(|| info!("without a snapshot"));
        let message = panic_message(|| assert_trace_snapshot!("another_trace", trace));
        assert!(message.contains("snapshot assertion"), "{message}");
    });
}

#[test]
fn structure_is_plain_data() {
    let trace = native(|| {
        let span = info_span!(target: "net", "connect", port = 8_080, big = u128::MAX);
        span.in_scope(|| {
            info!(target: "net", ratio = 0.5, nan = f64::NAN, bytes = &[1_u8, 2][..], "done");
            info!(target: "net", "");
        });
    });
    assert_eq!(
        serde_json::to_value(&trace).unwrap(),
        serde_json::json!({ "nodes": [{
            "kind": "span",
            "name": "connect",
            "level": "INFO",
            "target": "net",
            "fields": { "port": 8_080, "big": "340282366920938463463374607431768211455" },
            "nodes": [
                {
                    "kind": "event",
                    "level": "INFO",
                    "target": "net",
                    "message": "done",
                    "fields": { "ratio": 0.5, "nan": "NaN", "bytes": "[01 02]" },
                },
                { "kind": "event", "level": "INFO", "target": "net", "message": "" },
            ],
        }] })
    );
}
