//! What is taken for an address, a UUID, a duration or a time, and what is not.

use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use spanshot::SnapshotSettings;
use tracing::info;

use crate::support::native;

/// All recognizers, those of hosts first.
fn all() -> SnapshotSettings {
    SnapshotSettings::new()
        .redact_ip_addresses()
        .redact_ports()
        .redact_pointers()
        .redact_uuids()
        .redact_ulids()
        .redact_durations()
        .redact_timestamps()
        .redact_thread_ids()
}

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
        "order_|67e55044-10b1-426f-9247-bb680e5fe0c8|",
        "|67e55044-10b1-426f-9247-bb680e5fe0c8|_1, id-|67e55044-10b1-426f-9247-bb680e5fe0c8|-x",
        "|67e5504410b1426f9247bb680e5fe0c8|",
        "order_|67E5504410B1426F9247BB680E5FE0C8|.json",
        "/users/|00000000-0000-0000-0000-000000000000|/posts",
        "urn:uuid:|f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4|",
        "{|f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4|}, |f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4|",
        // Digests and trace IDs: they have no digit of a version, or none of the variant.
        "67e5504410b1026f9247bb680e5fe0c8",
        "67e5504410b1426f1247bb680e5fe0c8",
        "12345678901242345678901234567890",
        "67e5504410b1426f9247bb680e5fe0c8a",
        "x67e5504410b1426f9247bb680e5fe0c8",
        "é67e55044-10b1-426f-9247-bb680e5fe0c8",
        "id67e55044-10b1-426f-9247-bb680e5fe0c8x",
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
fn ulids() {
    let texts = [
        "|01ARZ3NDEKTSV4RRFFQ69G5FAV|",
        "order_|01ARZ3NDEKTSV4RRFFQ69G5FAV|, (|01arz3ndektsv4rrffq69g5fav|)",
        "01ARZ3NDEKTSV4RRFFQ69G5FA",
        "01ARZ3NDEKTSV4RRFFQ69G5FAVX",
        "x01ARZ3NDEKTSV4RRFFQ69G5FAV",
        // `Debug` output of the crate `ulid`.
        "Some(|Ulid(1777027686520646174104517696511196507)|), |Ulid(0)|",
        "MyUlid(5), Ulid(5x)",
        // Letters that it does not have, a first digit that is too large, both cases, and no letter.
        "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        "81ARZ3NDEKTSV4RRFFQ69G5FAV",
        "01ARZ3NDEKTSV4RRFFQ69g5fav",
        "01234567890123456789012345",
    ];
    check(&SnapshotSettings::new().redact_ulids(), "ulid", &texts);
}

#[test]
fn ip_addresses() {
    let texts = [
        "|127.0.0.1|",
        "|127.0.0.1|:8080, [|::1|]:8080, http://|192.0.2.7|/",
        "|fe80::1%eth0|, |::ffff:192.0.2.7|, |2001:DB8::|",
        "connect to |10.0.0.1|: refused, |2001:db8::1|: refused. From |::1|.",
        "peer=|::1| [|::|] peer:|1.2.3.4| peer: |::1|",
        "Some(|2001:db8:0:0:0:0:0:1|)",
        // It cannot be told from an address.
        "version |1.2.3.4|",
        "v1.2.3.4",
        "1.2.3",
        "1.2.3.4.5",
        "256.0.0.1",
        "1.2.3.4a",
        "std::io, a::b, f32::consts, dead::beef, ::",
        "12:34:56, 2026-02-03T04:05:06",
        "aa:bb:cc:dd:ee:ff",
        "1:2:3:4:5:6:7:8:9",
        "src/main.rs:42:7",
    ];
    check(&SnapshotSettings::new().redact_ip_addresses(), "ip", &texts);
}

#[test]
fn ports() {
    let texts = [
        "127.0.0.1:|53412|",
        "[::1]:|8080|, [fe80::1%eth0]:|80|, (localhost:|8080|)",
        "http://example.com:|8080|/path, postgres://user:1234@db-1.local:|5432|/x",
        "http://user@localhost:|80|: refused",
        "0.0.0.0:|0| 255.255.255.255:|65535|.",
        "127.0.0.1:65536",
        "127.0.0.1:123456",
        "127.0.0.1:80x",
        "main.rs:42",
        "example.com:8080",
        "port 8080",
        "12:30:45",
        "::1:8080",
        "256.0.0.1:80",
        "[x]:80",
        "https://user:1234@host/",
        "localhosts:80",
        "my-localhost:80",
        "a@b:80",
        ":80",
        "]:80",
    ];
    check(&SnapshotSettings::new().redact_ports(), "port", &texts);
}

#[test]
fn hosts_and_ports_may_be_redacted_in_any_order() {
    let text = "10.0.0.1:53412 [::1]:80 10.0.0.2 :80";
    let (new, expected) = (SnapshotSettings::new, "⟨ip⟩:⟨port⟩ [⟨ip⟩]:⟨port⟩ ⟨ip⟩ :80");
    assert_eq!(redacted(&new().redact_ports().redact_ip_addresses(), text), expected);
    assert_eq!(redacted(&new().redact_ip_addresses().redact_ports(), text), expected);
}

#[test]
fn thread_ids() {
    let texts = ["|ThreadId(12)|", "[|ThreadId(1)|, |ThreadId(2)|]", "MyThreadId(12)", "thread 12"];
    check(&SnapshotSettings::new().redact_thread_ids(), "thread id", &texts);
    let here = format!("{:?}", std::thread::current().id());
    assert_eq!(redacted(&SnapshotSettings::new().redact_thread_ids(), &here), "⟨thread id⟩");
    let here = format!("{:#?}", std::thread::current().id());
    assert_eq!(redacted(&SnapshotSettings::new().redact_thread_ids(), &here), "⟨thread id⟩");
}

#[test]
fn long_texts_take_no_time_in_their_square() {
    let texts =
        ["1", "1.", "1h", "1h ", "::", ":1", "]:1", "@x:1", "a1-", "0", "1e", "P1Y", "5m1s"];
    let started = Instant::now();
    for text in texts {
        let trace = native(|| info!("{}", text.repeat((1 << 14) / text.len())));
        drop(all().view(&trace).to_string());
    }
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
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
        "[|10ms|, |5ms|, |5ms|] |1s| |1s| |2s|",
        // Exponents.
        "|1.5e-3s|",
        "|2E+7ns| |1e3 ms|",
        // What tower-http writes, with both of the letters that look like a mu.
        "latency=|0 ms| status=200",
        "latency=|12 µs|, |12 μs|, |3 ns|, |0.000012345 s|",
        "|1 seconds|, |1.5 seconds|, |2 hours| and |5 minutes|",
        // humantime, jiff, the crate time.
        "|2h 37m 5s|",
        "|3months|",
        "|1year 2days|",
        "|2 hours 37 minutes 5 seconds|",
        "|1 day, 2 hours|",
        "|1y 2mo 3w 4d|",
        "|1h30m|",
        "|1s500ms|.",
        // `Debug` output of chrono, the crate time, jiff.
        "|TimeDelta { secs: 3661, nanos: 5 }|",
        "Some(|Duration { seconds: -1, nanoseconds: -500000000 }|)",
        "|SignedDuration { seconds: 1, nanoseconds: 0 }|, |SignedDuration { secs: 1, nanos: 0 }|",
        "Retry { secs: 1, nanos: 0 }",
        "Duration { seconds: 1, retries: 0 }",
        // ISO 8601.
        "|PT1H30M|",
        "|P3DT4.5S|",
        "-|PT0S|, |P1Y2M|, |P1DT2H|, |P0D|",
        // Labels of jiff.
        "|1yr 2mos 3wks 4days 5hrs 6mins 7secs 8msecs 9µsecs 10nsecs|",
        "|9µsecs|, |9 μsec|, |5 usec|, |1nsec|",
        "P3D",
        "P1M",
        "PT",
        "P",
        "PT5",
        "P5T",
        "PT1HX",
        "XPT1H",
        "PT1S1H",
        // Not what a program measures, but what people write.
        "12 months ago",
        "30 days left",
        "5 men",
        "5 m",
        "5 d",
        "3 h",
        "5 ms_",
        "1.2.3s",
        "5  ms",
        "1h30mx",
        "1.5e-3",
        "2e",
        "5 ",
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
        // `OffsetDateTime`, `PrimitiveDateTime` and `UtcDateTime` of the crate `time`.
        "|2026-02-03 4:05:06.0 +00:00:00|, done",
        "|2026-02-03 14:05:06.0 -05:30:15|",
        "|2026-02-03 4:05:06.789|",
        "|2026-02-03 4:05:06.0 +00|.",
        // A zone of `chrono-tz`, and one of `jiff`.
        "|2026-02-03 04:05:06 CET|",
        "|2026-07-03 04:05:06 CEST| INFO",
        "|2026-07-03T04:05:06.5CEST|",
        "|2026-02-03 04:05:06| INFO",
        "|2026-02-03T06:05:06+02:00[Europe/Berlin]|",
        "|2026-02-03T06:05:06+02:00[+02:00]| [a]",
        "|2026-02-03T06:05:06+02|",
        "|2026-02-03 04:05:06| -10 degrees",
        // Mail, and the C library.
        "|Tue, 3 Feb 2026 04:05:06 +0000|",
        "|Tue, 13 Jan 2026 04:05:06 -0530|, done",
        "|Tue Feb  3 04:05:06 2026|",
        "|Timestamp { seconds: 1770091506, nanos: 5 }|",
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
        "Timestamp { seconds: 1, retries: 5 }",
        "Tue, 3 things",
    ];
    check(&SnapshotSettings::new().redact_timestamps(), "timestamp", &texts);
}

#[test]
fn times_of_this_machine() {
    let settings = SnapshotSettings::new().redact_timestamps();
    let (time, instant) = (SystemTime::now(), Instant::now());
    for time in
        [format!("{time:?}"), format!("{instant:?}"), format!("{time:#?}"), format!("{instant:#?}")]
    {
        let expected = if cfg!(any(unix, windows)) { "⟨timestamp⟩" } else { &time };
        assert_eq!(redacted(&settings, &time), expected, "{time}");
    }
}

/// In `Debug` output, a line break is written as `\n`, which is no part of the word behind it.
#[test]
fn forms_behind_an_escaped_line_break() {
    for (label, form) in [
        ("duration", "5ms"),
        ("ip", "127.0.0.1"),
        ("uuid", "018f4e9e-2b7a-7c3d-9c1f-0123456789ab"),
        ("ulid", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("pointer", "0x7ffe12345678"),
        ("timestamp", "2024-01-02T03:04:05Z"),
    ] {
        let check = |traced: &str, expected: &str| {
            let trace = native(|| info!(text = ?traced));
            let line = all().view(&trace).to_string();
            let expected = format!("{expected:?}").replace('\\', "\\\\");
            assert_eq!(line, format!("INFO text={expected}"));
        };
        for escape in ["\n", "\r", "\t", "\\\n"] {
            let text = |form: &str| format!("it took{escape}{form}{escape}more");
            check(&text(form), &text(&format!("⟨{label}⟩")));
        }
        // Here, the letter is a part of the word.
        check(&format!("\\n{form} n{form}"), &format!("\\n{form} n{form}"));
    }
}

#[test]
fn structures_on_several_lines() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "its output is traced")]
    struct TimeDelta {
        secs: i64,
        nanos: i32,
    }

    let pretty = format!("{:#?}", Some(TimeDelta { secs: 3_661, nanos: -5 }));
    let trace = native(|| info!(delta = %pretty, "m"));
    let settings = SnapshotSettings::new().redact_durations();
    assert_eq!(
        settings.view(&trace).to_string(),
        "INFO m delta=⟨3 lines⟩\n┆ Some(\n┆     ⟨duration⟩,\n┆ )"
    );
}

#[test]
fn all_at_once_leave_one_another_alone() {
    let settings = all();
    let text =
        "0x7ffd1234abcd 67e55044-10b1-426f-9247-bb680e5fe0c8 1.5ms 2026-02-03T04:05:06Z 5 ⟨uuid⟩";
    let expected = "⟨pointer⟩ ⟨uuid⟩ ⟨duration⟩ ⟨timestamp⟩ 5 \\u{27e8}uuid⟩";
    assert_eq!(redacted(&settings, text), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

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
        prop_assert_eq!(redacted(&all(), &text), text);
    }
}
