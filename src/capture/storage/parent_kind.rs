use crate::said_parent::SaidParent;

/// How the parent of a span or event was determined, or that it has none.
///
/// The kind is the one that the traced code stated, as far as the capture knows:
///
/// - A span that the capture did not keep, because of its [filter](crate::CaptureBuilder::filter) or since there was no
///   room, is never a parent. Spans and events in it count as traced in the span around it, or in none.
/// - An [`Explicit`](Self::Explicit) parent may be missing from the trace: it may be closed, or belong to another
///   subscriber.
/// - Streams carry the kind, whether their receiver relays them or not. The kind is not known of spans that a receiver
///   [restored](crate::LocalSpans), nor of anything in a [recorded trace](crate::transport::recorded::RecordedTrace). A
///   sender of `tracing-tunnel` 0.2 does not distinguish explicit roots from spans and events without a stated parent.
///   Both count as contextual, as for the receiver of `tracing-tunnel` 0.2.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, capture::ParentKind};
/// use tracing::{info, info_span};
///
/// let capture = Capture::start();
/// let serve = info_span!("serve");
/// serve.in_scope(|| {
///     info!("accepted");
///     info!(parent: None, "ticked");
/// });
/// info!(parent: &serve, "served");
///
/// let trace = capture.trace();
/// let kinds = trace.all_events().filter_map(|event| event.parent_kind());
/// assert!(kinds.eq([ParentKind::Contextual, ParentKind::ExplicitRoot, ParentKind::Explicit]));
/// let serve = trace.all_spans().next().unwrap();
/// assert_eq!(serve.parent_kind(), Some(ParentKind::ContextualRoot));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParentKind {
    /// The code named the parent: `info!(parent: &span, …)`.
    Explicit,
    /// The parent was the current span.
    Contextual,
    /// The code asked for a root: `info!(parent: None, …)`.
    ExplicitRoot,
    /// There was no current span.
    ContextualRoot,
}

impl ParentKind {
    pub(crate) fn new(said: SaidParent, has_parent: bool) -> Option<Self> {
        match said {
            SaidParent::Explicit => Some(Self::Explicit),
            SaidParent::Root => Some(Self::ExplicitRoot),
            SaidParent::Contextual if has_parent => Some(Self::Contextual),
            SaidParent::Contextual => Some(Self::ContextualRoot),
            SaidParent::Unknown => None,
        }
    }
}
