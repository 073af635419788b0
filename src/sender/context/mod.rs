//! Which thread traces, and in which span it is.

#[cfg(any(not(feature = "std"), test))]
mod single;
#[cfg(feature = "std")]
mod threads;

#[cfg(not(feature = "std"))]
pub(super) use self::single::Context;
#[cfg(feature = "std")]
pub(super) use self::threads::Context;
