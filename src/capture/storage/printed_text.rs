use alloc::{
    string::{String, ToString},
    sync::Arc,
};
use core::{
    fmt,
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};
use std::{
    hash::DefaultHasher,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::capture::{Shown, Storage};

/// How much of a trace people have seen, so that nothing prints it twice, and how a snapshot has shown it, so that
/// nothing prints what the snapshot redacts.
///
/// The copies of a storage share it: a failure is about one copy, and the end of the capture prints another
/// one.
#[derive(Clone, Default)]
pub(crate) struct PrintedText {
    /// Hash of the text that was shown last. Since it is made of the text, every difference in the text counts.
    /// Zero stands for none.
    text: Arc<AtomicU64>,
    /// Spans and events that there were when a part was shown, and one more. Zero stands for none.
    part: Arc<AtomicU64>,
    drawing: Arc<Mutex<Option<Arc<Draw>>>>,
    nearest: Arc<Mutex<Option<Nearest>>>,
}

/// Draws a trace as a snapshot does.
pub(crate) type Draw = dyn Fn(Shown<'_>, &mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync;

/// The span or event that came nearest to what an assertion looked for.
#[derive(Debug, Clone)]
pub(crate) struct Nearest {
    /// The first line of the assertion's message.
    pub(crate) headline: String,
    pub(crate) line: String,
}

/// How much of a trace people have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Nothing,
    /// What is around that which matters.
    Part,
    All,
}

/// What a message shows of a trace. Nobody has seen it before somebody reads the message.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
pub(crate) struct ShownPart {
    printed: PrintedText,
    /// Hash of the text of the trace if that is all of it, or else the number of spans and events that there were.
    shown: Result<u64, usize>,
    nearest: Option<Nearest>,
}

#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
impl ShownPart {
    /// All of the trace.
    pub(crate) fn all(trace: Shown<'_>) -> Self {
        let printed = trace.storage.printed().clone();
        Self { printed, shown: Ok(hash(&trace.to_string())), nearest: None }
    }

    /// A part of the trace.
    pub(crate) fn part(storage: &Storage) -> Self {
        Self { printed: storage.printed().clone(), shown: Err(storage.node_count()), nearest: None }
    }

    /// Says what the message names as nearest.
    pub(crate) fn set_nearest(&mut self, nearest: Nearest) {
        self.nearest = Some(nearest);
    }

    /// Notes that somebody reads the message.
    pub(crate) fn set_seen(&self) {
        self.printed.nearest().clone_from(&self.nearest);
        match self.shown {
            Ok(text) => self.printed.text.store(text, Ordering::Relaxed),
            Err(nodes) => self.printed.set_part(nodes),
        }
    }
}

impl PrintedText {
    /// Notes the whole text of a trace that is being shown.
    pub(crate) fn set(&self, text: &str) {
        self.text.store(hash(text), Ordering::Relaxed);
    }

    /// Notes that a part of the trace is being shown, which has so many spans and events.
    pub(crate) fn set_part(&self, nodes: usize) {
        self.part.store(nodes as u64 + 1, Ordering::Relaxed);
    }

    /// Returns what people have seen of a trace as it is now, or of what its filter lets pass.
    pub(crate) fn seen(&self, shown: Shown<'_>) -> Seen {
        let seen = self.text.load(Ordering::Relaxed);
        let is_seen = |shown: Shown<'_>| hash(&shown.to_string()) == seen;
        let whole = Shown { is_redacted: shown.is_redacted, ..Shown::plain(shown.storage) };
        let filtered = Shown { filter: shown.filter, ..whole };
        // Nearly always nothing was shown, and then there is no need for the text.
        if seen != 0 && [filtered, whole, Shown::plain(shown.storage)].into_iter().any(is_seen) {
            Seen::All
        } else if self.part.load(Ordering::Relaxed) == shown.storage.node_count() as u64 + 1 {
            Seen::Part
        } else {
            Seen::Nothing
        }
    }

    /// What came nearest in the latest message that somebody has read.
    pub(crate) fn nearest(&self) -> MutexGuard<'_, Option<Nearest>> {
        self.nearest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a snapshot shows the trace.
    #[cfg(feature = "snapshot")]
    pub(crate) fn set_drawing(&self, drawing: Arc<Draw>) {
        *self.drawing.lock().unwrap_or_else(PoisonError::into_inner) = Some(drawing);
    }

    /// Returns how the latest snapshot that redacts has shown the trace.
    pub(crate) fn drawing(&self) -> Option<Arc<Draw>> {
        self.drawing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for PrintedText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PrintedText").finish_non_exhaustive()
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().max(1)
}
