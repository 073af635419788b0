//! How much a receiver takes of a program that may be hostile, and how it refuses what is beyond.

use spanshot::{
    Capture, LocalSpans, ReceiveError, ReceiverLimits, SharedStorage, Trace, TracedError,
    TracedValue, TracingEvent, TracingEventReceiver,
    receiver::{FrameDecoder, Limit},
};

use crate::support::detailed;

/// Call site 0, of spans with two fields, and 1, of events with as many.
const SITES: [&[u8]; 2] = [
    b"\x20\0\0\x02\x04span\x06target\0\0\0\x02\x01a\x01b",
    b"\x20\x01\x01\x02\x05event\x06target\0\0\0\x02\x07message\x01b",
];

/// A record of the `log` crate.
const LOG: &[u8] =
    b"\x20\x02\x01\x02\x09log event\x03log\0\0\0\x05\x07message\x0alog.target\x0flog.module_path\x08log.file\x08log.line";

const SPAN_1: &[u8] = b"\x21\x01\0\0";
const SPAN_2: &[u8] = b"\x21\x02\0\0";
const EVENT: &[u8] = b"\x28\x01\0\x07\x02hi";

/// What comes to a limit, and beyond it.
struct Case {
    limit: Limit,
    max: u64,
    /// What comes before the limit is set.
    before: Vec<&'static [u8]>,
    /// What there is room for.
    taken: Vec<&'static [u8]>,
    /// What there is no room for after that.
    refused: &'static [u8],
    /// By how much it exceeds the limit.
    by: u64,
    /// What makes room, and is taken.
    after: Vec<&'static [u8]>,
}

impl Case {
    fn limits(&self) -> ReceiverLimits {
        let limits = ReceiverLimits::default();
        let max = usize::try_from(self.max).unwrap();
        match self.limit {
            Limit::CallSites => limits.max_call_sites(max),
            Limit::LeakedBytes => limits.max_leaked_bytes(self.max),
            Limit::OpenSpans => limits.max_open_spans(max),
            Limit::Depth => limits.max_depth(max),
            Limit::Entered => limits.max_entered(max),
            Limit::FollowsFrom => limits.max_follows_from(max),
            Limit::ValuesPerRecord => limits.max_values(max),
            Limit::StringBytes => limits.max_string_bytes(max),
            Limit::FrameBytes => limits.max_frame_bytes(max),
            Limit::ErrorChain => limits.max_error_chain(max),
            Limit::Records => limits.max_records(self.max),
            other => panic!("{other}"),
        }
    }

    /// Feeds a receiver; each record is something that it takes by the function.
    fn run<Record>(
        &self,
        receiver: TracingEventReceiver,
        refuses: bool,
        trace: impl FnOnce() -> Trace,
        record: impl Fn(&[u8]) -> Record,
        receive: impl Fn(&mut TracingEventReceiver, Record) -> Result<(), ReceiveError>,
    ) -> String {
        let mut receiver = receiver;
        for frame in &self.before {
            receive(&mut receiver, record(frame)).unwrap();
        }
        let mut receiver = receiver.with_limits(self.limits());
        let take = |receiver: &mut TracingEventReceiver, frames: &[&[u8]]| {
            for frame in frames {
                let taken = receive(receiver, record(frame));
                assert_eq!(taken, Ok(()), "{}: {frame:x?}", self.limit);
            }
        };
        take(&mut receiver, &self.taken);
        assert_eq!(receiver.refusals().total(), 0);
        if refuses {
            for count in 1..=3 {
                let error = receive(&mut receiver, record(self.refused)).unwrap_err();
                let (limit, max, actual) = (self.limit, self.max, self.max + self.by);
                assert_eq!(error, ReceiveError::LimitExceeded { limit, max, actual });
                let message = error.to_string();
                let start = format!("{actual} {limit} are more than the {max} that this");
                assert!(message.starts_with(&start), "{message}");
                let refusals = receiver.refusals();
                assert_eq!((refusals.by(limit), refusals.total()), (count, count));
            }
        }
        take(&mut receiver, &self.after);
        // With the limit raised, it is taken.
        let mut receiver = receiver.with_limits(ReceiverLimits::default());
        take(&mut receiver, &[self.refused]);
        let trace = detailed(&trace());
        let metadata = serde_json::to_string(&receiver.persist_metadata()).unwrap();
        let spans = serde_json::to_string(&receiver.persist().0).unwrap();
        format!("{trace}\n{metadata}\n{spans}")
    }

    fn check(&self) {
        let frame = |frame: &[u8]| frame.to_vec();
        let by_frame =
            |receiver: &mut TracingEventReceiver, frame: Vec<u8>| receiver.receive_encoded(&frame);
        let direct = |refuses| {
            let storage = SharedStorage::default();
            let receiver = TracingEventReceiver::capturing(&storage);
            self.run(receiver, refuses, || storage.lock(), frame, by_frame)
        };
        let relayed = |refuses| {
            let capture = Capture::start();
            let receiver = TracingEventReceiver::default();
            self.run(receiver, refuses, || capture.trace(), frame, by_frame)
        };
        let expected = direct(false);
        assert_eq!(direct(true), expected, "{}: what is refused changes nothing", self.limit);
        assert_eq!(relayed(false), expected);
        assert_eq!(relayed(true), expected, "{}: what is refused changes nothing", self.limit);
        if self.limit == Limit::FrameBytes {
            return;
        }
        // The same records as events, whose call sites a decoder has to know.
        let event = |frame: &[u8]| {
            let mut decoder = FrameDecoder::default();
            for known in self.before.iter().chain(&self.taken).chain(&self.after) {
                if *known != frame && !known.starts_with(b"\x26") {
                    let _ = decoder.decode(known);
                }
            }
            decoder.decode(frame).unwrap_or_else(|error| panic!("{error}: {frame:x?}"))
        };
        let storage = SharedStorage::default();
        let receiver = TracingEventReceiver::capturing(&storage);
        let receive = |receiver: &mut TracingEventReceiver, event| receiver.try_receive(event);
        assert_eq!(self.run(receiver, true, || storage.lock(), event, receive), expected, "events");
    }
}

fn sites_and(more: &[&'static [u8]]) -> Vec<&'static [u8]> {
    [&SITES[..], more].concat()
}

#[allow(clippy::too_many_lines)] // they are data
fn cases() -> Vec<Case> {
    let case = |limit, max, taken: &[&'static [u8]], refused, by, after: &[&'static [u8]]| Case {
        limit,
        max,
        before: sites_and(&[]),
        taken: taken.to_vec(),
        refused,
        by,
        after: after.to_vec(),
    };
    let with = |before: &[&'static [u8]], case: Case| Case { before: sites_and(before), ..case };
    let mut cases = vec![
        case(Limit::CallSites, 3, &[LOG, SITES[0]], b"\x20\x07\0\x02\x01s\0\0\0\0\0", 1, &[SPAN_1]),
        // Places of the `log` crate are none.
        with(
            &[LOG],
            case(
                Limit::CallSites,
                3,
                &[b"\x28\x02\0\x17\x01a", b"\x28\x02\0\x17\x01b"],
                b"\x20\x07\0\x02\x01s\0\0\0\0\0",
                1,
                &[b"\x28\x02\0\x17\x01c"],
            ),
        ),
        // One that takes the number of another counts, too.
        case(Limit::CallSites, 2, &[], b"\x20\x00\0\x02\x01s\0\0\0\0\0", 1, &[SPAN_1]),
        case(Limit::OpenSpans, 1, &[SPAN_1], SPAN_2, 1, &[b"\x26\x01", b"\x21\x03\0\0"]),
        // A closed span that is entered can be named.
        case(
            Limit::OpenSpans,
            1,
            &[SPAN_1, b"\x23\x01", b"\x26\x01"],
            SPAN_2,
            1,
            &[b"\x24\x01", b"\x21\x03\0\0"],
        ),
        case(
            Limit::Depth,
            2,
            &[SPAN_1, b"\x21\x02\0\x02"],
            b"\x21\x03\0\x03",
            1,
            &[b"\x21\x04\0\x02"],
        ),
        case(
            Limit::Depth,
            2,
            &[SPAN_1, b"\x23\x01", SPAN_2, b"\x23\x02"],
            b"\x21\x03\0\0",
            1,
            &[b"\x21\x04\0\x01", b"\x24\x02", b"\x21\x05\0\0"],
        ),
        case(Limit::Depth, 2, &[SPAN_1, b"\x23\x01", b"\x23\x01"], b"\x23\x01", 1, &[b"\x24\x01"]),
        case(
            Limit::Depth,
            2,
            &[SPAN_1, b"\x33\x01\x01", b"\x33\x01\x01", b"\x33\x02\x01"],
            b"\x33\x01\x01",
            1,
            &[b"\x34\x01\x01"],
        ),
        case(
            Limit::Entered,
            3,
            &[SPAN_1, b"\x23\x01", b"\x33\x01\x01", b"\x33\x02\x01"],
            b"\x33\x03\x01",
            1,
            &[b"\x34\x01\x01", b"\x23\x01", b"\x24\x01"],
        ),
        with(
            &[SPAN_1, SPAN_2],
            case(
                Limit::FollowsFrom,
                2,
                &[b"\x22\x01\x02", b"\x22\x01\x01"],
                b"\x22\x01\x02",
                1,
                &[b"\x22\x02\x01"],
            ),
        ),
        case(Limit::ValuesPerRecord, 1, &[EVENT], b"\x28\x01\0\x07\x02hi\x11", 1, &[EVENT]),
        case(
            Limit::ValuesPerRecord,
            1,
            &[b"\x21\x01\0\0\x01"],
            b"\x21\x02\0\0\x01\x11",
            1,
            &[EVENT],
        ),
        with(
            &[SPAN_1],
            case(Limit::ValuesPerRecord, 1, &[b"\x27\x01\x11"], b"\x27\x01\x01\x11", 1, &[EVENT]),
        ),
        case(
            Limit::ValuesPerRecord,
            2,
            &[SPAN_1],
            b"\x20\x07\0\x02\x01s\0\0\0\0\x04\0\0\0\0",
            2,
            &[EVENT],
        ),
        case(
            Limit::FrameBytes,
            7,
            &[b"\x28\x01\0\x07\x02hi"],
            b"\x28\x01\0\x07\x03hi!",
            1,
            &[EVENT],
        ),
        case(
            Limit::ErrorChain,
            2,
            &[b"\x28\x01\0\x09\x02\0\0"],
            b"\x28\x01\0\x09\x04\0\0\0\0",
            2,
            &[EVENT],
        ),
        case(Limit::Records, 5, &[SPAN_1, b"\x23\x01", EVENT], EVENT, 1, &[]),
        case(Limit::Records, 2, &[], b"\x28\x01\0", 1, &[]),
    ];
    // Each string that there may be: in values, and in call sites.
    let strings: [(&'static [u8], &'static [u8]); 10] = [
        (b"\x28\x01\0\x07\x06123456", b"\x28\x01\0\x07\x071234567"),
        (b"\x28\x01\0\x08\x06123456", b"\x28\x01\0\x08\x071234567"),
        (b"\x28\x01\0\x0a\x06123456", b"\x28\x01\0\x0a\x071234567"),
        (b"\x28\x01\0\x09\x02\x01e\x06123456", b"\x28\x01\0\x09\x02\x01e\x071234567"),
        (b"\x21\x01\0\0\x07\x03123\x17\x06123456", b"\x21\x02\0\0\x07\x03123\x17\x071234567"),
        (b"\x20\x07\0\x02\x06strlen\0\0\0\0\0", b"\x20\x08\0\x02\x07strlen!\0\0\0\0\0"),
        (b"\x20\x07\0\x02\0\x06strlen\0\0\0\0", b"\x20\x08\0\x02\0\x07strlen!\0\0\0\0"),
        (b"\x20\x07\0\x02\0\0\x01\x06strlen\0\0\0", b"\x20\x08\0\x02\0\0\x01\x07strlen!\0\0\0"),
        (b"\x20\x07\0\x02\0\0\0\x01\x06strlen\0\0", b"\x20\x08\0\x02\0\0\0\x01\x07strlen!\0\0"),
        (b"\x20\x07\0\x02\0\0\0\0\0\x01\x06strlen", b"\x20\x08\0\x02\0\0\0\0\0\x01\x07strlen!"),
    ];
    cases.extend(
        strings.map(|(taken, refused)| case(Limit::StringBytes, 6, &[taken], refused, 1, &[EVENT])),
    );
    cases
}

#[test]
fn what_is_at_a_limit_is_taken_and_what_is_beyond_is_refused() {
    cases().iter().for_each(Case::check);
}

#[test]
fn what_is_leaked_already_is_taken_whatever_the_limit() {
    let receiver = TracingEventReceiver::default();
    let _capture = Capture::start();
    let mut receiver = receiver;
    for site in SITES {
        receiver.receive_encoded(site).unwrap();
    }
    // That which this process has leaked may be more than any limit.
    let limits = ReceiverLimits::default().max_leaked_bytes(0);
    let mut receiver = TracingEventReceiver::default().with_limits(limits);
    for frame in [SITES[0], SITES[1], SPAN_1, EVENT] {
        receiver.receive_encoded(frame).unwrap();
    }
    let new = b"\x20\x02\0\x02\x0cnot leaked  \0\0\0\0\0";
    let error = receiver.receive_encoded(new).unwrap_err();
    let ReceiveError::LimitExceeded { limit: Limit::LeakedBytes, max: 0, actual } = error else {
        panic!("{error}");
    };
    assert!(actual > 0);
    assert_eq!(receiver.persist_metadata().len(), 2);
    // Nothing is leaked directly.
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits);
    receiver.receive_encoded(new).unwrap();
}

#[test]
fn questions_are_limited() {
    let _capture = Capture::start();
    // About call site 0, remembered, with the name of four bytes.
    let question = |id: u8| [b"\x2e", &[id + 1][..], b"\0\x02\x04span\x06target\0\0\0\0"].concat();
    let mut receiver = TracingEventReceiver::default();
    receiver.answer(&question(0)).unwrap();
    let check = |receiver: &mut TracingEventReceiver,
                 limits: ReceiverLimits,
                 limit,
                 max,
                 question: &[u8]| {
        let taken = std::mem::take(receiver);
        *receiver = taken.with_limits(limits);
        let before = receiver.refusals().by(limit);
        let error = receiver.answer(question).unwrap_err();
        let ReceiveError::LimitExceeded { limit: actual, max: actual_max, .. } = error else {
            panic!("{error}");
        };
        assert_eq!((actual, actual_max), (limit, max));
        assert_eq!(receiver.refusals().by(limit), before + 1);
    };
    let limits = ReceiverLimits::default();
    check(&mut receiver, limits.max_frame_bytes(19), Limit::FrameBytes, 19, &question(0));
    check(&mut receiver, limits.max_string_bytes(5), Limit::StringBytes, 5, &question(0));
    check(&mut receiver, limits.max_call_sites(1), Limit::CallSites, 1, &question(1));
    receiver.answer(&question(0)).expect("it is not one more");
    let new = b"\x2e\0\x02\x02\x0bnot leaked \0\0\0\0\0";
    check(&mut receiver, limits.max_leaked_bytes(0), Limit::LeakedBytes, 0, new);
    receiver.answer(b"\x2f\0").unwrap();
}

/// A span, records of it that fit, and some that do not.
fn feed(receiver: &mut TracingEventReceiver) {
    for frame in SITES {
        receiver.receive_encoded(frame).unwrap();
    }
    let mut frames: Vec<&[u8]> = vec![SPAN_1, b"\x23\x01", EVENT, SPAN_2, b"\x26\x02", b"", EVENT];
    frames.extend([SPAN_2; 5]);
    for frame in frames {
        let _ = receiver.receive_encoded(frame);
    }
}

const LOSS: &str = "\
INFO span{}
└─ ⟨2×⟩ INFO hi
ERROR a record was refused: 2 open spans are more than the 1 that this receiver takes; \
if the program is right, raise `ReceiverLimits::max_open_spans()` limit=\"open spans\" max=1 actual=2";

fn assert_loss(trace: &Trace, receiver: &TracingEventReceiver) {
    let shown = trace.to_string();
    let [event] = &*trace
        .all_events()
        .filter(|event| event.metadata().target() == "spanshot")
        .collect::<Vec<_>>()
    else {
        panic!("{shown}");
    };
    assert!(event.parent().is_none());
    assert_eq!(event.value("limit"), Some(&TracedValue::from("open spans")));
    assert_eq!(event.value("max"), Some(&TracedValue::from(1_u64)));
    assert_eq!(event.value("actual"), Some(&TracedValue::from(2_u64)));
    let refusals = receiver.refusals();
    assert_eq!(
        (refusals.by(Limit::OpenSpans), refusals.of_unknown(), refusals.otherwise()),
        (6, 1, 1)
    );
    assert_eq!((refusals.by_limits(), refusals.total()), (6, 8));
    assert_eq!(shown, LOSS);
}

#[test]
fn loss_is_one_event_of_the_trace_if_that_is_wanted() {
    let limits = ReceiverLimits::default().max_open_spans(1);
    for is_wanted in [true, false] {
        let limits = limits.trace_loss(is_wanted);
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits);
        feed(&mut receiver);
        if is_wanted {
            assert_loss(&storage.lock(), &receiver);
        } else {
            assert_eq!(storage.lock().all_events().count(), 2);
        }

        let capture = Capture::start();
        let mut receiver = TracingEventReceiver::default().with_limits(limits);
        feed(&mut receiver);
        if is_wanted {
            assert_loss(&capture.trace(), &receiver);
        } else {
            assert_eq!(capture.trace().all_events().count(), 2);
        }
        // It is nothing that the program has announced.
        assert_eq!(receiver.persist_metadata().len(), 2);
    }
}

#[test]
fn loss_is_traced_whatever_the_limits() {
    let limits = ReceiverLimits::default().trace_loss(true);
    for limits in [
        limits.max_call_sites(0),
        limits.max_leaked_bytes(0),
        limits.max_records(0),
        limits.max_values(0),
    ] {
        let capture = Capture::start();
        let mut receiver = TracingEventReceiver::default().with_limits(limits);
        receiver.receive_encoded(b"\x20\0\0\x02\x0anot leaked\0\0\0\0\x01\0").unwrap_err();
        receiver.receive_encoded(SPAN_1).unwrap_err();
        assert_eq!(capture.trace().all_events().count(), 1);
    }
    // The call site of that event is none of the stream's.
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default().with_limits(limits.max_call_sites(2));
    receiver.receive_encoded(b"").unwrap_err();
    for site in SITES {
        receiver.receive_encoded(site).unwrap();
    }
    receiver.receive_encoded(LOG).unwrap_err();
    drop(receiver);
    assert_eq!(capture.trace().all_events().count(), 1);
}

#[test]
fn limits_are_not_persisted_but_what_was_taken_counts() {
    let storage = SharedStorage::default();
    let limits = ReceiverLimits::default().max_open_spans(2).max_depth(2);
    let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits);
    for frame in sites_and(&[SPAN_1, b"\x23\x01", SPAN_2]) {
        receiver.receive_encoded(frame).unwrap();
    }
    receiver.receive_encoded(b"\x21\x03\0\0").unwrap_err();
    let metadata = receiver.persist_metadata();
    let (spans, local_spans) = receiver.persist();
    let mut receiver = TracingEventReceiver::new(metadata, spans, local_spans);
    assert_eq!(receiver.refusals().total(), 0);
    receiver.receive_encoded(b"\x21\x03\0\x03").unwrap();
    let limits = ReceiverLimits::default().max_open_spans(3);
    let mut receiver = receiver.with_limits(limits);
    receiver.receive_encoded(b"\x21\x04\0\0").unwrap_err();
    let mut receiver = receiver.with_limits(ReceiverLimits::default().max_depth(3));
    let too_deep = receiver.receive_encoded(b"\x21\x04\0\x04").unwrap_err();
    assert_eq!(too_deep, ReceiveError::LimitExceeded { limit: Limit::Depth, max: 3, actual: 4 });
    drop((receiver, LocalSpans::default()));
}

#[test]
fn output_of_debug_is_limited_as_a_string() {
    /// Error with a short message, and a long output of `Debug`.
    struct Long;

    impl std::fmt::Debug for Long {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("twelve bytes")
        }
    }

    impl std::fmt::Display for Long {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("short")
        }
    }

    impl std::error::Error for Long {}

    let error = TracedError::new(&Long);
    let event = TracingEvent::NewEvent {
        metadata_id: 1,
        parent: None,
        is_root: false,
        values: [("b".to_owned(), error.into())].into_iter().collect(),
        thread: 0,
    };
    let frame = b"\x28\x01\x00\x1b\x01\x05short\x0ctwelve bytes";
    for (max, expected) in [(12, Ok(())), (11, Err((11, 12)))] {
        let expected = expected.map_err(|(max, actual)| ReceiveError::LimitExceeded {
            limit: Limit::StringBytes,
            max,
            actual,
        });
        let limits = ReceiverLimits::default().max_string_bytes(max);
        let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
        for site in SITES {
            receiver.receive_encoded(site).unwrap();
        }
        let mut receiver = receiver.with_limits(limits);
        assert_eq!(receiver.receive_encoded(frame), expected);
        assert_eq!(receiver.try_receive(event.clone()), expected);
    }
}

#[test]
fn chain_that_was_made_by_hand_is_limited() {
    let mut error = TracedError::new(&std::fmt::Error);
    for _ in 0..100 {
        let mut around = TracedError::new(&std::fmt::Error);
        around.source = Some(Box::new(error));
        error = around;
    }
    let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
    for site in SITES {
        receiver.receive_encoded(site).unwrap();
    }
    let event = TracingEvent::NewEvent {
        metadata_id: 1,
        parent: None,
        is_root: false,
        values: [("b".to_owned(), error.into())].into_iter().collect(),
        thread: 0,
    };
    assert_eq!(
        receiver.try_receive(event),
        Err(ReceiveError::LimitExceeded { limit: Limit::ErrorChain, max: 100, actual: 101 })
    );
}
