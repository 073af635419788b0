//! Spans of another subscriber: a capture that has ended, an outer one, one of another thread, a
//! `Registry`, the sender of a guest. To a capture they are none, whatever is done with them.

use std::thread;

use spanshot::{Capture, CaptureLayer, SharedStorage, Storage, TracingEventSender};
use tracing::{Dispatch, Span, dispatcher::with_default, field, info, info_span};
use tracing_subscriber::{Registry, layer::SubscriberExt};

/// Where spans come from, each with what keeps that going.
type Origin = (&'static str, fn() -> (Vec<Span>, Box<dyn Fn()>));

/// Several, so that their IDs are low numbers, as those of a capture are.
fn spans() -> Vec<Span> {
    (0..4).map(|number| info_span!("foreign", number, late = field::Empty)).collect()
}

fn spans_of(dispatch: Dispatch) -> (Vec<Span>, Box<dyn Fn()>) {
    let spans = with_default(&dispatch, spans);
    (spans, Box::new(move || drop(dispatch.clone())))
}

const ORIGINS: [Origin; 5] = [
    ("an ended capture", || {
        let capture = Capture::start();
        let spans = spans();
        drop(capture);
        (spans, Box::new(|| ()))
    }),
    ("a capture of another thread", || {
        thread::spawn(|| {
            let capture = Capture::start();
            (spans(), capture.dispatch().clone())
        })
        .join()
        .map(|(spans, dispatch)| -> (_, Box<dyn Fn()>) {
            (spans, Box::new(move || drop(dispatch.clone())))
        })
        .unwrap()
    }),
    ("a registry", || spans_of(Dispatch::new(Registry::default()))),
    ("a registry with a capture", || {
        let layer = CaptureLayer::new(&SharedStorage::default());
        spans_of(Dispatch::new(Registry::default().with(layer)))
    }),
    ("a guest", || spans_of(Dispatch::new(TracingEventSender::new(|_| ())))),
];

/// Uses spans of another subscriber in each way that there is, between spans of the capture's own.
fn use_them(foreign: &[Span]) {
    let own = info_span!("own");
    let _entered = own.enter();
    for span in foreign {
        info!(parent: span, "explicit");
        drop(info_span!(parent: span, "explicit"));
        own.follows_from(span);
        span.follows_from(&own);
        span.record("late", 1);
        span.in_scope(|| {
            info!("contextual");
            info_span!("contextual").in_scope(|| info!("in it"));
            assert_eq!(Span::current().id(), own.id());
        });
    }
}

#[test]
fn spans_of_other_subscribers_are_absent() {
    for (what, spans) in ORIGINS {
        let (foreign, keep) = spans();
        let capture = Capture::start();
        use_them(&foreign);
        drop(foreign);
        keep();
        let trace = capture.finish();
        let own = trace.all_spans().next().unwrap();
        assert!(own.stats().is_closed, "{what}");
        check(&trace, what);
    }
}

#[track_caller]
fn check(trace: &Storage, what: &str) {
    assert_eq!((trace.all_spans().len(), trace.all_events().len()), (9, 12), "{what}: {trace}");
    let name = |span: spanshot::CapturedSpan<'_>| span.metadata().name().to_owned();
    for event in trace.all_events() {
        let expected = match event.message() {
            Some("explicit") => None,
            Some("contextual") => Some("own"),
            _ => Some("contextual"),
        };
        assert_eq!(event.parent().map(name).as_deref(), expected, "{what}: {trace}");
    }
    for span in trace.all_spans() {
        let expected = (span.metadata().name() == "contextual").then_some("own");
        assert_eq!(span.parent().map(name).as_deref(), expected, "{what}: {trace}");
        assert_eq!((span.follows_from().len(), span.values().count()), (0, 0), "{what}: {trace}");
    }
}

/// Of the capture that is started last, those around it are others, and the other way round.
#[test]
fn spans_of_an_outer_capture_are_absent_in_the_inner_one() {
    let outer = Capture::start();
    let of_outer = spans();
    let inner = Capture::start();
    use_them(&of_outer);
    check(&inner.take(), "inner");
    let of_inner = spans();
    outer.handle().in_scope(|| use_them(&of_inner));
    let trace = outer.finish();
    assert_eq!(trace.all_spans().filter(|span| span.metadata().name() == "foreign").count(), 4);
    assert_eq!(trace.root_spans().len(), 4 + 5, "{trace}");
    assert!(trace.all_spans().all(|span| span.follows_from().len() == 0), "{trace}");
}

/// A `Registry` panics by itself where a new span is given a parent that it does not know, and takes a span
/// of another one for its own; events and links go to the layer as they are.
#[test]
fn spans_of_captures_are_absent_in_a_layer() {
    for (what, spans) in &ORIGINS[..2] {
        let (foreign, keep) = spans();
        let storage = SharedStorage::default();
        let subscriber = Registry::default().with(CaptureLayer::new(&storage));
        tracing::subscriber::with_default(subscriber, || {
            let own = info_span!("own");
            let _entered = own.enter();
            for span in &foreign {
                info!(parent: span, "explicit");
                own.follows_from(span);
                span.in_scope(|| info!("contextual"));
            }
        });
        keep();
        let trace = storage.lock();
        let own = trace.all_spans().next().unwrap();
        assert_eq!((own.follows_from().len(), own.events().len()), (0, 4), "{what}: {trace}");
        assert_eq!(trace.root_events().len(), 4, "{what}: {trace}");
    }
}

/// The first spans of a `Registry`, and the keys of spans in a storage, are the same low numbers.
#[test]
fn ids_of_a_capture_are_no_low_numbers() {
    let ids = |capture: &Capture| {
        assert_eq!(capture.trace().all_spans().len(), 0);
        spans().iter().map(|span| span.id().unwrap().into_u64()).collect::<Vec<_>>()
    };
    let (first, second) = (ids(&Capture::start()), ids(&Capture::start()));
    assert!(first.iter().chain(&second).all(|id| *id > u64::from(u32::MAX)));
    assert!(first.iter().all(|id| !second.contains(id)));
}

#[test]
fn span_may_follow_from_one_that_is_closed() {
    let program = || {
        let closed = info_span!("closed").id();
        (0..10).for_each(|_| drop(info_span!("between")));
        info_span!("span").follows_from(closed);
    };
    let follows = |trace: &Storage| {
        let span = trace.all_spans().next_back().unwrap();
        let sources: Vec<_> = span.follows_from().collect();
        assert_eq!(sources.len(), 1, "{trace}");
        assert_eq!(sources[0].metadata().name(), "closed");
        assert!(sources[0].closed() < Some(span.moment()));
    };
    let capture = Capture::start();
    program();
    follows(&capture.finish());
    let storage = SharedStorage::default();
    let subscriber = Registry::default().with(CaptureLayer::new(&storage));
    tracing::subscriber::with_default(subscriber, program);
    follows(&storage.lock());
}
