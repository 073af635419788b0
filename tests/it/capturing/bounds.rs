//! Captures that hold only so much.

use spanshot::{Capture, Keep, SharedStorage, Storage};
use tracing::{Span, field, info, info_span};

use crate::support::captured_by_every_way;

fn numbers(trace: &Storage) -> Vec<String> {
    trace.all_events().map(|event| event["number"].to_string()).collect()
}

/// A value that takes about so many bytes.
fn large(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[test]
fn newest_or_oldest_are_kept_and_the_others_counted() {
    for (keep, expected) in [
        (
            Keep::Newest,
            "(97 earlier nodes were left out)\nINFO number=97\nINFO number=98\nINFO number=99",
        ),
        (
            Keep::Oldest,
            "INFO number=0\nINFO number=1\nINFO number=2\n(97 later nodes were left out)",
        ),
    ] {
        captured_by_every_way(
            |storage| storage.set_max_nodes(3, keep),
            |way, storage| {
                (0..100).for_each(|number| info!(number));
                let trace = storage.lock();
                assert_eq!(trace.to_string(), expected, "{way}");
                assert_eq!((trace.left_out(), trace.timeline().count()), (97, 3), "{way}");
            },
        );
    }
}

#[test]
fn bytes_are_those_of_the_values() {
    for keep in [Keep::Newest, Keep::Oldest] {
        captured_by_every_way(
            |storage| storage.set_max_bytes(100_000, keep),
            |way, storage| {
                for number in 0..50 {
                    info!(number, text = large(10_000));
                }
                let trace = storage.lock();
                let kept = numbers(&trace);
                assert!((8..=9).contains(&kept.len()), "{way}: {kept:?}");
                assert_eq!(trace.left_out(), 50 - kept.len() as u64, "{way}");
                let first = if keep == Keep::Newest { 50 - kept.len() } else { 0 };
                assert_eq!(kept[0], first.to_string(), "{way}");
            },
        );
    }
}

#[test]
fn nothing_is_kept_of_a_bound_of_0() {
    for keep in [Keep::Newest, Keep::Oldest] {
        captured_by_every_way(
            |storage| storage.set_max_nodes(0, keep),
            |way, storage| {
                let span = info_span!("span", number = 0, late = field::Empty);
                span.record("late", 1);
                span.clone().in_scope(|| info!(number = 1));
                drop(span);
                let trace = storage.lock();
                assert_eq!((trace.roots().len(), trace.left_out()), (0, 2), "{way} {keep:?}");
                assert_eq!(storage.take().left_out(), 2, "{way} {keep:?}");
                assert_eq!(storage.lock().left_out(), 0, "{way} {keep:?}: said once");
            },
        );
    }
}

#[test]
fn open_spans_stay_beyond_the_bound() {
    captured_by_every_way(
        |storage| storage.set_max_nodes(2, Keep::Newest),
        |way, storage| {
            let spans: Vec<_> = (0..10).map(|number| info_span!("span", number)).collect();
            (0..10).for_each(|number| info!(number));
            let trace = storage.lock();
            assert_eq!(
                (trace.all_spans().len(), numbers(&trace)),
                (10, vec!["8".into(), "9".into()])
            );
            drop(spans);
            let trace = storage.lock();
            assert_eq!((trace.all_spans().len(), trace.left_out()), (0, 18), "{way}");
        },
    );
}

/// What is left out is looked for only when there is twice as much as was left the last time.
#[test]
fn many_open_spans_are_not_copied_for_each_that_comes() {
    captured_by_every_way(
        |storage| storage.set_max_nodes(10, Keep::Newest),
        |way, storage| {
            let mut spans: Vec<Span> = vec![];
            for number in 0..20_000 {
                spans.push(info_span!("span", number));
                info!(number);
            }
            // Were they copied each time, this would be 400 million.
            assert_eq!(storage.lock().all_spans().len(), 20_000, "{way}");
            spans.truncate(5);
            // Five are open, and five are among the ten newest nodes.
            assert_eq!(storage.lock().all_spans().len(), 10, "{way}");
        },
    );
}

#[test]
fn bound_is_changed_while_capturing() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            (0..10).for_each(|number| info!(number));
            storage.set_max_nodes(3, Keep::Newest);
            assert_eq!(numbers(&storage.lock()), ["7", "8", "9"], "{way}");
            storage.set_max_nodes(5, Keep::Newest);
            (10..13).for_each(|number| info!(number));
            assert_eq!(numbers(&storage.lock()), ["8", "9", "10", "11", "12"], "{way}");
            storage.set_max_nodes(6, Keep::Oldest);
            (13..20).for_each(|number| info!(number));
            let trace = storage.lock();
            assert_eq!(numbers(&trace), ["8", "9", "10", "11", "12", "13"], "{way}");
            let text = trace.to_string();
            assert!(
                text.starts_with("(8 earlier nodes were left out)\nINFO number=8\n"),
                "{way}: {text}"
            );
            assert!(
                text.ends_with("\nINFO number=13\n(6 later nodes were left out)"),
                "{way}: {text}"
            );
            assert_eq!(trace.left_out(), 14, "{way}");
            storage.set_max_nodes(2, Keep::Oldest);
            info!(number = 20);
            assert_eq!(numbers(&storage.lock()).len(), 6, "{way}: what is there stays");
        },
    );
}

#[test]
fn value_that_is_replaced_takes_no_more_room() {
    captured_by_every_way(
        |storage| storage.set_max_bytes(10_000, Keep::Oldest),
        |way, storage| {
            let span = info_span!("span", text = field::Empty);
            (0..100).for_each(|_| _ = span.record("text", large(1_000)));
            (0..5).for_each(|number| info!(number));
            assert_eq!(
                (numbers(&storage.lock()).len(), storage.lock().left_out()),
                (5, 0),
                "{way}"
            );
            span.record("text", large(20_000));
            info!(number = 6);
            assert_eq!(storage.lock().left_out(), 1, "{way}");
        },
    );
}

/// What happens in it later is not in the traces that are taken, and nobody may say that nothing did.
#[test]
fn span_that_there_was_no_room_for_is_left_out_until_it_is_closed() {
    use spanshot::predicates::*;

    let capture = Capture::builder().max_nodes(1, Keep::Oldest).start();
    info!("fills it");
    let job = info_span!("job", status = field::Empty);
    assert_eq!(capture.take().left_out(), 1);
    job.record("status", "failed");
    job.in_scope(|| info!("in it"));
    let trace = capture.take();
    assert_eq!((trace.all_events().len(), trace.left_out()), (1, 1));
    trace.scan_spans().try_none(&field("status", "failed")).unwrap_err();
    trace.scan_events().try_none(&ancestor(name("job"))).unwrap_err();
    drop(job);
    info!("after it");
    assert_eq!(capture.take().left_out(), 1); // it was open when the trace began
    info!("much later");
    assert_eq!(capture.take().left_out(), 0);
}

/// A span may have had a value that was left out, whatever is asserted of it.
#[test]
fn predicates_rule_out_no_earlier_value_that_is_left_out() {
    use spanshot::predicates::*;

    let capture = Capture::builder().max_nodes(1, Keep::Newest).start();
    let job = info_span!("job", status = "failed");
    for _ in 0..5_000 {
        job.record("status", "done");
    }
    let trace = capture.trace();
    let (spans, failed) = (trace.scan_spans(), field("status", "failed"));
    for refused in [
        spans.try_any(&!ever(failed)),
        spans.try_any(&ever(!failed)),
        spans.try_any(&(name("job") & !ever(any_field("failed")))),
        spans.try_first(&!ever(failed)).map(drop),
        spans.try_count(1.., &!ever(failed)).map(drop),
        spans.try_in_order(&[&!ever(failed)]).map(drop),
    ] {
        let refusal = refused.unwrap_err().to_string();
        assert!(refusal.contains("earlier values of fields were left out"), "{refusal}");
    }
    // The last value is there.
    spans.any(&!failed);
    spans.any(&ever(field("status", "done")));
    spans.any(&!!ever(field("status", "done")));
}

#[test]
fn values_are_recorded_into_spans_that_have_moved() {
    captured_by_every_way(
        |storage| storage.set_max_bytes(8_000, Keep::Newest),
        |way, storage| {
            let spans = [0, 1, 2].map(|number| {
                (0..100).for_each(|number| info!(number));
                info_span!("span", number, late = field::Empty)
            });
            (0..1_000).for_each(|number| info!(number));
            assert!(storage.lock().left_out() > 1_000, "{way}");
            for (number, span) in spans.iter().enumerate().rev() {
                span.record("late", format!("{number} {}", large(10_000)));
            }
            let trace = storage.lock();
            assert_eq!(trace.all_spans().len(), 3, "{way}");
            for (number, span) in trace.all_spans().enumerate() {
                assert_eq!(span["number"].as_int(), i128::try_from(number).ok(), "{way}");
                assert!(
                    span["late"].as_str().unwrap().starts_with(&format!("{number} x")),
                    "{way}"
                );
            }
        },
    );
}

/// A span that lives long is entered again and again.
#[test]
fn enters_of_a_long_run_are_left_out_with_the_nodes_around_them() {
    captured_by_every_way(
        |storage| storage.set_max_nodes(10, Keep::Newest),
        |way, storage| {
            let server = info_span!("server");
            for number in 0..5_000 {
                server.in_scope(|| info!(number));
            }
            let trace = storage.lock();
            let span = trace.all_spans().next().unwrap();
            assert_eq!(span.stats().entered, 5_000, "{way}");
            assert!((10..=11).contains(&span.exits().count()), "{way}: {}", span.exits().count());
            assert!(trace.timeline().count() <= 33, "{way}");
        },
    );
}

#[test]
fn durations_are_those_of_all_enters() {
    let prepare = |storage: &SharedStorage| {
        storage.keep_times();
        storage.set_max_nodes(3, Keep::Newest);
    };
    captured_by_every_way(prepare, |way, storage| {
        let server = info_span!("server");
        for number in 0..100 {
            server.in_scope(|| info!(number));
        }
        drop(server);
        info!(number = 100);
        info!(number = 101);
        let trace = storage.lock();
        let event = trace.all_events().next().unwrap();
        let span = event.parent().expect("it is around what is kept");
        let time = |moment| trace.time_of(moment).expect("times are kept");
        let life = time(span.closed().unwrap()).duration_since(time(span.moment())).unwrap();
        let (busy, idle) = (span.busy().unwrap(), span.idle().unwrap());
        assert_eq!(busy + idle, life, "{way}");
        assert!(!busy.is_zero() && !idle.is_zero(), "{way}: {busy:?} {idle:?}");
        // Before the enters that are here, there were others.
        let (first, last) = (span.enters().next().unwrap(), span.exits().next_back().unwrap());
        assert!(busy > time(last).duration_since(time(first)).unwrap(), "{way}");
    });
}
