/// Which nodes a bounded capture keeps, when there are more than it may hold.
///
/// # Example
///
/// ```
/// use spanshot::{Keep, SharedStorage, TracingEventReceiver, TracingEventSender};
/// use std::sync::Mutex;
///
/// let storage = SharedStorage::default();
/// storage.set_max_nodes(2, Keep::Newest);
/// let receiver = Mutex::new(TracingEventReceiver::capturing(&storage));
/// let sender = TracingEventSender::new(move |event| receiver.lock().unwrap().receive(event));
/// tracing::subscriber::with_default(sender, || {
///     for number in 1..=100 {
///         tracing::info!(number);
///     }
/// });
///
/// let trace = storage.lock();
/// assert_eq!(trace.left_out(), 98);
/// assert_eq!(trace.to_string(), "(98 earlier nodes were left out)\nINFO number=99\nINFO number=100");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Keeps the nodes that were captured first, and drops those that come when there is no more room. Children
    /// of a dropped span are attached to its nearest kept ancestor. Nodes that are there already when you set
    /// the limit stay. Enters, exits and earlier values of kept spans are evicted first.
    Oldest,
    /// Keeps the nodes that were captured last, and evicts the first ones. Open spans and the ancestors of kept
    /// nodes stay as well, beyond the limit. Of their enters, exits and values, the newest are kept.
    Newest,
}

/// The limits of a storage, and its size after the last eviction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) max: Size,
    pub(crate) keep: Keep,
    /// The size after the storage was last made smaller. It may exceed the limit, since open spans stay.
    pub(crate) settled: Size,
    /// The next moment at that time.
    pub(crate) settled_at: Option<u64>,
}

/// A size of a storage, or of a part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Spans and events.
    pub(crate) nodes: usize,
    /// Entries of the timeline.
    pub(crate) entries: usize,
    /// About how much memory they take.
    pub(crate) bytes: usize,
}

impl Size {
    pub(crate) const MAX: Self = Self { nodes: usize::MAX, entries: usize::MAX, bytes: usize::MAX };

    fn is_within(self, max: Self) -> bool {
        self.nodes <= max.nodes && self.bytes <= max.bytes
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            entries: self.entries.saturating_add(other.entries),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Default for Bound {
    /// No bound.
    fn default() -> Self {
        Self { max: Size::MAX, keep: Keep::Oldest, settled: Size::default(), settled_at: None }
    }
}

impl Bound {
    /// Limits the number of nodes, and with it the number of entries: a span may be entered, and values be recorded
    /// into it, any number of times.
    pub(crate) fn set_max_nodes(&mut self, nodes: usize) {
        const ENTRIES_OF_A_NODE: usize = 16;
        const MIN_ENTRIES: usize = 1_024;

        self.max.nodes = nodes;
        self.max.entries = nodes.saturating_mul(ENTRIES_OF_A_NODE).max(MIN_ENTRIES);
    }

    /// Checks whether there is no limit. Then the size of the storage does not matter.
    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.max.nodes & self.max.bytes == usize::MAX
    }

    /// Checks whether a storage of this size, with this next moment, holds no more than it may.
    pub(crate) fn is_kept(&self, size: Size, next: u64) -> bool {
        let is_settled = || self.settled_at == Some(next) && self.settled == size;
        self.keep == Keep::Oldest || size.is_within(self.max) || is_settled()
    }

    /// Checks whether a storage of this size is so far beyond the limit that evicting pays off.
    pub(crate) fn is_far_exceeded(&self, size: Size) -> bool {
        let is_far = |size: usize, max: usize, settled: usize| size / 2 > max.max(settled);
        is_far(size.nodes, self.max.nodes, self.settled.nodes)
            || is_far(size.entries, self.max.entries, self.settled.entries)
            || is_far(size.bytes, self.max.bytes, self.settled.bytes)
    }

    /// Checks whether something may be added to a storage of this size.
    pub(crate) fn has_room(&self, size: Size, new: Size) -> bool {
        self.keep == Keep::Newest || size.plus(new).is_within(self.max)
    }
}
