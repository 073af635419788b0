//! The host's side of the guest in `examples/guest`.

use std::{error::Error, fmt};

use spanshot::{
    link_wasm_guest,
    transport::wasm_host::{GuestTrace, guest_bytes},
};
use wasmi::{Caller, Engine, Extern, Instance, Linker, Module, Store};

/// The guest's program, ready to be run.
pub struct Plugin {
    engine: Engine,
    module: Module,
}

impl Plugin {
    /// Compiles the guest.
    pub fn load(wasm: &[u8]) -> Result<Self, wasmi::Error> {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm)?;
        Ok(Self { engine, module })
    }

    /// Evaluates an expression in a new instance. What the guest traces goes to the current
    /// subscriber.
    pub fn evaluate(&self, expression: &str) -> Result<String, EvaluateError> {
        let mut linker = Linker::new(&self.engine);
        link_wasm_guest!(wasmi, linker, |trace| trace)?;
        let trace = GuestTrace::default();
        let scope = trace.scope();
        let mut guest = GuestInstance::new(self, &linker, trace)?;
        scope.in_scope(|| guest.evaluate(expression))
    }

    /// Evaluates an expression in a new instance. What the guest traces goes to the function, a
    /// frame a call; if it returns an error, the guest is stopped. This is for those who want the
    /// frames for themselves, to keep them for example.
    #[allow(dead_code)] // the tests do
    pub fn evaluate_with<E: Error + 'static>(
        &self,
        expression: &str,
        on_frame: impl FnMut(&[u8]) -> Result<(), E> + 'static,
    ) -> Result<String, EvaluateError> {
        let mut linker = Linker::new(&self.engine);
        linker.func_wrap("spanshot", "send", receive_frame::<E>).map_err(wasmi::Error::from)?;
        let on_frame: OnFrame<E> = Box::new(on_frame);
        GuestInstance::new(self, &linker, on_frame)?.evaluate(expression)
    }
}

/// Why there is no number.
#[derive(Debug)]
pub enum EvaluateError {
    /// The guest says that the expression has no value.
    Rejected(String),
    /// The guest was stopped.
    Trapped(wasmi::Error),
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(message) => formatter.write_str(message),
            Self::Trapped(error) => write!(formatter, "the guest trapped: {error}"),
        }
    }
}

impl Error for EvaluateError {}

impl From<wasmi::Error> for EvaluateError {
    fn from(error: wasmi::Error) -> Self {
        Self::Trapped(error)
    }
}

/// What takes a frame.
type OnFrame<E> = Box<dyn FnMut(&[u8]) -> Result<(), E>>;

struct GuestInstance<T> {
    store: Store<T>,
    instance: Instance,
}

impl<T> GuestInstance<T> {
    fn new(plugin: &Plugin, linker: &Linker<T>, data: T) -> Result<Self, wasmi::Error> {
        let mut store = Store::new(&plugin.engine, data);
        let instance = linker.instantiate_and_start(&mut store, &plugin.module)?;
        Ok(Self { store, instance })
    }

    fn evaluate(&mut self, expression: &str) -> Result<String, EvaluateError> {
        self.write_input(expression)?;
        let kind = self.call("evaluate")?;
        let answer = self.read_output()?;
        if kind == 0 { Ok(answer) } else { Err(EvaluateError::Rejected(answer)) }
    }

    fn call(&mut self, function: &str) -> Result<u32, wasmi::Error> {
        let function = self.instance.get_typed_func::<(), u32>(&self.store, function)?;
        function.call(&mut self.store, ())
    }

    fn memory(&self) -> Result<wasmi::Memory, wasmi::Error> {
        let memory = self.instance.get_memory(&self.store, "memory");
        memory.ok_or_else(|| wasmi::Error::new("the guest exports no memory"))
    }

    fn write_input(&mut self, text: &str) -> Result<(), wasmi::Error> {
        let len = u32::try_from(text.len()).map_err(|_| wasmi::Error::new("too long"))?;
        let input = self.instance.get_typed_func::<u32, u32>(&self.store, "input")?;
        let address = input.call(&mut self.store, len)?;
        Ok(self.memory()?.write(&mut self.store, address as usize, text.as_bytes())?)
    }

    fn read_output(&mut self) -> Result<String, wasmi::Error> {
        let (address, len) = (self.call("output")?, self.call("output_len")?);
        let memory = self.memory()?;
        let output =
            guest_bytes(memory.data(&self.store), address, len).map_err(wasmi::Error::new)?;
        String::from_utf8(output.to_vec()).map_err(|error| wasmi::Error::new(error.to_string()))
    }
}

/// The guest's import: takes a frame out of its memory.
fn receive_frame<E: Error + 'static>(
    mut caller: Caller<'_, OnFrame<E>>,
    address: u32,
    len: u32,
) -> Result<(), wasmi::Error> {
    let Some(memory) = caller.get_export("memory").and_then(Extern::into_memory) else {
        return Err(wasmi::Error::new("the guest exports no memory"));
    };
    let (memory, on_frame) = memory.data_and_store_mut(&mut caller);
    let frame = guest_bytes(memory, address, len).map_err(wasmi::Error::new)?;
    on_frame(frame).map_err(|error| wasmi::Error::new(error.to_string()))
}
