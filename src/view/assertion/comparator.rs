use alloc::{boxed::Box, string::ToString};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

use insta::{Comparator, Settings, Snapshot};

use super::elision::Elided;

/// Compares an earlier snapshot with the new one of the test. If they differ because they belong to two tests, it says
/// so: a new snapshot would suit one of the tests, and fail the other.
///
/// insta writes the source of the test into the file, but does not check it. Tests in different sources share one file
/// if their paths are the same: in the library, and in a binary or an integration test with the name of the library.
pub(super) struct TraceComparator {
    manifest_dir: PathBuf,
    /// Compares the texts: insta's own comparator, unless the settings name another one.
    texts: Box<dyn Comparator>,
}

impl TraceComparator {
    pub(super) fn set(settings: &mut Settings, manifest_dir: &Path) {
        let texts = settings.comparator().dyn_clone();
        settings.set_comparator(Box::new(Self { manifest_dir: manifest_dir.into(), texts }));
    }

    /// # Panics
    ///
    /// Panics if the snapshots come from two sources.
    fn check_source(&self, reference: &Snapshot, test: &Snapshot) {
        let [old, new] = [reference, test].map(|snapshot| snapshot.metadata().source());
        let (Some(old), Some(new)) = (old, new) else { return };
        // If the old source does not exist, the test may have been moved.
        let is_other = old != new && self.find(old).is_some_and(|old| Some(old) != self.find(new));
        assert!(
            !is_other,
            "tests in {old:?} and in {new:?} have one snapshot, {:?}, because their paths are the same: rename a \
             test or its module, or name the snapshot. If the test was moved, delete the snapshot",
            test.snapshot_name().unwrap_or_default(),
        );
    }

    /// Finds a source, whose path starts at the root of the workspace.
    fn find(&self, source: &str) -> Option<PathBuf> {
        let mut roots = self.manifest_dir.ancestors();
        roots.find_map(|root| fs::canonicalize(root.join(source)).ok())
    }
}

/// Compares with a snapshot that has elisions. Returns `None` if it has no elisions.
///
/// # Panics
///
/// Panics if they differ. If it returned `false` instead, insta would replace the elisions by the text of the test.
fn matches_elided(reference: &Snapshot, test: &Snapshot) -> Option<bool> {
    let [expected, actual] = [reference.as_text()?, test.as_text()?].map(ToString::to_string);
    let name = test.snapshot_name().unwrap_or_default();
    match Elided::new(&expected)?.check(&actual) {
        Err(reason) => panic!("the trace does not match the snapshot {name:?}: {reason}"),
        Ok(()) if is_update_forced() => {
            panic!(
                "the snapshot {name:?} matches, but has lines `…`, which an update would replace"
            )
        }
        Ok(()) => Some(true),
    }
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
        if let Some(is_same) = matches_elided(reference, test) {
            return is_same;
        }
        let is_same = self.texts.matches(reference, test);
        if !is_same {
            self.check_source(reference, test);
        }
        is_same
    }

    fn matches_fully(&self, reference: &Snapshot, test: &Snapshot) -> bool {
        if let Some(is_same) = matches_elided(reference, test) {
            return is_same;
        }
        let is_same = self.texts.matches_fully(reference, test);
        if !is_same && !self.texts.matches(reference, test) {
            self.check_source(reference, test);
        }
        is_same
    }

    fn dyn_clone(&self) -> Box<dyn Comparator> {
        Box::new(Self { manifest_dir: self.manifest_dir.clone(), texts: self.texts.dyn_clone() })
    }
}
