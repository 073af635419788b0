use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use tracing_core::{
    Event, Interest, Metadata, Subscriber,
    field::Field,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, Filter},
    registry::{LookupSpan, SpanRef},
};

use super::{
    SharedStorage,
    metadata::CallSite,
    node::{NewValues, SpanIndex},
};
use crate::wire::{
    CallSiteData, FromTracedValue, TracedValue, log_record,
    visit::{FieldVisitor, VisitValue, VisitedValue},
};

/// [`Layer`] that captures spans and events into a [`SharedStorage`].
///
/// A span or event stands in the nearest span around it that is captured as well. Several of these
/// layers can be on one subscriber, each with a storage and a filter of its own.
///
/// Filters of the subscriber apply to all of its layers. The default of `tracing_subscriber::fmt()`
/// is one, of level `INFO`: `registry().with(fmt::layer())` has none.
///
/// # Example
///
/// ```
/// use spanshot::{CaptureLayer, SharedStorage};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let storage = SharedStorage::default();
/// let subscriber = tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer().with_test_writer())
///     .with(CaptureLayer::new(&storage));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
/// });
///
/// let trace = storage.lock();
/// assert_eq!(trace.all_spans().next().unwrap()["port"], 8_080);
/// ```
pub struct CaptureLayer<S> {
    storage: SharedStorage,
    filter: Option<Box<dyn Filter<S> + Send + Sync>>,
    key: u64,
}

impl<S> fmt::Debug for CaptureLayer<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CaptureLayer")
            .field("storage", &self.storage)
            .finish_non_exhaustive()
    }
}

impl<S> CaptureLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    /// Creates a layer that captures everything which reaches it.
    pub fn new(storage: &SharedStorage) -> Self {
        static NEXT_KEY: AtomicU64 = AtomicU64::new(0);

        crate::interest::ask_all_subscribers();
        let key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
        Self { storage: storage.clone(), filter: None, key }
    }

    /// Captures only what passes the filter.
    ///
    /// Unlike [`Layer::with_filter()`], this works on any subscriber, not only on those that
    /// support filters of single layers.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{CaptureLayer, SharedStorage};
    /// use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};
    ///
    /// let storage = SharedStorage::default();
    /// let layer = CaptureLayer::new(&storage).with_filter(LevelFilter::INFO);
    /// let subscriber = tracing_subscriber::registry().with(layer);
    /// tracing::subscriber::with_default(subscriber, || {
    ///     tracing::info!("captured");
    ///     tracing::debug!("not captured");
    /// });
    /// assert_eq!(storage.lock().all_events().len(), 1);
    /// ```
    #[must_use]
    pub fn with_filter<F>(mut self, filter: F) -> Self
    where
        F: Filter<S> + Send + Sync + 'static,
    {
        self.filter = Some(Box::new(filter));
        self
    }

    fn is_enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        self.filter.as_deref().is_none_or(|filter| filter.enabled(metadata, context))
    }

    fn captured(&self, id: &Id, context: &Context<'_, S>) -> Option<SpanIndex> {
        self.captured_span(&context.span(id)?)
    }

    fn captured_span(&self, span: &SpanRef<'_, S>) -> Option<SpanIndex> {
        span.extensions().get::<CapturedAs>()?.get(self.key)
    }
}

/// What the [`CaptureLayer`]s of a subscriber call a span.
///
/// Nearly always there is one of them.
#[derive(Debug)]
struct CapturedAs {
    first: (u64, SpanIndex),
    others: Vec<(u64, SpanIndex)>,
}

impl CapturedAs {
    fn get(&self, key: u64) -> Option<SpanIndex> {
        let mut all = core::iter::once(&self.first).chain(&self.others);
        all.find(|(layer, _)| *layer == key).map(|(_, index)| *index)
    }
}

impl<S> Layer<S> for CaptureLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    /// Lets the filter know of the call site, but limits nothing: what this layer does not capture
    /// may be wanted by others.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if let Some(filter) = &self.filter {
            filter.callsite_enabled(metadata);
        }
        Interest::always()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !self.is_enabled(attributes.metadata(), &context) {
            return;
        }
        if let Some(filter) = &self.filter {
            filter.on_new_span(attributes, id, context.clone());
        }
        let Some(span) = context.span(id) else { return };
        let parent = span.scope().skip(1).find_map(|span| self.captured_span(&span));
        let values = collect(|visitor| attributes.record(visitor));
        let call_site = CallSite::Native(attributes.metadata());
        let index = self.storage.write(|storage| storage.push_span(call_site, parent, values));
        let Some(index) = index else { return };

        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<CapturedAs>() {
            Some(captured) => captured.others.push((self.key, index)),
            None => extensions.insert(CapturedAs { first: (self.key, index), others: Vec::new() }),
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(index) = self.captured(id, &context) else { return };
        if let Some(filter) = &self.filter {
            filter.on_record(id, record, context);
        }
        let values = collect(|visitor| record.record(visitor));
        self.storage.write(|storage| storage.record(index, values));
    }

    fn on_follows_from(&self, id: &Id, follows_from: &Id, context: Context<'_, S>) {
        let span = self.captured(id, &context);
        let follows_from = self.captured(follows_from, &context);
        if let (Some(span), Some(follows_from)) = (span, follows_from) {
            self.storage.write(|storage| storage.follows_from(span, follows_from));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let is_enabled = self.is_enabled(event.metadata(), &context)
            && self.filter.as_deref().is_none_or(|filter| filter.event_enabled(event, &context));
        if !is_enabled {
            return;
        }
        let mut scope = context.event_scope(event).into_iter().flatten();
        let parent = scope.find_map(|span| self.captured_span(&span));
        let mut values = collect(|visitor| event.record(visitor));
        let metadata = event.metadata();
        let names = metadata.fields().iter().map(|field| field.name());
        let call_site = if log_record::is_log_event(metadata.name(), metadata.target(), names) {
            log_call_site(metadata, &mut values)
        } else {
            CallSite::Native(metadata)
        };
        self.storage.write(|storage| storage.push_event(call_site, parent, values));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(index) = self.captured(id, &context) else { return };
        if let Some(filter) = &self.filter {
            filter.on_enter(id, context);
        }
        self.storage.write(|storage| storage.stats_mut(index).entered += 1);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let Some(index) = self.captured(id, &context) else { return };
        if let Some(filter) = &self.filter {
            filter.on_exit(id, context);
        }
        self.storage.write(|storage| storage.stats_mut(index).exited += 1);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(index) = self.captured(&id, &context) else { return };
        if let Some(filter) = &self.filter {
            filter.on_close(id, context);
        }
        self.storage.write(|storage| storage.stats_mut(index).is_closed = true);
    }
}

/// The call site that a record of the `log` crate names itself.
fn log_call_site(metadata: &'static Metadata<'static>, values: &mut NewValues) -> CallSite {
    let number = |value: &TracedValue| u64::from_value(value);
    let data = CallSiteData::from(metadata);
    let data = log_record::call_site(&data, values, TracedValue::as_str, number);
    values.retain(|(field, _)| *field == log_record::MESSAGE);
    CallSite::Received(Arc::new(data))
}

/// Takes the values of a record. This is where the traced code's `Debug` implementations run:
/// before, and not while, anything is locked.
fn collect(record: impl FnOnce(&mut dyn tracing_core::field::Visit)) -> NewValues {
    struct Collector(NewValues);

    impl VisitValue for Collector {
        fn visit(&mut self, field: &Field, value: VisitedValue<'_>) {
            self.0.push((field.index(), value.into()));
        }
    }

    let mut visitor = FieldVisitor(Collector(Vec::new()));
    record(&mut visitor);
    visitor.0.0
}
