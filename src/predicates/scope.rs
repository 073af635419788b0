//! The scope of a scanner.

use crate::capture::{CapturedEvent, CapturedNode, CapturedSpan, Storage};

/// A trace, or a part of it, whose spans or events are scanned.
///
/// It cannot be implemented outside of this crate.
pub trait Scope<'a>: Copy + sealed::Sealed {
    /// The trace.
    #[doc(hidden)]
    fn storage(self) -> &'a Storage;

    /// The part of it; `None` for a whole trace.
    #[doc(hidden)]
    fn node(self) -> Option<CapturedNode<'a>>;

    /// Records that no test can claim, and that may be a part of the scope. Records in a span belong to its test.
    #[doc(hidden)]
    fn unattributed(self) -> Option<Self> {
        None
    }
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

    fn node(self) -> Option<CapturedNode<'a>> {
        None
    }

    fn unattributed(self) -> Option<Self> {
        self.sight().unattributed.as_deref()
    }
}

impl<'a> Scope<'a> for CapturedSpan<'a> {
    fn storage(self) -> &'a Storage {
        self.trace()
    }

    fn node(self) -> Option<CapturedNode<'a>> {
        Some(CapturedNode::Span(self))
    }
}

impl<'a> Scope<'a> for CapturedEvent<'a> {
    fn storage(self) -> &'a Storage {
        self.trace()
    }

    fn node(self) -> Option<CapturedNode<'a>> {
        Some(CapturedNode::Event(self))
    }
}
