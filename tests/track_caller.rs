//! Where failed assertions point to. The panic hook, which tells, is that of the process.

use std::{
    panic,
    sync::{Arc, Mutex},
    time::Duration,
};

use spanshot::{
    Capture, Print, TracingEvent, TracingEventReceiver, assert_trace_snapshot, predicates::*,
};
use tracing::{Level, info};

#[test]
fn failures_point_at_the_line_of_the_test() {
    let capture = Capture::start();
    info!(a = 1, "once");
    info!("twice");
    let trace = capture.trace();
    let events = trace.scan_events();
    let event = trace.all_events().next().unwrap();
    drop(capture);

    let location = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&location);
    panic::set_hook(Box::new(move |info| {
        *seen.lock().unwrap() = info.location().map(ToString::to_string);
    }));
    let mut wrong = vec![];
    macro_rules! check {
        ($failing:expr) => {
            let expected = format!("{}:{}:", file!(), line!());
            let result = panic::catch_unwind(panic::AssertUnwindSafe(|| _ = $failing));
            let actual = location.lock().unwrap().take();
            let points_here = actual.as_ref().is_some_and(|actual| actual.starts_with(&expected));
            if result.is_ok() || !points_here {
                wrong.push(format!("{actual:?} instead of {expected}"));
            }
        };
    }
    check!(events.single(&never()).message());
    check!(events.single(&always()).message());
    check!(events.first(&never()).message());
    check!(events.last(&never()).message());
    check!(events.all(&never()));
    check!(events.none(&always()));
    check!(events.any(&never()));
    check!(events.count(3, &always()));
    check!(events.count(..=1, &always()));
    check!(events.in_order(&[&never()]));
    check!(events.in_a_row(&[&always(), &never()]));
    check!(events.exactly(&[&always()]));
    check!(events.during(event.moment()..=event.moment()).single(&message(eq("twice"))));
    check!(event.scan_ancestors().first(&always()));
    check!(assert_trace_snapshot!(trace, @"…"));
    check!(assert_trace_snapshot!(event, @"…\nINFO another one"));
    // These would say nothing.
    let empty = Capture::start().trace();
    check!(empty.scan_spans().all(&always()));
    check!(empty.scan_spans().none(&always()));
    check!(empty.scan_spans().count(0, &always()));
    check!(empty.scan_spans().exactly(&[]));
    check!(event["b"].clone());
    let dropped = TracingEvent::SpanDropped { id: 1 };
    check!(TracingEventReceiver::default().receive(dropped.clone()));
    check!(Capture::builder().print_filter("x=loud"));
    check!(Capture::builder().filter("x=loud"));
    let capture = Capture::builder().print(Print::Never).start();
    check!(capture.wait_until(Duration::ZERO, |_| false));
    drop(capture);
    let watching = Capture::builder().fail_on_events(Level::INFO).print(Print::Never).start();
    info!("not allowed");
    check!(watching.finish());
    let watching = || Capture::builder().fail_on_events(Level::INFO).print(Print::Never);
    check!(watching().run(|_| info!("not allowed")));
    // A global subscriber that no capture knows of.
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    check!(Capture::start_process_wide());
    check!(Capture::builder().start_process_wide());
    let _ = panic::take_hook();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
