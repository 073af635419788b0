//! Spans that there was no room for, and what is done with them.

use spanshot::{Capture, Keep, predicates::*};
use tracing::{Span, field, info, info_span};

use crate::support::captured_by_every_way;

#[test]
fn what_is_in_a_span_that_is_left_out_stands_in_the_nearest_one_that_is_kept() {
    captured_by_every_way(
        |storage| storage.set_max_nodes(2, Keep::Oldest),
        |way, storage| {
            let kept = info_span!("kept");
            let inner = info_span!(parent: &kept, "inner");
            let left_out = info_span!(parent: &inner, "left_out", late = field::Empty);
            let deeper = info_span!(parent: &left_out, "deeper");
            left_out.record("late", 1);
            deeper.follows_from(&left_out);
            storage.set_max_nodes(7, Keep::Oldest);
            deeper.in_scope(|| {
                info!(number = 0);
                // What asks for the current span finds a place there, too.
                info!(parent: Span::current(), number = 1);
                drop(info_span!("contextual"));
            });
            info!(parent: &left_out, number = 2);
            let expected = "INFO kept{}\n└─ INFO inner{}\n   ├─ INFO number=0\n   ├─ INFO number=1\n   \
            ├─ INFO contextual{}\n   └─ INFO number=2\n(2 later nodes were left out)";
            assert_eq!(storage.lock().to_string(), expected, "{way}");
            let stats = storage.lock().all_spans().nth(1).unwrap().stats();
            assert_eq!((stats.entered, stats.exited), (0, 0), "{way}");
            drop(deeper);
        },
    );
}

#[test]
fn span_that_is_left_out_keeps_the_one_around_it_open() {
    captured_by_every_way(
        |storage| storage.set_max_nodes(1, Keep::Oldest),
        |way, storage| {
            let is_closed = || storage.lock().all_spans().next().unwrap().stats().is_closed;
            let kept = info_span!("kept");
            let left_out = info_span!(parent: &kept, "left_out");
            let deeper = info_span!(parent: &left_out, "deeper");
            drop(kept);
            assert!(!is_closed(), "{way}");
            drop(left_out.clone());
            drop(left_out);
            assert!(!is_closed(), "{way}");
            storage.set_max_nodes(2, Keep::Oldest);
            info!(parent: &deeper, number = 1);
            drop(deeper);
            assert!(is_closed(), "{way}");
            assert_eq!(storage.lock().root_events().len(), 0, "{way}");
        },
    );
}

/// A trace that is taken meanwhile does not show what is in it.
#[test]
fn span_that_is_left_out_is_missed_until_it_is_closed() {
    captured_by_every_way(
        |storage| storage.set_max_nodes(1, Keep::Oldest),
        |way, storage| {
            info!("full");
            let job = info_span!("job");
            storage.take();
            job.in_scope(|| info!("working"));
            let while_open = storage.take();
            assert_eq!(while_open.left_out(), 1, "{way}");
            let message = while_open.scan_spans().try_none(&name(eq("job"))).unwrap_err();
            assert!(message.to_string().contains("left out"), "{way}: {message}");
            drop(job);
            storage.take();
            info!("goes on");
            storage.lock().scan_spans().none(&name(eq("job")));
            assert_eq!(storage.lock().left_out(), 0, "{way}");
        },
    );
}

/// Spans that are left out within the same span are still different ones.
#[test]
fn spans_that_are_left_out_are_entered_each_for_itself() {
    let capture = Capture::builder().max_nodes(1, Keep::Oldest).start();
    let kept = info_span!("kept");
    let [one, other] = [(); 2].map(|()| info_span!(parent: &kept, "left_out"));
    assert_ne!(one.id(), other.id());
    capture.storage().set_max_nodes(4, Keep::Oldest);
    one.in_scope(|| {
        info_span!("root").in_scope(|| other.in_scope(|| info!("in the kept one")));
    });
    let event = capture.trace().all_events().next().unwrap().to_string();
    assert_eq!(event, "INFO in the kept one");
    let trace = capture.trace();
    let parent = trace.all_events().next().unwrap().parent().unwrap();
    assert_eq!(parent.metadata().name(), "kept");
}
