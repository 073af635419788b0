//! Frames to the byte: what the specification in `spanshot::transport::frame` says is what is written and
//! what is read.
//!
//! All bytes are derived by hand from it. `ff` is a byte, `ff*9` is nine of them, `'text'` is
//! UTF-8, and `|` shows where a frame could end and another value begins.

use std::{error::Error, fmt, thread};

use spanshot::{
    ReceiveError, SharedStorage, TracedError, TracedValue, TracingEventReceiver,
    receiver::FrameDecoder, transport::frame::FrameError,
};
use tracing::{
    Event, Level, Metadata, Span, dispatcher,
    field::{self, Value},
};
use tracing_core::{Kind, callsite::DefaultCallsite, field::FieldSet, identify_callsite};

use crate::support::{current_dispatch, detailed, direct, feed_frames, frames_of, relayed};

fn bytes(notation: &str) -> Vec<u8> {
    let words = notation.split_whitespace().filter(|word| *word != "|");
    let bytes = words.flat_map(|word| {
        if let Some(text) = word.strip_prefix('\'') {
            return text.strip_suffix('\'').unwrap().as_bytes().to_owned();
        }
        let (byte, count) = word.split_once('*').unwrap_or((word, "1"));
        vec![u8::from_str_radix(byte, 16).unwrap(); count.parse().unwrap()]
    });
    bytes.collect()
}

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

fn job(values: [Option<&dyn Value>; 2]) -> Span {
    Span::new(&JOB, &JOB.fields().value_set_all(&values))
}

fn note(value: Option<&dyn Value>) {
    Event::dispatch(&NOTE, &NOTE.fields().value_set_all(&[value]));
}

fn wide(values: [Option<&dyn Value>; 10]) {
    Event::dispatch(&WIDE, &WIDE.fields().value_set_all(&values));
}

/// Traces records of every kind: those of [`STREAM`].
fn program() {
    let first = job([Some(&true), None]);
    let entered = first.clone().entered();
    let second = job([None, None]);
    let values = [None, Some(&"ok" as &dyn Value)];
    let third = Span::child_of(&first, &JOB, &JOB.fields().value_set_all(&values));
    let values = [Some(&false as &dyn Value), Some(&1_u8)];
    let fourth = Span::new_root(&JOB, &JOB.fields().value_set_all(&values));
    third.follows_from(&first);
    first.record("b", 7);
    note(Some(&-7));
    Event::child_of(None, &NOTE, &NOTE.fields().value_set_all(&[None]));
    Event::child_of(fourth.id(), &NOTE, &NOTE.fields().value_set_all(&[None]));
    drop(entered);
    drop((fourth, third, second, first));
}

#[rustfmt::skip]
const STREAM: [&str; 19] = [
    // Version 1, new call site; ID; span; INFO; name; target; module path; file; line, which is
    // 300 = 0b10_0101100; two fields.
    "20 00 00 02 03 'job' 03 'app' 01 01 'm' 01 04 'a.rs' 01 ac 02 02 01 'a' 01 'b'",
    "21 01 00 00 | 01",         // new span 1, call site 0, contextual; 16 × 0 + `true`
    "25 01",                    // span 1 is cloned
    "23 01",                    // span 1 is entered
    "21 02 00 00",              // new span 2, call site 0, contextual
    "21 03 00 02 | 17 02 'ok'", // new span 3, call site 0, parent 1 + 1; 16 × 1 + string
    "21 04 00 01 | 00 | 13 01", // new span 4, root; 16 × 0 + `false`; 16 × 1 + unsigned
    "22 03 01",                 // span 3 follows from span 1
    "27 01 | 12 0e",            // values recorded into span 1; 16 × 1 + signed, zigzag of 7
    "20 01 01 04 04 'note' 00 00 00 00 01 01 'n'", // call site 1: event, TRACE; no options
    "28 01 00 | 02 0d",         // new event, call site 1, contextual; signed, zigzag of -7
    "28 01 01",                 // root
    "28 01 05",                 // parent 4 + 1
    "24 01",                    // span 1 is exited
    "26 01", "26 04", "26 03", "26 02", "26 01", // handles are dropped
];

fn stream() -> Vec<Vec<u8>> {
    STREAM.map(bytes).into()
}

#[test]
fn each_kind_of_record_is_written_as_specified() {
    let frames = frames_of(program);
    for (frame, expected) in frames.iter().zip(STREAM) {
        assert_eq!(*frame, bytes(expected), "{expected}");
    }
    assert_eq!(frames.len(), STREAM.len());
}

#[test]
fn each_kind_of_record_is_read_as_specified() {
    let trace = direct(feed_frames(&stream()));
    let expected = "\
INFO job{a=true b=7}
├─ INFO job{}
├─ INFO job{b=\"ok\"} (follows from job)
└─ TRACE n=-7
INFO job{a=false b=1}
└─ TRACE
TRACE";
    assert_eq!(trace.to_string(), expected);
    let (span, event) = (trace.all_spans().next().unwrap(), trace.all_events().next().unwrap());
    assert_eq!((span.stats().entered, span.stats().exited, span.stats().is_closed), (1, 1, true));
    let site = span.metadata();
    assert_eq!((site.name(), site.target(), site.module_path()), ("job", "app", Some("m")));
    assert_eq!((site.file(), site.line()), (Some("a.rs"), Some(300)));
    assert!(site.fields().eq(["a", "b"]));
    let site = event.metadata();
    assert_eq!((site.name(), site.target(), site.module_path()), ("note", "", None));
    assert_eq!((site.file(), site.line()), (None, None));
}

#[test]
fn key_of_field_8_and_beyond_has_two_bytes() {
    let mut values = [Some(&true as &dyn Value); 10];
    values[..7].fill(None);
    values[9] = Some(&300_u64);
    let frames = frames_of(|| wide(values));
    // Neither module path nor file, but a line; ten names of one byte.
    let names = DIGITS.map(|digit| format!("01 '{digit}'")).join(" ");
    assert_eq!(frames[0], bytes(&format!("20 00 01 00 01 'w' 02 c3 a9 00 00 01 00 0a {names}")));
    // 16 × 7 + 1 = 0x71; 16 × 8 + 1 = 0b1_0000001; 16 × 9 + 3 = 0b1_0010011.
    assert_eq!(frames[1], bytes("28 00 00 | 71 | 81 01 | 93 01 ac 02"));
    let trace = direct(feed_frames(&frames));
    assert_eq!(trace.to_string(), "ERROR 7=true 8=true 9=300");
    assert_eq!(trace.all_events().next().unwrap().metadata().line(), Some(0));
}

#[test]
fn records_of_a_second_thread_name_it() {
    let frames = frames_of(|| {
        note(None);
        let dispatch = current_dispatch();
        let on_thread = || job([None, None]).in_scope(|| note(None));
        let on_thread = move || dispatcher::with_default(&dispatch, on_thread);
        thread::spawn(on_thread).join().unwrap();
        note(None);
    });
    let records: Vec<_> = frames.iter().filter(|frame| frame[0] != 0x20).cloned().collect();
    let expected = [
        "28 00 00",
        "31 01 01 01 00", // 0x20 | 0x10 | 1, thread 1; span 1, call site 1, contextual
        "33 01 01",
        "38 01 00 00", // thread 1; call site 0, contextual
        "34 01 01",
        "26 01", // a handle is dropped on no thread in particular
        "28 00 00",
    ];
    assert_eq!(records, expected.map(bytes));
    assert_eq!(direct(feed_frames(&frames)).to_string(), "TRACE\nINFO job{}\n└─ TRACE\nTRACE");
}

/// Checks that the value is written as these bytes and read as what it was, and that none of the
/// bytes may be missing.
#[track_caller]
fn check_value(value: &dyn Value, notation: &str, expected: impl Into<TracedValue>) {
    let frames = frames_of(|| note(Some(value)));
    let written = &frames[1];
    let is_expected = *written == [bytes("28 00 00"), bytes(notation)].concat();
    assert!(is_expected, "{:02x?} is not {notation:.99}", &written[..written.len().min(99)]);

    let trace = direct(feed_frames(&frames));
    let (read, expected) = (&trace.all_events().next().unwrap()["n"], expected.into());
    let is_expected = match (read, &expected) {
        (TracedValue::Float(read), TracedValue::Float(float)) => read.to_bits() == float.to_bits(),
        _ => *read == expected,
    };
    assert!(is_expected, "{read:.99} is not {expected:.99}");

    let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
    receiver.receive_encoded(&frames[0]).unwrap();
    for len in (4..written.len()).filter(|len| *len < 300 || len % 1_021 == 0) {
        let result = receiver.receive_encoded(&written[..len]);
        assert_eq!(summary(result), format!("truncated at {len}"));
    }
}

fn text(text: &str) -> TracedValue {
    TracedValue::debug(&format_args!("{text}"))
}

/// Error with sources, which are not in its output by `Debug`.
struct Chain(&'static str, Option<Box<Chain>>);

impl Chain {
    fn new(messages: &[&'static str]) -> Self {
        let chain =
            messages.iter().rev().fold(None, |source, text| Some(Box::new(Self(text, source))));
        *chain.unwrap()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}?", self.0.get(..1).unwrap_or_default())
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

#[track_caller]
fn check_error(error: &Chain, notation: &str) {
    check_value(&(error as &(dyn Error + 'static)), notation, TracedError::new(error));
}

#[test]
fn each_type_of_value_is_written_and_read_as_specified() {
    check_value(&false, "00", false);
    check_value(&true, "01", true);

    check_value(&0_i64, "02 00", 0_i64);
    check_value(&-1_i8, "02 01", -1_i64);
    check_value(&i64::MAX, "02 fe ff*8 01", i64::MAX);
    check_value(&i64::MIN, "02 ff*9 01", i64::MIN);
    check_value(&300_u16, "03 ac 02", 300_u64);
    check_value(&u64::MAX, "03 ff*9 01", u64::MAX);

    check_value(&i128::from(i64::MIN), "02 ff*9 01", i64::MIN);
    check_value(&u128::from(u64::MAX), "03 ff*9 01", u64::MAX);
    // Zigzag of 2^63 is 2^64: nine times seven bits, and one more.
    check_value(&(1_i128 << 63), "04 80*9 02", 1_i128 << 63);
    check_value(&(1_u128 << 64), "05 80*9 02", 1_u128 << 64);
    // 128 bits are eighteen times seven, and two more.
    check_value(&i128::MIN, "04 ff*18 03", i128::MIN);
    check_value(&u128::MAX, "05 ff*18 03", u128::MAX);

    check_value(&1.5_f64, "06 00*6 f8 3f", 1.5);
    check_value(&-0.0_f64, "06 00*7 80", -0.0);
    check_value(&f64::NEG_INFINITY, "06 00*6 f0 ff", f64::NEG_INFINITY);
    let nan = f64::from_bits(0x7ff8_0000_0000_00ab);
    check_value(&nan, "06 ab 00*5 f8 7f", nan);

    check_value(&"", "07 00", "");
    check_value(&"é\0", "07 03 c3 a9 00", "é\0");
    check_value(&field::debug("a"), "08 03 '\"a\"'", text("\"a\""));
    check_value(&field::display("a"), "08 01 'a'", text("a"));
    check_error(
        &Chain::new(&["outer", "", "é"]),
        "0b 03 05 'outer' 02 'o?' 00 01 '?' 02 c3 a9 01 '?'",
    );
    check_value(&&[0xde_u8, 0][..], "0a 02 de 00", &[0xde, 0][..]);
    check_value(&&[][..] as &&[u8], "0a 00", &[][..]);
}

/// Senders of earlier versions write none.
#[test]
fn error_without_its_debug_output_is_read() {
    let frames = frames_of(|| note(Some(&1)));
    let event = bytes("28 00 00 09 03 05 'outer' 00 02 c3 a9");
    let frames = [frames[0].clone(), event];
    for trace in [direct(feed_frames(&frames)), relayed(feed_frames(&frames))] {
        let event = trace.all_events().next().unwrap();
        let error = event["n"].as_error().unwrap();
        let messages = std::iter::successors(Some(error), |error| error.source.as_deref())
            .map(|error| &*error.message);
        assert!(messages.eq(["outer", "", "é"]));
        let source = r#"TracedError { message: "é", source: None }"#;
        let source = format!(r#"TracedError {{ message: "", source: Some({source}) }}"#);
        let expected = format!(r#"TracedError {{ message: "outer", source: Some({source}) }}"#);
        assert_eq!(format!("{error:?}"), expected);
    }
}

#[test]
fn chain_of_errors_has_at_most_100_messages() {
    let error = "01 'e' 02 'e?' ";
    check_error(&Chain::new(&["e"; 99]), &format!("0b 63 {}", error.repeat(99)));
    check_error(&Chain::new(&["e"; 100]), &format!("0b 64 {}", error.repeat(100)));
    check_error(&Chain::new(&["e"; 101]), &format!("0b 64 {}", error.repeat(100)));
}

#[test]
fn length_of_a_text_is_written_in_front_of_it() {
    // Before a text of 252 bytes and its length there are 4 bytes, and all 256 need no heap yet;
    // with a length of two bytes, texts of more than 250 bytes do.
    #[rustfmt::skip]
    let lens = [
        (1, "01"), (127, "7f"), (128, "80 01"), (129, "81 01"), (249, "f9 01"), (250, "fa 01"),
        (251, "fb 01"), (252, "fc 01"), (253, "fd 01"), (255, "ff 01"), (256, "80 02"),
        (257, "81 02"), (16_383, "ff 7f"), (16_384, "80 80 01"), (1 << 20, "80 80 40"),
    ];
    for (len, varint) in lens {
        let long: &str = &('a'..='z').cycle().take(len).collect::<String>();
        let payload = format!("{varint} '{long}'");
        check_value(&field::display(long), &format!("08 {payload}"), text(long));
        check_value(&long, &format!("07 {payload}"), long);
        check_value(&long.as_bytes(), &format!("0a {payload}"), long.as_bytes());
        check_error(&Chain::new(&[long.to_owned().leak()]), &format!("0b 01 {payload} 02 'a?'"));
    }
}

#[test]
fn texts_of_one_frame_stand_one_after_another() {
    for len in [1, 20, 26, 100, 127, 128, 300] {
        let texts = DIGITS.map(|digit| digit.repeat(len));
        let values = texts.each_ref().map(field::display);
        let frames = frames_of(|| wide(values.each_ref().map(|value| Some(value as &dyn Value))));
        let trace = direct(feed_frames(&frames));
        let event = trace.all_events().next().unwrap();
        assert!(event.values().map(|(_, value)| value.as_debug_str().unwrap()).eq(&texts), "{len}");
    }
}

#[test]
fn what_a_failing_implementation_wrote_stays() {
    struct Failing;

    impl fmt::Debug for Failing {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("so")?;
            Err(fmt::Error)
        }
    }

    check_value(&field::debug(Failing), "08 02 'so'", text("so"));
}

/// Shows why and where a frame is refused, without the words for what should be there.
fn summary<T>(result: Result<T, ReceiveError>) -> String {
    match result.err().expect("the frame is refused") {
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

/// Checks that a frame is refused after the first `position` frames of [`STREAM`], and that the
/// rest of them gives the same trace as ever.
#[track_caller]
fn check_refused_at(position: usize, frame: &[u8], expected: &str) {
    let (mut decoder, mut refusals) = (FrameDecoder::default(), vec![]);
    let trace = direct(|receiver| {
        for (i, good) in stream().iter().enumerate() {
            if i == position {
                refusals.push(summary(receiver.receive_encoded(frame)));
                refusals.push(summary(decoder.decode(frame)));
            }
            receiver.receive_encoded(good).unwrap();
            decoder.decode(good).unwrap();
        }
    });
    assert_eq!(refusals, [expected; 2], "{frame:02x?}");
    assert_eq!(detailed(&trace), detailed(&direct(feed_frames(&stream()))), "{frame:02x?}");
}

/// Checks that a frame is refused where spans 1 to 4 are open, span 1 is entered, call site 0 is a
/// span with two fields and call site 1 an event with one.
#[track_caller]
fn check_refused(notation: &str, expected: &str) {
    check_refused_at(10, &bytes(notation), expected);
}

#[test]
fn frame_cut_short_is_refused_but_where_a_value_ends() {
    for (position, notation) in STREAM.into_iter().enumerate() {
        let frame = bytes(notation);
        let ends = notation.match_indices('|').map(|(end, _)| bytes(&notation[..end]).len());
        let ends: Vec<_> = ends.collect();
        check_refused_at(position, &[], "Empty");
        for len in 1..frame.len() {
            if ends.contains(&len) {
                let mut cut = stream();
                cut[position].truncate(len);
                direct(feed_frames(&cut));
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
        for header in (0..32).map(|rest| version << 5 | rest) {
            check_refused(&format!("{header:x}"), &expected);
            check_refused(&format!("{header:x} ff*20"), &expected);
        }
    }
}

#[test]
fn unknown_kinds_and_types_are_refused() {
    for kind in 9..=15 {
        check_refused(&format!("{:x}", 0x20 | kind), &format!("UnknownKind {{ kind: {kind} }}"));
        check_refused(&format!("{:x} 01", 0x30 | kind), &format!("UnknownKind {{ kind: {kind} }}"));
    }
    for value_type in 12..=15 {
        let expected = format!("UnknownValueType {{ offset: 3, value_type: {value_type} }}");
        check_refused(&format!("28 01 00 {value_type:x}"), &expected);
    }
}

#[test]
fn nothing_may_follow_a_body() {
    check_refused("20 02 00 02 00 00 00 00 00 00 00", "TrailingBytes { offset: 10 }");
    check_refused("22 03 01 00", "TrailingBytes { offset: 3 }");
    for frame in ["23 01 00", "24 01 00", "25 01 00", "26 01 00"] {
        check_refused(frame, "TrailingBytes { offset: 2 }");
    }
    check_refused("33 00 01 23 01", "TrailingBytes { offset: 3 }");
}

#[test]
fn lengths_are_not_trusted() {
    // 2^64 - 1; 2^40, which is more than there is memory for.
    for huge in ["ff*9 01", "80*5 20"] {
        for start in [
            "20 02 00 02",                   // name
            "20 02 00 02 00 00 01",          // module path
            "20 02 00 02 00 00 00 00 00",    // fields
            "20 02 00 02 00 00 00 00 00 01", // name of a field
            "28 01 00 07",
            "28 01 00 08",
            "28 01 00 09 01", // message of an error
            "28 01 00 0b 01",
            "28 01 00 0b 01 01 'e'", // its output by `Debug`
            "28 01 00 0a",
        ] {
            let frame = format!("{start} {huge}");
            check_refused(&frame, &format!("truncated at {}", bytes(&frame).len()));
        }
        for value_type in ["09", "0b"] {
            check_refused(&format!("28 01 00 {value_type} {huge}"), "malformed at 4");
        }
    }
}

#[test]
fn numbers_that_mean_nothing_are_refused() {
    check_refused("23 ff*9 01", "UnknownSpanId(18446744073709551615)");
    check_refused("28 01 ff*9 01", "UnknownSpanId(18446744073709551614)");
    check_refused("28 ff*9 01 00", "UnknownMetadataId(18446744073709551615)");
    check_refused("34 ff*9 01 01", "SpanNotEntered { id: 1, thread: 18446744073709551615 }");
    check_refused("28 01 00 11", "UnknownFieldIndex { metadata_id: 1, index: 1, len: 1 }");
    check_refused("28 01 00 00 01", "TooManyValues { max: 1, actual: 2 }");
    // 16 × (2^60 - 1) + 0, the highest index that there is.
    let index = "UnknownFieldIndex { metadata_id: 1, index: 1152921504606846975, len: 1 }";
    check_refused("28 01 00 f0 ff*8 01", index);

    check_refused("20 02 02 02", "malformed at 2"); // neither span nor event
    check_refused("20 02 00 05", "malformed at 3"); // no level
    check_refused("20 02 00 02 00 00 02", "malformed at 6"); // no option
    check_refused("20 02 00 02 00 00 00 00 01 80*4 10 00", "malformed at 8"); // line 2^32
    check_refused("28 01 00 09 00", "malformed at 4"); // error without a message
    check_refused("28 01 00 0b 00", "malformed at 4");
    check_refused(&format!("28 01 00 0b 65 {}", "00 00 ".repeat(101)), "malformed at 4");
    check_refused(&format!("28 01 00 09 65 {}", "00 ".repeat(101)), "malformed at 4");
}

#[test]
fn text_must_be_utf_8() {
    for text in ["01 ff", "03 61 c3 62", "02 c0 80", "03 ed a0 80", "04 f4 90 80 80"] {
        check_refused(&format!("20 02 00 02 {text}"), "malformed at 4");
        check_refused(&format!("20 02 00 02 00 00 00 00 00 01 {text}"), "malformed at 10");
        check_refused(&format!("28 01 00 07 {text}"), "malformed at 4");
        check_refused(&format!("28 01 00 08 {text}"), "malformed at 4");
        check_refused(&format!("28 01 00 09 01 {text}"), "malformed at 5");
        check_refused(&format!("28 01 00 0b 01 {text}"), "malformed at 5");
        check_refused(&format!("28 01 00 0b 01 00 {text}"), "malformed at 6");
    }
}

#[test]
fn integers_have_no_more_bits_than_their_type() {
    check_refused("23 ff*9 02", "malformed at 1"); // 65 bits
    check_refused("23 80*10 00", "malformed at 1"); // 11 bytes
    check_refused("28 01 00 03 ff*9 02", "malformed at 4");
    check_refused("28 01 00 05 ff*18 04", "malformed at 4"); // 129 bits
    check_refused("28 01 00 04 80*19 00", "malformed at 4"); // 20 bytes
}

#[test]
fn integer_in_more_bytes_than_it_needs_is_the_same() {
    let mut frames = stream();
    assert_eq!(frames[3], bytes("23 01"));
    frames[3] = bytes("33 80 00 81 80*8 00");
    assert_eq!(detailed(&direct(feed_frames(&frames))), detailed(&direct(feed_frames(&stream()))));
}

#[test]
fn values_are_decoded_by_the_call_site_that_their_span_was_created_with() {
    // A sender that numbers by address comes back with other code, as after `dlclose()`.
    let frames = [
        bytes("20 00 | 00 02 | 04 'span' 06 'target' 00 00 00 | 02 01 'a' 01 'b'"),
        bytes("21 01 00 00"),
        bytes("20 00 | 01 02 | 05 'event' 06 'target' 00 00 00 | 01 01 'c'"),
        bytes("27 01 | 11"),
    ];
    let mut decoder = FrameDecoder::default();
    let [.., recorded] = frames.map(|frame| decoder.decode(&frame));
    let Ok(spanshot::TracingEvent::ValuesRecorded { values, .. }) = recorded else {
        panic!("{recorded:?}");
    };
    assert_eq!(values["b"], TracedValue::Bool(true));
}

/// A frame has the number of a field for each value, and the event its name.
#[test]
fn decoder_refuses_to_repeat_a_long_name_for_each_value() {
    let name = "n".repeat(1_000);
    let fields = 40;
    let site = [&bytes("20 02 01 02 00 00 00 00 00")[..], &[fields, 0xe8, 0x07], name.as_bytes()];
    let site = [&site.concat()[..], &vec![0; usize::from(fields) - 1]].concat();
    let event = |values: usize| [bytes("28 02 00"), vec![0; values]].concat();
    let mut decoder = FrameDecoder::default();
    decoder.decode(&site).unwrap();
    assert_eq!(
        decoder.decode(&event(18)).unwrap_err().to_string(),
        "the names of the values take 18000 bytes, as fields are repeated, and may take 17384"
    );
    let event = decoder.decode(&event(17)).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap().matches(&name).count(), 17);
}
