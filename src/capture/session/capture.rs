use alloc::{rc::Rc, string::String, sync::Arc};
use core::{
    cell::RefCell,
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    time::Duration,
};

use tracing_core::Dispatch;

use crate::capture::{
    CaptureBuilder, CaptureHandle, SharedStorage, Shown, Storage, TestResult, Trace,
    session::ending::{Ending, Way},
    session::entered::note_bypass_here,
    session::excerpt::push_trace,
    session::started,
    subscriber::layered::LayeredSubscriber,
    subscriber::own::CaptureSubscriber,
    subscriber::test_span::Test,
};
use crate::receiver::note_ended_subscriber;

/// Captures the spans and events of the current thread, until it is dropped.
///
/// Start one at the beginning of your test. It captures all levels and targets, from code that the thread itself runs
/// and from guests whose receiver relays on the thread. While it lives, it replaces the thread's subscriber; the
/// previous one comes back when the capture is dropped. Captures of other threads, in other tests, go on at the same
/// time.
///
/// If a thread has several captures, the one that was started last captures. The others do not get its records, and do
/// not mention them. You may drop them in any order.
///
/// A [`TracingEventReceiver`](crate::TracingEventReceiver) stays with the subscriber that it
/// started with. Start the capture before you create the receiver. If you keep the instance of a guest in a pool, call
/// [`GuestTrace::relay_here()`](crate::transport::wasm_host::GuestTrace::relay_here) in each test. Otherwise the
/// guest's records go to an earlier test's capture, which has ended, and are lost. The capture that is under way notices
/// that: its assertions that something is missing [fail](crate::predicates::Scanner#negatives), as do its snapshots and
/// its checks at the [end of the test](CaptureBuilder#watching-over-a-test). They also fail if such a guest has run by
/// the filter of an earlier capture: [tell it](crate::transport::wasm_host::GuestTrace::tell_filter) before you call it.
/// If the receiver relays to another live subscriber, verdicts stand, and a failure mentions that subscriber.
///
/// If the test panics while a capture lives, its trace is printed to the output of the test. The
/// [`builder()`](Self::builder) has options for printing at other times, and for events and spans that fail the test.
///
/// # Other threads
///
/// Records of other threads are not captured, unless you carry the capture there: with the [closure](Self::carry) that
/// the thread runs, with a [future](Self::carry_future), or with a [handle](Self::handle) in the threads of a pool.
/// Code that starts threads or tasks by itself may leave you no place to do so: for such code, there is the
/// [process-wide mode](Self::start_process_wide).
///
/// # Testing a server
///
/// A server starts tasks by itself: one for each connection and request, and more in its handlers. Build its
/// runtime in the test, and attach the capture to each thread of it. Worker threads and threads for blocking
/// code are then captured, however many tasks run on them:
///
/// ```
/// use spanshot::{Capture, predicates::*};
/// use std::{io::Read, net::TcpStream};
/// use tokio::{io::AsyncWriteExt, net::TcpListener, runtime::Builder};
///
/// let capture = Capture::start();
/// let handle = capture.handle();
/// let runtime = Builder::new_multi_thread()
///     .worker_threads(2)
///     .enable_all()
///     .on_thread_start(move || handle.attach_thread())
///     .build()?;
///
/// // The server under test, with axum or whatever it uses:
/// let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
/// let address = listener.local_addr()?;
/// runtime.spawn(async move {
///     while let Ok((mut connection, _)) = listener.accept().await {
///         tokio::spawn(async move {
///             tracing::info!("connected");
///             connection.write_all(b"hello").await
///         });
///     }
/// });
///
/// let mut answer = String::new();
/// TcpStream::connect(address)?.read_to_string(&mut answer)?;
/// assert_eq!(answer, "hello");
///
/// drop(runtime); // nothing is traced after this
/// capture.finish().scan_events().single(&message(eq("connected")));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Give each test a runtime of its own: then tests that run at once do not mix. If several tests share a runtime, run
/// each test's code in a span of the test: see the [process-wide mode](Self::start_process_wide). To wait for records
/// of the server, [await them](Self::until), or [wait](Self::wait_until) on the test's own thread.
///
/// # Fixtures and timeouts
///
/// A `Capture` belongs to the thread that started it, and is not [`Send`]. Some test frameworks build a fixture on
/// one thread and run the test on another, as `rstest` does for a test with `#[timeout]`. Start the capture at the
/// beginning of the test's body, which runs on the right thread. If the fixture itself traces, let it start a capture
/// of its own, and return something that is [`Send`]: the [`Trace`] that [`finish()`](Self::finish) returns, the
/// [`SharedStorage`] to read from, or a [handle](Self::handle) to trace into. Keep a capture on its own thread for as
/// long as it should capture:
///
/// ```
/// use spanshot::{Capture, Trace};
/// use std::thread;
///
/// /// A fixture.
/// fn migrated() -> Trace {
///     let capture = Capture::start();
///     tracing::info!("migrated");
///     capture.finish()
/// }
///
/// let trace = migrated();
/// // The body of the test, on another thread:
/// let test = thread::spawn(move || {
///     let capture = Capture::start();
///     tracing::info!("tested");
///     assert_eq!(trace.to_string(), "INFO migrated");
///     assert_eq!(capture.finish().to_string(), "INFO tested");
/// });
/// test.join().unwrap();
/// ```
///
/// Captures, handles, storages and traces are [`UnwindSafe`]: use them in and after
/// [`catch_unwind()`](std::panic::catch_unwind).
///
/// # Records of the `log` crate
///
/// With the crate feature `log`, records of the `log` crate are captured as events, under the target, file and line
/// that they name themselves. For this, the first capture of a process installs `tracing_log::LogTracer` as the logger.
/// If there is a logger already, the capture checks whether that passes records on to `tracing`, as another `LogTracer`
/// does: it sends the logger a record of target `spanshot`, which the logger may write somewhere. Without the feature,
/// records are captured if your test installs a `LogTracer` itself.
///
/// The maximal level of the `log` crate is left as the logger has set it: `tracing_subscriber::fmt().init()` sets the level
/// of its filter, which is `INFO` by default. If something lowers it while a capture lives, by `log::set_max_level()`,
/// [negatives](crate::predicates::Scanner#negatives) that more verbose records would break fail.
///
/// If the code under test installs a logger itself, it fails where a capture was started before: so does
/// `tracing_subscriber::fmt().init()`, with `SetLoggerError`. Call it before the first capture of the process starts,
/// use [`set_global_default()`](https://docs.rs/tracing/latest/tracing/subscriber/fn.set_global_default.html),
/// which installs no logger, or leave out the feature. A test that fails for this reason prints a note about it.
///
/// With the feature `log-always` of `tracing`, its macros log each event as well. These records are dropped, except for
/// records of events with an explicit parent, which are logged before there is an event.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// # fn charge(_: u32) { tracing::info!(cents = 250, "charged") }
/// let capture = Capture::start();
/// charge(250);
/// let trace = capture.trace();
/// trace.scan_events().single(&(message(eq("charged")) & field("cents", 250)));
/// ```
#[must_use = "nothing is captured once it is dropped"]
pub struct Capture {
    storage: SharedStorage,
    pub(crate) handle: CaptureHandle,
    /// `Rc`, since a capture belongs to its thread and must not be sent.
    session: Rc<Session>,
    /// Set if other code ends the session: code that will know the result of the test.
    lent: Option<Lent>,
}

/// A capture that the test has borrowed, and other code ends.
struct Lent {
    /// Whether the test would pass if the capture panicked.
    should_panic: bool,
}

/// The state that ends once, however many `Capture`s share it.
struct Session {
    /// Set while a process-wide capture is under way.
    test: RefCell<Option<Arc<Test>>>,
    /// The work to do at the end; `None` once that is done.
    ending: RefCell<Option<Ending>>,
}

impl fmt::Debug for Capture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Capture").field("storage", &self.storage).finish_non_exhaustive()
    }
}

// A panic in a test, or in the code under test, interrupts no change of a capture: their code runs before the storage
// is locked, or after.
impl UnwindSafe for Capture {}
impl RefUnwindSafe for Capture {}

impl Capture {
    /// Starts a capture on the current thread.
    ///
    /// # Panics
    ///
    /// With the crate feature `log`, panics if there is a logger that does not pass [records](
    /// Self#records-of-the-log-crate) on to `tracing`; without it, never.
    #[track_caller]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Runs a test in a capture, and ends the capture with the result of the test.
    ///
    /// Use this for the whole body of a test that returns a [`Result`]. A `Capture` in a variable does not know that
    /// the test returned an error: it prints nothing, and if it [fails the test](CaptureBuilder#watching-over-a-test)
    /// when it is dropped, the error is lost. `run()` prints and records the trace as for a test that panics, and shows
    /// both failures. To set options of the capture, use [`CaptureBuilder::run()`].
    ///
    /// # Panics
    ///
    /// Panics for the same reasons as [`Self::start()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    /// use std::num::ParseIntError;
    ///
    /// # fn listen(port: &str) -> Result<u16, ParseIntError> {
    /// #     let port = port.parse()?;
    /// #     tracing::info!(port, "listening");
    /// #     Ok(port)
    /// # }
    /// // In a `#[test]` that returns this:
    /// # let _: Result<(), ParseIntError> =
    /// Capture::run(|capture| {
    ///     listen("8080")?; // an error fails the test, and shows the trace
    ///     capture.trace().scan_events().single(&field("port", 8_080));
    ///     Ok::<_, ParseIntError>(())
    /// })
    /// # ;
    /// ```
    #[track_caller]
    pub fn run<R: TestResult>(test: impl FnOnce(&Self) -> R) -> R {
        Self::builder().run(test)
    }

    /// Returns a builder for a capture with other options.
    pub fn builder() -> CaptureBuilder {
        CaptureBuilder::default()
    }

    #[track_caller]
    pub(crate) fn start_with(options: CaptureBuilder) -> Self {
        let storage = options.storage;
        let watch = storage.watch_over(options.watch);
        let printing = options.printing.in_environment();
        storage.print_live(printing.live());
        let ending = Ending::new(printing, options.recording, watch, &storage, options.function);
        storage.set_sight(|sight| {
            (sight.is_native, sight.is_of_thread) = (true, true);
            sight.filters = options.filter.iter().cloned().map(Arc::new).collect();
        });
        let dispatch = if options.layers.is_empty() {
            Dispatch::new(CaptureSubscriber::new(&storage, options.filter))
        } else {
            Dispatch::new(LayeredSubscriber::new(&storage, options.filter, options.layers))
        };
        Self::begin(storage, dispatch, None, ending)
    }

    /// Begins to capture through a subscriber, which other captures may share.
    #[track_caller]
    pub(crate) fn begin(
        storage: SharedStorage,
        dispatch: Dispatch,
        test: Option<Arc<Test>>,
        ending: Ending,
    ) -> Self {
        #[cfg(feature = "log")]
        if let Err(error) = crate::capture::session::logger::install() {
            panic!("{error}"); // not in a closure, which would not point at the line of the test
        }

        let handle = CaptureHandle::new(dispatch, test.as_ref().map(Arc::downgrade));
        started::begin(&storage, &handle, test.as_ref());
        let session = Session { test: RefCell::new(test), ending: RefCell::new(Some(ending)) };
        Self { storage, handle, session: Rc::new(session), lent: None }
    }

    /// Returns the same capture for a test that may drop it before the test itself ends.
    pub(crate) fn lend(&self, should_panic: bool) -> Self {
        Self {
            storage: self.storage.clone(),
            handle: self.handle.clone(),
            session: Rc::clone(&self.session),
            lent: Some(Lent { should_panic }),
        }
    }

    /// Returns the trace so far. The capture goes on meanwhile.
    pub fn trace(&self) -> Trace {
        self.storage.lock()
    }

    /// Takes the trace since the last call, and goes on capturing; see [`SharedStorage::take()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::start();
    /// tracing::info!("request 1");
    /// assert_eq!(capture.take().to_string(), "INFO request 1");
    /// tracing::info!("request 2");
    /// assert_eq!(capture.take().to_string(), "INFO request 2");
    /// ```
    pub fn take(&self) -> Trace {
        self.storage.take()
    }

    /// Waits until the condition holds for the trace, and returns the trace.
    ///
    /// The condition is checked now, and again after changes. You can use the [function](crate::predicates::into_fn) of
    /// a predicate, applied to some spans or events.
    ///
    /// # Panics
    ///
    /// Panics if the condition did not hold before the timeout had passed, with a message that shows
    /// the trace. [`SharedStorage::wait_until()`] returns an error instead.
    ///
    /// This method blocks the current thread. In an async test whose tasks run on this thread, as they do in
    /// `#[tokio::test]`, it always times out: await [`until()`](Self::until) there.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use std::{thread, time::Duration};
    ///
    /// let capture = Capture::start();
    /// thread::spawn(capture.carry(|| tracing::info!("ready")));
    /// capture.wait_until(Duration::from_secs(10), |trace| {
    ///     trace.all_events().any(|event| event.message() == Some("ready"))
    /// });
    /// ```
    #[track_caller]
    pub fn wait_until(&self, timeout: Duration, condition: impl FnMut(&Storage) -> bool) -> Trace {
        match self.storage.wait_until(timeout, condition) {
            Ok(trace) => trace,
            Err(error) => {
                let trace = error.trace();
                push_trace(&mut String::new(), Shown { is_redacted: true, ..Shown::plain(trace) });
                panic!("{error}")
            }
        }
    }

    /// Returns a future that waits until the condition holds for the trace, and yields the trace.
    ///
    /// Await this in an async test: [`wait_until()`](Self::wait_until) blocks its thread, and a single-threaded
    /// runtime, such as the default one of `#[tokio::test]`, does not run any task meanwhile. The future has no timeout
    /// of its own: use the runtime's. See [`SharedStorage::until()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use std::time::Duration;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// # runtime.block_on(async {
    /// // In a `#[tokio::test]`:
    /// let capture = Capture::start();
    /// tokio::spawn(capture.carry_future(async { tracing::info!("ready") }));
    /// let is_ready = capture.until(|trace| trace.all_events().len() > 0);
    /// let trace = tokio::time::timeout(Duration::from_secs(10), is_ready).await.unwrap();
    /// assert_eq!(trace.to_string(), "INFO ready");
    /// # });
    /// ```
    pub fn until<C>(&self, condition: C) -> impl Future<Output = Trace> + use<C>
    where
        C: FnMut(&Storage) -> bool,
    {
        self.storage.until(condition)
    }

    /// Returns the storage that the capture fills, which other threads can read, too.
    pub fn storage(&self) -> &SharedStorage {
        &self.storage
    }

    /// Ends the capture, and returns its trace.
    ///
    /// Dropping a capture ends it, too. If you finish it instead, a [failure of the
    /// test](CaptureBuilder#watching-over-a-test) points at this line, and you can assert on the trace afterwards.
    ///
    /// # Panics
    ///
    /// Panics if the capture found something that it has to fail on, unless a panic is under way.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    /// use tracing::Level;
    ///
    /// let capture = Capture::builder().fail_on_events(Level::WARN).fail_on_open_spans().start();
    /// tracing::info_span!("connect").in_scope(|| tracing::info!("connected"));
    /// let trace = capture.finish();
    /// trace.scan_events().single(&message(eq("connected")));
    /// ```
    #[track_caller]
    pub fn finish(mut self) -> Trace {
        let finished = match &self.lent {
            Some(_) => self.check(),
            None => self.end(&Way::Finished),
        };
        match finished {
            Err(message) if self.lent.as_ref().is_some_and(|lent| lent.should_panic) => {
                std::eprintln!("{message}");
                self.storage.lock()
            }
            Ok(trace) => trace,
            Err(message) => panic!("{message}"),
        }
    }

    /// Stops capturing, and returns the trace.
    fn stop(&self) -> Trace {
        if !self.storage.has_ended() {
            note_bypass_here(&self.storage);
            drop(self.session.test.take());
            started::end(&self.storage);
            self.storage.set_ended();
            note_ended_subscriber();
        }
        self.storage.lock()
    }

    /// Stops capturing and checks the rules of the watch, for a test that goes on.
    fn check(&self) -> Result<Trace, String> {
        let trace = self.stop();
        let unattributed = self.storage.unattributed_since_start();
        let ending = self.session.ending.borrow();
        let check = |ending: &Ending| ending.check(&trace, unattributed.as_ref());
        ending.as_ref().map_or(Ok(()), check).map(|()| trace)
    }

    /// Ends the capture, unless that is done. Returns an error with the message that the test should fail with.
    #[track_caller]
    pub(crate) fn end(&mut self, way: &Way) -> Result<Trace, String> {
        let trace = self.stop();
        match self.session.ending.take() {
            Some(ending) => {
                let unattributed = self.storage.unattributed_since_start();
                let checked = ending.end(&trace, unattributed.as_ref(), way);
                checked.map(|()| trace)
            }
            None => Ok(trace),
        }
    }
}

impl Drop for Capture {
    /// Prints the trace if the test fails, and fails the test if the capture has found something to fail on.
    fn drop(&mut self) {
        if self.lent.is_some() {
            return;
        }
        if let Err(message) = self.end(&Way::Dropped) {
            panic!("{message}");
        }
    }
}
