//! The guest in wasmi: how to suspend it, resume it, and roll it back.

use std::{error::Error, rc::Rc};

use serde::{Deserialize, Serialize};
use spanshot::{
    LocalSpans, link_wasm_guest,
    transport::wasm_host::{GuestTrace, PersistedGuest},
};
use wasmi::{Caller, Engine, Extern, Instance, Linker, Memory, Module, Store, Val};

pub type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

/// Called whenever the guest calls its host.
pub type OnImport = Rc<dyn Fn()>;

pub const GUEST: &[u8] = include_bytes!("../shop_guest.wasm");

/// A guest that is suspended: all that it takes to go on, in this process or another one.
#[derive(Serialize, Deserialize)]
pub struct Snapshot {
    /// Between two calls, this is the whole state of a guest that a Rust compiler made. It is large: `state_file.rs`
    /// writes it as it is.
    #[serde(skip)]
    pub memory: Vec<u8>,
    trace: PersistedGuest,
    /// The number of records that the guest has sent, in all processes.
    pub records: u64,
}

/// A guest that runs.
pub struct Guest {
    store: Store<Host>,
    instance: Instance,
    memory: Memory,
}

/// What the guest's imports work on.
struct Host {
    trace: GuestTrace,
    on_import: OnImport,
}

impl Guest {
    /// Starts a guest that buffers so many bytes, unless it is 0, and asks what its host wants, or does not.
    pub fn start(buffer: u16, asks: bool, on_import: &OnImport) -> Result<Self> {
        let mut guest = Self::new(GuestTrace::default(), on_import)?;
        guest.call("install", &[buffer.into(), asks.into()])?;
        Ok(guest)
    }

    /// Resumes a guest. Pass the spans that came with the snapshot, or the default ones if that was in another process.
    pub fn resume(from: &Snapshot, spans: LocalSpans, on_import: &OnImport) -> Result<Self> {
        let mut trace = GuestTrace::restore(from.trace.clone(), spans)?;
        trace.begin_attempt();
        let Self { mut store, instance, memory } = Self::new(trace, on_import)?;
        let more = from.memory.len().checked_sub(memory.data_size(&store));
        memory.grow(&mut store, (more.ok_or("the memory is of another guest")? >> 16) as u64)?;
        memory.write(&mut store, 0, &from.memory)?;
        // A guest that asks remembers the answers, but the filter of this process may be another one.
        let (data, host) = memory.data_and_store_mut(&mut store);
        host.trace.tell_filter(data);
        Ok(Self { store, instance, memory })
    }

    fn new(trace: GuestTrace, on_import: &OnImport) -> Result<Self> {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        link_wasm_guest!(wasmi, linker, Host::trace)?;
        linker.func_wrap("shop", "price", price)?;
        let mut store = Store::new(&engine, Host { trace, on_import: Rc::clone(on_import) });
        let instance = linker.instantiate_and_start(&mut store, &Module::new(&engine, GUEST)?)?;
        let memory = instance.get_memory(&store, "memory").ok_or("the guest has no memory")?;
        Ok(Self { store, instance, memory })
    }

    pub fn call(&mut self, export: &str, arguments: &[i32]) -> Result {
        let Self { store, instance, memory } = self;
        let function = instance.get_func(&*store, export).ok_or("the guest has no such export")?;
        let arguments: Vec<_> = arguments.iter().copied().map(Val::from).collect();
        let mut results = vec![Val::I32(0); function.ty(&*store).results().len()];
        // The host is in the guest's spans during the call.
        let scope = store.data().trace.scope();
        let called = scope.in_scope(|| function.call(&mut *store, &arguments, &mut results));
        // Also after a trap: the last records may still be in the guest's buffer.
        let (memory, host) = memory.data_and_store_mut(store);
        host.trace.read_buffer(memory)?;
        Ok(called?)
    }

    pub fn suspend(self) -> (Snapshot, LocalSpans) {
        let memory = self.memory.data(&self.store).to_vec();
        let trace = self.store.into_data().trace;
        let records = trace.frames();
        let (trace, local_spans) = trace.persist();
        (Snapshot { memory, trace, records }, local_spans)
    }

    /// Undoes the calls since the guest was resumed. Resume it again from the same snapshot, with these spans.
    pub fn roll_back(self) -> LocalSpans {
        self.store.into_data().trace.roll_back()
    }
}

impl Host {
    fn trace(&mut self) -> &mut GuestTrace {
        (self.on_import)();
        &mut self.trace
    }
}

/// The import with which the shop asks for a price.
fn price(mut caller: Caller<'_, Host>, item: u32) -> Result<u32, wasmi::Error> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    let memory = memory.ok_or_else(|| wasmi::Error::new("the guest has no memory"))?;
    let (memory, host) = memory.data_and_store_mut(&mut caller);
    // What is in the guest's buffer happened before what the host traces here.
    host.trace().read_buffer(memory).map_err(wasmi::Error::new)?;
    tracing::debug!(item, "priced by the host");
    Ok(item * 40)
}
