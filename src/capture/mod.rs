//! The capture: spans and events in memory, as a tree.
//!
//! A [`Storage`] is that tree. What a test traces itself comes to it through a [`CaptureLayer`];
//! a [`Capture`] is one in a subscriber of its own, for the time of a test. What a guest traced
//! comes to it through a receiver, relayed or directly.
//!
//! A [`Capture`] is that of a thread; a [`CaptureHandle`] carries it to others. A *process-wide* one is one
//! of many that share the global subscriber, in which a [`ProcessWideLayer`] gives each what is in its
//! spans.
//!
//! Whoever reads a [`Storage`] reads a [`Trace`]: the tree as it was when it was asked for. Tracing
//! goes on meanwhile, into a copy that shares what does not change, so that neither side ever waits
//! for the other.

mod bound;
mod builder;
mod call_sites;
mod captured;
mod carried;
mod chunks;
mod collect;
mod descendants;
#[cfg(feature = "receiver")]
mod direct;
mod durations;
mod ending;
mod event;
pub(crate) mod excerpt;
mod fill;
#[cfg(feature = "stream")]
mod frames;
mod guard;
mod handle;
mod happening;
mod iter;
mod keys;
mod layer;
#[cfg(feature = "log")]
mod logger;
mod metadata;
mod names;
mod new_values;
mod node;
mod node_values;
mod numbers;
mod outside;
mod print;
mod process_wide;
#[cfg_attr(not(feature = "stream"), path = "no_recording.rs")]
mod recording;
mod routing;
mod seen;
mod shared;
#[cfg(feature = "predicates")]
pub(crate) mod short;
mod shown;
mod shrink;
mod span;
mod started;
mod storage;
mod stored_value;
mod subscriber;
mod test_span;
mod thread_spans;
mod threads;
mod timeline;
mod value_chunk;
mod values;
mod waiting;
mod watch;

#[cfg(feature = "export")]
pub(crate) use self::durations::Durations;
pub(crate) use self::shown::{Shown, is_visible};
pub use self::{
    bound::Keep,
    builder::CaptureBuilder,
    captured::Captured,
    carried::Carried,
    descendants::{DescendantEvents, DescendantSpans},
    event::CapturedEvent,
    guard::Capture,
    handle::CaptureHandle,
    happening::Happening,
    iter::{CapturedEvents, CapturedNode, CapturedNodes, CapturedSpans},
    layer::CaptureLayer,
    metadata::CapturedMetadata,
    print::Print,
    routing::ProcessWideLayer,
    shared::{SharedStorage, Trace},
    span::{CapturedSpan, SpanStats},
    storage::Storage,
    timeline::Moment,
    waiting::TimedOut,
};
#[cfg(feature = "predicates")]
pub(crate) use self::{captured::sealed::Sealed, print::is_coloured};
