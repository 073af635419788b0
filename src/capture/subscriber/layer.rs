use alloc::{boxed::Box, sync::Arc};
use core::{
    any::{Any, TypeId},
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use tracing_core::{
    Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, Filter},
    registry::{LookupSpan, SpanRef},
};

use crate::{
    capture::{
        SharedStorage, Storage,
        storage::metadata::CallSite,
        storage::names::Names,
        storage::node::{NewParent, SpanKey},
        storage::threads::ThreadKey,
        storage::values::NewValues,
        subscriber::collect::{collect, collect_event},
        subscriber::test_span::is_test_span,
        subscriber::thread_spans,
    },
    said_parent::SaidParent,
};

/// [`Layer`] that captures spans and events into a [`SharedStorage`].
///
/// A span or event becomes a child of its nearest captured ancestor. A subscriber can have several of these layers,
/// each with a storage and a filter of its own.
///
/// Filters of the subscriber apply to all of its layers. `tracing_subscriber::fmt()` has a filter of level `INFO` by
/// default; `registry().with(fmt::layer())` has none.
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
    /// The filter, if it uses targets and levels alone.
    targets: Option<Targets>,
    /// Unique number of the layer.
    layer: u64,
    /// Whether a record came since the filter was last asked for its level, even if it was not captured.
    has_come: AtomicBool,
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
    /// Creates a layer that captures everything that reaches it.
    pub fn new(storage: &SharedStorage) -> Self {
        crate::capture::subscriber::prepare();
        storage.set_sight(|sight| sight.is_native = true);
        let layer = thread_spans::next_number();
        Self {
            storage: storage.clone(),
            filter: None,
            targets: None,
            layer,
            has_come: AtomicBool::new(false),
        }
    }

    /// Captures only records that pass the filter.
    ///
    /// Unlike [`Layer::with_filter()`], this works on any subscriber, even on one that does not support per-layer
    /// filters. This layer ignores spans that its filter rejects, even if other layers record them: spans and events in
    /// such a span become children of the captured span that the thread is in.
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
        let any: &dyn Any = &filter;
        self.targets = any.downcast_ref().cloned().or_else(|| {
            any.downcast_ref::<LevelFilter>().map(|level| Targets::new().with_default(*level))
        });
        self.filter = Some(Box::new(filter));
        self.note_filter();
        self
    }

    /// Notes the level of the filter, for assertions that hold because something is missing. It may change each time
    /// that `tracing` asks for it, since filters can be reloaded. An earlier filter stays noted if a record came
    /// meanwhile.
    fn note_filter(&self) {
        let Some(filter) = &self.filter else { return };
        let of_level = || {
            let max_level = filter.max_level_hint().unwrap_or(LevelFilter::TRACE);
            Targets::new().with_default(max_level)
        };
        let filter = Arc::new(self.targets.clone().unwrap_or_else(of_level));
        self.storage.set_sight(|sight| {
            if sight.filters.last() == Some(&filter) {
                return;
            }
            if !self.has_come.swap(false, Ordering::Relaxed) {
                sight.filters.pop();
            }
            sight.filters.push(filter);
        });
    }

    fn note_record(&self) {
        if self.filter.is_some() {
            self.has_come.store(true, Ordering::Relaxed);
        }
    }

    fn is_enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        self.filter.as_deref().is_none_or(|filter| filter.enabled(metadata, context))
    }

    /// Notes that the filter has rejected a record, unless the rules of the filter are known: they say so, too.
    fn note_hidden(&self, metadata: &Metadata<'_>) {
        if self.targets.is_none() {
            self.storage.note_hidden(metadata);
        }
    }

    /// Finds the span that a record is in. Without a filter, it may be a span that this layer does not know.
    fn nearest(&self, is_contextual: bool, explicit: Option<&Id>) -> Option<Id> {
        match explicit {
            Some(parent) => Some(parent.clone()),
            None if is_contextual => thread_spans::current(self.layer),
            None => None,
        }
    }

    /// Finds the parent of a record whose span this layer does not know: the span may be left out, or older than the
    /// layer. With a filter, such a record is a root.
    fn parent_by_registry(&self, innermost: Option<SpanRef<'_, S>>) -> Option<SpanKey> {
        if self.filter.is_some() {
            return None; // a span that is filtered out is none
        }
        innermost?.scope().find_map(|span| self.captured(&span.id()))
    }

    fn captured(&self, id: &Id) -> Option<SpanKey> {
        self.storage.with_names(|names| names.get(self.layer, id))
    }

    /// Changes a span, if it is captured.
    fn change(&self, id: &Id, mut f: impl FnMut(&mut Storage, SpanKey)) {
        self.storage.write_named(|storage, names| {
            f(storage, names.get(self.layer, id)?);
            Some(())
        });
    }

    /// Tells the filter about an operation on a span, if the span is captured. Returns whether it is; always true
    /// without a filter.
    fn tell_filter(&self, id: &Id, tell: impl FnOnce(&(dyn Filter<S> + Send + Sync))) -> bool {
        let Some(filter) = &self.filter else { return true };
        let is_captured = self.captured(id).is_some();
        if is_captured {
            tell(&**filter);
        }
        is_captured
    }
}

impl<S> Drop for CaptureLayer<S> {
    fn drop(&mut self) {
        self.storage.with_names(|names| names.remove_all(self.layer));
    }
}

impl<S> Layer<S> for CaptureLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    /// Tells the filter about the call site, but limits nothing: other layers may want records that this one does not
    /// capture.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if let Some(filter) = &self.filter {
            filter.callsite_enabled(metadata);
        }
        Interest::always()
    }

    /// Limits nothing either, but notes the filter: `tracing` asks for the level when filters were reloaded.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.note_filter();
        None
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        self.note_record();
        if is_test_span(metadata) {
            return;
        }
        if !self.is_enabled(metadata, &context) {
            self.note_hidden(metadata);
            return;
        }
        if let Some(filter) = &self.filter {
            filter.on_new_span(attributes, id, context.clone());
        }
        let call_site = CallSite::Native(metadata);
        let thread = ThreadKey::current();
        let nearest = self.nearest(attributes.is_contextual(), attributes.parent());
        let said = SaidParent::of_span(attributes);
        let push = |storage: &mut Storage, names: &mut Names, parent, values: &mut NewValues| {
            match storage.push_span(&call_site, parent, values, thread) {
                Some(span) => names.insert(self.layer, id, span),
                None => names.insert_left_out(self.layer, id),
            }
        };
        collect(
            |visitor| attributes.record(visitor),
            |values| {
                let is_done = self.storage.write_named(|storage, names| {
                    let parent = Some(names.get(self.layer, nearest.as_ref()?)?);
                    let parent = NewParent { span: parent, said };
                    push(storage, names, parent, values);
                    Some(())
                });
                if is_done.is_none() {
                    let parent = match attributes.parent() {
                        // The registry skips a parent that a per-layer filter of this layer rejects.
                        Some(_) => {
                            let parent = context.span(id).and_then(|span| span.parent());
                            self.parent_by_registry(parent)
                        }
                        None if attributes.is_contextual() => {
                            self.parent_by_registry(context.lookup_current())
                        }
                        None => None,
                    };
                    let parent = NewParent { span: parent, said };
                    self.storage.write_named(|storage, names| {
                        push(storage, names, parent, values);
                        Some(())
                    });
                }
            },
        );
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if self.tell_filter(id, |filter| filter.on_record(id, record, context)) {
            collect(
                |visitor| record.record(visitor),
                |values| self.change(id, |storage, span| storage.record(span, values)),
            );
        }
    }

    fn on_follows_from(&self, id: &Id, follows_from: &Id, _context: Context<'_, S>) {
        self.storage.write_named(|storage, names| {
            let source = names.get_or_closed(self.layer, follows_from)?;
            storage.follows_from(names.get(self.layer, id)?, source);
            Some(())
        });
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.note_record();
        let is_enabled = self.is_enabled(event.metadata(), &context)
            && self.filter.as_deref().is_none_or(|filter| filter.event_enabled(event, &context));
        if !is_enabled {
            self.note_hidden(event.metadata());
            return;
        }
        let thread = ThreadKey::current();
        let nearest = self.nearest(event.is_contextual(), event.parent());
        let said = SaidParent::of_event(event);
        collect_event(event, |call_site, values| {
            let by_name = |names: &Names| {
                let span = names.get(self.layer, nearest.as_ref()?)?;
                Some(NewParent { span: Some(span), said })
            };
            let is_done = self.storage.emit_named(call_site, by_name, values, thread);
            if is_done.is_none() {
                let span = self.parent_by_registry(context.event_span(event));
                let parent = NewParent { span, said };
                self.storage.emit(call_site, parent, values, thread);
            }
        });
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if self.tell_filter(id, |filter| filter.on_enter(id, context)) {
            thread_spans::enter(self.layer, id);
            let thread = ThreadKey::current();
            self.change(id, |storage, span| storage.enter(span, thread));
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        thread_spans::exit(self.layer, id); // it may be closed by now
        if self.tell_filter(id, |filter| filter.on_exit(id, context)) {
            let thread = ThreadKey::current();
            self.change(id, |storage, span| storage.exit(span, thread));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.tell_filter(&id, |filter| filter.on_close(id.clone(), context));
        self.storage.write_named(|storage, names| {
            match names.close(self.layer, &id) {
                Some(span) => storage.close(span),
                None if names.close_left_out(self.layer, &id) => storage.close_left_out(),
                None => return None,
            }
            Some(())
        });
    }

    /// Finds the storage, by which a capture recognizes a subscriber with a layer for it.
    #[allow(unsafe_code)] // there is no other way to find it without knowing the type of the whole subscriber
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            Some(core::ptr::from_ref(self).cast())
        } else if id == TypeId::of::<SharedStorage>() {
            Some(core::ptr::from_ref(&self.storage).cast()) // it lives as long as `self`
        } else {
            None
        }
    }
}
