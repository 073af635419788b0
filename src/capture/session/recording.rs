//! Traces that a test leaves in a file.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
};
use core::{fmt::Write as _, panic::Location};
use std::{
    collections::BTreeSet,
    env, eprint, fs,
    io::{self, Write as _},
    panic,
    path::{self, Path, PathBuf},
    print,
};

use super::{
    latest_panic::Place,
    outcome::{Outcome, TestIdentity},
};
use crate::{
    capture::{CaptureBuilder, Storage},
    lock::Mutex,
};

/// Extension of the files of recorded traces.
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
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording {
    when: When,
    directory: Option<PathBuf>,
    /// Locked while the file is written: a test may end while it is being recorded as one that still runs.
    file: Arc<Mutex<RecordedFile>>,
}

#[derive(Debug, Default)]
struct RecordedFile {
    /// The file, once there is one.
    path: Option<PathBuf>,
    /// Whether the capture has ended.
    is_over: bool,
}

/// Recording.
impl CaptureBuilder {
    /// Saves the trace to a file if the test fails while the capture lives, or because of events or spans that it
    /// watches over; see [recording](Self#recording).
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

    /// Sets the directory for recorded traces, in which each package has a directory of its own. The default is
    /// `snapshots` at the root of the package. Directories are created when they are needed.
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
    /// Applies the environment variables, which override the options in the code.
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
            file: Arc::default(),
        }
    }

    /// Checks whether the trace may be recorded at all.
    pub(crate) fn is_possible(&self) -> bool {
        self.when != When::Never
    }

    /// Records the trace if that is due, and returns the path of the file. It does not panic, since a panic may be
    /// under way.
    pub(crate) fn record(&self, recorded: Recorded<'_>) -> Option<PathBuf> {
        let Recorded { test, started_at, outcome, .. } = recorded;
        let is_due = match self.when {
            When::Never => return None,
            When::OnFailure => outcome.is_failure(),
            When::Always => true,
        };
        let mut file = self.file.lock();
        let is_running = matches!(outcome, Outcome::Running(_));
        if is_running && file.is_over {
            return None;
        }
        file.is_over = !is_running;
        if !is_due {
            // The test was recorded while it was running, and has passed.
            if let Some(path) = file.path.take() {
                let _ = fs::remove_file(path);
            }
            return None;
        }
        let directory = self.directory.as_deref().map_or_else(snapshots, of_package);
        // Absolute, for readers in another directory. This fails if there is no current directory.
        let directory = path::absolute(&directory).unwrap_or(directory);
        let path =
            file.path.get_or_insert_with(|| unused_path(&directory, &name(test, started_at)));
        let (report, saved) = match save(recorded, &directory, path) {
            Ok(()) => (format!("trace recorded in {}\n\n", path.display()), Some(path.clone())),
            Err(error) => (format!("trace not recorded in {}: {error}\n\n", path.display()), None),
        };
        if is_running {
            // Past the test runner, which captures output: captured output is lost if the test is killed.
            let _ = io::stderr().write_all(report.as_bytes());
            return saved;
        }
        let attachment = saved.as_deref().and_then(attachment).unwrap_or_default();
        // Only the macros write to the captured output of a test. They panic if that is closed.
        let _ = panic::catch_unwind(|| {
            eprint!("{report}");
            print!("{attachment}");
        });
        saved
    }
}

/// A trace, and the notes that its file has about it.
#[derive(Clone, Copy)]
pub(crate) struct Recorded<'a> {
    pub(crate) trace: &'a Storage,
    pub(crate) test: &'a TestIdentity,
    pub(crate) started_at: &'a Location<'a>,
    pub(crate) outcome: &'a Outcome,
}

impl Recorded<'_> {
    fn save(&self, path: &Path) -> io::Result<()> {
        let Self { test, outcome, .. } = self;
        let attempt = test.runner.attempt.to_string();
        let location =
            outcome.place().map_or_else(|| self.started_at.to_string(), Place::to_string);
        let message = outcome.message();
        let notes = [
            ("test", test.name.as_deref()),
            ("attempt", Some(&*attempt)),
            ("run", test.runner.run.as_deref()),
            ("outcome", Some(outcome.name())),
            ("message", message.as_deref()),
            ("location", Some(&*location)),
        ];
        let notes = notes.into_iter().filter_map(|(name, value)| Some((name, value?)));
        self.trace.save_with_notes(path, notes)
    }
}

/// Returns the line that attaches a file to a test in nextest's `JUnit` report. A line break comes first, since the
/// test may have printed an unfinished line.
fn attachment(file: &Path) -> Option<String> {
    let file = file.to_str()?;
    let is_plain = !file.contains(char::is_control) && !file.contains("]]");
    is_plain.then(|| format!("\n[[ATTACHMENT|{file}]]\n"))
}

/// Writes a file as a whole: until it is complete, the file of an earlier run stays.
fn save(recorded: Recorded<'_>, directory: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    let saved = recorded.save(&unfinished).and_then(|()| fs::rename(&unfinished, path));
    if saved.is_err() {
        let _ = fs::remove_file(&unfinished); // it may not be there
    }
    saved
}

/// Returns the directory of `assert_trace_snapshot!`. Cargo and nextest set the variable to the directory of the
/// package.
fn snapshots() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    package.join("snapshots")
}

/// Returns the directory of this package in one that several packages may share, where their tests may have the same
/// names. Cargo and nextest set the variable.
fn of_package(directory: &Path) -> PathBuf {
    let package = env::var_os("CARGO_PKG_NAME").filter(|name| !name.is_empty());
    package.map_or_else(|| directory.to_owned(), |name| directory.join(name))
}

/// Names a file as insta names a snapshot: by the binary, the modules and the function of the test. If the test is not
/// known, the place where the capture was started is used. Later attempts of the test have files of their own.
fn name(test: &TestIdentity, started_at: &Location<'_>) -> String {
    let binary =
        test.runner.unique_binary.as_ref().map_or_else(String::new, |name| format!("{name}__"));
    let test_name = test.name.as_ref().map(|name| name.replace("::", "__"));
    let place = || {
        let file = Path::new(started_at.file()).file_stem().unwrap_or_default();
        format!("{}_{}", file.to_string_lossy(), started_at.line())
    };
    let mut name = binary + &test_name.unwrap_or_else(place);
    // Writing to a string does not fail.
    if let Some(iteration) = test.runner.stress {
        let _ = write!(name, "-stress-{iteration}");
    }
    if test.runner.attempt > 1 {
        let _ = write!(name, "-attempt-{}", test.runner.attempt);
    }
    // The name of a test may have characters that a file must not have.
    name.replace(|char: char| !char.is_alphanumeric() && char != '_' && char != '-', "_")
}

/// Returns a path to which this process has not recorded anything. The same test overwrites the file of an earlier
/// process.
fn unused_path(directory: &Path, name: &str) -> PathBuf {
    static USED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

    let mut used = USED.lock();
    let mut path = directory.join(format!("{name}.{EXTENSION}"));
    let mut number = 1;
    while !used.insert(path.clone()) {
        number += 1;
        path = directory.join(format!("{name}-{number}.{EXTENSION}"));
    }
    path
}
