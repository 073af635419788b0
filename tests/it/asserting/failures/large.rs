//! Traces and texts that are too large to be shown.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use spanshot::{
    CapturedEvent, Trace,
    predicates::{types::MessagePredicate, *},
};
use tracing::{Level, Span, info, info_span, warn};

use crate::support::native;

/// So many events, one of them a warning.
fn events(count: usize, warning: usize) -> Trace {
    native(|| {
        for index in 0..count {
            if index == warning {
                warn!(index, "event");
            } else {
                info!(index, "event");
            }
        }
    })
}

#[test]
fn one_node() {
    let trace = events(1, 0);
    let events = trace.scan_events();
    assert_snapshot!(failure!(events.none(&level(Level::WARN))), @"
    1 event should not match: level(WARN)

      WARN event index=0

    the trace:
    ▶ WARN event index=0
    ");
}

#[test]
fn fifty_nodes_are_shown_and_one_more_is_not() {
    let trace = events(50, 10);
    let events_of_50 = trace.scan_events();
    let message = failure!(events_of_50.none(&level(Level::WARN)));
    assert_eq!(message.lines().count(), 5 + 50, "{message}");
    let trace = events(51, 10);
    let events_of_51 = trace.scan_events();
    assert_snapshot!(failure!(events_of_51.none(&level(Level::WARN))), @"
    1 event should not match: level(WARN)

      WARN event index=10

    the trace (a part of its 51 spans and events):
      ⋮ 8 more
      INFO event index=8
      INFO event index=9
    ▶ WARN event index=10
      INFO event index=11
      INFO event index=12
      ⋮ 38 more
    ");
    assert_snapshot!(failure!(events_of_51.single(&level(Level::ERROR))), @"
    no event matches level(ERROR)

    nearest of 51 events:
      INFO event index=0
        ✗ level(ERROR): level is INFO
      INFO event index=1
        ✗ level(ERROR): level is INFO
      INFO event index=2
        ✗ level(ERROR): level is INFO
      INFO event index=3
        ✗ level(ERROR): level is INFO
      INFO event index=4
        ✗ level(ERROR): level is INFO

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 51 spans and events):
    ▶ INFO event index=0
    ▶ INFO event index=1
    ▶ INFO event index=2
    ▶ INFO event index=3
    ▶ INFO event index=4
      INFO event index=5
      INFO event index=6
      ⋮ 44 more
    ");
    let spans = trace.scan_spans();
    assert_snapshot!(failure!(spans.single(&always())), @"
    no span matches true

    there are no spans to look at

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 51 spans and events):
      INFO event index=0
      INFO event index=1
      INFO event index=2
      ⋮ 48 more
    ");
}

#[test]
fn hundred_thousand_nodes() {
    let trace = native(|| {
        for request in 0..1_000 {
            info_span!("request", request).in_scope(|| {
                for step in 0..49 {
                    info_span!("step", step).in_scope(|| info!("done"));
                }
                if request == 500 {
                    warn!("slow");
                }
            });
        }
    });
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    assert_snapshot!(failure!(events.none(&level(Level::WARN))), @"
    1 event should not match: level(WARN)

      WARN slow

    the trace (a part of its 99001 spans and events):
      ⋮ 500 more
      INFO request{request=500}
      ├─ ⋮ 47 more
      ├─ INFO step{step=47} ⋮ 1 inside
      ├─ INFO step{step=48} ⋮ 1 inside
    ▶ └─ WARN slow
      ⋮ 499 more
    ");
    assert_snapshot!(failure!(spans.single(&(name(eq("step")) & field("step", 7) & parent(field("request", 1_000))))), @r#"
    no span matches ((name(var == "step") && field "step"(var == 7)) && parent(field "request"(var == 1000)))

    nearest of 50000 spans:
      INFO step{step=7}
        ✓ name(var == "step"): name is "step"
        ✓ field "step"(var == 7): step is 7
        ✗ parent(field "request"(var == 1000)): parent is INFO request{request=0}
      INFO step{step=7}
        ✓ name(var == "step"): name is "step"
        ✓ field "step"(var == 7): step is 7
        ✗ parent(field "request"(var == 1000)): parent is INFO request{request=1}
      INFO step{step=7}
        ✓ name(var == "step"): name is "step"
        ✓ field "step"(var == 7): step is 7
        ✗ parent(field "request"(var == 1000)): parent is INFO request{request=2}
      INFO step{step=7}
        ✓ name(var == "step"): name is "step"
        ✓ field "step"(var == 7): step is 7
        ✗ parent(field "request"(var == 1000)): parent is INFO request{request=3}
      INFO step{step=7}
        ✓ name(var == "step"): name is "step"
        ✓ field "step"(var == 7): step is 7
        ✗ parent(field "request"(var == 1000)): parent is INFO request{request=4}

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 99001 spans and events):
      INFO request{request=0}
      ├─ ⋮ 5 more
      ├─ INFO step{step=5} ⋮ 1 inside
      ├─ INFO step{step=6} ⋮ 1 inside
    ▶ ├─ INFO step{step=7}
      │  └─ INFO done
      ├─ INFO step{step=8} ⋮ 1 inside
      ├─ INFO step{step=9} ⋮ 1 inside
      └─ ⋮ 39 more
      INFO request{request=1}
      ├─ ⋮ 5 more
      ├─ INFO step{step=5} ⋮ 1 inside
      ├─ INFO step{step=6} ⋮ 1 inside
    ▶ ├─ INFO step{step=7}
      │  └─ INFO done
      ├─ INFO step{step=8} ⋮ 1 inside
      ├─ INFO step{step=9} ⋮ 1 inside
      └─ ⋮ 39 more
      INFO request{request=2}
      ├─ ⋮ 5 more
      ├─ INFO step{step=5} ⋮ 1 inside
      ├─ INFO step{step=6} ⋮ 1 inside
    ▶ ├─ INFO step{step=7}
      │  └─ INFO done
      ├─ INFO step{step=8} ⋮ 1 inside
      ├─ INFO step{step=9} ⋮ 1 inside
      └─ ⋮ 39 more
      INFO request{request=3}
      ├─ ⋮ 5 more
      ├─ INFO step{step=5} ⋮ 1 inside
      ├─ INFO step{step=6} ⋮ 1 inside
    ▶ ├─ INFO step{step=7}
      │  └─ INFO done
      ├─ INFO step{step=8} ⋮ 1 inside
      ├─ INFO step{step=9} ⋮ 1 inside
      └─ ⋮ 39 more
      INFO request{request=4}
      ├─ ⋮ 5 more
      ├─ INFO step{step=5} ⋮ 1 inside
      ├─ INFO step{step=6} ⋮ 1 inside
    ▶ ├─ INFO step{step=7}
      │  └─ INFO done
      ├─ INFO step{step=8} ⋮ 1 inside
      ├─ INFO step{step=9} ⋮ 1 inside
      └─ ⋮ 39 more
      ⋮ 995 more
    "#);
    assert_snapshot!(failure!(spans.single(&name(eq("request")))), @r#"
    1000 spans match instead of one: name(var == "request")

      INFO request{request=0}
      INFO request{request=1}
      INFO request{request=2}
      INFO request{request=3}
      INFO request{request=4}
      (and 995 more)

    the trace (a part of its 99001 spans and events):
    ▶ INFO request{request=0}
      ├─ INFO step{step=0} ⋮ 1 inside
      ├─ INFO step{step=1} ⋮ 1 inside
      ├─ INFO step{step=2} ⋮ 1 inside
      └─ ⋮ 46 more
    ▶ INFO request{request=1}
      ├─ INFO step{step=0} ⋮ 1 inside
      ├─ INFO step{step=1} ⋮ 1 inside
      ├─ INFO step{step=2} ⋮ 1 inside
      └─ ⋮ 46 more
    ▶ INFO request{request=2}
      ├─ INFO step{step=0} ⋮ 1 inside
      ├─ INFO step{step=1} ⋮ 1 inside
      ├─ INFO step{step=2} ⋮ 1 inside
      └─ ⋮ 46 more
    ▶ INFO request{request=3}
      ├─ INFO step{step=0} ⋮ 1 inside
      ├─ INFO step{step=1} ⋮ 1 inside
      ├─ INFO step{step=2} ⋮ 1 inside
      └─ ⋮ 46 more
    ▶ INFO request{request=4}
      ├─ INFO step{step=0} ⋮ 1 inside
      ├─ INFO step{step=1} ⋮ 1 inside
      ├─ INFO step{step=2} ⋮ 1 inside
      └─ ⋮ 46 more
      INFO request{request=5} ⋮ 49 inside
      INFO request{request=6} ⋮ 49 inside
      ⋮ 993 more
    "#);
    let request = spans.first(&field("request", 77));
    let events = request.scan_events();
    assert_snapshot!(failure!(events.single(&message(eq("done")))), @r#"
    no event directly in INFO request{request=77} matches message(var == "done")

    there are no events to look at

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace (a part of its 99001 spans and events):
      ⋮ 75 more
      INFO request{request=75} ⋮ 49 inside
      INFO request{request=76} ⋮ 49 inside
      INFO request{request=77}
      ├─ INFO step{step=0} ⋮ 1 inside
      ├─ INFO step{step=1} ⋮ 1 inside
      ├─ INFO step{step=2} ⋮ 1 inside
      └─ ⋮ 46 more
      INFO request{request=78} ⋮ 49 inside
      INFO request{request=79} ⋮ 49 inside
      ⋮ 920 more
    "#);
}

#[test]
fn deep_traces() {
    fn nested(depth: usize) {
        if depth > 0 {
            info_span!("level", depth).in_scope(|| nested(depth - 1));
        } else {
            warn!("bottom");
        }
    }
    let trace = native(|| nested(60));
    let events = trace.scan_events();
    assert_snapshot!(failure!(events.none(&level(Level::WARN))), @"
    1 event should not match: level(WARN)

      WARN bottom

    the trace (a part of its 61 spans and events):
      (in 44 more spans, the outermost is INFO level{depth=60})
      INFO level{depth=16}
      └─ INFO level{depth=15}
         └─ INFO level{depth=14}
            └─ INFO level{depth=13}
               └─ INFO level{depth=12}
                  └─ INFO level{depth=11}
                     └─ INFO level{depth=10}
                        └─ INFO level{depth=9}
                           └─ INFO level{depth=8}
                              └─ INFO level{depth=7}
                                 └─ INFO level{depth=6}
                                    └─ INFO level{depth=5}
                                       └─ INFO level{depth=4}
                                          └─ INFO level{depth=3}
                                             └─ INFO level{depth=2}
                                                └─ INFO level{depth=1}
    ▶                                              └─ WARN bottom
    ");
    let spans = trace.scan_spans();
    assert_snapshot!(failure!(spans.single(&(field("depth", 60) | field("depth", 30)))), @r#"
    2 spans match instead of one: (field "depth"(var == 60) || field "depth"(var == 30))

      INFO level{depth=60}
      INFO level{depth=30}

    the trace (a part of its 61 spans and events):
    ▶ INFO level{depth=60}
      └─ INFO level{depth=59} ⋮ 1 inside
      (in 14 more spans, the outermost is INFO level{depth=60})
      INFO level{depth=46}
      └─ INFO level{depth=45}
         └─ INFO level{depth=44}
            └─ INFO level{depth=43}
               └─ INFO level{depth=42}
                  └─ INFO level{depth=41}
                     └─ INFO level{depth=40}
                        └─ INFO level{depth=39}
                           └─ INFO level{depth=38}
                              └─ INFO level{depth=37}
                                 └─ INFO level{depth=36}
                                    └─ INFO level{depth=35}
                                       └─ INFO level{depth=34}
                                          └─ INFO level{depth=33}
                                             └─ INFO level{depth=32}
                                                └─ INFO level{depth=31}
    ▶                                              └─ INFO level{depth=30}
                                                      └─ INFO level{depth=29} ⋮ 1 inside
    "#);
    let trace = native(|| {
        let mut span = Span::none();
        for depth in 0..100_000 {
            span = info_span!(parent: &span, "level", depth);
        }
    });
    let spans = trace.scan_spans();
    assert_snapshot!(failure!(spans.none(&field("depth", 77_777))), @r#"
    1 span should not match: field "depth"(var == 77777)

      INFO level{depth=77777}

    the trace (a part of its 100000 spans and events):
      (in 77761 more spans, the outermost is INFO level{depth=0})
      INFO level{depth=77761}
      └─ INFO level{depth=77762}
         └─ INFO level{depth=77763}
            └─ INFO level{depth=77764}
               └─ INFO level{depth=77765}
                  └─ INFO level{depth=77766}
                     └─ INFO level{depth=77767}
                        └─ INFO level{depth=77768}
                           └─ INFO level{depth=77769}
                              └─ INFO level{depth=77770}
                                 └─ INFO level{depth=77771}
                                    └─ INFO level{depth=77772}
                                       └─ INFO level{depth=77773}
                                          └─ INFO level{depth=77774}
                                             └─ INFO level{depth=77775}
                                                └─ INFO level{depth=77776}
    ▶                                              └─ INFO level{depth=77777}
                                                      └─ INFO level{depth=77778} ⋮ 1 inside
    "#);
}

/// A chain of spans, each with an event and a further span in it.
fn comb(depth: usize) -> Trace {
    native(|| {
        let mut spans: Vec<Span> = vec![];
        for index in 0..depth {
            let span = info_span!(parent: spans.last().and_then(Span::id), "deep", index);
            info!(parent: &span, index, "event");
            info_span!(parent: &span, "beside", index);
            spans.push(span);
        }
    })
}

#[test]
fn spans_around_several_items_are_drawn_once() {
    let trace = comb(4_000);
    let (event, other) = (message("event"), message("another"));
    let mut expected: Vec<&dyn for<'a> Predicate<CapturedEvent<'a>>> = vec![&event; 1_000];
    let failure = trace.scan_events().try_exactly(&expected).unwrap_err().to_string();
    assert!(failure.lines().count() < 120, "{failure}");
    assert_eq!(failure.matches("\n▶ ").count(), 10, "{failure}");
    expected.push(&other);
    let failure = trace.scan_events().try_in_a_row(&expected).unwrap_err().to_string();
    assert!(failure.lines().count() < 120, "{failure}");
    let (_, shown) =
        failure.split_once("the trace (a part of its 12000 spans and events):").unwrap();
    assert_eq!(shown.matches("▶ ").count(), 6, "{failure}");
    // Each line of the trace is there once.
    let lines: Vec<_> = shown.lines().filter(|line| line.contains("INFO deep{")).collect();
    let names: BTreeSet<_> = lines.iter().filter_map(|line| line.split("INFO").nth(1)).collect();
    assert!(lines.len() <= names.len() + 2, "{failure}");
    // Items that are far away from each other need more lines than there are.
    let far = |index: u64| field("index", index * 700) & message("event");
    let far: Vec<_> = (0..6).map(far).collect();
    let mut far: Vec<_> =
        far.iter().map(|far| far as &dyn for<'a> Predicate<CapturedEvent<'a>>).collect();
    far.push(&other);
    let failure = trace.scan_events().try_in_order(&far).unwrap_err().to_string();
    assert!(failure.lines().count() < 120, "{failure}");
    assert!(failure.contains("\n  ⋮ and more around them, with "), "{failure}");
}

#[test]
fn many_conditions_are_counted() {
    let trace = comb(100);
    let mut many = tree(name("deep"));
    for index in 0..500 {
        many = many.event(message(format!("m{index}")));
    }
    let failure = trace.scan_spans().try_any(&many).unwrap_err().to_string();
    assert!(failure.lines().count() < 250, "{failure}");
    assert!(failure.contains(" ✗ more)\n"), "{failure}");
    assert!(failure.len() < 60_000, "{}", failure.len());
}

#[test]
fn long_texts_are_cut() {
    let long = "long ".repeat(200_000);
    let trace = native(|| {
        info_span!("parse", text = long, "with\u{1b}[31mcolour\n" = %long).in_scope(|| {
            info!(bytes = &long.as_bytes()[..1_000], "{long}");
        });
    });
    let spans = trace.scan_spans();
    assert_snapshot!(failure!(spans.single(&field("text", "short"))), @r#"
    no span matches field "text"(var == "short")

    the only span:
      INFO parse{text="long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long "⟨999800 more characters⟩ "with\u{1b}[31mcolour\n"=`long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩}
        ✗ field "text"(var == "short"): text is "long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long… (999602 more characters)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
    ▶ INFO parse{text="long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long "⟨999800 more characters⟩ "with\u{1b}[31mcolour\n"=`long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩}
      └─ INFO `long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩ bytes=[6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6⟨2801 more characters⟩
    "#);
    assert_snapshot!(failure!(spans.none(&field("text", long.as_str()))), @r#"
    1 span should not match: field "text"(var == "long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long… (999023 more characters)

      INFO parse{text="long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long "⟨999800 more characters⟩ "with\u{1b}[31mcolour\n"=`long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩}

    the trace:
    ▶ INFO parse{text="long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long "⟨999800 more characters⟩ "with\u{1b}[31mcolour\n"=`long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩}
      └─ INFO `long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩ bytes=[6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6⟨2801 more characters⟩
    "#);
    let events = trace.scan_events();
    assert_snapshot!(failure!(events.single(&(message(eq("short")) & parent(name(eq("compute")))))), @r#"
    no event matches (message(var == "short") && parent(name(var == "compute")))

    the only event:
      INFO `long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩ bytes=[6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6⟨2801 more characters⟩
        ✗ message(var == "short"): message is "long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long… (999602 more characters)
        ✗ parent(name(var == "compute")): parent is INFO parse{text="long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long "⟨999800 more characters⟩ "with\u{1b}[31mcolour\n"=`long long long long long long long long long long long long long long long long long long long long long long long long long long l… (95 more characters)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
      INFO parse{text="long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long "⟨999800 more characters⟩ "with\u{1b}[31mcolour\n"=`long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩}
    ▶ └─ INFO `long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩ bytes=[6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6⟨2801 more characters⟩
    "#);
    let events = trace.all_spans().next().unwrap().scan_events();
    assert_snapshot!(failure!(events.single(&tree_free(&long))), @r#"
    no event directly in INFO parse{text="long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long "⟨999800 more characters⟩ "with\u{1b}[31mcolour\n"=`long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩} matches message((! var.starts_with("long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long lo… (999032 more characters)

    the only event:
      INFO `long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩ bytes=[6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6⟨2801 more characters⟩
        ✗ message((! var.starts_with("long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long lo… (999632 more characters): message is "long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long… (999602 more characters)

    (records of other threads and tasks come here only by `carry()`, `handle()` or `attach_thread()`; or see `#[spanshot::test(process)]` and `Capture::start_process_wide()`)

    the trace:
      INFO parse{text="long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long "⟨999800 more characters⟩ "with\u{1b}[31mcolour\n"=`long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩}
    ▶ └─ INFO `long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long `⟨999800 more characters⟩ bytes=[6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6⟨2801 more characters⟩
    "#);
}

fn tree_free(text: &str) -> MessagePredicate<impl Predicate<str>> {
    message(starts_with(text).not())
}
