//! Runs the guest of `examples/guest` in an engine that spanshot has no macro for, and that does not even show the
//! guest's memory as a slice: tinywasm.
//!
//! ```sh
//! cargo run --manifest-path examples/third_engine/Cargo.toml -- '8 / (3 - 3)'
//! ```

use std::{cell::RefCell, env, error::Error, rc::Rc};

use spanshot::{Capture, transport::wasm_host::GuestTrace};
use tinywasm::{Error as EngineError, HostFunction, Imports, ModuleInstance, Store, parse_bytes};

const GUEST: &[u8] = include_bytes!("../../guest.wasm");

fn main() -> Result<(), Box<dyn Error>> {
    let expression = env::args().nth(1).unwrap_or_else(|| "(1 + 2) * -4 / 2".to_owned());
    let capture = Capture::start();
    let answer = evaluate(&expression);
    println!("{expression}: {answer:?}\n\n{}", capture.trace());
    Ok(())
}

/// Evaluates an expression in a new instance. What the guest traces goes to the current subscriber.
fn evaluate(expression: &str) -> tinywasm::Result<String> {
    let mut store = Store::default();

    // All that there is between the guest's trace and the subscriber: the import takes a frame out of the memory.
    let trace = Rc::new(RefCell::new(GuestTrace::default()));
    let scope = trace.borrow().scope();
    let send = HostFunction::from(&mut store, move |context, (address, len): (i32, i32)| {
        let (address, len) = (address.cast_unsigned(), len.cast_unsigned());
        let memory = context.memory("memory")?;
        let frame = memory.read_vec(context.store(), address as usize, len as usize)?;
        let sent = trace.borrow_mut().send(&frame, 0, len);
        sent.map_err(|error| EngineError::Other(error.into()))
    });
    let mut imports = Imports::new();
    imports.define("spanshot", "send", send);

    // The rest is the guest's business, and has nothing to do with its trace.
    let guest = ModuleInstance::instantiate(&mut store, &parse_bytes(GUEST)?, Some(imports))?;
    let len = i32::try_from(expression.len()).unwrap_or(i32::MAX);
    let input = guest.func::<i32, i32>(&store, "input")?.call(&mut store, len)?.cast_unsigned();
    let memory = guest.memory("memory")?;
    memory.copy_from_slice(&mut store, input as usize, expression.as_bytes())?;
    let evaluate = guest.func::<(), i32>(&store, "evaluate")?;
    scope.in_scope(|| evaluate.call(&mut store, ()))?;
    let output = guest.func::<(), i32>(&store, "output")?.call(&mut store, ())?.cast_unsigned();
    let len = guest.func::<(), i32>(&store, "output_len")?.call(&mut store, ())?.cast_unsigned();
    memory.read_string(&store, output as usize, len as usize)
}

#[cfg(test)]
mod tests {
    use spanshot::predicates::{ScanExt, eq, field, message, name};

    use super::*;

    #[test]
    fn guest_is_traced_up_to_the_trap() {
        let capture = Capture::start();
        assert_eq!(evaluate("(1 + 2) * 3").unwrap(), "9");
        let trace = capture.take();
        trace.scan_spans().single(&(name(eq("multiply")) & field("lhs", 3.0)));

        evaluate("2 * 21!").unwrap_err();
        let trace = capture.trace();
        let factorial = trace.scan_spans().single(&name(eq("factorial")));
        factorial.scan_events().single(&message(eq("multiplying up")));
    }
}
