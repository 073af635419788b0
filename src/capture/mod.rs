//! The capture: spans and events in memory, as a tree.
//!
//! A [`Storage`] is that tree. A [`CaptureLayer`] adds the records of the test itself; a [`Capture`] does so with a
//! subscriber of its own, for the time of a test. A receiver adds the records of a guest, relayed or directly.
//!
//! A [`Capture`] belongs to a thread; a [`CaptureHandle`] carries it to others. *Process-wide* captures share the
//! global subscriber, in which a [`ProcessWideLayer`] gives each capture the records in its spans.
//!
//! Readers of a [`Storage`] get a [`Trace`]: the tree at the time of the call. Tracing goes on meanwhile, into a copy
//! that shares the unchanged parts. Neither side ever waits for the other.

mod session;
mod storage;
mod subscriber;

pub(crate) use self::session::attribute;
#[cfg(feature = "predicates")]
pub(crate) use self::session::excerpt;
#[cfg(feature = "snapshot")]
pub(crate) use self::session::latest_panic;
pub(crate) use self::session::short;
pub(crate) use self::session::shown::{Shown, is_visible};
#[cfg(feature = "export")]
pub(crate) use self::storage::durations::Durations;
#[cfg(feature = "predicates")]
pub(crate) use self::storage::numbers::NumberHasher;
#[cfg(feature = "predicates")]
pub(crate) use self::storage::printed_text::Nearest;
#[cfg(feature = "snapshot")]
pub(crate) use self::storage::printed_text::{Draw, PrintedText};
pub(crate) use self::storage::{printed_text::ShownPart, sight::RelayedElsewhere};
#[cfg(feature = "predicates")]
pub(crate) use self::{session::print::is_coloured, storage::captured::sealed::Sealed};
pub use self::{
    session::{
        builder::CaptureBuilder, capture::Capture, carried::Carried, handle::CaptureHandle,
        print::Print, test_result::TestResult, waiting::TimedOut,
    },
    storage::{
        bound::Keep,
        captured::Captured,
        descendants::{DescendantEvents, DescendantSpans},
        event::CapturedEvent,
        iter::{CapturedEvents, CapturedNode, CapturedNodes, CapturedSpans},
        metadata::CapturedMetadata,
        parent_kind::ParentKind,
        shared::{SharedStorage, Trace},
        span::{CapturedSpan, SpanStats},
        timeline::{Happening, Moment},
        tree::Storage,
    },
    subscriber::{layer::CaptureLayer, process_wide_layer::ProcessWideLayer},
};
