use alloc::{
    string::{String, ToString},
    sync::Arc,
};
use core::{
    cell::Cell,
    fmt,
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};
use std::{hash::DefaultHasher, sync::MutexGuard};

use crate::{
    capture::{CapturedNode, Shown, Storage},
    lock::Mutex,
};

/// How much of a trace people have seen, and how a snapshot has shown it. With this, nothing is printed twice, and
/// nothing prints the values that the snapshot redacts.
///
/// Copies of a storage share this: a failure is about one copy, and the end of the capture prints another one.
#[derive(Clone, Default)]
pub(crate) struct PrintedText {
    /// Hash of the text that was shown last. Since the text itself is hashed, every difference counts. Zero stands for
    /// none.
    text: Arc<AtomicU64>,
    /// Number of spans and events when a part was shown, plus 1. Zero stands for none.
    part: Arc<AtomicU64>,
    drawing: Arc<Mutex<Drawing>>,
    nearest: Arc<Mutex<Option<Nearest>>>,
}

/// How a trace is printed.
#[derive(Default)]
struct Drawing {
    draw: Option<Arc<Draw>>,
    draw_line: Option<Arc<DrawLine>>,
    /// Set if nothing of the trace is to be printed, even if a later snapshot shows it.
    is_withheld: bool,
}

/// Draws a trace as a snapshot does.
pub(crate) type Draw = dyn Fn(Shown<'_>, &mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync;

/// Draws a span or event on one line, as a snapshot does, and tells whether something was cut.
pub(crate) type DrawLine =
    dyn Fn(CapturedNode<'_>, &Cell<bool>, &mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync;

/// The span or event that came nearest to a match for an assertion.
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
    /// The surroundings of the relevant nodes.
    Part,
    All,
}

/// The part of a trace that a message shows. It counts as seen only once the message is read.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
pub(crate) struct ShownPart {
    printed: PrintedText,
    /// Hash of the text if the whole trace is shown, or else the number of spans and events at that time.
    shown: Result<u64, usize>,
    nearest: Option<Nearest>,
}

#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
impl ShownPart {
    /// The whole trace is shown.
    pub(crate) fn all(trace: Shown<'_>) -> Self {
        let printed = trace.storage.printed().clone();
        Self { printed, shown: Ok(hash(&trace.to_string())), nearest: None }
    }

    /// A part of the trace is shown.
    pub(crate) fn part(storage: &Storage) -> Self {
        Self { printed: storage.printed().clone(), shown: Err(storage.node_count()), nearest: None }
    }

    /// Sets the span or event that the message names as nearest.
    pub(crate) fn set_nearest(&mut self, nearest: Nearest) {
        self.nearest = Some(nearest);
    }

    /// Notes that the message is read.
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

    /// Notes that a part of the trace is being shown, and how many spans and events the trace has.
    pub(crate) fn set_part(&self, nodes: usize) {
        self.part.store(nodes as u64 + 1, Ordering::Relaxed);
    }

    /// Returns how much people have seen of a trace in its current state, or of the part that its filter lets pass.
    pub(crate) fn seen(&self, shown: Shown<'_>) -> Seen {
        let seen = self.text.load(Ordering::Relaxed);
        let is_seen = |shown: Shown<'_>| hash(&shown.to_string()) == seen;
        let whole = Shown { is_redacted: shown.is_redacted, ..Shown::plain(shown.storage) };
        let filtered = Shown { filter: shown.filter, ..whole };
        // Nearly always, nothing was shown, and then the text is not needed.
        if seen != 0 && [filtered, whole, Shown::plain(shown.storage)].into_iter().any(is_seen) {
            Seen::All
        } else if self.part.load(Ordering::Relaxed) == shown.storage.node_count() as u64 + 1 {
            Seen::Part
        } else {
            Seen::Nothing
        }
    }

    /// Returns the nearest span or event of the latest message that was read.
    pub(crate) fn nearest(&self) -> MutexGuard<'_, Option<Nearest>> {
        self.nearest.lock()
    }

    /// Notes that the trace is not to be printed.
    #[cfg(feature = "predicates")]
    pub(crate) fn withhold(&self, why: &'static str) {
        let draw = move |_: Shown<'_>, formatter: &mut fmt::Formatter<'_>| formatter.write_str(why);
        let draw_line =
            |_: CapturedNode<'_>, _: &Cell<bool>, formatter: &mut fmt::Formatter<'_>| {
                formatter.write_str("⟨not shown, since a secret is in the trace⟩")
            };
        *self.drawing.lock() = Drawing {
            draw: Some(Arc::new(draw)),
            draw_line: Some(Arc::new(draw_line)),
            is_withheld: true,
        };
    }

    /// Whether the trace is not to be printed.
    pub(crate) fn is_withheld(&self) -> bool {
        self.drawing.lock().is_withheld
    }

    /// Notes how a snapshot shows the trace.
    #[cfg(feature = "snapshot")]
    pub(crate) fn set_drawing(&self, draw: Arc<Draw>, draw_line: Arc<DrawLine>) {
        let mut drawing = self.drawing.lock();
        if !drawing.is_withheld {
            (drawing.draw, drawing.draw_line) = (Some(draw), Some(draw_line));
        }
    }

    /// Returns how the latest snapshot that redacts has shown the trace.
    pub(crate) fn drawing(&self) -> Option<Arc<Draw>> {
        self.drawing.lock().draw.clone()
    }

    /// Returns how that snapshot has shown single spans and events.
    pub(crate) fn line_drawing(&self) -> Option<Arc<DrawLine>> {
        self.drawing.lock().draw_line.clone()
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
