use alloc::{string::String, sync::Arc};

use super::{
    PersistedMetadata, PersistedSpans, ReceiveError, ReceiverLimits, RestoreError,
    resolved_values::ResolvedValues,
    restore,
    sink::{Sink, SinkParent, SinkSpan, SinkValues},
    stream::{KnownCallSite, Stream},
    values::{name, owned, resolve},
};
use crate::{
    said_parent::SaidParent,
    wire::{
        CallSiteData, CallSiteKind, MetadataId, Record, RecordValues, ThreadIndex, TracedValues,
        TracingEvent, frame,
    },
};

/// Turns [frames](crate::transport::frame) into [`TracingEvent`]s.
///
/// The frames of one stream are decoded in order, from its first one, or from where it was
/// [persisted](FrameDecoder::new). Use it to look at a stream, or to write it in another format. A
/// [`TracingEventReceiver`](super::TracingEventReceiver) needs no decoder: it takes frames.
///
/// # Example
///
/// ```
/// use std::sync::mpsc;
/// use spanshot::{TracingEventSender, receiver::FrameDecoder};
///
/// let (sender, frames) = mpsc::channel();
/// let subscriber = TracingEventSender::encoded(move |frame| drop(sender.send(frame.to_vec())));
/// tracing::subscriber::with_default(subscriber, || tracing::info!(port = 8_080_u16));
///
/// let mut decoder = FrameDecoder::default();
/// let events = frames.iter().map(|frame| decoder.decode(&frame)).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(
///     serde_json::to_string(&events[1]).unwrap(),
///     r#"{"new_event":{"metadata_id":0,"values":{"port":{"u_int":8080}}}}"#
/// );
/// # Ok::<_, spanshot::ReceiveError>(())
/// ```
#[derive(Debug, Default)]
pub struct FrameDecoder {
    stream: Stream,
}

impl FrameDecoder {
    /// Creates a decoder that goes on where a receiver of the stream was
    /// [persisted](super::TracingEventReceiver::persist).
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use spanshot::{
    ///     SharedStorage, TracingEventReceiver, TracingEventSender,
    ///     receiver::FrameDecoder,
    /// };
    ///
    /// let (sender, frames) = mpsc::channel();
    /// let subscriber = TracingEventSender::encoded(move |frame| drop(sender.send(frame.to_vec())));
    /// let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
    /// tracing::subscriber::with_default(subscriber, || {
    ///     let span = tracing::info_span!("job", step = 1);
    ///     frames.try_iter().for_each(|frame| receiver.receive_encoded(&frame).unwrap());
    ///     span.record("step", 2);
    /// });
    ///
    /// let metadata = receiver.persist_metadata();
    /// let (spans, _) = receiver.persist();
    /// let mut decoder = FrameDecoder::new(metadata, spans);
    /// let event = decoder.decode(&frames.recv()?)?;
    /// assert_eq!(
    ///     serde_json::to_string(&event)?,
    ///     r#"{"values_recorded":{"id":1,"values":{"step":{"int":2}}}}"#
    /// );
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics where [`Self::try_new()`] returns an error.
    #[track_caller]
    pub fn new(metadata: PersistedMetadata, spans: PersistedSpans) -> Self {
        match Self::try_new(metadata, spans, ReceiverLimits::default()) {
            Ok(decoder) => decoder,
            Err(error) => panic!("cannot restore the decoder: {error}"),
        }
    }

    /// Creates a decoder, as [`Self::new()`] does, under these limits.
    ///
    /// # Errors
    ///
    /// Returns the errors of
    /// [`TracingEventReceiver::try_new_with_limits()`](super::TracingEventReceiver::try_new_with_limits).
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{
    ///     PersistedMetadata, PersistedSpans, ReceiverLimits,
    ///     receiver::{FrameDecoder, RestoreError},
    /// };
    ///
    /// let spans: PersistedSpans =
    ///     serde_json::from_str(r#"{"1":{"metadata_id":7,"ref_count":1,"values":{}}}"#)?;
    /// let limits = ReceiverLimits::default();
    /// let error = FrameDecoder::try_new(PersistedMetadata::default(), spans, limits).unwrap_err();
    /// assert_eq!(error, RestoreError::UnknownCallSite { span: 1, metadata_id: 7 });
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    pub fn try_new(
        metadata: PersistedMetadata,
        spans: PersistedSpans,
        limits: ReceiverLimits,
    ) -> Result<Self, RestoreError> {
        let spans = restore::check(&metadata, spans, &limits)?;
        let mut stream = Stream::default();
        stream.limits = limits;
        stream.announce(metadata, &mut Discard)?;
        stream.restore(spans, &mut Discard);
        Ok(Self { stream })
    }

    /// Sets the limits for a program that may be hostile. Without this call, the default limits apply.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{ReceiveError, ReceiverLimits, receiver::{FrameDecoder, Limit}};
    ///
    /// let limits = ReceiverLimits::default().max_frame_bytes(1);
    /// let mut decoder = FrameDecoder::default().with_limits(limits);
    /// let error = decoder.decode(&[0x23, 0x01]).unwrap_err();
    /// assert_eq!(error, ReceiveError::LimitExceeded { limit: Limit::FrameBytes, max: 1, actual: 2 });
    /// ```
    #[must_use]
    pub fn with_limits(mut self, limits: ReceiverLimits) -> Self {
        self.stream.limits = limits;
        self
    }

    /// Decodes a frame.
    ///
    /// # Errors
    ///
    /// Returns the errors of
    /// [`TracingEventReceiver::receive_encoded()`](super::TracingEventReceiver::receive_encoded), and
    /// [`ReceiveError::NamesTooLong`] for a record that repeats fields with long names: a frame holds the number of
    /// a field, and the event its name. The decoder is as it was before, and can go on.
    pub fn decode(&mut self, frame: &[u8]) -> Result<TracingEvent, ReceiveError> {
        self.stream.limits.check_frame(frame)?;
        let record = frame::decode(frame)?;
        let values = self.values(&record)?;
        self.stream.receive(record.clone(), &mut Discard)?;
        Ok(record.map_values(|_| values))
    }

    /// Names the values of a record, if it has some.
    fn values(
        &self,
        record: &Record<RecordValues<'_>>,
    ) -> Result<TracedValues<String>, ReceiveError> {
        let (metadata_id, site, values) = match record {
            Record::NewSpan { metadata_id, values, .. } => {
                let (_, site) = self.stream.call_site(*metadata_id, CallSiteKind::Span)?;
                (*metadata_id, site, *values)
            }
            Record::NewEvent { metadata_id, values, .. } => {
                let (_, site) = self.stream.call_site(*metadata_id, CallSiteKind::Event)?;
                (*metadata_id, site, *values)
            }
            Record::ValuesRecorded { id, values } => {
                // The number of the call site that the span was created with may belong to another one by now.
                let (metadata_id, site) = self.stream.call_site_of_span(*id)?;
                (metadata_id, site, *values)
            }
            _ => return Ok(TracedValues::new()),
        };
        named(metadata_id, site, values)
    }
}

fn named(
    metadata_id: MetadataId,
    site: &KnownCallSite,
    values: RecordValues<'_>,
) -> Result<TracedValues<String>, ReceiveError> {
    let mut resolved = ResolvedValues::new();
    resolve(metadata_id, site, values, &mut resolved)?;
    let fields = &site.data.fields;
    let name_of = |index: usize| fields.get(index);
    let max = site.names.total_len().saturating_add(MAX_REPEATED_NAMES);
    let lens = resolved.iter().filter_map(|(index, _)| name_of(*index)).map(|name| name.len());
    let actual = lens.fold(0, usize::saturating_add);
    if actual > max {
        return Err(ReceiveError::NamesTooLong { max, actual });
    }
    Ok(name(site, owned(&resolved), |index| name_of(index).map(|name| name.clone().into_owned())))
}

/// Bytes that the names of a record's values may take beyond the names of all fields of its call site. A record of the
/// macros of `tracing` has each field once.
const MAX_REPEATED_NAMES: usize = 16 << 10;

/// Sink of a stream that is only checked.
#[derive(Debug)]
struct Discard;

impl Sink for Discard {
    fn new_call_site(
        &mut self,
        _data: &Arc<CallSiteData>,
        _limits: &ReceiverLimits,
    ) -> Result<(), ReceiveError> {
        Ok(())
    }

    fn new_span(
        &mut self,
        _call_site: usize,
        _thread: ThreadIndex,
        _parent: SinkParent,
        _said: SaidParent,
        _values: Option<&SinkValues<'_>>,
    ) -> Option<SinkSpan> {
        Some(SinkSpan::MIN)
    }

    fn new_event(
        &mut self,
        _call_site: usize,
        _thread: ThreadIndex,
        _parent: SinkParent,
        _said: SaidParent,
        _values: Option<&SinkValues<'_>>,
    ) {
    }

    fn record(&mut self, _span: SinkSpan, _call_site: usize, _values: &SinkValues<'_>) {}
    fn follows_from(&mut self, _span: SinkSpan, _follows_from: SinkSpan) {}
    fn enter(&mut self, _span: SinkSpan, _thread: ThreadIndex) {}
    fn exit(&mut self, _span: SinkSpan, _thread: ThreadIndex) {}
    fn clone_handle(&mut self, _span: SinkSpan) {}
    fn drop_handle(&mut self, _span: SinkSpan) {}
    fn closed(&mut self, _span: SinkSpan, _is_entered: bool) {}
}
