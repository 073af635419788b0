//! Guests that their hosts call again while they wait: the trace does not depend on who waits, and how often.

use std::{
    cell::{Cell, RefCell},
    future,
    mem::{self, ManuallyDrop},
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use proptest::prelude::*;
use spanshot::{
    Capture, TracingEvent, TracingEventReceiver, TracingEventSender, receiver::GuestScope,
};
use tracing::{Dispatch, Instrument, Span, dispatcher, info, info_span};

/// What a guest does.
#[derive(Debug, Clone)]
enum Step {
    Event,
    Span(Vec<Step>),
    /// Enters a span, and stays there.
    Stay,
    /// Calls a function of its host.
    Host(Vec<HostStep>),
}

/// What a function of the host does that a guest has called.
#[derive(Debug, Clone)]
enum HostStep {
    Event,
    Span(Vec<HostStep>),
    Wait,
    /// Calls the guest again.
    Call(Vec<Step>),
    /// Waits for nothing, until it is given up with the innermost call: the guest's call goes no further.
    Stick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nobody waits, and calls are not futures.
    Sync,
    Async {
        waits: bool,
    },
}

/// A guest and its host, in one: the steps of a test run in either.
struct Guest {
    sender: Dispatch,
    sent: Arc<Mutex<Vec<TracingEvent>>>,
    receiver: RefCell<TracingEventReceiver>,
    scope: GuestScope,
    way: Way,
    is_stuck: Cell<bool>,
    number: Cell<u32>,
}

type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

impl Guest {
    fn new(way: Way) -> Self {
        let sent = Arc::<Mutex<Vec<_>>>::default();
        let output = Arc::clone(&sent);
        let sender = TracingEventSender::new(move |event| output.lock().unwrap().push(event));
        let mut receiver = TracingEventReceiver::default();
        let scope = receiver.scope();
        let receiver = RefCell::new(receiver);
        let (is_stuck, number) = (Cell::new(false), Cell::new(0));
        Self { sender: Dispatch::new(sender), sent, receiver, scope, way, is_stuck, number }
    }

    fn number(&self) -> u32 {
        self.number.replace(self.number.get() + 1)
    }

    /// Has the guest trace something, which its host receives.
    fn trace<T>(&self, f: impl FnOnce() -> T) -> T {
        let result = dispatcher::with_default(&self.sender, f);
        for event in mem::take(&mut *self.sent.lock().unwrap()) {
            self.receiver.borrow_mut().receive(event);
        }
        result
    }

    /// Runs the guest. If this is dropped, no code of it runs.
    fn run<'a>(&'a self, steps: &'a [Step]) -> Running<'a> {
        Box::pin(async move {
            for step in steps {
                let number = self.number();
                let entered = || info_span!("guest", number).entered();
                match step {
                    Step::Event => self.trace(|| info!(number, "by the guest")),
                    Step::Stay => mem::forget(self.trace(entered)),
                    Step::Span(steps) => {
                        let span = ManuallyDrop::new(self.trace(entered));
                        self.run(steps).await;
                        self.trace(|| drop(ManuallyDrop::into_inner(span)));
                    }
                    Step::Host(steps) => self.run_host(steps).await,
                }
            }
        })
    }

    fn run_host<'a>(&'a self, steps: &'a [HostStep]) -> Running<'a> {
        Box::pin(async move {
            for step in steps {
                let number = self.number();
                match step {
                    HostStep::Event => info!(number, "by the host"),
                    HostStep::Span(steps) => {
                        self.run_host(steps).instrument(info_span!("host", number)).await;
                    }
                    HostStep::Wait if self.way == (Way::Async { waits: true }) => {
                        tokio::task::yield_now().await;
                    }
                    HostStep::Wait => (),
                    HostStep::Call(steps) => self.call(steps).await,
                    HostStep::Stick => {
                        self.is_stuck.set(true);
                        future::pending::<()>().await;
                    }
                }
            }
        })
    }

    /// Calls the guest, and gives up if it is stuck.
    async fn call(&self, steps: &[Step]) {
        if self.way == Way::Sync {
            self.scope.in_scope(|| {
                let is_ready = poll_once(self.run(steps).as_mut());
                assert_eq!(is_ready, !self.is_stuck.replace(false));
            });
        } else {
            let mut call = Box::pin(self.scope.in_scope_async(self.run(steps)));
            future::poll_fn(|context| match call.as_mut().poll(context) {
                Poll::Pending if self.is_stuck.replace(false) => Poll::Ready(()),
                polled => polled,
            })
            .await;
        }
    }
}

fn poll_once(future: Pin<&mut (impl Future<Output = ()> + ?Sized)>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Calls a guest for each of these, and returns the trace. The host traces whenever the guest waits.
fn trace_of(calls: &[Vec<Step>], way: Way) -> String {
    let capture = Capture::start();
    {
        let guest = Guest::new(way);
        for steps in calls {
            let mut call = pin!(guest.call(steps).instrument(info_span!("call")));
            while !poll_once(call.as_mut()) {
                assert!(Span::current().is_none(), "while the guest waits");
            }
            info!("between calls");
        }
    }
    let trace = capture.trace();
    for span in trace.all_spans() {
        let stats = span.stats();
        assert_eq!(stats.entered, stats.exited, "{span}");
    }
    trace.to_string()
}

#[track_caller]
fn assert_same(calls: &[Vec<Step>]) {
    let expected = trace_of(calls, Way::Sync);
    for waits in [false, true] {
        assert_eq!(trace_of(calls, Way::Async { waits }), expected, "waits: {waits}");
    }
}

/// The host calls the guest in a span of its own, and the guest waits there.
fn nested(inner: Vec<Step>) -> Vec<Vec<Step>> {
    let host = vec![
        HostStep::Span(vec![HostStep::Call(inner), HostStep::Event]),
        HostStep::Wait,
        HostStep::Event,
    ];
    vec![vec![Step::Span(vec![Step::Host(host), Step::Event])]]
}

#[test]
fn call_that_waits_in_a_span_of_its_host_stays_in_that() {
    let waits = || Step::Host(vec![HostStep::Wait]);
    let calls = nested(vec![Step::Span(vec![waits(), Step::Event]), waits(), Step::Event]);
    let expected = "\
INFO call{}
└─ INFO guest{number=0}
   ├─ INFO host{number=2}
   │  ├─ INFO guest{number=4}
   │  │  └─ INFO by the guest number=7
   │  ├─ INFO by the guest number=10
   │  └─ INFO by the host number=11
   ├─ INFO by the host number=13
   └─ INFO by the guest number=14
INFO between calls";
    assert_eq!(trace_of(&calls, Way::Async { waits: true }), expected);
    assert_same(&calls);
}

#[test]
fn call_that_is_given_up_leaves_its_host_where_that_was() {
    let stuck = Step::Host(vec![HostStep::Wait, HostStep::Stick]);
    let mut calls = nested(vec![Step::Stay, Step::Span(vec![stuck])]);
    // What it has left open is the guest's, also in the next call.
    calls.push(vec![Step::Host(vec![HostStep::Wait, HostStep::Event])]);
    let expected = "\
INFO call{}
└─ INFO guest{number=0}
   ├─ INFO host{number=2}
   │  ├─ INFO guest{number=4}
   │  │  └─ INFO guest{number=5}
   │  │     ├─ INFO by the guest number=12
   │  │     └─ INFO by the host number=15
   │  └─ INFO by the host number=9
   └─ INFO by the host number=11
INFO between calls
INFO call{}
INFO between calls";
    assert_eq!(trace_of(&calls, Way::Async { waits: true }), expected);
    assert_same(&calls);
}

/// The guest shows by any record of its thread that the outer call goes on, also by one that only exits a span.
#[test]
fn span_that_an_inner_call_has_left_open_is_the_outer_ones_when_that_exits_another_one() {
    let inner = Step::Host(vec![HostStep::Call(vec![Step::Stay])]);
    let calls = [vec![Step::Span(vec![inner]), Step::Host(vec![HostStep::Event])]];
    let expected = "\
INFO call{}
└─ INFO guest{number=0}
   └─ INFO guest{number=3}
      └─ INFO by the host number=5
INFO between calls";
    assert_eq!(trace_of(&calls, Way::Sync), expected);
    assert_same(&calls);
}

/// As much as [`Guest::run()`] knows, so many calls deep.
fn steps(calls: u32) -> BoxedStrategy<Vec<Step>> {
    let leaf = prop_oneof![Just(Step::Event), Just(Step::Event), Just(Step::Stay)];
    let step = leaf.prop_recursive(2, 6, 3, move |inner| {
        let span = prop::collection::vec(inner, 1..3).prop_map(Step::Span);
        prop_oneof![span, host_steps(calls).prop_map(Step::Host)]
    });
    prop::collection::vec(step, 1..4).boxed()
}

fn host_steps(calls: u32) -> BoxedStrategy<Vec<HostStep>> {
    let call = match calls.checked_sub(1) {
        Some(calls) => steps(calls).prop_map(HostStep::Call).boxed(),
        None => Just(HostStep::Wait).boxed(),
    };
    let leaf = prop_oneof![
        4 => Just(HostStep::Event),
        4 => Just(HostStep::Wait),
        1 => Just(HostStep::Stick),
        4 => call,
    ];
    let step = leaf.prop_recursive(2, 6, 3, |inner| {
        prop::collection::vec(inner, 1..4).prop_map(HostStep::Span)
    });
    prop::collection::vec(step, 1..4).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn trace_of_nested_calls_does_not_depend_on_who_waits(
        calls in prop::collection::vec(steps(3), 1..3),
    ) {
        assert_same(&calls);
    }
}
