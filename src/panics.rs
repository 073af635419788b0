//! Catches panics of foreign code where they must not unwind further.
//!
//! The payload of a panic is a value of any type, and dropping it may panic again. So a payload that was caught must
//! not simply be dropped.

use alloc::{boxed::Box, string::String};
use core::{any::Any, mem, panic::AssertUnwindSafe};
use std::{panic, thread};

type Payload = Box<dyn Any + Send>;

/// Runs the function, and returns the message of its panic if it panics. It does not panic itself.
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Box<str>> {
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(into_message)
}

/// Runs the function, as in a `drop()`. If the thread is panicking, the function cannot panic further than this: code that
/// has panicked may do so again, and a second panic would abort the process.
#[inline]
pub(crate) fn without_second<T>(f: impl FnOnce() -> T) {
    if thread::panicking() {
        let _ = catch(f);
    } else {
        f();
    }
}

/// Returns the message of a panic.
fn into_message(payload: Payload) -> Box<str> {
    let payload = match payload.downcast::<String>() {
        Ok(message) => return message.into_boxed_str(),
        Err(payload) => payload,
    };
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.unwrap_or("(a value that is not text)").into();
    discard(payload);
    message
}

/// Drops the payload of a panic. If that panics, the payload of the second panic is leaked: dropping it might panic as
/// well, and so on forever.
pub(crate) fn discard(payload: Payload) {
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(payload);
    }
}

/// Runs several steps, even if one of them panics.
#[derive(Default)]
pub(crate) struct Steps {
    /// Payload of the first panic.
    panic: Option<Payload>,
}

impl Steps {
    pub(crate) fn run(&mut self, step: impl FnOnce()) {
        match panic::catch_unwind(AssertUnwindSafe(step)) {
            Ok(()) => {}
            Err(payload) if self.panic.is_none() => self.panic = Some(payload),
            Err(payload) => discard(payload),
        }
    }

    /// Panics if a step did, with the payload of the first one.
    pub(crate) fn end(self) {
        if let Some(payload) = self.panic {
            panic::resume_unwind(payload);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    /// Panics with another one of its kind when it is dropped, for ever.
    struct Endless;

    impl Drop for Endless {
        fn drop(&mut self) {
            panic_any(Self);
        }
    }

    #[test]
    fn panics_end_where_they_are_caught() {
        let message = |f: fn()| catch(f).unwrap_err();
        assert_eq!(catch(|| 1), Ok(1));
        assert_eq!(&*message(|| panic!("a literal")), "a literal");
        assert_eq!(&*message(|| panic!("{}", "formatted")), "formatted");
        assert_eq!(&*message(|| panic_any(7)), "(a value that is not text)");
        assert_eq!(&*message(|| panic_any(Endless)), "(a value that is not text)");
    }
}
