//! Filters that are reloaded: what counts is which one was in force while something was traced.

use spanshot::{CaptureLayer, SharedStorage, Trace, predicates::*};
use tracing::{Level, debug, info, level_filters::LevelFilter, subscriber::with_default};
use tracing_subscriber::{Registry, layer::SubscriberExt, reload};

/// Runs a program with a filter that it can replace, and returns what was captured.
fn captured(filter: LevelFilter, program: impl FnOnce(&dyn Fn(LevelFilter))) -> Trace {
    let storage = SharedStorage::default();
    let (filter, handle) = reload::Layer::<_, Registry>::new(filter);
    let layer = CaptureLayer::new(&storage).with_filter(filter);
    with_default(Registry::default().with(layer), || {
        program(&|filter| handle.reload(filter).unwrap());
    });
    storage.lock()
}

#[test]
fn filter_that_was_replaced_before_anything_was_traced_hides_nothing() {
    let trace = captured(LevelFilter::INFO, |reload| {
        reload(LevelFilter::TRACE);
        info!("started");
    });
    trace.scan_events().none(&level(Level::DEBUG));
    trace.scan_events().single(&message("started"));
}

#[test]
fn filter_that_was_put_in_force_later_hides_what_came_then() {
    let trace = captured(LevelFilter::TRACE, |reload| {
        info!("started");
        reload(LevelFilter::INFO);
        debug!("card=4242");
    });
    let error = trace.scan_events().try_none(&level(Level::DEBUG)).unwrap_err().to_string();
    assert!(error.contains("\"info\""), "{error}");
    trace.scan_events().none(&level(Level::ERROR));
}

/// Nothing was captured while the first one was in force, but something was traced.
#[test]
fn filter_that_has_hidden_something_counts_after_it_was_replaced() {
    let trace = captured(LevelFilter::INFO, |reload| {
        debug!("card=4242");
        reload(LevelFilter::TRACE);
        info!("started");
    });
    let error = trace.scan_events().try_none(&level(Level::DEBUG)).unwrap_err().to_string();
    assert!(error.contains("\"info\""), "{error}");
    trace.scan_events().none(&level(Level::ERROR));
}

#[test]
fn last_filter_counts_even_if_nothing_was_traced_since() {
    let trace = captured(LevelFilter::TRACE, |reload| {
        info!("started");
        reload(LevelFilter::INFO);
    });
    assert!(trace.scan_events().try_none(&level(Level::DEBUG)).is_err());
}
