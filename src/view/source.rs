use alloc::{vec, vec::Vec};

use crate::capture::{
    CapturedEvent, CapturedEvents, CapturedNode, CapturedNodes, CapturedSpan, CapturedSpans,
    DescendantEvents, DescendantSpans, Storage, Trace,
};

/// The types that can be [viewed](super::SnapshotSettings::view) and snapshotted: a trace, a span with all its
/// descendants, an event, and lists and iterators of spans and events, such as the matches of a scanner.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, assert_trace_snapshot, predicates::*};
/// use tracing::{Level, info, info_span, warn};
///
/// let capture = Capture::start();
/// info_span!("connect", port = 80).in_scope(|| warn!("slow"));
/// info!("connected");
/// warn!("unencrypted");
///
/// let trace = capture.trace();
/// let connect = trace.scan_spans().single(&name("connect"));
/// assert_trace_snapshot!(connect, @r"
/// INFO connect{port=80}
/// └─ WARN slow
/// ");
/// assert_trace_snapshot!(trace.scan_events().matches(&level(Level::WARN)), @r"
/// WARN slow
/// WARN unencrypted
/// ");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trace, nor a part of one",
    label = "not a trace",
    note = "a trace is what `Capture::trace()` and `SharedStorage::lock()` return; spans and events are parts"
)]
pub trait SnapshotSource {
    /// The trace, if it is a whole one.
    #[doc(hidden)]
    fn whole_trace(&self) -> Option<&Storage> {
        None
    }

    /// The spans and events, each with all its descendants.
    #[doc(hidden)]
    fn nodes(&self) -> Vec<CapturedNode<'_>>;
}

impl SnapshotSource for Storage {
    fn whole_trace(&self) -> Option<&Storage> {
        Some(self)
    }

    fn nodes(&self) -> Vec<CapturedNode<'_>> {
        self.roots().collect()
    }
}

impl SnapshotSource for Trace {
    fn whole_trace(&self) -> Option<&Storage> {
        Some(self)
    }

    fn nodes(&self) -> Vec<CapturedNode<'_>> {
        self.roots().collect()
    }
}

impl SnapshotSource for CapturedNode<'_> {
    fn nodes(&self) -> Vec<CapturedNode<'_>> {
        vec![*self]
    }
}

impl SnapshotSource for CapturedSpan<'_> {
    fn nodes(&self) -> Vec<CapturedNode<'_>> {
        vec![CapturedNode::Span(*self)]
    }
}

impl SnapshotSource for CapturedEvent<'_> {
    fn nodes(&self) -> Vec<CapturedNode<'_>> {
        vec![CapturedNode::Event(*self)]
    }
}

impl SnapshotSource for CapturedNodes<'_> {
    fn nodes(&self) -> Vec<CapturedNode<'_>> {
        self.clone().collect()
    }
}

macro_rules! impl_for_iterators {
    ($($ty:ident of $variant:ident),+) => {$(
        impl SnapshotSource for $ty<'_> {
            fn nodes(&self) -> Vec<CapturedNode<'_>> {
                self.clone().map(CapturedNode::$variant).collect()
            }
        }
    )+};
}

impl_for_iterators!(
    CapturedSpans of Span,
    DescendantSpans of Span,
    CapturedEvents of Event,
    DescendantEvents of Event
);

impl<T: SnapshotSource> SnapshotSource for [T] {
    fn nodes(&self) -> Vec<CapturedNode<'_>> {
        self.iter().flat_map(T::nodes).collect()
    }
}

impl<T: SnapshotSource> SnapshotSource for Vec<T> {
    fn nodes(&self) -> Vec<CapturedNode<'_>> {
        self[..].nodes()
    }
}

impl<T: SnapshotSource + ?Sized> SnapshotSource for &T {
    fn whole_trace(&self) -> Option<&Storage> {
        (**self).whole_trace()
    }

    fn nodes(&self) -> Vec<CapturedNode<'_>> {
        (**self).nodes()
    }
}
