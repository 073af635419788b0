use core::num::NonZeroU32;

use tracing_core::{
    Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Current, Id, Record},
};
use tracing_subscriber::filter::Targets;

use super::{
    SharedStorage,
    collect::{collect, collect_event},
    metadata::CallSite,
    node::SpanKey,
    thread_spans,
};

/// Subscriber of a [`Capture`](super::Capture), which captures everything that passes a filter.
///
/// It gives the trace that a [`CaptureLayer`](super::CaptureLayer) on a
/// `tracing_subscriber::Registry` would have given, and follows the rules of that one: a span is kept
/// open by its handles and by its children, and one that is entered again does not become current by
/// that. But it has nothing to ask for or to keep apart from the storage, and it closes a span and
/// those around it in a loop, where `Registry` goes down the stack.
#[derive(Debug)]
pub(super) struct CaptureSubscriber {
    storage: SharedStorage,
    /// Number of the capture, which no other one has.
    number: u64,
    filter: Option<Targets>,
}

impl CaptureSubscriber {
    pub(super) fn new(storage: &SharedStorage, filter: Option<Targets>) -> Self {
        crate::interest::ask_all_subscribers();
        Self { storage: storage.clone(), number: thread_spans::next_number(), filter }
    }

    fn parent(&self, is_contextual: bool, explicit: Option<&Id>) -> Option<SpanKey> {
        match explicit {
            Some(parent) => nearest(parent),
            None if is_contextual => nearest(&thread_spans::current(self.number)?),
            None => None,
        }
    }
}

/// Set in the ID of a span that there was no room for. The rest is that of the nearest span around it
/// that there was room for, or 0.
const LEFT_OUT: u64 = 1 << 32;

fn id(key: SpanKey) -> Id {
    Id::from_u64(u64::from(key.into_raw().get()))
}

/// The span, if it is captured.
fn captured(id: &Id) -> Option<SpanKey> {
    nearest(id).filter(|_| id.into_u64() & LEFT_OUT == 0)
}

/// The span, or the nearest one around it that is captured.
fn nearest(id: &Id) -> Option<SpanKey> {
    let raw = u32::try_from(id.into_u64() & !LEFT_OUT).ok()?;
    NonZeroU32::new(raw).map(SpanKey::from_raw)
}

impl Subscriber for CaptureSubscriber {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let filter = self.filter.as_ref();
        filter.is_none_or(|filter| filter.would_enable(metadata.target(), metadata.level()))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let Some(filter) = &self.filter else { return Some(LevelFilter::TRACE) };
        let of_targets = filter.iter().map(|(_, level)| level);
        of_targets.chain(filter.default_level()).max()
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let parent = self.parent(attributes.is_contextual(), attributes.parent());
        let values = collect(|visitor| attributes.record(visitor));
        let call_site = CallSite::Native(attributes.metadata());
        let key = self.storage.write(|storage| storage.open_span(call_site, parent, values));
        let left_out = || Id::from_u64(LEFT_OUT | parent.map_or(0, |key| id(key).into_u64()));
        key.map_or_else(left_out, id)
    }

    fn record(&self, id: &Id, record: &Record<'_>) {
        let Some(span) = captured(id) else { return };
        let values = collect(|visitor| record.record(visitor));
        self.storage.write(|storage| storage.record(span, values));
    }

    fn record_follows_from(&self, id: &Id, follows_from: &Id) {
        if let (Some(span), Some(follows_from)) = (captured(id), captured(follows_from)) {
            self.storage.write(|storage| storage.follows_from(span, follows_from));
        }
    }

    fn event(&self, event: &Event<'_>) {
        let parent = self.parent(event.is_contextual(), event.parent());
        let (call_site, values) = collect_event(event);
        self.storage.write(|storage| storage.push_event(call_site, parent, values));
    }

    fn enter(&self, id: &Id) {
        thread_spans::enter(self.number, id);
        if let Some(span) = captured(id) {
            self.storage.write(|storage| storage.enter(span));
        }
    }

    fn exit(&self, id: &Id) {
        thread_spans::exit(self.number, id);
        if let Some(span) = captured(id) {
            self.storage.write(|storage| storage.exit(span));
        }
    }

    fn clone_span(&self, id: &Id) -> Id {
        if let Some(span) = captured(id) {
            self.storage.write(|storage| storage.clone_handle(span));
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        captured(&id).is_some_and(|span| self.storage.write(|storage| storage.drop_handle(span)))
    }

    fn current_span(&self) -> Current {
        let Some(id) = thread_spans::current(self.number) else { return Current::none() };
        let metadata = captured(&id).and_then(|span| self.storage.metadata_if_open(span));
        metadata.map_or_else(Current::none, |metadata| Current::new(id, metadata))
    }
}
