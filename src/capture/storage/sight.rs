//! What a capture could not see: an assertion that holds because something is missing has to know.

use alloc::{sync::Arc, vec::Vec};

use tracing_subscriber::filter::Targets;

use crate::capture::Storage;

/// What limits the view of a capture.
#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    /// Filters that were in force while code was traced, as far as the capture knows them. A filter
    /// that can be reloaded may have several.
    pub(crate) filters: Vec<Arc<Targets>>,
    /// Whether records of this process come here, which `tracing` may compile out. A stream that is
    /// captured directly was compiled elsewhere.
    pub(crate) is_native: bool,
    /// Whether the capture follows a thread, so that threads it was not carried to are not in it.
    pub(crate) is_of_thread: bool,
    /// Whether the subscriber of the capture's thread was another one when the trace was read, so that
    /// records go elsewhere.
    pub(crate) is_bypassed: bool,
    /// What no test can claim of the records that the process traced since the capture was started, or
    /// last emptied. A process-wide capture has it, unless the test said that it does not matter.
    pub(crate) unattributed: Option<Arc<Storage>>,
    /// Number of such records that were evicted.
    pub(crate) unattributed_evicted: u64,
}
