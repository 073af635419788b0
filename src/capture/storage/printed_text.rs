use alloc::{string::ToString, sync::Arc};
use core::{
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};
use std::hash::DefaultHasher;

use crate::capture::Shown;

/// The fingerprint of the text of a trace that people have seen, so that nothing prints it twice.
///
/// The copies of a storage share it: a failure is about one copy, and the end of the capture prints another
/// one. Since it is made of the text, every difference in the text counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct PrintedText {
    /// Hash of the text that was shown last. Zero stands for none.
    text: Arc<AtomicU64>,
}

impl PrintedText {
    /// Notes the whole text of a trace that is being shown.
    pub(crate) fn set(&self, text: &str) {
        self.text.store(hash(text), Ordering::Relaxed);
    }

    /// Checks whether people have seen a trace as it is now: all of it, or what its filter lets pass.
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
