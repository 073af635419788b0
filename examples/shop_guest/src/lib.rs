//! A shop as a WASM module, whose trace is as detailed as its host wants it to be.
//!
//! The host calls [`install`] once and [`order`] for each order; while it serves an order, the guest calls its
//! host for the price of each item. The other exports are there for tests to look at.

use std::{
    cell::RefCell,
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};

use spanshot_sender::wasm_guest::{self, Builder};
use tracing::{
    Level, Span, debug, debug_span, enabled, field, info, info_span, span::EnteredSpan, trace, warn,
};

#[link(wasm_import_module = "shop")]
unsafe extern "C" {
    /// The price of an item, which is the host's business.
    safe fn price(item: u32) -> u32;
}

/// Installs the sender: with a buffer of this many bytes, unless it is 0, and under the filter of the host if it is
/// to ask.
#[unsafe(no_mangle)]
pub extern "C" fn install(buffer: usize, asks: u32) -> u32 {
    let builder = Builder::new();
    u32::from(match (buffer, asks) {
        (0, 0) => builder.install(),
        (0, _) => builder.filtered_by_host().install(),
        (_, 0) => builder.buffered(buffer).install(),
        _ => builder.buffered(buffer).filtered_by_host().install(),
    })
}

/// Serves an order of that many items, and returns its price. Nobody orders 13.
#[unsafe(no_mangle)]
pub extern "C" fn order(items: u32) -> u32 {
    let _order = info_span!("order", items, total = field::Empty).entered();
    let total = (0..items).map(served).sum::<u32>();
    // The order, or what is around the items: they are left by now.
    Span::current().record("total", total);
    info!("served");
    total
}

fn served(item: u32) -> u32 {
    let _item = debug_span!("item", item, price = field::Empty).entered();
    let price = price(item);
    // The item, if its span is wanted, or otherwise whatever is around it.
    Span::current().record("price", price);
    trace!(receipt = ?Receipt(item), "printed");
    if price > 100 {
        warn!(price, "expensive");
    }
    assert!(item != 12, "nobody orders 13 items");
    price
}

/// Something that takes long to format.
struct Receipt(u32);

static FORMATTED: AtomicU32 = AtomicU32::new(0);

impl fmt::Debug for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        FORMATTED.fetch_add(1, Ordering::Relaxed);
        write!(formatter, "receipt no. {}", self.0)
    }
}

/// How many receipts were formatted.
#[unsafe(no_mangle)]
pub extern "C" fn formatted() -> u32 {
    FORMATTED.load(Ordering::Relaxed)
}

/// Which of five questions are answered with yes, as bits.
#[unsafe(no_mangle)]
pub extern "C" fn enabled_here() -> u32 {
    let answers = [
        enabled!(Level::ERROR),
        enabled!(Level::INFO),
        enabled!(Level::DEBUG),
        enabled!(target: "noisy", Level::WARN),
        enabled!(target: "noisy", Level::TRACE),
    ];
    answers.iter().rev().fold(0, |bits, answer| bits << 1 | u32::from(*answer))
}

thread_local! {
    static SHIFT: RefCell<Option<EnteredSpan>> = const { RefCell::new(None) };
}

/// Enters a span in which the shop stays until the next shift begins; there is none with the number 0.
#[unsafe(no_mangle)]
pub extern "C" fn shift(number: u32) {
    SHIFT.take();
    if number > 0 {
        SHIFT.set(Some(info_span!("shift", number).entered()));
        debug!("open");
    }
}

/// Sends the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn flush() {
    wasm_guest::flush();
}
