//! Assert in tests on what code traced.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(unreachable_pub)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "capture")]
mod capture;
#[cfg(any(feature = "capture", feature = "receiver"))]
mod interest;
#[cfg(feature = "predicates")]
pub mod predicates;
#[cfg(feature = "receiver")]
mod receiver;
#[cfg(feature = "sender")]
mod sender;
#[cfg(feature = "capture")]
mod snapshot;
pub mod transport;
mod wire;

#[cfg(feature = "capture")]
pub use crate::capture::{
    Capture, CaptureLayer, Captured, CapturedEvent, CapturedEvents, CapturedMetadata, CapturedNode,
    CapturedNodes, CapturedSpan, CapturedSpans, DescendantEvents, DescendantSpans, SharedStorage,
    SpanStats, Storage, Trace,
};
#[cfg(all(feature = "receiver", feature = "frames"))]
pub use crate::receiver::FrameDecoder;
#[cfg(feature = "receiver")]
pub use crate::receiver::{
    LocalSpans, PersistedMetadata, PersistedSpans, ReceiveError, TracingEventReceiver,
};
#[cfg(all(feature = "sender", feature = "frames"))]
pub use crate::sender::Frames;
#[cfg(feature = "sender")]
pub use crate::sender::TracingEventSender;
#[cfg(feature = "frames")]
pub use crate::wire::frame;
pub use crate::wire::{
    CallSiteData, CallSiteKind, DebugObject, FromTracedValue, MetadataId, RawSpanId, ThreadIndex,
    TracedError, TracedValue, TracedValues, TracedValuesIter, TracingEvent, TracingLevel,
};

/// What the macros of this crate expand to.
#[cfg(feature = "snapshot")]
#[doc(hidden)]
pub mod __private {
    pub use insta;

    pub use crate::snapshot::assert::{snapshot_settings, tree};
}
