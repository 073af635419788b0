//! A capture that is bounded takes no more memory the longer it runs. Counting all that is allocated is
//! the business of a process of its own.

mod counting;

use std::{hint, sync::atomic::Ordering::Relaxed};

use spanshot::{Capture, CaptureBuilder, Keep};
use tracing::{field, info, info_span};

use self::counting::{ALL, MOST, NOW};

const MEGABYTE: usize = 1 << 20;

/// Asserts how much memory a capture takes at the most while it runs.
#[track_caller]
fn check(what: &str, max: usize, capture: CaptureBuilder, run: impl FnOnce(&Capture)) {
    let capture = capture.start();
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    run(&capture);
    hint::black_box(capture.trace());
    let most = MOST.load(Relaxed) - before;
    assert!(most < max, "{what}: {most} bytes");
    assert!(most > 1_000, "{what}: {most} bytes are not counted");
}

/// They are one test, so that they do not count one another.
#[test]
fn long_runs_take_no_more_memory_than_short_ones() {
    let (nodes, bytes) = (
        || Capture::builder().max_nodes(1_000, Keep::Newest),
        || Capture::builder().max_bytes(MEGABYTE / 4, Keep::Newest),
    );
    check("the newest events", 2 * MEGABYTE, nodes(), |capture| {
        (0..300_000).for_each(|number| info!(number, "an event"));
        assert_eq!(capture.trace().left_out(), 299_000);
    });
    let oldest = Capture::builder().max_nodes(1_000, Keep::Oldest);
    check("the oldest events", MEGABYTE, oldest, |capture| {
        (0..200_000).for_each(|number| info!(number, "an event"));
        assert_eq!(capture.trace().left_out(), 199_000);
    });
    check("bytes", 2 * MEGABYTE, bytes(), |_| {
        (0..20_000).for_each(|number| info!(number, text = "x".repeat(1_000)));
    });
    check("closed spans", 2 * MEGABYTE, nodes(), |_| {
        for number in 0..100_000 {
            info_span!("span", number).in_scope(|| info!("in it"));
        }
    });
    check("a span that is entered again", 2 * MEGABYTE, nodes().keep_times(), |_| {
        let span = info_span!("span");
        (0..100_000).for_each(|number| span.in_scope(|| info!(number)));
    });
    check("nothing but enters", 2 * MEGABYTE, bytes(), |_| {
        let span = info_span!("span");
        (0..200_000).for_each(|_| span.in_scope(|| ()));
    });
    check("values that are replaced", 2 * MEGABYTE, bytes(), |_| {
        let span = info_span!("span", a = field::Empty, b = field::Empty);
        (0..100_000).for_each(|number| _ = span.record("a", number).record("b", "x".repeat(1_000)));
    });
    // A limit on nodes is one on what happens to them, whichever nodes are kept.
    for keep in [Keep::Newest, Keep::Oldest] {
        let few = || Capture::builder().max_nodes(10, keep);
        check("one span that is entered without end", MEGABYTE, few(), |capture| {
            let span = info_span!("span");
            (0..300_000).for_each(|_| span.in_scope(|| ()));
            let trace = capture.trace();
            let stats = trace.all_spans().next().unwrap().stats();
            assert_eq!((stats.entered, stats.exited), (300_000, 300_000));
        });
        check("one span that is recorded into without end", MEGABYTE, few(), |capture| {
            let span = info_span!("span", number = field::Empty);
            (0..300_000).for_each(|number| _ = span.record("number", number));
            let trace = capture.trace();
            let span = trace.all_spans().next().unwrap();
            assert!(span["number"] == 299_999 && span.recorded("number").count() < 100_000);
        });
    }
    // Open spans stay beyond the limit. They must not be copied for each that comes, or is looked at:
    // that would be gigabytes.
    let before = ALL.load(Relaxed);
    check("open spans", 32 * MEGABYTE, nodes(), |capture| {
        let spans: Vec<_> = (0..20_000).map(|number| info_span!("span", number)).collect();
        (0..1_000).for_each(|_| assert_eq!(capture.trace().all_spans().len(), 20_000));
        drop(spans);
        assert_eq!(capture.trace().all_spans().len(), 1_000);
    });
    let all = ALL.load(Relaxed) - before;
    assert!(all < 100 * MEGABYTE, "open spans: {all} bytes in all");
    check("what is taken", MEGABYTE, Capture::builder().keep_times(), |capture| {
        let span = info_span!("span");
        for _ in 0..1_000 {
            (0..100).for_each(|number| span.in_scope(|| info!(number)));
            assert_eq!(capture.take().all_events().len(), 100);
        }
    });
}
