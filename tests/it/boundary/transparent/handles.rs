//! Spans that are entered, exited, cloned and closed.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use spanshot::TracingEventReceiver;
use tracing::{
    Event, Metadata, Subscriber, info, info_span,
    span::{Attributes, Id, Record},
};

use super::{check, check_trace};
use crate::support::{
    current_dispatch, events_of, feed_events, feed_frames, frames_of, native, through_json,
};

/// Enters and exits a span whose handle may be gone.
fn within(id: &Id, f: impl FnOnce()) {
    let dispatch = current_dispatch();
    dispatch.enter(id);
    f();
    dispatch.exit(id);
}

#[test]
fn span_is_entered_again_after_it_was_exited() {
    check(
        || {
            let span = info_span!("span");
            span.in_scope(|| info!("first"));
            info!("between");
            span.in_scope(|| info!("second"));
        },
        "INFO span{}\n├─ INFO first\n└─ INFO second\nINFO between",
    );
}

#[test]
fn span_is_entered_inside_itself() {
    check(
        || {
            let span = info_span!("span");
            span.in_scope(|| {
                span.in_scope(|| info!("twice inside"));
                info!("once inside");
            });
            info!("outside");
        },
        "INFO span{}\n├─ INFO twice inside\n└─ INFO once inside\nINFO outside",
    );
}

#[test]
fn span_entered_again_in_another_does_not_become_current() {
    check(
        || {
            let (a, b) = (info_span!("a"), info_span!("b"));
            a.in_scope(|| {
                b.in_scope(|| {
                    a.in_scope(|| {
                        info!("in b");
                        drop(info_span!("child"));
                    });
                });
                info!("in a");
            });
        },
        "INFO a{}\n└─ INFO in a\nINFO b{}\n├─ INFO in b\n└─ INFO child{}",
    );
}

#[test]
fn exits_come_out_of_order() {
    check(
        || {
            let [a, b, c] = [info_span!("a"), info_span!("b"), info_span!("c")];
            let (in_a, in_b, in_c) = (a.enter(), b.enter(), c.enter());
            drop(in_b);
            info!("in c");
            drop(in_c);
            info!("in a");
            drop(in_a);
            info!("in none");
        },
        "INFO a{}\n└─ INFO in a\nINFO b{}\nINFO c{}\n└─ INFO in c\nINFO in none",
    );
}

#[test]
fn exit_undoes_the_latest_enter_of_its_span() {
    check(
        || {
            let (a, b) = (info_span!("a"), info_span!("b"));
            let (first, in_b, second) = (a.enter(), b.enter(), a.enter());
            drop(first); // whichever guard it is
            info!("in b");
            drop(in_b);
            info!("in a");
            drop(second);
            info!("in none");
        },
        "INFO a{}\n└─ INFO in a\nINFO b{}\n└─ INFO in b\nINFO in none",
    );
}

#[test]
fn handle_dropped_while_its_span_is_entered_closes_the_span() {
    check(
        || {
            let _outer = info_span!("outer").entered();
            let span = info_span!("span");
            within(&span.id().unwrap(), || {
                info!("in span");
                drop(span);
                info!("in a closed span, that is, in none");
                drop(info_span!("likewise"));
            });
            info!("in outer");
        },
        "INFO outer{}\n\
         ├─ INFO span{}\n\
         │  └─ INFO in span\n\
         └─ INFO in outer\n\
         INFO in a closed span, that is, in none\n\
         INFO likewise{}",
    );
}

#[test]
fn entered_span_without_a_handle_is_current_while_a_child_keeps_it_open() {
    check(
        || {
            let span = info_span!("span");
            within(&span.id().unwrap(), || {
                let child = info_span!("child");
                drop(span);
                info!("in span");
                drop(child);
                info!("in none");
            });
        },
        "INFO span{}\n├─ INFO child{}\n└─ INFO in span\nINFO in none",
    );
}

#[test]
fn clone_keeps_its_span_open() {
    check(
        || {
            let span = info_span!("span");
            let clone = span.clone();
            drop(span);
            clone.in_scope(|| info!("in the clone"));
            clone.clone().record("none", 1);
            drop(clone);
            info!("after the span was closed");
        },
        "INFO span{}\n└─ INFO in the clone\nINFO after the span was closed",
    );
}

#[test]
fn child_keeps_its_parent_open() {
    check(
        || {
            let parent = info_span!("parent");
            let child = parent.in_scope(|| info_span!("child"));
            let explicit = info_span!(parent: &parent, "explicit");
            drop(parent);
            child.in_scope(|| info!("in child"));
            drop(child);
            explicit.in_scope(|| info!("in explicit"));
            drop(explicit);
            info!("after all were closed");
        },
        "INFO parent{}\n\
         ├─ INFO child{}\n\
         │  └─ INFO in child\n\
         └─ INFO explicit{}\n   \
            └─ INFO in explicit\n\
         INFO after all were closed",
    );
}

#[test]
fn span_that_is_never_closed_stays_open() {
    let program = || {
        std::mem::forget(info_span!("forgotten"));
        std::mem::forget(info_span!("cloned").clone());
        drop(info_span!("closed"));
    };
    check(program, "INFO forgotten{}\nINFO cloned{}\nINFO closed{}");
    let trace = native(program);
    let is_closed: Vec<_> = trace.all_spans().map(|span| span.stats().is_closed).collect();
    assert_eq!(is_closed, [false, false, true]);
}

#[test]
fn span_that_is_never_exited_is_current_to_the_end() {
    check(
        || {
            std::mem::forget(info_span!("span").entered());
            info!("in span");
            drop(info_span!("child"));
        },
        "INFO span{}\n├─ INFO in span\n└─ INFO child{}",
    );
}

#[test]
fn event_whose_explicit_parent_is_closed_is_a_root() {
    // To the subscriber it is an explicit root: what the closed span was called is forgotten.
    check_trace(
        || {
            let _outer = info_span!("outer").entered();
            let closed = info_span!("closed").id();
            info!(parent: closed, "event");
        },
        "INFO outer{}\n└─ INFO closed{}\nINFO event",
    );
}

/// Gives each handle of a span an ID of its own, and notes which it is told of.
#[derive(Clone, Default)]
struct Handles {
    last: Arc<AtomicU64>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Handles {
    fn next(&self) -> Id {
        Id::from_u64(self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn tell(&self, told: String) {
        self.told.lock().unwrap().push(told);
    }
}

impl Subscriber for Handles {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        self.next()
    }

    fn clone_span(&self, id: &Id) -> Id {
        let clone = self.next();
        self.tell(format!("{} is cloned as {}", id.into_u64(), clone.into_u64()));
        clone
    }

    fn try_close(&self, id: Id) -> bool {
        self.tell(format!("{} is dropped", id.into_u64()));
        false
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn each_handle_is_dropped_by_the_id_that_it_was_given() {
    let program = || {
        let span = info_span!("span");
        drop(span.clone());
        let other = info_span!("other");
        let clones = [span.clone(), other.clone(), span.clone()];
        clones.into_iter().rev().for_each(drop);
        drop((other, span));
    };
    let told = |f: &dyn Fn()| {
        let handles = Handles::default();
        tracing::subscriber::with_default(handles.clone(), f);
        std::mem::take(&mut *handles.told.lock().unwrap())
    };
    let natively = told(&program);
    assert_eq!(natively[..2], ["1 is cloned as 2", "2 is dropped"]);
    let (frames, events) = (frames_of(program), through_json(&events_of(program)));
    let receiver = TracingEventReceiver::default;
    assert_eq!(told(&|| feed_frames(&frames)(&mut receiver())), natively, "frames");
    assert_eq!(told(&|| feed_events(events.clone())(&mut receiver())), natively, "JSON");
}
