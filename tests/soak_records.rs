//! A stream that goes on for as long as one likes: the host takes no more memory for it than for a short one.
//!
//! `SPANSHOT_SOAK_RECORDS` sets the number of records, which is otherwise that of a short run. Counting all that is
//! allocated is the business of a process of its own.

mod counting;

use std::{
    env,
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
};

use spanshot::{
    Capture, CaptureLayer, Keep, SharedStorage, TracingEventReceiver,
    transport::stream::{StreamReceiver, StreamWriter},
};
use tracing_subscriber::layer::SubscriberExt;

use self::counting::NOW;

const SHORT: u64 = 50_000;

/// Memory that may differ between two moments: lists that have grown and are empty.
const MAX_GROWTH: usize = 128 << 10;

const SITES: [&[u8]; 2] = [
    b"\x20\0\0\x02\x04span\x06target\0\0\0\x02\x06number\x04late",
    b"\x20\x01\x01\x02\x05event\x06target\0\0\0\x01\x07message",
];

/// Records of one round, in which spans overlap, threads come and go, and some records are refused.
fn round(round: u64, mut send: impl FnMut(&[u8])) -> u64 {
    let (id, next) = (varint(2 * round + 1), varint(2 * round + 2));
    let thread = varint(round % 1_000);
    let mut count = 0;
    let mut send = |parts: &[&[u8]]| {
        count += 1;
        send(&parts.concat());
    };
    send(&[b"\x21", &id, b"\0\0\x03", &varint(round)]);
    send(&[b"\x33", &thread, &id]);
    send(&[b"\x31", &thread, &next, b"\0\0"]);
    send(&[b"\x28\x01\0\x07\x04text"]);
    send(&[b"\x27", &id, b"\x17\x08recorded"]);
    send(&[b"\x22", &next, &id]);
    send(&[b"\x25", &id]);
    send(&[b"\x26", &id]);
    send(&[b"\x34", &thread, &id]);
    send(&[b"\x34", &thread, &id]); // it has left
    send(&[b"\x26", &id]);
    send(&[b"\x26", &next]);
    send(&[b"\x26", &next]); // it is closed
    count
}

/// Records of one round, in which the program closes spans that it is in, on its first thread and on another one. It
/// stays in the span with ID 1.
fn round_of_closed(round: u64, mut send: impl FnMut(&[u8])) -> u64 {
    let mut count = 0;
    for (id, thread) in [(2 * round + 2, 0), (2 * round + 3, 7)] {
        let (id, thread) = (varint(id), varint(thread));
        let records: [&[&[u8]]; 4] = [
            &[b"\x31", &thread, &id, b"\0\0"],
            &[b"\x33", &thread, &id],
            &[b"\x26", &id],
            &[b"\x34", &thread, &id],
        ];
        for record in records {
            send(&record.concat());
            count += 1;
        }
    }
    count
}

fn varint(number: u64) -> Vec<u8> {
    postcard::to_allocvec(&number).unwrap()
}

/// Runs rounds, and asserts that memory is after half of them what it is after all of them.
fn check(what: &str, mut take: impl FnMut(u64) -> u64) {
    let all = env::var("SPANSHOT_SOAK_RECORDS").map_or(SHORT, |number| number.parse().unwrap());
    let (mut records, mut number) = (0, 0);
    let mut run = |until: u64| {
        while records < until {
            records += take(number);
            number += 1;
        }
        NOW.load(Relaxed)
    };
    let half = run(all / 2);
    let end = run(all);
    println!("{what}: {records} records, {half} bytes after half of them, {end} at the end");
    assert!(end < half + MAX_GROWTH, "{what}: {half} bytes after half of them, {end} at the end");
}

fn bounded() -> SharedStorage {
    let storage = SharedStorage::default();
    storage.set_max_nodes(1_000, Keep::Newest);
    storage
}

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// They are one test, so that they do not count one another.
#[test]
fn memory_is_flat() {
    let storage = bounded();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    for site in SITES {
        receiver.receive_encoded(site).unwrap();
    }
    let mut refused = 0;
    check("directly", |number| {
        round(number, |frame| refused += u64::from(receiver.receive_encoded(frame).is_err()))
    });
    assert!(refused > 0);
    drop((receiver, storage));

    let storage = bounded();
    let subscriber = tracing_subscriber::registry().with(CaptureLayer::new(&storage));
    tracing::subscriber::with_default(subscriber, || {
        let mut receiver = TracingEventReceiver::default();
        for site in SITES {
            receiver.receive_encoded(site).unwrap();
        }
        check("relayed", |number| round(number, |frame| drop(receiver.receive_encoded(frame))));
    });

    let capture = Capture::builder().max_nodes(1_000, Keep::Newest).start();
    let mut receiver = TracingEventReceiver::default();
    for record in SITES.into_iter().chain([b"\x21\x01\0\0", &b"\x23\x01"[..]]) {
        receiver.receive_encoded(record).unwrap();
    }
    check("closed inside", |number| {
        round_of_closed(number, |frame| receiver.receive_encoded(frame).unwrap())
    });
    drop((receiver, capture));

    let (storage, output) = (bounded(), Output::default());
    let writer = StreamWriter::new(output.clone());
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let mut stream = StreamReceiver::new(&mut receiver);
    for site in SITES {
        writer.send(site);
    }
    check("in a stream", |number| {
        let count = round(number, |frame| writer.send(frame));
        stream.push(&mem::take(&mut *output.0.lock().unwrap()), |_| ());
        count
    });
    let receipt = stream.finish();
    assert!(receipt.problems.len() <= 100 && receipt.problem_count > 100);
}
