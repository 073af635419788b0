//! Captures on many threads, with tasks and threads of their own, for as long as one likes: nothing is lost,
//! and nothing is mixed.
//!
//! `SPANSHOT_SOAK` sets the number of captures, which is otherwise that of a short run.

use std::{
    env,
    process::Command,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use spanshot::{Capture, CapturedEvent, Trace};
use tokio::{runtime::Runtime, task::yield_now};
use tracing::{Instrument, Span, info, info_span};

const THREADS: usize = 64;
const SHORT: usize = 640;

/// Tells the test harness, and so spanshot, that the process may run more than one test at a time.
const MANY_TESTS: &str = "--test-threads=2";

/// What traces, besides captures: it belongs to none.
const NOBODY: usize = usize::MAX;

/// Events in a span that an [`async_part`] or a [`part`] traces.
const STEPS: usize = 5;

/// Who traces in a capture: its thread, another thread, tasks.
const PARTS: usize = 4;

fn part(capture: usize, part: usize) {
    let _entered = info_span!("part", capture, part).entered();
    for step in 0..STEPS {
        info_span!("step", capture, part, step).in_scope(|| info!(capture, part, step));
    }
}

async fn async_part(capture: usize, part: usize) {
    async {
        for step in 0..STEPS {
            let span = info_span!("step", capture, part, step);
            async {
                yield_now().await;
                info!(capture, part, step);
            }
            .instrument(span)
            .await;
        }
    }
    .instrument(info_span!("part", capture, part))
    .await;
}

/// What carries a capture to a thread or a task.
trait Carrying {
    fn part(&self, capture: usize, part: usize) -> impl FnOnce() + Send + 'static;
    fn async_part(&self, capture: usize, part: usize) -> impl Future<Output = ()> + Send + 'static;
}

impl Carrying for Capture {
    fn part(&self, capture: usize, number: usize) -> impl FnOnce() + Send + 'static {
        self.carry(move || part(capture, number))
    }

    fn async_part(&self, capture: usize, part: usize) -> impl Future<Output = ()> + Send + 'static {
        self.carry_future(async_part(capture, part))
    }
}

/// The span of a test, in the process-wide mode.
impl Carrying for Span {
    fn part(&self, capture: usize, number: usize) -> impl FnOnce() + Send + 'static {
        let span = self.clone();
        move || span.in_scope(|| part(capture, number))
    }

    fn async_part(&self, capture: usize, part: usize) -> impl Future<Output = ()> + Send + 'static {
        async_part(capture, part).instrument(self.clone())
    }
}

/// Has all parts traced.
fn trace(carrying: &impl Carrying, capture: usize, runtime: &Runtime) {
    let tasks = [1, 2].map(|part| runtime.spawn(carrying.async_part(capture, part)));
    let bare = runtime.spawn(async_part(NOBODY, 0));
    let other = thread::spawn(carrying.part(capture, 3));
    part(capture, 0);
    other.join().unwrap();
    runtime.block_on(async {
        for task in tasks.into_iter().chain([bare]) {
            task.await.unwrap();
        }
    });
}

#[derive(Default)]
struct Counts {
    captures: AtomicUsize,
    lost: AtomicUsize,
    mixed: AtomicUsize,
}

impl Counts {
    fn count(&self, capture: usize, trace: &Trace) {
        let steps = PARTS * STEPS;
        let lost = (steps + PARTS).saturating_sub(trace.all_spans().len())
            + steps.saturating_sub(trace.all_events().len());
        let foreign_spans = trace.all_spans().filter(|span| span["capture"] != capture);
        let misplaced = |event: &CapturedEvent<'_>| {
            let step = event.parent();
            let part = step.and_then(|step| step.parent());
            event["capture"] != capture
                || step.is_none_or(|step| {
                    step["capture"] != capture
                        || step["part"] != event["part"]
                        || step["step"] != event["step"]
                })
                || part.is_none_or(|part| part.parent().is_some() || part["part"] != event["part"])
        };
        let mixed = foreign_spans.count() + trace.all_events().filter(misplaced).count();
        self.captures.fetch_add(1, Ordering::Relaxed);
        self.lost.fetch_add(lost, Ordering::Relaxed);
        self.mixed.fetch_add(mixed, Ordering::Relaxed);
        if lost + mixed > 0 {
            eprintln!("capture {capture}: {lost} lost, {mixed} mixed:\n{trace}");
        }
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_mixed() {
    // Here are many tests at a time, whatever nextest or the number of test threads says of the process.
    if !env::args().any(|arg| arg == MANY_TESTS) {
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["nothing_is_lost_and_nothing_is_mixed", "--exact", "--nocapture", MANY_TESTS]);
        assert!(again.env_remove("NEXTEST_EXECUTION_MODE").status().unwrap().success());
        return;
    }

    let captures = env::var("SPANSHOT_SOAK").map_or(SHORT, |number| number.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).build().unwrap();
    let (counts, next) = (Counts::default(), AtomicUsize::new(0));
    let (start, is_over) = (Barrier::new(THREADS + 1), AtomicBool::new(false));
    thread::scope(|scope| {
        let bare = scope.spawn(|| {
            start.wait();
            while !is_over.load(Ordering::Relaxed) {
                part(NOBODY, 0);
                thread::yield_now();
            }
        });
        let threads = [(); THREADS].map(|()| {
            scope.spawn(|| {
                start.wait();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= captures {
                        break;
                    }
                    let capture = if number % 2 == 0 {
                        let capture = Capture::start();
                        trace(&capture, number, &runtime);
                        capture
                    } else {
                        let capture = Capture::start_process_wide();
                        trace(&Span::current(), number, &runtime);
                        capture
                    };
                    counts.count(number, &capture.finish());
                }
            })
        });
        let results = threads.map(thread::ScopedJoinHandle::join);
        is_over.store(true, Ordering::Relaxed); // also if a thread has panicked
        bare.join().unwrap();
        assert!(results.iter().all(Result::is_ok));
    });
    let Counts { captures: counted, lost, mixed } = counts;
    let counts = [counted, lost, mixed].map(AtomicUsize::into_inner);
    println!("{} captures, {} lost, {} mixed", counts[0], counts[1], counts[2]);
    assert_eq!(counts, [captures, 0, 0]);
}
