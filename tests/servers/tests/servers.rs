//! Captures of a server that spawns tasks by itself: axum with the `TraceLayer` of tower-http, on a loopback
//! socket and several threads. Each test builds the runtime of its server, and attaches its capture to the
//! threads of that.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Barrier,
    thread,
};

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use spanshot::{Capture, CaptureBuilder, Print, Trace, predicates::*};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};
use tower_http::trace::TraceLayer;
use tracing::{Level, error, info};

/// A server on a runtime of its own, which is shut down when it is dropped.
struct Server {
    runtime: Runtime,
    address: SocketAddr,
}

/// Cents that an account is charged, which `declined` has not.
async fn charge(Path((account, cents)): Path<(String, u32)>) -> Result<String, StatusCode> {
    info!(account, cents, "charging");
    tokio::task::yield_now().await; // and go on wherever there is a thread
    let task = tokio::spawn(async move {
        let blocking = tokio::task::spawn_blocking(move || info!(cents, "booking"));
        blocking.await
    });
    task.await.unwrap().unwrap();
    if account == "declined" {
        error!(cents, "the card was declined");
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok(format!("charged {cents}"))
}

impl Server {
    fn start(builder: &mut Builder) -> Self {
        let runtime = builder.worker_threads(4).enable_io().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/charge/{account}/{cents}", get(charge))
            .layer(TraceLayer::new_for_http());
        runtime.spawn(async { axum::serve(listener, router).await });
        Self { runtime, address }
    }

    /// Starts a server that is captured as a whole.
    fn captured_by(capture: &Capture) -> Self {
        let handle = capture.handle();
        Self::start(Builder::new_multi_thread().on_thread_start(move || handle.attach_thread()))
    }

    /// Sends a request, and returns the status and the body of the response.
    fn get(&self, path: &str) -> (u16, String) {
        let mut connection = TcpStream::connect(self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).unwrap();
        let status = response.split(' ').nth(1).unwrap().parse().unwrap();
        let body = response.split_once("\r\n\r\n").unwrap().1;
        (status, body.to_owned())
    }

    /// Sends requests at once, each from a thread of its own.
    fn charge_all(&self, account: &str, cents: Range<u32>) -> Vec<u16> {
        let start = Barrier::new(cents.len());
        let charge = |cents: u32| {
            start.wait();
            self.get(&format!("/charge/{account}/{cents}")).0
        };
        thread::scope(|scope| {
            let charge = &charge;
            let requests: Vec<_> = cents.map(|cents| scope.spawn(move || charge(cents))).collect();
            requests.into_iter().map(|request| request.join().unwrap()).collect()
        })
    }

    /// Shuts the server down, so that nothing is traced any more.
    fn stop(self) {
        drop(self.runtime);
    }
}

/// Ways of starting a capture, which see the same.
const KINDS: [fn(CaptureBuilder) -> Capture; 2] =
    [|builder| builder.start(), |builder| builder.start_process_wide()];

fn quiet() -> CaptureBuilder {
    Capture::builder().print(Print::Never)
}

fn panic_message<T>(f: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(f()))).expect_err("it did not panic");
    *panic.downcast::<String>().unwrap()
}

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
        let server = Server::captured_by(&capture);
        let statuses = server.charge_all("ada", 0..32);
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
        let server = Server::captured_by(&capture);
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
            let server = Server::captured_by(&capture);
            ready.wait();
            server.charge_all(account, cents.clone());
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

/// What the tests above would not notice otherwise.
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
