//! Layers on the subscriber of a capture: code under test works with them as natively.

use spanshot::{Capture, predicates::*};
use tracing::{Span, error, info_span};
use tracing_error::{ErrorLayer, SpanTrace, SpanTraceStatus};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Code that keeps where it failed.
fn connect(port: u16) -> SpanTrace {
    info_span!("connect", port).in_scope(|| {
        info_span!("handshake").in_scope(|| {
            error!("refused");
            SpanTrace::capture()
        })
    })
}

#[test]
fn span_trace_works_under_a_capture() {
    let capture = Capture::builder()
        .filter("error") // is that of the capture alone
        .with_layer(tracing_subscriber::fmt::layer().with_test_writer().with_ansi(false))
        .with_layer(ErrorLayer::default())
        .start();
    let span_trace = connect(8_080);
    assert_eq!(span_trace.status(), SpanTraceStatus::CAPTURED);
    let mut spans = vec![];
    span_trace.with_spans(|metadata, fields| {
        spans.push((metadata.name(), fields.to_owned()));
        true
    });
    let connect = ("connect", "port=8080".to_owned());
    assert_eq!(spans, [("handshake", String::new()), connect]);
    assert_eq!(capture.finish().to_string(), "ERROR refused");
}

#[test]
fn span_trace_works_on_other_threads() {
    let capture = Capture::builder().with_layer(ErrorLayer::default()).start();
    let handle = capture.handle();
    let carried = std::thread::spawn(capture.carry(|| connect(1).status())).join().unwrap();
    let attached = std::thread::spawn(move || {
        handle.attach_thread();
        connect(2).status()
    });
    let attached = attached.join().unwrap();
    assert_eq!([carried, attached], [SpanTraceStatus::CAPTURED; 2]);
    capture.finish().scan_spans().count(2, &name(eq("connect")));
}

#[test]
fn without_its_layer_there_is_no_span_trace() {
    let capture = Capture::start();
    assert_eq!(connect(8_080).status(), SpanTraceStatus::UNSUPPORTED);
    capture.finish().scan_spans().count(2, &always());
}

#[test]
fn extensions_of_opentelemetry_find_their_layer() {
    use opentelemetry::trace::{TraceContextExt, TracerProvider};

    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let capture = Capture::builder().with_layer(layer).start();
    info_span!("request").in_scope(|| {
        assert!(Span::current().context().span().span_context().is_valid());
    });
    capture.finish().scan_spans().single(&name(eq("request")));
}
