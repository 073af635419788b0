use alloc::boxed::Box;
use core::{error::Error, fmt};

use super::ReceiveError;
use crate::wire::{MetadataId, RawSpanId, ThreadIndex};

/// Why [`TracingEventReceiver::try_new()`](super::TracingEventReceiver::try_new) does not restore a receiver:
/// what was persisted does not fit together, and so was changed since, or belongs to something else.
///
/// # Example
///
/// ```
/// use spanshot::{LocalSpans, PersistedMetadata, PersistedSpans, RestoreError, TracingEventReceiver};
///
/// let spans = r#"{"1":{"metadata_id":7,"ref_count":1,"values":{}}}"#;
/// let spans: PersistedSpans = serde_json::from_str(spans)?;
/// let metadata = PersistedMetadata::default();
/// let error = TracingEventReceiver::try_new(metadata, spans, LocalSpans::default()).unwrap_err();
/// assert_eq!(error, RestoreError::UnknownCallSite { span: 1, metadata_id: 7 });
/// assert_eq!(error.to_string(), "span 1 is of call site 7, which is not in the metadata");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// A call site exceeds one of the default limits.
    InvalidCallSite {
        /// The call site.
        metadata_id: MetadataId,
        /// Why it cannot be taken.
        error: Box<ReceiveError>,
    },
    /// The call site of a span is not in the metadata.
    UnknownCallSite {
        /// The span.
        span: RawSpanId,
        /// The call site.
        metadata_id: MetadataId,
    },
    /// A call site cannot create a span, or its values.
    InvalidSpan {
        /// The span.
        span: RawSpanId,
        /// Why it would be refused as a new one.
        error: Box<ReceiveError>,
    },
    /// Two spans are said to be at the same place among those that a thread is in.
    EnteredTwice {
        /// The thread.
        thread: ThreadIndex,
        /// Number of spans around the place.
        depth: usize,
    },
    /// The [`LocalSpans`](super::LocalSpans) know something else of a span than what was persisted.
    Mismatch {
        /// The span.
        span: RawSpanId,
    },
    /// The [`LocalSpans`](super::LocalSpans) know a span that was not persisted.
    Missing {
        /// The span.
        span: RawSpanId,
    },
}

impl fmt::Display for RestoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidCallSite { metadata_id, error } => {
                write!(formatter, "call site {metadata_id} is not taken: {error}")
            }
            Self::UnknownCallSite { span, metadata_id } => write!(
                formatter,
                "span {span} is of call site {metadata_id}, which is not in the metadata"
            ),
            Self::InvalidSpan { span, error } => {
                write!(formatter, "span {span} is not possible: {error}")
            }
            Self::EnteredTwice { thread, depth } => write!(
                formatter,
                "two spans are at place {depth} of those that thread {thread} has entered"
            ),
            Self::Mismatch { span } => {
                write!(formatter, "span {span} is another one than that which is known locally")
            }
            Self::Missing { span } => {
                write!(formatter, "span {span} is known locally, but was not persisted")
            }
        }
    }
}

impl Error for RestoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidCallSite { error, .. } | Self::InvalidSpan { error, .. } => Some(&**error),
            _ => None,
        }
    }
}
