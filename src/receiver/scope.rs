//! The times in which a host runs its guest.

use alloc::{boxed::Box, sync::Arc};
use core::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    relay::{HostThreads, Turn},
    unsent::Unsent,
};
use crate::{not_a_future::NotAFuture, panics};

/// A handle that runs a guest in the guest's spans.
///
/// A guest may be suspended in the middle of a span, wait there, or trap. The host is in the guest's spans only while it
/// runs the guest: in [`in_scope()`](Self::in_scope), or in a poll of a future that you passed to
/// [`in_scope_async()`](Self::in_scope_async). A function that the guest calls traces into the guest's current span. Between
/// two calls, the host traces outside of the guest's spans.
///
/// When a call begins, the host's thread enters the spans that the guest is in. When it ends, normally or by a trap, the
/// thread exits them. The guest stays in its spans, and the next call enters them again, on any thread.
///
/// You may nest calls: a guest calls its host, which calls the same guest or another one. Call the guest in its scope each
/// time, also within an earlier call. Then a span that the host starts between the two calls is between the
/// spans that the guest enters in each, whether the calls return at once or are awaited.
///
/// [Hosts that do several things at once](crate::transport::wasm_host::concurrent_hosts) has a table of the cases: turns of
/// fuel, futures, functions of the host, traps, threads.
///
/// You get a handle from a [`GuestTrace`](crate::transport::wasm_host::GuestTrace::scope) or a
/// [receiver](super::TracingEventReceiver::scope). A clone is a handle for the same guest. If the receiver fills a storage
/// [directly](super::TracingEventReceiver::capturing), its scope does nothing: the host is never in the guest's spans.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, TracingEvent, TracingEventReceiver};
/// use tracing::info;
///
/// let capture = Capture::start();
/// let mut receiver = TracingEventReceiver::default();
/// let scope = receiver.scope();
/// let stream = r#"[
///     {"new_call_site":{"id":0,"kind":"span","name":"job","target":"app","level":"info","fields":[]}},
///     {"new_span":{"id":1,"metadata_id":0,"values":{}}},
///     {"span_entered":{"id":1}}
/// ]"#;
/// scope.in_scope(|| {
///     for event in serde_json::from_str::<Vec<TracingEvent>>(stream).unwrap() {
///         receiver.receive(event);
///     }
///     info!("for the guest");
/// });
/// info!("for the host");
/// scope.in_scope(|| info!("for the guest again"));
/// let expected = "INFO job{}\n├─ INFO for the guest\n└─ INFO for the guest again\nINFO for the host";
/// assert_eq!(capture.trace().to_string(), expected);
/// ```
#[derive(Clone, Default)]
pub struct GuestScope {
    threads: HostThreads,
}

impl fmt::Debug for GuestScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GuestScope").finish_non_exhaustive()
    }
}

impl GuestScope {
    pub(super) fn new(threads: HostThreads) -> Self {
        Self { threads }
    }

    pub(super) fn threads(&self) -> &HostThreads {
        &self.threads
    }

    /// Notes that the guest runs, since it calls its host.
    pub(crate) fn note_run(&self) {
        self.threads.note_run();
    }

    /// Has the current capture watch the guest.
    pub(crate) fn watch(&self) {
        self.threads.watch();
    }

    /// Reads the buffer of the guest, by this function, in the guest's spans.
    pub(crate) fn read<T>(&self, f: impl FnOnce() -> T) -> T {
        let result = if self.threads.is_in_scope() { f() } else { self.in_turn(Turn::Whole, f) };
        self.threads.unsent().note_read();
        result
    }

    /// Returns what the guest may not have sent.
    pub(crate) fn unsent(&self) -> Arc<Unsent> {
        self.threads.unsent()
    }

    /// Calls the guest, by this function, in the guest's spans.
    ///
    /// Do not return a future from the function, as in `scope.in_scope(|| run.call_async(…)).await`: the scope has ended
    /// when it is polled. Pass the future to [`in_scope_async()`](Self::in_scope_async).
    ///
    /// # Example
    ///
    /// In wasmi or wasmtime:
    ///
    /// ```no_run
    /// use spanshot::transport::wasm_host::GuestTrace;
    ///
    /// # fn run(instance: wasmi::Instance, mut store: wasmi::Store<GuestTrace>) -> Result<(), wasmi::Error> {
    /// let scope = store.data().scope();
    /// let run = instance.get_typed_func::<u32, u32>(&store, "run")?;
    /// let result = scope.in_scope(|| run.call(&mut store, 7))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Await a future in [`in_scope_async()`](Self::in_scope_async). A closure that returns one does not compile: the
    /// compiler asks for the type of the parameter `UseInScopeAsyncInstead`.
    ///
    /// ```compile_fail,E0282
    /// let scope = spanshot::receiver::GuestScope::default();
    /// scope.in_scope(|| async { /* the guest's call */ });
    /// ```
    pub fn in_scope<T: NotAFuture<UseInScopeAsyncInstead>, UseInScopeAsyncInstead>(
        &self,
        f: impl FnOnce() -> T,
    ) -> T {
        self.in_turn(Turn::Whole, f)
    }

    #[inline]
    fn in_turn<T>(&self, turn: Turn, f: impl FnOnce() -> T) -> T {
        let _call = Call::begin(&self.threads, turn);
        f()
    }

    /// Awaits a call of the guest in the guest's spans: enters them whenever the future is polled or dropped.
    ///
    /// Async functions of the host that the guest calls run in these spans, too. Tasks that they spawn do not. If such a
    /// function calls the guest again, await this call in the scope as well. If you don't, and it waits while the
    /// function is in a span of its own, the guest's records are [attributed to that
    /// span](crate::transport::wasm_host::concurrent_hosts#functions-that-the-guest-calls).
    ///
    /// # Example
    ///
    /// In wasmtime:
    ///
    /// ```ignore
    /// let scope = store.data().scope();
    /// scope.in_scope_async(run.call_async(&mut store, 7)).await?;
    /// ```
    pub fn in_scope_async<F: Future>(&self, future: F) -> InGuestScope<F> {
        InGuestScope { scope: self.clone(), turn: Turn::First, future: Some(Box::pin(future)) }
    }
}

/// A call of the guest, which ends when this is dropped.
struct Call<'a>(&'a HostThreads);

impl<'a> Call<'a> {
    #[inline]
    fn begin(threads: &'a HostThreads, turn: Turn) -> Self {
        let call = Self(threads); // if the subscriber panics when it is told of the spans, the call ends
        panics::without_second(|| threads.begin_call(turn));
        call
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        panics::without_second(|| self.0.end_call());
    }
}

/// A future that runs a guest in its spans, made by [`GuestScope::in_scope_async()`].
#[must_use = "futures do nothing unless they are polled"]
pub struct InGuestScope<F> {
    scope: GuestScope,
    turn: Turn,
    future: Option<Pin<Box<F>>>,
}

impl<F> fmt::Debug for InGuestScope<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InGuestScope").finish_non_exhaustive()
    }
}

impl<F: Future> Future for InGuestScope<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { scope, turn, future } = &mut *self;
        scope.in_turn(mem::replace(turn, Turn::Further), || {
            let Some(running) = future else { panic!("a future was polled that was ready before") };
            let polled = running.as_mut().poll(context);
            if polled.is_ready() {
                *future = None;
            }
            polled
        })
    }
}

impl<F> Drop for InGuestScope<F> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            self.scope.in_turn(Turn::Further, || drop(future));
        }
    }
}
