//! Code that leaks a card number at DEBUG, tested where DEBUG is compiled out: nothing of it is captured, and no
//! assertion may say that it does not leak.

use std::fmt::Debug;

use spanshot::{Capture, Trace, predicates::*};
use tracing::{Level, debug, debug_span, level_filters::LevelFilter, warn, warn_span};

const CARD: &str = "4111 1111 1111 1111";

/// Takes a payment, and leaks the card.
fn pay(card: &str) {
    let _pay = warn_span!("pay").entered();
    let _charge = debug_span!("charge", card).entered();
    debug!(card, "charging");
    warn!("slow");
}

fn trace() -> Trace {
    let capture = Capture::start();
    pay(CARD);
    capture.trace()
}

const REASON: &str = "levels above WARN are compiled out (by `tracing`'s feature `max_level_warn` or \
                      `release_max_level_warn`)";

#[track_caller]
fn assert_refused<T: Debug>(result: Result<T, ScanError>) {
    let message = result.unwrap_err().to_string();
    assert!(message.starts_with("this says nothing, since "), "{message}");
    assert!(message.contains(REASON), "{message}");
}

#[test]
fn negatives_are_refused() {
    let trace = trace();
    let (events, spans) = (trace.scan_events(), trace.scan_spans());
    let (debug, leak) = (level(Level::DEBUG), field("card", CARD));
    assert_refused(events.try_none(&(debug & leak)));
    assert_refused(spans.try_none(&(debug & leak)));
    assert_refused(events.try_none(&level([gt(Level::WARN)])));
    assert_refused(events.try_count(0, &debug));
    assert_refused(events.try_count(..=2, &debug));
    assert_refused(events.try_all(&level(LevelFilter::WARN)));
    assert_refused(events.try_all(&!debug));

    // What is in a span, or around something, may be what is compiled out.
    assert_refused(spans.try_none(&event(debug & leak)));
    assert_refused(spans.try_none(&child(debug & leak)));
    assert_refused(spans.try_all(&!deep_event(debug)));
    assert_refused(spans.try_single(&(name("pay") & !descendant(debug))));
    assert_refused(events.try_none(&parent(debug)));
    let pay = spans.single(&name("pay"));
    assert_refused(pay.deep_scan_events().try_none(&debug));
    assert_refused(pay.scan_spans().try_none(&debug));
}

#[test]
fn empty_capture_names_the_reason() {
    let capture = Capture::start();
    debug!(card = CARD, "charging");
    assert_refused(capture.trace().scan_events().try_none(&level(Level::DEBUG)));
}

#[test]
fn what_is_compiled_in_is_judged() {
    let trace = trace();
    let events = trace.scan_events();
    events.none(&level(Level::ERROR));
    events.none(&field("card", CARD)); // of a level that nobody names, there may be some at WARN
    events.none(&(level(Level::DEBUG) | level(Level::ERROR)));
    events.single(&level(Level::WARN));
    events.all(&message("slow"));
    trace.scan_spans().single(&(name("pay") & !event(level(Level::ERROR))));
    // It is no one's fault that there is no such event.
    events.none(&level([never()]));
}

#[test]
fn it_may_be_meant() {
    let trace = trace();
    trace.scan_events().or_empty().none(&level(Level::DEBUG));
    trace.scan_spans().or_empty().single(&(name("pay") & !descendant(level(Level::DEBUG))));
}

#[test]
fn filters_count_besides() {
    let capture = Capture::builder().filter("pay=debug,error").start();
    warn!("slow");
    tracing::error!("failed");
    let trace = capture.trace();
    let refusal = trace.scan_events().try_none(&level(Level::WARN).or(level(Level::DEBUG)));
    refusal.unwrap();
    let refusal = trace.scan_events().try_none(&(level(Level::WARN) & target("other")));
    let message = refusal.unwrap_err().to_string();
    assert!(message.contains("filter \"pay=debug,error\" lets none of it pass"), "{message}");
    assert_refused(trace.scan_events().try_none(&(level(Level::DEBUG) & target("pay"))));
}

#[test]
fn failing_positive_names_the_reason() {
    let trace = trace();
    let hint = format!("\n\n(it could not be captured, since {REASON})\n\nthe trace:\n");
    let events = trace.scan_events();
    let charging = level(Level::DEBUG) & message("charging");
    for error in [
        events.try_single(&charging).unwrap_err(),
        events.try_count(2, &charging).unwrap_err(),
        events.try_in_order(&[&message("slow"), &charging]).unwrap_err(),
    ] {
        assert!(error.to_string().contains(&hint), "{error}");
    }
    let error = trace.scan_spans().try_any(&event(charging)).unwrap_err();
    assert!(error.to_string().contains(&hint), "{error}");
    let error = events.try_any(&level(Level::ERROR)).unwrap_err();
    assert!(!error.to_string().contains("compiled out"), "{error}");
}
