//! What happened in a capture, in one order.

use core::{cmp::Ordering, iter, time::Duration};
use std::time::{Instant, SystemTime};

use super::{
    chunks::Chunks,
    node::{NodeIndex, NodeKind, SpanIndex},
    threads::{INDEX_BITS, ThreadKey, Threads},
};

/// A place in the one order of everything that a capture saw: that a span was created, entered,
/// exited or closed, or an event emitted.
///
/// Moments of one capture can be compared, also between the traces that were taken from it one after
/// another. They say nothing of how much time passed; for that, see
/// [`Storage::time_of()`](super::Storage::time_of).
///
/// # Example
///
/// ```
/// use spanshot::Capture;
///
/// let capture = Capture::start();
/// let span = tracing::info_span!("connect");
/// tracing::info!("before it is entered");
/// span.in_scope(|| ());
///
/// let trace = capture.trace();
/// let span = trace.all_spans().next().unwrap();
/// let event = trace.all_events().next().unwrap();
/// assert!(span.moment() < event.moment());
/// assert!(span.enters().all(|entered| event.moment() < entered));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// How many moments of the capture were before.
    #[cfg(feature = "export")]
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// What happened to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A span was created, or an event emitted.
    Created,
    Entered,
    Exited,
    Closed,
}

/// What happened to which node, the moment, and on which thread.
#[derive(Debug, Clone, Copy)]
struct Entry {
    node: NodeIndex,
    /// The lower half of the moment.
    low: u32,
    /// The rest of it, above it the index of the thread, and in the two highest bits the kind.
    high: u32,
}

const KIND_SHIFT: u32 = 30;
const THREAD_SHIFT: u32 = KIND_SHIFT - INDEX_BITS;

impl Entry {
    #[allow(clippy::cast_possible_truncation)] // it is what halves are made by
    #[inline]
    fn new(node: NodeKind, kind: EntryKind, moment: u64, thread: u16) -> Self {
        // No capture lives for 2^48 moments: that would be three million a second for three years.
        let high = (moment >> u32::BITS) as u32 & ((1 << THREAD_SHIFT) - 1);
        let high = high | u32::from(thread) << THREAD_SHIFT | (kind as u32) << KIND_SHIFT;
        Self { node: node.into(), low: moment as u32, high }
    }

    fn kind(self) -> EntryKind {
        match self.high >> KIND_SHIFT {
            0 => EntryKind::Created,
            1 => EntryKind::Entered,
            2 => EntryKind::Exited,
            _ => EntryKind::Closed,
        }
    }

    fn moment(self) -> Moment {
        let high = self.high & ((1 << THREAD_SHIFT) - 1);
        Moment(u64::from(high) << u32::BITS | u64::from(self.low))
    }

    /// The index of the thread. That which closed a span is not known.
    fn thread(self) -> Option<usize> {
        let index = self.high >> THREAD_SHIFT & ((1 << INDEX_BITS) - 1);
        (self.kind() != EntryKind::Closed).then_some(index as usize)
    }
}

/// Place of an entry on the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntryIndex(u32);

/// Everything that happened, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    /// The next moment.
    next: u64,
    entries: Chunks<Entry>,
    threads: Threads,
    times: Option<Times>,
}

/// When each entry happened.
#[derive(Debug, Clone)]
struct Times {
    started: SystemTime,
    origin: Instant,
    /// Time since `origin`, for each entry.
    since: Chunks<Duration>,
    /// That of the last thing that happened, wherever its entry is by now.
    last: Duration,
}

impl Timeline {
    /// Keeps times from now on. What there is already has the time of the beginning.
    pub(crate) fn keep_times(&mut self) {
        let (started, origin) = (SystemTime::now(), Instant::now());
        let since = iter::repeat_n(Duration::ZERO, self.entries.len()).collect();
        self.times = Some(Times { started, origin, since, last: Duration::ZERO });
    }

    /// Returns an empty timeline that goes on like this one, and may take over entries of it.
    pub(crate) fn successor(&self) -> Self {
        let times = self.times.as_ref().map(|times| Times { since: Chunks::default(), ..*times });
        Self { next: self.next, entries: Chunks::default(), threads: self.threads.clone(), times }
    }

    /// Adds what happens now on a thread.
    #[inline(always)]
    pub(crate) fn push(
        &mut self,
        node: NodeKind,
        kind: EntryKind,
        thread: ThreadKey,
    ) -> EntryIndex {
        let thread = self.threads.index(thread);
        self.push_now(node, kind, thread)
    }

    /// Adds that a span is closed now, on whichever thread.
    #[inline(always)]
    pub(crate) fn push_closed(&mut self, span: SpanIndex) -> EntryIndex {
        self.push_now(NodeKind::Span(span), EntryKind::Closed, 0)
    }

    #[inline(always)]
    fn push_now(&mut self, node: NodeKind, kind: EntryKind, thread: u16) -> EntryIndex {
        let entry = Entry::new(node, kind, self.next, thread);
        self.next += 1;
        let time = self.times.as_ref().map(|times| times.origin.elapsed());
        self.push_entry(entry, time)
    }

    /// Takes over an entry of the timeline that this one succeeds, for a node that is called
    /// otherwise here.
    pub(crate) fn take_over(&mut self, of: &Self, index: EntryIndex, node: NodeKind) -> EntryIndex {
        let entry = Entry { node: node.into(), ..of.entries[index.0 as usize] };
        self.push_entry(entry, of.time(index))
    }

    #[inline(always)]
    fn push_entry(&mut self, entry: Entry, time: Option<Duration>) -> EntryIndex {
        // More than four billion entries would take 48 gigabytes.
        let index = EntryIndex(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push(entry);
        if let (Some(times), Some(time)) = (&mut self.times, time) {
            times.since.push(time);
            times.last = times.last.max(time);
        }
        index
    }

    pub(crate) fn next_moment(&self) -> u64 {
        self.next
    }

    /// Returns the bytes that each entry takes.
    pub(crate) fn entry_bytes(&self) -> usize {
        size_of::<Entry>() + if self.times.is_some() { size_of::<Duration>() } else { 0 }
    }

    /// Returns the bytes that all entries take.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.len() * self.entry_bytes()
    }

    #[inline]
    pub(crate) fn get(&self, index: EntryIndex) -> (NodeKind, EntryKind) {
        let entry = self.entries[index.0 as usize];
        (entry.node.kind(), entry.kind())
    }

    pub(crate) fn moment(&self, index: EntryIndex) -> Moment {
        self.entries[index.0 as usize].moment()
    }

    /// Iterates over all entries in order.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = EntryIndex> + use<> {
        (0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)).map(EntryIndex)
    }

    /// Iterates over what happened to a span, between its creation and the last of it.
    pub(crate) fn of_span(
        &self,
        span: SpanIndex,
        created: EntryIndex,
        last: EntryIndex,
    ) -> impl DoubleEndedIterator<Item = (EntryIndex, EntryKind)> + Clone + use<'_> {
        (created.0..=last.0).map(EntryIndex).filter_map(move |index| {
            let (node, kind) = self.get(index);
            (node == NodeKind::Span(span)).then_some((index, kind))
        })
    }

    /// When an entry happened, since the capture was started, if times are kept.
    pub(crate) fn time(&self, index: EntryIndex) -> Option<Duration> {
        self.times.as_ref()?.since.get(index.0 as usize).copied()
    }

    /// When a moment was, if it is on this timeline and times are kept.
    pub(crate) fn time_of(&self, moment: Moment) -> Option<SystemTime> {
        let times = self.times.as_ref()?;
        times.started.checked_add(self.time_since_start(moment)?)
    }

    /// How long after times were begun to be kept a moment was, likewise.
    pub(crate) fn time_since_start(&self, moment: Moment) -> Option<Duration> {
        self.times.as_ref()?.since.get(self.position(moment)?).copied()
    }

    /// On which thread something happened, if it is on this timeline and the thread is known.
    pub(crate) fn thread_of(&self, moment: Moment) -> Option<usize> {
        self.entries.get(self.position(moment)?)?.thread()
    }

    fn position(&self, moment: Moment) -> Option<usize> {
        let (mut start, mut end) = (0, self.entries.len());
        while start < end {
            let middle = start.midpoint(end);
            match self.entries[middle].moment().cmp(&moment) {
                Ordering::Less => start = middle + 1,
                Ordering::Equal => return Some(middle),
                Ordering::Greater => end = middle,
            }
        }
        None
    }

    /// When the last thing happened, also if its entry was not taken over.
    pub(crate) fn last_time(&self) -> Option<Duration> {
        Some(self.times.as_ref()?.last)
    }
}
