use alloc::{string::ToString, sync::Arc};
use core::{
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};
use std::hash::DefaultHasher;

use crate::capture::Shown;

/// What people have been shown of a trace already, so that they are not shown it twice.
///
/// The copies of a storage share it: a failure is about a snapshot, and what prints the trace in the
/// end has another one. It goes by the text, and so by whatever makes a difference there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Hash of the text that was shown last. Zero stands for none.
    text: Arc<AtomicU64>,
}

impl Seen {
    /// Takes note of the text of a trace that is being shown, all of it.
    pub(crate) fn set(&self, text: &str) {
        self.text.store(hash(text), Ordering::Relaxed);
    }

    /// Whether a trace has been shown as it is now: all of it, or what its filter lets pass.
    pub(crate) fn has(&self, shown: Shown<'_>) -> bool {
        let seen = self.text.load(Ordering::Relaxed);
        // Nearly always nothing was shown, and then there is no need for the text.
        seen != 0
            && [shown.filter, None].into_iter().any(|filter| {
                let text = Shown { filter, is_coloured: false, ..shown }.to_string();
                hash(&text) == seen
            })
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().max(1)
}
