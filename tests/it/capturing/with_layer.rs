//! Captures next to layers of the user, on one subscriber.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    thread,
};

use spanshot::{Capture, CaptureBuilder, Print, predicates::*};
use tracing::{Level, Metadata, Span, debug, error, field, info, info_span, warn};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, filter_fn},
    fmt,
    registry::Registry,
};

use crate::support::panic_message;

/// What a layer has printed.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn layer(&self) -> impl Layer<Registry> + Send + Sync + use<> {
        let output = self.clone();
        let make_writer = move || output.clone();
        fmt::layer().with_writer(make_writer).without_time().with_target(false).with_ansi(false)
    }

    fn lines(&self) -> Vec<String> {
        let output = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        output.lines().map(|line| line.trim().to_owned()).collect()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn quiet() -> CaptureBuilder {
    Capture::builder().print(Print::Never)
}

#[test]
fn capture_and_layers_see_the_same_and_each_filters_for_itself() {
    let (all, few) = (Output::default(), Output::default());
    let capture = quiet()
        .filter("info")
        .with_layer(all.layer())
        .with_layer(few.layer().with_filter(LevelFilter::WARN))
        .start();
    info_span!("connect", port = 8_080).in_scope(|| {
        debug!("1");
        info!("2");
        warn!("3");
    });
    let trace = capture.finish();
    assert_eq!(trace.to_string(), "INFO connect{port=8080}\n├─ INFO 2\n└─ WARN 3");
    let span = "connect{port=8080}";
    let lines = [format!("DEBUG {span}: 1"), format!("INFO {span}: 2"), format!("WARN {span}: 3")];
    assert_eq!(all.lines(), lines);
    assert_eq!(few.lines(), ["WARN 3"]);
    trace.scan_events().none(&(level(Level::INFO) & message(eq("1"))));
    let message = panic_message(|| trace.scan_events().none(&level(Level::DEBUG)));
    assert!(message.contains("filter \"info\""), "{message}");
}

#[test]
fn capture_among_layers_is_as_any_other() {
    let program = || {
        let outer = info_span!("outer", late = field::Empty);
        outer.in_scope(|| {
            outer.record("late", 1);
            info_span!("inner").in_scope(|| info!("in inner"));
            info!(parent: None, "root");
            info!("in outer");
        });
        info_span!(parent: &outer, "explicit").follows_from(&outer);
        assert!(Span::current().is_none());
    };
    let capture = Capture::start();
    program();
    let expected = capture.finish().to_string();
    let capture = quiet().with_layer(Output::default().layer()).fail_on_open_spans().start();
    program();
    let trace = capture.finish();
    assert_eq!(trace.to_string(), expected);
    let followed = trace.all_spans().map(|span| span.follows_from().len());
    assert_eq!(followed.collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn capture_among_layers_watches_over_its_test() {
    let watching = || {
        let builder = quiet().with_layer(Output::default().layer());
        builder.fail_on_events(Level::WARN).fail_on_open_spans()
    };
    let capture = watching().allow_events(|event| event.message() == Some("slow")).start();
    warn!("slow");
    error!("failed");
    std::mem::forget(info_span!("open"));
    capture.take();
    let message = panic_message(|| capture.finish());
    assert!(message.contains("1 event at level warn"), "{message}");
    assert!(message.contains("\n  ERROR failed\n"), "{message}");
    assert!(message.contains("\n1 span still open:\n  INFO open{}\n"), "{message}");
}

/// Nobody knows whether such a span was closed.
#[test]
fn spans_that_another_layer_has_hidden_fail_a_watch_over_spans() {
    let watching = || {
        let is_shown = |metadata: &Metadata<'_>| metadata.target() != "hidden";
        Capture::builder().with_layer(filter_fn(is_shown)).print(Print::Never)
    };
    let program = || {
        info!(target: "hidden", "an event");
        info_span!("shown").in_scope(|| ());
    };
    for builder in [watching().fail_on_open_spans(), watching().fail_on_unbalanced_enters()] {
        let capture = builder.start();
        program();
        let _open = info_span!(target: "hidden", "open").entered();
        let message = panic_message(|| capture.finish());
        let reason = "\n1 layer beside the capture has hidden spans, so that it cannot tell whether they were closed";
        assert!(message.contains(reason), "{message}");
    }
    for builder in [watching().fail_on_open_spans(), watching().fail_on_unbalanced_enters()] {
        let capture = builder.start();
        program();
        capture.finish();
    }
}

#[test]
fn layers_are_carried_along() {
    let output = Output::default();
    let capture = quiet().with_layer(output.layer()).start();
    let handle = capture.handle();
    thread::spawn(capture.carry(|| info!("carried"))).join().unwrap();
    thread::spawn(move || {
        handle.attach_thread();
        let _entered = info_span!("span").entered();
        handle.attach_thread(); // the current span stays
        info!("attached");
    })
    .join()
    .unwrap();
    assert_eq!(output.lines(), ["INFO carried", "INFO span: attached"]);
    let tree = "INFO carried\nINFO span{}\n└─ INFO attached";
    assert_eq!(capture.finish().to_string(), tree);
}

/// A `Registry` by itself panics. It cannot tell a span of its own from another one with the same ID, so that the
/// others here are those of subscribers that have more spans.
#[test]
fn spans_of_others_are_no_parents() {
    let earlier = Capture::start();
    let many = || (0..1_000).map(|number| info_span!("of another", number)).collect::<Vec<_>>();
    let of_capture = many();
    earlier.finish();
    let of_registry = tracing::subscriber::with_default(tracing_subscriber::registry(), many);

    let output = Output::default();
    let capture = quiet().with_layer(output.layer()).fail_on_open_spans().start();
    for foreign in [&of_capture[998], &of_capture[999], &of_registry[998], &of_registry[999]] {
        let child = info_span!(parent: foreign, "child");
        child.follows_from(foreign);
        child.in_scope(|| info!("in it"));
        info!(parent: foreign, "explicit");
        foreign.in_scope(|| info!("entered"));
    }
    let ended = info_span!("ended").id();
    info_span!(parent: ended, "of an ended one").in_scope(|| ());
    let trace = capture.finish();
    assert_eq!(trace.all_spans().filter(|span| span.parent().is_some()).count(), 0, "{trace}");
    assert_eq!(trace.all_spans().map(|span| span.follows_from().len()).sum::<usize>(), 0);
    trace.scan_events().count(4, &parent(name(eq("child"))));
    assert_eq!(output.lines().len(), 12);
}

/// An `EnvFilter` that is a layer filters for all.
#[test]
fn negatives_refuse_what_another_layer_has_hidden() {
    let filter = || EnvFilter::new("warn,it=info");
    let capture = quiet().with_layer(filter()).with_layer(Output::default().layer()).start();
    warn!("slow");
    // Nothing was hidden so far.
    capture.trace().scan_events().none(&level(Level::DEBUG));
    debug!("card=4242");
    let trace = capture.finish();
    assert_eq!(trace.to_string(), "WARN slow");
    let refusal = panic_message(|| trace.scan_events().none(&level(Level::DEBUG)));
    let hidden = "a filter or another layer has hidden a record of level DEBUG from \"it::capturing::with_layer\"";
    assert!(refusal.contains(hidden), "{refusal}");
    trace.scan_events().none(&level(Level::ERROR));
    trace.scan_events().none(&target("payments"));
    // It may have been what was hidden.
    trace.scan_events().try_none(&field("card", 4242)).unwrap_err();
    trace.scan_events().try_exactly(&[&message(eq("slow"))]).unwrap_err();

    // What the capture does not want anyway is nothing new.
    let capture = quiet().filter("error").with_layer(filter()).start();
    error!("failed");
    debug!("card=4242");
    let trace = capture.finish();
    let message = panic_message(|| trace.scan_events().none(&level(Level::DEBUG)));
    assert!(message.contains("filter \"error\""), "{message}");

    // A filter that a layer has to itself hides nothing.
    let own = Output::default().layer().with_filter(filter());
    let capture = quiet().with_layer(own).start();
    debug!("captured");
    capture.finish().scan_events().single(&level(Level::DEBUG));
}

/// A span may match because another layer has hidden what is in it.
#[test]
fn predicates_rule_out_nothing_that_another_layer_has_hidden() {
    let capture = quiet().with_layer(EnvFilter::new("info")).start();
    info_span!("job").in_scope(|| {
        info!("done");
        debug!("card=4242");
    });
    let trace = capture.finish();
    let (spans, debug) = (trace.scan_spans(), level(Level::DEBUG));
    let alone = tree(name("job")).event(message("done")).and_nothing_else();
    for refused in [
        spans.try_any(&!event(debug)),
        spans.try_any(&!child(debug)),
        spans.try_any(&!deep_event(message("other"))),
        spans.try_any(&!parent(name("other"))),
        spans.try_any(&!tree(name("job")).event(debug)),
        spans.try_any(&alone),
        spans.try_first(&!event(debug)).map(drop),
        spans.try_last(&alone).map(drop),
        spans.try_count(1.., &!event(debug)).map(drop),
        spans.try_in_order(&[&!event(debug)]).map(drop),
    ] {
        let refusal = refused.unwrap_err().to_string();
        assert!(refusal.contains("has hidden a record of level DEBUG from"), "{refusal}");
    }
    // Only records of this level were hidden.
    spans.any(&!event(level(Level::ERROR)));
    spans.any(&!event(target("payments")));
    spans.any(&tree(name("job")).event(message("done")));
    spans.or_empty().any(&alone);
}

#[test]
fn process_wide_capture_refuses_layers() {
    let start = || quiet().with_layer(Output::default().layer()).start_process_wide();
    let message = panic_message(start);
    assert!(message.contains("`with_layer()` does not go with it"), "{message}");
}
