//! However a test fails, its trace is shown.
//!
//! The tests in `failing` fail. They are ignored, so that only another process runs them: this binary again.

use std::{env, process::Command};

/// Runs a failing test, and returns what the test runner shows of it.
#[track_caller]
fn failure(test: &str) -> String {
    failure_with(test, &[])
}

#[track_caller]
fn failure_with(test: &str, variables: &[(&str, &str)]) -> String {
    let mut process = Command::new(env::current_exe().unwrap());
    process.args([&format!("failing::{test}"), "--exact", "--ignored"]);
    for variable in ["SPANSHOT_PRINT", "SPANSHOT_PRINT_FILTER", "SPANSHOT_TEST_PROCESS"] {
        process.env_remove(variable);
    }
    process.env("RUST_BACKTRACE", "0").envs(variables.iter().copied());
    let output = process.output().unwrap();
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("running 1 test\n"), "{shown}");
    assert!(!output.status.success(), "{shown}");
    shown
}

#[track_caller]
fn assert_shows(test: &str, parts: &[&str]) {
    let shown = failure(test);
    for part in parts {
        assert_eq!(shown.matches(part).count(), 1, "{part:?}, in:\n{shown}");
    }
}

const TRACE: &str = "INFO connect{port=8080}\n└─ WARN slow";

#[test]
fn trace_is_shown_however_a_test_fails() {
    for test in ["panics", "panics_in_a_task", "panics_with_arguments::case_1"] {
        assert_shows(test, &["trace of the capture started at", TRACE]);
    }
    for (test, error) in [
        ("returns_an_error", r#", whose test returned "no answer":"#),
        ("returns_an_error_of_tokio_test", r#", whose test returned "no answer":"#),
        ("returns_an_error_of_another_runtime", r#", whose test returned "no answer":"#),
        ("returns_an_exit_code", ", whose test returned ExitCode("),
        ("returns_an_exit_code_in_a_result", ", whose test returned ExitCode("),
        ("is_cancelled", ", whose test returned nothing, since it was cancelled:"),
        ("fails_softly", ", whose test returned the failed assertions above:"),
        ("fails_softly_above", ", whose test returned "),
        ("does_not_panic", ", whose test returned nothing, and should have panicked:"),
    ] {
        assert_shows(test, &[error, TRACE]);
    }
}

#[test]
fn capture_fails_its_test_and_shows_the_error_too() {
    let found = "1 event at level warn or more severe that nothing allows";
    assert_shows("is_watched", &[found, TRACE]);
    assert_shows("is_watched_and_returns_an_error", &[found, "no answer", TRACE]);
    assert_shows("is_watched_to_the_end", &[found]);
    assert_shows("is_watched_within_a_time", &[found]);
    assert_shows("is_watched_within_a_time_of_ntest", &[found]);
    let bypassed = "1 subscriber that is not the capture's was left";
    assert_shows("is_watched_and_bypassed", &[bypassed]);
    // Its capture must not fail it: it would pass.
    assert_shows("does_not_panic_and_is_watched", &[found, TRACE]);
    assert_shows("does_not_panic_and_is_finished", &["test did not panic as expected"]);
    assert_shows("is_watched_with_cases_in_a_runtime::case_1", &[found]);
    assert_shows("is_watched_under_another_runtime", &["panicked at tests/failing.rs:", found]);
    assert_shows("is_watched_under_tokio_test", &["panicked at tests/failing.rs:", found]);
}

#[test]
fn process_that_fails_is_shown_as_that_of_the_test() {
    let ended = "the test failing::fails_in_its_process failed in its process, which ended with";
    let trace = "INFO by a thread\nINFO connect";
    assert_shows("fails_in_its_process", &[ended, "as it was told to", trace]);
    let ended = "the test failing::aborts failed in its process";
    assert_shows("aborts", &[ended]);
    // What was printed by then is shown, too.
    let shown = failure_with("aborts", &[("SPANSHOT_PRINT", "live")]);
    assert!(shown.contains("INFO connect{port=8080}\n"), "{shown}");
    assert_shows("exits", &["the test failing::exits failed in its process"]);
    let ended = "the process of the test failing::exits_with_success ended before the test did";
    assert_shows("exits_with_success", &[ended]);
}

#[test]
fn process_that_does_not_run_to_its_end_is_reported_to_machines() {
    for (test, headline) in [
        ("fails_in_its_process", "as it was told to"),
        ("aborts", "the test failing::aborts failed in its process, which ended with signal: "),
        ("exits", "the test failing::exits failed in its process, which ended with exit status: 3"),
        ("exits_with_success", "the process of the test failing::exits_with_success ended before"),
    ] {
        let format = [("SPANSHOT_FORMAT", "json"), ("GITHUB_ACTIONS", "true")];
        let shown = failure_with(test, &format);
        let found: Vec<_> =
            shown.lines().filter(|line| line.starts_with("{\"spanshot\":\"failure\"")).collect();
        assert_eq!(found.len(), 1, "{shown}");
        for part in [
            &format!("\"test\":\"failing::{test}\",")[..],
            "\"outcome\":\"panicked\",",
            &format!("\"headline\":\"{headline}"),
            "\"file\":\"tests/failing.rs\",",
        ] {
            assert!(found[0].contains(part), "{part}, in {}", found[0]);
        }
        assert_eq!(shown.matches("::error file=").count(), 1, "{shown}");
    }
}

/// A test does not wait for a process that it leaves behind.
#[test]
#[cfg(unix)]
fn process_that_is_left_behind_is_not_waited_for() {
    let shown = failure("leaves_a_process_behind");
    assert_eq!(shown.matches("has started still holds its output").count(), 1, "{shown}");
    assert!(shown.contains("as it was told to"), "{shown}");
    let (_, id) = shown.split_once("left behind: ").unwrap();
    let id = id.lines().next().unwrap();
    let killed = Command::new("kill").arg(id).status().unwrap();
    assert!(killed.success(), "it had ended");
}

#[allow(clippy::should_panic_without_expect)] // that is how they are written
mod failing {
    use std::{
        process::{Command, ExitCode},
        thread,
    };

    use rstest::rstest;
    use spanshot::Capture;
    use tracing::{info, info_span, warn};

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
    #[rstest]
    #[case(8_080)]
    #[ignore = "it fails"]
    fn panics_with_arguments(#[case] port: u16, _capture: Capture) {
        connect();
        assert_eq!(port, 80);
    }

    #[spanshot::test(flavor = "multi_thread")]
    #[ignore = "it fails"]
    async fn panics_in_a_task() {
        tokio::spawn(async { connect() }).await.unwrap();
        panic!("as it was told to");
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn returns_an_error() -> Result<(), &'static str> {
        connect();
        Err("no answer")
    }

    #[spanshot::test]
    #[tokio::test]
    #[ignore = "it fails"]
    async fn returns_an_error_of_tokio_test() -> Result<(), &'static str> {
        connect();
        Err("no answer")?;
        Ok(())
    }

    #[spanshot::test]
    #[other::test]
    #[ignore = "it fails"]
    async fn returns_an_error_of_another_runtime() -> Result<(), &'static str> {
        connect();
        Err("no answer")?;
        Ok(())
    }

    #[spanshot::test(fail_on = "warn")]
    #[other::test]
    #[ignore = "it fails"]
    async fn is_watched_under_another_runtime() {
        connect();
    }

    #[rstest]
    #[case(8_080)]
    #[spanshot::test(fail_on = "warn")]
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "it fails"]
    async fn is_watched_with_cases_in_a_runtime(#[case] port: u16) {
        assert_eq!(port, 8_080);
        tokio::spawn(async { connect() }).await.unwrap();
    }

    /// The attribute does not know this runtime by its name.
    mod other {
        pub(super) use tokio::test;
    }

    /// What the attribute makes of a test whose runtime is that of another attribute, if that has a timeout.
    #[tokio::test]
    #[ignore = "it fails"]
    async fn is_cancelled() {
        let test = spanshot::__private::AttributeTest {
            path: "failing::failing::is_cancelled",
            capture: Capture::builder(),
            is_process_wide: false,
            should_panic: false,
            expected_panic: None,
            has_failed_softly: || false,
        };
        let body = async {
            let _running = test.start();
            connect();
            std::future::pending::<()>().await;
        };
        let ended = tokio::time::timeout(std::time::Duration::from_millis(1), body).await;
        ended.expect("it takes too long");
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn returns_an_exit_code() -> ExitCode {
        connect();
        ExitCode::FAILURE
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn returns_an_exit_code_in_a_result() -> Result<ExitCode, String> {
        connect();
        Ok(ExitCode::FAILURE)
    }

    #[spanshot::test]
    #[googletest::test]
    #[ignore = "it fails"]
    fn fails_softly() {
        googletest::expect_that!(1, googletest::matchers::eq(2));
        connect();
    }

    #[googletest::test]
    #[spanshot::test]
    #[ignore = "it fails"]
    fn fails_softly_above() {
        googletest::expect_that!(1, googletest::matchers::eq(2));
        connect();
    }

    #[spanshot::test]
    #[should_panic(expected = "out of memory")]
    #[ignore = "it fails"]
    fn does_not_panic() {
        connect();
    }

    #[spanshot::test(fail_on = "warn")]
    #[should_panic]
    #[ignore = "it fails"]
    fn does_not_panic_and_is_watched() {
        connect();
    }

    #[spanshot::test(fail_on = "warn")]
    #[should_panic]
    #[ignore = "it fails"]
    fn does_not_panic_and_is_finished(capture: Capture) {
        connect();
        capture.finish();
    }

    #[spanshot::test(fail_on = "warn")]
    #[tokio::test]
    #[ignore = "it fails"]
    async fn is_watched_under_tokio_test() {
        connect();
    }

    #[spanshot::test(process)]
    #[ignore = "it fails"]
    fn leaves_a_process_behind() {
        let process = Command::new("sleep").arg("600").spawn().unwrap();
        println!("left behind: {}", process.id());
        std::mem::forget(process);
        panic!("as it was told to");
    }

    #[spanshot::test(fail_on = "warn")]
    #[ignore = "it fails"]
    fn is_watched() {
        connect();
    }

    #[rstest]
    #[timeout(std::time::Duration::from_secs(100))]
    #[spanshot::test(fail_on = "warn")]
    #[ignore = "it fails"]
    fn is_watched_within_a_time() {
        connect();
    }

    #[ntest_timeout::timeout(600_000)]
    #[spanshot::test(fail_on = "warn")]
    #[ignore = "it fails"]
    fn is_watched_within_a_time_of_ntest() {
        connect();
    }

    /// A task leaves a subscriber behind on its thread, which gets the records of later tasks.
    #[spanshot::test(fail_on = "warn", flavor = "multi_thread", worker_threads = 1)]
    #[ignore = "it fails"]
    async fn is_watched_and_bypassed() {
        let task = tokio::spawn(async {
            let dispatch = tracing::Dispatch::none();
            std::mem::forget(tracing::dispatcher::set_default(&dispatch));
        });
        task.await.unwrap();
        tokio::spawn(async { connect() }).await.unwrap();
    }

    #[spanshot::test(fail_on = "warn")]
    #[ignore = "it fails"]
    fn is_watched_and_returns_an_error(capture: Capture) -> Result<(), &'static str> {
        connect();
        drop(capture); // it goes on to the end of the test
        Err("no answer")
    }

    #[spanshot::test(fail_on = "warn")]
    #[ignore = "it fails"]
    fn is_watched_to_the_end(capture: Capture) {
        let _events = capture.take(); // what was taken was there
        drop(capture);
        connect();
    }

    #[spanshot::test(process)]
    #[ignore = "it fails"]
    fn fails_in_its_process() {
        thread::spawn(|| info!("by a thread")).join().unwrap();
        connect();
        panic!("as it was told to");
    }

    #[spanshot::test(process)]
    #[ignore = "it fails"]
    fn aborts() {
        connect();
        std::process::abort();
    }

    #[spanshot::test(process)]
    #[ignore = "it fails"]
    fn exits() {
        std::process::exit(3);
    }

    #[spanshot::test(process)]
    #[ignore = "it fails"]
    fn exits_with_success() {
        std::process::exit(0);
    }
}
