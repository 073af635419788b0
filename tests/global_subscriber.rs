//! Captures of a process that has a global subscriber of its own.
//!
//! A process has one, so that each of these tests is run in another process: this binary again, told by an
//! environment variable that it is another one.

use std::{
    env, io,
    panic::catch_unwind,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use spanshot::{
    Capture, CaptureLayer, Keep, SharedStorage, TracingEventReceiver, TracingEventSender,
    capture::{ParentKind, ProcessWideLayer},
};
use tracing::{Event, Level, Span, Subscriber, debug, info, info_span, trace};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::LevelFilter,
    fmt::{self, format::FmtSpan},
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

const OTHER: &str = "SPANSHOT_TEST_GLOBAL_SUBSCRIBER";

macro_rules! tests {
    ($($name:ident: $body:block)+) => {
        mod other {
            use super::*;
            $(#[test] fn $name() { if env::var_os(OTHER).is_some() $body })+
        }

        $(
            #[test]
            fn $name() {
                let test = concat!("other::", stringify!($name));
                let other = Command::new(env::current_exe().unwrap())
                    .args([test, "--exact", "--nocapture"])
                    .env(OTHER, "1")
                    .env_remove("NEXTEST_EXECUTION_MODE")
                    .output()
                    .unwrap();
                let output = String::from_utf8_lossy(&other.stdout);
                let errors = String::from_utf8_lossy(&other.stderr);
                assert!(other.status.success(), "{output}\n{errors}");
                assert!(output.contains("1 passed"), "{output}");
            }
        )+
    };
}

/// Where `fmt` writes to.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[track_caller]
fn refusal() -> String {
    let refused = catch_unwind(|| drop(Capture::start_process_wide()));
    *refused.unwrap_err().downcast::<String>().unwrap()
}

tests! {
    another_subscriber_is_refused: {
        tracing_subscriber::fmt().with_writer(io::sink).init();
        for _ in 0..2 {
            let message = refusal();
            assert!(message.contains("another one is installed already"), "{message}");
            assert!(message.contains("with(spanshot::capture::ProcessWideLayer::new())"), "{message}");
        }
        // Whether or not the thread has a subscriber of its own.
        let capture = Capture::start();
        assert!(refusal().contains("another one is installed already"));
        info!("captured");
        assert_eq!(capture.finish().to_string(), "INFO captured");
    }

    layer_that_is_not_global_is_refused: {
        let subscriber = tracing_subscriber::registry().with(ProcessWideLayer::new());
        let _default = tracing::subscriber::set_default(subscriber);
        tracing_subscriber::registry().init();
        assert!(refusal().contains("another one is installed already"));
    }

    subscriber_of_ours_stays: {
        drop(Capture::start_process_wide());
        assert!(tracing_subscriber::registry().try_init().is_err());
        let capture = Capture::start_process_wide();
        info!("captured");
        assert_eq!(capture.finish().to_string(), "INFO captured");
    }

    span_that_is_left_out_is_so_until_it_is_closed: {
        tracing_subscriber::registry().with(ProcessWideLayer::new()).init();
        let capture = Capture::builder().max_nodes(1, Keep::Oldest).start_process_wide();
        info!("fills it");
        let left_out = info_span!("left_out");
        assert_eq!(capture.take().left_out(), 1);
        left_out.in_scope(|| info!("in it"));
        assert_eq!(capture.take().left_out(), 1);
        drop(left_out);
        info!("after it");
        assert_eq!(capture.take().left_out(), 1); // it was open when the trace began
        info!("much later");
        assert_eq!(capture.take().left_out(), 0);
    }

    layer_beside_others: {
        let (written, everything) = (Written::default(), SharedStorage::default());
        let writer = written.clone();
        tracing_subscriber::registry()
            .with(CaptureLayer::new(&everything).with_filter(LevelFilter::WARN))
            .with(
                fmt::layer()
                    .with_ansi(false)
                    .with_span_events(FmtSpan::CLOSE)
                    .with_writer(move || writer.clone()),
            )
            .with(Some(ProcessWideLayer::new()).boxed())
            .init();
        let own = Capture::start();
        let capture = Capture::start_process_wide(); // though the thread has another subscriber
        let test = Span::current();
        thread::spawn(move || test.in_scope(|| trace!("of the test"))).join().unwrap();
        thread::spawn(|| trace!("of nobody")).join().unwrap();
        info_span!("span").in_scope(|| tracing::warn!("in it"));
        let tree = "TRACE of the test\nINFO span{}\n└─ WARN in it";
        assert_eq!(capture.finish().to_string(), tree);
        assert_eq!(Capture::unattributed().to_string(), "TRACE of nobody");
        assert_eq!(everything.lock().to_string(), "WARN in it");
        assert_eq!(own.finish().all_events().len(), 0);
        let written = written.text();
        assert!(written.contains(r#"test{name="other::layer_beside_others"}:span: "#), "{written}");
        let closed = |span: &str| written.lines().filter(|line| line.contains(span)).count();
        assert_eq!(closed("}:span: global_subscriber::other: close "), 1, "{written}");
        assert_eq!(closed("}: spanshot: close "), 1, "{written}");
        assert_eq!(written.lines().count(), 5, "{written}");
    }

    filter_of_the_layer: {
        let directives = "off,global_subscriber=info,[wanted{id=1}]=trace";
        tracing_subscriber::registry()
            .with(fmt::layer().with_writer(io::sink))
            .with(ProcessWideLayer::new().with_filter(EnvFilter::new(directives)))
            .init();
        for _ in 0..2 {
            // It asks for nothing, and leaves an answer behind that is not heeded.
            let _ = tracing::enabled!(target: "elsewhere", Level::INFO);
            let capture = Capture::start_process_wide();
            let test = Span::current();
            assert!(!test.is_none());
            let wanted = info_span!("wanted", id = 1);
            wanted.in_scope(|| debug!("detail"));
            debug!("no detail");
            thread::spawn(move || {
                info!("of nobody");
                test.in_scope(|| info!("of the test"));
                wanted.in_scope(|| trace!("more detail"));
            })
            .join()
            .unwrap();
            let tree = "INFO wanted{id=1}\n├─ DEBUG detail\n└─ TRACE more detail\nINFO of the test";
            assert_eq!(capture.finish().to_string(), tree);
        }
        assert_eq!(Capture::unattributed().all_events().len(), 2);
    }

    relay_to_it_is_guarded: {
        // It traces something itself whenever it is told of an event, but not for ever.
        static TOLD: AtomicUsize = AtomicUsize::new(0);
        struct Talkative;
        impl<S: Subscriber> Layer<S> for Talkative {
            fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
                if TOLD.fetch_add(1, Ordering::Relaxed) < 100 {
                    info!("of the layer");
                }
            }
        }

        let frames = Arc::new(Mutex::new(vec![]));
        let sent = Arc::clone(&frames);
        let sender = TracingEventSender::encoded(move |frame: &[u8]| {
            sent.lock().unwrap().push(frame.to_vec());
        });
        tracing::subscriber::with_default(sender, || info!("of the guest"));
        tracing_subscriber::registry().with(Talkative).init();
        let mut receiver = TracingEventReceiver::default();
        for frame in &*frames.lock().unwrap() {
            receiver.receive_encoded(frame).unwrap();
        }
        assert_eq!(TOLD.load(Ordering::Relaxed), 1);
    }

    relay_is_guarded_whatever_other_threads_do: {
        // Another thread has a default of its own, and has none any more while the layer is told of an event.
        struct Talkative(Mutex<mpsc::Sender<()>>, Mutex<mpsc::Receiver<()>>);
        impl<S: Subscriber> Layer<S> for Talkative {
            fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
                self.0.lock().unwrap().send(()).unwrap();
                let _ = self.1.lock().unwrap().recv();
                info!("of the layer");
            }
        }

        let everything = SharedStorage::default();
        tracing_subscriber::registry().with(CaptureLayer::new(&everything)).init();
        let (told, is_told) = mpsc::channel();
        let (ended, has_ended) = mpsc::channel();
        let layer = Talkative(Mutex::new(told), Mutex::new(has_ended));
        let subscriber = tracing_subscriber::registry().with(layer);
        let call_site = r#"{"new_call_site":{"id":0,"kind":"event","name":"e","target":"t","level":"info","fields":[]}}"#;
        let mut receiver = tracing::subscriber::with_default(subscriber, || {
            let mut receiver = TracingEventReceiver::default();
            receiver.receive(serde_json::from_str(call_site).unwrap());
            receiver
        });
        let (started, has_started) = mpsc::channel();
        let other = thread::spawn(move || {
            let default = tracing::subscriber::set_default(tracing_subscriber::registry());
            started.send(()).unwrap();
            is_told.recv().unwrap();
            drop(default);
            drop(ended);
        });
        has_started.recv().unwrap();
        let event = r#"{"new_event":{"metadata_id":0,"values":{}}}"#;
        receiver.receive(serde_json::from_str(event).unwrap());
        other.join().unwrap();
        assert_eq!(everything.lock().all_events().len(), 0);
    }

    parents_are_of_their_kind_and_handles_are_not_known: {
        tracing_subscriber::registry().with(ProcessWideLayer::new()).init();
        let capture = Capture::start_process_wide();
        let job = info_span!(parent: None, "job");
        job.in_scope(|| info!("contextual"));
        info!(parent: &job, "explicit");
        info!("contextual root");
        let trace = capture.finish();
        let kinds = trace.all_events().filter_map(|event| event.parent_kind());
        assert!(kinds.eq([ParentKind::Contextual, ParentKind::Explicit, ParentKind::ContextualRoot]));
        let job = trace.all_spans().next().unwrap();
        assert_eq!(job.parent_kind(), Some(ParentKind::ExplicitRoot));
        assert_eq!((job.clones(), job.drops()), (None, None));
    }

    filter_of_all_layers: {
        tracing_subscriber::registry()
            .with(LevelFilter::INFO)
            .with(ProcessWideLayer::new())
            .init();
        let capture = Capture::start_process_wide();
        info!("captured");
        debug!("not captured");
        thread::spawn(capture.carry(|| info!("carried"))).join().unwrap();
        assert_eq!(capture.finish().to_string(), "INFO captured\nINFO carried");
    }
}
