//! The evaluator on its own, without a sandbox around it.

#[path = "../src/evaluator/mod.rs"]
mod evaluator;

use std::error::Error;

use self::evaluator::evaluate;

#[track_caller]
fn check(expression: &str, expected: Result<f64, &str>) {
    let actual = evaluate(expression).map_err(|error| match error.source() {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    });
    assert_eq!(actual, expected.map_err(str::to_owned), "{expression}");
}

#[test]
fn computes_with_precedence() {
    check("(1 + 2) * 3", Ok(9.0));
    check("1 + 2 * 3", Ok(7.0));
    check("8 - 4 - 2", Ok(2.0));
    check("2 ^ 3 ^ 2", Ok(512.0));
    check("-2 ^ 2", Ok(-4.0));
    check("2 ^ -2", Ok(0.25));
    check("--3", Ok(3.0));
    check("-3!", Ok(-6.0));
    check("3!!", Ok(720.0));
    check("2 * -3 + 4", Ok(-2.0));
    check("2 ^ -1 * 4", Ok(2.0));
    check(".5+1.", Ok(1.5));
    check("20!", Ok(2_432_902_008_176_640_000.0));
}

#[test]
fn refuses_what_is_not_an_expression() {
    check("", Err("unexpected end"));
    check("1 +", Err("unexpected end"));
    check("(1 + 2", Err("unexpected end"));
    check("1 + * 2", Err("unexpected token at byte 4"));
    check("1 2", Err("unexpected token at byte 2"));
    check("(1 2)", Err("unexpected token at byte 3"));
    check("1 + 2)", Err("unexpected token at byte 5"));
    check("1 × 2", Err("unexpected character at byte 2"));
    check("1 + 2.3.4", Err("malformed number at byte 4"));
    check(&"-".repeat(257), Err("more than 256 tokens"));
}

#[test]
fn refuses_operations_without_a_result() {
    check("8 / (3 - 3)", Err("division by zero"));
    check("8 ^ 0.5", Err("fractional or huge exponent"));
    check("1 ^ 3000000000", Err("fractional or huge exponent"));
    check("(-1)!", Err("factorial of a negative or fractional number"));
    check("0.5!", Err("factorial of a negative or fractional number"));
}

#[test]
#[should_panic(expected = "the factorial overflows u64")]
fn panics_where_a_factorial_overflows() {
    let _ = evaluate("2 * 21!");
}
