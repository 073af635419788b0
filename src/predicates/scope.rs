//! What is scanned.

use alloc::{format, string::String};

use crate::capture::{CapturedEvent, CapturedSpan, Storage};

/// A trace, or a part of it, whose spans or events are scanned.
///
/// It cannot be implemented outside of this crate.
pub trait Scope<'a>: Copy + sealed::Sealed {
    /// The trace.
    #[doc(hidden)]
    fn storage(self) -> &'a Storage;

    /// Where that is, to be put behind "no span": nothing for a whole trace.
    #[doc(hidden)]
    fn place(self) -> String;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for &super::Storage {}
    impl Sealed for super::CapturedSpan<'_> {}
    impl Sealed for super::CapturedEvent<'_> {}
}

impl<'a> Scope<'a> for &'a Storage {
    fn storage(self) -> &'a Storage {
        self
    }

    fn place(self) -> String {
        String::new()
    }
}

impl<'a> Scope<'a> for CapturedSpan<'a> {
    fn storage(self) -> &'a Storage {
        self.trace()
    }

    fn place(self) -> String {
        format!(" of {self:.0}")
    }
}

impl<'a> Scope<'a> for CapturedEvent<'a> {
    fn storage(self) -> &'a Storage {
        self.trace()
    }

    fn place(self) -> String {
        format!(" of {self}")
    }
}
