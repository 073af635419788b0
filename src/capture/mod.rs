//! Types that captures and traces hand out, and that you seldom need to name.
//!
//! You start with the items at the root of the crate: [`Capture`], [`CaptureLayer`], [`Trace`], [`CapturedSpan`],
//! [`CapturedEvent`]. Their methods return most types of this module. Import one to write it in a signature, to match on
//! it, or to compare with it:
//!
//! | you look at | with |
//! |---|---|
//! | spans and events together, in one order | [`CapturedNode`], from [`Storage::roots()`] and [`CapturedSpan::nodes()`] |
//! | when something happened, and what | [`Moment`], [`Happening`], from [`Storage::timeline()`] |
//! | how a span or event got its parent | [`ParentKind`], for [`parent_kind()`](CapturedSpan::parent_kind) |
//! | a call site | [`CapturedMetadata`], from [`metadata()`](CapturedSpan::metadata) |
//! | a wait that timed out | [`TimedOut`], from [`Capture::wait_until()`] |
//! | all threads, on a global subscriber of your own | [`ProcessWideLayer`] |
//!
//! # Example
//!
//! ```
//! use spanshot::{Capture, capture::CapturedNode};
//! use tracing::{info, info_span};
//!
//! let capture = Capture::start();
//! info!("started");
//! info_span!("connect").in_scope(|| info!("connected"));
//!
//! let trace = capture.trace();
//! let nodes: Vec<_> = trace.roots().collect();
//! let [CapturedNode::Event(event), CapturedNode::Span(span)] = nodes[..] else {
//!     unreachable!("an event, and then a span");
//! };
//! assert_eq!((event.message(), span.metadata().name()), (Some("started"), "connect"));
//! ```

// The inside: spans and events in memory, as a tree.
//
// A `Storage` is that tree. A `CaptureLayer` adds the records of the test itself; a `Capture` does so with a subscriber
// of its own, for the time of a test. A receiver adds the records of a guest, relayed or directly.
//
// A `Capture` belongs to a thread; a `CaptureHandle` carries it to others. *Process-wide* captures share the global
// subscriber, in which a `ProcessWideLayer` gives each capture the records in its spans.
//
// Readers of a `Storage` get a `Trace`: the tree at the time of the call. Tracing goes on meanwhile, into a copy that
// shares the unchanged parts. Neither side ever waits for the other.

mod session;
mod storage;
mod subscriber;

pub(crate) use self::at_root::*;
#[cfg(feature = "predicates")]
pub(crate) use self::session::excerpt;
#[cfg(feature = "snapshot")]
pub(crate) use self::session::latest_panic;
pub(crate) use self::session::short;
pub(crate) use self::session::shown::{Shown, is_visible};
pub(crate) use self::session::{attribute, own_process};
#[cfg(feature = "export")]
pub(crate) use self::storage::durations::Durations;
#[cfg(feature = "predicates")]
pub(crate) use self::storage::numbers::NumberHasher;
#[cfg(feature = "predicates")]
pub(crate) use self::storage::printed_text::Nearest;
#[cfg(feature = "snapshot")]
pub(crate) use self::storage::printed_text::PrintedText;
pub(crate) use self::storage::{
    printed_text::ShownPart,
    sight::{LEFT_BEHIND, REMEDIES, RelayedElsewhere},
};
#[cfg(feature = "predicates")]
pub(crate) use self::{
    session::print::is_coloured,
    storage::captured::{Reading, sealed::Sealed},
};
pub use self::{
    session::{carried::Carried, test_result::TestResult, waiting::TimedOut},
    storage::{
        iter::{CapturedNode, CapturedNodes},
        metadata::CapturedMetadata,
        parent_kind::ParentKind,
        timeline::{Happening, Moment},
    },
    subscriber::process_wide_layer::ProcessWideLayer,
};

/// The items that are public at the root of the crate.
pub(crate) mod at_root {
    pub use super::{
        session::{builder::CaptureBuilder, capture::Capture, handle::CaptureHandle, print::Print},
        storage::{
            bound::Keep,
            captured::Captured,
            descendants::{DescendantEvents, DescendantSpans},
            event::CapturedEvent,
            iter::{CapturedEvents, CapturedSpans},
            shared::{SharedStorage, Trace},
            span::{CapturedSpan, SpanStats},
            tree::Storage,
        },
        subscriber::layer::CaptureLayer,
    };
}
