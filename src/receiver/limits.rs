use super::{Limit, ReceiveError, sink::SinkValues, value_set::MAX_VALUES};
use crate::wire::frame::EncodedValues;
use crate::wire::{CallSiteData, ErrorRef, MAX_CHAIN, RecordValues, ValueRef};

/// How much a [`TracingEventReceiver`](super::TracingEventReceiver) takes of a program that may be broken,
/// or hostile.
///
/// What goes beyond is refused with [`ReceiveError::LimitExceeded`], and
/// [counted](super::TracingEventReceiver::refusals); the receiver is as it was before, and goes on. No
/// honest program should meet the defaults. All that a stream can make grow without end is bounded by one
/// of the limits; what becomes of it in a storage or a subscriber is bounded there.
///
/// Limits are those of the host: they are not [persisted](super::TracingEventReceiver::persist). Counting
/// goes on from what was restored.
///
/// # Example
///
/// ```
/// use spanshot::{Limit, ReceiveError, ReceiverLimits, TracingEvent, TracingEventReceiver};
///
/// let limits = ReceiverLimits::default().max_open_spans(1);
/// let mut receiver = TracingEventReceiver::default().with_limits(limits);
/// let stream = r#"[
///     {"new_call_site":{"id":0,"kind":"span","name":"job","target":"app","level":"info","fields":[]}},
///     {"new_span":{"id":1,"metadata_id":0,"values":{}}},
///     {"new_span":{"id":2,"metadata_id":0,"values":{}}}
/// ]"#;
/// let stream: Vec<TracingEvent> = serde_json::from_str(stream)?;
/// let [Ok(()), Ok(()), Err(error)] = &*stream.into_iter().map(|event| receiver.try_receive(event)).collect::<Vec<_>>()
/// else {
///     panic!("the second span is one too many");
/// };
/// assert_eq!(*error, ReceiveError::LimitExceeded { limit: Limit::OpenSpans, max: 1, actual: 2 });
/// assert_eq!(
///     error.to_string(),
///     "2 open spans are more than the 1 that this receiver takes; \
///      if the program is right, raise `ReceiverLimits::max_open_spans()`"
/// );
/// assert_eq!(receiver.refusals().by(Limit::OpenSpans), 1);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverLimits {
    call_sites: usize,
    leaked_bytes: u64,
    open_spans: usize,
    depth: usize,
    entered: usize,
    follows_from: usize,
    values: usize,
    string_bytes: usize,
    frame_bytes: usize,
    error_chain: usize,
    records: u64,
    traces_loss: bool,
}

impl Default for ReceiverLimits {
    /// The defaults that are named with each limit; a loss is not traced.
    fn default() -> Self {
        Self {
            call_sites: 1 << 17,
            leaked_bytes: 64 << 20,
            open_spans: 1 << 20,
            depth: 1 << 20,
            entered: 1 << 20,
            follows_from: 1 << 16,
            values: 1 << 17,
            string_bytes: 16 << 20,
            frame_bytes: 64 << 20,
            error_chain: MAX_CHAIN,
            records: u64::MAX,
            traces_loss: false,
        }
    }
}

impl ReceiverLimits {
    /// Sets how many call sites a stream may announce: 131,072 unless this is called.
    ///
    /// One that is announced again counts once. All places of the program that write records of the `log` crate at
    /// one level count as one. Call sites that the program [asks](super::TracingEventReceiver::answer) about
    /// are counted apart from those.
    #[must_use]
    pub fn max_call_sites(self, max: usize) -> Self {
        Self { call_sites: max, ..self }
    }

    /// Sets how many bytes may be leaked in this process: 64 MiB unless this is called.
    ///
    /// They are leaked by receivers that relay, for call sites that no receiver of the process has had
    /// before, and [counted](super::TracingEventReceiver::leaked_bytes) over all of these receivers; each
    /// goes by its own limit. What is already leaked may be used where the limit is reached. A receiver that
    /// goes the [direct way](super::TracingEventReceiver::capturing) leaks nothing.
    #[must_use]
    pub fn max_leaked_bytes(self, max: u64) -> Self {
        Self { leaked_bytes: max, ..self }
    }

    /// Sets how many spans may be open at once: 1,048,576 unless this is called.
    ///
    /// A span without a handle is open for as long as it has open children, or is entered.
    #[must_use]
    pub fn max_open_spans(self, max: usize) -> Self {
        Self { open_spans: max, ..self }
    }

    /// Sets how deep spans may be nested: 1,048,576 unless this is called.
    ///
    /// That is how many spans may be in one another, a root alone being 1, and how many spans a thread may
    /// be in at once, each counted as often as it is entered.
    #[must_use]
    pub fn max_depth(self, max: usize) -> Self {
        Self { depth: max, ..self }
    }

    /// Sets in how many spans all threads together may be at once, each counted as often as it is entered:
    /// 1,048,576 unless this is called.
    #[must_use]
    pub fn max_entered(self, max: usize) -> Self {
        Self { entered: max, ..self }
    }

    /// Sets from how many others an open span may follow: 65,536 unless this is called.
    #[must_use]
    pub fn max_follows_from(self, max: usize) -> Self {
        Self { follows_from: max, ..self }
    }

    /// Sets how many values a record may have, and how many fields a call site: 131,072 unless this is
    /// called, and 16,777,216 at the most.
    #[must_use]
    pub fn max_values(self, max: usize) -> Self {
        Self { values: max.min(MAX_VALUES), ..self }
    }

    /// Sets how long a string may be, in bytes: 16 MiB unless this is called.
    ///
    /// Strings are texts and byte strings among the values, each message of an error, and the names, targets
    /// and paths of call sites.
    #[must_use]
    pub fn max_string_bytes(self, max: usize) -> Self {
        Self { string_bytes: max, ..self }
    }

    /// Sets how long a [frame](crate::frame) may be, in bytes: 64 MiB unless this is called.
    ///
    /// Whoever reads frames out of a stream of bytes has a limit before that, which is lower.
    #[must_use]
    pub fn max_frame_bytes(self, max: usize) -> Self {
        Self { frame_bytes: max, ..self }
    }

    /// Sets how many errors a chain may have, an error without a source being 1: 100 unless this is called.
    ///
    /// No encoding can carry more than 100; a sender cuts off what is beyond.
    #[must_use]
    pub fn max_error_chain(self, max: usize) -> Self {
        Self { error_chain: max, ..self }
    }

    /// Sets how many records are taken in all: 2⁶⁴ − 1, which is as if there were no limit, unless this is
    /// called.
    ///
    /// What is refused does not count. From then on spans are neither exited nor closed by the stream: the
    /// receiver does so when it is dropped.
    #[must_use]
    pub fn max_records(self, max: u64) -> Self {
        Self { records: max, ..self }
    }

    /// Sets whether it is traced that a record was refused: not unless this is called.
    ///
    /// With it, no test passes because its evidence was refused. When the first record is refused, for
    /// whatever reason, there is one event in the trace, where that record would have been in order, and in
    /// no span. It is of the level error and the target `spanshot`, and says in `message` why the
    /// record was refused, and if that was a limit, in `limit`, `max` and `actual` which one. There is one
    /// for each receiver at the most, however much it refuses: [`Refusals`](super::Refusals) count.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, ReceiverLimits, TracingEvent, TracingEventReceiver};
    ///
    /// let capture = Capture::start();
    /// let limits = ReceiverLimits::default().trace_loss(true);
    /// let mut receiver = TracingEventReceiver::default().with_limits(limits);
    /// receiver.try_receive(TracingEvent::SpanDropped { id: 1 }).unwrap_err();
    /// assert_eq!(
    ///     capture.trace().to_string(),
    ///     "ERROR a record was refused: there is no span with ID 1, or it is closed"
    /// );
    /// ```
    #[must_use]
    pub fn trace_loss(self, is_traced: bool) -> Self {
        Self { traces_loss: is_traced, ..self }
    }

    /// The limits for the call site of the receiver itself.
    pub(super) fn without_limits_of_leak(self) -> Self {
        Self { leaked_bytes: u64::MAX, ..self }
    }

    pub(super) fn traces_loss(&self) -> bool {
        self.traces_loss
    }

    /// Checks that there is room for one more.
    #[inline]
    fn one_more(limit: Limit, max: usize, known: usize) -> Result<(), ReceiveError> {
        if known < max { Ok(()) } else { Err(exceeded(limit, max, known.saturating_add(1))) }
    }

    #[inline]
    pub(super) fn check_record(&self, taken: u64) -> Result<(), ReceiveError> {
        if taken < self.records { Ok(()) } else { Err(too_many_records(self.records, taken)) }
    }

    pub(super) fn check_call_sites(&self, known: usize) -> Result<(), ReceiveError> {
        Self::one_more(Limit::CallSites, self.call_sites, known)
    }

    /// Checks that some bytes may be leaked beyond those that are.
    pub(super) fn check_leak(&self, leaked: u64, more: u64) -> Result<(), ReceiveError> {
        let actual = leaked.saturating_add(more);
        if actual <= self.leaked_bytes {
            return Ok(());
        }
        let (limit, max) = (Limit::LeakedBytes, self.leaked_bytes);
        Err(ReceiveError::LimitExceeded { limit, max, actual })
    }

    #[inline]
    pub(super) fn check_open_spans(&self, known: usize) -> Result<(), ReceiveError> {
        Self::one_more(Limit::OpenSpans, self.open_spans, known)
    }

    /// Checks that there may be a span, or an enter, in so many others.
    #[inline]
    pub(super) fn check_depth(&self, around: usize) -> Result<(), ReceiveError> {
        Self::one_more(Limit::Depth, self.depth, around)
    }

    #[inline]
    pub(super) fn check_entered(&self, known: usize) -> Result<(), ReceiveError> {
        Self::one_more(Limit::Entered, self.entered, known)
    }

    pub(super) fn check_follows_from(&self, known: usize) -> Result<(), ReceiveError> {
        Self::one_more(Limit::FollowsFrom, self.follows_from, known)
    }

    #[inline]
    pub(super) fn check_frame(&self, frame: &[u8]) -> Result<(), ReceiveError> {
        at_most(Limit::FrameBytes, self.frame_bytes, frame.len())
    }

    /// Checks how much there is in a call site.
    pub(super) fn check_call_site(&self, data: &CallSiteData) -> Result<(), ReceiveError> {
        at_most(Limit::ValuesPerRecord, self.values, data.fields.len())?;
        let CallSiteData { name, target, module_path, file, fields, .. } = data;
        let mut strings = [name, target].into_iter().chain(module_path).chain(file).chain(fields);
        strings.try_for_each(|text| at_most(Limit::StringBytes, self.string_bytes, text.len()))
    }

    /// Checks the values of a record, which are the `resolved` ones.
    #[inline]
    pub(super) fn check_values(
        &self,
        values: RecordValues<'_>,
        resolved: &SinkValues<'_>,
    ) -> Result<(), ReceiveError> {
        self.check_value_count(resolved.len())?;
        match values {
            RecordValues::Encoded(values) if self.allow_each_of(values) => Ok(()),
            _ => self.check_each_value(resolved),
        }
    }

    #[inline]
    pub(super) fn check_value_count(&self, count: usize) -> Result<(), ReceiveError> {
        at_most(Limit::ValuesPerRecord, self.values, count)
    }

    /// Whether each of these values is within the limits, whatever it is: no string among them is longer
    /// than they are, and no chain than there can be.
    #[inline]
    pub(super) fn allow_each_of(&self, values: EncodedValues<'_>) -> bool {
        values.bytes().len() <= self.string_bytes && self.error_chain >= MAX_CHAIN
    }

    fn check_each_value(&self, values: &SinkValues<'_>) -> Result<(), ReceiveError> {
        let check_len = |len| at_most(Limit::StringBytes, self.string_bytes, len);
        let check_texts = |(message, debug): (&str, Option<&str>)| {
            check_len(message.len())?;
            check_len(debug.map_or(0, str::len))
        };
        for (_, value) in values {
            match value {
                ValueRef::Str(text) | ValueRef::Object(text) => check_len(text.len())?,
                ValueRef::Bytes(bytes) => check_len(bytes.len())?,
                ValueRef::Error(ErrorRef::Borrowed(error)) => {
                    at_most(Limit::ErrorChain, self.error_chain, error.texts().count())?;
                    error.texts().try_for_each(&check_texts)?;
                }
                ValueRef::Error(ErrorRef::Encoded(error)) => {
                    at_most(Limit::ErrorChain, self.error_chain, error.texts().count())?;
                    error.texts().try_for_each(&check_texts)?;
                }
                ValueRef::Bool(_) | ValueRef::Int(_) | ValueRef::UInt(_) | ValueRef::Float(_) => {}
            }
        }
        Ok(())
    }
}

#[inline]
fn at_most(limit: Limit, max: usize, actual: usize) -> Result<(), ReceiveError> {
    if actual <= max { Ok(()) } else { Err(exceeded(limit, max, actual)) }
}

#[cold]
fn exceeded(limit: Limit, max: usize, actual: usize) -> ReceiveError {
    ReceiveError::LimitExceeded { limit, max: max as u64, actual: actual as u64 }
}

#[cold]
fn too_many_records(max: u64, taken: u64) -> ReceiveError {
    let actual = taken.saturating_add(1);
    ReceiveError::LimitExceeded { limit: Limit::Records, max, actual }
}
