//! The keys of layers' spans in a storage. A layer knows its spans by the IDs of its subscriber.

use alloc::collections::VecDeque;
use core::hash::BuildHasherDefault;
use std::collections::{HashMap, HashSet};

use tracing_core::span::Id;

use crate::capture::{storage::node::SpanKey, storage::numbers::NumberHasher};

/// Spans of the layers that fill a storage, by the number of the layer and the ID.
#[derive(Debug, Default)]
pub(crate) struct Names {
    open: HashMap<(u64, u64), SpanKey, BuildHasherDefault<NumberHasher>>,
    /// Recently closed spans, the last one at the back: others may follow from them.
    closed: VecDeque<((u64, u64), SpanKey)>,
    /// Open spans for which there was no room.
    left_out: HashSet<(u64, u64), BuildHasherDefault<NumberHasher>>,
}

/// Maximal number of closed spans to remember. A subscriber reuses their IDs some time.
const MAX_CLOSED: usize = 256;

impl Names {
    /// Returns a span that is open.
    #[inline]
    pub(crate) fn get(&self, layer: u64, id: &Id) -> Option<SpanKey> {
        self.open.get(&(layer, id.into_u64())).copied()
    }

    /// Returns a span that is open, or that was closed a short while ago.
    pub(crate) fn get_or_closed(&self, layer: u64, id: &Id) -> Option<SpanKey> {
        let name = (layer, id.into_u64());
        let closed = || self.closed.iter().rev().find(|(closed, _)| *closed == name);
        self.get(layer, id).or_else(|| closed().map(|(_, span)| *span))
    }

    pub(crate) fn insert(&mut self, layer: u64, id: &Id, span: SpanKey) {
        self.open.insert((layer, id.into_u64()), span);
    }

    pub(crate) fn insert_left_out(&mut self, layer: u64, id: &Id) {
        self.left_out.insert((layer, id.into_u64()));
    }

    /// Forgets a span for which there was no room. Returns whether it is one.
    pub(crate) fn close_left_out(&mut self, layer: u64, id: &Id) -> bool {
        self.left_out.remove(&(layer, id.into_u64()))
    }

    /// Notes that a span is closed: its ID may be reused at once.
    pub(crate) fn close(&mut self, layer: u64, id: &Id) -> Option<SpanKey> {
        let name = (layer, id.into_u64());
        let span = self.open.remove(&name)?;
        if self.closed.len() == MAX_CLOSED {
            self.closed.pop_front();
        }
        self.closed.push_back((name, span));
        Some(span)
    }

    /// Forgets the spans of a layer.
    pub(crate) fn remove_all(&mut self, layer: u64) {
        self.open.retain(|(of, _), _| *of != layer);
        self.closed.retain(|((of, _), _)| *of != layer);
        self.left_out.retain(|(of, _)| *of != layer);
    }
}
