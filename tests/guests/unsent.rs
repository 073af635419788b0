//! Guests that have traced something, and have not sent it: the trace may lack it.

use std::{
    env, fs, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
};

use spanshot::{
    Capture, LocalSpans, SharedStorage, Trace, TracingEventReceiver, assert_trace_snapshot,
    predicates::*, transport::wasm_host::GuestTrace,
};
use tracing::{Level, info};

use super::{engine::Instance, host::Host};

/// How large the buffers of guests are.
const BUFFERS: [u32; 3] = [0, 60, 1 << 16];

/// What a guest learns that asks depends on all subscribers of the process: there is one test at a time.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn instance(trace: GuestTrace) -> Instance {
    let committed = include_bytes!("../../examples/shop_guest.wasm");
    let wasm = match env::var("SPANSHOT_GUESTS") {
        Ok(dir) => fs::read(format!("{dir}/shop_guest.wasm")).unwrap(),
        Err(_) => committed.to_vec(),
    };
    Instance::new(&wasm, Host::with_trace(trace))
}

/// Starts a shop with a buffer of this many bytes, which may ask its host.
fn shop(buffer: u32, asks: bool) -> Instance {
    let mut shop = instance(GuestTrace::default());
    assert_eq!(shop.call("install", &[buffer, asks.into()]), Ok(1));
    shop
}

fn read_buffer(shop: &mut Instance) {
    let (memory, host) = shop.memory();
    host.trace.read_buffer(memory).unwrap();
}

fn tell_filter(shop: &mut Instance) {
    let (memory, host) = shop.memory();
    host.trace.tell_filter(memory);
}

/// Returns the reason for which an assertion is refused that an event is missing, which is indeed not in the trace.
#[track_caller]
fn refusal(trace: &Trace, absent: &str) -> String {
    let absent = message(eq(absent));
    assert_eq!(trace.scan_events().or_empty().matches(&absent).len(), 0, "{trace}");
    trace.scan_events().try_none(&absent).unwrap_err().to_string()
}

const UNTOLD: &str = "a guest that asks for the filter has run with answers from an earlier capture, so that it may \
                      have sent too little (call `GuestTrace::tell_filter(memory)` right after `relay_here()` or \
                      `restore()`, before you call the guest)";

/// A shop that has learned that nothing of an order is wanted. One of no items calls no function of the host.
fn silent_shop(buffer: u32) -> Instance {
    let capture = Capture::builder().filter("error").start();
    let mut shop = shop(buffer, true);
    shop.call("order", &[0]).unwrap();
    read_buffer(&mut shop);
    assert_eq!(capture.trace().roots().len(), 0);
    shop
}

#[test]
fn guest_that_goes_by_an_earlier_filter_may_have_sent_too_little() {
    let _one = one_at_a_time();
    for buffer in BUFFERS {
        let mut shop = silent_shop(buffer);
        let capture = Capture::builder().filter("trace").start();
        shop.memory().1.trace.relay_here().unwrap();
        info!("by the host");
        capture.trace().scan_events().none(&message("served")); // the guest has not run yet

        shop.call("order", &[0]).unwrap();
        read_buffer(&mut shop);
        info!("by the host");
        let trace = capture.trace();
        assert_eq!(trace.to_string(), "⟨2×⟩ INFO by the host", "it sends nothing: {buffer}");
        let refused = refusal(&trace, "served");
        assert!(refused.contains(UNTOLD), "{refused}");
        let failed = trace.scan_spans().try_single(&name("order")).unwrap_err().to_string();
        assert!(failed.contains(UNTOLD), "{failed}");

        // What has been missed stays so.
        tell_filter(&mut shop);
        shop.call("order", &[0]).unwrap();
        read_buffer(&mut shop);
        let trace = capture.trace();
        assert_eq!(trace.scan_events().matches(&message("served")).len(), 1, "{trace}");
        assert!(refusal(&trace, "missing").contains(UNTOLD));
        // But the taken trace lacks it.
        capture.take();
        info!("by the host");
        capture.trace().scan_events().none(&message("missing"));
        drop(capture);

        // The next capture has missed nothing.
        let capture = Capture::start();
        shop.memory().1.trace.relay_here().unwrap();
        tell_filter(&mut shop);
        shop.call("order", &[0]).unwrap();
        read_buffer(&mut shop);
        assert_is_complete(&capture.trace());
    }
}

/// An order is served, and the capture knows of all that the guest has traced.
#[track_caller]
fn assert_is_complete(trace: &Trace) {
    trace.scan_events().single(&message("served"));
    trace.scan_events().none(&message("missing"));
}

#[test]
fn guest_that_knows_of_nothing_unwanted_need_not_be_told() {
    let _one = one_at_a_time();
    for buffer in BUFFERS {
        let first = Capture::start();
        let mut shop = shop(buffer, true);
        shop.call("order", &[0]).unwrap();
        read_buffer(&mut shop);
        drop(first);
        let capture = Capture::builder().filter("trace").start();
        shop.memory().1.trace.relay_here().unwrap();
        shop.call("order", &[0]).unwrap();
        read_buffer(&mut shop);
        assert_is_complete(&capture.trace());
    }
}

#[test]
fn silent_guest_of_an_earlier_capture_is_noticed_when_it_is_called() {
    let _one = one_at_a_time();
    for buffer in BUFFERS {
        let mut shop = silent_shop(buffer);
        let capture = Capture::builder().filter("trace").start();
        info!("by the host");
        shop.call("order", &[0]).unwrap(); // `relay_here()` is forgotten
        let refused = refusal(&capture.trace(), "served");
        let expected = "a receiver that was called in this capture relays to one that has ended";
        assert!(refused.contains(expected), "{refused}");
        assert!(refused.contains("`GuestTrace::relay_here()`"), "{refused}");
    }
}

#[test]
fn restored_guest_goes_by_an_earlier_filter_until_it_is_told() {
    let _one = one_at_a_time();
    for buffer in BUFFERS {
        for is_told in [false, true] {
            let mut shop = silent_shop(buffer);
            let (guest, _) = mem::take(&mut shop.memory().1.trace).persist();
            let memory = shop.memory().0.to_vec();
            let capture = Capture::start();
            let trace = GuestTrace::restore(guest, LocalSpans::default()).unwrap();
            let mut shop = instance(trace);
            shop.restore_memory(&memory);
            if is_told {
                tell_filter(&mut shop);
            }
            info!("by the host");
            shop.call("order", &[0]).unwrap();
            read_buffer(&mut shop);
            let trace = capture.trace();
            if is_told {
                assert_is_complete(&trace);
            } else {
                assert!(refusal(&trace, "missing").contains(UNTOLD));
            }
        }
    }
}

const UNREAD: &str = "a guest that buffers has run since its buffer was read, so that its last records may be missing (call \
                      `GuestTrace::read_buffer(memory)` after each call of the guest, when its scope has ended)";

#[test]
fn guest_that_returns_may_have_records_in_its_buffer() {
    let _one = one_at_a_time();
    for asks in [false, true] {
        let capture = Capture::start();
        let mut shop = shop(1 << 16, asks);
        info!("by the host");
        shop.call("shift", &[7]).unwrap();
        let trace = capture.trace();
        let refused = refusal(&trace, "open");
        assert!(refused.contains(UNREAD), "{refused}");
        let failed = trace.scan_spans().try_single(&name("shop")).unwrap_err().to_string();
        assert!(failed.contains(UNREAD), "{failed}");

        read_buffer(&mut shop);
        assert!(refusal(&trace, "open").contains(UNREAD), "it belongs to the time before");
        let trace = capture.trace();
        trace.scan_events().single(&message("open"));
        trace.scan_events().none(&message("missing"));

        // A guest that has nothing in its buffer might have.
        shop.call("formatted", &[]).unwrap();
        assert!(refusal(&capture.trace(), "missing").contains(UNREAD));
        // While it is called, it may run on.
        let (memory, host) = shop.memory();
        host.trace.scope().in_scope(|| {
            host.trace.read_buffer(memory).unwrap();
            capture.trace().scan_events().none(&message("missing"));
        });
        assert!(refusal(&capture.trace(), "missing").contains(UNREAD));
        read_buffer(&mut shop);
        capture.trace().scan_events().none(&message("missing"));

        // If it is gone, so is its buffer.
        shop.call("shift", &[0]).unwrap();
        drop(shop);
        assert!(refusal(&capture.take(), "missing").contains(UNREAD));
        info!("by the host");
        capture.trace().scan_events().none(&message("missing"));
    }
}

#[test]
fn guest_that_sends_at_once_has_nothing_in_its_buffer() {
    let _one = one_at_a_time();
    for asks in [false, true] {
        let capture = Capture::start();
        let mut shop = shop(0, asks);
        shop.call("shift", &[7]).unwrap();
        capture.trace().scan_events().none(&message("missing"));
    }
}

#[test]
fn checks_and_snapshots_want_the_buffer_of_a_guest_to_be_read() {
    let _one = one_at_a_time();
    for reads in [false, true] {
        let capture = Capture::builder().fail_on_events(Level::ERROR).start();
        let mut shop = shop(1 << 16, false);
        shop.call("order", &[0]).unwrap();
        if reads {
            read_buffer(&mut shop);
        }
        let snapshot = || {
            assert_trace_snapshot!(capture.trace(), @r"
            INFO order{items=0 total=0}
            └─ INFO served
            ");
        };
        assert_eq!(catch_unwind(AssertUnwindSafe(snapshot)).is_ok(), reads);
        let finished = catch_unwind(AssertUnwindSafe(|| capture.finish()));
        if reads {
            finished.unwrap();
        } else {
            let findings = finished.unwrap_err().downcast::<String>().unwrap();
            assert!(findings.contains("a guest that buffers has run"), "{findings}");
        }
    }
}

#[test]
fn buffer_of_a_guest_that_is_captured_directly_is_to_be_read() {
    let _one = one_at_a_time();
    let storage = SharedStorage::default();
    let mut shop = instance(GuestTrace::new(TracingEventReceiver::capturing(&storage)));
    shop.call("install", &[1 << 16, 0]).unwrap();
    shop.call("order", &[0]).unwrap();
    assert!(refusal(&storage.lock(), "missing").contains(UNREAD));
    read_buffer(&mut shop);
    storage.lock().scan_events().single(&message("served"));
    storage.lock().scan_events().none(&message("missing"));
}

#[test]
fn buffer_of_a_suspended_guest_is_read_before_or_afterwards() {
    let _one = one_at_a_time();
    for is_here in [false, true] {
        let capture = Capture::start();
        let mut shop = shop(1 << 16, false);
        shop.call("shift", &[7]).unwrap();
        let (guest, local_spans) = mem::take(&mut shop.memory().1.trace).persist();
        let memory = shop.memory().0.to_vec();
        assert!(refusal(&capture.trace(), "open").contains(UNREAD));
        // It goes on in this process, or as in another one.
        let next = if is_here { capture } else { Capture::start() };
        let local_spans = if is_here { local_spans } else { LocalSpans::default() };
        let mut shop = instance(GuestTrace::restore(guest, local_spans).unwrap());
        shop.restore_memory(&memory);
        info!("by the host");
        assert!(refusal(&next.trace(), "open").contains(UNREAD), "{is_here}");
        read_buffer(&mut shop);
        next.trace().scan_events().single(&message("open"));
        next.trace().scan_events().none(&message("missing"));
    }
}
