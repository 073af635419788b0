//! The process has one maximum level. Tests of it take turns, in a process of their own.

use std::sync::{Arc, Mutex, PoisonError};

use spanshot::{TracingEventReceiver, TracingEventSender, receiver::FilterAnswer};
use spanshot_sender::HostFilter;
use tracing::{
    Dispatch, Metadata, Subscriber, debug, debug_span, dispatcher, error, info, info_span,
    level_filters::LevelFilter, subscriber::Interest, trace, warn,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry, reload,
};

static TURN: Mutex<()> = Mutex::new(());

/// Notes the levels of the call sites that it is told of.
#[derive(Clone)]
struct Registered {
    max_level: LevelFilter,
    levels: Arc<Mutex<Vec<String>>>,
}

impl<S: Subscriber> Layer<S> for Registered {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let kind = if metadata.is_span() { "span" } else { "event" };
        self.levels.lock().unwrap().push(format!("{} {kind}", metadata.level()));
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.max_level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.max_level)
    }
}

/// Returns the call sites that the subscriber is told of while the function runs.
fn registered(max_level: LevelFilter, f: impl FnOnce()) -> Vec<String> {
    let registered = Registered { max_level, levels: Arc::default() };
    let dispatch = Dispatch::new(registry().with(registered.clone()));
    registered.levels.lock().unwrap().clear(); // of those that there were before
    dispatcher::with_default(&dispatch, f);
    std::mem::take(&mut *registered.levels.lock().unwrap())
}

/// A program with call sites of its own each time that it is named.
macro_rules! program {
    () => {
        || {
            info_span!("outer").in_scope(|| {
                debug_span!("inner").in_scope(|| trace!("detail"));
                warn!("warning");
            });
            error!("failure");
        }
    };
}

fn frames_of(program: impl FnOnce()) -> Vec<Vec<u8>> {
    let frames = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&frames);
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        pushed.lock().unwrap().push(frame.to_vec());
    });
    tracing::subscriber::with_default(sender, program);
    std::mem::take(&mut frames.lock().unwrap())
}

fn feed(receiver: &mut TracingEventReceiver, frames: &[Vec<u8>]) {
    for frame in frames {
        receiver.receive_encoded(frame).unwrap();
    }
}

#[test]
fn subscriber_is_told_of_no_call_site_above_its_level() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let natively = registered(LevelFilter::INFO, program!());
    assert_eq!(natively, ["INFO span", "WARN event", "ERROR event"]);
    let frames = frames_of(program!());
    let relayed = registered(LevelFilter::INFO, || {
        feed(&mut TracingEventReceiver::default(), &frames);
    });
    assert_eq!(relayed, natively);
}

#[test]
fn subscriber_is_told_of_a_call_site_when_its_level_is_wanted() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let rising = |program: &dyn Fn()| {
        registered(LevelFilter::ERROR, || {
            program();
            let _wants_all = Dispatch::new(registry());
            program();
        })
    };
    let natively = rising(&program!());
    let frames = frames_of(program!());
    let receiver = Mutex::new(None);
    let relayed = rising(&|| {
        let mut receiver = receiver.lock().unwrap();
        feed(receiver.get_or_insert_with(TracingEventReceiver::default), &frames);
    });
    // When there is a new subscriber, call sites that are known are told of again, wherever they are from.
    let after =
        |levels: Vec<String>| -> Vec<_> { levels.into_iter().rev().take(4).rev().collect() };
    let natively = after(natively);
    assert_eq!(natively, ["INFO span", "DEBUG span", "TRACE event", "WARN event"]);
    assert_eq!(after(relayed), natively);
}

#[test]
fn subscriber_is_not_asked_about_a_call_site_above_its_level() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let questions = Arc::new(Mutex::new(vec![]));
    let asked = Arc::clone(&questions);
    let sender =
        TracingEventSender::encoded(|_: &[u8]| {}).with_host_filter(move |question: &[u8]| {
            asked.lock().unwrap().push(question.to_vec());
            FilterAnswer::Always
        });
    tracing::subscriber::with_default(sender, program!());
    let mut answers = vec![];
    let mut told = registered(LevelFilter::INFO, || {
        let mut receiver = TracingEventReceiver::default();
        let questions = questions.lock().unwrap();
        answers.extend(questions.iter().map(|question| receiver.answer(question).unwrap()));
    });
    let [now, never] = [FilterAnswer::Now, FilterAnswer::Never];
    assert_eq!(answers, [now, never, never, now, now]);
    told.dedup();
    assert_eq!(told, ["INFO span", "WARN event", "ERROR event"]);
}

/// A host that answers out of the subscriber that it relays to.
struct Host {
    receiver: Arc<Mutex<TracingEventReceiver>>,
    subscriber: Arc<dyn Subscriber + Send + Sync>,
}

impl HostFilter for Host {
    fn ask(&self, question: &[u8]) -> FilterAnswer {
        self.receiver.lock().unwrap().answer(question).unwrap()
    }

    fn generation(&self) -> u32 {
        TracingEventReceiver::filter_generation()
    }

    fn max_level(&self) -> LevelFilter {
        self.subscriber.max_level_hint().unwrap_or(LevelFilter::TRACE)
    }
}

#[test]
fn level_of_a_program_that_asks_is_that_of_its_host() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let levels = |is_relayed: bool| {
        let (filter, handle) = reload::Layer::new(LevelFilter::INFO);
        let subscriber: Arc<dyn Subscriber + Send + Sync> = Arc::new(registry().with(filter));
        let dispatch = Dispatch::new(Arc::clone(&subscriber));
        let program = || {
            let mut levels = vec![LevelFilter::current()];
            for level in [LevelFilter::DEBUG, LevelFilter::OFF, LevelFilter::WARN] {
                handle.reload(level).unwrap();
                levels.push(LevelFilter::current());
            }
            info!("not wanted");
            debug!("not wanted");
            levels
        };
        if !is_relayed {
            return dispatcher::with_default(&dispatch, program);
        }
        let receiver = dispatcher::with_default(&dispatch, TracingEventReceiver::default);
        let receiver = Arc::new(Mutex::new(receiver));
        let host = Host { receiver: Arc::clone(&receiver), subscriber };
        let sender = TracingEventSender::encoded(move |frame: &[u8]| {
            receiver.lock().unwrap().receive_encoded(frame).unwrap();
        });
        tracing::subscriber::with_default(sender.with_host_filter(host), program)
    };
    let natively = levels(false);
    let expected = [LevelFilter::INFO, LevelFilter::DEBUG, LevelFilter::OFF, LevelFilter::WARN];
    assert_eq!(natively, expected);
    assert_eq!(levels(true), natively);
}
