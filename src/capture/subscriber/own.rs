use core::sync::atomic::{AtomicU64, Ordering};

use tracing_core::{
    Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Current, Id, Record},
};
use tracing_subscriber::filter::Targets;

use crate::capture::{
    SharedStorage,
    storage::metadata::CallSite,
    storage::node::SpanKey,
    storage::threads::ThreadKey,
    subscriber::collect::{collect, collect_event},
    subscriber::span_id as outside,
    subscriber::thread_spans,
};

/// Subscriber of a [`Capture`](crate::Capture), which captures everything that passes a filter.
///
/// It gives the trace that a [`CaptureLayer`](crate::CaptureLayer) on a
/// `tracing_subscriber::Registry` would have given, and follows the rules of that one: a span is kept
/// open by its handles and by its children, and one that is entered again does not become current by
/// that. But it has nothing to ask for or to keep apart from the storage, and it closes a span and
/// those around it in a loop, where `Registry` goes down the stack.
#[derive(Debug)]
pub(crate) struct CaptureSubscriber {
    storage: SharedStorage,
    /// Number of the capture, which no other one has.
    number: u64,
    filter: Option<Targets>,
    /// Spans that there was no room for.
    left_out: AtomicU64,
}

impl CaptureSubscriber {
    pub(crate) fn new(storage: &SharedStorage, filter: Option<Targets>) -> Self {
        crate::interest::ask_all_subscribers();
        let number = thread_spans::next_number();
        Self { storage: storage.clone(), number, filter, left_out: AtomicU64::new(0) }
    }

    fn parent(&self, is_contextual: bool, explicit: Option<&Id>) -> Option<SpanKey> {
        match explicit {
            Some(parent) => nearest(parent),
            None if is_contextual => nearest(&thread_spans::current(self.number)?),
            None => None,
        }
    }

    /// Returns the ID of a span that there was no room for. Such a span keeps the one around it open,
    /// as any other: it holds a handle of that one for each of its own.
    fn leave_out(&self, parent: Option<SpanKey>) -> Id {
        if let Some(parent) = parent {
            self.storage.write(|storage| storage.clone_handle(parent));
        }
        let number = self.left_out.fetch_add(1, Ordering::Relaxed);
        Id::from_non_zero_u64(outside::name_left_out(parent, number))
    }
}

fn captured(id: &Id) -> Option<SpanKey> {
    outside::captured(id.into_u64())
}

fn nearest(id: &Id) -> Option<SpanKey> {
    outside::nearest(id.into_u64())
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
        let call_site = CallSite::Native(attributes.metadata());
        let thread = ThreadKey::current();
        let key = collect(
            |visitor| attributes.record(visitor),
            |values| {
                self.storage.write(|storage| storage.open_span(&call_site, parent, values, thread))
            },
        );
        key.map_or_else(|| self.leave_out(parent), |key| Id::from_non_zero_u64(outside::name(key)))
    }

    fn record(&self, id: &Id, record: &Record<'_>) {
        let Some(span) = captured(id) else { return };
        collect(
            |visitor| record.record(visitor),
            |values| self.storage.write(|storage| storage.record(span, values)),
        );
    }

    fn record_follows_from(&self, id: &Id, follows_from: &Id) {
        if let (Some(span), Some(follows_from)) = (captured(id), captured(follows_from)) {
            self.storage.write(|storage| storage.follows_from(span, follows_from));
        }
    }

    fn event(&self, event: &Event<'_>) {
        let parent = self.parent(event.is_contextual(), event.parent());
        let thread = ThreadKey::current();
        collect_event(event, |call_site, values| {
            self.storage.emit(call_site, parent, values, thread);
        });
    }

    fn enter(&self, id: &Id) {
        thread_spans::enter(self.number, id);
        if let Some(span) = captured(id) {
            let thread = ThreadKey::current();
            self.storage.write(|storage| storage.enter(span, thread));
        }
    }

    fn exit(&self, id: &Id) {
        thread_spans::exit(self.number, id);
        if let Some(span) = captured(id) {
            let thread = ThreadKey::current();
            self.storage.write(|storage| storage.exit(span, thread));
        }
    }

    fn clone_span(&self, id: &Id) -> Id {
        if let Some(span) = nearest(id) {
            self.storage.write(|storage| storage.clone_handle(span));
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let Some(span) = nearest(&id) else { return false };
        let is_closed = self.storage.write(|storage| storage.drop_handle(span));
        is_closed && captured(&id).is_some()
    }

    fn current_span(&self) -> Current {
        let Some(id) = thread_spans::current(self.number) else { return Current::none() };
        // A handle of a span that there was no room for has the metadata of the one around it: what
        // names it for its parent stands there.
        let metadata = nearest(&id).and_then(|span| self.storage.metadata_if_open(span));
        metadata.map_or_else(Current::none, |metadata| Current::new(id, metadata))
    }
}
