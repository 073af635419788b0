//! Faults of what a trace goes to, and of what it comes from: a full disk, a pipe that nobody reads, a process that is
//! killed, a subscriber that panics. Whatever fails, the traced program goes on, and what was traced before is there.
//!
//! Children are this binary again, told by an environment variable what to do.

#![allow(unsafe_code)]

use std::{
    env, fs,
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use spanshot::{
    Capture, CaptureLayer, SharedStorage, TracingEventReceiver, TracingEventSender,
    capture::ProcessWideLayer,
    transport::{
        child_process::{self, STREAM_VARIABLE},
        dynamic_library::{FrameReceiver, RelayError},
        recorded::RecordedTrace,
        stream::{Receipt, StreamEnd, StreamReceiver, StreamWriter},
    },
};
use tracing::{Subscriber, info, info_span, span};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

/// Says what the child is to do.
const CHILD: &str = "SPANSHOT_TEST_FAULT";

/// What a sink that fails is reported with.
const REPORT: &str = "spanshot: what is traced is not written any more:";

fn child(what: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "runs_as_child", "--nocapture", "--test-threads=1"]).env(CHILD, what);
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    command
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}-{name}", std::process::id()))
}

/// What the numbered child does for ever.
fn step(number: u64) {
    let text = "x".repeat(usize::try_from(number % 90).unwrap());
    info_span!("step", number).in_scope(|| info!(number, text));
}

/// Does nothing unless it is the child.
#[test]
fn runs_as_child() {
    let Ok(what) = env::var(CHILD) else { return };
    match &*what {
        "steps" => {
            let _stream = child_process::install_from_env().unwrap();
            for number in 0.. {
                step(number);
            }
        }
        // Says after each step that it is done.
        "acknowledged" => {
            let _stream = child_process::install_from_env().unwrap();
            for number in 0.. {
                step(number);
                io::stderr().write_all(b".").unwrap();
            }
        }
        "full" => {
            let error = child_process::install_from_env().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            (0..100).for_each(step);
        }
        // The disk gets full later.
        "full later" => {
            let stream = child_process::install(FullAfter(1_000)).unwrap();
            (0..100).for_each(step);
            assert_eq!(stream.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
        "closed" => {
            let _stream = child_process::install_from_env();
            io::stdin().read_to_end(&mut vec![]).unwrap(); // until all of its pipes are closed
            (0..100).for_each(step);
        }
        "tracing output" => {
            let stream = child_process::install(Tracing(io::stderr())).unwrap();
            (0..3).for_each(step);
            stream.finish().unwrap();
        }
        _ if what.starts_with("panic again ") => panic_again(&what["panic again ".len()..]),
        _ => panic!("{what}"),
    }
    // Whatever was wrong, it got here.
    if let Ok(path) = env::var("SPANSHOT_TEST_DONE") {
        fs::write(path, "done").unwrap();
    }
}

/// Runs a child to its end, which it has to reach.
fn finished(command: &mut Command) -> Output {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let done = file(&format!("done-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let output = command.env("SPANSHOT_TEST_DONE", &done).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(fs::read_to_string(&done).unwrap(), "done");
    fs::remove_file(done).unwrap();
    output
}

fn reports(output: &Output) -> usize {
    String::from_utf8_lossy(&output.stderr).matches(REPORT).count()
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_reported_once_and_disturbs_nobody() {
    let output = finished(child("full").env(STREAM_VARIABLE, "/dev/full"));
    assert!(output.status.success());
    assert_eq!(reports(&output), 1);

    let writer = StreamWriter::new(fs::File::create("/dev/full").unwrap());
    tracing::subscriber::with_default(writer.sender(), || (0..100).for_each(step));
    assert_eq!(writer.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);

    let capture = Capture::start();
    step(0);
    let error = capture.trace().save("/dev/full").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    #[cfg(feature = "export")]
    {
        use spanshot::export::{ChromeTrace, HtmlPage};

        let full = || fs::File::create("/dev/full").unwrap();
        let trace = capture.trace();
        let error = HtmlPage::new(&trace).write_to(full()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let error = ChromeTrace::new(&trace).write_to(full()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}

/// Takes so many bytes.
struct FullAfter(usize);

impl Write for FullAfter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.0);
        self.0 -= len;
        if len == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(len) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn disk_that_gets_full_is_reported_once_and_disturbs_nobody() {
    let output = finished(&mut child("full later"));
    assert!(output.status.success());
    assert_eq!(reports(&output), 1);
}

#[test]
fn pipes_that_nobody_reads_disturb_nobody() {
    // Not even the one that the failure would be reported to.
    for pipe in ["stdout", "stderr"] {
        let done = file(&format!("closed-{pipe}"));
        let mut child = child("closed")
            .env(STREAM_VARIABLE, pipe)
            .env("SPANSHOT_TEST_DONE", &done)
            .stdin(Stdio::piped())
            .stdout(if pipe == "stdout" { Stdio::piped() } else { Stdio::null() })
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The stream has started, and the harness has written what it writes before.
        let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take().unwrap());
        let input: &mut dyn Read = match &mut stdout {
            Some(stdout) => stdout,
            None => &mut stderr,
        };
        let mut byte = [0];
        while byte != [0xff] {
            input.read_exact(&mut byte).unwrap();
        }
        drop((stdout, stderr));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(fs::read_to_string(&done).unwrap(), "done");
        fs::remove_file(done).unwrap();
    }
}

/// An output that traces what it does, as a connection does whose library is traced.
struct Tracing<W>(W);

impl<W: Write> Write for Tracing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _entered = info_span!("writes", len = bytes.len()).entered();
        info!("writing");
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        info!("flushing");
        self.0.flush()
    }
}

#[test]
fn output_that_traces_neither_hangs_nor_recurses() {
    let output = finished(&mut child("tracing output"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let receipt = spanshot::transport::stream::receive(&*output.stderr, &mut receiver);
    assert!(receipt.is_complete(), "{receipt:?}");
    // What it traces while it writes what was traced is not written.
    assert_eq!(numbers(&storage), [0, 1, 2]);
    assert_eq!(storage.lock().all_spans().len(), 3);
}

/// How many runs are killed.
const POINTS: usize = 200;

fn numbers(storage: &SharedStorage) -> Vec<u128> {
    storage.lock().all_events().map(|event| event["number"].as_uint().unwrap()).collect()
}

/// Asserts that what was received is the beginning of what the child traces, and that its end is typed.
#[track_caller]
fn assert_beginning(storage: &SharedStorage, receipt: &Receipt, min: usize) {
    assert_eq!(receipt.problem_count, 0, "{receipt:?}");
    assert!(matches!(receipt.end, StreamEnd::Open | StreamEnd::Cut { .. }), "{receipt:?}");
    assert!(!receipt.is_complete());
    let numbers = numbers(storage);
    assert!(numbers.len() >= min, "{} of {min}", numbers.len());
    assert!(numbers.iter().copied().eq(0..numbers.len() as u128));
    let trace = storage.lock();
    let spans = trace.all_spans().len();
    assert!(spans == numbers.len() || spans == numbers.len() + 1);
    // All spans but the last were left.
    assert!(trace.all_spans().rev().skip(1).all(|span| span.stats().is_closed));
    assert!(trace.all_events().all(|event| event.parent().unwrap()["number"] == event["number"]));
}

#[test]
fn all_that_a_killed_child_has_done_is_in_its_file() {
    for point in 1..=POINTS {
        let path = file("killed.spanshot");
        let mut child = child("acknowledged")
            .env(STREAM_VARIABLE, &path)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // So many steps were done for sure.
        child.stderr.as_mut().unwrap().read_exact(&mut vec![0; point]).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let receipt = RecordedTrace::open(&path).unwrap().replay(&mut receiver);
        assert_beginning(&storage, &receipt, point);
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn all_that_a_killed_child_has_written_comes_through_its_pipe() {
    let mut ends = [0, 0];
    for point in 0..POINTS {
        let mut child =
            child("steps").env(STREAM_VARIABLE, "stderr").stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        // Bytes at each place of a packet, in the first steps and in later ones.
        let mut bytes = vec![0; 1 + point * 53 % 3_001];
        stderr.read_exact(&mut bytes).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        stderr.read_to_end(&mut bytes).unwrap();

        // It may be that the host has read no more than that, too.
        for len in [1 + point * 53 % 3_001, bytes.len()] {
            let storage = SharedStorage::default();
            let mut receiver = TracingEventReceiver::capturing(&storage);
            let mut stream = StreamReceiver::new(&mut receiver);
            let (mut text, mut whole) = (vec![], vec![]);
            stream.push(&bytes[..len], |foreign| text.extend_from_slice(foreign));
            let receipt = stream.finish();
            assert_eq!(text, b"", "the child writes nothing else there");
            assert_beginning(&storage, &receipt, 0);
            // The end is where the last whole packet ends: what is left is less than one.
            let cut = if let StreamEnd::Cut { offset, len: cut } = receipt.end {
                assert_eq!(offset + cut, len as u64);
                usize::try_from(cut).unwrap()
            } else {
                0
            };
            ends[usize::from(cut > 0)] += 1;
            whole.extend_from_slice(&bytes[..len - cut]);
            let mut receiver = TracingEventReceiver::default();
            let again = spanshot::transport::stream::receive(&*whole, &mut receiver);
            assert_eq!(again.frames, receipt.frames);
            assert!(matches!(again.end, StreamEnd::Open), "{again:?}");
        }
    }
    assert!(ends.iter().all(|count| *count > 0), "{ends:?}");
}

/// Panics whenever it is told to, after the layers below have done what they do.
#[derive(Clone, Default)]
struct Panics {
    /// Calls that are left until it panics, once.
    left: Arc<AtomicUsize>,
}

impl Panics {
    fn count(&self) {
        let left = |left: usize| left.checked_sub(1);
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        assert_ne!(before, Ok(1), "as it was told to");
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Panics {
    fn on_new_span(&self, _: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        self.count();
    }

    fn on_record(&self, _: &span::Id, _: &span::Record<'_>, _: Context<'_, S>) {
        self.count();
    }

    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        self.count();
    }

    fn on_enter(&self, _: &span::Id, _: Context<'_, S>) {
        self.count();
    }

    fn on_exit(&self, _: &span::Id, _: Context<'_, S>) {
        self.count();
    }

    fn on_close(&self, _: span::Id, _: Context<'_, S>) {
        self.count();
    }
}

/// What a program sends, on two threads.
fn program() {
    let outer = info_span!("outer", late = tracing::field::Empty).entered();
    info!("first");
    outer.record("late", 1);
    let dispatch = &tracing::dispatcher::get_default(Clone::clone);
    thread::scope(|scope| {
        let on_thread = || info_span!("on thread").in_scope(|| info!("second"));
        scope.spawn(move || tracing::dispatcher::with_default(dispatch, on_thread));
    });
    info_span!("inner").in_scope(|| info!("third"));
}

fn frames() -> Vec<Vec<u8>> {
    let frames = Arc::new(std::sync::Mutex::new(vec![]));
    let pushed = Arc::clone(&frames);
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        pushed.lock().unwrap().push(frame.to_vec());
    });
    tracing::subscriber::with_default(sender, program);
    std::mem::take(&mut *frames.lock().unwrap())
}

#[test]
fn receiver_outlives_a_subscriber_that_panics() {
    let frames = frames();
    let mut panicked = 0;
    for call in 1..30 {
        let panics = Panics::default();
        panics.left.store(call, Ordering::Relaxed);
        let storage = SharedStorage::default();
        let left = Arc::clone(&panics.left);
        let subscriber =
            tracing_subscriber::registry().with(CaptureLayer::new(&storage)).with(panics);
        tracing::subscriber::with_default(subscriber, || {
            let mut receiver = TracingEventReceiver::default();
            for frame in &frames {
                // It panics in whoever receives, as it would in whoever traces.
                let result = catch_unwind(AssertUnwindSafe(|| receiver.receive_encoded(frame)));
                panicked += usize::from(result.is_err());
            }
            // Another stream through the same subscriber is as it should be.
            left.store(0, Ordering::Relaxed);
            drop(receiver);
            let before = storage.lock().all_events().len();
            let mut receiver = TracingEventReceiver::default();
            for frame in &frames {
                receiver.receive_encoded(frame).unwrap();
            }
            assert_eq!(storage.lock().all_events().len(), before + 3, "{call}");
        });
    }
    assert!(panicked > 10, "{panicked}");
}

/// A payload whose drop panics, so many times: with a payload whose drop panics, and so on.
struct Panicking(u32);

impl Drop for Panicking {
    fn drop(&mut self) {
        if let Some(left) = self.0.checked_sub(1) {
            panic_any(Self(left));
        }
    }
}

/// Panics at events, when a span is exited, and when it is dropped.
struct PanicsAgain;

impl<S: Subscriber> Layer<S> for PanicsAgain {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        panic_any(Panicking(5));
    }

    fn on_exit(&self, _: &span::Id, _: Context<'_, S>) {
        panic_any(Panicking(5));
    }
}

/// Panics when a span is exited.
struct PanicsAtExit;

impl<S: Subscriber> Layer<S> for PanicsAtExit {
    fn on_exit(&self, _: &span::Id, _: Context<'_, S>) {
        panic_any(Panicking(5));
    }
}

/// Finishes a receiver when it is told of an event.
struct FinishesInside(Arc<Mutex<Option<FrameReceiver>>>);

impl<S: Subscriber> Layer<S> for FinishesInside {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        let receiver = self.0.lock().unwrap().take();
        let error = receiver.map(FrameReceiver::finish);
        assert_eq!(error, Some(Err(RelayError::EndedInsideRecord)));
    }
}

/// Panics when it is dropped.
struct PanicsAtLast;

impl<S: Subscriber> Layer<S> for PanicsAtLast {}

impl Drop for PanicsAtLast {
    fn drop(&mut self) {
        panic_any(Panicking(5));
    }
}

/// What a child does, which must not abort it, whatever is told to catch a panic.
fn panic_again(place: &str) {
    let subscriber = tracing_subscriber::registry().with(PanicsAgain);
    match place {
        "at the boundary of a dynamic library" => {
            let frames = frames();
            let error = tracing::subscriber::with_default(subscriber, || {
                let receiver = FrameReceiver::new();
                let host = receiver.host_function();
                for frame in &frames {
                    unsafe { (host.function())(host.context(), frame.as_ptr(), frame.len()) };
                }
                receiver.finish().unwrap_err()
            });
            let RelayError::Panicked { message, .. } = error else { panic!("{error}") };
            assert_eq!(&*message, "(a value that is not text)");
        }
        "in a receiver that is finished inside its record" => {
            let frames = frames();
            let storage = SharedStorage::default();
            let receiver = Arc::default();
            let subscriber = tracing_subscriber::registry()
                .with(CaptureLayer::new(&storage))
                .with(FinishesInside(Arc::clone(&receiver)))
                .with(PanicsAtExit);
            tracing::subscriber::with_default(subscriber, || {
                let host = FrameReceiver::new();
                let function = host.host_function();
                *receiver.lock().unwrap() = Some(host);
                for frame in &frames {
                    unsafe {
                        (function.function())(function.context(), frame.as_ptr(), frame.len());
                    }
                }
            });
            assert_eq!(storage.lock().all_events().len(), 1);
        }
        "in a roll-back" => {
            let frames = frames();
            tracing::subscriber::with_default(subscriber, || {
                let result = catch_unwind(|| {
                    let mut receiver = TracingEventReceiver::default();
                    for frame in frames {
                        receiver.receive_encoded(&frame).unwrap(); // panics at the event
                    }
                });
                std::mem::forget(result.unwrap_err());
            });
        }
        "in a worker" => {
            let frames = frames();
            let subscriber = tracing_subscriber::registry().with(PanicsAtLast);
            let receiver = tracing::subscriber::with_default(subscriber, || {
                let mut receiver = TracingEventReceiver::default().relaying_elsewhere();
                for frame in &frames {
                    receiver.receive_encoded(frame).unwrap();
                }
                receiver
            });
            drop(receiver);
        }
        "at the end of a thread" => {
            let subscriber = subscriber.with(ProcessWideLayer::new());
            tracing::subscriber::set_global_default(subscriber).unwrap();
            let capture = Capture::start_process_wide();
            let handle = capture.handle();
            thread::spawn(move || handle.attach_thread()).join().unwrap();
            // It exits a span, too, where a panic may unwind.
            let result = catch_unwind(AssertUnwindSafe(|| drop(capture)));
            std::mem::forget(result.unwrap_err());
        }
        "in a function that allows events" => {
            let capture = Capture::builder()
                .fail_on_events(tracing::Level::INFO)
                .allow_events(|_| panic_any(Panicking(5)))
                .start();
            info!("judged");
            let result = catch_unwind(AssertUnwindSafe(|| drop(capture)));
            let message = *result.unwrap_err().downcast::<String>().unwrap();
            assert!(message.contains("panicked with: (a value that is not text)"), "{message}");
        }
        _ => panic!("{place}"),
    }
}

#[test]
fn payload_that_panics_when_it_is_dropped_ends_where_a_panic_is_caught() {
    for place in [
        "at the boundary of a dynamic library",
        "in a receiver that is finished inside its record",
        "in a roll-back",
        "in a worker",
        "at the end of a thread",
        "in a function that allows events",
    ] {
        let output = finished(&mut child(&format!("panic again {place}")));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// `fmt` with span events panics when a span is exited that is closed, which only a program can do that drops the
/// last handle of a span that it is in.
#[test]
fn subscriber_that_panics_again_while_a_receiver_is_dropped_does_not_abort() {
    let layer = tracing_subscriber::fmt::layer()
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::ACTIVE)
        .with_writer(io::sink);
    let subscriber = tracing_subscriber::registry().with(layer);
    let frames: [&[u8]; 8] = [
        b"\x20\0\0\x02\x04span\x03app\0\0\0\0",
        b"\x21\x01\0\0", // span 1 is created, entered and dropped
        b"\x23\x01",
        b"\x26\x01",
        b"\x21\x02\0\0", // and so is span 2
        b"\x23\x02",
        b"\x26\x02",
        b"\x24\x01",
    ];
    let result = catch_unwind(AssertUnwindSafe(|| {
        tracing::subscriber::with_default(subscriber, || {
            let mut receiver = TracingEventReceiver::default();
            for frame in frames {
                receiver.receive_encoded(frame).unwrap();
            }
        });
    }));
    assert!(
        result.is_err(),
        "the subscriber does not panic any more: does this test still try anything?"
    );
}

#[test]
fn sender_outlives_a_hook_that_panics() {
    let count = frames().len();
    for call in 1..=count {
        let storage = SharedStorage::default();
        let receiver = std::sync::Mutex::new(TracingEventReceiver::capturing(&storage));
        let panics = Panics::default();
        panics.left.store(call, Ordering::Relaxed);
        let hook = panics.clone();
        let sender = TracingEventSender::encoded(move |frame: &[u8]| {
            // It has handed over the frame.
            let result = receiver.lock().unwrap().receive_encoded(frame);
            hook.count();
            result.unwrap();
        });
        tracing::subscriber::with_default(sender, || {
            let traced = catch_unwind(|| {
                info!("one");
                info_span!("span").in_scope(|| info!("two"));
            });
            // The other half of the frames is sent as if nothing had been.
            panics.left.store(0, Ordering::Relaxed);
            drop(traced);
            (0..3).for_each(step);
        });
        let trace = storage.lock();
        let steps = trace.all_spans().filter(|span| span.metadata().name() == "step");
        assert_eq!(steps.filter(|span| span.events().len() == 1).count(), 3, "{call}:\n{trace}");
    }
}

#[test]
fn stream_outlives_a_reader_of_text_that_panics() {
    let mut bytes = b"text".to_vec();
    let path = file("panics.spanshot");
    let writer = spanshot::transport::recorded::create(&path).unwrap();
    for frame in &frames() {
        writer.send(frame);
    }
    writer.finish().unwrap();
    bytes.extend(fs::read(&path).unwrap());
    fs::remove_file(path).unwrap();

    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let mut stream = StreamReceiver::new(&mut receiver);
    let pushed = catch_unwind(AssertUnwindSafe(|| stream.push(&bytes, |_| panic!("as told"))));
    assert!(pushed.is_err());
    // The chunk is the caller's, who knows how much of it there was.
    stream.push(&bytes[4..], |_| ());
    let receipt = stream.finish();
    assert!(receipt.is_complete(), "{receipt:?}");
    assert_eq!(storage.lock().all_events().len(), 3);
}

#[test]
fn output_that_panics_gets_no_more_and_disturbs_nobody_else() {
    struct PanicsOnWrite;

    impl Write for PanicsOnWrite {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("as it was told to")
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let writer = catch_unwind(|| StreamWriter::new(PanicsOnWrite));
    assert!(writer.is_err(), "it writes the start");
}

#[test]
fn receivers_on_two_threads_share_call_sites() {
    let frames = frames();
    let expected = {
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        for frame in &frames {
            receiver.receive_encoded(frame).unwrap();
        }
        storage.lock().to_string()
    };
    let start = Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let storage = SharedStorage::default();
                    let layer = CaptureLayer::new(&storage);
                    let subscriber = tracing_subscriber::registry().with(layer);
                    tracing::subscriber::with_default(subscriber, || {
                        start.wait();
                        let mut receiver = TracingEventReceiver::default();
                        for frame in &frames {
                            receiver.receive_encoded(frame).unwrap();
                        }
                    });
                    assert_eq!(storage.lock().to_string(), expected);
                }
            });
        }
    });
}
