//! The library's functions, as a host calls them, and the function that a library calls.

#![allow(unsafe_code)]

use core::{ffi::c_void, fmt, ptr, slice};

use super::{ABI_VERSION, HostFunction, InstallFunction, UninstallFunction, hosts};
use crate::panics;

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
    /// The functions keep to [the interface](spanshot_sender::dynamic_library#the-interface-for-other-languages).
    ///
    /// Do not unload the library while this value is used or a
    /// [`Connection`](crate::transport::dynamic_library::Connection) made of it lives. If a connection was finished or
    /// dropped inside a record of the library, do not unload the library either until that call into it has returned.
    pub const unsafe fn new(install: InstallFunction, uninstall: UninstallFunction) -> Self {
        Self { install, uninstall }
    }

    /// Returns what the library's function does.
    pub(super) fn install(&self, host: &HostFunction) -> i32 {
        // SAFETY: the function was promised to `new`, and the host's function to `HostFunction::new`.
        unsafe { (self.install)(host.version(), host.function(), host.context()) }
    }

    /// Returns whether no call of the host's function goes on any more.
    pub(super) fn uninstall(&self, wait: bool) -> bool {
        // SAFETY: the function was promised to `new`.
        unsafe { (self.uninstall)(i32::from(wait)) == 0 }
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
    // Nothing may unwind into the library. Panics of subscribers at a record are caught, and told, before they come
    // here, but not those of a receiver that is rolled back since it was ended inside the record.
    let _ = panics::catch(|| hosts::receive(context.addr(), frame, len));
}
