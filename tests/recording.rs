//! Captures that leave their trace in a file when their test fails.
//!
//! The tests that fail are run in another process: this binary again, told by an environment variable that
//! it is the other one.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use spanshot::{Capture, SharedStorage, TracingEventReceiver, transport::recorded::RecordedTrace};
use tracing::{Level, info, info_span, warn};

const OTHER: &str = "SPANSHOT_TEST_RECORDING";

/// What the tests of the other process do. Here, they do nothing.
mod other {
    use super::*;

    fn work() {
        info_span!("work", step = 1).in_scope(|| warn!("slow"));
    }

    macro_rules! tests {
        ($($name:ident: $body:block)+) => {$(
            #[test]
            fn $name() {
                if env::var_os(OTHER).is_some() {
                    $body
                }
            }
        )+};
    }

    tests! {
        passes: {
            let _capture = Capture::builder().record_on_failure().start();
            work();
        }
        fails: {
            let _capture = Capture::builder().record_on_failure().start();
            work();
            panic!("as it was told to");
        }
        fails_by_its_capture: {
            let _capture =
                Capture::builder().record_on_failure().fail_on_events(Level::WARN).start();
            work();
        }
        fails_process_wide: {
            let _capture = Capture::builder().record_on_failure().start_process_wide();
            work();
            panic!("as it was told to");
        }
        fails_with_two_captures: {
            let _first = Capture::builder().record_on_failure().start();
            info!("in the first one");
            let _second = Capture::builder().record_on_failure().start();
            info!("in the second one");
            panic!("as it was told to");
        }
        returns_an_error: {
            let run = Capture::builder().record_on_failure().run(|_| {
                work();
                Err::<(), _>("as it was told to")
            });
            run.unwrap(); // when the capture has ended
        }
        does_not_ask: {
            let _capture = Capture::start();
            work();
            panic!("as it was told to");
        }
        names_a_directory: {
            let directory = env::var_os(OTHER).unwrap();
            let _capture = Capture::builder()
                .record_on_failure()
                .record_dir(Path::new(&directory).join("named"))
                .start();
            work();
            panic!("as it was told to");
        }
    }
}

/// A package, as far as it is to be seen, that is deleted in the end.
struct Package(PathBuf);

impl Package {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("recording-{name}"));
        let _ = fs::remove_dir_all(&path); // of an earlier run that failed
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn command(&self, test: &str) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", &format!("other::{test}")]).env(OTHER, &self.0);
        command.env("CARGO_MANIFEST_DIR", &self.0).current_dir(&self.0);
        command.env_remove("SPANSHOT_RECORD").env_remove("SPANSHOT_RECORD_DIR");
        command.env_remove("RUST_TEST_THREADS");
        command
    }

    /// Runs a test of the other process.
    fn run(&self, test: &str) -> Output {
        self.command(test).output().unwrap()
    }

    /// The traces that were recorded, by the paths of their files.
    fn recorded(&self) -> BTreeMap<String, String> {
        fn visit(directory: &Path, files: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { visit(&path, files) } else { files.push(path) }
            }
        }
        let mut files = vec![];
        visit(&self.0, &mut files);
        let trace = |path: PathBuf| {
            let storage = SharedStorage::default();
            let mut receiver = TracingEventReceiver::capturing(&storage);
            let mut recorded = RecordedTrace::open(&path).unwrap();
            recorded.replay(&mut receiver).into_result().unwrap();
            let path = path.strip_prefix(&self.0).unwrap().to_str().unwrap().replace('\\', "/");
            (path, storage.lock().to_string())
        };
        files.into_iter().map(trace).collect()
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const TRACE: &str = "INFO work{step=1}\n└─ WARN slow";

#[track_caller]
fn assert_recorded(package: &Package, expected: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(path, trace)| ((*path).to_owned(), (*trace).to_owned())).collect();
    assert_eq!(package.recorded(), expected);
}

#[test]
fn test_that_fails_leaves_its_trace_beside_the_snapshots_and_says_where() {
    let package = Package::new("fails");
    for test in ["fails", "fails_by_its_capture", "fails_process_wide", "returns_an_error"] {
        let path = format!("snapshots/recording__other__{test}.spanshot");
        for _ in 0..2 {
            let output = package.run(test);
            assert!(!output.status.success());
            let text = String::from_utf8_lossy(&output.stdout);
            let said = format!("trace recorded in {}", package.0.join(&path).display());
            assert_eq!(text.matches(&said).count(), 1, "{text}");
            assert_recorded(&package, &[(&path, TRACE)]);
        }
        fs::remove_file(package.0.join(path)).unwrap();
    }
}

#[test]
fn test_that_passes_or_does_not_ask_leaves_nothing() {
    let package = Package::new("passes");
    assert!(package.run("passes").status.success());
    assert!(!package.run("does_not_ask").status.success());
    assert_recorded(&package, &[]);
}

#[test]
fn captures_of_a_test_have_files_of_their_own() {
    let package = Package::new("two");
    package.run("fails_with_two_captures");
    assert_recorded(
        &package,
        &[
            (
                "snapshots/recording__other__fails_with_two_captures.spanshot",
                "INFO in the second one",
            ),
            (
                "snapshots/recording__other__fails_with_two_captures-2.spanshot",
                "INFO in the first one",
            ),
        ],
    );
}

#[test]
fn directory_may_be_named() {
    let package = Package::new("named");
    package.run("names_a_directory");
    assert_recorded(&package, &[("named/recording__other__names_a_directory.spanshot", TRACE)]);
}

#[test]
fn environment_has_the_last_word() {
    let package = Package::new("environment");
    package.command("fails").env("SPANSHOT_RECORD", "never").output().unwrap();
    assert_recorded(&package, &[]);
    let output = package.command("fails").env("SPANSHOT_RECORD", "often").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("SPANSHOT_RECORD=\"often\" is passed over"), "{text}");

    let package = Package::new("environment-always");
    let directory = package.0.join("elsewhere");
    for test in ["does_not_ask", "names_a_directory"] {
        let mut command = package.command(test);
        command.env("SPANSHOT_RECORD", "failure").env("SPANSHOT_RECORD_DIR", &directory);
        command.output().unwrap();
    }
    let mut command = package.command("passes");
    command.env("SPANSHOT_RECORD", "always").env("SPANSHOT_RECORD_DIR", &directory);
    assert!(command.output().unwrap().status.success());
    assert_recorded(
        &package,
        &[
            ("elsewhere/recording__other__does_not_ask.spanshot", TRACE),
            ("elsewhere/recording__other__names_a_directory.spanshot", TRACE),
            ("elsewhere/recording__other__passes.spanshot", TRACE),
        ],
    );
}

#[test]
fn tests_on_the_main_thread_are_named_by_their_place() {
    let package = Package::new("main-thread");
    package.command("fails").arg("--test-threads=1").output().unwrap();
    let recorded = package.recorded();
    assert_eq!(recorded.len(), 1);
    let path = recorded.keys().next().unwrap();
    assert!(path.starts_with("snapshots/recording__"), "{path}");
}

#[test]
fn trace_that_cannot_be_written_is_reported_and_the_test_fails_as_it_did() {
    let package = Package::new("unwritable");
    fs::write(package.0.join("snapshots"), "a file, rather than a directory").unwrap();
    let output = package.run("fails");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("as it was told to"), "{text}");
    assert!(text.contains("trace not recorded in "), "{text}");
    assert_eq!(output.status.code(), Some(101));
    fs::remove_file(package.0.join("snapshots")).unwrap();
}
