//! Runs several guests of `examples/shop_guest` at once, on the threads of tokio, with one capture. Each guest hands
//! control back when it has used up its fuel, and while its host waits for a price.
//!
//! ```sh
//! cargo run --manifest-path examples/async_host/Cargo.toml
//! ```

use spanshot::{Capture, link_wasm_guest, transport::wasm_host::GuestTrace};
use tokio::task::yield_now;
use tracing::{Instrument, info, info_span};
use wasmtime::{Config, Engine, InstancePre, Linker, Module, Result, Store};

const GUEST: &[u8] = include_bytes!("../../shop_guest.wasm");

#[tokio::main]
async fn main() -> Result<()> {
    let capture = Capture::start();
    let totals = serve_all(&capture, &[2, 1, 3]).await?;
    println!("totals: {totals:?}\n\n{}", capture.trace());
    Ok(())
}

/// Serves each order in a task and a shop of its own.
async fn serve_all(capture: &Capture, orders: &[u32]) -> Result<Vec<u32>> {
    let shop = shop()?;
    let mut tasks = vec![];
    for (number, &items) in orders.iter().enumerate() {
        let task = serve(shop.clone(), items).instrument(info_span!("request", number));
        tasks.push(tokio::spawn(capture.carry_future(task)));
    }
    let mut totals = vec![];
    for task in tasks {
        totals.push(task.await??);
    }
    Ok(totals)
}

/// Serves an order in a new instance.
async fn serve(shop: InstancePre<GuestTrace>, items: u32) -> Result<u32> {
    let mut store = Store::new(shop.module().engine(), GuestTrace::default());
    store.set_fuel(u64::MAX)?;
    store.fuel_async_yield_interval(Some(1_000))?;
    let shop = shop.instantiate_async(&mut store).await?;
    let install = shop.get_typed_func::<(u32, u32), u32>(&mut store, "install")?;
    install.call_async(&mut store, (0, 0)).await?;

    let order = shop.get_typed_func::<u32, u32>(&mut store, "order")?;
    let scope = store.data().scope();
    let total = scope.in_scope_async(order.call_async(&mut store, items)).await?;
    info!(total, "paid"); // in the request, not in the guest
    Ok(total)
}

/// Compiles the guest, and links what it imports.
fn shop() -> Result<InstancePre<GuestTrace>> {
    let engine = Engine::new(Config::new().consume_fuel(true))?;
    let mut linker = Linker::new(&engine);
    link_wasm_guest!(wasmtime, linker, |trace| trace)?;
    linker.func_wrap_async("shop", "price", |_caller, (item,): (u32,)| Box::new(price(item)))?;
    linker.instantiate_pre(&Module::new(&engine, GUEST)?)
}

/// The price of an item. It is traced in the guest's current span: the guest waits, but it has called.
async fn price(item: u32) -> u32 {
    let looked_up = async {
        yield_now().await; // a database answers, for example
        info!("found");
        item * 40
    };
    looked_up.instrument(info_span!("look_up", item)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../src/transport/wasm_host/concurrent_hosts.rs");

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn each_guest_is_in_its_own_request() {
        let capture = Capture::start();
        assert_eq!(serve_all(&capture, &[1; 8]).await.unwrap(), [0; 8]);
        let trace = capture.trace();
        assert_eq!(trace.roots().count(), 8, "{trace}");
        for (number, request) in trace.root_spans().enumerate() {
            let expected = format!(
                "INFO request{{number={number}}}\n\
                 ├─ INFO order{{items=1 total=0}}\n\
                 │  ├─ DEBUG item{{item=0 price=0}}\n\
                 │  │  ├─ INFO look_up{{item=0}}\n\
                 │  │  │  └─ INFO found\n\
                 │  │  └─ TRACE printed receipt=receipt no. 0\n\
                 │  └─ INFO served\n\
                 └─ INFO paid total=0"
            );
            assert_eq!(request.to_string(), expected);
        }
    }

    #[test]
    fn page_shows_this_code() {
        for shown in PAGE.split("//! ```ignore\n").skip(1) {
            let (shown, _) = shown.split_once("//! ```\n").unwrap();
            for line in shown.lines().map(|line| line.trim_start_matches("//!").trim()) {
                assert!(include_str!("main.rs").contains(line), "{line}");
            }
        }
    }
}
