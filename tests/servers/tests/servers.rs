//! Captures of a server that spawns tasks by itself. Each test builds the runtime of its server, and attaches
//! its capture to the threads of that.

mod server;

use std::{ops::Range, sync::Barrier, thread};

use spanshot::{Capture, CaptureBuilder, Trace, predicates::*};
use tokio::runtime::Builder;
use tracing::Level;

use server::{Server, panic_message, quiet};

/// Starts a server that is captured as a whole.
fn captured_by(capture: &Capture) -> Server {
    let handle = capture.handle();
    Server::start(Builder::new_multi_thread().on_thread_start(move || handle.attach_thread()))
}

/// Sends requests at once, each from a thread of its own.
fn charge_all(server: &Server, account: &str, cents: Range<u32>) -> Vec<u16> {
    let start = Barrier::new(cents.len());
    let charge = |cents: u32| {
        start.wait();
        server.get(&format!("/charge/{account}/{cents}")).0
    };
    thread::scope(|scope| {
        let charge = &charge;
        let requests: Vec<_> = cents.map(|cents| scope.spawn(move || charge(cents))).collect();
        requests.into_iter().map(|request| request.join().unwrap()).collect()
    })
}

/// Ways of starting a capture, which see the same.
const KINDS: [fn(CaptureBuilder) -> Capture; 2] =
    [|builder| builder.start(), |builder| builder.start_process_wide()];

#[track_caller]
fn assert_charged(trace: &Trace, account: &str, cents: Range<u32>) {
    let requests = cents.len();
    let events = trace.scan_events();
    events.count(requests, &message(eq("charging")));
    events.count(requests, &message(eq("booking")));
    events.all(&(!message(eq("charging")) | field("account", account)));
    for cents in cents {
        let charging = message(eq("charging")) & field("cents", cents);
        let uri = format!("/charge/{account}/{cents}");
        // It stands in the span of its own request, whichever threads ran that.
        let event = events.single(&charging);
        assert_eq!(event.parent().unwrap()["uri"].to_string(), uri);
        events.single(&(message(eq("booking")) & field("cents", cents)));
    }
    trace.scan_spans().count(requests, &name(eq("request")));
    events.count(requests, &message(eq("finished processing request")));
}

#[test]
fn capture_has_all_of_a_server() {
    for start in KINDS {
        let capture = start(Capture::builder().fail_on_events(Level::WARN).fail_on_open_spans());
        let server = captured_by(&capture);
        let statuses = charge_all(&server, "ada", 0..32);
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        server.stop();
        let trace = capture.finish();
        assert_charged(&trace, "ada", 0..32);
        trace.scan_events().none(&level(Level::ERROR));
    }
}

#[test]
fn error_in_a_handler_fails_the_test() {
    for start in KINDS {
        let capture = start(quiet().fail_on_events(Level::WARN));
        let server = captured_by(&capture);
        let (status, _) = server.get("/charge/declined/250");
        assert_eq!(status, 500);
        assert_eq!(server.get("/charge/ada/250"), (200, "charged 250".to_owned()));
        server.stop();

        let trace = capture.trace();
        let message = panic_message(|| trace.scan_events().none(&level(Level::ERROR)));
        assert!(message.contains("ERROR the card was declined cents=250"), "{message}");
        let message = panic_message(|| capture.finish());
        // That of the handler, and that of the layer, which tells of the status.
        assert!(message.contains("\n2 events at level warn or more severe"), "{message}");
        assert!(message.contains("\n  ERROR the card was declined cents=250\n"), "{message}");
        assert!(message.contains("\n  ERROR response failed "), "{message}");
    }
}

#[test]
fn servers_of_two_tests_at_once_are_not_mixed() {
    for start in KINDS {
        let ready = Barrier::new(2);
        let test = |account: &str, cents: Range<u32>| {
            let capture = start(quiet());
            let server = captured_by(&capture);
            ready.wait();
            charge_all(&server, account, cents.clone());
            server.stop();
            let trace = capture.finish();
            let declined = if account == "declined" { cents.len() } else { 0 };
            assert_charged(&trace, account, cents);
            trace.scan_events().count(declined, &message(eq("the card was declined")));
        };
        thread::scope(|scope| {
            scope.spawn(|| test("declined", 100..116));
            scope.spawn(|| test("ada", 200..216));
        });
    }
}
