//! A program that is suspended, and goes on with another receiver: in the same subscriber, or in
//! another one, as after a restart of the host.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex},
};

use serde::{Serialize, de::DeserializeOwned};
use spanshot::{
    Capture, CaptureLayer, LocalSpans, PersistedMetadata, PersistedSpans, SharedStorage, Trace,
    TracingEventReceiver,
};
use tracing::{Subscriber, debug_span, field::Empty, info, info_span, span};
use tracing_subscriber::{
    filter::LevelFilter,
    layer::{Context, Layer, SubscriberExt},
    registry,
    registry::LookupSpan,
};

use crate::{
    boundary::json::{json, published_json},
    support::{current_dispatch, direct, feed_frames, frames_of, native, on_thread},
};

fn through_json<T: Serialize, U: DeserializeOwned>(value: &T) -> U {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn through_postcard<T: Serialize + DeserializeOwned>(value: &T) -> T {
    postcard::from_bytes(&postcard::to_allocvec(value).unwrap()).unwrap()
}

const PROGRAMS: [(&str, fn()); 5] = [
    ("nested", || {
        let outer = info_span!("outer", port = 8_080, late = Empty).entered();
        info!("in outer");
        info_span!("inner", bytes = &[1_u8, 2][..]).in_scope(|| info!("in inner"));
        outer.record("late", "recorded").record("port", 80);
        let sibling = info_span!("sibling", error = ?Some(1)).entered();
        info!("in sibling");
        drop((sibling, outer));
        info!("in none");
    }),
    ("explicit", || {
        let first = info_span!("first");
        let second = info_span!("second").entered();
        let third = info_span!(parent: &first, "third");
        let _root = info_span!(parent: None, "root");
        drop(first);
        info!(parent: &third, "in third");
        third.in_scope(|| drop(info_span!("in third")));
        info!("in second");
        drop((third, second));
    }),
    ("handles", || {
        let span = info_span!("span");
        let clone = span.clone();
        let (enter, again) = (span.enter(), clone.enter());
        let child = info_span!("child");
        let in_child = child.enter();
        drop(enter);
        info!("in child");
        drop(again);
        info!("still in child");
        drop(in_child);
        info!("in none");
        drop(span.clone());
        mem::forget(clone);
    }),
    ("late", || {
        let span = info_span!("span", never = Empty, a = Empty, b = Empty);
        tracing::record_all!(span, b = f64::INFINITY, a = u128::MAX);
        let follower = info_span!("follower");
        span.record("a", &[0xff_u8][..]);
        follower.follows_from(&span);
    }),
    ("threads", || {
        let span = info_span!("span");
        let _enter = span.enter();
        on_thread(|| {
            info!("bare");
            span.in_scope(|| {
                info!("on thread");
                let _child = info_span!("child").entered();
            });
        });
        info!("on the first thread");
    }),
];

/// What is persisted at a boundary.
pub(crate) struct Suspended {
    pub(crate) metadata: PersistedMetadata,
    pub(crate) spans: PersistedSpans,
    local_spans: LocalSpans,
}

impl Suspended {
    pub(crate) fn new(receiver: TracingEventReceiver) -> Self {
        let metadata = receiver.persist_metadata();
        let (spans, local_spans) = receiver.persist();
        Self { metadata, spans, local_spans }
    }

    pub(crate) fn after(frames: &[Vec<u8>]) -> Self {
        let mut receiver = TracingEventReceiver::default();
        feed_frames(frames)(&mut receiver);
        Self::new(receiver)
    }

    /// Restores it as the same host would do.
    pub(crate) fn go_on(self) -> TracingEventReceiver {
        TracingEventReceiver::new(self.metadata, self.spans, self.local_spans)
    }

    /// Restores it as another host would do.
    pub(crate) fn go_on_anew(&self) -> TracingEventReceiver {
        let (metadata, spans) = (through_json(&self.metadata), through_json(&self.spans));
        assert_eq!(
            (&metadata, &spans),
            (&through_postcard(&self.metadata), &through_postcard(&self.spans))
        );
        TracingEventReceiver::new(metadata, spans, LocalSpans::default())
    }
}

/// Lists the spans and events of a trace that are not skipped, each with the number of its parent.
fn listed(trace: &Trace, is_skipped: impl Fn(usize) -> bool, skipped_events: usize) -> Vec<String> {
    let spans: Vec<_> = trace.all_spans().enumerate().filter(|(i, _)| !is_skipped(*i)).collect();
    let number = |parent| spans.iter().position(|(_, span)| Some(*span) == parent);
    let mut lines = vec![];
    for (i, (_, span)) in spans.iter().enumerate() {
        let (values, stats) = (span.values().collect::<Vec<_>>(), span.stats());
        let end = if stats.is_closed { "closed" } else { "open" };
        let depth = stats.entered - stats.exited;
        let (name, parent) = (span.metadata().name(), number(span.parent()));
        lines.push(format!("{i} in {parent:?}: {name} {values:?} {end} {depth}"));
    }
    lines.extend(trace.all_events().skip(skipped_events).map(|event| {
        format!("in {:?}: {:?}", number(event.parent()), event.values().collect::<Vec<_>>())
    }));
    lines
}

fn each_boundary(check: impl Fn(&str, &Trace, &[Vec<u8>], &[Vec<u8>])) {
    for (name, program) in PROGRAMS {
        let (trace, frames) = (native(program), frames_of(program));
        for cut in 0..=frames.len() {
            let name = format!("{name}, suspended after {cut} of {} frames", frames.len());
            check(&name, &trace, &frames[..cut], &frames[cut..]);
        }
    }
}

#[test]
fn program_goes_on_in_the_spans_of_the_same_subscriber() {
    each_boundary(|name, native, before, after| {
        let capture = Capture::start();
        let mut receiver = Suspended::after(before).go_on();
        feed_frames(after)(&mut receiver);
        let trace = capture.trace();
        assert_eq!(trace.to_string(), native.to_string(), "{name}");
        assert_eq!(listed(&trace, |_| false, 0), listed(native, |_| false, 0), "{name}");
    });
}

#[test]
fn program_goes_on_in_another_subscriber_with_what_was_open() {
    each_boundary(|name, native, before, after| {
        let first = direct(feed_frames(before));
        let was_closed: Vec<_> = first.all_spans().map(|span| span.stats().is_closed).collect();
        let is_skipped = |i: usize| was_closed.get(i) == Some(&true);

        let suspended = {
            let _capture = Capture::start();
            Suspended::after(before)
        };
        let again = {
            let _capture = Capture::start();
            Suspended::new(suspended.go_on_anew())
        };
        assert_eq!((&again.metadata, &again.spans), (&suspended.metadata, &suspended.spans));
        let capture = Capture::start();
        let mut receiver = suspended.go_on_anew();
        feed_frames(after)(&mut receiver);
        let expected = listed(native, is_skipped, first.all_events().len());
        assert_eq!(listed(&capture.trace(), |_| false, 0), expected, "{name}");
    });
}

#[test]
fn call_site_of_no_known_place_is_persisted() {
    let json = r#"{"7":{"kind":"event","name":"","target":"é","level":"trace","fields":[]}}"#;
    let metadata: PersistedMetadata = serde_json::from_str(json).unwrap();
    assert_eq!(metadata.iter().next().unwrap().0, 7);
    assert_eq!(through_postcard(&metadata), metadata);
}

#[test]
fn program_is_suspended_any_number_of_times() {
    for (name, program) in PROGRAMS {
        let capture = Capture::start();
        let mut receiver = TracingEventReceiver::default();
        for frame in frames_of(program) {
            receiver = Suspended::new(receiver).go_on();
            receiver.receive_encoded(&frame).unwrap();
        }
        assert_eq!(capture.trace().to_string(), native(program).to_string(), "{name}");
    }
}

/// Layer that logs the life of spans.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn take(&self) -> Vec<String> {
        mem::take(&mut self.0.lock().unwrap())
    }

    fn push<S: Subscriber + for<'a> LookupSpan<'a>>(
        &self,
        what: &str,
        id: &span::Id,
        context: &Context<'_, S>,
    ) {
        let span = context.span(id).unwrap();
        let names: Vec<_> = span.scope().from_root().map(|span| span.name()).collect();
        self.0.lock().unwrap().push(format!("{what} {}", names.join("/")));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        self.push("new", id, &context);
    }

    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        self.push("enter", id, &context);
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        self.push("exit", id, &context);
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        self.push("close", &id, &context);
    }
}

fn logging() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(registry().with(log.clone()));
    (log, guard)
}

/// A program that ends in the middle of spans on two threads.
fn trap() {
    let outer = info_span!("outer").entered();
    let side = info_span!("side");
    on_thread(|| mem::forget(info_span!("thread").entered()));
    let inner = info_span!("inner").entered();
    mem::forget((outer.clone().entered(), side.entered()));
    mem::forget((outer, inner));
}

#[test]
fn dropping_exits_innermost_first_and_closes_newest_first() {
    let frames = frames_of(trap);
    let (log, _guard) = logging();
    let mut receiver = TracingEventReceiver::default();
    feed_frames(&frames)(&mut receiver);
    log.take();
    drop(receiver);
    let expected = [
        "exit outer/side",
        "exit outer",
        "exit outer/inner",
        "exit outer",
        "exit thread",
        "close outer/inner",
        "close thread",
        "close outer/side",
        "close outer",
    ];
    assert_eq!(log.take(), expected);
}

#[test]
fn persisted_spans_are_exited_and_entered_again_and_stay_open() {
    let frames = frames_of(trap);
    let (log, guard) = logging();
    let mut receiver = TracingEventReceiver::default();
    feed_frames(&frames)(&mut receiver);
    log.take();

    let suspended = Suspended::new(receiver);
    let exits = ["exit outer/side", "exit outer", "exit outer/inner", "exit outer", "exit thread"];
    assert_eq!(log.take(), exits);
    assert_eq!(suspended.spans.len(), 4);
    let (metadata, spans) = (suspended.metadata.clone(), suspended.spans.clone());
    let mut receiver = suspended.go_on();
    let enters =
        ["enter outer", "enter outer/inner", "enter outer", "enter outer/side", "enter thread"];
    assert_eq!(log.take(), enters);

    // A new span is the execution's own; the others belong to what was persisted.
    let mut more = frames_of(|| {
        trap();
        mem::forget(info_span!("new"));
    });
    feed_frames(&more.split_off(frames.len()))(&mut receiver);
    assert_eq!(log.take(), ["new outer/side/new"]);
    drop(receiver);
    assert_eq!(log.take(), [&exits[..], &["close outer/side/new"]].concat());

    drop(guard);
    let (log, _guard) = logging();
    let _receiver = TracingEventReceiver::new(metadata, spans, LocalSpans::default());
    let news = ["new outer", "new outer/side", "new thread", "new outer/inner"];
    assert_eq!(log.take(), [&news[..], &enters].concat());
}

pub(crate) fn captured(max_level: LevelFilter, f: impl FnOnce()) -> Trace {
    let storage = SharedStorage::default();
    let subscriber = registry().with(max_level).with(CaptureLayer::new(&storage));
    tracing::subscriber::with_default(subscriber, f);
    storage.lock()
}

/// Has a program suspended before its event `suspend`, and checks what another subscriber gets of
/// it, in a span of the host.
#[track_caller]
pub(crate) fn check_anew(max_levels: [LevelFilter; 2], program: impl Fn(), expected: &str) {
    let frames = frames_of(program);
    let is_mark = |frame: &Vec<u8>| frame.windows(7).any(|text| text == b"suspend");
    let (before, after) = frames.split_at(frames.iter().rposition(is_mark).unwrap());
    let mut suspended = None;
    captured(max_levels[0], || suspended = Some(Suspended::after(before)));
    let trace = captured(max_levels[1], || {
        let _host = info_span!("host").entered();
        let mut receiver = suspended.unwrap().go_on_anew();
        feed_frames(after)(&mut receiver);
    });
    assert_eq!(trace.to_string(), expected);
}

pub(crate) const ALL: [LevelFilter; 2] = [LevelFilter::TRACE; 2];

#[test]
fn restored_span_stands_in_the_nearest_that_is_enabled_now() {
    let program = || {
        let _outer = info_span!("outer").entered();
        let _between = debug_span!("between").entered();
        let _inner = info_span!("inner").entered();
        info!("suspend");
    };
    let with_between = "\
INFO host{}
└─ INFO outer{}
   └─ DEBUG between{}
      └─ INFO inner{}
         └─ INFO suspend";
    let without_it = "\
INFO host{}
└─ INFO outer{}
   └─ INFO inner{}
      └─ INFO suspend";
    check_anew(ALL, program, with_between);
    check_anew([LevelFilter::INFO, LevelFilter::INFO], program, without_it);
    check_anew([LevelFilter::TRACE, LevelFilter::INFO], program, without_it);
    check_anew([LevelFilter::INFO, LevelFilter::TRACE], program, with_between);
}

/// A span stands elsewhere in another layer, which the receiver cannot know: it names the parent that the
/// subscriber has.
#[test]
fn restored_span_stands_in_the_nearest_that_the_layer_wants() {
    let frames = frames_of(|| {
        let _outer = info_span!("outer").entered();
        let _between = debug_span!("between").entered();
        let _inner = info_span!("inner").entered();
        info!("suspend");
    });
    let is_mark = |frame: &Vec<u8>| frame.windows(7).any(|text| text == b"suspend");
    let before = &frames[..frames.iter().rposition(is_mark).unwrap()];
    let captured = |f: &mut dyn FnMut()| {
        let [everything, filtered] = [(); 2].map(|()| SharedStorage::default());
        let layer = Layer::with_filter(CaptureLayer::new(&filtered), LevelFilter::INFO);
        let subscriber = registry().with(CaptureLayer::new(&everything)).with(layer);
        tracing::subscriber::with_default(subscriber, f);
        assert_eq!(everything.lock().all_spans().len(), 3);
        filtered.lock().to_string()
    };
    let mut suspended = None;
    let tree = captured(&mut || suspended = Some(Suspended::after(before)));
    assert_eq!(tree, "INFO outer{}\n└─ INFO inner{}");
    let anew = captured(&mut || drop(suspended.take().unwrap().go_on_anew()));
    assert_eq!(anew, tree);
}

#[test]
fn restored_roots_are_in_the_span_of_the_host() {
    check_anew(
        ALL,
        || {
            let root = info_span!("root").entered();
            let child = info_span!("child");
            info!("suspend");
            drop((root, child));
        },
        "INFO host{}\n└─ INFO root{}\n   ├─ INFO child{}\n   └─ INFO suspend",
    );
}

#[test]
fn restored_explicit_root_stays_one() {
    check_anew(
        ALL,
        || {
            let _root = info_span!(parent: None, "root");
            info!("suspend");
        },
        "INFO host{}\n└─ INFO suspend\nINFO root{}",
    );
}

#[test]
fn restored_span_follows_from_what_it_did() {
    check_anew(
        ALL,
        || {
            let (cause, effect) = (info_span!("cause"), info_span!("effect"));
            effect.follows_from(&cause);
            info!("suspend");
            drop((cause, effect));
        },
        "INFO host{}\n├─ INFO cause{}\n├─ INFO effect{} (follows from cause)\n└─ INFO suspend",
    );
}

#[test]
fn span_may_follow_from_one_that_was_closed_before() {
    check_anew(
        ALL,
        || {
            let (effect, cause) = (info_span!("effect"), info_span!("cause"));
            let id = cause.id();
            drop(cause);
            info!("suspend");
            effect.follows_from(id);
        },
        "INFO host{}\n├─ INFO effect{}\n└─ INFO suspend",
    );
}

#[test]
fn closed_span_that_is_entered_may_be_exited() {
    check_anew(
        ALL,
        || {
            let outer = info_span!("outer").entered();
            let closed = info_span!("closed");
            let (dispatch, id) = (current_dispatch(), closed.id().unwrap());
            dispatch.enter(&id);
            drop(closed);
            info!(parent: None, "suspend");
            dispatch.exit(&id);
            info!("in outer");
            drop(outer);
        },
        "INFO host{}\n└─ INFO outer{}\n   └─ INFO in outer\nINFO suspend",
    );
}

#[test]
fn late_value_of_a_name_given_twice_is_restored_in_its_place() {
    check_anew(
        ALL,
        || {
            let span = info_span!("span", a = 1, a = 2);
            span.record("a", 3);
            info!("suspend");
            drop(span);
        },
        "INFO host{}\n├─ INFO span{a=3 a=2}\n└─ INFO suspend",
    );
    check_anew(
        ALL,
        || {
            let span = info_span!("span", a = Empty, a = 2);
            info!("suspend");
            span.record("a", 3);
        },
        "INFO host{}\n├─ INFO span{a=2 a=3}\n└─ INFO suspend",
    );
}

/// A program that is in no span when it is suspended, which `tracing-tunnel` does not persist.
fn asleep() {
    let outer = info_span!("outer", port = 8_080);
    outer.in_scope(|| info!("early"));
    let inner = info_span!(parent: &outer, "inner", late = Empty);
    inner.record("late", -0.0);
    info!("suspend");
    outer.in_scope(|| inner.in_scope(|| info!("resumed")));
}

const RESUMED: &str = "\
INFO outer{port=8080}
└─ INFO inner{late=-0.0}
   └─ INFO resumed";

/// Splits the stream of [`asleep`] where the program is suspended.
fn before_and_after(lines: &[String]) -> (&[String], &[String]) {
    let mark = lines.iter().position(|line| line.contains(r#"{"object":"suspend"}"#));
    lines.split_at(mark.unwrap())
}

macro_rules! receive {
    ($receiver:expr, $lines:expr) => {
        for line in $lines {
            $receiver.receive(serde_json::from_str(line).unwrap());
        }
    };
}

#[test]
fn what_the_published_crate_persists_is_read() {
    let lines = published_json(asleep);
    let (before, after) = before_and_after(&lines);
    let (metadata, spans) = {
        let _capture = Capture::start();
        let mut receiver = tracing_tunnel::TracingEventReceiver::default();
        receive!(receiver, before);
        (through_json(&receiver.persist_metadata()), through_json(&receiver.persist().0))
    };
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::new(metadata, spans, LocalSpans::default());
    receive!(receiver, after);
    assert_eq!(capture.trace().to_string(), format!("{RESUMED}\nINFO suspend"));
}

#[test]
fn published_crate_reads_what_is_persisted() {
    let lines = json(asleep);
    let (before, after) = before_and_after(&lines);
    let (metadata, spans) = {
        let _capture = Capture::start();
        let mut receiver = TracingEventReceiver::default();
        receive!(receiver, before);
        (through_json(&receiver.persist_metadata()), through_json(&receiver.persist().0))
    };
    let capture = Capture::start();
    let local_spans = tracing_tunnel::LocalSpans::default();
    let mut receiver = tracing_tunnel::TracingEventReceiver::new(metadata, spans, local_spans);
    receive!(receiver, after);
    // It creates spans anew where they are entered.
    assert_eq!(capture.trace().to_string(), format!("INFO suspend\n{RESUMED}"));
}

#[test]
fn many_values_are_kept_as_if_they_were_recorded_one_by_one() {
    // Call site 0, of spans with 100 fields, and a span with every third of them.
    let names: Vec<_> = (0..100_u8).flat_map(|nth| [2, b'a' + nth / 10, b'0' + nth % 10]).collect();
    let site = [b"\x20\0\0\x02\x04many\x06target\0\0\0\x64", &names[..]].concat();
    let uint = |number: usize| postcard::to_allocvec(&number).unwrap();
    // A value is its field, and how often it was recorded.
    let value =
        |field: usize, nth: usize| [uint(16 * field + 3), uint(1_000 * nth + field)].concat();
    let first: Vec<_> = (0..100).step_by(3).flat_map(|field| value(field, 0)).collect();
    let fields = || (0..100).rev().filter(|field| field % 7 != 0);
    let persisted = |is_one_record: bool| {
        let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
        receiver.receive_encoded(&site).unwrap();
        receiver.receive_encoded(&[b"\x21\x01\0\0", &first[..]].concat()).unwrap();
        for nth in 1..4 {
            let values = fields().map(|field| value(field, nth));
            let records =
                if is_one_record { vec![values.flatten().collect()] } else { values.collect() };
            for values in records {
                receiver.receive_encoded(&[b"\x27\x01", &values[..]].concat()).unwrap();
            }
        }
        serde_json::to_string(&receiver.persist().0).unwrap()
    };
    assert_eq!(persisted(true), persisted(false));
}

/// Hand-made frames: nobody hinders a sender from giving a field two values in one record.
#[test]
fn span_whose_record_gave_a_field_twice_is_restored() {
    const SITE: &[u8] = b"\x20\0\0\x02\x04span\x06target\0\0\0\x02\x01a\x01b";
    const TWICE: &[u8] = b"\x21\x01\0\0\x03\x01\x03\x02"; // a = 1, a = 2
    const MORE: [&[u8]; 3] =
        [b"\x27\x01\x13\x03", b"\x27\x01\x03\x04", b"\x27\x01\x03\x05\x03\x06"];
    for more in 0..=MORE.len() {
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        for frame in [SITE, TWICE].iter().chain(&MORE[..more]) {
            receiver.receive_encoded(frame).unwrap();
        }
        let metadata = receiver.persist_metadata();
        let (spans, _) = receiver.persist();
        let again = SharedStorage::default();
        let local_spans = LocalSpans::capturing(&again);
        let restored = TracingEventReceiver::try_new(metadata, spans, local_spans).unwrap();
        let last_values = |storage: &SharedStorage| {
            let (trace, mut values) = (storage.lock(), BTreeMap::new());
            let span = trace.all_spans().next().unwrap();
            span.values()
                .for_each(|(name, value)| drop(values.insert(name.to_owned(), value.clone())));
            format!("{values:?}")
        };
        assert_eq!(last_values(&again), last_values(&storage), "{more}, {}", storage.lock());
        drop(restored);
    }
}
