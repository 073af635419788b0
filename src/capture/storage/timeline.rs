//! Everything that happened in a capture, in one order.

use alloc::vec::Vec;
use core::{iter, time::Duration};
use std::time::{Instant, SystemTime};

use crate::{
    capture::{
        CapturedEvent, CapturedSpan,
        storage::chunks::Chunks,
        storage::node::{NodeIndex, NodeKind, SpanIndex},
        storage::threads::{ThreadKey, Threads},
    },
    said_parent::SaidParent,
};

/// A place in the total order of everything that a capture saw: a span was created, entered, exited or closed, values
/// were recorded into it, or an event was emitted.
///
/// You can compare moments of one capture, even between traces that you took from it one after another. They do not
/// tell how much time passed; for times, see [`Storage::time_of()`](crate::Storage::time_of).
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
    /// Returns the number of earlier moments in the capture.
    #[cfg(feature = "export")]
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// Something that happened at a [`Moment`](crate::capture::Moment).
///
/// # Example
///
/// See [`Storage::timeline()`](crate::Storage::timeline).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Happening<'a> {
    /// A span was created.
    Created(CapturedSpan<'a>),
    /// A span was entered.
    Entered(CapturedSpan<'a>),
    /// Values were recorded into a span after it was created; see
    /// [`CapturedSpan::recorded_at()`].
    Recorded(CapturedSpan<'a>),
    /// A span was exited.
    Exited(CapturedSpan<'a>),
    /// A span was closed.
    Closed(CapturedSpan<'a>),
    /// An event was emitted.
    Emitted(CapturedEvent<'a>),
}

/// The kind of an entry of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A span was created, or an event emitted; the parent was stated in this way.
    Created(SaidParent),
    Entered,
    /// Values were recorded into a span.
    Recorded,
    Exited,
    Closed,
}

/// An entry of the timeline: the node, what happened to it, and the thread.
#[derive(Debug, Clone, Copy)]
struct Entry {
    node: NodeIndex,
    /// The index of the thread; [`UNKNOWN_THREAD`] for one that is not known.
    thread: u16,
    kind: EntryKind,
}

// There are many entries, so they are small: the stated parent of a node fits into the kind.
const _: () = assert!(size_of::<Entry>() == 8);

/// Not known for closing a span, which happens on the thread that drops the last handle, and for recording values:
/// modules do not tell these threads.
const UNKNOWN_THREAD: u16 = u16::MAX;

/// Place of an entry on the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryIndex(u32);

impl EntryIndex {
    pub(crate) fn get(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn new(index: usize) -> Self {
        // More than four billion entries would take 32 gigabytes.
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

/// Everything that happened, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    entries: Chunks<Entry>,
    /// Moments of the first entries, which were copied from other timelines, in order.
    taken_over: Vec<u64>,
    /// The moment of the entry behind these; each further one is one later.
    first: u64,
    threads: Threads,
    times: Option<Times>,
}

/// The times of the entries.
#[derive(Debug, Clone)]
struct Times {
    started: SystemTime,
    origin: Instant,
    /// Time since `origin`, for each entry.
    since: Chunks<Duration>,
    /// Time of the last entry, even if that was not taken over.
    last: Duration,
}

impl Timeline {
    /// Keeps times from now on. Existing entries get the start time.
    pub(crate) fn keep_times(&mut self) {
        let (started, origin) = (SystemTime::now(), Instant::now());
        let since = iter::repeat_n(Duration::ZERO, self.entries.len()).collect();
        self.times = Some(Times { started, origin, since, last: Duration::ZERO });
    }

    /// Returns an empty timeline that goes on like this one, and may take over entries of it.
    pub(crate) fn successor(&self) -> Self {
        let times = self.times.as_ref().map(|times| Times { since: Chunks::default(), ..*times });
        Self { first: self.next_moment(), threads: self.threads.clone(), times, ..Self::default() }
    }

    /// Adds an entry for now, with the thread if it is known.
    #[inline]
    pub(crate) fn push(
        &mut self,
        node: NodeKind,
        kind: EntryKind,
        thread: Option<ThreadKey>,
    ) -> EntryIndex {
        let thread = thread.map_or(UNKNOWN_THREAD, |thread| self.threads.index(thread));
        let entry = Entry { node: node.into(), thread, kind };
        let time = self.times.as_ref().map(|times| times.origin.elapsed());
        self.push_entry(entry, time)
    }

    /// Takes over an entry of the timeline that this one succeeds. The node may have another index here. Call this only
    /// before any entry is pushed.
    pub(crate) fn take_over(&mut self, of: &Self, index: EntryIndex, node: NodeKind) -> EntryIndex {
        debug_assert_eq!(self.taken_over.len(), self.entries.len());
        self.taken_over.push(of.moment(index).0);
        let entry = Entry { node: node.into(), ..of.entries[index.0 as usize] };
        self.push_entry(entry, of.time(index))
    }

    #[inline]
    fn push_entry(&mut self, entry: Entry, time: Option<Duration>) -> EntryIndex {
        let index = EntryIndex::new(self.entries.len());
        self.entries.push(entry);
        if let (Some(times), Some(time)) = (&mut self.times, time) {
            times.since.push(time);
            times.last = times.last.max(time);
        }
        index
    }

    pub(crate) fn next_moment(&self) -> u64 {
        self.first + (self.entries.len() - self.taken_over.len()) as u64
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the bytes of an entry that is taken over.
    pub(crate) fn taken_over_bytes(&self) -> usize {
        size_of::<u64>() + self.entry_bytes()
    }

    /// Returns the bytes of an entry.
    pub(crate) fn entry_bytes(&self) -> usize {
        size_of::<Entry>() + if self.times.is_some() { size_of::<Duration>() } else { 0 }
    }

    /// Returns the bytes of all entries.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.len() * self.entry_bytes() + self.taken_over.len() * size_of::<u64>()
    }

    #[inline]
    pub(crate) fn get(&self, index: EntryIndex) -> (NodeKind, EntryKind) {
        let entry = self.entries[index.0 as usize];
        (entry.node.kind(), entry.kind)
    }

    /// Returns how the parent of a node was stated at its creation.
    pub(crate) fn said_parent(&self, created: EntryIndex) -> SaidParent {
        match self.get(created).1 {
            EntryKind::Created(said) => said,
            _ => SaidParent::Unknown, // an entry of something else, which is none of a creation
        }
    }

    #[inline]
    pub(crate) fn moment(&self, index: EntryIndex) -> Moment {
        let index = index.0 as usize;
        Moment(match index.checked_sub(self.taken_over.len()) {
            Some(since) => self.first + since as u64,
            None => self.taken_over[index],
        })
    }

    /// Finds the first entry that is not older than a moment.
    pub(crate) fn first_since(&self, moment: u64) -> Option<EntryIndex> {
        let index = match moment.checked_sub(self.first) {
            Some(since) => self.taken_over.len() + usize::try_from(since).ok()?,
            None => self.taken_over.partition_point(|taken_over| *taken_over < moment),
        };
        (index < self.entries.len()).then(|| EntryIndex::new(index))
    }

    /// Iterates over all entries in order.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = EntryIndex> + use<> {
        (0..self.entries.len()).map(EntryIndex::new)
    }

    /// Iterates over the entries of a span, from its creation to its last one.
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

    /// Returns the time of an entry, counted from the start of time keeping; `None` if times are not kept.
    pub(crate) fn time(&self, index: EntryIndex) -> Option<Duration> {
        self.times.as_ref()?.since.get(index.0 as usize).copied()
    }

    /// Returns the time of a moment, if it is on this timeline and times are kept.
    pub(crate) fn time_of(&self, moment: Moment) -> Option<SystemTime> {
        let times = self.times.as_ref()?;
        times.started.checked_add(self.time_since_start(moment)?)
    }

    /// Returns the time of a moment, counted from the start of time keeping; `None` as for `time_of()`.
    pub(crate) fn time_since_start(&self, moment: Moment) -> Option<Duration> {
        self.times.as_ref()?.since.get(self.position(moment)?).copied()
    }

    /// Returns the index of the thread of an entry, if the thread is known.
    pub(crate) fn thread(&self, index: EntryIndex) -> Option<u16> {
        let thread = self.entries.get(index.get())?.thread;
        (thread != UNKNOWN_THREAD).then_some(thread)
    }

    /// Returns the index of the thread at a moment, if the moment is on this timeline and the thread is known.
    pub(crate) fn thread_of(&self, moment: Moment) -> Option<usize> {
        self.thread(self.entry_at(moment)?).map(usize::from)
    }

    /// Finds the entry of a moment, if it is on this timeline.
    pub(crate) fn entry_at(&self, moment: Moment) -> Option<EntryIndex> {
        self.position(moment).map(EntryIndex::new)
    }

    fn position(&self, moment: Moment) -> Option<usize> {
        match moment.0.checked_sub(self.first) {
            Some(since) => {
                let position = self.taken_over.len() + usize::try_from(since).ok()?;
                (position < self.entries.len()).then_some(position)
            }
            None => self.taken_over.binary_search(&moment.0).ok(),
        }
    }

    /// Returns the time of the last entry, even if that was not taken over.
    pub(crate) fn last_time(&self) -> Option<Duration> {
        Some(self.times.as_ref()?.last)
    }
}
