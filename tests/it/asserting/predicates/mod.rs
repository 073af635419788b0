//! Predicates and scanners, and what they say when they fail.

mod chains;
mod history;
mod matching;
mod only_fields;
mod values;

use insta::assert_snapshot;
use spanshot::{
    Trace,
    predicates::{
        types::{FieldPredicate, Or},
        *,
    },
};
use tracing::{Level, error, info, info_span, level_filters::LevelFilter, warn};

use crate::support::{native, panic_message};

/// Two spans in one, and events of three levels.
fn trace() -> Trace {
    native(|| {
        let _serve = info_span!(target: "net::server", "serve", port = 8_080_u16).entered();
        let connect = info_span!(target: "net", "connect", host = %"::1", secure = true);
        connect.in_scope(|| {
            warn!(target: "net", millis = 850_i64, ratio = 0.5, "slow: {}", "dns");
        });
        info_span!(target: "network", "connect", host = "localhost").in_scope(|| {
            error!(target: "network", code = -3, reason = ?Some("refused"), "failed");
            info!(target: "network", attempts = 3_u64);
        });
    })
}

#[test]
fn scanners_return_what_matches() {
    let trace = trace();
    let spans = trace.scan_spans();
    assert_eq!(spans.first(&name(eq("connect")))["host"], "::1");
    assert_eq!(spans.last(&name(eq("connect")))["host"], "localhost");
    let serve = spans.single(&name(eq("serve")));
    serve.scan_spans().all(&name(eq("connect")));
    serve.scan_events().none(&always());
    serve.deep_scan_spans().single(&field("secure", true));
    serve.deep_scan_events().single(&level(Level::ERROR));
    trace.scan_events().all(&field("code", [always()]).or_any());
}

trait OrAny: Sized {
    fn or_any(self) -> Or<Self, ::predicates::constant::BooleanPredicate>;
}

impl<P> OrAny for FieldPredicate<P> {
    fn or_any(self) -> Or<Self, ::predicates::constant::BooleanPredicate> {
        self | always()
    }
}

#[test]
fn wrong_number_is_shown_with_the_right_one() {
    let trace = trace();
    let message = panic_message(|| {
        let predicate = name(eq("connect")) & field("host", "localhost:80");
        trace.scan_spans().single(&predicate);
    });
    assert_snapshot!(message, @r#"
    no span matches (name(var == "connect") && field "host"(var == "localhost:80"))

    nearest of 3 spans:
      INFO connect{host=::1 secure=true}
        ✓ name(var == "connect"): name is "connect"
        ✗ field "host"(var == "localhost:80"): host is ::1
      INFO connect{host="localhost"}
        ✓ name(var == "connect"): name is "connect"
        ✗ field "host"(var == "localhost:80"): host is "localhost"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
      INFO serve{port=8080}
    ▶ ├─ INFO connect{host=::1 secure=true}
      │  └─ WARN slow: dns millis=850 ratio=0.5
    ▶ └─ INFO connect{host="localhost"}
         ├─ ERROR failed code=-3 reason=Some("refused")
         └─ INFO attempts=3
    "#);
}

#[test]
fn too_many_matches_are_listed() {
    let trace = trace();
    let message = panic_message(|| trace.scan_spans().single(&name(eq("connect"))));
    assert_snapshot!(message, @r#"
    2 spans match instead of one: name(var == "connect")

      INFO connect{host=::1 secure=true}
      INFO connect{host="localhost"}

    the trace:
      INFO serve{port=8080}
    ▶ ├─ INFO connect{host=::1 secure=true}
      │  └─ WARN slow: dns millis=850 ratio=0.5
    ▶ └─ INFO connect{host="localhost"}
         ├─ ERROR failed code=-3 reason=Some("refused")
         └─ INFO attempts=3
    "#);
}

#[test]
fn offenders_are_listed() {
    let trace = trace();
    assert_snapshot!(panic_message(|| trace.scan_events().none(&level(LevelFilter::WARN))), @r#"
    2 events should not match: level(WARN or more severe)

      WARN slow: dns millis=850 ratio=0.5
      ERROR failed code=-3 reason=Some("refused")

    the trace:
      INFO serve{port=8080}
      ├─ INFO connect{host=::1 secure=true}
    ▶ │  └─ WARN slow: dns millis=850 ratio=0.5
      └─ INFO connect{host="localhost"}
    ▶    ├─ ERROR failed code=-3 reason=Some("refused")
         └─ INFO attempts=3
    "#);
    assert_snapshot!(panic_message(|| trace.scan_events().all(&level(LevelFilter::WARN))), @r#"
    1 of 3 events does not match: level(WARN or more severe)

      INFO attempts=3
        ✗ level(WARN or more severe): level is INFO

    the trace:
      INFO serve{port=8080}
      ├─ INFO connect{host=::1 secure=true}
      │  └─ WARN slow: dns millis=850 ratio=0.5
      └─ INFO connect{host="localhost"}
         ├─ ERROR failed code=-3 reason=Some("refused")
    ▶    └─ INFO attempts=3
    "#);
}

#[test]
fn nothing_to_look_at_is_said_so() {
    let trace = native(|| info!("alone"));
    assert_snapshot!(panic_message(|| trace.scan_spans().first(&name(eq("connect")))), @r#"
    no span matches name(var == "connect")

    there are no spans to look at

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
      INFO alone
    "#);
    assert_snapshot!(panic_message(|| trace.scan_events().last(&message(eq("lonely")))), @r#"
    no event matches message(var == "lonely")

    the only event:
      INFO alone
        ✗ message(var == "lonely"): message is "alone"

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
    ▶ INFO alone
    "#);
}

#[test]
fn long_traces_are_cut() {
    let trace = native(|| {
        for index in 0..1_000 {
            info!(index, "event");
        }
    });
    let text = panic_message(|| trace.scan_events().none(&message(eq("event"))));
    assert!(text.lines().count() < 80, "{text}");
    assert!(text.contains("(and 995 more)"), "{text}");
    assert!(text.contains("the trace (a part of its 1000 spans and events):"), "{text}");
    assert!(text.ends_with("  INFO event index=6\n  ⋮ 993 more\n"), "{text}");
}
