//! Spans of OpenTelemetry, by `tracing-opentelemetry`.

use std::{collections::HashMap, fmt::Write};

use opentelemetry::{
    KeyValue,
    trace::{SpanId, Status, TracerProvider},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::{Subscriber, info_span};
use tracing_subscriber::{layer::SubscriberExt, registry, registry::LookupSpan};

use crate::{
    guest::load_plugin,
    programs::PROGRAMS,
    support::{check_guest, check_programs, frames_of, on_thread, relay},
};

/// Runs something under the layer, and returns the spans in the order in which they ended.
fn exported(f: &dyn Fn()) -> Vec<SpanData> {
    fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(
        provider: &SdkTracerProvider,
    ) -> impl tracing_subscriber::Layer<S> {
        let tracer = provider.tracer("tests");
        tracing_opentelemetry::layer()
            .with_level(true)
            .with_error_records_to_exceptions(true)
            .with_tracer(tracer)
    }

    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    tracing::subscriber::with_default(registry().with(layer(&provider)), f);
    provider.force_flush().unwrap();
    exporter.get_finished_spans().unwrap()
}

/// Shows all but times, and IDs as names.
fn shown(f: &dyn Fn()) -> String {
    let spans = exported(f);
    let mut text = String::new();
    let names: HashMap<SpanId, String> = (0..)
        .zip(&spans)
        .map(|(nth, span)| (span.span_context.span_id(), format!("{} #{nth}", span.name)))
        .collect();
    let name = |id: SpanId| names.get(&id).map_or("-", |name| name);
    let mut traces: Vec<_> = spans.iter().map(|span| span.span_context.trace_id()).collect();
    traces.dedup();
    let trace = |id| traces.iter().position(|trace| *trace == id);
    for span in &spans {
        let (id, kind) = (span.span_context.span_id(), &span.span_kind);
        let (parent, in_trace) = (name(span.parent_span_id), trace(span.span_context.trace_id()));
        writeln!(text, "{} in {parent}, trace {in_trace:?}, {kind:?}, {:?}", name(id), span.status)
            .unwrap();
        show_attributes(&mut text, &span.attributes);
        for event in span.events.iter() {
            writeln!(text, "  event {}", event.name).unwrap();
            show_attributes(&mut text, &event.attributes);
        }
        for link in span.links.iter() {
            writeln!(text, "  link {}", name(link.span_context.span_id())).unwrap();
        }
    }
    text
}

fn show_attributes(text: &mut String, attributes: &[KeyValue]) {
    for KeyValue { key, value, .. } in attributes {
        // How long it took, and on which thread of the host it was relayed.
        if !matches!(key.as_str(), "busy_ns" | "idle_ns" | "thread.id" | "thread.name") {
            writeln!(text, "    {key} = {value:?}").unwrap();
        }
    }
}

fn find<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    let mut named = spans.iter().filter(|span| span.name == name);
    let found = named.next().unwrap_or_else(|| panic!("no span {name}"));
    assert!(named.next().is_none(), "several spans {name}");
    found
}

fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key.as_str() == key);
    attribute.map(|attribute| attribute.value.to_string())
}

#[test]
fn programs_are_exported_as_natively() {
    check_programs(shown);
}

#[test]
fn guest_is_exported_as_natively() {
    check_guest(shown);
}

#[test]
fn spans_of_the_guest_are_children_of_that_of_the_host() {
    let plugin = load_plugin();
    let spans = exported(&|| {
        info_span!("request", id = 7).in_scope(|| plugin.evaluate("8 / (3 - 3)").unwrap_err());
    });
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["subtract", "divide", "compute", "parse", "evaluate", "request"]);

    let request = find(&spans, "request");
    assert_eq!(request.parent_span_id, SpanId::INVALID);
    for (child, parent) in [
        ("evaluate", "request"),
        ("parse", "evaluate"),
        ("compute", "evaluate"),
        ("divide", "compute"),
        ("subtract", "divide"),
    ] {
        let (child, parent) = (find(&spans, child), find(&spans, parent));
        assert_eq!(child.parent_span_id, parent.span_context.span_id());
        assert_eq!(child.span_context.trace_id(), request.span_context.trace_id());
        assert!(child.start_time >= parent.start_time && child.end_time <= parent.end_time);
    }
    let divide = find(&spans, "divide");
    assert_eq!(attribute(&divide.attributes, "lhs").as_deref(), Some("8"));
    assert_eq!(attribute(&divide.attributes, "level").as_deref(), Some("DEBUG"));
}

#[test]
fn errors_of_the_guest_are_exceptions_and_statuses() {
    let plugin = load_plugin();
    let spans = exported(&|| drop(plugin.evaluate("8 / (3 - 3)")));
    let divide = find(&spans, "divide");
    assert_eq!(divide.status, Status::error("")); // of an event of level ERROR

    let evaluate = find(&spans, "evaluate");
    let event = evaluate.events.iter().find(|event| event.name == "no result").unwrap();
    let message = attribute(&event.attributes, "exception.message");
    assert_eq!(message.as_deref(), Some("cannot compute the expression"));
    let chain = attribute(&event.attributes, "error.chain").unwrap();
    assert!(chain.contains("division by zero"), "{chain}");
}

#[test]
fn follows_from_is_a_link() {
    let plugin = load_plugin();
    let spans = exported(&|| drop(plugin.evaluate("1")));
    let links: Vec<_> = find(&spans, "compute").links.iter().collect();
    let parse = find(&spans, "parse");
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].span_context, parse.span_context);
}

#[test]
fn threads_of_the_guest_are_in_the_span_of_the_host() {
    let (_, threads) = PROGRAMS.into_iter().find(|(name, _)| *name == "threads").unwrap();
    let frames = frames_of(threads);
    let spans = exported(&|| info_span!("host").in_scope(|| relay(&frames)));
    let host = find(&spans, "host").span_context.clone();
    let roots = spans.iter().filter(|span| span.parent_span_id == host.span_id());
    let names: Vec<_> = roots.map(|span| &*span.name).collect();
    assert_eq!(names, ["thread", "thread", "thread", "first thread"]);
    assert!(spans.iter().all(|span| span.span_context.trace_id() == host.trace_id()));
}

#[test]
fn each_thread_of_the_host_has_a_guest_in_its_own_span() {
    let spans = exported(&|| {
        for job in 0..3 {
            on_thread(|| {
                info_span!("host", job).in_scope(|| drop(load_plugin().evaluate("1 + 2")));
            });
        }
    });
    let hosts: Vec<_> = spans.iter().filter(|span| span.name == "host").collect();
    assert_eq!(hosts.len(), 3);
    for host in hosts {
        let children =
            spans.iter().filter(|span| span.parent_span_id == host.span_context.span_id());
        assert_eq!(children.map(|span| &*span.name).collect::<Vec<_>>(), ["evaluate"]);
    }
}
