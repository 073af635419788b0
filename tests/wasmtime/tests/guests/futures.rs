//! Guests that are called in futures: while one is suspended, the host is in none of its spans.

use std::{
    future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use spanshot::{Capture, Trace, predicates::*};
use tokio::task::yield_now;
use tracing::{Instrument, info, info_span};

use super::{
    async_engine::{Nested, ORDER, PriceFuture, Shop, Yields, asked, finish, poll_once, serve},
    bodies::{BUFFERS, LARGE},
};

/// Something of the host's that has nothing to do with its guests.
fn unrelated() {
    info!("unrelated");
}

fn root_spans(trace: &Trace) -> Vec<String> {
    trace.root_spans().map(|span| span.to_string()).collect()
}

/// Asserts that these are the trees of the guests, and that nothing unrelated is in any of them.
#[track_caller]
fn assert_orders(trace: &Trace, expected: &[&str], point: &str) {
    assert_eq!(root_spans(trace), expected, "{point}");
    assert_apart(trace, point);
}

#[track_caller]
fn assert_apart(trace: &Trace, point: &str) {
    for event in trace.all_events().filter(|event| event.message() == Some("unrelated")) {
        let parent = event.parent().map(|span| span.to_string());
        assert_eq!(parent, None, "{point}");
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn what_a_host_function_traces_while_it_waits_is_in_the_item_and_nothing_else_is() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let ((), polls) = finish(serve(buffer, Yields::Never), unrelated);
        unrelated();
        assert_eq!(polls, 3, "one more for each item");
        let trace = capture.trace();
        assert_eq!(trace.to_string(), format!("{ORDER}\n⟨3×⟩ INFO unrelated"));
    }
}

#[test]
fn guest_that_yields_by_fuel_traces_what_it_does_in_one_go() {
    for buffer in BUFFERS {
        // It yields at calls and in loops only, so that many intervals come to the same.
        let mut interval = 1;
        loop {
            let capture = Capture::start();
            let ((), polls) = finish(serve(buffer, Yields::Fuel(interval)), unrelated);
            unrelated();
            let point = format!("buffer of {buffer}, fuel of {interval}, {polls} polls");
            let trace = capture.trace();
            assert_orders(&trace, &[ORDER], &point);
            assert_eq!(trace.root_events().count(), polls as usize, "{point}");
            if polls == 3 {
                break;
            }
            interval += 1 + interval / 8;
        }
        assert!(interval > 1_000, "it has hardly ever yielded: {interval}");
    }
}

#[test]
fn guest_that_yields_by_epoch_traces_what_it_does_in_one_go() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let ((), polls) = finish(serve(buffer, Yields::Epochs), unrelated);
        assert!(polls >= 5, "it yields after each item: {polls}");
        assert_orders(&capture.trace(), &[ORDER], &format!("buffer of {buffer}"));
    }
}

#[test]
fn guests_that_are_joined_trace_apart_and_the_host_besides() {
    for buffer in BUFFERS {
        for interval in [1_000, 1_009, 3_001, 20_011] {
            let capture = Capture::start();
            let is_done = AtomicBool::new(false);
            let guests = async {
                tokio::join!(
                    serve(buffer, Yields::Fuel(interval)).instrument(info_span!("first")),
                    serve(buffer, Yields::Fuel(interval / 2)).instrument(info_span!("second")),
                );
                is_done.store(true, Ordering::Relaxed);
            };
            let host = async {
                let mut rounds = 0;
                while !is_done.load(Ordering::Relaxed) {
                    unrelated();
                    yield_now().await;
                    rounds += 1;
                }
                rounds
            };
            let ((), rounds) = block_on(async { tokio::join!(guests, host) });
            let point = format!("buffer of {buffer}, fuel of {interval}");
            let trace = capture.trace();
            let indented = ORDER.replace('\n', "\n   ");
            let expected =
                ["first", "second"].map(|name| format!("INFO {name}{{}}\n└─ {indented}"));
            assert_orders(&trace, &[&expected[0], &expected[1]], &point);
            assert!(rounds > 3, "{point}: {rounds} rounds");
            assert_eq!(trace.root_events().count(), rounds, "{point}");
        }
    }
}

/// What a host does when it is interrupted.
struct GivesUp;

impl Drop for GivesUp {
    fn drop(&mut self) {
        info!("gave up");
    }
}

/// A shop whose host never learns the price of the second item when it first asks.
async fn stuck_shop(buffer: u32, yields: Yields) -> Shop {
    let is_stuck = AtomicBool::new(true);
    let price = move |item| -> PriceFuture {
        if item == 1 && is_stuck.swap(false, Ordering::Relaxed) {
            let waiting = async {
                info!("before");
                future::pending().await
            };
            let waiting = waiting.instrument(info_span!("asked", item));
            let gives_up = GivesUp;
            Box::pin(async move {
                let _gives_up = gives_up;
                waiting.await
            })
        } else {
            Box::pin(asked(item))
        }
    };
    Shop::with_prices(buffer, yields, price).await
}

#[test]
fn guest_that_loses_a_race_leaves_the_host_at_once_and_may_be_called_again() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let mut shop = block_on(stuck_shop(buffer, Yields::Never));
        let timeout = async {
            for _ in 0..5 {
                unrelated();
                yield_now().await;
            }
        };
        block_on(async {
            tokio::select! {
                total = shop.call("order", &[2]) => panic!("{total:?}"),
                () = timeout => unrelated(),
            }
        });
        unrelated();
        shop.read_buffer();
        let trace = capture.trace();
        assert_apart(&trace, "after the race");
        let order = trace.scan_spans().single(&name(eq("order")));
        let item = order.scan_spans().single(&(field("item", 1_u32) & name(eq("item"))));
        assert!(!order.stats().is_closed && !item.stats().is_closed, "{trace}");
        assert_eq!(order.stats().entered, order.stats().exited, "{trace}");
        let asked = item.scan_spans().single(&name(eq("asked")));
        assert!(asked.stats().is_closed, "the host's own future is dropped");
        let gave_up = trace.scan_events().single(&message(eq("gave up")));
        assert_eq!(gave_up.parent(), Some(item), "it is dropped on behalf of the guest");

        // The guest is where it was: in the item.
        assert_eq!(block_on(shop.order(2)), Ok(40));
        unrelated();
        drop(shop);
        unrelated();
        let trace = capture.trace();
        assert_apart(&trace, "after the second order");
        let item = trace.scan_spans().first(&(name(eq("item")) & field("item", 1_u32)));
        let second = item.scan_spans().single(&name(eq("order")));
        assert_eq!(second.to_string(), ORDER);
    }
}

#[test]
fn guest_may_be_cancelled_after_any_poll() {
    for buffer in BUFFERS {
        let mut polls = 0;
        loop {
            let capture = Capture::start();
            let (mut shop, _) = finish(Shop::new(buffer, Yields::Fuel(2_003)), unrelated);
            let is_ready = {
                let mut order = pin!(shop.call("order", &[2]));
                (0..polls).any(|_| poll_once(order.as_mut()).is_some())
            };
            unrelated();
            let (total, _) = finish(shop.order(2), unrelated);
            assert_eq!(total, Ok(40));
            unrelated();
            let trace = capture.trace();
            let point = format!("buffer of {buffer}, cancelled after {polls} polls");
            assert_apart(&trace, &point);
            let last = trace.scan_spans().last(&name(eq("order")));
            assert_eq!(last.to_string(), ORDER, "{point}");
            drop(shop);
            unrelated();
            assert_apart(&capture.trace(), &point);
            if is_ready {
                break;
            }
            polls += 1;
        }
        assert!(polls > 5, "buffer of {buffer}: it was ready after {polls} polls");
    }
}

/// Serves an order that the shop does not survive.
async fn serve_13(buffer: u32, yields: Yields) {
    let mut shop = Shop::new(buffer, yields).await;
    shop.order(13).await.unwrap_err();
    unrelated();
}

#[test]
fn guest_that_traps_in_a_future_leaves_the_host() {
    let traced = |buffer, yields| {
        let capture = Capture::start();
        finish(serve_13(buffer, yields), unrelated);
        unrelated();
        let trace = capture.trace();
        let [order] = &*root_spans(&trace) else { panic!("{trace}") };
        assert_apart(&trace, &format!("{yields:?}"));
        order.clone()
    };
    let expected = traced(0, Yields::Never);
    assert!(expected.ends_with("WARN expensive price=480"), "{expected}");
    for buffer in BUFFERS {
        for yields in [Yields::Never, Yields::Fuel(1_009), Yields::Fuel(30_011), Yields::Epochs] {
            assert_eq!(traced(buffer, yields), expected, "buffer of {buffer}, {yields:?}");
        }
    }
}

#[test]
fn host_function_that_panics_leaves_the_host_outside() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let price = |item| -> PriceFuture {
            let panicking = async move {
                yield_now().await;
                assert_eq!(item, 0, "the host panics");
                0
            };
            Box::pin(panicking.instrument(info_span!("asked", item)))
        };
        let (mut shop, _) = finish(Shop::with_prices(buffer, Yields::Never, price), unrelated);
        let panicked =
            catch_unwind(AssertUnwindSafe(|| finish(shop.call("order", &[2]), unrelated)));
        assert!(panicked.is_err());
        unrelated();
        shop.read_buffer();
        let trace = capture.trace();
        assert_apart(&trace, &format!("buffer of {buffer}"));
        let item = trace.scan_spans().single(&(name(eq("item")) & field("item", 1_u32)));
        item.scan_spans().single(&name(eq("asked")));
    }
}

#[test]
fn guest_that_is_called_out_of_scope_is_trapped_with_the_remedy() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let (mut shop, _) = finish(Shop::new(buffer, Yields::Never), unrelated);
        let (refused, _) = finish(shop.call_out_of_scope("order", &[2]), unrelated);
        let error = refused.expect_err(&format!("buffer of {buffer}:\n{}", capture.trace()));
        assert!(error.contains("await it in `GuestScope::in_scope_async()`"), "{error}");

        // It only enters a span.
        let (mut shop, _) = finish(Shop::new(buffer, Yields::Never), unrelated);
        let calls = async {
            shop.call_out_of_scope("shift", &[1]).await?;
            shop.call_out_of_scope("flush", &[]).await
        };
        let error = finish(calls, unrelated).0.unwrap_err();
        assert!(error.contains("await it in `GuestScope::in_scope_async()`"), "{error}");
    }
}

#[test]
fn guest_that_its_host_awaits_for_another_is_in_the_spans_of_that() {
    for buffer in BUFFERS {
        for yields in [Yields::Never, Yields::Fuel(1_009), Yields::Fuel(20_011), Yields::Epochs] {
            let capture = Capture::start();
            let wholesale = finish(Shop::new(buffer, yields), unrelated).0;
            let wholesale = Arc::new(Mutex::new(Some(wholesale)));
            let price = {
                let wholesale = Arc::clone(&wholesale);
                move |item| -> PriceFuture {
                    let wholesale = Arc::clone(&wholesale);
                    Box::pin(async move {
                        let lock = || wholesale.lock().unwrap_or_else(PoisonError::into_inner);
                        let mut shop = lock().take().unwrap();
                        info!(item, "buying");
                        let total = shop.order(2).await.unwrap();
                        info!(item, "bought");
                        *lock() = Some(shop);
                        total
                    })
                }
            };
            let (mut retail, _) = finish(Shop::with_prices(buffer, yields, price), unrelated);
            assert_eq!(finish(retail.order(1), unrelated).0, Ok(40));
            let order = ORDER.replace('\n', "\n│  │  ");
            let expected = format!(
                "INFO order{{items=1 total=40}}\n\
                 ├─ DEBUG item{{item=0 price=40}}\n\
                 │  ├─ INFO buying item=0\n\
                 │  ├─ {order}\n\
                 │  ├─ INFO bought item=0\n\
                 │  └─ TRACE printed receipt=receipt no. 0\n\
                 └─ INFO served"
            );
            let point = format!("buffer of {buffer}, {yields:?}");
            assert_orders(&capture.trace(), &[&expected], &point);
        }
    }
}

/// An order of one item, before whose price its host does something.
fn order_with(before: &str) -> String {
    let before = before.lines().map(|line| format!("│  {line}\n")).collect::<String>();
    format!(
        "INFO order{{items=1 total=0}}\n\
         ├─ DEBUG item{{item=0 price=0}}\n\
         {before}\
         │  ├─ INFO asked{{item=0}}\n\
         │  │  ├─ INFO before\n\
         │  │  └─ INFO after\n\
         │  └─ TRACE printed receipt=receipt no. 0\n\
         └─ INFO served"
    )
}

#[test]
fn guest_that_its_host_calls_again_stays_in_the_span_of_the_host_when_it_waits() {
    for buffer in BUFFERS {
        for yields in [Yields::Never, Yields::Fuel(503), Yields::Fuel(20_011), Yields::Epochs] {
            for orders in 1..=3 {
                let capture = Capture::start();
                let mut shop = finish(Shop::new(buffer, yields), unrelated).0;
                shop.set_nested(Nested { orders, gives_up: false });
                assert_eq!(finish(shop.order(1), unrelated).0, Ok(0));
                // What the host does beside the call depends on when that waits.
                let traced = capture.trace();
                let beside = traced.scan_events().count(2 * orders as usize, &message("beside"));
                for event in beside {
                    let parent = event.parent().map(|span| span.metadata().name());
                    assert_eq!(parent, Some("nested"), "{traced}");
                }
                let expected = (0..orders).fold(order_with(""), |inner, _| {
                    order_with(&format!(
                        "├─ INFO nested{{}}\n\
                         │  ├─ INFO ordering\n\
                         │  ├─ {}\n\
                         │  ├─ INFO ordered\n\
                         │  └─ INFO a while ago",
                        inner.replace('\n', "\n│  │  ")
                    ))
                });
                let point = format!("buffer of {buffer}, {yields:?}, {orders} within one another");
                let is_beside = |line: &&str| !line.ends_with("INFO beside");
                let lines = root_spans(&traced).join("\n");
                let lines: Vec<_> = lines.lines().filter(is_beside).collect();
                assert_eq!(lines.join("\n"), expected, "{point}");
                assert_apart(&traced, &point);
            }
        }
    }
}

#[test]
fn nested_call_that_is_given_up_leaves_its_host_in_its_span() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let mut shop = finish(Shop::new(buffer, Yields::Never), unrelated).0;
        shop.set_nested(Nested { orders: 1, gives_up: true });
        assert_eq!(finish(shop.order(1), unrelated).0, Ok(0));
        // The guest itself stays where the call was given up.
        let expected = "INFO order{items=1}\n\
                        └─ DEBUG item{item=0}\n   \
                           ├─ INFO nested{}\n   \
                           │  ├─ INFO ordering\n   \
                           │  ├─ INFO order{items=1}\n   \
                           │  │  └─ DEBUG item{item=0 price=0}\n   \
                           │  │     ├─ INFO asked{item=0}\n   \
                           │  │     │  └─ INFO before\n   \
                           │  │     ├─ TRACE printed receipt=receipt no. 0\n   \
                           │  │     └─ INFO served\n   \
                           │  ├─ INFO ordered\n   \
                           │  └─ INFO a while ago\n   \
                           └─ INFO asked{item=0}\n      \
                              ├─ INFO before\n      \
                              └─ INFO after";
        let point = format!("buffer of {buffer}");
        assert_orders(&capture.trace(), &[expected], &point);
    }
}

#[test]
fn span_around_the_call_is_around_the_guest_whenever_it_is_polled() {
    let capture = Capture::start();
    let mut shop = finish(Shop::new(LARGE, Yields::Fuel(1_009)), unrelated).0;
    let order = shop.order(2).instrument(info_span!("request"));
    assert_eq!(finish(order, unrelated).0, Ok(40));
    let expected = format!("INFO request{{}}\n└─ {}", ORDER.replace('\n', "\n   "));
    assert_orders(&capture.trace(), &[&expected], "in a request");
}
