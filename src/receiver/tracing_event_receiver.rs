use alloc::boxed::Box;
use core::{cell::OnceCell, fmt, mem};

use super::{
    GuestScope, ReceiveError, ReceiverLimits, Refusals, call_sites, relay::Relay,
    restore::CheckedSpans, stream::Stream, told_sink::ToldSink,
};
use crate::{
    panics,
    wire::{FilterAnswer, Parent, Record, RecordValues, TracingEvent, frame},
};

/// Receives the records of a [`TracingEventSender`](crate::TracingEventSender), and replays them into a subscriber.
///
/// The subscriber is the default one of the thread that creates the receiver. If there is none then, it is the default one of
/// the thread that hands over the first record while there is one. The receiver keeps that subscriber: spans
/// are closed where they were opened.
///
/// Roots of the stream become children of the span that is current in the host when they arrive.
///
/// # Into other subscribers
///
/// The subscriber may be any, or layers of several: it gets the same records, through its filters, that `tracing`'s macros would
/// have given it. These are tested with the real crates, against the same program run natively. Their output is
/// the same, but for times and for the differences named here.
///
/// | subscriber | arrives | differs |
/// |---|---|---|
/// | `tracing_subscriber::fmt` | lines in the spans of guest and host, in each of its formats; span events; error chains | |
/// | its JSON | fields with their types, `span` and `spans` | an `i128` or `u128` that 64 bits hold is a number, not a string |
/// | `tracing-opentelemetry` | spans under the host's span, in its trace; events; errors as exceptions, with their chain, and as statuses; `follows_from` as links | the same; `thread.id` and `thread.name` name the thread that relays |
/// | `tracing-chrome` | spans by thread or by root, with arguments and locations | names of threads |
///
/// A guest that has threads is relayed on as many threads of the host, with the name `spanshot relay`,
/// except for its first one. Records from there that are in none of the guest's spans are in the host's span, too.
/// A record gets the time at which it arrives.
///
/// ```
/// # use spanshot::{ReceiveError, TracingEventReceiver};
/// # fn relay(frames: Vec<Vec<u8>>) -> Result<(), ReceiveError> {
/// let subscriber = tracing_subscriber::fmt().json().finish(); // or the one of the whole program
/// tracing::subscriber::with_default(subscriber, || {
///     let _request = tracing::info_span!("request", id = 7).entered();
///     let mut receiver = TracingEventReceiver::default();
///     frames.iter().try_for_each(|frame| receiver.receive_encoded(frame))
/// })
/// # }
/// # relay(vec![])?;
/// # Ok::<_, ReceiveError>(())
/// ```
///
/// # Dropping
///
/// A receiver that you drop without having [persisted](Self::persist) it rolls back: it exits the spans that
/// the execution has entered, thread by thread and innermost first, and closes the spans that
/// the execution has opened, the newest first. Spans that it was [restored](Self::new) with stay
/// open: they belong to the persisted state.
///
/// # Leaked memory
///
/// `tracing` wants descriptions of call sites to live forever. Each distinct call site, and each
/// distinct string in one, is leaked once a process, for any number of receivers. A receiver
/// that goes the [direct way](Self::capturing) leaks nothing.
///
/// # Example
///
/// ```
/// use spanshot::{TracingEvent, TracingEventReceiver};
///
/// tracing::subscriber::with_default(tracing_subscriber::registry(), || {
///     let mut receiver = TracingEventReceiver::default();
///     let stream = r#"[
///         {"new_call_site":{"id":0,"kind":"span","name":"connect","target":"net","level":"info","fields":[]}},
///         {"new_span":{"id":1,"metadata_id":0,"values":{}}},
///         {"span_entered":{"id":1}},
///         {"span_exited":{"id":1}},
///         {"span_dropped":{"id":1}}
///     ]"#;
///     for event in serde_json::from_str::<Vec<TracingEvent>>(stream).unwrap() {
///         receiver.receive(event);
///     }
/// });
/// ```
pub struct TracingEventReceiver {
    pub(super) stream: Stream,
    pub(super) sink: Box<dyn ToldSink>,
    pub(super) refusals: Refusals,
    /// Whether the sink is ready, and has all spans that wait for it.
    pub(super) is_started: bool,
    /// Spans that wait for the sink to be ready for them.
    pub(super) to_restore: Option<CheckedSpans>,
    /// Whether an attempt begins when these are restored.
    pub(super) is_attempt_due: bool,
    /// Whether a stream of bytes has started.
    has_stream: bool,
}

impl fmt::Debug for TracingEventReceiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TracingEventReceiver")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

impl Default for TracingEventReceiver {
    fn default() -> Self {
        Self::with_sink(Box::new(Relay::new()))
    }
}

impl TracingEventReceiver {
    /// Creates a receiver for a new stream.
    pub(crate) fn with_sink(sink: Box<dyn ToldSink>) -> Self {
        Self {
            stream: Stream::default(),
            sink,
            refusals: Refusals::default(),
            is_started: false,
            to_restore: None,
            is_attempt_due: false,
            has_stream: false,
        }
    }

    /// Sets the limits for a program that may be broken, or hostile. The default is
    /// [`ReceiverLimits::default`].
    ///
    /// They hold for records that come from now on; earlier records stay, and count. To restore a receiver under other limits,
    /// pass them to [`Self::try_new_with_limits()`].
    ///
    /// # Example
    ///
    /// See [`ReceiverLimits`].
    #[must_use]
    pub fn with_limits(mut self, limits: ReceiverLimits) -> Self {
        self.stream.limits = limits;
        self
    }

    /// Returns the limits that the receiver goes by.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{ReceiverLimits, TracingEventReceiver};
    ///
    /// let receiver = TracingEventReceiver::default();
    /// assert_eq!(receiver.limits(), ReceiverLimits::default());
    /// ```
    pub fn limits(&self) -> ReceiverLimits {
        self.stream.limits
    }

    /// Returns how much this receiver has refused so far, and why.
    ///
    /// # Example
    ///
    /// See [`Refusals`].
    pub fn refusals(&self) -> Refusals {
        self.refusals
    }

    /// Returns how many bytes all receivers of this process have leaked so far.
    ///
    /// They are leaked for call sites: see [`ReceiverLimits::max_leaked_bytes()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{ReceiverLimits, TracingEventReceiver};
    ///
    /// // No more than 1 MiB is leaked from now on.
    /// let max = TracingEventReceiver::leaked_bytes() + (1 << 20);
    /// let limits = ReceiverLimits::default().max_leaked_bytes(max);
    /// let receiver = TracingEventReceiver::default().with_limits(limits);
    /// # drop(receiver);
    /// ```
    pub fn leaked_bytes() -> u64 {
        call_sites::leaked_bytes()
    }

    /// Relays the whole stream on threads that the receiver starts, and keeps your thread out of its spans.
    ///
    /// Use it for a program that runs by itself while you read its records, on any thread: a child process whose
    /// frames you decode yourself, say. Each record takes a switch to the other thread and back. For a guest that runs when you
    /// call it, use its [scope](Self::scope) instead, which costs next to nothing.
    ///
    /// Roots of the stream are still children of the span that is current where you call the receiver.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, TracingEvent, TracingEventReceiver};
    ///
    /// let capture = Capture::start();
    /// let mut receiver = TracingEventReceiver::default().relaying_elsewhere();
    /// let stream = r#"[
    ///     {"new_call_site":{"id":0,"kind":"span","name":"job","target":"app","level":"info","fields":[]}},
    ///     {"new_span":{"id":1,"metadata_id":0,"values":{}}},
    ///     {"span_entered":{"id":1}}
    /// ]"#;
    /// for event in serde_json::from_str::<Vec<TracingEvent>>(stream)? {
    ///     receiver.receive(event);
    /// }
    /// tracing::info!("not in the job");
    /// assert_eq!(capture.trace().to_string(), "INFO job{}\nINFO not in the job");
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn relaying_elsewhere(mut self) -> Self {
        self.relay_elsewhere();
        self
    }

    pub(crate) fn relay_elsewhere(&mut self) {
        self.sink.relay_elsewhere();
    }

    pub(crate) fn is_relaying_elsewhere(&self) -> bool {
        self.sink.is_elsewhere()
    }

    /// Prepares for a stream of bytes that starts. If an earlier one has left spans open, its program is gone, and has nothing to
    /// do with this one, whose spans have the same IDs: they are closed, as when the receiver is dropped.
    ///
    /// A restored receiver keeps its spans. They may be those of this stream.
    pub(crate) fn begin_stream(&mut self) {
        if mem::replace(&mut self.has_stream, true) && self.to_restore.is_none() {
            self.stream.begin_anew(&mut *self.sink);
        }
    }

    /// Says whether the records from now on are those of a trace that was read again. Returns what was said before.
    pub(crate) fn set_of_trace(&mut self, is_of_trace: bool) -> bool {
        mem::replace(&mut self.stream.is_of_trace, is_of_trace)
    }

    /// Relays each record on the thread that hands it over: threads of the stream are threads of this process.
    pub(crate) fn relay_in_place(&mut self) {
        self.sink.relay_in_place();
    }

    /// Keeps the host out of the guest's spans between two calls, and returns the handle to call the guest with.
    ///
    /// Without this, the receiving thread is in each span that the guest enters, until the guest exits it, even while
    /// the host does something else. A [`GuestTrace`](crate::transport::wasm_host::GuestTrace) calls this for you.
    ///
    /// From now on, the receiver [refuses](ReceiveError::NotInScope) a record that enters or exits a span, or is in one,
    /// outside of the scope. This goes for the first thread of the stream; the others are relayed on threads of their own.
    ///
    /// # Example
    ///
    /// See [`GuestScope`].
    pub fn scope(&mut self) -> GuestScope {
        self.sink.enter_only_in_scope(None);
        self.sink.scope()
    }

    /// Returns the scope without keeping the host to it.
    pub(crate) fn current_scope(&self) -> GuestScope {
        self.sink.scope()
    }

    /// Has a capture watch the guest of this scope.
    pub(crate) fn watch_guest(&mut self, scope: &GuestScope) {
        scope.watch();
        self.sink.watch_guest(&scope.unsent());
    }

    #[inline]
    pub(super) fn start(&mut self) {
        if !self.is_started {
            self.start_sink();
        }
    }

    /// Prepares the sink for something other than a record, if there is a subscriber. If there is none, spans that wait for
    /// it go on waiting: the one that is there with the first record gets them.
    #[cold]
    pub(super) fn start_if_possible(&mut self) {
        self.sink.start();
        if self.sink.is_ready() {
            self.start();
        }
    }

    #[cold]
    fn start_sink(&mut self) {
        self.sink.start();
        if let Some(spans) = self.to_restore.take() {
            self.stream.restore(spans, &mut *self.sink);
            if mem::take(&mut self.is_attempt_due) {
                self.stream.begin_attempt(&mut *self.sink);
            }
        }
        self.is_started = self.sink.is_ready();
    }

    /// Takes a record, unless it does not fit the earlier ones.
    ///
    /// # Errors
    ///
    /// Returns an error if the event refers to a call site or a span that is not there, uses a
    /// call site or a span in a way that is not possible, has values for which there are no
    /// fields, or exceeds one of the [limits](Self::with_limits). The receiver is as it was before, and can go on.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{ReceiveError, TracingEvent, TracingEventReceiver};
    ///
    /// let mut receiver = TracingEventReceiver::default();
    /// let result = receiver.try_receive(TracingEvent::SpanEntered { id: 1, thread: 0 });
    /// assert_eq!(result, Err(ReceiveError::UnknownSpanId(1)));
    /// ```
    pub fn try_receive(&mut self, event: TracingEvent) -> Result<(), ReceiveError> {
        self.receive_event(event).inspect_err(|error| self.note_refusal(error))
    }

    #[inline]
    fn receive_event(&mut self, event: TracingEvent) -> Result<(), ReceiveError> {
        let owned = OnceCell::new();
        let record = event.map_values(|values| RecordValues::Named(owned.get_or_init(|| values)));
        self.receive_record(record)
    }

    /// Takes a record, as [`Self::try_receive()`] does.
    ///
    /// # Panics
    ///
    /// Panics where [`Self::try_receive()`] returns an error.
    #[track_caller]
    pub fn receive(&mut self, event: TracingEvent) {
        if let Err(error) = self.try_receive(event) {
            panic!("received an invalid event: {error}");
        }
    }

    /// Takes a record in the form of a [frame](crate::transport::frame).
    ///
    /// # Errors
    ///
    /// Returns [`ReceiveError::Frame`] if the bytes are not a frame, and otherwise the errors of
    /// [`Self::try_receive()`]. The receiver is as it was before, and can go on.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use spanshot::{TracingEventReceiver, TracingEventSender};
    ///
    /// let (sender, frames) = mpsc::channel();
    /// let subscriber = TracingEventSender::encoded(move |frame| drop(sender.send(frame.to_vec())));
    /// tracing::subscriber::with_default(subscriber, || tracing::info!(port = 8_080, "listening"));
    ///
    /// tracing::subscriber::with_default(tracing_subscriber::registry(), || {
    ///     let mut receiver = TracingEventReceiver::default();
    ///     for frame in frames {
    ///         receiver.receive_encoded(&frame)?;
    ///     }
    ///     Ok::<_, spanshot::ReceiveError>(())
    /// })?;
    /// # Ok::<_, spanshot::ReceiveError>(())
    /// ```
    pub fn receive_encoded(&mut self, frame: &[u8]) -> Result<(), ReceiveError> {
        self.receive_frame(frame).inspect_err(|error| self.note_refusal(error))
    }

    #[inline]
    fn receive_frame(&mut self, frame: &[u8]) -> Result<(), ReceiveError> {
        self.stream.limits.check_frame(frame)?;
        if self.is_started {
            self.sink.receive_frame(&mut self.stream, frame)
        } else {
            self.receive_record(frame::decode(frame)?)
        }
    }

    /// Tells the captures of the stream that a record does not arrive. Otherwise it would seem never to
    /// have been sent.
    #[cold]
    pub(crate) fn note_loss(&mut self, reason: &dyn fmt::Display) {
        self.start_if_possible();
        self.sink.lose(reason);
    }

    /// Counts a refusal, and has the trace tell of it if the host wants that.
    #[cold]
    fn note_refusal(&mut self, error: &ReceiveError) {
        self.refusals.count(error);
        self.note_loss(error);
        if self.stream.limits.traces_loss() {
            self.stream.trace_loss(error, &mut *self.sink);
        }
    }

    /// Answers a question of the program, whose sender asks
    /// [what the host wants](crate::TracingEventSender::with_host_filter).
    ///
    /// The subscriber of the receiver answers, as natively: in the spans that the program is in. So ask in turn with the
    /// frames of the stream. A
    /// receiver that goes the [direct way](Self::capturing) wants everything.
    ///
    /// Where the subscriber decides anew each time, the next span or event of the call site goes by
    /// the answer; it is not asked again.
    ///
    /// # Errors
    ///
    /// Returns [`ReceiveError::Frame`] if the bytes are not a question, and
    /// [`ReceiveError::LimitExceeded`] if its call site is one too many, or has too much in it; or
    /// [`ReceiveError::NotInScope`] if the program is in a span outside of its [scope](Self::scope). The
    /// receiver is as it was before, and can go on.
    ///
    /// # Example
    ///
    /// See [`TracingEventSender::with_host_filter()`](crate::TracingEventSender::with_host_filter).
    pub fn answer(&mut self, question: &[u8]) -> Result<FilterAnswer, ReceiveError> {
        self.answer_question(question).inspect_err(|error| {
            self.refusals.count(error);
            self.note_loss(error);
        })
    }

    fn answer_question(&mut self, question: &[u8]) -> Result<FilterAnswer, ReceiveError> {
        let limits = self.stream.limits;
        limits.check_frame(question)?;
        let question = frame::decode_question(question)?;
        self.start_if_possible();
        self.stream.check_scope(Parent::Contextual, question.thread, &*self.sink)?;
        self.sink.answer(&question, &limits)
    }

    /// Returns a number that is another one after a filter of this process has changed, as by
    /// `reload` of `tracing-subscriber`: answers that were given before may be others now.
    ///
    /// It changes more often than that, for example when a subscriber is created.
    ///
    /// # Example
    ///
    /// See [`HostFilter`](spanshot_sender::HostFilter).
    pub fn filter_generation() -> u32 {
        call_sites::filter_generation()
    }

    #[inline]
    fn receive_record(&mut self, record: Record<RecordValues<'_>>) -> Result<(), ReceiveError> {
        self.start();
        self.stream.receive(record, &mut *self.sink)
    }
}

impl Drop for TracingEventReceiver {
    fn drop(&mut self) {
        panics::without_second(|| self.stream.roll_back(&mut *self.sink));
    }
}
