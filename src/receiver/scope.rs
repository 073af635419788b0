//! The times in which a host runs its guest.

use alloc::boxed::Box;
use core::{
    cell::Cell,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use std::thread;

use super::relay::HostThreads;
use crate::panics;

/// A handle with which a host says when it runs its guest.
///
/// A guest may be suspended in the middle of a span, wait there, or trap. The host is in the guest's spans only while it
/// runs the guest: in [`in_scope()`](Self::in_scope), or in a poll of a future that was
/// passed to [`in_scope_async()`](Self::in_scope_async). So what the host traces in a function that the guest calls is inside the
/// guest's current span, and what it traces between two calls is not.
///
/// When a call begins, the host's thread enters the spans that the guest is in. When it ends, however it does, the
/// thread exits them; the guest stays in them, and goes on there when it is called again, on whichever thread. Calls may be nested: a
/// guest calls its host, which calls the same guest or another one. If it is the same, that is part of the call around it.
///
/// [Hosts that do several things at once](crate::transport::wasm_host::concurrent_hosts) has a table of the cases: turns of
/// fuel, futures, functions of the host, traps, threads.
///
/// You get a handle from a [`GuestTrace`](crate::transport::wasm_host::GuestTrace::scope) or a
/// [receiver](super::TracingEventReceiver::scope). Clones are of the same guest. The handle of a receiver that fills a
/// storage [directly](super::TracingEventReceiver::capturing) does nothing: there, the host is never in the guest's spans.
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

    /// Runs a function that runs the guest, in the guest's spans.
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
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _call = Call::begin(&self.threads);
        f()
    }

    /// Runs a future that runs the guest, in the guest's spans: whenever it is polled, and when it is dropped.
    ///
    /// Tasks that the future spawns are not included; a future that the guest's functions of the host await is.
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
        InGuestScope { scope: self.clone(), future: Some(Box::pin(future)) }
    }
}

std::thread_local! {
    /// Address of the guest whose call is the innermost on this thread, or 0.
    static INNERMOST: Cell<usize> = const { Cell::new(0) };
}

/// A call of the guest, which ends when this is dropped.
///
/// The host may call a guest in a function which that calls. If there is no other guest in between, this is part of the
/// call around it: the guest may enter spans, and return in them.
struct Call<'a> {
    threads: &'a HostThreads,
    around: usize,
}

impl<'a> Call<'a> {
    fn begin(threads: &'a HostThreads) -> Self {
        let call = Self { threads, around: INNERMOST.replace(threads.address()) };
        if thread::panicking() {
            // A subscriber that panics while it is told would abort the process.
            let _ = panics::catch(|| threads.begin_call(call.is_part()));
        } else {
            threads.begin_call(call.is_part()); // if that panics, the call ends
        }
        call
    }

    fn is_part(&self) -> bool {
        self.around == self.threads.address()
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        INNERMOST.set(self.around);
        if self.is_part() {
            return;
        }
        if thread::panicking() {
            let _ = panics::catch(|| self.threads.end_call());
        } else {
            self.threads.end_call();
        }
    }
}

/// A future that runs a guest in its spans, made by [`GuestScope::in_scope_async()`].
#[must_use = "futures do nothing unless they are polled"]
pub struct InGuestScope<F> {
    scope: GuestScope,
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
        let Self { scope, future } = &mut *self;
        scope.in_scope(|| {
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
            self.scope.in_scope(|| drop(future));
        }
    }
}
