use core::fmt;

use tracing_core::{
    Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Current, Id, Record},
};

use super::{
    call_sites::CallSites,
    context::{Context, Thread},
    counter::Cell,
    filter::Filter,
    host_filter::AskedHost,
    output::{Outgoing, Output},
    span_id,
};
use super::{frames::Frames, host_filter::HostFilter};
use crate::wire::{MetadataId, Parent, RawSpanId, TracingEvent};

/// `tracing` subscriber that hands out everything it is told, to be replayed elsewhere.
///
/// One sender serves all threads of a program, and makes one stream. The function is called on
/// the thread that traces, once a record, before the traced code goes on; everything traced
/// until a trap, a panic or a kill has left the program by then. If several threads trace at once,
/// the function is called by them at once, and has to keep the records of each in order. The
/// function may trace: what it traces is not sent.
///
/// In WebAssembly the function must not trace, or it would be called for that, too, without an end. There, a
/// trap may end the function at any instruction, and [the sender traces on](crate::wasm#traps)
/// when the module is called again; so it cannot remember that it is in the function. Install it as the
/// global default there: a scoped one is not used again after a trap, since `tracing` remembers being in it.
///
/// Call sites are announced when they are first used, with small sequential IDs. They are known
/// to the stream from then on. Receive a stream from its beginning.
///
/// # Example
///
/// ```
/// use std::sync::mpsc;
/// use spanshot::{TracingEvent, TracingEventSender};
///
/// let (sender, receiver) = mpsc::channel();
/// let subscriber = TracingEventSender::new(move |event| drop(sender.send(event)));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
/// });
///
/// let spans = receiver.iter().filter(|event| matches!(event, TracingEvent::NewSpan { .. }));
/// assert_eq!(spans.count(), 1);
/// ```
pub struct TracingEventSender<F = fn(TracingEvent)> {
    next_span: Cell,
    /// Number of the first span of this stream: those below are of an earlier one.
    first_span: RawSpanId,
    call_sites: CallSites,
    context: Context,
    filter: Filter,
    host: AskedHost,
    output: F,
}

impl<F> fmt::Debug for TracingEventSender<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TracingEventSender").finish_non_exhaustive()
    }
}

impl<F: Fn(TracingEvent) + Send + Sync + 'static> TracingEventSender<F> {
    /// Creates a sender that hands out [`TracingEvent`]s, for serde to put into any format.
    pub fn new(on_event: F) -> Self {
        Self::with_output(on_event)
    }
}

impl TracingEventSender {
    /// Creates a sender that hands out [frames](crate::frame): one a record, encoded without an
    /// allocation in the ordinary case.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use spanshot::TracingEventSender;
    ///
    /// let lengths = Arc::new(Mutex::new(vec![]));
    /// let pushed = Arc::clone(&lengths);
    /// let subscriber = TracingEventSender::encoded(move |frame: &[u8]| {
    ///     pushed.lock().unwrap().push(frame.len());
    /// });
    /// tracing::subscriber::with_default(subscriber, || {
    ///     drop(tracing::info_span!("connect", port = 8_080));
    /// });
    /// // The call site comes first; the span itself is 6 bytes, and its end 2.
    /// assert_eq!(lengths.lock().unwrap()[1..], [7, 2]);
    /// ```
    pub fn encoded<G>(on_frame: G) -> TracingEventSender<Frames<G>>
    where
        G: Fn(&[u8]) + Send + Sync + 'static,
    {
        TracingEventSender::with_output(Frames { on_frame })
    }
}

/// Number of a sender's first span; 0 is no ID.
const FIRST_SPAN: RawSpanId = 1;

impl<F> TracingEventSender<F> {
    fn with_output(output: F) -> Self {
        Self {
            next_span: Cell::new(FIRST_SPAN),
            first_span: FIRST_SPAN,
            call_sites: CallSites::new(),
            context: Context::new(),
            filter: Filter::new(),
            host: AskedHost::new(),
            output,
        }
    }

    /// The ID of a span that nobody is told of.
    #[cfg(feature = "std")]
    pub(crate) fn unsent() -> Id {
        span_id::unsent()
    }

    /// Begins a new stream in place of one that has ended: a program may still have spans of that,
    /// and nothing is told of them, since their numbers are not used again.
    #[cfg(feature = "std")]
    pub(crate) fn succeeding<G>(mut self, predecessor: &TracingEventSender<G>) -> Self {
        self.first_span = predecessor.next_span.increment();
        self.next_span = Cell::new(self.first_span);
        self
    }

    /// Sends spans and events up to this level of verbosity only.
    ///
    /// More verbose records cost your program next to nothing: they are neither formatted nor encoded.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use spanshot::TracingEventSender;
    /// use tracing::level_filters::LevelFilter;
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// let subscriber = TracingEventSender::new(move |event| drop(sender.send(event)))
    ///     .with_max_level(LevelFilter::INFO);
    /// tracing::subscriber::with_default(subscriber, || tracing::debug!("not sent"));
    /// assert_eq!(receiver.iter().count(), 0);
    /// ```
    #[must_use]
    pub fn with_max_level(mut self, max_level: LevelFilter) -> Self {
        self.filter.set_max_level(max_level);
        self
    }

    /// Sends only records of call sites for which the predicate returns `true`. If you add several predicates, all have to
    /// return `true`.
    ///
    /// `tracing` remembers the answer for a call site: always give the same one. Records that are
    /// filtered out are neither formatted nor encoded.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use spanshot::TracingEventSender;
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// let subscriber = TracingEventSender::new(move |event| drop(sender.send(event)))
    ///     .with_filter(|metadata| metadata.target().starts_with("plugin"));
    /// tracing::subscriber::with_default(subscriber, || {
    ///     tracing::info!(target: "plugin::math", "sent");
    ///     tracing::info!(target: "hyper", "not sent");
    /// });
    /// assert_eq!(receiver.iter().count(), 2); // the call site, and the event
    /// ```
    #[must_use]
    pub fn with_filter<P>(mut self, predicate: P) -> Self
    where
        P: Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
    {
        self.filter.add(predicate);
        self
    }

    /// Asks the host which call sites it wants (always, never, or now), and sends only their records.
    ///
    /// With this, the program is under the filter of the host as if it traced there: unwanted
    /// records are neither formatted nor sent, `enabled!` answers as it would natively, a disabled span
    /// is disabled in the program, too, and `Span::current()` is the enabled one around it. The
    /// filters of the sender itself come first.
    ///
    /// # Example
    ///
    /// A host in the same process, for which the question goes through no boundary:
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use spanshot::{Capture, TracingEventReceiver};
    /// use spanshot_sender::{FilterAnswer, TracingEventSender};
    /// use tracing::{Level, enabled};
    ///
    /// let capture = Capture::builder().filter("info,noisy=off").start();
    /// let host = Arc::new(Mutex::new(TracingEventReceiver::default()));
    /// let asked = Arc::clone(&host);
    /// let subscriber = TracingEventSender::encoded(move |frame: &[u8]| {
    ///     host.lock().unwrap().receive_encoded(frame).unwrap();
    /// })
    /// .with_host_filter(move |question: &[u8]| asked.lock().unwrap().answer(question).unwrap());
    ///
    /// tracing::subscriber::with_default(subscriber, || {
    ///     assert!(enabled!(Level::INFO));
    ///     assert!(!enabled!(Level::DEBUG));
    ///     assert!(!enabled!(target: "noisy", Level::ERROR));
    /// });
    /// ```
    #[must_use]
    pub fn with_host_filter(mut self, host: impl HostFilter + 'static) -> Self {
        self.host = AskedHost::asking(host);
        self
    }
}

impl<F> TracingEventSender<F> {
    /// Returns the ID of a call site, and announces it unless that is done. There is none when IDs
    /// have run out, and then nothing can be said of the call site.
    fn call_site(&self, metadata: &'static Metadata<'static>, thread: &Thread<'_>) -> Option<u32>
    where
        F: Output,
    {
        let (id, call_site) = self.call_sites.get_or_insert(metadata)?;
        if !call_site.is_announced() {
            self.announce(id, metadata, thread);
            call_site.set_announced();
        }
        Some(id)
    }

    #[cold]
    fn announce(&self, id: u32, metadata: &'static Metadata<'static>, thread: &Thread<'_>)
    where
        F: Output,
    {
        let outgoing = Outgoing::NewCallSite { id: MetadataId::from(id), metadata };
        self.output.emit(&outgoing, thread);
    }

    /// Whether the span was told of in this stream.
    fn is_sent(&self, id: &Id) -> bool {
        span_id::number(id) >= self.first_span
    }

    /// The current thread, if there is anything to be told of what happens in it to a span.
    fn thread_telling_of(&self, id: &Id) -> Option<Thread<'_>> {
        if !self.is_sent(id) {
            return None;
        }
        let thread = self.context.thread();
        if thread.is_sending() { None } else { Some(thread) }
    }

    fn parent(&self, is_contextual: bool, explicit: Option<&Id>) -> Parent {
        match explicit {
            Some(id) if !self.is_sent(id) => Parent::Root,
            Some(id) => Parent::Explicit(span_id::number(id)),
            None if is_contextual => Parent::Contextual,
            None => Parent::Root,
        }
    }
}

impl<F: Output + 'static> Subscriber for TracingEventSender<F> {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.filter.is_enabled(metadata) {
            self.host.register(metadata, &self.call_sites)
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.is_enabled(metadata)
            && self.host.is_enabled(metadata, &self.call_sites, &self.context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.filter.max_level().min(self.host.max_level()))
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let thread = self.context.thread();
        if thread.is_sending() {
            return span_id::unsent();
        }
        let Some(call_site) = self.call_site(attributes.metadata(), &thread) else {
            return span_id::unsent();
        };
        let number = self.next_span.increment();
        let Some(id) = span_id::pack(number, call_site) else { return span_id::unsent() };
        let outgoing = Outgoing::NewSpan {
            id: number,
            parent: self.parent(attributes.is_contextual(), attributes.parent()),
            call_site: MetadataId::from(call_site),
            values: attributes,
            thread: thread.index(),
        };
        self.output.emit(&outgoing, &thread);
        id
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let Some(thread) = self.thread_telling_of(id) else { return };
        let call_site = span_id::call_site(id);
        let metadata = call_site.and_then(|call_site| self.call_sites.metadata(call_site));
        let id = span_id::number(id);
        self.output.emit(&Outgoing::ValuesRecorded { id, metadata, values }, &thread);
    }

    fn record_follows_from(&self, id: &Id, follows_from: &Id) {
        let Some(thread) = self.thread_telling_of(id) else { return };
        if self.is_sent(follows_from) {
            let (id, follows_from) = (span_id::number(id), span_id::number(follows_from));
            self.output.emit(&Outgoing::FollowsFrom { id, follows_from }, &thread);
        }
    }

    fn event(&self, event: &Event<'_>) {
        let thread = self.context.thread();
        if thread.is_sending() {
            return;
        }
        let Some(call_site) = self.call_site(event.metadata(), &thread) else { return };
        let outgoing = Outgoing::NewEvent {
            parent: self.parent(event.is_contextual(), event.parent()),
            call_site: MetadataId::from(call_site),
            event,
            thread: thread.index(),
        };
        self.output.emit(&outgoing, &thread);
    }

    fn enter(&self, id: &Id) {
        let Some(thread) = self.thread_telling_of(id) else { return };
        thread.enter(id);
        let (id, index) = (span_id::number(id), thread.index());
        self.output.emit(&Outgoing::SpanEntered { id, thread: index }, &thread);
    }

    fn exit(&self, id: &Id) {
        let Some(thread) = self.thread_telling_of(id) else { return };
        thread.exit(id);
        let (id, index) = (span_id::number(id), thread.index());
        self.output.emit(&Outgoing::SpanExited { id, thread: index }, &thread);
    }

    fn clone_span(&self, id: &Id) -> Id {
        // Handles are counted wherever they are cloned and dropped: a span has to be closed in time.
        if self.is_sent(id) {
            let outgoing = Outgoing::SpanCloned { id: span_id::number(id) };
            self.output.emit(&outgoing, &self.context.thread());
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        if self.is_sent(&id) {
            let outgoing = Outgoing::SpanDropped { id: span_id::number(&id) };
            self.output.emit(&outgoing, &self.context.thread());
        }
        false
    }

    fn current_span(&self) -> Current {
        let thread = self.context.thread();
        if thread.is_sending() {
            return Current::none();
        }
        let current = thread.current().and_then(|id| {
            let call_site = span_id::call_site(&id)?;
            Some(Current::new(id, self.call_sites.metadata(call_site)?))
        });
        current.unwrap_or_else(Current::none)
    }
}
