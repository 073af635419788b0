//! What the tests need of an engine: here, wasmi.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock},
};

use spanshot::link_wasm_guest;
use tracing::{info, info_span};
use wasmi::{
    Caller, CompilationMode, Config, Engine, Error, Extern, Linker, Memory, Module, ResumableCall,
    ResumableCallOutOfFuel, Store, Val,
};

use super::host::Host;

/// Fuel for a call that nobody stops; one that never ends uses it up.
const PLENTY: u64 = 1 << 32;

/// A call of a guest that runs in turns with others.
pub(crate) enum Call {
    New(&'static str, u32),
    Suspended(ResumableCallOutOfFuel),
    Done,
}

pub(crate) struct Instance {
    store: Store<Host>,
    instance: wasmi::Instance,
}

impl Instance {
    pub(crate) fn new(wasm: &[u8], host: Host) -> Self {
        Self::try_new(wasm, host).unwrap()
    }

    /// Fails if the guest imports what there is not, or traps when it starts.
    pub(crate) fn try_new(wasm: &[u8], host: Host) -> Result<Self, String> {
        Self::linked(wasm, host, |linker| {
            link_wasm_guest!(wasmi, *linker, |host: &mut Host| &mut host.trace).unwrap();
        })
    }

    /// Provides the imports of the module `spanshot` with a function of the test's own.
    pub(crate) fn linked(
        wasm: &[u8],
        host: Host,
        link: impl FnOnce(&mut Linker<Host>),
    ) -> Result<Self, String> {
        let engine = engine();
        let mut linker = Linker::new(engine);
        link(&mut linker);
        linker
            .func_wrap("shop", "price", |mut caller: Caller<'_, Host>, item: u32| {
                let (memory, host) = memory(&mut caller).data_and_store_mut(&mut caller);
                let price = host.price(memory, item).map_err(Error::new)?;
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
                        host.trace.read_buffer(memory).map_err(Error::new)
                    })?;
                    info!("back in the host");
                }
                Ok(price)
            })
            .unwrap();
        linker
            .func_wrap("app", "trace", |mut caller: Caller<'_, Host>, address: u32, len: u32| {
                let (memory, host) = memory(&mut caller).data_and_store_mut(&mut caller);
                host.receive_json(memory, address, len).map_err(Error::new)
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
        store.set_fuel(PLENTY).unwrap();
        let instance = linker.instantiate_and_start(&mut store, &module(wasm));
        let instance = instance.map_err(|error| error.to_string())?;
        Ok(Self { store, instance })
    }

    /// Calls an export, which returns a number or nothing.
    pub(crate) fn call(&mut self, export: &str, arguments: &[u32]) -> Result<u32, String> {
        let scope = self.store.data().trace.scope();
        scope.in_scope(|| self.call_out_of_scope(export, arguments))
    }

    /// Calls an export, and does not say so to spanshot.
    #[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)] // they are 32 bits
    pub(crate) fn call_out_of_scope(
        &mut self,
        export: &str,
        arguments: &[u32],
    ) -> Result<u32, String> {
        let function = self.instance.get_func(&self.store, export).expect("it is exported");
        let arguments: Vec<_> =
            arguments.iter().map(|argument| Val::I32(*argument as i32)).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let result = function.call(&mut self.store, &arguments, &mut results);
        result.map_err(|error| error.to_string())?;
        Ok(results.first().and_then(Val::i32).unwrap_or_default() as u32)
    }

    /// Calls an export and stops it when it has used up this much fuel. The error is the least fuel that would
    /// have taken it further.
    #[allow(clippy::cast_possible_wrap)] // they are 32 bits
    pub(crate) fn call_with_fuel(
        &mut self,
        export: &str,
        arguments: &[u32],
        fuel: u64,
    ) -> Result<(), u64> {
        let function = self.instance.get_func(&self.store, export).expect("it is exported");
        let arguments: Vec<_> =
            arguments.iter().map(|argument| Val::I32(*argument as i32)).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        self.store.set_fuel(fuel).unwrap();
        let scope = self.store.data().trace.scope();
        let call =
            scope.in_scope(|| function.call_resumable(&mut self.store, &arguments, &mut results));
        let used = fuel - self.store.get_fuel().unwrap();
        self.store.set_fuel(PLENTY).unwrap();
        match call.unwrap() {
            ResumableCall::Finished => Ok(()),
            ResumableCall::OutOfFuel(stopped) => Err(used + stopped.required_fuel()),
            ResumableCall::HostTrap(trap) => panic!("{}", trap.host_error()),
        }
    }

    /// Calls an export that returns a number, or goes on with a call, until it has used up this much fuel.
    #[allow(clippy::cast_possible_wrap)] // they are 32 bits
    pub(crate) fn turn(&mut self, call: Call, fuel: u64) -> Result<Call, String> {
        let mut results = [Val::I32(0)];
        let scope = self.store.data().trace.scope();
        let store = &mut self.store;
        let call = match call {
            Call::Done => return Ok(Call::Done),
            Call::New(export, argument) => {
                let function = self.instance.get_func(&*store, export).expect("it is exported");
                store.set_fuel(fuel).unwrap();
                let argument = [Val::I32(argument as i32)];
                scope.in_scope(|| function.call_resumable(store, &argument, &mut results))
            }
            Call::Suspended(call) => {
                store.set_fuel(fuel.max(call.required_fuel())).unwrap();
                scope.in_scope(|| call.resume(store, &mut results))
            }
        };
        match call.map_err(|error| error.to_string())? {
            ResumableCall::Finished => Ok(Call::Done),
            ResumableCall::OutOfFuel(call) => Ok(Call::Suspended(call)),
            ResumableCall::HostTrap(trap) => Err(trap.host_error().to_string()),
        }
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
        let memory = self.instance.get_memory(&self.store, "memory").expect("it is exported");
        memory.data_and_store_mut(&mut self.store)
    }
}

fn memory(caller: &mut Caller<'_, Host>) -> Memory {
    caller.get_export("memory").and_then(Extern::into_memory).expect("it is exported")
}

/// Its guests can be stopped anywhere: their fuel is metered.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut config = Config::default();
        config.consume_fuel(true);
        // Otherwise, compiling costs fuel, too, when a function is first called.
        config.compilation_mode(CompilationMode::Eager);
        Engine::new(&config)
    })
}

/// Compiles a guest once: tests that stop it at every point have thousands of instances.
fn module(wasm: &[u8]) -> Module {
    static MODULES: Mutex<Option<HashMap<Vec<u8>, Module>>> = Mutex::new(None);
    let mut modules = MODULES.lock().unwrap();
    let modules = modules.get_or_insert_default();
    let compile = || Module::new(engine(), wasm).unwrap();
    modules.entry(wasm.to_vec()).or_insert_with(compile).clone()
}
