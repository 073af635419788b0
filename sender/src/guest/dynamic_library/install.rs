use alloc::sync::Arc;
use core::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use tracing_core::{
    Dispatch, Event, Interest, Metadata, Subscriber, dispatcher,
    span::{Attributes, Current, Id, Record},
};

use super::{ABI_VERSION, HostFunction, InstallError, UninstallError};
use crate::sender::{Frames, TracingEventSender};

/// Sends what this library traces to a host, until it is [uninstalled](uninstall()).
///
/// The first call sets the library's global default subscriber, which passes everything on to a
/// sender while the library is installed, and is disabled while it is not.
///
/// # Errors
///
/// - [`InstallError::OtherVersion`] if the host speaks another version of the interface than
///   [`ABI_VERSION`](super::ABI_VERSION). Nothing has happened then.
/// - [`InstallError::AlreadyInstalled`] if the library sends its trace to a host already.
/// - [`InstallError::OtherSubscriber`] if the library has another global default subscriber.
/// - [`InstallError::InUse`] if the library still sends a record to the host before: it was uninstalled without
///   waiting for that.
///
/// # Example
///
/// [`export_dynamic_library!`](crate::export_dynamic_library) calls it. By hand, under other names:
///
/// ```
/// use core::ffi::c_void;
/// use spanshot_sender::dynamic_library::{self, HostFunction, SendFunction};
///
/// /// # Safety
/// ///
/// /// Until `plugin_shutdown` returns 0, the function may be called with the context, on any thread.
/// #[unsafe(no_mangle)]
/// pub unsafe extern "C" fn plugin_init(version: u32, send: SendFunction, context: *mut c_void) -> i32 {
///     // SAFETY: the caller has promised it.
///     let host = unsafe { HostFunction::new(version, send, context) };
///     dynamic_library::install(host).map_or_else(|error| error.code(), |()| 0)
/// }
///
/// #[unsafe(no_mangle)]
/// pub extern "C" fn plugin_shutdown() -> i32 {
///     dynamic_library::uninstall().map_or_else(|error| error.code(), |()| 0)
/// }
/// ```
pub fn install(host: HostFunction) -> Result<(), InstallError> {
    if host.version() != ABI_VERSION {
        return Err(InstallError::OtherVersion { host: host.version(), library: ABI_VERSION });
    }
    let installed = INSTALLED.get_or_init(|| {
        let installed = Arc::new(Installed::default());
        let subscriber = GlobalDefault(Arc::clone(&installed));
        dispatcher::set_global_default(Dispatch::new(subscriber)).ok().map(|()| installed)
    });
    installed.as_ref().ok_or(InstallError::OtherSubscriber)?.open(host)
}

/// Sends nothing any more, and waits for the records that are being sent.
///
/// When it returns `Ok`, the host's function is not being called, and will not be: the host may unload the library.
/// Without [`install()`] before, it does nothing.
///
/// Do not call it on a thread that a record waits for: in a subscriber of the host that is called on another thread
/// than the one that traces, for example. There, call [`uninstall_without_waiting()`].
///
/// # Errors
///
/// Returns [`UninstallError::InUse`] if you call it inside a record of this thread: in the host's function, or in the
/// `Debug` implementation of a traced value. It would wait for itself. The library starts no other record, but
/// the host must not unload it until the call that traced the record has returned.
///
/// # Example
///
/// ```
/// use core::{ffi::c_void, fmt};
/// use spanshot_sender::dynamic_library::{self, ABI_VERSION, HostFunction, UninstallError};
///
/// struct Uninstalls;
///
/// impl fmt::Debug for Uninstalls {
///     fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
///         assert_eq!(dynamic_library::uninstall(), Err(UninstallError::InUse));
///         Ok(())
///     }
/// }
///
/// unsafe extern "C" fn ignore(_context: *mut c_void, _frame: *const u8, _len: usize) {}
///
/// // SAFETY: the function does nothing.
/// let host = unsafe { HostFunction::new(ABI_VERSION, ignore, core::ptr::null_mut()) };
/// dynamic_library::install(host)?;
/// tracing::info!(value = ?Uninstalls);
/// assert_eq!(dynamic_library::uninstall(), Ok(())); // the record is over
/// # Ok::<_, dynamic_library::InstallError>(())
/// ```
pub fn uninstall() -> Result<(), UninstallError> {
    INSTALLED.get().and_then(Option::as_ref).map_or(Ok(()), |installed| installed.close(true))
}

/// Sends nothing any more, as [`uninstall()`] does, but waits for nothing.
///
/// # Errors
///
/// Returns [`UninstallError::InUse`] if a record is being sent, on any thread. Call [`uninstall()`] later to wait for
/// it.
///
/// # Example
///
/// ```
/// use spanshot_sender::dynamic_library;
///
/// assert_eq!(dynamic_library::uninstall_without_waiting(), Ok(())); // it was not installed
/// ```
pub fn uninstall_without_waiting() -> Result<(), UninstallError> {
    INSTALLED.get().and_then(Option::as_ref).map_or(Ok(()), |installed| installed.close(false))
}

std::thread_local! {
    /// Calls of this thread that have not returned, of all that [`State::calls`] counts. There is nothing to be
    /// dropped, and therefore lives until the thread has ended.
    static OWN_CALLS: Cell<usize> = const { Cell::new(0) };
}

/// There is none if another subscriber was there first: that is for good.
static INSTALLED: OnceLock<Option<Arc<Installed>>> = OnceLock::new();

type Sender = TracingEventSender<Frames<Output>>;
type Output = alloc::boxed::Box<dyn Fn(&[u8]) + Send + Sync>;

/// Where the library sends its trace to, if anywhere.
#[derive(Default)]
struct Installed {
    state: Mutex<State>,
    /// Notified when there are no calls any more.
    is_idle: Condvar,
}

#[derive(Default)]
struct State {
    /// The sender of the stream that goes on, or else of the last one.
    sender: Option<Arc<Sender>>,
    is_open: bool,
    /// Calls of a sender that have not returned. It is not locked meanwhile: what they call may trace.
    calls: usize,
}

impl Installed {
    fn open(&self, host: HostFunction) -> Result<(), InstallError> {
        let mut state = self.lock();
        if state.is_open {
            return Err(InstallError::AlreadyInstalled);
        }
        // Waiting for them might be waiting for oneself, and a caller that uninstalled the library has waited.
        if state.calls > 0 {
            return Err(InstallError::InUse);
        }
        let output: Output = alloc::boxed::Box::new(move |frame| host.send(frame));
        let sender = TracingEventSender::encoded(output);
        let sender = match &state.sender {
            Some(last) => sender.succeeding(last),
            None => sender,
        };
        state.sender = Some(Arc::new(sender));
        state.is_open = true;
        Ok(())
    }

    fn close(&self, wait: bool) -> Result<(), UninstallError> {
        let mut state = self.lock();
        state.is_open = false;
        if !wait || OWN_CALLS.get() > 0 {
            return if state.calls == 0 { Ok(()) } else { Err(UninstallError::InUse) };
        }
        // If it is installed anew meanwhile, there were no calls in between.
        let is_busy = |state: &mut State| !state.is_open && state.calls > 0;
        drop(self.is_idle.wait_while(state, is_busy));
        Ok(())
    }

    /// Nothing that can panic runs while it is locked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the function with the sender while the library is installed.
    fn with<T>(&self, f: impl FnOnce(&Sender) -> T) -> Option<T> {
        /// Notes the end of a call, also of one that unwinds: a value's `Debug` may panic.
        struct Call<'a>(&'a Installed);

        impl Drop for Call<'_> {
            fn drop(&mut self) {
                OWN_CALLS.set(OWN_CALLS.get() - 1);
                let mut state = self.0.lock();
                state.calls -= 1;
                if state.calls == 0 {
                    self.0.is_idle.notify_all();
                }
            }
        }

        let (sender, _call) = {
            let mut state = self.lock();
            let sender = state.sender.as_ref().filter(|_| state.is_open).map(Arc::clone)?;
            state.calls += 1;
            OWN_CALLS.set(OWN_CALLS.get() + 1);
            (sender, Call(self))
        };
        Some(f(&sender))
    }
}

/// The library's subscriber, which stays until the library is unloaded.
struct GlobalDefault(Arc<Installed>);

impl Subscriber for GlobalDefault {
    /// Whether the library is installed changes, while `tracing` remembers the answer.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.with(|sender| sender.enabled(metadata)).unwrap_or(false)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.0.with(|sender| sender.new_span(attributes));
        id.unwrap_or_else(Sender::unsent)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        self.0.with(|sender| sender.record(id, values));
    }

    fn record_follows_from(&self, id: &Id, follows_from: &Id) {
        self.0.with(|sender| sender.record_follows_from(id, follows_from));
    }

    fn event(&self, event: &Event<'_>) {
        self.0.with(|sender| sender.event(event));
    }

    fn enter(&self, id: &Id) {
        self.0.with(|sender| sender.enter(id));
    }

    fn exit(&self, id: &Id) {
        self.0.with(|sender| sender.exit(id));
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.0.with(|sender| sender.clone_span(id));
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.0.with(|sender| sender.try_close(id)).unwrap_or(false)
    }

    fn current_span(&self) -> Current {
        self.0.with(Subscriber::current_span).unwrap_or_else(Current::none)
    }
}
