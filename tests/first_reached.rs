//! Call sites that a thread without a subscriber reaches first, many of them, and while many threads
//! capture. `tracing-core` caches what it is told then for the whole process.
//!
//! With the subscribers of other tests in the process it would not, and captures heal it for the
//! published crate. So the first test compares the two in processes of their own: this binary again, told by
//! an environment variable that it is another one.

use std::{
    env,
    process::Command,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use spanshot::Capture;
use tracing::{info, info_span, subscriber};
use tracing_subscriber::layer::SubscriberExt;

const OTHER: &str = "SPANSHOT_TEST_FIRST_REACHED";

const SITES: usize = 200;

/// A call site of spans and one of events. It is told who traces.
type Site = fn(usize);

macro_rules! sites {
    ($($ten:literal)+) => { [$(sites!(@ten $ten)),+] };
    (@ten $ten:literal) => { sites!(@each $ten; 0 1 2 3 4 5 6 7 8 9) };
    (@each $ten:literal; $($one:literal)+) => {
        [$({
            let site: Site = |tracer| {
                let number = $ten * 10 + $one;
                info_span!("span", tracer, number).in_scope(|| info!(tracer, number, "event"));
            };
            site
        }),+]
    };
}

/// They are distinct wherever this is called.
macro_rules! two_hundred_sites {
    () => { sites!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19).concat() };
}

/// Runs through the call sites.
fn trace_all(sites: &[Site], tracer: usize) {
    for site in sites {
        site(tracer);
    }
}

/// Runs through the call sites, each of which was reached by a bare thread just before.
fn trace_second(sites: Vec<Site>, tracer: usize) {
    assert_eq!(sites.len(), SITES);
    for site in sites {
        // The thread has no subscriber.
        thread::spawn(move || site(usize::MAX)).join().unwrap();
        site(tracer);
    }
}

/// Checks that a capture has what one thread traced, and nothing else.
#[track_caller]
fn assert_is_of(capture: &Capture, tracer: usize) {
    let trace = capture.trace();
    assert_eq!((trace.all_spans().len(), trace.all_events().len()), (SITES, SITES));
    for (number, (span, event)) in trace.all_spans().zip(trace.all_events()).enumerate() {
        assert!(span["tracer"] == tracer && span["number"] == number, "{span:?}");
        assert!(event["tracer"] == tracer && event["number"] == number, "{event:?}");
        assert_eq!(event.parent(), Some(span));
    }
}

#[test]
fn sites_that_bare_threads_reached_before_the_capture_started_are_captured() {
    let sites = two_hundred_sites!();
    let bare = sites.clone();
    thread::spawn(move || trace_all(&bare, usize::MAX)).join().unwrap();
    let capture = Capture::start();
    trace_all(&sites, 1);
    assert_is_of(&capture, 1);
}

#[test]
fn captures_of_many_threads_neither_lose_nor_mix() {
    const CAPTURING: usize = 32;
    const BARE: usize = 8;

    let sites = two_hundred_sites!();
    let start = Barrier::new(CAPTURING + BARE);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..BARE {
            scope.spawn(|| {
                start.wait();
                while !is_over.load(Ordering::Relaxed) {
                    trace_all(&sites, usize::MAX);
                    thread::yield_now();
                }
            });
        }
        let capturing: Vec<_> = (0..CAPTURING)
            .map(|tracer| {
                let (start, sites) = (&start, &sites);
                scope.spawn(move || {
                    start.wait();
                    let capture = Capture::start();
                    trace_all(sites, tracer);
                    assert_is_of(&capture, tracer);
                })
            })
            .collect();
        let results: Vec<_> = capturing.into_iter().map(thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed); // also if one has failed
        assert!(results.iter().all(Result::is_ok));
    });
}

/// Runs a test in a process of its own, and returns what it printed.
fn printed_elsewhere(test: &str) -> String {
    let other = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(OTHER, "1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&other.stdout).into_owned();
    assert!(other.status.success(), "{output}\n{}", String::from_utf8_lossy(&other.stderr));
    output
}

#[test]
fn sites_that_bare_threads_reach_first_are_captured_and_lost_to_the_published_crate() {
    let ours = printed_elsewhere("be_a_capture");
    assert!(ours.contains("captured: 200 spans, 200 events\n"), "{ours}");
    let published = printed_elsewhere("be_the_published_crate");
    assert!(published.contains("captured: 0 spans, 0 events\n"), "{published}");
}

/// Does nothing unless it is the other process.
#[test]
fn be_a_capture() {
    if env::var_os(OTHER).is_none() {
        return;
    }
    let capture = Capture::start();
    trace_second(two_hundred_sites!(), 1);
    let trace = capture.trace();
    println!("captured: {} spans, {} events", trace.all_spans().len(), trace.all_events().len());
    assert_is_of(&capture, 1);
}

/// Does nothing unless it is the other process.
#[test]
fn be_the_published_crate() {
    if env::var_os(OTHER).is_none() {
        return;
    }
    let storage = tracing_capture::SharedStorage::default();
    let layer = tracing_capture::CaptureLayer::new(&storage);
    let subscriber = tracing_subscriber::registry().with(layer);
    subscriber::with_default(subscriber, || trace_second(two_hundred_sites!(), 1));
    let storage = storage.lock();
    let (spans, events) = (storage.all_spans().len(), storage.all_events().len());
    println!("captured: {spans} spans, {events} events");
}
