//! Calls of a WASM guest in its scope, against calls that nobody is told of.
//!
//! The guest sends ready-made frames, so that all that differs is what the host does: [`link_wasm_guest!`] and a scope
//! against an import that hands each frame to a receiver, which stays in the guest's spans until the guest exits them.

use std::fmt::Write;

use spanshot::{
    CaptureLayer, SharedStorage, TracingEventReceiver, link_wasm_guest,
    transport::wasm_host::{GuestTrace, guest_bytes},
};
use tracing::{Dispatch, dispatcher, info, info_span};
use tracing_subscriber::{Registry, layer::SubscriberExt};
use wasmi::{Caller, Engine, Extern, Linker, Module, Store};

use crate::{
    buffer::Buffer,
    row::{JudgedBy, Prepare, Row, Side, Work},
    table::Table,
    tunnels::encoded_to,
};

pub(crate) const ROWS: &[Row] = &[
    // Some 220 instructions, which is much of the six hundred that an empty call takes. Fifty of them are spent on the
    // guest's silence: whether its capture knows that it runs.
    row("a call that sends nothing", |calls| scoped(calls, 0), |calls| untold(calls, 0))
        .held_to(1.37),
    row("a call that sends an event", |calls| scoped(calls, 1), |calls| untold(calls, 1)),
    row("a call that sends 10 records", |calls| scoped(calls, 10), |calls| untold(calls, 10)),
];

const fn row(name: &'static str, scoped: Prepare, untold: Prepare) -> Row {
    let side = Side { prepare: scoped, units: 20_000, parts: 1 };
    Row {
        table: Table::Calls,
        name,
        per: "a call",
        first: side,
        second: Some(Side { prepare: untold, ..side }),
        reach: Some(1.1),
        held: None,
        held_count: None,
        judged_by: JudgedBy::Count,
    }
}

/// A guest that announces a span, and sends an event or, in the span, 8 of them.
fn guest() -> Vec<u8> {
    let buffer = Buffer::default();
    dispatcher::with_default(&encoded_to(&buffer), || {
        let _span = info_span!("call").entered();
        (0..8_u64).for_each(|step| info!(step, "working"));
    });
    let records = buffer.records();
    let mut frames = records.iter();
    let mut next = || frames.next().expect("there are 14 of them").to_vec();
    let [site, new_span, enter, event_site] = [next(), next(), next(), next()];
    let events: Vec<_> = (0..8).map(|_| next()).collect();
    let exit = next();

    let mut wat = r#"(module (import "spanshot" "send" (func $send (param i32 i32)))"#.to_owned();
    let (mut address, mut data) = (0, String::new());
    let mut export = |name: &str, frames: &[&Vec<u8>]| {
        write!(wat, r#"(func (export "{name}")"#)?;
        for frame in frames {
            write!(wat, "(call $send (i32.const {address}) (i32.const {}))", frame.len())?;
            write!(data, r#"(data (i32.const {address}) ""#)?;
            frame.iter().try_for_each(|byte| write!(data, "\\{byte:02x}"))?;
            write!(data, r#"")"#)?;
            address += frame.len();
        }
        write!(wat, ")")
    };
    let in_span: Vec<_> = [&enter].into_iter().chain(&events).chain([&exit]).collect();
    export("announce", &[&site, &new_span, &event_site])
        .and_then(|()| export("0", &[]))
        .and_then(|()| export("1", &[&events[0]]))
        .and_then(|()| export("10", &in_span))
        .expect("a string takes all");
    wat::parse_str(format!(r#"{wat} (memory (export "memory") 1) {data})"#)).expect("it is valid")
}

fn scoped(calls: u64, records: u32) -> Work {
    let (engine, guest) = (Engine::default(), guest());
    let mut linker = Linker::<GuestTrace>::new(&engine);
    link_wasm_guest!(wasmi, linker, |trace| trace).expect("nothing is linked");
    work(&engine, &linker, &guest, GuestTrace::default, records, move |store, export| {
        let scope = store.data().scope();
        for _ in 0..calls {
            scope.in_scope(|| export.call(&mut *store, ())).expect("it returns");
        }
    })
}

fn untold(calls: u64, records: u32) -> Work {
    let (engine, guest) = (Engine::default(), guest());
    let mut linker = Linker::<TracingEventReceiver>::new(&engine);
    let send = |mut caller: Caller<'_, TracingEventReceiver>, address: u32, len: u32| {
        let memory = caller.get_export("memory").and_then(Extern::into_memory);
        let memory = memory.ok_or_else(|| wasmi::Error::new("the guest has no memory"))?;
        let (memory, receiver) = memory.data_and_store_mut(&mut caller);
        let frame = guest_bytes(memory, address, len).map_err(wasmi::Error::new)?;
        receiver.receive_encoded(frame).map_err(|error| wasmi::Error::new(error.to_string()))
    };
    linker.func_wrap("spanshot", "send", send).expect("nothing is linked");
    work(&engine, &linker, &guest, TracingEventReceiver::default, records, move |store, export| {
        for _ in 0..calls {
            export.call(&mut *store, ()).expect("it returns");
        }
    })
}

type Export = wasmi::TypedFunc<(), ()>;

/// Has a new instance announce what it sends, and calls it under a subscriber.
fn work<T: 'static>(
    engine: &Engine,
    linker: &Linker<T>,
    guest: &[u8],
    receiver: fn() -> T,
    records: u32,
    call: impl Fn(&mut Store<T>, &Export) + 'static,
) -> Work {
    let module = Module::new(engine, guest).expect("it is a module");
    let storage = SharedStorage::default();
    let dispatch = Dispatch::new(Registry::default().with(CaptureLayer::new(&storage)));
    let mut store = dispatcher::with_default(&dispatch, || Store::new(engine, receiver()));
    let instance = linker.instantiate_and_start(&mut store, &module).expect("it starts");
    let export = |name: &str| instance.get_typed_func::<(), ()>(&store, name).expect("it is there");
    let (announce, export) = (export("announce"), export(&records.to_string()));
    dispatcher::with_default(&dispatch, || announce.call(&mut store, ())).expect("it returns");
    Box::new(move || dispatcher::with_default(&dispatch, || call(&mut store, &export)))
}
