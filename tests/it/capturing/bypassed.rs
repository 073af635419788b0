//! Code under test that leaves a subscriber of its own on the thread: records go there, and a capture that
//! has none of them must not say that there were none.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use spanshot::{Capture, CaptureHandle, CaptureLayer, Print, Storage, Trace, predicates::*};
use tracing::{
    Dispatch, Level, dispatcher, error, field::Empty, info, info_span, subscriber::set_default,
};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::support::{on_thread, panic_message};

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

/// A value may have been recorded elsewhere, by a record that went astray.
#[test]
fn predicates_rule_out_no_value_that_was_not_seen() {
    let capture = quiet().start();
    info_span!("job", status = "ok", error = Empty).in_scope(|| info!(code = 1, "captured"));
    capture.trace().scan_spans().any(&!field("status", "failed"));
    let _left_behind = set_default(Registry::default());
    let trace = capture.trace();
    let spans = trace.scan_spans();
    for refused in [
        spans.try_any(&!field("status", "failed")),
        spans.try_any(&!any_field("failed")),
        spans.try_any(&!only_fields(["status", "error"])),
        spans.try_count(1.., &!field("error", [always()])).map(drop),
        spans.try_in_order(&[&(name("job") & !field("status", "failed"))]).map(drop),
        trace.scan_events().try_any(&!parent(field("status", "failed"))),
    ] {
        let refusal = refused.unwrap_err().to_string();
        assert!(refusal.contains("the capture may have missed "), "{refusal}");
    }
    spans.any(&field("status", "ok"));
    // The values of an event come with it.
    trace.scan_events().any(&!field("code", 2));
}

#[test]
fn positives_say_why_something_is_not_there() {
    let capture = quiet().start();
    info!("captured");
    let _left_behind = set_default(Registry::default());
    error!("not captured");
    let trace = capture.trace();
    let message = trace.scan_events().try_any(&level(Level::ERROR)).unwrap_err().to_string();
    assert!(message.contains("a thread of this capture has another subscriber"), "{message}");
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

/// A scope that ends restores the subscriber from before, which may be that of another capture.
#[test]
fn negatives_refuse_where_the_capture_was_started_in_a_scope_that_has_ended() {
    let outer = quiet().start();
    let inner = outer.handle().in_scope(|| {
        let inner = quiet().start();
        info!("captured");
        inner.trace().scan_events().none(&level(Level::ERROR));
        inner
    });
    // The outer one has the thread again, and is not bypassed.
    error!("for the outer one");
    assert_refuses(&inner.trace());
    outer.trace().scan_events().single(&level(Level::ERROR));
    drop(inner);
    outer.finish().scan_events().single(&level(Level::ERROR));
}

/// Leaves a subscriber behind that nobody has to register: the other tests of this process would pay for it.
fn leave_behind() {
    std::mem::forget(dispatcher::set_default(&Dispatch::none()));
}

#[track_caller]
fn assert_refuses(trace: &Trace) {
    let refused = trace.scan_events().try_none(&level(Level::ERROR)).unwrap_err().to_string();
    assert!(refused.contains("`set_default`"), "{refused}");
}

#[test]
fn negatives_refuse_whichever_way_the_trace_is_read() {
    let ways: [fn(Capture) -> Trace; 6] = [
        |capture| {
            leave_behind();
            capture.storage().lock()
        },
        |capture| {
            leave_behind();
            capture.storage().take()
        },
        |capture| {
            leave_behind();
            capture.wait_until(Duration::ZERO, |_| true)
        },
        |capture| {
            let is_captured = |trace: &Storage| trace.all_events().len() > 0;
            let mut until = pin!(capture.until(is_captured));
            leave_behind();
            ready(until.as_mut()).unwrap()
        },
        |capture| {
            let storage = capture.storage().clone();
            let mut until = pin!(storage.until(|trace| trace.all_events().len() > 1));
            assert!(ready(until.as_mut()).is_none());
            info!("captured, too");
            leave_behind();
            ready(until.as_mut()).unwrap()
        },
        |capture| {
            leave_behind();
            capture.finish()
        },
    ];
    for way in ways {
        on_thread(|| {
            let capture = quiet().start();
            info!("captured");
            assert_refuses(&way(capture));
        });
    }
}

/// Polls a future once.
fn ready<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn negatives_refuse_where_another_thread_of_the_capture_was_left_so() {
    let ways: [fn(&CaptureHandle); 4] = [
        |handle| handle.in_scope(leave_behind),
        |handle| handle.carry(leave_behind)(),
        |handle| assert!(ready(pin!(handle.carry_future(async { leave_behind() }))).is_some()),
        |handle| {
            handle.attach_thread();
            leave_behind();
        },
    ];
    for way in ways {
        for is_watched in [false, true] {
            let capture = if is_watched { quiet().fail_on_events(Level::WARN) } else { quiet() };
            let capture = capture.start();
            info!("captured");
            let handle = capture.handle();
            on_thread(|| way(&handle));
            if is_watched {
                let message = panic_message(|| capture.finish());
                assert!(message.contains("that is not the capture's was left"), "{message}");
            } else {
                assert_refuses(&capture.trace());
            }
        }
    }
}

#[test]
fn subscribers_of_other_threads_and_of_the_capture_itself_are_none_of_this() {
    let capture = quiet().start();
    info!("captured");
    let storage = capture.storage();
    on_thread(|| {
        leave_behind();
        storage.lock();
        drop(ready(pin!(storage.until(|_| true))));
    });
    let layer = CaptureLayer::new(storage);
    tracing::subscriber::with_default(Registry::default().with(layer), || {
        info!("captured by a layer");
        storage.lock().scan_events().none(&level(Level::ERROR));
    });
    capture.handle().in_scope(|| ());
    capture.finish().scan_events().none(&level(Level::ERROR));
}
