//! The filters of the host: what they let through natively, they let through the tunnel.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use spanshot::{CaptureLayer, SharedStorage, TracingEventReceiver};
use tracing::{
    Dispatch, Metadata, Subscriber, debug, debug_span, dispatcher, error, field::Empty, info,
    info_span, subscriber::Interest, trace, trace_span, warn,
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets},
    layer::{Context, SubscriberExt},
    registry,
};

use crate::support::{detailed, events_of, feed_events, feed_frames, frames_of, through_json};

/// Checks that subscribers let this through natively, and the same through the tunnel.
#[track_caller]
pub(super) fn check_under(
    subscriber: impl Fn(&SharedStorage) -> Dispatch,
    program: impl Fn(),
    tree: &str,
) {
    // Which spans a filter of a single layer leaves without an ID depends on the maximum level of
    // all subscribers in the process: it is the same throughout while there is one that wants all.
    let wants_all = Dispatch::new(registry());
    // While a process has one subscriber, `tracing-core` asks that alone about a call site that is reached for the first
    // time, and caches its answer even if others have come meanwhile. So all are reached before it matters.
    dispatcher::with_default(&wants_all, &program);

    let under = |f: &dyn Fn(&SharedStorage) -> String| {
        let storage = SharedStorage::default();
        dispatcher::with_default(&subscriber(&storage), || f(&storage))
    };
    let relayed = |feed: &dyn Fn(&mut TracingEventReceiver)| {
        under(&|storage| {
            let mut receiver = TracingEventReceiver::default();
            feed(&mut receiver);
            detailed(&storage.lock())
        })
    };
    let natively = under(&|storage| {
        program();
        let trace = storage.lock();
        assert_eq!(trace.to_string(), tree, "natively");
        detailed(&trace)
    });
    let (frames, events) = (frames_of(&program), through_json(&events_of(&program)));
    assert_eq!(relayed(&|receiver| feed_frames(&frames)(receiver)), natively, "frames");
    assert_eq!(relayed(&|receiver| feed_events(events.clone())(receiver)), natively, "JSON");
}

/// Checks the same of a filter for the whole subscriber.
#[track_caller]
pub(super) fn check_filter<L>(filter: impl Fn() -> L, program: impl Fn(), tree: &str)
where
    L: Layer<Registry> + Send + Sync,
{
    let subscriber =
        |storage: &_| Dispatch::new(registry().with(filter()).with(CaptureLayer::new(storage)));
    check_under(subscriber, program, tree);
}

#[track_caller]
fn check_env_filter(directives: &str, program: impl Fn(), tree: &str) {
    check_filter(|| EnvFilter::new(directives), program, tree);
}

fn levels() {
    let _span = debug_span!("span").entered();
    error!("error");
    info!("info");
    debug!("debug");
    trace!("trace");
}

fn targets() {
    info!(target: "net", "net");
    let _span = info_span!(target: "net::http", "span").entered();
    debug!(target: "net::http", "http");
    debug!(target: "disk", "disk");
}

/// Two spans of one call site, with events of all levels in them.
fn jobs() {
    for (number, name) in [(1, "first"), (2, "second")] {
        let _job = info_span!("job", number, name).entered();
        trace!("in job");
    }
    trace!("outside");
}

#[test]
fn env_filter_with_a_level() {
    check_env_filter("info", levels, "ERROR error\nINFO info");
    check_env_filter("debug", levels, "DEBUG span{}\n├─ ERROR error\n├─ INFO info\n└─ DEBUG debug");
    check_env_filter("off", levels, "(nothing was captured)");
}

#[test]
fn env_filter_with_a_target() {
    check_env_filter("net=info", targets, "INFO net\nINFO span{}");
    check_env_filter("net::http=debug", targets, "INFO span{}\n└─ DEBUG http");
    check_env_filter("warn,disk=debug", targets, "DEBUG disk");
}

#[test]
fn env_filter_with_a_span() {
    let program = || {
        info_span!("job").in_scope(|| debug!("in job"));
        info_span!("other").in_scope(|| debug!("in other"));
    };
    check_env_filter("info,[job]=debug", program, "INFO job{}\n└─ DEBUG in job\nINFO other{}");
    check_env_filter("[job]=info", program, "INFO job{}");
}

#[test]
fn env_filter_with_a_span_of_a_target() {
    let program = || {
        info_span!(target: "net", "job").in_scope(|| debug!("in net"));
        info_span!(target: "disk", "job").in_scope(|| debug!("in disk"));
    };
    check_env_filter("net[job]=debug", program, "INFO job{}\n└─ DEBUG in net");
}

#[test]
fn env_filter_with_a_field() {
    let program = || {
        info_span!("a", number = 1).in_scope(|| debug!("in a"));
        info_span!("b", other = 1).in_scope(|| debug!("in b"));
    };
    check_env_filter(
        "info,[{number}]=debug",
        program,
        "INFO a{number=1}\n└─ DEBUG in a\nINFO b{other=1}",
    );
}

#[test]
fn env_filter_with_a_span_whose_field_has_a_value() {
    check_env_filter(
        "info,[job{number=1}]=trace",
        jobs,
        "INFO job{number=1 name=\"first\"}\n└─ TRACE in job\nINFO job{number=2 name=\"second\"}",
    );
}

#[test]
fn env_filter_with_a_span_whose_field_matches_a_pattern() {
    check_env_filter(
        "info,[job{name=.*eco.*}]=trace",
        jobs,
        "INFO job{number=1 name=\"first\"}\nINFO job{number=2 name=\"second\"}\n└─ TRACE in job",
    );
}

#[test]
fn env_filter_with_a_span_whose_field_gets_its_value_late() {
    let program = || {
        let span = info_span!("job", number = Empty);
        span.in_scope(|| trace!("before"));
        span.record("number", 1);
        span.in_scope(|| trace!("after"));
    };
    let tree = "INFO job{number=1}\n└─ TRACE after";
    check_env_filter("info,[job{number=1}]=trace", program, tree);
}

#[test]
fn targets_filter() {
    let filter = || Targets::new().with_target("net", LevelFilter::DEBUG);
    check_filter(filter, targets, "INFO net\nINFO span{}\n└─ DEBUG http");
    let filter = || filter().with_default(LevelFilter::INFO).with_target("net::http", None);
    check_filter(filter, targets, "INFO net");
}

#[test]
fn filter_of_a_single_layer() {
    let subscriber = |storage: &_| {
        let capture = Layer::with_filter(CaptureLayer::new(storage), LevelFilter::INFO);
        Dispatch::new(registry().with(capture))
    };
    check_under(subscriber, levels, "ERROR error\nINFO info");
    let subscriber = |storage: &_| {
        let filter = EnvFilter::new("info,[job{number=2}]=trace");
        Dispatch::new(registry().with(Layer::with_filter(CaptureLayer::new(storage), filter)))
    };
    let tree =
        "INFO job{number=1 name=\"first\"}\nINFO job{number=2 name=\"second\"}\n└─ TRACE in job";
    check_under(subscriber, jobs, tree);
}

#[test]
fn filters_of_two_layers_are_apart() {
    fn program() {
        let _outer = debug_span!("outer").entered();
        let _inner = trace_span!("inner").entered();
        warn!("event");
    }

    let other = SharedStorage::default();
    let [debug, trace] = [LevelFilter::DEBUG, LevelFilter::TRACE];
    for (own, others, tree) in [
        (debug, trace, "DEBUG outer{}\n└─ WARN event"),
        (trace, debug, "DEBUG outer{}\n└─ TRACE inner{}\n   └─ WARN event"),
    ] {
        let subscriber = |storage: &_| {
            let own = Layer::with_filter(CaptureLayer::new(storage), own);
            let others = Layer::with_filter(CaptureLayer::new(&other), others);
            Dispatch::new(registry().with(own).with(others))
        };
        check_under(subscriber, program, tree);
    }
}

/// Is asked each time, and wants every other event.
#[derive(Clone, Default)]
struct EveryOther(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for EveryOther {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "sometimes" && self.0.fetch_add(1, Ordering::Relaxed) % 2 == 0
    }
}

#[test]
fn subscriber_that_is_interested_sometimes_is_asked_each_time() {
    let asked = std::cell::RefCell::new(vec![]);
    let filter = || {
        let filter = EveryOther::default();
        asked.borrow_mut().push(Arc::clone(&filter.0));
        filter
    };
    let program = || {
        for i in 0..3 {
            let _span = info_span!(target: "sometimes", "span", i).entered();
            info!(target: "sometimes", i);
        }
        (3..7).for_each(|i| info!(target: "sometimes", i));
    };
    check_filter(
        filter,
        program,
        "INFO span{i=0}\nINFO span{i=1}\nINFO span{i=2}\nINFO i=3\nINFO i=5",
    );
    let asked: Vec<_> = asked.borrow().iter().map(|asked| asked.load(Ordering::Relaxed)).collect();
    assert_eq!(asked, [10, 10, 10], "natively, by frames, and by JSON");
}
