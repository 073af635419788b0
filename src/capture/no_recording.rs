//! Recordings of failing tests, without the feature `stream`: there are none.

use super::Storage;

#[derive(Debug, Default)]
pub(super) struct Recording;

impl Recording {
    #[allow(clippy::unused_self)] // as where there are some
    pub(super) fn in_environment(self) -> Self {
        self
    }

    #[allow(clippy::unused_self)]
    pub(super) fn record(
        &self,
        _storage: &Storage,
        _started_at: &core::panic::Location<'_>,
        _has_failed: bool,
    ) {
    }
}
