//! Each way in which a test can fail, under each runner, shows its trace: the table of the guide, `docs/src/failing.md`.
//!
//! The tests in `failing` fail. They are ignored, so that only another process runs them: this binary again.

#![cfg(unix)] // it sends signals

use std::{
    env,
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

/// A row of the table.
struct Failure {
    test: &'static str,
    /// What the reader has to set.
    needs: &'static [(&'static str, &'static str)],
    /// Lines that show the trace, each once.
    shows: &'static [&'static str],
}

const TRACE: &[&str] =
    &["trace of the capture started at", "INFO connect{port=8080}", "└─ WARN slow"];

const LIVE: &[(&str, &str)] = &[("SPANSHOT_PRINT", "live")];

// A busy machine needs less than this to trace all that these show.
const AFTER: &[(&str, &str)] = &[("SPANSHOT_PRINT_AFTER", "1s")];

/// Those that end.
const ENDING: [Failure; 5] = [
    Failure { test: "panics", needs: &[], shows: TRACE },
    Failure { test: "returns_an_error", needs: &[], shows: TRACE },
    Failure { test: "fails_softly", needs: &[], shows: TRACE },
    Failure {
        test: "aborts",
        needs: LIVE,
        shows: &["[failing::aborts] INFO connect{port=8080}", "[failing::aborts]   WARN slow"],
    },
    Failure {
        test: "exits",
        needs: LIVE,
        shows: &["[failing::exits] INFO connect{port=8080}", "[failing::exits]   WARN slow"],
    },
];

/// Those that go on until somebody ends them.
const HANGING: [Failure; 4] = [
    Failure {
        test: "hangs",
        needs: AFTER,
        shows: &[
            "the test failing::hangs is still running after 1s",
            "  INFO connect{port=8080}",
            "  └─ WARN slow",
            "▶ INFO waiting{of=\"an answer\"}",
        ],
    },
    Failure {
        test: "hangs",
        needs: LIVE,
        shows: &[
            "[failing::hangs] INFO connect{port=8080}",
            "[failing::hangs]   WARN slow",
            "[failing::hangs] INFO waiting{of=\"an answer\"}",
        ],
    },
    Failure {
        test: "hangs_in_its_process",
        needs: AFTER,
        shows: &[
            "the test failing::hangs_in_its_process is still running after 1s",
            "▶ INFO waiting{of=\"an answer\"}",
        ],
    },
    Failure {
        test: "hangs_in_its_process",
        needs: LIVE,
        shows: &["[failing::hangs_in_its_process] INFO waiting{of=\"an answer\"}"],
    },
];

impl Failure {
    fn check(&self, shown: &str) {
        for line in self.shows {
            assert_eq!(shown.matches(line).count(), 1, "{}: {line:?}, in:\n{shown}", self.test);
        }
    }

    /// Whether all of it is shown.
    fn is_shown(&self, shown: &str) -> bool {
        self.shows.iter().all(|line| shown.contains(line))
    }

    /// Prepares a process, whatever is set where this test runs.
    fn prepare(&self, mut process: Command) -> Command {
        let is_set = |(name, _): &(std::ffi::OsString, _)| {
            let name = name.to_string_lossy();
            ["SPANSHOT_", "NEXTEST", "RUST_TEST", "GITHUB_"]
                .iter()
                .any(|start| name.starts_with(start))
        };
        env::vars_os().filter(is_set).for_each(|(name, _)| _ = process.env_remove(name));
        process.env("RUST_BACKTRACE", "0").envs(self.needs.iter().copied());
        process
    }

    /// This binary, as cargo runs it.
    fn binary(&self, threads: &str) -> Command {
        let mut process = Command::new(env::current_exe().unwrap());
        process.args([&format!("failing::{}", self.test), "--exact", "--ignored", threads]);
        self.prepare(process)
    }

    /// nextest, with a timeout that ends the test, or says that it takes long.
    fn nextest(&self, timeout: &str) -> Command {
        let package = env!("CARGO_MANIFEST_DIR");
        let config =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cells-{}.toml", timeout.len()));
        std::fs::write(&config, format!("[profile.default]\nslow-timeout = {timeout}\n")).unwrap();
        let mut process = Command::new(env!("CARGO"));
        process.args(["nextest", "run", "--locked", "--test", "cells", "--run-ignored", "only"]);
        process
            .args(["-E", &format!("test(=failing::{})", self.test), "--config-file"])
            .arg(config);
        process.current_dir(package);
        self.prepare(process)
    }
}

/// Runs a process that fails, and returns what it shows.
#[track_caller]
fn failing_output(mut process: Command) -> String {
    let output = process.output().unwrap();
    let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!output.status.success(), "{shown}");
    shown
}

/// Runs a process until it has shown something, has it ended, and returns all that it has shown.
fn output_until(
    mut process: Command,
    is_due: impl Fn(&str) -> bool,
    end: impl FnOnce(&mut Child),
) -> String {
    let mut child = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let rest = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        text
    });
    let mut shown = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    while !is_due(&shown) {
        assert!(lines.read_line(&mut shown).unwrap() > 0, "{shown}");
    }
    end(&mut child);
    lines.read_to_string(&mut shown).unwrap();
    assert!(!child.wait().unwrap().success(), "{shown}");
    shown + &rest.join().unwrap()
}

fn signal(signal: &str, process: &str) {
    assert!(Command::new("kill").args([signal, "--", process]).status().unwrap().success());
}

#[test]
fn cargo_test_shows_each_failure() {
    for threads in ["--test-threads=2", "--test-threads=1"] {
        for failure in &ENDING {
            failure.check(&failing_output(failure.binary(threads)));
        }
        for failure in &HANGING {
            // Whether somebody waits, or a timeout kills it.
            let is_shown = |shown: &str| failure.is_shown(shown);
            let mut process = failure.binary(threads);
            process.process_group(0); // with the processes that tests run in
            let kill = |child: &mut Child| signal("-KILL", &format!("-{}", child.id()));
            failure.check(&output_until(process, is_shown, kill));
        }
    }
}

#[test]
#[ignore = "needs cargo-nextest"]
fn under_nextest_each_failure_is_shown() {
    let missing =
        "this test needs cargo-nextest: run `cargo install --locked cargo-nextest` and try again";
    assert!(
        Command::new(env!("CARGO"))
            .args(["nextest", "--version"])
            .output()
            .unwrap()
            .status
            .success(),
        "{missing}"
    );
    for failure in &ENDING {
        failure.check(&failing_output(failure.nextest("\"1m\"")));
    }
    for failure in &HANGING {
        // Killed by a timeout.
        let timeout = "{ period = \"4s\", terminate-after = 1, grace-period = \"0s\" }";
        let shown = failing_output(failure.nextest(timeout));
        assert!(shown.contains("TIMEOUT"), "{shown}");
        failure.check(&shown);
        // While it hangs. Without this option, nextest keeps what a test prints, and shows nothing of one that is
        // interrupted.
        let mut nextest = failure.nextest("\"1m\"");
        nextest.arg("--no-capture");
        let is_shown = |shown: &str| failure.is_shown(shown);
        let interrupt = |child: &mut Child| signal("-INT", &child.id().to_string());
        failure.check(&output_until(nextest, is_shown, interrupt));
    }
}

mod failing {
    use tracing::{info_span, warn};

    fn connect() {
        info_span!("connect", port = 8_080).in_scope(|| warn!("slow"));
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn panics() {
        connect();
        panic!("as it was told to");
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn returns_an_error() -> Result<(), &'static str> {
        connect();
        Err("as it was told to")
    }

    #[spanshot::test]
    #[googletest::test]
    #[ignore = "it fails"]
    fn fails_softly() {
        googletest::expect_that!(1, googletest::matchers::eq(2));
        connect();
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn aborts() {
        connect();
        std::process::abort();
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn exits() {
        connect();
        std::process::exit(3);
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn hangs() {
        connect();
        wait();
    }

    #[spanshot::test(process)]
    #[ignore = "it fails"]
    fn hangs_in_its_process() {
        wait();
    }

    fn wait() {
        let _waiting = info_span!("waiting", of = "an answer").entered();
        loop {
            std::thread::park(); // until somebody ends the process
        }
    }
}
