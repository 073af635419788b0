use super::{FrameReceiver, InstallError, LibraryFunctions, RelayError};
use crate::receiver::TracingEventReceiver;

/// A library that sends its trace to this program, until it is finished or dropped.
///
/// It has to be dropped before the library is unloaded: declared after it, or a field before it.
///
/// # Example
///
/// See the [module](super#the-host).
#[derive(Debug)]
#[must_use = "the library is uninstalled when it is dropped"]
pub struct Connection {
    library: Installed,
    receiver: FrameReceiver,
}

/// A library that is installed.
#[derive(Debug)]
struct Installed(LibraryFunctions);

impl Drop for Installed {
    fn drop(&mut self) {
        self.0.uninstall();
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
        Ok(Self { library: Installed(library), receiver })
    }

    /// Returns why a frame was not relayed, the first that was not.
    pub fn first_error(&self) -> Option<RelayError> {
        self.receiver.first_error()
    }

    /// Uninstalls the library, and closes what it left open.
    ///
    /// # Errors
    ///
    /// Returns why a frame was not relayed, the first that was not. All others are in the trace.
    pub fn finish(self) -> Result<(), RelayError> {
        let Self { library, receiver } = self;
        drop(library); // first: what it sends until then is received
        receiver.finish()
    }
}
