//! Numbers of redactions: a wrong ID is seen, and the same ID in every run is not needed for it.

use spanshot::{SnapshotSettings, Trace, assert_trace_snapshot, predicates::*};
use tracing::{info, info_span};

use crate::support::native;

const A: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";
const B: &str = "f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4";

fn settings() -> SnapshotSettings {
    SnapshotSettings::new()
        .redact("id", "id")
        .redact_uuids()
        .number_redactions("id")
        .number_redactions("uuid")
}

/// Two requests, and the answers to them.
fn exchange(first: &str, second: &str, answers: [&str; 2]) -> Trace {
    native(|| {
        info_span!("request", id = first).in_scope(|| info!("sent {first}"));
        info_span!("request", id = second).in_scope(|| info!("sent {second}"));
        for answer in answers {
            info!(id = %answer, "received {answer}");
        }
    })
}

#[test]
fn equal_texts_have_equal_numbers() {
    assert_trace_snapshot!(settings().view(&exchange(A, B, [B, A])), @"
    INFO request{id=⟨id 1⟩}
    └─ INFO sent ⟨uuid 1⟩
    INFO request{id=⟨id 2⟩}
    └─ INFO sent ⟨uuid 2⟩
    INFO received ⟨uuid 2⟩ id=⟨id 2⟩
    INFO received ⟨uuid 1⟩ id=⟨id 1⟩
    ");
}

#[test]
fn each_trace_has_its_own_numbers() {
    let trace = exchange(A, B, [A, B]);
    settings().assert_equivalent(&trace, &exchange(B, A, [B, A]));
    for wrong in [[B, A], [A, A]] {
        let wrong = exchange(A, B, wrong);
        assert!(!settings().compare(&trace, &wrong).is_equivalent());
        // Without numbers nobody sees it.
        let unnumbered = SnapshotSettings::new().redact("id", "id").redact_uuids();
        unnumbered.assert_equivalent(&trace, &wrong);
    }
    let swapped = exchange(A, B, [B, A]);
    let shown = settings().compare(&trace, &swapped).to_string();
    assert!(shown.contains("⟨uuid 2⟩") && !shown.contains(A), "{shown}");
}

#[test]
fn data_have_the_numbers_of_the_text() {
    let trace = exchange(A, B, [B, A]);
    let data = serde_json::to_value(settings().view(&trace)).unwrap();
    assert_eq!(data["nodes"][0]["fields"]["id"], "⟨id 1⟩");
    assert_eq!(data["nodes"][1]["nodes"][0]["message"], "sent ⟨uuid 2⟩");
    assert_eq!(data["nodes"][2]["message"], "received ⟨uuid 2⟩");
}

#[test]
fn one_label_has_one_sequence() {
    let trace = native(|| {
        info!(id = A, "with {A}");
        info!(id = 7, "twice 7 {B}");
    });
    let settings = SnapshotSettings::new()
        .redact("id", "uuid")
        .redact_uuids()
        .redact_matches("7", "uuid")
        .number_redactions("uuid");
    // The message stands in front of the fields, also for numbers.
    assert_trace_snapshot!(settings.view(&trace), @"
    INFO with ⟨uuid 1⟩ id=⟨uuid 1⟩
    INFO twice ⟨uuid 2⟩ ⟨uuid 3⟩ id=⟨uuid 2⟩
    ");
    assert_trace_snapshot!(settings.fields(false).view(&trace), @"
    INFO with ⟨uuid 1⟩
    INFO twice ⟨uuid 2⟩ ⟨uuid 3⟩
    ");
}

#[test]
fn only_equal_numbers_are_folded() {
    let trace = native(|| {
        for id in [A, A, A, B] {
            info!(id, "tick");
        }
    });
    assert_trace_snapshot!(settings().view(&trace), @"
    ⟨3×⟩ INFO tick id=⟨id 1⟩
    INFO tick id=⟨id 2⟩
    ");
}

#[test]
fn numbers_do_not_depend_on_an_order_that_means_nothing() {
    let run = |order: [&str; 2]| {
        native(|| {
            for id in [A, B] {
                info!(id, "accepted");
            }
            for id in order {
                info_span!("work", id).in_scope(|| info!("{id}"));
            }
        })
    };
    let settings = settings().unordered_spans(name("work"));
    let expected = settings.view(&run([A, B])).to_string();
    assert_eq!(settings.view(&run([B, A])).to_string(), expected);
    assert_eq!(expected.lines().nth(2), Some("INFO work{id=⟨id 1⟩}"));
}

#[test]
fn labels_of_functions_are_numbered() {
    let trace = native(|| info!(a = 1, b = 2, c = 1, "m"));
    let settings = SnapshotSettings::new()
        .redact_with(|_, name, _| (name != "message").then(|| "n".to_owned()))
        .number_redactions("n");
    assert_trace_snapshot!(settings.view(&trace), @"INFO m a=⟨n 1⟩ b=⟨n 2⟩ c=⟨n 1⟩");
}

#[test]
#[should_panic(expected = "no redaction has the label \"uid\"")]
fn label_must_be_that_of_a_redaction() {
    let _ = SnapshotSettings::new().redact_uuids().number_redactions("uid");
}
