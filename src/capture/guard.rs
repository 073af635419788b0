use alloc::{
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::{cell::RefCell, fmt, marker::PhantomData, time::Duration};

use tracing_core::{
    Dispatch,
    dispatcher::{self, DefaultGuard},
};
use tracing_subscriber::filter::Targets;

use super::{
    CaptureBuilder, CaptureHandle, Carried, SharedStorage, Storage, Trace,
    ending::Ending,
    process_wide,
    subscriber::CaptureSubscriber,
    test_span::{Test, TestSpan},
};

/// Captures what the current thread traces, until it is dropped.
///
/// A test starts one at its beginning. It captures all levels and targets, of code that the thread
/// itself runs and of guests whose receiver relays on it. While it lives, the thread's subscriber is
/// the capture's own; the one before it comes back when the capture is dropped. Captures of other
/// threads, in other tests, go on at the same time.
///
/// Of several captures of a thread, the one that was started last captures. They may be dropped in
/// any order.
///
/// A [`TracingEventReceiver`](crate::TracingEventReceiver) stays with the subscriber that it
/// started with. One that is to relay into the capture is created after it.
///
/// If the test panics while a capture lives, its trace is printed to the output of the test; when it
/// is to be printed otherwise, and what makes a capture fail its test, is told to its
/// [`builder()`](Self::builder).
///
/// # Other threads
///
/// What another thread traces is not captured, unless the capture is carried there: by what the
/// thread [runs](Self::carry), by a [future](Self::carry_future), by a [handle](Self::handle) in the
/// threads of a pool. Code that starts threads or tasks by itself may leave no place to do so: for that,
/// there is the [process-wide mode](Self::start_process_wide).
///
/// # Records of the `log` crate
///
/// With the crate feature `log`, they are captured as events, under the target, file and line that they
/// name themselves. For that, the first capture of a process installs `tracing_log::LogTracer` as its
/// logger. If there is one already, the capture looks whether that passes records on to `tracing`, be it
/// a `LogTracer`, too: by a record, of target `spanshot`, which it may write somewhere. Without the
/// feature, records are captured if the test installs a `LogTracer` itself.
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
    handle: CaptureHandle,
    /// There while a process-wide capture is under way.
    test: Option<Arc<Test>>,
    /// What is to be done when it ends, until it has.
    ending: Option<Ending>,
    /// It is that of a thread.
    not_send: PhantomData<*const ()>,
}

impl fmt::Debug for Capture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Capture").field("storage", &self.storage).finish_non_exhaustive()
    }
}

impl Capture {
    /// Begins to capture.
    ///
    /// # Panics
    ///
    /// With the crate feature `log`, panics if there is a logger that does not pass [records](
    /// Self#records-of-the-log-crate) on to `tracing`; without it, never.
    #[track_caller]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Begins to say what a capture is to be like.
    pub fn builder() -> CaptureBuilder {
        CaptureBuilder::default()
    }

    /// Begins to capture what the test traces, on whichever threads.
    ///
    /// This is for code that starts threads or tasks by itself, so that a capture cannot be carried
    /// [there](Self#other-threads). It works through a subscriber that is installed globally when the
    /// first such capture is started, and stays. The capture gets
    ///
    /// - what is traced on the current thread, explicit roots included;
    /// - what is traced elsewhere in a span of the capture, be it in one that was entered there
    ///   (`span.in_scope(…)`, `future.instrument(Span::current())`, `future.in_current_span()`) or in an
    ///   explicit parent. There is one around the test, which is in no trace: `Span::current()` always
    ///   is a span of the capture.
    ///
    /// Other threads trace in no span at all, or in one that is no test's. Of that, nobody knows which
    /// test it belongs to, so that no capture gets it; it is [kept](Self::unattributed), and printed if
    /// the test fails. But where a process runs one test, as under [nextest], there is no doubt: the
    /// capture that was started last gets it.
    ///
    /// What a task goes on to trace after its capture has ended belongs to no test, either.
    ///
    /// The captures of [`Self::start()`] have subscribers of their own. Both kinds may be used in one
    /// binary, also in one another.
    ///
    /// [nextest]: https://nexte.st
    ///
    /// # Panics
    ///
    /// Panics if there is a global subscriber that is not made for it. To have one of your own, add
    /// [`ProcessWideLayer`](super::ProcessWideLayer) to it. With the crate feature `log`, panics for the
    /// reason that [`Self::start()`] does.
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
    pub(super) fn start_with(options: CaptureBuilder) -> Self {
        let ending = Ending::new(options.printing, options.watch);
        note_filter(&options.storage, options.filter.as_ref());
        let dispatch = Dispatch::new(CaptureSubscriber::new(&options.storage, options.filter));
        Self::begin(options.storage, dispatch, None, ending)
    }

    #[track_caller]
    pub(super) fn start_process_wide_with(options: CaptureBuilder) -> Self {
        let ending = Ending::new(options.printing, options.watch).of_process_wide();
        let dispatch = process_wide::dispatch().unwrap_or_else(|error| panic!("{error}"));
        note_filter(&options.storage, options.filter.as_ref());
        let test = Test::new(&options.storage, options.filter);
        process_wide::started(&test);
        Self::begin(options.storage, dispatch, Some(test), ending)
    }

    #[track_caller]
    fn begin(
        storage: SharedStorage,
        dispatch: Dispatch,
        test: Option<Arc<Test>>,
        ending: Ending,
    ) -> Self {
        #[cfg(feature = "log")]
        super::logger::install().unwrap_or_else(|error| panic!("{error}"));

        let default = dispatcher::set_default(&dispatch);
        let span = test.as_ref().map(|test| TestSpan::enter(&dispatch, &Arc::downgrade(test)));
        started(Started {
            storage: storage.clone(),
            _span: span,
            _default: default,
            is_over: false,
        });
        let handle = CaptureHandle::new(dispatch, test.as_ref().map(Arc::downgrade));
        Self { storage, handle, test, ending: Some(ending), not_send: PhantomData }
    }

    /// Returns what was captured so far. The capture goes on meanwhile.
    pub fn trace(&self) -> Trace {
        self.storage.lock()
    }

    /// Returns what was captured since this was last called, and goes on; see
    /// [`SharedStorage::take()`].
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

    /// Waits until the condition holds for what was captured, and returns that.
    ///
    /// The condition is asked now, and again after changes. It may be the
    /// [function](crate::predicates::into_fn) of a predicate, applied to some spans or events.
    ///
    /// # Panics
    ///
    /// Panics if the condition did not hold before the timeout had passed, with a message that shows
    /// the trace. [`SharedStorage::wait_until()`] returns an error instead.
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
                error.trace().seen().set(&error.trace().to_string());
                panic!("{error}")
            }
        }
    }

    /// Returns the storage that is filled, which other threads can read, too.
    pub fn storage(&self) -> &SharedStorage {
        &self.storage
    }

    /// Returns what the process traced that no [process-wide](Self::start_process_wide) capture got,
    /// since it belongs to no test: at most the latest 10,000 spans and events, and 16 MiB.
    ///
    /// There is nothing before the first such capture, and what subscribers of other threads got is not
    /// in it.
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
        process_wide::unattributed()
    }

    /// Returns what carries the capture to other threads and tasks.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::start();
    /// let handle = capture.handle();
    /// std::thread::spawn(move || handle.in_scope(|| tracing::info!("on another thread")))
    ///     .join()
    ///     .unwrap();
    /// assert_eq!(capture.trace().to_string(), "INFO on another thread");
    /// ```
    pub fn handle(&self) -> CaptureHandle {
        self.handle.clone()
    }

    /// Has a closure carry the capture along, to wherever it is called; see
    /// [`CaptureHandle::carry()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use std::thread;
    ///
    /// let capture = Capture::start();
    /// thread::scope(|scope| {
    ///     scope.spawn(capture.carry(|| tracing::info!("on another thread")));
    /// });
    /// assert_eq!(capture.trace().to_string(), "INFO on another thread");
    /// ```
    pub fn carry<T, F: FnOnce() -> T>(&self, f: F) -> impl FnOnce() -> T + use<T, F> {
        self.handle.carry(f)
    }

    /// Has a future carry the capture along, to whichever threads poll it; see
    /// [`CaptureHandle::carry_future()`].
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// # let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    /// # runtime.block_on(async {
    /// // In a `#[tokio::test]`:
    /// let capture = Capture::start();
    /// tokio::spawn(capture.carry_future(async { tracing::info!("in a task") })).await.unwrap();
    /// assert_eq!(capture.trace().to_string(), "INFO in a task");
    /// # });
    /// ```
    pub fn carry_future<F: Future>(&self, future: F) -> Carried<F> {
        self.handle.carry_future(future)
    }

    /// Returns the capture's subscriber, for whatever takes one.
    ///
    /// All [process-wide](Self::start_process_wide) captures have the same one, so that it does not
    /// carry a capture along.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use tracing::dispatcher;
    ///
    /// let capture = Capture::start();
    /// let dispatch = capture.dispatch().clone();
    /// std::thread::spawn(move || {
    ///     dispatcher::with_default(&dispatch, || tracing::info!("on another thread"));
    /// })
    /// .join()
    /// .unwrap();
    /// assert_eq!(capture.trace().to_string(), "INFO on another thread");
    /// ```
    pub fn dispatch(&self) -> &Dispatch {
        self.handle.dispatch()
    }

    /// Ends the capture, and returns what it captured.
    ///
    /// This is what happens when a capture is dropped, but where it [fails its
    /// test](CaptureBuilder#watching-over-a-test), the failure points at this line of the test. The
    /// trace can be asserted on afterwards.
    ///
    /// # Panics
    ///
    /// Panics if there is something that the capture was to fail on, unless a panic is under way.
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
        match self.end() {
            Ok(trace) => trace,
            Err(message) => panic!("{message}"),
        }
    }

    /// Ends the capture, unless it has ended. Returns what the test is to fail with.
    fn end(&mut self) -> Result<Trace, String> {
        let ending = self.ending.take();
        self.test = None;
        ended(&self.storage);
        let trace = self.storage.lock();
        match ending {
            Some(ending) => ending.end(&trace).map(|()| trace),
            None => Ok(trace),
        }
    }
}

/// Lets the trace know what it does not get to see.
fn note_filter(storage: &SharedStorage, filter: Option<&Targets>) {
    if let Some(filter) = filter {
        storage.set_filter(filter.clone());
    }
}

impl Drop for Capture {
    /// Prints the trace if the test fails, and fails the test if the capture is to do so.
    fn drop(&mut self) {
        if let Err(message) = self.end() {
            panic!("{message}");
        }
    }
}

/// A capture of this thread that is under way, or over while a later one is not.
struct Started {
    storage: SharedStorage,
    /// Exited before its subscriber goes.
    _span: Option<TestSpan>,
    _default: DefaultGuard,
    is_over: bool,
}

std::thread_local! {
    /// Captures of this thread in the order in which they were started. A guard brings back what
    /// was there when it was made, so that they have to be dropped in the opposite order.
    static STARTED: RefCell<Vec<Started>> = const { RefCell::new(Vec::new()) };
}

fn started(capture: Started) {
    // There is no list any more while the thread ends, and then the capture is over at once.
    let _ = STARTED.try_with(|started| started.borrow_mut().push(capture));
}

fn ended(storage: &SharedStorage) {
    let _ = STARTED.try_with(|started| {
        for capture in started.borrow_mut().iter_mut() {
            capture.is_over |= capture.storage.is_same(storage);
        }
        // A subscriber that is dropped may run code of its own: not under the borrow.
        loop {
            let mut captures = started.borrow_mut();
            if !captures.last().is_some_and(|last| last.is_over) {
                return;
            }
            let last = captures.pop();
            drop(captures);
            drop(last);
        }
    });
}
