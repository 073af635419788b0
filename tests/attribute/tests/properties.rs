//! A property that fails shows the trace of its smallest failing case, once, at the end.
//!
//! The properties in `failing` fail. They are ignored, so that only another process runs them: this binary again.

use std::{env, process::Command};

/// Runs a failing test, and returns what the test runner shows of it.
#[track_caller]
fn failure_with(test: &str, variables: &[(&str, &str)]) -> String {
    let mut process = Command::new(env::current_exe().unwrap());
    process.args([&format!("failing::{test}"), "--exact", "--ignored"]);
    for variable in ["SPANSHOT_PRINT", "SPANSHOT_FORMAT", "SPANSHOT_RECORD", "GITHUB_ACTIONS"] {
        process.env_remove(variable);
    }
    let output =
        process.envs(variables.iter().copied()).env("RUST_BACKTRACE", "0").output().unwrap();
    let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(shown.contains("running 1 test\n"), "{shown}");
    assert!(!output.status.success(), "{shown}");
    shown
}

#[track_caller]
fn failure(test: &str) -> String {
    failure_with(test, &[])
}

#[track_caller]
fn check(shown: &str, count: usize, part: &str) {
    assert_eq!(shown.matches(part).count(), count, "{part:?}, in:\n{shown}");
}

/// All the traces that are shown: the smallest number for which the property does not hold is 10.
#[track_caller]
fn assert_shows_the_smallest(shown: &str) {
    check(shown, 1, "trace of the capture started at tests/properties.rs:");
    check(shown, 1, "INFO case{number=10}\n└─ WARN large\n");
    check(shown, 1, "INFO case{");
}

#[test]
fn property_shows_the_smallest_case_that_fails() {
    for test in [
        "proptest_panics",
        "proptest_returns_an_error",
        "proptest_is_typed",
        "proptest_in_its_process",
        "proptest_captures_itself",
        "proptest_captures_itself_and_returns_an_error",
        "proptest_by_hand",
        "proptest_by_hand_that_runs",
        "proptest_in_a_run",
        "property_test_below",
        "property_test_above",
        "quickcheck_is_false",
        "quickcheck_in_its_process",
        "quickcheck_panics",
        "quickcheck_returns_an_error",
        "quickcheck_captures_itself",
        "quickcheck_above",
    ] {
        let shown = failure(test);
        assert_shows_the_smallest(&shown);
        check(&shown, 1, "that failed");
    }
    let alone = [("RUST_TEST_THREADS", "1")];
    assert_shows_the_smallest(&failure_with("proptest_is_process_wide", &alone));
    // A property whose first case that fails is the smallest one has nothing to leave out.
    check(&failure("proptest_fails_at_once"), 0, "that failed");
}

#[test]
fn capture_that_fails_a_case_is_made_small_too() {
    for (test, input) in [
        ("proptest_is_watched", "number = 10\n"),
        (
            "property_test_is_watched",
            "PropertyTestIsWatchedArgs = PropertyTestIsWatchedArgs {\n    number: 10,\n}",
        ),
    ] {
        let shown = failure(test);
        check(&shown, 1, &format!("minimal failing input: {input}"));
        assert!(
            shown.contains("1 event at level warn or more severe that nothing allows"),
            "{shown}"
        );
        // Panics have shown the traces, the last one shows the smallest case.
        let (_, last) = shown.rsplit_once("Test failed: ").unwrap();
        check(last, 1, "INFO case{number=10}\n└─ WARN large");
        check(&shown, 0, "trace of the capture started at");
    }
}

/// A case that is passed over has not failed, and those that passed are of no interest.
#[test]
fn cases_that_pass_or_are_passed_over_show_nothing() {
    for test in ["proptest_passes_over", "proptest_passes_over_in_runs"] {
        let shown = failure(test);
        let (_, smallest) = shown.split_once("minimal failing input: number = ").unwrap();
        let (number, _) = smallest.split_once('\n').unwrap();
        check(&shown, 1, "trace of the capture started at");
        check(&shown, 1, &format!("INFO case{{number={number}}}\n└─ WARN large\n"));
        check(&shown, 1, "INFO case{");
    }
    let shown = failure("proptest_gives_up");
    check(&shown, 1, "Too many global rejects");
    check(&shown, 0, "that failed");
    check(&shown, 1, "trace of the capture started at");
}

#[test]
fn machines_read_of_the_smallest_case() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("properties");
    let _ = std::fs::remove_dir_all(&directory);
    let variables = [
        ("SPANSHOT_FORMAT", "json"),
        ("SPANSHOT_RECORD", "failure"),
        ("SPANSHOT_RECORD_DIR", directory.to_str().unwrap()),
    ];
    let shown = failure_with("proptest_panics", &variables);
    check(&shown, 1, "{\"spanshot\":\"failure\",");
    check(&shown, 1, "\"headline\":\"Test failed: too large");
    let is_it = |line: &str| line.ends_with("assert!(is_small(number), \"too large\");");
    let line = include_str!("properties.rs").lines().position(is_it);
    let place =
        format!("\"location\":{{\"file\":\"tests/properties.rs\",\"line\":{},", line.unwrap() + 1);
    check(&shown, 1, &place);
    let of_package = directory.join(env!("CARGO_PKG_NAME"));
    let files: Vec<_> =
        std::fs::read_dir(&of_package).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files, [of_package.join("properties__failing__proptest_panics.spanshot")]);
    std::fs::remove_dir_all(directory).unwrap();
}

/// All captures that fail with a test are shown, whatever ended in it before.
#[test]
fn captures_inside_a_test_are_shown_with_it() {
    let shown = failure("has_captures_inside");
    for trace in
        ["INFO caught\n", "INFO finished\n", "INFO first\n", "INFO second\n", "INFO around\n"]
    {
        check(&shown, 1, trace);
    }
    let shown = failure("has_a_capture_inside_and_returns_an_error");
    check(&shown, 1, ", whose test returned \"as it was told to\":\nINFO inside\n");
    check(&shown, 1, "trace of the capture started at");
    // Twice as many as are kept.
    let shown = failure("has_many_captures_inside");
    check(&shown, 8 + 1, "trace of the capture started at");
    check(&shown, 1, "INFO inside number=15\n");
    let shown = failure("is_nested");
    check(&shown, 1, "INFO innermost\n");
    check(&shown, 1, "trace of the capture started at");
}

mod failing {
    use proptest::{prelude::*, property_test, test_runner::TestCaseError};
    use quickcheck_macros::quickcheck;
    use spanshot::Capture;
    use tracing::{info, info_span, warn};

    fn config() -> ProptestConfig {
        ProptestConfig {
            failure_persistence: None,
            rng_seed: proptest::test_runner::RngSeed::Fixed(7),
            ..Default::default()
        }
    }

    /// What is to be tested.
    fn is_small(number: u32) -> bool {
        info_span!("case", number).in_scope(|| {
            if number >= 10 {
                warn!("large");
            }
        });
        number < 10
    }

    fn check(number: u32) {
        assert!(is_small(number), "too large");
    }

    /// Only a process-wide capture of a process that runs one test at a time knows whose span this is.
    fn on_a_thread(number: u32) {
        std::thread::spawn(move || check(number)).join().unwrap();
    }

    proptest! {
        #![proptest_config(config())]

        #[spanshot::test]
        #[ignore = "it fails"]
        fn proptest_panics(number in 0_u32..1_000) {
            check(number);
        }

        #[spanshot::test]
        #[ignore = "it fails"]
        fn proptest_returns_an_error(number in 0_u32..1_000) {
            prop_assert!(is_small(number));
        }

        #[spanshot::test]
        #[ignore = "it fails"]
        fn proptest_is_typed(number: u32) {
            prop_assert!(is_small(number));
        }

        #[spanshot::test(process_wide)]
        #[ignore = "it fails"]
        fn proptest_is_process_wide(number in 0_u32..1_000) {
            on_a_thread(number);
        }

        #[spanshot::test(process)]
        #[ignore = "it fails"]
        fn proptest_in_its_process(number in 0_u32..1_000) {
            on_a_thread(number);
        }

        #[spanshot::test]
        #[ignore = "it fails"]
        fn proptest_captures_itself(number in 0_u32..1_000) {
            let capture = Capture::start();
            check(number);
            drop(capture);
        }

        #[spanshot::test]
        #[ignore = "it fails"]
        fn proptest_captures_itself_and_returns_an_error(number in 0_u32..1_000) {
            let capture = Capture::start();
            prop_assert!(is_small(number));
            let number: u8 = capture.trace().all_spans().len().to_string().parse()?;
            prop_assert_eq!(number, 1);
        }

        #[spanshot::test]
        #[ignore = "it fails"]
        fn proptest_fails_at_once(_number in 10_u32..11) {
            panic!("at once");
        }

        #[spanshot::test(fail_on = "warn")]
        #[ignore = "it fails"]
        fn proptest_is_watched(number in 0_u32..1_000) {
            is_small(number);
        }

        #[spanshot::test]
        #[ignore = "it fails"]
        fn proptest_passes_over(number in 0_u32..1_000) {
            let is_small = is_small(number);
            prop_assume!(number == 10 || number > 800);
            prop_assert!(is_small);
        }

        #[spanshot::test]
        #[ignore = "it fails"]
        fn proptest_gives_up(number in 0_u32..1_000) {
            is_small(number);
            prop_assume!(false);
        }
    }

    #[spanshot::test]
    #[property_test(config = config())]
    #[ignore = "it fails"]
    fn property_test_below(number: u32) {
        check(number);
    }

    #[property_test(config = config())]
    #[spanshot::test]
    #[ignore = "it fails"]
    fn property_test_above(number: u32) -> Result<(), TestCaseError> {
        prop_assert!(is_small(number));
        Ok(())
    }

    #[spanshot::test(fail_on = "warn")]
    #[property_test(config = config())]
    #[ignore = "it fails"]
    fn property_test_is_watched(number: u32) {
        is_small(number);
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn proptest_by_hand() {
        proptest!(config(), |(number in 0_u32..1_000)| {
            let _capture = Capture::start();
            check(number);
        });
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn proptest_by_hand_that_runs() {
        proptest!(config(), |(number in 0_u32..1_000)| {
            Capture::run(|_| {
                prop_assert!(is_small(number));
                Ok::<_, TestCaseError>(())
            })?;
        });
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn proptest_passes_over_in_runs() {
        proptest!(config(), |(number in 0_u32..1_000)| {
            Capture::run(|_| {
                let is_small = is_small(number);
                prop_assume!(number == 10 || number > 800);
                prop_assert!(is_small);
                Ok::<_, TestCaseError>(())
            })?;
        });
    }

    #[test]
    #[ignore = "it fails"]
    fn proptest_in_a_run() {
        Capture::run(|_| {
            proptest!(config(), |(number in 0_u32..1_000)| {
                let _capture = Capture::start();
                check(number);
            });
        });
    }

    #[spanshot::test]
    #[quickcheck]
    #[ignore = "it fails"]
    fn quickcheck_is_false(number: u32) -> bool {
        is_small(number)
    }

    #[spanshot::test(process)]
    #[quickcheck]
    #[ignore = "it fails"]
    fn quickcheck_in_its_process(number: u32) -> bool {
        std::thread::spawn(move || is_small(number)).join().unwrap()
    }

    #[spanshot::test]
    #[quickcheck]
    #[ignore = "it fails"]
    fn quickcheck_panics(number: u32) {
        check(number);
    }

    #[spanshot::test]
    #[quickcheck]
    #[ignore = "it fails"]
    fn quickcheck_returns_an_error(number: u32) -> Result<bool, String> {
        if is_small(number) { Ok(true) } else { Err("too large".into()) }
    }

    #[spanshot::test]
    #[quickcheck]
    #[ignore = "it fails"]
    fn quickcheck_captures_itself(number: u32) -> bool {
        let _capture = Capture::start();
        is_small(number)
    }

    #[quickcheck]
    #[spanshot::test]
    #[ignore = "it fails"]
    fn quickcheck_above(number: u32) -> bool {
        is_small(number)
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn has_captures_inside() {
        let caught = std::panic::catch_unwind(|| {
            let _capture = Capture::start();
            info!("caught");
            panic!("as it was told to");
        });
        assert!(caught.is_err());
        let capture = Capture::start();
        info!("finished");
        capture.finish();
        info!("around");
        let _first = Capture::start();
        info!("first");
        let _second = Capture::start();
        info!("second");
        panic!("as it was told to");
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn has_a_capture_inside_and_returns_an_error() -> Result<(), &'static str> {
        for _ in 0..3 {
            let _capture = Capture::start();
            info!("inside");
        }
        Err("as it was told to")
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn has_many_captures_inside() {
        info!("around");
        let mut captures = vec![];
        for number in 0..16 {
            captures.push(Capture::start());
            info!(number, "inside");
        }
        drop(captures);
        panic!("as it was told to");
    }

    #[spanshot::test]
    #[ignore = "it fails"]
    fn is_nested() {
        Capture::run(|_| {
            Capture::run(|_| {
                info!("innermost");
                assert!(Capture::start().trace().all_spans().len() > 0, "as it was told to");
            });
        });
    }
}
