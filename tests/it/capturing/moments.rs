//! The one order of what happened in a capture.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use spanshot::{
    Capture, CapturedSpan, Keep, SharedStorage, Storage, TracedValue, TracingEventReceiver,
    capture::{Happening, Moment},
};
use tracing::{Span, info, info_span};

use crate::support::{captured_by_every_way, current_dispatch, on_thread, threads};

/// What happened, each with the field `number` of its span or event.
fn happenings(trace: &Storage) -> Vec<(Moment, String)> {
    let number = |value: Option<&TracedValue>| value.expect("it has a number").to_string();
    let text = |happening| match happening {
        Happening::Created(span) => format!("created {}", number(span.value("number"))),
        Happening::Entered(span) => format!("entered {}", number(span.value("number"))),
        Happening::Exited(span) => format!("exited {}", number(span.value("number"))),
        Happening::Closed(span) => format!("closed {}", number(span.value("number"))),
        Happening::Emitted(event) => format!("emitted {}", number(event.value("number"))),
        other => panic!("{other:?}"),
    };
    trace.timeline().map(|(moment, happening)| (moment, text(happening))).collect()
}

fn span(trace: &Storage) -> CapturedSpan<'_> {
    trace.all_spans().next().expect("there is a span")
}

fn nothing(_: &SharedStorage) {}

/// A program that makes what it does up, and notes what it should look like.
#[derive(Default)]
struct Improvised {
    log: Vec<String>,
    /// Each with its parent and its handles.
    spans: Vec<(Option<usize>, Vec<Span>)>,
    closed: Vec<bool>,
    entered: Vec<(usize, Span)>,
}

impl Improvised {
    fn happens(&mut self, span: usize, what: &str) {
        if !self.closed[span] {
            self.log.push(format!("{what} {span}"));
        }
    }

    fn close_if_unused(&mut self, span: usize) {
        let is_open_child = |other: usize| self.spans[other].0 == Some(span) && !self.closed[other];
        let is_used = !self.spans[span].1.is_empty() || (0..self.spans.len()).any(is_open_child);
        if !is_used && !self.closed[span] {
            self.happens(span, "closed");
            self.closed[span] = true;
            if let Some(parent) = self.spans[span].0 {
                self.close_if_unused(parent);
            }
        }
    }

    fn step(&mut self, random: usize) {
        let with_handle: Vec<_> =
            (0..self.spans.len()).filter(|span| !self.spans[*span].1.is_empty()).collect();
        let number = self.spans.len();
        if random % 9 == 0 {
            let is_entered = |span: usize| self.entered.iter().any(|(other, _)| *other == span);
            let parent = with_handle.get(random / 9 % (number + 1)).copied();
            if parent.is_some_and(is_entered) {
                return;
            }
            let id = parent.and_then(|parent| self.spans[parent].1[0].id());
            self.spans.push((parent, vec![info_span!(parent: id, "span", number)]));
            self.closed.push(false);
            self.happens(number, "created");
        } else if random % 9 == 1 {
            info!(number = random);
            self.log.push(format!("emitted {random}"));
        } else if let Some(span) = with_handle.get(random / 9 % with_handle.len().max(1)) {
            let handle = self.spans[*span].1[0].clone();
            match random % 9 {
                2 | 3 => {
                    self.happens(*span, "entered");
                    handle.with_subscriber(|(id, dispatch)| dispatch.enter(id));
                    self.entered.push((*span, handle));
                }
                4 => self.spans[*span].1.push(handle),
                5 if !self.entered.is_empty() => {
                    let (span, handle) = self.entered.remove(random / 9 % self.entered.len());
                    handle.with_subscriber(|(id, dispatch)| dispatch.exit(id));
                    self.happens(span, "exited");
                }
                // A handle that is entered is held until it is exited.
                _ if self.entered.iter().all(|(other, _)| other != span) => {
                    drop(handle);
                    self.spans[*span].1.pop();
                    self.close_if_unused(*span);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn timeline_is_what_happened() {
    captured_by_every_way(nothing, |way, storage| {
        let mut program = Improvised::default();
        let mut random = 1_u64;
        for _ in 0..2_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            program.step(usize::try_from(random >> 40).unwrap());
        }
        let trace = storage.lock();
        let (moments, texts): (Vec<_>, Vec<_>) = happenings(&trace).into_iter().unzip();
        assert_eq!(texts, program.log, "{way}");
        assert!(moments.is_sorted_by(|one, next| one < next), "{way}");
        for what in ["created", "entered", "exited", "closed", "emitted"] {
            let count = texts.iter().filter(|text| text.starts_with(what)).count();
            assert!(count > 20, "{way}: {count} times {what}");
        }
        let backwards: Vec<_> = trace.timeline().rev().map(|(moment, _)| moment).collect();
        assert!(backwards.iter().eq(moments.iter().rev()), "{way}");
    });
}

#[test]
fn handles_know_their_moments_of_the_timeline() {
    captured_by_every_way(nothing, |way, storage| {
        for number in 0..3 {
            let outer = info_span!("outer", number).entered();
            info!(number);
            let inner = info_span!("inner", number = number + 10);
            inner.in_scope(|| outer.in_scope(|| info!(number = number + 10)));
            inner.in_scope(|| ());
        }
        let trace = storage.lock();
        let mut known = vec![];
        for span in trace.all_spans() {
            let number = &span["number"];
            known.push((span.moment(), format!("created {number}")));
            known.extend(span.enters().map(|moment| (moment, format!("entered {number}"))));
            known.extend(span.exits().map(|moment| (moment, format!("exited {number}"))));
            known.extend(span.closed().map(|moment| (moment, format!("closed {number}"))));
            assert!(span.enters().rev().is_sorted_by(|one, next| one > next), "{way}");
            assert_eq!(span.enters().count(), span.stats().entered, "{way}");
            assert_eq!(span.exits().count(), span.stats().exited, "{way}");
        }
        let emitted = trace.all_events();
        known.extend(emitted.map(|event| (event.moment(), format!("emitted {}", event["number"]))));
        known.sort();
        assert_eq!(known, happenings(&trace), "{way}");
    });
}

/// Two things of which one was over before the other began, on whichever threads, are in this order.
#[test]
fn moments_of_several_threads_are_in_one_order() {
    captured_by_every_way(nothing, |way, storage| {
        let clock = AtomicUsize::new(0);
        let done = Mutex::new(vec![]);
        let shared = info_span!("shared", number = 0);
        let dispatch = current_dispatch();
        thread::scope(|scope| {
            for thread in 1..=4 {
                let (clock, done, shared, dispatch) = (&clock, &done, &shared, &dispatch);
                let work = move || {
                    for step in 0..50 {
                        let number = thread * 1_000 + step;
                        let before = clock.fetch_add(1, Ordering::SeqCst);
                        shared.in_scope(|| info!(number));
                        let after = clock.fetch_add(1, Ordering::SeqCst);
                        done.lock().unwrap().push((before, after, number));
                    }
                };
                scope.spawn(move || tracing::dispatcher::with_default(dispatch, work));
            }
        });
        let trace = storage.lock();
        let events = trace.all_events();
        let moments: HashMap<_, _> =
            events.map(|event| (event["number"].to_string(), event.moment())).collect();
        let done = done.into_inner().unwrap();
        assert_eq!((moments.len(), done.len()), (200, 200), "{way}");
        for (_, after, one) in &done {
            for (_, _, other) in done.iter().filter(|(before, _, _)| before > after) {
                let (one, other) = (moments[&one.to_string()], moments[&other.to_string()]);
                assert!(one < other, "{way}");
            }
        }
        let shared = span(&trace);
        assert_eq!((shared.enters().count(), shared.exits().count()), (200, 200), "{way}");
        assert!(shared.exits().all(|exit| shared.enters().any(|enter| enter < exit)), "{way}");
    });
}

#[test]
fn moments_of_traces_that_are_taken_one_after_another_are_comparable() {
    captured_by_every_way(nothing, |way, storage| {
        let mut taken = vec![];
        let open = info_span!("open", number = 0).entered();
        for number in 1..=5 {
            info!(number);
            on_thread(|| drop(info_span!("closed", number)));
            taken.push(storage.take());
        }
        drop(open);
        taken.push(storage.take());
        let all: Vec<_> = taken
            .iter()
            .flat_map(|trace| trace.all_events())
            .map(|event| (event.moment(), event["number"].clone()))
            .collect();
        assert!(all.is_sorted_by(|one, next| one.0 < next.0), "{way}");
        assert_eq!(all.len(), 5, "{way}");
        // A span that is in several of them has the same moments there.
        let opened: Vec<_> = taken.iter().map(|trace| span(trace).moment()).collect();
        assert!(opened.iter().all(|moment| *moment == opened[0] && *moment < all[0].0), "{way}");
        let closed = span(&taken[5]).closed().expect("it is closed");
        assert!(all.iter().all(|(emitted, _)| *emitted < closed), "{way}");
    });
}

#[test]
fn threads_have_indexes_in_the_order_of_their_appearance() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let span = info_span!("span").entered();
            on_thread(|| info!("second"));
            info!("first again");
            on_thread(|| info!("third"));
            drop(span);
            let trace = storage.lock();
            // Created, entered, three events, exited; and closed, of which that is not known.
            assert_eq!(threads(&trace), [0, 0, 1, 0, 2, 0], "{way}");
            assert_eq!(trace.timeline().count(), 7, "{way}");
            let span = trace.all_spans().next().unwrap();
            assert_eq!(trace.thread_of(span.closed().unwrap()), None, "{way}");
        },
    );
}

#[test]
fn threads_keep_their_indexes_when_older_nodes_are_gone() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            let span = info_span!("span").entered();
            info!("first");
            on_thread(|| {
                info!("second");
                storage.take();
                info!("second again");
            });
            storage.set_max_nodes(2, Keep::Newest);
            assert_eq!(threads(&storage.lock()), [0, 1], "{way}");
            on_thread(|| (0..100).for_each(|number| info!(number)));
            let trace = storage.lock();
            assert_eq!(threads(&trace), [0, 2, 2], "{way}");
            let other = SharedStorage::default().lock();
            assert_eq!(other.thread_of(trace.timeline().next().unwrap().0), None, "{way}");
            drop(span);
        },
    );
}

/// Relayed or not, a module's first thread is that of the host which receives, and others are not.
#[test]
fn first_thread_of_a_module_is_the_one_that_receives() {
    let call_site = r#"{"new_call_site":{"id":0,"kind":"event","name":"event","target":"t","level":"info","fields":[]}}"#;
    let event = |thread: u64| {
        format!(r#"{{"new_event":{{"metadata_id":0,"values":{{}},"thread":{thread}}}}}"#)
    };
    for is_relayed in [true, false] {
        let capture = Capture::start();
        let receiver = || {
            if is_relayed {
                TracingEventReceiver::default()
            } else {
                TracingEventReceiver::capturing(capture.storage())
            }
        };
        let mut receivers = [receiver(), receiver()];
        info!("of the host");
        for receiver in &mut receivers {
            for json in [call_site, &event(0), &event(3), &event(0), &event(3), &event(5)] {
                receiver.receive(serde_json::from_str(json).unwrap());
            }
        }
        on_thread(|| info!("of the host, too"));
        let expected = [0, 0, 1, 0, 1, 2, 0, 3, 0, 3, 4, 5];
        assert_eq!(threads(&capture.trace()), expected, "relayed: {is_relayed}");
    }
}

/// Two tasks take turns: what they did is in the order of time, whichever of them did it.
#[test]
fn order_of_concurrent_tasks_is_that_of_time() {
    use spanshot::predicates::*;

    let capture = Capture::start();
    let common = info_span!("common");
    let [a, b] = ["a", "b"].map(|task| info_span!(parent: &common, "task", task));
    for step in ["a1", "b1", "a2", "b2"] {
        let task = if step.starts_with('a') { &a } else { &b };
        task.in_scope(|| {
            drop(info_span!("step", step));
            info!("{step}");
        });
    }
    let trace = capture.trace();
    let common = trace.scan_spans().single(&name("common"));

    let events = common.deep_scan_events();
    let [a1, b1, a2, b2] = ["a1", "b1", "a2", "b2"].map(message);
    events.exactly(&[&a1, &b1, &a2, &b2]);
    events.in_order(&[&b1, &a2]);
    events.in_a_row(&[&a1, &b1, &a2, &b2]);
    assert!(events.try_in_order(&[&a2, &b1]).is_err());
    assert!(events.try_exactly(&[&a1, &a2, &b1, &b2]).is_err());
    assert_eq!(events.first(&always()).message(), Some("a1"));
    assert_eq!(events.last(&(a2 | b1)).message(), Some("a2"));

    let spans = common.deep_scan_spans();
    let [a1, b1, a2, b2] = ["a1", "b1", "a2", "b2"].map(|step| field("step", step));
    spans.in_order(&[&a1, &b1, &a2, &b2]);
    assert!(spans.try_in_order(&[&a2, &b1]).is_err());
    assert_eq!(spans.last(&(a2 | b1))["step"], "a2");

    let steps = common.descendants().filter_map(|span| span.value("step")?.as_str());
    assert!(steps.eq(["a1", "b1", "a2", "b2"]));
    assert!(common.descendant_events().is_sorted_by_key(|event| event.moment()));
}
