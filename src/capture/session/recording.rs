//! Traces that a test leaves in a file.

use alloc::{format, string::String};
use core::panic::Location;
use std::{
    collections::BTreeSet,
    env, eprint, fs, io, panic,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use crate::capture::{CaptureBuilder, Storage};

/// Ending of the names of recorded traces.
const EXTENSION: &str = "spanshot";

/// When a capture leaves its trace in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum When {
    #[default]
    Never,
    OnFailure,
    Always,
}

/// How a capture leaves its trace in a file.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    when: When,
    directory: Option<PathBuf>,
}

/// Recording.
impl CaptureBuilder {
    /// Leaves the trace in a file if the test fails while the capture lives, or because of what it watches
    /// over; see [recording](Self#recording).
    ///
    /// The environment variable `SPANSHOT_RECORD` overrides it.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::builder().record_on_failure().start();
    /// tracing::info!("not recorded, since nothing fails");
    /// ```
    pub fn record_on_failure(mut self) -> Self {
        self.recording.when = When::OnFailure;
        self
    }

    /// Says in which directory a trace is left: unless this is called, in `snapshots` at the root of the
    /// package. It is created when it is needed.
    ///
    /// The environment variable `SPANSHOT_RECORD_DIR` overrides it.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let directory = std::env::temp_dir();
    /// let capture = Capture::builder().record_on_failure().record_dir(directory).start();
    /// # drop(capture);
    /// ```
    pub fn record_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.recording.directory = Some(directory.into());
        self
    }
}

impl Recording {
    /// Applies what the environment says, so that whoever runs a test has the last word.
    pub(crate) fn in_environment(self) -> Self {
        let when = crate::capture::session::print::read("SPANSHOT_RECORD", |value| match value {
            "failure" => Ok(When::OnFailure),
            "always" => Ok(When::Always),
            "never" => Ok(When::Never),
            _ => Err("it is one of `failure`, `always` and `never`".into()),
        });
        let directory =
            env::var_os("SPANSHOT_RECORD_DIR").filter(|directory| !directory.is_empty());
        Self {
            when: when.unwrap_or(self.when),
            directory: directory.map(PathBuf::from).or(self.directory),
        }
    }

    /// Leaves the trace in a file, if it is to be left, and says where. It does not panic, since it may be
    /// that a panic is under way.
    pub(crate) fn record(&self, storage: &Storage, started_at: &Location<'_>, has_failed: bool) {
        let is_due = match self.when {
            When::Never => false,
            When::OnFailure => has_failed,
            When::Always => true,
        };
        if !is_due {
            return;
        }
        let directory = self.directory.clone().unwrap_or_else(snapshots);
        let path = unused_path(&directory, &name(started_at));
        let report = match save(storage, &directory, &path) {
            Ok(()) => format!("trace recorded in {}\n\n", path.display()),
            Err(error) => format!("trace not recorded in {}: {error}\n\n", path.display()),
        };
        // Only the macro writes to where the output of a test is captured. It panics if there is
        // nobody to write to any more.
        let _ = panic::catch_unwind(|| eprint!("{report}"));
    }
}

/// Writes a file as a whole, so that one of an earlier run is there until then.
fn save(storage: &Storage, directory: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    let saved = storage.save(&unfinished).and_then(|()| fs::rename(&unfinished, path));
    if saved.is_err() {
        let _ = fs::remove_file(&unfinished); // it may not be there
    }
    saved
}

/// Where `assert_trace_snapshot!` puts its files. Cargo and nextest run a test in its package, and say
/// where that is.
fn snapshots() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    package.join("snapshots")
}

/// Names a file as insta names that of a snapshot: by the binary, the modules and the function of the
/// test, which a test runner has named its thread by. With one thread for all tests, or on a thread that
/// the test has started, it is the place where the capture was started.
fn name(started_at: &Location<'_>) -> String {
    let thread = thread::current();
    let test = match thread.name() {
        Some(name) if name != "main" => name.replace("::", "__"),
        _ => {
            let file = Path::new(started_at.file()).file_stem().unwrap_or_default();
            format!("{}_{}", file.to_string_lossy(), started_at.line())
        }
    };
    let name = match binary() {
        Some(binary) => format!("{binary}__{test}"),
        None => test,
    };
    // Whatever a thread may be called.
    name.replace(|char: char| !char.is_alphanumeric() && char != '_' && char != '-', "_")
}

/// Name of the binary, without the hash that cargo adds to those of tests.
fn binary() -> Option<String> {
    let path = env::current_exe().ok()?;
    let stem = path.file_stem()?.to_str()?;
    let is_hash =
        |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = match stem.rsplit_once('-') {
        Some((name, hash)) if is_hash(hash) => name,
        _ => stem,
    };
    Some(name.replace('-', "_"))
}

/// Returns a path that nothing was recorded in by this process. That of an earlier one is overwritten,
/// by the same test.
fn unused_path(directory: &Path, name: &str) -> PathBuf {
    static USED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut path = directory.join(format!("{name}.{EXTENSION}"));
    let mut number = 1;
    while !used.insert(path.clone()) {
        number += 1;
        path = directory.join(format!("{name}-{number}.{EXTENSION}"));
    }
    path
}
