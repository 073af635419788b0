use core::time::Duration;

use crate::capture::storage::timeline::EntryKind;
#[cfg(feature = "export")]
use crate::capture::{Storage, storage::node::NodeKind};

/// How long threads were in a span, and not in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Durations {
    pub(crate) busy: Duration,
    pub(crate) idle: Duration,
    /// How often the span was entered and not exited.
    entered: usize,
    /// The time up to which this is counted.
    since: Duration,
}

impl Durations {
    /// Begins with a span that is entered `entered` times at the moment.
    pub(crate) fn new(since: Duration, entered: usize) -> Self {
        Self { busy: Duration::ZERO, idle: Duration::ZERO, entered, since }
    }

    pub(crate) fn pass(&mut self, now: Duration) {
        let passed = if self.entered > 0 { &mut self.busy } else { &mut self.idle };
        *passed += now.saturating_sub(self.since);
        self.since = self.since.max(now);
    }

    pub(crate) fn happen(&mut self, kind: EntryKind, now: Duration) {
        self.pass(now);
        match kind {
            EntryKind::Entered => self.entered += 1,
            EntryKind::Exited => self.entered = self.entered.saturating_sub(1),
            EntryKind::Created(_) | EntryKind::Recorded | EntryKind::Closed => {}
        }
    }
}

#[cfg(feature = "export")]
impl Storage {
    /// Returns the durations of all spans, if times are kept. Asking each span would take quadratic time if they are
    /// nested.
    pub(crate) fn durations(&self) -> alloc::vec::Vec<Durations> {
        let (mut all, timeline) = (alloc::vec::Vec::new(), &self.timeline);
        for entry in timeline.entries() {
            let (NodeKind::Span(span), kind) = timeline.get(entry) else { continue };
            let Some(time) = timeline.time(entry) else { continue };
            if matches!(kind, EntryKind::Created(_)) {
                let before = self.span_node(span).before();
                all.push(before.unwrap_or_else(|| Durations::new(time, 0)));
            }
            // Spans are created in the order of their numbers.
            if let Some(durations) = all.get_mut(span.get()) {
                durations.happen(kind, time);
            }
        }
        for (durations, span) in all.iter_mut().zip(self.all_spans()) {
            if let (false, Some(last)) = (span.stats().is_closed, timeline.last_time()) {
                durations.pass(last);
            }
        }
        all
    }
}
