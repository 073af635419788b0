use tracing_core::{
    Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Current, Id, Record},
};
use tracing_subscriber::filter::Targets;

use crate::{
    capture::{
        SharedStorage,
        storage::{
            node::{NewParent, SpanKey},
            threads::ThreadKey,
        },
        subscriber::{
            collect::collect_event,
            process_wide::{after_end, of_span},
            spans::CaptureSpans,
            thread_spans,
        },
    },
    said_parent::SaidParent,
};

/// Subscriber of a [`Capture`](crate::Capture), which captures everything that passes a filter.
///
/// The trace is the same as from a [`CaptureLayer`](crate::CaptureLayer) on a `tracing_subscriber::Registry`, by the
/// same rules: handles and children keep a span open, and entering a span again does not make it current. But this
/// subscriber keeps no data about captured spans outside of the storage. It closes a span and its ancestors in a loop,
/// where `Registry` recurses. And it recognizes spans of other subscribers.
///
/// A thread may stay with the subscriber when the capture has ended. Process-wide captures get its records then.
#[derive(Debug)]
pub(crate) struct CaptureSubscriber {
    spans: CaptureSpans,
    /// Number of the capture, under which a thread keeps the entered spans of the capture.
    number: u64,
    filter: Option<Targets>,
}

impl CaptureSubscriber {
    pub(crate) fn new(storage: &SharedStorage, filter: Option<Targets>) -> Self {
        crate::capture::subscriber::prepare();
        let spans = CaptureSpans::new(storage, false);
        Self { spans, number: thread_spans::next_number(), filter }
    }

    pub(crate) fn storage(&self) -> &SharedStorage {
        &self.spans.storage
    }

    /// Returns the subscriber of a span that was created on a thread of this capture after its end.
    #[inline]
    fn of_next(&self, id: &Id) -> Option<&'static Dispatch> {
        after_end(self.storage()).and_then(|_| of_span(id))
    }

    #[inline]
    fn parent(&self, is_contextual: bool, explicit: Option<&Id>) -> Option<SpanKey> {
        match explicit {
            Some(parent) => self.spans.nearest(parent),
            None if is_contextual => self.spans.nearest(&thread_spans::current(self.number)?),
            None => None,
        }
    }
}

impl Subscriber for CaptureSubscriber {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if let Some(next) = after_end(self.storage()) {
            return next.enabled(metadata);
        }
        let filter = self.filter.as_ref();
        filter.is_none_or(|filter| filter.would_enable(metadata.target(), metadata.level()))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let Some(filter) = &self.filter else { return Some(LevelFilter::TRACE) };
        let of_targets = filter.iter().map(|(_, level)| level);
        of_targets.chain(filter.default_level()).max()
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        if let Some(next) = after_end(self.storage()) {
            return next.new_span(attributes);
        }
        let parent = self.parent(attributes.is_contextual(), attributes.parent());
        self.spans.create(attributes, parent)
    }

    fn record(&self, id: &Id, record: &Record<'_>) {
        match self.of_next(id) {
            Some(next) => next.record(id, record),
            None => self.spans.record(id, record),
        }
    }

    fn record_follows_from(&self, id: &Id, follows_from: &Id) {
        match self.of_next(id) {
            Some(next) => next.record_follows_from(id, follows_from),
            None => self.spans.follows_from(id, follows_from),
        }
    }

    fn event(&self, event: &Event<'_>) {
        if let Some(next) = after_end(self.storage()) {
            return next.event(event);
        }
        let span = self.parent(event.is_contextual(), event.parent());
        let parent = NewParent { span, said: SaidParent::of_event(event) };
        let thread = ThreadKey::current();
        collect_event(event, |call_site, values| {
            self.spans.storage.emit(call_site, parent, values, thread);
        });
    }

    fn enter(&self, id: &Id) {
        if let Some(next) = self.of_next(id) {
            return next.enter(id);
        }
        thread_spans::enter(self.number, id);
        self.spans.enter(id);
    }

    fn exit(&self, id: &Id) {
        if let Some(next) = self.of_next(id) {
            return next.exit(id);
        }
        thread_spans::exit(self.number, id);
        self.spans.exit(id);
    }

    fn clone_span(&self, id: &Id) -> Id {
        if let Some(next) = self.of_next(id) {
            return next.clone_span(id);
        }
        self.spans.clone_handle(id);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        match self.of_next(&id) {
            Some(next) => next.try_close(id),
            None => self.spans.drop_handle(&id),
        }
    }

    fn current_span(&self) -> Current {
        if let Some(next) = after_end(self.storage()) {
            return next.current_span();
        }
        let id = thread_spans::current(self.number);
        let current = id.and_then(|id| self.spans.metadata(&id).map(|metadata| (id, metadata)));
        current.map_or_else(Current::none, |(id, metadata)| Current::new(id, metadata))
    }
}
