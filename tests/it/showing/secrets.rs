//! Secrets, wherever they are in a trace.

use std::{error::Error, fmt, mem};

use spanshot::{
    Capture, CaptureLayer, Keep, SharedStorage, SnapshotSettings, Trace, predicates::*,
};
use tracing::{Level, debug, error, info, info_span, warn};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{every_way, native, panic_message};

const SECRET: &str = "hunter2";

/// Asserts that the secret is found, and not shown, and returns the message.
#[track_caller]
fn found(trace: &Trace, secret: &str) -> String {
    let message = trace.try_never_contains(secret).unwrap_err().to_string();
    assert!(message.starts_with("a secret is in the trace, at "), "{message}");
    assert!(!message.contains(secret), "{message}");
    message
}

/// The same, for a secret that is in one place.
#[track_caller]
fn found_once(program: impl FnOnce(), secret: &str) -> String {
    let message = found(&native(program), secret);
    assert!(message.starts_with("a secret is in the trace, at 1 place ("), "{message}");
    message
}

#[test]
fn long_value_is_searched_to_its_end() {
    let long = format!("{}{SECRET}{}", "x".repeat(500), "y".repeat(500));
    let trace = native(|| info!(%long, "sent"));
    assert!(!trace.to_string().contains(SECRET));
    let line = line!() - 2;
    assert_eq!(
        found(&trace, SECRET),
        format!(
            "a secret is in the trace, at 1 place (neither is shown here):\n  \
             the field \"long\" of the INFO event (target \"it::showing::secrets\", \"tests/it/showing/secrets.rs\":{line})\n"
        )
    );
    let message = panic_message(|| trace.assert_never_contains(SECRET));
    assert!(message.starts_with("a secret is in the trace") && !message.contains(SECRET));
    trace.assert_never_contains("hunter3");
}

#[derive(Debug)]
struct Failed(Option<Box<Failed>>, &'static str);

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "failed" } else { self.1 })
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[test]
fn each_type_of_value_is_searched() {
    found_once(|| info!(value = SECRET), SECRET);
    found_once(|| info!(value = ?Some(SECRET)), SECRET);
    found_once(|| info!(value = %SECRET), SECRET);
    found_once(|| info!(value = SECRET.as_bytes()), SECRET);
    found_once(|| info!(value = ?SECRET.as_bytes()), SECRET);
    found_once(|| info!(value = 123_456_789_i64), "345678");
    found_once(|| info!(value = u128::MAX), "340282366920938");
    found_once(|| info!(value = -0.125), "-0.12");
    found_once(|| info!(value = true), "tru");
    let source = Failed(Some(Box::new(Failed(None, SECRET))), "");
    let message = found_once(|| error!(error = &source as &dyn Error, "no"), SECRET);
    assert!(message.contains("  the field \"error\" of the ERROR event"), "{message}");
    // `Debug` output of an error may say more than its message.
    let source = Failed(Some(Box::new(Failed(None, ""))), SECRET);
    found_once(|| error!(error = &source as &dyn Error), SECRET);
    let message = found_once(|| warn!("the password is {SECRET}"), SECRET);
    assert!(message.contains("  the message of the WARN event (target"), "{message}");
}

#[test]
fn escaped_secret_is_found() {
    let secret = "a\"b\\c\nd";
    found_once(|| info!(value = ?secret), secret);
    found_once(|| info!(value = ?format!("{secret:?}")), secret);
    found_once(|| info!(value = secret), secret);
    native(|| info!(value = ?"a\"b\\cd")).assert_never_contains(secret);
}

#[test]
fn bytes_are_found_in_every_form_of_debug_output() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "its output is traced")]
    struct Request {
        user: &'static str,
        password: Vec<u8>,
        retries: u8,
    }

    let bytes = SECRET.as_bytes();
    let request = Request { user: "alice", password: bytes.to_vec(), retries: 3 };
    let signed: Vec<_> = SECRET.bytes().map(|byte| i8::try_from(byte).unwrap()).collect();
    for text in [
        format!("{request:?}"),
        format!("{request:#?}"),
        format!("{request:x?}"),
        format!("{request:#x?}"),
        format!("{request:#X?}"),
        format!("{:?}", Some(format!("{request:#?}"))),
        format!("{:?}", Some(format!("{:?}", Some(format!("{request:#x?}"))))),
        format!("{bytes:02x?}"),
        format!("{bytes:#04x?}"),
        format!("{bytes:04?}"),
        format!("{bytes:6?}"),
        format!("{bytes:+?}"),
        format!("{signed:?}"),
        format!("{:?}", [&b"other"[..], bytes, b"one"]),
        format!("{:?}", ["other".as_bytes(), b"one", bytes].concat()),
        format!("read {}", bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(",")),
    ] {
        found_once(|| info!("{text}"), SECRET);
        found_once(|| info!(text = text.as_bytes()), SECRET);
    }
    // These are other bytes.
    let trace = native(|| {
        info!(value = ?[&bytes[..3], &bytes[3..]]);
        info!(value = ?(SECRET.bytes().map(u32::from).map(|byte| byte + 256).collect::<Vec<_>>()));
        info!(value = ?b"hunter3");
    });
    trace.assert_never_contains(SECRET);
    // Bytes of text that is not ASCII, and so are negative numbers.
    let signed: Vec<_> = "pässword".bytes().map(|byte| i8::from_ne_bytes([byte])).collect();
    found_once(|| info!(value = ?signed), "pässword");
}

#[test]
fn escapes_of_every_type_are_read() {
    /// Like `Bytes` of the crate `bytes`.
    struct Bytes(&'static [u8]);

    impl fmt::Debug for Bytes {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "b\"{}\"", self.0.escape_ascii())
        }
    }

    found_once(|| info!(value = ?c"it's"), "it's");
    found_once(|| info!(value = ?c"p\xc3\xa4ss"), "päss");
    found_once(|| info!(value = ?Bytes("päss".as_bytes())), "päss");
    found_once(|| info!(value = ?Some(format!("{:?}", Bytes("it's\0".as_bytes())))), "it's\0");
    found_once(|| info!(value = %"päss".escape_default()), "päss");
    found_once(|| info!(value = %"päss".escape_unicode()), "päss");
    found_once(|| info!(value = ?"\u{200b}\t\r"), "\u{200b}\t\r");
    // What only looks like an escape is kept.
    let raw = r"\xz \u{110000} \u{ \q \x4 \u{12345678} \";
    found_once(|| info!(value = %raw), raw);
    found_once(|| info!(value = ?raw), raw);
    native(|| info!(value = %r"p\xc3ss \u{}")).assert_never_contains("päss");
}

#[test]
fn escapes_of_json_are_read() {
    let secret = "p\"a/ss\u{8}\u{c}\u{1b}ä🦀";
    let json = serde_json::to_string(secret).unwrap();
    found_once(|| info!(body = %json), secret);
    found_once(|| info!(body = ?json), secret);
    found_once(|| info!(body = json.replace('/', "\\/")), secret);
    let ascii = json.replace('ä', "\\u00e4").replace('🦀', "\\ud83e\\uDD80");
    found_once(|| info!(body = ascii), secret);
    found_once(|| info!(body = ?ascii), secret);
    // What only looks like an escape is kept.
    let raw = r"\ud83e \ud83e\u0041 \udd80 \u00e \u00g4 \ud83e\";
    found_once(|| info!(body = %raw), raw);
    native(|| info!(body = %r"p\u00e5ss")).assert_never_contains("päss");
}

#[test]
fn names_are_searched_and_not_shown() {
    let message = found_once(|| drop(info_span!("login hunter2")), SECRET);
    assert!(
        message.contains("  the name of the INFO span \"login ⟨secret⟩\" (target"),
        "{message}"
    );
    let message = found_once(|| info!(target: "hunter2", "sent"), SECRET);
    assert!(message.contains("  the target of the INFO event (target \"⟨secret⟩\", "), "{message}");
    let message = found_once(|| info!(hunter2 = 1), SECRET);
    assert!(
        message.contains("  the name of the field \"⟨secret⟩\" of the INFO event"),
        "{message}"
    );
    // The field has no value.
    found_once(|| drop(info_span!("login", hunter2 = tracing::field::Empty)), SECRET);
    found_once(|| info!(name: "hunter2", "sent"), SECRET);
    // Once for a call site, and not for each event of it.
    found_once(|| (0..10).for_each(|_| info!(target: "hunter2", "sent")), SECRET);
}

#[test]
fn overwritten_values_are_searched() {
    for (_, storage, dispatch) in every_way(|_| {}) {
        tracing::dispatcher::with_default(&dispatch, || {
            let span = info_span!("login", password = SECRET);
            span.record("password", "***");
            span.record("password", "hunter3");
        });
        let message = found(&storage.lock(), SECRET);
        let place =
            "  an earlier value of the field \"password\" of the INFO span \"login\" (target ";
        assert!(message.contains(place), "{message}");
        let message = found(&storage.lock(), "hunter3");
        assert!(message.contains("\n  the field \"password\" of the INFO span"), "{message}");
    }
}

#[test]
fn many_places_are_counted() {
    let trace = native(|| (0..25).for_each(|_| info!(password = SECRET, "sent")));
    let message = found(&trace, SECRET);
    assert!(message.contains(", at 25 places ("), "{message}");
    assert!(message.ends_with("\n  (and 15 more)\n"), "{message}");
    assert_eq!(message.lines().count(), 12);
}

#[test]
fn trace_with_a_secret_is_not_shown_when_its_capture_ends() {
    let message = panic_message(|| {
        let builder = Capture::builder().fail_on_events(Level::WARN).fail_on_open_spans();
        let capture = builder.fail_on_unbalanced_enters().start();
        let _held = info_span!("held", password = SECRET).entered();
        warn!(password = SECRET, "sent");
        let trace = capture.trace();
        found(&trace, SECRET);
        // Nor is it after a snapshot that shows less of it, or more.
        let settings = SnapshotSettings::new().redact("port", "port");
        drop(settings.fields(false).view(&trace).to_string());
        capture.finish()
    });
    assert!(!message.contains(SECRET), "{message}");
    assert!(
        message.contains("\n1 event at level warn or more severe that nothing allows:\n  (those")
    );
    assert!(message.contains("\n1 span still open:\n  (a span"), "{message}");
    assert!(message.contains("\n1 span not exited as often as entered:\n  (a span"), "{message}");
    let withheld = "\nthe trace:\n⟨not printed, since an assertion found a secret in it: ";
    assert!(message.contains(withheld), "{message}");
}

#[test]
fn what_was_not_seen_is_not_known() {
    #[track_caller]
    fn refused(trace: &Trace, reason: &str) {
        let message = trace.try_never_contains(SECRET).unwrap_err().to_string();
        let expected = format!("that a secret is not there says nothing, since {reason}");
        assert!(message.starts_with(&expected), "{message}");
    }

    refused(&native(|| {}), "the capture saw nothing at all");
    let storage = SharedStorage::default();
    storage.set_max_nodes(1, Keep::Newest);
    tracing::subscriber::with_default(
        tracing_subscriber::registry().with(CaptureLayer::new(&storage)),
        || (0..3).for_each(|number| info!(number)),
    );
    refused(&storage.lock(), "");
    let capture = Capture::builder().filter("off").start();
    info!("sent");
    refused(&capture.finish(), "the capture's filter \"off\" lets none of it pass");
    // Some of it is seen.
    let capture = Capture::builder().filter("info").start();
    info!("sent");
    debug!("{SECRET}");
    capture.finish().assert_never_contains(SECRET);
}

#[test]
fn empty_secret_is_refused() {
    let trace = native(|| info!("sent"));
    let message = panic_message(|| trace.assert_never_contains(""));
    assert!(message.starts_with("the secret is empty"), "{message}");
}

#[test]
fn any_field_matches_whatever_its_name() {
    let trace = native(|| {
        let span = info_span!("login", user = "alice", password = SECRET);
        span.record("password", "***");
        info!(user = "bob", port = 80, "sent");
        info!(a = 1, b = 2, c = 3, d = 4, e = 5);
    });
    trace.scan_events().single(&any_field("bob"));
    trace.scan_events().single(&(any_field(80) & any_field("sent")));
    trace.scan_spans().single(&any_field("***"));
    trace.scan_spans().single(&ever(any_field(SECRET)));
    trace.scan_spans().try_single(&any_field(SECRET)).unwrap_err();
    let unwanted = trace.scan_spans().try_none(&any_field(SECRET)).unwrap_err().to_string();
    assert!(
        unwanted.contains("any field(var == \"hunter2\"): it is with password=\"hunter2\"\n"),
        "{unwanted}"
    );
    let missing = trace.scan_events().try_single(&any_field(9)).unwrap_err().to_string();
    assert!(
        missing
            .contains("  ✗ any field(var == 9): it is with message=sent, user=\"bob\", port=80\n"),
        "{missing}"
    );
    assert!(missing.contains("it is with a=1, b=2, c=3, d=4, …\n"), "{missing}");
    trace.scan_events().none(&any_field(None::<i32>));
    let empty = native(|| drop(info_span!("empty")));
    let missing = empty.scan_spans().try_single(&any_field(9)).unwrap_err().to_string();
    assert!(missing.contains("any field(var == 9): it is without fields\n"), "{missing}");
    trace.scan_events().none(&(level(Level::ERROR) | any_field("alice")));
}

/// A failure shows lines of the trace. A snapshot has said how to show them.
#[test]
fn failure_redacts_what_a_snapshot_redacts() {
    let trace = native(|| {
        info_span!("login", user = "bob", password = "hunter2").in_scope(|| info!("done"));
    });
    let failures = || {
        let (spans, events) = (trace.scan_spans(), trace.scan_events());
        [
            spans.try_single(&field("user", "alice")).unwrap_err(),
            spans.try_single(&child(name("other"))).unwrap_err(),
            spans.try_none(&field("user", "bob")).unwrap_err(),
            events.try_single(&parent(field("user", "alice"))).unwrap_err(),
            events.try_in_order(&[&message("done"), &message("done")]).unwrap_err(),
            spans.try_single(&tree(name("login")).event(message("failed"))).unwrap_err(),
        ]
        .map(|error| error.to_string())
    };
    for message in failures() {
        assert!(message.contains("hunter2"), "{message}");
    }
    let settings = SnapshotSettings::new().redact("password", "a password");
    assert!(settings.view(&trace).to_string().contains("password=⟨a password⟩"));
    for message in failures() {
        assert!(!message.contains("hunter2"), "{message}");
        assert!(message.contains("password=⟨a password⟩"), "{message}");
    }
    // You have asked for this value.
    let error = trace.scan_spans().try_single(&field("password", "swordfish")).unwrap_err();
    assert_eq!(error.to_string().matches("hunter2").count(), 1, "{error}");
    // A redaction of yours may panic.
    let settings = SnapshotSettings::new().redact_with(|_, _, _| panic!("as it was told to"));
    assert_eq!(panic_message(|| settings.view(&trace).to_string()), "as it was told to");
    for message in failures() {
        assert!(message.contains("a redaction panicked with: as it was told to"), "{message}");
    }

    trace.try_never_contains("hunter2").unwrap_err();
    for message in failures() {
        assert!(!message.contains("hunter2"), "{message}");
        assert!(message.contains("⟨not shown, since a secret is in the trace⟩"), "{message}");
    }
}

/// Events are judged when they are emitted, and closed spans when they close. A snapshot may come later.
#[test]
fn finding_redacts_what_a_later_snapshot_redacts() {
    let message = panic_message(|| {
        let builder = Capture::builder().fail_on_events(Level::WARN).fail_on_open_spans();
        let capture = builder.fail_on_unbalanced_enters().start();
        warn!(password = "hunter2", "taken");
        drop(capture.take());
        let closed = info_span!("closed", password = "hunter2");
        // Dropped without the exit.
        mem::forget(closed.enter());
        drop(closed);
        let _held = info_span!("held", password = "hunter2").entered();
        warn!(password = "hunter2", "sent");
        let settings = SnapshotSettings::new().redact("password", "a password");
        drop(settings.view(&capture.trace()).to_string());
        capture.finish()
    });
    assert!(!message.contains("hunter2"), "{message}");
    let lines = [
        "allows:\n  ⟨not shown, since it was taken or evicted, and a snapshot redacts values⟩\n    by it::",
        "  WARN sent password=⟨a password⟩\n",
        "  INFO held{password=⟨a password⟩}\n",
    ];
    for line in lines {
        assert!(message.contains(line), "{message}");
    }
    let unbalanced =
        "2 spans not exited as often as entered:\n  INFO closed{password=⟨a password⟩}\n";
    assert!(message.contains(unbalanced), "{message}");
}
