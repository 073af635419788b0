//! Captures that are carried to other threads.

use std::{
    sync::{Barrier, mpsc},
    thread,
};

use rayon::prelude::*;
use spanshot::{Capture, CaptureHandle};
use tracing::{Span, info, info_span};

use crate::support::panic_message;

struct TracesOnDrop;

impl Drop for TracesOnDrop {
    fn drop(&mut self) {
        info!("dropped");
    }
}

#[test]
fn thread_carries_the_capture_and_not_the_span() {
    let capture = Capture::start();
    let _entered = info_span!("of the test").entered();
    let value = thread::spawn(capture.carry(|| {
        assert!(Span::current().is_none());
        info_span!("of the thread").in_scope(|| info!("in it"));
        7
    }))
    .join()
    .unwrap();
    assert_eq!(value, 7);
    let tree = "INFO of the test{}\nINFO of the thread{}\n└─ INFO in it";
    assert_eq!(capture.trace().to_string(), tree);
}

#[test]
fn span_that_is_passed_on_keeps_what_other_threads_trace_in_it() {
    let capture = Capture::start();
    let span = info_span!("of the test");
    thread::scope(|scope| {
        scope.spawn(capture.carry(|| span.in_scope(|| info!("by a thread"))));
    });
    info!("outside");
    let tree = "INFO of the test{}\n└─ INFO by a thread\nINFO outside";
    assert_eq!(capture.trace().to_string(), tree);
}

#[test]
fn thread_is_its_own_again_after_the_scope() {
    let capture = Capture::start();
    let handle = capture.handle();
    thread::spawn(move || {
        info!("before");
        handle.in_scope(|| info!("in the scope"));
        info!("after");
        let panicked = panic_message(|| handle.in_scope(|| panic!("as it was told to")));
        assert_eq!(panicked, "as it was told to");
        info!("after the panic");
    })
    .join()
    .unwrap();
    assert_eq!(capture.trace().to_string(), "INFO in the scope");
}

/// Everything but a future may be returned, also where the type is only known to be some type. That futures do
/// not compile is seen in the documentation of `carry()`.
#[test]
fn closures_return_whatever_is_no_future() {
    fn run<T, F: FnOnce() -> T>(capture: &Capture, f: F) -> T {
        capture.handle().in_scope(capture.carry(f))
    }
    fn on_thread<T: Send + 'static>(
        capture: &Capture,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> thread::Result<T> {
        thread::spawn(capture.carry(f)).join()
    }
    fn unsized_too<'a>(capture: &Capture, f: impl FnOnce() -> &'a dyn ToString) -> String {
        capture.handle().in_scope(f).to_string()
    }
    let capture = Capture::start();
    run(&capture, || info!("1"));
    let text = run(&capture, || Box::new("2") as Box<dyn ToString>).to_string();
    let parsed: u8 = capture.handle().in_scope(|| text.parse().unwrap());
    assert_eq!(on_thread(&capture, move || Some(parsed)).unwrap(), Some(2));
    assert_eq!(unsized_too(&capture, || &3), "3");
    let as_pointer: fn() -> Result<u8, std::fmt::Error> = || Ok(4);
    assert_eq!(capture.carry(as_pointer)(), Ok(4));
    assert!(on_thread::<()>(&capture, || panic!("as it was told to")).is_err());
    assert!(thread::spawn(capture.carry(|| panic!("as it was told to"))).join().is_err());
}

#[test]
fn closure_that_is_never_called_is_dropped_in_the_scope() {
    let capture = Capture::start();
    let traces = TracesOnDrop;
    let carried = capture.carry(move || drop(traces));
    thread::spawn(move || drop(carried)).join().unwrap();
    assert_eq!(capture.trace().to_string(), "INFO dropped");
}

#[test]
fn scopes_of_several_captures_are_within_one_another() {
    let first = Capture::start();
    let second = Capture::start();
    let (to_first, to_second) = (first.handle(), second.handle());
    thread::spawn(move || {
        to_first.in_scope(|| {
            let _entered = info_span!("first").entered();
            to_second.in_scope(|| {
                info!("second");
                to_first.in_scope(|| info!("first again"));
            });
        });
    })
    .join()
    .unwrap();
    assert_eq!(first.trace().to_string(), "INFO first{}\n└─ INFO first again");
    assert_eq!(second.trace().to_string(), "INFO second");
}

#[test]
fn handle_outlives_its_capture() {
    let capture = Capture::start();
    let handle = capture.handle();
    let span = info_span!("span");
    drop(capture);
    let other = Capture::start();
    handle.in_scope(|| span.in_scope(|| info!("late")));
    thread::spawn(move || {
        handle.in_scope(|| info!("late"));
        drop(span);
    })
    .join()
    .unwrap();
    assert_eq!(other.trace().all_events().len(), 0);
}

#[test]
fn captures_of_many_threads_with_threads_of_their_own_are_apart() {
    const CAPTURES: usize = 16;

    let start = Barrier::new(CAPTURES);
    thread::scope(|scope| {
        for tracer in 0..CAPTURES {
            let start = &start;
            scope.spawn(move || {
                let capture = Capture::start();
                let handle = capture.handle();
                start.wait();
                thread::scope(|scope| {
                    for thread in 0..4 {
                        let handle = &handle;
                        scope.spawn(move || {
                            handle.in_scope(|| {
                                for step in 0..50 {
                                    info_span!("step", tracer, thread)
                                        .in_scope(|| info!(tracer, thread, step));
                                }
                            });
                        });
                    }
                });
                let trace = capture.trace();
                assert_eq!((trace.all_spans().len(), trace.all_events().len()), (200, 200));
                for event in trace.all_events() {
                    let span = event.parent().unwrap();
                    assert!(event["tracer"] == tracer && span["tracer"] == tracer);
                    assert_eq!(event["thread"], span["thread"]);
                }
            });
        }
    });
}

#[test]
fn long_lived_thread_works_for_one_capture_after_another() {
    let (jobs, queue) = mpsc::channel::<(CaptureHandle, usize, mpsc::Sender<()>)>();
    let worker = thread::spawn(move || {
        for (handle, number, done) in queue {
            handle.in_scope(|| info!(number));
            done.send(()).unwrap();
        }
    });
    for number in 0..10 {
        let capture = Capture::start();
        let (done, is_done) = mpsc::channel();
        jobs.send((capture.handle(), number, done)).unwrap();
        is_done.recv().unwrap();
        assert_eq!(capture.trace().to_string(), format!("INFO number={number}"));
    }
    drop(jobs);
    worker.join().unwrap();
}

fn numbers(capture: &Capture) -> Vec<u128> {
    let trace = capture.trace();
    let numbers = trace.all_events().map(|event| event["number"].as_uint().unwrap());
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn rayon_works_in_the_scope_of_a_handle() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let captures = [Capture::start(), Capture::start()];
    let handles = captures.each_ref().map(Capture::handle);
    pool.install(|| {
        (0..1_000_u64).into_par_iter().for_each(|number| {
            handles[usize::from(number % 2 == 1)].in_scope(|| info!(number));
        });
        info!(number = 0, "of no capture");
    });
    assert_eq!(numbers(&captures[0]), (0..1_000).step_by(2).collect::<Vec<_>>());
    assert_eq!(numbers(&captures[1]), (1..1_000).step_by(2).collect::<Vec<_>>());
}

#[test]
fn pool_of_rayon_carries_the_capture_in_all_of_its_threads() {
    let capture = Capture::start();
    let handle = capture.handle();
    let build = rayon::ThreadPoolBuilder::new().num_threads(4).build_scoped(
        |thread| handle.in_scope(|| thread.run()),
        |pool| pool.broadcast(|thread| info!(number = thread.index() as u64)),
    );
    build.unwrap();
    assert_eq!(numbers(&capture), [0, 1, 2, 3]);

    let capture = Capture::start();
    let handle = capture.handle();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(4)
        .spawn_handler(|thread| {
            thread::spawn(handle.carry(|| thread.run()));
            Ok(())
        })
        .build()
        .unwrap();
    pool.install(|| {
        rayon::join(|| info!(number = 0_u64), || info!(number = 1_u64));
    });
    assert_eq!(numbers(&capture), [0, 1]);
}

#[test]
fn dispatch_does_for_everything_else() {
    let capture = Capture::start();
    let subscriber = capture.dispatch().clone();
    thread::spawn(move || {
        let _default = tracing::dispatcher::set_default(&subscriber);
        info!("captured");
    })
    .join()
    .unwrap();
    assert_eq!(capture.trace().to_string(), "INFO captured");
}

#[test]
fn capture_stays_attached_to_a_thread() {
    let capture = Capture::start();
    let handle = capture.handle();
    thread::spawn(move || {
        info!("before");
        handle.attach_thread();
        handle.attach_thread();
        let _entered = info_span!("span").entered();
        handle.attach_thread(); // the current span stays
        info!("in it");
        handle.in_scope(|| info!("in the scope"));
        info!("after the scope");
    })
    .join()
    .unwrap();
    let tree = "INFO span{}\n├─ INFO in it\n├─ INFO in the scope\n└─ INFO after the scope";
    assert_eq!(capture.trace().to_string(), tree);
    assert!(capture.trace().all_spans().all(|span| span.stats().is_closed));
}

#[test]
fn capture_that_is_attached_later_replaces_the_one_before() {
    let (first, second) = (Capture::start(), Capture::start());
    let (to_first, to_second) = (first.handle(), second.handle());
    thread::spawn(move || {
        for _ in 0..3 {
            to_first.attach_thread();
            info!("first");
            to_second.attach_thread();
            info!("second");
        }
        to_first.in_scope(|| info!("in the scope of the first"));
        info!("second");
    })
    .join()
    .unwrap();
    let tree = "⟨3×⟩ INFO first\nINFO in the scope of the first";
    assert_eq!(first.finish().to_string(), tree);
    assert_eq!(second.finish().to_string(), "⟨4×⟩ INFO second");
}

#[test]
fn capture_that_was_attached_in_a_scope_may_be_attached_again() {
    let (capture, other) = (Capture::start(), Capture::start());
    let (handle, to_other) = (capture.handle(), other.handle());
    thread::spawn(move || {
        to_other.in_scope(|| {
            handle.attach_thread();
            info!("attached");
        });
        info!("to nobody");
        handle.attach_thread();
        info!("attached again");
    })
    .join()
    .unwrap();
    assert_eq!(capture.finish().to_string(), "INFO attached\nINFO attached again");
    assert_eq!(other.finish().all_events().len(), 0);
}

/// Traces when it is dropped, and attaches, as thread-local values are while their thread ends.
struct Last(std::cell::OnceCell<CaptureHandle>);

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(handle) = self.0.get() {
            info!("as the thread ends");
            handle.attach_thread();
            info!("attached as the thread ends");
        }
    }
}

thread_local! {
    static BEFORE: Last = const { Last(std::cell::OnceCell::new()) };
    static AFTER: Last = const { Last(std::cell::OnceCell::new()) };
}

#[test]
fn thread_that_ends_may_trace_and_be_attached() {
    let capture = Capture::start();
    let handle = capture.handle();
    thread::spawn(move || {
        BEFORE.with(|last| assert!(last.0.set(handle.clone()).is_ok()));
        handle.attach_thread();
        AFTER.with(|last| assert!(last.0.set(handle.clone()).is_ok()));
        info!("on the thread");
    })
    .join()
    .unwrap();
    // What comes after that depends on the order in which the platform drops thread-local values.
    assert!(capture.finish().to_string().starts_with("INFO on the thread"));
}

#[test]
fn thread_outlives_the_capture_that_is_attached_to_it() {
    let (jobs, queue) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    let worker = thread::spawn(move || queue.iter().for_each(|job| job()));
    let capture = Capture::start();
    let handle = capture.handle();
    let (done, is_done) = mpsc::channel();
    jobs.send(Box::new(move || {
        handle.attach_thread();
        info!("in time");
        done.send(()).unwrap();
    }))
    .unwrap();
    is_done.recv().unwrap();
    assert_eq!(capture.finish().to_string(), "INFO in time");

    let other = Capture::start();
    jobs.send(Box::new(|| info!("late"))).unwrap();
    let handle = other.handle();
    jobs.send(Box::new(move || {
        handle.attach_thread();
        info!("for the other one");
    }))
    .unwrap();
    drop(jobs);
    worker.join().unwrap();
    assert_eq!(other.finish().to_string(), "INFO for the other one");
}
