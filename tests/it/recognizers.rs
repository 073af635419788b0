//! What is taken for an address, a UUID, a duration or a time, and what is not.

use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use spanshot::SnapshotSettings;
use tracing::info;

use crate::support::native;

/// What is shown of a text.
fn redacted(settings: &SnapshotSettings, text: &str) -> String {
    let trace = native(|| info!(text, "m"));
    let line = settings.view(&trace).to_string();
    let value = line.strip_prefix("INFO m text=").expect("it is the line of the event");
    value.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(value).to_owned()
}

/// Checks texts: each `|…|` in them, and nothing else, is to be replaced by the label.
#[track_caller]
fn check(settings: &SnapshotSettings, label: &str, texts: &[&str]) {
    for text in texts {
        let traced = text.replace('|', "");
        let expected: String = text
            .split('|')
            .enumerate()
            .map(|(i, part)| if i % 2 == 1 { format!("⟨{label}⟩") } else { part.to_owned() })
            .collect();
        assert_eq!(redacted(settings, &traced), expected, "{traced}");
    }
}

#[test]
fn pointers() {
    let texts = [
        "|0x7ffd1234abcd|",
        "|0x55f0e9c3a2b0| and (|0x1000|), [|0xFFFF|]",
        "at |0x100048|: read",
        "ptr=|0x0000000000401000|",
        "0xff",
        "0x",
        "0xg123",
        "#ff8800",
        "7ffd1234abcd",
        "a0x7ffd1234abcd",
        "0x7ffd1234abcdefgh",
        "0x00112233445566778899aabbccddeeff",
        "0X7FFD1234ABCD",
    ];
    check(&SnapshotSettings::new().redact_pointers(), "pointer", &texts);
    let value = 7;
    let pointer = format!("{:p}", &value);
    assert_eq!(redacted(&SnapshotSettings::new().redact_pointers(), &pointer), "⟨pointer⟩");
}

#[test]
fn uuids() {
    let texts = [
        "|67e55044-10b1-426f-9247-bb680e5fe0c8|",
        "|67E55044-10B1-426F-9247-BB680E5FE0C8|.json",
        "/users/|00000000-0000-0000-0000-000000000000|/posts",
        "urn:uuid:|f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4|",
        "{|f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4|}, |f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4|",
        "67e5504410b1426f9247bb680e5fe0c8",
        "67e55044-10b1-426f-9247-bb680e5fe0c",
        "67e55044-10b1-426f-9247-bb680e5fe0c8a",
        "67e55044-10b1-426f-9247",
        "g7e55044-10b1-426f-9247-bb680e5fe0c8",
        "167e55044-10b1-426f-9247-bb680e5fe0c8",
        "+49-1234-5678-9012-345678901234",
    ];
    check(&SnapshotSettings::new().redact_uuids(), "uuid", &texts);
}

#[test]
fn durations() {
    let texts = [
        "|1.5ms|",
        "took |3s|, |12ns|; (|7µs|) |0.25us|",
        "elapsed=|18446744073709551615.999999999s|",
        "|2h 3min|",
        "|1h 2m 3s|",
        "|2h 5m| later",
        "|1day 2h 3m 4s 5ms 6us 7ns|",
        "|2years 3months 1day|",
        "|5min|",
        "-|1.5s|",
        "[|10ms|..|20ms|]",
        "5 apples",
        "5s5",
        "s",
        "ms",
        "5",
        "1.5",
        "10m",
        "a 3d model of 5m",
        "item5s",
        "seconds",
        "4short",
        "100 ms",
        "0xff",
        "+1 555 0100",
        "7smith",
    ];
    check(&SnapshotSettings::new().redact_durations(), "duration", &texts);
}

#[test]
fn timestamps() {
    let texts = [
        "|2026-02-03T04:05:06Z|",
        "|2026-02-03T04:05:06.789Z|",
        "|2026-02-03T04:05:06.123456789+02:00|",
        "|2026-02-03T04:05:06-0530|",
        "at |2026-02-03 04:05:06.123456 UTC|: done",
        "|2026-02-03 04:05:06 +00:00|",
        "|2026-02-03 04:05:06,123| INFO",
        "|2026-02-03 04:05|",
        "|2026-02-03t04:05:06z|",
        "|Tue, 03 Feb 2026 04:05:06 GMT|",
        "|SystemTime { tv_sec: 1770091506, tv_nsec: 5 }|",
        "|Instant { tv_sec: 98765, tv_nsec: 999999999 }|",
        "|SystemTime { intervals: 134000000000000000 }|",
        "|Instant { t: 12345.6789s }|",
        "Some(|Instant { tv_sec: 1, tv_nsec: 2 }|)",
        "2026-02-03",
        "04:05:06",
        "1770091506",
        "12026-02-03T04:05:06Z",
        "+49 30 2026-02-03",
        "Tuesday",
        "v2026.02.03",
        "MySystemTime { tv_sec: 1, tv_nsec: 2 }",
    ];
    check(&SnapshotSettings::new().redact_timestamps(), "timestamp", &texts);
}

#[test]
fn times_of_this_machine() {
    let settings = SnapshotSettings::new().redact_timestamps();
    for time in [format!("{:?}", SystemTime::now()), format!("{:?}", Instant::now())] {
        let expected = if cfg!(any(unix, windows)) { "⟨timestamp⟩" } else { &time };
        assert_eq!(redacted(&settings, &time), expected, "{time}");
    }
}

#[test]
fn all_at_once_leave_one_another_alone() {
    let settings = SnapshotSettings::new()
        .redact_pointers()
        .redact_uuids()
        .redact_durations()
        .redact_timestamps();
    let text =
        "0x7ffd1234abcd 67e55044-10b1-426f-9247-bb680e5fe0c8 1.5ms 2026-02-03T04:05:06Z 5 ⟨uuid⟩";
    let expected = "⟨pointer⟩ ⟨uuid⟩ ⟨duration⟩ ⟨timestamp⟩ 5 \\u{27e8}uuid⟩";
    assert_eq!(redacted(&settings, text), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn debug_output_of_every_duration_is_one(secs: u64, nanos in 0_u32..1_000_000_000, shift in 0_u32..64) {
        let settings = SnapshotSettings::new().redact_durations();
        for duration in [Duration::new(secs >> shift, nanos), Duration::from_nanos(secs >> shift)] {
            prop_assert_eq!(redacted(&settings, &format!("{duration:?}")), "⟨duration⟩");
            prop_assert_eq!(redacted(&settings, &format!("in {duration:.2?}.")), "in ⟨duration⟩.");
        }
    }

    #[test]
    fn system_time_of_any_day_is_one(secs in 0_u64..1 << 40, nanos in 0_u32..1_000_000_000) {
        let time = SystemTime::UNIX_EPOCH + Duration::new(secs, nanos);
        let settings = SnapshotSettings::new().redact_timestamps();
        prop_assert_eq!(redacted(&settings, &format!("{time:?}")), "⟨timestamp⟩");
    }

    #[test]
    fn what_has_no_digit_is_left_alone(text in "[a-zA-Z :.,+-]{0,40}") {
        let settings = SnapshotSettings::new()
            .redact_pointers()
            .redact_uuids()
            .redact_durations()
            .redact_timestamps();
        prop_assert_eq!(redacted(&settings, &text), text);
    }
}
