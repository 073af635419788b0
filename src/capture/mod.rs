//! The capture: spans and events in memory, as a tree.
//!
//! A [`Storage`] is that tree. What a test traces itself comes to it through a [`CaptureLayer`];
//! a [`Capture`] is one in a subscriber of its own, for the time of a test. What a guest traced
//! comes to it through a receiver, relayed or directly.
//!
//! Whoever reads a [`Storage`] reads a [`Trace`]: the tree as it was when it was asked for. Tracing
//! goes on meanwhile, into a copy that is made when the first record comes, so that neither side
//! ever waits for the other.

mod builder;
mod captured;
mod descendants;
#[cfg(feature = "receiver")]
mod direct;
mod event;
mod guard;
mod iter;
mod layer;
mod metadata;
mod node;
mod shared;
mod span;
mod storage;

#[cfg(feature = "predicates")]
pub(crate) use self::captured::sealed::Sealed;
pub use self::{
    builder::CaptureBuilder,
    captured::Captured,
    descendants::{DescendantEvents, DescendantSpans},
    event::CapturedEvent,
    guard::Capture,
    iter::{CapturedEvents, CapturedNode, CapturedNodes, CapturedSpans},
    layer::CaptureLayer,
    metadata::CapturedMetadata,
    shared::{SharedStorage, Trace},
    span::{CapturedSpan, SpanStats},
    storage::Storage,
};
