use alloc::boxed::Box;
use core::{error::Error, fmt};

use super::Limit;
use crate::wire::frame::FrameError;
use crate::wire::{CallSiteKind, MetadataId, RawSpanId, ThreadIndex, text::beginning};

/// Why a [`TracingEventReceiver`](super::TracingEventReceiver) refused a record.
///
/// The receiver is as it was before the record, and goes on with the next one.
///
/// # Example
///
/// ```
/// use spanshot::{ReceiveError, TracingEvent, TracingEventReceiver};
///
/// let mut receiver = TracingEventReceiver::default();
/// let error = receiver.try_receive(TracingEvent::SpanDropped { id: 7 }).unwrap_err();
/// assert_eq!(error, ReceiveError::UnknownSpanId(7));
/// assert_eq!(error.to_string(), "there is no span with ID 7, or it is closed");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The call site was not announced in this stream.
    UnknownMetadataId(MetadataId),
    /// The span was never created in this stream, or is closed.
    UnknownSpanId(RawSpanId),
    /// There are more values than the call site has fields.
    TooManyValues {
        /// Number of fields of the call site.
        max: usize,
        /// Number of values in the record.
        actual: usize,
    },
    /// A value has the name of a field that the call site does not have.
    UnknownField {
        /// The call site.
        metadata_id: MetadataId,
        /// The first 200 characters of the field's name.
        name: Box<str>,
    },
    /// A value has the index of a field that the call site does not have.
    UnknownFieldIndex {
        /// The call site.
        metadata_id: MetadataId,
        /// Index of the field.
        index: usize,
        /// Number of fields of the call site.
        len: usize,
    },
    /// An event names the call site of a span, or a span the call site of an event.
    WrongKind {
        /// The call site.
        metadata_id: MetadataId,
        /// What the call site produces.
        actual: CallSiteKind,
    },
    /// A span is created with the ID of one that is not closed yet.
    SpanExists(RawSpanId),
    /// A span is exited on a thread that has not entered it.
    SpanNotEntered {
        /// The span.
        id: RawSpanId,
        /// The thread.
        thread: ThreadIndex,
    },
    /// A span is entered or exited, or the guest traces in one, while the host is not in the
    /// [`GuestScope`](super::GuestScope) of this receiver: call the guest in
    /// [`in_scope()`](super::GuestScope::in_scope).
    NotInScope {
        /// The span.
        id: RawSpanId,
    },
    /// There is more of something than the receiver takes, by its
    /// [`ReceiverLimits`](super::ReceiverLimits).
    LimitExceeded {
        /// What there is too much of.
        limit: Limit,
        /// How much of it is taken at the most.
        max: u64,
        /// How much of it there would have been with the record.
        actual: u64,
    },
    /// A [`FrameDecoder`](super::FrameDecoder) would repeat long names of fields: the record has several values of one
    /// field.
    NamesTooLong {
        /// Bytes that the names may take: the names of all fields of the call site, and 16,384.
        max: usize,
        /// Bytes that they would take.
        actual: usize,
    },
    /// The bytes are not a frame.
    Frame(FrameError),
}

impl ReceiveError {
    /// A name may be as long as a program wants. Errors are shown, and may be many.
    pub(super) fn unknown_field(metadata_id: MetadataId, name: &str) -> Self {
        Self::UnknownField { metadata_id, name: beginning(name, 200).into() }
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMetadataId(id) => {
                write!(formatter, "call site {id} was not announced in this stream")
            }
            Self::UnknownSpanId(id) => {
                write!(formatter, "there is no span with ID {id}, or it is closed")
            }
            Self::TooManyValues { max, actual } => {
                write!(formatter, "{actual} values for a call site with {max} fields")
            }
            Self::UnknownField { metadata_id, name } => {
                write!(formatter, "call site {metadata_id} has no field {name:?}")
            }
            Self::UnknownFieldIndex { metadata_id, index, len } => write!(
                formatter,
                "call site {metadata_id} has no field with index {index}, only {len} fields"
            ),
            Self::WrongKind { metadata_id, actual: CallSiteKind::Span } => {
                write!(formatter, "event of call site {metadata_id}, which creates spans")
            }
            Self::WrongKind { metadata_id, actual: CallSiteKind::Event } => {
                write!(formatter, "span of call site {metadata_id}, which emits events")
            }
            Self::SpanExists(id) => {
                write!(formatter, "new span with ID {id}, which is that of an open span")
            }
            Self::SpanNotEntered { id, thread } => {
                write!(formatter, "exit of span {id}, which thread {thread} has not entered")
            }
            Self::NotInScope { id } => write!(
                formatter,
                "the guest traces in span {id} outside of its scope: call the guest in `GuestScope::in_scope()`, or \
                 await it in `GuestScope::in_scope_async()`"
            ),
            Self::LimitExceeded { limit, max, actual } => write!(
                formatter,
                "{actual} {limit} are more than the {max} that this receiver takes; \
                 if the program is right, raise `ReceiverLimits::{}()`",
                limit.row().setter
            ),
            Self::NamesTooLong { max, actual } => write!(
                formatter,
                "the names of the values take {actual} bytes, as fields are repeated, and may take {max}"
            ),
            Self::Frame(error) => write!(formatter, "invalid frame: {error}"),
        }
    }
}

impl Error for ReceiveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Frame(error) => Some(error),
            _ => None,
        }
    }
}

impl From<FrameError> for ReceiveError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}
