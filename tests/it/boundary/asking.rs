//! Senders that ask their host what it wants. Random programs are in `tests/programs/asking.rs`.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, AtomicUsize, Ordering},
};

use spanshot::{
    Capture, CaptureLayer, LocalSpans, PersistedSpans, SharedStorage, TracingEventReceiver,
    TracingEventSender, receiver::FilterAnswer,
};
use spanshot_sender::HostFilter;
use tracing::{
    Callsite, Dispatch, Level, Metadata, Span, callsite::DefaultCallsite, debug, dispatcher,
    field::FieldSet, info, info_span, metadata::Kind,
};
use tracing_subscriber::{filter::dynamic_filter_fn, layer::SubscriberExt};

/// A host in the same process, that may be replaced by another one.
#[derive(Clone, Default)]
struct Host {
    receiver: Arc<Mutex<TracingEventReceiver>>,
    questions: Arc<Mutex<Vec<Vec<u8>>>>,
    generation: Arc<AtomicU32>,
}

impl HostFilter for Host {
    fn ask(&self, question: &[u8]) -> FilterAnswer {
        self.questions.lock().unwrap().push(question.to_vec());
        self.receiver.lock().unwrap().answer(question).unwrap()
    }

    fn generation(&self) -> u32 {
        self.generation.load(Ordering::Relaxed)
    }
}

impl Host {
    fn sender(&self) -> Dispatch {
        let receiver = Arc::clone(&self.receiver);
        let sender = TracingEventSender::encoded(move |frame: &[u8]| {
            receiver.lock().unwrap().receive_encoded(frame).unwrap();
        });
        Dispatch::new(sender.with_host_filter(self.clone()))
    }

    fn take_questions(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.questions.lock().unwrap())
    }
}

/// A sender whose host gives these answers, the last one again and again; and how often it was asked.
fn ask_and_answer(answers: &'static [u32]) -> (Dispatch, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let sender = TracingEventSender::encoded(|_: &[u8]| {}).with_host_filter(move |_: &[u8]| {
        let nth = counting.fetch_add(1, Ordering::Relaxed);
        FilterAnswer::from_code(answers[nth.min(answers.len() - 1)])
    });
    (Dispatch::new(sender), asked)
}

fn event() -> bool {
    let mut is_evaluated = false;
    info!(
        value = {
            is_evaluated = true;
            1
        },
        "event"
    );
    is_evaluated
}

#[test]
fn only_answers_that_hold_are_remembered() {
    // Never, not now, now, always, unknown, and a number that stands for nothing.
    for (answers, evaluated, asked) in [
        (&[0][..], [false; 3], 1),
        (&[1], [false; 3], 3),
        (&[2], [true; 3], 3),
        (&[3], [true; 3], 1),
        (&[77], [true; 3], 1),
        (&[1, 2, 0], [false, true, false], 3),
        (&[2, 3, 0], [true; 3], 2),
        (&[1, 4, 2, 0], [false, true, false], 4),
    ] {
        let (dispatch, count) = ask_and_answer(answers);
        let results = dispatcher::with_default(&dispatch, || [event(), event(), event()]);
        let count = count.load(Ordering::Relaxed);
        assert_eq!((results, count), (evaluated, asked), "{answers:?}");
    }
}

#[test]
fn filters_of_the_sender_come_first() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let sender = TracingEventSender::encoded(|_: &[u8]| {})
        .with_filter(|metadata| metadata.target() != "mine")
        .with_host_filter(move |_: &[u8]| {
            counting.fetch_add(1, Ordering::Relaxed);
            FilterAnswer::Always
        });
    tracing::subscriber::with_default(sender, || {
        assert!(info_span!(target: "mine", "span").is_disabled());
        assert!(!info_span!(target: "others", "span").is_disabled());
    });
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn question_describes_its_call_site_once() {
    let _capture = Capture::start();
    let host = Host::default();
    dispatcher::with_default(&host.sender(), || {
        for _ in 0..2 {
            host.generation.fetch_add(1, Ordering::Relaxed);
            drop(info_span!(target: "target", "name", field = 1));
        }
    });
    let questions = host.take_questions();
    let [described, again] = &questions[..] else { panic!("{questions:?}") };
    // Kind 14, ID 0 and 1, a span of level 2.
    assert_eq!(described[..16], *b"\x2e\x01\x00\x02\x04name\x06target");
    assert_eq!(described[described.len() - 7..], *b"\x01\x05field");
    assert_eq!(again[..], [0x2f, 0]);
}

#[test]
fn host_that_is_another_one_is_told_what_the_question_is_about() {
    fn program() -> [bool; 2] {
        [info_span!("span").is_disabled(), tracing::debug_span!("span").is_disabled()]
    }

    let host = Host::default();
    let sender = host.sender();
    for (filter, expected) in [("off", [true; 2]), ("info", [false, true]), ("debug", [false; 2])] {
        let _capture = Capture::builder().filter(filter).start();
        // It has no state of the one before: that is what a program that was suspended may find.
        let metadata = host.receiver.lock().unwrap().persist_metadata();
        *host.receiver.lock().unwrap() =
            TracingEventReceiver::new(metadata, PersistedSpans::default(), LocalSpans::default());
        host.generation.fetch_add(1, Ordering::Relaxed);
        assert_eq!(dispatcher::with_default(&sender, program), expected, "{filter}");
    }
}

#[test]
fn subscriber_is_asked_once_for_each_span_and_event() {
    /// Lets every third thing pass.
    fn sampled(storage: &SharedStorage) -> Dispatch {
        let count = AtomicUsize::new(0);
        let filter = dynamic_filter_fn(move |_, _| count.fetch_add(1, Ordering::Relaxed) % 3 == 0);
        let layer = CaptureLayer::new(storage);
        Dispatch::new(tracing_subscriber::registry().with(filter).with(layer))
    }

    fn program() {
        for number in 0..10 {
            info_span!("span", number).in_scope(|| {
                info!(number, "first");
                debug!(number, "second");
                Span::current().record("number", 100);
            });
        }
    }

    let native = SharedStorage::default();
    dispatcher::with_default(&sampled(&native), program);
    let asked = SharedStorage::default();
    let subscriber = sampled(&asked);
    let host = dispatcher::with_default(&subscriber, Host::default);
    dispatcher::with_default(&host.sender(), program);
    assert_eq!(asked.lock().to_string(), native.lock().to_string());
    assert!(native.lock().all_spans().len() > 1);
}

#[test]
fn metadata_of_the_moment_is_asked_about_each_time() {
    static CALL_SITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = Metadata::new(
        "log record",
        "log",
        Level::INFO,
        None,
        None,
        None,
        FieldSet::new(&[], tracing_core::identify_callsite!(&CALL_SITE)),
        Kind::EVENT,
    );

    let _capture = Capture::builder().filter("wanted=info").start();
    let host = Host::default();
    dispatcher::with_default(&host.sender(), || {
        for round in 0..2 {
            for (target, expected) in [("wanted", true), ("other", false)] {
                // As `tracing-log` does: the target is that of the record.
                let target = format!("{target}::{round}");
                let metadata = Metadata::new(
                    "log record",
                    &target,
                    Level::INFO,
                    None,
                    None,
                    None,
                    FieldSet::new(&[], CALL_SITE.metadata().callsite()),
                    Kind::EVENT,
                );
                let is_enabled = dispatcher::get_default(|dispatch| dispatch.enabled(&metadata));
                assert_eq!(is_enabled, expected, "{target}");
            }
        }
    });
    let questions = host.take_questions();
    assert_eq!(questions.len(), 4);
    assert!(questions.iter().all(|question| question.starts_with(&[0x2e, 0])), "{questions:?}");
}

#[test]
fn what_is_traced_by_the_function_that_asks_is_not_asked_about() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let sender = TracingEventSender::encoded(|_: &[u8]| {}).with_host_filter(move |_: &[u8]| {
        counting.fetch_add(1, Ordering::Relaxed);
        info!("asking");
        FilterAnswer::Now
    });
    tracing::subscriber::with_default(sender, || {
        drop(info_span!("first"));
        drop(info_span!("second"));
    });
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn direct_way_wants_everything() {
    let storage = SharedStorage::default();
    let host = Host {
        receiver: Arc::new(Mutex::new(TracingEventReceiver::capturing(&storage))),
        ..Host::default()
    };
    dispatcher::with_default(&host.sender(), || {
        info_span!("span").in_scope(|| tracing::trace!("event"));
    });
    assert_eq!(storage.lock().to_string(), "INFO span{}\n└─ TRACE event");
}
