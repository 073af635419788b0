use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use tracing_core::{
    Event, Interest, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, Filter},
    registry::{LookupSpan, SpanRef},
};

use super::{
    SharedStorage,
    collect::{collect, collect_event},
    metadata::CallSite,
    node::SpanKey,
    test_span::is_test_span,
    thread_spans,
    threads::ThreadKey,
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
    /// Number of the layer, which no other one has.
    layer: u64,
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
        crate::interest::ask_all_subscribers();
        Self { storage: storage.clone(), filter: None, layer: thread_spans::next_number() }
    }

    /// Captures only what passes the filter.
    ///
    /// Unlike [`Layer::with_filter()`], this works on any subscriber, not only on those that
    /// support filters of single layers. A span that is filtered out is none to this layer, whatever
    /// other layers make of it: what is traced while a thread is in it stands in the span that the
    /// thread is in besides.
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
        if let Some(max_level) = filter.max_level_hint() {
            self.storage.set_filter(Targets::new().with_default(max_level));
        }
        self.filter = Some(Box::new(filter));
        self
    }

    fn is_enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        self.filter.as_deref().is_none_or(|filter| filter.enabled(metadata, context))
    }

    /// Returns the parent that something has if spans that are filtered out are none.
    fn parent(
        &self,
        is_contextual: bool,
        explicit: Option<&Id>,
        context: &Context<'_, S>,
    ) -> Option<SpanKey> {
        match explicit {
            Some(parent) => self.captured(parent, context),
            None if is_contextual => self.captured(&thread_spans::current(self.layer)?, context),
            None => None,
        }
    }

    fn captured(&self, id: &Id, context: &Context<'_, S>) -> Option<SpanKey> {
        self.captured_span(&context.span(id)?)
    }

    fn captured_span(&self, span: &SpanRef<'_, S>) -> Option<SpanKey> {
        span.extensions().get::<CapturedAs>()?.get(self.layer)
    }
}

/// What the [`CaptureLayer`]s of a subscriber call a span.
///
/// Nearly always there is one of them.
#[derive(Debug)]
struct CapturedAs {
    first: (u64, SpanKey),
    others: Vec<(u64, SpanKey)>,
}

impl CapturedAs {
    fn get(&self, layer: u64) -> Option<SpanKey> {
        let mut all = core::iter::once(&self.first).chain(&self.others);
        all.find(|(other, _)| *other == layer).map(|(_, key)| *key)
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
        let metadata = attributes.metadata();
        if is_test_span(metadata) || !self.is_enabled(metadata, &context) {
            return;
        }
        if let Some(filter) = &self.filter {
            filter.on_new_span(attributes, id, context.clone());
        }
        let Some(span) = context.span(id) else { return };
        let parent = if self.filter.is_some() {
            self.parent(attributes.is_contextual(), attributes.parent(), &context)
        } else {
            span.scope().skip(1).find_map(|span| self.captured_span(&span))
        };
        let mut values = collect(|visitor| attributes.record(visitor));
        let call_site = CallSite::Native(metadata);
        let thread = ThreadKey::current();
        let key =
            self.storage.write(|storage| storage.push_span(&call_site, parent, &mut values, thread));
        let Some(key) = key else { return };

        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<CapturedAs>() {
            Some(captured) => captured.others.push((self.layer, key)),
            None => extensions.insert(CapturedAs { first: (self.layer, key), others: Vec::new() }),
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = self.captured(id, &context) else { return };
        if let Some(filter) = &self.filter {
            filter.on_record(id, record, context);
        }
        let mut values = collect(|visitor| record.record(visitor));
        self.storage.write(|storage| storage.record(span, &mut values));
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
        let parent = if self.filter.is_some() {
            self.parent(event.is_contextual(), event.parent(), &context)
        } else {
            let mut scope = context.event_scope(event).into_iter().flatten();
            scope.find_map(|span| self.captured_span(&span))
        };
        let (call_site, mut values) = collect_event(event);
        let thread = ThreadKey::current();
        self.storage.write(|storage| storage.push_event(&call_site, parent, &mut values, thread));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = self.captured(id, &context) else { return };
        if let Some(filter) = &self.filter {
            thread_spans::enter(self.layer, id);
            filter.on_enter(id, context);
        }
        let thread = ThreadKey::current();
        self.storage.write(|storage| storage.enter(span, thread));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if self.filter.is_some() {
            thread_spans::exit(self.layer, id); // it may be closed by now
        }
        let Some(span) = self.captured(id, &context) else { return };
        if let Some(filter) = &self.filter {
            filter.on_exit(id, context);
        }
        let thread = ThreadKey::current();
        self.storage.write(|storage| storage.exit(span, thread));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = self.captured(&id, &context) else { return };
        if let Some(filter) = &self.filter {
            filter.on_close(id, context);
        }
        self.storage.write(|storage| storage.close(span));
    }
}
