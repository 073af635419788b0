//! What captures print, as libtest shows it.
//!
//! The tests whose output is looked at are run in another process: this binary again, told by an
//! environment variable that it is the other one.

use std::{
    env, io, panic,
    process::{Command, Output, Stdio},
    time::Duration,
};

use spanshot::{Capture, Print, SnapshotSettings, Trace, assert_trace_snapshot, predicates::*};
use tracing::{Level, debug, info, info_span, warn};

const OTHER: &str = "SPANSHOT_TEST_PRINTED";

/// Begins what is printed of a trace.
const HEADER: &str = concat!("trace of the capture started at ", file!(), ":");

/// What the tests of the other process do. Here, they do nothing.
mod other {
    use super::*;

    fn is_here() -> bool {
        env::var_os(OTHER).is_none()
    }

    fn connect() {
        info_span!("connect", port = 8_080).in_scope(|| {
            warn!(target: "retries", "slow");
            debug!("done\u{1b}[0m");
        });
    }

    fn connect_often() {
        for attempt in 0..100 {
            info_span!("connect", port = 8_080).in_scope(|| {
                warn!(target: "retries", "slow");
                debug!(attempt, "done");
            });
        }
    }

    /// Traces when it is dropped.
    struct Dropped;

    impl Drop for Dropped {
        fn drop(&mut self) {
            info!("dropped");
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
        finishes: {
            let capture = Capture::start();
            connect();
            assert_eq!(capture.finish().all_spans().len(), 1);
        }
        takes: {
            let capture = Capture::builder().max_nodes(2, spanshot::Keep::Newest).start();
            connect();
            capture.take();
            connect();
        }
        always_prints: {
            let _capture = Capture::builder().print(Print::Always).start();
            connect();
        }
        aborts: {
            let _capture = Capture::builder().print(Print::Live).start();
            let session = info_span!("session", user = tracing::field::Empty).entered();
            connect();
            session.record("user", "ferris");
            info!("the last thing");
            std::process::abort();
        }
        hangs: {
            let _capture = Capture::start();
            let _outer = info_span!("outer").entered();
            info_span!("closed").in_scope(|| info!("done"));
            let _waiting = info_span!("waiting for the lock", of = "accounts").entered();
            // Until the other process kills this one, or the trace is printed without end.
            loop {
                std::thread::park();
            }
        }
        aborts_on_a_thread: {
            let _capture = Capture::start_process_wide();
            std::thread::spawn(|| {
                info!("the last thing");
                std::process::abort();
            });
            loop {
                std::thread::park();
            }
        }
        hangs_on_a_thread: {
            let _capture = Capture::start_process_wide();
            std::thread::spawn(|| {
                let _waiting = info_span!("waiting for the lock", of = "accounts").entered();
                loop {
                    std::thread::park();
                }
            })
            .join()
            .unwrap();
        }
        never_prints: {
            let _capture = Capture::builder().print(Print::Never).start();
            connect();
            panic!("as it was told to");
        }
        fails: {
            let _capture = Capture::start();
            connect();
            panic!("as it was told to");
        }
        fails_alike: {
            let _capture = Capture::start();
            connect();
            panic!("as it was told to");
        }
        fails_after_the_end: {
            let capture = Capture::start();
            connect();
            let trace = capture.finish();
            assert_eq!(trace.all_spans().len(), 2);
        }
        fails_with_two_captures: {
            let _outer = Capture::start();
            info!("of the outer one");
            let _inner = Capture::start();
            info!("of the inner one");
            panic!("as it was told to");
        }
        fails_with_filter: {
            let _capture = Capture::builder().print_filter("off,retries=info").start();
            connect();
            panic!("as it was told to");
        }
        scanner_fails: {
            let capture = Capture::start();
            let _open = info_span!("open").entered();
            connect();
            capture.trace().scan_events().single(&message(eq("quick")));
        }
        scanner_is_tried_and_something_else_fails: {
            let capture = Capture::start();
            connect();
            let trace = capture.trace();
            assert!(trace.scan_events().try_single(&message(eq("quick"))).is_err());
            panic!("as it was told to");
        }
        scanner_is_tried_on_a_long_trace_and_something_else_fails: {
            let capture = Capture::start();
            connect_often();
            assert!(capture.trace().scan_events().try_none(&message("slow")).is_err());
            panic!("as it was told to");
        }
        scanner_is_tried_and_unwrapped: {
            let capture = Capture::start();
            connect();
            capture.trace().scan_events().try_single(&message(eq("quick"))).unwrap();
        }
        scanner_fails_while_its_trace_is_kept: {
            let capture = Capture::start();
            let mut trace = capture.trace();
            // It is exited and closed before the trace is dropped: in a copy of what was shown.
            let _open = info_span!("open").entered();
            connect();
            assert_eq!(trace.all_spans().len(), 0);
            trace = capture.trace();
            trace.scan_events().single(&message(eq("quick")));
        }
        scanner_fails_on_another_thread: {
            let capture = Capture::start();
            connect();
            let trace: Trace = capture.trace();
            let scan = move || _ = trace.scan_events().single(&message(eq("quick")));
            let failed = std::thread::spawn(scan).join();
            assert!(failed.is_ok(), "the other thread failed");
        }
        fails_with_a_long_trace: {
            let _capture = Capture::start();
            connect_often();
            info!("{}", "long".repeat(1_000));
            for outer in 0..100 {
                info_span!("outer").in_scope(|| info_span!("inner").in_scope(|| {
                    (0..9).for_each(|n| info!(outer, "{n}"));
                }));
            }
            panic!("as it was told to");
        }
        snapshot_fails: {
            let capture = Capture::start();
            info!(password = "hunter2", "log in");
            let settings = SnapshotSettings::new().redact("password", "password");
            let _scope = settings.bind_to_scope();
            assert_trace_snapshot!(capture.trace(), @"INFO log out");
        }
        snapshot_with_elided_lines_fails: {
            let capture = Capture::start();
            info!(password = "hunter2", "log in");
            let settings = SnapshotSettings::new().redact("password", "password");
            assert_trace_snapshot!(settings.view(&capture.trace()), @"
            …
            INFO log out
            ");
        }
        snapshot_pins_nothing: {
            let capture = Capture::start();
            info!(password = "hunter2", "log in");
            let settings = SnapshotSettings::new().redact("password", "password");
            assert_trace_snapshot!(settings.view(&capture.trace()), @"…");
        }
        snapshot_fails_and_more_is_traced: {
            let capture = Capture::start();
            let _open = info_span!("open").entered();
            info!(password = "hunter2", "log in");
            let settings = SnapshotSettings::new().redact("password", "password");
            let _dropped = Dropped;
            assert_trace_snapshot!(settings.view(&capture.trace()), @"INFO log out");
        }
        snapshot_passes_and_the_test_fails: {
            let capture = Capture::start();
            info!(password = "hunter2", id = %"67e55044-10b1-426f-9247-bb680e5fe0c8", "log in");
            let settings = SnapshotSettings::new().redact("password", "password").redact_uuids();
            let settings = settings.number_redactions("uuid");
            assert_trace_snapshot!(
                settings.view(&capture.trace()), @"INFO log in password=⟨password⟩ id=⟨uuid 1⟩"
            );
            panic!("as it was told to");
        }
        has_no_room: {
            let builder = Capture::builder().print(Print::Live).max_nodes(1, spanshot::Keep::Oldest);
            let _capture = builder.fail_on_events(Level::WARN).allow_events(|_| true).start();
            warn!("kept");
            warn!("left out");
        }
        secret_is_found: {
            let capture = Capture::start();
            info!(password = "hunter2", "log in");
            capture.trace().assert_never_contains("hunter2");
        }
        secret_is_found_in_what_no_test_can_claim: {
            let capture = Capture::start_process_wide();
            info!("of the test");
            std::thread::spawn(|| info!(password = "hunter2", "log in")).join().unwrap();
            capture.trace().assert_never_contains("hunter2");
        }
        redaction_panics: {
            let capture = Capture::start();
            info!(password = "hunter2", "log in");
            let settings = SnapshotSettings::new().redact_with(|_, name, _| {
                assert_ne!(name, "password", "in a redaction");
                None
            });
            let _ = settings.view(&capture.trace()).to_string();
        }
        scanner_fails_on_a_long_trace: {
            let capture = Capture::start();
            connect_often();
            capture.trace().scan_events().single(&message(eq("quick")));
        }
        scanner_fails_and_more_is_traced: {
            struct Tracing;

            impl Drop for Tracing {
                fn drop(&mut self) {
                    info!("dropped");
                }
            }

            let capture = Capture::start();
            let _tracing = Tracing;
            connect();
            capture.trace().scan_events().single(&message(eq("quick")));
        }
        waits_in_vain_with_a_long_trace: {
            let capture = Capture::start();
            connect_often();
            capture.wait_until(Duration::from_millis(1), |_| false);
        }
        waits_in_vain: {
            let capture = Capture::start();
            let _open = info_span!("open").entered();
            connect();
            capture.wait_until(Duration::ZERO, |_| false);
        }
        watched: {
            let _capture = Capture::builder().fail_on_events(Level::WARN).start();
            connect();
        }
        watched_over_a_long_trace: {
            let capture = Capture::builder().fail_on_events(Level::WARN).start();
            connect_often();
            capture.finish();
        }
        watched_by_what_panics: {
            let is_allowed = |event: &spanshot::CapturedEvent<'_>| event["millis"] == 850;
            let builder = Capture::builder().fail_on_events(Level::WARN);
            let _capture = builder.allow_events(is_allowed).start();
            connect();
        }
        watched_while_it_fails: {
            let _first = Capture::builder().fail_on_events(Level::WARN).start();
            connect();
            let _second = Capture::builder().fail_on_open_spans().start();
            std::mem::forget(info_span!("forgotten").entered());
            panic!("as it was told to");
        }
        watched_twice: {
            let _first = Capture::builder().fail_on_events(Level::WARN).start();
            connect();
            let _second = Capture::builder().fail_on_events(Level::WARN).start();
            connect();
        }
        captures_while_it_unwinds: {
            struct Capturing;

            impl Drop for Capturing {
                fn drop(&mut self) {
                    let capture = Capture::builder().fail_on_events(Level::WARN).start();
                    connect();
                    assert_eq!(capture.finish().all_spans().len(), 1);
                    let _dropped = Capture::builder().fail_on_events(Level::WARN).start();
                    connect();
                }
            }

            let _capturing = Capturing;
            panic!("as it was told to");
        }
        outlives_a_failure: {
            let _capture = Capture::start();
            connect();
            assert!(panic::catch_unwind(|| panic!("as it was told to")).is_err());
        }
    }

    #[test]
    fn returns_an_error() -> Result<(), &'static str> {
        if is_here() {
            return Ok(());
        }
        let _capture = Capture::start();
        connect();
        Err("as it was told to")
    }

    #[test]
    fn is_run_and_returns_an_error() -> Result<(), &'static str> {
        if is_here() {
            return Ok(());
        }
        Capture::run(|_| {
            connect();
            Err("as it was told to")
        })
    }
}

/// Tests of the other process, and how they are run.
struct Run {
    command: Command,
}

impl Run {
    fn new(tests: &[&str]) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        for name in ["RUST_BACKTRACE", "RUST_TEST_NOCAPTURE", "RUST_TEST_THREADS", "TERM"] {
            command.env_remove(name);
        }
        for name in ["SPANSHOT_PRINT", "SPANSHOT_PRINT_FILTER", "NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        for name in ["SPANSHOT_PRINT_LINES", "INSTA_UPDATE", "INSTA_FORCE_PASS"] {
            command.env_remove(name);
        }
        command.env_remove("NEXTEST_EXECUTION_MODE");
        command.env("INSTA_UPDATE", "no");
        command.env(OTHER, "1").arg("--exact");
        command.args(tests.iter().map(|test| format!("other::{test}")));
        Self { command }
    }

    fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs tests that are to pass, and returns the output with what they printed.
    #[track_caller]
    fn passes(self) -> String {
        let output = self.arg("--show-output").command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        text(&output)
    }

    /// Runs tests that are to fail, and returns the output.
    #[track_caller]
    fn fails(mut self) -> String {
        let output = self.command.output().unwrap();
        // It would be another one, or none, had the process been aborted.
        assert_eq!(output.status.code(), Some(101), "{}", text(&output));
        text(&output)
    }
}

fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams.map(|stream| String::from_utf8(stream.clone()).unwrap()).concat()
}

/// Asserts how often the output has a text.
#[track_caller]
fn check(output: &str, expected: usize, text: &str) {
    let actual = output.matches(text).count();
    assert_eq!(actual, expected, "{text:?} in the output:\n{output}");
}

/// The whole trace of one connection, as it is printed.
const CONNECTED: &str = "
INFO connect{port=8080}
├─ WARN slow
└─ DEBUG done\\u{1b}[0m
";

#[test]
fn failing_test_prints_its_trace_once_into_its_own_output() {
    let output = Run::new(&["fails", "passes"]).fails();
    check(&output, 1, HEADER);
    check(&output, 1, CONNECTED);
    let (_, failed) = output.split_once("---- other::fails stdout ----").unwrap();
    check(failed, 1, CONNECTED);
    check(&output, 1, "panicked at");
}

#[test]
fn tests_that_fail_alike_on_one_thread_each_print_their_trace() {
    for test in ["fails", "scanner_fails"] {
        let run = Run::new(&[test, "fails_alike"]).arg("--test-threads=1");
        check(&run.fails(), 2, "INFO connect{port=8080}\n");
    }
}

#[test]
fn header_names_the_line_where_the_capture_was_started() {
    let source = include_str!("printed.rs");
    let output = Run::new(&["fails_with_two_captures"]).fails();
    check(&output, 2, HEADER);
    for name in ["outer", "inner"] {
        let start = format!("let _{name} = Capture::start();");
        let line = source.lines().position(|line| line.trim() == start).unwrap() + 1;
        let (_, printed) = output.split_once(&format!("{HEADER}{line}:")).unwrap();
        let tree = printed.lines().nth(1).unwrap();
        assert_eq!(tree, format!("INFO of the {name} one"), "{output}");
    }
}

#[test]
fn passing_test_prints_nothing_unless_it_is_told_to() {
    check(&Run::new(&["passes", "finishes", "outlives_a_failure"]).passes(), 0, HEADER);
    let output = Run::new(&["passes", "finishes"]).env("SPANSHOT_PRINT", "always").passes();
    check(&output, 2, HEADER);
    check(&output, 2, CONNECTED);
    check(&Run::new(&["always_prints"]).passes(), 1, CONNECTED);
}

#[test]
fn what_is_always_printed_is_captured_by_libtest() {
    let output =
        Run::new(&["always_prints", "passes"]).env("SPANSHOT_PRINT", "always").command.output();
    check(&text(&output.unwrap()), 0, HEADER);
}

#[test]
fn trace_is_not_printed_if_it_never_is() {
    let output = Run::new(&["fails", "always_prints"]).env("SPANSHOT_PRINT", "never").fails();
    check(&output, 0, HEADER);
    check(&Run::new(&["never_prints"]).fails(), 0, HEADER);
    // The failure itself is another matter.
    let output = Run::new(&["watched"]).env("SPANSHOT_PRINT", "never").fails();
    check(&output, 1, "INFO connect{port=8080}\n");
}

#[test]
fn environment_overrides_the_builder() {
    let run = |test, print| Run::new(&[test]).env("SPANSHOT_PRINT", print);
    check(&run("never_prints", "always").fails(), 1, CONNECTED);
    check(&run("never_prints", "failure").fails(), 1, CONNECTED);
    check(&run("always_prints", "failure").passes(), 0, HEADER);
    check(&run("always_prints", "never").passes(), 0, HEADER);
    let output = run("always_prints", "").env("SPANSHOT_PRINT_FILTER", "").passes();
    check(&output, 1, CONNECTED);
    check(&output, 0, "passed over");
}

/// An error that nobody reads has shown nothing.
#[test]
fn trace_of_an_error_that_nobody_reads_is_printed() {
    check(&Run::new(&["scanner_is_tried_and_something_else_fails"]).fails(), 1, CONNECTED);
    let long = "scanner_is_tried_on_a_long_trace_and_something_else_fails";
    let output = Run::new(&[long]).fails();
    check(&output, 1, HEADER);
    check(&output, 0, "a part of the trace is shown above");
    let output = Run::new(&["scanner_is_tried_and_unwrapped"]).fails();
    check(&output, 0, HEADER);
    check(&output, 1, "the trace:\n");
}

#[test]
fn live_records_are_printed_before_the_process_ends() {
    let live = "\
[other::aborts] INFO session{}
[other::aborts]   INFO connect{port=8080}
[other::aborts]     WARN slow
[other::aborts]     DEBUG done\\u{1b}[0m
[other::aborts] recorded: INFO session{user=\"ferris\"}
[other::aborts]   INFO the last thing
";
    // The test runner captures the output of tests, and loses it.
    let output = text(&Run::new(&["aborts"]).command.output().unwrap());
    check(&output, 1, live);
    let run = || Run::new(&["aborts"]).env("SPANSHOT_PRINT_FILTER", "info");
    let output = text(&run().command.output().unwrap());
    check(&output, 1, "connect{port=8080}\n[other::aborts]     WARN slow\n[other::aborts] rec");
    let output = text(&run().env("SPANSHOT_PRINT", "never").command.output().unwrap());
    check(&output, 0, "connect");

    // Each test has its name, and nothing is printed again when it fails.
    let output = Run::new(&["fails", "fails_alike"]).env("SPANSHOT_PRINT", "live").fails();
    for test in ["fails", "fails_alike"] {
        let first = format!("[other::{test}] INFO connect{{port=8080}}\n");
        check(&output, 1, &first);
    }
    check(&output, 2, "WARN slow\n");
    check(&output, 0, HEADER);
    // A capture keeps printing when its trace is taken.
    let output = Run::new(&["takes"]).env("SPANSHOT_PRINT", "live").passes();
    check(&output, 2, "[other::takes] INFO connect{port=8080}\n");
    // Records that no test can claim may be of this one.
    let mut run = Run::new(&["aborts_on_a_thread"]).env("SPANSHOT_PRINT", "live");
    check(&text(&run.command.output().unwrap()), 1, "[no test] INFO the last thing\n");
}

#[test]
fn test_that_hangs_shows_where_it_waits() {
    use std::io::{BufRead, BufReader};

    let shown = |test: &str, count| {
        let mut run = Run::new(&[test]).env("SPANSHOT_PRINT_AFTER", "2000ms");
        let mut process = run.command.stderr(std::process::Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let heading = lines.next().unwrap();
        let expected = format!(
            "spanshot: the test other::{test} is still running after 2s; its capture started at \
             tests/printed.rs:"
        );
        assert!(heading.starts_with(&expected), "{heading}");
        let shown: Vec<_> = lines.by_ref().take(count).collect();
        process.kill().unwrap();
        process.wait().unwrap();
        shown
    };
    let expected = [
        "(▶ marks the innermost open spans: it waits there)",
        "the trace:",
        "  INFO outer{}",
        "  ├─ INFO closed{}",
        "  │  └─ INFO done",
        "▶ └─ INFO waiting for the lock{of=\"accounts\"}",
    ];
    assert_eq!(shown("hangs", 6), expected);
    let expected = [
        "(nothing was captured)",
        "",
        "traced in this process meanwhile, by none of its tests:",
        "(▶ marks the innermost open spans: it waits there)",
        "the trace:",
        "▶ INFO waiting for the lock{of=\"accounts\"}",
    ];
    assert_eq!(shown("hangs_on_a_thread", 6), expected);

    // One that ends in time is not mentioned.
    let output = Run::new(&["passes", "fails"]).env("SPANSHOT_PRINT_AFTER", "1m").fails();
    check(&output, 0, "still running");
    let output = Run::new(&["passes"]).env("SPANSHOT_PRINT_AFTER", "soon").passes();
    check(
        &output,
        1,
        "SPANSHOT_PRINT_AFTER=\"soon\" is passed over: it is a time like `500ms`, `20s` or `2m`",
    );
}

#[test]
fn unknown_values_are_reported_once_even_if_all_tests_pass() {
    let run = || Run::new(&["passes", "always_prints", "finishes"]);
    let output = run().env("SPANSHOT_PRINT", "alw\u{1b}ays").command.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let expected = "spanshot: SPANSHOT_PRINT=\"alw\\u{1b}ays\" is passed over: \
                    it is one of `failure`, `always`, `live` and `never`\n";
    assert_eq!(errors, expected);
    assert!(output.status.success());

    let output = run().env("SPANSHOT_PRINT_FILTER", "warn,x=loud").passes();
    check(&output, 1, "spanshot: SPANSHOT_PRINT_FILTER=\"warn,x=loud\" is passed over: ");
    check(&output, 1, CONNECTED);
}

#[cfg(unix)]
#[test]
fn value_that_is_not_unicode_is_reported() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let mut run = Run::new(&["passes"]);
    run.command.env("SPANSHOT_PRINT", OsStr::from_bytes(b"\xff"));
    check(&run.passes(), 1, "spanshot: SPANSHOT_PRINT=\"\\xFF\" is passed over: it is not Unicode");
}

#[test]
fn filter_hides_a_part_of_what_is_printed() {
    let output = Run::new(&["fails_with_filter"]).fails();
    check(&output, 1, ":\nWARN slow\n(the print filter hides 2 of 3 spans and events)\n");
    let filtered =
        |filter| Run::new(&["fails_with_filter"]).env("SPANSHOT_PRINT_FILTER", filter).fails();
    let output = filtered("info");
    check(&output, 1, "\nINFO connect{port=8080}\n└─ WARN slow\n(the print filter hides 1 of 3 ");
    check(&filtered("trace"), 1, CONNECTED);
    check(&filtered("off"), 1, ":\n(the print filter hides 3 of 3 spans and events)\n");
    let output = filtered("printed=debug");
    check(&output, 1, "\nINFO connect{port=8080}\n└─ DEBUG done\\u{1b}[0m\n(the print filter ");
}

#[test]
fn trace_that_a_failure_has_shown_is_not_printed_again() {
    for test in [
        "scanner_fails",
        "scanner_fails_while_its_trace_is_kept",
        "scanner_fails_on_another_thread",
    ] {
        for print in ["failure", "always"] {
            let output = Run::new(&[test]).env("SPANSHOT_PRINT", print).fails();
            check(&output, 0, HEADER);
            check(&output, 1, "\nthe trace:\n");
            check(&output, 1, "INFO connect{port=8080}\n");
        }
    }
    let output = Run::new(&["waits_in_vain"]).fails();
    check(&output, 0, HEADER);
    check(&output, 1, "INFO connect{port=8080}\n");
    // With a filter, less would be printed than what was shown.
    let output = Run::new(&["scanner_fails"]).env("SPANSHOT_PRINT_FILTER", "warn").fails();
    check(&output, 0, HEADER);
}

#[test]
fn wait_for_a_long_trace_shows_a_part() {
    let output = Run::new(&["waits_in_vain_with_a_long_trace"]).fails();
    check(&output, 1, "\n⋮ 239 more lines\n");
    check(&output, 21, "INFO connect{port=8080}\n");
    check(&output, 0, HEADER);
    check(&output, 1, HINT);
}

/// Where all of a trace is that was shown in part.
const HINT: &str = "a part of the trace is shown above: SPANSHOT_PRINT_LINES=all prints all of it, \
                    SPANSHOT_RECORD=failure records it\n";

#[test]
fn trace_of_which_a_failure_has_shown_a_part_is_printed_if_that_is_wanted() {
    let output = Run::new(&["scanner_fails_on_a_long_trace"]).fails();
    check(&output, 1, "(a part of its 300 spans and events)");
    check(&output, 0, HEADER);
    check(&output, 1, HINT);
    check(&output, 3, "INFO connect{port=8080}\n");
    let run = Run::new(&["scanner_fails_on_a_long_trace"]).env("SPANSHOT_PRINT_LINES", "all");
    let output = run.fails();
    check(&output, 1, HEADER);
    check(&output, 0, HINT);
    check(&output, 100 + 3, "INFO connect{port=8080}\n");

    let output = Run::new(&["scanner_fails_and_more_is_traced"]).fails();
    check(&output, 1, &format!("{CONNECTED}INFO dropped\n"));
    check(&output, 2, "INFO connect{port=8080}\n");
}

#[test]
fn long_traces_are_printed_in_part() {
    let output = Run::new(&["fails_with_a_long_trace"]).fails();
    let (_, printed) = output.split_once(HEADER).unwrap();
    let printed: Vec<_> = printed.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    assert_eq!(printed.len(), 100 + 2 + 2, "{output}");
    assert_eq!(printed[0], "INFO connect{port=8080}");
    // What is behind the gap is in spans that stand before it.
    assert_eq!(
        printed[32..38],
        [
            "└─ DEBUG done attempt=10",
            "⋮ 1299 more lines",
            "INFO outer{}",
            "└─ INFO inner{}",
            "   └─ INFO 8 outer=93",
            "INFO outer{}",
        ]
    );
    assert_eq!(printed[102], "   └─ INFO 8 outer=99");
    let hint = "(a part of its 1401 lines: SPANSHOT_PRINT_LINES=all prints all of them, \
                SPANSHOT_RECORD=failure records the trace)";
    assert_eq!(printed[103], hint);

    let lines = |lines| {
        let run = Run::new(&["fails_with_a_long_trace"]).env("SPANSHOT_PRINT_LINES", lines);
        run.fails()
    };
    let output = lines("all");
    check(&output, 0, "more lines");
    check(&output, 100, "INFO connect{port=8080}\n");
    check(&output, 100, "└─ INFO inner{}\n   ├─ INFO 0");
    check(&lines("3"), 1, "INFO connect{port=8080}\n⋮ 1396 more lines\n");
    check(
        &lines("many"),
        1,
        "SPANSHOT_PRINT_LINES=\"many\" is passed over: it is a number, or `all`\n",
    );
}

#[test]
fn what_a_snapshot_redacts_is_printed_by_nothing() {
    let output = Run::new(&["snapshot_fails"]).fails();
    check(&output, 0, HEADER);
    check(&output, 1, "INFO log in password=⟨password⟩\n");
    check(&output, 1, HINT);
    let output = Run::new(&["snapshot_with_elided_lines_fails"]).fails();
    check(&output, 0, HEADER);
    check(&output, 1, "\n▶ INFO log in password=⟨password⟩\n");
    check(&output, 1, HINT);
    let output = Run::new(&["snapshot_pins_nothing"]).fails();
    check(&output, 1, HEADER);
    check(&output, 1, "\nINFO log in password=⟨password⟩\n");
    let output = Run::new(&["snapshot_fails_and_more_is_traced"]).fails();
    check(&output, 1, HEADER);
    check(&output, 1, "\nINFO open{}\n├─ INFO log in password=⟨password⟩\n└─ INFO dropped\n");
    let output = Run::new(&["snapshot_passes_and_the_test_fails"]).fails();
    check(&output, 1, HEADER);
    check(&output, 1, "\nINFO log in password=⟨password⟩ id=⟨uuid 1⟩\n");
    for test in [
        "snapshot_fails",
        "snapshot_with_elided_lines_fails",
        "snapshot_pins_nothing",
        "snapshot_fails_and_more_is_traced",
        "snapshot_passes_and_the_test_fails",
    ] {
        for (name, value) in [
            ("SPANSHOT_PRINT", "always"),
            ("SPANSHOT_PRINT_LINES", "all"),
            ("SPANSHOT_PRINT_LINES", "1"),
        ] {
            check(&Run::new(&[test]).env(name, value).fails(), 0, "hunter2");
        }
    }
}

/// insta may be told to show no snapshot.
#[test]
fn trace_that_insta_does_not_show_is_printed() {
    for (output, is_shown) in
        [("diff", true), ("summary", true), ("minimal", false), ("none", false)]
    {
        let output = Run::new(&["snapshot_fails"]).env("INSTA_OUTPUT", output).fails();
        check(&output, usize::from(!is_shown), HEADER);
        check(&output, 1, "INFO log in password=⟨password⟩\n");
        check(&output, usize::from(is_shown), HINT);
        check(&output, 0, "hunter2");
    }
}

/// Not even when it is judged.
#[test]
fn live_record_without_room_is_not_printed() {
    let output = Run::new(&["has_no_room"]).passes();
    check(&output, 1, "[other::has_no_room] WARN kept\n");
    check(&output, 0, "left out");
}

#[test]
fn trace_with_a_secret_that_was_found_is_not_printed() {
    let withheld = "\n⟨not printed, since an assertion found a secret in it: ";
    let output = Run::new(&["secret_is_found", "fails"]).fails();
    check(&output, 2, HEADER);
    check(&output, 1, withheld);
    check(&output, 1, CONNECTED);
    check(&output, 0, "hunter2");
    let output = Run::new(&["secret_is_found_in_what_no_test_can_claim"]).fails();
    check(&output, 1, "INFO of the test\n");
    check(&output, 1, withheld);
    check(&output, 0, "hunter2");
}

/// The test unwinds already when its trace is printed.
#[test]
fn redaction_that_panics_aborts_nothing_and_shows_nothing() {
    let output = Run::new(&["redaction_panics", "fails"]).fails();
    check(&output, 2, HEADER);
    check(&output, 1, "⟨the rest is not shown: a redaction panicked with: ");
    check(&output, 1, CONNECTED);
    check(&output, 0, "hunter2");
}

#[test]
fn failure_of_a_watching_capture_shows_the_trace_once() {
    for print in ["failure", "always"] {
        let output = Run::new(&["watched"]).env("SPANSHOT_PRINT", print).fails();
        check(&output, 1, "\n1 event at level warn or more severe that nothing allows:\n");
        check(&output, 1, "INFO connect{port=8080}\n");
        check(&output, 0, HEADER);
        check(&output, 1, "panicked at");
    }
    let output = Run::new(&["watched_over_a_long_trace"]).fails();
    check(&output, 1, "\n100 events at level warn or more severe that nothing allows:\n");
    check(&output, 1, "\n⋮ 239 more lines\n");
    check(
        &output,
        1,
        "\n└─ DEBUG done attempt=99\n(a part of its 300 lines: SPANSHOT_PRINT_LINES=all prints all",
    );
    check(&output, 21, "INFO connect{port=8080}\n");
    check(&output, 0, HEADER);
    check(&output, 1, HINT);

    let filtered = Run::new(&["watched"]).env("SPANSHOT_PRINT_FILTER", "info").fails();
    check(&filtered, 0, HEADER);
    check(&filtered, 1, "\nINFO connect{port=8080}\n└─ WARN slow\n(the print filter hides 1 of 3 ");
}

#[test]
fn trace_is_printed_if_what_allows_events_panics() {
    let output = Run::new(&["watched_by_what_panics"]).fails();
    check(&output, 2, "panicked at"); // once when the function is asked, once when the capture ends
    check(&output, 1, CONNECTED);
}

#[test]
fn panic_that_is_under_way_is_the_only_one() {
    let output = Run::new(&["watched_while_it_fails"]).fails();
    check(&output, 1, "panicked at");
    check(&output, 1, "as it was told to");
    check(&output, 2, HEADER);
    check(&output, 1, CONNECTED);
    check(&output, 1, "\nINFO forgotten{}\n");

    let output = Run::new(&["watched_twice"]).fails();
    check(&output, 1, "panicked at");
    check(&output, 1, HEADER);
    check(&output, 2, "INFO connect{port=8080}\n");
}

#[test]
fn capture_that_is_started_while_a_test_is_unwound_is_not_that_of_the_test() {
    let output = Run::new(&["captures_while_it_unwinds"]).fails();
    check(&output, 1, "panicked at");
    check(&output, 0, HEADER);
}

#[test]
fn capture_that_has_ended_prints_nothing_when_the_test_fails_later() {
    check(&Run::new(&["fails_after_the_end"]).fails(), 0, HEADER);
}

#[test]
fn test_that_returns_an_error_prints_its_trace_if_it_is_run_or_always() {
    check(&Run::new(&["returns_an_error"]).fails(), 0, HEADER);
    let output = Run::new(&["is_run_and_returns_an_error"]).fails();
    check(&output, 1, HEADER);
    check(&output, 1, CONNECTED);
    check(&output, 1, ", whose test returned \"as it was told to\":\n");
    check(&output, 1, "Error: \"as it was told to\"\n"); // of the test runner
    check(&output, 0, "panicked at");
    let output = Run::new(&["returns_an_error"]).env("SPANSHOT_PRINT", "always").fails();
    check(&output, 1, CONNECTED);
}

#[test]
fn levels_are_in_colour_where_that_is_wanted() {
    const COLOURED: &str = "
\u{1b}[32mINFO\u{1b}[0m connect{port=8080}
├─ \u{1b}[33mWARN\u{1b}[0m slow
└─ \u{1b}[34mDEBUG\u{1b}[0m done\\u{1b}[0m
";
    let run = || Run::new(&["fails"]);
    check(&run().fails(), 0, "\u{1b}");
    check(&run().env("CLICOLOR_FORCE", "1").fails(), 1, COLOURED);
    check(&run().env("CLICOLOR_FORCE", "0").fails(), 1, CONNECTED);
    check(&run().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").fails(), 1, CONNECTED);
    check(&run().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "").fails(), 1, COLOURED);
    // The message of a panic may go anywhere.
    let output = Run::new(&["watched"]).env("CLICOLOR_FORCE", "1").fails();
    check(&output, 0, "\u{1b}");
}

/// That `eprint!` panics then must not become a second panic.
#[test]
fn nobody_listening_is_no_reason_to_abort() {
    for (test, code) in [("fails", 101), ("always_prints", 0)] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut run = Run::new(&[test]).arg("--nocapture");
        let output = run.command.stderr(Stdio::from(writer)).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{test}: {}", text(&output));
    }
}
