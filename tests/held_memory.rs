//! However hostile, `n` bytes of input make a host hold no more than a multiple of `n`, which `SECURITY.md` promises.
//! Counting all that is allocated is the business of a process of its own.

mod counting;

use std::{hint, sync::atomic::Ordering::Relaxed};

use spanshot::{
    LocalSpans, PersistedMetadata, PersistedSpans, ReceiverLimits, SharedStorage, TracingEvent,
    TracingEventReceiver,
    receiver::FrameDecoder,
    transport::{
        stream::{StreamReceiver, StreamWriter},
        wasm,
        wasm_host::GuestTrace,
    },
};

use self::counting::{MOST, NOW};

/// Bytes that are held at the most for each byte of input: in the receiver and in the storage that it fills.
const MAX_MULTIPLE: usize = 160;

/// The same while a receiver is persisted, or in an attempt, for which it keeps the state to go back to.
const MAX_MULTIPLE_OF_COPY: usize = 200;

/// The same of those who find frames in a stream of bytes, without what becomes of the frames.
const MAX_MULTIPLE_OF_STREAM: usize = 6;

/// Bytes that are held besides, whatever comes.
const MAX_BESIDES: usize = 64 << 10;

/// Bytes of each input, about.
const LEN: usize = 100_000;

/// Asserts how much is held at the most while an input is taken, and after it.
#[track_caller]
fn check<T>(what: &str, len: usize, multiple: usize, take: impl FnOnce() -> T) {
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let taken = hint::black_box(take());
    let most = MOST.load(Relaxed) - before;
    drop(taken);
    let max = multiple * len + MAX_BESIDES;
    assert!(
        most <= max,
        "{what}: {most} bytes are held for an input of {len}, and {max} are promised"
    );
}

/// Repeats something that is made of a number until it is long enough.
fn repeated(before: &[&[u8]], mut frame: impl FnMut(u64) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut frames: Vec<_> = before.iter().map(|frame| frame.to_vec()).collect();
    let mut len = 0;
    for number in 1.. {
        let frame = frame(number);
        len += frame.len();
        frames.push(frame);
        if len >= LEN {
            break;
        }
    }
    frames
}

fn uint(number: u64) -> Vec<u8> {
    postcard::to_allocvec(&number).unwrap()
}

fn frame(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A span of call site 0, an event of call site 1, and one with two fields.
const SITES: [&[u8]; 3] = [
    b"\x20\0\0\x02\0\0\0\0\0\0",
    b"\x20\x01\x01\x02\0\0\0\0\0\0",
    b"\x20\x02\0\x02\0\0\0\0\0\x02\0\0",
];

/// All inputs of frames that are made to be much for few bytes.
fn floods() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let spans = |count: u64| {
        let mut before: Vec<_> = SITES.map(<[u8]>::to_vec).into();
        before.extend((1..=count).map(|id| frame(&[b"\x21", &uint(id), b"\0\x01"])));
        before
    };
    let with = |before: Vec<Vec<u8>>, next: &mut dyn FnMut(u64) -> Vec<u8>| {
        repeated(&before.iter().map(Vec::as_slice).collect::<Vec<_>>(), next)
    };
    let mut many_fields = b"\x20\x07\x01\x02\0\0\0\0\0".to_vec();
    many_fields.extend(uint(LEN as u64));
    many_fields.extend(vec![0; LEN]);
    let mut many_values = b"\x28\x07\0".to_vec();
    (0..LEN as u64 / 3).for_each(|field| many_values.extend(uint(16 * field)));
    let (mut span_fields, mut span_values) = (many_fields.clone(), many_values.clone());
    span_fields[2] = 0;
    span_values.splice(..3, *b"\x21\x01\x07\0");
    vec![
        ("values that are recorded into a span of many", {
            let before = vec![span_fields.clone(), span_values.clone()];
            with(before, &mut |field| frame(&[b"\x27\x01", &uint(16 * field)]))
        }),
        ("names and values of a span", vec![span_fields, span_values]),
        ("call sites", repeated(&[], |id| frame(&[b"\x20", &uint(id), b"\0\x02\0\0\0\0\0\0"]))),
        (
            "call sites of one ID",
            repeated(&[], |line| frame(&[b"\x20\0\0\x02\0\0\0\0\x01", &uint(line), b"\0"])),
        ),
        ("names of fields", vec![many_fields.clone()]),
        ("names and values", vec![many_fields, many_values]),
        ("events", repeated(&SITES, |_| b"\x28\x01\0".to_vec())),
        ("spans", repeated(&SITES, |id| frame(&[b"\x21", &uint(id), b"\0\0"]))),
        (
            "spans with gaps between their numbers",
            repeated(&SITES, |nth| frame(&[b"\x21", &uint(2 * nth + 1), b"\0\0"])),
        ),
        (
            "spans with numbers that go down",
            repeated(&SITES, |nth| frame(&[b"\x21", &uint(LEN as u64 - nth), b"\0\0"])),
        ),
        (
            "spans in no order",
            // A multiple of a number that has no factor in common with a power of two meets each number.
            repeated(&SITES, |nth| frame(&[b"\x21", &uint(nth * 9_973 % (1 << 14)), b"\0\0"])),
        ),
        ("spans in spans", repeated(&SITES, |id| frame(&[b"\x21", &uint(id), b"\0", &uint(id)]))),
        (
            "spans that are closed",
            repeated(&SITES, |number| match number % 2 {
                0 => b"\x26\x01".to_vec(),
                _ => b"\x21\x01\0\0".to_vec(),
            }),
        ),
        (
            "enters of many spans",
            with(spans(LEN as u64 / 8), &mut |id| frame(&[b"\x23", &uint(id)])),
        ),
        ("enters", with(spans(1), &mut |_| b"\x23\x01".to_vec())),
        (
            "enters on many threads",
            with(spans(1), &mut |thread| frame(&[b"\x33", &uint(thread), b"\x01"])),
        ),
        (
            "events on many threads",
            repeated(&SITES, |thread| frame(&[b"\x38", &uint(thread), b"\x01\0"])),
        ),
        ("handles", with(spans(1), &mut |_| b"\x25\x01".to_vec())),
        ("causes", with(spans(2), &mut |_| b"\x22\x01\x02".to_vec())),
        ("values that are recorded again", {
            let mut before: Vec<_> = SITES.map(<[u8]>::to_vec).into();
            before.push(b"\x21\x01\x02\x01".to_vec());
            with(before, &mut |_| b"\x27\x01\x00\x10".to_vec())
        }),
        ("empty frames", repeated(&[], |_| vec![0])),
    ]
}

/// A call site of spans (0) or events (1) with many fields. The first has a name.
fn fields(kind: u8, first: &str, count: usize) -> Vec<u8> {
    let name = [&uint(first.len() as u64)[..], first.as_bytes()].concat();
    frame(&[b"\x20\0", &[kind], b"\x02\0\0\0\0\0", &uint(count as u64), &name, &vec![0; count - 1]])
}

/// A value of a field: a chain of this many errors without a text.
fn errors(field: u64, count: u8) -> Vec<u8> {
    frame(&[&uint(16 * field + 9), &[count], &vec![0; count.into()]])
}

/// More of them, whose values take much.
fn floods_of_values() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let span = |id: u64, values: &[u8]| frame(&[b"\x21", &uint(id), b"\0\x01", values]);
    let event = |values: &[u8]| frame(&[b"\x28\0\0", values]);
    let (none, name) = ([0; 4_096], "n".repeat(40_000));
    let chains = |fields: u64| (0..fields).flat_map(|field| errors(field, 100)).collect::<Vec<_>>();
    vec![
        ("spans of a field with a long name", {
            repeated(&[&fields(0, &name, 1)], |id| span(id, &[0]))
        }),
        ("values of one field with a long name", vec![fields(1, &name, 4_096), event(&none)]),
        ("values of one field", repeated(&[&fields(1, "", 4_096)], |_| event(&none))),
        ("values of one field of spans", repeated(&[&fields(0, "", 4_096)], |id| span(id, &none))),
        ("chains of errors", repeated(&[&fields(1, "", 40)], |_| event(&chains(40)))),
        ("chains of errors in spans", repeated(&[&fields(0, "", 40)], |id| span(id, &chains(40)))),
        ("chains of errors that are recorded", {
            repeated(&[&fields(0, "", 1)], |nth| match nth % 2 {
                1 => span(nth, &[]),
                _ => frame(&[b"\x27", &uint(nth - 1), &errors(0, 100)]),
            })
        }),
        ("values that are recorded once", {
            repeated(&[&fields(0, "", 1)], |nth| match nth % 2 {
                1 => span(nth, &[]),
                _ => frame(&[b"\x27", &uint(nth - 1), &[0]]),
            })
        }),
        ("spans that are entered", {
            repeated(&[&fields(0, "", 1)], |nth| match nth % 2 {
                1 => span(nth, &[]),
                _ => frame(&[b"\x23", &uint(nth - 1)]),
            })
        }),
        ("spans that are entered on their own threads, and closed", {
            repeated(&[&fields(0, "", 1)], |nth| match nth % 3 {
                1 => span(nth, &[]),
                2 => frame(&[b"\x33", &uint(nth), &uint(nth - 1)]),
                _ => frame(&[b"\x26", &uint(nth - 2)]),
            })
        }),
    ]
}

/// Short inputs that tell of long things.
const TOLD: [&[u8]; 12] = [
    b"\x20\0\0\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x20\0\0\x02\xff\xff\xff\xff\x07",
    b"\x20\0\0\x02\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x20\0\0\x02\0\0\0\0\0\xff\xff\xff\xff\x07",
    b"\x20\x01\x01\x02\0\0\0\0\0\x01\0",
    b"\x28\x01\0\x07\xff\xff\xff\xff\x07",
    b"\x28\x01\0\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x28\x01\0\x09\x64",
    b"\x28\x01\0\x09\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x28\x01\0\x0a\xff\xff\xff\xff\x07",
    b"\x28\x01\0\xf0\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x2e\x01\x00\x02\xff\xff\xff\xff\x07",
];

/// Limits beyond which these inputs would be refused, and so be nothing to hold.
fn limits() -> ReceiverLimits {
    ReceiverLimits::default().max_values(LEN).max_depth(LEN).max_entered(LEN).max_follows_from(LEN)
}

fn receive(frames: &[Vec<u8>]) -> (TracingEventReceiver, SharedStorage) {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits());
    for frame in frames {
        let _ = receiver.receive_encoded(frame);
    }
    (receiver, storage)
}

fn len(frames: &[Vec<u8>]) -> usize {
    frames.iter().map(Vec::len).sum()
}

/// Lines of JSON, as the published `tracing-tunnel` sends them, and worse.
fn json() -> Vec<(&'static str, String)> {
    let deep = |open: &str, close: &str, inner: &str| {
        let depth = LEN / (open.len() + close.len());
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let site = r#"{"new_call_site":{"id":0,"kind":"event","name":"","target":"","level":"info","fields":["a"]}}"#;
    let names = (0..LEN / 8).map(|number| format!(r#""{number}":{{"bool":true}}"#));
    vec![
        ("arrays in arrays", deep("[", "]", "")),
        ("objects in objects", deep(r#"{"a":"#, "}", "0")),
        (
            "errors of errors",
            format!(
                r#"{{"new_event":{{"metadata_id":0,"values":{{"a":{{"error":{}}}}}}}}}"#,
                deep(r#"{"message":"","source":"#, "}", "null")
            ),
        ),
        (
            "values that nobody has",
            format!(
                r#"{{"new_event":{{"metadata_id":0,"values":{{{}}}}}}}"#,
                names.take(LEN / 20).collect::<Vec<_>>().join(",")
            ),
        ),
        (
            "numbers of fields",
            format!(
                r#"{{"new_event":{{"metadata_id":0,"values":{{}},"nth":[{}0]}}}}"#,
                "0,".repeat(LEN / 2)
            ),
        ),
        (
            "names of bytes",
            format!(
                r#"{{"new_event":{{"metadata_id":0,"values":{{}},"bytes":[{}""]}}}}"#,
                r#""","#.repeat(LEN / 3)
            ),
        ),
        (
            "names of fields",
            format!(
                r#"{{"new_call_site":{{"id":0,"kind":"event","name":"","target":"","level":"info","fields":[{}""]}}}}"#,
                r#""","#.repeat(LEN / 3)
            ),
        ),
        (
            "events",
            format!(
                "{site}\n{}",
                "{\"new_event\":{\"metadata_id\":0,\"values\":{}}}\n".repeat(LEN / 44)
            ),
        ),
    ]
}

/// They are one test, so that they do not count one another.
#[test]
fn no_input_makes_a_host_hold_more_than_a_multiple_of_it() {
    for told in TOLD {
        let frames = [SITES[1].to_vec(), TOLD[4].to_vec(), told.to_vec()];
        check("a told length", 0, MAX_MULTIPLE, || receive(&frames));
        check("a told length to a decoder", 0, MAX_MULTIPLE, || {
            let mut decoder = FrameDecoder::default().with_limits(limits());
            for frame in &frames {
                drop(decoder.decode(frame));
            }
            decoder
        });
        check("a told length in a question", 0, MAX_MULTIPLE, || {
            TracingEventReceiver::default().answer(told).is_ok()
        });
    }
    for (what, frames) in floods().into_iter().chain(floods_of_values()) {
        check(what, len(&frames), MAX_MULTIPLE, || receive(&frames));
        check(&format!("{what}, persisted"), len(&frames), MAX_MULTIPLE_OF_COPY, || {
            let (receiver, storage) = receive(&frames);
            (receiver.persist_metadata(), receiver.persist(), storage)
        });
        check(&format!("{what}, in an attempt"), len(&frames), MAX_MULTIPLE_OF_COPY, || {
            let (mut receiver, storage) = receive(&frames);
            receiver.begin_attempt();
            (receiver, storage)
        });
        let what = format!("{what}, decoded");
        check(&what, len(&frames), MAX_MULTIPLE, || {
            let mut decoder = FrameDecoder::default().with_limits(limits());
            for frame in &frames {
                drop(decoder.decode(frame));
            }
            decoder
        });
    }
    for (what, lines) in json() {
        check(&format!("{what} in JSON"), lines.len(), MAX_MULTIPLE, || {
            let storage = SharedStorage::default();
            let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits());
            for line in lines.lines() {
                if let Ok(event) = serde_json::from_str::<TracingEvent>(line) {
                    let _ = receiver.try_receive(event);
                }
            }
            (receiver, storage)
        });
    }

    let call_sites = (0..LEN / 90).map(|id| {
        format!(r#""{id}":{{"kind":"span","name":"","target":"","level":"info","fields":[]}}"#)
    });
    let metadata = format!("{{{}}}", call_sites.collect::<Vec<_>>().join(","));
    let spans = (1..=LEN / 60).map(|id| {
        format!(r#""{id}":{{"metadata_id":0,"parent_id":{},"ref_count":1,"values":{{}}}}"#, id / 2)
    });
    let spans = format!("{{{}}}", spans.collect::<Vec<_>>().join(","));
    check("what is restored", metadata.len() + spans.len(), MAX_MULTIPLE, || {
        let metadata: PersistedMetadata = serde_json::from_str(&metadata).unwrap();
        let spans: PersistedSpans = serde_json::from_str(&spans).unwrap();
        let storage = SharedStorage::default();
        (TracingEventReceiver::new(metadata, spans, LocalSpans::capturing(&storage)), storage)
    });

    check_streams();
}

/// What finds frames, without frames that are taken.
fn check_streams() {
    let packet = |frame: &[u8]| {
        let path = std::env::temp_dir().join(format!("spanshot-held-{}", std::process::id()));
        let writer = StreamWriter::new(std::fs::File::create(&path).unwrap());
        writer.send(frame);
        drop(writer);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        bytes
    };
    let streams = [
        ("text", vec![b'x'; LEN]),
        ("markers", b"\xffss\xfe".repeat(LEN / 4)),
        ("parts of markers", b"\xffss".repeat(LEN / 3)),
        ("beginnings of packets", b"\xffss\xfe\x01\x01".repeat(LEN / 6)),
        (
            "a packet that never ends",
            frame(&[b"\xffss\xfe\x01\x01\0\x80\x80\x80\x04", &vec![0; LEN]]),
        ),
        (
            "a packet of escapes",
            frame(&[b"\xffss\xfe\x01\x01\0\x80\x80\x80\x04", &b"\xff\0".repeat(LEN / 2)]),
        ),
        (
            "a packet that is too long",
            frame(&[b"\xffss\xfe\x01\x01\0\xff\xff\xff\xff\x7f", &vec![0; LEN]]),
        ),
        ("one that is no frame", packet(&vec![0; LEN])),
        (
            "numbers far apart",
            (0..LEN as u64 / 12)
                .flat_map(|number| {
                    frame(&[b"\xffss\xfe\x01\x01", &uint(number << 40), b"\0\0\0\0\0"])
                })
                .collect(),
        ),
    ];
    for (what, bytes) in streams {
        check(&format!("{what} in a stream"), bytes.len(), MAX_MULTIPLE_OF_STREAM, || {
            let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
            let mut stream = StreamReceiver::new(&mut receiver);
            bytes.chunks(1_000).for_each(|chunk| stream.push(chunk, |_| ()));
            stream.finish()
        });
    }

    // A guest's memory is its own: whatever it says is in its buffer, nothing is copied.
    let mut memory = vec![0; LEN];
    memory[4..8].copy_from_slice(&12_u32.to_le_bytes());
    memory[8..12].copy_from_slice(&u32::try_from(LEN - 12).unwrap().to_le_bytes());
    check("a batch of empty frames", LEN, MAX_MULTIPLE_OF_STREAM, || {
        let mut trace = GuestTrace::default().going_on();
        trace.hello(&mut memory, wasm::VERSION, 0).unwrap();
        trace.read_buffer(&mut memory).unwrap();
        trace
    });
}
