//! Programs that ask their host what it wants learn the same as natively, and give the same trace,
//! with nothing filtered out by the receiver.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use spanshot::{SharedStorage, TracingEventReceiver, TracingEventSender, receiver::FilterAnswer};
use spanshot_sender::HostFilter;
use tracing::{Dispatch, dispatcher};

use super::{
    FILTERS, PER_LAYER, Sent, check_all,
    program::{Program, program, run},
    subscriber,
    support::detailed,
};

/// A host that is asked, in the same process.
struct Host {
    receiver: Arc<Mutex<TracingEventReceiver>>,
}

impl HostFilter for Host {
    fn ask(&self, question: &[u8]) -> FilterAnswer {
        self.receiver.lock().unwrap().answer(question).unwrap()
    }

    fn generation(&self) -> u32 {
        TracingEventReceiver::filter_generation()
    }
}

/// Runs a program whose sender asks, and returns what it learned, what was captured, and what it
/// sent.
fn run_asking(program: &Program, filter: usize) -> (Vec<String>, String, Vec<Sent>) {
    let storage = SharedStorage::default();
    let host = subscriber(filter, &storage);
    let receiver = dispatcher::with_default(&host, TracingEventReceiver::default);
    let receiver = Arc::new(Mutex::new(receiver));
    let sent = Arc::new(Mutex::new(vec![]));
    let (pushed, receiving) = (Arc::clone(&sent), Arc::clone(&receiver));
    let asked = Host { receiver: Arc::clone(&receiver) };
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        receiving.lock().unwrap().receive_encoded(frame).unwrap();
        pushed.lock().unwrap().push(Sent::Frame(frame.to_vec()));
    })
    .with_host_filter(asked);
    let learned = run(program, &Dispatch::new(sender));
    let trace = detailed(&storage.lock());
    let sent = std::mem::take(&mut *sent.lock().unwrap());
    (learned, trace, sent)
}

fn check(program: &Program, filter: usize) {
    let storage = SharedStorage::default();
    let expected = run(program, &subscriber(filter, &storage));
    let native = storage.lock();
    let (learned, trace, sent) = run_asking(program, filter);
    assert_eq!(learned, expected, "under filter {filter}");
    assert_eq!(trace, detailed(&native), "under filter {filter}");

    // Everything that is sent is wanted. What a filter of a single layer leaves out may be a span to
    // the subscriber all the same, natively too.
    if filter == PER_LAYER {
        return;
    }
    let of_kind = |kind| {
        let is_of_kind =
            |sent: &&Sent| matches!(sent, Sent::Frame(frame) if frame[0] & 0xf == kind);
        sent.iter().filter(is_of_kind).count()
    };
    assert_eq!(of_kind(1), native.all_spans().len(), "spans under filter {filter}");
    assert_eq!(of_kind(8), native.all_events().len(), "events under filter {filter}");
}

/// A program, and the number of a filter of the host.
fn program_and_filter(threads: usize) -> impl Strategy<Value = (Program, usize)> {
    (program(threads), 0..FILTERS).prop_map(|(mut program, filter)| {
        if filter == PER_LAYER {
            program.retain(|(_, step)| !step.asks());
        }
        (program, filter)
    })
}

#[test]
fn on_one_thread() {
    check_all(&program_and_filter(1), |(program, filter)| check(&program, filter));
}

#[test]
fn on_three_threads_that_take_turns() {
    check_all(&program_and_filter(3), |(program, filter)| check(&program, filter));
}
