//! The subscriber of a capture next to other layers.

use alloc::{boxed::Box, vec::Vec};
use core::any::TypeId;

use tracing_core::{
    Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Current, Id, Record},
};
use tracing_subscriber::{
    Layer, Registry,
    filter::Targets,
    layer::{Identity, Layered, SubscriberExt},
    registry::LookupSpan,
};

use crate::{
    capture::{CaptureLayer, SharedStorage},
    said_parent::{self, SaidParent},
};

pub(crate) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

type Others = Layered<BoxedLayer, Registry>;

/// A `Registry` with layers of the user, and on these a layer that captures.
///
/// It passes everything on, with two exceptions:
///
/// - A `Registry` panics if a record names a parent that it does not have (any more), for example a span of another
///   subscriber. Here, a record with such a parent becomes a root. (A parent in another `Registry` may have the ID of a
///   span in this one: then the two cannot be told apart. IDs must stay the IDs of the `Registry`, since layers look
///   spans up by them.)
/// - A layer of the user may filter for the whole subscriber. The capture then notes that it has not seen everything.
pub(crate) struct LayeredSubscriber {
    inner: Layered<CaptureLayer<Others>, Others>,
    storage: SharedStorage,
    filter: Option<Targets>,
}

impl LayeredSubscriber {
    pub(crate) fn new(
        storage: &SharedStorage,
        filter: Option<Targets>,
        layers: Vec<BoxedLayer>,
    ) -> Self {
        let mut layer = CaptureLayer::new(storage);
        if let Some(filter) = &filter {
            layer = layer.with_filter(filter.clone());
        }
        // Not as a `Vec`: if one layer is always interested in a call site, that would be cached for all, even if
        // others filter it out.
        let others =
            layers.into_iter().fold(Identity::new().boxed(), |layers: BoxedLayer, layer| {
                layers.and_then(layer).boxed()
            });
        let inner = tracing_subscriber::registry().with(others).with(layer);
        Self { inner, storage: storage.clone(), filter }
    }

    fn has(&self, id: &Id) -> bool {
        self.inner.span_data(id).is_some()
    }

    /// Notes that another layer hides a record from the capture.
    fn note_hidden(&self, metadata: &Metadata<'_>) {
        let filter = self.filter.as_ref();
        if filter.is_none_or(|filter| filter.would_enable(metadata.target(), metadata.level())) {
            self.storage.note_hidden(metadata);
        }
    }
}

impl Subscriber for LayeredSubscriber {
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.inner.on_register_dispatch(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let interest = self.inner.register_callsite(metadata);
        // Hidden records are noted in `enabled()`, so that must be called for each.
        if interest.is_never() { Interest::sometimes() } else { interest }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_enabled = self.inner.enabled(metadata);
        if !is_enabled {
            self.note_hidden(metadata);
        }
        is_enabled
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        None // as above: what is filtered out by level is noted, too
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        match attributes.parent() {
            Some(parent) if !self.has(parent) => {
                let metadata = attributes.metadata();
                let root = Attributes::new_root(metadata, attributes.values());
                let said = SaidParent::of_span(attributes);
                said_parent::handing_over(said, metadata, || self.inner.new_span(&root))
            }
            _ => self.inner.new_span(attributes),
        }
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        if self.has(id) {
            self.inner.record(id, values);
        }
    }

    fn record_follows_from(&self, id: &Id, follows_from: &Id) {
        // The ID of a closed span may also be from another registry.
        if self.has(id) && self.has(follows_from) {
            self.inner.record_follows_from(id, follows_from);
        }
    }

    fn event_enabled(&self, event: &Event<'_>) -> bool {
        let is_enabled = self.inner.event_enabled(event);
        if !is_enabled {
            self.note_hidden(event.metadata());
        }
        is_enabled
    }

    fn event(&self, event: &Event<'_>) {
        self.inner.event(event);
    }

    fn enter(&self, id: &Id) {
        self.inner.enter(id);
    }

    fn exit(&self, id: &Id) {
        self.inner.exit(id);
    }

    fn clone_span(&self, id: &Id) -> Id {
        if self.has(id) { self.inner.clone_span(id) } else { id.clone() }
    }

    fn try_close(&self, id: Id) -> bool {
        self.has(&id) && self.inner.try_close(id)
    }

    fn current_span(&self) -> Current {
        self.inner.current_span()
    }

    /// Finds the layers and the registry, as `SpanTrace` and the extensions of `tracing-opentelemetry` do.
    #[allow(unsafe_code)] // there is no other way to let them be found
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(core::ptr::from_ref(self).cast());
        }
        // SAFETY: the pointer is returned as it is, and lives as long as `self`, which `inner` is a part of.
        unsafe { self.inner.downcast_raw(id) }
    }
}
