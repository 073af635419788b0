//! Layers on subscribers of the user's own, with filters, beside others.

use std::{
    fmt,
    sync::{Barrier, mpsc},
    thread,
};

use spanshot::{CaptureLayer, SharedStorage, Trace, predicates::*};
use tracing::{
    Dispatch, Level, debug, error, field, info, info_span, level_filters::LevelFilter, trace,
    trace_span, warn,
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, Targets, dynamic_filter_fn, filter_fn},
    layer::{Filter, SubscriberExt},
    reload,
};

use crate::support::detailed;

type BoxedFilter = Box<dyn Filter<Registry> + Send + Sync>;

/// A filter and its name. Each time it is made anew, since some of them remember.
type NamedFilter = (&'static str, fn() -> BoxedFilter);

const FILTERS: [NamedFilter; 16] = [
    ("off", || Box::new(LevelFilter::OFF)),
    ("info", || Box::new(LevelFilter::INFO)),
    ("trace", || Box::new(LevelFilter::TRACE)),
    ("targets", || {
        let targets = Targets::new().with_target("net", LevelFilter::TRACE);
        Box::new(targets.with_default(LevelFilter::WARN))
    }),
    ("of a name", || Box::new(filter_fn(|metadata| metadata.name() != "inner"))),
    ("in a span", || {
        Box::new(dynamic_filter_fn(|metadata, context| {
            metadata.is_span()
                || context.lookup_current().is_some_and(|span| span.name() == "inner")
        }))
    }),
    ("combined", || {
        Box::new(LevelFilter::WARN.or(filter_fn(|data| data.name() != "a" && data.is_span())))
    }),
    ("env: levels", || env("debug")),
    ("env: target", || env("off,net=trace")),
    ("env: span", || env("off,[inner]=trace")),
    ("env: span and target", || env("warn,net[outer]=trace")),
    ("env: field", || env("off,[outer{id=1}]=trace")),
    ("env: field, late", || env("info,[outer{late=7}]=trace")),
    ("env: field, of any value", || env("off,[{id}]=debug")),
    ("env: field, text", || env("error,[inner{name=\"b\"}]=trace")),
    ("env: several", || env("warn,[outer{id=2}]=debug,[inner{name=\"a\"}]=trace,net=off")),
];

fn env(directives: &str) -> BoxedFilter {
    Box::new(EnvFilter::new(directives))
}

fn events() {
    error!("error");
    info!(target: "net", bytes = 10, "of net");
    debug!("debug");
    trace!(target: "net", "of net, too");
}

const PROGRAMS: [(&str, fn()); 8] = [
    ("events", events),
    ("nested", || {
        for id in [1, 2] {
            let _outer = info_span!("outer", id).entered();
            events();
            for name in ["a", "b"] {
                let _inner = info_span!("inner", name).entered();
                events();
            }
            events();
        }
        events();
    }),
    ("late values", || {
        let outer = info_span!("outer", id = field::Empty, late = field::Empty);
        outer.in_scope(events);
        outer.record("late", 7).record("id", 1);
        outer.in_scope(events);
        outer.record("late", 8);
        outer.in_scope(events);
    }),
    ("parents", || {
        let outer = info_span!("outer", id = 1);
        let inner = info_span!(parent: &outer, "inner", name = "a");
        info!(parent: &inner, "in inner, from outside");
        debug!(parent: &outer, "in outer, from outside");
        info_span!(parent: None, "outer", id = 2).in_scope(events);
        inner.in_scope(|| {
            warn!(parent: None, "root");
            outer.in_scope(events);
        });
    }),
    ("levels of spans", || {
        let _trace = trace_span!("outer", id = 1).entered();
        let _error = tracing::error_span!("inner", name = "b").entered();
        let _debug = tracing::debug_span!(target: "net", "outer", id = 2).entered();
        events();
    }),
    ("interleaved", || {
        let (first, second) = (info_span!("outer", id = 1), info_span!("outer", id = 2));
        let entered = first.enter();
        let other = second.enter();
        events();
        drop(entered);
        events();
        drop((other, first));
        events();
        second.follows_from(&info_span!("inner", name = "a"));
    }),
    ("reentered", || {
        let outer = info_span!("outer", id = 1);
        outer.in_scope(|| outer.in_scope(events));
        let clone = outer.clone();
        drop(outer);
        clone.in_scope(events);
    }),
    ("threads", || {
        let dispatch = crate::support::current_dispatch();
        let outer = info_span!("outer", id = 1).entered();
        thread::scope(|scope| {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    events();
                    info_span!("inner", name = "b").in_scope(events);
                    outer.in_scope(events);
                });
            });
        });
        events();
    }),
];

/// Runs a program on a subscriber with a layer that has this filter, by our means or by those of
/// `tracing-subscriber`.
fn captured(program: fn(), filter: BoxedFilter, is_ours: bool) -> Trace {
    let storage = SharedStorage::default();
    let layer = CaptureLayer::new(&storage);
    let registry = tracing_subscriber::registry();
    let subscriber = if is_ours {
        Dispatch::new(registry.with(layer.with_filter(filter)))
    } else {
        Dispatch::new(registry.with(Layer::with_filter(layer, filter)))
    };
    tracing::dispatcher::with_default(&subscriber, program);
    drop(subscriber);
    storage.lock()
}

/// Whether the filter answers otherwise when it is asked about a record than when it registers the call
/// site: `EnvFilter` lets spans with such a field always pass, and then, if it is asked, those at this
/// level or a more severe one. Whether it is asked depends on the other subscribers of the process.
fn answers_differ(filter_name: &str, program_name: &str) -> bool {
    (filter_name, program_name) == ("env: field, of any value", "levels of spans")
}

#[test]
fn filter_of_ours_is_that_of_a_layer() {
    for (filter_name, filter) in FILTERS {
        for (program_name, program) in PROGRAMS {
            if answers_differ(filter_name, program_name) {
                continue;
            }
            let ours = detailed(&captured(program, filter(), true));
            let theirs = detailed(&captured(program, filter(), false));
            assert_eq!(ours, theirs, "{program_name} through {filter_name}");
        }
    }
}

/// In `tracing-subscriber`, new spans stand in what the span that is filtered out was created in, if that
/// span is there for another layer, or because another subscriber of the process wants it. Hence no program
/// above has one that is entered elsewhere.
#[test]
fn span_that_is_filtered_out_is_none_whatever_other_layers_make_of_it() {
    fn program() {
        let outer = info_span!("outer");
        let hidden = outer.in_scope(|| trace_span!("hidden"));
        info_span!("of the thread").in_scope(|| {
            hidden.in_scope(|| {
                info!("contextual");
                info_span!("inner").in_scope(|| info!("in inner"));
            });
        });
        hidden.in_scope(|| {
            outer.in_scope(|| hidden.in_scope(|| info!("entered again")));
            info!("in none");
        });
        info!(parent: &hidden, "explicit");
    }

    let tree = "INFO outer{}\n└─ INFO entered again\nINFO of the thread{}\n├─ INFO contextual\n\
                └─ INFO inner{}\n   └─ INFO in inner\nINFO in none\nINFO explicit";
    let alone = captured(program, Box::new(LevelFilter::INFO), true);
    assert_eq!(alone.to_string(), tree);
    let capture = spanshot::Capture::builder().filter("info").start();
    program();
    assert_eq!(capture.trace().to_string(), tree);
    let [everything, ours] = [(); 2].map(|()| SharedStorage::default());
    let subscriber = tracing_subscriber::registry()
        .with(CaptureLayer::new(&everything))
        .with(CaptureLayer::new(&ours).with_filter(LevelFilter::INFO));
    tracing::subscriber::with_default(subscriber, program);
    assert_eq!(ours.lock().to_string(), tree);
    assert_eq!(everything.lock().all_spans().len(), 4);
}

/// Other layers, such as `fmt`, find the same span around it.
#[test]
fn parent_that_a_filter_of_the_layer_alone_does_not_want_is_passed_over() {
    let program = || {
        let outer = info_span!("outer");
        let hidden = trace_span!(parent: &outer, "hidden");
        info_span!(parent: &hidden, "explicit").in_scope(|| info!("in explicit"));
    };
    let [everything, filtered] = [(); 2].map(|()| SharedStorage::default());
    let subscriber = tracing_subscriber::registry()
        .with(CaptureLayer::new(&everything))
        .with(Layer::with_filter(CaptureLayer::new(&filtered), LevelFilter::INFO));
    tracing::subscriber::with_default(subscriber, program);
    let tree = "INFO outer{}\n└─ INFO explicit{}\n   └─ INFO in explicit";
    assert_eq!(filtered.lock().to_string(), tree);
    assert_eq!(everything.lock().all_spans().len(), 3);
}

#[test]
fn filters_do_filter() {
    let captured = |filter: usize, program: usize| {
        let trace = captured(PROGRAMS[program].1, FILTERS[filter].1(), true);
        (trace.all_spans().len(), trace.all_events().len())
    };
    assert_eq!(captured(0, 1), (0, 0));
    assert_eq!(captured(1, 1), (6, 18));
    assert_eq!(captured(2, 1), (6, 36));
    assert_eq!(captured(3, 1), (0, 27));
    // The values of a span are not known when the directive is asked for it, but for what is in it.
    assert_eq!(captured(11, 1), (4, 16));
}

#[test]
fn layers_on_one_subscriber_do_not_disturb_one_another() {
    for (program_name, program) in PROGRAMS {
        let storages: Vec<_> =
            FILTERS.iter().map(|_| [(); 2].map(|()| SharedStorage::default())).collect();
        let everything = SharedStorage::default();
        let layers = FILTERS.iter().zip(&storages).flat_map(|((_, filter), [ours, theirs])| {
            let ours = CaptureLayer::new(ours).with_filter(filter());
            let theirs = Layer::with_filter(CaptureLayer::new(theirs), filter());
            [ours.boxed(), theirs.boxed()]
        });
        let mut layers: Vec<_> = layers.collect();
        layers.push(CaptureLayer::new(&everything).boxed());
        let format = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
        layers.push(format.with_filter(EnvFilter::new("info,[outer{id=2}]=off")).boxed());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layers), program);

        for ((filter_name, filter), [ours, theirs]) in FILTERS.iter().zip(storages) {
            if answers_differ(filter_name, program_name) {
                continue;
            }
            let expected = detailed(&captured(program, filter(), false));
            assert_eq!(
                detailed(&ours.lock()),
                expected,
                "ours: {program_name} through {filter_name}"
            );
            assert_eq!(detailed(&theirs.lock()), expected, "{program_name} through {filter_name}");
        }
        let unfiltered = detailed(&captured(program, Box::new(LevelFilter::TRACE), true));
        assert_eq!(detailed(&everything.lock()), unfiltered, "{program_name}");
    }
}

/// A value whose `Debug` implementation runs a function.
struct Runs<F>(F);

impl<F: Fn()> fmt::Debug for Runs<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)();
        formatter.write_str("ran")
    }
}

fn tree(storage: &SharedStorage) -> String {
    storage.lock().to_string()
}

#[test]
fn value_that_traces_is_captured_with_what_it_traces() {
    let [ours, theirs] = [(); 2].map(|()| SharedStorage::default());
    let subscriber = tracing_subscriber::registry()
        .with(CaptureLayer::new(&ours).with_filter(EnvFilter::new("[span]=trace")))
        .with(Layer::with_filter(CaptureLayer::new(&theirs), LevelFilter::TRACE));
    tracing::subscriber::with_default(subscriber, || {
        let traces = Runs(|| info_span!("inner").in_scope(|| debug!("in the value")));
        let span = info_span!("span", value = ?traces, late = field::Empty);
        // Two layers take the value, and each time the layers get what it traces. `tracing` itself
        // has no subscriber for what is traced by the values of new spans and events.
        span.in_scope(|| span.record("late", field::debug(&traces)));
        span.in_scope(|| info!(value = ?Runs(|| info!("to nobody"))));
    });
    for storage in [ours, theirs] {
        let trace = storage.lock();
        let inner = "├─ ⟨2×⟩ INFO inner{}\n│  └─ DEBUG in the value\n";
        let tree = format!("INFO span{{value=ran late=ran}}\n{inner}└─ INFO value=ran");
        assert_eq!(trace.to_string(), tree);
    }
}

#[test]
fn value_that_panics_poisons_nothing() {
    let storage = SharedStorage::default();
    let subscriber = tracing_subscriber::registry()
        .with(CaptureLayer::new(&storage).with_filter(EnvFilter::new("trace,[span]=trace")));
    tracing::subscriber::with_default(subscriber, || {
        let panics = Runs(|| panic!("as it was told to"));
        let span = info_span!("span", late = field::Empty);
        for _ in 0..2 {
            crate::support::panic_message(|| info_span!("lost", value = ?panics));
            crate::support::panic_message(|| span.record("late", field::debug(&panics)));
            span.in_scope(|| {
                crate::support::panic_message(|| info!(value = ?panics));
                info!("captured");
            });
        }
    });
    let trace = storage.lock();
    let span = trace.all_spans().find(|span| span.metadata().name() == "span").unwrap();
    assert!(span.stats().is_closed);
    assert_eq!(span.events().filter(|event| event.message() == Some("captured")).count(), 2);
}

#[test]
fn value_that_takes_long_keeps_nobody_waiting() {
    let storage = SharedStorage::default();
    let subscriber =
        Dispatch::new(tracing_subscriber::registry().with(CaptureLayer::new(&storage)));
    let (began, has_begun) = mpsc::channel();
    let end = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            tracing::dispatcher::with_default(&subscriber, || {
                let slow = Runs(|| {
                    began.send(()).unwrap();
                    end.wait();
                });
                let span = info_span!("slow", value = ?slow, late = field::Empty);
                span.record("late", field::debug(&slow));
                info!(value = ?slow, "slow");
            });
        });
        for number in 0..3 {
            has_begun.recv().unwrap();
            // The other thread is in the middle of a value.
            tracing::dispatcher::with_default(&subscriber, || {
                info_span!("quick").in_scope(|| info!(number, "quick"));
            });
            assert_eq!(tree(&storage).matches("INFO quick number").count(), number + 1);
            end.wait();
        }
    });
    assert!(tree(&storage).contains("INFO slow value=ran"), "{}", tree(&storage));
}

/// A layer sees what its own filter rejects, so its trace must not say that there was none.
#[test]
fn negatives_know_what_the_filter_of_the_layer_hides() {
    type Filtered = fn(CaptureLayer<Registry>) -> CaptureLayer<Registry>;
    let filters: [Filtered; 5] = [
        |layer| layer.with_filter("info,database=off".parse::<Targets>().unwrap()),
        |layer| layer.with_filter(EnvFilter::new("info,database=off")),
        |layer| layer.with_filter(filter_fn(|metadata| metadata.target() != "database")),
        |layer| layer.with_filter(dynamic_filter_fn(|metadata, _| metadata.target() != "database")),
        |layer| {
            let (filter, _handle) = reload::Layer::new(EnvFilter::new("info,database=off"));
            layer.with_filter(filter)
        },
    ];
    for filtered in filters {
        let storage = SharedStorage::default();
        let layer = filtered(CaptureLayer::new(&storage));
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            info!("captured");
            error!(target: "database", "hidden");
            info_span!(target: "database", "hidden, too");
        });
        let trace = storage.lock();
        trace.scan_events().try_none(&target("database")).unwrap_err();
        trace.scan_events().try_none(&(target("database") & level(Level::ERROR))).unwrap_err();
        trace.scan_spans().try_none(&target("database")).unwrap_err();
        trace.scan_events().none(&target("it::another"));
    }
}
