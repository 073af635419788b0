//! Programs that are suspended at every boundary between two records, and go on in another process.
//!
//! The other process is this binary again, told by an environment variable what to do.

#[path = "it/support.rs"]
#[allow(dead_code, unused_imports)] // it is made for another binary, too
mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use spanshot::{
    Capture, LocalSpans, PersistedMetadata, PersistedSpans, SharedStorage, Trace,
    TracingEventReceiver, capture::CapturedNode,
};
use support::{current_dispatch, direct, feed_frames, frames_of};
use tracing::{Span, field, info, info_span};

/// Names the files of a suspended program.
const SUSPENDED: &str = "SPANSHOT_TEST_SUSPENDED";

/// Metadata, spans, and the frames that are yet to come.
type Suspended = (Vec<u8>, Vec<u8>, Vec<Vec<u8>>);

fn programs() -> Vec<(&'static str, fn())> {
    vec![
        ("nested", || {
            let outer = info_span!("outer", late = field::Empty, text = "a");
            outer.in_scope(|| {
                info!("in outer");
                let inner = info_span!("inner", number = 1);
                inner.in_scope(|| {
                    info!("in inner");
                    Span::current().record("number", 2);
                });
                info!("after inner");
            });
            outer.record("late", "recorded").record("text", "b");
        }),
        ("parents", || {
            let first = info_span!("first");
            let child = info_span!(parent: &first, "child");
            drop(first); // its child keeps it open
            let root = child.in_scope(|| info_span!(parent: None, "root"));
            info!(parent: &child, "in child");
            drop(child);
            root.in_scope(|| info_span!("leaf").in_scope(|| info!("in leaf")));
        }),
        ("reentered", || {
            let (a, b) = (info_span!("a"), info_span!("b"));
            let clone = a.clone();
            let entered = a.enter();
            b.in_scope(|| a.in_scope(|| info!("in b, though a was entered again")));
            drop(entered);
            drop(b);
            clone.in_scope(|| info!("in the clone"));
        }),
        ("values", || {
            let span = info_span!("span", a = 1, b = u128::MAX, c = f64::NAN, d = &[0_u8, 1][..]);
            let error = "x".parse::<u8>().unwrap_err();
            span.record("a", &error as &dyn std::error::Error);
            span.in_scope(|| info!(e = ?Some("text"), f = -0.0, g = true));
        }),
        ("threads", || {
            let dispatch = current_dispatch();
            let outer = info_span!("outer").entered();
            thread::scope(|scope| {
                scope.spawn(|| {
                    tracing::dispatcher::with_default(&dispatch, || {
                        info!("in none");
                        info_span!("of thread").in_scope(|| info!("in that of the thread"));
                        outer.in_scope(|| info!("in outer, on the thread"));
                    });
                });
            });
            info!("in outer");
        }),
        ("closed while entered", || {
            let outer = info_span!("outer").entered();
            let span = info_span!("span");
            let (dispatch, id) = (current_dispatch(), span.id().unwrap());
            dispatch.enter(&id);
            drop(span);
            let current = Span::current();
            current.in_scope(|| info!("in none"));
            info!(parent: &current, "a root");
            drop(current);
            dispatch.exit(&id);
            info!("in outer");
            drop(outer);
        }),
    ]
}

/// Draws a trace as far as its nodes are to be seen: a line a node, without what it follows from.
fn draw(trace: &Trace, is_seen: &dyn Fn(CapturedNode<'_>) -> bool) -> String {
    fn draw_nodes<'a>(
        nodes: impl Iterator<Item = CapturedNode<'a>>,
        depth: usize,
        is_seen: &dyn Fn(CapturedNode<'_>) -> bool,
        drawn: &mut Vec<String>,
    ) {
        for node in nodes.filter(|node| is_seen(*node)) {
            let indent = "  ".repeat(depth);
            match node {
                CapturedNode::Event(event) => drawn.push(format!("{indent}{event}")),
                CapturedNode::Span(span) => {
                    let values: Vec<_> = span.values().collect();
                    let name = span.metadata().name();
                    let is_closed = span.stats().is_closed;
                    drawn.push(format!("{indent}{name} {values:?} {is_closed}"));
                    draw_nodes(span.nodes(), depth + 1, is_seen, drawn);
                }
            }
        }
    }

    let mut drawn = vec![];
    draw_nodes(trace.roots(), 0, is_seen, &mut drawn);
    drawn.join("\n")
}

/// What is left to be seen of a trace if it begins in the middle: the spans that are open then, and
/// all that comes later.
fn expected(before: &Trace, whole: &Trace) -> String {
    let is_seen = |node: CapturedNode<'_>| match node {
        CapturedNode::Span(span) => {
            let index = whole.all_spans().position(|other| other == span).unwrap();
            before.all_spans().nth(index).is_none_or(|span| !span.stats().is_closed)
        }
        CapturedNode::Event(event) => {
            let index = whole.all_events().position(|other| other == event).unwrap();
            index >= before.all_events().len()
        }
    };
    draw(whole, &is_seen)
}

#[test]
fn program_goes_on_in_another_process_as_if_nothing_had_happened() {
    for (name, program) in programs() {
        let frames = frames_of(program);
        let whole = direct(feed_frames(&frames));
        for boundary in 0..=frames.len() {
            let (first, rest) = frames.split_at(boundary);
            let storage = SharedStorage::default();
            let mut receiver = TracingEventReceiver::capturing(&storage);
            feed_frames(first)(&mut receiver);
            let expected = expected(&storage.lock(), &whole);
            let metadata = receiver.persist_metadata();
            let (spans, _) = receiver.persist();

            let as_json = (serde_json::to_vec(&metadata), serde_json::to_vec(&spans));
            let as_json = (as_json.0.unwrap(), as_json.1.unwrap(), rest.to_vec());
            let resumed = resume_elsewhere("json", &as_json);
            assert_eq!(resumed, expected, "{name}, at {boundary}, by JSON");
            let as_postcard = (postcard::to_allocvec(&metadata), postcard::to_allocvec(&spans));
            let as_postcard = (as_postcard.0.unwrap(), as_postcard.1.unwrap(), rest.to_vec());
            let resumed = resume_elsewhere("postcard", &as_postcard);
            assert_eq!(resumed, expected, "{name}, at {boundary}, by postcard");
        }
    }
}

fn output(suspended: &Path) -> PathBuf {
    suspended.with_extension("resumed")
}

fn resume_elsewhere(format: &str, suspended: &Suspended) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("suspended.{format}"));
    fs::write(&path, postcard::to_allocvec(suspended).unwrap()).unwrap();
    let other = Command::new(env::current_exe().unwrap())
        .args(["--exact", "resume_here", "--nocapture"])
        .env(SUSPENDED, &path)
        .output()
        .unwrap();
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stderr));
    fs::read_to_string(output(&path)).unwrap()
}

/// Does nothing unless it is the other process.
#[test]
fn resume_here() {
    let Some(path) = env::var_os(SUSPENDED).map(PathBuf::from) else { return };
    let bytes = fs::read(&path).unwrap();
    let (metadata, spans, frames): Suspended = postcard::from_bytes(&bytes).unwrap();
    let (metadata, spans): (PersistedMetadata, PersistedSpans) =
        if path.extension().unwrap() == "json" {
            (serde_json::from_slice(&metadata).unwrap(), serde_json::from_slice(&spans).unwrap())
        } else {
            (postcard::from_bytes(&metadata).unwrap(), postcard::from_bytes(&spans).unwrap())
        };
    let storage = SharedStorage::default();
    let local_spans = LocalSpans::capturing(&storage);
    let mut receiver = TracingEventReceiver::new(metadata.clone(), spans.clone(), local_spans);
    feed_frames(&frames)(&mut receiver);
    let captured = draw(&storage.lock(), &|_| true);

    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::new(metadata, spans, LocalSpans::default());
    feed_frames(&frames)(&mut receiver);
    let relayed = draw(&capture.trace(), &|_| true);
    assert_eq!(captured, relayed);
    fs::write(output(&path), relayed).unwrap();
}
