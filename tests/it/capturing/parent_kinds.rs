//! How spans and events came by their parents, whichever way they were captured.

use insta::assert_snapshot;
use spanshot::{
    Capture, CaptureLayer, Keep, LocalSpans, SharedStorage, Trace, TracingEvent,
    TracingEventReceiver, capture::ParentKind, predicates::*, transport::recorded::RecordedTrace,
};
use tracing::{Dispatch, Level, Span, debug_span, dispatcher, event, info, info_span, warn};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

use crate::support::{
    captured_by_every_way, direct, events_of, feed_events, feed_frames, frames_of, native,
    on_thread, parent_kinds, relayed, through_json,
};

/// Traces spans and events that came by their parents in every way. Their names say which one.
fn program() {
    let root = info_span!("contextual root").entered();
    info!("contextual");
    info!(parent: None, "explicit root");
    info!(parent: &*root, "explicit");
    let explicit = info_span!(parent: &*root, "explicit");
    explicit.in_scope(|| {
        info_span!("contextual").in_scope(|| info!(parent: &*root, "explicit"));
        info_span!(parent: None, "explicit root").in_scope(|| {
            info!("contextual");
            on_thread(|| {
                info!("contextual root");
                info!(parent: &explicit, "explicit");
                info_span!("contextual root").in_scope(|| info!("contextual"));
            });
        });
    });
    event!(parent: &explicit, Level::INFO, "explicit");
    // A disabled span has no handle that could be named.
    info!(parent: &Span::none(), "explicit root");
    drop(root);
    info!("contextual root");
    let id = explicit.id();
    drop(explicit);
    info!(parent: id, "explicit"); // it is closed
    info!(parent: None, "explicit root");
}

/// Checks that each span and event is of the kind that its name says.
#[track_caller]
fn assert_kinds(trace: &Trace, way: &str) {
    let kind = |kind: Option<ParentKind>| match kind {
        Some(ParentKind::Explicit) => "explicit",
        Some(ParentKind::Contextual) => "contextual",
        Some(ParentKind::ExplicitRoot) => "explicit root",
        Some(ParentKind::ContextualRoot) => "contextual root",
        _ => "unknown",
    };
    let spans = trace.all_spans().map(|span| (span.metadata().name(), span.parent_kind()));
    let events = trace.all_events().map(|event| (event.message().unwrap(), event.parent_kind()));
    for (index, (expected, actual)) in spans.chain(events).enumerate() {
        assert_eq!(kind(actual), expected, "{way}: number {index} of\n{trace}");
    }
    let count = trace.all_spans().len() + trace.all_events().len();
    assert_eq!(count, 5 + 13, "{way}\n{trace}");
}

#[test]
fn kinds_are_told_in_every_way_of_capturing() {
    captured_by_every_way(
        |_| (),
        |way, storage| {
            program();
            assert_kinds(&storage.lock(), way);
        },
    );
    assert_kinds(&native(program), "a capture");
    let capture = Capture::builder().with_layer(tracing_subscriber::layer::Identity::new()).start();
    program();
    assert_kinds(&capture.finish(), "a capture with layers");

    let storage = SharedStorage::default();
    let layer = CaptureLayer::new(&storage).with_filter(LevelFilter::INFO);
    dispatcher::with_default(&Dispatch::new(tracing_subscriber::registry().with(layer)), program);
    assert_kinds(&storage.lock(), "a filtered layer");
}

#[test]
fn kinds_cross_the_boundary() {
    let frames = frames_of(program);
    let events = through_json(&events_of(program));
    assert_kinds(&direct(feed_frames(&frames)), "frames, directly");
    assert_kinds(&direct(feed_events(events.clone())), "JSON, directly");
    assert_kinds(&relayed(feed_frames(&frames)), "frames, relayed");
    assert_kinds(&relayed(feed_events(events)), "JSON, relayed");

    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default().relaying_elsewhere();
    feed_frames(&frames)(&mut receiver);
    assert_kinds(&capture.trace(), "frames, relayed elsewhere");

    let storage = SharedStorage::default();
    let registry = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
    dispatcher::with_default(&Dispatch::new(registry), || {
        let mut receiver = TracingEventReceiver::default();
        feed_frames(&frames)(&mut receiver);
        assert_kinds(&storage.lock(), "frames, relayed to a layer");
    });
}

/// A closed span is no parent, but it was named.
#[test]
fn explicit_parent_that_is_gone_is_explicit() {
    let layered =
        || Capture::builder().with_layer(tracing_subscriber::layer::Identity::new()).start();
    for capture in [Capture::start, layered] {
        let capture = capture();
        let id = info_span!("gone").id();
        drop(info_span!(parent: id, "child"));
        let child = capture.finish().scan_spans().single(&name("child")).parent_kind();
        assert_eq!(child, Some(ParentKind::Explicit));
    }
}

/// Contextual roots of a guest are in the span of the host that is current. That is no explicit parent, even where the
/// receiver has to name the span.
#[test]
fn contextual_roots_of_a_guest_are_in_the_current_span_of_the_host() {
    let frames = frames_of(|| {
        info!("on the first thread");
        info!(parent: None, "root");
        on_thread(|| info!("on the second thread"));
    });
    let trace = native(|| {
        info_span!("host").in_scope(|| {
            feed_frames(&frames)(&mut TracingEventReceiver::default());
        });
    });
    let of_host = parent(name("host")) & parent_kind(ParentKind::Contextual);
    trace.scan_events().count(2, &(of_host & message(starts_with("on the"))));
    trace.scan_events().single(&(message("root") & parent_kind(ParentKind::ExplicitRoot)));
}

/// More threads than a receiver has of the host's share one, and get their current spans as explicit parents there.
#[test]
fn contextual_parents_stay_contextual_on_threads_that_share_one() {
    const THREADS: u64 = 80;

    let mut events: Vec<TracingEvent> = serde_json::from_str(
        r#"[
            {"new_call_site":{"id":0,"kind":"span","name":"s","target":"t","level":"info","fields":[]}},
            {"new_call_site":{"id":1,"kind":"event","name":"e","target":"t","level":"info","fields":[]}}
        ]"#,
    )
    .unwrap();
    let empty = || spanshot::TracedValues::new();
    for thread in 0..THREADS {
        events.push(TracingEvent::NewSpan {
            id: thread + 1,
            parent_id: None,
            is_root: false,
            metadata_id: 0,
            values: empty(),
            thread,
        });
        events.push(TracingEvent::SpanEntered { id: thread + 1, thread });
    }
    for thread in 0..THREADS {
        events.push(TracingEvent::NewEvent {
            metadata_id: 1,
            parent: None,
            is_root: false,
            values: empty(),
            thread,
        });
    }
    let trace = relayed(feed_events(events));
    trace.scan_events().count(80, &parent_kind(ParentKind::Contextual));
    trace.scan_spans().all(&parent_kind(ParentKind::ContextualRoot));
}

/// A note that a receiver leaves for one record is not taken for another one, which a subscriber traces meanwhile.
#[test]
fn what_a_layer_traces_while_it_gets_a_record_is_of_its_own_kind() {
    struct Chatty(Dispatch);

    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Chatty {
        fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            self.0.event(&tracing::Event::new_child_of(
                None,
                METADATA,
                &METADATA.fields().value_set(&[]),
            ));
        }
    }

    struct Site;
    static SITE: Site = Site;
    static METADATA: &tracing::Metadata<'static> = &tracing_core_metadata();
    const fn tracing_core_metadata() -> tracing::Metadata<'static> {
        tracing::Metadata::new(
            "nested",
            "nested",
            Level::INFO,
            None,
            None,
            None,
            tracing::field::FieldSet::new(&[], tracing::callsite::Identifier(&SITE)),
            tracing::metadata::Kind::EVENT,
        )
    }
    impl tracing::callsite::Callsite for Site {
        fn set_interest(&self, _: tracing::subscriber::Interest) {}
        fn metadata(&self) -> &tracing::Metadata<'_> {
            METADATA
        }
    }

    let frames = frames_of(|| info!("of the guest"));
    let (outer, inner) = (SharedStorage::default(), SharedStorage::default());
    let inner_layer = CaptureLayer::new(&inner);
    let chatty = Chatty(Dispatch::new(tracing_subscriber::registry().with(inner_layer)));
    let subscriber = tracing_subscriber::registry().with(chatty).with(CaptureLayer::new(&outer));
    dispatcher::with_default(&Dispatch::new(subscriber), || {
        feed_frames(&frames)(&mut TracingEventReceiver::default());
    });
    assert_eq!(parent_kinds(&outer.lock()), [Some(ParentKind::ContextualRoot)]);
    assert_eq!(parent_kinds(&inner.lock()), [Some(ParentKind::ExplicitRoot)]);
}

#[test]
fn kinds_outlive_taking_and_eviction() {
    let program = || {
        let job = info_span!(parent: None, "job").entered();
        info!("before");
        job
    };
    captured_by_every_way(
        |_| (),
        |way, storage| {
            let job = program();
            storage.take();
            info!(parent: &*job, "after");
            let trace = storage.lock();
            let expected = [Some(ParentKind::ExplicitRoot), Some(ParentKind::Explicit)];
            assert_eq!(parent_kinds(&trace), expected, "{way}");
            drop(job);
        },
    );
    captured_by_every_way(
        |storage| storage.set_max_nodes(2, Keep::Newest),
        |way, storage| {
            let _job = program();
            (0..100).for_each(|_| info!(parent: None, "again"));
            info!("last");
            let kinds = parent_kinds(&storage.lock());
            assert_eq!(kinds[0], Some(ParentKind::ExplicitRoot), "{way}");
            assert_eq!(kinds.last(), Some(&Some(ParentKind::Contextual)), "{way}");
        },
    );
}

/// A filter keeps a span from being anybody's parent.
#[test]
fn span_that_is_filtered_out_is_no_current_span() {
    let capture = Capture::builder().filter("info").start();
    debug_span!("hidden").in_scope(|| info!("in it"));
    let kinds = parent_kinds(&capture.trace());
    assert_eq!(kinds, [Some(ParentKind::ContextualRoot)]);
}

#[test]
fn failures_name_the_kind() {
    let trace = native(|| {
        let job = info_span!("job").entered();
        info!("first");
        info!(parent: &*job, "second");
    });
    let events = trace.scan_events();
    let error = events.try_single(&(message("first") & parent_kind(ParentKind::Explicit)));
    assert_snapshot!(error.unwrap_err(), @r#"
    no event matches (message(var == "first") && parent kind(Explicit))

    nearest of 2 events:
      INFO first
        ✓ message(var == "first"): message is "first"
        ✗ parent kind(Explicit): it is Contextual
      INFO second
        ✗ message(var == "first"): message is "second"
        ✓ parent kind(Explicit): it is Explicit

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
      INFO job{}
    ▶ ├─ INFO first
    ▶ └─ INFO second
    "#);
    let error = trace.scan_spans().try_none(&parent_kind(ParentKind::ContextualRoot));
    assert_snapshot!(error.unwrap_err(), @"
    1 span should not match: parent kind(ContextualRoot)

      INFO job{}

    the trace:
    ▶ INFO job{}
      ├─ INFO first
      └─ INFO second
    ");
    let error = events.try_all(&!parent_kind(ParentKind::Explicit));
    assert_snapshot!(error.unwrap_err(), @"
    1 of 2 events does not match: !parent kind(Explicit)

      INFO second
        ✗ !parent kind(Explicit): it is Explicit

    the trace:
      INFO job{}
      ├─ INFO first
    ▶ └─ INFO second
    ");
}

/// What an earlier receiver has left does not tell the kinds.
fn restored() -> Trace {
    let mut events = events_of(|| {
        let job = info_span!("job");
        std::mem::forget(job);
    });
    let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
    events.drain(..).for_each(|event| receiver.receive(event));
    let metadata = receiver.persist_metadata();
    let (spans, _) = receiver.persist();
    let storage = SharedStorage::default();
    let restored = TracingEventReceiver::new(metadata, spans, LocalSpans::capturing(&storage));
    let trace = storage.lock();
    drop(restored);
    trace
}

#[test]
fn unknown_kinds_are_no_reason_to_pass() {
    let trace = restored();
    let spans = trace.scan_spans();
    assert_eq!(parent_kinds(&trace), [None]);
    for kind in [
        ParentKind::Explicit,
        ParentKind::Contextual,
        ParentKind::ExplicitRoot,
        ParentKind::ContextualRoot,
    ] {
        assert!(spans.try_any(&parent_kind(kind)).is_err());
        assert!(spans.try_all(&parent_kind(kind)).is_err());
        for refused in [
            spans.try_none(&parent_kind(kind)).unwrap_err(),
            spans.try_any(&!parent_kind(kind)).unwrap_err(),
            spans.try_all(&!parent_kind(kind)).unwrap_err(),
            spans.try_count(..2, &(name("job") & parent_kind(kind))).unwrap_err(),
            spans.try_in_order(&[&!parent_kind(kind)]).unwrap_err(),
            spans.try_first(&name("job").and(!parent_kind(kind))).unwrap_err(),
        ] {
            let refused = refused.to_string();
            let reason = "this says nothing, since 1 span of the trace is of a stream that does not \
                          tell the kind of the parent: ";
            assert!(refused.starts_with(reason), "{refused}");
        }
    }
    let error = spans.try_any(&parent_kind(ParentKind::Contextual)).unwrap_err();
    assert_snapshot!(error, @"
    no span matches parent kind(Contextual)

    the only span:
      INFO job{}
        ✗ parent kind(Contextual): it is not told by the stream

    the trace:
    ▶ INFO job{}
    ");
}

#[test]
fn recorded_trace_does_not_tell() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("parent-kinds.spanshot");
    native(program).save(&path).unwrap();
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let receipt = RecordedTrace::open(&path).unwrap().replay(&mut receiver);
    assert!(receipt.is_complete());
    assert!(parent_kinds(&storage.lock()).iter().all(Option::is_none));
    storage.take();
    // Relayed, it tells as little. What the receiver gets from elsewhere does.
    let relayed = relayed(|receiver| {
        assert!(RecordedTrace::open(&path).unwrap().replay(receiver).is_complete());
    });
    assert!(parent_kinds(&relayed).iter().all(Option::is_none));
    assert_eq!(relayed.all_events().len(), 13);
    let errors = relayed.scan_events().try_any(&!parent_kind(ParentKind::Explicit)).unwrap_err();
    assert!(errors.to_string().starts_with("this says nothing, since 13 events of the trace are"));
    std::fs::remove_file(path).unwrap();
}

/// That there is no parent may be for want of room.
#[test]
fn parent_that_was_left_out_makes_no_root() {
    let capture = Capture::start();
    capture.storage().set_max_nodes(1, Keep::Oldest);
    warn!(parent: None, "first");
    let trace = {
        let _left_out = info_span!("left out").entered();
        capture.storage().set_max_nodes(2, Keep::Oldest);
        warn!("second");
        capture.trace()
    };
    let events = trace.scan_events();
    assert_eq!(
        trace.all_events().next_back().unwrap().parent_kind(),
        Some(ParentKind::ContextualRoot)
    );
    for refused in [
        events.try_any(&parent_kind(ParentKind::ContextualRoot)),
        events.try_any(&(message("second") & !parent_kind(ParentKind::Contextual))),
    ] {
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("1 span or event was left out of the trace"), "{refused}");
    }
    events.any(&parent_kind(ParentKind::ExplicitRoot));
}
