//! What the tests need of an engine: here, wasmtime.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock},
};

use spanshot::link_wasm_guest;
use tracing::{info, info_span};
use wasmtime::{Caller, Engine, Error, Extern, Linker, Memory, Module, Store, Val};

use super::host::Host;

pub(crate) struct Instance {
    store: Store<Host>,
    instance: wasmtime::Instance,
}

impl Instance {
    pub(crate) fn new(wasm: &[u8], host: Host) -> Self {
        Self::try_new(wasm, host).unwrap()
    }

    /// Fails if the guest imports what there is not, or traps when it starts.
    pub(crate) fn try_new(wasm: &[u8], host: Host) -> Result<Self, String> {
        let engine = engine();
        let mut linker = Linker::new(engine);
        link_wasm_guest!(wasmtime, linker, |host: &mut Host| &mut host.trace).unwrap();
        linker
            .func_wrap("shop", "price", |mut caller: Caller<'_, Host>, item: u32| {
                let (memory, host) = memory(&mut caller).data_and_store_mut(&mut caller);
                let price = host.price(memory, item).map_err(Error::msg)?;
                if let Some(items) = host.nested_order.take() {
                    let scope = host.trace.scope();
                    let _nested = info_span!("nested").entered();
                    let order = caller.get_export("order").and_then(Extern::into_func);
                    let order = order.expect("it is exported").typed::<u32, u32>(&caller)?;
                    scope.in_scope(|| {
                        let is_served = order.call(&mut caller, items).is_ok();
                        let memory = self::memory(&mut caller);
                        let (memory, host) = memory.data_and_store_mut(&mut caller);
                        assert_eq!(is_served, items != 13);
                        host.trace.read_buffer(memory).map_err(Error::msg)
                    })?;
                    info!("back in the host");
                }
                Ok(price)
            })
            .unwrap();
        linker
            .func_wrap("app", "trace", |mut caller: Caller<'_, Host>, address: u32, len: u32| {
                let (memory, host) = memory(&mut caller).data_and_store_mut(&mut caller);
                host.receive_json(memory, address, len).map_err(Error::msg)
            })
            .unwrap();
        linker
            .func_wrap("app", "call_back", |mut caller: Caller<'_, Host>, argument: u32| {
                let function = caller.get_export("called_back").and_then(Extern::into_func);
                let function = function.expect("it is exported").typed::<u32, ()>(&caller)?;
                function.call(&mut caller, argument)
            })
            .unwrap();
        let mut store = Store::new(engine, host);
        let instance = linker.instantiate(&mut store, &module(wasm));
        let instance = instance.map_err(|error| format!("{error:?}"))?;
        Ok(Self { store, instance })
    }

    /// Calls an export, which returns a number or nothing.
    #[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)] // they are 32 bits
    pub(crate) fn call(&mut self, export: &str, arguments: &[u32]) -> Result<u32, String> {
        let function = self.instance.get_func(&mut self.store, export).expect("it is exported");
        let arguments: Vec<_> =
            arguments.iter().map(|argument| Val::I32(*argument as i32)).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let scope = self.store.data().trace.scope();
        let result = scope.in_scope(|| function.call(&mut self.store, &arguments, &mut results));
        result.map_err(|error| format!("{error:?}"))?;
        Ok(results.first().and_then(Val::i32).unwrap_or_default() as u32)
    }

    /// Gives the guest the memory that another instance of it had, between two calls.
    pub(crate) fn restore_memory(&mut self, kept: &[u8]) {
        let memory = self.instance.get_memory(&mut self.store, "memory").expect("it is exported");
        let more = (kept.len() - memory.data_size(&self.store)) as u64 >> 16;
        memory.grow(&mut self.store, more).unwrap();
        memory.write(&mut self.store, 0, kept).unwrap();
    }

    /// What the host has of the guest, while that does not run.
    pub(crate) fn memory(&mut self) -> (&mut [u8], &mut Host) {
        let memory = self.instance.get_memory(&mut self.store, "memory").expect("it is exported");
        memory.data_and_store_mut(&mut self.store)
    }
}

fn memory(caller: &mut Caller<'_, Host>) -> Memory {
    caller.get_export("memory").and_then(Extern::into_memory).expect("it is exported")
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(Engine::default)
}

/// Compiles a guest once: the compiler, itself compiled without optimization, takes its time.
fn module(wasm: &[u8]) -> Module {
    static MODULES: Mutex<Option<HashMap<Vec<u8>, Module>>> = Mutex::new(None);
    let mut modules = MODULES.lock().unwrap();
    let modules = modules.get_or_insert_default();
    let compile = || Module::new(engine(), wasm).unwrap();
    modules.entry(wasm.to_vec()).or_insert_with(compile).clone()
}
