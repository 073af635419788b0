use core::time::Duration;

use super::timeline::EntryKind;

/// How long threads were in a span, and not in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Durations {
    pub(crate) busy: Duration,
    pub(crate) idle: Duration,
    /// How often the span was entered and not exited.
    entered: usize,
    /// Up to when this is.
    since: Duration,
}

impl Durations {
    /// Begins with a span that is entered so many times.
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
            EntryKind::Created | EntryKind::Closed => {}
        }
    }
}
