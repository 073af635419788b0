//! Code under test that leaves a subscriber of its own on the thread: records go there, and a capture that
//! has none of them must not say that there were none.

use spanshot::{Capture, Print, predicates::*};
use tracing::{Level, error, info, subscriber::set_default};
use tracing_subscriber::Registry;

use crate::support::panic_message;

fn quiet() -> spanshot::CaptureBuilder {
    Capture::builder().print(Print::Never)
}

#[test]
fn negatives_refuse_where_a_subscriber_was_left_behind() {
    let capture = quiet().start();
    info!("captured");
    let left_behind = set_default(Registry::default());
    error!("not captured");
    let trace = capture.trace();
    for result in [
        trace.scan_events().try_none(&level(Level::ERROR)),
        trace.scan_events().try_all(&level(Level::INFO)),
        trace.scan_events().try_single(&message("captured")).map(drop),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(message.contains("`set_default`"), "{message}");
    }
    trace.scan_events().any(&message("captured"));
    trace.scan_events().try_first(&message("captured")).unwrap_err();
    trace.scan_events().try_last(&message("captured")).unwrap_err();
    let refused = panic_message(|| spanshot::assert_trace_snapshot!(trace, @"INFO captured"));
    assert!(refused.contains("not all that was traced"), "{refused}");
    // What went there is not here, even if it is gone.
    drop(left_behind);
    let trace = capture.finish();
    assert!(trace.scan_events().try_none(&level(Level::ERROR)).is_err());
}

#[test]
fn positives_say_why_something_is_not_there() {
    let capture = quiet().start();
    info!("captured");
    let _left_behind = set_default(Registry::default());
    error!("not captured");
    let trace = capture.trace();
    let message = trace.scan_events().try_any(&level(Level::ERROR)).unwrap_err().to_string();
    assert!(message.contains("this thread's subscriber is not the capture's"), "{message}");
}

#[test]
fn checks_at_the_end_fail_where_a_subscriber_was_left_behind() {
    let capture = quiet().fail_on_events(Level::WARN).start();
    let _left_behind = set_default(Registry::default());
    error!("not captured");
    let message = panic_message(|| capture.finish());
    assert!(message.contains("1 subscriber that is not the capture's was left"), "{message}");
}

#[test]
fn captures_and_scopes_that_have_ended_are_none_of_this() {
    let capture = quiet().fail_on_events(Level::WARN).start();
    info!("captured");
    tracing::subscriber::with_default(Registry::default(), || info!("elsewhere"));
    let inner = Capture::start();
    info!("for the inner one");
    capture.trace().scan_events().none(&level(Level::ERROR));
    drop(inner);
    capture.finish().scan_events().none(&level(Level::ERROR));
}
