//! Tests over WASM guests, in whichever engine `super::engine` is.

use std::{cell::RefCell, env, fs, mem, rc::Rc};

use spanshot::{
    Capture, CaptureLayer, LocalSpans, SharedStorage, TracedValue, TracingEventReceiver,
    predicates::*,
    transport::wasm_host::{GuestError, GuestTrace, PersistedGuest},
};
use tracing::{Level, dispatcher, info, info_span};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, reload};

use super::{engine::Instance, host::Host};

pub(crate) const SHOP: &[u8] = include_bytes!("../../examples/shop_guest.wasm");
const TUNNEL: &[u8] = include_bytes!("tunnel.wasm");

/// A buffer that never gets full here.
pub(crate) const LARGE: u32 = 1 << 16;

/// The ways in which frames come to the host.
pub(crate) const BUFFERS: [u32; 3] = [0, 60, LARGE];

/// The committed guest, or the one of the directory that `SPANSHOT_GUESTS` names.
pub(crate) fn wasm(name: &str, committed: &[u8]) -> Vec<u8> {
    match env::var("SPANSHOT_GUESTS") {
        Ok(dir) => fs::read(format!("{dir}/{name}")).unwrap(),
        Err(_) => committed.to_vec(),
    }
}

/// Starts a shop with a buffer of this many bytes, which may ask its host.
pub(crate) fn shop(host: Host, buffer: u32, asks: bool) -> Instance {
    let mut shop = Instance::new(&wasm("shop_guest.wasm", SHOP), host);
    assert_eq!(shop.call("install", &[buffer, u32::from(asks)]), Ok(1));
    assert_eq!(shop.call("install", &[buffer, u32::from(asks)]), Ok(0), "once is enough");
    shop
}

/// Reads what is left in the buffer.
pub(crate) fn read_buffer(shop: &mut Instance) {
    let (memory, host) = shop.memory();
    host.trace.read_buffer(memory).unwrap();
}

/// What an order gives under a filter of the host, with how often a receipt was formatted, and what
/// the guest takes for enabled.
fn order_under(filter: &str, items: u32, buffer: u32, asks: bool) -> (String, u32, u32) {
    let capture = Capture::builder().filter(filter).start();
    let mut shop = shop(Host::default(), buffer, asks);
    let total = shop.call("order", &[items]);
    assert_eq!(total, Ok((0..items).map(|item| item * 40).sum()));
    read_buffer(&mut shop);
    let formatted = shop.call("formatted", &[]).unwrap();
    let enabled = shop.call("enabled_here", &[]).unwrap();
    (capture.trace().to_string(), formatted, enabled)
}

const NOTHING: &str = "(nothing was captured)";

const WHOLE_ORDER: &str = "\
INFO order{items=2 total=40}
├─ DEBUG item{item=0 price=0}
│  └─ TRACE printed receipt=receipt no. 0
├─ DEBUG item{item=1 price=40}
│  └─ TRACE printed receipt=receipt no. 1
└─ INFO served";

#[test]
fn trace_is_the_same_at_once_or_buffered_whether_or_not_the_guest_asks() {
    for buffer in BUFFERS {
        for asks in [false, true] {
            let (trace, formatted, enabled) = order_under("trace", 2, buffer, asks);
            assert_eq!(trace, WHOLE_ORDER, "buffer of {buffer}, asks: {asks}");
            assert_eq!((formatted, enabled), (2, 0b11111));
        }
    }
}

#[test]
fn guest_that_asks_formats_only_what_is_wanted() {
    for buffer in BUFFERS {
        let order = "INFO order{items=2 total=40}\n└─ INFO served".to_owned();
        assert_eq!(order_under("info", 2, buffer, false), (order.clone(), 2, 0b11111));
        assert_eq!(order_under("info", 2, buffer, true), (order, 0, 0b01011));
        let nothing = NOTHING.to_owned();
        assert_eq!(order_under("off,noisy=trace", 2, buffer, true), (nothing, 0, 0b11000));
    }
}

#[test]
fn record_into_the_current_span_goes_to_the_enabled_one_around() {
    // The price of an item is recorded into the span that is around it: it has no such field. Natively,
    // and if the guest asks, nothing is recorded into a span that is not there.
    for asks in [false, true] {
        let capture = Capture::builder().filter("info").start();
        let mut shop = shop(Host::default(), 0, asks);
        shop.call("order", &[1]).unwrap();
        let trace = capture.trace();
        let order = trace.scan_spans().single(&name(eq("order")));
        assert_eq!(order["total"], TracedValue::UInt(0));
        assert_eq!(order.values().count(), 2);
    }
}

#[test]
fn guest_that_asks_is_under_the_span_directives_of_the_host() {
    for buffer in BUFFERS {
        let storage = SharedStorage::default();
        let filter = EnvFilter::new("info,[item{item=1}]=trace");
        let subscriber =
            tracing_subscriber::registry().with(filter).with(CaptureLayer::new(&storage));
        tracing::subscriber::with_default(subscriber, || {
            let mut shop = shop(Host::default(), buffer, true);
            shop.call("order", &[3]).unwrap();
            read_buffer(&mut shop);
            assert_eq!(shop.call("formatted", &[]), Ok(1));
        });
        assert_eq!(
            storage.lock().to_string(),
            "INFO order{items=3 total=120}\n\
             ├─ DEBUG item{item=0 price=0}\n\
             ├─ DEBUG item{item=1 price=40}\n\
             │  └─ TRACE printed receipt=receipt no. 1\n\
             ├─ DEBUG item{item=2 price=80}\n\
             └─ INFO served"
        );
    }
}

#[test]
fn guest_learns_that_the_filter_has_changed() {
    let storage = SharedStorage::default();
    let (filter, handle) = reload::Layer::new(EnvFilter::new("off"));
    let subscriber = tracing_subscriber::registry().with(filter).with(CaptureLayer::new(&storage));
    tracing::subscriber::with_default(subscriber, || {
        let changing = handle.clone();
        let host = Host::with_prices(move |item| {
            if item == 1 {
                changing.reload("trace").unwrap();
            }
            0
        });
        let mut shop = shop(host, 0, true);
        shop.call("order", &[1]).unwrap();
        assert_eq!(storage.lock().to_string(), NOTHING);

        // While the guest does not run: the host tells it.
        handle.reload("info").unwrap();
        let (memory, host) = shop.memory();
        host.trace.tell_filter(memory);
        shop.call("order", &[1]).unwrap();
        assert_eq!(storage.take().to_string(), "INFO order{items=1 total=0}\n└─ INFO served");

        // While it runs: it learns with the next thing that it sends.
        shop.call("order", &[3]).unwrap();
        let trace = storage.take();
        trace.scan_events().single(&message(eq("served")));
        let (memory, host) = shop.memory();
        host.trace.tell_filter(memory);
        shop.call("order", &[2]).unwrap();
        assert_eq!(storage.take().all_events().len(), 3);
        assert_eq!(shop.call("enabled_here", &[]), Ok(0b11111));
    });
}

#[test]
fn buffer_is_sent_by_size_on_span_close_and_by_hand() {
    let capture = Capture::start();
    let mut large = shop(Host::default(), LARGE, false);
    large.call("shift", &[1]).unwrap();
    assert_eq!(capture.trace().to_string(), NOTHING);
    large.call("flush", &[]).unwrap();
    assert_eq!(capture.take().to_string(), "INFO shift{number=1}\n└─ DEBUG open");

    large.call("shift", &[2]).unwrap();
    let trace = capture.take().to_string(); // the first shift was closed; the second is in the buffer
    assert_eq!(trace, "INFO shift{number=1}");
    large.call("flush", &[]).unwrap();
    drop(large);
    capture.take();

    // Two frames of a call site do not fit into 60 bytes at once, nor does one.
    let mut small = shop(Host::default(), 60, false);
    small.call("shift", &[1]).unwrap();
    assert_eq!(capture.trace().scan_spans().matches(&name(eq("shift"))).len(), 1);
}

#[test]
fn trap_loses_nothing_of_what_was_traced_before() {
    let traces = BUFFERS.map(|buffer| {
        let capture = Capture::start();
        let mut shop = shop(Host::default(), buffer, false);
        shop.call("order", &[13]).unwrap_err();
        let before = capture.trace().all_events().len();
        read_buffer(&mut shop);
        let trace = capture.trace();
        if buffer == LARGE {
            assert!(before < trace.all_events().len(), "the last ones were in the buffer");
        }
        let last = trace.scan_spans().single(&field("item", 12));
        let warning = level(Level::WARN) & message(eq("expensive")) & field("price", 480);
        last.scan_events().single(&warning);
        read_buffer(&mut shop);
        assert_eq!(capture.trace().to_string(), trace.to_string(), "it is read once");

        // The instance may go on: its stream does, too.
        capture.take();
        shop.call("flush", &[]).unwrap();
        shop.call("shift", &[1]).unwrap();
        shop.call("flush", &[]).unwrap();
        assert_eq!(capture.trace().scan_events().matches(&message(eq("open"))).len(), 1);
        let (_, host) = shop.memory();
        assert_eq!(host.trace.errors(), 0);
        trace.to_string()
    });
    assert!(traces.iter().all(|trace| *trace == traces[0]), "{traces:#?}");
}

#[test]
fn what_the_host_traces_in_a_call_stands_under_the_span_of_the_guest() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let host = Host::with_prices(|item| {
            info_span!("asked", item).in_scope(|| info!("by the shop"));
            0
        });
        let mut shop = shop(host, buffer, false);
        info_span!("host").in_scope(|| shop.call("order", &[1]).unwrap());
        read_buffer(&mut shop);
        assert_eq!(
            capture.trace().to_string(),
            "INFO host{}\n\
             └─ INFO order{items=1 total=0}\n   \
                ├─ DEBUG item{item=0 price=0}\n   \
                │  ├─ INFO asked{item=0}\n   \
                │  │  └─ INFO by the shop\n   \
                │  └─ TRACE printed receipt=receipt no. 0\n   \
                └─ INFO served"
        );
    }
}

#[test]
fn guests_call_one_another_through_the_host() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let mut wholesale = shop(Host::default(), buffer, true);
        let host = Host::with_prices(move |item| wholesale.call("order", &[item + 1]).unwrap());
        let mut retail = shop(host, buffer, true);
        retail.call("order", &[1]).unwrap();
        assert_eq!(
            capture.trace().to_string(),
            "INFO order{items=1 total=0}\n\
             ├─ DEBUG item{item=0 price=0}\n\
             │  ├─ INFO order{items=1 total=0}\n\
             │  │  ├─ DEBUG item{item=0 price=0}\n\
             │  │  │  └─ TRACE printed receipt=receipt no. 0\n\
             │  │  └─ INFO served\n\
             │  └─ TRACE printed receipt=receipt no. 0\n\
             └─ INFO served",
            "buffer of {buffer}"
        );
    }
}

#[test]
fn guest_is_called_again_by_a_function_that_it_has_called() {
    for (buffer, asks) in ways() {
        let capture = Capture::start();
        let mut shop = shop(Host::default(), buffer, asks);
        shop.memory().1.nested_order = Some(1);
        shop.call("order", &[1]).unwrap();
        read_buffer(&mut shop);
        assert_eq!(
            capture.trace().to_string(),
            "INFO order{items=1 total=0}\n\
             ├─ DEBUG item{item=0 price=0}\n\
             │  ├─ INFO nested{}\n\
             │  │  ├─ INFO order{items=1 total=0}\n\
             │  │  │  ├─ DEBUG item{item=0 price=0}\n\
             │  │  │  │  └─ TRACE printed receipt=receipt no. 0\n\
             │  │  │  └─ INFO served\n\
             │  │  └─ INFO back in the host\n\
             │  └─ TRACE printed receipt=receipt no. 0\n\
             └─ INFO served",
            "buffer of {buffer}, asks: {asks}"
        );
    }
}

#[test]
fn host_whose_guest_has_trapped_in_a_nested_call_is_back_in_the_outer_one() {
    for (buffer, asks) in ways() {
        let capture = Capture::start();
        let mut shop = shop(Host::default(), buffer, asks);
        shop.memory().1.nested_order = Some(13);
        info_span!("host").in_scope(|| shop.call("order", &[1]).unwrap());
        info!("by the host");
        read_buffer(&mut shop);
        let trace = capture.trace();
        let back = trace.scan_events().single(&message(eq("back in the host")));
        let names: Vec<_> = back.ancestors().map(|span| span.metadata().name()).collect();
        assert_eq!(names, ["nested", "item", "order", "host"], "{buffer}, {asks}:\n{trace}");
        trace.scan_events().single(&(message(eq("by the host")) & !parent(always())));
        // The guest itself is still where it trapped, and what it traces afterwards is there.
        trace.scan_spans().single(&(field("item", 12) & !closed()));
        assert_eq!(shop.memory().1.trace.errors(), 0);
    }
}

#[test]
fn instances_have_streams_of_their_own() {
    let storages: [_; 3] = std::array::from_fn(|_| SharedStorage::default());
    let mut shops = storages.each_ref().map(|storage| {
        let receiver = TracingEventReceiver::capturing(storage);
        Some(shop(Host::with_trace(GuestTrace::new(receiver)), 0, true))
    });
    for shift in 1..=3 {
        for (number, shop) in (0..).zip(&mut shops) {
            if let Some(shop) = shop {
                shop.call("shift", &[shift * 10 + number]).unwrap();
            }
        }
        if shift == 2 {
            shops[1] = None; // in the middle of its shift
        }
    }
    for (number, storage) in (0..).zip(&storages) {
        let trace = storage.lock();
        let shifts: Vec<_> =
            trace.all_spans().map(|span| span["number"].as_uint().unwrap()).collect();
        let expected: Vec<_> = (1..=3).map(|shift| shift * 10 + number).collect();
        assert_eq!(shifts, expected[..if number == 1 { 2 } else { 3 }]);
        let is_closed: Vec<_> = trace.all_spans().map(|span| span.stats().is_closed).collect();
        assert_eq!(is_closed, [true, true, false][..shifts.len()]);
    }
}

#[test]
fn instance_that_is_dropped_in_the_middle_leaves_the_others_as_they_are() {
    let capture = Capture::start();
    let mut first = shop(Host::default(), 0, false);
    first.call("shift", &[1]).unwrap();
    let mut second = shop(Host::default(), 0, false);
    second.call("shift", &[2]).unwrap();
    drop(first);
    second.call("order", &[0]).unwrap();
    second.call("shift", &[0]).unwrap();
    info!("after all");
    let trace = capture.trace();
    // The host was in each during the call that opened it, and during those that came while it was open.
    for (shift, calls) in trace.all_spans().zip([1, 3]) {
        let stats = shift.stats();
        assert_eq!(
            (stats.entered, stats.exited, stats.is_closed),
            (calls, calls, true),
            "{shift:.0}"
        );
    }
    let order = trace.scan_spans().single(&name(eq("order")));
    assert_eq!(order.parent().unwrap()["number"], 2_u32);
    assert!(trace.scan_events().single(&message(eq("after all"))).parent().is_none());
}

#[test]
fn guest_that_is_traced_by_tracing_tunnel_is_received_in_json() {
    let capture = Capture::start();
    let mut guest = Instance::new(&wasm("tunnel.wasm", TUNNEL), Host::default());
    guest.call("connect", &[8_080]).unwrap();
    assert_eq!(
        capture.trace().to_string(),
        "INFO connect{port=8080 tries=2}\n\
         ├─ DEBUG try{attempt=1}\n\
         │  └─ WARN no answer error=Some(\"refused\")\n\
         ├─ DEBUG try{attempt=2}\n\
         │  └─ WARN no answer error=Some(\"refused\")\n\
         └─ ERROR gave up ratio=0.5"
    );
}

/// A guest that hands over what it is told to, through `spanshot.send`.
const RAW: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x06\x01\x60\x02\x7f\x7f\0\
    \x02\x11\x01\x08spanshot\x04send\0\0\
    \x03\x02\x01\0\
    \x05\x03\x01\0\x01\
    \x07\x11\x02\x06memory\x02\0\x04send\0\x01\
    \x0a\x0a\x01\x08\0\x20\0\x20\x01\x10\0\x0b";

#[test]
fn what_is_refused_traps_the_guest_and_says_where() {
    let capture = Capture::start();
    let mut raw = Instance::new(RAW, Host::default());
    raw.memory().0[..2].copy_from_slice(&[0x23, 7]);
    for (address, len, message) in [
        (0, 2, "frame 0 of the guest, at address 0: there is no span with ID 7, or it is closed"),
        (
            0,
            1,
            "frame 1 of the guest, at address 0: invalid frame: it ends at byte 1, in the middle of the span ID",
        ),
        (65_530, 7, "7 bytes at address 65530, which are not in its memory of 65536 bytes"),
        (u32::MAX, u32::MAX, "4294967295 bytes at address 4294967295, which are not in its memory"),
        (5, 0, "frame 4 of the guest, at address 5: invalid frame: it is empty"),
    ] {
        let error = raw.call("send", &[address, len]).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    let (_, host) = raw.memory();
    assert_eq!((host.trace.errors(), host.trace.frames()), (5, 5));
    assert!(matches!(host.trace.first_error(), Some(GuestError::Refused { frame: 0, .. })));
    assert_eq!(capture.trace().to_string(), NOTHING);
}

#[test]
fn host_may_go_on_with_what_is_refused() {
    let capture = Capture::start();
    let mut raw = Instance::new(RAW, Host::with_trace(GuestTrace::default().going_on()));
    let call_site = b"\x20\0\x01\x02\x04name\x06target\0\0\0\0";
    let event = [0x28, 0, 0];
    raw.memory().0[..20].copy_from_slice(call_site);
    raw.memory().0[20..23].copy_from_slice(&event);
    raw.call("send", &[20, 3]).unwrap(); // before its call site
    raw.call("send", &[0, 20]).unwrap();
    raw.call("send", &[0, 19]).unwrap(); // cut
    raw.call("send", &[20, 3]).unwrap();
    assert_eq!(capture.trace().to_string(), "INFO");
    let (_, host) = raw.memory();
    assert_eq!((host.trace.errors(), host.trace.frames()), (2, 4));
}

#[test]
fn guest_asks_what_the_subscriber_of_its_receiver_wants() {
    // Not that of whoever calls the guest.
    let capture = Capture::builder().filter("info").start();
    let mut shop = shop(Host::default(), 0, true);
    let others = Rc::new(RefCell::new(0));
    dispatcher::with_default(&tracing::Dispatch::none(), || {
        *others.borrow_mut() = shop.call("enabled_here", &[]).unwrap();
    });
    assert_eq!(*others.borrow(), 0b01011);
    drop(capture);
}

/// How a guest may send: the size of its buffer, and whether it asks its host.
fn ways() -> impl Iterator<Item = (u32, bool)> {
    BUFFERS.into_iter().flat_map(|buffer| [(buffer, false), (buffer, true)])
}

/// Suspends a trace, through a file if there is another process.
fn persist(trace: GuestTrace) -> (PersistedGuest, LocalSpans) {
    let (guest, local_spans) = trace.persist();
    let file = serde_json::to_string(&guest).unwrap();
    assert_eq!(serde_json::from_str::<PersistedGuest>(&file).unwrap(), guest);
    (guest, local_spans)
}

#[test]
fn guest_that_outlives_its_trace_traces_on() {
    for (buffer, asks) in ways() {
        for reads_buffer in [false, true] {
            let capture = Capture::start();
            let mut shop = shop(Host::default(), buffer, asks);
            shop.call("shift", &[7]).unwrap();
            shop.call("order", &[2]).unwrap();
            if reads_buffer {
                read_buffer(&mut shop);
            }
            let trace = &mut shop.memory().1.trace;
            let (guest, local_spans) = persist(mem::take(trace));
            *trace = GuestTrace::restore(guest, local_spans).unwrap();
            info!("by the host");
            shop.call("order", &[1]).unwrap();
            shop.call("shift", &[0]).unwrap();
            read_buffer(&mut shop);
            let trace = capture.trace();
            let shift = trace.scan_spans().single(&name(eq("shift")));
            shift.scan_spans().count(2, &name(eq("order")));
            assert!(shift.stats().is_closed);
            trace.scan_events().single(&(message(eq("by the host")) & !parent(always())));
            assert_eq!(shop.memory().1.trace.errors(), 0);
        }
    }
}

#[test]
fn guest_goes_on_in_another_instance_and_another_subscriber() {
    for (buffer, asks) in ways() {
        let first = Capture::builder().filter("off,spanshot_shop_guest=info").start();
        let mut shop = shop(Host::default(), buffer, asks);
        shop.call("shift", &[7]).unwrap();
        shop.call("order", &[1]).unwrap();
        let (guest, _) = persist(mem::take(&mut shop.memory().1.trace));
        let memory = shop.memory().0.to_vec();
        drop((shop, first));

        // A new process has other numbers for everything, and this host wants more.
        let capture = Capture::start();
        let open_spans = guest.open_spans();
        let trace = GuestTrace::restore(guest, LocalSpans::default()).unwrap();
        let mut shop = Instance::new(&wasm("shop_guest.wasm", SHOP), Host::with_trace(trace));
        shop.restore_memory(&memory);
        let (memory, host) = shop.memory();
        host.trace.tell_filter(memory);
        shop.call("order", &[1]).unwrap();
        shop.call("shift", &[0]).unwrap();
        read_buffer(&mut shop);
        let trace = capture.trace();
        let order = "INFO order{items=1 total=0}\n\
                     ├─ DEBUG item{item=0 price=0}\n\
                     │  └─ TRACE printed receipt=receipt no. 0\n\
                     └─ INFO served";
        let shift = trace.scan_spans().single(&name(eq("shift")));
        let orders = shift.scan_spans().count(1.., &name(eq("order")));
        assert_eq!(orders.last().unwrap().to_string(), order, "{buffer}, {asks}: {open_spans}");
        assert!(shift.stats().is_closed);
        assert_eq!(shop.memory().1.trace.errors(), 0);
    }
}

#[test]
fn instance_of_a_pool_is_captured_by_each_test_in_turn() {
    for (buffer, asks) in ways() {
        let first = Capture::builder().filter("info").start();
        let mut shop = shop(Host::default(), buffer, asks);
        let scope = shop.memory().1.trace.scope();
        shop.call("shift", &[7]).unwrap();
        read_buffer(&mut shop);
        first.trace().scan_spans().single(&name(eq("shift")));
        drop(first);
        for _ in 0..2 {
            let capture = Capture::start();
            let (memory, host) = shop.memory();
            host.trace.relay_here().unwrap();
            host.trace.tell_filter(memory);
            scope.in_scope(|| info!("for the guest"));
            shop.call("order", &[1]).unwrap();
            read_buffer(&mut shop);
            info!("for the host");
            let trace = capture.trace();
            let shift = trace.scan_spans().single(&name(eq("shift")));
            trace.scan_spans().single(&(name(eq("item")) & ancestor(name(eq("shift")))));
            shift.scan_events().single(&message(eq("for the guest")));
            trace.scan_events().single(&(message(eq("for the host")) & !parent(always())));
        }
    }
}

#[test]
fn retry_goes_on_where_the_attempt_began() {
    for (buffer, asks) in ways() {
        let capture = Capture::start();
        let mut shop = shop(Host::default(), buffer, asks);
        shop.call("shift", &[7]).unwrap();
        read_buffer(&mut shop);
        let (guest, mut local_spans) = persist(mem::take(&mut shop.memory().1.trace));
        let memory = shop.memory().0.to_vec();
        for items in [13, 2, 1] {
            let mut trace = GuestTrace::restore(guest.clone(), local_spans).unwrap();
            trace.begin_attempt();
            shop = Instance::new(&wasm("shop_guest.wasm", SHOP), Host::with_trace(trace));
            shop.restore_memory(&memory);
            // The first attempt traps, in the middle of an order; the others end the shift.
            let order = shop.call("order", &[items]).and_then(|_| shop.call("shift", &[0]));
            assert_eq!(order.is_err(), items == 13);
            read_buffer(&mut shop);
            let trace = mem::take(&mut shop.memory().1.trace);
            local_spans = if items == 1 { trace.persist().1 } else { trace.roll_back() };
            info!(items, "after an attempt");
        }
        let trace = capture.trace();
        let shift = trace.scan_spans().single(&name(eq("shift")));
        let orders = shift.scan_spans().count(3, &name(eq("order")));
        assert_eq!(
            orders.iter().map(|order| order["items"].as_uint()).collect::<Vec<_>>(),
            [Some(13), Some(2), Some(1)]
        );
        trace.scan_spans().none(&!closed());
        trace.scan_events().none(&(message(eq("after an attempt")) & parent(always())));
    }
}

#[test]
fn guest_whose_buffer_is_not_known_does_not_fall_silent() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let mut shop = shop(Host::default(), buffer, false);
        shop.memory().1.trace = GuestTrace::default();
        let order = shop.call("order", &[3]);
        if buffer == 0 {
            order.unwrap();
            capture.trace().scan_spans().single(&name(eq("order")));
        } else {
            let error = order.unwrap_err();
            assert!(error.contains("keep the `GuestTrace`"), "{error}");
            let (_, host) = shop.memory();
            assert_eq!(host.trace.first_error(), Some(&GuestError::NoHello));
        }
    }
}

#[test]
fn host_is_in_none_of_the_spans_that_are_created_anew() {
    for buffer in BUFFERS {
        for is_local in [true, false] {
            let capture = Capture::start();
            let mut shop = shop(Host::default(), buffer, false);
            shop.call("shift", &[1]).unwrap();
            read_buffer(&mut shop);
            let trace = &mut shop.memory().1.trace;
            let (guest, local_spans) = mem::take(trace).persist();
            // Without them, the spans are created anew, by a relay that has nothing of the one before.
            let local_spans = if is_local { local_spans } else { LocalSpans::default() };
            *trace = GuestTrace::restore(guest, local_spans).unwrap();
            shop.call("order", &[0]).unwrap();
            info!("host");
            read_buffer(&mut shop);
            info!("host");
            let trace = capture.trace();
            let shift = trace.scan_spans().last(&name(eq("shift")));
            shift.scan_spans().single(&name(eq("order")));
            let point = format!("buffer of {buffer}, local: {is_local}:\n{trace}");
            let host = trace.all_events().filter(|event| event.message() == Some("host"));
            assert!(host.clone().all(|event| event.parent().is_none()), "{point}");
            assert_eq!(host.count(), 2, "{point}");
        }
    }
}
