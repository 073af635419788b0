//! What crosses a boundary: call sites, spans, events and their values, free of `tracing`'s types.
//!
//! A program hands values to a subscriber through a visitor; the one visitor of this crate turns
//! them into [`TracedValue`]s, or straight into the bytes of a frame. From there on a stream is a
//! sequence of records, in one of two encodings: [`TracingEvent`]s for serde, [frames](frame) for
//! those who count bytes. A receiver understands both as the same thing.
//!
//! | file | content |
//! |---|---|
//! | `event.rs` | [`Record`], and [`TracingEvent`], which owns its values; IDs |
//! | `parent.rs` | which span a new span or event is a child of |
//! | `call_site.rs`, `level.rs` | descriptions of call sites |
//! | `value.rs`, `values.rs`, `error.rs` | values, alone and together |
//! | `value_ref.rs` | values that borrow, from a record or from a frame |
//! | `convert.rs`, `text.rs`, `hex.rs` | values from and to plain Rust types, and as text |
//! | `visit.rs` | the visitor that takes values from `tracing` |
//! | `json/` | all of this in JSON |
//! | `frame/` | all of this in bytes |
//! | `filter_answer.rs` | answers to questions about the host's filter |
//! | `span_stack/` | the spans that a thread is in |
//! | `numbering.rs` | IDs that are the same from run to run |

mod call_site;
mod convert;
mod error;
mod event;
mod filter_answer;
pub mod frame;
pub mod hex;
#[cfg(feature = "serde")]
mod json;
mod level;
#[allow(missing_docs, clippy::missing_errors_doc)] // hidden
pub mod numbering;
mod parent;
#[allow(missing_docs, clippy::missing_errors_doc)] // hidden
mod span_stack;
#[allow(missing_docs, clippy::missing_errors_doc)] // hidden
pub mod text;
mod value;
#[allow(missing_docs, clippy::missing_errors_doc)] // hidden
mod value_ref;
mod values;
#[allow(missing_docs, clippy::missing_errors_doc)] // hidden
pub mod visit;

#[cfg(feature = "serde")]
pub use self::json::{names_of_bytes, record, restore};
pub use self::{
    call_site::{CallSiteData, CallSiteKind},
    convert::FromTracedValue,
    error::{MAX_CHAIN, TracedError},
    event::{MetadataId, RawSpanId, Record, ThreadIndex, TracingEvent},
    filter_answer::FilterAnswer,
    level::TracingLevel,
    parent::Parent,
    span_stack::{SpanStack, StackedSpan},
    value::{DebugObject, TracedValue},
    value_ref::{ErrorRef, RecordValues, ValueRef},
    values::{TracedValues, TracedValuesIter},
};
