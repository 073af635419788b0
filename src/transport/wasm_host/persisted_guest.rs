use core::mem;

use serde::{Deserialize, Serialize};

use super::GuestTrace;
use crate::receiver::{
    LocalSpans, PersistedMetadata, PersistedSpans, ReceiverLimits, RestoreError,
    TracingEventReceiver,
};

/// What a host has to keep of a guest's trace while the guest is suspended, in one piece.
///
/// Keep it together with the guest's memory: in a file, if the guest is to outlive this process. It is
/// serialized with serde.
///
/// # Example
///
/// ```
/// use spanshot::{LocalSpans, transport::wasm_host::{GuestTrace, PersistedGuest}};
///
/// # let subscriber = tracing_subscriber::registry();
/// # let _guard = tracing::subscriber::set_default(subscriber);
/// let trace = GuestTrace::default(); // of a guest, which is suspended
/// let (guest, _local_spans) = trace.persist();
/// let file = serde_json::to_string(&guest)?;
///
/// // In another process, perhaps:
/// let guest: PersistedGuest = serde_json::from_str(&file)?;
/// let trace = GuestTrace::restore(guest, LocalSpans::default())?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersistedGuest {
    metadata: PersistedMetadata,
    spans: PersistedSpans,
    /// Frames that the guest has handed over.
    frames: u64,
    /// Address of the control block.
    control: Option<u32>,
}

impl PersistedGuest {
    /// Returns the number of spans that the guest has open.
    pub fn open_spans(&self) -> usize {
        self.spans.len()
    }
}

impl GuestTrace {
    /// Ends the trace, and returns all that it takes to go on with it.
    ///
    /// [Restore](Self::restore) it with the [`LocalSpans`] if you go on in this process, and the spans are the same. In
    /// another process, pass the default ones: the open spans are created anew.
    ///
    /// Of a guest that [buffers](spanshot_sender::wasm_guest::Builder::buffered), [read the buffer](Self::read_buffer)
    /// before, or keep the guest's memory as it is now: what is in the buffer is read later then. Errors that were
    /// [counted](Self::errors) are not kept, nor is whether the host [goes on](Self::going_on).
    ///
    /// # Example
    ///
    /// Suspend the guest of a store:
    ///
    /// ```
    /// use spanshot::{LocalSpans, transport::wasm_host::{GuestTrace, PersistedGuest}};
    ///
    /// fn suspend(store: wasmi::Store<GuestTrace>) -> (PersistedGuest, LocalSpans) {
    ///     store.into_data().persist()
    /// }
    /// ```
    pub fn persist(self) -> (PersistedGuest, LocalSpans) {
        let Self { receiver, frames, control, .. } = self;
        let metadata = receiver.persist_metadata();
        let (spans, local_spans) = receiver.persist();
        (PersistedGuest { metadata, spans, frames, control }, local_spans)
    }

    /// Goes on with the trace of a guest that was suspended.
    ///
    /// Pass the `local_spans` of the same guest, and the trace goes on in the subscriber, or the storage, that they
    /// live in. Pass the default ones, and the guest's open spans are created anew in the current subscriber; pass
    /// [`LocalSpans::capturing()`], and in a storage.
    ///
    /// A guest that [asks](spanshot_sender::wasm_guest::Builder::filtered_by_host) learns with its next record that the
    /// filter may be another one; [tell it](Self::tell_filter) before, if it may have nothing to send.
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

    /// Goes on with the trace of a guest, as [`restore()`](Self::restore) does, under these limits.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`restore()`](Self::restore), with `limits` in the place of the default ones.
    pub fn restore_with_limits(
        guest: PersistedGuest,
        local_spans: LocalSpans,
        limits: ReceiverLimits,
    ) -> Result<Self, RestoreError> {
        let PersistedGuest { metadata, spans, frames, control } = guest;
        let receiver = TracingEventReceiver::restore_in_scope(
            metadata,
            spans,
            local_spans,
            limits,
            None,
            false,
        )?;
        let mut trace = Self::new(receiver);
        (trace.frames, trace.control) = (frames, control);
        Ok(trace)
    }

    /// Relays to the current subscriber from now on: that of the next test, for an instance that is kept in a pool.
    ///
    /// The guest's open spans are created anew there. In the subscriber before, they stay open, and are exited. Handles
    /// that [`scope()`](Self::scope) has returned stay valid.
    ///
    /// # Errors
    ///
    /// Returns an error if the guest has sent what cannot be restored within the limits of the receiver. The trace is
    /// that of a new guest then, which refuses records of what it does not know.
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
    /// # Ok::<_, spanshot::RestoreError>(())
    /// ```
    pub fn relay_here(&mut self) -> Result<(), RestoreError> {
        let limits = self.receiver.limits();
        let receiver = mem::take(&mut self.receiver);
        let is_elsewhere = receiver.is_relaying_elsewhere();
        let metadata = receiver.persist_metadata();
        let (spans, _) = receiver.persist();
        let (local_spans, scope) = (LocalSpans::default(), Some(self.scope()));
        self.receiver = TracingEventReceiver::restore_in_scope(
            metadata,
            spans,
            local_spans,
            limits,
            scope,
            is_elsewhere,
        )?;
        self.told = None;
        Ok(())
    }

    /// Begins an attempt, which [`roll_back()`](Self::roll_back) undoes.
    ///
    /// See [`TracingEventReceiver::begin_attempt()`].
    pub fn begin_attempt(&mut self) {
        self.receiver.begin_attempt();
    }

    /// Undoes what the guest did since the [attempt began](Self::begin_attempt), and returns what the next one needs.
    ///
    /// Restore the guest's memory, and [restore](Self::restore) the trace from the same [`PersistedGuest`] as before,
    /// with the spans that are returned. See [`TracingEventReceiver::roll_back()`].
    pub fn roll_back(self) -> LocalSpans {
        self.receiver.roll_back()
    }
}
