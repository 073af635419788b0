use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    sync::Arc,
};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

use insta::{Comparator, Settings, Snapshot};

use super::elision::{Elided, Mismatch};
use crate::lock::Mutex;

/// A failure that insta does not report itself: insta would then replace the snapshot, or leave a pending one. So the
/// comparator tells insta that the snapshots match, and the assertion fails afterwards, at the line of the test.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) reason: String,
    /// Whether the reason shows the trace, or a part of it.
    pub(super) shows_trace: bool,
}

/// The place where a comparator leaves its failure.
pub(super) type FailureSlot = Arc<Mutex<Option<Failure>>>;

/// Compares an earlier snapshot with the new one of the test. If they differ because they belong to two tests, it says
/// so: a new snapshot would suit one of the tests, and fail the other.
///
/// insta writes the source of the test into the file, but does not check it. Tests in different sources share one file
/// if their paths are the same: in the library, and in a binary or an integration test with the name of the library.
pub(super) struct TraceComparator {
    manifest_dir: PathBuf,
    /// Compares the texts: insta's own comparator, unless the settings name another one.
    texts: Box<dyn Comparator>,
    failure: FailureSlot,
}

impl TraceComparator {
    pub(super) fn set(settings: &mut Settings, manifest_dir: &Path, failure: FailureSlot) {
        let texts = settings.comparator().dyn_clone();
        let manifest_dir = manifest_dir.into();
        settings.set_comparator(Box::new(Self { manifest_dir, texts, failure }));
    }

    /// Compares snapshots that are compared specially. Returns `None` if these are not.
    fn matches_specially(
        &self,
        reference: &Snapshot,
        test: &Snapshot,
        is_same: impl FnOnce() -> bool,
    ) -> Option<bool> {
        let failure = match check_elided(reference, test) {
            Some(outcome) => outcome.err(),
            None if is_same() => return None,
            None => Some(self.other_source(reference, test)?),
        };
        if let Some(failure) = failure {
            *self.failure.lock() = Some(failure.clone());
            // insta now updates snapshots that match, too. Nothing else keeps it from that.
            assert!(!is_update_forced(), "{}", failure.reason);
        }
        Some(true)
    }

    /// Fails if the snapshots come from two sources.
    fn other_source(&self, reference: &Snapshot, test: &Snapshot) -> Option<Failure> {
        let [old, new] = [reference, test].map(|snapshot| snapshot.metadata().source());
        let (old, new) = (old?, new?);
        // If the old source does not exist, the test may have been moved.
        let is_other = old != new && self.find(old).is_some_and(|old| Some(old) != self.find(new));
        is_other.then(|| Failure {
            reason: format!(
                "tests in {old:?} and in {new:?} have one snapshot, {:?}, because their paths are the same: rename \
                 a test or its module, or name the snapshot. If the test was moved, delete the snapshot",
                test.snapshot_name().unwrap_or_default(),
            ),
            shows_trace: false,
        })
    }

    /// Finds a source, whose path starts at the root of the workspace.
    fn find(&self, source: &str) -> Option<PathBuf> {
        let mut roots = self.manifest_dir.ancestors();
        roots.find_map(|root| fs::canonicalize(root.join(source)).ok())
    }
}

/// Compares with a snapshot that has elisions. Returns `None` if it has no elisions.
fn check_elided(reference: &Snapshot, test: &Snapshot) -> Option<Result<(), Failure>> {
    let [expected, actual] = [reference.as_text()?, test.as_text()?].map(ToString::to_string);
    let name = test.snapshot_name().unwrap_or_default();
    Some(match Elided::new(&expected)?.check(&actual) {
        Err(Mismatch { reason, shows_trace }) => {
            let reason = format!("the trace does not match the snapshot {name:?}: {reason}");
            Err(Failure { reason, shows_trace })
        }
        Ok(()) if is_update_forced() => {
            let reason = format!(
                "the snapshot {name:?} matches, but has lines `…`, which an update would replace"
            );
            Err(Failure { reason, shows_trace: false })
        }
        Ok(()) => Ok(()),
    })
}

/// Whether insta also updates snapshots that match.
fn is_update_forced() -> bool {
    let is = |name, value| env::var(name).is_ok_and(|actual| actual == value);
    is("INSTA_UPDATE", "force")
        || is("INSTA_FORCE_UPDATE", "1")
        || is("INSTA_FORCE_UPDATE_SNAPSHOTS", "1")
}

impl Comparator for TraceComparator {
    fn matches(&self, reference: &Snapshot, test: &Snapshot) -> bool {
        let is_same = || self.texts.matches(reference, test);
        self.matches_specially(reference, test, is_same).unwrap_or_else(is_same)
    }

    fn matches_fully(&self, reference: &Snapshot, test: &Snapshot) -> bool {
        // Snapshots of one text may differ in what belongs to the file. They do not belong to two tests.
        let is_same = || self.texts.matches(reference, test);
        self.matches_specially(reference, test, is_same)
            .unwrap_or_else(|| self.texts.matches_fully(reference, test))
    }

    fn dyn_clone(&self) -> Box<dyn Comparator> {
        let (manifest_dir, texts) = (self.manifest_dir.clone(), self.texts.dyn_clone());
        Box::new(Self { manifest_dir, texts, failure: self.failure.clone() })
    }
}
