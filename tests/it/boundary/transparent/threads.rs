//! One sender serves every thread of the program.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Barrier, Mutex},
    thread::{self, ThreadId},
};

use spanshot::{Capture, TracingEvent, TracingEventReceiver};
use tracing::{
    Instrument, Span, Subscriber, dispatcher,
    field::Empty,
    info, info_span,
    span::{Attributes, Id},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry,
    registry::LookupSpan,
};

use super::{check, poll, yield_once};
use crate::support::{
    current_dispatch, events_of, feed_events, feed_frames, frames_of, on_thread, through_json,
};

#[test]
fn one_sender_serves_every_thread() {
    check(
        || {
            info!("on the first");
            on_thread(|| {
                info!("on the second");
                on_thread(|| info!("on the third"));
            });
            info!("on the first again");
        },
        "INFO on the first\nINFO on the second\nINFO on the third\nINFO on the first again",
    );
}

#[test]
fn span_entered_on_one_thread_is_no_parent_on_another() {
    check(
        || {
            let _entered = info_span!("entered").entered();
            on_thread(|| {
                info!("event");
                info_span!("span").in_scope(|| info!("in span"));
            });
            info!("in entered");
        },
        "INFO entered{}\n\
         └─ INFO in entered\n\
         INFO event\n\
         INFO span{}\n\
         └─ INFO in span",
    );
}

#[test]
fn span_made_on_one_thread_is_entered_on_another() {
    check(
        || {
            let span = info_span!("span", late = Empty);
            on_thread(|| {
                span.in_scope(|| {
                    Span::current().record("late", 1);
                    info_span!("child").in_scope(|| info!("in child"));
                });
            });
            info!("in none");
        },
        "INFO span{late=1}\n└─ INFO child{}\n   └─ INFO in child\nINFO in none",
    );
}

#[test]
fn span_is_entered_on_two_threads_at_once() {
    check(
        || {
            let span = info_span!("span");
            let _entered = span.enter();
            on_thread(|| span.in_scope(|| info!("there")));
            info!("here");
        },
        "INFO span{}\n├─ INFO there\n└─ INFO here",
    );
}

#[test]
fn handle_moved_to_another_thread_closes_its_span_there() {
    check(
        || {
            let span = info_span!("span").entered();
            let clone = span.clone();
            drop(span);
            on_thread(|| clone.in_scope(|| info!("in the clone")));
            on_thread(move || drop(clone));
            info!("after it was closed");
        },
        "INFO span{}\n└─ INFO in the clone\nINFO after it was closed",
    );
}

#[test]
fn threads_exit_their_spans_in_any_order() {
    check(
        || {
            let (a, b) = (info_span!("a"), info_span!("b"));
            let turn = Barrier::new(2);
            let dispatch = current_dispatch();
            let other = || {
                turn.wait();
                let in_b = b.enter();
                turn.wait(); // the first leaves `a`
                turn.wait();
                info!("in b");
                drop(in_b);
                info!("in none on the second");
            };
            thread::scope(|scope| {
                let in_a = a.enter();
                let other = scope.spawn(|| dispatcher::with_default(&dispatch, other));
                turn.wait();
                turn.wait();
                drop(in_a);
                info!("in none on the first");
                turn.wait();
                other.join().unwrap();
            });
        },
        "INFO a{}\n\
         INFO b{}\n\
         └─ INFO in b\n\
         INFO in none on the first\n\
         INFO in none on the second",
    );
}

#[test]
fn task_that_moves_to_another_thread_stays_in_its_span() {
    check(
        || {
            let task = async {
                info!("here");
                yield_once().await;
                info!("there");
            };
            let mut task = Box::pin(task.instrument(info_span!("task")));
            assert!(poll(task.as_mut()).is_pending());
            on_thread(|| assert!(poll(task.as_mut()).is_ready()));
        },
        "INFO task{}\n├─ INFO here\n└─ INFO there",
    );
}

#[test]
fn bare_event_on_a_thread_with_nothing_entered_is_a_root() {
    check(
        || {
            let _entered = info_span!("entered").entered();
            on_thread(|| {
                let left = info_span!("left");
                left.in_scope(|| info!("in left"));
                info!("bare");
            });
        },
        "INFO entered{}\nINFO left{}\n└─ INFO in left\nINFO bare",
    );
}

/// As every root of the guest is.
#[test]
fn bare_event_on_a_thread_with_nothing_entered_is_in_the_current_span_of_the_host() {
    let program = || {
        let _entered = info_span!("entered").entered();
        on_thread(|| info!("bare"));
        info!("in entered");
    };
    let check = |feed: &dyn Fn(&mut TracingEventReceiver)| {
        let capture = Capture::start();
        info_span!("host").in_scope(|| feed(&mut TracingEventReceiver::default()));
        let tree = "INFO host{}\n├─ INFO entered{}\n│  └─ INFO in entered\n└─ INFO bare";
        assert_eq!(capture.trace().to_string(), tree);
    };
    let (frames, events) = (frames_of(program), through_json(&events_of(program)));
    check(&|receiver| feed_frames(&frames)(receiver));
    check(&|receiver| feed_events(events.clone())(receiver));
}

#[test]
fn span_ids_never_collide() {
    const THREADS: usize = 8;
    const SPANS: usize = 500;

    let ids = Arc::new(Mutex::new(vec![]));
    let pushed = Arc::clone(&ids);
    let sender = spanshot::TracingEventSender::new(move |event| {
        if let TracingEvent::NewSpan { id, .. } = event {
            pushed.lock().unwrap().push(id);
        }
    });
    let (dispatch, start) = (tracing::Dispatch::new(sender), Barrier::new(THREADS));
    let program = || {
        start.wait();
        (0..SPANS).for_each(|_| drop(info_span!("span")));
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| dispatcher::with_default(&dispatch, program));
        }
    });
    let ids = ids.lock().unwrap();
    assert_eq!(ids.len(), THREADS * SPANS);
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    assert!(!distinct.contains(&0));
}

/// Notes of each span whether it is closed on the thread on which it is created.
#[derive(Clone, Default)]
struct Closes(Arc<Mutex<Vec<(ThreadId, String)>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Closes {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        span.extensions_mut().insert(thread::current().id());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let (span, here) = (context.span(&id).unwrap(), thread::current().id());
        let is_same = span.extensions().get::<ThreadId>() == Some(&here);
        let place = if is_same { "there" } else { "elsewhere" };
        self.0.lock().unwrap().push((here, format!("{} {place}", span.name())));
    }
}

#[test]
fn span_is_closed_on_the_thread_that_it_was_last_on() {
    let program = || {
        let moved = info_span!("moved");
        on_thread(|| {
            let _outer = info_span!("outer").entered();
            info_span!("inner").in_scope(|| ());
            drop(info_span!("never entered"));
            moved.in_scope(|| ());
            drop(moved);
        });
        on_thread(|| drop(info_span!("another").entered()));
        drop(info_span!("first"));
    };
    let closes = |program: &dyn Fn()| {
        let closes = Closes::default();
        tracing::subscriber::with_default(registry().with(closes.clone()), program);
        let closes = closes.0.lock().unwrap();
        let threads: HashSet<_> = closes.iter().map(|(thread, _)| *thread).collect();
        let what: Vec<_> = closes.iter().map(|(_, what)| what.clone()).collect();
        (threads.len(), what)
    };
    let expected = ["inner there", "never entered there", "moved elsewhere", "outer there"];
    let natively = closes(&program);
    assert_eq!(natively.0, 3);
    assert_eq!(natively.1[..4], expected);
    let frames = frames_of(program);
    assert_eq!(closes(&|| feed_frames(&frames)(&mut TracingEventReceiver::default())), natively);
}

/// Threads of a dynamic library feed its receiver themselves.
#[test]
fn root_of_a_thread_is_in_the_span_of_the_host_that_is_current_where_it_is_received() {
    let events = events_of(|| {
        let _entered = info_span!("in the first").entered();
        on_thread(|| info!("on the second"));
        info!("on the first");
    });
    let capture = Capture::start();
    let _host = info_span!("host of the first").entered();
    let mut receiver = TracingEventReceiver::default();
    for event in events {
        if matches!(event, TracingEvent::NewEvent { thread: 1, .. }) {
            on_thread(|| {
                info_span!("host of the second").in_scope(|| receiver.receive(event));
            });
        } else {
            receiver.receive(event);
        }
    }
    assert_eq!(
        capture.trace().to_string(),
        "INFO host of the first{}\n\
         └─ INFO in the first{}\n   \
            └─ INFO on the first\n\
         INFO host of the second{}\n\
         └─ INFO on the second"
    );
}
