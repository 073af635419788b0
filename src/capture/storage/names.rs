//! What the spans of layers are called in a storage: a layer knows them by the IDs of its subscriber.

use core::hash::BuildHasherDefault;
use std::collections::HashMap;

use tracing_core::span::Id;

use crate::capture::{storage::node::SpanKey, storage::numbers::NumberHasher};

/// Spans that are open in layers which fill a storage, by the number of the layer and the ID.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<(u64, u64), SpanKey, BuildHasherDefault<NumberHasher>>);

impl Names {
    #[inline]
    pub(crate) fn get(&self, layer: u64, id: &Id) -> Option<SpanKey> {
        self.0.get(&(layer, id.into_u64())).copied()
    }

    pub(crate) fn insert(&mut self, layer: u64, id: &Id, span: SpanKey) {
        self.0.insert((layer, id.into_u64()), span);
    }

    /// Forgets a span that is closed: its ID may be that of another one next.
    pub(crate) fn remove(&mut self, layer: u64, id: &Id) -> Option<SpanKey> {
        self.0.remove(&(layer, id.into_u64()))
    }

    /// Forgets the spans of a layer.
    pub(crate) fn remove_all(&mut self, layer: u64) {
        self.0.retain(|(of, _), _| *of != layer);
    }
}
