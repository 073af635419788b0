//! A file for `chrome://tracing` and Perfetto, by `tracing-chrome`.

use std::collections::BTreeMap;

use serde_json::Value;
use tracing::info_span;
use tracing_chrome::{ChromeLayerBuilder, TraceStyle};
use tracing_subscriber::{layer::SubscriberExt, registry};

use crate::{
    guest::load_plugin,
    support::{Output, check_guest, check_programs},
};

fn written(f: &dyn Fn(), style: TraceStyle) -> Vec<Value> {
    let output = Output::default();
    let (layer, guard) = ChromeLayerBuilder::new()
        .writer(output.clone())
        .include_args(true)
        .include_locations(true)
        .trace_style(style)
        .build();
    tracing::subscriber::with_default(registry().with(layer), f);
    drop(guard);
    serde_json::from_str(&output.take()).expect("it is JSON")
}

/// Shows all but times and names of threads; threads are numbered anew.
fn shown(records: Vec<Value>) -> String {
    let mut threads = BTreeMap::new();
    let mut roots = BTreeMap::new();
    let mut lines = vec![];
    for mut record in records {
        if record["ph"] == "M" {
            continue;
        }
        for (key, numbers) in [("tid", &mut threads), ("id", &mut roots)] {
            let next = numbers.len();
            if let Some(number) = record.get_mut(key) {
                *number = (*numbers.entry(number.to_string()).or_insert(next)).into();
            }
        }
        record.as_object_mut().unwrap().remove("ts");
        lines.push(record.to_string());
    }
    lines.join("\n")
}

fn threaded(f: &dyn Fn()) -> String {
    shown(written(f, TraceStyle::Threaded))
}

fn by_span(f: &dyn Fn()) -> String {
    shown(written(f, TraceStyle::Async))
}

#[test]
fn programs_are_written_as_natively() {
    check_programs(threaded);
    check_programs(by_span);
}

#[test]
fn guest_is_written_as_natively() {
    check_guest(threaded);
    check_guest(by_span);
}

#[test]
fn guest_is_in_the_span_of_the_host() {
    let plugin = load_plugin();
    let records = written(
        &|| info_span!("request").in_scope(|| drop(plugin.evaluate("1"))),
        TraceStyle::Threaded,
    );
    let spans: Vec<_> = records
        .iter()
        .filter(|record| record["ph"] == "B" || record["ph"] == "E")
        .map(|record| {
            format!("{} {}", record["ph"].as_str().unwrap(), record["name"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        spans,
        [
            "B request",
            "B evaluate",
            "B parse",
            "E parse",
            "B compute",
            "E compute",
            "E evaluate",
            "E request",
        ]
    );
}
