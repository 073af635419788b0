use core::fmt;

use serde::{Serialize, Serializer};

use super::tree::View;

/// A trace, or a part of one, as [`SnapshotSettings`](super::SnapshotSettings) show it.
///
/// [`Display`](fmt::Display) draws the tree, as [`Storage`](crate::Storage) describes it; [`Serialize`] gives the same
/// content as data, as [`Storage`](crate::Storage#impl-Serialize-for-Storage) describes it.
/// [`assert_trace_snapshot!`](crate::assert_trace_snapshot) and insta's own macros take it.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
///
/// let capture = Capture::start();
/// tracing::info!(target: "net", id = 8_423, "connected");
///
/// let settings = SnapshotSettings::new().targets(true).redact("id", "id");
/// assert_trace_snapshot!(settings.view(&capture.trace()), @"INFO net: connected id=⟨id⟩");
/// ```
pub struct TraceView<'a> {
    pub(super) view: View<'a>,
}

impl fmt::Display for TraceView<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view.fmt(formatter)
    }
}

impl fmt::Debug for TraceView<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TraceView").finish_non_exhaustive()
    }
}

impl Serialize for TraceView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view.serialize(serializer)
    }
}
