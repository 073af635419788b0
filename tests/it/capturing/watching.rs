//! What a capture watches over is noted when it happens, whatever is left of it when the capture ends.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

use spanshot::{
    Capture, CaptureBuilder, CaptureLayer, CapturedEvent, Keep, Print, TracingEventReceiver,
    TracingEventSender, predicates::*,
};
use tracing::{
    Dispatch, Level, dispatcher::with_default, error, field, info, info_span, trace, warn,
};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{current_dispatch, feed_frames, frames_of, panic_message};

/// Ways in which a capture loses what it has captured, or does not take it in the first place.
const LOSSES: [Loss; 5] = [
    ("taken", |builder| builder, |capture| drop(capture.take())),
    ("taken through the storage", |builder| builder, |capture| drop(capture.storage().take())),
    ("evicted", |builder| builder.max_nodes(0, Keep::Newest), |capture| drop(capture.trace())),
    (
        "evicted for bytes",
        |builder| builder.max_bytes(0, Keep::Newest),
        |capture| {
            // Eviction comes when there is far too much, or when somebody looks.
            (0..10_000).for_each(|number| trace!(number));
            drop(capture.trace());
        },
    ),
    ("no room", |builder| builder.max_nodes(0, Keep::Oldest), |_| ()),
];

type Loss = (&'static str, fn(CaptureBuilder) -> CaptureBuilder, fn(&Capture));

fn quiet() -> CaptureBuilder {
    Capture::builder().print(Print::Never)
}

/// Ways in which a program's records come into the storage of a capture.
fn ways(capture: &Capture) -> Vec<(&'static str, Dispatch)> {
    let storage = capture.storage();
    let receiver = Mutex::new(TracingEventReceiver::capturing(storage));
    let sender = TracingEventSender::encoded(move |frame: &[u8]| {
        // It refuses that a span is exited which is not entered.
        let _ = receiver.lock().unwrap().receive_encoded(frame);
    });
    let layer = |layer| Dispatch::new(tracing_subscriber::registry().with(layer));
    vec![
        ("capture", capture.dispatch().clone()),
        ("layer", layer(CaptureLayer::new(storage))),
        ("direct", Dispatch::new(sender)),
    ]
}

/// Runs a program in each way, in a capture of its own, and returns what that failed with.
fn run(
    builder: impl Fn() -> CaptureBuilder,
    program: impl Fn(),
    lose: impl Fn(&Capture),
) -> Vec<(&'static str, Option<String>)> {
    let run = |index: usize| {
        let capture = builder().start();
        let (way, dispatch) = ways(&capture).swap_remove(index);
        with_default(&dispatch, &program);
        drop(dispatch);
        lose(&capture);
        let message = catch_unwind(AssertUnwindSafe(|| capture.finish())).err();
        (way, message.map(|message| *message.downcast::<String>().unwrap()))
    };
    (0..3).map(run).collect()
}

#[test]
fn event_that_is_gone_fails_the_test() {
    for (loss, limit, lose) in LOSSES {
        let builder = || limit(quiet()).fail_on_events(Level::WARN);
        let program = || info_span!("retry").in_scope(|| error!(millis = 850, "slow"));
        for (way, message) in run(builder, program, lose) {
            let message = message.unwrap_or_else(|| panic!("{loss}, {way}: it passes"));
            let found = "\n1 event at level warn or more severe that nothing allows:\n  \
                         ERROR slow millis=850\n    by it::capturing::watching at tests/it/capturing/watching.rs:";
            assert!(message.contains(found), "{loss}, {way}: {message}");
        }
    }
}

#[test]
fn event_that_is_gone_may_be_allowed() {
    let by_value = |event: &CapturedEvent<'_>| event["millis"] == 850;
    let by_metadata =
        |event: &CapturedEvent<'_>| event.metadata().target() == "it::capturing::watching";
    for (loss, limit, lose) in LOSSES {
        let builders: [&dyn Fn() -> CaptureBuilder; 3] = [
            &|| limit(quiet()).allow_events(by_value),
            &|| limit(quiet()).allow_events(by_metadata),
            &|| limit(quiet()).allow_events_matching(message(eq("slow")) & level(Level::ERROR)),
        ];
        for builder in builders {
            let program = || info_span!("retry").in_scope(|| error!(millis = 850, "slow"));
            for (way, message) in run(|| builder().fail_on_events(Level::WARN), program, lose) {
                assert_eq!(message, None, "{loss}, {way}");
            }
        }
    }
}

/// A span for which there is no room is none, but one that was kept is a parent, also of an event for which there
/// is none.
#[test]
fn event_may_be_allowed_by_its_parent() {
    let losses = LOSSES.into_iter().filter(|(loss, ..)| *loss != "no room");
    let no_room: Loss = ("no room", |builder| builder.max_nodes(1, Keep::Oldest), |_| ());
    for (loss, limit, lose) in losses.chain([no_room]) {
        let builder = || {
            let in_retry = parent(name(eq("retry")) & field("attempt", 2));
            limit(quiet()).fail_on_events(Level::WARN).allow_events_matching(in_retry)
        };
        let attempt = |attempt: u32| {
            info_span!("retry", attempt).in_scope(|| error!("slow"));
        };
        for (way, message) in run(builder, || attempt(2), lose) {
            assert_eq!(message, None, "{loss}, {way}");
        }
        for (way, message) in run(builder, || attempt(1), lose) {
            assert!(
                message.is_some_and(|message| message.contains("\n  ERROR slow\n")),
                "{loss}, {way}"
            );
        }
    }
}

/// Its moment is that of the next record, which is another event if room was made for that.
#[test]
fn event_without_room_is_not_mistaken_for_the_next_one() {
    let message = panic_message(|| {
        let capture = quiet().max_nodes(1, Keep::Oldest).fail_on_events(Level::WARN).start();
        info!("has room");
        error!("has none");
        drop(capture.take());
        info!("next");
        capture.finish()
    });
    assert!(message.contains("allows:\n  ERROR has none\n"), "{message}");
}

/// Those that there was no room for are looked at, but not captured.
#[test]
fn event_without_room_is_judged_but_not_captured() {
    let capture = quiet()
        .max_nodes(2, Keep::Oldest)
        .fail_on_events(Level::WARN)
        .allow_events(|event| event["number"] != 4)
        .start();
    (0..5).for_each(|number| warn!(number));
    assert_eq!((capture.trace().all_events().len(), capture.trace().left_out()), (2, 3));
    let message = panic_message(|| capture.finish());
    assert!(message.contains("\n1 event at level") && message.contains("\n  WARN number=4\n"));
}

#[test]
fn all_of_many_are_counted_and_five_are_listed() {
    let capture = quiet().fail_on_events(Level::WARN).start();
    for number in 0..1_000 {
        warn!(number);
        if number % 10 == 0 {
            capture.take();
        }
    }
    let message = panic_message(|| capture.finish());
    assert!(message.contains("\n1000 events at level warn"), "{message}");
    assert!(
        message.contains("\n  WARN number=4\n") && !message.contains("number=5\n"),
        "{message}"
    );
    assert!(message.contains("\n  (and 995 more)\n"), "{message}");
}

#[test]
fn function_is_asked_on_the_thread_that_emits_and_without_a_lock() {
    let capture = quiet().start();
    let storage = capture.storage().clone();
    let (asked, was_asked) = mpsc::channel();
    let asked = Mutex::new(asked);
    let watching = quiet()
        .fail_on_events(Level::WARN)
        .allow_events(move |event| {
            // None of this would come to an end under the lock of a storage.
            let others = storage.lock().all_events().len();
            let on_another = || event.message().map(str::to_owned);
            let message = thread::scope(|scope| scope.spawn(on_another).join().unwrap());
            asked.lock().unwrap().send((thread::current().id(), message, others)).unwrap();
            true
        })
        .start();
    let own = watching.storage().clone();
    let carried = watching.carry(move || {
        warn!("elsewhere");
        own.lock().all_events().len()
    });
    let other = thread::spawn(carried);
    let id = other.thread().id();
    assert_eq!(other.join().unwrap(), 1);
    assert_eq!(was_asked.try_recv().unwrap(), (id, Some("elsewhere".into()), 0));
    watching.finish();
    assert!(was_asked.try_recv().is_err());
}

#[test]
fn function_may_read_and_write_the_capture_that_asks_it() {
    let (storages, storage) = mpsc::channel::<spanshot::SharedStorage>();
    let storage = Mutex::new(storage);
    let capture = quiet()
        .fail_on_events(Level::WARN)
        .allow_events(move |_| {
            warn!("traced by the function"); // to nobody: `tracing` sees to that
            let storage = storage.lock().unwrap().recv().unwrap();
            storage.take().all_events().len() == 1
        })
        .start();
    storages.send(capture.storage().clone()).unwrap();
    warn!("slow");
    assert_eq!(capture.finish().all_events().len(), 0);
}

#[test]
fn panic_of_a_function_fails_the_test_and_not_the_code() {
    let is_allowed = |event: &CapturedEvent<'_>| event["missing"] == 1;
    for (loss, limit, lose) in LOSSES {
        let builder = || limit(quiet()).fail_on_events(Level::WARN).allow_events(is_allowed);
        let program = || {
            let result = catch_unwind(|| warn!("slow"));
            assert!(result.is_ok(), "{loss}: the panic comes to the code under test");
        };
        for (way, message) in run(builder, program, lose) {
            let message = message.unwrap_or_else(|| panic!("{loss}, {way}: it passes"));
            let found =
                "\n1 event on which a function given to `allow_events()` panicked:\n  WARN slow\n";
            assert!(message.contains(found), "{loss}, {way}: {message}");
            let panic = "    panicked with: field `missing` has no value in ";
            assert!(message.contains(panic), "{loss}, {way}: {message}");
        }
    }
}

/// Another thread is being asked when the capture ends: nothing is lost by that, and nobody waits for it.
#[test]
fn event_that_is_not_judged_yet_is_judged_when_the_capture_ends() {
    for (verdict, fails) in [(true, false), (false, true)] {
        let (asked, was_asked) = mpsc::channel();
        let (go_on, going_on) = mpsc::channel::<()>();
        let (asked, going_on) = (Mutex::new(asked), Mutex::new(going_on));
        let emitting = thread::current().id();
        let capture = quiet()
            .fail_on_events(Level::WARN)
            .allow_events(move |_| {
                if thread::current().id() != emitting {
                    asked.lock().unwrap().send(()).unwrap();
                    going_on.lock().unwrap().recv().unwrap();
                }
                verdict
            })
            .start();
        let other = thread::spawn(capture.carry(|| warn!("slow")));
        was_asked.recv_timeout(Duration::from_secs(600)).unwrap();
        let result = catch_unwind(AssertUnwindSafe(|| capture.finish()));
        assert_eq!(result.is_err(), fails);
        go_on.send(()).unwrap();
        other.join().unwrap();
    }
}

#[test]
fn nothing_is_asked_when_the_capture_is_over() {
    let (asked, was_asked) = mpsc::channel();
    let asked = Mutex::new(asked);
    let capture = quiet()
        .fail_on_events(Level::WARN)
        .allow_events(move |_| asked.lock().unwrap().send(()).is_ok())
        .start();
    let handle = capture.handle();
    warn!("in time");
    capture.finish();
    handle.in_scope(|| warn!("late"));
    assert_eq!(was_asked.try_iter().count(), 1);
}

#[test]
fn event_of_a_guest_is_judged_when_it_is_relayed() {
    let frames = frames_of(|| info_span!("of the guest").in_scope(|| error!("trapped")));
    let capture = quiet().fail_on_events(Level::ERROR).start();
    feed_frames(&frames)(&mut TracingEventReceiver::default());
    capture.take();
    let message = panic_message(|| capture.finish());
    assert!(message.contains("\n  ERROR trapped\n"), "{message}");
}

fn unbalanced() {
    let span = info_span!("exited", port = 8_080, late = field::Empty);
    span.record("late", true);
    current_dispatch().exit(&span.id().unwrap());
    drop(span);
    info_span!("balanced").in_scope(|| info!("in it"));
}

#[test]
fn span_that_is_gone_was_exited_as_often_as_entered() {
    let losses = LOSSES.into_iter().filter(|(loss, ..)| *loss != "no room");
    for (loss, limit, lose) in losses {
        let builder = || limit(quiet()).fail_on_unbalanced_enters();
        let results =
            run(builder, unbalanced, lose).into_iter().filter(|(way, _)| *way != "direct");
        for (way, message) in results {
            let message = message.unwrap_or_else(|| panic!("{loss}, {way}: it passes"));
            let found = "\n1 span not exited as often as entered:\n  \
                         INFO exited{port=8080 late=true}\n    entered 0x, exited 1x, by it::capturing::watching at ";
            assert!(message.contains(found), "{loss}, {way}: {message}");
        }
        let fine = || info_span!("balanced").in_scope(|| info!("in it"));
        for (way, message) in run(builder, fine, lose) {
            assert_eq!(message, None, "{loss}, {way}");
        }
    }
}

#[test]
fn span_that_there_was_no_room_for_fails_the_test_that_watches_over_spans() {
    let builders: [&dyn Fn() -> CaptureBuilder; 2] =
        [&|| quiet().fail_on_open_spans(), &|| quiet().fail_on_unbalanced_enters()];
    for builder in builders {
        let program = || {
            info!("kept");
            info_span!("no room").in_scope(|| info!("in it"));
            mem::forget(info_span!("no room"));
        };
        let limited = || builder().max_nodes(1, Keep::Oldest);
        // Also if the traces since then had room.
        for lose in [(|_| ()) as fn(&Capture), |capture| drop(capture.take())] {
            for (way, message) in run(limited, program, lose) {
                let message = message.unwrap_or_else(|| panic!("{way}: it passes"));
                let found =
                    "\n2 spans for which the capture had no room, so that it cannot tell whether";
                assert!(message.contains(found), "{way}: {message}");
                assert!(message.contains("`Keep::Newest`"), "{way}: {message}");
            }
        }
        let events = || (0..10).for_each(|number| info!(number));
        for (way, message) in run(limited, events, |_| ()) {
            assert_eq!(message, None, "{way}: events are not spans");
        }
    }
    let message = quiet().fail_on_events(Level::ERROR).max_nodes(0, Keep::Oldest).start();
    info_span!("no room").in_scope(|| info!("in it"));
    message.finish();
}

#[test]
fn span_that_is_open_is_watched_over_when_it_was_taken() {
    let capture = quiet().fail_on_open_spans().start();
    let span = info_span!("open").entered();
    capture.take();
    let message = panic_message(|| capture.finish());
    assert!(message.contains("\n1 span still open:\n  INFO open{}\n"), "{message}");
    drop(span);

    let capture = quiet().fail_on_open_spans().start();
    info_span!("closed").in_scope(|| assert_eq!(capture.take().all_spans().len(), 1));
    assert_eq!(capture.finish().to_string(), "INFO closed{}");
}

#[test]
fn times_that_are_kept_later_hide_nothing() {
    let capture = quiet().fail_on_events(Level::WARN).fail_on_unbalanced_enters().start();
    warn!("slow");
    unbalanced();
    capture.storage().keep_times();
    warn!("slower");
    let message = panic_message(|| capture.finish());
    assert!(message.contains("\n2 events at level warn"), "{message}");
    assert!(message.contains("\n1 span not exited as often as entered"), "{message}");
}
