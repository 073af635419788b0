//! The library's functions, as a host calls them, and the function that a library calls.

#![allow(unsafe_code)]

use core::{ffi::c_void, fmt, ptr, slice};

use super::{ABI_VERSION, HostFunction, InstallFunction, UninstallFunction, hosts};

/// A library, as a host knows it: what `export_dynamic_library!` exports.
///
/// # Example
///
/// See the [module](crate::transport::dynamic_library#the-host).
#[derive(Clone, Copy)]
pub struct LibraryFunctions {
    install: InstallFunction,
    uninstall: UninstallFunction,
}

impl LibraryFunctions {
    /// Takes the two functions that a library exports.
    ///
    /// # Safety
    ///
    /// They do what is [told of them](spanshot_sender::dynamic_library#the-interface-for-other-languages), and may be called for as
    /// long as this value or a [`Connection`](crate::transport::dynamic_library::Connection) made of it lives: until then, the library
    /// is not unloaded.
    pub const unsafe fn new(install: InstallFunction, uninstall: UninstallFunction) -> Self {
        Self { install, uninstall }
    }

    /// Returns what the library's function does.
    pub(super) fn install(&self, host: &HostFunction) -> i32 {
        // SAFETY: the function was promised to `new`, and the host's function to `HostFunction::new`.
        unsafe { (self.install)(host.version(), host.function(), host.context()) }
    }

    pub(super) fn uninstall(&self) {
        // SAFETY: the function was promised to `new`.
        unsafe { (self.uninstall)() }
    }
}

impl fmt::Debug for LibraryFunctions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LibraryFunctions").finish_non_exhaustive()
    }
}

/// Returns the function that all hosts share, with the handle of one of them as its context.
pub(super) fn host_function(handle: usize) -> HostFunction {
    // SAFETY: the function takes the context for a number, even if no host has that number, and does
    // not unwind.
    unsafe { HostFunction::new(ABI_VERSION, receive, ptr::without_provenance_mut(handle)) }
}

/// # Safety
///
/// `len` bytes from `frame` on must be readable until the call returns.
unsafe extern "C" fn receive(context: *mut c_void, frame: *const u8, len: usize) {
    let is_possible = !frame.is_null() && isize::try_from(len).is_ok();
    // SAFETY: the caller has promised that the bytes are readable, and nobody writes to them.
    let frame = is_possible.then(|| unsafe { slice::from_raw_parts(frame, len) });
    hosts::receive(context.addr(), frame, len);
}
