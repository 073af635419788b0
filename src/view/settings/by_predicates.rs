use ::predicates::Predicate;

use super::SnapshotSettings;
use crate::capture::{CapturedEvent, CapturedNode, CapturedSpan};

/// Settings by predicates.
#[cfg_attr(docsrs, doc(cfg(feature = "predicates")))]
impl SnapshotSettings {
    /// Shows only the spans that match. The children of other spans take their place.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot, predicates::*};
    /// use tracing::Level;
    ///
    /// let capture = Capture::start();
    /// tracing::info_span!("connect").in_scope(|| {
    ///     tracing::debug_span!("retry").in_scope(|| tracing::warn!("slow"));
    ///     tracing::info!("connected");
    /// });
    /// let settings = SnapshotSettings::new()
    ///     .show_spans(name("connect"))
    ///     .show_events(level(Level::WARN));
    /// assert_trace_snapshot!(settings.view(&capture.trace()), @r"
    /// INFO connect{}
    /// └─ WARN slow
    /// ");
    /// ```
    #[must_use]
    pub fn show_spans(
        self,
        predicate: impl for<'a> Predicate<CapturedSpan<'a>> + Send + Sync + 'static,
    ) -> Self {
        self.filter(move |node| match node {
            CapturedNode::Span(span) => predicate.eval(&span),
            CapturedNode::Event(_) => true,
        })
    }

    /// Shows only the events that match.
    #[must_use]
    pub fn show_events(
        self,
        predicate: impl for<'a> Predicate<CapturedEvent<'a>> + Send + Sync + 'static,
    ) -> Self {
        self.filter(move |node| match node {
            CapturedNode::Span(_) => true,
            CapturedNode::Event(event) => predicate.eval(&event),
        })
    }

    /// Treats the spans that match as unordered, as [`unordered()`](Self::unordered) does.
    #[must_use]
    pub fn unordered_spans(
        self,
        predicate: impl for<'a> Predicate<CapturedSpan<'a>> + Send + Sync + 'static,
    ) -> Self {
        self.unordered(
            move |node| matches!(node, CapturedNode::Span(span) if predicate.eval(&span)),
        )
    }

    /// Treats the events that match as unordered, as [`unordered()`](Self::unordered) does.
    #[must_use]
    pub fn unordered_events(
        self,
        predicate: impl for<'a> Predicate<CapturedEvent<'a>> + Send + Sync + 'static,
    ) -> Self {
        self.unordered(
            move |node| matches!(node, CapturedNode::Event(event) if predicate.eval(&event)),
        )
    }
}
