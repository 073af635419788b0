//! Byte streams of several programs that a host takes in turns, and streams that end in the middle of a span: the host
//! is in none of their spans meanwhile.

use spanshot::{
    Capture, SharedStorage, TracingEventReceiver,
    predicates::*,
    transport::stream::{self, StreamReceiver},
};
use tracing::{info, info_span};

use super::byte_streams::packets;
use crate::support::frames_of;

/// A program whose records are told from those of the others.
fn packets_of(program: &'static str) -> Vec<Vec<u8>> {
    packets(&frames_of(|| {
        info_span!("outer", program).in_scope(|| {
            info!(program, "first");
            info_span!("inner", program).in_scope(|| info!(program, "second"));
        });
    }))
}

fn tree_of(program: &str) -> String {
    format!(
        "INFO outer{{program={program:?}}}\n\
         ├─ INFO first program={program:?}\n\
         └─ INFO inner{{program={program:?}}}\n   \
            └─ INFO second program={program:?}"
    )
}

#[test]
fn streams_that_are_pushed_in_turns_are_not_mixed() {
    let capture = Capture::start();
    let programs = ["a", "b", "c"];
    let mut receivers = programs.map(|_| TracingEventReceiver::default());
    let mut streams: Vec<_> = receivers
        .iter_mut()
        .zip(programs)
        .map(|(receiver, program)| (StreamReceiver::new(receiver), packets_of(program)))
        .collect();
    for packet in 0..streams[0].1.len() {
        for (stream, packets) in &mut streams {
            stream.push(&packets[packet], |_| ());
            info!("by the host");
        }
    }
    assert!(streams.into_iter().all(|(stream, _)| stream.finish().is_complete()));
    let trace = capture.trace();
    for program in programs {
        let outer = trace.scan_spans().single(&(name(eq("outer")) & field("program", program)));
        assert_eq!(outer.to_string(), tree_of(program));
        assert_eq!((outer.stats().entered, outer.stats().exited), (1, 1));
    }
    trace.scan_events().none(&(message(eq("by the host")) & parent(always())));
}

#[test]
fn stream_that_is_cut_leaves_the_host_in_none_of_its_spans() {
    let packets = packets_of("a");
    for len in 0..=packets.len() {
        let capture = Capture::builder().ignore_lost_records().start();
        let mut receiver = TracingEventReceiver::default();
        let host = info_span!("host").entered();
        StreamReceiver::new(&mut receiver).read(&packets[..len].concat()[..], |_| ());
        info!("by the host");
        let mut other = TracingEventReceiver::default();
        let receipt = StreamReceiver::new(&mut other).read(&packets_of("b").concat()[..], |_| ());
        assert!(receipt.is_complete());
        drop(host);

        let trace = capture.trace();
        let in_host = name(eq("host"));
        trace.scan_events().single(&(message(eq("by the host")) & parent(in_host)));
        let outer = name(eq("outer")) & field("program", "b") & parent(name(eq("host")));
        assert_eq!(trace.scan_spans().single(&outer).to_string(), tree_of("b"));
        // What was not closed stays open until the receiver is dropped.
        drop(receiver);
        capture.trace().scan_spans().none(&!closed());
    }
}

/// How a receiver is given a whole stream.
type Feed = fn(&mut TracingEventReceiver, &[u8]);

fn read(receiver: &mut TracingEventReceiver, bytes: &[u8]) {
    let _ = stream::receive(bytes, receiver);
}

fn push(receiver: &mut TracingEventReceiver, bytes: &[u8]) {
    let mut stream = StreamReceiver::new(receiver);
    stream.push(bytes, |_| ());
    stream.finish();
}

/// Feeds two streams to one receiver, or to one each, and returns the trees that a capture and a storage have got.
fn received(
    feed: Feed,
    streams: [&[Vec<u8>]; 2],
    new_receiver: fn(&SharedStorage) -> TracingEventReceiver,
    is_one: bool,
) -> String {
    let capture = Capture::builder().ignore_lost_records().start();
    let storage = SharedStorage::default();
    let [first, second] = streams;
    let mut receiver = new_receiver(&storage);
    feed(&mut receiver, &first.concat());
    info!("by the host");
    if !is_one {
        receiver = new_receiver(&storage);
    }
    feed(&mut receiver, &second.concat());
    drop(receiver);
    let [trace, stored] = [capture.trace(), storage.lock()];
    assert!(trace.all_spans().chain(stored.all_spans()).all(|span| span.stats().is_closed));
    format!("{trace}\n{stored}")
}

/// The next stream has spans of the same IDs, and is in none that a program before has left open.
#[test]
fn streams_that_one_receiver_takes_one_after_another_are_not_mixed() {
    let [first, second] = ["a", "b"].map(packets_of);
    for feed in [read, push] as [Feed; 2] {
        for new_receiver in [|_| TracingEventReceiver::default(), TracingEventReceiver::capturing]
            as [fn(&SharedStorage) -> TracingEventReceiver; 2]
        {
            for len in 0..=first.len() {
                let streams = [&first[..len], &second];
                let one = received(feed, streams, new_receiver, true);
                assert_eq!(one, received(feed, streams, new_receiver, false));
                assert!(one.contains(&tree_of("b")), "{one}");
            }
        }
    }
}
