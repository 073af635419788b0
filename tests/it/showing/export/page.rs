//! What is in a page.

use spanshot::{Capture, Keep, SharedStorage, Storage, export::HtmlPage};
use tracing::{Span, info, info_span};

use super::captured;
use crate::support::deep;

/// What the page has between its header and its script.
fn main(trace: &Storage) -> String {
    let page = HtmlPage::new(trace).to_string();
    let (_, rest) = page.split_once("<main aria-label=\"Spans and events\">\n").unwrap();
    rest.split_once("</main>").unwrap().0.to_owned()
}

#[test]
fn tree_of_a_page() {
    let storage = captured(
        r#"[
        {"new_call_site":{"id":0,"kind":"span","name":"connect","target":"net","level":"info",
            "module_path":"app::net","file":"src/net.rs","line":7,"fields":["port","tls"]}},
        {"new_call_site":{"id":1,"kind":"event","name":"event","target":"net","level":"warn",
            "fields":["message","millis","from","lines","key"]}},
        {"new_span":{"id":1,"metadata_id":0,"values":{"port":{"u_int":8080},"tls":{"bool":true}}}},
        {"span_entered":{"id":1}},
        {"new_event":{"metadata_id":1,"values":{"message":{"object":"slow & <b>"},
            "millis":{"float":850.5},"from":{"string":"a \"b\""}}}},
        {"new_event":{"metadata_id":1,"values":{"message":{"string":""},
            "lines":{"string":"\n1 < 2\n\u001b"}}}},
        {"span_exited":{"id":1}},
        {"span_entered":{"id":1}},
        {"new_span":{"id":2,"metadata_id":0,"values":{}}},
        {"follows_from":{"id":2,"follows_from":1}},
        {"span_dropped":{"id":2}}
    ]"#,
    );
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.bind(|| insta::assert_snapshot!(main(&storage.lock())));
}

#[test]
fn long_values_are_folded_and_said_to_be() {
    let capture = Capture::start();
    info!(
        short = "x".repeat(200),
        long = "x".repeat(201),
        longer = "y".repeat(1_048_576),
        bytes = &[7_u8; 1_000][..]
    );
    let page = main(&capture.trace());
    assert_eq!(page.matches("<pre class=\"string\">").count(), 2);
    assert!(page.contains(&format!("&quot;{}&quot;</span>", "x".repeat(200))));
    assert!(page.contains("<div class=\"value\"><i>long</i><pre"), "{page}");
    assert!(page.contains(
        "<details class=\"value\"><summary><i>longer</i> <small>1,048,576 bytes</small></summary>"
    ));
    assert!(page.contains("<i>bytes</i> <small>1,000 bytes</small>"));
    assert_eq!(page.matches(&"y".repeat(1_048_576)).count(), 1);
}

#[test]
fn what_is_left_out_is_said() {
    assert_eq!(
        main(&SharedStorage::default().lock()),
        "<p class=\"note\">Nothing was captured</p>\n"
    );
    for (keep, is_first) in [(Keep::Newest, true), (Keep::Oldest, false)] {
        let capture = Capture::builder().max_nodes(3, keep).start();
        (0..1_003).for_each(|number| info!(number));
        let page = main(&capture.trace());
        let when = if is_first { "earlier" } else { "later" };
        let note = format!("<p class=\"note\">1,000 {when} nodes left out</p>\n");
        assert_eq!(
            (page.starts_with(&note), page.ends_with(&note)),
            (is_first, !is_first),
            "{page}"
        );
        let page = HtmlPage::new(&capture.trace()).to_string();
        assert!(page.contains("0 spans, 3 events <em>(1,000 nodes left out)</em>"));
    }
}

/// Elements are nested as deep as browsers stand, and all are closed.
#[test]
fn elements_are_balanced_and_not_too_deep() {
    let wide = Capture::start();
    let spans: Vec<_> = (0..200).map(|number| info_span!("span", number)).collect();
    for span in spans.iter().cycle().take(1_000) {
        span.in_scope(|| drop(info_span!("child")));
    }
    for trace in [deep(47), deep(48), deep(49), deep(50), deep(5_000), wide.trace()] {
        let page = main(&trace);
        let (mut depth, mut deepest) = (0_usize, 0);
        for element in ["details", "div"] {
            let (start, end) = (format!("<{element}"), format!("</{element}>"));
            assert_eq!(page.matches(&start).count(), page.matches(&end).count(), "{element}");
        }
        for tag in page.split('<').skip(1) {
            if tag.starts_with("details") || tag.starts_with("div") {
                depth += 1;
            } else if tag.starts_with("/details") || tag.starts_with("/div") {
                depth = depth.checked_sub(1).expect("it was opened");
            }
            deepest = deepest.max(depth);
        }
        assert_eq!(depth, 0);
        assert!(deepest <= 110, "{deepest}");
        let nodes = trace.all_spans().len() + trace.all_events().len();
        assert_eq!(page.matches("class=\"node ").count(), nodes);
        assert_eq!(page.matches("<p>").count() + page.matches("<summary>").count(), nodes);
    }
}

#[test]
fn depth_is_told_where_it_is_not_shown() {
    let page = main(&deep(60));
    let told =
        |depth: usize| page.contains(&format!("<small class=\"depth\">depth {depth}</small>"));
    assert!((0..=48).all(|depth| !told(depth)));
    assert!((49..=60).all(told));
}

/// At first a page shows a thousand nodes, but for the roots.
#[test]
fn pages_are_folded_so_that_not_too_much_is_shown() {
    let page_of = |requests: usize, steps: usize| {
        let capture = Capture::start();
        for _ in 0..requests {
            info_span!("request").in_scope(|| {
                info_span!("steps").in_scope(|| (0..steps).for_each(|_| info!("step")));
            });
        }
        let page = main(&capture.trace());
        (page.matches("<details").count(), page.matches("\" open>").count())
    };
    assert_eq!(page_of(10, 98), (20, 20));
    assert_eq!(page_of(10, 99), (20, 10));
    assert_eq!(page_of(501, 1), (1_002, 0));
}

#[test]
fn times_and_threads_are_told_if_there_are_any() {
    let capture = Capture::builder().keep_times().start();
    let span = info_span!("work");
    let handle = capture.handle();
    std::thread::scope(|scope| {
        scope.spawn(|| handle.in_scope(|| span.in_scope(|| info!("on another thread"))));
    });
    drop(span);
    let page = main(&capture.trace());
    assert_eq!(page.matches("<time>+").count(), 2);
    assert_eq!(
        (page.matches(" · thread 0<").count(), page.matches(" · thread 1<").count()),
        (1, 1)
    );
    assert!(page.contains(" (busy ") && page.contains(", idle "), "{page}");

    let capture = Capture::start();
    Span::none().in_scope(|| info!("here"));
    let page = main(&capture.trace());
    assert!(!page.contains("<time>") && !page.contains("thread"), "{page}");
}
