//! What a guest imports. An import is in a module only if the guest uses the function here.

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code)]
mod imported {
    use super::super::control::Control;

    mod import {
        #[link(wasm_import_module = "spanshot")]
        unsafe extern "C" {
            /// Hands a frame to the host.
            ///
            /// # Safety
            ///
            /// `len` bytes from `frame` on must be readable until the call returns.
            pub(super) fn send(frame: *const u8, len: usize);

            /// Has the host read the buffer that the control block names, and empty it.
            pub(super) safe fn flush();

            /// Asks the host what it wants.
            ///
            /// # Safety
            ///
            /// As with [`send()`].
            pub(super) fn ask(question: *const u8, len: usize) -> u32;

            /// Tells the host of this guest.
            ///
            /// # Safety
            ///
            /// The control block must be there for as long as the instance is: the host writes to
            /// it, and reads the buffer that it names. It may do so only while the guest does not
            /// run, or through atomics.
            pub(super) fn hello(version: u32, control: *const u8);
        }
    }

    pub(in super::super) fn send(frame: &[u8]) {
        // SAFETY: address and length are those of a slice that is borrowed during the call, and the
        // host only reads from it.
        unsafe { import::send(frame.as_ptr(), frame.len()) }
    }

    pub(in super::super) fn flush() {
        import::flush();
    }

    pub(in super::super) fn ask(question: &[u8]) -> u32 {
        // SAFETY: as above.
        unsafe { import::ask(question.as_ptr(), question.len()) }
    }

    pub(in super::super) fn hello(version: u32, control: &'static Control) {
        // SAFETY: the control block is static, and made of atomics, which may change at any time.
        unsafe { import::hello(version, core::ptr::from_ref(control).cast()) }
    }
}

/// There is no host on other targets: the module is there for its documentation to be read and
/// its callers to be checked.
#[cfg(not(target_arch = "wasm32"))]
mod imported {
    use super::super::control::Control;
    use crate::wire::FilterAnswer;

    pub(in super::super) fn send(_frame: &[u8]) {}

    pub(in super::super) fn flush() {}

    pub(in super::super) fn ask(_question: &[u8]) -> u32 {
        FilterAnswer::Always.code()
    }

    pub(in super::super) fn hello(_version: u32, _control: &'static Control) {}
}

pub(super) use self::imported::{ask, flush, hello, send};
