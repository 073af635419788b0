use core::mem;

use super::GuestTrace;
use crate::receiver::{
    LocalSpans, PersistedMetadata, PersistedSpans, ReceiverLimits, RestoreError,
    TracingEventReceiver,
};

/// The trace of a suspended guest, to be kept together with the guest's memory.
///
/// Serialize it with serde, and write both to a file if the guest is to outlive this process. The memory must be that of
/// the same moment.
///
/// # Example
///
/// Suspend a guest in the middle of a span, and resume it in a new instance. `examples/workflow` in the repository does
/// so with a file.
///
/// ```
/// use spanshot::{Capture, LocalSpans, link_wasm_guest};
/// use spanshot::transport::wasm_host::{GuestTrace, PersistedGuest};
/// use wasmi::{Engine, Instance, Linker, Module, Store};
///
/// # type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
/// fn instantiate(trace: GuestTrace) -> Result<(Store<GuestTrace>, Instance)> {
///     let engine = Engine::default();
///     let mut linker = Linker::new(&engine);
///     link_wasm_guest!(wasmi, linker, |trace| trace)?;
///     # linker.func_wrap("shop", "price", |item: u32| item)?;
///     # let wasm: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/shop_guest.wasm"));
///     let mut store = Store::new(&engine, trace);
///     let guest = linker.instantiate_and_start(&mut store, &Module::new(&engine, wasm)?)?;
///     Ok((store, guest))
/// }
///
/// # fn call(store: &mut Store<GuestTrace>, guest: Instance, export: &str, argument: u32) -> Result {
/// #     let function = guest.get_func(&*store, export).unwrap();
/// #     let results = function.ty(&*store).results().len();
/// #     let arguments = vec![wasmi::Val::from(argument as i32); function.ty(&*store).params().len()];
/// #     let scope = store.data().scope();
/// #     let mut results = vec![wasmi::Val::I32(0); results];
/// #     Ok(scope.in_scope(|| function.call(store, &arguments, &mut results))?)
/// # }
/// # fn main() -> Result {
/// let capture = Capture::start();
/// let (mut store, guest) = instantiate(GuestTrace::default())?;
/// # call(&mut store, guest, "install", 0)?;
/// call(&mut store, guest, "shift", 7)?; // in the guest's scope; the guest enters a span
///
/// let memory = guest.get_memory(&store, "memory").unwrap().data(&store).to_vec();
/// let (trace, local_spans) = store.into_data().persist();
/// let saved = serde_json::to_string(&trace)?;
///
/// // In another process, pass `LocalSpans::default()` instead:
/// let trace: PersistedGuest = serde_json::from_str(&saved)?;
/// let (mut store, guest) = instantiate(GuestTrace::restore(trace, local_spans)?)?;
/// let resumed = guest.get_memory(&store, "memory").unwrap();
/// let pages = (memory.len() - resumed.data_size(&store)) / 65_536;
/// resumed.grow(&mut store, pages as u64)?;
/// resumed.write(&mut store, 0, &memory)?;
/// call(&mut store, guest, "order", 0)?;
///
/// let expected = "\
/// INFO shift{number=7}
/// ├─ DEBUG open
/// └─ INFO order{items=0 total=0}
///    └─ INFO served";
/// assert_eq!(capture.trace().to_string(), expected);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PersistedGuest {
    metadata: PersistedMetadata,
    spans: PersistedSpans,
    /// Frames that the guest has handed over.
    frames: u64,
    /// Address of the control block.
    control: Option<u32>,
    /// Whether the guest remembers that its host does not want some call sites.
    knows_unwanted: bool,
    /// Whether the guest buffers.
    buffers: bool,
}

spanshot_sender::__record!(PersistedGuest {
    required metadata,
    required spans,
    required frames,
    default control,
    default knows_unwanted,
    default buffers,
});

impl PersistedGuest {
    /// Returns the number of spans that the guest has open.
    pub fn open_spans(&self) -> usize {
        self.spans.len()
    }
}

impl GuestTrace {
    /// Suspends the trace, and returns the state to [restore](Self::restore) it from.
    ///
    /// If you restore it in this process, pass the [`LocalSpans`], and the trace continues in the same spans. In
    /// another process, pass `LocalSpans::default()`, and the open spans are created anew.
    ///
    /// If the guest [buffers](spanshot_sender::wasm_guest::Builder::buffered), the host may read the buffer later, since
    /// it is in the guest's memory, which you keep. To have its records in this trace, [read it](Self::read_buffer)
    /// before you copy the memory. The number of [errors](Self::errors) is not kept, and neither is
    /// [`going_on()`](Self::going_on): call that again.
    ///
    /// # Example
    ///
    /// [`PersistedGuest`] has a whole one. Suspend the guest of a store:
    ///
    /// ```
    /// use spanshot::{LocalSpans, transport::wasm_host::{GuestTrace, PersistedGuest}};
    ///
    /// fn suspend(store: wasmi::Store<GuestTrace>) -> (PersistedGuest, LocalSpans) {
    ///     store.into_data().persist()
    /// }
    /// ```
    pub fn persist(self) -> (PersistedGuest, LocalSpans) {
        let Self { receiver, scope, frames, control, .. } = self;
        let unsent = scope.unsent();
        let (knows_unwanted, buffers) = (unsent.knows_unwanted(), unsent.buffers());
        let metadata = receiver.persist_metadata();
        let (spans, local_spans) = receiver.persist();
        let guest = PersistedGuest { metadata, spans, frames, control, knows_unwanted, buffers };
        (guest, local_spans)
    }

    /// Restores the trace of a suspended guest.
    ///
    /// | you pass | the trace continues in |
    /// |---|---|
    /// | the `local_spans` that came with `guest` | the same spans, in their subscriber or storage |
    /// | `LocalSpans::default()` | the current subscriber, where the guest's open spans are created anew |
    /// | [`LocalSpans::capturing(…)`](LocalSpans::capturing) | a storage, where they are created anew |
    ///
    /// Restore the guest's memory, too. Otherwise records are refused, or attributed to the wrong spans. If the guest
    /// [asks for the filter](spanshot_sender::wasm_guest::Builder::filtered_by_host), call
    /// [`tell_filter()`](Self::tell_filter) with the restored memory. Otherwise the guest learns of another filter only with
    /// its next record, and sends none while it believes that nothing is wanted.
    ///
    /// # Errors
    ///
    /// Returns an error if the parts do not fit together, or exceed the default limits: see
    /// [`TracingEventReceiver::try_new()`].
    ///
    /// # Example
    ///
    /// See [`PersistedGuest`].
    pub fn restore(guest: PersistedGuest, local_spans: LocalSpans) -> Result<Self, RestoreError> {
        Self::restore_with_limits(guest, local_spans, ReceiverLimits::default())
    }

    /// Restores the trace of a suspended guest, as [`restore()`](Self::restore) does, under these limits.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`restore()`](Self::restore), with `limits` in the place of the default ones.
    pub fn restore_with_limits(
        guest: PersistedGuest,
        local_spans: LocalSpans,
        limits: ReceiverLimits,
    ) -> Result<Self, RestoreError> {
        let PersistedGuest { metadata, spans, frames, control, knows_unwanted, buffers } = guest;
        let receiver = TracingEventReceiver::restore_in_scope(
            metadata,
            spans,
            local_spans,
            limits,
            None,
            false,
        )?;
        let mut trace = Self::unwatched(receiver);
        (trace.frames, trace.control) = (frames, control);
        trace.scope.unsent().note_restored(knows_unwanted, buffers);
        trace.watch();
        Ok(trace)
    }

    /// Relays to the current subscriber from now on.
    ///
    /// Call it at the beginning of each test, after you have started the capture, if you keep an instance in a pool. The
    /// guest's open spans are created anew in the current subscriber. In the earlier one, they are exited, and stay open.
    /// Handles that [`scope()`](Self::scope) has returned stay valid.
    ///
    /// In an [attempt](Self::begin_attempt), call it before you call the guest. The attempt goes on here, and
    /// [`roll_back()`](Self::roll_back) goes back to this moment; in the earlier subscriber, it is over.
    ///
    /// If the guest [asks for the filter](spanshot_sender::wasm_guest::Builder::filtered_by_host), also call
    /// [`tell_filter()`](Self::tell_filter) with its memory, before you call the guest. Otherwise the guest goes by what it
    /// knows of the earlier capture's filter, and may send too little. Assertions that something is missing fail then,
    /// and say so.
    ///
    /// # Errors
    ///
    /// Returns an error if the guest's spans cannot be restored within the limits of the receiver. The trace forgets
    /// them then, and refuses records that refer to them.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, transport::wasm_host::GuestTrace};
    ///
    /// let mut trace = {
    ///     let _capture = Capture::start();
    ///     GuestTrace::default() // relays to this capture
    /// };
    /// let capture = Capture::start();
    /// trace.relay_here()?; // and to that one from now on
    /// # Ok::<_, spanshot::receiver::RestoreError>(())
    /// ```
    pub fn relay_here(&mut self) -> Result<(), RestoreError> {
        let limits = self.receiver.limits();
        let receiver = mem::take(&mut self.receiver);
        let is_elsewhere = receiver.is_relaying_elsewhere();
        let is_in_attempt = receiver.is_in_attempt();
        let metadata = receiver.persist_metadata();
        let (spans, _) = receiver.persist();
        let restore = |metadata, spans| {
            let (local_spans, scope) = (LocalSpans::default(), Some(self.scope()));
            TracingEventReceiver::restore_in_scope(
                metadata,
                spans,
                local_spans,
                limits,
                scope,
                is_elsewhere,
            )
        };
        let (receiver, result) = match restore(metadata, spans) {
            Ok(receiver) => (receiver, Ok(())),
            // What the guest sends next is under the same limits, and in the same scope.
            Err(error) => {
                (restore(PersistedMetadata::default(), PersistedSpans::default())?, Err(error))
            }
        };
        self.receiver = receiver;
        if is_in_attempt {
            self.receiver.begin_attempt();
        }
        self.told = None;
        self.watch();
        result
    }

    /// Begins an attempt, which [`roll_back()`](Self::roll_back) undoes.
    ///
    /// Call it right after [`restore()`](Self::restore). See [`TracingEventReceiver::begin_attempt()`].
    ///
    /// # Example
    ///
    /// Retry a call that may trap:
    ///
    /// ```
    /// use spanshot::{
    ///     LocalSpans,
    ///     receiver::RestoreError,
    ///     transport::wasm_host::{GuestTrace, PersistedGuest},
    /// };
    ///
    /// # enum Outcome { Done(GuestTrace), Trapped(GuestTrace) }
    /// # use Outcome::{Done, Trapped};
    /// # fn retry(saved: &PersistedGuest, mut call: impl FnMut(GuestTrace) -> Outcome) -> Result<GuestTrace, RestoreError> {
    /// let mut local_spans = LocalSpans::default(); // or those that came with `saved`
    /// loop {
    ///     let mut trace = GuestTrace::restore(saved.clone(), local_spans)?;
    ///     trace.begin_attempt();
    ///     match call(trace) { // in a new instance, with the memory of `saved`; returns the trace of its store
    ///         Done(trace) => return Ok(trace),
    ///         Trapped(trace) => local_spans = trace.roll_back(),
    ///     }
    /// }
    /// # }
    /// # let (saved, _) = GuestTrace::default().persist();
    /// # let mut calls = 0;
    /// # let call = |trace| { calls += 1; if calls < 3 { Trapped(trace) } else { Done(trace) } };
    /// # retry(&saved, call)?;
    /// # Ok::<_, RestoreError>(())
    /// ```
    pub fn begin_attempt(&mut self) {
        self.receiver.begin_attempt();
    }

    /// Undoes the guest's changes to its open spans since the [attempt began](Self::begin_attempt), and returns these
    /// spans for the next attempt.
    ///
    /// Restore the guest's memory, and [restore](Self::restore) the trace from the same [`PersistedGuest`] as before,
    /// with the spans that this returns. Events and values of the failed attempt stay in the trace.
    ///
    /// # Panics
    ///
    /// Panics if no [attempt has begun](Self::begin_attempt).
    ///
    /// # Example
    ///
    /// See [`Self::begin_attempt()`].
    #[track_caller]
    pub fn roll_back(self) -> LocalSpans {
        self.receiver.roll_back()
    }
}
