//! The blind spots of a capture. An assertion that holds because something is missing must know them.

use alloc::{
    boxed::Box,
    collections::BTreeSet,
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use tracing::level_filters::STATIC_MAX_LEVEL;
use tracing_core::{Level, LevelFilter, Metadata};
use tracing_subscriber::filter::Targets;

#[cfg(feature = "snapshot")]
use crate::capture::CapturedNode;
use crate::{
    capture::{Storage, storage::lost::LostRecords},
    receiver::WhyUnsent,
};

/// The limits of a capture's view.
#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    /// Filters that were in force while code was traced, as far as the capture knows them. A filter
    /// that can be reloaded may have several.
    pub(crate) filters: Vec<Arc<Targets>>,
    /// Levels and targets of records that another layer, or a filter whose rules are not known, has hidden from the
    /// capture.
    pub(crate) hidden: BTreeSet<(Level, Box<str>)>,
    /// Level and target of the first span that was among the hidden records.
    pub(crate) hidden_span: Option<(Level, Box<str>)>,
    /// The maximal level of the `log` crate, if something has lowered it: records of this crate that are more verbose go
    /// nowhere.
    pub(crate) log_level: Option<LevelFilter>,
    /// Whether records of this process come here, some of which `tracing` may compile out. A stream that is captured
    /// directly was compiled elsewhere.
    pub(crate) is_native: bool,
    /// Whether the capture follows a thread. Then it does not see threads to which it was not carried.
    pub(crate) is_of_thread: bool,
    /// Whether the capture's thread had another subscriber when the trace was read: then records go elsewhere.
    pub(crate) is_bypassed: bool,
    /// Set if a receiver that was called in the scope of the capture relayed to another subscriber.
    pub(crate) relayed_elsewhere: Option<RelayedElsewhere>,
    /// Unattributed records that the process traced since the capture was started, or last emptied. A process-wide
    /// capture has these, unless the test ignores them.
    pub(crate) unattributed: Option<Arc<Storage>>,
    /// Number of unattributed records that were evicted.
    pub(crate) unattributed_evicted: u64,
    /// Records that receivers have lost.
    pub(crate) lost: LostRecords,
    /// Set if a guest may not have sent everything.
    pub(crate) unsent: Option<WhyUnsent>,
}

/// A subscriber that got records of a receiver instead of the capture. The order is by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RelayedElsewhere {
    /// Another subscriber, which may be meant to have them.
    ToOther,
    /// The subscriber of a capture that had ended: the records are lost.
    ToEnded,
}

impl RelayedElsewhere {
    /// The remedy if that was a mistake.
    pub(crate) const REMEDY: &str = "create the receiver or the `GuestTrace` after the capture has started, or call \
                                     `GuestTrace::relay_here()`";

    /// Returns a description of the problem.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::ToOther => {
                "a receiver that was called in this capture relays to another subscriber"
            }
            Self::ToEnded => {
                "a receiver that was called in this capture relays to one that has ended"
            }
        }
    }
}

/// Says that records went elsewhere, since code under test has left a subscriber behind.
pub(crate) const LEFT_BEHIND: &str = "a thread of this capture has another subscriber, so that records go elsewhere (something \
     called `set_default` and kept the guard)";

/// Ways for records to reach a capture that follows a thread.
pub(crate) const REMEDIES: &str = "(records of other threads and tasks come here only by `carry()`, `handle()` or \
    `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)";

/// Maximal number of distinct targets of hidden records.
const MAX_HIDDEN: usize = 256;

impl Sight {
    /// Checks whether hidden records of this level and target are noted, or any of this level.
    fn is_hidden(&self, level: Level, target: &str) -> bool {
        let mut of_level = self.hidden.iter().filter(|(hidden, _)| *hidden == level);
        of_level.any(|(_, hidden)| **hidden == *target || hidden.is_empty())
    }

    /// Checks whether all that is to note of a hidden record is noted.
    pub(crate) fn knows_hidden(&self, metadata: &Metadata<'_>) -> bool {
        self.is_hidden(*metadata.level(), metadata.target())
            && (self.hidden_span.is_some() || !metadata.is_span())
    }

    /// Notes a hidden record. Beyond the maximal number, an empty target stands for any.
    pub(crate) fn note_hidden(&mut self, metadata: &Metadata<'_>) {
        let (level, target) = (*metadata.level(), metadata.target());
        if metadata.is_span() {
            self.hidden_span.get_or_insert_with(|| (level, target.into()));
        }
        let target = if self.hidden.len() < MAX_HIDDEN { target } else { "" };
        self.hidden.insert((level, target.into()));
    }

    /// Says that records of the `log` crate of this level go nowhere, if that is so.
    pub(crate) fn silenced_log(&self, level: Level) -> Option<String> {
        let max_level = self.log_level.filter(|max_level| level > *max_level)?;
        let max_level = max_level.to_string().to_uppercase();
        Some(format!(
            "`log::set_max_level()` was called with {max_level}, so that records of the `log` crate of level {level} \
             go nowhere"
        ))
    }

    /// Returns the most verbose level that is not compiled out of the records.
    pub(crate) fn max_level(&self) -> LevelFilter {
        if self.is_native { STATIC_MAX_LEVEL } else { LevelFilter::TRACE }
    }

    /// Checks whether the filters of the capture let a record pass.
    pub(crate) fn passes(&self, level: Level, target: &str) -> bool {
        self.filters.iter().all(|filter| filter.would_enable(target, &level))
    }

    /// Returns the reason why some records of this level could not be captured, if there is one.
    pub(crate) fn hides_level(&self, level: Level) -> Option<String> {
        let has_level = |filter: &&Arc<Targets>| {
            let levels = filter.iter().map(|(_, max_level)| max_level);
            levels.chain(filter.default_level()).any(|max_level| level <= max_level)
        };
        if level > self.max_level() {
            return Some(format!("{level} is compiled out (`tracing`'s features `max_level_*`)"));
        }
        if let Some(filter) = self.filters.iter().find(|filter| !has_level(filter)) {
            return Some(format!("the capture's filter {:?} hides {level}", filter.to_string()));
        }
        let hidden = self.hidden.iter().find(|(hidden, _)| *hidden == level);
        let hidden = hidden.map(|(_, target)| {
            format!("a filter or another layer has hidden {level} of {target:?}")
        });
        hidden.or_else(|| self.silenced_log(level))
    }

    /// Notes that a receiver relays to another subscriber.
    pub(crate) fn note_relayed(&mut self, elsewhere: RelayedElsewhere) {
        self.relayed_elsewhere = self.relayed_elsewhere.max(Some(elsewhere));
    }

    /// Checks whether records of a receiver are lost.
    pub(crate) fn has_lost_relayed(&self) -> bool {
        self.relayed_elsewhere == Some(RelayedElsewhere::ToEnded)
    }

    /// Returns a text about relayed records that are lost, if there are any.
    pub(crate) fn lost_relayed(&self) -> Option<String> {
        let elsewhere = self.relayed_elsewhere.filter(|_| self.has_lost_relayed())?;
        let (what, remedy) = (elsewhere.what(), RelayedElsewhere::REMEDY);
        Some(format!("{what}, so that its records are lost ({remedy})"))
    }

    /// Returns a text about records that receivers have lost, with a remedy, if there are any.
    pub(crate) fn lost(&self) -> Option<String> {
        self.lost.in_trace(self.unattributed.as_ref().map(|of_nobody| &of_nobody.sight.lost))
    }

    /// Returns a text about records that a guest may not have sent, with a remedy, if there are any.
    pub(crate) fn unsent(&self) -> Option<String> {
        self.unsent.map(|why| format!("{} ({})", why.what(), why.remedy()))
    }

    /// Returns the reason why records went elsewhere that should be here, if some did.
    pub(crate) fn bypass(&self) -> Option<String> {
        let left_behind = self.is_bypassed.then(|| LEFT_BEHIND.to_string());
        let lost = || self.lost_relayed().or_else(|| self.lost()).or_else(|| self.unsent());
        left_behind.or_else(lost)
    }

    /// Returns the reason why a trace may be incomplete, if there is one.
    #[cfg(feature = "snapshot")]
    pub(crate) fn incomplete(&self) -> Option<String> {
        let is_of_test = |node: &CapturedNode<'_>| {
            self.passes(*node.metadata().level(), node.metadata().target())
        };
        let first = self.unattributed.iter().flat_map(|storage| storage.roots()).find(is_of_test);
        if self.is_bypassed {
            return Some(
                "this trace is not all that was traced: other subscribers had records".into(),
            );
        }
        if let Some(lost) = self.lost_relayed() {
            return Some(format!("this trace is not all that was traced: {lost}"));
        }
        if let Some(lost) = self.lost() {
            return Some(format!("this trace is not all that was traced: {lost}"));
        }
        if let Some(unsent) = self.unsent() {
            return Some(format!("this trace is perhaps not all that was traced: {unsent}"));
        }
        first.map(|first| {
            format!(
                "this trace is perhaps not all that the test traced: no test can claim\n\n{first}\n\n\
                 Attach its thread (`CaptureHandle::attach_thread()`), run the test in a process of its own, \
                 as nextest does, or call `ignore_unattributed()` on the builder if such records do not matter"
            )
        })
    }
}
