//! Frames in streams of bytes: the format to the byte, and whatever can happen to a stream.

use std::{
    io::{self, Read, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use spanshot::{
    Capture, ReceiveError, SharedStorage, TracingEventReceiver,
    transport::stream::{
        self, Problem, StreamDecoder, StreamEnd, StreamError, StreamItem, StreamLimits,
        StreamOrigin, StreamReceiver, StreamWriter,
    },
};
use tracing::{info, info_span};

use crate::support::{detailed, direct, feed_frames, frames_of};

/// Collects what is written, and what of it at once.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn writes(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }
}

/// Puts frames into packets, between a start and an end.
pub(crate) fn packets(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let output = Shared::default();
    let writer = StreamWriter::new(output.clone());
    for frame in frames {
        writer.send(frame);
    }
    writer.finish().unwrap();
    output.writes()
}

/// Puts frames into packets in which nothing is escaped but the frames. The name of a stream is random, and so is what
/// each packet ends with: otherwise, places in them would differ from run to run.
fn plain_packets(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    loop {
        let packets = packets(frames);
        let is_plain = |packet: &Vec<u8>| !packet[packet.len() - 4..].contains(&0xff);
        if !name(&packets[0]).contains(&0xff) && packets.iter().all(is_plain) {
            return packets;
        }
    }
}

/// What a decoder finds, with foreign bytes put together.
#[derive(Debug, Clone, PartialEq)]
enum Found {
    Start(String),
    Frame(Vec<u8>, u64, u64),
    Foreign(Vec<u8>),
    OtherFrame(u64),
    Note(String, String),
    End,
    Error(StreamError),
}

fn decode<'a>(
    limits: StreamLimits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Found>, Result<(), StreamError>) {
    let mut decoder = StreamDecoder::with_limits(limits);
    let mut found = vec![];
    let mut taken = 0;
    for mut chunk in chunks {
        taken += chunk.len() as u64;
        while let Some(item) = decoder.decode(&mut chunk) {
            let item = match item {
                Ok(StreamItem::Start { written_by }) => Found::Start(written_by.to_owned()),
                Ok(StreamItem::Frame { frame, number, offset }) => {
                    Found::Frame(frame.to_vec(), number, offset)
                }
                Ok(StreamItem::Foreign(bytes)) => match found.last_mut() {
                    Some(Found::Foreign(before)) => {
                        before.extend_from_slice(bytes);
                        continue;
                    }
                    _ => Found::Foreign(bytes.to_vec()),
                },
                Ok(StreamItem::OtherFrame { offset }) => Found::OtherFrame(offset),
                Ok(StreamItem::Note { name, value }) => Found::Note(name.into(), value.into()),
                Ok(StreamItem::End) => Found::End,
                Ok(item) => panic!("{item:?}"),
                Err(error) => Found::Error(error),
            };
            found.push(item);
        }
        assert_eq!(decoder.offset(), taken);
    }
    (found, decoder.finish())
}

fn decode_all(bytes: &[u8]) -> (Vec<Found>, Result<(), StreamError>) {
    decode(StreamLimits::default(), [bytes])
}

fn errors(found: &[Found]) -> Vec<StreamError> {
    let error = |found: &Found| match found {
        Found::Error(error) => Some(error.clone()),
        _ => None,
    };
    found.iter().filter_map(error).collect()
}

fn frames(found: &[Found]) -> Vec<Vec<u8>> {
    let frame = |found: &Found| match found {
        Found::Frame(frame, ..) => Some(frame.clone()),
        _ => None,
    };
    found.iter().filter_map(frame).collect()
}

fn foreign(found: &[Found]) -> Vec<u8> {
    let bytes = |found: &Found| match found {
        Found::Foreign(bytes) => Some(bytes.clone()),
        _ => None,
    };
    found.iter().filter_map(bytes).flatten().collect()
}

fn check_all<S: Strategy>(strategy: &S, check: impl Fn(S::Value)) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::default());
    let result = TestRunner::new_with_rng(config, rng).run(strategy, |value| {
        check(value);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Frames with many of the bytes that mean something.
fn any_frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![
        3 => any::<u8>(),
        2 => Just(0xff),
        1 => Just(b's'),
        1 => Just(0xfe),
        1 => Just(0),
    ];
    prop::collection::vec(prop::collection::vec(byte, 0..40), 1..8)
}

/// A packet of this body, which is all from the version to the end of the payload.
fn packet(body: &[u8]) -> Vec<u8> {
    let escaped = |bytes: &[u8]| -> Vec<u8> {
        let escape = |byte: &u8| if *byte == 0xff { vec![0xff, 0x00] } else { vec![*byte] };
        bytes.iter().flat_map(escape).collect()
    };
    [b"\xffss\xfe".to_vec(), escaped(body), escaped(&crc32(body).to_le_bytes())].concat()
}

/// The name of the stream that starts with this packet.
fn name(start: &[u8]) -> [u8; 4] {
    let mut plain = vec![];
    let mut bytes = start.iter();
    while let Some(byte) = bytes.next() {
        plain.push(*byte);
        // The marker's first byte is not escaped.
        if *byte == 0xff && plain.len() > 1 {
            bytes.next();
        }
    }
    let start = 4 + 4 + 1 + env!("CARGO_PKG_VERSION").len();
    plain[start..start + 4].try_into().unwrap()
}

/// A number, 7 bits to a byte.
fn uint(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

#[test]
fn packets_are_written_as_specified() {
    let packets = packets(&[vec![0x27, 0x01, 0xff, 0x01]]);
    let name = name(&packets[0]);
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let start = [&[5], version, &name, &uint(std::process::id().into()), &[0]].concat();
    let len = u8::try_from(start.len()).unwrap();
    assert_eq!(packets[0], packet(&[&[2, 0, 0, len][..], &start].concat()));
    assert_eq!(packets[1], packet(&[&[2, 1, 1, 8][..], &name, &[0x27, 0x01, 0xff, 0x01]].concat()));
    assert_eq!(packets[2], packet(&[&[2, 2, 2, 4][..], &name].concat()));
    assert_eq!(packets.len(), 3);
}

#[test]
fn streams_have_names_of_their_own() {
    let names: std::collections::BTreeSet<_> = (0..100).map(|_| name(&packets(&[])[0])).collect();
    assert!(names.len() > 98, "{} names", names.len());
}

#[test]
fn long_frames_are_written_in_parts_as_specified() {
    let frame = [vec![0x18; 5_000], vec![0xff; 5_000]].concat();
    let packets = packets(std::slice::from_ref(&frame));
    let name = name(&packets[0]);
    let (mut place, mut number) = (0_usize, 1_u8);
    while place < frame.len() {
        let end = (place + 1..=frame.len()).find(|end| {
            let content = [&uint(place as u64), &uint(10_000)[..], &frame[place..*end]].concat();
            let len = uint(4 + content.len() as u64);
            let body = [&[2, 3, number][..], &len, &name, &content].concat();
            packet(&body) == packets[usize::from(number)]
        });
        place = end.unwrap_or_else(|| panic!("packet {number} is no part from {place} on"));
        number += 1;
    }
    assert_eq!(packets.len(), usize::from(number) + 1, "the end");
    let max =
        if cfg!(any(target_os = "linux", target_os = "android", windows)) { 4096 } else { 512 };
    for packet in &packets {
        assert!(packet.len() <= max, "a pipe takes {max} bytes at once, not {}", packet.len());
    }
    let (found, end) = decode_all(&packets.concat());
    assert_eq!(found[1], Found::Frame(frame, 1, packets[0].len() as u64));
    assert_eq!((found.len(), end), (3, Ok(())));
}

/// Packets of a stream with this name, which are numbered in order.
fn named(name: [u8; 4], bodies: &[(u8, &[u8])]) -> Vec<Vec<u8>> {
    let numbered = bodies.iter().zip(0_u8..);
    let write = |((kind, rest), number): (&(u8, &[u8]), u8)| {
        let payload = match kind {
            0 => [&b"\x059.9.9"[..], &name, rest].concat(),
            _ => [&name, *rest].concat(),
        };
        packet(&[&[2, *kind, number, u8::try_from(payload.len()).unwrap()][..], &payload].concat())
    };
    numbered.map(write).collect()
}

const START: (u8, &[u8]) = (0, &[40, 0]);

#[test]
fn streams_that_are_mixed_are_told_apart_and_the_first_is_followed() {
    let [one, two] = [[1; 4], [2; 4]];
    let first = named(one, &[START, (1, &[0x10]), (3, &[0, 2, 7]), (3, &[1, 2, 8]), (2, &[])]);
    // Its end comes before that of the first one, or after it, and its numbers are the same.
    let other = named(two, &[(0, &[41, 0]), (1, &[0x20]), (3, &[0, 2, 9]), (2, &[])]);
    let expected = vec![vec![0x10], vec![7, 8]];
    let orders =
        [[0, 0, 1, 1, 0, 1, 0, 1, 0], [0, 1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1, 1, 1]];
    for order in orders {
        let (mut streams, mut bytes, mut place) = ([first.iter(), other.iter()], vec![], 0);
        for which in order {
            if which == 1 && place == 0 {
                place = bytes.len();
            }
            bytes.extend_from_slice(streams[which].next().unwrap());
        }
        let (found, end) = decode_all(&bytes);
        assert_eq!(frames(&found), expected);
        let (process, origin) = (Some(41), StreamOrigin::OtherProcess);
        let error = StreamError::OtherStream { offset: place as u64, process, origin };
        assert_eq!(errors(&found), [error]);
        assert_eq!(found.iter().filter(|found| **found == Found::End).count(), 1);
        let others = found.iter().filter(|found| matches!(found, Found::OtherFrame(_)));
        assert_eq!((others.count(), end), (2, Ok(())));

        let mut receiver = TracingEventReceiver::default();
        let receipt = stream::receive(&*bytes, &mut receiver);
        assert_eq!(receipt.other_frames, 2);
        assert_eq!(receipt.written_by.as_deref(), Some("9.9.9"));
        assert!(!receipt.is_complete() && matches!(receipt.end, StreamEnd::Finished));
    }
}

#[test]
fn errors_about_other_streams_say_what_to_do() {
    let check = |other: &[(u8, &[u8])], expected: &str| {
        let first = named([1; 4], &[START]).concat();
        let place = first.len();
        let bytes = [first, named([2; 4], other).concat()].concat();
        let (found, _) = decode_all(&bytes);
        let messages: Vec<_> = errors(&found).iter().map(ToString::to_string).collect();
        assert_eq!(messages, [expected.replace("PLACE", &place.to_string())]);
    };
    let advice = "writes another stream from byte PLACE on, which is not received: start it without \
        SPANSHOT_STREAM in its environment, or with an output of its own there; if it is of an earlier run, \
        delete the file before each run";
    check(&[(0, &[41, 0])], &format!("process 41 {advice}"));
    check(&[(1, &[0x10])], &format!("another process {advice}"));
    check(
        &[START],
        "process 40 starts another stream at byte PLACE, after `exec` or by a second writer, and only the \
         first one is received",
    );
    check(
        &[(0, &[41, 40])],
        "process 41 was forked, and traced something by byte PLACE: what a fork traces is not received, \
         unless it is given a stream and an output of its own",
    );
}

#[test]
fn streams_without_a_name_are_still_read() {
    let old = |body: &[u8]| packet(&[&[1], body].concat());
    let first = [old(b"\0\0\x06\x050.1.0"), old(&[1, 1, 2, 0x23, 0x05])].concat();
    let other = named([2; 4], &[START, (1, &[0x20])]).concat();
    let bytes = [&first[..], &other, &old(&[2, 2, 0])].concat();
    let (found, end) = decode_all(&bytes);
    assert_eq!(frames(&found), [vec![0x23, 0x05]]);
    assert_eq!((found.last(), end), (Some(&Found::End), Ok(())));
    assert_eq!(errors(&found).len(), 1, "the other stream");
}

#[test]
fn parts_that_do_not_fit_cost_their_frame_only() {
    let check = |bodies: &[(u8, &[u8])], lost: &[usize], expected: &[&[u8]], count: usize| {
        let mut packets = named([1; 4], bodies);
        for which in lost {
            packets[*which].clear();
        }
        let limits = StreamLimits::default().max_frame_len(9);
        let (found, end) = decode(limits, [&packets.concat()[..]]);
        assert_eq!(frames(&found), expected, "{bodies:?}");
        assert_eq!((errors(&found).len(), end), (count, Ok(())), "{found:?}");
        assert_eq!(found.last(), Some(&Found::End));
    };
    let [a, b, c]: [(u8, &[u8]); 3] = [(3, &[0, 3, 1]), (3, &[1, 3, 2]), (3, &[2, 3, 3])];
    let (frame, end) = ((1, &[9][..]), (2, &[][..]));
    check(&[START, a, b, c, frame, end], &[], &[&[1, 2, 3], &[9]], 0);
    for lost in 1..=3 {
        check(&[START, a, b, c, frame, end], &[lost], &[&[9]], 1);
    }
    check(&[START, a, frame, a, b, c, end], &[], &[&[9], &[1, 2, 3]], 1);
    check(&[START, a, a, b, c, end], &[], &[&[1, 2, 3]], 1);
    check(&[START, b, a, b, c, end], &[], &[&[1, 2, 3]], 1);
    check(&[START, a, b, end], &[], &[], 1);
    // Of another length, of none, longer than the frame, and longer than is allowed.
    check(&[START, a, (3, &[1, 4, 2, 2, 2]), frame, end], &[], &[&[9]], 1);
    check(&[START, (3, &[0, 0]), frame, end], &[], &[&[9]], 1);
    check(&[START, (3, &[0, 2, 1, 2, 3]), frame, end], &[], &[&[9]], 1);
    check(&[START, (3, &[0, 10, 1]), (3, &[1, 10, 2]), frame, end], &[], &[&[9]], 1);
}

#[test]
fn stream_that_ends_between_parts_is_cut() {
    let packets = named([1; 4], &[START, (3, &[0, 2, 7])]);
    let (found, end) = decode_all(&packets.concat());
    assert_eq!(frames(&found).len() + errors(&found).len(), 0);
    let (offset, len) = (packets[0].len() as u64, packets[1].len() as u64);
    assert_eq!(end, Err(StreamError::Cut { offset, len }));
}

#[test]
fn example_of_the_specification_is_read() {
    let packet = b"\xffss\xfe\x02\x01\x07\x06\x01\x02\x03\x04\x23\x05\x32\x94\xf2\xf3";
    let (found, end) = decode_all(packet);
    let missing = StreamError::Missing { offset: 0, first: 0, count: 7 };
    assert_eq!(found, [Found::Error(missing), Found::Frame(vec![0x23, 0x05], 7, 0)]);
    assert_eq!(end, Ok(()));
}

#[test]
fn what_is_written_is_read_in_whatever_chunks_it_comes() {
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..10);
    check_all(&(any_frames(), cuts), |(sent, cuts)| {
        let mut bytes = b"before\xff".to_vec();
        for packet in packets(&sent) {
            bytes.extend_from_slice(&packet);
            bytes.extend_from_slice(b"text \xffss\xff");
        }
        bytes.push(b'.'); // what may begin a packet is kept until that is clear
        let whole = decode_all(&bytes);
        assert_eq!(frames(&whole.0), sent);
        assert_eq!(errors(&whole.0), []);
        let expected =
            [&b"before\xff"[..], &b"text \xffss\xff".repeat(sent.len() + 2), b"."].concat();
        assert_eq!(foreign(&whole.0), expected);
        assert_eq!(whole.1, Ok(()));

        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
        assert_eq!(decode(StreamLimits::default(), chunks), whole);
        assert_eq!(decode(StreamLimits::default(), bytes.chunks(1)), whole);
    });
}

#[test]
fn stream_that_is_cut_anywhere_gives_what_is_whole() {
    let sent = [vec![0x23, 0x05], vec![0xff; 3], vec![]];
    let packets = packets(&sent);
    let bytes = packets.concat();
    for len in 0..bytes.len() {
        let (found, end) = decode_all(&bytes[..len]);
        let mut offset = 0;
        let mut whole = 0;
        while offset + packets[whole].len() <= len {
            offset += packets[whole].len();
            whole += 1;
        }
        assert_eq!(frames(&found), sent[..whole.saturating_sub(1).min(3)], "{len} bytes");
        assert_eq!(errors(&found), []);
        let cut = len - offset;
        if cut == 0 {
            assert_eq!(end, Ok(()));
        } else {
            assert_eq!(end, Err(StreamError::Cut { offset: offset as u64, len: cut as u64 }));
        }
    }
}

/// One thing that is done to a packet of a stream.
#[derive(Debug, Clone)]
enum Damage {
    Change { at: prop::sample::Index, xor: u8 },
    Insert { at: prop::sample::Index, text: String },
    Remove { from: prop::sample::Index, len: usize },
    RemoveAll,
    Duplicate,
    Swap,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        3 => (any::<prop::sample::Index>(), 1..=255_u8).prop_map(|(at, xor)| Damage::Change { at, xor }),
        2 => (any::<prop::sample::Index>(), "[ -~é]{1,30}").prop_map(|(at, text)| Damage::Insert { at, text }),
        2 => (any::<prop::sample::Index>(), 1..10_usize).prop_map(|(from, len)| Damage::Remove { from, len }),
        1 => Just(Damage::RemoveAll),
        1 => Just(Damage::Duplicate),
        1 => Just(Damage::Swap),
    ]
}

#[test]
fn damage_costs_the_damaged_packet_only_and_is_reported_where_it_is() {
    let strategy = (any_frames(), any::<prop::sample::Index>(), damage());
    check_all(&strategy, |(mut sent, which, damage)| {
        // Packets of frames are numbers 1 to n; the last one stays, so that there is something behind.
        sent.push(vec![1, 2, 3]);
        sent.push(vec![4, 5, 6]);
        let mut packets = packets(&sent);
        let which = 1 + which.index(sent.len() - 2);
        let offset: usize = packets[..which].iter().map(Vec::len).sum();
        let mut expected = sent.clone();
        let packet = &mut packets[which];
        let intact = packet.clone();
        match &damage {
            Damage::Change { at, xor } => {
                *at.get_mut(packet) ^= xor;
                expected.remove(which - 1);
            }
            Damage::Insert { at, text } => {
                let at = at.index(packet.len());
                packet.splice(at..at, text.bytes());
                // The text may begin as the packet goes on, and then stands behind it.
                if at > 0 && !packet.starts_with(&intact) {
                    expected.remove(which - 1);
                }
            }
            Damage::Remove { from, len } => {
                let from = from.index(packet.len());
                packet.drain(from..(from + len).min(packet.len()));
                expected.remove(which - 1);
            }
            Damage::RemoveAll => {
                packet.clear();
                expected.remove(which - 1);
            }
            Damage::Duplicate => packet.extend_from_within(..),
            Damage::Swap => {
                packets.swap(which, which + 1);
                expected.remove(which - 1);
            }
        }
        let packet_len = packets[which].len();
        let (found, end) = decode_all(&packets.concat());
        assert_eq!(frames(&found), expected, "{damage:?} of {which}");
        assert_eq!(found.last(), Some(&Found::End));
        assert_eq!(end, Ok(()));

        let first = found.iter().position(|found| matches!(found, Found::Error(_)));
        let harmless = expected == sent && !matches!(damage, Damage::Duplicate);
        if let Some(first) = first {
            assert_eq!(
                frames(&found[..first]).len(),
                sent[..which - 1].len().max(if matches!(damage, Damage::Duplicate) {
                    which
                } else {
                    0
                })
            );
            let place = errors(&found)[0].offset();
            let range = offset as u64..=(offset + packet_len) as u64;
            assert!(range.contains(&place), "{place} in {range:?}: {damage:?}");
        } else {
            assert!(harmless, "{damage:?} is not reported");
        }
    });
}

#[test]
fn arbitrary_bytes_neither_panic_nor_take_more_memory_than_is_allowed() {
    let part = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..30),
        3 => Just(b"\xffss\xfe".to_vec()),
        1 => Just(b"\xffss\xfe\x01\x01\x00".to_vec()),
        1 => Just(vec![0xff, 0x00]),
        1 => Just(vec![0xff; 12]),
    ];
    let bytes = prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat());
    let limits = StreamLimits::default().max_frame_len(16);
    check_all(&bytes, |bytes| {
        let mut decoder = StreamDecoder::with_limits(limits);
        for chunk in bytes.chunks(5) {
            let mut rest = chunk;
            while decoder.decode(&mut rest).is_some() {}
            // Marker, header, payload and checksum, all of them escaped.
            assert!(decoder.pending().len() <= 4 + 2 * (22 + 24 + 16 + 4));
        }
        let (found, end) = decode(limits, bytes.chunks(3));
        let of_frames = |found: &Found| match found {
            Found::Frame(frame, ..) => frame.len() + 12,
            Found::Foreign(bytes) => bytes.len(),
            _ => 0,
        };
        let accounted: usize = found.iter().map(of_frames).sum();
        let is_skipped = found.iter().any(|found| {
            matches!(
                found,
                Found::Error(StreamError::TooLong { .. } | StreamError::Duplicated { .. })
            )
        });
        // Nothing disappears without a word.
        if !is_skipped && end.is_ok() && frames(&found).is_empty() {
            assert_eq!(accounted, bytes.len());
        }
    });
}

#[test]
fn each_error_says_where() {
    let packets = plain_packets(&[vec![0x10; 20], vec![2], vec![3]]);
    let [start, first, second, third, end] = &packets[..] else { panic!("{packets:?}") };
    let (a, b) = (start.len() as u64, first.len() as u64);
    let changed = |packet: &[u8]| {
        let mut changed = packet.to_vec();
        let last = changed.last_mut().unwrap();
        *last = u8::from(*last == 0); // another byte, and not one that a marker begins with
        changed
    };
    let other_version = { packet(b"\x03\0\0\x0c\x059.9.9\x01\x02\x03\x04\0\0") };
    let check = |bytes: &[&[u8]], expected: StreamError, message: &str| {
        let limits = StreamLimits::default().max_frame_len(19);
        let limits = if message.contains("allowed") { limits } else { StreamLimits::default() };
        let (found, end) = decode(limits, [&bytes.concat()[..]]);
        let mut errors = errors(&found);
        errors.extend(end.err());
        assert_eq!(errors.first(), Some(&expected), "{message}");
        assert_eq!(errors[0].to_string(), message);
    };
    let offset = a;
    check(
        &[start, &first[..9]],
        StreamError::Cut { offset, len: 9 },
        &format!("the stream ends within the packet at byte {a}, of which there are 9 bytes"),
    );
    check(
        &[start, &first[..9], second, third, end],
        StreamError::Interrupted { offset, len: 9 },
        &format!("the packet at byte {a} breaks off after 9 bytes"),
    );
    check(
        &[start, &changed(first), second, third, end],
        StreamError::Corrupt { offset, number: 1 },
        &format!("packet 1 at byte {a} has a wrong checksum"),
    );
    check(
        &[start, b"\xffss\xfe\x01\x01", &[0x80; 10]],
        StreamError::Malformed { offset },
        &format!("what stands at byte {a} is not a valid packet"),
    );
    check(
        &[start, first, second, third, end],
        StreamError::TooLong { offset, number: 1, len: 20, max: 19 },
        &format!("packet 1 at byte {a} has 20 bytes, and 19 are allowed"),
    );
    check(
        &[&other_version],
        StreamError::UnsupportedVersion {
            offset: 0,
            number: 0,
            actual: 3,
            supported: 2,
            written_by: Some("9.9.9".into()),
        },
        concat!(
            "packet 0 at byte 0 is of version 3, by spanshot \"9.9.9\"; \
             versions up to 2 can be read by spanshot ",
            env!("CARGO_PKG_VERSION")
        ),
    );
    check(
        &[start, second, third, end],
        StreamError::Missing { offset, first: 1, count: 1 },
        &format!("packet 1 is missing before byte {a}"),
    );
    check(
        &[start, end],
        StreamError::Missing { offset, first: 1, count: 3 },
        &format!("packets 1 to 3 are missing before byte {a}"),
    );
    check(
        &[start, first, first, second],
        StreamError::Duplicated { offset: a + b, number: 1 },
        &format!("packet 1 at byte {} came before: it is there twice", a + b),
    );
    let (found, _) = decode_all(&[&start[..], second, first, third, end].concat());
    let place = a + second.len() as u64;
    assert_eq!(
        errors(&found)[1..],
        [StreamError::Reordered { offset: place, number: 1 }],
        "the first one is that it is missing"
    );
    let only = super::byte_streams::packets(&[]);
    let late = packet(&[&[2, 1, 2, 4][..], &name(&only[0])].concat());
    let (found, _) = decode_all(&[only.concat(), late].concat());
    let offset = only.concat().len() as u64;
    assert_eq!(errors(&found), [StreamError::AfterEnd { offset, number: 2 }]);
}

/// The checksum, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xedb8_8320 }
        })
    });
    !sum
}

#[test]
fn a_told_length_takes_no_memory_and_what_follows_is_found() {
    // The greatest length there is, and then another packet.
    let huge = [&b"\xffss\xfe\x01\x01\x01"[..], &[0xff, 0x00].repeat(9), &[0x01], b"text"].concat();
    let packets = packets(&[vec![1], vec![2]]);
    let bytes = [&packets[0][..], &huge, &packets[1], &packets[2], &packets[3]].concat();
    let (found, end) = decode_all(&bytes);
    let too_long = StreamError::TooLong {
        offset: packets[0].len() as u64,
        number: 1,
        len: u64::MAX,
        max: 16 << 20,
    };
    assert_eq!(errors(&found), [too_long]);
    assert_eq!(frames(&found), [vec![1], vec![2]]);
    assert_eq!(end, Ok(()));
}

#[test]
fn text_after_a_packet_that_breaks_off_is_passed_on() {
    let packets = packets(&[vec![7; 40], vec![8]]);
    let begun = &packets[1][..12];
    // It is as long as what is missing, and longer; or shorter, and then a marker comes first.
    for text in ["panicked at src/main.rs:1:1:\nas it was told to\n", "Killed\n"] {
        let bytes = [&packets[0][..], begun, text.as_bytes(), &packets[2], &packets[3]].concat();
        let (found, end) = decode_all(&bytes);
        assert_eq!(frames(&found), [vec![8]]);
        assert_eq!(foreign(&found), [begun, text.as_bytes()].concat());
        assert_eq!(errors(&found).len(), 2, "it is damaged, and missing");
        assert_eq!(end, Ok(()));
    }
}

#[test]
fn packets_of_kinds_that_are_yet_to_come_are_passed_over() {
    let start = &packets(&[])[0];
    let unknown = packet(&[&[2, 200, 1, 6][..], &name(start), b"no"].concat());
    let (found, _) = decode_all(&[start, &unknown[..], b"text"].concat());
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1], Found::Foreign(b"text".to_vec()));
}

#[test]
fn notes_are_written_as_specified_and_read() {
    let output = Shared::default();
    let writer = StreamWriter::new(output.clone());
    writer.note("test", "a\u{ff}b");
    writer.send(&[0x23, 0x05]);
    drop(writer);
    let packets = output.writes();
    let payload = [&name(&packets[0])[..], b"\x04test\x04a\xc3\xbfb"].concat();
    let len = u8::try_from(payload.len()).unwrap();
    assert_eq!(packets[1], packet(&[&[2, 4, 1, len][..], &payload].concat()));
    let (found, end) = decode_all(&packets.concat());
    assert_eq!(found[1], Found::Note("test".into(), "a\u{ff}b".into()));
    assert_eq!((found.len(), end), (4, Ok(())));

    // What follows is passed over; what is cut is reported.
    let noted: &[(u8, &[u8])] = &[START, (4, b"\x01a\x01bmore"), (4, b"\x01a\x02b"), (4, b"")];
    let (found, _) = decode_all(&named([1; 4], noted).concat());
    assert_eq!(found[1], Found::Note("a".into(), "b".into()));
    assert_eq!(errors(&found).len(), 2, "{found:?}");
}

#[test]
fn each_packet_goes_out_at_once() {
    let output = Shared::default();
    let writer = StreamWriter::new(output.clone());
    tracing::subscriber::with_default(writer.sender(), || {
        assert_eq!(output.writes().len(), 1, "the start");
        info!("said");
        assert_eq!(output.writes().len(), 3, "the call site, and the event");
    });
    assert_eq!(output.writes().len(), 3);
    drop(writer);
    assert_eq!(output.writes().len(), 4, "the end");
}

fn program() {
    let span = info_span!("outer", late = tracing::field::Empty).entered();
    info_span!("inner", bytes = &[0xff_u8; 9][..]).in_scope(|| info!("said"));
    span.record("late", "now");
    let dispatch = crate::support::current_dispatch();
    thread::scope(|scope| {
        scope.spawn(|| {
            tracing::dispatcher::with_default(&dispatch, || {
                span.in_scope(|| info!("on a thread"));
            });
        });
    });
}

/// What the program sends, with text in between.
fn stream_with_text() -> Vec<u8> {
    let packets = packets(&frames_of(program));
    packets.iter().flat_map(|packet| [&b"text\n"[..], packet].concat()).collect()
}

#[test]
fn stream_is_received_and_the_text_passed_on() {
    let frames = frames_of(program);
    let expected = detailed(&direct(feed_frames(&frames)));
    let bytes = stream_with_text();
    let mut text = vec![];
    let trace = direct(|receiver| {
        let receipt =
            StreamReceiver::new(receiver).read(&bytes[..], |bytes| text.extend_from_slice(bytes));
        assert!(receipt.is_complete(), "{receipt:?}");
        assert_eq!(receipt.frames, frames.len() as u64);
        assert_eq!(receipt.foreign, text.len() as u64);
        assert_eq!(receipt.written_by.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    });
    assert_eq!(text, b"text\n".repeat(frames.len() + 2));
    assert_eq!(detailed(&trace), expected);
}

/// The last bytes could begin a packet if more came, and after the end of the stream none can.
#[test]
fn text_that_ends_as_a_packet_begins_is_passed_on() {
    let stream = packets(&frames_of(program)).concat();
    for text in [&b"text\xff"[..], b"\xff", b"\xffs", b"\xffss"] {
        for (before, is_complete) in [(&stream[..], true), (b"", false)] {
            let (bytes, mut passed_on) = ([before, text].concat(), vec![]);
            let mut receiver = TracingEventReceiver::default();
            let receipt = StreamReceiver::new(&mut receiver)
                .read(&bytes[..], |bytes| passed_on.extend_from_slice(bytes));
            assert_eq!((&*passed_on, receipt.foreign), (text, text.len() as u64));
            assert_eq!(receipt.is_complete(), is_complete, "{receipt:?}");
        }
    }
}

#[test]
fn stream_that_is_ended_is_ended_also_if_another_one_is_cut_behind_it() {
    let one = named([1; 4], &[START, (2, &[])]).concat();
    let other = named([2; 4], &[(0, &[41, 0])]).concat();
    for len in 4..other.len() {
        let bytes = [&one[..], &other[..len]].concat();
        let receipt = stream::receive(&bytes[..], &mut TracingEventReceiver::default());
        assert!(matches!(receipt.end, StreamEnd::Finished), "{receipt:?}");
        let cut = StreamError::Cut { offset: one.len() as u64, len: len as u64 };
        assert_eq!(receipt.problems, [Problem::Stream(cut)]);
    }
}

#[test]
fn frame_that_is_refused_is_reported_and_the_rest_received() {
    let frames = frames_of(|| info!("said"));
    let sent = [frames[1].clone(), frames[0].clone(), vec![0xff], frames[1].clone()];
    let packets = packets(&sent);
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let receipt = stream::receive(&packets.concat()[..], &mut receiver);
    assert_eq!((receipt.frames, receipt.problem_count), (2, 2));
    let offset = packets[0].len() as u64;
    let error = ReceiveError::UnknownMetadataId(0);
    assert_eq!(receipt.problems[0], Problem::Refused { offset, number: 1, error });
    let Problem::Refused { number: 3, error: ReceiveError::Frame(_), .. } = receipt.problems[1]
    else {
        panic!("{receipt:?}")
    };
    assert!(!receipt.is_complete());
    assert_eq!(storage.lock().to_string(), "INFO said");
    assert_eq!(
        receipt.into_result().unwrap_err().to_string(),
        format!(
            "the stream is not complete, with 2 frames: it was ended; 2 problems, first: the frame of \
             packet 1 at byte {offset} is refused: call site 0 was not announced in this stream"
        )
    );
}

#[test]
fn problems_are_listed_up_to_the_limit_and_all_counted() {
    let bytes = packets(&vec![vec![]; 10]).concat();
    let mut receiver = TracingEventReceiver::default();
    let limits = StreamLimits::default().max_problems(3);
    let receipt = StreamReceiver::with_limits(&mut receiver, limits).read(&bytes[..], |_| ());
    assert_eq!((receipt.problems.len(), receipt.problem_count), (3, 10));
}

/// Takes so many bytes, fails, and would take more after that.
struct Fails(Shared, Option<usize>);

impl Write for Fails {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(room) = self.1 else { return self.0.write(bytes) };
        if room == 0 {
            self.1 = None;
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the disk is full"));
        }
        let len = bytes.len().min(room);
        self.1 = Some(room - len);
        self.0.write(&bytes[..len])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn output_that_fails_disturbs_nobody_and_gets_no_more() {
    for len in [0, 10, 40, 80] {
        let output = Shared::default();
        let writer = StreamWriter::new(Fails(output.clone(), Some(len)));
        tracing::subscriber::with_default(writer.sender(), || {
            (0..10).for_each(|number| info!(number));
        });
        for _ in 0..2 {
            let error = writer.finish().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert_eq!(error.to_string(), "the disk is full");
        }
        assert_eq!(output.writes().concat().len(), len);
    }
}

/// Is ready every third time, and before that may take a part of what it gets.
struct SeldomReady {
    output: Shared,
    part: usize,
    calls: usize,
}

impl SeldomReady {
    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        match self.calls % 3 {
            0 => Ok(()),
            1 => Err(io::ErrorKind::Interrupted.into()),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for SeldomReady {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.part > 0 && self.calls % 3 == 0 {
            self.calls += 1;
            return self.output.write(&bytes[..self.part]);
        }
        self.call()?;
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call()
    }
}

#[test]
fn output_that_is_not_ready_is_waited_for() {
    for part in [0, 5] {
        let output = Shared::default();
        let writer = StreamWriter::new(SeldomReady { output: output.clone(), part, calls: 0 });
        tracing::subscriber::with_default(writer.sender(), || {
            (0..10).for_each(|number| info!(number));
        });
        writer.finish().unwrap();
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let receipt = stream::receive(&output.writes().concat()[..], &mut receiver);
        assert!(matches!(receipt.end, StreamEnd::Finished), "{receipt:?}");
        // If an output has taken a part of a packet, the packet follows as a whole.
        assert_eq!(receipt.problem_count > 0, part > 0, "{receipt:?}");
        let trace = storage.lock();
        assert!(trace.all_events().map(|event| event["number"].as_int().unwrap()).eq(0..10));
    }
}

/// Cannot be read any further after its bytes.
struct Breaks<'a>(&'a [u8]);

impl Read for Breaks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            len => Ok(len),
        }
    }
}

#[test]
fn input_that_fails_ends_the_stream_with_its_error() {
    let bytes = stream_with_text();
    let trace = direct(|receiver| {
        let receipt = stream::receive(Breaks(&bytes[..bytes.len() - 20]), receiver);
        let StreamEnd::Failed(error) = &receipt.end else { panic!("{receipt:?}") };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
    assert_eq!(trace.all_spans().len(), 2);
}

#[test]
fn program_that_is_faster_than_its_host_is_blocked() {
    const EVENTS: u64 = 20_000;
    /// What a pipe holds on any platform, and what is read at once.
    const MAX_AHEAD: u64 = (1 << 20) + (16 << 10);

    let (mut reader, writer) = io::pipe().unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let is_done = Arc::new(AtomicBool::new(false));
    let program = thread::spawn({
        let (sent, is_done) = (Arc::clone(&sent), Arc::clone(&is_done));
        move || {
            let writer = StreamWriter::new(writer);
            let text = "x".repeat(1_000);
            tracing::subscriber::with_default(writer.sender(), || {
                for _ in 0..EVENTS {
                    info!(text);
                    sent.fetch_add(1_000, Ordering::SeqCst);
                }
            });
            is_done.store(true, Ordering::SeqCst);
        }
    });
    let storage = SharedStorage::default();
    storage.set_max_nodes(1, spanshot::Keep::Newest);
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let mut stream = StreamReceiver::new(&mut receiver);
    let (mut chunk, mut read) = (vec![0; 16 << 10], 0);
    loop {
        assert!(sent.load(Ordering::SeqCst) <= read + MAX_AHEAD);
        match reader.read(&mut chunk).unwrap() {
            0 => break,
            len => {
                read += len as u64;
                stream.push(&chunk[..len], |_| ());
            }
        }
        if read < 1 << 20 {
            assert!(!is_done.load(Ordering::SeqCst), "20 MB do not fit into a pipe");
        }
    }
    program.join().unwrap();
    let receipt = stream.finish();
    assert!(receipt.is_complete());
    assert_eq!(receipt.frames, EVENTS + 1);
}

#[test]
fn thread_that_receives_is_kept_out_of_the_spans() {
    let frames = frames_of(|| {
        let _entered = info_span!("outer").entered();
        info_span!("inner").in_scope(|| info!("said"));
        std::mem::forget(info_span!("open").entered());
    });
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default().relaying_elsewhere();
    info_span!("host").in_scope(|| {
        for (number, frame) in frames.iter().enumerate() {
            receiver.receive_encoded(frame).unwrap();
            if number == frames.len() / 2 {
                info!("the host itself");
            }
        }
    });
    let trace = capture.trace();
    let host = trace.root_spans().next().unwrap();
    let spans: Vec<_> = host.descendants().map(|span| span.metadata().name()).collect();
    assert_eq!(spans, ["outer", "inner", "open"], "{trace}");
    assert_eq!(host.children().len(), 1, "{trace}");
    let events: Vec<_> = host.events().map(|event| event.message().unwrap()).collect();
    assert_eq!(events, ["the host itself"], "{trace}");
}
