//! The traced program in WASM guests: their sizes, and what they burn.

use spanshot::{
    link_wasm_guest,
    transport::wasm_host::{GuestTrace, guest_bytes},
};
use wasmi::{Caller, Config, Engine, Extern, Linker, Module, Store};

pub(crate) const OURS: &[u8] = include_bytes!("../guests/bench_spanshot.wasm");
pub(crate) const PEERS: &[u8] = include_bytes!("../guests/bench_tunnel.wasm");

const ALL_FUEL: u64 = u64::MAX / 2;

/// Returns the fuel that units burn in a guest, and the number of spans and events that the host
/// of ours got, to see that it did.
pub(crate) fn fuel(guest: &[u8], units: u32) -> Result<(u64, usize), wasmi::Error> {
    let mut config = Config::default();
    config.consume_fuel(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, guest)?;
    let mut linker = Linker::<Host>::new(&engine);
    link_wasm_guest!(wasmi, linker, |host| &mut host.trace)?;
    linker.func_wrap("app", "trace", |mut caller: Caller<'_, Host>, address: u32, len: u32| {
        let memory = caller.get_export("memory").and_then(Extern::into_memory);
        let memory = memory.ok_or_else(|| wasmi::Error::new("the guest has no memory"))?;
        let (memory, host) = memory.data_and_store_mut(&mut caller);
        host.json_records +=
            guest_bytes(memory, address, len).map(|_| 1).map_err(wasmi::Error::new)?;
        Ok(())
    })?;

    let mut store = Store::new(&engine, Host::default());
    store.set_fuel(ALL_FUEL)?;
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    instance.get_typed_func::<u32, ()>(&store, "run")?.call(&mut store, units)?;
    let burned = ALL_FUEL - store.get_fuel()?;
    let storage = store.data().storage.lock();
    let nodes = storage.all_spans().len() + storage.all_events().len();
    Ok((burned, nodes + store.data().json_records))
}

struct Host {
    storage: spanshot::SharedStorage,
    trace: GuestTrace,
    json_records: usize,
}

impl Default for Host {
    fn default() -> Self {
        let storage = spanshot::SharedStorage::default();
        let trace = GuestTrace::new(spanshot::TracingEventReceiver::capturing(&storage));
        Self { storage, trace, json_records: 0 }
    }
}
