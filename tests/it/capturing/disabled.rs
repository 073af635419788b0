//! What is disabled is not evaluated, not formatted, not encoded and not sent. That it costs no more than
//! without a subscriber is measured in `benches/`.

use std::{
    cell::Cell,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use spanshot::{Capture, TracingEventReceiver, TracingEventSender};
use spanshot_sender::Frames;
use tracing::{Dispatch, debug, debug_span, dispatcher, field, info, level_filters::LevelFilter};

/// Counts how often it is evaluated, and how often it is formatted.
#[derive(Default)]
struct Counted {
    evaluated: Cell<usize>,
    formatted: Cell<usize>,
}

impl Counted {
    fn evaluate(&self) -> &Self {
        self.evaluated.set(self.evaluated.get() + 1);
        self
    }

    fn take(&self) -> [usize; 2] {
        [self.evaluated.take(), self.formatted.take()]
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.formatted.set(self.formatted.get() + 1);
        formatter.write_str("counted")
    }
}

/// Returns what a program that traces at one level was asked for, where that is enabled or not.
fn verbose() -> [usize; 2] {
    let value = Counted::default();
    for _ in 0..3 {
        let span = debug_span!("span", value = %value.evaluate(), late = field::Empty).entered();
        debug!(value = %value.evaluate(), "event");
        debug!("event with {}", value.evaluate());
        if !span.is_disabled() {
            span.record("late", field::display(value.evaluate()));
        }
    }
    value.take()
}

/// A program of another level, by way of comparison.
fn terse() -> [usize; 2] {
    let value = Counted::default();
    info!(value = %value.evaluate(), "event");
    value.take()
}

type OnFrame = Box<dyn Fn(&[u8]) + Send + Sync>;
type Sender = TracingEventSender<Frames<OnFrame>>;

/// Runs both programs under a sender, and returns what they were asked for, and how many frames were sent.
fn sent(configure: impl FnOnce(Sender) -> Dispatch) -> ([[usize; 2]; 2], [usize; 2]) {
    let frames = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&frames);
    let on_frame: OnFrame = Box::new(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let sender = configure(TracingEventSender::encoded(on_frame));
    dispatcher::with_default(&sender, || {
        let of_verbose = verbose();
        let frames_of_verbose = frames.swap(0, Ordering::Relaxed);
        let of_terse = terse();
        ([of_verbose, of_terse], [frames_of_verbose, frames.load(Ordering::Relaxed)])
    })
}

/// Nothing of the one program; of the other, an event, and the frames of its call site and itself.
const ONLY_TERSE: ([[usize; 2]; 2], [usize; 2]) = ([[0, 0], [1, 1]], [0, 2]);

#[test]
fn under_a_sender() {
    assert_eq!(sent(|sender| Dispatch::new(sender.with_max_level(LevelFilter::INFO))), ONLY_TERSE);
    assert_eq!(
        sent(|sender| Dispatch::new(sender.with_filter(|it| *it.level() <= tracing::Level::INFO))),
        ONLY_TERSE
    );
    // What is enabled is counted, and sent.
    let ([of_verbose, _], [frames, _]) = sent(Dispatch::new);
    assert_eq!(of_verbose, [12, 12]);
    assert!(frames > 12, "{frames}");
}

#[test]
fn under_the_filter_of_a_host() {
    let _capture = Capture::builder().filter("info").start();
    let host = Mutex::new(TracingEventReceiver::default());
    let result = sent(|sender| {
        Dispatch::new(sender.with_host_filter(move |question: &[u8]| {
            host.lock().unwrap().answer(question).unwrap()
        }))
    });
    assert_eq!(result, ONLY_TERSE);
}

#[test]
fn under_a_capture() {
    for filter in ["info", "off,it=info"] {
        let capture = Capture::builder().filter(filter).start();
        assert_eq!([verbose(), terse()], ONLY_TERSE.0, "{filter}");
        assert_eq!(capture.trace().to_string(), "INFO event value=counted", "{filter}");
    }
}
