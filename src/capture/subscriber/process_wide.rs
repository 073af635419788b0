//! Captures of a whole process: one subscriber for all of them, and the unattributed records.

use alloc::{
    string::String,
    sync::{Arc, Weak},
    vec::Vec,
};
use std::{env, ffi::OsString, sync::OnceLock, thread};

use tracing_core::{Dispatch, dispatcher, span::Id};

use crate::{
    capture::{
        Capture, CaptureBuilder, Keep, ProcessWideLayer, SharedStorage, Trace,
        session::ending::Ending,
        subscriber::{
            process_wide_subscriber::{self, ProcessWideSubscriber},
            spans::{CaptureSpans, Tag},
            test_span::Test,
        },
    },
    lock::Mutex,
};

impl Capture {
    /// Starts a capture of the test on all of its threads.
    ///
    /// Use this for code that starts threads or tasks by itself, if you cannot carry a capture
    /// [there](Self#other-threads). It works through a subscriber that is installed globally when the first such
    /// capture is started, and stays. The capture gets
    ///
    /// - records of the current thread, including explicit roots;
    /// - records of other threads in a span of the capture: one that was entered there (`span.in_scope(…)`,
    ///   `future.instrument(Span::current())`, `future.in_current_span()`), or an explicit parent. The test itself runs
    ///   in a span, which is not part of the trace: `Span::current()` always is a span of the capture.
    ///
    /// Other threads may also trace in no span, or in a span of no test. Such records cannot be attributed to a test,
    /// so no capture receives them. They are [kept](Self::unattributed), and printed if the test fails. But if a
    /// process runs one test at a time, as under [nextest] or with `--test-threads=1`, there is no doubt: the capture
    /// that was started last receives them.
    ///
    /// The same goes for records in a span of a capture that has ended: a task of an earlier test may still be running. So
    /// with `--test-threads=1`, no capture receives these, unless the process runs a single test (`--exact`).
    ///
    /// An assertion that such a record would break, if it were this test's, [refuses to
    /// pass](crate::predicates::Scanner#negatives), and so do the checks at the
    /// [end of the test](CaptureBuilder#watching-over-a-test). Attach the threads that your code starts
    /// ([`attach_thread()`](crate::CaptureHandle::attach_thread)), run the test in a process of its own, or
    /// [ignore](CaptureBuilder::ignore_unattributed) such records.
    ///
    /// Code under test that installs a global subscriber itself, as `tracing_subscriber::fmt().init()` does, fails once
    /// such a capture was started: there is a global subscriber already.
    ///
    /// The captures of [`Self::start()`] have subscribers of their own. You can use both kinds in one binary, and even
    /// nest them.
    ///
    /// [nextest]: https://nexte.st
    ///
    /// # Panics
    ///
    /// Panics if there is a global subscriber that is not made for process-wide captures. To have one of your own, add
    /// [`ProcessWideLayer`](crate::capture::ProcessWideLayer) to it. Panics if the builder was given
    /// [layers](crate::CaptureBuilder::with_layer). With the crate feature `log`, panics for the same reason as
    /// [`Self::start()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use std::thread;
    /// use tracing::{Span, info};
    ///
    /// let capture = Capture::start_process_wide();
    /// let span = Span::current();
    /// thread::spawn(move || span.in_scope(|| info!("in the span of the test")))
    ///     .join()
    ///     .unwrap();
    /// thread::spawn(|| info!("in no span")).join().unwrap();
    /// assert_eq!(capture.trace().to_string(), "INFO in the span of the test");
    /// assert_eq!(Capture::unattributed().to_string(), "INFO in no span");
    /// ```
    #[track_caller]
    pub fn start_process_wide() -> Self {
        Self::builder().start_process_wide()
    }

    #[track_caller]
    pub(crate) fn start_process_wide_with(options: CaptureBuilder) -> Self {
        assert!(
            options.layers.is_empty(),
            "a process-wide capture has no subscriber of its own, so that `with_layer()` does not go with it. \
             Install a global subscriber with your layers and the one of the captures: \
             `tracing_subscriber::registry().with(spanshot::capture::ProcessWideLayer::new()).with(…).init()`"
        );
        let dispatch = match dispatch() {
            Ok(dispatch) => dispatch,
            Err(error) => panic!("{error}"), // a closure would not point at the line of the test
        };
        let storage = options.storage;
        let watch = storage.watch_over(options.watch);
        let printing = options.printing.in_environment();
        storage.print_live(printing.live());
        if !options.ignores_unattributed {
            unattributed().storage.print_live(printing.live_of_no_test());
        }
        let ending = Ending::new(printing, options.recording, watch, &storage, options.function)
            .of_process_wide();
        storage.set_sight(|sight| {
            sight.is_native = true;
            sight.filters = options.filter.iter().cloned().map(Arc::new).collect();
        });
        if !options.ignores_unattributed {
            storage.set_unattributed(&unattributed().storage);
        }
        let test = Test::new(&storage, options.filter);
        started(&test);
        Self::begin(storage, dispatch, Some(test), ending)
    }

    /// Returns the spans and events that no [process-wide](Self::start_process_wide) capture got, since they belong to
    /// no test: at most the latest 10,000 of them, and 16 MiB.
    ///
    /// It contains nothing from before the first such capture, and no records that went to other subscribers.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::start_process_wide();
    /// std::thread::spawn(|| tracing::info!("whose?")).join().unwrap();
    /// assert_eq!(capture.trace().all_events().len(), 0);
    /// assert_eq!(Capture::unattributed().all_events().len(), 1);
    /// ```
    pub fn unattributed() -> Trace {
        unattributed().storage.lock()
    }
}

/// Limits for the spans and events that belong to no test.
const MAX_UNATTRIBUTED_NODES: usize = 10_000;
const MAX_UNATTRIBUTED_BYTES: usize = 16 << 20;

/// The subscriber that the first process-wide capture has installed.
static INSTALLED: OnceLock<Dispatch> = OnceLock::new();

/// Returns the subscriber for records of threads that belong to a capture that has ended, once there are process-wide
/// captures: such a thread is one that belongs to no capture.
#[inline]
pub(crate) fn after_end(storage: &SharedStorage) -> Option<&'static Dispatch> {
    if storage.has_ended() { INSTALLED.get() } else { None }
}

/// Returns the subscriber of process-wide captures if the ID of a span is of that.
#[inline]
pub(crate) fn of_span(id: &Id) -> Option<&'static Dispatch> {
    Tag::of_process_wide(id).and_then(|_| INSTALLED.get())
}

/// Returns the subscriber of the process, and installs it if there is none.
///
/// # Errors
///
/// Returns instructions for the user if there is a foreign subscriber.
fn dispatch() -> Result<Dispatch, String> {
    static DISPATCH: Mutex<Option<Dispatch>> = Mutex::new(None);

    let mut known = DISPATCH.lock();
    if let Some(dispatch) = &*known {
        return Ok(dispatch.clone());
    }
    let ours = Dispatch::new(ProcessWideSubscriber::new());
    let dispatch = if dispatcher::set_global_default(ours.clone()).is_ok() {
        INSTALLED.get_or_init(|| ours).clone()
    } else {
        let is_known = |global: &Dispatch| global.is::<ProcessWideLayer>();
        let message = "a process-wide capture needs the global subscriber, and another one is \
                       installed already. Either do not install it in tests (`init()`, \
                       `set_global_default()`), or add the layer of the captures to it: \
                       `tracing_subscriber::registry().with(spanshot::capture::ProcessWideLayer::new())…`";
        global().filter(is_known).ok_or(message)?
    };
    *known = Some(dispatch.clone());
    Ok(dispatch)
}

/// Returns the global subscriber. `tracing-core` returns it only as the default of a thread that has no other
/// subscriber.
pub(crate) fn global() -> Option<Dispatch> {
    let thread = thread::Builder::new().name("spanshot".into());
    let global = thread.spawn(|| dispatcher::get_default(Dispatch::clone));
    global.ok()?.join().ok()
}

/// The records that belong to no test.
pub(crate) struct Unattributed {
    pub(crate) storage: SharedStorage,
    /// Spans in no span of a test.
    pub(crate) of_nobody: CaptureSpans,
    /// Spans in a span of a test that has ended.
    pub(crate) of_ended: CaptureSpans,
}

pub(crate) fn unattributed() -> &'static Unattributed {
    static UNATTRIBUTED: OnceLock<Unattributed> = OnceLock::new();
    UNATTRIBUTED.get_or_init(|| {
        let storage = SharedStorage::default();
        storage.set_max_nodes(MAX_UNATTRIBUTED_NODES, Keep::Newest);
        storage.set_max_bytes(MAX_UNATTRIBUTED_BYTES, Keep::Newest);
        let [of_nobody, of_ended] = [(); 2].map(|()| CaptureSpans::new(&storage, true));
        Unattributed { storage, of_nobody, of_ended }
    })
}

/// Captures that are under way, the latest one last, if the process runs one test at a time.
static UNDER_WAY: Mutex<Vec<Weak<Test>>> = Mutex::new(Vec::new());

/// Registers a capture that is started.
fn started(test: &Arc<Test>) {
    process_wide_subscriber::add(test);
    if is_one_test_at_a_time() {
        let mut under_way = UNDER_WAY.lock();
        under_way.retain(|test| test.strong_count() > 0);
        under_way.push(Arc::downgrade(test));
    }
}

/// Returns the capture that gets unattributed records, if the process runs one test at a time. A record in a span of a
/// capture that has ended may come from an earlier test, unless the process runs only one.
pub(crate) fn only_test(is_in_ended: bool) -> Option<Arc<Test>> {
    if is_one_test_at_a_time() && (is_exact() || !is_in_ended) {
        UNDER_WAY.lock().iter().rev().find_map(Weak::upgrade)
    } else {
        None
    }
}

/// Checks whether the test harness was told the exact name of the test to run.
fn is_exact() -> bool {
    static IS_EXACT: OnceLock<bool> = OnceLock::new();
    *IS_EXACT.get_or_init(|| env::args_os().any(|arg| arg == *"--exact"))
}

/// Checks whether the process demonstrably runs one test at a time: nextest has set this mode, or the test harness was
/// told to use one thread.
fn is_one_test_at_a_time() -> bool {
    static IS_ONE: OnceLock<bool> = OnceLock::new();
    *IS_ONE.get_or_init(|| {
        let is_set =
            |name, expected: &str| env::var_os(name).is_some_and(|value| value == *expected);
        // nextest also names the test in the arguments. The variable alone is not enough: a process that the test
        // starts inherits it.
        is_set("NEXTEST_EXECUTION_MODE", "process-per-test") && is_exact()
            || match test_threads(env::args_os()) {
                Some(threads) => threads == "1",
                None => is_set("RUST_TEST_THREADS", "1"),
            }
    })
}

/// Returns the number of threads that the test harness was told to use by its arguments.
fn test_threads(mut args: impl Iterator<Item = OsString>) -> Option<OsString> {
    while let Some(arg) = args.next() {
        let Some(arg) = arg.to_str() else { continue };
        if let Some(threads) = arg.strip_prefix("--test-threads=") {
            return Some(threads.into());
        }
        if arg == "--test-threads" {
            return args.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_of_threads_is_that_of_the_harness() {
        let threads = |args: &[&str]| test_threads(args.iter().map(OsString::from));
        assert_eq!(threads(&["test", "--test-threads=1", "name"]), Some("1".into()));
        assert_eq!(threads(&["test", "--nocapture", "--test-threads", "16"]), Some("16".into()));
        assert_eq!(threads(&["test", "test-threads=1"]), None);
        assert_eq!(threads(&["test", "--test-threads"]), None);
    }
}
