//! What a failing test prints for machines: a line of JSON, and an annotation for GitHub Actions.
//!
//! The tests that fail are run in another process: this binary again, told by an environment variable that
//! it is the other one.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use spanshot::{Capture, Print, TracingEventReceiver, TracingEventSender, predicates::*};
use tracing::{Level, info, info_span, warn};

const OTHER: &str = "SPANSHOT_TEST_REPORTS";

/// What the tests of the other process do. Here, they do nothing.
mod other {
    use super::*;

    fn is_here() -> bool {
        env::var_os(OTHER).is_none()
    }

    fn connect() {
        info_span!("connect", port = 8_080).in_scope(|| warn!("slow"));
    }

    /// Text that would be a command if it came at the beginning of a line, or wherever it comes.
    const HOSTILE: &str = "\n::error file=x::forged\n##[error]forged\r[[ATTACHMENT|/etc/passwd]]\n\
                           {\"spanshot\":\"failure\"}";

    /// Has a guest trace it, in all places.
    fn receive_hostile_records() {
        let (records, guest) = std::sync::mpsc::channel();
        let sender = TracingEventSender::new(move |record| records.send(record).unwrap());
        tracing::subscriber::with_default(sender, || {
            let span = info_span!("a span", text = HOSTILE, debug = ?HOSTILE, display = %HOSTILE);
            span.in_scope(|| info!("{HOSTILE}"));
            warn!(error = &std::io::Error::other(HOSTILE) as &dyn std::error::Error);
        });
        let mut receiver = TracingEventReceiver::default();
        for record in guest {
            // The names, which a program cannot choose so freely.
            let text = serde_json::to_string(&record).unwrap();
            let hostile = serde_json::to_string(HOSTILE).unwrap();
            let text = text.replace("\"a span\"", &hostile).replace("\"display\"", &hostile);
            let text = text.replace("\"target\":\"reports", "\"target\":\"\\n::error::forged\\n");
            receiver.receive(serde_json::from_str(&text).unwrap());
        }
    }

    macro_rules! tests {
        ($($name:ident: $body:block)+) => {$(
            #[test]
            fn $name() {
                if is_here() {
                    return;
                }
                $body
            }
        )+};
    }

    tests! {
        passes: {
            let _capture = Capture::start();
            connect();
        }
        scanner_fails: {
            let capture = Capture::start();
            connect();
            capture.trace().scan_events().single(&(message("quick") & level(Level::WARN)));
        }
        order_fails: {
            let capture = Capture::start();
            connect();
            let (slow, quick) = (message("slow"), message("quick"));
            let trace = capture.trace();
            trace.scan_events().in_order(&[&slow, &quick]);
        }
        scanner_is_tried_and_something_else_fails: {
            let capture = Capture::start();
            connect();
            let trace = capture.trace();
            let tried = trace.scan_events().try_single(&message("quick"));
            assert!(tried.unwrap_err().to_string().contains("quick"));
            panic!("as it was told to");
        }
        values_differ: {
            let _capture = Capture::start();
            connect();
            assert_eq!(1 + 1, 3);
        }
        panics_with_text: {
            let _capture = Capture::start();
            panic!("\n50 %: \"quoted\", \u{1b}[0m\r\nand more");
        }
        panics_with_a_number: {
            let _capture = Capture::start();
            std::panic::panic_any(7);
        }
        panics_elsewhere: {
            let _capture = Capture::start();
            let joined = std::thread::spawn(|| panic!("on another thread")).join();
            std::panic::resume_unwind(joined.unwrap_err());
        }
        panics_on_a_thread_of_its_own: {
            let test = || {
                let _capture = Capture::start();
                panic!("as it was told to");
            };
            std::thread::spawn(test).join().unwrap();
        }
        runs_a_test_on_a_thread: {
            // As attributes have it that add a timeout.
            std::thread::spawn(attribute_on_a_thread).join().unwrap();
        }
        panics_in_vain_before: {
            let _capture = Capture::start();
            assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
            panic!("not caught");
        }
        is_watched_and_finished: {
            let capture = Capture::builder().fail_on_events(Level::WARN).start();
            connect();
            capture.finish();
        }
        is_watched_and_dropped: {
            let _capture = Capture::builder().fail_on_events(Level::WARN).start();
            connect();
        }
        has_two_captures: {
            let _outer = Capture::start();
            let _inner = Capture::builder().fail_on_events(Level::WARN).start();
            connect();
        }
        is_recorded: {
            let _capture = Capture::builder().record_on_failure().start();
            connect();
            panic!("as it was told to");
        }
        snapshot_fails: {
            let capture = Capture::start();
            connect();
            spanshot::assert_trace_snapshot!(capture.trace(), @"INFO another");
        }
        receives_hostile_records: {
            let capture = Capture::start();
            receive_hostile_records();
            capture.trace().scan_events().single(&message("friendly"));
        }
        watches_over_hostile_records: {
            let _capture = Capture::builder().fail_on_events(Level::WARN).start();
            receive_hostile_records();
        }
        waits_for_hostile_records: {
            let capture = Capture::start();
            receive_hostile_records();
            capture.wait_until(std::time::Duration::ZERO, |_| false);
        }
        prints_hostile_records: {
            let _capture = Capture::builder().print(Print::Always).start();
            receive_hostile_records();
        }
    }

    #[test]
    fn returns_an_error() -> Result<(), String> {
        if is_here() {
            return Ok(());
        }
        Capture::run(|_| {
            connect();
            Err("no\nanswer".into())
        })
    }

    #[test]
    fn is_watched_and_returns_an_error() -> Result<(), &'static str> {
        if is_here() {
            return Ok(());
        }
        Capture::builder().fail_on_events(Level::WARN).run(|_| {
            connect();
            Err("no answer")
        })
    }

    #[spanshot::test]
    fn fails_with_the_attribute() {
        if !is_here() {
            let _inner = Capture::start();
            panic!("as it was told to");
        }
    }

    #[spanshot::test]
    #[test]
    fn attribute_on_a_thread() {
        assert!(is_here(), "as it was told to");
    }

    #[spanshot::test]
    #[should_panic(expected = "as it was told to")]
    fn should_panic_so() {
        panic!("{}", if is_here() { "as it was told to" } else { "otherwise" });
    }

    #[spanshot::test]
    #[should_panic(expected = "as it")]
    fn should_panic_and_does() {
        panic!("as it was told to");
    }
}

/// A test of the other process, and how it is run.
struct Run {
    command: Command,
}

impl Run {
    fn new(test: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        let own = |(name, _): &(std::ffi::OsString, _)| {
            let name = name.to_string_lossy();
            ["SPANSHOT_", "GITHUB_", "INSTA_", "NEXTEST", "RUST_TEST", "RUST_BACKTRACE"]
                .iter()
                .any(|start| name.starts_with(start))
        };
        env::vars_os().filter(own).for_each(|(name, _)| _ = command.env_remove(name));
        command.args(["--exact", &format!("other::{test}")]);
        command.env(OTHER, "1").env("INSTA_UPDATE", "no");
        Self { command }
    }

    fn json(test: &str) -> Self {
        Self::new(test).env("SPANSHOT_FORMAT", "json")
    }

    fn github(test: &str) -> Self {
        let root = env!("CARGO_MANIFEST_DIR");
        Self::new(test).env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", root)
    }

    fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    fn output(mut self) -> String {
        let output = self.command.output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    /// The objects among the lines.
    fn objects(self) -> Vec<Value> {
        let output = self.output();
        let lines = output.lines().filter(|line| line.trim_start().starts_with("{\"spanshot\""));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The only one.
    #[track_caller]
    fn object(self) -> Value {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "{objects:?}");
        objects.remove(0)
    }

    /// The lines that GitHub would take for commands: these begin with `::`, behind white space, or have `##[` anywhere.
    fn commands(self) -> Vec<String> {
        let output = self.output();
        let is_command = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[");
        output.split(['\n', '\r']).filter(is_command).map(str::to_owned).collect()
    }
}

/// Returns the number of the line with this code in a test of the other process.
#[track_caller]
fn line_in(test: &str, code: &str) -> usize {
    let source = include_str!("reports.rs");
    let starts = [format!("        {test}: {{"), format!("    fn {test}(")];
    let mut lines = source.lines().zip(1..);
    lines.find(|(line, _)| starts.iter().any(|start| line.starts_with(start))).unwrap();
    lines.find(|(line, _)| line.contains(code)).unwrap().1
}

#[test]
fn failing_test_prints_one_object() {
    let check = |test: &str, outcome: &str, headline: &str, code: &str| {
        let object = Run::json(test).object();
        let column = &object["location"]["column"];
        assert!(column.as_u64().is_some_and(|column| column > 0), "{object}");
        let expected = json!({
            "spanshot": "failure",
            "version": 1,
            "test": format!("other::{test}"),
            "binary": "reports",
            "attempt": 1,
            "outcome": outcome,
            "headline": headline,
            "location": { "file": "tests/reports.rs", "line": line_in(test, code), "column": column },
            "nearest": object["nearest"],
            "recording": null,
        });
        assert_eq!(object, expected);
        object["nearest"].as_str().map(str::to_owned)
    };
    let headline = "no event matches (message(var == \"quick\") && level(WARN))";
    let nearest = check("scanner_fails", "panicked", headline, ".single(");
    assert_eq!(nearest.unwrap(), "WARN slow");
    let headline = "2 events in this order: only 1 found";
    assert_eq!(check("order_fails", "panicked", headline, ".in_order("), None);
    let told = "as it was told to";
    let test = "scanner_is_tried_and_something_else_fails";
    assert_eq!(check(test, "panicked", told, "panic!"), None);
    let headline = "assertion `left == right` failed";
    assert_eq!(check("values_differ", "panicked", headline, "assert_eq!"), None);
    check("panics_with_text", "panicked", "50 %: \"quoted\", \u{1b}[0m", "panic!");
    check("panics_with_a_number", "panicked", "(a value that is not text)", "panic_any");
    check("panics_in_vain_before", "panicked", "not caught", "panic!(\"not");
    let line = line_in("snapshot_fails", "assert_trace");
    let snapshot = format!("snapshot assertion for 'snapshot_fails' failed in line {line}");
    check("snapshot_fails", "panicked", &snapshot, "assert_trace");
    check("returns_an_error", "returned", r#""no\nanswer""#, "Capture::run");
    let found = "1 event at level warn or more severe that nothing allows";
    check("is_watched_and_finished", "failed", found, "finish()");
    check("is_watched_and_dropped", "failed", found, "Capture::builder()");
    check("is_watched_and_returns_an_error", "failed", found, "Capture::builder()");
    check("has_two_captures", "failed", found, "Capture::builder()");
    check("fails_with_the_attribute", "panicked", told, "panic!");
    check("should_panic_so", "panicked", "otherwise", "panic!");
    // Of a panic that is only passed on, nothing is known here.
    check("panics_elsewhere", "panicked", "the test panicked", "Capture::start()");
}

#[test]
fn test_that_passes_prints_no_object() {
    for test in ["passes", "should_panic_and_does"] {
        let run = Run::json(test).env("GITHUB_ACTIONS", "true").arg("--nocapture");
        let output = run.output();
        assert!(output.contains("test result: ok. 1 passed"), "{output}");
        assert!(!output.contains("spanshot\"") && !output.contains("::error"), "{output}");
    }
    for run in [Run::new("scanner_fails"), Run::new("scanner_fails").env("SPANSHOT_FORMAT", "text")]
    {
        assert_eq!(run.objects().len(), 0);
    }
    let output = Run::new("passes").env("SPANSHOT_FORMAT", "yaml").output();
    let expected = "SPANSHOT_FORMAT=\"yaml\" is passed over: it is one of `text` and `json`";
    assert!(output.contains(expected), "{output}");
}

/// The test runner does not end its own line there.
#[test]
fn object_begins_a_line_whatever_is_printed_before() {
    let run = Run::json("values_differ").arg("--nocapture").arg("--test-threads=1");
    assert_eq!(run.object()["headline"], "assertion `left == right` failed");
    // The line is for those who do not want to read.
    let silent = Run::json("fails_with_the_attribute").env("SPANSHOT_PRINT", "never");
    assert_eq!(silent.object()["headline"], "as it was told to");
}

#[test]
fn object_names_the_test_and_the_attempt() {
    let run = || Run::json("panics_on_a_thread_of_its_own").env("NEXTEST_ATTEMPT", "2");
    let object = run().object();
    assert_eq!((&object["test"], &object["attempt"]), (&Value::Null, &json!(2)));
    let object = run().env("NEXTEST_TEST_NAME", "named::by_nextest").object();
    assert_eq!(object["test"], "named::by_nextest");
    let object = Run::json("runs_a_test_on_a_thread").object();
    assert_eq!(object["test"], "other::attribute_on_a_thread");
}

#[test]
fn object_names_the_recording() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports-recording");
    let _ = fs::remove_dir_all(&directory); // of an earlier run that failed
    let object = Run::json("is_recorded").env("SPANSHOT_RECORD_DIR", &directory).object();
    let recording = PathBuf::from(object["recording"].as_str().unwrap());
    assert_eq!(recording, directory.join("spanshot/reports__other__is_recorded.spanshot"));
    assert!(recording.is_file());
    let commands = Run::github("is_recorded").env("SPANSHOT_RECORD_DIR", &directory).commands();
    assert_eq!(commands.len(), 1);
    assert!(commands[0].ends_with(&format!("%0Atrace recorded in {}", recording.display())));
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn failing_line_is_annotated_on_github() {
    let check = |test: &str, code: &str, message: &str| {
        let commands = Run::github(test).commands();
        assert_eq!(commands.len(), 1, "{commands:?}");
        let title = format!(",title=other%3A%3A{test} failed::");
        let place = format!("::error file=tests/reports.rs,line={},col=", line_in(test, code));
        let (before, found) = commands[0].split_once(&title).expect(&commands[0]);
        assert!(before.starts_with(&place), "{before}");
        assert_eq!(found, message);
    };
    let headline = "no event matches (message(var == \"quick\") && level(WARN))";
    check("scanner_fails", ".single(", &format!("{headline}%0Anearest: WARN slow"));
    check("panics_with_text", "panic!", "50 %25: \"quoted\", \\u{1b}[0m");
    check("returns_an_error", "Capture::run", r#"the test returned "no\nanswer""#);
    assert_eq!(Run::github("passes").commands().len(), 0);
    assert_eq!(Run::github("passes").env("GITHUB_ACTIONS", "false").commands().len(), 0);
}

/// GitHub knows files by their paths from the root of the repository, which may lie above the workspace.
#[test]
fn annotation_names_files_of_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = || Run::github("values_differ");
    let file = |run: Run| {
        let command = run.commands().remove(0);
        let file =
            command.strip_prefix("::error file=").map(|rest| rest.split_once(',').unwrap().0);
        file.map(str::to_owned)
    };
    let above = run().env("GITHUB_WORKSPACE", root.parent().unwrap());
    let name = root.file_name().unwrap().to_str().unwrap();
    assert_eq!(file(above).unwrap(), format!("{name}/tests/reports.rs"));
    let elsewhere = run().env("GITHUB_WORKSPACE", root.join("src"));
    assert_eq!(file(elsewhere), None);
    // A package in the workspace.
    let member = run().env("CARGO_MANIFEST_DIR", root.join("sender"));
    assert_eq!(file(member).unwrap(), "tests/reports.rs");
    let by_hand = run().without("CARGO_MANIFEST_DIR");
    assert_eq!(file(by_hand).unwrap(), "tests/reports.rs");
    let nextest = run().env("NEXTEST_WORKSPACE_ROOT", root.join("a, b"));
    assert_eq!(file(nextest).unwrap(), "a%2C b/tests/reports.rs");
}

/// Whatever a guest traces, and however that is printed.
#[test]
fn trace_commands_nothing() {
    let tests = [
        ("receives_hostile_records", "failure"),
        ("watches_over_hostile_records", "failure"),
        ("waits_for_hostile_records", "failure"),
        ("prints_hostile_records", "always"),
    ];
    for (test, print) in tests {
        for print in [print, "live"] {
            let run = || Run::github(test).env("SPANSHOT_PRINT", print).arg("--show-output");
            let output = run().env("SPANSHOT_FORMAT", "json").output();
            assert!(output.contains("forged"), "{output}");
            assert!(!output.contains("[[ATTACHMENT|"), "{output}");
            let commands = run().commands();
            let is_own =
                |command: &String| command.starts_with("::error file=tests/reports.rs,line=");
            assert!(commands.len() <= 1 && commands.iter().all(is_own), "{commands:#?}");
            let objects = run().env("SPANSHOT_FORMAT", "json").objects();
            let named = format!("other::{test}");
            assert!(objects.iter().all(|object| object["test"] == *named), "{objects:#?}");
            assert!(objects.len() <= 1, "{objects:#?}");
        }
    }
}
