//! How the tree is laid out: nodes in the order of their capture, linked by their indexes.

use alloc::{boxed::Box, vec::Vec};
use core::num::NonZeroU32;

use super::{durations::Durations, metadata::CallSite, timeline::EntryIndex};
use crate::wire::TracedValue;

/// Place of a span among the spans of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SpanIndex(NonZeroU32);

/// Place of an event among the events of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventIndex(NonZeroU32);

macro_rules! impl_index {
    ($($ty:ident),+) => {$(
        impl $ty {
            /// `None` for an index that there is no room for.
            pub(crate) fn new(index: usize) -> Option<Self> {
                let next = u32::try_from(index).ok()?.checked_add(1)?;
                // One bit is that of `NodeIndex`.
                NonZeroU32::new(next).filter(|next| next.get() <= u32::MAX >> 1).map(Self)
            }

            pub(crate) fn get(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    )+};
}

impl_index!(SpanIndex, EventIndex);

/// Name of a span: the number of those that were captured before it, plus 1. It stays the same
/// while the storage is emptied, or the oldest of its nodes are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SpanKey(NonZeroU32);

impl SpanKey {
    pub(crate) const FIRST: Self = Self(NonZeroU32::MIN);

    /// Returns how many keys there are from another one up to this one, which is not before it.
    pub(crate) fn distance_from(self, first: Self) -> Option<usize> {
        self.0.get().checked_sub(first.0.get()).map(|distance| distance as usize)
    }

    /// Returns the key that is so many keys on; `None` if there is none.
    pub(crate) fn advanced_by(self, distance: usize) -> Option<Self> {
        self.0.checked_add(u32::try_from(distance).ok()?).map(Self)
    }

    pub(crate) fn into_raw(self) -> NonZeroU32 {
        self.0
    }

    pub(crate) fn from_raw(raw: NonZeroU32) -> Self {
        Self(raw)
    }
}

/// Index of a span or an event, in 4 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeIndex(NonZeroU32);

/// [`NodeIndex`] taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Span(SpanIndex),
    Event(EventIndex),
}

const EVENT_BIT: u32 = 1 << 31;

impl From<NodeKind> for NodeIndex {
    fn from(kind: NodeKind) -> Self {
        match kind {
            NodeKind::Span(index) => Self(index.0),
            NodeKind::Event(index) => Self(index.0 | EVENT_BIT),
        }
    }
}

impl NodeIndex {
    pub(crate) fn kind(self) -> NodeKind {
        let index = self.0.get();
        match NonZeroU32::new(index & !EVENT_BIT) {
            Some(index) if self.0 != index => NodeKind::Event(EventIndex(index)),
            _ => NodeKind::Span(SpanIndex(self.0)),
        }
    }
}

impl core::fmt::Debug for NodeIndex {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.kind().fmt(formatter)
    }
}

/// Place of a node in the tree.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Links {
    pub(crate) parent: Option<SpanIndex>,
    pub(crate) previous: Option<NodeIndex>,
    pub(crate) next: Option<NodeIndex>,
}

/// Children of a span, or the roots: a list of spans and events in the order of their capture.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Children {
    pub(crate) first: Option<NodeIndex>,
    pub(crate) last: Option<NodeIndex>,
    pub(crate) spans: u32,
    pub(crate) events: u32,
}

/// Values of one node: a part of [`Values`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValueRange {
    start: usize,
    len: u32,
}

/// Values of all nodes, each with the index of its field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    fields: Vec<u32>,
    values: Vec<TracedValue>,
}

/// What a node is captured with: values and the indexes of their fields.
pub(crate) type NewValues = Vec<(usize, TracedValue)>;

impl Values {
    pub(crate) fn add(&mut self, new: NewValues) -> ValueRange {
        let start = self.values.len();
        for (field, value) in new {
            // No program declares four billion fields.
            self.fields.push(u32::try_from(field).unwrap_or(u32::MAX));
            self.values.push(value);
        }
        ValueRange { start, len: u32::try_from(self.values.len() - start).unwrap_or(u32::MAX) }
    }

    /// Sets values among those of the range. Where there is no value of a field yet, it is put
    /// behind the others; to make room there, all of them may move to the end.
    pub(crate) fn update(&mut self, range: &mut ValueRange, new: NewValues) {
        for (field, value) in new {
            let (start, end) = (range.start, range.start + range.len as usize);
            let field = u32::try_from(field).unwrap_or(u32::MAX);
            let known = self.fields[start..end].iter().rposition(|known| *known == field);
            if let Some(position) = known {
                self.values[start + position] = value;
                continue;
            }
            if end < self.values.len() {
                range.start = self.values.len();
                self.fields.extend_from_within(start..end);
                for index in start..end {
                    let moved =
                        core::mem::replace(&mut self.values[index], TracedValue::Bool(false));
                    self.values.push(moved);
                }
            }
            self.fields.push(field);
            self.values.push(value);
            range.len += 1;
        }
    }

    /// Returns the bytes that the values of the range take, on the heap and here.
    pub(crate) fn bytes(&self, range: ValueRange) -> usize {
        let values = &self.values[range.start..range.start + range.len as usize];
        let on_heap: usize = values.iter().map(TracedValue::heap_bytes).sum();
        on_heap + values.len() * (size_of::<TracedValue>() + size_of::<u32>())
    }

    /// Iterates over the values of the range and the indexes of their fields.
    pub(crate) fn iter(
        &self,
        range: ValueRange,
    ) -> impl DoubleEndedIterator<Item = (usize, &TracedValue)> + ExactSizeIterator {
        let range = range.start..range.start + range.len as usize;
        let fields = self.fields[range.clone()].iter().map(|field| *field as usize);
        fields.zip(&self.values[range])
    }
}

#[derive(Debug, Clone)]
pub(crate) struct EventNode {
    pub(crate) call_site: CallSite,
    pub(crate) emitted: EntryIndex,
    pub(crate) links: Links,
    pub(crate) values: ValueRange,
}

#[derive(Debug, Clone)]
pub(crate) struct SpanNode {
    pub(crate) call_site: CallSite,
    pub(crate) created: EntryIndex,
    /// The last thing that happened to the span.
    pub(crate) last: EntryIndex,
    pub(crate) links: Links,
    pub(crate) values: ValueRange,
    /// What enters and exits that are no longer on the timeline add up to, if times are kept.
    pub(crate) before: Option<Box<Durations>>,
    pub(crate) children: Children,
    pub(crate) stats: super::span::SpanStats,
    pub(crate) follows_from: Vec<SpanIndex>,
    /// Handles, where they are counted here.
    pub(crate) handles: u32,
    /// Children that are not closed, where handles are counted.
    pub(crate) open_children: u32,
}
