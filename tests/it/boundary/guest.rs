//! The main job, on a real WASM guest in a real engine.

use std::{cell::RefCell, convert::Infallible, error::Error as _, rc::Rc};

use insta::assert_yaml_snapshot;
use spanshot::{
    Capture, ReceiveError, TracedValue, TracingEvent, assert_trace_snapshot, predicates::*,
    receiver::FrameDecoder,
};
use tracing::Level;

use crate::support::{
    EvaluateError, detailed, direct, evaluator, feed_events, feed_frames, guest_wasm, load_plugin,
    native, relayed, through_json,
};

const EXPRESSIONS: [&str; 7] = [
    "(1 + 2) * 3",
    "8 / (3 - 3)",
    "1 + 2.3.4",
    "-(2 ^ -1) + 3!",
    "10 ^ 400",
    "2 * 21!",
    "\u{1f980} + \"\u{1b}[31m\"",
];

/// Evaluates an expression in the guest, and returns the frames that it sent.
pub(crate) fn frames_of_guest(expression: &str) -> Vec<Vec<u8>> {
    let frames = Rc::new(RefCell::new(vec![]));
    let pushed = Rc::clone(&frames);
    let _ = load_plugin().evaluate_with(expression, move |frame| {
        pushed.borrow_mut().push(frame.to_vec());
        Ok::<_, Infallible>(())
    });
    frames.take()
}

pub(crate) fn decode(frames: &[Vec<u8>]) -> Result<Vec<TracingEvent>, ReceiveError> {
    let mut decoder = FrameDecoder::default();
    frames.iter().map(|frame| decoder.decode(frame)).collect()
}

#[test]
fn division_by_zero_is_traced_where_it_happens() {
    let plugin = load_plugin();

    let capture = Capture::start();
    let result = plugin.evaluate("8 / (3 - 3)");
    let trace = capture.trace();
    let division = trace.scan_spans().single(&(name(eq("divide")) & field("rhs", 0.0)));
    division.scan_events().single(&(level(Level::ERROR) & message(contains("by zero"))));
    assert_trace_snapshot!(trace);

    let Err(EvaluateError::Rejected(message)) = result else { panic!("{result:?}") };
    assert_eq!(message, "cannot compute the expression: division by zero");
}

#[test]
fn spans_have_their_values_parents_and_ends() {
    let capture = Capture::start();
    assert_eq!(load_plugin().evaluate("(1 + 2) * 3").unwrap(), "9");
    let trace = capture.trace();

    let evaluate = trace.scan_spans().single(&name(eq("evaluate")));
    assert!(evaluate.parent().is_none());
    assert_eq!(evaluate["expression"], "(1 + 2) * 3");
    assert_eq!(evaluate["result"], 9.0); // declared empty, and recorded at the end

    let multiply = trace.scan_spans().single(&name(eq("multiply")));
    assert_eq!((&multiply["lhs"], &multiply["rhs"]), (&3.0.into(), &3.0.into()));
    let ancestors: Vec<_> = multiply.ancestors().map(|span| span.metadata().name()).collect();
    assert_eq!(ancestors, ["compute", "evaluate"]);
    let add = multiply.scan_spans().single(&(name(eq("add")) & level(Level::DEBUG)));
    assert_eq!(add["lhs"], 1.0);

    let compute = trace.scan_spans().single(&name(eq("compute")));
    let sources: Vec<_> = compute.follows_from().map(|span| span.metadata().name()).collect();
    assert_eq!(sources, ["parse"]);

    for span in trace.all_spans() {
        let stats = span.stats();
        assert_eq!((stats.entered, stats.exited, stats.is_closed), (1, 1, true), "{span:.0}");
    }
}

#[test]
fn values_are_of_the_types_that_the_guest_recorded() {
    let capture = Capture::start();
    load_plugin().evaluate("2 ^ -1").unwrap();
    let trace = capture.trace();

    let parse = trace.scan_spans().single(&name(eq("parse")));
    assert_eq!(parse["bytes"], TracedValue::UInt(6));
    let power = trace.scan_spans().single(&name(eq("power")));
    assert_eq!(power["rhs"], TracedValue::Float(-1.0));
    let events = trace.scan_events();
    let multiplying = events.single(&message(eq("multiplying up")));
    assert_eq!(multiplying["exponent"], TracedValue::Int(-1));
    let operator = events.single(&field("operator", [always()]));
    assert!(operator["operator"].is_debug(&format_args!("Power")));
    let evaluated = events.single(&message(eq("evaluated")));
    assert_eq!(evaluated["whole"], TracedValue::Bool(false));
    let evaluate = trace.scan_spans().single(&name(eq("evaluate")));
    assert_eq!(evaluate["expression"], TracedValue::String("2 ^ -1".to_owned()));
}

#[test]
fn error_arrives_with_its_chain() {
    let capture = Capture::start();
    load_plugin().evaluate("1 + 2.3.4").unwrap_err();
    let trace = capture.trace();

    let event = trace.scan_events().single(&(level(Level::WARN) & message(eq("no result"))));
    let error = event["error"].as_error().expect("it is an error");
    assert_eq!(error.to_string(), "cannot parse the expression");
    let source = error.source().unwrap();
    assert_eq!(source.to_string(), "malformed number at byte 4");
    let source = source.source().unwrap();
    assert_eq!(source.to_string(), "invalid digit found in string");
    assert!(source.source().is_none());
}

#[test]
fn trap_loses_nothing_of_what_was_traced_before() {
    let capture = Capture::start();
    let result = load_plugin().evaluate("2 * 21!");
    assert!(matches!(result, Err(EvaluateError::Trapped(_))), "{result:?}");
    let trace = capture.trace();

    let factorial = trace.scan_spans().single(&name(eq("factorial")));
    assert_eq!(factorial["operand"], 21.0);
    factorial.scan_events().single(&(message(eq("multiplying up")) & field("factors", 21)));
    trace.scan_events().none(&message(eq("evaluated")));
    // The guest never left its spans. The receiver did, when it was dropped.
    for span in trace.all_spans() {
        let stats = span.stats();
        assert_eq!((stats.entered, stats.exited, stats.is_closed), (1, 1, true), "{span:.0}");
    }
    assert_trace_snapshot!("trap", trace);
}

#[test]
fn levels_and_call_sites_are_those_of_the_guest() {
    let capture = Capture::start();
    load_plugin().evaluate("10 ^ 400").unwrap();
    load_plugin().evaluate("8 / 0").unwrap_err();
    let trace = capture.trace();

    for expected in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
        trace.scan_events().first(&level(expected));
    }
    let scanner = trace.scan_spans();
    scanner.all(&target("spanshot_guest::evaluator"));
    let metadata = scanner.first(&name(eq("divide"))).metadata();
    assert_eq!(metadata.module_path(), Some("spanshot_guest::evaluator::arithmetic"));
    assert!(metadata.file().unwrap().ends_with("arithmetic.rs"));
    assert!(metadata.line().is_some());
    assert!(metadata.fields().eq(["lhs", "rhs"]));
}

#[test]
fn guest_roots_stand_under_the_span_of_the_host() {
    let capture = Capture::start();
    tracing::info_span!("host", job = 7).in_scope(|| {
        load_plugin().evaluate("1").unwrap();
        tracing::info!("evaluated by the guest");
    });
    assert_trace_snapshot!(capture.trace(), @r#"
    INFO host{job=7}
    ├─ INFO evaluate{expression="1" result=1.0}
    │  ├─ DEBUG parse{bytes=1 tokens=1}
    │  │  └─ DEBUG parsed expression=1
    │  ├─ DEBUG compute{operations=0} (follows from parse)
    │  └─ INFO evaluated whole=true
    └─ INFO evaluated by the guest
    "#);
}

#[test]
fn trace_is_the_same_by_frames_or_json_relayed_or_directly() {
    for expression in EXPRESSIONS {
        let frames = frames_of_guest(expression);
        let events = through_json(&decode(&frames).unwrap());
        let expected = detailed(&relayed(feed_frames(&frames)));
        assert!(expected.contains("evaluate"), "{expected}");
        assert_eq!(detailed(&direct(feed_frames(&frames))), expected, "{expression}");
        assert_eq!(detailed(&relayed(feed_events(events.clone()))), expected, "{expression}");
        assert_eq!(detailed(&direct(feed_events(events))), expected, "{expression}");
    }
}

#[test]
fn trace_is_that_of_the_same_program_run_natively() {
    for expression in EXPRESSIONS {
        let guest = relayed(feed_frames(&frames_of_guest(expression)));
        let native = native(|| {
            // An unwinding panic closes spans as the receiver does after a trap.
            let _ = std::panic::catch_unwind(|| evaluator::evaluate(expression));
        });
        assert_eq!(guest.to_string(), native.to_string(), "{expression}");
    }
}

#[test]
fn structured_snapshot() {
    let capture = Capture::start();
    load_plugin().evaluate("8 / (3 - 3)").unwrap_err();
    insta::with_settings!({ snapshot_path => "../../../snapshots" }, {
        assert_yaml_snapshot!(capture.trace());
    });
}

#[test]
fn stream_of_the_guest_is_compact_and_reproducible() {
    let (first, second) = (frames_of_guest("(1 + 2) * 3"), frames_of_guest("(1 + 2) * 3"));
    assert_eq!(first, second);
    let records = first.iter().filter(|frame| frame[0] & 0xf != 0);
    assert!(records.clone().map(Vec::len).sum::<usize>() < 16 * records.count());
}

#[test]
fn committed_guest_is_small() {
    let len = guest_wasm().len();
    assert!(len <= 100 * 1_024, "{len} bytes");
}
