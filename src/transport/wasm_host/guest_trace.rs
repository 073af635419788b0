use super::{
    GuestError,
    batch::{Batch, Cut},
    memory::{guest_bytes, read_u32, write_u32},
};
use crate::{
    panics::Steps,
    receiver::{GuestScope, ReceiveError, TracingEventReceiver},
    transport::wasm::{CONTROL_LEN, VERSION},
    wire::{FilterAnswer, TracingEvent},
};

/// Offsets in the control block.
mod offset {
    pub(super) const GENERATION: u32 = 0;
    pub(super) const BUFFER: u32 = 4;
    pub(super) const LEN: u32 = 8;
}

/// The trace of one instance of a guest, kept by its host: takes the guest's records, and relays them.
///
/// Create it with `GuestTrace::default()` to relay to the subscriber that is current then. Put it into the data of the
/// engine's store, link the guest's imports with [`link_wasm_guest!`](crate::link_wasm_guest), and call the guest in its
/// [scope](Self::scope): see the [example](super).
///
/// `send`, `hello`, `flush` and `ask` are the imports of [the agreement](crate::transport::wasm), for hosts that do
/// without the macro.
///
/// # Example
///
/// Without an engine, and into a storage:
///
/// ```
/// use spanshot::{SharedStorage, TracingEventReceiver, transport::wasm_host::GuestTrace};
///
/// let storage = SharedStorage::default();
/// let mut trace = GuestTrace::new(TracingEventReceiver::capturing(&storage));
/// // In the function that the guest imports:
/// # let (memory, address, len) = (b"\x20\0\0\x02\x04name\x06target\0\0\0\0".as_slice(), 0, 20);
/// trace.send(memory, address, len)?;
/// # Ok::<_, spanshot::transport::wasm_host::GuestError>(())
/// ```
#[derive(Debug)]
pub struct GuestTrace {
    pub(super) receiver: TracingEventReceiver,
    pub(super) scope: GuestScope,
    /// Frames that the guest has handed over.
    ///
    /// The persisted number may be any: it saturates.
    pub(super) frames: u64,
    /// Address of the control block.
    pub(super) control: Option<u32>,
    /// Generation of the filter that the guest was told of.
    pub(super) told: Option<u32>,
    goes_on: bool,
    first_error: Option<GuestError>,
    errors: u64,
}

impl Default for GuestTrace {
    fn default() -> Self {
        Self::new(TracingEventReceiver::default())
    }
}

impl GuestTrace {
    /// Creates the trace of a new instance, whose records this receiver takes.
    ///
    /// The receiver stays with its subscriber: in a test, start the [`Capture`](crate::Capture) before you create the
    /// receiver. If you keep the instance for the next test, call [`relay_here()`](Self::relay_here) there. If you
    /// forget it, the records are lost. Assertions of the next capture that something is missing fail then, and say so.
    pub fn new(receiver: TracingEventReceiver) -> Self {
        let mut trace = Self::unwatched(receiver);
        trace.watch();
        trace
    }

    /// Has the capture of the receiver look at what the guest does not send.
    pub(super) fn watch(&mut self) {
        self.receiver.watch_guest(&self.scope);
    }

    pub(super) fn unwatched(mut receiver: TracingEventReceiver) -> Self {
        let scope = receiver.scope();
        Self {
            receiver,
            scope,
            frames: 0,
            control: None,
            told: None,
            goes_on: false,
            first_error: None,
            errors: 0,
        }
    }

    /// Returns the handle with which you run the guest: in `scope.in_scope(|| …)`, or as a future in
    /// `scope.in_scope_async(…)`.
    ///
    /// Take it before you call the guest, which borrows the store. If you forget the scope, the guest traps with
    /// [`ReceiveError::NotInScope`](crate::ReceiveError::NotInScope) when it enters or exits a span, or traces in one, since nobody could
    /// tell which of the host's records are in that span. A receiver that fills a storage directly needs no scope.
    ///
    /// # Example
    ///
    /// See [`GuestScope::in_scope()`].
    pub fn scope(&self) -> GuestScope {
        self.scope.clone()
    }

    /// Counts errors, and lets the guest run on, instead of trapping it.
    ///
    /// Check [`errors()`](Self::errors) at the end of your test: the records that were refused are missing from the trace.
    /// Assertions that something is not in the trace fail then; a test that means it calls
    /// [`ignore_lost_records()`](crate::CaptureBuilder::ignore_lost_records).
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::transport::wasm_host::GuestTrace;
    ///
    /// let mut trace = GuestTrace::default().going_on();
    /// trace.send(b"no frame", 0, 8)?;
    /// trace.send(b"no frame", 7, 1)?;
    /// assert_eq!(trace.errors(), 2);
    /// assert_eq!(
    ///     trace.first_error().unwrap().to_string(),
    ///     "frame 0 of the guest, at address 0: invalid frame: it is of version 3, and only 1 can be read"
    /// );
    /// # Ok::<_, spanshot::transport::wasm_host::GuestError>(())
    /// ```
    #[must_use]
    pub fn going_on(mut self) -> Self {
        self.goes_on = true;
        self
    }

    /// Returns the first error, whether the guest trapped or [ran on](Self::going_on).
    pub fn first_error(&self) -> Option<&GuestError> {
        self.first_error.as_ref()
    }

    /// Returns the number of errors, whether the guest trapped or [ran on](Self::going_on).
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// Returns how many frames the guest has handed over, those that were refused included.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Returns the receiver of the stream: for what it has [refused](TracingEventReceiver::refusals), for example.
    pub fn receiver(&self) -> &TracingEventReceiver {
        &self.receiver
    }

    /// Takes a record of a guest that hands over something else than frames: JSON, say.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`TracingEventReceiver::try_receive()`].
    ///
    /// # Example
    ///
    /// See [`guest_bytes()`](super::guest_bytes), which finds the record in the guest's memory.
    pub fn try_receive(&mut self, event: TracingEvent) -> Result<(), ReceiveError> {
        self.receiver.try_receive(event)
    }

    /// Takes one frame: the import `send`.
    ///
    /// # Errors
    ///
    /// Returns an error if the frame is not in the memory, or if the receiver refuses it. Earlier records are kept, and
    /// you may pass the next frame. With [`going_on()`](Self::going_on), the error is counted, and not returned.
    pub fn send(&mut self, memory: &[u8], address: u32, len: u32) -> Result<(), GuestError> {
        let result = guest_bytes(memory, address, len)
            .and_then(|frame| receive(&mut self.receiver, self.frames, address, frame));
        self.frames = self.frames.saturating_add(1);
        self.note_run();
        self.check(result)
    }

    /// Notes that the guest runs, if it may keep records to itself.
    fn note_run(&self) {
        if self.control.is_some() {
            self.scope.note_run();
        }
    }

    /// Notes where the control block of a guest that buffers or asks is: the import `hello`.
    ///
    /// # Errors
    ///
    /// Returns an error if the guest is of another version of the agreement, or if its control block
    /// is not in its memory. With [`going_on()`](Self::going_on), the error is counted, and not returned; the guest
    /// does not learn of changed filters then, and its buffer is not read.
    pub fn hello(
        &mut self,
        memory: &mut [u8],
        version: u32,
        control: u32,
    ) -> Result<(), GuestError> {
        if version != VERSION {
            return self.check(Err(GuestError::UnsupportedVersion {
                actual: version,
                supported: VERSION,
            }));
        }
        if let Err(error) = guest_bytes(memory, control, CONTROL_LEN) {
            return self.check(Err(error));
        }
        self.control = Some(control);
        self.told = None;
        self.tell_filter(memory);
        self.scope
            .unsent()
            .set_buffers(read_u32(memory, control, offset::BUFFER).unwrap_or_default() != 0);
        self.scope.note_run();
        Ok(())
    }

    /// Answers a question of the guest: the import `ask`, which returns the
    /// [code](FilterAnswer::code) of the answer.
    ///
    /// # Errors
    ///
    /// Returns an error if the question is not in the memory, or is invalid. With [`going_on()`](Self::going_on), the
    /// error is counted, and the answer is [`Always`](FilterAnswer::Always).
    pub fn ask(
        &mut self,
        memory: &[u8],
        address: u32,
        len: u32,
    ) -> Result<FilterAnswer, GuestError> {
        let answer = guest_bytes(memory, address, len).and_then(|question| {
            let answer = self.receiver.answer(question);
            answer.map_err(|error| GuestError::InvalidQuestion { address, error })
        });
        self.note_run();
        match answer {
            Ok(answer) => {
                // Which of the two it is depends on other subscribers of the process, and no verdict should.
                if matches!(answer, FilterAnswer::Never | FilterAnswer::NotNow) {
                    self.scope.unsent().note_unwanted();
                }
                Ok(answer)
            }
            Err(error) => self.check(Err(error)).map(|()| FilterAnswer::Always),
        }
    }

    /// Takes the frames in the buffer when the guest asks for it: the import `flush`.
    ///
    /// # Errors
    ///
    /// Returns an error if the guest has not called `hello` of this `GuestTrace`, which would have said where
    /// the buffer is. Otherwise returns the errors of [`read_buffer()`](Self::read_buffer).
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::transport::wasm_host::{GuestError, GuestTrace};
    ///
    /// let mut trace = GuestTrace::default();
    /// assert_eq!(trace.flush(&mut [0; 64]), Err(GuestError::NoHello));
    /// assert_eq!(trace.read_buffer(&mut [0; 64]), Ok(())); // there may be none
    /// ```
    pub fn flush(&mut self, memory: &mut [u8]) -> Result<(), GuestError> {
        if self.control.is_none() {
            return self.check(Err(GuestError::NoHello));
        }
        // Not in a scope of its own: the guest has to be called in one.
        let result = self.take_buffer(memory);
        self.note_run();
        result
    }

    /// Takes the frames that a guest that [buffers](spanshot_sender::wasm_guest::Builder::buffered) has not sent yet.
    ///
    /// The buffer is empty afterwards. For other guests, this does nothing. It runs no code of the guest.
    ///
    /// Call it at two places:
    ///
    /// - after each call of the guest, whether it has returned or trapped, when its [scope](Self::scope) has ended;
    /// - in functions that the guest calls, before they trace, as
    ///   [this example](super::concurrent_hosts#functions-that-the-guest-calls) does.
    ///
    /// If you forget the first, the guest's last records are missing, or come with the next call. Until you have read the
    /// buffer, assertions that something is missing fail, and so do snapshots and the checks of the capture. They know that
    /// the guest has run since by its scope, and by its calls of spanshot's imports. If you call it outside of its scope,
    /// as you may if it enters no span, or if the receiver fills a storage directly, and it calls none of these imports,
    /// nobody notices.
    ///
    /// # Errors
    ///
    /// Tries all frames, and returns the first error of [`send()`](Self::send) among them. Also returns
    /// an error if the buffer is not in the memory, or ends in the middle of a frame. With
    /// [`going_on()`](Self::going_on), errors are counted, and not returned.
    ///
    /// # Example
    ///
    /// In wasmi or wasmtime, where the store's data is the [`GuestTrace`]:
    ///
    /// ```
    /// # use spanshot::transport::wasm_host::{GuestError, GuestTrace};
    /// # fn run(instance: wasmi::Instance, mut store: wasmi::Store<GuestTrace>) -> Result<(), GuestError> {
    /// # let run = instance.get_typed_func::<(), ()>(&store, "run").unwrap();
    /// let scope = store.data().scope();
    /// let result = scope.in_scope(|| run.call(&mut store, ()));
    ///
    /// let memory = instance.get_memory(&mut store, "memory").unwrap();
    /// let (memory, trace) = memory.data_and_store_mut(&mut store);
    /// trace.read_buffer(memory)?; // also if the guest has trapped
    /// # let _ = result;
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_buffer(&mut self, memory: &mut [u8]) -> Result<(), GuestError> {
        let Some(control) = self.control else { return Ok(()) };
        self.tell_filter(memory);
        if guest_bytes(memory, control, CONTROL_LEN).is_err() {
            return Ok(()); // it is another memory
        }
        let scope = self.scope();
        scope.read(|| self.take_buffer(memory))
    }

    fn take_buffer(&mut self, memory: &mut [u8]) -> Result<(), GuestError> {
        let Some(control) = self.control else { return Ok(()) };
        let read = |offset| read_u32(memory, control, offset);
        let (Some(address), Some(len)) = (read(offset::BUFFER), read(offset::LEN)) else {
            return Ok(());
        };
        if address == 0 || len == 0 {
            return Ok(());
        }
        let mut steps = Steps::default();
        let result = self.receive_batch(memory, address, len, &mut steps);
        write_u32(memory, control, offset::LEN, 0);
        steps.end();
        result
    }

    /// Takes the frames of a batch. If the subscriber panics at one, it gets the others all the same: the guest has traced
    /// them, and they do not come again.
    fn receive_batch(
        &mut self,
        memory: &[u8],
        address: u32,
        len: u32,
        steps: &mut Steps,
    ) -> Result<(), GuestError> {
        let batch = match guest_bytes(memory, address, len) {
            Ok(batch) => batch,
            Err(error) => return self.check(Err(error)),
        };
        let mut result = Ok(());
        for frame in Batch::new(batch, address) {
            let received = match frame {
                Ok((address, frame)) => {
                    let mut received = Ok(());
                    steps.run(|| {
                        received = receive(&mut self.receiver, self.frames, address, frame);
                    });
                    received
                }
                Err(Cut { address, left }) => {
                    Err(GuestError::CutBatch { frame: self.frames, address, left })
                }
            };
            self.frames = self.frames.saturating_add(1);
            result = result.and(self.check(received));
        }
        result
    }

    /// Tells a guest that [asks](spanshot_sender::wasm_guest::Builder::filtered_by_host) if the host's filter
    /// may have changed.
    ///
    /// [`link_wasm_guest!`](crate::link_wasm_guest) does so whenever the guest calls one of its functions, and
    /// [`read_buffer()`](Self::read_buffer) does so, too. A guest that was told that nothing is wanted has no reason to
    /// call anything. So call this yourself, before you call the guest:
    ///
    /// - after [`relay_here()`](Self::relay_here) and [`restore()`](Self::restore). If you forget it, and the guest may
    ///   have sent too little, assertions that something is missing fail, and say so;
    /// - after a filter has changed while the guest did not run, by `reload` of `tracing-subscriber` for example. If you
    ///   forget this, nobody notices.
    ///
    /// # Example
    ///
    /// In wasmi or wasmtime, for an instance of a pool:
    ///
    /// ```
    /// # use spanshot::{receiver::RestoreError, transport::wasm_host::GuestTrace};
    /// # fn next_test(instance: wasmi::Instance, mut store: wasmi::Store<GuestTrace>) -> Result<(), RestoreError> {
    /// let memory = instance.get_memory(&mut store, "memory").unwrap();
    /// let (memory, trace) = memory.data_and_store_mut(&mut store);
    /// trace.relay_here()?;
    /// trace.tell_filter(memory);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tell_filter(&mut self, memory: &mut [u8]) {
        let Some(control) = self.control else { return };
        let generation = TracingEventReceiver::filter_generation();
        if self.told != Some(generation) || self.scope.unsent().is_outdated() {
            // Any other number will do. That of this process may be the one which the guest has from another.
            let told = read_u32(memory, control, offset::GENERATION).unwrap_or_default();
            write_u32(memory, control, offset::GENERATION, told.wrapping_add(1));
            self.told = Some(generation);
            self.scope.unsent().note_told();
        }
    }

    /// Notes that a guest has no memory that it could hand over something from.
    #[doc(hidden)]
    pub fn has_no_memory(&mut self) -> Result<(), GuestError> {
        self.check(Err(GuestError::NoMemory))
    }

    fn check(&mut self, result: Result<(), GuestError>) -> Result<(), GuestError> {
        let Err(error) = result else { return Ok(()) };
        if !matches!(error, GuestError::Refused { .. } | GuestError::InvalidQuestion { .. }) {
            self.receiver.note_loss(&error); // of these two, the receiver knows
        }
        self.errors += 1;
        if self.first_error.is_none() {
            self.first_error = Some(error.clone());
        }
        if self.goes_on { Ok(()) } else { Err(error) }
    }
}

fn receive(
    receiver: &mut TracingEventReceiver,
    number: u64,
    address: u32,
    frame: &[u8],
) -> Result<(), GuestError> {
    let result = receiver.receive_encoded(frame);
    result.map_err(|error| GuestError::Refused { frame: number, address, error })
}
