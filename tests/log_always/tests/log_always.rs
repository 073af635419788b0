//! With its feature `log-always`, the macros of `tracing` log each event and what happens to spans. Captures drop
//! these records, and keep those that a program logs itself.

use std::{
    sync::{Arc, Mutex},
    thread,
};

use spanshot::{Capture, Print, SharedStorage, TracingEventReceiver, TracingEventSender};
use tracing::{Level, debug, event, info, info_span, warn};
use tracing_subscriber::layer::Identity;

/// All that is traced here, with records in between.
fn program() {
    let span = info_span!("span", port = 8_080);
    span.in_scope(|| {
        info!("once");
        log::info!("logged");
        info!("once");
        log::info!("once");
        warn!(target: "library", millis = 850, "slow: {}", true);
        debug!(port = 8_080, text = "text");
        event!(Level::INFO, text = %"display", ratio = 0.5);
        event!(Level::ERROR, "");
    });
    log::trace!(target: "library", "logged");
}

const TREE: &str = "\
INFO span{port=8080}
├─ INFO once
├─ INFO logged
├─ ⟨2×⟩ INFO once
├─ WARN slow: true millis=850
├─ DEBUG port=8080 text=\"text\"
├─ INFO text=display ratio=0.5
└─ ERROR ``
TRACE logged";

#[test]
fn records_that_repeat_events_are_dropped() {
    let starts: [fn() -> Capture; 3] = [Capture::start, Capture::start_process_wide, || {
        Capture::builder().with_layer(Identity::new()).start()
    }];
    for start in starts {
        let capture = start();
        program();
        let trace = capture.finish();
        assert_eq!(trace.all_events().len(), 9, "{trace}");
        assert_eq!(trace.to_string(), TREE);
    }
}

#[test]
fn records_of_a_guest_that_repeat_events_are_dropped() {
    drop(Capture::start()); // installs a logger, which is that of the guest here
    let frames = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&frames);
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        pushed.lock().unwrap().push(frame.to_vec());
    });
    tracing::subscriber::with_default(sender, program);

    let feed = |mut receiver: TracingEventReceiver| {
        for frame in &*frames.lock().unwrap() {
            receiver.receive_encoded(frame).unwrap();
        }
    };
    let capture = Capture::start();
    feed(TracingEventReceiver::default());
    assert_eq!(capture.finish().to_string(), TREE, "relayed");
    let storage = SharedStorage::default();
    feed(TracingEventReceiver::capturing(&storage));
    assert_eq!(storage.lock().to_string(), TREE, "directly");
}

#[test]
fn each_thread_repeats_its_own() {
    let capture = Capture::start();
    thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(capture.carry(move || {
                for _ in 0..100 {
                    info!(number);
                    log::info!("{number}");
                }
            }));
        }
    });
    assert_eq!(capture.finish().all_events().len(), 800);
}

#[test]
fn macro_that_traces_and_logs_does_both() {
    macro_rules! both {
        ($traced:literal, $logged:literal) => {
            info!($traced);
            log::info!($logged);
        };
    }
    let capture = Capture::start();
    both!("traced", "logged");
    assert_eq!(capture.finish().to_string(), "INFO traced\nINFO logged");
}

#[test]
fn events_fail_a_test_once() {
    let capture = Capture::builder().fail_on_events(Level::WARN).print(Print::Never).start();
    warn!("slow");
    let panic = std::panic::catch_unwind(|| drop(capture.finish())).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(message.contains("\n1 event at level warn"), "{message}");
}
