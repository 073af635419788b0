use core::{
    cell::Cell,
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering},
};

/// Number of a thread of the host, which no other one has or had.
///
/// It is what `ThreadId` is, but costs nothing to look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThreadNumber(NonZeroU64);

impl ThreadNumber {
    #[inline]
    pub(crate) fn get(self) -> u64 {
        self.0.get()
    }
}

std::thread_local! {
    static NUMBER: Cell<Option<ThreadNumber>> = const { Cell::new(None) };
}

/// Returns the number of the current thread.
#[inline]
pub(crate) fn this_thread() -> ThreadNumber {
    NUMBER.with(|number| number.get().unwrap_or_else(|| new_number(number)))
}

#[cold]
fn new_number(place: &Cell<Option<ThreadNumber>>) -> ThreadNumber {
    static LAST: AtomicU64 = AtomicU64::new(0);

    // It does not come round: not if a thousand threads were started in each microsecond.
    let last = LAST.fetch_add(1, Ordering::Relaxed);
    let number = ThreadNumber(NonZeroU64::MIN.saturating_add(last));
    place.set(Some(number));
    number
}
