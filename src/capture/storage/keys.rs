//! Permanent names of spans, which survive evictions in the storage.

use alloc::sync::Arc;

use crate::capture::storage::node::{SpanIndex, SpanKey};

/// The places of spans in a storage. The spans that were left when it was last made smaller come first; later ones
/// follow one after another.
#[derive(Debug, Clone)]
pub(crate) struct SpanKeys {
    /// Keys of the spans that were left, in order.
    left: Arc<[SpanKey]>,
    /// Key of the first span that came since.
    first: SpanKey,
}

impl Default for SpanKeys {
    fn default() -> Self {
        Self { left: Arc::default(), first: SpanKey::FIRST }
    }
}

impl SpanKeys {
    /// Returns the place of a span, unless it is gone.
    #[inline]
    pub(crate) fn index(&self, key: SpanKey) -> Option<SpanIndex> {
        let position = match key.distance_from(self.first) {
            Some(since) => self.left.len() + since,
            None => self.left.binary_search(&key).ok()?,
        };
        SpanIndex::new(position)
    }

    /// Returns the key of the span at a place.
    #[inline]
    pub(crate) fn key(&self, index: SpanIndex) -> Option<SpanKey> {
        let position = index.get();
        match position.checked_sub(self.left.len()) {
            Some(since) => self.first.advanced_by(since),
            None => self.left.get(position).copied(),
        }
    }

    /// Returns the keys for a storage that keeps these spans, out of the `len` spans here.
    pub(crate) fn leaving(
        &self,
        len: usize,
        left: impl Iterator<Item = SpanIndex>,
    ) -> Option<Self> {
        let first = self.first.advanced_by(len - self.left.len())?;
        Some(Self { left: left.filter_map(|index| self.key(index)).collect(), first })
    }
}
