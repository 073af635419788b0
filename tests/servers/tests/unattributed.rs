//! Captures of a server whose threads nobody attached.
//!
//! They are a binary of their own: under a runner of many threads, a verdict of the tests in `servers.rs` could
//! not be decided while records of such threads may be theirs.

mod server;

use spanshot::predicates::*;
use tokio::runtime::Builder;
use tracing::{Level, info};

use server::{Server, panic_message, quiet};

/// What the tests of `servers.rs` would not notice otherwise.
#[test]
fn without_the_capture_on_its_threads_nothing_of_a_server_is_captured() {
    let capture = quiet().start();
    let server = Server::start(&mut Builder::new_multi_thread());
    assert_eq!(server.get("/charge/declined/250").0, 500);
    server.stop();
    let trace = capture.finish();
    assert_eq!((trace.all_spans().len(), trace.all_events().len()), (0, 0));
}

/// A server whose threads nobody attached, in a process-wide capture: whichever runner runs this, no verdict
/// passes that its error should break. Where the process runs one test at a time, the error is the test's;
/// elsewhere no test can claim it.
#[test]
fn error_of_a_server_that_nobody_attached_breaks_every_verdict() {
    let capture = quiet().fail_on_events(Level::WARN).start_process_wide();
    info!("of the test");
    let server = Server::start(&mut Builder::new_multi_thread());
    assert_eq!(server.get("/charge/declined/250").0, 500);
    server.stop();
    let trace = capture.trace();
    let events = trace.scan_events();
    let declined = message(eq("the card was declined"));
    for result in [
        events.try_none(&declined),
        events.try_none(&level(Level::ERROR)),
        events.try_count(0, &declined).map(drop),
        events.try_all(&!declined),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(message.contains("the card was declined"), "{message}");
    }
    events.try_exactly(&[&message(eq("of the test"))]).unwrap_err();
    let message = panic_message(|| capture.finish());
    assert!(message.contains("ERROR the card was declined cents=250"), "{message}");
}
