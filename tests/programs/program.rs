//! Programs that trace in every way there is, made at random.

use std::{
    cell::Cell,
    fmt,
    future::Future,
    mem,
    pin::pin,
    sync::{Mutex, mpsc},
    task::{Context, Poll, Waker},
    thread,
};

use proptest::prelude::*;
use tracing::{
    Dispatch, Instrument, Level, Metadata, Span, debug, debug_span, enabled, error, event_enabled,
    field, info, info_span, instrument, span::Id, span_enabled, trace, trace_span, warn, warn_span,
};

/// Handles that a program has at the most.
const HANDLES: usize = 4;

/// Call sites of spans, and of events.
const CALL_SITES: usize = 5;

#[derive(Debug, Clone)]
pub(crate) enum Parent {
    Contextual,
    Root,
    Handle(usize),
    Current,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    NewSpan { call_site: usize, parent: Parent, value: i64, handle: usize },
    NewEvent { call_site: usize, parent: Parent, value: i64 },
    Enter { handle: usize },
    Exit { nth: usize },
    Clone { from: usize, to: usize },
    Drop { handle: usize },
    Record { handle: usize, value: i64 },
    RecordInCurrent { value: i64 },
    OrCurrent { handle: usize },
    InCurrent { value: i64 },
    Instrumented { value: i64 },
    FollowsFrom { handle: usize, source: usize },
    Ask { question: usize },
}

/// Questions that a program may ask of its subscriber.
const QUESTIONS: usize = 7;

fn parent() -> impl Strategy<Value = Parent> {
    prop_oneof![
        4 => Just(Parent::Contextual),
        1 => Just(Parent::Root),
        2 => (0..HANDLES).prop_map(Parent::Handle),
        1 => Just(Parent::Current),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let handle = || 0..HANDLES;
    let call_site = || 0..CALL_SITES;
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
        1 => handle().prop_map(|handle| Step::OrCurrent { handle }),
        1 => value().prop_map(|value| Step::InCurrent { value }),
        1 => value().prop_map(|value| Step::Instrumented { value }),
        1 => (handle(), handle())
            .prop_map(|(handle, source)| Step::FollowsFrom { handle, source }),
        2 => (0..QUESTIONS).prop_map(|question| Step::Ask { question }),
    ]
}

impl Step {
    /// Whether the step asks what is enabled and traces nothing then.
    ///
    /// Natively, a filter of a single layer takes its answer for that to the next record, if nobody asks
    /// about that one since its interest is cached: `tracing-subscriber` drops it.
    pub(crate) fn asks(&self) -> bool {
        matches!(self, Self::Ask { .. })
    }

    /// Whether the step makes use of `Span::current()`.
    pub(crate) fn asks_for_current_span(&self) -> bool {
        match self {
            Self::NewSpan { parent, .. } | Self::NewEvent { parent, .. } => {
                matches!(parent, Parent::Current)
            }
            Self::RecordInCurrent { .. }
            | Self::OrCurrent { .. }
            | Self::InCurrent { .. }
            | Self::Instrumented { .. } => true,
            _ => false,
        }
    }
}

/// Steps, each on one of the threads.
pub(crate) type Program = Vec<(usize, Step)>;

pub(crate) fn program(threads: usize) -> impl Strategy<Value = Program> {
    prop::collection::vec((0..threads, step()), 1..40)
}

macro_rules! span {
    ($($parent:tt)*) => {
        |call_site: usize, value: i64| match call_site {
            0 => info_span!($($parent)* "alpha", x = field::Empty, value),
            1 => debug_span!($($parent)* "beta", value, x = field::Empty, text = "a \"text\""),
            2 => warn_span!(target: "other", $($parent)* "gamma", x = ?value),
            3 => trace_span!($($parent)* "delta", value, x = 0.5),
            _ => info_span!(
                $($parent)* "epsilon", x = (value > 1).then_some(value), some.bytes = &[0_u8, 255][..],
            ),
        }
    };
}

macro_rules! event {
    ($($parent:tt)*) => {
        |call_site: usize, value: i64| match call_site {
            0 => info!($($parent)* value, "information"),
            1 => debug!($($parent)* value, negative = -value, "{value} formatted"),
            2 => error!(target: "other", $($parent)* error = %value),
            3 => {
                let error = "x".parse::<i64>().unwrap_err();
                let wide = u128::MAX - u128::from(value.unsigned_abs());
                info!($($parent)* error = &error as &dyn std::error::Error, wide, nan = f64::NAN);
            }
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
    Current,
}

fn new_span(call_site: usize, parent: Given<'_>, value: i64) -> Span {
    match parent {
        Given::Contextual => span!()(call_site, value),
        Given::Root => span!(parent: None,)(call_site, value),
        Given::Span(parent) => span!(parent: parent.id(),)(call_site, value),
        Given::Current => span!(parent: &Span::current(),)(call_site, value),
    }
}

fn new_event(call_site: usize, parent: Given<'_>, value: i64) {
    match parent {
        Given::Contextual => event!()(call_site, value),
        Given::Root => event!(parent: None,)(call_site, value),
        Given::Span(parent) => event!(parent: parent.id(),)(call_site, value),
        Given::Current => event!(parent: &Span::current(),)(call_site, value),
    }
}

#[instrument(fields(x))]
fn instrumented(value: i64) {
    Span::current().record("x", value);
    debug!("instrumented");
}

fn poll(future: impl Future<Output = ()>) {
    let poll = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(poll, Poll::Ready(()));
}

/// What a program has in its hands.
#[derive(Default)]
struct State {
    handles: [Option<Span>; HANDLES],
    learned: Vec<String>,
    formatted: Cell<usize>,
}

/// Counts how often it is formatted.
struct Counted<'a>(&'a Cell<usize>);

impl fmt::Debug for Counted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        formatter.write_str("counted")
    }
}

/// What a thread of a program is in: spans, unless they are disabled, that may be closed by now.
type Entered = Vec<Option<(Id, Dispatch)>>;

impl State {
    fn parent(&self, parent: &Parent) -> Given<'_> {
        match parent {
            Parent::Contextual => Given::Contextual,
            Parent::Root => Given::Root,
            Parent::Current => Given::Current,
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
                self.learned.push(format!("is disabled: {}", span.is_disabled()));
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
                Span::current().record("x", value);
            }
            Step::OrCurrent { handle } => {
                let span = self.handles[*handle].take();
                self.handles[*handle] = span.map(Span::or_current);
            }
            Step::InCurrent { value } => {
                poll(async { info!(value, "in the current span") }.in_current_span());
            }
            Step::Instrumented { value } => instrumented(*value),
            Step::FollowsFrom { handle, source } => {
                if let (Some(span), Some(source)) = (&self.handles[*handle], &self.handles[*source])
                {
                    span.follows_from(source);
                }
            }
            Step::Ask { question } => {
                let learned = self.ask(*question);
                self.learned.push(learned);
            }
        }
    }
}

impl State {
    fn ask(&self, question: usize) -> String {
        let is_enabled = match question {
            0 => enabled!(Level::DEBUG),
            1 => enabled!(target: "other", Level::WARN, value),
            2 => event_enabled!(Level::TRACE),
            3 => span_enabled!(target: "other", Level::INFO),
            4 => {
                // A sender does not know that a span is closed which the program is still in: so it
                // is one that there is a handle of.
                let current = Span::current();
                let handles = self.handles.iter().flatten().filter(|span| !span.is_disabled());
                let is_held = handles.into_iter().any(|span| *span == current);
                let name = current.metadata().filter(|_| is_held).map(Metadata::name);
                return format!("is in {name:?}");
            }
            5 => {
                debug!(counted = ?Counted(&self.formatted), "counted");
                return format!("formatted: {}", self.formatted.get());
            }
            _ => {
                let span = info_span!(target: "other", "counted", x = ?Counted(&self.formatted));
                return format!("formatted: {} {}", self.formatted.get(), span.is_disabled());
            }
        };
        format!("is enabled: {is_enabled}")
    }
}

/// Runs a program, each step on its thread, one after another, and returns what it learned.
pub(crate) fn run(program: &Program, dispatch: &Dispatch) -> Vec<String> {
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
    tracing::dispatcher::with_default(dispatch, || {
        let mut state = state.into_inner().unwrap();
        mem::take(&mut state.learned)
    })
}
