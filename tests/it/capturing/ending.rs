//! How captures end: what they watch over, and how that is told. What they print is looked at in
//! `tests/printed.rs`.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

use spanshot::{Capture, CaptureBuilder, Print, TracingEvent, TracingEventReceiver, predicates::*};
use tracing::{
    Level, Span, debug, error, info, info_span, level_filters::LevelFilter, trace, warn,
};

use crate::support::{current_dispatch, panic_message};

fn all_levels() {
    trace!("trace");
    debug!("debug");
    info!("info");
    warn!("warn");
    error!("error");
}

/// Runs a program under a capture that is dropped then.
fn dropped(builder: CaptureBuilder, program: impl FnOnce()) {
    let _capture = builder.print(Print::Never).start();
    program();
}

/// What a capture fails with, without the first line and the trace. Both ways of ending it say the
/// same.
#[track_caller]
fn findings(builder: impl Fn() -> CaptureBuilder, program: impl Fn()) -> String {
    let when_dropped = panic_message(|| dropped(builder(), &program));
    let when_finished = panic_message(|| {
        let capture = builder().start();
        program();
        capture.finish()
    });
    let findings = |message: &str| -> String {
        let (first, rest) = message.split_once('\n').expect("there is more than a line");
        assert!(
            first.starts_with("the capture started at tests/it/capturing/ending.rs:"),
            "{message}"
        );
        rest.rsplit_once("\nthe trace:\n").expect("there is a trace").0.to_owned()
    };
    let hint =
        "\n(if the test returns an error, this panic hides it: `Capture::run()` shows both)\n";
    assert_eq!(findings(&when_dropped), findings(&when_finished) + hint);
    findings(&when_finished)
}

/// The trace that a capture shows when it fails, through a filter.
#[track_caller]
fn filtered(filter: &str, program: impl FnOnce()) -> String {
    let builder = Capture::builder().print_filter(filter).fail_on_events(Level::TRACE);
    let message = panic_message(|| dropped(builder, program));
    message.rsplit_once("\nthe trace:\n").expect("there is a trace").1.to_owned()
}

#[test]
fn finish_ends_the_capture_and_returns_the_trace() {
    let outer = Capture::start();
    let inner = Capture::start();
    info!("inner");
    let trace = inner.finish();
    info!("outer");
    assert_eq!(trace.to_string(), "INFO inner");
    assert_eq!(outer.finish().to_string(), "INFO outer");
}

#[test]
fn capture_that_fails_its_test_has_ended() {
    let outer = Capture::start();
    let builder = || Capture::builder().fail_on_events(Level::ERROR);
    panic_message(|| dropped(builder(), || error!("inner")));
    info!("outer");
    panic_message(|| {
        let capture = builder().start();
        error!("inner");
        capture.finish()
    });
    info!("outer");
    assert_eq!(outer.finish().to_string(), "⟨2×⟩ INFO outer");
}

#[test]
fn capture_fails_on_nothing_that_it_was_not_told_of() {
    dropped(Capture::builder(), || {
        all_levels();
        mem::forget(info_span!("open").entered());
    });
}

#[test]
fn events_at_the_level_or_a_more_severe_one_fail_the_test() {
    let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
    for (i, level) in levels.into_iter().enumerate() {
        let found = findings(|| Capture::builder().fail_on_events(level), all_levels);
        let messages = ["error", "warn", "info", "debug", "trace"];
        for (j, message) in messages.into_iter().enumerate() {
            let line = format!("  {} {message}\n", levels[j]);
            assert_eq!(found.contains(&line), j <= i, "{level}, {message}: {found}");
        }
        let count = format!("\n{} event", i + 1);
        assert!(found.starts_with(&count), "{found}");
    }
    dropped(Capture::builder().fail_on_events(LevelFilter::OFF), all_levels);
    let builder = Capture::builder().fail_on_events(Level::TRACE);
    dropped(builder.fail_on_events(LevelFilter::OFF), all_levels);
    let without_events = || drop(tracing::error_span!("a span is no event"));
    dropped(Capture::builder().fail_on_events(Level::TRACE), without_events);
}

#[test]
fn events_that_are_allowed_do_not_fail_the_test() {
    let builder = || {
        Capture::builder()
            .fail_on_events(Level::WARN)
            .allow_events(|event| event.message() == Some("slow"))
            .allow_events_matching(parent(name(eq("retry"))) & level(Level::WARN))
    };
    let program = || {
        warn!("slow");
        info_span!("retry").in_scope(|| warn!("again"));
        info!("not asked about");
    };
    dropped(builder(), program);
    let found = findings(builder, || {
        program();
        info_span!("retry").in_scope(|| error!("given up"));
    });
    assert!(found.starts_with("\n1 event at level warn or more severe that nothing allows:\n"));
    assert!(found.contains("\n  ERROR given up\n"), "{found}");
}

#[test]
fn functions_are_asked_about_events_at_the_level_only() {
    let is_allowed = |event: &spanshot::CapturedEvent<'_>| *event.metadata().level() <= Level::WARN;
    dropped(Capture::builder().fail_on_events(Level::WARN).allow_events(is_allowed), all_levels);
    let none = |_: &spanshot::CapturedEvent<'_>| panic!("it is asked");
    dropped(Capture::builder().allow_events(none), all_levels);
    let builder = Capture::builder().fail_on_events(Level::ERROR).allow_events(none);
    let message = panic_message(|| dropped(builder, all_levels));
    assert_eq!(message.matches("panicked with: it is asked").count(), 1, "{message}");
}

#[test]
fn finding_says_what_was_traced_and_where() {
    let line = line!() + 2;
    let builder = || Capture::builder().fail_on_events(Level::WARN);
    let program = || warn!(target: "net", millis = 850, "slow");
    assert_eq!(
        findings(builder, program),
        format!(
            "\n1 event at level warn or more severe that nothing allows:\n  \
             WARN slow millis=850\n    by net at tests/it/capturing/ending.rs:{line}\n  \
             (those that are expected are allowed with `allow_events()`)\n"
        )
    );
}

#[test]
fn findings_are_short_whatever_the_values() {
    let text = format!("{}\n", "line ".repeat(200)).repeat(100);
    let builder = || {
        let panicking = |_: &spanshot::CapturedEvent<'_>| panic!("{}", "why ".repeat(10_000));
        let builder = Capture::builder().fail_on_events(Level::WARN).allow_events(panicking);
        builder.fail_on_open_spans()
    };
    let mut held = Vec::new();
    let message = panic_message(|| {
        let capture = builder().start();
        for number in 0..10 {
            warn!(number, %text, "{text}");
            held.push(info_span!("held", number, %text));
        }
        capture.finish()
    });
    let found = message.rsplit_once("\nthe trace:\n").expect("there is a trace").0;
    assert!(found.contains("\n10 events ") && found.contains("\n10 spans still open:"), "{found}");
    assert!(found.lines().count() < 40, "{found}");
    assert!(found.lines().all(|line| line.chars().count() < 1_100), "{found}");
}

#[test]
fn failure_names_the_line_where_the_capture_was_started() {
    let message = panic_message(|| {
        let line = line!() + 1;
        let _capture = Capture::builder().fail_on_events(Level::INFO).start();
        info!(line);
    });
    let line: u32 = message.split("line=").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    let expected = format!("the capture started at tests/it/capturing/ending.rs:{line}:");
    assert!(message.starts_with(&expected), "{message}");
    assert!(message.ends_with(&format!("\nthe trace:\nINFO line={line}")), "{message}");
}

#[test]
fn five_are_listed_and_the_rest_is_counted() {
    for (count, more) in [(5, ""), (6, "  (and 1 more)\n"), (1_000, "  (and 995 more)\n")] {
        let found = findings(
            || Capture::builder().fail_on_events(Level::WARN),
            || (0..count).for_each(|index| warn!(index)),
        );
        assert!(found.starts_with(&format!("\n{count} events at ")), "{found}");
        assert_eq!(found.matches("  WARN index=").count(), 5, "{found}");
        assert!(
            found.contains("  WARN index=0\n") && found.contains("  WARN index=4\n"),
            "{found}"
        );
        assert_eq!(found.contains("more)"), !more.is_empty(), "{found}");
        assert!(found.contains(more), "{found}");
    }
}

#[test]
fn open_spans_fail_the_test() {
    let builder = || Capture::builder().fail_on_open_spans();
    dropped(builder(), || info_span!("a").in_scope(|| info_span!("b").in_scope(all_levels)));
    let found = findings(builder, || {
        drop(info_span!("closed"));
        let outer = info_span!("outer", a = 1).entered();
        mem::forget(info_span!("inner"));
        drop(outer);
    });
    assert!(found.starts_with("\n2 spans still open:\n  INFO outer{a=1}\n    entered 1x, exited 1x, by it::capturing::ending at tests/it/capturing/ending.rs:"), "{found}");
    assert!(found.contains("\n  INFO inner{}\n    entered 0x, exited 0x, by "), "{found}");
    assert!(!found.contains("closed{}"), "{found}");
}

#[test]
fn span_that_the_test_holds_is_open_when_the_capture_is_finished_and_not_when_it_is_dropped() {
    let capture = Capture::builder().fail_on_open_spans().print(Print::Never).start();
    let span = info_span!("held");
    let message = panic_message(|| capture.finish());
    assert!(message.contains("\n1 span still open:\n  INFO held{}\n"), "{message}");
    drop(span);
    dropped(Capture::builder().fail_on_open_spans(), || {
        let _span = info_span!("held").entered();
    });
}

#[test]
fn unbalanced_enters_fail_the_test() {
    let builder = || Capture::builder().fail_on_unbalanced_enters();
    dropped(builder(), || {
        let span = info_span!("span");
        span.in_scope(|| span.in_scope(all_levels));
        mem::forget(span); // open, but balanced
    });
    let found = findings(builder, || {
        info_span!("balanced").in_scope(|| ());
        let span = info_span!("forgotten");
        span.in_scope(|| ());
        mem::forget(span.enter());
    });
    assert!(found.starts_with("\n1 span not exited as often as entered:\n  INFO forgotten{}\n    entered 2x, exited 1x, by "), "{found}");
    assert!(!found.contains("INFO balanced"), "{found}");
    let found = findings(builder, || {
        let span = info_span!("exited");
        current_dispatch().exit(&span.id().unwrap());
    });
    assert!(found.contains("\n  INFO exited{}\n    entered 0x, exited 1x, by "), "{found}");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let builder = || {
        Capture::builder()
            .fail_on_events(Level::WARN)
            .fail_on_open_spans()
            .fail_on_unbalanced_enters()
    };
    let found = findings(builder, || {
        mem::forget(info_span!("forgotten").entered());
        warn!("slow");
    });
    let of = |what: &str| found.find(what).unwrap_or_else(|| panic!("{what}: {found}"));
    let order = [of("1 event at level"), of("1 span still open"), of("1 span not exited")];
    assert!(order.is_sorted(), "{found}");
    dropped(builder(), || info_span!("fine").in_scope(|| info!("fine")));
}

#[test]
fn panic_that_is_under_way_stays_the_only_one() {
    /// Ends its capture in either way, whatever happens.
    struct Finishing(Option<Capture>);

    impl Drop for Finishing {
        fn drop(&mut self) {
            let trace = self.0.take().unwrap().finish();
            assert_eq!(trace.all_events().len(), 5);
        }
    }

    let builder = || Capture::builder().fail_on_events(Level::TRACE).fail_on_open_spans();
    let message = panic_message(|| {
        dropped(builder(), || {
            all_levels();
            panic!("the first");
        });
    });
    assert_eq!(message, "the first");

    let message = panic_message(|| {
        let _finishing = Finishing(Some(builder().print(Print::Never).start()));
        all_levels();
        panic!("the first");
    });
    assert_eq!(message, "the first");
}

#[test]
fn capture_watches_while_a_panic_is_caught_and_after_it() {
    let builder = Capture::builder().fail_on_events(Level::ERROR);
    let message = panic_message(|| {
        dropped(builder, || {
            let caught = catch_unwind(|| {
                error!("out of memory");
                panic!("caught");
            });
            assert!(caught.is_err());
        });
    });
    assert!(message.contains("\n  ERROR out of memory\n"), "{message}");
}

#[test]
fn of_two_captures_that_fail_the_first_is_heard() {
    let builder = || Capture::builder().fail_on_events(Level::WARN);
    let message = panic_message(|| {
        dropped(builder(), || {
            warn!("of the outer one");
            dropped(builder(), || warn!("of the inner one"));
        });
    });
    assert!(message.contains("of the inner one") && !message.contains("outer"), "{message}");
}

#[test]
fn what_another_thread_traced_into_the_capture_is_watched() {
    let builder = || Capture::builder().fail_on_events(Level::WARN);
    let found = findings(builder, || {
        let dispatch = current_dispatch();
        let warn = || tracing::dispatcher::with_default(&dispatch, || warn!("on another thread"));
        std::thread::scope(|scope| _ = scope.spawn(warn).join());
    });
    assert!(found.contains("\n  WARN on another thread\n"), "{found}");
}

#[test]
fn text_of_a_guest_keeps_to_its_line() {
    let stream = r#"[
        {"new_call_site":{"id":0,"kind":"event","name":"e","target":"a\u001b[2J","level":"warn",
            "file":"b\nc","line":7,"fields":["message"]}},
        {"new_event":{"metadata_id":0,"parent":null,"values":{"message":{"string":"d\re"}}}}
    ]"#;
    let found = findings(
        || Capture::builder().fail_on_events(Level::WARN),
        || {
            let mut receiver = TracingEventReceiver::default();
            for event in serde_json::from_str::<Vec<TracingEvent>>(stream).unwrap() {
                receiver.receive(event);
            }
        },
    );
    let expected = "\n  WARN d\\re\n    by a\\u{1b}[2J at b\\nc:7\n";
    assert!(found.contains(expected), "{found}");
}

#[test]
fn what_is_in_hidden_spans_stands_at_their_place() {
    let program = || {
        let _shown = info_span!(target: "shown", "shown").entered();
        info_span!(target: "hidden", "hidden").in_scope(|| {
            info_span!(target: "hidden", "deeper").in_scope(|| info!(target: "shown", "1"));
            info!(target: "hidden", "hidden");
            info_span!(target: "shown", "inner").in_scope(|| {
                info!(target: "hidden", "hidden");
                info!(target: "shown", "2");
                info!(target: "hidden", "hidden");
            });
        });
        info!(target: "shown", "3");
        info_span!(target: "hidden", "last").in_scope(|| info!(target: "hidden", "hidden"));
    };
    assert_eq!(
        filtered("shown=info", program),
        "INFO shown{}\n\
         ├─ INFO 1\n\
         ├─ INFO inner{}\n\
         │  └─ INFO 2\n\
         └─ INFO 3\n\
         (the print filter hides 7 of 12 spans and events)"
    );
    assert_eq!(
        filtered("hidden=info,shown=off", program).lines().collect::<Vec<_>>(),
        [
            "INFO hidden{}",
            "├─ INFO deeper{}",
            "└─ ⟨3×⟩ INFO hidden",
            "INFO last{}",
            "└─ INFO hidden",
            "(the print filter hides 5 of 12 spans and events)",
        ]
    );
    assert_eq!(filtered("trace", || info!("all")), "INFO all");
    assert_eq!(
        filtered("off", || info!("none")),
        "(the print filter hides 1 of 1 spans and events)"
    );
}

#[test]
fn filter_goes_by_levels_as_well() {
    let program = || tracing::debug_span!(target: "a::b", "span").in_scope(all_levels);
    assert_eq!(
        filtered("warn,it=debug,a::b=info", program).lines().collect::<Vec<_>>(),
        [
            "DEBUG debug",
            "INFO info",
            "WARN warn",
            "ERROR error",
            "(the print filter hides 2 of 6 spans and events)",
        ]
    );
}

#[test]
fn deep_tree_of_hidden_spans_is_shown() {
    const DEPTH: usize = 100_000;

    let shown = filtered("it=info", || {
        let mut spans = vec![info_span!(target: "hidden", "root")];
        for depth in 1..DEPTH {
            spans.push(info_span!(target: "hidden", parent: &spans[depth - 1], "span"));
        }
        spans[DEPTH - 1].in_scope(|| info!("deep"));
        while spans.pop().is_some() {}
    });
    assert_eq!(shown, "INFO deep\n(the print filter hides 100000 of 100001 spans and events)");
}

#[test]
fn filter_that_is_none_is_refused() {
    let message = panic_message(|| Capture::builder().print_filter("warn,x=loud\u{1b}"));
    assert!(message.starts_with("\"warn,x=loud\\u{1b}\" is no filter: "), "{message}");
    assert!(message.ends_with("; a filter is like `info` or `warn,my_crate=debug`"), "{message}");
}

/// The check cannot pass for what the capture could not have seen.
#[test]
fn filter_that_hides_what_is_watched_over_fails_the_test() {
    let watching = || Capture::builder().fail_on_events(Level::WARN).print(Print::Never);
    for filter in ["error", "off"] {
        let message = panic_message(|| watching().filter(filter).start().finish());
        let hidden = format!("the capture's filter {filter:?} hides WARN");
        assert!(message.contains(&hidden), "{message}");
    }
    watching().filter("off,ending=warn").start().finish();
    let hides = tracing_subscriber::EnvFilter::new("error");
    let capture = watching().with_layer(hides).start();
    warn!("hidden");
    let message = panic_message(|| capture.finish());
    assert!(message.contains("a filter or another layer has hidden WARN"), "{message}");
}

#[test]
fn capture_that_watches_may_be_given_up_in_any_order() {
    let builder = || Capture::builder().fail_on_events(Level::WARN).print(Print::Never);
    let first = builder().start();
    let second = builder().start();
    let of_first = catch_unwind(AssertUnwindSafe(|| first.finish().all_events().len()));
    assert_eq!(of_first.unwrap(), 0);
    warn!("of the second");
    assert!(panic_message(|| second.finish()).contains("WARN of the second"));
    assert!(Span::current().is_none());
}

#[test]
fn test_that_is_run_returns_its_result() {
    Capture::run(|capture| {
        info!("captured");
        assert_eq!(capture.trace().to_string(), "INFO captured");
    });
    let watching = || Capture::builder().fail_on_events(Level::WARN).print(Print::Never);
    assert_eq!(watching().run(|_| Ok::<_, String>(7)), Ok(7));
    assert_eq!(watching().run(|_| Err::<(), _>("refused")), Err("refused"));
    assert!(Span::current().is_none());
    let panicked =
        panic_message(|| watching().run(|_| -> Result<(), String> { panic!("told to") }));
    assert_eq!(panicked, "told to");
}

#[test]
fn error_of_a_test_that_is_run_is_told_with_what_was_found() {
    let builder = || Capture::builder().fail_on_events(Level::WARN).fail_on_open_spans();
    let message = panic_message(|| {
        builder().run(|_| {
            let _dropped_in_time = info_span!("span").entered();
            warn!("slow");
            Err::<(), _>(String::from("no \"route\""))
        })
    });
    assert!(message.contains("\n  WARN slow\n") && !message.contains("still open"), "{message}");
    let error =
        "\nthe test returned an error, too:\n  \"no \\\"route\\\"\"\n\nthe trace:\nINFO span{}";
    assert!(message.contains(error), "{message}");
    assert!(!message.contains("Capture::run()"), "{message}");

    let message = panic_message(|| builder().run(|_| warn!("slow")));
    assert!(message.contains("\n  WARN slow\n") && !message.contains("returned"), "{message}");
}
