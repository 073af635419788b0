//! Threads of a stream, and those of the host on which they are relayed.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use spanshot::{CallSiteKind, Capture, TracedValues, TracingEvent, TracingEventReceiver};
use tracing::{Event, Subscriber, info_span};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

use super::receiver::{call_site, new_span};
use crate::support::on_thread;

/// Layer that holds on to something.
struct Holder(#[expect(dead_code, reason = "it is only held")] Arc<()>);

impl<S: Subscriber> Layer<S> for Holder {}

/// A receiver that knows call site 0 of spans and call site 1 of events.
fn receiver() -> TracingEventReceiver {
    let mut receiver = TracingEventReceiver::default();
    receiver.receive(call_site(0, CallSiteKind::Span, &[]));
    receiver.receive(call_site(1, CallSiteKind::Event, &[]));
    receiver
}

fn event(thread: u64) -> TracingEvent {
    TracingEvent::NewEvent {
        metadata_id: 1,
        parent: None,
        is_root: false,
        values: TracedValues::new(),
        thread,
    }
}

fn enter(id: u64, thread: u64) -> TracingEvent {
    TracingEvent::SpanEntered { id, thread }
}

fn exit(id: u64, thread: u64) -> TracingEvent {
    TracingEvent::SpanExited { id, thread }
}

/// Notes which thread each event comes on, or panics at it.
#[derive(Clone, Default)]
struct Threads {
    seen: Arc<Mutex<Vec<ThreadId>>>,
    panics: Arc<AtomicBool>,
}

impl<S: Subscriber> Layer<S> for Threads {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        assert!(!self.panics.load(Ordering::Relaxed), "the layer panics");
        self.seen.lock().unwrap().push(thread::current().id());
    }
}

#[test]
fn each_thread_of_a_stream_has_its_own_and_the_first_that_which_receives() {
    let threads = Threads::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(threads.clone()), || {
        let mut receiver = receiver();
        for thread in [0, 1, 2, 1, 0] {
            receiver.receive(event(thread));
        }
    });
    let seen = threads.seen.lock().unwrap();
    assert_eq!(seen[0], thread::current().id());
    assert_eq!((seen[3], seen[4]), (seen[1], seen[0]));
    assert_eq!(seen.iter().map(|id| format!("{id:?}")).collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn threads_that_come_and_go_do_not_pile_up_in_the_host() {
    let threads = Threads::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(threads.clone()), || {
        let mut receiver = receiver();
        receiver.receive(new_span(1, 0, &[]));
        for thread in 0..500 {
            receiver.receive(enter(1, thread));
            receiver.receive(event(thread));
            receiver.receive(exit(1, thread));
        }
    });
    let seen = threads.seen.lock().unwrap();
    assert_eq!(seen.len(), 500);
    assert!(seen.iter().map(|id| format!("{id:?}")).collect::<BTreeSet<_>>().len() <= 65);
}

#[test]
fn more_threads_in_spans_than_the_host_starts_have_their_own_parents_all_the_same() {
    let capture = Capture::start();
    let host_span = info_span!("host").entered();
    let mut receiver = receiver();
    for thread in 0..200 {
        receiver.receive(new_span(thread + 1, 0, &[]));
    }
    for thread in 0..200 {
        receiver.receive(enter(thread + 1, thread));
    }
    for thread in 0..201 {
        receiver.receive(event(thread));
    }
    for thread in 0..200 {
        receiver.receive(exit(thread + 1, thread));
        receiver.receive(event(thread));
    }
    drop(receiver);
    tracing::info!("in the host's span");
    drop(host_span);

    let trace = capture.trace();
    let host_span = trace.root_spans().next().unwrap();
    assert_eq!(host_span.events().len(), 202);
    assert_eq!(host_span.children().len(), 200);
    for span in host_span.children() {
        assert_eq!(span.events().len(), 1);
        assert_eq!((span.stats().entered, span.stats().exited), (1, 1));
    }
}

#[test]
fn host_is_in_no_span_of_the_guest_after_a_call_however_many_threads_the_guest_has() {
    for is_elsewhere in [false, true] {
        let capture = Capture::start();
        let host_span = info_span!("host").entered();
        let mut receiver = receiver();
        if is_elsewhere {
            receiver = receiver.relaying_elsewhere();
        }
        let scope = receiver.scope();
        scope.in_scope(|| {
            for id in 1..=200 {
                receiver.receive(new_span(id, 0, &[]));
            }
            for thread in 0..200 {
                receiver.receive(enter(thread + 1, thread));
            }
        });
        tracing::info!("between two calls");
        scope.in_scope(|| {
            for thread in 0..200 {
                receiver.receive(event(thread));
            }
        });
        drop(host_span);
        tracing::info!("in none");

        let trace = capture.trace();
        let host_span = trace.root_spans().next().unwrap();
        assert_eq!(host_span.events().next().unwrap().message(), Some("between two calls"));
        assert_eq!((host_span.events().len(), host_span.children().len()), (1, 200));
        assert_eq!(trace.root_events().len(), 1);
        for span in host_span.children() {
            assert_eq!(span.events().len(), 1);
        }
        drop(receiver);
    }
}

#[test]
fn roots_of_every_thread_stand_in_the_span_of_the_host() {
    let capture = Capture::start();
    let mut receiver = receiver();
    info_span!("host").in_scope(|| {
        receiver.receive(event(0));
        receiver.receive(event(1));
        receiver.receive(new_span(1, 0, &[]));
        receiver.receive(enter(1, 0));
        receiver.receive(event(1));
        receiver.receive(exit(1, 0));
    });
    receiver.receive(event(1));
    assert_eq!(
        capture.trace().to_string(),
        "INFO host{}\n├─ ⟨2×⟩ INFO\n├─ INFO site 0{}\n└─ INFO\nINFO"
    );
}

#[test]
fn receiver_that_is_moved_while_its_program_is_in_a_span_knows_the_parents() {
    let capture = Capture::start();
    let mut receiver = receiver();
    receiver.receive(new_span(1, 0, &[]));
    receiver.receive(enter(1, 0));
    thread::scope(|scope| {
        scope.spawn(|| {
            receiver.receive(event(0));
            receiver.receive(event(1));
        });
    });
    assert_eq!(capture.trace().to_string(), "INFO site 0{}\n└─ INFO\nINFO");
}

#[test]
fn span_of_the_host_is_closed_though_the_receiver_was_moved_while_its_program_was_in_a_span() {
    for is_exited in [false, true] {
        let capture = Capture::start();
        let mut receiver = receiver();
        info_span!("host").in_scope(|| {
            receiver.receive(new_span(1, 0, &[]));
            receiver.receive(enter(1, 0));
            on_thread(move || {
                if is_exited {
                    receiver.receive(exit(1, 0));
                }
                drop(receiver);
            });
        });
        assert!(capture.trace().all_spans().all(|span| span.stats().is_closed));
    }
}

#[test]
fn span_of_the_host_is_closed_on_each_thread_that_a_receiver_was_on() {
    let capture = Capture::start();
    let mut receiver = receiver();
    receiver.receive(new_span(1, 0, &[]));
    on_thread(|| info_span!("host").in_scope(|| receiver.receive(enter(1, 0))));
    receiver.receive(event(0)); // this thread is in the span, too
    drop(receiver);
    assert!(capture.trace().all_spans().all(|span| span.stats().is_closed));
}

/// The host does not enter what is closed.
#[test]
fn span_of_the_host_is_current_and_closed_though_the_guest_is_in_a_closed_span() {
    let capture = Capture::start();
    let mut receiver = receiver();
    let scope = receiver.scope();
    scope.in_scope(|| {
        for id in [1, 2] {
            receiver.receive(new_span(id, 0, &[]));
        }
        for id in [1, 2] {
            receiver.receive(enter(id, 0));
        }
        receiver.receive(TracingEvent::SpanDropped { id: 1 });
    });
    for exited in [Some(2), None] {
        info_span!("host").in_scope(|| {
            scope.in_scope(|| {
                if let Some(id) = exited {
                    receiver.receive(exit(id, 0));
                }
                receiver.receive(event(1));
            });
        });
    }
    let trace = capture.trace();
    for host_span in trace.all_spans().skip(2) {
        assert_eq!((host_span.metadata().name(), host_span.events().len()), ("host", 1), "{trace}");
        assert!(host_span.stats().is_closed);
    }
}

#[test]
fn panic_of_the_subscriber_reaches_the_caller_from_whichever_thread() {
    let threads = Threads::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(threads.clone()), || {
        let mut receiver = receiver();
        for thread in [0, 1] {
            threads.panics.store(true, Ordering::Relaxed);
            let result = catch_unwind(AssertUnwindSafe(|| receiver.receive(event(thread))));
            let payload = result.unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&"the layer panics"));
            threads.panics.store(false, Ordering::Relaxed);
            receiver.receive(event(thread));
        }
    });
    assert_eq!(threads.seen.lock().unwrap().len(), 2);
}

#[test]
fn subscriber_is_let_go_of_when_the_receiver_is_dropped_or_persisted() {
    let alive = Arc::new(());
    let subscriber = tracing_subscriber::registry().with(Holder(Arc::clone(&alive)));
    let (mut first, second) = tracing::subscriber::with_default(subscriber, || {
        let mut receivers = (receiver(), receiver());
        receivers.0.receive(event(1));
        receivers.1.receive(event(1));
        receivers
    });
    let scope = first.scope(); // which outlives it
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(first);
    drop(second.persist());
    // Where another test of the process creates a subscriber, `tracing-core` holds all others for a moment.
    let deadline = Instant::now() + Duration::from_secs(10);
    while Arc::strong_count(&alive) > 1 && Instant::now() < deadline {
        thread::yield_now();
    }
    assert_eq!(Arc::strong_count(&alive), 1);
    scope.in_scope(|| ());
}

#[test]
fn threads_end_when_the_receiver_is_persisted() {
    thread_local! {
        static HELD: RefCell<Vec<Arc<()>>> = const { RefCell::new(Vec::new()) };
    }
    /// Has each thread hold on to something until it ends.
    struct HoldOn(Arc<()>);
    impl<S: Subscriber> Layer<S> for HoldOn {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            HELD.with_borrow_mut(|held| held.push(Arc::clone(&self.0)));
        }
    }

    let held = Arc::new(());
    let layer = HoldOn(Arc::clone(&held));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let mut receiver = receiver();
        receiver.receive(event(1));
        receiver.receive(event(2));
        assert_eq!(Arc::strong_count(&held), 4);
        let _local_spans = receiver.persist();
        assert_eq!(Arc::strong_count(&held), 2);
    });
}

#[test]
fn threads_that_were_in_spans_at_once_do_not_mix_after_one_has_left() {
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    receiver.receive(call_site(0, CallSiteKind::Span, &[]));
    receiver.receive(call_site(1, CallSiteKind::Event, &[]));
    receiver.receive(new_span(1, 0, &[]));
    receiver.receive(new_span(2, 0, &[]));
    for (id, thread) in [(2, 0), (1, 1), (2, 1)] {
        receiver.receive(TracingEvent::SpanEntered { id, thread });
    }
    receiver.receive(TracingEvent::SpanExited { id: 2, thread: 0 });
    let event = |thread| TracingEvent::NewEvent {
        metadata_id: 1,
        parent: None,
        is_root: false,
        values: TracedValues::new(),
        thread,
    };
    receiver.receive(event(1));
    receiver.receive(event(0));
    assert_eq!(
        capture.trace().to_string(),
        "INFO site 0{}\nINFO site 0{}\n└─ INFO\nINFO",
        "the first is in span 2, and the second in none"
    );
}
