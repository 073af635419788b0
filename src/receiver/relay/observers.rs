//! Tells a capture where the receivers on its threads relay to.
//!
//! A receiver stays with its subscriber. If it is kept in a pool, and called in the next test, its records do not
//! come to that test's capture, which has to know. So a capture observes the threads that it is on. A relay tells the
//! innermost observer of the thread which subscriber it relays to, once:
//!
//! ```text
//! now := (number of the thread's innermost observer, how often a subscriber has ended in this process)
//! if now differs from what it was with the last record: tell the observer
//! ```
//!
//! A record costs two comparisons then; and a capture learns of a subscriber that ends while it is under way.
//!
//! A capture also has to know which records never arrived: [`observe_losses()`]; and
//! which guests relay to it, since it looks at what they have not sent: [`observe_guests()`].

use alloc::{sync::Arc, vec::Vec};
use core::{
    cell::{Cell, RefCell},
    fmt,
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering},
};

use std::sync::OnceLock;

use tracing_core::Dispatch;

use crate::receiver::unsent::Unsent;

/// Learns which subscribers receivers relay to.
#[cfg_attr(not(feature = "capture"), allow(dead_code))]
pub(crate) trait RelayObserver {
    /// A receiver on the current thread relays a record to this subscriber.
    fn relays_to(&self, subscriber: &Dispatch);
}

std::thread_local! {
    /// Number of the innermost observer of the thread, or 0 if there is none.
    static INNERMOST: Cell<u64> = const { Cell::new(0) };

    /// Observers of the thread with their numbers, the innermost last.
    static OBSERVERS: RefCell<Vec<(u64, Arc<dyn RelayObserver>)>> = const { RefCell::new(Vec::new()) };
}

/// How often a subscriber has ended.
static ENDED: AtomicU64 = AtomicU64::new(0);

/// Is told which subscriber has not got a record, and why not.
type LossObserver = fn(subscriber: &Dispatch, reason: &dyn fmt::Display);

static LOSS_OBSERVER: OnceLock<LossObserver> = OnceLock::new();

/// Has a function learn of lost records. There is one for the process: the first.
#[cfg_attr(not(feature = "capture"), allow(dead_code))]
pub(crate) fn observe_losses(observer: LossObserver) {
    LOSS_OBSERVER.get_or_init(|| observer);
}

/// Tells that a record was lost on its way to this subscriber.
#[cold]
pub(super) fn tell_loss(subscriber: &Dispatch, reason: &dyn fmt::Display) {
    if let Some(observe) = LOSS_OBSERVER.get() {
        observe(subscriber, reason);
    }
}

/// Has the capture of a subscriber watch a guest. If another capture has watched it before, it gets a state of its own.
type GuestObserver = fn(subscriber: &Dispatch, guest: &mut Arc<Unsent>);

static GUEST_OBSERVER: OnceLock<GuestObserver> = OnceLock::new();

/// Has a function learn which guests are relayed to which subscribers. There is one for the process: the first.
#[cfg_attr(not(feature = "capture"), allow(dead_code))]
pub(crate) fn observe_guests(observer: GuestObserver) {
    GUEST_OBSERVER.get_or_init(|| observer);
}

/// Tells that a guest is relayed to this subscriber.
#[cold]
pub(super) fn tell_guest(subscriber: &Dispatch, guest: &mut Arc<Unsent>) {
    if let Some(observe) = GUEST_OBSERVER.get() {
        observe(subscriber, guest);
    }
}

/// Keeps an observer on the current thread until it is dropped.
#[derive(Debug)]
#[must_use]
#[cfg_attr(not(feature = "capture"), allow(dead_code))]
pub(crate) struct RelayObserverGuard {
    number: u64,
    /// Belongs to its thread.
    not_send: PhantomData<*const ()>,
}

/// Has an observer learn where receivers on the current thread relay to.
#[cfg_attr(not(feature = "capture"), allow(dead_code))]
pub(crate) fn observe_relays(observer: Arc<dyn RelayObserver>) -> RelayObserverGuard {
    static LAST: AtomicU64 = AtomicU64::new(0);

    let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    // There is no list any more while the thread ends, and then nothing is observed.
    let pushed = OBSERVERS.try_with(|observers| observers.borrow_mut().push((number, observer)));
    if pushed.is_ok() {
        INNERMOST.set(number);
    }
    RelayObserverGuard { number, not_send: PhantomData }
}

impl Drop for RelayObserverGuard {
    fn drop(&mut self) {
        let removed = OBSERVERS.try_with(|observers| {
            let mut observers = observers.borrow_mut();
            let place = observers.iter().rposition(|(number, _)| *number == self.number)?;
            let removed = observers.remove(place);
            INNERMOST.set(observers.last().map_or(0, |(number, _)| *number));
            Some(removed)
        });
        drop(removed); // it may hold a subscriber, which is code of the user: not under the borrow
    }
}

/// Has observers asked anew, since what they make of a subscriber may be another thing now.
#[cfg_attr(not(feature = "capture"), allow(dead_code))]
pub(crate) fn note_ended_subscriber() {
    ENDED.fetch_add(1, Ordering::Release);
}

/// Remembers whom a relay has told.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    observer: u64,
    ended: u64,
}

impl Told {
    /// Tells the observer of the current thread that a record is relayed to this subscriber.
    #[inline]
    pub(super) fn tell(&mut self, subscriber: &Dispatch) {
        if self.is_due() {
            self.tell_now(subscriber);
        }
    }

    /// Whether there is somebody else to tell, or something else.
    #[inline]
    pub(super) fn is_due(self) -> bool {
        self.observer != INNERMOST.get() || self.ended != ENDED.load(Ordering::Acquire)
    }

    #[cold]
    fn tell_now(&mut self, subscriber: &Dispatch) {
        (self.observer, self.ended) = (INNERMOST.get(), ENDED.load(Ordering::Acquire));
        let innermost = OBSERVERS.try_with(|observers| {
            observers.borrow().last().map(|(_, observer)| Arc::clone(observer))
        });
        if let Ok(Some(observer)) = innermost {
            observer.relays_to(subscriber);
        }
    }
}
