//! The latest panic of each thread. A capture that a panic drops has no other way to learn about the panic.

use alloc::{borrow::ToOwned, boxed::Box, string::String};
use core::{cell::RefCell, fmt, panic::Location};
use std::{
    panic::{self, PanicHookInfo},
    sync::Once,
    thread,
};

use crate::wire::text::beginning;

/// Maximal characters of a message to keep.
const MAX_MESSAGE: usize = 4_096;

/// A panic: its message and place.
#[derive(Debug, Clone)]
pub(crate) struct Panic {
    pub(crate) message: Box<str>,
    pub(crate) place: Option<Place>,
}

/// A place in a source file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// As the compiler knows it: relative to the root of the workspace, or absolute.
    pub(crate) file: Box<str>,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl From<&Location<'_>> for Place {
    fn from(location: &Location<'_>) -> Self {
        let file = location.file().into();
        Self { file, line: location.line(), column: location.column() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

std::thread_local! {
    static LATEST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Notes panics from now on, and forgets the latest one of this thread.
///
/// This needs a hook of the process, around the existing one. If the program replaces it, messages and places are not
/// known, and failures are reported without them.
pub(crate) fn note() {
    static HOOK: Once = Once::new();

    if thread::panicking() {
        return; // hooks cannot be changed then, and the panic under way is the one to report
    }
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            remember(info);
            hook(info);
        }));
    });
    let _ = LATEST.try_with(RefCell::take);
}

/// Returns the latest panic of this thread, if it was noted.
pub(crate) fn get() -> Option<Panic> {
    LATEST.try_with(|latest| latest.borrow().clone()).ok().flatten()
}

/// Sets the place that is reported for the latest panic of this thread, if the panic was noted.
#[cfg(feature = "snapshot")]
pub(crate) fn set_place(place: &Location<'_>) {
    let set = |latest: &RefCell<Option<Panic>>| {
        if let Some(panic) = &mut *latest.borrow_mut() {
            panic.place = Some(place.into());
        }
    };
    let _ = LATEST.try_with(set);
}

fn remember(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = message.unwrap_or("(a value that is not text)");
    let panic = Panic {
        message: beginning(message, MAX_MESSAGE).to_owned().into(),
        place: info.location().map(Place::from),
    };
    // A hook must not panic: that would abort the process.
    let _ =
        LATEST.try_with(|latest| latest.try_borrow_mut().map(|mut latest| *latest = Some(panic)));
}
