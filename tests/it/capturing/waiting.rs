//! Waiting for something to be captured.

use std::{
    sync::{Barrier, mpsc},
    thread,
    time::Duration,
};

use spanshot::{Capture, Storage, TracingEventReceiver};
use tracing::{dispatcher::with_default, info};

use crate::support::{every_way, feed_frames, frames_of, panic_message};

/// So long that no test waits for it to pass.
const LONG: Duration = Duration::from_secs(600);
/// So short that a test can wait for it to pass.
const SHORT: Duration = Duration::from_millis(10);

fn count(trace: &Storage) -> usize {
    trace.all_events().len()
}

fn has(message: &str) -> impl Fn(&Storage) -> bool {
    move |trace| trace.all_events().any(|event| event.message() == Some(message))
}

#[test]
fn what_holds_is_not_waited_for() {
    let capture = Capture::start();
    info!("ready");
    let mut asked = 0;
    let is_ready = |trace: &Storage| {
        asked += 1;
        has("ready")(trace)
    };
    let trace = capture.storage().wait_until(Duration::ZERO, is_ready).unwrap();
    assert_eq!((trace.to_string().as_str(), asked), ("INFO ready", 1));
    assert_eq!(count(&capture.wait_until(Duration::MAX, has("ready"))), 1);
}

/// Each event is traced when the condition has been asked about the one before: it is asked once for
/// each, and not in between.
#[test]
fn condition_is_asked_once_after_each_change() {
    for (way, storage, dispatch) in every_way(|_| {}) {
        let (asked, tracing) = mpsc::channel();
        let other = thread::spawn(move || {
            with_default(&dispatch, || tracing.iter().for_each(|number: usize| info!(number)));
        });
        let mut answers = vec![];
        let trace = storage.wait_until(LONG, |trace| {
            answers.push(count(trace));
            count(trace) == 5 || asked.send(count(trace)).is_err()
        });
        assert_eq!(count(&trace.unwrap()), 5, "{way}");
        assert_eq!(answers, [0, 1, 2, 3, 4, 5], "{way}");
        drop(asked);
        other.join().unwrap();
    }
}

#[test]
fn condition_is_not_asked_again_when_nothing_was_captured() {
    let capture = Capture::start();
    info!("so far");
    let mut asked = 0;
    let result = capture.storage().wait_until(SHORT, |_| {
        asked += 1;
        false
    });
    let error = result.unwrap_err();
    assert_eq!(asked, 1);
    assert_eq!(
        error.to_string(),
        "nothing like it was captured within 10ms\n\
         (`wait_until()` blocks its thread: if that thread runs the tasks of a runtime, await \
         `until()` instead)\n\
         (records of other threads and tasks come here only by `carry()`, `handle()` or \
         `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)\n\
         the trace so far:\nINFO so far"
    );
    assert_eq!(error.trace().to_string(), "INFO so far");
}

#[test]
fn capture_panics_with_the_trace_when_it_waited_in_vain() {
    let capture = Capture::start();
    info!("so far");
    let message = panic_message(|| capture.wait_until(SHORT, has("ready")));
    assert!(message.ends_with("\nthe trace so far:\nINFO so far"), "{message}");
    info!("goes on");
    assert_eq!(count(&capture.trace()), 2);
}

#[test]
fn failed_wait_says_where_records_may_be() {
    let capture = Capture::start();
    let _left_behind = tracing::subscriber::set_default(tracing_subscriber::registry());
    let message = panic_message(|| capture.wait_until(SHORT, has("ready")));
    assert!(message.contains("a thread of this capture has another subscriber"), "{message}");
}

/// The thread that waits may be woken late, by a machine that is busy.
#[test]
fn what_was_captured_in_time_counts_however_late_it_is_looked_at() {
    // Within this time, the condition is asked, on a busy machine too.
    const TIME: Duration = Duration::from_secs(2);
    let capture = Capture::start();
    let result = capture.storage().wait_until(TIME, |trace| {
        if count(trace) == 0 {
            info!("in time");
            thread::sleep(TIME);
        }
        count(trace) > 0
    });
    assert_eq!(result.unwrap().to_string(), "INFO in time");
}

#[test]
fn condition_may_trace() {
    let capture = Capture::start();
    let trace = capture.wait_until(LONG, |trace| {
        info!("asked");
        count(trace) == 3
    });
    assert_eq!((count(&trace), count(&capture.trace())), (3, 4));
    let result = capture.storage().wait_until(SHORT, |_| {
        info!("asked in vain");
        false
    });
    assert!(result.unwrap_err().trace().all_events().len() >= 4);
}

#[test]
fn condition_may_panic() {
    let capture = Capture::start();
    let wait = || capture.wait_until(LONG, |_| panic!("as it was told to"));
    assert_eq!(panic_message(wait), "as it was told to");
    info!("ready");
    capture.wait_until(Duration::ZERO, has("ready"));
}

#[test]
fn several_threads_wait_each_for_its_own() {
    let capture = Capture::start();
    let (storage, waiting) = (capture.storage(), Barrier::new(5));
    thread::scope(|scope| {
        let waiters = ["a", "b", "c", "d"].map(|message| {
            let (storage, waiting) = (storage.clone(), &waiting);
            scope.spawn(move || {
                let mut is_first = true;
                let wanted = storage.wait_until(LONG, |trace| {
                    if std::mem::take(&mut is_first) {
                        waiting.wait();
                    }
                    has(message)(trace)
                });
                count(&wanted.unwrap())
            })
        });
        waiting.wait();
        for message in ["d", "c", "b", "a"] {
            info!("{message}");
        }
        let seen = waiters.map(|waiter| waiter.join().unwrap());
        assert!(seen.iter().zip([4, 3, 2, 1]).all(|(seen, least)| *seen >= least), "{seen:?}");
    });
}

#[test]
fn what_a_receiver_relays_on_another_thread_is_waited_for() {
    let capture = Capture::start();
    let frames = frames_of(|| info!("from the guest"));
    let dispatch = capture.dispatch().clone();
    let other = thread::spawn(move || {
        with_default(&dispatch, || {
            let mut receiver = TracingEventReceiver::default();
            feed_frames(&frames)(&mut receiver);
        });
    });
    capture.wait_until(LONG, has("from the guest"));
    other.join().unwrap();
}

#[test]
fn taking_wakes_those_who_wait() {
    let capture = Capture::start();
    info!("to be taken");
    let (storage, (asked, was_asked)) = (capture.storage().clone(), mpsc::channel());
    let waiter = thread::spawn(move || {
        let is_empty = |trace: &Storage| {
            let _ = asked.send(()); // nobody cares for the second time
            count(trace) == 0
        };
        storage.wait_until(LONG, is_empty).is_ok()
    });
    was_asked.recv().unwrap();
    assert_eq!(count(&capture.take()), 1);
    assert!(waiter.join().unwrap());
}
