//! Values of every kind arrive as natively: through which method of `Visit` is what
//! `check_visits` is told. More of that, above all the order, is in `values`.

use std::{
    error::Error,
    fmt, iter,
    num::NonZeroU8,
    sync::{Arc, Mutex},
};

use spanshot::TracingEventReceiver;
use tracing::{
    Subscriber,
    field::Empty,
    info, info_span, record_all,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry,
};

use super::check;
use crate::{
    boundary::values::{check as check_visits, check_same},
    support::{
        assert_transparent, direct, events_of, feed_events, feed_frames, frames_of, native,
        relayed, through_json,
    },
};

#[test]
fn bool_arrives_through_record_bool() {
    check_visits(|| info!(no = false, yes = true), "event; bool no false; bool yes true");
}

#[test]
fn signed_integers_arrive_through_record_i64() {
    check_visits(
        || info!(a = -1_i8, b = 2_i16, c = -3_i32, d = i64::MIN, e = 5_isize),
        "event; i64 a -1; i64 b 2; i64 c -3; i64 d -9223372036854775808; i64 e 5",
    );
}

#[test]
fn unsigned_integers_arrive_through_record_u64() {
    check_visits(
        || info!(a = 1_u8, b = 2_u16, c = 3_u32, d = u64::MAX, e = 5_usize, f = NonZeroU8::MAX),
        "event; u64 a 1; u64 b 2; u64 c 3; u64 d 18446744073709551615; u64 e 5; u64 f 255",
    );
}

#[test]
fn floats_arrive_with_nan_infinities_and_negative_zero() {
    check_visits(
        || info!(a = -0.0, b = f64::NAN, c = f64::INFINITY, d = f64::NEG_INFINITY, e = 5e-324),
        "event; f64 a 8000000000000000; f64 b NaN; f64 c 7ff0000000000000; \
         f64 d fff0000000000000; f64 e 1",
    );
    check_visits(|| info!(single = 1.0_f32), "event; f64 single 3ff0000000000000");
}

#[test]
fn references_and_boxes_arrive_as_what_is_in_them() {
    check_visits(
        || info!(a = &&"s", b = Box::new(true), c = String::from("t")),
        r#"event; str a "s"; bool b true; str c "t""#,
    );
}

#[test]
fn bytes_arrive_through_record_bytes() {
    check_visits(
        || info!(some = b"\0\xff" as &[u8], none = b"" as &[u8]),
        "event; bytes some [0, 255]; bytes none []",
    );
    let all: Vec<_> = (0..=u8::MAX).collect();
    check_same(|| info!(all = &all[..]));
}

#[test]
fn debug_display_and_the_message_arrive_formatted() {
    check_visits(
        || info!(a = ?Some("x"), b = %"\u{1b}[0m\0", c = format_args!("{}", 1), "{}-{}", 1, "two"),
        r#"event; debug message "1-two"; debug a "Some(\"x\")"; debug b "\u{1b}[0m\0"; debug c "1""#,
    );
}

/// Error with sources, which are named by their number.
#[derive(Debug)]
pub(super) struct Numbered(usize, Option<Box<Numbered>>);

impl Numbered {
    pub(super) fn chain(len: usize) -> Self {
        (1..len).fold(Self(0, None), |source, i| Self(i, Some(Box::new(source))))
    }
}

impl fmt::Display for Numbered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl Error for Numbered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[test]
fn error_arrives_with_its_chain() {
    let chain = Numbered::chain(3);
    check_visits(
        || info!(a = &chain as &(dyn Error + 'static), b = chain.source()),
        "event; \
         error a \"2\" \"Numbered(2, Some(Numbered(1, Some(Numbered(0, None)))))\" \
         < \"1\" \"Numbered(1, Some(Numbered(0, None)))\" < \"0\" \"Numbered(0, None)\"; \
         error b \"1\" \"Numbered(1, Some(Numbered(0, None)))\" < \"0\" \"Numbered(0, None)\"",
    );
    let long = Numbered::chain(100);
    check_same(|| info!(error = &long as &(dyn Error + 'static)));
}

/// Error whose output by `Debug` is none of its message, and fails.
struct Failing;

impl fmt::Debug for Failing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Failing { so far")?;
        Err(fmt::Error)
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

impl Error for Failing {}

#[test]
fn what_an_error_wrote_before_it_failed_stays() {
    let program = || info!(error = &Failing as &(dyn Error + 'static));
    let frames = frames_of(program);
    let events = through_json(&events_of(program));
    for trace in [
        native(program),
        relayed(feed_frames(&frames)),
        direct(feed_frames(&frames)),
        relayed(feed_events(events.clone())),
        direct(feed_events(events)),
    ] {
        let error = trace.all_events().next().unwrap();
        let error = error.value("error").unwrap().as_error().unwrap();
        assert_eq!((&*error.message, &*format!("{error:?}")), ("", "Failing { so far"));
    }
}

#[test]
fn boxed_error_arrives_as_an_error() {
    let boxed: Box<dyn Error + Send + Sync> = "boxed".into();
    check_visits(|| info!(error = &*boxed), r#"event; error error "boxed" "\"boxed\"""#);
}

#[test]
fn option_arrives_as_what_is_in_it_or_not_at_all() {
    let none: Option<&(dyn Error + 'static)> = None;
    check_visits(
        || info!(a = Some(5_u8), b = None::<u8>, c = Some("text"), d = None::<&str>, e = none),
        r#"event; u64 a 5; str c "text""#,
    );
}

#[test]
fn empty_field_is_filled_by_a_late_record() {
    let program = || {
        let span = info_span!("s", a = Empty, b = None::<&str>, c = 1);
        span.record("b", "late").record("a", 0.0);
    };
    check_visits(program, r#"new s; i64 c 1; record; str b "late"; record; f64 a 0"#);
    assert_transparent(program);
}

#[test]
fn late_record_overwrites_a_value_by_one_of_any_type() {
    let program = || {
        let span = info_span!("s", a = 1, b = 2);
        span.record("a", "text").record("a", true).record("b", 3);
    };
    let visits =
        r#"new s; i64 a 1; i64 b 2; record; str a "text"; record; bool a true; record; i64 b 3"#;
    check_visits(program, visits);
    check(program, "INFO s{a=true b=3}");
}

#[test]
fn late_record_of_nothing_leaves_the_value_that_there_was() {
    let program = || {
        info_span!("s", a = 1).record("a", Empty).record("a", None::<u8>);
    };
    check_visits(program, "new s; i64 a 1; record; record");
    check(program, "INFO s{a=1}");
}

#[test]
fn late_record_into_a_field_that_there_is_not_is_nothing() {
    let program = || {
        info_span!("s", a = 1).record("b", 2);
    };
    check_visits(program, "new s; i64 a 1");
}

#[test]
fn dotted_names() {
    check_visits(|| info!(a.b.c = 1, a.b = 2, a = 3), "event; i64 a.b.c 1; i64 a.b 2; i64 a 3");
}

#[test]
fn quoted_names() {
    check_visits(
        || info!("quoted name" = 1, "" = 2, "\n\0é" = 3, "\"" = 4),
        "event; i64 quoted name 1; i64  2; i64 \n\0é 3; i64 \" 4",
    );
}

#[test]
fn raw_identifiers() {
    check_visits(
        || info!(r#type = 1, r#fn = 2, r#match.arm = 3),
        "event; i64 type 1; i64 fn 2; i64 match.arm 3",
    );
    check(|| drop(info_span!("s", r#type = "raw")), "INFO s{type=\"raw\"}");
}

#[test]
fn names_that_are_constants() {
    const NAME: &str = "a constant";
    check_visits(|| info!({ NAME } = 1), "event; i64 a constant 1");
}

/// Checks texts, each as every kind of value that has one.
#[track_caller]
fn check_texts(texts: &[&str]) {
    check_same(|| {
        for text in texts {
            info!(text, debug = ?text, bytes = text.as_bytes(), "{text}");
            let error: Box<dyn Error> = (*text).into();
            info!(error = &*error);
            info_span!("s", text = Empty).record("text", text);
        }
    });
}

#[test]
fn text_may_be_any_unicode() {
    check_texts(&["", "\u{feff}", "\"\\\u{2028}", "\u{1f980}e\u{301}", "\r\n\t\u{7f}\u{1b}"]);
    let all: String = ('\0'..=char::MAX).step_by(97).collect();
    check_texts(&[&all]);
}

#[test]
fn text_may_contain_nul() {
    check_texts(&["\0", "before\0after\0"]);
}

#[test]
fn text_may_be_of_a_megabyte() {
    let text: String = iter::repeat_n("né\0\u{10ffff}\n", 1 << 17).collect();
    assert!(text.len() >= 1 << 20);
    check_texts(&[&text]);
}

#[test]
fn text_that_looks_like_another_value_stays_a_text() {
    check_texts(&["null", "true", "1", "NaN", "[de ad]", "{\"int\":1}"]);
}

/// Notes how many values a span, an event and what is recorded into a span are said to have.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<Vec<Count>>>);

/// Of what, how many, and whether there are none.
type Count = (&'static str, usize, bool);

impl Counts {
    fn push(&self, what: &'static str, len: usize, is_empty: bool) {
        self.0.lock().unwrap().push((what, len, is_empty));
    }
}

impl<S: Subscriber> Layer<S> for Counts {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.push("span", attributes.values().len(), attributes.is_empty());
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.push("record", values.len(), values.is_empty());
    }
}

#[test]
fn values_are_counted_as_natively() {
    let program = || {
        let span = info_span!("few", a = 1, b = Empty, c = Empty);
        span.record("c", 3);
        span.record("b", 2).record("a", 1);
        let error: &(dyn Error + 'static) = &std::fmt::Error;
        span.record("b", error);
        record_all!(span, a = 4, b = 5);
        record_all!(span, c = 7, b = 6, a = error);
        let span = info_span!(
            "many",
            a = Empty,
            b = Empty,
            c = Empty,
            d = Empty,
            e = Empty,
            f = Empty,
            g = Empty,
            h = Empty,
            i = Empty
        );
        span.record("i", "text");
        record_all!(span, a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, i = 9);
        drop(info_span!("none"));
    };
    let counts = |f: &dyn Fn()| {
        let counts = Counts::default();
        tracing::subscriber::with_default(registry().with(counts.clone()), f);
        std::mem::take(&mut *counts.0.lock().unwrap())
    };
    let natively = counts(&program);
    let lens: Vec<_> = natively.iter().map(|(_, len, _)| *len).collect();
    assert_eq!(lens, [3, 1, 1, 1, 1, 2, 3, 9, 1, 9, 0]);
    let (frames, events) = (frames_of(program), through_json(&events_of(program)));
    let receiver = TracingEventReceiver::default;
    assert_eq!(counts(&|| feed_frames(&frames)(&mut receiver())), natively, "frames");
    assert_eq!(counts(&|| feed_events(events.clone())(&mut receiver())), natively, "JSON");
}
