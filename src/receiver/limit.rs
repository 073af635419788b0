use core::fmt;

/// Something of which a [`TracingEventReceiver`](super::TracingEventReceiver) takes only so much.
///
/// Each has a method of [`ReceiverLimits`](super::ReceiverLimits) that sets it, and says what is counted.
/// It is displayed as what it counts.
///
/// # Example
///
/// ```
/// use spanshot::Limit;
///
/// assert_eq!(Limit::OpenSpans.to_string(), "open spans");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [Call sites](super::ReceiverLimits::max_call_sites) of a stream.
    CallSites,
    /// [Bytes](super::ReceiverLimits::max_leaked_bytes) that the process has leaked.
    LeakedBytes,
    /// [Spans](super::ReceiverLimits::max_open_spans) that are not closed.
    OpenSpans,
    /// [Spans in one another](super::ReceiverLimits::max_depth).
    Depth,
    /// [Spans that are entered](super::ReceiverLimits::max_entered), by all threads.
    Entered,
    /// [Spans that one span follows from](super::ReceiverLimits::max_follows_from).
    FollowsFrom,
    /// [Values](super::ReceiverLimits::max_values) of a record, or fields of a call site.
    ValuesPerRecord,
    /// [Bytes of a string](super::ReceiverLimits::max_string_bytes).
    StringBytes,
    /// [Bytes of a frame](super::ReceiverLimits::max_frame_bytes).
    FrameBytes,
    /// [Errors in a chain](super::ReceiverLimits::max_error_chain).
    ErrorChain,
    /// [Records](super::ReceiverLimits::max_records) in all.
    Records,
}

impl Limit {
    /// Number of limits.
    pub(super) const COUNT: usize = Self::Records as usize + 1;

    /// Name of the method that sets it.
    pub(super) fn setter(self) -> &'static str {
        match self {
            Self::CallSites => "max_call_sites",
            Self::LeakedBytes => "max_leaked_bytes",
            Self::OpenSpans => "max_open_spans",
            Self::Depth => "max_depth",
            Self::Entered => "max_entered",
            Self::FollowsFrom => "max_follows_from",
            Self::ValuesPerRecord => "max_values",
            Self::StringBytes => "max_string_bytes",
            Self::FrameBytes => "max_frame_bytes",
            Self::ErrorChain => "max_error_chain",
            Self::Records => "max_records",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CallSites => "call sites",
            Self::LeakedBytes => "bytes that this process has leaked for call sites",
            Self::OpenSpans => "open spans",
            Self::Depth => "spans in one another",
            Self::Entered => "spans that are entered at once",
            Self::FollowsFrom => "spans that a span follows from",
            Self::ValuesPerRecord => "values of a record",
            Self::StringBytes => "bytes of a string",
            Self::FrameBytes => "bytes of a frame",
            Self::ErrorChain => "errors in a chain",
            Self::Records => "records",
        })
    }
}
