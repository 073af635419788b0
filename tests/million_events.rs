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
    /// Bytes that are held, more or less than at the beginning, and most of them at a time.
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn hold(bytes: isize) {
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        held.set((now + bytes, most.max(now + bytes)));
    });
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: as above.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        hold(isize::try_from(layout.size()).unwrap_or(isize::MAX));
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: as above.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-isize::try_from(layout.size()).unwrap_or(isize::MAX));
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most that may be held at a time for one failure.
const MAX_HELD: isize = 64 * 1_024;

fn trace(events: u64) -> Trace {
    let capture = Capture::start();
    info_span!("flood").in_scope(|| {
        for index in 0..events {
            info!(index, text = "it is of no interest", "event");
        }
    });
    capture.trace()
}

/// Counts the bytes that are held while an assertion fails.
#[track_caller]
fn check<T>(len: u64, mut failing: impl FnMut() -> Result<T, ScanError>) -> String {
    HELD.set((0, 0));
    let error = failing().map(drop).expect_err("it does not hold").to_string();
    let (_, held) = HELD.get();
    assert!(held < MAX_HELD, "{held} bytes for {len} events: {error}");
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
