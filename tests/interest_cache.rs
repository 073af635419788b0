//! Call sites that a thread without a subscriber reaches first. `tracing-core` caches what it is told
//! then for the whole process, so that this needs a process of its own.

use std::thread;

use spanshot::{Capture, TracingEventReceiver, TracingEventSender};
use tracing::{Span, info, info_span};

/// One call site of spans and one of events for each number, at a line of the macro's expansion.
macro_rules! trace_at {
    ($($call_site:literal)+) => {
        [$(|| {
            info_span!("span", number = $call_site).in_scope(|| info!(number = $call_site, "event"));
        }),+]
    };
}

const CALL_SITES: [fn(); 20] = trace_at!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);

/// The same for a test of its own.
const OTHER_CALL_SITES: [fn(); 20] = trace_at!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);

#[track_caller]
fn assert_all_captured(capture: &Capture) {
    let trace = capture.trace();
    assert_eq!((trace.all_spans().len(), trace.all_events().len()), (20, 20));
    assert!((0..).zip(trace.all_events()).all(|(number, event)| event["number"] == number));
}

/// One test, so that no other test's subscriber is in the process.
#[test]
fn no_call_site_is_lost_to_whom_reached_it_first() {
    capture_sees_call_sites_that_a_bare_thread_reached_first();
    relayed_call_sites_are_captured_whoever_announced_them_first();
}

fn capture_sees_call_sites_that_a_bare_thread_reached_first() {
    let capture = Capture::start();
    for trace in CALL_SITES {
        // The thread has no subscriber.
        thread::spawn(move || {
            trace();
            assert!(Span::current().is_none());
        })
        .join()
        .unwrap();
        trace();
    }
    assert_all_captured(&capture);
}

fn relayed_call_sites_are_captured_whoever_announced_them_first() {
    let mut frames = vec![];
    for trace in OTHER_CALL_SITES {
        let (sender, receiver) = std::sync::mpsc::channel();
        let sender = TracingEventSender::encoded(move |frame| drop(sender.send(frame.to_vec())));
        tracing::subscriber::with_default(sender, trace);
        frames.push(receiver.try_iter().collect::<Vec<_>>());
    }
    let replay = |frames: &[Vec<u8>]| {
        let mut receiver = TracingEventReceiver::default();
        for frame in frames {
            receiver.receive_encoded(frame).unwrap();
        }
    };
    let capture = Capture::start();
    for frames in frames {
        thread::scope(|scope| scope.spawn(|| replay(&frames)).join().unwrap());
        replay(&frames);
    }
    assert_all_captured(&capture);
}
