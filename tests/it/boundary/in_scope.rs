//! Scopes of guests when something goes wrong: subscribers that panic or call back, receivers that end elsewhere.

use std::{
    future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use spanshot::{
    Capture, CaptureLayer, ReceiveError, ReceiverLimits, SharedStorage, Trace, TracingEvent,
    TracingEventReceiver,
    predicates::*,
    receiver::{GuestScope, Limit},
    transport::{wasm, wasm_host::GuestTrace},
};
use tracing::{Subscriber, info, info_span, span};
use tracing_subscriber::{
    Registry,
    layer::{Context, Layer, Layered, SubscriberExt},
    registry::LookupSpan,
};

use crate::support::frames_of;

fn call_site(id: u64) -> TracingEvent {
    let call_site = format!(
        r#"{{"new_call_site":{{"id":{id},"kind":"span","name":"job","target":"app","level":"info","fields":[]}}}}"#
    );
    serde_json::from_str(&call_site).unwrap()
}

fn new_span(id: u64) -> TracingEvent {
    let span = format!(r#"{{"new_span":{{"id":{id},"metadata_id":0,"values":{{}}}}}}"#);
    serde_json::from_str(&span).unwrap()
}

fn enter(id: u64) -> TracingEvent {
    TracingEvent::SpanEntered { id, thread: 0 }
}

/// Has the program enter this many spans, one within the other, which are new.
fn enter_spans(receiver: &mut TracingEventReceiver, count: u64) {
    receiver.receive(call_site(0));
    for id in 1..=count {
        receiver.receive(new_span(id));
        receiver.receive(enter(id));
    }
}

/// The name of the span that an event is in.
#[track_caller]
fn parent(trace: &Trace, event: &str) -> Option<String> {
    let event = trace.scan_events().single(&message(eq(event)));
    event.parent().map(|span| span.metadata().name().to_owned())
}

#[track_caller]
fn assert_closed(trace: &Trace, span: &str) {
    let open = trace.all_spans().filter(|span| !span.stats().is_closed);
    assert_eq!(open.filter(|open| open.metadata().name() == span).count(), 0, "{trace}");
}

/// Panics when it is told of so many enters or exits from now on, once.
#[derive(Clone, Default)]
struct Panics {
    enters: Arc<AtomicUsize>,
    exits: Arc<AtomicUsize>,
}

fn count(left: &AtomicUsize) {
    let before =
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    assert_ne!(before, Ok(1), "as it was told to");
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Panics {
    fn on_enter(&self, _: &span::Id, _: Context<'_, S>) {
        count(&self.enters);
    }

    fn on_exit(&self, _: &span::Id, _: Context<'_, S>) {
        count(&self.exits);
    }
}

fn with_layer(
    layer: impl Layer<Layered<CaptureLayer<Registry>, Registry>> + Send + Sync,
    test: impl FnOnce(&SharedStorage),
) {
    let storage = SharedStorage::default();
    let subscriber = tracing_subscriber::registry().with(CaptureLayer::new(&storage)).with(layer);
    tracing::subscriber::with_default(subscriber, || test(&storage));
}

fn panics(f: impl FnOnce()) {
    catch_unwind(AssertUnwindSafe(f)).unwrap_err();
}

#[test]
fn call_whose_begin_panics_has_ended() {
    for nth in 1..=3 {
        let layer = Panics::default();
        with_layer(layer.clone(), |storage| {
            let mut receiver = TracingEventReceiver::default();
            let scope = receiver.scope();
            scope.in_scope(|| enter_spans(&mut receiver, 3));
            layer.enters.store(nth, Ordering::Relaxed);
            panics(|| scope.in_scope(|| unreachable!()));
            info!("after");
            assert_eq!(parent(&storage.lock(), "after"), None);
            receiver.try_receive(new_span(4)).unwrap_err();
            receiver.try_receive(enter(3)).unwrap_err();
            let spans = storage.lock();
            assert!(spans.all_spans().all(|span| span.stats().entered == span.stats().exited));
        });
    }
}

#[test]
fn call_whose_end_panics_has_left_all_spans() {
    for nth in 1..=3 {
        let layer = Panics::default();
        with_layer(layer.clone(), |storage| {
            let mut receiver = TracingEventReceiver::default();
            let scope = receiver.scope();
            let run = || {
                enter_spans(&mut receiver, 3);
                layer.exits.store(nth, Ordering::Relaxed);
            };
            info_span!("host").in_scope(|| {
                panics(|| scope.in_scope(run));
                info!("after");
            });
            assert_eq!(parent(&storage.lock(), "after").as_deref(), Some("host"));
            drop(receiver);
            assert_closed(&storage.lock(), "host");
        });
    }
}

#[test]
fn span_whose_enter_panics_is_not_entered_again() {
    let layer = Panics::default();
    with_layer(layer.clone(), |storage| {
        let mut receiver = TracingEventReceiver::default();
        let scope = receiver.scope();
        layer.enters.store(1, Ordering::Relaxed);
        panics(|| scope.in_scope(|| enter_spans(&mut receiver, 1)));
        drop(receiver);
        info_span!("host").in_scope(|| scope.in_scope(|| info!("after")));
        assert_eq!(parent(&storage.lock(), "after").as_deref(), Some("host"));
    });
}

#[test]
fn future_that_is_dropped_by_a_panic_survives_a_second_one() {
    let layer = Panics::default();
    with_layer(layer.clone(), |storage| {
        let mut receiver = TracingEventReceiver::default();
        let scope = receiver.scope();
        scope.in_scope(|| enter_spans(&mut receiver, 1));
        let waiting = scope.in_scope_async(future::pending::<()>());
        layer.enters.store(1, Ordering::Relaxed);
        panics(move || {
            let _waiting = waiting;
            panic!("the first one");
        });
        info!("after");
        assert_eq!(parent(&storage.lock(), "after"), None);
    });
}

#[test]
fn thread_in_a_call_leaves_what_ends_on_another_thread() {
    for rolls_back in [false, true] {
        let capture = Capture::start();
        let mut receiver = TracingEventReceiver::default();
        let scope = receiver.scope();
        info_span!("host").in_scope(|| {
            scope.in_scope(|| {
                receiver.receive(call_site(0));
                receiver.receive(new_span(1));
                receiver.begin_attempt();
                receiver.receive(enter(1));
                let end =
                    move || if rolls_back { drop(receiver.roll_back()) } else { drop(receiver) };
                thread::spawn(end).join().unwrap();
            });
            info!("after");
        });
        assert_eq!(parent(&capture.trace(), "after").as_deref(), Some("host"));
    }
}

#[test]
fn span_of_the_host_is_closed_whichever_threads_come() {
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    let scope = &receiver.scope();
    scope.in_scope(|| enter_spans(&mut receiver, 20));
    for _ in 0..100 {
        thread::scope(|threads| {
            for _ in 0..8 {
                let request = || info_span!("request").in_scope(|| scope.in_scope(|| ()));
                threads.spawn(capture.carry(request));
            }
        });
    }
    assert_closed(&capture.trace(), "request");
}

#[test]
fn batch_goes_on_when_a_subscriber_panics_and_does_not_come_again() {
    const CONTROL: u32 = 8;
    const BUFFER: u32 = 24;
    let frames = frames_of(|| {
        info_span!("job").in_scope(|| info!("in the job"));
        info!("after");
    });
    let mut batch = vec![];
    for frame in frames {
        batch.extend_from_slice(&u32::try_from(frame.len()).unwrap().to_le_bytes());
        batch.extend_from_slice(&frame);
    }
    let mut memory = vec![0; BUFFER as usize];
    let control = [0, BUFFER, u32::try_from(batch.len()).unwrap()].map(u32::to_le_bytes).concat();
    memory[CONTROL as usize..][..control.len()].copy_from_slice(&control);
    memory.append(&mut batch);

    let layer = Panics::default();
    with_layer(layer.clone(), |storage| {
        let mut trace = GuestTrace::default();
        trace.hello(&mut memory, wasm::VERSION, CONTROL).unwrap();
        layer.exits.store(1, Ordering::Relaxed);
        panics(|| drop(trace.read_buffer(&mut memory)));
        trace.read_buffer(&mut memory).unwrap();
        assert_eq!(storage.lock().to_string(), "INFO job{}\n└─ INFO in the job\nINFO after");
    });
}

/// Calls a guest whenever it is told of something.
#[derive(Clone, Default)]
struct Calls(Arc<OnceLock<GuestScope>>);

impl Calls {
    fn call(&self) {
        if let Some(scope) = self.0.get() {
            scope.in_scope(|| ());
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calls {
    fn on_enter(&self, _: &span::Id, _: Context<'_, S>) {
        self.call();
    }

    fn on_exit(&self, _: &span::Id, _: Context<'_, S>) {
        self.call();
    }

    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        self.call();
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.call();
    }
}

#[test]
fn layer_that_calls_the_guest_whenever_it_is_told_of_something_comes_to_an_end() {
    let layer = Calls::default();
    with_layer(layer.clone(), |storage| {
        let mut receiver = TracingEventReceiver::default();
        layer.0.set(receiver.scope()).unwrap();
        let scope = receiver.scope();
        info_span!("host").in_scope(|| scope.in_scope(|| enter_spans(&mut receiver, 3)));
        info!("after");
        assert_eq!(parent(&storage.lock(), "after"), None);
        drop(receiver);
        assert_closed(&storage.lock(), "host");
    });
}

#[test]
fn subscriber_that_ends_when_a_guest_relays_to_the_next_may_call_the_guest() {
    let layer = Calls::default();
    let scope = Arc::clone(&layer.0);
    let subscriber = tracing_subscriber::registry().with(layer);
    let mut trace = tracing::subscriber::with_default(subscriber, GuestTrace::default);
    scope.set(trace.scope()).unwrap();
    let _capture = Capture::start();
    trace.relay_here().unwrap();
}

#[test]
fn limits_and_scope_hold_after_a_guest_cannot_relay_to_the_next_capture() {
    let site = |id: u64, name: &str| -> TracingEvent {
        let call_site = serde_json::json!({"new_call_site": {
            "id": id, "kind": "span", "name": name, "target": "app", "level": "info", "fields": [],
        }});
        serde_json::from_value(call_site).unwrap()
    };
    let limits = ReceiverLimits::default().max_leaked_bytes(0);
    let storage = SharedStorage::default();
    let receiver = TracingEventReceiver::capturing(&storage).with_limits(limits);
    let mut trace = GuestTrace::new(receiver);
    for record in [site(0, "of no relay yet"), new_span(1), enter(1)] {
        trace.try_receive(record).unwrap();
    }
    let capture = Capture::builder().ignore_lost_records().start();
    TracingEventReceiver::default().receive(call_site(0)); // it is leaked from now on, whatever the limit
    trace.relay_here().unwrap_err();
    assert!(matches!(trace.try_receive(enter(1)), Err(ReceiveError::UnknownSpanId(1))));
    let error = trace.try_receive(site(0, "of no relay either")).unwrap_err();
    assert!(
        matches!(error, ReceiveError::LimitExceeded { limit: Limit::LeakedBytes, .. }),
        "{error}"
    );
    for record in [call_site(0), new_span(1)] {
        trace.try_receive(record).unwrap();
    }
    trace.scope().in_scope(|| trace.try_receive(enter(1)).unwrap());
    info!("outside");
    assert_eq!(parent(&capture.trace(), "outside"), None);
}

#[test]
fn guest_that_is_relayed_elsewhere_stays_so_in_the_next_capture() {
    let mut trace = GuestTrace::new(TracingEventReceiver::default().relaying_elsewhere());
    let capture = Capture::start();
    trace.relay_here().unwrap();
    for record in [call_site(0), new_span(1), enter(1)] {
        trace.try_receive(record).unwrap();
    }
    info!("outside");
    assert_eq!(parent(&capture.trace(), "outside"), None);
}

#[test]
fn attempts_do_not_use_up_call_sites() {
    let _capture = Capture::start();
    let limits = ReceiverLimits::default().max_call_sites(2);
    let mut receiver = TracingEventReceiver::default();
    receiver.receive(call_site(0));
    let metadata = receiver.persist_metadata();
    let (spans, mut local_spans) = receiver.persist();
    for _ in 0..3 {
        let (metadata, spans) = (metadata.clone(), spans.clone());
        let mut receiver =
            TracingEventReceiver::try_new_with_limits(metadata, spans, local_spans, limits)
                .unwrap();
        receiver.begin_attempt();
        let other = serde_json::to_string(&call_site(1)).unwrap().replace("job", "other");
        receiver.receive(serde_json::from_str(&other).unwrap());
        local_spans = receiver.roll_back();
    }
}

#[test]
fn receiver_whose_end_panics_has_exited_and_closed_all_spans() {
    for nth in 1..=3 {
        let layer = Panics::default();
        with_layer(layer.clone(), |storage| {
            let mut receiver = TracingEventReceiver::default();
            let scope = receiver.scope();
            scope.in_scope(|| {
                enter_spans(&mut receiver, 3);
                layer.exits.store(nth, Ordering::Relaxed);
                panics(|| drop(receiver));
                info!("in the call");
            });
            scope.in_scope(|| info!("after"));
            for event in ["in the call", "after"] {
                assert_eq!(parent(&storage.lock(), event), None);
            }
            assert_closed(&storage.lock(), "job");
        });
    }
}

#[test]
fn span_from_before_there_was_a_scope_is_left_with_the_first_call() {
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    enter_spans(&mut receiver, 1);
    // On this thread, it would be left at once.
    let scope = thread::scope(|threads| threads.spawn(|| receiver.scope()).join().unwrap());
    scope.in_scope(|| info!("in the call"));
    info!("after");
    assert_eq!(parent(&capture.trace(), "in the call").as_deref(), Some("job"));
    assert_eq!(parent(&capture.trace(), "after"), None);
}

/// Each call enters the spans that the guest is in: if these were any number, so would be the time that a call takes.
#[test]
fn guest_cannot_stay_in_more_spans_than_a_call_enters_quickly() {
    const MAX: u64 = 4_096;
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    let scope = receiver.scope();
    scope.in_scope(|| {
        enter_spans(&mut receiver, MAX);
        receiver.receive(new_span(MAX + 1));
        let error = receiver.try_receive(enter(MAX + 1)).unwrap_err();
        let (limit, max, actual) = (Limit::Entered, MAX, MAX + 1);
        assert_eq!(error, ReceiveError::LimitExceeded { limit, max, actual });
    });
    for _ in 0..10 {
        scope.in_scope(|| info!("for the guest"));
    }
    let trace = capture.trace();
    let events = trace.scan_events().matches(&message(eq("for the guest")));
    assert!(events.iter().all(|event| event.ancestors().count() as u64 == MAX));
    assert_eq!(events.len(), 10);
}

/// Filters go by the spans that a thread is in: outside of the scope, they would not know.
#[test]
fn guest_in_a_span_traces_nothing_outside_of_its_scope() {
    let capture = Capture::start();
    let mut guest = TracingEventReceiver::default();
    let scope = guest.scope();
    let event = |parent: &str| {
        let event = format!(r#"{{"new_event":{{"metadata_id":1,{parent}"values":{{}}}}}}"#);
        serde_json::from_str::<TracingEvent>(&event).unwrap()
    };
    let event_site = r#"{"new_call_site":{"id":1,"kind":"event","name":"event","target":"app","level":"info","fields":[]}}"#;
    guest.receive(serde_json::from_str(event_site).unwrap());
    guest.receive(event("")); // in no span of the guest, there is nothing to be in
    scope.in_scope(|| enter_spans(&mut guest, 1));
    for refused in [event(""), new_span(2), enter(1), TracingEvent::SpanExited { id: 1, thread: 0 }]
    {
        let error = guest.try_receive(refused.clone()).unwrap_err();
        assert_eq!(error, ReceiveError::NotInScope { id: 1 }, "{refused:?}");
    }
    // Wherever the host is, these are where they are.
    guest.receive(event(r#""parent":1,"#));
    guest.receive(event(r#""is_root":true,"#));
    scope.in_scope(|| guest.receive(event("")));
    assert_eq!(capture.trace().to_string(), "INFO\nINFO job{}\n└─ ⟨2×⟩ INFO\nINFO");
}
