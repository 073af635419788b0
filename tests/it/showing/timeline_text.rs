//! What happened in a trace, one after another, as text.

use spanshot::{Capture, Keep, SnapshotSettings, Storage, assert_trace_snapshot};
use tracing::{Level, debug_span, field::Empty, info, info_span, warn};

use crate::support::{direct, feed_frames, frames_of, native, on_thread, panic_message, relayed};

fn program() {
    let serve = info_span!("serve", status = Empty).entered();
    let query = info_span!(target: "db", "query", rows = 1, "odd name" = "x\u{1b}[31m");
    query.follows_from(&*serve);
    query.in_scope(|| warn!(millis = 850, "slow\n: {}", "two lines"));
    query.record("rows", 3);
    serve.record("status", 200);
    on_thread(|| info!(parent: &query, "elsewhere"));
    drop(query);
    info!("served");
    drop(serve);
    info!("done");
}

#[test]
fn everything_has_its_line() {
    let trace = native(program);
    assert_trace_snapshot!(trace.timeline_text(), @r#"
    new span 1: INFO serve{}
    span 1 serve: entered
    new span 2 in span 1 serve: INFO query{rows=1 "odd name"="x\u{1b}[31m"} (follows from serve)
    span 2 query: entered
    event in span 2 query: WARN ⟨2 lines⟩ millis=850
    ┆ slow
    ┆ : two lines
    span 2 query: exited
    span 2 query: recorded rows=3
    span 1 serve: recorded status=200
    event in span 2 query: INFO elsewhere
    span 2 query: closed
    event in span 1 serve: INFO served
    span 1 serve: exited
    span 1 serve: closed
    event: INFO done
    "#);
    insta::assert_snapshot!(trace.timeline_text().to_string(), @r#"
    new span 1: INFO serve{}
    span 1 serve: entered
    new span 2 in span 1 serve: INFO query{rows=1 "odd name"="x\u{1b}[31m"} (follows from serve)
    span 2 query: entered
    event in span 2 query: WARN ⟨2 lines⟩ millis=850
    ┆ slow
    ┆ : two lines
    span 2 query: exited
    span 2 query: recorded rows=3
    span 1 serve: recorded status=200
    event in span 2 query: INFO elsewhere
    span 2 query: closed
    event in span 1 serve: INFO served
    span 1 serve: exited
    span 1 serve: closed
    event: INFO done
    "#);
}

#[test]
fn streams_give_the_same_lines() {
    let expected = native(program).timeline_text().to_string();
    let frames = frames_of(program);
    assert_eq!(direct(feed_frames(&frames)).timeline_text().to_string(), expected);
    assert_eq!(relayed(feed_frames(&frames)).timeline_text().to_string(), expected);
}

#[test]
fn settings_show_hide_and_redact() {
    let trace = native(program);
    let settings = SnapshotSettings::new().targets(true).threads(true).redact("rows", "rows");
    assert_trace_snapshot!(settings.timeline_text(&trace), @r#"
    new span 1: INFO it::showing::timeline_text: serve{} ⟨thread 0⟩
    span 1 serve: entered ⟨thread 0⟩
    new span 2 in span 1 serve: INFO db: query{rows=⟨rows⟩ "odd name"="x\u{1b}[31m"} (follows from serve) ⟨thread 0⟩
    span 2 query: entered ⟨thread 0⟩
    event in span 2 query: WARN it::showing::timeline_text: ⟨2 lines⟩ millis=850 ⟨thread 0⟩
    ┆ slow
    ┆ : two lines
    span 2 query: exited ⟨thread 0⟩
    span 2 query: recorded rows=⟨rows⟩
    span 1 serve: recorded status=200
    event in span 2 query: INFO it::showing::timeline_text: elsewhere ⟨thread 1⟩
    span 2 query: closed
    event in span 1 serve: INFO it::showing::timeline_text: served ⟨thread 0⟩
    span 1 serve: exited ⟨thread 0⟩
    span 1 serve: closed
    event: INFO it::showing::timeline_text: done ⟨thread 0⟩
    "#);
    // A span that is hidden is no parent, and has no number.
    let settings = SnapshotSettings::new()
        .levels(false)
        .ascii(true)
        .filter(|node| node.metadata().target() != "db");
    assert_trace_snapshot!(settings.timeline_text(&trace), @"
    new span 1: serve{}
    span 1 serve: entered
    event in span 1 serve: <<2 lines>> millis=850
    : slow
    : : two lines
    span 1 serve: recorded status=200
    event in span 1 serve: elsewhere
    event in span 1 serve: served
    span 1 serve: exited
    span 1 serve: closed
    event: done
    ");
    // Those of the scope hold for a timeline that has none of its own.
    SnapshotSettings::new().fields(false).bind(|| {
        assert_trace_snapshot!(trace.timeline_text(), @r"
        new span 1: INFO serve{}
        span 1 serve: entered
        …
        ");
        assert_trace_snapshot!(SnapshotSettings::new().timeline_text(&trace), @r"
        …
        event in span 2 query: WARN ⟨2 lines⟩ millis=850
        …
        ");
    });
}

#[test]
fn numbered_redactions_go_on_along_the_time() {
    let trace = native(|| {
        let [a, b] = [7, 9].map(|id| info_span!("job", id));
        b.record("id", 8);
        a.in_scope(|| info!(id = 8, "same as the second"));
        b.in_scope(|| info!(id = 7, "same as the first"));
    });
    let settings = SnapshotSettings::new().redact("id", "id").number_redactions("id");
    assert_trace_snapshot!(settings.timeline_text(&trace), @"
    new span 1: INFO job{id=⟨id 1⟩}
    new span 2: INFO job{id=⟨id 2⟩}
    span 2 job: recorded id=⟨id 3⟩
    span 1 job: entered
    event in span 1 job: INFO same as the second id=⟨id 3⟩
    span 1 job: exited
    span 2 job: entered
    event in span 2 job: INFO same as the first id=⟨id 1⟩
    span 2 job: exited
    span 2 job: closed
    span 1 job: closed
    ");
}

#[test]
fn repetitions_are_folded() {
    let trace = native(|| {
        let poll = info_span!("poll");
        (0..80).for_each(|_| poll.in_scope(|| ()));
        (0..5).for_each(|_| info!("tick"));
        (0..80).for_each(|_| poll.in_scope(|| info!("polled")));
        // The same text about different spans is not the same, nor is a name a part of the line.
        let again = info_span!("poll");
        poll.in_scope(|| ());
        again.in_scope(|| ());
        info_span!("poll: INFO x").in_scope(|| info!("y"));
    });
    assert_trace_snapshot!(trace.timeline_text(), @r#"
    new span 1: INFO poll{}
    ⟨80×⟩
    ├─ span 1 poll: entered
    └─ span 1 poll: exited
    ⟨5×⟩ event: INFO tick
    ⟨80×⟩
    ├─ span 1 poll: entered
    ├─ event in span 1 poll: INFO polled
    └─ span 1 poll: exited
    new span 2: INFO poll{}
    span 1 poll: entered
    span 1 poll: exited
    span 2 poll: entered
    span 2 poll: exited
    new span 3: INFO poll: INFO x{}
    span 3 "poll: INFO x": entered
    event in span 3 "poll: INFO x": INFO y
    span 3 "poll: INFO x": exited
    span 3 "poll: INFO x": closed
    span 2 poll: closed
    span 1 poll: closed
    "#);
}

#[test]
fn spans_that_are_open_or_were_taken_are_there_with_what_is_left() {
    let capture = Capture::start();
    let job = info_span!("job", step = 1).entered();
    info!("first");
    capture.take();
    job.record("step", 2);
    info!("second");
    assert_trace_snapshot!(capture.trace().timeline_text(), @"
    new span 1: INFO job{step=1}
    span 1 job: recorded step=2
    event in span 1 job: INFO second
    ");
    capture.storage().set_max_nodes(2, Keep::Newest);
    (0..100).for_each(|_| info!("again"));
    assert_trace_snapshot!(capture.trace().timeline_text(), @"
    (99 earlier nodes were left out)
    new span 1: INFO job{step=2}
    ⟨2×⟩ event in span 1 job: INFO again
    ");
    assert_trace_snapshot!(Storage::default().timeline_text(), @"(nothing was captured)");
}

#[test]
fn wrong_order_fails() {
    let trace = native(|| {
        let span = info_span!("work");
        span.in_scope(|| ());
        info!("between");
        span.in_scope(|| ());
    });
    let message = panic_message(|| {
        assert_trace_snapshot!(trace.timeline_text(), @r"
        …
        span 1 work: entered
        span 1 work: exited
        span 1 work: entered
        …
        ");
    });
    assert!(message.starts_with("the trace does not match the snapshot"), "{message}");
}

/// A hidden span may be around very many others.
#[test]
fn timeline_takes_time_in_proportion_to_its_length() {
    let trace = native(|| {
        let mut spans = Vec::new();
        for _ in 0..20_000 {
            let parent = spans.last().and_then(tracing::Span::id);
            let span = debug_span!(parent: parent, "around", n = 0);
            span.record("n", 1);
            spans.push(span);
        }
        let innermost = spans.last().unwrap();
        (0..20_000).for_each(|n| {
            innermost.record("n", n);
            info!(parent: innermost, "in it");
        });
        spans.reverse();
    });
    let started = std::time::Instant::now();
    let settings = SnapshotSettings::new().filter(|node| *node.metadata().level() == Level::INFO);
    let text = settings.timeline_text(&trace).to_string();
    assert_eq!(text, "⟨20000×⟩ event: INFO in it");
    assert!(trace.timeline_text().to_string().lines().count() > 20_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
