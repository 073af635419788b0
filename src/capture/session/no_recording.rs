//! Recordings of failing tests, without the feature `stream`: there are none.

use crate::capture::Storage;

#[derive(Debug, Default)]
pub(crate) struct Recording;

impl Recording {
    #[allow(clippy::unused_self)] // as where there are some
    pub(crate) fn in_environment(self) -> Self {
        self
    }

    #[allow(clippy::unused_self)]
    pub(crate) fn record(
        &self,
        _storage: &Storage,
        _started_at: &core::panic::Location<'_>,
        _has_failed: bool,
    ) {
    }
}
