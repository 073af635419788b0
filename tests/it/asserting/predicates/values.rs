//! Values are compared as a person means it.

use std::{error::Error, io, num::ParseIntError};

use spanshot::{
    CallSiteData, CallSiteKind, SharedStorage, Trace, TracedError, TracedValue, TracedValues,
    TracingEvent, TracingEventReceiver, TracingLevel,
    predicates::{types::IntoFieldPredicate, *},
};
use tracing::{error, info, info_span};

use crate::support::{captured_by_every_way, native, panic_message};

/// Whether a field with this value matches.
fn matches(value: impl Into<TracedValue>, predicate: impl IntoFieldPredicate) -> bool {
    let trace = with_value(value.into());
    let predicate = field("x", predicate);
    let event = trace.all_events().next().unwrap();
    let eval = predicate.eval(&event);
    for expected in [true, false] {
        assert_eq!(predicate.find_case(expected, &event).is_some(), eval == expected);
    }
    eval
}

/// A trace of one event with a value in its field `x`.
fn with_value(value: TracedValue) -> Trace {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let data = CallSiteData {
        kind: CallSiteKind::Event,
        name: "event".into(),
        target: "test".into(),
        level: TracingLevel::Info,
        module_path: None,
        file: None,
        line: None,
        fields: vec!["x".into()],
    };
    receiver.receive(TracingEvent::NewCallSite { id: 0, data });
    receiver.receive(TracingEvent::NewEvent {
        metadata_id: 0,
        parent: None,
        is_root: true,
        values: TracedValues::from_iter([("x".to_owned(), value)]),
        thread: 0,
    });
    storage.lock()
}

fn error_of(error: &(dyn Error + 'static)) -> TracedValue {
    TracedError::new(error).into()
}

#[test]
fn integers_match_whatever_their_type() {
    for five in [TracedValue::from(5_i64), 5_u64.into(), 5_i128.into(), 5_u128.into()] {
        assert!(matches(five.clone(), 5));
        assert!(matches(five.clone(), 5_i8) && matches(five.clone(), 5_u8));
        assert!(matches(five.clone(), 5_i64) && matches(five.clone(), 5_u64));
        assert!(matches(five.clone(), 5_i128) && matches(five.clone(), 5_u128));
        assert!(matches(five.clone(), 5_isize) && matches(five.clone(), 5_usize));
        assert!(matches(five.clone(), value(eq(5_u8))) && matches(five.clone(), value(gt(4_i128))));
        assert!(!matches(five.clone(), -5) && !matches(five.clone(), 6_u128));
        assert!(!matches(five.clone(), "5") && !matches(five.clone(), 5.0));
        assert!(!matches(five, true));
    }
}

#[test]
fn integers_match_at_their_limits() {
    assert!(matches(u128::MAX, u128::MAX));
    assert!(!matches(u128::MAX, -1) && !matches(u128::MAX, -1_i128));
    assert!(!matches(u128::MAX, u64::MAX) && !matches(u128::MAX, i128::MAX));
    assert!(matches(i128::MIN, i128::MIN));
    assert!(!matches(i128::MIN, i64::MIN) && !matches(i128::MIN, 0_u128));
    assert!(!matches(i128::MIN, 1_u128 << 127));
    assert!(!matches(-1_i64, u64::MAX) && !matches(-1_i64, u128::MAX));
    assert!(matches(-1_i64, -1_i8) && matches(-1_i64, -1_i128));
    assert!(!matches(u64::MAX, -1) && !matches(u64::MAX, -1_i64));
    assert!(matches(u64::MAX, u128::from(u64::MAX)) && matches(u64::MAX, i128::from(u64::MAX)));
    assert!(!matches(256_u64, 0_u8) && !matches(256_i64, 0_i8));
    assert!(matches(i64::MIN, i64::MIN) && matches(i64::MIN, i128::from(i64::MIN)));
    assert!(matches(i128::MAX, u128::MAX >> 1));
}

#[test]
fn floats_match_exactly_or_with_a_tolerance() {
    assert!(matches(0.5, 0.5) && matches(0.5, 0.5_f32) && matches(f64::from(0.1_f32), 0.1_f32));
    assert!(!matches(0.1, 0.1_f32) && !matches(f64::from(0.1_f32), 0.1));
    assert!(matches(0.0, -0.0) && !matches(1.0, 1));
    assert!(matches(f64::NAN, f64::NAN) && matches(f64::NAN, f32::NAN) && !matches(0.0, f64::NAN));
    assert!(matches(f64::INFINITY, f32::INFINITY) && !matches(f64::INFINITY, f64::MAX));

    assert!(!matches(0.1 + 0.2, 0.3) && matches(0.1 + 0.2, close_to(0.3, 1e-9)));
    assert!(matches(10.5, close_to(10.0, 0.5)) && matches(9.5, close_to(10.0, 0.5)));
    assert!(!matches(10.6, close_to(10.0, 0.5)) && !matches(9.4, close_to(10.0, 0.5)));
    assert!(matches(2.0, close_to(2.0, 0.0)) && !matches(2.1, close_to(2.0, 0.0)));
    assert!(matches(850_u64, close_to(848.0, 2.0)) && matches(-3_i64, close_to(-3.1, 0.2)));
    assert!(!matches("2.0", close_to(2.0, 1.0)));
    let infinity = f64::INFINITY;
    assert!(matches(infinity, close_to(infinity, 0.0)));
    assert!(!matches(-infinity, close_to(infinity, 1.0)) && !matches(1.0, close_to(infinity, 1.0)));
    assert!(!matches(infinity, close_to(1.0, 1.0)) && matches(1.0, close_to(5.0, infinity)));
    assert!(matches(f64::NAN, close_to(f64::NAN, 0.0)));
    assert!(!matches(f64::NAN, close_to(1.0, infinity)) && !matches(1.0, close_to(f64::NAN, 1.0)));
    assert_eq!(panic_message(|| close_to(1.0, -0.5)), "the tolerance is -0.5");
    assert_eq!(panic_message(|| close_to(1.0, f64::NAN)), "the tolerance is NaN");
}

#[test]
fn texts_match_strings_and_output_and_messages() {
    let owned = String::from("x y");
    let output = TracedValue::debug(&format_args!("x y"));
    let error = error_of(&io::Error::other("x y"));
    for text in [TracedValue::from("x y"), output.clone(), error] {
        assert!(matches(text.clone(), "x y") && matches(text.clone(), owned.as_str()));
        assert!(matches(text.clone(), &owned) && matches(text.clone(), owned.clone()));
        assert!(matches(text.clone(), value(starts_with("x"))));
        assert!(!matches(text.clone(), "x") && !matches(text.clone(), 'x'));
        assert!(!matches(text, b"x y"));
    }
    assert!(matches("é", 'é') && matches(TracedValue::debug(&format_args!("é")), 'é'));
    assert!(!matches("", 'é') && !matches("éé", 'é') && !matches(TracedValue::debug(&'é'), 'é'));
    assert!(matches("", "") && matches("", String::new()));

    assert!(matches(output.clone(), debug(&format_args!("x y"))));
    assert!(!matches("x y", debug(&format_args!("x y"))) && !matches(output, debug("x y")));
    assert!(matches(TracedValue::debug(&Some(3)), debug(&Some(3))));
    assert!(matches(TracedValue::debug(&Some(3)), "Some(3)"));
    assert!(!matches(TracedValue::debug(&Some(3)), debug(&3)) && !matches(3_i64, debug(&3)));
    assert!(matches(TracedValue::debug(&"x\n"), debug("x\n")));
    assert!(matches(TracedValue::debug(&vec![1, 2]), debug(&[1, 2])));
}

#[test]
fn booleans_and_bytes_match_themselves() {
    assert!(matches(true, true) && matches(false, false) && !matches(false, true));
    assert!(!matches(1_u64, true) && !matches("true", true));
    let bytes = &b"abc"[..];
    assert!(matches(bytes, b"abc") && matches(bytes, bytes) && matches(bytes, &[97, 98, 99]));
    assert!(matches(bytes, &vec![97, 98, 99][..]) && matches(&[][..], b""));
    assert!(!matches(bytes, b"ab") && !matches(bytes, "abc") && !matches("abc", b"abc"));
}

#[test]
fn options_match_what_may_be_there() {
    assert!(matches(5_u64, Some(5)) && !matches(5_u64, Some(6)) && !matches(5_u64, None::<i32>));
    assert!(
        matches("x", Some("x")) && !matches("x", None::<&str>) && matches("x", Some(Some("x")))
    );
    assert!(matches(0.1 + 0.2, Some(close_to(0.3, 0.1))) && matches(0.5, Some(0.5)));
    assert!(matches(5_u64, Some([always()])) && !matches(5_u64, Some(None::<u8>)));

    let trace = native(|| {
        info!(x = None::<i32>, y = Some(5), z = 6);
    });
    let event = trace.all_events().next().unwrap();
    let is =
        |predicate: &dyn for<'a> Predicate<spanshot::CapturedEvent<'a>>| predicate.eval(&event);
    assert!(is(&field("x", None::<i32>)) && is(&field("x", None::<&str>)));
    assert!(is(&field("unknown", None::<i32>)) && is(&field("x", Some(None::<i32>))));
    assert!(!is(&field("x", Some(5))) && !is(&field("x", [always()])) && !is(&field("x", 5)));
    assert!(!is(&field("y", None::<i32>)) && is(&field("y", Some(5))) && is(&field("y", 5)));
    assert!(is(&field("z", Some(6))) && is(&!field("z", None::<i32>)));
}

#[derive(Debug)]
struct Refused(ParseIntError);

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("refused")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn errors_match_by_their_message_or_any_in_their_chain() {
    let refused = || Refused("a".parse::<u8>().unwrap_err());
    let error = || error_of(&refused());
    assert!(matches(error(), "refused") && !matches(error(), "invalid digit found in string"));
    assert!(matches(error(), error_chain("refused")));
    assert!(matches(error(), error_chain("invalid digit found in string")));
    assert!(matches(error(), error_chain(contains("digit").and(starts_with("in")))));
    assert!(!matches(error(), error_chain("digit")) && !matches(error(), error_chain(is_empty())));
    assert!(!matches(error(), error_chain("refused, caused by: invalid digit found in string")));
    assert!(matches("refused", error_chain("refused")) && !matches(5_u64, error_chain(always())));

    let trace = native(|| {
        let refused = refused();
        error!(x = &refused as &dyn Error);
        error!(x = %refused);
    });
    trace.scan_events().all(&field("x", error_chain(starts_with("ref"))));
    assert_eq!(
        trace.scan_events().single(&field("x", error_chain(ends_with("string"))))["x"],
        "refused"
    );
}

#[test]
fn predicates_for_values_combine() {
    let between = || value(gt(4_u64)) & value(lt(6_u64));
    assert!(matches(5_u64, between()) && !matches(6_u64, between()));
    assert!(matches(5_u64, [between()]) && !matches(5_u64, !between()));
    assert!(matches("x", value(eq(5_u64)) | value::<str, _>(eq("x"))));
    assert!(matches(5_u64, !close_to(7.0, 1.0)) && matches(7_u64, close_to(7.0, 1.0) | debug(&7)));
    assert!(matches("x", !debug("x") & error_chain("x")));
    assert!(matches(5_u64, [value(gt(4_u64)).and(close_to(5.0, 0.0)).and(debug(&5).not())]));
}

/// What a failure says of a value that does not match.
fn told(value: impl Into<TracedValue>, predicate: impl IntoFieldPredicate) -> String {
    let trace = with_value(value.into());
    let predicate = field("x", predicate);
    let case = predicate.find_case(false, &trace.all_events().next().unwrap()).unwrap();
    let told: Vec<_> = case.products().map(|product| product.value().to_string()).collect();
    told.join(", ")
}

#[test]
fn text_that_looks_like_another_type_is_told_apart() {
    assert_eq!(told(TracedValue::debug(&Some(8_080)), 8_080), "Some(8080)");
    assert_eq!(told("8080", 8_080), "\"8080\"");
    assert_eq!(told(8_081_u64, 8_080), "8081");
    for text in ["8080", "-1.5", "true", "None", "NaN", "'n'", "[de ad]", "not there", "no value"] {
        let output = TracedValue::debug(&format_args!("{text}"));
        let expected =
            format!("{text} (Debug or Display output: \"{text}\" or debug(…) matches it)");
        assert_eq!(told(output, 8_080), expected);
        assert_eq!(
            told(error_of(&io::Error::other(text)), 8_080),
            format!("{text} (an error: \"{text}\" matches it)")
        );
    }
}

#[test]
fn no_failure_shows_equal_sides() {
    let output = |value: &dyn std::fmt::Debug| TracedValue::debug(value);
    let quoted = r#""n" (Debug or Display output: "\"n\"" or debug(…) matches it)"#;
    assert_eq!(told(output(&"n"), "n"), quoted);
    assert_eq!(told(output(&"n"), String::from("n")), quoted);
    assert_eq!(told(output(&"n"), Some("n")), quoted);
    assert_eq!(told(output(&"n"), value::<str, _>(eq("n"))), quoted);
    assert_eq!(told(output(&"n"), error_chain("n")), quoted);
    assert_eq!(told(output(&"n"), [value::<str, _>(eq("n"))]), quoted);
    assert_eq!(told(output(&"n"), value::<str, _>(eq("n")) & !value::<str, _>(eq("m"))), quoted);
    let quoted = r#"'n' (Debug or Display output: "'n'" or debug(…) matches it)"#;
    assert_eq!(told(output(&'n'), 'n'), quoted);

    assert_eq!(told(8_080_u64, "8080"), "8080 (an integer)");
    assert_eq!(told(0.5, "0.5"), "0.5 (a float)");
    assert_eq!(told(true, "true"), "true (a Boolean)");
    assert_eq!(told(&b"\xde\xad"[..], "[de ad]"), "[de ad] (a byte string)");
    assert_eq!(told(5_u64, error_chain("5")), "5 (an integer)");
    assert_eq!(told("n", debug("n")), "\"n\" (a string)");
    assert_eq!(told(8_080_u64, debug(&8_080)), "8080 (an integer)");

    assert_eq!(told(3_000_000_000_u64, value(gt(5))), "3000000000 (not of type i32)");
    assert_eq!(told("5", value(eq(5_u64))), "\"5\" (not of type u64)");
    assert_eq!(told(1.0, value(eq(1_u64))), "1.0 (not of type u64)");
    assert_eq!(told(1_u64, value(eq(1.0))), "1 (not of type f64)");

    let error = || error_of(&Refused("a".parse::<u8>().unwrap_err()));
    let chain = "refused, caused by: invalid digit found in string";
    assert_eq!(
        told(error(), chain),
        format!("{chain} (an error: \"refused\" matches it, and error_chain(…) its sources)")
    );

    // What is told apart as it is gets no remark.
    assert_eq!(told("n", "m"), "\"n\"");
    assert_eq!(told(5_u64, value(gt(5_u64))), "5");
    assert_eq!(told(error(), "invalid"), chain);
}

/// A condition is cut, and so is what there is.
#[test]
fn long_texts_show_where_they_differ() {
    let text = |end: &str| "long ".repeat(200) + end;
    for expected in [text("end"), text("end of another")] {
        let told = told(text("ending").as_str(), expected.as_str());
        let rest = expected.strip_prefix(&text("end")).unwrap();
        let difference =
            format!(", which goes on with …ing\" after 1004 characters, and not with …{rest}\")");
        assert!(told.ends_with(&difference), "{told}");
    }
    // It is seen.
    let told = told(format!("short {}", text("end")).as_str(), text("end").as_str());
    assert!(told.ends_with(" more characters)"), "{told}");
}

#[test]
fn message_that_is_no_text_is_shown() {
    let trace = native(|| info!(message = 5));
    let error = trace.scan_events().try_single(&message("5")).unwrap_err().to_string();
    let expected = "\n    ✗ message(var == \"5\"): message is 5 (an integer)\n";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn predicates_for_values_show_what_they_expect() {
    assert_eq!(field("x", b"\xde\xad").to_string(), "field \"x\"(var == [de ad])");
    assert_eq!(field("x", Some(0.5)).to_string(), "field \"x\"(var == 0.5)");
    assert_eq!(field("x", None::<f32>).to_string(), "field \"x\"(no value)");
    assert_eq!(field("x", close_to(0.5, 0.1)).to_string(), "field \"x\"(0.5 ± 0.1)");
    assert_eq!(field("x", debug("a\u{1b}")).to_string(), r#"field "x"(var == ?"a\\u{1b}")"#);
    let chain = field("x", error_chain("refused"));
    assert_eq!(chain.to_string(), r#"field "x"(any in the error chain: var == "refused")"#);
}

/// A call site may declare a name twice, and none of its values may hide another.
#[test]
fn field_matches_any_value_of_its_name() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            drop(info_span!("span", a = "first", a = "second"));
            info!(a = "first", b = 1, a = "second");
            let trace = storage.lock();
            let (spans, events) = (trace.scan_spans(), trace.scan_events());
            for text in ["first", "second"] {
                assert!(spans.try_single(&field("a", text)).is_ok(), "{way}: {text}");
                assert!(spans.try_none(&field("a", text)).is_err(), "{way}: {text}");
                assert!(spans.try_all(&!field("a", text)).is_err(), "{way}: {text}");
                assert!(events.try_single(&field("a", text)).is_ok(), "{way}: {text}");
                assert!(events.try_none(&field("a", text)).is_err(), "{way}: {text}");
            }
            assert!(events.try_any(&field("a", "third")).is_err(), "{way}");
            assert!(events.try_any(&field("a", None::<&str>)).is_err(), "{way}");
        },
    );
}

#[test]
fn field_without_a_value_has_none_in_either_place() {
    captured_by_every_way(
        |_| {},
        |way, storage| {
            info!(a = None::<u8>, a = None::<u8>);
            info!(a = None::<u8>, a = 1);
            info!(a = 2, a = None::<u8>);
            let trace = storage.lock();
            let events = trace.scan_events();
            assert!(events.try_single(&field("a", None::<u8>)).is_ok(), "{way}");
            assert!(events.try_single(&field("a", 1)).is_ok(), "{way}");
            assert!(events.try_single(&field("a", 2)).is_ok(), "{way}");
        },
    );
}

#[test]
fn failure_lists_all_values_of_a_name() {
    let trace = native(|| {
        info!(a = 1, a = "one", a = %"1.0");
        info!(b = 2);
    });
    let two = field("a", 2);
    let nearest = [1, 2].map(|count| trace.scan_events().try_count(count, &two));
    for error in nearest.map(Result::unwrap_err) {
        let error = error.to_string();
        let expected = "\n    ✗ field \"a\"(var == 2): a is 1, \"one\" and 1.0 (Debug or Display output: \
                        \"1.0\" or debug(…) matches it)\n";
        assert!(error.contains(expected), "{error}");
    }
}
