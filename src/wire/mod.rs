//! What crosses a boundary: call sites, spans, events and their values, free of `tracing`'s types.
//!
//! A program hands values to a subscriber through a visitor; the one visitor of this crate turns
//! them into [`TracedValue`]s, or straight into the bytes of a frame. From there on a stream is a
//! sequence of records, in one of two encodings: [`TracingEvent`]s for serde, [frames](frame) for
//! those who count bytes. A receiver understands both as the same thing.

mod call_site;
mod convert;
mod error;
mod event;
#[cfg(feature = "frames")]
mod filter_answer;
#[cfg(feature = "frames")]
pub mod frame;
pub(crate) mod hex;
mod level;
#[cfg(any(feature = "capture", feature = "receiver"))]
pub(crate) mod log_record;
mod model;
pub(crate) mod numbering;
#[cfg(any(feature = "sender", feature = "receiver", all(feature = "capture", feature = "stream")))]
mod parent;
#[cfg(feature = "receiver")]
mod record;
#[cfg(any(all(feature = "sender", feature = "std"), feature = "receiver", feature = "capture"))]
mod span_stack;
pub(crate) mod text;
mod value;
mod value_model;
mod values;
pub(crate) mod visit;

#[cfg(feature = "frames")]
pub use self::filter_answer::FilterAnswer;
#[cfg(any(
    feature = "sender",
    feature = "receiver",
    all(feature = "capture", feature = "stream")
))]
pub(crate) use self::parent::Parent;
#[cfg(any(
    all(feature = "sender", feature = "std"),
    feature = "receiver",
    feature = "capture"
))]
pub(crate) use self::span_stack::SpanStack;
#[cfg(feature = "receiver")]
pub(crate) use self::span_stack::StackedSpan;
pub use self::{
    call_site::{CallSiteData, CallSiteKind},
    convert::FromTracedValue,
    error::TracedError,
    event::{MetadataId, RawSpanId, ThreadIndex, TracingEvent},
    level::TracingLevel,
    value::{DebugObject, TracedValue},
    values::{TracedValues, TracedValuesIter},
};
#[cfg(feature = "receiver")]
pub(crate) use self::{
    error::MAX_CHAIN,
    model::{names_of_bytes, restore},
    record::{ErrorRef, Record, RecordValues, ValueRef},
};
