use alloc::{borrow::Cow, string::String};

use super::{CallSiteData, TracedValues, numbering::Numbering};

/// Identifies a call site within a stream of [`TracingEvent`]s.
pub type MetadataId = u64;

/// Identifies a span within a stream of [`TracingEvent`]s.
pub type RawSpanId = u64;

/// Identifies a thread within a stream: 0 is the first that traced, 1 the second, and so on.
pub type ThreadIndex = u64;

/// One thing that a program traced, with its values: an element of the stream from a sender to a receiver.
///
/// In JSON and in every other self-describing format it is written as `tracing-tunnel` 0.2 does;
/// what that crate does not know (an explicit root, a further thread, which values are byte
/// strings) is an additional field that is left out where it says nothing.
///
/// # Example
///
/// ```
/// use spanshot::TracingEvent;
///
/// let event: TracingEvent = serde_json::from_str(r#"{"span_entered":{"id":1}}"#)?;
/// assert_eq!(event, TracingEvent::SpanEntered { id: 1, thread: 0 });
/// assert_eq!(serde_json::to_string(&event)?, r#"{"span_entered":{"id":1}}"#);
/// # Ok::<_, serde_json::Error>(())
/// ```
pub type TracingEvent = Record<TracedValues<String>>;

/// One of the nine kinds of things that a program traces. `V` holds the values.
///
/// A [`TracingEvent`] owns its values, each with its name. A receiver borrows them from the frame or the event that
/// they came in.
///
/// # Example
///
/// ```
/// use spanshot_sender::{Record, TracedValues, TracingEvent};
///
/// /// Returns the span that a record names first, if it names one.
/// fn span<V>(record: &Record<V>) -> Option<u64> {
///     match record {
///         Record::NewCallSite { .. } | Record::NewEvent { .. } => None,
///         Record::NewSpan { id, .. }
///         | Record::FollowsFrom { id, .. }
///         | Record::SpanEntered { id, .. }
///         | Record::SpanExited { id, .. }
///         | Record::SpanCloned { id }
///         | Record::SpanDropped { id }
///         | Record::ValuesRecorded { id, .. } => Some(*id),
///     }
/// }
///
/// let event = TracingEvent::ValuesRecorded { id: 7, values: TracedValues::new() };
/// assert_eq!(span(&event), Some(7));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Record<V> {
    /// A call site is going to be referred to.
    NewCallSite {
        /// The call site's ID from now on.
        id: MetadataId,
        /// Description of the call site.
        data: CallSiteData,
    },
    /// A span was created.
    NewSpan {
        /// The span's ID from now on.
        id: RawSpanId,
        /// Explicit parent. If `None`, the parent is the current span of the thread, unless
        /// `is_root` says that there is none.
        parent_id: Option<RawSpanId>,
        /// Whether the span was created as an explicit root (`parent: None`).
        is_root: bool,
        /// Call site that created the span.
        metadata_id: MetadataId,
        /// Values that the span was created with.
        values: V,
        /// Thread that created the span.
        thread: ThreadIndex,
    },
    /// A span was declared to follow from another one.
    FollowsFrom {
        /// The span that follows.
        id: RawSpanId,
        /// The span that it follows from.
        follows_from: RawSpanId,
    },
    /// A span was entered.
    SpanEntered {
        /// ID of the span.
        id: RawSpanId,
        /// Thread that entered the span.
        thread: ThreadIndex,
    },
    /// A span was exited.
    SpanExited {
        /// ID of the span.
        id: RawSpanId,
        /// Thread that exited the span.
        thread: ThreadIndex,
    },
    /// A handle of a span was cloned.
    SpanCloned {
        /// ID of the span.
        id: RawSpanId,
    },
    /// A handle of a span was dropped; the span is closed with its last handle.
    SpanDropped {
        /// ID of the span.
        id: RawSpanId,
    },
    /// Values were recorded into a span after its creation.
    ValuesRecorded {
        /// ID of the span.
        id: RawSpanId,
        /// The recorded values.
        values: V,
    },
    /// An event happened.
    NewEvent {
        /// Call site that emitted the event.
        metadata_id: MetadataId,
        /// Explicit parent. If `None`, the parent is the current span of the thread, unless
        /// `is_root` says that there is none.
        parent: Option<RawSpanId>,
        /// Whether the event was emitted as an explicit root (`parent: None`).
        is_root: bool,
        /// Values of the event.
        values: V,
        /// Thread that emitted the event.
        thread: ThreadIndex,
    },
}

impl<V> Record<V> {
    /// Returns the same record with its values in another form.
    #[doc(hidden)]
    #[inline]
    pub fn map_values<W>(self, map: impl FnOnce(V) -> W) -> Record<W> {
        match self {
            Self::NewCallSite { id, data } => Record::NewCallSite { id, data },
            Self::NewSpan { id, parent_id, is_root, metadata_id, values, thread } => {
                Record::NewSpan { id, parent_id, is_root, metadata_id, values: map(values), thread }
            }
            Self::FollowsFrom { id, follows_from } => Record::FollowsFrom { id, follows_from },
            Self::SpanEntered { id, thread } => Record::SpanEntered { id, thread },
            Self::SpanExited { id, thread } => Record::SpanExited { id, thread },
            Self::SpanCloned { id } => Record::SpanCloned { id },
            Self::SpanDropped { id } => Record::SpanDropped { id },
            Self::ValuesRecorded { id, values } => {
                Record::ValuesRecorded { id, values: map(values) }
            }
            Self::NewEvent { metadata_id, parent, is_root, values, thread } => {
                Record::NewEvent { metadata_id, parent, is_root, values: map(values), thread }
            }
        }
    }
}

impl TracingEvent {
    /// Makes a stream the same from run to run, for comparisons and snapshots.
    ///
    /// Call sites and threads are numbered from 0, and spans from 1, in the order in which the stream
    /// comes to them; an ID that is used again for another span gets a new number. Call sites lose
    /// their line, events the line in the name that `tracing` gives them as well, and paths get `/` as
    /// their separator.
    ///
    /// A receiver makes the same trace of the stream, but for what call sites lost, if it starts with
    /// it: the state of a [persisted](https://docs.rs/spanshot/latest/spanshot/struct.TracingEventReceiver.html#method.persist) receiver knows spans by the
    /// IDs that they had. [`StreamSnapshot`](https://docs.rs/spanshot/latest/spanshot/struct.StreamSnapshot.html) shows a stream with these numbers.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use spanshot::{TracingEvent, TracingEventSender};
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// let subscriber = TracingEventSender::new(move |event| sender.send(event).unwrap());
    /// tracing::subscriber::with_default(subscriber, || tracing::info!("started"));
    ///
    /// let mut events: Vec<_> = receiver.iter().collect();
    /// TracingEvent::normalize(&mut events);
    /// let TracingEvent::NewCallSite { id, data } = &events[0] else { unreachable!() };
    /// assert_eq!((*id, &*data.name, data.line), (0, "event", None));
    /// ```
    pub fn normalize(events: &mut [Self]) {
        let mut numbering = Numbering::default();
        for event in events {
            event.renumber(&mut numbering);
            if let Self::NewCallSite { data, .. } = event {
                data.line = None;
                if data.is_named_by_line() {
                    data.name = Cow::Borrowed("event");
                }
                if let Some(file) = &mut data.file {
                    *file = file.replace('\\', "/").into();
                }
            }
        }
    }

    fn renumber(&mut self, numbering: &mut Numbering) {
        match self {
            Self::NewCallSite { id, .. } => *id = numbering.call_site(*id),
            Self::NewSpan { id, parent_id, metadata_id, thread, .. } => {
                *thread = numbering.thread(*thread);
                *metadata_id = numbering.call_site(*metadata_id);
                *parent_id = parent_id.map(|id| numbering.span(id));
                *id = numbering.new_span(*id);
            }
            Self::FollowsFrom { id, follows_from } => {
                *id = numbering.span(*id);
                *follows_from = numbering.span(*follows_from);
            }
            Self::SpanEntered { id, thread } | Self::SpanExited { id, thread } => {
                *thread = numbering.thread(*thread);
                *id = numbering.span(*id);
            }
            Self::SpanCloned { id } => *id = numbering.cloned_span(*id),
            Self::SpanDropped { id } => *id = numbering.dropped_span(*id),
            Self::ValuesRecorded { id, .. } => *id = numbering.span(*id),
            Self::NewEvent { metadata_id, parent, thread, .. } => {
                *thread = numbering.thread(*thread);
                *metadata_id = numbering.call_site(*metadata_id);
                *parent = parent.map(|id| numbering.span(id));
            }
        }
    }
}
