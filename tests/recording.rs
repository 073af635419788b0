//! Captures that leave their trace in a file when their test fails.
//!
//! The tests that fail are run in another process: this binary again, told by an environment variable that
//! it is the other one.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use spanshot::{Capture, SharedStorage, TracingEventReceiver, transport::recorded::RecordedTrace};
use tracing::{Level, info, info_span, warn};

const OTHER: &str = "SPANSHOT_TEST_RECORDING";

/// A busy machine needs less than this to trace all that is recorded.
const HANGS_AFTER: Duration = Duration::from_secs(2);

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
        runs_past_its_time_and_passes: {
            let builder = Capture::builder().print_after(Duration::from_millis(1));
            let _capture = builder.record_on_failure().start();
            work();
            // Until it is recorded.
            let directory = env::var_os(OTHER).unwrap();
            let directory = Path::new(&directory).join("snapshots");
            let is_there = || fs::read_dir(&directory).is_ok_and(|mut files| {
                files.any(|file| file.unwrap().path().extension().unwrap() == "spanshot")
            });
            while !is_there() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        passes_just_when_its_time_is_over: {
            for _ in 0..100 {
                let builder = Capture::builder().print_after(Duration::ZERO);
                let _capture = builder.record_on_failure().start();
                work();
            }
        }
        hangs: {
            let builder = Capture::builder().print_after(HANGS_AFTER);
            let _capture = builder.record_on_failure().start();
            work();
            loop {
                std::thread::park();
            }
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
        command.env("CARGO_MANIFEST_DIR", &self.0).env("CARGO_PKG_NAME", "this-package");
        command.current_dir(&self.0);
        command.env_remove("SPANSHOT_RECORD").env_remove("SPANSHOT_RECORD_DIR");
        command.env_remove("RUST_TEST_THREADS").env_remove("GITHUB_ACTIONS");
        for name in ["ATTEMPT", "BINARY_ID", "STRESS_CURRENT", "RUN_ID", "TEST_NAME"] {
            command.env_remove(format!("NEXTEST_{name}"));
        }
        command
    }

    /// Runs a test of the other process.
    fn run(&self, test: &str) -> Output {
        self.command(test).output().unwrap()
    }

    /// The paths of the files.
    fn files(&self) -> Vec<PathBuf> {
        fn visit(directory: &Path, files: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { visit(&path, files) } else { files.push(path) }
            }
        }
        let mut files = vec![];
        visit(&self.0, &mut files);
        files
    }

    /// Returns what the only file says of its trace.
    #[track_caller]
    fn notes(&self) -> BTreeMap<&'static str, String> {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        let recorded = RecordedTrace::open(&files[0]).unwrap();
        let note = |name| Some((name, recorded.note(name)?.to_owned()));
        let names = ["test", "attempt", "run", "outcome", "message", "location"];
        names.into_iter().filter_map(note).collect()
    }

    /// The traces that were recorded, by the paths of their files.
    fn recorded(&self) -> BTreeMap<String, String> {
        let trace = |path: PathBuf| {
            let storage = SharedStorage::default();
            let mut receiver = TracingEventReceiver::capturing(&storage);
            let mut recorded = RecordedTrace::open(&path).unwrap();
            recorded.replay(&mut receiver).into_result().unwrap();
            let path = path.strip_prefix(&self.0).unwrap().to_str().unwrap().replace('\\', "/");
            (path, storage.lock().to_string())
        };
        self.files().into_iter().map(trace).collect()
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
            let attached = format!("\n[[ATTACHMENT|{}]]\n", package.0.join(&path).display());
            assert_eq!(text.matches(&attached).count(), 1, "{text}");
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
    assert_recorded(
        &package,
        &[("named/this-package/recording__other__names_a_directory.spanshot", TRACE)],
    );
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
            ("elsewhere/this-package/recording__other__does_not_ask.spanshot", TRACE),
            ("elsewhere/this-package/recording__other__names_a_directory.spanshot", TRACE),
            ("elsewhere/this-package/recording__other__passes.spanshot", TRACE),
        ],
    );
}

#[test]
fn packages_that_share_a_directory_keep_their_files() {
    let package = Package::new("shared");
    for name in ["one", "two", ""] {
        let mut command = package.command("does_not_ask");
        command.env("CARGO_PKG_NAME", name).env("SPANSHOT_RECORD", "failure");
        command.env("SPANSHOT_RECORD_DIR", &package.0);
        command.output().unwrap();
    }
    assert_recorded(
        &package,
        &[
            ("one/recording__other__does_not_ask.spanshot", TRACE),
            ("recording__other__does_not_ask.spanshot", TRACE),
            ("two/recording__other__does_not_ask.spanshot", TRACE),
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

#[test]
fn recording_knows_its_test_and_how_that_ended() {
    let check = |test: &str, outcome: &str, message: Option<&str>, line: &str| {
        let package = Package::new(&format!("notes-{test}"));
        let mut command = package.command(test);
        command.env("SPANSHOT_RECORD", "always").env("NEXTEST_RUN_ID", "a-run");
        command.output().unwrap();
        let mut notes = package.notes();
        let location = notes.remove("location").unwrap();
        let mut expected = BTreeMap::from([
            ("test", format!("other::{test}")),
            ("attempt", "1".into()),
            ("run", "a-run".into()),
            ("outcome", outcome.into()),
        ]);
        expected.extend(message.map(|message| ("message", message.into())));
        assert_eq!(notes, expected);
        assert!(location.starts_with("tests/recording.rs:"), "{location}");
        let number: usize = location.split(':').nth(1).unwrap().parse().unwrap();
        let source = include_str!("recording.rs").lines().nth(number - 1).unwrap();
        assert_eq!(source.trim(), line, "{location}");
    };
    let started = "let _capture = Capture::builder().record_on_failure().start();";
    let told = "as it was told to";
    check("fails", "panicked", Some(told), "panic!(\"as it was told to\");");
    let run = "let run = Capture::builder().record_on_failure().run(|_| {";
    check("returns_an_error", "returned", Some("\"as it was told to\""), run);
    // Nobody knows what such a test returns.
    check("passes", "unknown", None, started);

    let package = Package::new("notes-failed");
    package.run("fails_by_its_capture");
    let notes = package.notes();
    assert_eq!(notes["outcome"], "failed");
    let found = "1 event at level warn or more severe that nothing allows:\n  WARN slow\n";
    assert!(notes["message"].starts_with(found), "{notes:?}");
}

/// Attempts of a test are processes of their own.
#[test]
fn attempts_of_a_test_do_not_overwrite_each_other() {
    let package = Package::new("attempts");
    for (attempt, iteration) in
        [("1", "none"), ("2", "none"), ("3", "none"), ("1", "7"), ("2", "7")]
    {
        let mut command = package.command("fails");
        command.env("NEXTEST_ATTEMPT", attempt).env("NEXTEST_STRESS_CURRENT", iteration);
        command.output().unwrap();
    }
    let name = |rest| format!("snapshots/recording__other__fails{rest}.spanshot");
    let expected = ["", "-attempt-2", "-attempt-3", "-stress-7", "-stress-7-attempt-2"].map(name);
    let recorded = package.recorded();
    assert!(recorded.keys().eq(expected.iter().collect::<std::collections::BTreeSet<_>>()));
    let recorded = RecordedTrace::open(package.0.join(&expected[2])).unwrap();
    assert_eq!(recorded.note("attempt"), Some("3"));
}

/// A library, an integration test and a program may have one name, and each a test of one path.
#[test]
fn binaries_of_one_name_do_not_overwrite_each_other() {
    let package = Package::new("binaries");
    for id in ["recording", "recording::recording", "recording::bin/recording"] {
        package.command("fails").env("NEXTEST_BINARY_ID", id).output().unwrap();
    }
    let name = |binary| (format!("snapshots/{binary}__other__fails.spanshot"), TRACE.to_owned());
    let expected = ["recording__bin_recording", "recording", "recording__recording"].map(name);
    assert!(package.recorded().into_iter().eq(expected));
}

#[test]
fn test_that_hangs_is_recorded_while_it_runs() {
    use std::io::{BufRead, BufReader};

    let package = Package::new("hangs");
    let mut command = package.command("hangs");
    let mut process = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let is_recorded = |line: &String| line.starts_with("trace recorded in ");
    let line = lines.map(Result::unwrap).find(is_recorded);
    process.kill().unwrap();
    process.wait().unwrap();
    let path = "snapshots/recording__other__hangs.spanshot";
    assert_eq!(line.unwrap(), format!("trace recorded in {}", package.0.join(path).display()));
    assert_recorded(&package, &[(path, TRACE)]);
    let notes = package.notes();
    assert_eq!((&*notes["outcome"], &*notes["message"]), ("running", "still running after 2s"));

    // If it passes after all, there is nothing to look at.
    let package = Package::new("passes-after-all");
    let output = package.run("runs_past_its_time_and_passes");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("trace recorded in "), "{text}");
    assert_recorded(&package, &[]);
    let package = Package::new("passes-meanwhile");
    assert!(package.run("passes_just_when_its_time_is_over").status.success());
    assert_recorded(&package, &[]);
}

/// The same with the real test runner.
#[test]
#[ignore = "needs cargo-nextest"]
fn attempts_under_nextest_are_recorded_and_attached() {
    let package = Package::new("nextest");
    let config = package.0.join("nextest.toml");
    let junit = package.0.join("junit.xml");
    fs::write(&config, format!("[profile.default.junit]\npath = {junit:?}\n")).unwrap();
    let mut nextest = Command::new(env!("CARGO"));
    nextest.args(["nextest", "run", "--locked", "--all-features", "--test", "recording"]);
    nextest.args(["--retries", "2", "-E", "test(=other::fails)", "--config-file"]).arg(config);
    nextest.current_dir(env!("CARGO_MANIFEST_DIR")).env(OTHER, &package.0);
    nextest.env("SPANSHOT_RECORD_DIR", package.0.join("recorded"));
    nextest.env_remove("NEXTEST_ATTEMPT").env_remove("RUST_TEST_THREADS");
    let output = nextest.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(100), "this test needs cargo-nextest: {text}");

    let junit_text = fs::read_to_string(&junit).unwrap();
    let mut runs = std::collections::BTreeSet::new();
    for (attempt, rest) in [("1", ""), ("2", "-attempt-2"), ("3", "-attempt-3")] {
        let file = format!("recorded/spanshot/recording__other__fails{rest}.spanshot");
        let file = package.0.join(file);
        let recorded = RecordedTrace::open(&file).unwrap();
        assert_eq!(recorded.note("attempt"), Some(attempt));
        assert_eq!(recorded.note("test"), Some("other::fails"));
        runs.insert(recorded.note("run").unwrap().to_owned());
        let attached = format!("\n[[ATTACHMENT|{}]]\n", file.display());
        assert_eq!(junit_text.matches(&attached).count(), 1, "{junit_text}");
    }
    assert_eq!(runs.len(), 1);
}
