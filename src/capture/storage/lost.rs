//! Records that a receiver got, or should have got, and that are missing from the trace.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
};
use core::fmt::{self, Write};

/// The records that were lost on their way into a storage.
#[derive(Debug, Clone, Default)]
pub(crate) struct LostRecords {
    /// Lost records that may belong to the storage's current contents. The count begins anew when the storage is
    /// emptied.
    since_emptied: Lost,
    at_any_time: Lost,
    /// Whether lost records do not matter.
    are_ignored: bool,
}

#[derive(Debug, Clone, Default)]
struct Lost {
    count: u64,
    /// Why the first of them was lost.
    first: Option<Arc<str>>,
}

/// The remedy if the test does not need the lost records.
const REMEDY: &str = "if that is meant, call `ignore_lost_records()` on the builder or the storage";

impl LostRecords {
    pub(crate) fn note(&mut self, reason: &dyn fmt::Display) {
        if !self.are_ignored {
            self.since_emptied.note(reason);
            self.at_any_time.note(reason);
        }
    }

    /// Forgets lost records, and ignores later ones.
    pub(crate) fn ignore(&mut self) {
        *self = Self { are_ignored: true, ..Self::default() };
    }

    /// Forgets records that cannot belong to the trace, since the storage was emptied.
    pub(crate) fn go_on(&mut self) {
        self.since_emptied = Lost::default();
    }

    pub(crate) fn count(&self) -> u64 {
        self.since_emptied.count
    }

    /// Discounts the first `count` records.
    pub(crate) fn keep_since(&mut self, count: u64) {
        self.since_emptied.count = self.since_emptied.count.saturating_sub(count);
    }

    /// Returns a text about lost records that may belong to the trace, or to no test, with a remedy.
    pub(crate) fn in_trace(&self, of_nobody: Option<&Self>) -> Option<String> {
        let what = self.since_emptied.what().or_else(|| self.of_nobody(of_nobody?))?;
        Some(format!("{what} ({REMEDY})"))
    }

    /// Writes a line about all lost records, with a remedy, for the end of a test.
    pub(crate) fn write_findings(&self, of_nobody: Option<&Self>, findings: &mut String) {
        let lost = [self.at_any_time.what(), of_nobody.and_then(|lost| self.of_nobody(lost))];
        let help = "it may be of what the capture was to watch over";
        for what in lost.into_iter().flatten() {
            // Writing to a string does not fail.
            let _ = write!(findings, "\n{what}:\n  ({help}; {REMEDY})\n");
        }
    }

    fn of_nobody(&self, of_nobody: &Self) -> Option<String> {
        let what = match of_nobody.count() {
            _ if self.are_ignored => return None,
            0 => return None,
            1 => "1 record of receivers that no test can claim was".to_string(),
            count => format!("{count} records of receivers that no test can claim were"),
        };
        Some(format!("{what} lost"))
    }
}

impl Lost {
    /// Counts a lost record. A hostile program may cause many: only the first reason is formatted.
    fn note(&mut self, reason: &dyn fmt::Display) {
        self.count = self.count.saturating_add(1);
        self.first.get_or_insert_with(|| reason.to_string().into());
    }

    fn what(&self) -> Option<String> {
        let first = self.first.as_deref()?;
        Some(match self.count {
            1 => format!("a record of a receiver was lost: {first}"),
            count => format!("{count} records of receivers were lost, the first one: {first}"),
        })
    }
}
