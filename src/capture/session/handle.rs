use alloc::sync::{Arc, Weak};
use core::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
};

use tracing_core::Dispatch;

use crate::capture::{
    Capture, SharedStorage,
    session::attached,
    session::carried::{Carried, Kept},
    session::entered::Entered,
    storage::sight::RelayedElsewhere,
    subscriber::test_span::{self, Test, TestSpan},
    subscriber::{are_same, has_ended, in_effect, storage_of, thread_spans},
};
use crate::not_a_future::NotAFuture;
use crate::receiver::{RelayObserver, RelayObserverGuard, observe_relays};

/// Carries a [`Capture`](crate::Capture) to other threads and tasks.
///
/// A handle is cheap to clone, and you can send it to any thread. Code that runs in its scope is captured as if it ran
/// on the capture's own thread. The *spans* of that thread do not come along; without a capture, they would not either.
/// If records on the other thread belong in the current span, pass on
/// [`Span::current()`](https://docs.rs/tracing/latest/tracing/struct.Span.html).
///
/// Records traced in the scope of a capture that has ended are discarded. If there are [process-wide
/// captures](crate::Capture::start_process_wide), they are records of a thread that belongs to no test instead.
///
/// # Testing a server
///
/// A server spawns tasks on the threads of its runtime, and leaves no place to carry a capture to each.
/// [Attach](Self::attach_thread) the capture to all of these threads instead, as
/// [`Capture`](crate::Capture#testing-a-server) shows.
///
/// # Thread pools
///
/// Each thread of a pool runs a function. Run that in the scope of the handle. With rayon:
///
/// ```
/// use rayon::prelude::*;
/// use spanshot::Capture;
///
/// let capture = Capture::start();
/// let handle = capture.handle();
/// // Threads of the global pool, for a time:
/// (0..10).into_par_iter().for_each(|number| handle.in_scope(|| tracing::info!(number)));
///
/// // All threads of a pool, for good:
/// rayon::ThreadPoolBuilder::new().build_scoped(
///     |thread| handle.in_scope(|| thread.run()),
///     |pool| pool.install(|| (0..10).into_par_iter().for_each(|number| tracing::info!(number))),
/// )?;
/// assert_eq!(capture.trace().all_events().len(), 20);
/// # Ok::<_, rayon::ThreadPoolBuildError>(())
/// ```
///
/// # Example
///
/// ```
/// use spanshot::Capture;
/// use std::thread;
///
/// let capture = Capture::start();
/// let handle = capture.handle();
/// thread::scope(|scope| {
///     for number in 0..4 {
///         let handle = &handle;
///         scope.spawn(move || handle.in_scope(|| tracing::info!(number)));
///     }
/// });
/// assert_eq!(capture.trace().all_events().len(), 4);
/// ```
#[derive(Clone)]
pub struct CaptureHandle {
    target: Arc<Target>,
}

/// The parts of a capture that its handles share.
struct Target {
    dispatch: Dispatch,
    /// The test, if the capture is process-wide and shares its subscriber.
    test: Option<Weak<Test>>,
    /// Unique number of the capture.
    number: u64,
}

impl Target {
    /// Returns the storage of the capture, unless it is process-wide and has ended.
    fn storage(&self) -> Option<SharedStorage> {
        match &self.test {
            Some(test) => Some(test.upgrade()?.spans.storage.clone()),
            None => storage_of(&self.dispatch).cloned(),
        }
    }
}

impl RelayObserver for Target {
    /// Notes that records go to another subscriber, unless that captures into the same storage.
    fn relays_to(&self, subscriber: &Dispatch) {
        let Some(storage) = self.storage() else { return };
        let subscriber = in_effect(subscriber);
        let is_here = storage_of(subscriber).is_some_and(|other| other.is_same(&storage));
        if !is_here && !are_same(subscriber, &self.dispatch) {
            let ended = has_ended(subscriber);
            let elsewhere =
                if ended { RelayedElsewhere::ToEnded } else { RelayedElsewhere::ToOther };
            storage.set_sight(|sight| sight.note_relayed(elsewhere));
        }
    }
}

impl fmt::Debug for CaptureHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CaptureHandle").finish_non_exhaustive()
    }
}

// For the same reason as `Capture`.
impl UnwindSafe for CaptureHandle {}
impl RefUnwindSafe for CaptureHandle {}

impl CaptureHandle {
    pub(crate) fn new(dispatch: Dispatch, test: Option<Weak<Test>>) -> Self {
        let number = thread_spans::next_number();
        Self { target: Arc::new(Target { dispatch, test, number }) }
    }

    pub(crate) fn number(&self) -> u64 {
        self.target.number
    }

    /// Has the current thread trace for the capture, until the returned guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        Entered::new(self, |handle| {
            let Target { dispatch, test, .. } = &*handle.target;
            test.as_ref().and_then(|test| TestSpan::carry(dispatch, test))
        })
    }

    /// Returns the storage of the capture, unless it is process-wide and has ended.
    pub(crate) fn storage(&self) -> Option<SharedStorage> {
        self.target.storage()
    }

    /// Tells the capture where receivers on the current thread relay to, until the guard is dropped.
    pub(crate) fn observe(&self) -> RelayObserverGuard {
        observe_relays(Arc::<Target>::clone(&self.target))
    }

    /// Checks whether the current thread runs the test of the capture. Only the subscriber of process-wide captures
    /// needs this; for others it is true.
    pub(crate) fn is_running(&self) -> bool {
        self.target.test.as_ref().is_none_or(test_span::is_running)
    }

    /// Runs a function in the scope of the capture, on the current thread.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let (outer, inner) = (Capture::start(), Capture::start());
    /// outer.handle().in_scope(|| tracing::info!("for the outer one"));
    /// assert_eq!(outer.trace().to_string(), "INFO for the outer one");
    /// assert_eq!(inner.trace().all_events().len(), 0);
    /// ```
    ///
    /// A function that returns a future does not run the future: it would be polled outside of the scope. So this does
    /// not compile: the compiler asks for the type of the parameter `UseCarryFutureInstead`. Do what it says: pass the
    /// future itself to [`carry_future()`](Self::carry_future).
    ///
    /// ```compile_fail,E0282
    /// # let capture = spanshot::Capture::start();
    /// let future = capture.handle().in_scope(|| async { tracing::info!("lost") });
    /// ```
    pub fn in_scope<T: NotAFuture<UseCarryFutureInstead>, UseCarryFutureInstead>(
        &self,
        f: impl FnOnce() -> T,
    ) -> T {
        let _entered = self.enter();
        f()
    }

    /// Returns a closure that runs in the scope of the capture, on any thread.
    ///
    /// If the closure is dropped without being called, it is dropped in that scope, too.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::start();
    /// let thread = std::thread::spawn(capture.handle().carry(|| tracing::info!("captured")));
    /// thread.join().unwrap();
    /// assert_eq!(capture.trace().to_string(), "INFO captured");
    /// ```
    ///
    /// A closure that returns a future does not run the future: nothing would be captured. So this does not compile:
    /// the compiler asks for the type of the parameter `UseCarryFutureInstead`. Do what it says: pass the future itself to
    /// [`carry_future()`](Self::carry_future). The handle of a spawned task is a future as well: instead, carry the future
    /// that you spawn, as in `tokio::spawn(capture.carry_future(…))`.
    ///
    /// ```compile_fail,E0282
    /// # let capture = spanshot::Capture::start();
    /// let closure = capture.handle().carry(|| async { tracing::info!("lost") });
    /// ```
    pub fn carry<T, F, UseCarryFutureInstead>(
        &self,
        f: F,
    ) -> impl FnOnce() -> T + use<T, F, UseCarryFutureInstead>
    where
        T: NotAFuture<UseCarryFutureInstead>,
        F: FnOnce() -> T,
    {
        let kept = Kept::new(self.clone(), f);
        move || kept.into_result_of(|f| f())
    }

    /// Returns a future that is polled and dropped in the scope of the capture, on any thread.
    ///
    /// Tasks that the future spawns are not included; carry each of them.
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
    /// let task = tokio::spawn(capture.carry_future(async {
    ///     tracing::info!("before");
    ///     tokio::task::yield_now().await; // and go on wherever there is a thread
    ///     tracing::info!("after");
    /// }));
    /// task.await.unwrap();
    /// assert_eq!(capture.trace().to_string(), "INFO before\nINFO after");
    /// # });
    /// ```
    pub fn carry_future<F: Future>(&self, future: F) -> Carried<F> {
        Carried::new(self.clone(), future)
    }

    /// Keeps the capture on the current thread until the thread ends.
    ///
    /// Call this where a runtime or a pool starts its threads: the capture then gets everything that they trace,
    /// without a scope around their code. [*Testing a server*](Capture#testing-a-server) shows how. The call is
    /// idempotent. If another capture was attached to the thread before, this one replaces it.
    ///
    /// A scope that the thread enters later takes precedence with its subscriber, as long as the scope lasts. If you
    /// call this *in* such a scope, the capture stays only until the end of that scope.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    /// use tokio::runtime::Builder;
    ///
    /// let capture = Capture::start();
    /// let handle = capture.handle();
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .on_thread_start(move || handle.attach_thread())
    ///     .build()?;
    /// runtime.block_on(async {
    ///     // Code that you cannot change spawns tasks, and these spawn others.
    ///     let task = tokio::spawn(async {
    ///         tokio::task::spawn_blocking(|| tracing::info!("blocking")).await
    ///     });
    ///     task.await
    /// })??;
    /// assert_eq!(capture.trace().to_string(), "INFO blocking");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn attach_thread(&self) {
        attached::attach(self);
    }

    /// Returns the subscriber of the capture; see [`Capture::dispatch()`](crate::Capture::dispatch).
    pub fn dispatch(&self) -> &Dispatch {
        &self.target.dispatch
    }
}

/// Other threads and tasks.
impl Capture {
    /// Returns a handle, which carries the capture to other threads and tasks.
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

    /// Returns a closure that carries the capture to any thread; see [`CaptureHandle::carry()`].
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
    ///
    /// A closure that returns a future does not compile: use [`carry_future()`](Self::carry_future).
    ///
    /// ```compile_fail,E0282
    /// # let capture = spanshot::Capture::start();
    /// let closure = capture.carry(|| async { tracing::info!("lost") });
    /// ```
    pub fn carry<T, F, UseCarryFutureInstead>(
        &self,
        f: F,
    ) -> impl FnOnce() -> T + use<T, F, UseCarryFutureInstead>
    where
        T: NotAFuture<UseCarryFutureInstead>,
        F: FnOnce() -> T,
    {
        self.handle.carry(f)
    }

    /// Returns a future that carries the capture to the threads that poll it; see [`CaptureHandle::carry_future()`].
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

    /// Returns the capture's subscriber, for code that takes a [`Dispatch`].
    ///
    /// All [process-wide](Self::start_process_wide) captures share one subscriber, which therefore does not carry a
    /// capture along.
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
}
