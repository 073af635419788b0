//! A real dynamic library, with its own copy of `tracing`: built, loaded, traced and unloaded.
//!
//! This is a binary of its own, since it builds the library, and since libraries stay in the process.

#![allow(unsafe_code)]

use std::{
    env,
    error::Error as _,
    ffi::c_void,
    fs, panic,
    path::{Path, PathBuf},
    process::Command,
    ptr,
    sync::{
        Arc, Barrier, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use spanshot::{
    Capture, CaptureLayer, Print, ReceiveError, SharedStorage, Trace, TracingEventReceiver,
    TracingEventSender, assert_trace_snapshot,
    predicates::*,
    receiver::FrameDecoder,
    transport::dynamic_library::{
        ABI_VERSION, Connection, FrameReceiver, HostFunction, INSTALL_SYMBOL, InstallError,
        InstallFunction, LibraryFunctions, RelayError, SendFunction, UNINSTALL_SYMBOL,
        UninstallError, UninstallFunction,
    },
};
use tracing::{Dispatch, Level, info, info_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

#[path = "../examples/dynamic_library/evaluator.rs"]
mod evaluator;
#[allow(dead_code, unused_imports)] // it is made for another binary, too
#[path = "it/support.rs"]
mod support;

use evaluator::{Evaluator, Outcome};
use support::{evaluator::evaluate, native};

const EXPRESSIONS: [&str; 6] =
    ["(1 + 2) * 3", "8 / (3 - 3)", "1 + 2.3.4", "-(2 ^ -1) + 3!", "10 ^ 400", "2 * 21!"];

/// Builds the library, once a process; cargo does nothing if that is done.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let manifest =
            concat!(env!("CARGO_MANIFEST_DIR"), "/examples/dynamic_library/plugin/Cargo.toml");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin");
        let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "--locked", "--offline", "--manifest-path", manifest])
            .arg("--target-dir")
            .arg(&target)
            .status()
            .expect("there is a cargo");
        assert!(status.success(), "the library cannot be built: {status}");
        let (prefix, suffix) = (env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
        target.join("debug").join(format!("{prefix}spanshot_plugin{suffix}"))
    })
}

/// Loads a copy of the library's file: a file that is loaded already is the same library, and tests
/// run at once.
fn load(name: &str) -> Evaluator {
    let directory = built().parent().expect("it is in a directory");
    let copy = directory.join(format!("{name}-{}{}", std::process::id(), env::consts::DLL_SUFFIX));
    fs::copy(built(), &copy).expect("it can be copied");
    let evaluator = Evaluator::load(&copy).expect("it can be loaded");
    let _ = fs::remove_file(copy); // not on every platform; it is in the target directory
    evaluator
}

fn open(evaluator: &Evaluator) -> Connection {
    Connection::open(evaluator.functions().unwrap()).unwrap()
}

fn evaluate_on_threads(evaluator: &Evaluator, expression: &str, threads: usize) {
    type EvaluateOnThreads = unsafe extern "C" fn(*const u8, usize, usize);
    unsafe {
        let evaluate =
            evaluator.library.get::<EvaluateOnThreads>(b"evaluate_on_threads\0").unwrap();
        evaluate(expression.as_ptr(), expression.len(), threads);
    }
}

fn natively(expression: &str) -> String {
    let trace: Trace = native(|| {
        let _ = panic::catch_unwind(|| evaluate(expression));
    });
    trace.to_string()
}

/// The trees of the spans of the evaluator, whichever thread was first.
fn trees(trace: &Trace) -> Vec<String> {
    let spans = trace.all_spans().filter(|span| span.metadata().name() == "evaluate");
    let mut trees: Vec<_> = spans.map(|span| span.to_string()).collect();
    trees.sort_unstable();
    trees
}

#[test]
fn library_is_loaded_traced_and_unloaded() {
    let evaluator = load("traced");
    let capture = Capture::start();
    info_span!("host", job = 7).in_scope(|| {
        assert_eq!(evaluator.evaluate("8 / (3 - 3)").unwrap(), Outcome::Rejected);
        assert_eq!(evaluator.evaluate("1").unwrap(), Outcome::Value(1.0));
        info!("evaluated by the library");
    });
    drop(evaluator);

    let trace = capture.trace();
    let scanner = trace.scan_spans();
    let division = scanner.single(&name(eq("divide")));
    assert_eq!(division.metadata().target(), "spanshot_plugin::evaluator::arithmetic");
    let warning = trace.scan_events().single(&message(eq("no result")));
    let error = warning["error"].as_error().expect("it is an error");
    assert_eq!(error.to_string(), "cannot compute the expression");
    assert_trace_snapshot!(trace, @r#"
    INFO host{job=7}
    ├─ INFO evaluate{expression="8 / (3 - 3)"}
    │  ├─ DEBUG parse{bytes=11 tokens=7}
    │  │  ├─ TRACE operator operator=Divide at=2
    │  │  ├─ TRACE operator operator=Subtract at=7
    │  │  └─ DEBUG parsed expression=(8 / (3 - 3))
    │  ├─ DEBUG compute{operations=2} (follows from parse)
    │  │  └─ DEBUG divide{lhs=8.0 rhs=0.0}
    │  │     ├─ DEBUG subtract{lhs=3.0 rhs=3.0}
    │  │     │  └─ TRACE computed value=0.0
    │  │     └─ ERROR division by zero
    │  └─ WARN no result error=cannot compute the expression, caused by: division by zero
    ├─ INFO evaluate{expression="1" result=1.0}
    │  ├─ DEBUG parse{bytes=1 tokens=1}
    │  │  └─ DEBUG parsed expression=1
    │  ├─ DEBUG compute{operations=0} (follows from parse)
    │  └─ INFO evaluated whole=true
    └─ INFO evaluated by the library
    "#);
}

#[test]
fn trace_is_that_of_the_same_code_run_natively() {
    let evaluator = load("compared");
    for expression in EXPRESSIONS {
        let capture = Capture::start();
        evaluator.evaluate(expression).unwrap();
        assert_eq!(capture.trace().to_string(), natively(expression), "{expression}");
    }
}

#[test]
fn panic_inside_the_library_closes_its_spans() {
    let evaluator = load("panicking");
    let capture = Capture::start();
    let connection = open(&evaluator);
    assert_eq!(evaluator.call("2 * 21!").unwrap(), Outcome::Panicked);
    let trace = capture.trace(); // before the receiver would close anything
    for span in trace.all_spans() {
        let stats = span.stats();
        assert_eq!((stats.entered, stats.exited, stats.is_closed), (1, 1, true), "{span:.0}");
    }
    // And it goes on.
    assert_eq!(evaluator.call("3!").unwrap(), Outcome::Value(6.0));
    connection.finish().unwrap();
    assert_eq!(trees(&capture.trace()), {
        let mut both = [natively("2 * 21!"), natively("3!")];
        both.sort_unstable();
        both
    });
}

#[test]
fn threads_of_the_library_are_those_of_the_trace() {
    let evaluator = load("threads");
    let capture = Capture::start();
    let connection = open(&evaluator);
    info_span!("host").in_scope(|| {
        evaluator.call("1 + 1").unwrap();
        evaluate_on_threads(&evaluator, "2 ^ 3 - 4", 8);
    });
    connection.finish().unwrap();

    let trace = capture.trace();
    let expected = natively("2 ^ 3 - 4");
    let mut all = vec![expected; 8];
    all.push(natively("1 + 1"));
    all.sort_unstable();
    assert_eq!(trees(&trace), all);
    // Natively, a thread that the library starts is in no span of the host's.
    let roots = trace.root_spans().map(|span| span.metadata().name());
    assert_eq!(roots.filter(|name| *name == "evaluate").count(), 8);
}

#[test]
fn threads_of_the_host_are_each_in_their_own_span() {
    const THREADS: usize = 4;
    let evaluator = load("host_threads");
    let capture = Capture::start();
    let connection = open(&evaluator);
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        for job in 0..THREADS {
            let (evaluator, barrier) = (&evaluator, &barrier);
            scope.spawn(capture.carry(move || {
                let _span = info_span!("host", job).entered();
                for _ in 0..20 {
                    barrier.wait();
                    evaluator.call(&format!("{job} + 1")).unwrap();
                }
            }));
        }
    });
    connection.finish().unwrap();

    let trace = capture.trace();
    for job in 0..THREADS {
        let host = trace.scan_spans().single(&(name(eq("host")) & field("job", job as u64)));
        assert_eq!(host.children().len(), 20);
        for evaluate in host.children() {
            assert_eq!(evaluate["expression"], format!("{job} + 1").as_str());
        }
    }
}

#[test]
fn library_is_loaded_again() {
    for _ in 0..3 {
        let evaluator = Evaluator::load(built()).unwrap();
        let capture = Capture::start();
        evaluator.evaluate("1 + 2").unwrap();
        drop(evaluator);
        assert_eq!(capture.trace().to_string(), natively("1 + 2"));
    }
}

#[test]
fn library_is_installed_again_to_another_host() {
    let evaluator = load("installed_again");
    for expression in EXPRESSIONS {
        let storage = SharedStorage::default();
        let receiver = TracingEventReceiver::capturing(&storage);
        let connection = Connection::open_with(evaluator.functions().unwrap(), receiver).unwrap();
        evaluator.call(expression).unwrap();
        connection.finish().unwrap();
        assert_eq!(storage.lock().to_string(), natively(expression));

        // Meanwhile, there is no host.
        evaluator.call(expression).unwrap();
        assert_eq!(storage.lock().to_string(), natively(expression));
    }
}

#[test]
fn two_libraries_at_once_are_two_streams() {
    let (first, second) = (load("first"), load("second"));
    let [storage, other] = [SharedStorage::default(), SharedStorage::default()];
    let connect = |evaluator: &Evaluator, storage: &SharedStorage| {
        let receiver = TracingEventReceiver::capturing(storage);
        Connection::open_with(evaluator.functions().unwrap(), receiver).unwrap()
    };
    let connections = [connect(&first, &storage), connect(&second, &other)];
    thread::scope(|scope| {
        scope.spawn(|| evaluate_on_threads(&first, "1 + 2", 3));
        scope.spawn(|| evaluate_on_threads(&second, "3 * 4", 3));
    });
    for connection in connections {
        connection.finish().unwrap();
    }
    assert_eq!(trees(&storage.lock()), [natively("1 + 2"), natively("1 + 2"), natively("1 + 2")]);
    assert_eq!(trees(&other.lock()), [natively("3 * 4"), natively("3 * 4"), natively("3 * 4")]);
}

#[test]
fn library_has_one_host_at_a_time() {
    let evaluator = load("one_host");
    let capture = Capture::start();
    let connection = open(&evaluator);
    let error = Connection::open(evaluator.functions().unwrap()).unwrap_err();
    assert_eq!(error, InstallError::AlreadyInstalled);
    // The connection that there is goes on.
    evaluator.call("1").unwrap();
    connection.finish().unwrap();
    assert_eq!(capture.trace().to_string(), natively("1"));
}

/// Tells threads that it is over, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Threads that trace all the time do not keep a library from being uninstalled, and what they are in
/// then is not mentioned to the next host.
#[test]
fn library_is_uninstalled_while_its_threads_trace() {
    let evaluator = load("busy");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = Over(&is_over);
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    evaluator.call("(1 + 2) * 3").unwrap();
                }
            });
        }
        for _ in 0..50 {
            let storage = SharedStorage::default();
            let receiver = TracingEventReceiver::capturing(&storage);
            let connection =
                Connection::open_with(evaluator.functions().unwrap(), receiver).unwrap();
            while storage.lock().all_events().len() < 20 && connection.first_error().is_none() {
                thread::yield_now();
            }
            connection.finish().unwrap();
            let len = storage.lock().all_events().len();
            evaluator.call("1").unwrap();
            assert_eq!(storage.lock().all_events().len(), len);
        }
        drop(over);
    });
}

/// Sends a frame as a library does.
fn send(receiver: &FrameReceiver, frame: &[u8]) {
    let host = receiver.host_function();
    unsafe { (host.function())(host.context(), frame.as_ptr(), frame.len()) }
}

#[test]
fn first_refused_frame_is_told_and_nothing_before_or_after_it_is_lost() {
    let mut frames = support::frames_of(|| {
        info!("before");
        info!("after");
    });
    frames.insert(2, vec![0xff; 3]);
    frames.push(vec![]);
    let capture = Capture::start();
    let receiver = FrameReceiver::new();
    for frame in &frames {
        send(&receiver, frame);
    }
    assert_eq!(capture.trace().to_string(), "INFO before\nINFO after");

    let error = FrameDecoder::default().decode(&[0xff; 3]).unwrap_err();
    assert!(matches!(error, ReceiveError::Frame(_)));
    let expected = RelayError::Refused { frame: 3, error };
    assert_eq!(receiver.first_error(), Some(expected.clone()));
    assert!(expected.source().is_some());
    assert_eq!(receiver.finish(), Err(expected));
}

#[test]
fn frame_that_is_nowhere_is_refused() {
    let receiver = FrameReceiver::new();
    let host = receiver.host_function();
    unsafe { (host.function())(host.context(), ptr::null(), 7) };
    let error = receiver.finish().unwrap_err();
    assert_eq!(error, RelayError::NotInMemory { frame: 1, len: 7 });
    assert_eq!(error.to_string(), "frame 1 of the library, of 7 bytes, is nowhere in memory");
}

#[test]
fn negatives_refuse_after_a_frame_that_was_not_relayed() {
    let frames: [(&str, Option<&[u8]>); 2] =
        [("is nowhere in memory", None), ("invalid frame", Some(&[0xff; 3]))];
    for (reason, frame) in frames {
        let capture = Capture::builder().print(Print::Never).start();
        tracing::info!("captured");
        let receiver = FrameReceiver::new();
        let host = receiver.host_function();
        let (address, len) = frame.map_or((ptr::null(), 7), |bytes| (bytes.as_ptr(), bytes.len()));
        unsafe { (host.function())(host.context(), address, len) };
        receiver.finish().unwrap_err();
        let verdict = capture.trace().scan_events().try_none(&level(Level::ERROR));
        let message = verdict.unwrap_err().to_string();
        assert!(message.contains("since a record of a receiver was lost: "), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn library_that_goes_on_when_its_host_is_gone_does_no_harm() {
    let frames = support::frames_of(|| info!("late"));
    let capture = Capture::start();
    let receiver = FrameReceiver::new();
    let host = receiver.host_function();
    drop(receiver);
    for frame in &frames {
        unsafe { (host.function())(host.context(), frame.as_ptr(), frame.len()) };
        unsafe { (host.function())(ptr::null_mut(), frame.as_ptr(), frame.len()) };
    }
    assert_eq!(capture.trace().to_string(), "(nothing was captured)");
}

/// Panics at events of one message.
struct Panics;

impl<S: tracing::Subscriber> Layer<S> for Panics {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let text = format!("{event:?}");
        assert!(!text.contains("multiplying up"), "cannot stand it");
    }
}

#[test]
fn subscriber_that_panics_neither_unwinds_into_the_library_nor_ends_the_stream() {
    let evaluator = load("subscriber_panics");
    let storage = SharedStorage::default();
    let subscriber = tracing_subscriber::registry().with(CaptureLayer::new(&storage)).with(Panics);
    let error = tracing::subscriber::with_default(subscriber, || {
        let connection = open(&evaluator);
        assert_eq!(evaluator.call("3!").unwrap(), Outcome::Value(6.0));
        connection.finish().unwrap_err()
    });
    let RelayError::Panicked { frame, message } = &error else { panic!("{error:?}") };
    assert_eq!((*frame > 10, &**message), (true, "cannot stand it"));
    assert_eq!(storage.lock().to_string(), natively("3!"));
}

/// Calls into the library when it is told of an event.
struct CallsBack(&'static Evaluator);

impl<S: tracing::Subscriber> Layer<S> for CallsBack {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        self.0.call("1").unwrap();
    }
}

#[test]
fn subscriber_may_call_into_the_library() {
    let evaluator: &'static Evaluator = Box::leak(Box::new(load("called_back")));
    let storage = SharedStorage::default();
    let subscriber =
        tracing_subscriber::registry().with(CaptureLayer::new(&storage)).with(CallsBack(evaluator));
    tracing::subscriber::with_default(subscriber, || evaluator.evaluate("1 + 2").unwrap());
    assert_eq!(storage.lock().to_string(), natively("1 + 2"));
}

/// Calls a function once, when it is told of an event after that was set.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Option<Call>>>);

type Call = Box<dyn FnOnce() + Send>;

impl Calls {
    fn set(&self, f: impl FnOnce() + Send + 'static) {
        *self.0.lock().unwrap() = Some(Box::new(f));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Calls {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        let f = self.0.lock().unwrap().take();
        if let Some(f) = f {
            f();
        }
    }
}

/// Which thread tells the subscriber of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Teller {
    /// The one that calls into the library.
    Caller,
    /// One that the library has started.
    OfLibrary,
}

const TELLERS: [Teller; 2] = [Teller::Caller, Teller::OfLibrary];

/// Has a library trace under a subscriber that calls the function inside a record, and returns what the function
/// returned and the storage. It fails if that waits for itself.
fn inside_a_record<T: Send + 'static>(
    evaluator: &'static Evaluator,
    teller: Teller,
    f: impl FnOnce(Connection) -> T + Send + 'static,
) -> (T, SharedStorage) {
    let (sender, result) = mpsc::channel();
    thread::spawn(move || {
        let storage = SharedStorage::default();
        let calls = Calls::default();
        let layer = CaptureLayer::new(&storage);
        let subscriber = tracing_subscriber::registry().with(layer).with(calls.clone());
        let returned = Arc::new(OnceLock::new());
        tracing::subscriber::with_default(subscriber, || {
            let connection = open(evaluator);
            evaluator.call("1").unwrap(); // on the first thread of the stream
            let set = Arc::clone(&returned);
            let caller = thread::current().id();
            calls.set(move || {
                assert_eq!(thread::current().id() == caller, teller == Teller::Caller);
                assert!(set.set(Mutex::new(f(connection))).is_ok());
            });
            match teller {
                Teller::Caller => drop(evaluator.call("2 + 3").unwrap()),
                Teller::OfLibrary => evaluate_on_threads(evaluator, "2 + 3", 1),
            }
        });
        let returned = Arc::into_inner(returned).and_then(OnceLock::into_inner).expect("it ran");
        sender.send((returned.into_inner().unwrap(), storage)).unwrap();
    });
    result.recv_timeout(Duration::from_secs(60)).expect("it does not wait for itself")
}

fn leaked(name: &str) -> &'static Evaluator {
    Box::leak(Box::new(load(name)))
}

/// Asserts that nothing came after the event inside which the connection was ended, that all is closed, and that
/// the library can be connected again.
fn assert_ended(evaluator: &Evaluator, storage: &SharedStorage) {
    let trace = storage.lock();
    // The first event of `2 + 3` is that of its operator.
    let after = trace.all_events().skip_while(|event| event.value("at").is_none());
    assert_eq!(after.count(), 1, "{trace}");
    for span in trace.all_spans() {
        let stats = span.stats();
        assert!(stats.is_closed && stats.entered == stats.exited, "{trace}");
    }
    let capture = Capture::start();
    evaluator.evaluate("1 + 2").unwrap();
    assert_eq!(capture.trace().to_string(), natively("1 + 2"));
    assert_eq!(storage.lock().to_string(), trace.to_string());
}

#[test]
fn connection_that_is_finished_inside_a_record_says_so() {
    for teller in TELLERS {
        let evaluator = leaked(&format!("finished_inside_{teller:?}"));
        let (result, storage) = inside_a_record(evaluator, teller, Connection::finish);
        assert_eq!(result, Err(RelayError::EndedInsideRecord), "{teller:?}");
        let message = result.unwrap_err().to_string();
        assert!(message.contains("end it after the call into the library has returned"));
        assert!(message.contains("do not unload the library before"));
        assert_ended(evaluator, &storage);
    }
}

#[test]
fn connection_that_is_dropped_inside_a_record_sends_nothing_more() {
    for teller in TELLERS {
        let evaluator = leaked(&format!("dropped_inside_{teller:?}"));
        let ((), storage) = inside_a_record(evaluator, teller, drop);
        assert_ended(evaluator, &storage);
    }
}

#[test]
fn library_that_is_in_a_record_of_its_last_host_is_not_installed_again() {
    for teller in TELLERS {
        let evaluator = leaked(&format!("opened_inside_{teller:?}"));
        let (error, storage) = inside_a_record(evaluator, teller, |connection| {
            drop(connection);
            Connection::open(evaluator.functions().unwrap()).unwrap_err()
        });
        assert_eq!((error, error.code()), (InstallError::InUse, 3));
        assert_eq!(InstallError::check(3), Err(InstallError::InUse));
        assert_ended(evaluator, &storage);
    }
}

/// The library's own function, called on the thread that traces, and by itself.
#[test]
fn library_that_is_uninstalled_inside_a_record_says_so() {
    let evaluator = leaked("uninstalled_inside");
    let uninstall = |wait| unsafe {
        evaluator.library.get::<UninstallFunction>(UNINSTALL_SYMBOL).unwrap()(wait)
    };
    let (codes, storage) = inside_a_record(evaluator, Teller::Caller, move |connection| {
        let codes = [uninstall(1), uninstall(0)];
        std::mem::forget(connection); // it would do it itself
        codes
    });
    assert_eq!(codes, [UninstallError::InUse.code(); 2]);
    assert_eq!([uninstall(1), uninstall(0)], [0, 0], "the record is over");
    let len = storage.lock().all_events().len();
    evaluator.call("1").unwrap();
    assert_eq!(storage.lock().all_events().len(), len);
}

/// Waiting for the one has nothing to do with a record of the other.
#[test]
fn library_is_connected_and_finished_inside_a_record_of_another_one() {
    for teller in TELLERS {
        let evaluator = leaked(&format!("outer_{teller:?}"));
        let other = leaked(&format!("inner_{teller:?}"));
        let ((connection, trace), _) = inside_a_record(evaluator, teller, |connection| {
            let storage = SharedStorage::default();
            let receiver = TracingEventReceiver::capturing(&storage);
            let inner = Connection::open_with(other.functions().unwrap(), receiver).unwrap();
            evaluate_on_threads(other, "3!", 1);
            inner.finish().unwrap();
            (connection, storage.lock())
        });
        assert_eq!(trace.to_string(), natively("3!"));
        connection.finish().unwrap();
    }
}

#[test]
fn host_that_is_called_back_is_in_the_span_of_the_thread_that_calls_it() {
    let capture = Capture::start();
    let receiver = Arc::new(FrameReceiver::new());
    let library = {
        let receiver = Arc::clone(&receiver);
        Dispatch::new(TracingEventSender::encoded(move |frame| send(&receiver, frame)))
    };
    let called_back = || info!("called back");
    let (handle, entered) = (capture.handle(), Barrier::new(3));
    thread::scope(|scope| {
        for thread in 0..3_u64 {
            let (library, handle, entered) = (&library, &handle, &entered);
            scope.spawn(move || {
                tracing::dispatcher::with_default(library, || {
                    info_span!("library", thread).in_scope(|| {
                        entered.wait();
                        handle.in_scope(called_back);
                        info!("by the library");
                        entered.wait();
                    });
                });
                handle.in_scope(|| info!("returned"));
            });
        }
    });
    let trace = capture.trace();
    for thread in 0..3_u64 {
        let library = trace.scan_spans().single(&field("thread", thread));
        let expected = "├─ INFO called back\n└─ INFO by the library";
        assert_eq!(library.to_string(), format!("INFO library{{thread={thread}}}\n{expected}"));
        assert!(library.stats().is_closed);
    }
    let returned = trace.scan_events().count(3, &message(eq("returned")));
    assert!(returned.iter().all(|event| event.parent().is_none()));
    assert_eq!(receiver.first_error(), None);
}

#[test]
fn receiver_that_is_finished_inside_its_record_says_so() {
    let frames = support::frames_of(|| {
        info_span!("span").in_scope(|| {
            info!("first");
            info!("second");
        });
    });
    let storage = SharedStorage::default();
    let calls = Calls::default();
    let layer = CaptureLayer::new(&storage);
    let subscriber = tracing_subscriber::registry().with(layer).with(calls.clone());
    let (sender, result) = mpsc::channel();
    tracing::subscriber::with_default(subscriber, || {
        let receiver = FrameReceiver::new();
        let host = receiver.host_function();
        let again = frames.clone();
        calls.set(move || {
            for frame in &again {
                send(&receiver, frame); // to be taken after the record
            }
            sender.send(receiver.finish()).unwrap();
        });
        for frame in &frames {
            unsafe { (host.function())(host.context(), frame.as_ptr(), frame.len()) };
        }
    });
    assert_eq!(result.recv().unwrap(), Err(RelayError::EndedInsideRecord));
    assert_eq!(storage.lock().to_string(), "INFO span{}\n└─ INFO first");
    assert!(storage.lock().all_spans().all(|span| span.stats().is_closed));
}

/// Of the records that come while another one is taken, none is lost.
#[test]
fn frames_that_come_within_a_frame_are_taken_after_it() {
    struct Sends(Vec<Vec<u8>>, Arc<OnceLock<FrameReceiver>>);

    impl<S: tracing::Subscriber> Layer<S> for Sends {
        fn on_new_span(
            &self,
            _: &tracing::span::Attributes<'_>,
            _: &tracing::span::Id,
            _: Context<'_, S>,
        ) {
            self.0.iter().for_each(|frame| send(self.1.get().unwrap(), frame));
        }
    }

    let frames = support::frames_of(|| drop(info_span!("span")));
    let [call_site, new_span, dropped] = &frames[..] else { panic!("{frames:?}") };
    let receiver = Arc::new(OnceLock::new());
    let storage = SharedStorage::default();
    let subscriber = tracing_subscriber::registry()
        .with(CaptureLayer::new(&storage))
        .with(Sends(vec![dropped.clone()], receiver.clone()));
    tracing::subscriber::with_default(subscriber, || {
        receiver.set(FrameReceiver::new()).unwrap();
        send(receiver.get().unwrap(), call_site);
        send(receiver.get().unwrap(), new_span);
    });
    assert_eq!(receiver.get().unwrap().first_error(), None);
    assert!(storage.lock().all_spans().next().unwrap().stats().is_closed);
}

/// In this process, which is a library's in that it has a `tracing` of its own.
#[test]
fn library_with_another_global_default_keeps_it() {
    let subscriber = tracing::subscriber::NoSubscriber::new();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let receiver = FrameReceiver::new();
    assert_eq!(spanshot_sender::dynamic_library::uninstall(), Ok(())); // it is not installed
    for _ in 0..2 {
        let error =
            spanshot_sender::dynamic_library::install(receiver.host_function()).unwrap_err();
        assert_eq!((error, error.code()), (InstallError::OtherSubscriber, 2));
    }
}

/// Opens a connection to a library whose `spanshot_install` returns this code.
fn refused_with<const CODE: i32>() -> InstallError {
    unsafe extern "C" fn install<const CODE: i32>(
        version: u32,
        _: SendFunction,
        _: *mut c_void,
    ) -> i32 {
        assert_eq!(version, 1, "the host says which version it speaks");
        CODE
    }
    unsafe extern "C" fn uninstall(_: i32) -> i32 {
        panic!("it was not installed");
    }
    let functions = unsafe { LibraryFunctions::new(install::<CODE>, uninstall) };
    let error = Connection::open(functions).unwrap_err();
    assert_eq!(error.code(), CODE);
    error
}

#[test]
fn code_that_is_not_known_is_told() {
    let error = refused_with::<7>();
    assert_eq!(error.to_string(), "the library refuses to send its trace, with code 7");
    // A library that refuses the host's version, and says that it is its own.
    let error = refused_with::<-1>();
    assert_eq!(error.to_string(), "the library refuses to send its trace, with code -1");
    assert!(matches!(refused_with::<{ i32::MIN }>(), InstallError::OtherVersion { .. }));
}

#[test]
fn newer_library_asks_for_a_newer_host() {
    let error = refused_with::<-2>();
    assert_eq!(error, InstallError::OtherVersion { host: 1, library: 2 });
    assert_eq!(
        error.to_string(),
        "the library speaks version 2 of the interface between libraries and hosts, and the host \
         version 1: update `spanshot` in the host"
    );
}

#[test]
fn library_refuses_a_newer_host_and_goes_on() {
    unsafe extern "C" fn send(_: *mut c_void, _: *const u8, _: usize) {
        panic!("it is of another version");
    }
    let evaluator = load("newer_host");
    for version in [0, ABI_VERSION + 1, u32::MAX] {
        let code = unsafe {
            let install = evaluator.library.get::<InstallFunction>(INSTALL_SYMBOL).unwrap();
            install(version, send, ptr::null_mut())
        };
        assert_eq!(code, -1, "the library says which version it speaks");
        assert_eq!(evaluator.call("1").unwrap(), Outcome::Value(1.0));
    }
    // By hand, the library has the error itself.
    let host = unsafe { HostFunction::new(2, send, ptr::null_mut()) };
    let error = spanshot_sender::dynamic_library::install(host).unwrap_err();
    assert_eq!(error, InstallError::OtherVersion { host: 2, library: 1 });
    assert_eq!(
        error.to_string(),
        "the library speaks version 1 of the interface between libraries and hosts, and the host \
         version 2: update `spanshot-sender` in the library"
    );
    let capture = Capture::start();
    evaluator.evaluate("1").unwrap();
    assert_eq!(capture.trace().to_string(), natively("1"));
}
