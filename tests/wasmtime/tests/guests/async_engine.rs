//! Shops that are called in futures, and ways to poll these.

use std::{
    future,
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
    thread,
};

use spanshot::{link_wasm_guest, receiver::GuestScope, transport::wasm_host::GuestTrace};
use tokio::task::yield_now;
use tracing::{Instrument, info, info_span};
use wasmtime::{Caller, Config, Engine, Error, Extern, Linker, Module, Store, Val};

use super::bodies::{SHOP, wasm};

/// An order of two items, as [`asked()`] prices them.
pub(crate) const ORDER: &str = "\
INFO order{items=2 total=40}
├─ DEBUG item{item=0 price=0}
│  ├─ INFO asked{item=0}
│  │  ├─ INFO before
│  │  └─ INFO after
│  └─ TRACE printed receipt=receipt no. 0
├─ DEBUG item{item=1 price=40}
│  ├─ INFO asked{item=1}
│  │  ├─ INFO before
│  │  └─ INFO after
│  └─ TRACE printed receipt=receipt no. 1
└─ INFO served";

/// When a guest hands control back to the executor, besides while its host waits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Yields {
    Never,
    /// Whenever it has used this much fuel.
    Fuel(u64),
    /// After each call of its host, which advances the epoch.
    Epochs,
}

pub(crate) type PriceFuture = Pin<Box<dyn Future<Output = u32> + Send>>;
type Price = dyn Fn(u32) -> PriceFuture + Send + Sync;

pub(crate) struct Data {
    trace: GuestTrace,
    price: Arc<Price>,
    nested: Nested,
}

/// Orders of one item that the host makes of the same guest before it says a price, each within the one before.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nested {
    pub(crate) orders: u32,
    /// Whether it gives the innermost one up when that waits.
    pub(crate) gives_up: bool,
}

/// The price of an item, for which the host waits in a span of its own.
pub(crate) async fn asked(item: u32) -> u32 {
    let waiting = async {
        info!("before");
        yield_now().await;
        info!("after");
        item * 40
    };
    waiting.instrument(info_span!("asked", item)).await
}

pub(crate) struct Shop {
    store: Store<Data>,
    instance: wasmtime::Instance,
}

impl Shop {
    pub(crate) async fn new(buffer: u32, yields: Yields) -> Self {
        Self::with_prices(buffer, yields, |item| Box::pin(asked(item))).await
    }

    pub(crate) async fn with_prices(
        buffer: u32,
        yields: Yields,
        price: impl Fn(u32) -> PriceFuture + Send + Sync + 'static,
    ) -> Self {
        let nested = Nested::default();
        let data = Data { trace: GuestTrace::default(), price: Arc::new(price), nested };
        let mut store = Store::new(engine(), data);
        store.set_fuel(u64::MAX).unwrap();
        store.set_epoch_deadline(1 << 60);
        let instance = linker().instantiate_async(&mut store, module()).await.unwrap();
        let mut shop = Self { store, instance };
        assert_eq!(shop.call("install", &[buffer, 0]).await, Ok(1));
        match yields {
            Yields::Never => (),
            Yields::Fuel(interval) => {
                shop.store.fuel_async_yield_interval(Some(interval)).unwrap();
            }
            Yields::Epochs => {
                shop.store.epoch_deadline_async_yield_and_update(1);
                shop.store.set_epoch_deadline(1);
            }
        }
        shop
    }

    pub(crate) fn set_nested(&mut self, nested: Nested) {
        self.store.data_mut().nested = nested;
    }

    pub(crate) fn scope(&self) -> GuestScope {
        self.store.data().trace.scope()
    }

    /// Calls an export, which returns a number or nothing.
    pub(crate) async fn call(&mut self, export: &str, arguments: &[u32]) -> Result<u32, String> {
        self.scope().in_scope_async(self.call_out_of_scope(export, arguments)).await
    }

    pub(crate) async fn call_out_of_scope(
        &mut self,
        export: &str,
        arguments: &[u32],
    ) -> Result<u32, String> {
        let function = self.instance.get_func(&mut self.store, export).expect("it is exported");
        let arguments: Vec<_> =
            arguments.iter().map(|argument| Val::I32(argument.cast_signed())).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let called = function.call_async(&mut self.store, &arguments, &mut results).await;
        called.map_err(|error| format!("{error:?}"))?;
        Ok(results.first().and_then(Val::i32).unwrap_or_default().cast_unsigned())
    }

    /// Serves an order, and reads what is left in the buffer then.
    pub(crate) async fn order(&mut self, items: u32) -> Result<u32, String> {
        let total = self.call("order", &[items]).await;
        self.read_buffer();
        total
    }

    pub(crate) fn read_buffer(&mut self) {
        let memory = self.instance.get_memory(&mut self.store, "memory").expect("it is exported");
        let (memory, data) = memory.data_and_store_mut(&mut self.store);
        data.trace.read_buffer(memory).unwrap();
    }
}

/// Starts a shop and has it serve an order of two items.
pub(crate) async fn serve(buffer: u32, yields: Yields) {
    let mut shop = Shop::new(buffer, yields).await;
    assert_eq!(shop.order(2).await, Ok(40));
}

fn linker() -> Linker<Data> {
    let mut linker = Linker::new(engine());
    link_wasm_guest!(wasmtime, linker, |data: &mut Data| &mut data.trace).unwrap();
    linker
        .func_wrap_async("shop", "price", |caller, (item,): (u32,)| Box::new(price(caller, item)))
        .unwrap();
    linker
}

/// The shop's import.
async fn price(mut caller: Caller<'_, Data>, item: u32) -> Result<u32, Error> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    let (memory, data) = memory.expect("it is exported").data_and_store_mut(&mut caller);
    data.trace.read_buffer(memory).map_err(Error::new)?;
    let nested = data.nested;
    if let Some(orders) = nested.orders.checked_sub(1) {
        data.nested.orders = orders;
        nested_order(&mut caller, orders == 0 && nested.gives_up)
            .instrument(info_span!("nested"))
            .await?;
    }
    let price = Arc::clone(&caller.data().price)(item).await;
    engine().increment_epoch();
    Ok(price)
}

/// Makes an order of the guest that waits for its host, in the host's own span.
async fn nested_order(caller: &mut Caller<'_, Data>, gives_up: bool) -> Result<(), Error> {
    info!("ordering");
    let order = caller.get_export("order").and_then(Extern::into_func);
    let order = order.expect("it is exported").typed::<u32, u32>(&caller)?;
    let scope = caller.data().trace.scope();
    let call = scope.in_scope_async(order.call_async(&mut *caller, 1));
    if gives_up {
        let mut call = pin!(call);
        let first = future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        assert!(first.is_pending());
    } else {
        let beside = async {
            info!("beside");
            yield_now().await;
            info!("beside");
        };
        tokio::join!(call, beside).0?;
    }
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    let (memory, data) = memory.expect("it is exported").data_and_store_mut(&mut *caller);
    scope.in_scope(|| data.trace.read_buffer(memory)).map_err(Error::new)?;
    info!("ordered");
    yield_now().await;
    info!("a while ago");
    Ok(())
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut config = Config::new();
        config.consume_fuel(true).epoch_interruption(true);
        Engine::new(&config).unwrap()
    })
}

fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::new(engine(), wasm("shop_guest.wasm", SHOP)).unwrap())
}

/// Polls a future to its end, and calls the host in between. Returns the number of polls, too.
pub(crate) fn finish<T>(future: impl Future<Output = T>, mut between: impl FnMut()) -> (T, u32) {
    let mut future = pin!(future);
    for polls in 1.. {
        if let Some(output) = poll_once(future.as_mut()) {
            return (output, polls);
        }
        between();
    }
    unreachable!()
}

pub(crate) fn poll_once<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A future that has another one polled on a new thread each time.
pub(crate) async fn on_new_threads<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let mut future = pin!(future);
    future::poll_fn(|context| {
        let waker = context.waker();
        let poll = || future.as_mut().poll(&mut Context::from_waker(waker));
        thread::scope(|scope| scope.spawn(poll).join().unwrap())
    })
    .await
}
