//! Call sites that are disabled cost what `tracing` itself asks for, and nothing more.
//!
//! That is a few instructions, which only counting can tell.

use std::{cell::Cell, fmt};

use spanshot::{Capture, TracingEventSender, receiver::FilterAnswer};
use tracing::{
    Dispatch, Metadata, Subscriber, callsite, debug, dispatcher,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

use crate::{
    row::{JudgedBy, Prepare, Row, Side, Work},
    table::Table,
};

pub(crate) const ROWS: &[Row] = &[
    row("a sender with a maximum level, against no subscriber", under_max_level, under_nobody),
    row("a `Capture` with levels, against no subscriber", under_capture, under_nobody),
    row("a sender with a filter, against a bare one", under_filter, under_bare_filter),
    // While there is a capture, a subscriber is asked about what nobody wants: see `src/interest.rs`.
    row(
        "a `Capture` with targets, against a bare one that is asked",
        under_capture_of_targets,
        under_bare_filter_that_is_asked,
    )
    .only_shown(),
    // What a host wants may change, so that the sender is asked each time, and remembers the answer.
    row(
        "a sender with a host's filter, against a bare one that is asked",
        under_host_filter,
        under_bare_filter_that_is_asked,
    )
    .only_shown(),
];

const fn row(name: &'static str, with: Prepare, without: Prepare) -> Row {
    let side = Side { prepare: with, units: 1_000_000, parts: 1 };
    Row {
        table: Table::Unused,
        name,
        per: "an event",
        first: side,
        second: Some(Side { prepare: without, ..side }),
        reach: Some(1.0),
        held: None,
        held_count: None,
        judged_by: JudgedBy::Count,
    }
}

thread_local! {
    static FORMATTED: Cell<u64> = const { Cell::new(0) };
}

/// A value that costs something to be formatted.
struct Counted;

impl fmt::Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        FORMATTED.set(FORMATTED.get() + 1);
        formatter.write_str("counted")
    }
}

/// Traces events that nobody wants.
#[inline(never)]
fn trace(events: u64) {
    for number in 0..events {
        debug!(number, value = %Counted, "disabled");
    }
}

fn under(subscriber: Dispatch) -> impl Fn(u64) {
    // What other subscribers wanted, which are gone, is to be forgotten. While there is but one, `tracing`
    // asks the thread's own instead.
    dispatcher::with_default(&subscriber, callsite::rebuild_interest_cache);
    move |events| {
        dispatcher::with_default(&subscriber, || trace(events));
        assert_eq!(FORMATTED.get(), 0, "nobody wants it");
    }
}

fn work(subscriber: Dispatch, events: u64) -> Work {
    let trace = under(subscriber);
    Box::new(move || trace(events))
}

fn send(_: &[u8]) {
    unreachable!("nothing is sent")
}

fn under_nobody(events: u64) -> Work {
    work(Dispatch::none(), events)
}

fn under_max_level(events: u64) -> Work {
    work(Dispatch::new(TracingEventSender::encoded(send).with_max_level(LevelFilter::INFO)), events)
}

fn under_filter(events: u64) -> Work {
    work(Dispatch::new(TracingEventSender::encoded(send).with_filter(|_| false)), events)
}

fn under_host_filter(events: u64) -> Work {
    work(
        Dispatch::new(
            TracingEventSender::encoded(send).with_host_filter(|_: &[u8]| FilterAnswer::Never),
        ),
        events,
    )
}

fn under_bare_filter(events: u64) -> Work {
    work(Dispatch::new(Nothing(Interest::never())), events)
}

fn under_bare_filter_that_is_asked(events: u64) -> Work {
    work(Dispatch::new(Nothing(Interest::sometimes())), events)
}

fn under_capture(events: u64) -> Work {
    captured("info", events)
}

fn under_capture_of_targets(events: u64) -> Work {
    captured("trace,spanshot_benches=info", events)
}

fn captured(filter: &'static str, events: u64) -> Work {
    let capture = Capture::builder().filter(filter).start();
    let trace = under(capture.dispatch().clone());
    Box::new(move || {
        _ = &capture; // it goes on
        trace(events);
    })
}

/// A subscriber that wants nothing, whatever its level, and says so once or each time.
struct Nothing(Interest);

impl Subscriber for Nothing {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        self.0.clone()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
