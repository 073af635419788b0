//! How a record names its parent, apart from which span the parent is.
//!
//! Normally, a subscriber receives a record as the program made it: with its [`Attributes`], or as an [`Event`]. A
//! receiver that relays a stream cannot always do so. For example, if a thread of the stream has no counterpart in the
//! host, its current span becomes an explicit parent. So the receiver leaves a note for the captures that receive the
//! record:
//!
//! ```text
//! receiver                                  capture
//! handing_over(said, metadata, || …)   ─▶   of_span(attributes): the note, if it is of this call site;
//!                                           what `attributes` say otherwise
//! ```

use core::{cell::Cell, ptr};

use tracing_core::Metadata;
#[cfg(feature = "capture")]
use tracing_core::{Event, span::Attributes};

/// How a record names its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SaidParent {
    /// It names a span explicitly.
    Explicit,
    /// It is an explicit root.
    Root,
    /// It names nothing: its parent is the current span, if there is one.
    Contextual,
    /// The stream does not tell.
    Unknown,
}

std::thread_local! {
    /// The note for the record that this thread is handing over: what it says, and its call site.
    static NOTE: Cell<Option<(SaidParent, *const Metadata<'static>)>> = const { Cell::new(None) };
}

/// Runs a function that hands a record over to a subscriber, and notes how the program named the parent.
pub(crate) fn handing_over<T>(
    said: SaidParent,
    metadata: &'static Metadata<'static>,
    hand_over: impl FnOnce() -> T,
) -> T {
    /// Restores the earlier note, even if a subscriber panics.
    struct Noted(Option<(SaidParent, *const Metadata<'static>)>);

    impl Drop for Noted {
        fn drop(&mut self) {
            let _ = NOTE.try_with(|note| note.set(self.0));
        }
    }

    let note = Some((said, ptr::from_ref(metadata)));
    let _noted = Noted(NOTE.try_with(|noted| noted.replace(note)).ok().flatten());
    hand_over()
}

#[cfg(feature = "capture")]
impl SaidParent {
    pub(crate) fn of_span(attributes: &Attributes<'_>) -> Self {
        let (is_contextual, is_root) = (attributes.is_contextual(), attributes.is_root());
        Self::of(attributes.metadata(), is_contextual, is_root)
    }

    pub(crate) fn of_event(event: &Event<'_>) -> Self {
        Self::of(event.metadata(), event.is_contextual(), event.is_root())
    }

    #[inline]
    fn of(metadata: &'static Metadata<'static>, is_contextual: bool, is_root: bool) -> Self {
        match NOTE.try_with(Cell::get) {
            // Records that a subscriber traces meanwhile come from another call site.
            Ok(Some((said, noted))) if ptr::eq(noted, metadata) => said,
            _ if is_contextual => Self::Contextual,
            _ if is_root => Self::Root,
            _ => Self::Explicit,
        }
    }
}
