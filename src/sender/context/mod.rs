//! Which thread traces, and in which span it is.

#[cfg(any(not(feature = "std"), test))]
mod single;
#[cfg(feature = "std")]
mod threads;

/// Notes that the program is in the sender's function, until it is dropped.
pub(super) struct Sending<'a> {
    context: &'a Context,
    /// Whether it was before: handles are dropped there, too.
    was_sending: bool,
}

impl<'a> Sending<'a> {
    pub(super) fn start(context: &'a Context) -> Self {
        let was_sending = context.is_sending();
        context.set_sending(true);
        Self { context, was_sending }
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.context.set_sending(self.was_sending);
    }
}

#[cfg(not(feature = "std"))]
pub(super) use self::single::Context;
#[cfg(feature = "std")]
pub(super) use self::threads::Context;
