//! Waiting for something to be captured, as a future.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

use spanshot::{Capture, SharedStorage, Storage, TracingEventReceiver};
use tracing::{dispatcher::with_default, info};

use crate::support::{events_of, every_way};

fn count(trace: &Storage) -> usize {
    trace.all_events().len()
}

fn has(message: &str) -> impl Fn(&Storage) -> bool {
    move |trace| trace.all_events().any(|event| event.message() == Some(message))
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
}

#[test]
fn future_is_woken_once_after_each_poll() {
    for (way, storage, dispatch) in every_way(|_| {}) {
        let woken = Arc::new(Woken::default());
        let mut future = pin!(storage.until(has("ready")));
        with_default(&dispatch, || {
            assert!(poll(future.as_mut(), &woken).is_pending(), "{way}");
            assert!(poll(future.as_mut(), &woken).is_pending(), "{way}");
            assert_eq!(woken.take(), 0, "{way}");
            info!("not yet");
            info!("and still not");
            assert_eq!(woken.take(), 1, "{way}");
            assert!(poll(future.as_mut(), &woken).is_pending(), "{way}");
            info!("ready");
            assert_eq!(woken.take(), 1, "{way}");
            assert!(poll(future.as_mut(), &woken).is_ready(), "{way}");
            info!("more");
            assert_eq!(woken.take(), 0, "{way}");
        });
    }
}

#[test]
fn only_the_last_waker_is_woken() {
    let capture = Capture::start();
    let [one, other] = [(); 2].map(|()| Arc::new(Woken::default()));
    let mut future = Box::pin(capture.storage().until(has("ready")));
    assert!(poll(future.as_mut(), &one).is_pending());
    assert!(poll(future.as_mut(), &other).is_pending());
    assert_eq!(Arc::strong_count(&one), 1, "the first waker is not kept");
    info!("ready");
    assert_eq!((one.take(), other.take()), (0, 1));
}

#[test]
fn future_that_is_dropped_leaves_nothing_behind() {
    let capture = Capture::start();
    let [kept, dropped] = [(); 2].map(|()| Arc::new(Woken::default()));
    let mut staying = Box::pin(capture.storage().until(has("ready")));
    let mut future = Box::pin(capture.storage().until(has("ready")));
    assert!(poll(staying.as_mut(), &kept).is_pending());
    assert!(poll(future.as_mut(), &dropped).is_pending());
    drop(future);
    assert_eq!(Arc::strong_count(&dropped), 1);
    info!("ready");
    assert_eq!((kept.take(), dropped.take()), (1, 0));
}

/// A waker that reads what was captured, whatever is done with it.
struct Curious(SharedStorage, mpsc::Sender<String>);

impl Wake for Curious {
    fn wake(self: Arc<Self>) {
        self.1.send(format!("woken after {}", count(&self.0.lock()))).unwrap();
    }
}

impl Drop for Curious {
    fn drop(&mut self) {
        self.1.send(format!("dropped after {}", count(&self.0.lock()))).unwrap();
    }
}

#[test]
fn waker_may_read_the_capture() {
    let capture = Capture::start();
    let (log, logged) = mpsc::channel();
    let curious = || Waker::from(Arc::new(Curious(capture.storage().clone(), log.clone())));
    let mut future = Box::pin(capture.storage().until(|_| false));
    assert!(future.as_mut().poll(&mut Context::from_waker(&curious())).is_pending());
    info!("first");
    assert!(future.as_mut().poll(&mut Context::from_waker(&curious())).is_pending());
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(future.as_mut().poll(&mut Context::from_waker(&curious())).is_pending());
    info!("second");
    assert!(future.as_mut().poll(&mut Context::from_waker(&curious())).is_pending());
    drop(future);
    let expected = [
        "woken after 1",
        "dropped after 1",
        "dropped after 1",
        "woken after 2",
        "dropped after 2",
        "dropped after 2",
    ];
    assert_eq!(logged.try_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn future_is_awaited_on_another_thread() {
    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let (storage, events) = (SharedStorage::default(), events_of(|| info!("ready")));
    let future = storage.until(has("ready"));
    let waiter = thread::spawn(move || {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(trace) => return count(&trace),
                Poll::Pending => thread::park(),
            }
        }
    });
    let mut receiver = TracingEventReceiver::capturing(&storage);
    for event in events {
        receiver.receive(event);
    }
    assert_eq!(waiter.join().unwrap(), 1);
}

#[test]
fn condition_of_a_future_may_trace_and_panic() {
    let capture = Capture::start();
    let woken = Arc::new(Woken::default());
    let mut future = Box::pin(capture.storage().until(|trace| {
        info!("asked");
        assert!(count(trace) < 3, "as it was told to");
        false
    }));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(future.as_mut(), &woken))).is_err());
    drop(future);
    info!("last");
    assert_eq!((count(&capture.trace()), woken.take()), (5, 0));
}
