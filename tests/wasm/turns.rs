//! Guests that take turns, on one thread or on several, suspended wherever their fuel runs out, trapped, or given up.

use std::{mem, thread};

use proptest::{prelude::*, sample::select};
use spanshot::{
    Capture, CapturedSpan, SharedStorage, Trace, TracingEventReceiver, predicates::*,
    transport::wasm_host::GuestTrace,
};
use tracing::{Span, info, info_span};

use crate::{
    bodies::{BUFFERS, read_buffer, shop},
    engine::{Call, Instance},
    host::Host,
};

/// How a guest sends: the size of its buffer, and whether it asks its host.
type Way = (u32, bool);

/// An order in a guest of its own.
struct Guest {
    shop: Instance,
    call: Call,
    items: u32,
    is_trapped: bool,
}

impl Guest {
    /// Orders so many items of a host that traces while it is asked for a price.
    fn new(items: u32, (buffer, asks): Way) -> Self {
        let host = Host::with_prices(|item| {
            info_span!("asked", item).in_scope(|| info!("by the shop"));
            item
        });
        let call = Call::New("order", items);
        Self { shop: shop(host, buffer, asks), call, items, is_trapped: false }
    }

    fn turn(&mut self, fuel: u64) {
        match self.shop.turn(mem::replace(&mut self.call, Call::Done), fuel) {
            Ok(call) => self.call = call,
            Err(_) => self.is_trapped = true,
        }
    }

    fn finish(&mut self) {
        while !matches!(self.call, Call::Done) {
            self.turn(100_000);
        }
        read_buffer(&mut self.shop);
    }

    /// What the guest traces if it is not suspended, and alone.
    fn alone(items: u32, way: Way) -> String {
        let capture = Capture::start();
        Self::new(items, way).finish();
        capture.trace().to_string()
    }

    fn order<'a>(&self, trace: &'a Trace) -> Option<CapturedSpan<'a>> {
        // Guests that are given up have records in their buffers: nothing is sure to be missing.
        let orders = trace.scan_spans().matches(&(name(eq("order")) & field("items", self.items)));
        let [order] = *orders else { return None };
        Some(order)
    }
}

/// Guests of one run are told apart by their items. The last one traps.
const ITEMS: [u32; 4] = [1, 0, 3, 13];

fn way() -> impl Strategy<Value = Way> {
    (select(&BUFFERS[..]), any::<bool>())
}

#[derive(Debug, Clone)]
struct Turn {
    guest: usize,
    fuel: u64,
    /// Whether the guest runs on another thread.
    is_elsewhere: bool,
    /// Whether it is given up afterwards.
    is_last: bool,
}

fn turn() -> impl Strategy<Value = Turn> {
    (0..ITEMS.len(), 1..6_000_u64, any::<bool>(), prop::bool::weighted(0.04)).prop_map(
        |(guest, fuel, is_elsewhere, is_last)| Turn { guest, fuel, is_elsewhere, is_last },
    )
}

#[test]
fn guests_that_are_suspended_at_every_point_are_in_their_spans_when_they_go_on() {
    for way in BUFFERS.into_iter().flat_map(|buffer| [(buffer, false), (buffer, true)]) {
        let alone = [1, 2].map(|items| Guest::alone(items, way));
        let capture = Capture::start();
        let mut guests = [1, 2].map(|items| Guest::new(items, way));
        while guests.iter().any(|guest| !matches!(guest.call, Call::Done)) {
            for guest in &mut guests {
                guest.turn(1); // or as much as it takes to get any further
            }
            info!("between turns");
        }
        guests.iter_mut().for_each(Guest::finish);
        let trace = capture.trace();
        for (guest, alone) in guests.iter().zip(alone) {
            assert_eq!(guest.order(&trace).unwrap().to_string(), alone, "{way:?}");
        }
        let between = trace.scan_events().count(100.., &message(eq("between turns")));
        assert!(between.iter().all(|event| event.parent().is_none()), "{way:?}");
    }
}

/// The host does not say that it runs the guest.
#[test]
fn guest_that_is_called_out_of_its_scope_is_trapped_and_says_what_to_do() {
    for (buffer, asks) in [(0, false), (0, true), (60, true)] {
        let capture = Capture::builder().ignore_lost_records().start();
        let mut shop = shop(Host::default(), buffer, asks);
        let error = shop.call_out_of_scope("order", &[1]).unwrap_err();
        assert!(error.contains("call the guest in `GuestScope::in_scope()`"), "{error}");
        info!("by the host");
        let trace = capture.trace();
        let [by_host] = *trace.scan_events().matches(&message(eq("by the host"))) else { panic!() };
        assert!(by_host.parent().is_none());

        // It goes on when it is called as it should be.
        assert_eq!(shop.call("order", &[1]), Ok(0));
    }
    // One that asks must not be told what holds elsewhere: it would send nothing that could be refused.
    let capture = Capture::start();
    let mut asking = shop(Host::default(), 0, true);
    asking.call("shift", &[1]).unwrap();
    let error = asking.call_out_of_scope("enabled_here", &[]).unwrap_err();
    assert!(error.contains("call the guest in `GuestScope::in_scope()`"), "{error}");
    assert_eq!(asking.call("enabled_here", &[]), Ok(0b11111));
    drop(capture);

    // A host that fills a storage is in no span of its guests.
    let storage = SharedStorage::default();
    let trace = GuestTrace::new(TracingEventReceiver::capturing(&storage));
    let mut shop = shop(Host::with_trace(trace), 0, false);
    assert_eq!(shop.call_out_of_scope("order", &[1]), Ok(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn guests_in_turns_trace_as_if_alone_and_their_host_as_if_there_were_none(
        ways in prop::array::uniform4(way()),
        turns in prop::collection::vec(turn(), 0..60),
    ) {
        let alone: Vec<_> = ITEMS.iter().zip(ways).map(|(items, way)| Guest::alone(*items, way)).collect();
        let capture = Capture::start();
        let mut guests: Vec<_> =
            ITEMS.iter().zip(ways).map(|(items, way)| Some(Guest::new(*items, way))).collect();
        for (number, turn) in turns.iter().enumerate() {
            info_span!("turn", number).in_scope(|| {
                let Some(guest) = &mut guests[turn.guest] else { return };
                if turn.is_elsewhere {
                    let span = Span::current();
                    let run = capture.carry(|| {
                        span.in_scope(|| {
                            guest.turn(turn.fuel);
                            info!(number, "after a turn");
                        });
                        info!(number, "between turns");
                    });
                    thread::scope(|scope| scope.spawn(run).join().unwrap());
                } else {
                    guest.turn(turn.fuel);
                }
                info!(number, "after a turn");
                if turn.is_last {
                    guests[turn.guest] = None;
                    info!(number, "after a turn");
                }
            });
            info!(number, "between turns");
        }
        for guest in guests.iter_mut().flatten() {
            guest.finish();
        }
        info!("at last");

        let trace = capture.trace();
        for (guest, alone) in guests.iter().zip(alone) {
            if let Some(guest) = guest {
                let order = guest.order(&trace).map(|order| order.to_string());
                prop_assert_eq!(order, Some(alone));
                prop_assert_eq!(guest.is_trapped, guest.items == 13);
            }
        }
        for event in trace.all_events() {
            let Some(text) = event.message().filter(|text| text.ends_with("turn") || text.ends_with("turns")) else {
                continue;
            };
            let is_between = text == "between turns";
            let turn = event.parent().map(|parent| (parent.metadata().name() == "turn", parent["number"] == event["number"]));
            prop_assert_eq!(turn, (!is_between).then_some((true, true)), "{}", trace);
        }
        let at_last = trace.scan_events().matches(&message(eq("at last")));
        prop_assert!(at_last.len() == 1 && at_last[0].parent().is_none());
        for asked in trace.all_spans().filter(|span| span.metadata().name() == "asked") {
            let item = asked.parent().filter(|parent| parent.metadata().name() == "item");
            prop_assert_eq!(item.map(|item| item["item"].clone()), Some(asked["item"].clone()), "{}", trace);
        }
        for span in trace.all_spans() {
            let stats = span.stats();
            prop_assert_eq!(stats.entered, stats.exited, "{}", span);
        }
    }
}
