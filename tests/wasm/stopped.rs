//! Guests that are stopped in the middle and called again: by an engine that counts instructions, or by a host that
//! refuses what they send. No `Drop` of theirs has run, and what they were doing is half done.

use std::{
    collections::HashSet,
    env,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use spanshot::{
    Capture, ReceiverLimits, SharedStorage, TracingEventReceiver, transport::wasm_host::GuestTrace,
};
use wasmi::{Caller, Error, Extern, Linker};

use crate::{
    bodies::{BUFFERS, SHOP, read_buffer, shop, wasm},
    engine::Instance,
    host::Host,
    support::frames_of,
};

/// What the call after that gives.
const SECOND_ORDER: &str = "\
INFO order{items=1 total=0}
├─ DEBUG item{item=0 price=0}
│  └─ TRACE printed receipt=receipt no. 0
└─ INFO served";

/// Ways in which a guest may send: the size of its buffer, and whether it asks its host.
fn ways() -> impl Iterator<Item = (u32, bool)> {
    BUFFERS.into_iter().flat_map(|buffer| [(buffer, false), (buffer, true)])
}

/// Calls the guest again, and looks for all that it traces.
#[track_caller]
fn assert_traces_on(shop: &mut Instance, capture: &Capture, point: &str) {
    let errors = shop.memory().1.trace.errors();
    assert_eq!(shop.call("order", &[1]), Ok(0), "{point}");
    assert_eq!(shop.call("flush", &[]), Ok(0), "{point}");
    assert_eq!(shop.memory().1.trace.errors(), errors, "{point}");
    let trace = capture.trace();
    let second = trace.all_spans().filter(|span| span.to_string() == SECOND_ORDER);
    assert_eq!(second.count(), 1, "{point}:\n{trace}");
}

/// What a host has of an order of two items if it has each number of its records.
fn parts_of_an_order() -> HashSet<String> {
    let frames = frames_of(|| {
        use tracing::{Span, debug_span, field, info, info_span, trace};

        let order = info_span!("order", items = 2, total = field::Empty).entered();
        for item in 0..2 {
            let _item = debug_span!("item", item, price = field::Empty).entered();
            Span::current().record("price", item * 40);
            trace!(receipt = ?format_args!("receipt no. {item}"), "printed");
        }
        order.record("total", 40);
        info!("served");
    });
    (0..=frames.len())
        .map(|count| {
            let storage = SharedStorage::default();
            let mut receiver = TracingEventReceiver::capturing(&storage);
            frames[..count].iter().for_each(|frame| receiver.receive_encoded(frame).unwrap());
            storage.lock().to_string()
        })
        .collect()
}

/// Fuel between two points where a guest is stopped. The engine charges for some ten instructions at once.
fn stride() -> u64 {
    if env::var_os("SPANSHOT_EVERY_POINT").is_some() { 0 } else { 600 }
}

#[test]
fn guest_traces_on_wherever_its_fuel_ran_out() {
    let parts = parts_of_an_order();
    for (buffer, asks) in ways() {
        let (mut fuel, mut points) = (0, 0);
        loop {
            let capture = Capture::start();
            let mut shop = shop(Host::default(), buffer, asks);
            let Err(further) = shop.call_with_fuel("order", &[2], fuel) else { break };
            let point = format!("buffer of {buffer}, asks: {asks}, stopped after {fuel} of fuel");
            // A host may read the buffer, or leave that to the next call.
            if points % 2 == 0 {
                read_buffer(&mut shop);
                let trace = capture.trace().to_string();
                assert!(parts.contains(&trace), "{point}:\n{trace}");
            }
            // It may stop the guest more than once.
            if points % 3 == 0 {
                let _ = shop.call_with_fuel("order", &[0], fuel);
            }
            assert_traces_on(&mut shop, &capture, &point);
            fuel = further + stride();
            points += 1;
        }
        assert!(points > 20, "buffer of {buffer}, asks: {asks}: only {points} points");
    }
}

/// Imports that trap the guest in one of their calls, before or after they have done their work.
fn refusing(linker: &mut Linker<Host>, refused: u32, is_before: bool) {
    fn with_memory<R>(
        mut caller: Caller<'_, Host>,
        f: impl FnOnce(&mut GuestTrace, &mut [u8]) -> R,
    ) -> R {
        let memory = caller.get_export("memory").and_then(Extern::into_memory).unwrap();
        let (memory, host) = memory.data_and_store_mut(&mut caller);
        f(&mut host.trace, memory)
    }

    let calls = Arc::new(AtomicU32::new(0));
    let counted = move |work: &mut dyn FnMut()| {
        let is_refused = calls.fetch_add(1, Ordering::Relaxed) == refused;
        if !(is_refused && is_before) {
            work();
        }
        if is_refused { Err(Error::new("refused")) } else { Ok(()) }
    };
    let hello = |caller: Caller<'_, Host>, version: u32, control: u32| {
        with_memory(caller, |trace, memory| trace.hello(memory, version, control)).unwrap();
    };
    linker.func_wrap("spanshot", "hello", hello).unwrap();
    let call = counted.clone();
    let send = move |caller: Caller<'_, Host>, address: u32, len: u32| {
        with_memory(caller, |trace, memory| call(&mut || trace.send(memory, address, len).unwrap()))
    };
    linker.func_wrap("spanshot", "send", send).unwrap();
    let call = counted.clone();
    let flush = move |caller: Caller<'_, Host>| {
        with_memory(caller, |trace, memory| call(&mut || trace.read_buffer(memory).unwrap()))
    };
    linker.func_wrap("spanshot", "flush", flush).unwrap();
    let ask = move |caller: Caller<'_, Host>, address: u32, len: u32| {
        let mut code = 0;
        let answer = |trace: &mut GuestTrace, memory: &mut [u8]| {
            counted(&mut || code = trace.ask(memory, address, len).unwrap().code())
        };
        with_memory(caller, answer).map(|()| code)
    };
    linker.func_wrap("spanshot", "ask", ask).unwrap();
}

#[test]
fn guest_traces_on_whatever_its_host_refused() {
    let parts = parts_of_an_order();
    for (buffer, asks) in ways() {
        for is_before in [true, false] {
            let mut refused = 0;
            loop {
                let capture = Capture::start();
                let wasm = wasm("shop_guest.wasm", SHOP);
                let link = |linker: &mut Linker<Host>| refusing(linker, refused, is_before);
                let mut shop = Instance::linked(&wasm, Host::default(), link).unwrap();
                shop.call("install", &[buffer, u32::from(asks)]).unwrap();
                if shop.call("order", &[2]).is_ok() {
                    break;
                }
                let point = format!(
                    "buffer of {buffer}, asks: {asks}, refused call {refused}, before: {is_before}"
                );
                if refused % 2 == 0 {
                    read_buffer(&mut shop);
                    let trace = capture.trace().to_string();
                    assert!(parts.contains(&trace), "{point}:\n{trace}");
                }
                assert_traces_on(&mut shop, &capture, &point);
                refused += 1;
            }
            assert!(refused >= 3, "{refused}");
        }
    }
}

#[test]
fn guest_traces_on_after_its_host_refused_a_frame() {
    for (buffer, asks) in ways() {
        let capture = Capture::start();
        let limits = ReceiverLimits::default().max_call_sites(4);
        let receiver = TracingEventReceiver::default().with_limits(limits);
        let mut shop = shop(Host::with_trace(GuestTrace::new(receiver)), buffer, asks);
        assert_eq!(shop.call("order", &[2]), Ok(40));
        // An item that is expensive has one call site more.
        let refused = shop.call("order", &[4]).unwrap_err();
        assert!(refused.contains("max_call_sites"), "{refused}");
        assert_traces_on(&mut shop, &capture, &format!("buffer of {buffer}, asks: {asks}"));
    }
}
