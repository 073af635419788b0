//! Programs that are made at random give the same trace natively and through the tunnel, under
//! several filters of the host, by both encodings, relayed and directly.
//!
//! By default there are 200 programs for each property, the same in every run. `SPANSHOT_PROGRAMS`
//! sets their number, and then they are others in every run.
//!
//! This is a binary of its own, since each of its many subscribers is told of all call sites of the
//! process.

use std::{
    env,
    sync::{Arc, Mutex, OnceLock},
};

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use spanshot::{
    Capture, CaptureLayer, SharedStorage, Trace, TracingEvent, TracingEventReceiver,
    TracingEventSender,
};
use tracing::{Dispatch, level_filters::LevelFilter};
use tracing_subscriber::{EnvFilter, Layer, filter::Targets, layer::SubscriberExt};

#[allow(dead_code, unused_imports)] // it is made for another binary, too
#[path = "../it/support.rs"]
mod support;

mod asking;
mod parts;
mod program;
mod saved;
mod suspended_streams;

use program::{Program, program, run};
use support::{detailed, threads, through_json};

/// Filters of the host, the first of which lets everything pass.
const FILTERS: usize = 5;

/// The filter that is of a single layer.
const PER_LAYER: usize = 3;

/// A subscriber with a capture, by the number of its filter.
fn subscriber(filter: usize, storage: &SharedStorage) -> Dispatch {
    let registry = tracing_subscriber::registry();
    match filter {
        0 => Dispatch::new(registry.with(CaptureLayer::new(storage))),
        1 => Dispatch::new(registry.with(LevelFilter::INFO).with(CaptureLayer::new(storage))),
        2 => {
            let targets = Targets::new()
                .with_target("other", LevelFilter::ERROR)
                .with_default(LevelFilter::DEBUG);
            Dispatch::new(registry.with(targets).with(CaptureLayer::new(storage)))
        }
        PER_LAYER => Dispatch::new(
            registry.with(Layer::with_filter(CaptureLayer::new(storage), LevelFilter::DEBUG)),
        ),
        _ => {
            let filter = EnvFilter::new("warn,[alpha{value=1}]=trace,[beta]=info");
            Dispatch::new(registry.with(filter).with(CaptureLayer::new(storage)))
        }
    }
}

/// What crosses the boundary, by either encoding.
#[derive(Clone)]
enum Sent {
    Frame(Vec<u8>),
    Event(TracingEvent),
}

impl Sent {
    fn receive(&self, receiver: &mut TracingEventReceiver) {
        match self {
            Self::Frame(frame) => receiver.receive_encoded(frame).unwrap(),
            Self::Event(event) => receiver.receive(event.clone()),
        }
    }
}

/// Runs a program under senders, and returns its streams by both encodings.
fn send(program: &Program) -> [(&'static str, Vec<Sent>); 2] {
    let frames = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&frames);
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        pushed.lock().unwrap().push(Sent::Frame(frame.to_vec()));
    });
    run(program, &Dispatch::new(sender));

    let events = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&events);
    let sender = TracingEventSender::new(move |event| pushed.lock().unwrap().push(event));
    run(program, &Dispatch::new(sender));

    let frames = std::mem::take(&mut *frames.lock().unwrap());
    let events = through_json(&events.lock().unwrap()).into_iter().map(Sent::Event).collect();
    [("frames", frames), ("JSON", events)]
}

/// Runs a program natively, and returns what was captured.
fn run_natively(program: &Program, filter: usize) -> Trace {
    let storage = SharedStorage::default();
    run(program, &subscriber(filter, &storage));
    storage.lock()
}

/// Has a relaying receiver fed under a filter, and returns what was captured.
fn relay(filter: usize, feed: impl FnOnce(TracingEventReceiver) -> TracingEventReceiver) -> Trace {
    let storage = SharedStorage::default();
    tracing::dispatcher::with_default(&subscriber(filter, &storage), || {
        let _receiver = feed(TracingEventReceiver::default());
        storage.lock() // before the receiver closes what the program left open
    })
}

/// Has a receiver of the direct way fed, and returns what was captured.
fn capture_directly(feed: impl FnOnce(TracingEventReceiver) -> TracingEventReceiver) -> Trace {
    let storage = SharedStorage::default();
    let _receiver = feed(TracingEventReceiver::capturing(&storage));
    storage.lock()
}

/// Asserts that a program's trace is the same natively and through the tunnel, also as to which of it
/// happened on the same threads.
fn check(program: &Program, filter: usize) {
    let seen = |trace: &Trace| (detailed(trace), threads(trace));
    let native = seen(&run_natively(program, filter));
    for (encoding, sent) in send(program) {
        let feed = |mut receiver| {
            for sent in &sent {
                sent.receive(&mut receiver);
            }
            receiver
        };
        assert_eq!(seen(&relay(filter, feed)), native, "{encoding} under filter {filter}");
        if filter == 0 {
            assert_eq!(seen(&capture_directly(feed)), native, "{encoding}, directly");
        }
    }
}

/// Does the same with a receiver that is persisted at a boundary, and restored where its spans are.
/// The trees are the same then, though spans are exited and entered once more.
fn check_suspended(program: &Program, filter: usize, boundary: prop::sample::Index) {
    let native = run_natively(program, filter).to_string();
    for (encoding, sent) in send(program) {
        let (before, after) = sent.split_at(boundary.index(sent.len() + 1));
        let feed = |mut receiver| {
            for sent in before {
                sent.receive(&mut receiver);
            }
            let mut receiver = suspend_and_resume(receiver);
            for sent in after {
                sent.receive(&mut receiver);
            }
            receiver
        };
        let relayed = relay(filter, feed).to_string();
        assert_eq!(relayed, native, "{encoding} under filter {filter}");
        if filter == 0 {
            let captured = capture_directly(feed).to_string();
            assert_eq!(captured, native, "{encoding}, directly");
        }
    }
}

fn suspend_and_resume(receiver: TracingEventReceiver) -> TracingEventReceiver {
    let metadata = serde_json::to_string(&receiver.persist_metadata()).unwrap();
    let (spans, local_spans) = receiver.persist();
    let spans = postcard::to_allocvec(&spans).unwrap();
    let metadata = serde_json::from_str(&metadata).unwrap();
    TracingEventReceiver::new(metadata, postcard::from_bytes(&spans).unwrap(), local_spans)
}

/// A program, and the number of a filter of the host.
fn program_and_filter(threads: usize) -> impl Strategy<Value = (Program, usize)> {
    (program(threads), 0..FILTERS).prop_map(|(mut program, filter)| {
        if filter > 0 {
            // The program does not know the host's filter: a span that is disabled there is current
            // here all the same.
            program.retain(|(_, step)| !step.asks_for_current_span());
        }
        if filter == PER_LAYER {
            program.retain(|(_, step)| !step.asks());
        }
        (program, filter)
    })
}

fn check_all<S: Strategy>(strategy: &S, check: impl Fn(S::Value)) {
    // Which spans a filter of a single layer leaves without an ID depends on the maximum level of
    // all subscribers in the process. It is the same throughout while there is one that wants all.
    static KEEP_MAX_LEVEL: OnceLock<Dispatch> = OnceLock::new();
    KEEP_MAX_LEVEL.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));

    let cases = env::var("SPANSHOT_PROGRAMS").ok().map(|cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases: cases.unwrap_or(200),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = if cases.is_some() {
        TestRunner::new(config)
    } else {
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::default()))
    };
    let result = runner.run(strategy, |value| {
        check(value);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// A capture's own subscriber gives the trace that a layer on `Registry` does.
#[test]
fn captured_as_by_a_layer_on_a_registry() {
    check_all(&program(3), |program| {
        let by_layer = run_natively(&program, 0);
        let capture = Capture::start();
        run(&program, capture.dispatch());
        let captured = capture.trace();
        assert_eq!(detailed(&captured), detailed(&by_layer));
        assert_eq!(threads(&captured), threads(&by_layer));
        let moments = |trace: &Trace| -> Vec<_> {
            trace
                .timeline()
                .map(|(moment, happening)| format!("{moment:?} {happening:?}"))
                .collect()
        };
        assert_eq!(moments(&captured), moments(&by_layer));
    });
}

#[test]
fn on_one_thread() {
    check_all(&program_and_filter(1), |(program, filter)| check(&program, filter));
}

#[test]
fn on_three_threads_that_take_turns() {
    check_all(&program_and_filter(3), |(program, filter)| check(&program, filter));
}

#[test]
fn suspended_at_a_random_boundary() {
    let strategy = (program_and_filter(1), any::<prop::sample::Index>());
    check_all(&strategy, |((program, filter), boundary)| {
        check_suspended(&program, filter, boundary);
    });
}

#[test]
fn on_three_threads_and_suspended_at_a_random_boundary() {
    let strategy = (program_and_filter(3), any::<prop::sample::Index>());
    check_all(&strategy, |((program, filter), boundary)| {
        check_suspended(&program, filter, boundary);
    });
}
