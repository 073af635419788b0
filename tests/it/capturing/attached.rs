//! Receivers that outlive the capture that they relay to, as those of pooled instances do: the next capture must
//! not say that there was nothing.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex},
    thread,
};

use spanshot::{
    Capture, CaptureBuilder, CaptureLayer, LocalSpans, PersistedMetadata, PersistedSpans, Print,
    SharedStorage, TracingEvent, TracingEventReceiver, TracingEventSender, assert_trace_snapshot,
    predicates::*, receiver::FilterAnswer, transport::wasm_host::GuestTrace,
};
use spanshot_sender::HostFilter;
use tracing::{Level, error, info, info_span, subscriber::with_default};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::support::{assert_negatives_refuse, events_of, frames_of, panic_message};

const ENDED: &str = "a receiver that was called in this capture relays to one that has ended";
const OTHER: &str = "a receiver that was called in this capture relays to another subscriber";
const REMEDY: &str = "create the receiver or the `GuestTrace` after the capture has started, or call \
                      `GuestTrace::relay_here()`";

fn quiet() -> CaptureBuilder {
    Capture::builder().print(Print::Never)
}

/// Has a receiver relay what a program traces.
fn feed(receiver: &mut TracingEventReceiver, program: impl FnOnce()) {
    for frame in frames_of(program) {
        receiver.receive_encoded(&frame).unwrap();
    }
}

/// Creates a receiver in a capture, which ends.
fn receiver_of_ended() -> TracingEventReceiver {
    let _capture = quiet().start();
    TracingEventReceiver::default()
}

#[test]
fn negatives_refuse_where_a_receiver_relays_to_a_capture_that_has_ended() {
    let mut pooled = {
        let capture = Capture::start();
        let mut receiver = TracingEventReceiver::default();
        feed(&mut receiver, || info!("in the first test"));
        capture.finish().scan_events().none(&level(Level::ERROR));
        receiver
    };

    let capture = quiet().start();
    info!("captured");
    feed(&mut pooled, || error!("lost"));
    let trace = capture.trace();
    let events = trace.scan_events();
    assert_negatives_refuse(&trace, &format!("{ENDED}, so that its records are lost ({REMEDY})"));
    events.any(&message("captured"));

    let missing = events.try_any(&level(Level::ERROR)).unwrap_err().to_string();
    let expected = format!(
        "(it could not be captured, since {ENDED}, so that its records are lost ({REMEDY}))"
    );
    assert!(missing.contains(&expected), "{missing}");
    let refused = panic_message(|| assert_trace_snapshot!(trace, @"INFO captured"));
    let expected =
        format!("this trace is not all that was traced: {ENDED}, so that its records are lost");
    assert!(refused.contains(&expected), "{refused}");

    // What was lost stays lost, whatever is taken, and however the trace is read.
    capture.take();
    info!("later");
    let trace = capture.storage().lock();
    trace.scan_events().try_none(&level(Level::ERROR)).unwrap_err();
    capture.finish().scan_events().try_none(&level(Level::ERROR)).unwrap_err();
}

#[test]
fn empty_trace_says_where_its_records_are() {
    let mut pooled = receiver_of_ended();
    let capture = quiet().start();
    feed(&mut pooled, || error!("lost"));
    let trace = capture.trace();
    assert_eq!(trace.to_string(), format!("(nothing was captured: {ENDED})"));
    let missing = trace.scan_events().try_any(&level(Level::ERROR)).unwrap_err().to_string();
    assert!(missing.contains(&format!("(it could not be captured, since {ENDED}")), "{missing}");
    trace.scan_events().try_none(&level(Level::ERROR)).unwrap_err();
}

#[test]
fn checks_at_the_end_fail_where_records_are_lost() {
    let mut pooled = receiver_of_ended();
    let capture = quiet().fail_on_events(Level::WARN).start();
    info!("captured");
    feed(&mut pooled, || error!("lost"));
    let message = panic_message(|| capture.finish());
    let expected = format!("\n{ENDED}, so that its records are lost:\n  ({REMEDY})\n");
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn each_record_that_is_lost_counts_and_the_end_of_a_receiver_does_not() {
    // Events, and what happens to spans, of one thread and of others, which a receiver relays on threads of its own.
    let mut open = vec![];
    let events = events_of(|| {
        let span = info_span!("guest", value = tracing::field::Empty);
        span.record("value", 1);
        thread::spawn(tracing::dispatcher::get_default(|sender| {
            let (sender, span) = (sender.clone(), span.clone());
            move || {
                tracing::dispatcher::with_default(&sender, || span.in_scope(|| error!("thread")));
            }
        }))
        .join()
        .unwrap();
        span.in_scope(|| error!("lost"));
    });
    for elsewhere in [false, true] {
        for event in &events {
            let mut receiver = {
                let _capture = quiet().start();
                let receiver = TracingEventReceiver::default();
                let mut receiver = if elsewhere { receiver.relaying_elsewhere() } else { receiver };
                open.iter().cloned().for_each(|event| receiver.receive(event));
                receiver
            };
            let capture = quiet().start();
            info!("captured");
            receiver.receive(event.clone());
            drop(receiver); // which closes what is open
            let counts = !matches!(
                event,
                TracingEvent::NewCallSite { .. }
                    | TracingEvent::SpanExited { .. }
                    | TracingEvent::SpanCloned { .. }
                    | TracingEvent::SpanDropped { .. }
            );
            let refused = capture.trace().scan_events().try_none(&level(Level::ERROR)).is_err();
            assert_eq!(refused, counts, "{event:?}");
            open.push(event.clone());
        }
        open.clear();
    }
}

#[test]
fn worker_threads_of_a_receiver_count_for_the_thread_that_calls_it() {
    let mut pooled = {
        let _capture = quiet().start();
        TracingEventReceiver::default().relaying_elsewhere()
    };
    let capture = quiet().start();
    info!("captured");
    feed(&mut pooled, || info_span!("guest").in_scope(|| error!("lost")));
    capture.finish().scan_events().try_none(&level(Level::ERROR)).unwrap_err();

    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default().relaying_elsewhere();
    feed(&mut receiver, || info_span!("guest").in_scope(|| info!("relayed")));
    let trace = capture.finish();
    assert_eq!(trace.to_string(), "INFO guest{}\n└─ INFO relayed");
    trace.scan_events().none(&level(Level::ERROR));
}

#[test]
fn pooled_guest_relays_to_the_next_capture_if_it_is_told_to() {
    thread_local! {
        static POOL: RefCell<Vec<GuestTrace>> = const { RefCell::new(vec![]) };
    }
    let call = |trace: &mut GuestTrace, program: fn()| {
        for frame in frames_of(program) {
            let len = u32::try_from(frame.len()).unwrap();
            trace.send(&frame, 0, len).unwrap();
        }
    };
    {
        let capture = Capture::start();
        let mut trace = GuestTrace::default();
        call(&mut trace, || info!("first"));
        assert_eq!(capture.trace().to_string(), "INFO first");
        POOL.with_borrow_mut(|pool| pool.push(trace));
    }
    {
        let capture = quiet().start();
        info!("captured");
        let mut trace = POOL.take().pop().unwrap();
        call(&mut trace, || error!("second"));
        capture.trace().scan_events().try_none(&level(Level::ERROR)).unwrap_err();
        POOL.with_borrow_mut(|pool| pool.push(trace));
    }
    let capture = Capture::start();
    let mut trace = POOL.take().pop().unwrap();
    trace.relay_here().unwrap();
    call(&mut trace, || info!("third"));
    let trace = capture.finish();
    assert_eq!(trace.to_string(), "INFO third");
    trace.scan_events().none(&level(Level::ERROR));
}

#[test]
fn receiver_of_another_live_capture_makes_no_verdict_fail() {
    let outer = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    let inner = quiet().fail_on_events(Level::WARN).start();
    info!("captured");
    feed(&mut receiver, || error!("for the outer one"));
    let trace = inner.trace();
    let events = trace.scan_events();
    events.none(&level(Level::ERROR));
    events.all(&level(Level::INFO));
    events.exactly(&[&message("captured")]);
    events.single(&message("captured"));
    assert_trace_snapshot!(trace, @"INFO captured");
    assert_eq!(trace.to_string(), "INFO captured");

    // It is meant perhaps, and perhaps not.
    let missing = events.try_any(&level(Level::ERROR)).unwrap_err().to_string();
    let expected = format!("\n\n({OTHER}; if its records are to come here, {REMEDY})\n\n");
    assert!(missing.contains(&expected), "{missing}");

    // What was relayed while the other was there is not lost when that ends.
    outer.finish().scan_events().single(&message("for the outer one"));
    inner.trace().scan_events().none(&level(Level::ERROR));
    feed(&mut receiver, || error!("lost"));
    inner.trace().scan_events().try_none(&level(Level::ERROR)).unwrap_err();
    let message = panic_message(|| inner.finish());
    assert!(message.contains(ENDED), "{message}");
}

#[test]
fn receiver_of_another_subscriber_is_named_where_nothing_was_captured() {
    let mut receiver = with_default(Registry::default(), TracingEventReceiver::default);
    let capture = quiet().start();
    feed(&mut receiver, || error!("for the registry"));
    let trace = capture.trace();
    assert_eq!(trace.to_string(), format!("(nothing was captured: {OTHER})"));
    let refused = trace.scan_events().try_none(&level(Level::ERROR)).unwrap_err().to_string();
    let expected = format!(
        "this says nothing, since the capture saw nothing at all: {OTHER}; if its records are to come here, {REMEDY}: \
         level(ERROR)"
    );
    assert!(refused.starts_with(&expected), "{refused}");
    // Verdicts stand, those of snapshots included.
    trace.scan_events().or_empty().none(&level(Level::ERROR));
    assert_trace_snapshot!(trace, @"(nothing was captured)");
}

#[test]
fn inner_capture_that_has_ended_is_none_that_an_outer_one_may_rely_on() {
    let outer = quiet().start();
    info!("captured");
    let mut receiver = receiver_of_ended();
    outer.trace().scan_events().none(&level(Level::ERROR));
    feed(&mut receiver, || error!("lost"));
    outer.trace().scan_events().try_none(&level(Level::ERROR)).unwrap_err();
}

#[test]
fn captures_that_are_carried_learn_of_it_too() {
    let mut pooled = receiver_of_ended();
    let (capture, alone) = (quiet().start(), quiet().start());
    let thread = thread::spawn(capture.carry(move || {
        info!("captured");
        feed(&mut pooled, || error!("lost"));
        pooled
    }));
    let mut pooled = thread.join().unwrap();
    capture.trace().scan_events().try_none(&level(Level::ERROR)).unwrap_err();
    info!("captured");
    alone.trace().scan_events().none(&level(Level::ERROR));

    let capture = quiet().start();
    info!("captured");
    let handle = capture.handle();
    let thread = thread::spawn(move || {
        handle.attach_thread();
        feed(&mut pooled, || error!("lost"));
    });
    thread.join().unwrap();
    capture.trace().scan_events().try_none(&level(Level::ERROR)).unwrap_err();
    alone.trace().scan_events().none(&level(Level::ERROR));
}

#[test]
fn receiver_in_the_scope_of_its_own_capture_is_none_of_another() {
    let outer = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    let inner = Capture::start();
    outer.handle().in_scope(|| feed(&mut receiver, || info!("for the outer one")));
    assert_eq!(outer.trace().to_string(), "INFO for the outer one");
    assert_eq!(inner.trace().to_string(), "(nothing was captured)");
}

#[test]
fn nothing_is_said_where_capture_and_receiver_belong_together() {
    fn check(capture: &Capture, mut receiver: TracingEventReceiver) {
        assert_eq!(capture.trace().to_string(), "(nothing was captured)");
        feed(&mut receiver, || info_span!("guest").in_scope(|| info!("relayed")));
        let trace = capture.take();
        assert_eq!(trace.to_string(), "INFO guest{}\n└─ INFO relayed");
        trace.scan_events().none(&level(Level::ERROR));
        let missing = trace.scan_events().try_any(&level(Level::ERROR)).unwrap_err().to_string();
        assert!(!missing.contains("receiver"), "{missing}");
        assert_eq!(capture.trace().to_string(), "(nothing was captured)");
    }
    // One that was created while there was no subscriber takes that of the first record.
    let early = TracingEventReceiver::default();
    let capture = Capture::start();
    check(&capture, early);
    check(&capture, TracingEventReceiver::default().relaying_elsewhere());
    let restored = TracingEventReceiver::new(
        PersistedMetadata::default(),
        PersistedSpans::default(),
        LocalSpans::default(),
    );
    check(&capture, restored);
    drop(capture);

    let capture = Capture::builder().with_layer(tracing_subscriber::layer::Identity::new()).start();
    check(&capture, TracingEventReceiver::default());
    drop(capture);

    // A layer for the storage of the capture, on a subscriber of one's own.
    let capture = Capture::start();
    let layered = Registry::default().with(CaptureLayer::new(capture.storage()));
    let receiver = with_default(layered, TracingEventReceiver::default);
    check(&capture, receiver);
}

#[test]
fn storages_of_layers_are_none_of_this() {
    let mut pooled = receiver_of_ended();
    let capture = quiet().start();
    let storage = SharedStorage::default();
    let layered = Registry::default().with(CaptureLayer::new(&storage));
    with_default(layered, || {
        let mut receiver = TracingEventReceiver::default();
        feed(&mut receiver, || info!("relayed"));
        feed(&mut pooled, || info!("lost"));
    });
    assert_eq!(storage.lock().to_string(), "INFO relayed");
    storage.lock().scan_events().none(&level(Level::ERROR));
    assert_eq!(capture.trace().to_string(), format!("(nothing was captured: {ENDED})"));
}

#[test]
fn next_capture_learns_of_a_question_that_the_filter_of_an_ended_one_answers() {
    struct Host(Arc<Mutex<TracingEventReceiver>>);

    impl HostFilter for Host {
        fn generation(&self) -> u32 {
            TracingEventReceiver::filter_generation()
        }

        fn ask(&self, question: &[u8]) -> FilterAnswer {
            self.0.lock().unwrap().answer(question).unwrap()
        }
    }

    let receiver = {
        let _capture = quiet().filter("warn").start();
        Arc::new(Mutex::new(TracingEventReceiver::default()))
    };
    let host = Host(Arc::clone(&receiver));
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        receiver.lock().unwrap().receive_encoded(frame).unwrap();
    });
    let capture = quiet().start();
    info!("captured");
    with_default(sender.with_host_filter(host), || info!("not wanted by the one that has ended"));
    let trace = capture.trace();
    trace.scan_events().try_none(&message(contains("not wanted"))).unwrap_err();
}
