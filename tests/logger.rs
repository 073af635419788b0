//! Records of the `log` crate, which captures see to themselves with the feature `log`.
//!
//! A process has one logger, so that each of these tests is run in another process: this binary again, told
//! by an environment variable that it is another one.

use std::{
    env,
    panic::{self, catch_unwind},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use spanshot::{Capture, predicates::*};
use tracing::{Level, info, info_span};

const OTHER: &str = "SPANSHOT_TEST_LOGGER";

macro_rules! tests {
    ($($name:ident: $body:block)+) => {
        mod other {
            use super::*;
            $(#[test] fn $name() { if env::var_os(OTHER).is_some() $body })+
        }

        $(
            #[test]
            fn $name() {
                let test = concat!("other::", stringify!($name));
                let other = Command::new(env::current_exe().unwrap())
                    .args([test, "--exact", "--nocapture"])
                    .env(OTHER, "1")
                    .output()
                    .unwrap();
                let output = String::from_utf8_lossy(&other.stdout);
                let errors = String::from_utf8_lossy(&other.stderr);
                assert!(other.status.success(), "{output}\n{errors}");
                assert!(output.contains("1 passed"), "{output}");
            }
        )+
    };
}

/// A logger that keeps records to itself, or passes them on.
struct Logger {
    records: Mutex<Vec<String>>,
    next: Option<tracing_log::LogTracer>,
}

impl log::Log for Logger {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.records.lock().unwrap().push(record.args().to_string());
        if let Some(next) = &self.next {
            next.log(record);
        }
    }

    fn flush(&self) {}
}

fn install(next: Option<tracing_log::LogTracer>) -> &'static Logger {
    let logger = Box::leak(Box::new(Logger { records: Mutex::default(), next }));
    log::set_logger(logger).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    logger
}

tests! {
    records_are_events: {
        let capture = Capture::start();
        info_span!("span").in_scope(|| {
            log::warn!(target: "library::net", "took {} ms", 850);
            info!("an event");
            log::trace!("as verbose as can be");
        });
        let line = line!() - 2;
        let trace = capture.finish();
        let tree = "INFO span{}\n├─ WARN took 850 ms\n├─ INFO an event\n└─ TRACE as verbose as can be";
        assert_eq!(trace.to_string(), tree);
        trace.scan_events().single(&(target("library::net") & level(Level::WARN)));
        let event = trace.scan_events().single(&level(Level::TRACE)).metadata();
        assert_eq!((event.target(), event.module_path()), (module_path!(), Some(module_path!())));
        assert_eq!((event.file(), event.line()), (Some(file!()), Some(line)));
    }

    captures_of_threads_have_their_own: {
        thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || {
                    let capture = Capture::start();
                    thread::spawn(capture.carry(move || log::info!("carried {number}"))).join().unwrap();
                    thread::spawn(move || log::info!("bare {number}")).join().unwrap();
                    log::info!("own {number}");
                    let tree = format!("INFO carried {number}\nINFO own {number}");
                    assert_eq!(capture.finish().to_string(), tree);
                });
            }
        });
    }

    filter_holds_for_records: {
        let capture = Capture::builder().filter("warn").start();
        log::warn!("captured");
        log::info!("not captured");
        assert_eq!(capture.finish().to_string(), "WARN captured");
    }

    process_wide: {
        let capture = Capture::start_process_wide();
        log::info!("own");
        let span = info_span!("span");
        thread::scope(|scope| scope.spawn(|| span.in_scope(|| log::info!("in it"))).join().unwrap());
        drop(span);
        assert_eq!(capture.finish().to_string(), "INFO own\nINFO span{}\n└─ INFO in it");
    }

    another_logger_is_refused: {
        let logger = install(None);
        let location = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&location);
        panic::set_hook(Box::new(move |info| {
            *seen.lock().unwrap() = info.location().map(|location| (location.file().to_owned(), location.line()));
        }));
        let starts: [(u32, fn() -> Capture); 3] = [
            (line!(), || Capture::start()),
            (line!(), || Capture::builder().start()),
            (line!(), || Capture::start_process_wide()),
        ];
        for (line, start) in starts {
            assert!(catch_unwind(start).is_err());
            let location = location.lock().unwrap().take(); // the hook of a failure here locks it, too
            assert_eq!(location, Some((file!().to_owned(), line)));
        }
        let _ = panic::take_hook();
        for _ in 0..2 {
            let refused = catch_unwind(|| drop(Capture::start())).unwrap_err();
            let message = refused.downcast::<String>().unwrap();
            assert!(message.contains("install `tracing_log::LogTracer` in its place"), "{message}");
        }
        let refused = catch_unwind(|| drop(Capture::start_process_wide()));
        assert!(refused.is_err());
        // The thread is as it was.
        assert!(tracing::Span::current().is_none());
        info!("to nobody");
        let records = logger.records.lock().unwrap();
        let looks = "spanshot looks whether the logger passes records on to `tracing`";
        assert_eq!(*records, [looks]);
    }

    logger_that_passes_records_on_is_fine: {
        let logger = install(Some(tracing_log::LogTracer::new()));
        for _ in 0..2 {
            let capture = Capture::start();
            log::info!("captured");
            assert_eq!(capture.finish().to_string(), "INFO captured");
        }
        assert_eq!(logger.records.lock().unwrap().len(), 3);
    }

    tracer_of_the_user_is_fine: {
        tracing_log::LogTracer::init_with_filter(log::LevelFilter::Info).unwrap();
        let capture = Capture::start();
        log::info!("captured");
        log::debug!("filtered out by the user");
        let trace = capture.finish();
        assert_eq!(trace.to_string(), "INFO captured");
        trace.scan_events().none(&message("refused"));
    }

    lowered_maximal_level_is_noticed: {
        let capture = Capture::start();
        info!("seen");
        log::set_max_level(log::LevelFilter::Warn);
        log::info!(target: "library", "goes nowhere");
        let trace = capture.trace();
        let events = trace.scan_events();
        let refusal = events.try_none(&message("goes nowhere")).unwrap_err().to_string();
        let reason = "this says nothing, since `log::set_max_level()` was called with WARN, so that records of the `log` \
                      crate of level INFO go nowhere: message(";
        assert!(refusal.starts_with(reason), "{refusal}");
        events.try_none(&(level(Level::INFO) & target("library"))).unwrap_err();
        events.try_single(&message("seen")).unwrap_err();
        events.try_exactly(&[&message("seen")]).unwrap_err();
        let failed = events.try_any(&message("goes nowhere")).unwrap_err().to_string();
        assert!(failed.contains("(it could not be captured, since `log::set_max_level()`"), "{failed}");
        // These would have come.
        events.none(&level(Level::WARN));
        events.any(&message("seen"));

        let watching = Capture::builder().fail_on_events(Level::INFO).start();
        log::info!("goes nowhere");
        let failed = catch_unwind(|| watching.finish()).unwrap_err();
        let failed = failed.downcast::<String>().unwrap();
        assert!(failed.contains("`log::set_max_level()` was called with WARN"), "{failed}");
        let watching = Capture::builder().fail_on_events(Level::WARN).start();
        info!("seen");
        watching.finish();

        log::set_max_level(log::LevelFilter::Trace);
        let capture = Capture::start();
        info!("seen");
        capture.trace().scan_events().none(&message("goes nowhere"));
    }

    logger_that_is_installed_later_fails: {
        drop(Capture::start());
        assert!(tracing_log::LogTracer::init().is_err());
    }
}

/// Runs a test of this binary that is to fail, in another process, and returns what it printed.
fn output_of(test: &str) -> String {
    let mut other = Command::new(env::current_exe().unwrap());
    let output = other.args([test, "--exact"]).env(OTHER, "1").output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const NOTE: &str = "a global subscriber was installed after spanshot had installed a logger";

#[test]
fn code_that_installs_a_logger_later() {
    if env::var_os(OTHER).is_some() {
        let _capture = Capture::start();
        tracing_subscriber::fmt().init();
    } else {
        let output = output_of("code_that_installs_a_logger_later");
        assert!(output.contains("SetLoggerError"), "{output}");
        assert_eq!(output.matches(NOTE).count(), 1, "{output}");
        assert!(output.contains("`tracing::subscriber::set_global_default()`"), "{output}");
    }
}

#[test]
fn test_that_fails_for_another_reason() {
    if env::var_os(OTHER).is_some() {
        let _capture = Capture::start();
        drop(Capture::start_process_wide()); // its global subscriber is that of the captures
        panic!("as it was told to");
    }
    let output = output_of("test_that_fails_for_another_reason");
    assert!(output.contains("as it was told to") && !output.contains(NOTE), "{output}");
}
