//! Programs that are made at random give the same trace natively and through the tunnel, under
//! several filters of the host, by both encodings, relayed and directly.
//!
//! By default there are 1,000 programs for each property, the same in every run. `SPANSHOT_PROGRAMS`
//! sets their number, and then they are others in every run.
//!
//! This is a binary of its own, since each of its many subscribers is told of all call sites of the
//! process.

use std::{
    env,
    sync::{Arc, Mutex, OnceLock, mpsc},
    thread,
};

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use spanshot::{CaptureLayer, SharedStorage, TracingEventReceiver, TracingEventSender};
use tracing::{
    Dispatch, Span, debug, debug_span, error, field, info, info_span, level_filters::LevelFilter,
    span::Id, trace, trace_span, warn, warn_span,
};
use tracing_subscriber::{EnvFilter, Layer, filter::Targets, layer::SubscriberExt};

#[allow(dead_code, unused_imports)] // it is made for another binary, too
#[path = "it/support.rs"]
mod support;

use support::{detailed, through_json};

/// Handles that a program has at the most.
const HANDLES: usize = 4;

#[derive(Debug, Clone)]
enum Parent {
    Contextual,
    Root,
    Handle(usize),
}

#[derive(Debug, Clone)]
enum Step {
    NewSpan { call_site: usize, parent: Parent, value: i64, handle: usize },
    NewEvent { call_site: usize, parent: Parent, value: i64 },
    Enter { handle: usize },
    Exit { nth: usize },
    Clone { from: usize, to: usize },
    Drop { handle: usize },
    Record { handle: usize, value: i64 },
    RecordInCurrent { value: i64 },
    FollowsFrom { handle: usize, source: usize },
}

fn parent() -> impl Strategy<Value = Parent> {
    prop_oneof![
        4 => Just(Parent::Contextual),
        1 => Just(Parent::Root),
        2 => (0..HANDLES).prop_map(Parent::Handle),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let handle = || 0..HANDLES;
    let call_site = || 0..4_usize;
    let value = || 0..4_i64;
    prop_oneof![
        4 => (call_site(), parent(), value(), handle()).prop_map(
            |(call_site, parent, value, handle)| Step::NewSpan { call_site, parent, value, handle }
        ),
        4 => (call_site(), parent(), value())
            .prop_map(|(call_site, parent, value)| Step::NewEvent { call_site, parent, value }),
        6 => handle().prop_map(|handle| Step::Enter { handle }),
        5 => (0..3_usize).prop_map(|nth| Step::Exit { nth }),
        1 => (handle(), handle()).prop_map(|(from, to)| Step::Clone { from, to }),
        2 => handle().prop_map(|handle| Step::Drop { handle }),
        2 => (handle(), value()).prop_map(|(handle, value)| Step::Record { handle, value }),
        1 => value().prop_map(|value| Step::RecordInCurrent { value }),
        1 => (handle(), handle())
            .prop_map(|(handle, source)| Step::FollowsFrom { handle, source }),
    ]
}

/// Steps, each on one of the threads.
type Program = Vec<(usize, Step)>;

fn program(threads: usize) -> impl Strategy<Value = Program> {
    prop::collection::vec((0..threads, step()), 1..40)
}

macro_rules! span {
    ($($parent:tt)*) => {
        |call_site: usize, value: i64| match call_site {
            0 => info_span!($($parent)* "alpha", x = field::Empty, value),
            1 => debug_span!($($parent)* "beta", value, x = field::Empty, text = "a \"text\""),
            2 => warn_span!(target: "other", $($parent)* "gamma", x = ?value),
            _ => trace_span!($($parent)* "delta", value, x = 0.5),
        }
    };
}

macro_rules! event {
    ($($parent:tt)*) => {
        |call_site: usize, value: i64| match call_site {
            0 => info!($($parent)* value, "information"),
            1 => debug!($($parent)* value, negative = -value, "{value} formatted"),
            2 => error!(target: "other", $($parent)* error = %value),
            _ => {
                trace!($($parent)* flag = value > 1);
                warn!($($parent)* "warned");
            }
        }
    };
}

/// [`Parent`] with the span that it names.
#[derive(Clone, Copy)]
enum Given<'a> {
    Contextual,
    Root,
    Span(&'a Span),
}

fn new_span(call_site: usize, parent: Given<'_>, value: i64) -> Span {
    match parent {
        Given::Contextual => span!()(call_site, value),
        Given::Root => span!(parent: None,)(call_site, value),
        Given::Span(parent) => {
            let id = parent.id();
            span!(parent: id.clone(),)(call_site, value)
        }
    }
}

fn new_event(call_site: usize, parent: Given<'_>, value: i64) {
    match parent {
        Given::Contextual => event!()(call_site, value),
        Given::Root => event!(parent: None,)(call_site, value),
        Given::Span(parent) => {
            let id = parent.id();
            event!(parent: id.clone(),)(call_site, value);
        }
    }
}

/// What a program has in its hands.
#[derive(Default)]
struct State {
    handles: [Option<Span>; HANDLES],
}

/// What a thread of a program is in: spans, unless they are disabled, that may be closed by now.
type Entered = Vec<Option<(Id, Dispatch)>>;

impl State {
    fn parent(&self, parent: &Parent) -> Given<'_> {
        match parent {
            Parent::Contextual => Given::Contextual,
            Parent::Root => Given::Root,
            // If there is no such handle, the parent is the contextual one.
            Parent::Handle(handle) => {
                self.handles[*handle].as_ref().map_or(Given::Contextual, Given::Span)
            }
        }
    }

    fn run(&mut self, step: &Step, entered: &mut Entered) {
        match step {
            Step::NewSpan { call_site, parent, value, handle } => {
                let span = new_span(*call_site, self.parent(parent), *value);
                self.handles[*handle] = Some(span);
            }
            Step::NewEvent { call_site, parent, value } => {
                new_event(*call_site, self.parent(parent), *value);
            }
            Step::Enter { handle } => {
                if let Some(span) = &self.handles[*handle] {
                    entered.push(span.with_subscriber(|(id, dispatch)| {
                        dispatch.enter(id);
                        (id.clone(), dispatch.clone())
                    }));
                }
            }
            Step::Exit { nth } => {
                let position = entered.len().checked_sub(1 + nth);
                if let Some((id, dispatch)) = position.and_then(|position| entered.remove(position))
                {
                    dispatch.exit(&id);
                }
            }
            Step::Clone { from, to } => {
                let clone = self.handles[*from].clone();
                self.handles[*to] = clone;
            }
            Step::Drop { handle } => self.handles[*handle] = None,
            Step::Record { handle, value } => {
                if let Some(span) = &self.handles[*handle] {
                    span.record("x", value);
                }
            }
            Step::RecordInCurrent { value } => {
                // Natively, a closed span is not current; the sender does not know that it is.
                let is_open = |(id, _): &(Id, Dispatch)| {
                    self.handles.iter().flatten().any(|span| span.id().as_ref() == Some(id))
                };
                if entered.iter().flatten().all(is_open) {
                    Span::current().record("x", value);
                }
            }
            Step::FollowsFrom { handle, source } => {
                if let (Some(span), Some(source)) = (&self.handles[*handle], &self.handles[*source])
                {
                    span.follows_from(source);
                }
            }
        }
    }
}

/// Runs a program, each step on its thread, one after another.
fn run(program: &Program, dispatch: &Dispatch) {
    let state = Mutex::new(State::default());
    thread::scope(|scope| {
        let threads = program.iter().map(|(thread, _)| thread + 1).max().unwrap_or(0);
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let (steps, next) = mpsc::channel::<&Step>();
                let (done, is_done) = mpsc::channel();
                let state = &state;
                scope.spawn(move || {
                    tracing::dispatcher::with_default(dispatch, || {
                        let mut entered = Entered::new();
                        for step in next {
                            state.lock().unwrap().run(step, &mut entered);
                            done.send(()).unwrap();
                        }
                    });
                });
                (steps, is_done)
            })
            .collect();
        for (thread, step) in program {
            let (steps, is_done) = &workers[*thread];
            steps.send(step).unwrap();
            is_done.recv().expect("the step does not panic");
        }
    });
    // `Registry` closes parents through the default subscriber.
    tracing::dispatcher::with_default(dispatch, || drop(state));
}

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
        3 => Dispatch::new(
            registry.with(Layer::with_filter(CaptureLayer::new(storage), LevelFilter::DEBUG)),
        ),
        _ => {
            let filter = EnvFilter::new("warn,[alpha{value=1}]=trace,[beta]=info");
            Dispatch::new(registry.with(filter).with(CaptureLayer::new(storage)))
        }
    }
}

fn receive(filter: usize, feed: impl FnOnce(&mut TracingEventReceiver)) -> String {
    let storage = SharedStorage::default();
    tracing::dispatcher::with_default(&subscriber(filter, &storage), || {
        let mut receiver = TracingEventReceiver::default();
        feed(&mut receiver);
        detailed(&storage.lock())
    })
}

fn check(program: &Program, filter: usize) {
    let storage = SharedStorage::default();
    run(program, &subscriber(filter, &storage));
    let native = detailed(&storage.lock());

    let sent = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&sent);
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        pushed.lock().unwrap().push(frame.to_vec());
    });
    run(program, &Dispatch::new(sender));
    let frames = std::mem::take(&mut *sent.lock().unwrap());
    let feed_frames = |receiver: &mut TracingEventReceiver| {
        for frame in &frames {
            receiver.receive_encoded(frame).unwrap();
        }
    };
    assert_eq!(receive(filter, feed_frames), native, "frames under filter {filter}");
    if filter == 0 {
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        feed_frames(&mut receiver);
        assert_eq!(detailed(&storage.lock()), native, "frames, directly");
    }

    let sent = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&sent);
    let sender = TracingEventSender::new(move |event| pushed.lock().unwrap().push(event));
    run(program, &Dispatch::new(sender));
    let events = through_json(&sent.lock().unwrap());
    let feed_events = |receiver: &mut TracingEventReceiver| {
        for event in events {
            receiver.receive(event);
        }
    };
    assert_eq!(receive(filter, feed_events), native, "JSON under filter {filter}");
}

fn check_programs(threads: usize, filters: usize) {
    check_all(&(program(threads), 0..filters), |(mut program, filter)| {
        if filter > 0 {
            // The program does not know the host's filter: a span that is disabled there is current
            // here all the same.
            program.retain(|(_, step)| !matches!(step, Step::RecordInCurrent { .. }));
        }
        check(&program, filter);
    });
}

fn check_all<S: Strategy>(strategy: &S, check: impl Fn(S::Value)) {
    // Which spans a filter of a single layer leaves without an ID depends on the maximum level of
    // all subscribers in the process. It is the same throughout while there is one that wants all.
    static KEEP_MAX_LEVEL: OnceLock<Dispatch> = OnceLock::new();
    KEEP_MAX_LEVEL.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));

    let cases = env::var("SPANSHOT_PROGRAMS").ok().map(|cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases: cases.unwrap_or(1_000),
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

#[test]
fn on_one_thread() {
    check_programs(1, 5);
}

/// Filters of single layers and span directives are left out: what is contextual on one of several
/// threads is explicit on the relay, where all threads are one, and these filters tell the difference.
#[test]
fn on_three_threads_that_take_turns() {
    check_programs(3, 3);
}

/// Sends a program's frames through two receivers: the first is persisted at the boundary, and the
/// second goes on in the same subscriber or storage.
fn receive_in_two(
    frames: &[Vec<u8>],
    boundary: usize,
    mut first: TracingEventReceiver,
) -> TracingEventReceiver {
    let (before, after) = frames.split_at(boundary);
    for frame in before {
        first.receive_encoded(frame).unwrap();
    }
    let metadata = serde_json::to_string(&first.persist_metadata()).unwrap();
    let (spans, local_spans) = first.persist();
    let spans = postcard::to_allocvec(&spans).unwrap();
    let (metadata, spans) =
        (serde_json::from_str(&metadata).unwrap(), postcard::from_bytes(&spans).unwrap());
    let mut second = TracingEventReceiver::new(metadata, spans, local_spans);
    for frame in after {
        second.receive_encoded(frame).unwrap();
    }
    second
}

#[test]
fn suspended_at_a_random_boundary() {
    let strategy = (program(1), any::<prop::sample::Index>());
    check_all(&strategy, |(program, boundary)| {
        let storage = SharedStorage::default();
        run(&program, &subscriber(0, &storage));
        let native = storage.lock().to_string();

        let sent = Arc::new(Mutex::new(vec![]));
        let pushed = Arc::clone(&sent);
        let sender = TracingEventSender::encoded(move |frame: &[u8]| {
            pushed.lock().unwrap().push(frame.to_vec());
        });
        run(&program, &Dispatch::new(sender));
        let frames = std::mem::take(&mut *sent.lock().unwrap());
        let boundary = boundary.index(frames.len() + 1);

        let storage = SharedStorage::default();
        let receiver = TracingEventReceiver::capturing(&storage);
        let receiver = receive_in_two(&frames, boundary, receiver);
        assert_eq!(storage.lock().to_string(), native, "directly");
        drop(receiver);

        let storage = SharedStorage::default();
        tracing::dispatcher::with_default(&subscriber(0, &storage), || {
            let receiver = TracingEventReceiver::default();
            let receiver = receive_in_two(&frames, boundary, receiver);
            assert_eq!(storage.lock().to_string(), native, "relayed");
            drop(receiver);
        });
    });
}
