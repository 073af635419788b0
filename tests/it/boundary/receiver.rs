//! What the receiver accepts, refuses, and does when its time is over.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use spanshot::{
    CallSiteData, CallSiteKind, Capture, CaptureLayer, ReceiveError, SharedStorage, TracedValues,
    TracingEvent, TracingEventReceiver, TracingLevel,
};
use tracing::{
    Event, Subscriber,
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

use crate::support::{frames_of, panic_message};

pub(crate) fn call_site(id: u64, kind: CallSiteKind, fields: &[&'static str]) -> TracingEvent {
    let data = CallSiteData {
        kind,
        name: format!("site {id}").into(),
        target: "target".into(),
        level: TracingLevel::Info,
        module_path: None,
        file: None,
        line: None,
        fields: fields.iter().map(|field| (*field).into()).collect(),
    };
    TracingEvent::NewCallSite { id, data }
}

pub(crate) fn new_span(id: u64, metadata_id: u64, values: &[(&str, i64)]) -> TracingEvent {
    TracingEvent::NewSpan {
        id,
        parent_id: None,
        is_root: false,
        metadata_id,
        values: traced(values),
        thread: 0,
    }
}

fn new_event(metadata_id: u64, values: &[(&str, i64)]) -> TracingEvent {
    TracingEvent::NewEvent {
        metadata_id,
        parent: None,
        is_root: false,
        values: traced(values),
        thread: 0,
    }
}

fn traced(values: &[(&str, i64)]) -> TracedValues<String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
}

fn enter(id: u64) -> TracingEvent {
    TracingEvent::SpanEntered { id, thread: 0 }
}

fn exit(id: u64) -> TracingEvent {
    TracingEvent::SpanExited { id, thread: 0 }
}

/// A receiver with the span 1 of call site 0, which has one field, and call site 1 of events.
fn receiver(storage: &SharedStorage) -> TracingEventReceiver {
    let mut receiver = TracingEventReceiver::capturing(storage);
    receiver.receive(call_site(0, CallSiteKind::Span, &["known"]));
    receiver.receive(call_site(1, CallSiteKind::Event, &["known"]));
    receiver.receive(new_span(1, 0, &[("known", 1)]));
    receiver
}

#[test]
fn span_that_is_closed_while_it_is_entered_is_known_until_nothing_can_name_it() {
    let storage = SharedStorage::default();
    let mut receiver = receiver(&storage);
    receiver.receive(enter(1));
    receiver.receive(TracingEvent::SpanDropped { id: 1 });
    assert!(storage.lock().all_spans().next().unwrap().stats().is_closed);
    // This is what `Span::current().in_scope(…)` sends.
    receiver.receive(TracingEvent::SpanCloned { id: 1 });
    receiver.receive(enter(1));
    receiver.receive(TracingEvent::ValuesRecorded { id: 1, values: traced(&[("known", 2)]) });
    receiver.receive(exit(1));
    receiver.receive(exit(1));
    receiver.receive(TracingEvent::SpanDropped { id: 1 });
    let result = receiver.try_receive(TracingEvent::SpanCloned { id: 1 });
    assert_eq!(result, Err(ReceiveError::UnknownSpanId(1)));
    let trace = storage.lock();
    let span = trace.all_spans().next().unwrap();
    assert_eq!((span.stats().entered, &span["known"]), (1, &1_i64.into()));
}

#[test]
fn receive_panics_at_the_caller_with_the_error() {
    let message = panic_message(|| TracingEventReceiver::default().receive(enter(1)));
    assert_eq!(message, "received an invalid event: there is no span with ID 1, or it is closed");
}

#[test]
fn call_site_may_be_announced_twice_and_replaced() {
    let storage = SharedStorage::default();
    let mut receiver = receiver(&storage);
    receiver.receive(call_site(1, CallSiteKind::Event, &["known"]));
    receiver.receive(new_event(1, &[("known", 1)]));
    receiver.receive(call_site(1, CallSiteKind::Event, &["other"]));
    receiver.receive(new_event(1, &[("other", 2)]));
    receiver.receive(call_site(0, CallSiteKind::Span, &["other"]));
    // The span keeps the call site that it was created by.
    receiver.receive(TracingEvent::ValuesRecorded { id: 1, values: traced(&[("known", 3)]) });
    let trace = storage.lock();
    assert_eq!(trace.to_string(), "INFO site 0{known=3}\nINFO known=1\nINFO other=2");
}

/// Opens span 1, with span 2 in it, and is in both.
fn open_two_spans(receiver: &mut TracingEventReceiver) {
    receiver.receive(call_site(0, CallSiteKind::Span, &[]));
    for id in [1, 2] {
        receiver.receive(new_span(id, 0, &[]));
        receiver.receive(enter(id));
    }
}

#[test]
fn dropped_receiver_exits_and_closes_what_it_opened() {
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    open_two_spans(&mut receiver);
    assert!(capture.trace().all_spans().all(|span| !span.stats().is_closed));
    tracing::info!("by the host, in the current span of the guest");
    drop(receiver);
    tracing::info!("by the host, in none");

    let trace = capture.trace();
    assert_eq!(trace.all_spans().len(), 2);
    for span in trace.all_spans() {
        let stats = span.stats();
        assert_eq!((stats.entered, stats.exited, stats.is_closed), (1, 1, true));
    }
    let parents: Vec<_> = trace.all_events().map(|event| event.ancestors().count()).collect();
    assert_eq!(parents, [2, 0]);
}

#[test]
fn receiver_that_is_made_before_there_is_a_subscriber_finds_it_later() {
    let mut receiver = TracingEventReceiver::default();
    receiver.receive(call_site(0, CallSiteKind::Span, &[]));
    let capture = Capture::start();
    receiver.receive(new_span(1, 0, &[]));
    assert_eq!(capture.trace().all_spans().len(), 1);
}

#[test]
fn direct_way_needs_no_subscriber() {
    let storage = SharedStorage::default();
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), || {
        open_two_spans(&mut TracingEventReceiver::capturing(&storage));
    });
    assert_eq!(storage.lock().to_string(), "INFO site 0{}\n└─ INFO site 0{}");
    assert!(storage.lock().all_spans().all(|span| span.stats().is_closed));
}

#[test]
fn receiver_may_be_fed_from_inside_the_hook_of_a_sender() {
    fn program() {
        let outer = tracing::info_span!("outer", late = tracing::field::Empty);
        let inner = outer.in_scope(|| {
            tracing::info!("in outer");
            tracing::Span::current().record("late", 1);
            tracing::info_span!("inner")
        });
        drop(outer); // it is closed with its child, on the host as well
        inner.in_scope(|| tracing::info!("in inner"));
    }

    let expected = crate::support::detailed(&crate::support::native(program));
    let capture = Capture::start();
    let receiver = std::sync::Mutex::new(TracingEventReceiver::default());
    let sender = spanshot::TracingEventSender::encoded(move |frame| {
        receiver.lock().unwrap().receive_encoded(frame).unwrap();
    });
    tracing::subscriber::with_default(sender, program);
    assert_eq!(crate::support::detailed(&capture.trace()), expected);
}

#[test]
fn direct_receiver_is_restored_into_its_storage() {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    open_two_spans(&mut receiver);
    let metadata = receiver.persist_metadata();
    let (spans, local_spans) = receiver.persist();
    assert!(storage.lock().all_spans().all(|span| !span.stats().is_closed));

    let mut receiver = TracingEventReceiver::new(metadata, spans, local_spans);
    receiver.receive(call_site(1, CallSiteKind::Event, &[]));
    receiver.receive(new_event(1, &[]));
    receiver.receive(exit(2));
    receiver.receive(TracingEvent::SpanDropped { id: 2 });
    let trace = storage.lock();
    assert_eq!(trace.to_string(), "INFO site 0{}\n└─ INFO site 0{}\n   └─ INFO");
    let is_closed: Vec<_> = trace.all_spans().map(|span| span.stats().is_closed).collect();
    assert_eq!(is_closed, [false, true]);
}

#[test]
fn receiver_and_what_it_leaves_can_be_sent_to_other_threads() {
    fn check<T: Send + Sync>() {}

    check::<TracingEventReceiver>();
    check::<spanshot::LocalSpans>();
    check::<ReceiveError>();
}

#[test]
fn many_fields_of_few_names_get_their_values_in_turn() {
    const FIELDS: usize = 100;

    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let names: Vec<_> = (0..FIELDS).map(|index| ["a", "b"][index % 2]).collect();
    receiver.receive(call_site(0, CallSiteKind::Event, &names));
    let values = names.iter().enumerate().rev();
    let values: Vec<_> =
        values.map(|(index, name)| format!(r#""{name}":{{"int":{index}}}"#)).collect();
    let values = values.join(",");
    let event = format!(r#"{{"new_event":{{"metadata_id":0,"values":{{{values}}}}}}}"#);
    receiver.receive(serde_json::from_str(&event).unwrap());
    let trace = storage.lock();
    let values = trace.all_events().next().unwrap().values();
    let expected = (0..FIELDS).rev().map(|index| (["a", "b"][index % 2], index));
    assert!(values.map(|(name, value)| (name, value.clone())).eq(expected.map(|(name, index)| {
        (name, spanshot::TracedValue::Int(i128::try_from(index).unwrap()))
    })));
}

#[test]
fn values_recorded_into_a_span_of_many_are_persisted_in_their_order() {
    const FIELDS: usize = 50;

    let names: Vec<String> = (0..FIELDS).map(|field| format!("f{field}")).collect();
    let names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
    for initial in [0, 1, 16, 17, 40] {
        let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
        receiver.receive(call_site(0, CallSiteKind::Span, &names));
        let mut model: Vec<(&str, i64)> =
            names.iter().take(initial).map(|name| (*name, -1)).collect();
        receiver.receive(new_span(1, 0, &model));
        let mut random = 1_usize;
        for step in 0..300 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // One value is recorded, or a few are.
            let fields =
                (0..=(random >> 40) % 3).map(|nth| names[((random >> 20) + 7 * nth) % FIELDS]);
            let values: Vec<_> = fields.map(|field| (field, step)).collect();
            for (field, value) in &values {
                match model.iter_mut().find(|(known, _)| known == field) {
                    Some((_, place)) => *place = *value,
                    None => model.push((field, *value)),
                }
            }
            receiver.receive(TracingEvent::ValuesRecorded { id: 1, values: traced(&values) });
        }
        let spans = serde_json::to_string(&receiver.persist().0).unwrap();
        let expected = serde_json::to_string(&traced(&model)).unwrap();
        assert!(spans.contains(&expected), "{initial} at first: {spans}");
    }
}

#[test]
fn values_beyond_the_fields_are_counted_and_refused() {
    let storage = SharedStorage::default();
    let mut receiver = receiver(&storage);
    let mut frame = vec![0x28, 0x01, 0x00];
    frame.extend([0x00; 1_000]); // `false` for field 0, again and again
    let error = receiver.receive_encoded(&frame).unwrap_err();
    assert_eq!(error, ReceiveError::TooManyValues { max: 1, actual: 1_000 });
}

#[test]
fn forged_number_of_handles_costs_nothing() {
    let metadata = r#"{"0":{"kind":"span","name":"span","target":"t","level":"info","fields":[]}}"#;
    let spans = format!(r#"{{"1":{{"metadata_id":0,"ref_count":{},"values":{{}}}}}}"#, usize::MAX);
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::new(
        serde_json::from_str(metadata).unwrap(),
        serde_json::from_str(&spans).unwrap(),
        spanshot::LocalSpans::default(),
    );
    receiver.receive(TracingEvent::SpanCloned { id: 1 });
    receiver.receive(TracingEvent::SpanDropped { id: 1 });
    assert!(!capture.trace().all_spans().next().unwrap().stats().is_closed);
}

/// `Registry` closes a span that is kept open by a child only from within the closing of the child.
#[test]
fn chain_of_spans_without_handles_does_not_use_up_the_stack() {
    const SPANS: u64 = 50_000;

    let subscriber = tracing_subscriber::registry();
    let storage = SharedStorage::default();
    let subscriber = subscriber.with(CaptureLayer::new(&storage));
    tracing::subscriber::with_default(subscriber, || {
        let mut receiver = TracingEventReceiver::default();
        receiver.receive(call_site(0, CallSiteKind::Span, &[]));
        for id in 1..=SPANS {
            receiver.receive(TracingEvent::NewSpan {
                id,
                parent_id: id.checked_sub(1).filter(|id| *id > 0),
                is_root: false,
                metadata_id: 0,
                values: TracedValues::new(),
                thread: 0,
            });
        }
        for id in 1..=SPANS {
            assert!(storage.lock().all_spans().next().is_some_and(|span| !span.stats().is_closed));
            receiver.receive(TracingEvent::SpanDropped { id });
            if id == 1_000 {
                // One that has no handle any more gets one again.
                receiver.receive(TracingEvent::SpanCloned { id: 5 });
                receiver.receive(TracingEvent::SpanCloned { id });
                receiver.receive(TracingEvent::SpanDropped { id });
                receiver.receive(TracingEvent::SpanDropped { id: 5 });
            }
        }
        assert!(storage.lock().all_spans().all(|span| span.stats().is_closed));
    });
}

/// Traces something itself whenever it is told of a span or an event, but not for ever.
#[derive(Clone, Default)]
struct Talkative {
    told: Arc<AtomicUsize>,
}

impl Talkative {
    fn talk(&self) {
        if self.told.fetch_add(1, Ordering::Relaxed) < 100 {
            tracing::info_span!("of the layer").in_scope(|| tracing::info!("of the layer"));
        }
    }
}

impl<S: Subscriber> Layer<S> for Talkative {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.talk();
    }

    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        self.talk();
    }
}

#[test]
fn what_a_subscriber_traces_while_it_is_told_does_not_come_back() {
    let program = || {
        drop(tracing::info_span!("span"));
        tracing::info!("event");
    };
    let subscribe = |layer: &Talkative, f: &mut dyn FnMut()| {
        let subscriber = tracing_subscriber::registry().with(layer.clone());
        tracing::subscriber::with_default(subscriber, f);
    };
    let told = |layer: &Talkative| layer.told.load(Ordering::Relaxed);

    let native = Talkative::default();
    subscribe(&native, &mut || program());
    assert_eq!(told(&native), 2);

    let (relayed, elsewhere) = (Talkative::default(), Talkative::default());
    let frames = frames_of(program);
    let mut receiver = TracingEventReceiver::default();
    let feed = |receiver: &mut TracingEventReceiver| {
        for frame in &frames {
            receiver.receive_encoded(frame).unwrap();
        }
    };
    subscribe(&relayed, &mut || feed(&mut receiver));
    assert_eq!(told(&relayed), 2);
    // It goes on where it began, whoever is the default one by now.
    let event = frames.last().unwrap();
    subscribe(&elsewhere, &mut || receiver.receive_encoded(event).unwrap());
    receiver.receive_encoded(event).unwrap();
    assert_eq!((told(&relayed), told(&elsewhere)), (4, 0));
}

#[test]
fn values_of_a_record_that_is_refused_are_not_those_of_the_next() {
    let frames = frames_of(|| tracing::info!(port = 8_080_u16, host = "::1", "listening"));
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let (event, announced) = frames.split_last().unwrap();
    for frame in announced {
        receiver.receive_encoded(frame).unwrap();
    }
    for len in 1..event.len() {
        let _ = receiver.receive_encoded(&event[..len]); // some are whole, with fewer values
    }
    let refused = receiver.receive_encoded(&event[..event.len() - 1]);
    assert!(matches!(refused, Err(ReceiveError::Frame(_))), "{refused:?}");
    receiver.receive(new_event(0, &[]));
    receiver.receive(new_event(0, &[("port", 1)]));
    let trace = storage.lock();
    let last: Vec<_> = trace.all_events().rev().take(2).collect();
    assert_eq!(last[1].values().count(), 0);
    assert!(last[0].values().eq([("port", &1.into())]));
}
