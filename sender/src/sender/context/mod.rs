//! Which thread traces, and in which span it is.

#[cfg(any(not(feature = "std"), test))]
mod single;
#[cfg(feature = "std")]
mod threads;

/// Notes that the program is in the sender's function, until it is dropped.
pub(super) struct Sending<'a> {
    thread: &'a Thread<'a>,
    /// Whether it was before: handles are dropped there, too.
    was_sending: bool,
}

impl<'a> Sending<'a> {
    #[inline]
    pub(super) fn start(thread: &'a Thread<'a>) -> Self {
        let was_sending = thread.is_sending();
        thread.set_sending(true);
        Self { thread, was_sending }
    }
}

impl Drop for Sending<'_> {
    #[inline]
    fn drop(&mut self) {
        self.thread.set_sending(self.was_sending);
    }
}

#[cfg(not(feature = "std"))]
pub(super) use self::single::Context;
#[cfg(not(feature = "std"))]
pub(crate) use self::single::Thread;
#[cfg(feature = "std")]
pub(super) use self::threads::Context;
#[cfg(feature = "std")]
pub(crate) use self::threads::Thread;
