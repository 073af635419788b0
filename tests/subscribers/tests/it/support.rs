//! Running programs natively and through the tunnel.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    thread,
};

use spanshot::{TracingEventReceiver, TracingEventSender};
use tracing::{Dispatch, dispatcher, info_span};

use crate::{
    guest::{evaluator, load_plugin},
    programs::PROGRAMS,
};

/// Runs something under a subscriber, and returns what comes out of it.
pub(crate) type Under = fn(&dyn Fn()) -> String;

const EXPRESSIONS: [&str; 6] =
    ["(1 + 2) * 3", "8 / (3 - 3)", "1 + 2.3.4", "-(2 ^ -1) + 3!", "10 ^ 400", "8 / (4 -"];

/// Checks that all programs come out the same natively and relayed, in a span of the host's or not.
#[track_caller]
pub(crate) fn check_programs(under: Under) {
    for (name, program) in PROGRAMS {
        let natively = under(program);
        assert!(natively.len() > 20, "{name}: {natively}");
        let frames = frames_of(program);
        assert_eq!(under(&|| relay(&frames)), natively, "{name}");
        if name == "threads" {
            continue; // see `main`
        }
        assert_eq!(
            under(&|| in_host(&|| relay(&frames))),
            under(&|| in_host(program)),
            "{name}, in a span of the host"
        );
    }
}

/// Checks that what the WASM guest traces comes out as if it were a part of the host.
#[track_caller]
pub(crate) fn check_guest(under: Under) {
    let plugin = load_plugin();
    for expression in EXPRESSIONS {
        let natively = under(&|| in_host(&|| drop(evaluator::evaluate(expression))));
        let guest = under(&|| in_host(&|| drop(plugin.evaluate(expression))));
        assert_eq!(as_of_one_crate(&guest), as_of_one_crate(&natively), "{expression}");
    }
}

fn in_host(f: &dyn Fn()) {
    info_span!("host", job = 7).in_scope(f);
}

/// Gives the guest and its native twin the same targets and paths.
fn as_of_one_crate(output: &str) -> String {
    output
        .replace("spanshot_guest::evaluator", "evaluator")
        .replace("it::guest::evaluator", "evaluator")
        .replace("tests/it/../../../../examples/guest/src/", "src/")
}

/// Runs a program under the sender, and returns the frames that it sent.
pub(crate) fn frames_of(program: &dyn Fn()) -> Vec<Vec<u8>> {
    let frames = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&frames);
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        pushed.lock().unwrap().push(frame.to_vec());
    });
    tracing::subscriber::with_default(sender, program);
    std::mem::take(&mut frames.lock().unwrap())
}

pub(crate) fn relay(frames: &[Vec<u8>]) {
    let mut receiver = TracingEventReceiver::default();
    for frame in frames {
        receiver.receive_encoded(frame).unwrap();
    }
}

/// Runs a part of a program on a thread of its own, to its end.
pub(crate) fn on_thread(program: impl FnOnce() + Send) {
    let dispatch = dispatcher::get_default(Dispatch::clone);
    let program = || dispatcher::with_default(&dispatch, program);
    thread::scope(|scope| scope.spawn(program).join().unwrap());
}

/// Bytes that a subscriber writes.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    pub(crate) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
