//! Frames to the byte: what the specification in `spanshot::frame` says is what is written and
//! what is read. All bytes here are written by hand after it.

use std::{fmt, thread};

use spanshot::{
    FrameDecoder, ReceiveError, SharedStorage, TracedError, TracedValue, TracingEventReceiver,
    frame::FrameError,
};
use tracing::{
    Event, Level, Metadata, Span,
    field::{self, Value},
};
use tracing_core::{Kind, callsite::DefaultCallsite, field::FieldSet, identify_callsite};

use crate::support::{current_dispatch, detailed, direct, feed_frames, frames_of};

type DynError = dyn std::error::Error + 'static;

macro_rules! call_site {
    ($name:ident: $kind:ident, $fields:expr, $($argument:expr),+) => {
        static $name: Metadata<'static> = {
            static CALL_SITE: DefaultCallsite = DefaultCallsite::new(&$name);
            let fields = FieldSet::new(&$fields, identify_callsite!(&CALL_SITE));
            Metadata::new($($argument),+, fields, Kind::$kind)
        };
    };
}

call_site!(JOB: SPAN, ["a", "b"], "job", "app", Level::INFO, Some("a.rs"), Some(300), Some("m"));
call_site!(NOTE: EVENT, ["n"], "note", "", Level::TRACE, None, None, None);
call_site!(WIDE: EVENT, DIGITS, "w", "é", Level::ERROR, None, Some(0), None);

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

fn new_span(values: [Option<&dyn Value>; 2]) -> Span {
    Span::new(&JOB, &JOB.fields().value_set_all(&values))
}

fn note(value: Option<&dyn Value>) {
    Event::dispatch(&NOTE, &NOTE.fields().value_set_all(&[value]));
}

/// Traces a record of every kind; [`stream()`] is what that looks like.
fn program() {
    let job = new_span([Some(&true), None]);
    let entered = job.clone().entered();
    let contextual = new_span([None, None]);
    let values = [None, Some(&"ok" as &dyn Value)];
    let child = Span::child_of(&job, &JOB, &JOB.fields().value_set_all(&values));
    let root = Span::new_root(&JOB, &JOB.fields().value_set_all(&[Some(&false), Some(&1_u8)]));
    child.follows_from(&job);
    job.record("b", 7);
    note(Some(&-7));
    Event::child_of(None, &NOTE, &NOTE.fields().value_set_all(&[None]));
    Event::child_of(root.id(), &NOTE, &NOTE.fields().value_set_all(&[None]));
    drop(entered);
    drop((root, child, contextual, job));
}

/// Frame in two parts: what must be there, and values, of which any number may be cut off.
struct Literal(Vec<u8>, Vec<&'static [u8]>);

impl Literal {
    fn bytes(&self) -> Vec<u8> {
        [&*self.0, &self.1.concat()].concat()
    }
}

fn body(parts: &[&[u8]]) -> Literal {
    Literal(parts.concat(), vec![])
}

fn stream() -> Vec<Literal> {
    vec![
        body(&[
            b"\x20\x00",       // version 1, kind 0 (new call site); its ID
            b"\x00\x02",       // span, INFO
            b"\x03job\x03app", // name, target
            b"\x01\x01m",      // there is a module path
            b"\x01\x04a.rs",   // there is a file
            b"\x01\xac\x02",   // there is a line, 300 = 0b10_0101100
            b"\x02\x01a\x01b", // two fields
        ]),
        Literal(b"\x21\x01\x00\x00".to_vec(), vec![b"\x01"]), // new span 1, contextual; #0 true
        body(&[b"\x25\x01"]),                                 // cloned
        body(&[b"\x23\x01"]),                                 // entered
        body(&[b"\x21\x02\x00\x00"]),                         // new span 2, contextual
        // New span 3, parent 1 + 1; field 1 is a string: 16 × 1 + 7.
        Literal(b"\x21\x03\x00\x02".to_vec(), vec![b"\x17\x02ok"]),
        // New span 4, root; field 0 is `false`, field 1 unsigned: 16 × 1 + 3.
        Literal(b"\x21\x04\x00\x01".to_vec(), vec![b"\x00", b"\x13\x01"]),
        body(&[b"\x22\x03\x01"]), // span 3 follows from span 1
        Literal(b"\x27\x01".to_vec(), vec![b"\x12\x0e"]), // recorded: 16 × 1 + 2, zigzag 7
        body(&[
            b"\x20\x01\x01\x04", // new call site 1: event, TRACE
            b"\x04note\x00",     // name, empty target
            b"\x00\x00\x00",     // no module path, file, line
            b"\x01\x01n",        // one field
        ]),
        Literal(b"\x28\x01\x00".to_vec(), vec![b"\x02\x0d"]), // new event; zigzag -7
        body(&[b"\x28\x01\x01"]),                             // root
        body(&[b"\x28\x01\x05"]),                             // parent 4 + 1
        body(&[b"\x24\x01"]),                                 // exited
        body(&[b"\x26\x01"]),                                 // dropped
        body(&[b"\x26\x04"]),
        body(&[b"\x26\x03"]),
        body(&[b"\x26\x02"]),
        body(&[b"\x26\x01"]),
    ]
}

fn stream_bytes() -> Vec<Vec<u8>> {
    stream().iter().map(Literal::bytes).collect()
}

#[test]
fn each_kind_of_record_is_written_as_specified() {
    let frames = frames_of(program);
    for (i, (frame, expected)) in frames.iter().zip(stream_bytes()).enumerate() {
        assert_eq!(*frame, expected, "frame {i}");
    }
    assert_eq!(frames.len(), stream().len());
}

#[test]
fn each_kind_of_record_is_read_as_specified() {
    let trace = direct(feed_frames(&stream_bytes()));
    let expected = "\
INFO job{a=true b=7}
├─ INFO job{}
├─ INFO job{b=\"ok\"} (follows from job)
└─ TRACE n=-7
INFO job{a=false b=1}
└─ TRACE
TRACE";
    assert_eq!(trace.to_string(), expected);
    let job = trace.all_spans().next().unwrap();
    assert_eq!((job.stats().entered, job.stats().exited, job.stats().is_closed), (1, 1, true));
    let site = job.metadata();
    assert_eq!((site.name(), site.target(), site.module_path()), ("job", "app", Some("m")));
    assert_eq!((site.file(), site.line()), (Some("a.rs"), Some(300)));
    assert!(site.fields().eq(["a", "b"]));
    let site = trace.all_events().next().unwrap().metadata();
    assert_eq!((site.name(), site.target(), site.module_path()), ("note", "", None));
    assert_eq!((site.file(), site.line()), (None, None));
}

#[test]
fn key_of_field_8_and_beyond_has_two_bytes() {
    let mut values = [None; 10];
    (values[7], values[8], values[9]) =
        (Some(&true as &dyn Value), Some(&true as &dyn Value), Some(&300_u64 as &dyn Value));
    let frames = frames_of(|| Event::dispatch(&WIDE, &WIDE.fields().value_set_all(&values)));
    // Names of one byte from "0" to "9"; a line, but no module path and no file.
    let fields = b"\x0a\x010\x011\x012\x013\x014\x015\x016\x017\x018\x019";
    assert_eq!(
        frames[0],
        [b"\x20\x00\x01\x00\x01w\x02\xc3\xa9\x00\x00\x01\x00", &fields[..]].concat()
    );
    // 16 × 7 + 1 = 0x71; 16 × 8 + 1 = 129 = 0b1_0000001; 16 × 9 + 3 = 147 = 0b1_0010011.
    assert_eq!(frames[1], b"\x28\x00\x00\x71\x81\x01\x93\x01\xac\x02");
    let trace = direct(feed_frames(&frames));
    assert_eq!(trace.to_string(), "ERROR 7=true 8=true 9=300");
    assert_eq!(trace.all_events().next().unwrap().metadata().line(), Some(0));
}

#[test]
fn records_of_a_second_thread_name_it() {
    let frames = frames_of(|| {
        note(None);
        let dispatch = current_dispatch();
        let on_thread = move || {
            tracing::dispatcher::with_default(&dispatch, || {
                new_span([None, None]).in_scope(|| note(None));
            });
        };
        thread::spawn(on_thread).join().unwrap();
        note(None);
    });
    let records: Vec<_> = frames.iter().filter(|frame| frame[0] != 0x20).collect();
    let expected: [&[u8]; 7] = [
        b"\x28\x00\x00",
        b"\x31\x01\x01\x01\x00", // 0x20 | 0x10 | 1, thread 1, span 1 of call site 1
        b"\x33\x01\x01",
        b"\x38\x01\x00\x00", // thread 1, call site 0
        b"\x34\x01\x01",
        b"\x26\x01", // a handle is dropped on no thread in particular
        b"\x28\x00\x00",
    ];
    assert_eq!(records, expected);
    assert_eq!(direct(feed_frames(&frames)).to_string(), "TRACE\nINFO job{}\n└─ TRACE\nTRACE");
}

/// Checks that the value is written as these bytes and read as it was, and that none of them may
/// be missing.
#[track_caller]
fn check_value(value: &dyn Value, bytes: &[&[u8]], expected: impl Into<TracedValue>) {
    let frames = frames_of(|| note(Some(value)));
    let written = &frames[1];
    let expected_bytes = [b"\x28\x00\x00", &*bytes.concat()].concat();
    assert!(*written == expected_bytes, "{:x?}…", &written[..written.len().min(99)]);

    let trace = direct(feed_frames(&frames));
    let (read, expected) = (&trace.all_events().next().unwrap()["n"], &expected.into());
    if let (TracedValue::Float(read), TracedValue::Float(expected)) = (read, expected) {
        assert_eq!(read.to_bits(), expected.to_bits());
    } else {
        assert!(read == expected, "{read:.99} is not {expected:.99}");
    }

    let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
    receiver.receive_encoded(&frames[0]).unwrap();
    for len in (4..written.len()).filter(|len| *len < 300 || len % 1_021 == 0) {
        let error = receiver.receive_encoded(&written[..len]).unwrap_err();
        assert_eq!(summary(&error), format!("truncated at {len}"));
    }
}

/// Error with sources.
#[derive(Debug)]
struct Chain(&'static str, Option<Box<Chain>>);

impl fmt::Display for Chain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for Chain {
    fn source(&self) -> Option<&DynError> {
        self.1.as_deref().map(|source| source as &DynError)
    }
}

#[test]
fn each_type_of_value_is_written_and_read_as_specified() {
    check_value(&false, &[b"\x00"], false);
    check_value(&true, &[b"\x01"], true);

    check_value(&0_i64, &[b"\x02\x00"], 0_i64);
    check_value(&-1_i8, &[b"\x02\x01"], -1_i64);
    check_value(&i64::MAX, &[b"\x02\xfe", &[0xff; 8], b"\x01"], i64::MAX);
    check_value(&i64::MIN, &[b"\x02", &[0xff; 9], b"\x01"], i64::MIN);
    check_value(&300_u16, &[b"\x03\xac\x02"], 300_u64);
    check_value(&u64::MAX, &[b"\x03", &[0xff; 9], b"\x01"], u64::MAX);

    check_value(&i128::from(i64::MIN), &[b"\x02", &[0xff; 9], b"\x01"], i64::MIN);
    check_value(&u128::from(u64::MAX), &[b"\x03", &[0xff; 9], b"\x01"], u64::MAX);
    // Zigzag of 2^63 is 2^64, and that is 9 times 7 bits of zeros, then a 1 shifted by one.
    check_value(&(1_i128 << 63), &[b"\x04", &[0x80; 9], b"\x02"], 1_i128 << 63);
    check_value(&(1_u128 << 64), &[b"\x05", &[0x80; 9], b"\x02"], 1_u128 << 64);
    // 128 bits are 18 times 7 bits, and 2.
    check_value(&i128::MIN, &[b"\x04", &[0xff; 18], b"\x03"], i128::MIN);
    check_value(&u128::MAX, &[b"\x05", &[0xff; 18], b"\x03"], u128::MAX);

    check_value(&1.5_f64, &[b"\x06\0\0\0\0\0\0\xf8\x3f"], 1.5);
    check_value(&-0.0_f64, &[b"\x06\0\0\0\0\0\0\0\x80"], -0.0);
    check_value(&f64::NEG_INFINITY, &[b"\x06\0\0\0\0\0\0\xf0\xff"], f64::NEG_INFINITY);
    let nan = f64::from_bits(0x7ff8_0000_0000_00ab);
    check_value(&nan, &[b"\x06\xab\0\0\0\0\0\xf8\x7f"], nan);

    check_value(&"", &[b"\x07\x00"], "");
    check_value(&"é\0", &[b"\x07\x03\xc3\xa9\x00"], "é\0");
    check_value(&field::debug("a\""), &[b"\x08\x05\"a\\\"\""], TracedValue::debug(&"a\""));
    check_value(&field::display("hi"), &[b"\x08\x02hi"], TracedValue::debug(&format_args!("hi")));
    check_value(&&[0xde_u8, 0][..], &[b"\x0a\x02\xde\x00"], &[0xde, 0][..]);
    check_value(&&[][..] as &&[u8], &[b"\x0a\x00"], &[][..]);

    let error = Chain("outer", Some(Box::new(Chain("", Some(Box::new(Chain("é", None)))))));
    let traced = TracedValue::Error(TracedError::new(&error));
    check_value(
        &(&error as &DynError),
        &[b"\x09\x03", b"\x05outer", b"\x00", b"\x02\xc3\xa9"],
        traced,
    );
}

#[test]
fn chain_of_errors_has_at_most_128_messages() {
    let chain = |len| (1..len).fold(Chain("e", None), |inner, _| Chain("e", Some(Box::new(inner))));
    let traced = |len| TracedValue::Error(TracedError::new(&chain(len)));
    let messages = |len| b"\x01e".repeat(len);
    check_value(&(&chain(127) as &DynError), &[b"\x09\x7f", &messages(127)], traced(127));
    check_value(&(&chain(128) as &DynError), &[b"\x09\x80\x01", &messages(128)], traced(128));
    check_value(&(&chain(129) as &DynError), &[b"\x09\x80\x01", &messages(128)], traced(128));
}

#[test]
fn lengths_of_text_are_written_in_front_of_it() {
    let lens: [(usize, &[u8]); 15] = [
        (1, b"\x01"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (129, b"\x81\x01"),
        (249, b"\xf9\x01"), // with header, call site, parent and key: 253, and 255 with the length
        (250, b"\xfa\x01"), // 256 with the length: the longest that gets by without the heap
        (251, b"\xfb\x01"),
        (252, b"\xfc\x01"), // 256 without the length
        (253, b"\xfd\x01"),
        (255, b"\xff\x01"),
        (256, b"\x80\x02"),
        (257, b"\x81\x02"),
        (16_383, b"\xff\x7f"),
        (16_384, b"\x80\x80\x01"),
        (1 << 20, b"\x80\x80\x40"),
    ];
    for (len, varint) in lens {
        let text: String = ('a'..='z').cycle().take(len).collect();
        let bytes = text.as_bytes();
        let error = Chain(text.clone().leak(), None);
        check_value(
            &field::display(&text),
            &[b"\x08", varint, bytes],
            TracedValue::debug(&format_args!("{text}")),
        );
        check_value(&text, &[b"\x07", varint, bytes], &*text);
        check_value(&bytes, &[b"\x0a", varint, bytes], bytes);
        check_value(
            &(&error as &DynError),
            &[b"\x09\x01", varint, bytes],
            TracedValue::Error(TracedError::new(&error)),
        );
    }
}

#[test]
fn texts_of_one_frame_stand_one_after_another() {
    for len in [100, 128, 200, 300] {
        let text = "é".repeat(len / 2);
        let value = field::display(&text);
        let values: [Option<&dyn Value>; 10] = [Some(&value); 10];
        let frames = frames_of(|| Event::dispatch(&WIDE, &WIDE.fields().value_set_all(&values)));
        let trace = direct(feed_frames(&frames));
        let event = trace.all_events().next().unwrap();
        assert!(
            event.values().all(|(_, value)| value.as_debug_str() == Some(&text)),
            "{event:.99}"
        );
        assert_eq!(event.values().count(), 10);
    }
}

#[test]
fn what_a_failing_implementation_wrote_stays() {
    struct Failing;

    impl fmt::Debug for Failing {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("so far")?;
            Err(fmt::Error)
        }
    }

    check_value(
        &field::debug(Failing),
        &[b"\x08\x06so far"],
        TracedValue::debug(&format_args!("so far")),
    );
}

/// Shows where a frame is wrong without the words for what should be there.
fn summary(error: &ReceiveError) -> String {
    match error {
        ReceiveError::Frame(FrameError::Truncated { offset, .. }) => {
            format!("truncated at {offset}")
        }
        ReceiveError::Frame(FrameError::Malformed { offset, .. }) => {
            format!("malformed at {offset}")
        }
        ReceiveError::Frame(error) => format!("{error:?}"),
        error => format!("{error:?}"),
    }
}

/// Checks that a frame is refused after the first `position` frames of [`stream()`], and that the
/// rest of them gives the same trace as ever.
#[track_caller]
fn check_refused_at(position: usize, frame: &[u8], expected: &str) {
    let mut decoder = FrameDecoder::default();
    let feed = |receiver: &mut TracingEventReceiver| {
        for (i, good) in stream_bytes().iter().enumerate() {
            if i == position {
                assert_eq!(
                    summary(&receiver.receive_encoded(frame).unwrap_err()),
                    expected,
                    "{frame:x?}"
                );
                assert_eq!(summary(&decoder.decode(frame).unwrap_err()), expected, "{frame:x?}");
            }
            receiver.receive_encoded(good).unwrap();
            decoder.decode(good).unwrap();
        }
    };
    assert_eq!(detailed(&direct(feed)), detailed(&direct(feed_frames(&stream_bytes()))));
}

/// Checks that the parts make no frame where spans 1 to 4 are open, span 1 is entered, call site 0
/// is a span with two fields and call site 1 an event with one.
#[track_caller]
fn check_refused(parts: &[&[u8]], expected: &str) {
    check_refused_at(10, &parts.concat(), expected);
}

#[test]
fn frame_cut_short_is_refused_wherever_no_value_ends() {
    for (position, Literal(body, values)) in stream().into_iter().enumerate() {
        let frame = [&*body, &values.concat()].concat();
        let mut whole: Vec<usize> = vec![body.len(); 1];
        whole.extend(values.iter().scan(body.len(), |end, value| {
            *end += value.len();
            Some(*end)
        }));
        check_refused_at(position, &[], "Empty");
        for len in 1..frame.len() {
            if whole.contains(&len) {
                let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
                feed_frames(&stream_bytes()[..position])(&mut receiver);
                receiver.receive_encoded(&frame[..len]).unwrap();
            } else {
                check_refused_at(position, &frame[..len], &format!("truncated at {len}"));
            }
        }
    }
}

#[test]
fn version_is_checked_before_all_else() {
    for version in [0, 2, 3, 4, 5, 6, 7] {
        let expected = format!("UnsupportedVersion {{ actual: {version}, supported: 1 }}");
        for low_bits in 0..32 {
            let header = [version << 5 | low_bits];
            check_refused(&[&header], &expected);
            check_refused(&[&header, &[0xff; 20]], &expected);
        }
    }
}

#[test]
fn unknown_kinds_and_types_are_refused() {
    for kind in 9..=15 {
        check_refused(&[&[0x20 | kind]], &format!("UnknownKind {{ kind: {kind} }}"));
        check_refused(&[&[0x30 | kind, 1, 2]], &format!("UnknownKind {{ kind: {kind} }}"));
    }
    for value_type in 11..=15 {
        let expected = format!("UnknownValueType {{ offset: 3, value_type: {value_type} }}");
        check_refused(&[b"\x28\x01\x00", &[value_type]], &expected);
    }
}

#[test]
fn nothing_may_follow_a_body() {
    check_refused(
        &[b"\x20\x02\x00\x02\x00\x00\x00\x00\x00\x00", b"\x00"],
        "TrailingBytes { offset: 10 }",
    );
    check_refused(&[b"\x22\x03\x01", b"\x00"], "TrailingBytes { offset: 3 }");
    for header in 0x23..=0x26 {
        check_refused(&[&[header, 1], b"\x00"], "TrailingBytes { offset: 2 }");
    }
    check_refused(&[b"\x33\x00\x01", b"\x23\x01"], "TrailingBytes { offset: 3 }");
}

/// 2^64 - 1, and 2^40: more than there is memory for.
const HUGE: [&[u8]; 2] = [b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x80\x80\x80\x80\x80\x20"];

#[test]
fn lengths_are_not_trusted() {
    for huge in HUGE {
        let check_truncated = |start: &[u8]| {
            let end = start.len() + huge.len();
            check_refused(&[start, huge], &format!("truncated at {end}"));
            check_refused(&[start, huge, b"rest"], &format!("truncated at {}", end + 4));
        };
        check_truncated(b"\x20\x02\x00\x02"); // name
        check_truncated(b"\x20\x02\x00\x02\x00\x00\x01"); // module path
        check_truncated(b"\x20\x02\x00\x02\x00\x00\x00\x00\x00\x01"); // name of a field
        for value_type in [7, 8, 10] {
            check_truncated(&[0x28, 1, 0, value_type]);
        }
        check_truncated(b"\x28\x01\x00\x09\x01"); // message of an error
        let fields = b"\x20\x02\x00\x02\x00\x00\x00\x00\x00";
        check_refused(&[fields, huge], &format!("truncated at {}", 9 + huge.len()));
        check_refused(&[b"\x28\x01\x00\x09", huge], "malformed at 4");
    }
}

#[test]
fn numbers_that_mean_nothing_are_refused() {
    let [max, _] = HUGE;
    check_refused(&[b"\x23", max], "UnknownSpanId(18446744073709551615)");
    check_refused(&[b"\x28", max, b"\x00"], "UnknownMetadataId(18446744073709551615)");
    check_refused(&[b"\x28\x01", max], "UnknownSpanId(18446744073709551614)");
    check_refused(
        &[b"\x34", max, b"\x01"],
        "SpanNotEntered { id: 1, thread: 18446744073709551615 }",
    );
    check_refused(
        &[b"\x28\x01\x00", b"\x11"],
        "UnknownFieldIndex { metadata_id: 1, index: 1, len: 1 }",
    );
    // 16 × (2^60 - 1): the highest index that there is, of a `false`.
    let index = "UnknownFieldIndex { metadata_id: 1, index: 1152921504606846975, len: 1 }";
    check_refused(&[b"\x28\x01\x00\xf0", &max[1..]], index);
    check_refused(&[b"\x28\x01\x00", b"\x00\x01"], "TooManyValues { max: 1, actual: 2 }");

    check_refused(&[b"\x20\x02\x02\x02"], "malformed at 2"); // neither span nor event
    check_refused(&[b"\x20\x02\x00\x05"], "malformed at 3"); // no such level
    check_refused(&[b"\x20\x02\x00\x02\x00\x00\x02\x00"], "malformed at 6"); // no option
    let line = b"\x20\x02\x00\x02\x00\x00\x00\x00\x01";
    check_refused(&[line, b"\x80\x80\x80\x80\x10", b"\x00"], "malformed at 8"); // 2^32
    check_refused(&[b"\x28\x01\x00\x09\x00"], "malformed at 4"); // no message
    check_refused(&[b"\x28\x01\x00\x09\x81\x01", &b"\x01e".repeat(129)], "malformed at 4");
}

#[test]
fn text_must_be_utf_8() {
    for invalid in [b"\x01\xff".as_slice(), b"\x03a\xc3b", b"\x02\xc0\x80", b"\x03\xed\xa0\x80"] {
        check_refused(&[b"\x20\x02\x00\x02", invalid], "malformed at 4");
        check_refused(&[b"\x20\x02\x00\x02\x00\x00\x00\x00\x00\x01", invalid], "malformed at 10");
        check_refused(&[b"\x28\x01\x00\x07", invalid], "malformed at 4");
        check_refused(&[b"\x28\x01\x00\x08", invalid], "malformed at 4");
        check_refused(&[b"\x28\x01\x00\x09\x01", invalid], "malformed at 5");
    }
}

#[test]
fn integers_have_no_more_bits_than_their_type() {
    check_refused(&[b"\x23", &[0xff; 9], b"\x02"], "malformed at 1"); // 65 bits
    check_refused(&[b"\x23", &[0x80; 10], b"\x00"], "malformed at 1"); // 11 bytes
    check_refused(&[b"\x28\x01\x00\x03", &[0xff; 9], b"\x02"], "malformed at 4");
    check_refused(&[b"\x28\x01\x00\x05", &[0xff; 18], b"\x04"], "malformed at 4"); // 129 bits
    check_refused(&[b"\x28\x01\x00\x04", &[0x80; 19], b"\x00"], "malformed at 4");
}

#[test]
fn integer_in_more_bytes_than_it_needs_is_the_same() {
    let mut frames = stream_bytes();
    assert_eq!(frames[3], b"\x23\x01");
    frames[3] = b"\x33\x80\x00\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00".to_vec();
    assert_eq!(
        detailed(&direct(feed_frames(&frames))),
        detailed(&direct(feed_frames(&stream_bytes())))
    );
}
