use alloc::{sync::Arc, vec::Vec};
use core::{
    fmt, mem, ops,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};
use std::{
    sync::{Condvar, MutexGuard, PoisonError},
    time::Instant,
};

use tracing_core::Metadata;

#[cfg(feature = "log")]
use crate::capture::session::logger;
use crate::{
    capture::{
        Keep, Storage,
        session::{
            entered::note_bypass_here,
            live::Live,
            watch::{Watch, WatchRules},
        },
        storage::{
            bound::Bound,
            eviction::Extent,
            metadata::CallSite,
            names::Names,
            node::{EventIndex, NewParent, SpanKey},
            sight::Sight,
            threads::ThreadKey,
            values::NewValues,
        },
    },
    lock::Mutex,
    receiver::Unsent,
};

/// A [`Storage`] that is filled and read at the same time, from any thread.
///
/// Clones share one storage.
///
/// # Example
///
/// ```
/// use spanshot::{CaptureLayer, SharedStorage};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let storage = SharedStorage::default();
/// let subscriber = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
/// tracing::subscriber::with_default(subscriber, || tracing::info!("started"));
/// assert_eq!(storage.lock().all_events().len(), 1);
/// ```
#[derive(Clone, Default)]
pub struct SharedStorage {
    shared: Arc<Shared>,
}

// A storage is changed under a lock, by functions that run no code of the user. So a panic in code under test never
// leaves it half changed.
impl UnwindSafe for SharedStorage {}
impl RefUnwindSafe for SharedStorage {}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the threads that wait for a change.
    changed: Condvar,
    /// Whether the capture of the storage has ended.
    has_ended: AtomicBool,
}

#[derive(Default)]
struct State {
    storage: Held,
    names: Names,
    unattributed: Option<Unattributed>,
    /// What guests may not have sent whose records come here.
    guests: Vec<Arc<Unsent>>,
    /// Number of changes so far.
    changes: u64,
    /// Number of threads that wait for a change.
    waiting: usize,
    /// Wakers of the tasks that wait for a change, each with a unique number.
    wakers: Vec<(u64, Waker)>,
    next_waker: u64,
}

/// A storage that knows whether it is shared. If it is not, it is changed without a look at a reference count.
#[derive(Default)]
struct Held {
    /// The storage, unless it is shared.
    alone: Storage,
    /// The storage, if it was shared since the last change.
    shared: Option<Arc<Storage>>,
}

impl Held {
    fn get(&self) -> &Storage {
        self.shared.as_deref().unwrap_or(&self.alone)
    }

    /// Returns the storage to change it: a copy, if a reader still has the shared one.
    #[inline]
    fn get_mut(&mut self) -> &mut Storage {
        if self.shared.is_some() {
            self.part();
        }
        &mut self.alone
    }

    #[cold]
    fn part(&mut self) {
        if let Some(shared) = self.shared.take() {
            self.alone = Arc::unwrap_or_clone(shared);
        }
    }

    fn share(&mut self) -> Arc<Storage> {
        let alone = &mut self.alone;
        Arc::clone(self.shared.get_or_insert_with(|| Arc::new(mem::take(alone))))
    }
}

/// Unattributed records, which are in another storage and may belong to this one.
struct Unattributed {
    storage: SharedStorage,
    /// The extent when the capture started.
    started: Extent,
    /// The extent from which on records may belong here: when the capture started or was last emptied.
    since: Extent,
    /// The other storage when it was last checked.
    seen: Option<Arc<Storage>>,
}

impl Unattributed {
    fn begin(storage: &SharedStorage) -> Self {
        let now = storage.lock().extent();
        Self { storage: storage.clone(), started: now, since: now, seen: None }
    }

    /// Begins anew, for a capture that was emptied and goes on: with the records since its trace was made.
    fn go_on(&mut self) {
        if let Some(seen) = self.seen.take() {
            self.since = seen.extent();
        }
    }
}

impl State {
    /// Returns the trace, within its bound.
    fn trace(&mut self) -> Trace {
        if let Some(unattributed) = &mut self.unattributed {
            let now = unattributed.storage.lock().storage;
            if !unattributed.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, &now)) {
                let (since, evicted) = now.since(unattributed.since);
                let sight = &mut self.storage.get_mut().sight;
                sight.unattributed = Some(Arc::new(since));
                sight.unattributed_evicted = evicted;
                unattributed.seen = Some(now);
            }
        }
        let unsent = self.guests.iter().find_map(|guest| guest.why());
        if self.storage.get().sight.unsent != unsent {
            self.storage.get_mut().sight.unsent = unsent;
        }
        if !self.storage.get().is_within_bound() {
            self.storage.get_mut().evict();
        }
        Trace { storage: self.storage.share() }
    }

    /// Returns a trace that holds an event. If there was no room for the event, the trace is a copy without a bound.
    #[cold]
    fn holding(
        &mut self,
        event: Option<EventIndex>,
        push: impl FnOnce(&mut Storage) -> Option<EventIndex>,
    ) -> Option<(Trace, EventIndex)> {
        let storage = self.storage.share(); // with the event, even if it is to be evicted
        if let Some(event) = event {
            return Some((Trace { storage }, event));
        }
        let mut copy = Held { alone: Storage::default(), shared: Some(storage) };
        (copy.get_mut().bound, copy.get_mut().live) = (Bound::default(), None);
        let event = push(copy.get_mut())?;
        Some((Trace { storage: copy.share() }, event))
    }
}

impl fmt::Debug for SharedStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SharedStorage").field(&self.lock().storage).finish()
    }
}

impl SharedStorage {
    /// Locks the state. A panic under the lock is a defect of this crate, and leaves a state that is no worse than the
    /// one before.
    #[inline]
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock()
    }

    /// Returns the trace so far.
    ///
    /// Nothing stays locked: records that come while the returned guard lives are captured as usual, and the next call
    /// returns them.
    pub fn lock(&self) -> Trace {
        self.note_blind_spots();
        self.state().trace()
    }

    /// Takes the trace since the last call, and goes on.
    ///
    /// Open spans and their ancestors are in this trace and also in the next one, which needs them as parents of later
    /// records. There, they keep their values, [statistics](crate::SpanStats) and durations. Earlier events, enters and
    /// exits are not repeated.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{CaptureLayer, SharedStorage};
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// let storage = SharedStorage::default();
    /// let subscriber = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
    /// tracing::subscriber::with_default(subscriber, || {
    ///     let _connection = tracing::info_span!("connection").entered();
    ///     tracing::info!("request 1");
    ///     let first = storage.take();
    ///     tracing::info!("request 2");
    ///     let second = storage.take();
    ///     assert_eq!(first.to_string(), "INFO connection{}\n└─ INFO request 1");
    ///     assert_eq!(second.to_string(), "INFO connection{}\n└─ INFO request 2");
    /// });
    /// ```
    pub fn take(&self) -> Trace {
        self.note_blind_spots();
        self.change_state(|state| {
            let trace = state.trace();
            state.storage = Held { alone: trace.successor(), shared: None };
            if let Some(unattributed) = &mut state.unattributed {
                unattributed.go_on();
            }
            state.guests.retain(|guest| Arc::strong_count(guest) > 1);
            state.guests.iter().for_each(|guest| guest.go_on());
            trace
        })
    }

    /// Limits the number of spans and events.
    ///
    /// [`Storage::left_out()`] returns the number of nodes that were left out, and the tree shows it. You can set the
    /// limit at any time. The last call, including calls of [`Self::set_max_bytes()`], determines which nodes are kept.
    ///
    /// # Example
    ///
    /// See [`Keep`].
    pub fn set_max_nodes(&self, max_nodes: usize, keep: Keep) {
        self.write(|storage| storage.set_bound(|bound| bound.set_max_nodes(max_nodes), keep));
    }

    /// Limits the memory for spans, events and their values, as [`Self::set_max_nodes()`] limits their number. The
    /// limit is in bytes, and approximate. Enters and exits take memory as well; with [`Keep::Newest`], the newest ones
    /// keep their moments.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Keep, SharedStorage, TracingEventReceiver, TracingEventSender};
    /// use std::sync::Mutex;
    ///
    /// let storage = SharedStorage::default();
    /// storage.set_max_bytes(10_000, Keep::Oldest);
    /// let receiver = Mutex::new(TracingEventReceiver::capturing(&storage));
    /// let sender = TracingEventSender::new(move |event| receiver.lock().unwrap().receive(event));
    /// tracing::subscriber::with_default(sender, || {
    ///     for _ in 0..1_000 {
    ///         tracing::info!("a message of some length");
    ///     }
    /// });
    /// assert!(storage.lock().left_out() > 800);
    /// ```
    pub fn set_max_bytes(&self, max_bytes: usize, keep: Keep) {
        self.write(|storage| storage.set_bound(|bound| bound.max.bytes = max_bytes, keep));
    }

    /// Keeps the times of everything that happens from now on; see
    /// [`Storage::time_of()`], [`CapturedSpan::busy()`](crate::CapturedSpan::busy) and
    /// [`CapturedSpan::idle()`](crate::CapturedSpan::idle). Earlier records are dropped, except for open spans.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{CaptureLayer, SharedStorage};
    /// use std::time::Duration;
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// let storage = SharedStorage::default();
    /// storage.keep_times();
    /// let subscriber = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
    /// tracing::subscriber::with_default(subscriber, || {
    ///     tracing::info_span!("work").in_scope(|| std::thread::sleep(Duration::from_millis(2)));
    /// });
    /// let trace = storage.lock();
    /// assert!(trace.all_spans().next().unwrap().busy() >= Some(Duration::from_millis(2)));
    /// ```
    pub fn keep_times(&self) {
        self.write(Storage::keep_times);
    }

    /// Notes limits of the capture's view, so hidden records do not count as missing.
    pub(crate) fn set_sight(&self, set: impl FnOnce(&mut Sight)) {
        self.write(|storage| set(&mut storage.sight));
    }

    /// Notes that a thread of the capture has another subscriber, unless that is known: it would wake who waits.
    pub(crate) fn note_bypass(&self) {
        let is_known = self.state().storage.get().sight.is_bypassed;
        if !is_known {
            self.set_sight(|sight| sight.is_bypassed = true);
        }
    }

    /// Looks at what may keep records from this storage, whenever the trace is read.
    fn note_blind_spots(&self) {
        note_bypass_here(self);
        #[cfg(feature = "log")]
        self.note_log_level();
    }

    /// Notes if something has lowered the maximal level of the `log` crate, unless that is known.
    #[cfg(feature = "log")]
    fn note_log_level(&self) {
        let Some(max_level) = logger::lowered_level() else { return };
        let is_new = {
            let state = self.state();
            let sight = &state.storage.get().sight;
            sight.is_native && sight.log_level.is_none_or(|known| max_level < known)
        };
        if is_new {
            self.set_sight(|sight| sight.log_level = Some(max_level));
        }
    }

    /// Looks at what a guest may not have sent, whenever the trace is read. If another storage does so already, the guest
    /// gets a state of its own.
    pub(crate) fn watch_guest(&self, guest: &mut Arc<Unsent>) {
        let guests = &mut self.state().guests;
        if guests.iter().any(|known| Arc::ptr_eq(known, guest)) {
            return;
        }
        if let Some(own) = guest.begin_watch() {
            *guest = Arc::new(own);
        }
        if guests.len() == guests.capacity() {
            // Guests that are gone, and have sent everything.
            guests.retain(|known| Arc::strong_count(known) > 1 || known.why().is_some());
        }
        guests.push(Arc::clone(guest));
    }

    /// Notes that a receiver has lost a record that belongs here.
    pub(crate) fn note_lost(&self, reason: &dyn fmt::Display) {
        self.set_sight(|sight| sight.lost.note(reason));
    }

    /// Lets assertions pass although a receiver has lost records, earlier or later.
    ///
    /// A record is lost if its receiver [refuses](crate::TracingEventReceiver::refusals) it, or if its bytes are
    /// damaged or missing. Records may be missing, too, behind the end of a stream that its program did not
    /// end, or that your host did not read to the end. By default, an assertion that something is *not* in the trace
    /// then fails, since it may have been in one of these records, and so does a snapshot of the whole trace. Call this
    /// if you test how your host handles a broken or hostile program, or if your test kills a child process.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{SharedStorage, TracingEventReceiver, predicates::*};
    ///
    /// let storage = SharedStorage::default();
    /// storage.ignore_lost_records();
    /// let mut receiver = TracingEventReceiver::capturing(&storage);
    /// receiver.receive_encoded(b"no frame").unwrap_err();
    /// storage.lock().scan_events().or_empty().none(&level(tracing::Level::ERROR));
    /// ```
    pub fn ignore_lost_records(&self) {
        self.set_sight(|sight| sight.lost.ignore());
    }

    /// Makes traces include the unattributed records that come into another storage from now on.
    pub(crate) fn set_unattributed(&self, storage: &Self) {
        let unattributed = Unattributed::begin(storage);
        self.change_state(|state| state.unattributed = Some(unattributed));
    }

    /// Returns the unattributed records since the capture started, and the number of records that are gone.
    pub(crate) fn unattributed_since_start(&self) -> Option<(Storage, u64)> {
        let state = self.state();
        let unattributed = state.unattributed.as_ref()?;
        Some(unattributed.storage.lock().since(unattributed.started))
    }

    /// Notes that another layer, or a filter, hides a record of this level and target from the capture. If that is
    /// known, nothing changes: there may be many such records.
    pub(crate) fn note_hidden(&self, metadata: &Metadata<'_>) {
        let is_known = self.state().storage.get().sight.knows_hidden(metadata);
        if !is_known {
            self.set_sight(|sight| sight.note_hidden(metadata));
        }
    }

    /// Notes that the capture has ended.
    pub(crate) fn set_ended(&self) {
        self.shared.has_ended.store(true, Ordering::Release);
    }

    /// Checks whether the capture of the storage has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.shared.has_ended.load(Ordering::Acquire)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Changes the storage, and wakes threads and tasks that wait for a change. The function must not run code of the
    /// user: it runs under a lock.
    #[inline]
    pub(crate) fn write<T>(&self, f: impl FnOnce(&mut Storage) -> T) -> T {
        self.change_state(|state| f(state.storage.get_mut()))
    }

    /// Changes the storage with the help of the names of layers' spans, as [`Self::write()`] does. If the function
    /// returns `None`, that does not count as a change.
    #[inline]
    pub(crate) fn write_named<T>(
        &self,
        f: impl FnOnce(&mut Storage, &mut Names) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.state();
        let state_mut = &mut *state;
        let result = f(state_mut.storage.get_mut(), &mut state_mut.names)?;
        self.changed(state);
        Some(result)
    }

    /// Watches over the records from now on, if there are rules.
    pub(crate) fn watch_over(&self, rules: WatchRules) -> Option<Arc<Watch>> {
        let watch = Watch::new(rules).map(Arc::new);
        self.write(|storage| storage.watch.clone_from(&watch));
        watch
    }

    /// Prints records as they come from now on, if live printing is enabled.
    pub(crate) fn print_live(&self, live: Option<Live>) {
        if let Some(live) = live {
            self.write(|storage| storage.live = Some(Arc::new(live)));
        }
    }

    /// Captures an event. Every event comes into a storage through this or [`Self::emit_named()`], which let
    /// the [`Watch`] over a test see it. It must not be called under a lock: the watch runs code of the user.
    #[inline]
    pub(crate) fn emit(
        &self,
        call_site: &CallSite,
        parent: NewParent,
        values: &mut NewValues,
        thread: ThreadKey,
    ) {
        self.emit_named(call_site, |_| Some(parent), values, thread);
    }

    /// Captures an event as [`Self::emit()`] does, in a span that the function looks up by its name in a layer. If the
    /// function returns `None`, nothing is captured.
    #[inline]
    pub(crate) fn emit_named(
        &self,
        call_site: &CallSite,
        parent: impl FnOnce(&Names) -> Option<NewParent>,
        values: &mut NewValues,
        thread: ThreadKey,
    ) -> Option<()> {
        let mut state = self.state();
        let parent = parent(&state.names)?;
        let storage = state.storage.get_mut();
        let event = storage.push_event(call_site, parent, values, thread);
        match &storage.watch {
            Some(watch) if watch.is_about(call_site.level()) => {
                let watch = Arc::clone(watch);
                let push =
                    |storage: &mut Storage| storage.push_event(call_site, parent, values, thread);
                let number = match state.holding(event, push) {
                    Some((trace, event)) => watch.emitted(trace, event),
                    None => watch.emitted_unseen(call_site),
                };
                self.changed(state);
                if let Some(number) = number {
                    watch.judge(number);
                }
            }
            _ => self.changed(state),
        }
        Some(())
    }

    /// Reads or changes the names of layers' spans.
    pub(crate) fn with_names<T>(&self, f: impl FnOnce(&mut Names) -> T) -> T {
        f(&mut self.state().names)
    }

    #[inline]
    fn change_state<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = f(&mut state);
        self.changed(state);
        result
    }

    #[inline]
    fn changed(&self, mut state: MutexGuard<'_, State>) {
        state.changes += 1;
        if state.waiting > 0 || !state.wakers.is_empty() {
            self.wake(state);
        }
    }

    /// Wakes threads and tasks that wait for a change.
    #[cold]
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        self.shared.changed.notify_all();
        let wakers = mem::take(&mut state.wakers);
        drop(state); // before the wakers, which are code of the user
        for (_, waker) in wakers {
            waker.wake();
        }
    }

    /// Returns the trace so far, and the number of changes so far.
    pub(crate) fn observe(&self) -> (Trace, u64) {
        self.note_blind_spots();
        let mut state = self.state();
        (state.trace(), state.changes)
    }

    /// Waits until there is a further change, or the deadline has passed.
    pub(crate) fn wait_for_change(&self, changes: u64, deadline: Instant) {
        let mut state = self.state();
        state.waiting += 1;
        while state.changes == changes {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting -= 1;
    }

    /// Registers a waker for the next change, and returns its number; `None` if there was a further change already.
    pub(crate) fn wake_on_change(&self, changes: u64, waker: Waker) -> Option<u64> {
        let mut state = self.state();
        if state.changes != changes {
            drop(state); // before the waker, which is code of the user
            return None;
        }
        let number = state.next_waker;
        state.next_waker += 1;
        state.wakers.push((number, waker));
        Some(number)
    }

    /// Removes a waker, unless it was woken.
    pub(crate) fn forget_waker(&self, number: u64) {
        let mut state = self.state();
        let position = state.wakers.iter().position(|(other, _)| *other == number);
        let waker = position.map(|position| state.wakers.swap_remove(position));
        drop(state); // before the waker, which is code of the user
        drop(waker);
    }

    /// Returns the call site of a span that was captured natively, if it is open.
    pub(crate) fn metadata_if_open(&self, span: SpanKey) -> Option<&'static Metadata<'static>> {
        self.state().storage.get().metadata_if_open(span)
    }
}

/// A snapshot of a [`Storage`] at a moment, which derefs to it.
///
/// # Example
///
/// ```
/// use spanshot::Capture;
///
/// let capture = Capture::start();
/// tracing::info!("before");
/// let trace = capture.trace();
/// tracing::info!("after");
/// assert_eq!(trace.all_events().len(), 1);
/// assert_eq!(capture.trace().all_events().len(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct Trace {
    storage: Arc<Storage>,
}

// A trace does not change.
impl UnwindSafe for Trace {}
impl RefUnwindSafe for Trace {}

impl ops::Deref for Trace {
    type Target = Storage;

    fn deref(&self) -> &Storage {
        &self.storage
    }
}

/// Shows the tree of the [`Storage`]. It cuts long values: to assert that a secret is not in the trace, call
/// [`assert_never_contains()`](Storage::assert_never_contains).
impl fmt::Display for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.storage.fmt(formatter)
    }
}

impl serde::Serialize for Trace {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.storage.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use crate::Capture;

    /// A record that comes while a trace is taken may break a negative about this trace, or about the next one.
    #[test]
    fn no_unattributed_record_is_missed_between_traces() {
        const COUNT: usize = 2_000;

        let nobody = Capture::start();
        let capture = Capture::start();
        capture.storage().set_unattributed(nobody.storage());
        let emit = || (0..COUNT).for_each(|number| tracing::info!(number, "whose?"));
        let thread = thread::spawn(nobody.carry(emit));
        let seen = || {
            let trace = capture.take();
            trace.sight.unattributed.as_deref().map_or(0, |storage| storage.all_events().len())
        };
        let mut count = 0;
        while !thread.is_finished() {
            count += seen();
        }
        assert_eq!(count + seen(), COUNT);
    }
}
