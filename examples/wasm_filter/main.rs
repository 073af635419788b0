//! Runs a WASM guest whose trace is as detailed as the host's filter says.
//!
//! ```sh
//! cargo run --example wasm_filter -- info
//! cargo run --example wasm_filter -- 'warn,spanshot_shop_guest=debug'
//! ```
//!
//! The guest, in `examples/shop_guest`, asks its host what it wants: what nobody wants is not even formatted. It
//! collects the wanted records in a buffer, and calls its host while it is in a span of its own.

use std::env;

use spanshot::{Capture, link_wasm_guest, transport::wasm_host::GuestTrace};
use wasmi::{Caller, Engine, Error, Extern, Linker, Module, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = env::args().nth(1).unwrap_or_else(|| "info".to_owned());
    let capture = Capture::builder().filter(&filter).start();

    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    link_wasm_guest!(wasmi, linker, |trace| trace)?;
    linker.func_wrap("shop", "price", price)?;
    let mut store = Store::new(&engine, GuestTrace::default());
    let module = Module::new(&engine, include_bytes!("../shop_guest.wasm"))?;
    let shop = linker.instantiate_and_start(&mut store, &module)?;

    let (buffer, asks) = (64 * 1_024, 1);
    shop.get_typed_func::<(u32, u32), u32>(&store, "install")?.call(&mut store, (buffer, asks))?;
    let order = shop.get_typed_func::<u32, u32>(&store, "order")?;
    let scope = store.data().scope();
    let total = scope.in_scope(|| order.call(&mut store, 4))?;
    let memory = shop.get_memory(&store, "memory").ok_or("the shop has no memory")?;
    let (memory, trace) = memory.data_and_store_mut(&mut store);
    trace.read_buffer(memory)?; // it has the last records
    let formatted = shop.get_typed_func::<(), u32>(&store, "formatted")?.call(&mut store, ())?;

    println!("{}\n", capture.trace());
    println!("4 items for {total}, {formatted} receipts formatted");
    Ok(())
}

/// The price of an item. What the host traces here stands under the span that the guest is in.
fn price(mut caller: Caller<'_, GuestTrace>, item: u32) -> Result<u32, Error> {
    // First comes what the guest has traced before, and still has in its buffer.
    if let Some(memory) = caller.get_export("memory").and_then(Extern::into_memory) {
        let (memory, trace) = memory.data_and_store_mut(&mut caller);
        trace.read_buffer(memory).map_err(Error::new)?;
    }
    tracing::debug!(item, "looking up a price");
    Ok(40 * item)
}
