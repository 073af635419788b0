//! Values arrive through the method of `Visit` that recorded them, in the order in which they were
//! recorded.

use std::{
    array,
    error::Error,
    fmt::{self, Debug},
    iter,
    sync::{Arc, Mutex},
};

use spanshot::{TracingEvent, TracingEventReceiver};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Empty, Field, Value, Visit},
    info, info_span,
    span::{Attributes, Id, Record},
};
use tracing_core::{Kind, Level, callsite::DefaultCallsite, field::FieldSet, identify_callsite};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry,
};

use crate::support::{
    assert_transparent, direct, events_of, feed_events, feed_frames, frames_of, native,
    through_json,
};

/// Layer that logs how it visits values.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.push(format!("new {}", attributes.metadata().name()));
        attributes.record(&mut self.clone());
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.push("record".to_owned());
        values.record(&mut self.clone());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.push("event".to_owned());
        event.record(&mut self.clone());
    }
}

/// Shortens texts that nobody would want to see in a failure.
fn shortened(text: &str) -> String {
    if text.len() < 100 {
        return format!("{text:?}");
    }
    let sum = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("{} bytes with checksum {sum:x}", text.len())
}

impl Visit for Log {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(format!("bool {field} {value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(format!("i64 {field} {value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(format!("u64 {field} {value}"));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.push(format!("i128 {field} {value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.push(format!("u128 {field} {value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let bits = if value.is_nan() { "NaN".to_owned() } else { format!("{:x}", value.to_bits()) };
        self.push(format!("f64 {field} {bits}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(format!("str {field} {}", shortened(value)));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.push(format!("bytes {field} {value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let chain = iter::successors(Some(value), |error| (*error).source());
        let shown = |error: &dyn Error| {
            let (message, debug) = (error.to_string(), format!("{error:?}"));
            format!("{} {}", shortened(&message), shortened(&debug))
        };
        let errors: Vec<_> = chain.take(1_000).map(shown).collect();
        self.push(format!("error {field} {}", errors.join(" < ")));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.push(format!("debug {field} {}", shortened(&format!("{value:?}"))));
    }
}

fn logged(program: impl FnOnce()) -> String {
    let log = Log::default();
    tracing::subscriber::with_default(registry().with(log.clone()), program);
    let visits = log.0.lock().unwrap();
    visits.join("; ")
}

fn replayed(feed: impl FnOnce(&mut TracingEventReceiver)) -> String {
    logged(|| feed(&mut TracingEventReceiver::default()))
}

#[track_caller]
fn check_replayed(program: impl Fn(), visits: &str) {
    assert_eq!(replayed(feed_frames(&frames_of(&program))), visits, "frames");
    assert_eq!(replayed(feed_events(through_json(&events_of(&program)))), visits, "JSON");
}

/// Checks that the visits are the same natively and replayed.
#[track_caller]
pub(crate) fn check(program: impl Fn(), visits: &str) {
    assert_eq!(logged(&program), visits, "natively");
    check_replayed(program, visits);
}

/// Checks that the visits are the same natively and replayed, where they are too many to list.
#[track_caller]
pub(crate) fn check_same(program: impl Fn()) {
    let visits = logged(&program);
    assert!(visits.contains("; "));
    check_replayed(program, &visits);
}

#[test]
fn wide_integer_that_fits_64_bits_is_visited_as_such() {
    let program = || info!(a = i128::from(i64::MIN), b = u128::from(u64::MAX));
    let natively = "event; i128 a -9223372036854775808; u128 b 18446744073709551615";
    assert_eq!(logged(program), natively);
    check_replayed(program, "event; i64 a -9223372036854775808; u64 b 18446744073709551615");

    check(
        || info!(a = i128::from(i64::MIN) - 1, b = 1_i128 << 63, c = 1_u128 << 64),
        "event; i128 a -9223372036854775809; i128 b 9223372036854775808; \
         u128 c 18446744073709551616",
    );
    check_same(|| info!(a = i128::MIN, b = i128::MAX, c = u128::MAX));
}

#[test]
fn what_a_failing_error_wrote_stays() {
    #[derive(Debug)]
    struct Failing;

    impl fmt::Display for Failing {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("so far")?;
            Err(fmt::Error)
        }
    }

    impl Error for Failing {}

    assert_transparent(|| info!(error = &Failing as &(dyn Error + 'static)));
}

#[test]
fn name_given_twice() {
    check(|| info!(a = 1, b = 2, a = true), "event; i64 a 1; i64 b 2; bool a true");
    check(|| info!(a = None::<u8>, a = 1), "event; i64 a 1");
    let program = || {
        info_span!("s", a = 1, a = true).record("a", 2);
    };
    check(program, "new s; i64 a 1; bool a true; record; i64 a 2");
    assert_transparent(program);
}

#[test]
fn value_of_the_second_of_two_fields_with_one_name_is_not_that_of_the_first() {
    let program = || {
        let span = info_span!("s", a = None::<u8>, b = 1, a = 2);
        span.record("a", 3); // goes to the first, and leaves the second as it is
        let second = span.metadata().unwrap().fields().iter().last().unwrap();
        span.record(&second, 4);
        info!(a = None::<u8>, a = 5);
    };
    assert_eq!(native(program).to_string(), "INFO s{b=1 a=4 a=3}\nINFO a=5");
    assert_transparent(program);
}

/// The limit of JSON that the documentation of the crate names. Frames do not have it.
#[test]
fn json_takes_text_for_bytes_if_it_has_their_form_and_their_name() {
    let bytes = || info!(a = &[1_u8][..], a = %"[02]");
    assert_eq!(direct(feed_frames(&frames_of(bytes))).to_string(), "INFO a=[01] a=[02]");
    let events = through_json(&events_of(bytes));
    let TracingEvent::NewEvent { values, .. } = &events[1] else { panic!("{events:?}") };
    assert!(values.iter().all(|(_, value)| value.as_bytes().is_some()), "even the second, a text");
}

#[test]
fn values_recorded_in_another_order_than_that_of_the_fields() {
    let program = || {
        let span = info_span!("s", a = Empty, b = Empty, c = Empty);
        tracing::record_all!(span, c = 3, a = ?1, b = 2);
    };
    check(program, r#"new s; record; i64 c 3; debug a "1"; i64 b 2"#);
    assert_transparent(program);
}

static FIELDS: [&str; 600] = {
    let mut fields = ["same"; 600];
    (fields[0], fields[1], fields[2]) = ("a", "b", "c");
    fields
};

static METADATA: Metadata<'static> = {
    static CALL_SITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    let fields = FieldSet::new(&FIELDS, identify_callsite!(&CALL_SITE));
    Metadata::new("made by hand", "", Level::INFO, None, None, None, fields, Kind::EVENT)
};

#[test]
fn value_sets_made_by_hand() {
    let fields = METADATA.fields();
    let [a, b, c] = ["a", "b", "c"].map(|name| fields.field(name).unwrap());
    let (one, two): (Option<&dyn Value>, Option<&dyn Value>) = (Some(&1), Some(&2));
    let backwards = [(&c, one), (&b, None), (&a, two)];
    check(|| Event::dispatch(&METADATA, &fields.value_set(&backwards)), "event; i64 c 1; i64 a 2");
    let twice = [(&a, one), (&b, one), (&a, two)];
    let visits = "event; i64 a 1; i64 b 1; i64 a 2";
    check(|| Event::dispatch(&METADATA, &fields.value_set(&twice)), visits);
    check(|| Event::dispatch(&METADATA, &fields.value_set(&[])), "event");

    let all: [Field; 600] = array::from_fn(|i| fields.iter().nth(i).unwrap());
    let numbers: [usize; 600] = array::from_fn(|i| i);
    let backwards: [_; 600] = array::from_fn(|i| (&all[599 - i], Some(&numbers[i] as &dyn Value)));
    macro_rules! check_len {
        ($($len:expr),+) => {$(
            let pairs: &[_; $len] = backwards.first_chunk().unwrap();
            check_same(|| Event::dispatch(&METADATA, &fields.value_set(pairs)));
        )+};
    }
    check_len!(8, 9, 64, 65, 512, 513, 600);
    let same: [_; 600] = array::from_fn(|i| (&all[0], Some(&numbers[i] as &dyn Value)));
    check_same(|| Event::dispatch(&METADATA, &fields.value_set(&same)));
    let one = [(&all[500], Some(&1 as &dyn Value))];
    check(|| Event::dispatch(&METADATA, &fields.value_set(&one)), "event; i64 same 1");
}

#[test]
fn record_has_as_many_values_as_were_recorded() {
    /// Layer that counts the values of each record.
    struct Counts(Arc<Mutex<Vec<usize>>>);

    impl<S: Subscriber> Layer<S> for Counts {
        fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(values.len());
        }
    }

    let counts = |program: &dyn Fn()| {
        let counts = Arc::default();
        let subscriber = registry().with(Counts(Arc::clone(&counts)));
        tracing::subscriber::with_default(subscriber, program);
        let counts = counts.lock().unwrap();
        counts.clone()
    };
    let program = || {
        let span = info_span!("s", a = Empty, b = Empty, c = Empty);
        span.record("b", 1).record("c", "text");
        let [a, b, c] = ["a", "b", "c"].map(|name| span.field(name).unwrap());
        let one: Option<&dyn Value> = Some(&1);
        span.record_all(&span.metadata().unwrap().fields().value_set(&[
            (&c, one),
            (&a, one),
            (&b, one),
        ]));
    };
    let natively = counts(&program);
    assert_eq!(natively, [1, 1, 3]);
    let frames = frames_of(program);
    let replay = || feed_frames(&frames)(&mut TracingEventReceiver::default());
    assert_eq!(counts(&replay), natively);
}

#[test]
#[rustfmt::skip]
fn any_number_of_fields() {
    for len in [32, 33, 64, 65, 512, 513, 600] {
        let mut values = [None; 600];
        values[..len].fill(Some(&true as &dyn Value));
        check_same(|| Event::dispatch(&METADATA, &METADATA.fields().value_set_all(&values)));
    }
    check_same(|| info!(
        f0 = 0, f1 = 1, f2 = 2, f3 = 3, f4 = 4, f5 = 5, f6 = 6, f7 = 7, f8 = 8, f9 = 9, g0 = 0,
        g1 = 1, g2 = 2, g3 = 3, g4 = 4, g5 = 5, g6 = 6, g7 = 7, g8 = 8, g9 = 9, h0 = 0, h1 = 1,
        h2 = 2, h3 = 3, h4 = 4, h5 = 5, h6 = 6, h7 = 7, h8 = 8, h9 = 9, i0 = 0, i1 = 1, i2 = 2,
    ));
}
