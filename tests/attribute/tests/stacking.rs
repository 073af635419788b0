//! The attribute alone, and with those of other frameworks above and below it.
//!
//! Each test looks at its own capture: it has what the test traced, and nothing of the others.

use std::{num::ParseIntError, process::ExitCode, thread, time::Duration};

use spanshot::{
    Capture,
    predicates::{ScanExt as _, level},
};
use tracing::{Level, info};

/// Checks that a capture has seen what the code under test traced, once.
#[track_caller]
fn assert_captured(capture: &Capture, text: &str) {
    info!("{text}");
    assert_eq!(capture.trace().to_string(), format!("INFO {text}"));
}

#[spanshot::test]
fn nothing_else() {
    info!("nobody looks");
}

#[spanshot::test]
fn by_value(capture: Capture) {
    assert_captured(&capture, "by value");
}

/// The thread of the test cannot see it. The worker looks each time it has nothing to do.
#[spanshot::test(flavor = "multi_thread", worker_threads = 1)]
async fn subscriber_that_is_left_on_a_worker_is_noticed(capture: Capture) {
    info!("captured");
    let leave = async {
        std::mem::forget(tracing::dispatcher::set_default(&tracing::Dispatch::none()));
    };
    tokio::spawn(leave).await.unwrap();
    let noticed = async {
        while capture.trace().scan_events().try_none(&level(Level::ERROR)).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(100), noticed).await.unwrap();
}

#[spanshot::test]
fn by_reference(capture: &Capture) {
    assert_captured(capture, "by reference");
}

#[spanshot::test]
fn by_another_path(mut traced: spanshot::Capture) {
    assert_captured(&traced, "by another path");
    traced = Capture::start();
    assert_captured(&traced, "by one of its own");
}

#[spanshot::test]
fn finished_by_the_test(capture: Capture) {
    info!("before");
    let trace = capture.finish();
    info!("after");
    assert_eq!(trace.to_string(), "INFO before");
}

#[spanshot::test]
fn result(capture: &Capture) -> Result<(), ParseIntError> {
    let port: u16 = "8080".parse()?;
    assert_captured(capture, &format!("port {port}"));
    Ok(())
}

#[spanshot::test]
fn exit_code() -> ExitCode {
    if thread::panicking() {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

#[spanshot::test(filter = "info", fail_on = "warn", print = "never")]
fn options(capture: &Capture) {
    tracing::debug!("filtered out");
    assert_captured(capture, "options");
}

#[spanshot::test(fail_on = Level::ERROR, filter = concat!("in", "fo"))]
fn options_that_are_expressions(capture: &Capture) {
    tracing::warn!("allowed");
    assert_eq!(capture.trace().all_events().len(), 1);
}

#[spanshot::test(crate = "renamed")]
fn another_name_of_the_crate(capture: &Capture) {
    assert_captured(capture, "renamed");
}
use spanshot as renamed;

#[rustfmt::skip]
#[spanshot::test]
fn a_line() { assert_eq!(1, 1) }

#[spanshot::test]
fn attributes_inside() {
    #![allow(unused_variables)]
    let unused = 1;
}

macro_rules! test_with {
    ($name:ident, $filter:expr, $level:literal) => {
        #[spanshot::test(filter = $filter, fail_on = $level)]
        fn $name(capture: &Capture) {
            assert_captured(capture, "by a macro");
        }
    };
}
test_with!(options_of_a_macro, "info", "warn");

#[spanshot::test]
#[should_panic(expected = "as it should")]
fn should_panic() {
    panic!("as it should");
}

#[should_panic(expected = "as it should")]
#[spanshot::test]
fn should_panic_above() {
    panic!("as it should");
}

#[spanshot::test]
#[test]
fn std_below(capture: &Capture) {
    assert_captured(capture, "std below");
}

mod process_wide {
    use super::*;

    #[spanshot::test(process)]
    fn r#raw_in_its_process() {
        info!("nobody looks");
    }

    #[spanshot::test(process)]
    fn r#match() {
        info!("nobody looks");
    }

    #[spanshot::test(process)]
    fn process(capture: &Capture) {
        thread::spawn(|| thread::spawn(|| info!("by a thread of a thread")).join())
            .join()
            .unwrap()
            .unwrap();
        assert_eq!(capture.trace().to_string(), "INFO by a thread of a thread");
    }

    mod r#async {
        use super::*;

        #[spanshot::test(process)]
        fn r#try() {
            info!("in the process");
        }
    }

    #[spanshot::test(process)]
    #[googletest::test]
    fn process_and_googletest() {
        info!("in the process");
    }

    #[spanshot::test(process)]
    async fn process_with_a_runtime(capture: &Capture) -> Result<(), ParseIntError> {
        thread::spawn(|| info!("by a thread")).join().unwrap();
        tokio::spawn(async { info!("by a task") }).await.unwrap();
        assert_eq!(capture.trace().to_string(), "INFO by a thread\nINFO by a task");
        Ok(())
    }

    #[spanshot::test(process_wide)]
    fn span_of_the_test_is_taken_along(capture: &Capture) {
        let span = tracing::Span::current();
        thread::spawn(move || span.in_scope(|| info!("in it"))).join().unwrap();
        assert_eq!(capture.trace().to_string(), "INFO in it");
    }
}

mod asynchronous {
    use super::*;

    async fn on_all_threads(capture: &Capture) {
        tokio::spawn(async { info!("task") }).await.unwrap();
        tokio::task::spawn_blocking(|| info!("blocking")).await.unwrap();
        tokio::spawn(async {
            tokio::spawn(async { info!("task of a task") }).await.unwrap();
        })
        .await
        .unwrap();
        let trace = "INFO task\nINFO blocking\nINFO task of a task";
        assert_eq!(capture.trace().to_string(), trace);
    }

    async fn returns_after_all_threads(capture: &Capture) -> Result<(), ParseIntError> {
        let _number: u8 = "7".parse()?;
        on_all_threads(capture).await;
        Ok(())
    }

    #[spanshot::test]
    async fn current_thread(capture: &Capture) {
        on_all_threads(capture).await;
    }

    fn handle() -> usize {
        2
    }

    #[spanshot::test(flavor = "multi_thread", worker_threads = handle())]
    async fn multi_thread(capture: Capture) {
        on_all_threads(&capture).await;
    }

    #[spanshot::test(start_paused = true)]
    async fn paused(capture: Capture) -> Result<(), Box<dyn std::error::Error>> {
        tokio::time::sleep(Duration::from_secs(90)).await;
        let number: u8 = "7".parse()?;
        assert_captured(&capture, &number.to_string());
        Ok(())
    }

    #[spanshot::test]
    async fn tasks_end_in_the_capture(capture: Capture) {
        struct Tells;
        impl Drop for Tells {
            fn drop(&mut self) {
                info!("dropped with the runtime");
            }
        }
        let storage = capture.storage().clone();
        tokio::spawn(async move {
            let _tells = Tells;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        assert_eq!(storage.lock().all_events().len(), 0);
    }

    #[spanshot::test]
    #[test]
    async fn std_below(capture: &Capture) {
        on_all_threads(capture).await;
    }

    #[spanshot::test]
    #[tokio::test]
    async fn tokio_below(capture: Capture) {
        on_all_threads(&capture).await;
    }

    #[spanshot::test(fail_on = "error")]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn tokio_below_on_many_threads(capture: &Capture) -> Result<(), ParseIntError> {
        returns_after_all_threads(capture).await
    }

    #[spanshot::test]
    #[::tokio::test(crate = "renamed_tokio", start_paused = true)]
    async fn options_of_tokio_below(capture: &Capture) {
        tokio::time::sleep(Duration::from_secs(90)).await;
        on_all_threads(capture).await;
    }
    use tokio as renamed_tokio;

    #[spanshot::test]
    #[tokio::test(flavor = "local", name = "named")]
    async fn local_runtime_of_tokio_below(capture: &Capture) {
        let not_send = std::rc::Rc::new(7);
        tokio::task::spawn_local(async move { info!("{not_send}") }).await.unwrap();
        assert_eq!(capture.take().to_string(), "INFO 7");
        on_all_threads(capture).await;
    }

    #[spanshot::test(process)]
    #[tokio::test]
    async fn tokio_below_in_a_process(capture: &Capture) {
        on_all_threads(capture).await;
    }

    #[tokio::test]
    #[spanshot::test(filter = "info")]
    async fn tokio_above(capture: Capture) {
        on_all_threads(&capture).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[spanshot::test(fail_on = "error")]
    async fn tokio_above_on_many_threads(capture: &Capture) -> Result<(), ParseIntError> {
        returns_after_all_threads(capture).await
    }

    #[spanshot::test]
    #[rstest::rstest]
    #[case(1)]
    #[tokio::test(flavor = "multi_thread")]
    async fn tokio_and_rstest_below(#[case] number: u8, capture: &Capture) {
        assert_eq!(number, 1);
        on_all_threads(capture).await;
    }
}

mod cases {
    use super::*;

    use rstest::{fixture, rstest};
    use test_case::test_case;

    #[fixture]
    fn seven() -> u8 {
        7
    }

    #[spanshot::test]
    #[rstest]
    #[case(1)]
    #[case(2)]
    fn rstest_below(capture: &Capture, seven: u8, #[case] number: u8) {
        assert_captured(capture, &format!("{seven} {number}"));
    }

    #[spanshot::test]
    #[rstest]
    async fn rstest_below_async(#[values("1", "2")] number: &str, capture: Capture) {
        tokio::spawn(async { info!("task") }).await.unwrap();
        assert_eq!(capture.take().to_string(), "INFO task");
        assert_captured(&capture, number);
    }

    #[rstest]
    #[case(1)]
    #[case(2)]
    #[spanshot::test(fail_on = "error")]
    fn rstest_above(seven: u8, #[case] number: u8) {
        info!(seven, number);
    }

    #[spanshot::test]
    #[rstest]
    #[timeout(Duration::from_secs(100))]
    fn rstest_below_within_a_time(seven: u8, capture: &Capture) {
        assert_captured(capture, &seven.to_string());
    }

    #[spanshot::test]
    #[test_case(1; "one")]
    #[test_case(match 1 { one => one + 1 }; "an arrow inside")]
    fn test_case_below(number: u8, capture: &Capture) {
        assert_captured(capture, &number.to_string());
    }

    #[test_case(1; "one")]
    #[test_case(2; "two")]
    #[spanshot::test]
    fn test_case_above(number: u8) {
        info!(number);
    }
}

mod soft {
    use googletest::prelude::*;
    use spanshot::Capture;
    use tracing::info;

    use super::assert_captured;

    #[spanshot::test]
    #[gtest]
    fn googletest_below(capture: &Capture) {
        assert_captured(capture, "googletest below");
        expect_that!(1 + 1, eq(2));
    }

    #[googletest::test]
    #[spanshot::test]
    fn googletest_above() -> googletest::Result<()> {
        info!("nobody looks");
        verify_that!(1 + 1, eq(2))
    }
}

mod properties {
    use super::*;

    use proptest::{prop_assert, proptest};
    use quickcheck_macros::quickcheck;

    proptest! {
        #[spanshot::test]
        fn proptest_around(number in 0_u8..10) {
            info!(number);
            prop_assert!(number < 10);
        }
    }

    #[spanshot::test]
    #[quickcheck]
    fn quickcheck_below(number: u8) -> bool {
        info!(number);
        u16::from(number) < 256
    }

    #[quickcheck]
    #[spanshot::test]
    fn quickcheck_above(number: u8) {
        info!(number);
    }
}
