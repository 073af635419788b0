//! Traces in files: recorded by a program, saved from a storage, cut, and of several versions.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use spanshot::{
    Capture, Keep, SharedStorage, Storage, Trace, TracingEventReceiver,
    capture::{Happening, Moment},
    predicates::{ScanExt, level},
    transport::{
        frame,
        recorded::{self, RecordedError, RecordedTrace},
        stream::{self, Receipt, StreamEnd},
    },
};
use tracing::{Level, Span, error, field, info, info_span, warn};

use crate::support::{current_dispatch, detailed, native, on_thread};

/// A file of this test run.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("recorded-{name}.spanshot"))
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name)
}

/// Replays a file into a storage.
fn replay(path: &Path) -> (Trace, Receipt) {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let receipt = RecordedTrace::open(path).unwrap().replay(&mut receiver);
    (storage.lock(), receipt)
}

/// Saves a trace, and returns it as it is replayed into a storage.
#[track_caller]
fn saved(trace: &Storage, name: &str) -> Trace {
    let path = file(name);
    trace.save(&path).unwrap();
    let (trace, receipt) = replay(&path);
    assert!(receipt.is_complete(), "{receipt:?}");
    fs::remove_file(path).unwrap();
    trace
}

/// Traces values of all kinds, in spans of all kinds.
fn program() {
    let request = info_span!("request", id = 7_u64, status = field::Empty).entered();
    let query = info_span!(target: "database", "query", rows = -1_i64, wide = u128::MAX);
    query.in_scope(|| {
        let cause = "x".parse::<u8>().unwrap_err();
        error!(error = &cause as &dyn std::error::Error, "failed");
        warn!(ratio = f64::NAN, bytes = &[0_u8, 255][..], slow = true, "{}", "retried");
    });
    let follower = info_span!(parent: None, "follower", list = ?[1, 2]);
    follower.follows_from(&query);
    query.record("rows", 3);
    drop(query);
    follower.follows_from(request.id());
    on_thread(|| follower.in_scope(|| info!("on a thread")));
    info!(parent: None, "a root");
    request.record("status", "done");
}

#[test]
fn what_a_program_records_is_replayed_as_it_was() {
    let path = file("program");
    let recording = recorded::create(&path).unwrap();
    tracing::subscriber::with_default(recording.sender(), program);
    recording.finish().unwrap();

    let expected = detailed(&native(program));
    let (trace, receipt) = replay(&path);
    assert!(receipt.is_complete(), "{receipt:?}");
    assert_eq!(detailed(&trace), expected);

    // Through a subscriber, and more than once.
    let mut recorded = RecordedTrace::open(&path).unwrap();
    assert_eq!(recorded.written_by(), Some(env!("CARGO_PKG_VERSION")));
    for _ in 0..2 {
        let capture = Capture::start();
        assert!(recorded.replay(&mut TracingEventReceiver::default()).is_complete());
        assert_eq!(detailed(&capture.trace()), expected);
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn host_records_what_passes_by() {
    let path = file("tee");
    let recording = recorded::create(&path).unwrap();
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    for frame in crate::support::frames_of(program) {
        recording.send(&frame);
        receiver.receive_encoded(&frame).unwrap();
    }
    recording.finish().unwrap();
    assert_eq!(detailed(&replay(&path).0), detailed(&storage.lock()));
    fs::remove_file(path).unwrap();
}

#[test]
fn trace_that_is_saved_is_replayed_as_an_equal_one() {
    let trace = native(program);
    assert_eq!(detailed(&saved(&trace, "saved")), detailed(&trace));
    // It is the same again if it is saved again: call sites are described now, rather than native.
    let again = saved(&trace, "again");
    assert_eq!(detailed(&saved(&again, "again")), detailed(&trace));
}

/// What happened, each with its thread.
fn threads(trace: &Storage) -> Vec<(String, Option<usize>)> {
    let entry = |(moment, happening): (Moment, Happening<'_>)| {
        let what = match happening {
            Happening::Created(span) => format!("new {}", span.metadata().name()),
            Happening::Entered(span) => format!("enter {}", span.metadata().name()),
            Happening::Exited(span) => format!("exit {}", span.metadata().name()),
            Happening::Emitted(event) => event.to_string(),
            other => format!("{other:?}"),
        };
        (what, trace.thread_of(moment))
    };
    trace.timeline().map(entry).collect()
}

#[test]
fn threads_of_a_saved_trace_are_told_apart() {
    let capture = Capture::start();
    let span = info_span!("span", step = field::Empty);
    let dispatch = current_dispatch();
    span.in_scope(|| {
        info!("here");
        on_thread(|| {
            // Exited here, though it was entered there: nobody but the dispatcher does that.
            let other = info_span!("other");
            dispatch.enter(&other.id().unwrap());
            span.in_scope(|| info!("in both"));
            on_thread(|| {
                dispatch.exit(&other.id().unwrap());
                info!("on a third thread");
            });
            span.record("step", 1);
        });
        on_thread(|| info!("on a fourth thread"));
    });
    drop(span);
    let trace = capture.finish();
    let mut expected = threads(&trace);
    let count = |thread| expected.iter().filter(|(_, of)| *of == Some(thread)).count();
    assert!((0..4).all(|thread| count(thread) > 0), "{expected:?}");

    let saved_trace = saved(&trace, "threads");
    assert_eq!(detailed(&saved_trace), detailed(&trace));
    let exit = expected.iter_mut().find(|(what, _)| what == "exit other").unwrap();
    assert_ne!(exit.1, Some(1), "another thread than it was entered on");
    exit.1 = Some(1);
    assert_eq!(threads(&saved_trace), expected);

    // Through a subscriber, too: each on a thread of its own.
    let path = file("threads-relayed");
    trace.save(&path).unwrap();
    let capture = Capture::start();
    let receipt = RecordedTrace::open(&path).unwrap().replay(&mut TracingEventReceiver::default());
    assert!(receipt.is_complete(), "{receipt:?}");
    assert_eq!(threads(&capture.finish()), threads(&saved_trace));
    fs::remove_file(path).unwrap();
}

#[test]
fn open_and_entered_spans_are_open_and_entered() {
    let capture = Capture::start();
    let open = info_span!("open");
    let entered = info_span!("entered").entered();
    let closed = info_span!("closed while entered");
    let (dispatch, id) = (current_dispatch(), closed.id().unwrap());
    dispatch.enter(&id);
    drop(closed);
    info!("in none");
    dispatch.exit(&id);
    let trace = capture.trace();
    let replayed = saved(&trace, "open");
    assert_eq!(detailed(&replayed), detailed(&trace));
    assert!(replayed.all_spans().take(2).all(|span| !span.stats().is_closed));
    drop((open, entered));
}

#[test]
fn order_of_what_a_span_follows_from_is_kept() {
    let trace = native(|| {
        let first = info_span!("first");
        let span = info_span!("span");
        let second = info_span!("second");
        span.follows_from(&second);
        drop(second);
        span.follows_from(&first);
        drop(first);
        let third = info_span!("third");
        span.follows_from(&third);
        span.follows_from(&span);
    });
    let replayed = saved(&trace, "follows");
    assert_eq!(detailed(&replayed), detailed(&trace));
    let span = replayed.all_spans().nth(1).unwrap();
    let sources: Vec<_> = span.follows_from().map(|span| span.metadata().name()).collect();
    assert_eq!(sources, ["second", "first", "third", "span"]);
}

#[test]
fn parts_of_a_trace_have_the_statistics_that_they_had() {
    let capture = Capture::start();
    let span = info_span!("span");
    span.in_scope(|| ());
    let entered = span.enter();
    capture.take();
    info!("later");
    drop(entered);
    let part = capture.take();
    assert_eq!(detailed(&saved(&part, "part")), detailed(&part));
    assert_eq!(part.all_spans().next().unwrap().stats().entered, 2);

    let capture = Capture::builder().max_nodes(3, Keep::Newest).start();
    info_span!("around").in_scope(|| (0..10).for_each(|number| info!(number)));
    let bounded = capture.trace();
    let left_out = "(7 earlier nodes were left out)\n";
    let expected = detailed(&bounded);
    assert_eq!(detailed(&saved(&bounded, "bounded")), expected.strip_prefix(left_out).unwrap());
}

#[test]
fn fields_of_the_same_name_keep_their_values() {
    let trace = native(|| {
        let span = info_span!("span", x = field::Empty, x = 2);
        span.record("x", 1);
        info!(x = 3, x = 4);
    });
    assert_eq!(detailed(&saved(&trace, "names")), detailed(&trace));
}

#[test]
fn file_that_is_cut_gives_what_is_whole_and_says_so() {
    let path = file("cut");
    let recording = recorded::create(&path).unwrap();
    tracing::subscriber::with_default(recording.sender(), program);
    drop(recording);
    let bytes = fs::read(&path).unwrap();
    let whole = replay(&path).0.to_string();
    let mut before = 0;
    // Where the second packet begins: bytes of packets that would look like this are escaped.
    let marker = b"\xffss\xfe";
    let start = 1 + bytes[1..].windows(marker.len()).position(|bytes| bytes == marker).unwrap();
    for len in start..bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        let (_, receipt) = replay(&path);
        assert_eq!(receipt.problem_count, 0);
        match receipt.end {
            StreamEnd::Open => before = len,
            StreamEnd::Cut { offset, len: cut } => {
                assert_eq!((offset, offset + cut), (before as u64, len as u64));
            }
            end => panic!("{end:?}"),
        }
        let error = receipt.into_result().unwrap_err();
        assert!(error.receipt().frames > 0 || before == start, "{error}");
    }
    // All but the end of the stream is all of the trace.
    fs::write(&path, &bytes[..before]).unwrap();
    assert_eq!(replay(&path).0.to_string(), whole);
    fs::remove_file(path).unwrap();
}

#[test]
fn notes_before_the_trace_are_read() {
    let path = file("notes");
    let recording = recorded::create(&path).unwrap();
    let long = "long".repeat(10_000);
    for (name, value) in [("test", "it::works"), ("test", "another"), ("long", &*long)] {
        recording.note(name, value);
    }
    tracing::subscriber::with_default(recording.sender(), program);
    recording.note("late", "after the trace");
    drop(recording);
    let recorded = RecordedTrace::open(&path).unwrap();
    assert_eq!(recorded.note("test"), Some("it::works"));
    assert_eq!(recorded.note("long"), Some(&long[..4_096]));
    assert_eq!(recorded.note("late"), None);
    assert!(recorded.written_by().is_some());
    let (trace, receipt) = replay(&path);
    assert!(receipt.is_complete(), "{receipt:?}");
    assert!(trace.all_events().len() > 0);

    // A file may have any number.
    let recording = recorded::create(&path).unwrap();
    (0..100).for_each(|number| recording.note(&format!("note {number}"), ""));
    drop(recording);
    let recorded = RecordedTrace::open(&path).unwrap();
    let is_read = |number: &u32| recorded.note(&format!("note {number}")).is_some();
    assert_eq!((0..100).filter(is_read).count(), 32);
    fs::remove_file(path).unwrap();
}

#[test]
fn files_that_are_no_traces_are_refused() {
    let path = file("none");
    let check = |bytes: &[u8], expected: &str| {
        fs::write(&path, bytes).unwrap();
        let error = RecordedTrace::open(&path).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(b"", "there is no recorded trace in the 0 bytes of the file");
    check(b"some text", "there is no recorded trace in the 9 bytes of the file");
    check(b"\xffss\xfe\x01\x00", "there is no recorded trace in the 6 bytes of the file");
    fs::remove_file(&path).unwrap();
    let error = RecordedTrace::open(&path).unwrap_err();
    assert!(matches!(error, RecordedError::Io(_)), "{error}");
}

#[test]
fn trace_stands_among_the_output_of_a_program() {
    let path = file("output");
    let recording = recorded::create(&path).unwrap();
    tracing::subscriber::with_default(recording.sender(), || info!("traced"));
    drop(recording);
    let bytes = [b"program 1.0\n", &fs::read(&path).unwrap()[..], b"bye\n"].concat();
    fs::write(&path, bytes).unwrap();
    let (trace, receipt) = replay(&path);
    assert!(receipt.is_complete());
    assert_eq!((trace.to_string().as_str(), receipt.foreign), ("INFO traced", 16));
    fs::remove_file(path).unwrap();
}

/// What is in all fixtures. Those of other versions than 0.1.0 were made by hand, from the specification:
/// that of `0.9.3` has more in its start and its end, and a packet of a kind that is unknown; that of
/// `3.0.0` is of version 3 of the format.
const RECORDED: &str = "\
INFO request{id=7 status=\"done\"}
├─ WARN slow millis=850
└─ INFO done";

/// To be written anew only with a new version of the format, to another file: those of versions 1 and 2 are
/// read for ever.
#[test]
fn trace_that_version_0_1_recorded_is_read() {
    for name in ["0.1.0.spanshot", "0.1.0-named.spanshot"] {
        let (trace, receipt) = replay(&fixture(name));
        assert!(receipt.is_complete(), "{receipt:?}");
        assert_eq!(receipt.written_by.as_deref(), Some("0.1.0"));
        assert_eq!(trace.to_string(), RECORDED);
    }
}

/// `SPANSHOT_RECORD_FIXTURE` names a file that is to be written and kept.
#[test]
fn same_program_is_recorded_now() {
    let kept = env::var_os("SPANSHOT_RECORD_FIXTURE").map(PathBuf::from);
    let path = kept.clone().unwrap_or_else(|| file("fixture"));
    let recording = recorded::create(&path).unwrap();
    tracing::subscriber::with_default(recording.sender(), || {
        let request = info_span!("request", id = 7, status = field::Empty).entered();
        warn!(millis = 850, "slow");
        Span::current().record("status", "done");
        info!("done");
        drop(request);
    });
    drop(recording);
    assert_eq!((stream::VERSION, frame::VERSION), (2, 1));
    let (trace, receipt) = replay(&path);
    assert!(receipt.is_complete());
    assert_eq!(trace.to_string(), RECORDED);
    if kept.is_none() {
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn trace_of_another_version_with_additions_is_read() {
    let mut recorded = RecordedTrace::open(fixture("0.9.3-additions.spanshot")).unwrap();
    assert_eq!(recorded.written_by(), Some("0.9.3"));
    let storage = SharedStorage::default();
    let receipt = recorded.replay(&mut TracingEventReceiver::capturing(&storage));
    assert!(receipt.is_complete(), "{receipt:?}");
    assert_eq!(storage.lock().to_string(), RECORDED);
}

#[test]
fn trace_of_a_later_version_is_refused_naming_both() {
    let error = RecordedTrace::open(fixture("3.0.0-later.spanshot")).unwrap_err();
    assert!(matches!(
        &error,
        RecordedError::UnsupportedVersion { actual: 3, supported: 2, written_by: Some(by) }
            if &**by == "3.0.0"
    ));
    assert_eq!(
        error.to_string(),
        concat!(
            "the trace was recorded in version 3 of the format, by spanshot \"3.0.0\"; this is spanshot ",
            env!("CARGO_PKG_VERSION"),
            ", which reads versions up to 2: take a version of spanshot that reads both, or record it anew"
        )
    );
}

/// Replayed, it says no more than it did when it was saved.
#[test]
fn trace_that_lacks_records_refuses_negatives_after_it_was_saved() {
    let evicted = Capture::builder().max_nodes(2, Keep::Newest).start();
    error!("evicted");
    (0..3).for_each(|number| info!(number));
    let evicted = evicted.finish();

    let lost = Capture::start();
    info!("of the host");
    TracingEventReceiver::default().receive_encoded(b"no frame").unwrap_err();
    let lost = lost.finish();

    for (trace, name) in [(evicted, "evicted"), (lost, "lost")] {
        let negative = |trace: &Trace| {
            let negative = trace.scan_events().try_none(&level(Level::ERROR));
            negative.unwrap_err().to_string()
        };
        assert!(negative(&trace).starts_with("this says nothing"));
        let replayed = saved(&trace, name);
        assert!(negative(&replayed).contains("the trace was saved without them: "));
    }
}
