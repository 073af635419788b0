use super::{FrameReceiver, InstallError, LibraryFunctions, RelayError};
use crate::receiver::TracingEventReceiver;

/// A library that sends its trace to this program, until it is finished or dropped.
///
/// Drop it before you unload the library: declare it after the library, or as a field before it.
///
/// # Ending it inside a record
///
/// Finish or drop the connection outside of the library's own records: not in a subscriber that is being told of
/// one, on any thread. There, the library is in the middle of a call, for which nobody can wait. If you do it
/// nevertheless:
///
/// - the library is told to send nothing any more, and frames that still come are ignored;
/// - what the library left open is closed as soon as the subscriber returns;
/// - [`finish()`](Self::finish) returns [`RelayError::EndedInsideRecord`];
/// - **you must not unload the library** until the call into it, or its thread, that traced the record has
///   returned.
///
/// A subscriber that waits for another thread to finish the connection waits for ever.
///
/// # Example
///
/// See the [module](super#the-host).
#[derive(Debug)]
#[must_use = "the library is uninstalled when it is dropped"]
pub struct Connection {
    /// The library, until it is uninstalled.
    library: Option<LibraryFunctions>,
    receiver: FrameReceiver,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.uninstall();
    }
}

impl Connection {
    /// Has a library send its trace to the current subscriber of this thread.
    ///
    /// # Errors
    ///
    /// - [`InstallError::OtherVersion`] if the library speaks another version of the interface than this
    ///   host ([`ABI_VERSION`](super::ABI_VERSION)). The message says which of the two to update.
    /// - [`InstallError::AlreadyInstalled`] if the library sends its trace elsewhere.
    /// - [`InstallError::OtherSubscriber`] if the library has a global default subscriber of its own.
    /// - [`InstallError::Other`] if the library refuses for a reason that this host does not know.
    pub fn open(library: LibraryFunctions) -> Result<Self, InstallError> {
        Self::open_with(library, TracingEventReceiver::default())
    }

    /// Has a library send its trace to this receiver: one that goes the
    /// [direct way](TracingEventReceiver::capturing), for example.
    ///
    /// # Errors
    ///
    /// - [`InstallError::OtherVersion`] if the library speaks another version of the interface than this
    ///   host ([`ABI_VERSION`](super::ABI_VERSION)). The message says which of the two to update.
    /// - [`InstallError::AlreadyInstalled`] if the library sends its trace elsewhere.
    /// - [`InstallError::OtherSubscriber`] if the library has a global default subscriber of its own.
    /// - [`InstallError::Other`] if the library refuses for a reason that this host does not know.
    pub fn open_with(
        library: LibraryFunctions,
        receiver: TracingEventReceiver,
    ) -> Result<Self, InstallError> {
        let receiver = FrameReceiver::with_receiver(receiver);
        InstallError::check(library.install(&receiver.host_function()))?;
        Ok(Self { library: Some(library), receiver })
    }

    /// Returns why a frame was not relayed, the first that was not.
    pub fn first_error(&self) -> Option<RelayError> {
        self.receiver.first_error()
    }

    /// Uninstalls the library, waits for the records that it is sending, and closes what it left open.
    ///
    /// # Errors
    ///
    /// - [`RelayError::EndedInsideRecord`] if you call it inside a record of the library. The library sends nothing
    ///   any more, but [you must not unload it yet](Self#ending-it-inside-a-record).
    /// - Otherwise the error of the first frame that was not relayed. All others are in the trace.
    pub fn finish(mut self) -> Result<(), RelayError> {
        // First: what the library sends until then is received.
        let is_idle = self.uninstall();
        let ended = self.receiver.end();
        if is_idle { ended } else { Err(RelayError::EndedInsideRecord) }
    }

    /// Uninstalls the library, unless that is done, and returns whether it is sending no record any more.
    fn uninstall(&mut self) -> bool {
        let wait = !self.receiver.is_inside_record();
        self.library.take().is_none_or(|library| library.uninstall(wait))
    }
}
