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
        StreamReceiver, StreamWriter,
    },
};
use tracing::{info, info_span};

use super::support::{detailed, direct, feed_frames, frames_of};

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
fn packets(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let output = Shared::default();
    let writer = StreamWriter::new(output.clone());
    for frame in frames {
        writer.send(frame);
    }
    writer.finish().unwrap();
    output.writes()
}

/// What a decoder finds, with foreign bytes put together.
#[derive(Debug, Clone, PartialEq)]
enum Found {
    Start(String),
    Frame(Vec<u8>, u64, u64),
    Foreign(Vec<u8>),
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

#[test]
fn packets_are_written_as_specified() {
    let packets = packets(&[vec![0x27, 0x01, 0xff, 0x01]]);
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    assert_eq!(packets[0][..9], [&b"\xffss\xfe"[..], &[1, 0, 0, 6, 5]].concat());
    assert_eq!(packets[0][9..14], *version);
    let checksum = b"\x72\x91\x27\xe9";
    assert_eq!(
        packets[1],
        [b"\xffss\xfe", &[1, 1, 1, 4, 0x27, 0x01, 0xff, 0x00, 0x01][..], checksum].concat()
    );
    assert_eq!(packets[2], [b"\xffss\xfe", &[1, 2, 2, 0][..], b"\x95\x0e\x4a\xa8"].concat());
    assert_eq!(packets.len(), 3);
}

#[test]
fn example_of_the_specification_is_read() {
    let packet = b"\xffss\xfe\x01\x01\x07\x02\x23\x05\x8f\x34\x6e\x17";
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
        match &damage {
            Damage::Change { at, xor } => {
                *at.get_mut(packet) ^= xor;
                expected.remove(which - 1);
            }
            Damage::Insert { at, text } => {
                let at = at.index(packet.len());
                packet.splice(at..at, text.bytes());
                if at > 0 {
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
        let harmless = matches!(&damage, Damage::Insert { at, .. }
            if at.index(packet_len) == 0)
            || expected == sent && !matches!(damage, Damage::Duplicate);
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
            assert!(decoder.pending().len() <= 4 + 2 * (22 + 16 + 4));
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
    let packets = packets(&[vec![0x10; 20], vec![2], vec![3]]);
    let [start, first, second, third, end] = &packets[..] else { panic!("{packets:?}") };
    let (a, b) = (start.len() as u64, first.len() as u64);
    let changed = |packet: &[u8]| {
        let mut changed = packet.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        changed
    };
    let other_version = {
        let body = [2, 0, 0, 6, 5, b'9', b'.', b'9', b'.', b'9'];
        let sum = crc32(&body);
        [&b"\xffss\xfe"[..], &body, &sum.to_le_bytes()].concat()
    };
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
            actual: 2,
            supported: 1,
            written_by: Some("9.9.9".into()),
        },
        concat!(
            "packet 0 at byte 0 is of version 2, by spanshot \"9.9.9\"; \
             only version 1 can be read by spanshot ",
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
        &format!(
            "packet 1 at byte {} came before: it is there twice, or another program writes to the \
             same stream",
            a + b
        ),
    );
    let (found, _) = decode_all(&[&start[..], second, first, third, end].concat());
    let place = a + second.len() as u64;
    assert_eq!(
        errors(&found)[1..],
        [StreamError::Reordered { offset: place, number: 1 }],
        "the first one is that it is missing"
    );
    let late = {
        let body = [1, 1, 2, 0];
        [&b"\xffss\xfe"[..], &body, &crc32(&body).to_le_bytes()].concat()
    };
    let only = super::byte_streams::packets(&[]);
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
    let body = [1, 200, 1, 2, b'n', b'o'];
    let unknown = [&b"\xffss\xfe"[..], &body, &crc32(&body).to_le_bytes()].concat();
    let (found, _) = decode_all(&[&packets(&[])[0][..], &unknown, b"text"].concat());
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1], Found::Foreign(b"text".to_vec()));
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
    let dispatch = super::support::current_dispatch();
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
