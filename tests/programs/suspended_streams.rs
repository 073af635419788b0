//! Streams that are made record by record, suspended anywhere, and restored: in the subscriber or storage that
//! knows their spans, or in another one.
//!
//! A sender numbers spans upwards and announces a call site once. Other senders need not, so here IDs come in
//! any order and are used again, and a call site gets another description while its spans are open.

use proptest::{collection::vec, prelude::*, sample::Index};
use spanshot::{
    CallSiteData, LocalSpans, PersistedMetadata, PersistedSpans, ReceiveError, SharedStorage,
    Trace, TracedValue, TracedValues, TracingEvent, TracingEventReceiver, capture::CapturedNode,
};

use super::{FILTERS, check_all, subscriber};

/// The filter that goes by the spans that a thread is in.
const BY_SPAN: usize = FILTERS - 1;

/// IDs of spans, from which records choose.
const SPANS: [u64; 6] = [40, 3, 17, 1, 1 << 60, 2];

/// IDs of call sites, from which records choose. The last is one of those that are given to call sites which
/// have none any more.
const CALL_SITES: [u64; 4] = [0, 7, 8, u64::MAX];

/// Descriptions of call sites: spans and events of several levels, some with the same names of fields.
fn call_site(which: usize) -> CallSiteData {
    let described = [
        ("span", "alpha", "app", "info", &["value", "x"][..]),
        ("span", "beta", "app", "debug", &["x", "value", "x"]),
        ("span", "gamma", "other", "warn", &["value"]),
        ("span", "delta", "app", "trace", &[]),
        ("event", "event", "app", "info", &["message", "value"]),
        ("event", "detail", "app", "debug", &["value"]),
    ];
    let (kind, name, target, level, fields) = described[which % described.len()];
    let json = serde_json::json!({
        "kind": kind, "name": name, "target": target, "level": level, "fields": fields,
    });
    serde_json::from_value(json).unwrap()
}

/// The records that every stream begins with.
fn beginning() -> Vec<TracingEvent> {
    let announced = CALL_SITES.into_iter().zip([0, 1, 4, 2]);
    let announce = |(id, which)| TracingEvent::NewCallSite { id, data: call_site(which) };
    announced.map(announce).collect()
}

fn any_record() -> impl Strategy<Value = TracingEvent> {
    let span = || prop::sample::select(&SPANS[..]);
    let site = || prop::sample::select(&CALL_SITES[..]);
    let thread = || 0..3_u64;
    let parent = || {
        prop_oneof![
            4 => Just((None, false)),
            1 => Just((None, true)),
            3 => span().prop_map(|span| (Some(span), false)),
        ]
    };
    let name = prop::sample::select(&["value", "x", "message"][..]);
    let value = (0..4_i64).prop_map(TracedValue::from);
    let values = vec((name, value), 0..3).prop_map(|values| {
        let named = values.into_iter().map(|(name, value)| (name.to_owned(), value));
        named.collect::<TracedValues<String>>()
    });
    prop_oneof![
        2 => (prop_oneof![site(), 20..22_u64], 0..6_usize).prop_map(|(id, which)| {
            TracingEvent::NewCallSite { id, data: call_site(which) }
        }),
        7 => (span(), parent(), site(), values.clone(), thread()).prop_map(
            |(id, (parent_id, is_root), metadata_id, values, thread)| {
                TracingEvent::NewSpan { id, parent_id, is_root, metadata_id, values, thread }
            }
        ),
        3 => (parent(), site(), values.clone(), thread()).prop_map(
            |((parent, is_root), metadata_id, values, thread)| {
                TracingEvent::NewEvent { metadata_id, parent, is_root, values, thread }
            }
        ),
        6 => (span(), thread()).prop_map(|(id, thread)| TracingEvent::SpanEntered { id, thread }),
        4 => (span(), thread()).prop_map(|(id, thread)| TracingEvent::SpanExited { id, thread }),
        2 => span().prop_map(|id| TracingEvent::SpanCloned { id }),
        6 => span().prop_map(|id| TracingEvent::SpanDropped { id }),
        2 => (span(), values).prop_map(|(id, values)| TracingEvent::ValuesRecorded { id, values }),
        1 => (span(), span()).prop_map(|(id, follows_from)| {
            TracingEvent::FollowsFrom { id, follows_from }
        }),
    ]
}

/// Where a stream goes.
#[derive(Debug, Clone, Copy)]
enum Way {
    Relayed { filter: usize },
    Direct,
}

/// A receiver, and what it fills.
struct Received {
    way: Way,
    storage: SharedStorage,
    receiver: TracingEventReceiver,
}

impl Received {
    fn new(way: Way) -> Self {
        Self::make(way, TracingEventReceiver::default, TracingEventReceiver::capturing)
    }

    fn make(
        way: Way,
        relay: impl FnOnce() -> TracingEventReceiver,
        capture: impl FnOnce(&SharedStorage) -> TracingEventReceiver,
    ) -> Self {
        let storage = SharedStorage::default();
        let receiver = match way {
            Way::Direct => capture(&storage),
            Way::Relayed { filter } => {
                tracing::dispatcher::with_default(&subscriber(filter, &storage), relay)
            }
        };
        Self { way, storage, receiver }
    }

    fn receive(&mut self, record: &TracingEvent) -> Result<(), ReceiveError> {
        self.receiver.try_receive(record.clone())
    }

    fn receive_all(&mut self, records: &[TracingEvent]) {
        for record in records {
            self.receive(record).unwrap_or_else(|error| panic!("{error}: {record:?}"));
        }
    }

    /// Suspends it, and goes on in the same place.
    fn suspend(self) -> Self {
        let Self { way, storage, receiver } = self;
        let (metadata, spans, local_spans) = persist(receiver);
        let receiver = TracingEventReceiver::new(metadata, spans, local_spans);
        Self { way, storage, receiver }
    }

    /// Suspends it, and goes on in another place, where nothing is known of it.
    fn suspend_and_restart(self) -> Self {
        let (metadata, spans, _) = persist(self.receiver);
        let (other_metadata, other_spans) = (metadata.clone(), spans.clone());
        Self::make(
            self.way,
            || TracingEventReceiver::new(metadata, spans, LocalSpans::default()),
            |storage| {
                let local_spans = LocalSpans::capturing(storage);
                TracingEventReceiver::new(other_metadata, other_spans, local_spans)
            },
        )
    }

    /// What it has captured, before it closes what is open.
    fn trace(&self) -> Trace {
        self.storage.lock()
    }
}

/// Persists it through both formats, which have to agree.
fn persist(receiver: TracingEventReceiver) -> (PersistedMetadata, PersistedSpans, LocalSpans) {
    let metadata = serde_json::to_string(&receiver.persist_metadata()).unwrap();
    let (spans, local_spans) = receiver.persist();
    let bytes = postcard::to_allocvec(&spans).unwrap();
    let spans = serde_json::from_str(&serde_json::to_string(&spans).unwrap()).unwrap();
    assert_eq!(postcard::from_bytes::<PersistedSpans>(&bytes).unwrap(), spans);
    (serde_json::from_str(&metadata).unwrap(), spans, local_spans)
}

/// What is persisted of the spans, with their call sites in the place of numbers.
fn persisted(receiver: TracingEventReceiver) -> serde_json::Value {
    let (metadata, spans, _local_spans) = persist(receiver);
    let mut spans = serde_json::to_value(spans).unwrap();
    for span in spans.as_object_mut().unwrap().values_mut() {
        let id = span["metadata_id"].as_u64().unwrap();
        let (_, site) = metadata.iter().find(|(known, _)| *known == id).unwrap();
        span["metadata_id"] = serde_json::to_value(site).unwrap();
    }
    spans
}

/// Draws a trace as far as its nodes are to be seen, a line a node.
fn draw(trace: &Trace, is_seen: &dyn Fn(CapturedNode<'_>) -> bool) -> String {
    fn draw_node(
        node: CapturedNode<'_>,
        depth: usize,
        is_seen: &dyn Fn(CapturedNode<'_>) -> bool,
        drawn: &mut String,
    ) {
        use std::fmt::Write as _;

        if !is_seen(node) {
            return;
        }
        let indent = "  ".repeat(depth);
        match node {
            CapturedNode::Event(event) => writeln!(drawn, "{indent}{event}").unwrap(),
            CapturedNode::Span(span) => {
                let sources = span.follows_from().filter(|span| is_seen(CapturedNode::Span(*span)));
                let sources: Vec<_> = sources.map(|span| span.metadata().name()).collect();
                let (name, is_closed) = (span.metadata().name(), span.stats().is_closed);
                let values: Vec<_> = span.values().collect();
                let line = format!("{name} {values:?}, closed: {is_closed}, after {sources:?}");
                writeln!(drawn, "{indent}{line}").unwrap();
                span.nodes().for_each(|node| draw_node(node, depth + 1, is_seen, drawn));
            }
        }
    }

    let mut drawn = String::new();
    trace.roots().for_each(|node| draw_node(node, 0, is_seen, &mut drawn));
    drawn
}

fn draw_all(trace: &Trace) -> String {
    draw(trace, &|_| true)
}

/// Draws what is left of a trace if it begins in the middle: the spans that are open then, and all that comes
/// later.
fn draw_rest(before: &Trace, whole: &Trace) -> String {
    draw(whole, &|node| match node {
        CapturedNode::Span(span) => {
            let index = whole.all_spans().position(|other| other == span).unwrap();
            before.all_spans().nth(index).is_none_or(|span| !span.stats().is_closed)
        }
        CapturedNode::Event(event) => {
            let index = whole.all_events().position(|other| other == event).unwrap();
            index >= before.all_events().len()
        }
    })
}

/// Keeps those records that are valid on this way: which spans are open depends on the filter.
fn valid(way: Way, records: Vec<TracingEvent>) -> Vec<TracingEvent> {
    let mut receiver = Received::new(way);
    let records = beginning().into_iter().chain(records);
    records.filter(|record| receiver.receive(record).is_ok()).collect()
}

fn any_stream() -> impl Strategy<Value = (Vec<TracingEvent>, Way, Index)> {
    let way = prop_oneof![
        3 => (0..FILTERS).prop_map(|filter| Way::Relayed { filter }),
        1 => Just(Way::Direct),
    ];
    (vec(any_record(), 1..60), way, any::<Index>())
}

/// Leaves out records after which the filter that goes by spans answers otherwise if the stream is suspended.
///
/// It looks at the values of a span when that is entered, and so again after the suspension. And if a span is closed while a
/// thread is in it, `EnvFilter` never learns that the thread exits it. It knows a thread by a number, which a
/// later thread gets, be it of this stream or of a test beside it.
fn leave_out_what_confuses_the_filter(way: Way, records: &mut Vec<TracingEvent>) {
    if matches!(way, Way::Relayed { filter: BY_SPAN }) {
        let confuses = |record: &TracingEvent| {
            matches!(record, TracingEvent::ValuesRecorded { .. } | TracingEvent::SpanDropped { .. })
        };
        records.retain(|record| !confuses(record));
    }
}

#[test]
fn stream_goes_on_where_its_spans_are_as_if_it_had_not_been_suspended() {
    check_all(&any_stream(), |(mut records, way, cut)| {
        leave_out_what_confuses_the_filter(way, &mut records);
        let mut whole = Received::new(way);
        let mut suspended = Received::new(way);
        let records: Vec<_> = beginning().into_iter().chain(records).collect();
        let cut = cut.index(records.len() + 1);
        for (place, record) in records.iter().enumerate() {
            if place == cut {
                suspended = suspended.suspend().suspend();
            }
            assert_eq!(suspended.receive(record), whole.receive(record), "{record:?}");
        }
        assert_eq!(draw_all(&suspended.trace()), draw_all(&whole.trace()));
        let (metadata, spans, _local_spans) = persist(suspended.receiver);
        let (whole_metadata, whole_spans, _local_spans) = persist(whole.receiver);
        assert_eq!((metadata, spans), (whole_metadata, whole_spans));
    });
}

/// Draws what is left of a trace without the nodes of rolled back attempts.
fn draw_without(before: &Trace, attempts: &Trace, whole: &Trace) -> String {
    draw(whole, &|node| {
        let (index, left_out) = match node {
            CapturedNode::Span(span) => (
                whole.all_spans().position(|other| other == span),
                before.all_spans().len()..attempts.all_spans().len(),
            ),
            CapturedNode::Event(event) => (
                whole.all_events().position(|other| other == event),
                before.all_events().len()..attempts.all_events().len(),
            ),
        };
        !left_out.contains(&index.unwrap())
    })
}

#[test]
fn attempts_that_are_rolled_back_leave_the_spans_before_them_as_they_were() {
    let strategy = (any_stream(), any::<Index>(), any::<bool>());
    check_all(&strategy, |((mut records, way, cut), len, commits)| {
        // What was recorded in an attempt stays: sources of a span, and values, by which that filter goes.
        records.retain(|record| !matches!(record, TracingEvent::FollowsFrom { .. }));
        leave_out_what_confuses_the_filter(way, &mut records);
        let records = valid(way, records);
        let (before, after) = records.split_at(cut.index(records.len() + 1));
        let mut whole = Received::new(way);
        whole.receive_all(before);
        whole = whole.suspend();
        whole.receive_all(after);

        let mut first = Received::new(way);
        first.receive_all(before);
        let trace_before = first.trace();
        let Received { way, storage, receiver } = first;
        let (metadata, spans, mut local_spans) = persist(receiver);
        let restore = |local_spans| {
            TracingEventReceiver::try_new(metadata.clone(), spans.clone(), local_spans).unwrap()
        };
        for len in [len.index(after.len() + 1), after.len()] {
            let mut receiver = restore(local_spans);
            receiver.begin_attempt();
            for record in &after[..len] {
                receiver.try_receive(record.clone()).unwrap();
            }
            local_spans = receiver.roll_back();
        }
        let trace_of_attempts = storage.lock();
        let left_open = trace_of_attempts.all_spans().skip(trace_before.all_spans().len());
        assert!(left_open.clone().all(|span| span.stats().is_closed), "{trace_of_attempts}");

        let mut last = Received { way, storage, receiver: restore(local_spans) };
        if commits {
            last.receiver.begin_attempt();
        }
        last.receive_all(after);
        let (last, whole) = if commits { (last.suspend(), whole.suspend()) } else { (last, whole) };
        assert_eq!(
            draw_without(&trace_before, &trace_of_attempts, &last.trace()),
            draw_all(&whole.trace())
        );
        assert_eq!(persisted(last.receiver), persisted(whole.receiver));
    });
}

#[test]
fn stream_goes_on_elsewhere_with_the_rest_of_its_trace() {
    check_all(&any_stream(), |(records, way, cut)| {
        // Spans are created anew one by one, not within those that they were created in.
        let way = match way {
            Way::Relayed { filter: BY_SPAN } => Way::Direct,
            way => way,
        };
        let records = valid(way, records);
        let (before, after) = records.split_at(cut.index(records.len() + 1));
        let mut whole = Received::new(way);
        whole.receive_all(before);
        let trace_before = whole.trace();
        whole.receive_all(after);

        let mut first = Received::new(way);
        first.receive_all(before);
        let mut resumed = first.suspend_and_restart().suspend_and_restart();
        resumed.receive_all(after);
        assert_eq!(draw_all(&resumed.trace()), draw_rest(&trace_before, &whole.trace()));
        assert_eq!(persisted(resumed.receiver), persisted(whole.receiver));
    });
}

#[test]
fn direct_and_relayed_traces_are_the_same_after_a_restart() {
    let strategy = (vec(any_record(), 1..60), any::<Index>());
    check_all(&strategy, |(records, cut)| {
        let records = valid(Way::Direct, records);
        let (before, after) = records.split_at(cut.index(records.len() + 1));
        let drawn = [Way::Direct, Way::Relayed { filter: 0 }].map(|way| {
            let mut received = Received::new(way);
            received.receive_all(before);
            let mut resumed = received.suspend_and_restart();
            resumed.receive_all(after);
            draw_all(&resumed.trace())
        });
        assert_eq!(drawn[0], drawn[1]);
    });
}
