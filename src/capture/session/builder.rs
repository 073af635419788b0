use alloc::{boxed::Box, vec::Vec};
use core::{fmt, time::Duration};

use tracing_core::LevelFilter;
use tracing_subscriber::{Layer, Registry, filter::Targets};

use crate::capture::{
    Capture, CapturedEvent, Keep, SharedStorage, TestResult,
    session::ending::Way,
    session::outcome::TestFunction,
    session::print::{Print, Printing, parse_filter},
    session::recording::Recording,
    session::watch::WatchRules,
    subscriber::layered::BoxedLayer,
};

/// Options of a [`Capture`], before it is started.
///
/// # Printing
///
/// A capture that is dropped while its test panics prints its trace with [`eprint!`](std::eprint): test runners capture
/// this output, and show it for the tests that fail. It does not print the trace again if a failure has shown it
/// already: a failed [scanner](crate::predicates::Scanner) or [wait](Capture::wait_until), or a
/// [snapshot](crate::assert_trace_snapshot) of the whole trace. If only a part was shown, it says how to see the rest.
///
/// Environment variables override these [options](Self::print):
///
/// | environment variable | value |
/// |---|---|
/// | `SPANSHOT_PRINT` | `failure`, `always`, `live` or `never`; see [`Print`] |
/// | `SPANSHOT_PRINT_AFTER` | a time such as `20s`, after which the trace of a test that is still running is printed; see [`print_after()`](Self::print_after) |
/// | `SPANSHOT_PRINT_LINES` | maximal number of lines of a trace to print, or `all`; by default 100, from the beginning and the end of the trace |
/// | `SPANSHOT_FORMAT` | `text`, or `json` for an additional line for machines; see [reports](#reports) |
/// | `SPANSHOT_PRINT_FILTER` | the part of a trace to print, such as `info` or `warn,my_crate=debug`; see [`print_filter()`](Self::print_filter) |
///
/// They are read once in a process. An invalid value is reported on the error stream and ignored. An empty value counts
/// as unset.
///
/// Levels are in colour if both output and errors go to a terminal, and `TERM` is not `dumb`. `CLICOLOR_FORCE=1` always
/// enables colours, `NO_COLOR=1` disables them.
///
/// A test that returns an error has dropped its capture before the error is known. Write its body in
/// [`Capture::run()`], which sees the error.
///
/// # Recording
///
/// A capture leaves its trace in a file if its test fails and you [ask for it](Self::record_on_failure): beside the
/// snapshots, by the name of the test, as in `snapshots/it__requests__time_out.spanshot`. The failure names the file,
/// and a [`RecordedTrace`](crate::transport::recorded::RecordedTrace) replays it, on any machine. A later run of the
/// test replaces it. Further captures of the test that fail have a number in the name, and nextest's retries have
/// `-attempt-2` and so on. The file [notes](crate::transport::recorded::RecordedTrace::note) the test, its attempt, and
/// how the attempt ended. A test that is [still running](Self::print_after) is recorded, too.
///
/// The capture also prints a line `[[ATTACHMENT|path]]`. It attaches the file to the test in the `JUnit` report of
/// nextest, and some CI servers show such attachments.
///
/// | environment variable | value |
/// |---|---|
/// | `SPANSHOT_RECORD` | `failure`, `always` or `never` |
/// | `SPANSHOT_RECORD_DIR` | a directory, in which each package gets its own; by default, `snapshots` at the root of the package |
///
/// Tests of the same name in `src/lib.rs` and `src/main.rs` of one package share a file: the names of their binaries
/// are the same.
///
/// # Reports
///
/// On GitHub Actions, a failing test prints an annotation (`::error file=…`), which shows the failure at the line of the
/// panic. If the line is not known, as for a returned error, the line where the capture was started is used.
///
/// With `SPANSHOT_FORMAT=json` in the environment, a failing test prints one object of JSON on a line of its own, for
/// editors and agents. The line begins with `{"spanshot":"failure"`, perhaps behind white space of the test runner.
///
/// | key | value |
/// |---|---|
/// | `spanshot` | `"failure"` |
/// | `version` | version of this schema: 1. Keys may be added without a new version |
/// | `test` | the name of the test, as the test runner knows it, or `null` |
/// | `binary` | the name of the test binary, or `null` |
/// | `attempt` | 1, or more if nextest retries the test |
/// | `outcome` | `"panicked"`, `"returned"` an error, or `"failed"` because of events or spans that the capture [watches over](#watching-over-a-test) |
/// | `headline` | the first line of the message or error |
/// | `location` | `file`, `line` and `column` of the failure, as in the message of a panic; if it is not known, where the capture was started |
/// | `nearest` | the span or event that comes nearest to a match for an assertion, or `null` |
/// | `recording` | the absolute path of the [recording](#recording), or `null` |
///
/// A test that aborts or exits cannot print either, unless it runs in a [process of its own](macro@crate::test): then
/// the process that waits for it does.
///
/// Both need the messages of panics. For this, the first capture installs a panic hook around the existing one; so does
/// a capture that may be recorded. If the code under test replaces the hook, messages and lines of panics are not
/// known.
///
/// # Watching over a test
///
/// A capture can fail its test when it ends, that is when it is [finished](Capture::finish) or dropped:
/// on [events](Self::fail_on_events) above a level, on [spans that are open](Self::fail_on_open_spans),
/// on [unbalanced enters](Self::fail_on_unbalanced_enters). It then panics with a message that lists its findings and
/// the line where it was started, and shows the trace, with the filter for printing. While a panic is under way, it
/// does not panic again.
///
/// It looks at each event when it is emitted, and at each span when it is closed. So neither [`take()`](Capture::take)
/// nor a [limit](Self::max_nodes) hides anything from it. A span for which there was [no room](crate::Keep::Oldest)
/// also fails a test that watches over spans: the capture cannot tell whether that span was closed. So does one that a
/// [layer beside the capture](Self::with_layer) has hidden.
///
/// # Example
///
/// ```
/// use spanshot::Capture;
/// use tracing::Level;
///
/// let capture = Capture::builder()
///     .fail_on_events(Level::WARN)
///     .allow_events(|event| event.metadata().target() == "retries")
///     .fail_on_open_spans()
///     .print_filter("info,my_crate=debug")
///     .start();
/// tracing::info_span!("connect").in_scope(|| tracing::warn!(target: "retries", "again"));
/// assert_eq!(capture.finish().all_events().len(), 1);
/// ```
#[derive(Default)]
#[must_use = "nothing is captured before it is started"]
pub struct CaptureBuilder {
    pub(crate) storage: SharedStorage,
    pub(crate) filter: Option<Targets>,
    pub(crate) layers: Vec<BoxedLayer>,
    pub(crate) printing: Printing,
    pub(crate) recording: Recording,
    pub(crate) watch: WatchRules,
    pub(crate) ignores_unattributed: bool,
    pub(crate) function: TestFunction,
}

impl fmt::Debug for CaptureBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CaptureBuilder")
            .field("printing", &self.printing)
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

impl CaptureBuilder {
    /// Starts a capture on the current thread.
    ///
    /// # Panics
    ///
    /// Panics for the same reason as [`Capture::start()`].
    #[track_caller]
    pub fn start(self) -> Capture {
        Capture::start_with(self)
    }

    /// Runs a test in a capture, and ends the capture with the result of the test; see [`Capture::run()`].
    ///
    /// If the test returned an error and the capture [fails the test](Self#watching-over-a-test) as well, the
    /// panic shows both.
    ///
    /// # Panics
    ///
    /// Panics for the same reasons as [`Capture::start()`] and [`Capture::finish()`].
    ///
    /// # Example
    ///
    /// ```should_panic
    /// use spanshot::Capture;
    /// use tracing::Level;
    ///
    /// let result = Capture::builder().fail_on_events(Level::ERROR).run(|_| {
    ///     tracing::error!("out of memory");
    ///     Err::<(), _>("cannot connect") // the panic shows this, too
    /// });
    /// # drop(result);
    /// ```
    #[track_caller]
    pub fn run<R: TestResult>(self, test: impl FnOnce(&Capture) -> R) -> R {
        let function = TestFunction { sees_end: true, ..self.function };
        let mut capture = Self { function, ..self }.start();
        let result = test(&capture);
        match capture.end(&Way::Returned(result.error())) {
            Ok(_) => result,
            Err(message) => panic!("{message}"),
        }
    }

    /// Starts a capture of the test on all of its threads; see [`Capture::start_process_wide()`].
    ///
    /// # Panics
    ///
    /// Panics for the same reasons as [`Capture::start_process_wide()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::builder().filter("info").start_process_wide();
    /// tracing::info!("captured");
    /// tracing::debug!("not captured");
    /// assert_eq!(capture.trace().all_events().len(), 1);
    /// ```
    #[track_caller]
    pub fn start_process_wide(self) -> Capture {
        Capture::start_process_wide_with(self)
    }
}

/// Selecting records, and limits.
impl CaptureBuilder {
    /// Captures only records that pass a filter. Other records are not even formatted.
    ///
    /// The filter is a list of levels for targets, as for [`print_filter()`](Self::print_filter). If a span is filtered
    /// out, its children take its place. For filters of another kind, use a [`CaptureLayer`](crate::CaptureLayer).
    ///
    /// # Panics
    ///
    /// Panics if the filter is not a valid list.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::builder().filter("info,noisy=off").start();
    /// tracing::info!(target: "noisy", "not captured");
    /// tracing::debug!("not captured");
    /// tracing::info!("captured");
    /// assert_eq!(capture.trace().to_string(), "INFO captured");
    /// ```
    #[track_caller]
    pub fn filter(mut self, filter: &str) -> Self {
        match parse_filter(filter) {
            Ok(filter) => self.filter = Some(filter),
            Err(error) => panic!("{error}"),
        }
        self
    }

    /// Ignores records that cannot be attributed to any test.
    ///
    /// Only a [process-wide](Capture::start_process_wide) capture meets such records. Unless it ignores them, an
    /// assertion that they could break refuses to pass: see [negatives](crate::predicates::Scanner#negatives). Call
    /// this if other tests of the process start threads that trace, and the code under test starts none.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::builder().ignore_unattributed().start_process_wide();
    /// tracing::info!("by the code under test");
    /// std::thread::spawn(|| tracing::error!("by somebody else")).join().unwrap();
    /// capture.trace().scan_events().all(&level(tracing::Level::INFO));
    /// ```
    pub fn ignore_unattributed(mut self) -> Self {
        self.ignores_unattributed = true;
        self
    }

    /// Lets the test pass although a receiver has lost records, for example of a hostile guest.
    ///
    /// This calls [`SharedStorage::ignore_lost_records()`]; see there.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, TracingEventReceiver};
    /// use tracing::Level;
    ///
    /// let capture = Capture::builder().fail_on_events(Level::ERROR).ignore_lost_records().start();
    /// TracingEventReceiver::default().receive_encoded(b"no frame").unwrap_err();
    /// ```
    pub fn ignore_lost_records(self) -> Self {
        self.storage.ignore_lost_records();
        self
    }

    /// Adds a layer to the subscriber of the capture, beside the capture itself.
    ///
    /// Use it to test code that works with a layer, such as `tracing_error::SpanTrace` with its `ErrorLayer`,
    /// or the extensions of `tracing_opentelemetry`; or to print records as they come. Call it once for each
    /// layer, the innermost first. [`filter()`](Self::filter) applies to the capture alone, and a [per-layer
    /// filter](Layer::with_filter) to its layer alone. A layer that filters for the whole subscriber, such as an
    /// `EnvFilter`, also hides records from the capture: negatives about levels that it has hidden then refuse to pass.
    ///
    /// Handles and carried closures and futures carry the layers along. Process-wide captures have no subscriber of
    /// their own: add [`ProcessWideLayer`](crate::capture::ProcessWideLayer) to yours.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use tracing_subscriber::{Layer, filter::LevelFilter, fmt};
    ///
    /// let printed = fmt::layer().with_test_writer().with_filter(LevelFilter::INFO);
    /// let capture = Capture::builder().with_layer(printed).start();
    /// tracing::info!("printed and captured");
    /// tracing::debug!("captured");
    /// assert_eq!(capture.trace().all_events().len(), 2);
    /// ```
    pub fn with_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Registry> + Send + Sync + 'static,
    {
        self.layers.push(Box::new(layer));
        self
    }

    /// Limits the number of spans and events; see [`SharedStorage::set_max_nodes()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, Keep};
    ///
    /// let capture = Capture::builder().max_nodes(10, Keep::Newest).start();
    /// (0..1_000).for_each(|number| tracing::info!(number));
    /// assert_eq!(capture.trace().left_out(), 990);
    /// ```
    pub fn max_nodes(self, max_nodes: usize, keep: Keep) -> Self {
        self.storage.set_max_nodes(max_nodes, keep);
        self
    }

    /// Limits the memory of the capture, in bytes; see [`SharedStorage::set_max_bytes()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, Keep};
    ///
    /// let capture = Capture::builder().max_bytes(1_000_000, Keep::Newest).start();
    /// (0..100).for_each(|_| tracing::info!("{}", "very long ".repeat(10_000)));
    /// assert!(capture.trace().left_out() > 80);
    /// ```
    pub fn max_bytes(self, max_bytes: usize, keep: Keep) -> Self {
        self.storage.set_max_bytes(max_bytes, keep);
        self
    }

    /// Keeps the times of everything that happens; see [`SharedStorage::keep_times()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::builder().keep_times().start();
    /// tracing::info_span!("work").in_scope(|| tracing::info!("working"));
    /// let trace = capture.trace();
    /// let span = trace.all_spans().next().unwrap();
    /// assert!(span.busy().is_some());
    /// assert!(trace.time_of(span.moment()) <= trace.time_of(span.closed().unwrap()));
    /// ```
    pub fn keep_times(self) -> Self {
        self.storage.keep_times();
        self
    }
}

/// Printing.
impl CaptureBuilder {
    /// Sets when the trace is printed. By default, it is printed if the test panics.
    ///
    /// The environment variable `SPANSHOT_PRINT` overrides it.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, Print};
    ///
    /// // For a test that is meant to panic:
    /// let capture = Capture::builder().print(Print::Never).start();
    /// # drop(capture);
    /// ```
    pub fn print(mut self, when: Print) -> Self {
        self.printing.when = when;
        self
    }

    /// Prints the trace of a test that is still running after this time, and lets it go on.
    ///
    /// A test that hangs is killed in the end, by its runner or by you, and shows nothing then. This output goes to the
    /// error stream of the process, past the test runner. The innermost open spans are marked: your tasks and threads
    /// wait there.
    ///
    /// The environment variable `SPANSHOT_PRINT_AFTER` overrides it.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use std::time::Duration;
    ///
    /// let capture = Capture::builder().print_after(Duration::from_secs(20)).start();
    /// ```
    pub fn print_after(mut self, time: Duration) -> Self {
        self.printing.after = Some(time);
        self
    }

    /// Prints only a part of the trace.
    ///
    /// The filter does not change which records are captured. It is a list of levels for targets, as
    /// `tracing_subscriber::filter::Targets` parses it: `info` is everything at that level or more severe,
    /// `warn,my_crate=debug` makes an exception for targets that begin with `my_crate`, and `my_crate=debug` alone
    /// hides all others. If a span is hidden, its visible children take its place. The last line says how much is
    /// hidden.
    ///
    /// It also applies to the trace that a capture shows when it [fails its test](#watching-over-a-test),
    /// but not to the messages of [scanners](crate::predicates::Scanner). The environment variable
    /// `SPANSHOT_PRINT_FILTER` overrides it.
    ///
    /// # Panics
    ///
    /// Panics if the filter is not a valid list.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::builder().print_filter("warn,my_crate=debug").start();
    /// tracing::trace!("captured, but not printed");
    /// assert_eq!(capture.trace().all_events().len(), 1);
    /// ```
    #[track_caller]
    pub fn print_filter(mut self, filter: &str) -> Self {
        match parse_filter(filter) {
            Ok(filter) => self.printing.filter = Some(filter),
            Err(error) => panic!("{error}"),
        }
        self
    }
}

/// Watching over a test.
impl CaptureBuilder {
    /// Fails the test on events at this level or a more severe one, unless they are
    /// [allowed](Self::allow_events).
    ///
    /// Pass a `Level` or a `LevelFilter`. If you call this again, the last call counts.
    ///
    /// # Example
    ///
    /// ```should_panic
    /// use spanshot::Capture;
    /// use tracing::Level;
    ///
    /// let capture = Capture::builder().fail_on_events(Level::WARN).start();
    /// tracing::info!("no harm");
    /// tracing::error!("out of memory");
    /// drop(capture); // panics
    /// ```
    pub fn fail_on_events(mut self, level: impl Into<LevelFilter>) -> Self {
        self.watch.events = level.into();
        self
    }

    /// Allows events that the test would [fail on](Self::fail_on_events) otherwise.
    ///
    /// If you call this again, either call can allow an event. With the feature `predicates`, `allow_events_matching()`
    /// does the same by a predicate.
    ///
    /// The function is called when an event that would fail the test is emitted, on the thread that emits it. It sees
    /// the event and the spans around it in their state at that moment. If it panics, the code under test goes on, and
    /// the test fails when the capture ends.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use tracing::Level;
    ///
    /// let capture = Capture::builder()
    ///     .fail_on_events(Level::WARN)
    ///     .allow_events(|event| event.message() == Some("slow"))
    ///     .start();
    /// tracing::warn!(millis = 850, "slow");
    /// ```
    pub fn allow_events(
        mut self,
        is_allowed: impl Fn(&CapturedEvent<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.watch.allowed.push(Box::new(is_allowed));
        self
    }

    /// Fails the test if a span is not closed when the capture ends.
    ///
    /// A span is closed when its last handle is dropped, and the spans in it are closed. If a variable of your test
    /// holds a handle, drop it before you [finish](Capture::finish) the capture. A task that goes on after the test may
    /// hold one, too.
    ///
    /// # Example
    ///
    /// ```should_panic
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::builder().fail_on_open_spans().start();
    /// std::mem::forget(tracing::info_span!("connect"));
    /// drop(capture); // panics
    /// ```
    pub fn fail_on_open_spans(mut self) -> Self {
        self.watch.open_spans = true;
        self
    }

    /// Fails the test if a span was not exited as often as it was entered when the capture ends.
    ///
    /// This finds guards that are forgotten or live on, custom subscribers that forward only enters or only exits, and
    /// guests that trap in a span. Enters and exits of a closed span do not count.
    ///
    /// # Example
    ///
    /// ```should_panic
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::builder().fail_on_unbalanced_enters().start();
    /// std::mem::forget(tracing::info_span!("connect").entered());
    /// drop(capture); // panics
    /// ```
    pub fn fail_on_unbalanced_enters(mut self) -> Self {
        self.watch.unbalanced_enters = true;
        self
    }
}
