//! What a sender knows of its host's filter without frames, which questions are: nothing.

use tracing_core::{Interest, Metadata};

use super::{call_sites::CallSites, context::Context};

pub(super) struct AskedHost;

impl AskedHost {
    pub(super) const fn new() -> Self {
        Self
    }

    #[allow(clippy::unused_self)] // it is the same function as with frames
    pub(super) fn register(&self, _: &'static Metadata<'static>, _: &CallSites) -> Interest {
        Interest::always()
    }

    #[allow(clippy::unused_self)] // as above
    pub(super) const fn is_enabled(&self, _: &Metadata<'_>, _: &CallSites, _: &Context) -> bool {
        true
    }
}
