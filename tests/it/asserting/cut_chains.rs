//! Errors with more sources than are kept.

use std::{error::Error, fmt};

use spanshot::{SnapshotSettings, predicates::*};
use tracing::{error, info_span};

use crate::support::{captured_by_every_way, native};

const SECRET: &str = "hunter2";

/// An error with sources. The last one contains the secret.
#[derive(Debug)]
struct Retried(Option<Box<Retried>>);

impl fmt::Display for Retried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "retrying" } else { SECRET })
    }
}

impl Error for Retried {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// Traces an error whose chain has this many errors.
fn trace_chain(count: usize) {
    let error = (1..count).fold(Retried(None), |source, _| Retried(Some(Box::new(source))));
    error!(error = &error as &dyn Error, "failed");
}

const CUT: &str = "1 error has a chain of 100 errors, the maximum that is kept, so that further sources may be missing";

#[track_caller]
fn assert_refused(result: Result<impl Sized, ScanError>) {
    let message = result.err().expect("the chain may be cut").to_string();
    assert!(message.contains(CUT), "{message}");
}

#[test]
fn negatives_refuse_a_chain_that_may_be_cut() {
    let chain = || field("error", error_chain(contains(SECRET)));
    for count in [100, 101, 1_000] {
        captured_by_every_way(
            |_| {},
            |_, storage| {
                trace_chain(count);
                let trace = storage.lock();
                let events = trace.scan_events();
                assert_refused(events.try_none(&never()));
                if count > 100 {
                    assert_refused(events.try_none(&chain()));
                    assert_refused(events.try_none(&any_field(error_chain(SECRET))));
                    assert_refused(events.try_all(&!chain()));
                    assert_refused(events.try_any(&!chain()));
                    assert_refused(events.try_first(&!any_field(error_chain(SECRET))));
                    assert_refused(events.try_any(&field("error", !error_chain(SECRET))));
                    let foreign = PredicateBooleanExt::not(error_chain(SECRET));
                    assert_refused(events.try_any(&field("error", [foreign])));
                    assert_refused(trace.try_never_contains(SECRET));
                }
                assert_refused(trace.try_never_contains("anything else"));
                // It is there.
                events.any(&field("error", error_chain("retrying")));
                events.any(&!field("error", "refused"));
                events.or_empty().none(&field("error", error_chain("refused")));
            },
        );
    }
    let span = native(|| {
        let error = (0..100).fold(Retried(None), |source, _| Retried(Some(Box::new(source))));
        let span = info_span!("retry", error = tracing::field::Empty);
        span.record("error", &error as &dyn Error);
        span.record("error", "none");
    });
    assert_refused(span.scan_spans().try_none(&chain()));
    assert_refused(span.try_never_contains(SECRET));
}

#[test]
fn complete_chain_is_searched_to_its_end() {
    captured_by_every_way(
        |_| {},
        |_, storage| {
            trace_chain(99);
            let trace = storage.lock();
            trace.scan_events().none(&field("error", error_chain("refused")));
            trace.scan_events().any(&!field("error", error_chain("refused")));
            trace.scan_events().single(&field("error", error_chain(SECRET)));
            trace.assert_never_contains("refused");
            trace.try_never_contains(SECRET).unwrap_err();
        },
    );
}

#[test]
fn trace_shows_that_a_chain_may_be_cut() {
    let text = |count| native(|| trace_chain(count)).to_string();
    assert!(text(99).starts_with("ERROR failed error=retrying, caused by: "), "{}", text(99));
    assert_ne!(text(99), text(100));
    for count in [100, 150] {
        let start = "ERROR failed error=⟨first 100 errors⟩ retrying, caused by: ";
        assert!(text(count).starts_with(start), "{}", text(count));
        let trace = native(|| trace_chain(count));
        // A redaction of something else leaves it, and is not taken for one.
        let settings = SnapshotSettings::new().redact_uuids();
        assert_eq!(settings.view(&trace).to_string(), text(count));
        let data = serde_json::to_value(&trace).unwrap();
        assert_eq!(data, serde_json::to_value(settings.view(&trace)).unwrap());
        let messages = data["nodes"][0]["fields"]["error"].as_array().unwrap();
        assert_eq!(messages.len(), 101);
        assert_eq!(messages[100], "⟨first 100 errors⟩");
        let settings = SnapshotSettings::new().ascii(true);
        assert!(settings.view(&trace).to_string().contains("error=<<first 100 errors>> retrying"));
        let value = &trace.all_events().next().unwrap()["error"];
        assert!(value.to_string().ends_with(", caused by: …"), "{value}");
    }
    // Text of the program does not look like that.
    let forged = native(|| error!(error = %"⟨first 100 errors⟩ retrying", "failed"));
    let shown = forged.to_string();
    assert!(shown.contains(r"error=\u{27e8}first 100 errors⟩ retrying"), "{shown}");
}
