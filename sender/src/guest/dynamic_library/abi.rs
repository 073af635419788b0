//! What the two sides know of one another: functions of the C ABI. All `unsafe` of this boundary is here.

#![allow(unsafe_code)]

use core::{ffi::c_void, fmt};

/// Version of the [interface](super#the-interface-for-other-languages) that this crate speaks.
///
/// A host passes its own to the library, and a library of another version refuses it with
/// [`InstallError::OtherVersion`](super::InstallError::OtherVersion).
pub const ABI_VERSION: u32 = 1;

/// Function of a host that takes a frame: `void (*)(void *context, const uint8_t *frame, size_t len)`.
pub type SendFunction = unsafe extern "C" fn(context: *mut c_void, frame: *const u8, len: usize);

/// Function of a library that makes it send its trace to a host:
/// `int32_t spanshot_install(uint32_t version, spanshot_send send, void *context)`.
///
/// It returns 0, or the [code](super::InstallError::code) of an error. If the version is not its own, it looks
/// at neither `send` nor `context`.
pub type InstallFunction =
    unsafe extern "C" fn(version: u32, send: SendFunction, context: *mut c_void) -> i32;

/// Function of a library that makes it send nothing any more: `int32_t spanshot_uninstall(int32_t wait)`.
///
/// It returns 0 if the host's function is not being called any more, and otherwise the
/// [code](super::UninstallError::code) of an error. If `wait` is not 0, it waits for that where it can.
pub type UninstallFunction = unsafe extern "C" fn(wait: i32) -> i32;

/// Name of the [`InstallFunction`] that a library exports.
pub const INSTALL_SYMBOL: &[u8] = b"spanshot_install\0";

/// Name of the [`UninstallFunction`] that a library exports.
pub const UNINSTALL_SYMBOL: &[u8] = b"spanshot_uninstall\0";

/// A host, as a library knows it: the version that it speaks, a function, and a context to call that with.
///
/// # Example
///
/// See [`install()`](super::install()).
#[derive(Clone, Copy)]
pub struct HostFunction {
    version: u32,
    send: SendFunction,
    context: *mut c_void,
}

// SAFETY: whoever made it has promised that the function may be called with the context on any thread.
unsafe impl Send for HostFunction {}
// SAFETY: and by several threads at once.
unsafe impl Sync for HostFunction {}

impl HostFunction {
    /// Puts together what a host passes to a library: the version of the interface that the host speaks
    /// ([`ABI_VERSION`], if it is built with this crate), its function and its context.
    ///
    /// # Safety
    ///
    /// Nothing, if the version is not [`ABI_VERSION`]: the function is never called then. Otherwise, until
    /// [`uninstall()`](super::uninstall()) has returned `Ok`, the function may be called with the context, and with
    /// any bytes that are readable during the call: on any thread, and by several at once. It does not unwind.
    ///
    /// # Example
    ///
    /// ```
    /// use core::ffi::c_void;
    /// use spanshot_sender::dynamic_library::{ABI_VERSION, HostFunction};
    ///
    /// unsafe extern "C" fn ignore(_context: *mut c_void, _frame: *const u8, _len: usize) {}
    ///
    /// // SAFETY: the function does nothing.
    /// let host = unsafe { HostFunction::new(ABI_VERSION, ignore, core::ptr::null_mut()) };
    /// assert!(host.context().is_null());
    /// ```
    pub const unsafe fn new(version: u32, send: SendFunction, context: *mut c_void) -> Self {
        Self { version, send, context }
    }

    /// Returns the version of the interface that the host speaks. Pass it on with the function and the context.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Returns the function, for an interface of one's own.
    pub const fn function(&self) -> SendFunction {
        self.send
    }

    /// Returns the context that the function is to be called with.
    pub const fn context(&self) -> *mut c_void {
        self.context
    }

    /// Hands a frame to the host.
    pub(super) fn send(&self, frame: &[u8]) {
        // SAFETY: the bytes are borrowed during the call, and the rest was promised to `new`. Nothing is
        // called after the library is uninstalled: see `Installed`.
        unsafe { (self.send)(self.context, frame.as_ptr(), frame.len()) }
    }
}

impl fmt::Debug for HostFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HostFunction").finish_non_exhaustive()
    }
}
