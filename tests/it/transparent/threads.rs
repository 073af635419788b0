//! One sender serves every thread of the program.

use std::{
    collections::BTreeSet,
    sync::{Arc, Barrier, Mutex},
    thread,
};

use spanshot::{Capture, TracingEvent, TracingEventReceiver};
use tracing::{Instrument, Span, dispatcher, field::Empty, info, info_span};

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
