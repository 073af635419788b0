//! That a failure over a million events makes what it shows and nothing else. The allocator, which tells, is
//! that of the process.

#![allow(unsafe_code, reason = "an allocator is")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use spanshot::{Capture, Trace, predicates::*};
use tracing::{Level, info, info_span};

struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: as above.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATED.try_with(|allocated| allocated.set(allocated.get() + layout.size()));
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: as above.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// All that may be allocated for one failure, whether or not it is still held in the end.
const MAX_ALLOCATED: usize = 64 * 1_024;

fn trace(events: u64) -> Trace {
    let capture = Capture::start();
    info_span!("flood").in_scope(|| {
        for index in 0..events {
            info!(index, text = "it is of no interest", "event");
        }
    });
    capture.trace()
}

/// Counts the bytes that are allocated while an assertion fails, one by one and all in all.
#[track_caller]
fn check<T>(len: u64, mut failing: impl FnMut() -> Result<T, ScanError>) -> String {
    ALLOCATED.set(0);
    let error = failing().map(drop).expect_err("it does not hold").to_string();
    let allocated = ALLOCATED.get();
    assert!(allocated < MAX_ALLOCATED, "{allocated} bytes for {len} events: {error}");
    assert!(error.lines().count() < 100, "{error}");
    error
}

#[test]
fn million_events_name_the_one() {
    let len = 1_000_000;
    let trace = trace(len);
    let events = trace.scan_events();
    let rare = message(eq("event")) & field("index", len - 2) & field("text", "of interest");
    let message = check(len, || events.try_single(&rare));
    let nearest = format!("nearest of {len} events:\n  INFO event index={} text=", len - 2);
    assert!(message.contains(&nearest), "{message}");
    assert!(message.contains(&format!("\n▶ ├─ INFO event index={}", len - 2)), "{message}");
    let message = check(len, || events.try_none(&level(Level::INFO)));
    assert!(message.starts_with(&format!("{len} events should not match")), "{message}");
}

#[test]
fn failures_do_not_build_what_they_do_not_show() {
    let len = 20_000;
    let trace = trace(len);
    let events = trace.scan_events();

    // No event matches.
    let none = (!field("index", value(ge(0_u64)))) | parent(level(Level::WARN));
    check(len, || events.try_first(&none));
    check(len, || events.try_last(&(none & always())));
    check(len, || events.try_any(&(field("index", len) | message(eq("events")))));

    // All of them match, or some.
    check(len, || events.try_all(&field("index", 1)));
    check(len, || events.try_single(&always()));
    check(len, || events.try_count(..=1, &always()));
    let message = check(len, || events.try_count(2..=3, &always()));
    assert!(message.starts_with(&format!("{len} events match instead of 2 to 3")), "{message}");
    check(len, || events.try_count(5.., &field("index", value(lt(3_u64)))));

    // They are not in this order.
    let (first, last) = (field("index", 0), field("index", len - 1));
    check(len, || events.try_in_order(&[&first, &last, &first]));
    check(len, || events.try_in_a_row(&[&first, &last]));
    check(len, || events.try_exactly(&[&first]));

    // They are in a span.
    let spans = trace.scan_spans();
    let flood = spans.single(&name(eq("flood")));
    check(len, || flood.scan_events().try_none(&first));
    check(len, || flood.deep_scan_events().try_single(&field("index", len)));
    check(len, || spans.try_none(&name(eq("flood"))));
}
