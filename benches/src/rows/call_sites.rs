//! Many call sites, and many subscribers that are asked about them.

use spanshot::{Capture, SharedStorage, TracingEventReceiver};
use tracing::{
    Metadata, Subscriber, dispatcher, info,
    span::{Attributes, Id, Record},
    subscriber::{Interest, with_default},
};

use crate::{
    buffer::Buffer,
    call_site::{call_sites, register_some},
    row::{JudgedBy, Row, Side, Work},
    rows::growth::sender,
    table::Table,
    tunnels::encoded_to,
};

const CALL_SITE: (&str, u64) = ("a call site", 1);
const SUBSCRIBER: (&str, u64) = ("a subscriber", 1);

const CREATED: [u64; 2] = [10, 1_000];

/// Events that come from a few call sites, or from many, by turns.
const LOOK_UPS: u64 = 1_000_000;

pub(crate) const ROWS: &[Row] = &[
    among(
        "sender, a million look-ups among 10 → 1,000 call sites",
        look_up_in_sender::<1_000>,
        look_up_in_sender::<10>,
    )
    .held_to(2.0),
    among(
        "direct capture, a million look-ups among 10 → 1,000 call sites",
        look_up_in_receiver::<1_000>,
        look_up_in_receiver::<10>,
    ),
    Row::growth(
        "sender, first events of 10,000 → 1,000,000 call sites",
        CALL_SITE,
        use_each,
        [10_000, 1_000_000],
    )
    .held_to(5.0),
    Row::growth(
        "direct capture, first events of 1,000 → 60,000 call sites",
        CALL_SITE,
        receive_each,
        [1_000, 60_000],
    )
    .held_to(2.0),
    Row::growth(
        "10 → 1,000 senders, one after another, 1,000 call sites",
        SUBSCRIBER,
        create_senders,
        CREATED,
    ),
    Row::growth(
        "10 → 1,000 captures, one after another, 1,000 call sites",
        SUBSCRIBER,
        start_captures,
        CREATED,
    ),
    Row::growth(
        "10 → 1,000 bare subscribers, one after another, 1,000 call sites",
        SUBSCRIBER,
        create_bare_subscribers,
        CREATED,
    )
    .only_shown(),
];

const fn among(name: &'static str, many: fn(u64) -> Work, few: fn(u64) -> Work) -> Row {
    let side = Side { prepare: many, units: LOOK_UPS, parts: 1 };
    Row {
        table: Table::Growth,
        name,
        per: "an event",
        first: side,
        second: Some(Side { prepare: few, ..side }),
        reach: Some(crate::row::GROWTH),
        held: None,
        held_count: None,
        judged_by: JudgedBy::Time,
    }
}

fn look_up_in_sender<const CALL_SITES: usize>(events: u64) -> Work {
    let sender = sender();
    let sites = call_sites(CALL_SITES);
    Box::new(move || {
        for (number, site) in (0..events).zip(sites.iter().cycle()) {
            site.trace(&sender, number);
        }
    })
}

fn look_up_in_receiver<const CALL_SITES: usize>(events: u64) -> Work {
    let buffer = Buffer::default();
    let sender = encoded_to(&buffer);
    for (number, site) in (0..events).zip(call_sites(CALL_SITES).iter().cycle()) {
        site.trace(&sender, number);
    }
    received(buffer)
}

fn use_each(count: u64) -> Work {
    let sender = sender();
    let sites = call_sites(usize::try_from(count).unwrap_or(usize::MAX));
    Box::new(move || sites.iter().for_each(|site| site.trace(&sender, 1)))
}

fn receive_each(count: u64) -> Work {
    let buffer = Buffer::default();
    let sender = encoded_to(&buffer);
    let sites = call_sites(usize::try_from(count).unwrap_or(usize::MAX));
    for site in sites {
        site.trace(&sender, 1);
    }
    received(buffer)
}

fn received(buffer: Buffer) -> Work {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    Box::new(move || {
        for frame in buffer.records().iter() {
            receiver.receive_encoded(frame).expect("it is in order");
        }
    })
}

fn create_senders(count: u64) -> Work {
    register_some();
    Box::new(move || {
        for number in 0..count {
            dispatcher::with_default(&sender(), || info!(number));
        }
    })
}

fn start_captures(count: u64) -> Work {
    register_some();
    Box::new(move || {
        for number in 0..count {
            let _capture = Capture::start();
            info!(number);
        }
    })
}

fn create_bare_subscribers(count: u64) -> Work {
    register_some();
    Box::new(move || {
        for number in 0..count {
            with_default(Bare, || info!(number));
        }
    })
}

/// A subscriber that wants everything, and does nothing with it.
struct Bare;

impl Subscriber for Bare {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
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
