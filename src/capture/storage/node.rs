//! The layout of the tree: nodes in the order of their capture, linked by their indexes.

use alloc::{boxed::Box, vec::Vec};
use core::num::NonZeroU32;

use crate::{
    capture::{
        storage::call_sites::CallSiteIndex,
        storage::durations::Durations,
        storage::handles::{Handles, OpenChildren},
        storage::span::SpanStats,
        storage::timeline::EntryIndex,
        storage::values::{Records, ValueRange},
    },
    said_parent::SaidParent,
};

/// Place of a span among the spans of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SpanIndex(NonZeroU32);

/// Place of an event among the events of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventIndex(NonZeroU32);

macro_rules! impl_index {
    ($($ty:ident),+) => {$(
        impl $ty {
            /// Returns `None` if the index is too large.
            #[inline]
            pub(crate) fn new(index: usize) -> Option<Self> {
                // `NodeIndex` uses one bit.
                const MAX: usize = (u32::MAX >> 1) as usize;

                #[allow(clippy::cast_possible_truncation)] // it is none
                let next = if index < MAX { index as u32 + 1 } else { 0 };
                NonZeroU32::new(next).map(Self)
            }

            #[inline]
            pub(crate) fn get(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    )+};
}

impl_index!(SpanIndex, EventIndex);

/// Permanent name of a span: the number of spans that were captured before it, plus 1. It stays the same when the
/// storage is emptied, or its oldest nodes are evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SpanKey(NonZeroU32);

impl SpanKey {
    pub(crate) const FIRST: Self = Self(NonZeroU32::MIN);

    /// Returns the distance from another key to this one; `None` if this one is before it.
    pub(crate) fn distance_from(self, first: Self) -> Option<usize> {
        self.0.get().checked_sub(first.0.get()).map(|distance| distance as usize)
    }

    /// Returns the key at this distance behind; `None` if keys have run out.
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
    #[inline]
    fn from(kind: NodeKind) -> Self {
        match kind {
            NodeKind::Span(index) => Self(index.0),
            NodeKind::Event(index) => Self(index.0 | EVENT_BIT),
        }
    }
}

impl NodeIndex {
    #[inline]
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

/// The parent of a new node, and how it was stated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewParent {
    pub(crate) span: Option<SpanKey>,
    pub(crate) said: SaidParent,
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

#[derive(Debug, Clone)]
pub(crate) struct EventNode {
    pub(crate) call_site: CallSiteIndex,
    pub(crate) emitted: EntryIndex,
    pub(crate) links: Links,
    pub(crate) values: ValueRange,
}

#[derive(Debug, Clone)]
pub(crate) struct SpanNode {
    pub(crate) call_site: CallSiteIndex,
    pub(crate) created: EntryIndex,
    /// The last thing that happened to the span.
    pub(crate) last: EntryIndex,
    pub(crate) links: Links,
    /// The values that the span was created with.
    pub(crate) values: ValueRange,
    pub(crate) children: Children,
    /// How often the span was entered and exited.
    pub(crate) entered: u32,
    pub(crate) exited: u32,
    pub(crate) handles: Handles,
    pub(crate) open_children: OpenChildren,
    /// Data that few spans have.
    pub(crate) extras: Option<Box<Extras>>,
}

// There may be millions of them.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<EventNode>() == 32 && size_of::<SpanNode>() == 80);

/// Data that few spans have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    /// The durations from enters and exits that are no longer on the timeline, if times are kept.
    pub(crate) before: Option<Durations>,
    pub(crate) follows_from: Vec<SpanIndex>,
    /// Whether the span also follows from others that are not in the storage, or not any more.
    pub(crate) has_lost_sources: bool,
    /// The values that were recorded after the span was created.
    pub(crate) records: Option<Records>,
}

impl SpanNode {
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.open_children == OpenChildren::CLOSED
    }

    pub(crate) fn stats(&self) -> SpanStats {
        let (entered, exited) = (self.entered as usize, self.exited as usize);
        SpanStats { entered, exited, is_closed: self.is_closed() }
    }

    pub(crate) fn before(&self) -> Option<Durations> {
        self.extras.as_ref()?.before
    }

    pub(crate) fn records(&self) -> Option<&Records> {
        self.extras.as_ref()?.records.as_ref()
    }

    /// Returns the values that were recorded at an entry of the timeline.
    pub(crate) fn record_at(&self, entry: EntryIndex) -> Option<ValueRange> {
        let records = self.records()?.all();
        let position = records.binary_search_by_key(&entry, |(entry, _)| *entry).ok()?;
        Some(records[position].1)
    }

    pub(crate) fn follows_from(&self) -> &[SpanIndex] {
        self.extras.as_ref().map_or(&[], |extras| &extras.follows_from)
    }

    pub(crate) fn has_lost_sources(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.has_lost_sources)
    }

    pub(crate) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }
}
