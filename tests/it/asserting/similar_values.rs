//! Negatives that hold only because a value has another type than the test thinks.

use std::{error::Error, fmt::Debug, io};

use insta::assert_snapshot;
use spanshot::{
    Trace,
    predicates::{types::IntoFieldPredicate, *},
};
use tracing::{Level, field::Empty, info, info_span};

use crate::support::native;

/// Asserts that a negative is refused because of the types of values.
#[track_caller]
fn refused<T: Debug>(result: Result<T, ScanError>) {
    let message = result.unwrap_err().to_string();
    let (reason, rest) =
        message.split_once(" if values are compared regardless of their type: ").expect(&message);
    assert!(reason.starts_with("this says nothing, since "), "{message}");
    assert!(
        rest.contains(
            "\n(if that is meant, name the type, as in `value(eq(5_i128))` or `value(eq(0.5))`, or scan with `or_empty()`)\n"
        ),
        "{message}"
    );
}

/// Asserts that `none()` is refused for a field `x`, or passes, and so do the other negatives.
#[track_caller]
fn check<P: IntoFieldPredicate<Predicate: Clone>>(
    program: impl FnOnce(),
    value: P,
    is_similar: bool,
) {
    let trace = native(program);
    let events = trace.scan_events();
    let x = field("x", value);
    let passes = |result: Result<(), ScanError>| {
        if is_similar {
            refused(result);
        } else {
            result.unwrap();
        }
    };
    passes(events.try_none(&x));
    passes(events.try_count(0, &x).map(drop));
    passes(events.try_count(..1, &x).map(drop));
    passes(events.try_none(&(level(Level::INFO) & x.clone())));
    passes(events.try_none(&(level(Level::ERROR) | x.clone())));
    passes(events.try_none(&(!level(Level::ERROR) & x.clone())));
    passes(events.try_none(&that(x.clone())));
    passes(events.try_none(&ever(x.clone())));
    passes(events.try_none(&level(Level::INFO).and(x.clone())));
    passes(events.try_all(&!x.clone()));
    passes(events.try_all(&(!x.clone() & level(Level::INFO))));
    // Other conditions decide here.
    events.none(&(level(Level::ERROR) & x.clone()));
    events.all(&(level(Level::INFO) | !x.clone()));
    events.or_empty().none(&x);
    events.or_empty().all(&!x.clone());
    // Positives are as they were.
    events.try_single(&x).unwrap_err();
    events.try_any(&x).unwrap_err();
    events.try_all(&x).unwrap_err();
    // A part that rules values out is a negative.
    passes(events.try_any(&!x.clone()));
    passes(events.try_single(&(!x.clone() & level(Level::INFO))).map(drop));
    passes(events.try_first(&!x.clone()).map(drop));
    passes(events.try_last(&!x.clone()).map(drop));
    passes(events.try_count(1.., &!x.clone()).map(drop));
    passes(events.try_count(1, &!x.clone()).map(drop));
    passes(events.try_in_order(&[&!x.clone()]).map(drop));
    passes(events.try_in_a_row(&[&(level(Level::INFO) & !x.clone())]).map(drop));
    passes(events.try_exactly(&[&!x.clone()]).map(drop));
    events.or_empty().exactly(&[&!x.clone()]);
    events.or_empty().any(&!x.clone());
    events.any(&(level(Level::INFO) | !x.clone()));
    events.try_none(&!x).unwrap_err();
}

#[test]
fn text_that_is_output() {
    check(|| info!(x = ?"bob"), "bob", true);
    check(|| info!(x = ?"bob"), String::from("bob"), true);
    let bob = String::from("bob");
    check(|| info!(x = ?"bob"), &bob, true);
    check(|| info!(x = ?"bob"), Some("bob"), true);
    check(|| info!(x = ?Some("bob")), "bob", true);
    check(|| info!(x = ?Some(Some("bob"))), "bob", true);
    check(|| info!(x = ?Some(Level::INFO)), "Level(Info)", true);
    check(|| info!(x = ?'b'), 'b', true);
    check(|| info!(x = ?Some('b')), "b", true);
    check(|| info!(x = ?"a \"b\"\t\\\u{1b}'\n"), "a \"b\"\t\\\u{1b}'\n", true);
    check(|| info!(x = ?'"'), '"', true);
    check(|| info!(x = b"bob".as_slice()), "bob", true);
    check(|| info!(x = "bob"), b"bob", true);

    check(|| info!(x = ?"bob"), "alice", false);
    check(|| info!(x = ?"bob"), "bo", false);
    check(|| info!(x = ?"bob"), "\"bob", false);
    check(|| info!(x = ?["bob"]), "bob", false);
    check(|| info!(x = %"\"a\" and \"b\""), "a\" and \"b", false);
    check(|| info!(x = "\"bob"), "bob", false);
    check(|| info!(x = "Some(b"), "b", false);
    check(|| info!(x = %"\""), "", false);
    check(|| info!(x = %"\"\\u{110000}\""), "", false);
    check(|| info!(x = %"\"\\\""), "", false);
}

#[test]
fn number_or_boolean_that_is_text() {
    check(|| info!(x = %500), 500, true);
    check(|| info!(x = "500"), 500_u16, true);
    check(|| info!(x = "500"), Some(500_i64), true);
    check(|| info!(x = ?"500"), 500, true);
    check(|| info!(x = ?Some(500)), 500, true);
    check(|| info!(x = %u128::MAX), u128::MAX, true);
    check(|| info!(x = %-3), -3, true);
    check(|| info!(x = %0.5), 0.5, true);
    check(|| info!(x = "0.5"), 0.5_f32, true);
    check(|| info!(x = %"NaN"), f64::NAN, true);
    check(|| info!(x = %true), true, true);
    check(|| info!(x = ?Some(false)), false, true);
    let error: &(dyn Error + 'static) = &io::Error::other("500");
    check(|| info!(x = error), 500, true);

    check(|| info!(x = %0.52), close_to(0.5, 0.1), true);
    check(|| info!(x = "1"), close_to(0.5, 0.5), true);

    check(|| info!(x = %500), 501, false);
    check(|| info!(x = "500 ms"), 500, false);
    check(|| info!(x = %0.7), close_to(0.5, 0.1), false);
    check(|| info!(x = ""), 0, false);
    check(|| info!(x = %true), false, false);
    check(|| info!(x = 1), true, false);
    check(|| info!(x = true), 1, false);
}

#[test]
fn text_that_is_a_number_or_a_boolean() {
    check(|| info!(x = 500), "500", true);
    check(|| info!(x = 5), '5', true);
    check(|| info!(x = u128::MAX), u128::MAX.to_string(), true);
    check(|| info!(x = 0.5), "0.5", true);
    check(|| info!(x = 500.0), "500", true);
    check(|| info!(x = 500.0), "500.0", true);
    check(|| info!(x = true), "true", true);

    check(|| info!(x = 500), "50", false);
    check(|| info!(x = true), "True", false);
}

#[test]
fn integer_that_is_a_float() {
    check(|| info!(x = 500.0), 500, true);
    check(|| info!(x = 500), 500.0, true);
    check(|| info!(x = 500_u64), 500.0_f32, true);

    check(|| info!(x = 500.5), 500, false);
    check(|| info!(x = f64::INFINITY), i128::MAX, false);
    check(|| info!(x = 500), 500.5, false);
    check(|| info!(x = 500), f64::NAN, false);
}

#[test]
fn absent_value_that_is_output() {
    let trace = native(|| info!(x = ?None::<&str>));
    let events = trace.scan_events();
    refused(events.try_none(&field("x", None::<&str>)));
    refused(events.try_all(&!field("x", None::<&str>)));
    events.none(&field("x", Some("None ")));
    let trace = native(|| info!(x = "None"));
    trace.scan_events().none(&field("x", None::<&str>));
}

#[test]
fn what_says_a_type_is_exempt() {
    let trace = native(|| {
        info!(user = ?"bob", status = "500", ok = %true, ratio = 1);
    });
    let events = trace.scan_events();
    events.none(&field("user", value::<str, _>(eq("bob"))));
    events.none(&field("user", debug(&'b')));
    events.none(&field("user", [function(|user: &spanshot::TracedValue| *user == "bob")]));
    events.none(&field("status", value(eq(500_i64))));
    events.none(&field("status", value(gt(1_u64)) | value(lt(0_i64))));
    events.none(&field("status", debug(&501)));
    events.none(&field("ratio", close_to(2.0, 0.5)));
    events.none(&field("ok", value(eq(true))));
    events.none(&satisfies("is bob", |event: &spanshot::CapturedEvent<'_>| event["user"] == "bob"));
    events.none(&any_field(value(eq(500_i64))));
    events.all(&!field("user", value::<str, _>(eq("bob"))));
}

/// A literal is an `i32` or an `f64`, whatever number is recorded.
#[test]
fn numbers_of_other_types_are_looked_at() {
    check(|| info!(x = 3_000_000_000_u64), value(gt(500)), true);
    check(|| info!(x = 3_000_000_000_u64), value(gt(50_i8)), true);
    check(|| info!(x = 3_000_000_000_u64), value(lt(500)), false);
    check(|| info!(x = 3_000_000_000_u64), value(gt(3_000_000_000_i128)), false);
    check(|| info!(x = -3_000_000_000_i64), value(lt(500)), true);
    check(|| info!(x = -3), value(le(0_u8)), true);
    check(|| info!(x = -3_000_000_000_i64), value(gt(500)), false);
    check(|| info!(x = u128::MAX), value(gt(500)), true);
    check(|| info!(x = u128::MAX), value(gt(500_i128)), true);

    check(|| info!(x = 812.5), value(gt(500)), true);
    check(|| info!(x = 812.5), value(gt(812)), true);
    check(|| info!(x = 812.5), value(gt(813)), false);
    check(|| info!(x = 812.5), value(gt(812.5)), false);
    check(|| info!(x = f64::INFINITY), value(gt(500)), true);
    check(|| info!(x = f64::NAN), value(gt(500)), false);
    check(|| info!(x = 812), value(gt(500.0)), true);
    check(|| info!(x = 812), value(gt(812.0)), false);
    check(|| info!(x = 812), value(gt(812)), false);

    let trace = native(|| info!(x = 3_000_000_000_u64, "done"));
    let events = trace.scan_events();
    refused(events.try_none(&any_field(value(gt(500)))));
    events.single(&field("x", value(gt(500_i128))));
    assert_snapshot!(events.try_none(&field("x", value(gt(500)))).unwrap_err(), @r#"
    this says nothing, since 1 event matches if values are compared regardless of their type: field "x"(i32(var > 500))
    (if that is meant, name the type, as in `value(eq(5_i128))` or `value(eq(0.5))`, or scan with `or_empty()`)

      INFO done x=3000000000
        ✗ field "x"(i32(var > 500)): x is 3000000000 (not of type i32)

    the trace:
    ▶ INFO done x=3000000000
    "#);
}

#[test]
fn any_field_is_read_alike() {
    let trace = native(|| info!(user = ?"bob", status = "500", "done"));
    let events = trace.scan_events();
    refused(events.try_none(&any_field("bob")));
    refused(events.try_none(&any_field(500)));
    refused(events.try_all(&!any_field(500)));
    events.none(&any_field("alice"));
    events.none(&any_field(501));
    events.or_empty().none(&any_field("bob"));
}

/// A login of bob, and what comes of it.
fn login() -> Trace {
    native(|| {
        let login = info_span!("login", user = ?"bob");
        login.in_scope(|| {
            info_span!("check", status = "500").in_scope(|| info!(code = %7, "checked"));
        });
        info_span!("after").follows_from(&login);
    })
}

#[test]
fn related_items_are_read_loosely() {
    let trace = login();
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    let (user, status, code) = (field("user", "bob"), field("status", 500), field("code", 7));
    for result in [
        spans.try_none(&parent(user)),
        spans.try_none(&(name("check") & parent(user))),
        spans.try_none(&follows_from(user)),
        spans.try_none(&child(status)),
        spans.try_none(&descendant(status)),
        spans.try_none(&event(code)),
        spans.try_none(&deep_event(code)),
        spans.try_none(&child(parent(user))),
        spans.try_none(&tree(user)),
        spans.try_none(&tree(name("login")).span([status])),
        spans.try_none(&tree(name("login")).span([status]).in_any_order()),
        spans.try_none(&tree(name("login")).span([status]).and_nothing_else()),
        spans.try_none(&tree(name("check")).event(code)),
        spans.try_all(&!child(status)),
        spans.try_all(&!descendant(status)),
        events.try_none(&parent(status)),
        events.try_none(&ancestor(user)),
        events.try_none(&parent(parent(user))),
        events.try_all(&!ancestor(user)),
        // A positive and a negative condition.
        events.try_none(&(!field("code", 8) & ancestor(user))),
    ] {
        refused(result);
    }
    spans.none(&(name("after") & parent(user)));
    spans.none(&child(name("after") & status));
    events.none(&parent(user));
    events.none(&(level(Level::ERROR) & ancestor(user)));
    spans.or_empty().none(&parent(user));
    // In a part of the trace, it is the same.
    let login = spans.single(&name("login"));
    refused(login.scan_spans().try_none(&status));
    refused(login.scan_spans().try_none(&parent(user)));
    refused(login.deep_scan_events().try_none(&code));
}

#[test]
fn maximum_counts_similar_items() {
    let trace = native(|| {
        info!(status = 500);
        info!(status = "500");
        info!(status = 404);
    });
    let events = trace.scan_events();
    let status = field("status", 500);
    refused(events.try_single(&status));
    refused(events.try_count(1, &status));
    refused(events.try_count(..=1, &status));
    refused(events.try_count(1..2, &(level(Level::INFO) & status)));
    events.count(..=2, &status);
    events.count(1.., &status);
    events.any(&status);
    assert_eq!(events.first(&status)["status"], 500);
    events.last(&status);
    events.in_order(&[&status, &field("status", "500")]);
    events.exactly(&[&status, &field("status", "500"), &field("status", 404)]);
    events.single(&field("status", 404));
    events.single(&field("status", value(eq(500_i64))));
    events.or_empty().single(&status);
    assert_eq!(events.matches(&status).len(), 1);
}

#[test]
fn earlier_values_are_read_loosely() {
    let trace = native(|| {
        let job = info_span!("job", user = ?"bob", status = Empty);
        job.in_scope(|| info!("accepted"));
        job.record("user", "alice");
        job.record("status", "7");
        job.record("status", 8);
    });
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
    refused(spans.try_none(&field("user", "bob")));
    refused(spans.try_all(&!field("user", "bob")));
    refused(spans.try_none(&field("status", 7)));
    refused(spans.try_none(&any_field("bob")));
    refused(spans.try_none(&ever(field("user", "bob"))));
    refused(events.try_none(&parent(field("user", "bob"))));
    spans.none(&field("user", "carol"));
    spans.none(&field("status", 9));
    // It looks at the last values.
    spans.count(..2, &field("user", "bob"));
    spans.single(&field("user", "alice"));
}

#[test]
fn refusal_shows_the_values() {
    macro_rules! refusal {
        ($result:expr) => {
            $result.unwrap_err().to_string()
        };
    }

    let trace = native(|| {
        info!(user = ?"alice", "login");
        info!(user = ?"bob", "login");
        info!(user = "bob", "logout");
    });
    let events = trace.scan_events();
    let login = message("login") & field("user", "bob");
    assert_snapshot!(refusal!(events.try_none(&login)), @r#"
    this says nothing, since 1 event matches if values are compared regardless of their type: (message(var == "login") && field "user"(var == "bob"))
    (if that is meant, name the type, as in `value(eq(5_i128))` or `value(eq(0.5))`, or scan with `or_empty()`)

      INFO login user="bob"
        ✓ message(var == "login"): message is "login"
        ✗ field "user"(var == "bob"): user is "bob" (Debug or Display output: "\"bob\"" or debug(…) matches it)

    the trace:
      INFO login user="alice"
    ▶ INFO login user="bob"
      INFO logout user="bob"
    "#);
    assert_snapshot!(refusal!(events.try_all(&!login)), @r#"
    this says nothing, since 1 event does not match if values are compared regardless of their type: !(message(var == "login") && field "user"(var == "bob"))
    (if that is meant, name the type, as in `value(eq(5_i128))` or `value(eq(0.5))`, or scan with `or_empty()`)

      INFO login user="bob"
        ✓ !(message(var == "login") && field "user"(var == "bob")): user is "bob" (Debug or Display output: "\"bob\"" or debug(…) matches it): message is "login"

    the trace:
      INFO login user="alice"
    ▶ INFO login user="bob"
      INFO logout user="bob"
    "#);
    assert_snapshot!(refusal!(events.try_single(&field("user", "bob"))), @r#"
    this says nothing, since 1 event matches if values are compared regardless of their type: field "user"(var == "bob")
    (if that is meant, name the type, as in `value(eq(5_i128))` or `value(eq(0.5))`, or scan with `or_empty()`)

      INFO login user="bob"
        ✗ field "user"(var == "bob"): user is "bob" (Debug or Display output: "\"bob\"" or debug(…) matches it)

    the trace:
      INFO login user="alice"
    ▶ INFO login user="bob"
      INFO logout user="bob"
    "#);

    let trace = native(|| {
        let job = info_span!("job", status = %500);
        job.in_scope(|| info!("accepted"));
        job.record("status", 200);
    });
    assert_snapshot!(refusal!(trace.scan_spans().try_none(&field("status", 500))), @r#"
    this says nothing, since 1 span matches if values are compared regardless of their type: field "status"(var == 500)
    (if that is meant, name the type, as in `value(eq(5_i128))` or `value(eq(0.5))`, or scan with `or_empty()`)

      INFO job{status=200}
        ✗ field "status"(var == 500): status is 200, and was 500 (Debug or Display output: "500" or debug(…) matches it) before

    the trace:
    ▶ INFO job{status=200}
      └─ INFO accepted
    "#);
    assert_snapshot!(refusal!(trace.scan_events().try_none(&parent(field("status", 500)))), @r#"
    this says nothing, since 1 event matches if values are compared regardless of their type: parent(field "status"(var == 500))
    (if that is meant, name the type, as in `value(eq(5_i128))` or `value(eq(0.5))`, or scan with `or_empty()`)

      INFO accepted
        ✗ parent(field "status"(var == 500)): parent is INFO job{status=200}
          ✗ field "status"(var == 500): status is 200, and was 500 (Debug or Display output: "500" or debug(…) matches it) before

    the trace:
      INFO job{status=200}
    ▶ └─ INFO accepted
    "#);
    assert_snapshot!(refusal!(trace.scan_events().try_all(&!parent(field("status", 500)))), @r#"
    this says nothing, since 1 event does not match if values are compared regardless of their type: !parent(field "status"(var == 500))
    (if that is meant, name the type, as in `value(eq(5_i128))` or `value(eq(0.5))`, or scan with `or_empty()`)

      INFO accepted
        ✓ !parent(field "status"(var == 500)): parent is INFO job{status=200}

    the trace:
      INFO job{status=200}
    ▶ └─ INFO accepted
    "#);
}
