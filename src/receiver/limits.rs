use super::{Limit, ReceiveError, limit::TABLE, sink::SinkValues, value_set::MAX_VALUES};
use crate::wire::frame::EncodedValues;
use crate::wire::{CallSiteData, ErrorRef, MAX_CHAIN, RecordValues, ValueRef};

/// Limits on a program that may be broken, or hostile, for a
/// [`TracingEventReceiver`](super::TracingEventReceiver).
///
/// A record that exceeds a limit is refused with [`ReceiveError::LimitExceeded`], and
/// [counted](super::TracingEventReceiver::refusals); it changes nothing, and the receiver goes on. No
/// honest program should meet the defaults. Each part of a receiver that a stream can make grow is bounded by one of
/// these limits; storages and subscribers have bounds of their own.
///
/// Limits belong to the host. They are not [persisted](super::TracingEventReceiver::persist): pass them to
/// [`try_new_with_limits()`](super::TracingEventReceiver::try_new_with_limits) when you restore a receiver. Counting goes on
/// from the restored state.
///
#[doc = include_str!("limits.md")]
///
/// # Example
///
/// ```
/// use spanshot::{
///     ReceiveError, ReceiverLimits, TracingEvent, TracingEventReceiver,
///     receiver::Limit,
/// };
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
    /// By the number of the [`Limit`].
    max: [u64; Limit::COUNT],
    traces_loss: bool,
}

impl Default for ReceiverLimits {
    /// The defaults in the table above; a loss is not traced.
    fn default() -> Self {
        Self { max: TABLE.map(|row| row.default), traces_loss: false }
    }
}

impl ReceiverLimits {
    /// Returns a limit.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{ReceiverLimits, receiver::Limit};
    ///
    /// let limits = ReceiverLimits::default().max_open_spans(1_000);
    /// assert_eq!(limits.get(Limit::OpenSpans), 1_000);
    /// ```
    #[inline]
    pub fn get(&self, limit: Limit) -> u64 {
        self.max[limit as usize]
    }

    fn with(mut self, limit: Limit, max: u64) -> Self {
        self.max[limit as usize] = max;
        self
    }

    /// Sets how many call sites a stream may announce.
    ///
    /// One that is announced again counts once. All places of the program that write records of the `log` crate at
    /// one level count as one. Call sites that the program [asks](super::TracingEventReceiver::answer) about
    /// are counted apart from those.
    #[must_use]
    pub fn max_call_sites(self, max: usize) -> Self {
        self.with(Limit::CallSites, max as u64)
    }

    /// Sets how many bytes may be leaked in this process.
    ///
    /// They are leaked by receivers that relay, for call sites that no receiver of the process has had
    /// before, and [counted](super::TracingEventReceiver::leaked_bytes) over all of these receivers; each
    /// has its own limit. Call sites that are leaked already may be used even at the limit. A receiver that
    /// goes the [direct way](super::TracingEventReceiver::capturing) leaks nothing.
    #[must_use]
    pub fn max_leaked_bytes(self, max: u64) -> Self {
        self.with(Limit::LeakedBytes, max)
    }

    /// Sets how many spans may be open at once.
    ///
    /// A span without a handle is open for as long as it has open children, or is entered.
    #[must_use]
    pub fn max_open_spans(self, max: usize) -> Self {
        self.with(Limit::OpenSpans, max as u64)
    }

    /// Sets how deep spans may be nested.
    ///
    /// That is how many spans may be in one another, a root alone being 1, and how many spans a thread may
    /// be in at once, each counted as often as it is entered.
    #[must_use]
    pub fn max_depth(self, max: usize) -> Self {
        self.with(Limit::Depth, max as u64)
    }

    /// Sets in how many spans all threads together may be at once, each counted as often as it is
    /// entered.
    ///
    /// The host enters the spans that a guest is in whenever it calls the guest, and exits them afterwards. So this limit
    /// also bounds the time that a call takes.
    #[must_use]
    pub fn max_entered(self, max: usize) -> Self {
        self.with(Limit::Entered, max as u64)
    }

    /// Sets from how many others an open span may follow.
    #[must_use]
    pub fn max_follows_from(self, max: usize) -> Self {
        self.with(Limit::FollowsFrom, max as u64)
    }

    /// Sets how many values a record may have, and how many fields a call site: 16,777,216 at the most.
    #[must_use]
    pub fn max_values(self, max: usize) -> Self {
        self.with(Limit::ValuesPerRecord, max.min(MAX_VALUES) as u64)
    }

    /// Sets how long a string may be, in bytes.
    ///
    /// Strings are texts and byte strings among the values, each message of an error, and the names, targets
    /// and paths of call sites.
    #[must_use]
    pub fn max_string_bytes(self, max: usize) -> Self {
        self.with(Limit::StringBytes, max as u64)
    }

    /// Sets how long a [frame](crate::transport::frame) may be, in bytes.
    ///
    /// A reader of a byte stream applies its own lower limit before this one.
    #[must_use]
    pub fn max_frame_bytes(self, max: usize) -> Self {
        self.with(Limit::FrameBytes, max as u64)
    }

    /// Sets how many errors a chain may have, an error without a source being 1.
    ///
    /// No encoding can carry more than 100; a sender cuts off the rest.
    #[must_use]
    pub fn max_error_chain(self, max: usize) -> Self {
        self.with(Limit::ErrorChain, max as u64)
    }

    /// Sets how many records are taken in all.
    ///
    /// Refused records do not count. From then on spans are neither exited nor closed by the stream: the
    /// receiver does so when it is dropped.
    #[must_use]
    pub fn max_records(self, max: u64) -> Self {
        self.with(Limit::Records, max)
    }

    /// Sets whether the trace tells that a record was refused. Without this call, it does not.
    ///
    /// With it, no test passes because its evidence was refused. When the first record is refused, for
    /// any reason, there is one event in the trace, where that record would have been in order, and in
    /// no span. It is of the level error and the target `spanshot`, and says in `message` why the
    /// record was refused, and if that was a limit, in `limit`, `max` and `actual` which one. There is one
    /// for each receiver at the most, no matter how much it refuses: [`Refusals`](super::Refusals) count.
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
        self.with(Limit::LeakedBytes, u64::MAX)
    }

    /// Returns whether the trace tells that a record was refused: see [`Self::trace_loss()`].
    pub fn traces_loss(&self) -> bool {
        self.traces_loss
    }

    /// Checks that there may be one more than are known.
    #[inline]
    pub(super) fn check_one_more(&self, limit: Limit, known: usize) -> Result<(), ReceiveError> {
        self.check(limit, (known as u64).saturating_add(1))
    }

    /// Checks that there may be so many.
    #[inline]
    pub(super) fn check(&self, limit: Limit, actual: u64) -> Result<(), ReceiveError> {
        let max = self.get(limit);
        if actual <= max { Ok(()) } else { Err(exceeded(limit, max, actual)) }
    }

    #[inline]
    pub(super) fn check_frame(&self, frame: &[u8]) -> Result<(), ReceiveError> {
        self.check(Limit::FrameBytes, frame.len() as u64)
    }

    /// Checks how much there is in a call site.
    pub(super) fn check_call_site(&self, data: &CallSiteData) -> Result<(), ReceiveError> {
        self.check(Limit::ValuesPerRecord, data.fields.len() as u64)?;
        let CallSiteData { name, target, module_path, file, fields, .. } = data;
        let mut strings = [name, target].into_iter().chain(module_path).chain(file).chain(fields);
        strings.try_for_each(|text| self.check(Limit::StringBytes, text.len() as u64))
    }

    /// Checks the values of a record, which are the `resolved` ones.
    #[inline]
    pub(super) fn check_values(
        &self,
        values: RecordValues<'_>,
        resolved: &SinkValues<'_>,
    ) -> Result<(), ReceiveError> {
        self.check(Limit::ValuesPerRecord, resolved.len() as u64)?;
        match values {
            RecordValues::Encoded(values) if self.allow_each_of(values) => Ok(()),
            _ => self.check_each_value(resolved),
        }
    }

    /// Whether each of these values is certainly within the limits: no string among them is longer
    /// than they are, and no chain than there can be.
    #[inline]
    pub(super) fn allow_each_of(&self, values: EncodedValues<'_>) -> bool {
        values.bytes().len() as u64 <= self.get(Limit::StringBytes)
            && self.get(Limit::ErrorChain) >= MAX_CHAIN as u64
    }

    pub(super) fn check_each_value(&self, values: &SinkValues<'_>) -> Result<(), ReceiveError> {
        let check_len = |len| self.check(Limit::StringBytes, len as u64);
        let check_texts = |(message, debug): (&str, Option<&str>)| {
            check_len(message.len())?;
            check_len(debug.map_or(0, str::len))
        };
        for (_, value) in values {
            match value {
                ValueRef::Str(text) | ValueRef::Object(text) => check_len(text.len())?,
                ValueRef::Bytes(bytes) => check_len(bytes.len())?,
                ValueRef::Error(ErrorRef::Borrowed(error)) => {
                    self.check(Limit::ErrorChain, error.texts().count() as u64)?;
                    error.texts().try_for_each(&check_texts)?;
                }
                ValueRef::Error(ErrorRef::Encoded(error)) => {
                    self.check(Limit::ErrorChain, error.texts().count() as u64)?;
                    error.texts().try_for_each(&check_texts)?;
                }
                ValueRef::Bool(_) | ValueRef::Int(_) | ValueRef::UInt(_) | ValueRef::Float(_) => {}
            }
        }
        Ok(())
    }
}

#[cold]
fn exceeded(limit: Limit, max: u64, actual: u64) -> ReceiveError {
    ReceiveError::LimitExceeded { limit, max, actual }
}
