//! Captures that are taken in parts, or that keep only a part.

use std::collections::HashSet;

use proptest::prelude::*;
use spanshot::{
    Capture, CapturedEvent, Keep, SharedStorage, Trace, TracingEventReceiver, capture::Moment,
};

use super::{
    Sent, check_all,
    program::{program, run},
    send, subscriber,
    support::{detailed, threads},
};

/// Spans and events of a trace in the order of their creation, each with the names of what it is in.
/// Values of spans are left out: they may be recorded later.
fn nodes(trace: &Trace) -> Vec<(Moment, String)> {
    let spans = trace.all_spans().map(|span| {
        let parents = span.ancestors().map(|span| span.metadata().name());
        (span.moment(), format!("{} in {:?}", span.metadata().name(), parents.collect::<Vec<_>>()))
    });
    let event = |event: CapturedEvent<'_>| {
        let parents = event.ancestors().map(|span| span.metadata().name());
        (event.moment(), format!("{event} in {:?}", parents.collect::<Vec<_>>()))
    };
    let mut nodes: Vec<_> = spans.chain(trace.all_events().map(event)).collect();
    nodes.sort();
    nodes
}

fn feed(receiver: &mut TracingEventReceiver, sent: &[Sent]) {
    for sent in sent {
        sent.receive(receiver);
    }
}

#[test]
fn what_is_taken_in_parts_is_the_whole() {
    let strategy = (program(3), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    check_all(&strategy, |(program, first, second)| {
        let [(_, sent), _] = send(&program);
        let whole = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&whole);
        feed(&mut receiver, &sent);
        let whole = whole.lock();

        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let mut cuts = [first.index(sent.len() + 1), second.index(sent.len() + 1)];
        cuts.sort_unstable();
        let mut taken = vec![];
        for (from, to) in [(0, cuts[0]), (cuts[0], cuts[1]), (cuts[1], sent.len())] {
            let open: HashSet<_> = storage.lock().all_spans().map(|span| span.moment()).collect();
            feed(&mut receiver, &sent[from..to]);
            let part = storage.take();
            assert_eq!(part.left_out(), 0);
            // Spans that were open before are in both parts.
            taken.extend(nodes(&part).into_iter().filter(|(moment, _)| !open.contains(moment)));
        }
        assert_eq!(taken, nodes(&whole));
        // What was not closed at the end is still there, and is as in the whole.
        let open = whole.all_spans().filter(|span| !span.stats().is_closed);
        let open: Vec<_> =
            open.map(|span| (span.moment(), format!("{span:.0}"), span.stats())).collect();
        let left = storage.lock();
        let left: Vec<_> = left
            .all_spans()
            .map(|span| (span.moment(), format!("{span:.0}"), span.stats()))
            .collect();
        assert!(open.iter().all(|span| left.contains(span)), "{open:?} {left:?}");
    });
}

#[test]
fn bounded_capture_keeps_the_newest_and_what_is_around_them() {
    let strategy = (program(1), 0..12_usize);
    check_all(&strategy, |(program, max)| {
        let [(_, sent), _] = send(&program);
        let (whole, bounded) = (SharedStorage::default(), SharedStorage::default());
        bounded.set_max_nodes(max, Keep::Newest);
        feed(&mut TracingEventReceiver::capturing(&whole), &sent);
        feed(&mut TracingEventReceiver::capturing(&bounded), &sent);
        let (whole, bounded) = (whole.lock(), bounded.lock());

        let all = nodes(&whole);
        let mut kept: HashSet<Moment> =
            all.iter().rev().take(max).map(|(moment, _)| *moment).collect();
        let open = whole.all_spans().filter(|span| !span.stats().is_closed);
        kept.extend(open.map(|span| span.moment()));
        let spans = whole.all_spans().filter(|span| kept.contains(&span.moment()));
        let events = whole.all_events().filter(|event| kept.contains(&event.moment()));
        let around: Vec<_> = spans
            .flat_map(|span| span.ancestors())
            .chain(events.flat_map(|event| event.ancestors()))
            .map(|span| span.moment())
            .collect();
        kept.extend(around);
        let expected: Vec<_> =
            all.iter().filter(|(moment, _)| kept.contains(moment)).cloned().collect();
        assert_eq!(nodes(&bounded), expected);
        assert_eq!(bounded.left_out(), (all.len() - expected.len()) as u64);
    });
}

#[test]
fn bounded_capture_keeps_the_oldest_and_counts_the_others() {
    let strategy = (program(1), 0..12_usize);
    check_all(&strategy, |(program, max)| {
        let [(_, sent), _] = send(&program);
        let (whole, bounded) = (SharedStorage::default(), SharedStorage::default());
        bounded.set_max_nodes(max, Keep::Oldest);
        feed(&mut TracingEventReceiver::capturing(&whole), &sent);
        feed(&mut TracingEventReceiver::capturing(&bounded), &sent);
        let (whole, bounded) = (whole.lock(), bounded.lock());
        let lines =
            |trace: &Trace| nodes(trace).into_iter().map(|(_, node)| node).collect::<Vec<_>>();
        let all = lines(&whole);
        let expected = &all[..max.min(all.len())];
        assert_eq!(lines(&bounded), expected);
        assert_eq!(bounded.left_out(), (all.len() - expected.len()) as u64);
    });
}

/// However a capture comes to its spans, it keeps the same of them, and closes them at the same time.
#[test]
fn bounded_captures_are_the_same_by_every_way() {
    let keep = prop_oneof![Just(Keep::Newest), Just(Keep::Oldest)];
    check_all(&(program(3), 0..12_usize, keep), |(program, max, keep)| {
        let capture = Capture::builder().max_nodes(max, keep).start();
        run(&program, capture.dispatch());
        let captured = capture.trace();
        let [layered, direct] = std::array::from_fn(|_| {
            let storage = SharedStorage::default();
            storage.set_max_nodes(max, keep);
            storage
        });
        run(&program, &subscriber(0, &layered));
        let [(_, sent), _] = send(&program);
        let mut receiver = TracingEventReceiver::capturing(&direct);
        feed(&mut receiver, &sent);
        let timeline = |trace: &Trace| -> Vec<_> {
            let happenings = trace.timeline().map(|(_, happening)| format!("{happening:?}"));
            happenings.collect()
        };
        for (way, storage) in [("layer", &layered), ("direct", &direct)] {
            let trace = storage.lock();
            assert_eq!(detailed(&captured), detailed(&trace), "{way}");
            assert_eq!(timeline(&captured), timeline(&trace), "{way}");
            assert_eq!(threads(&captured), threads(&trace), "{way}");
        }
    });
}
