//! The operations, each in a span that records its operands as soon as they are computed.

use tracing::{Span, debug, error, field, instrument, trace, warn};

use super::{
    error::ComputeError,
    expression::{Expression, Operator},
};

pub(crate) fn value_of(expression: &Expression) -> Result<f64, ComputeError> {
    match expression {
        Expression::Number(number) => Ok(*number),
        Expression::Negation(operand) => negate(operand),
        Expression::Factorial(operand) => factorial(operand),
        Expression::Binary { operator, lhs, rhs } => match operator {
            Operator::Add => add(lhs, rhs),
            Operator::Subtract => subtract(lhs, rhs),
            Operator::Multiply => multiply(lhs, rhs),
            Operator::Divide => divide(lhs, rhs),
            Operator::Power => power(lhs, rhs),
        },
    }
}

#[instrument(level = "debug", skip_all, fields(operand = field::Empty))]
fn negate(operand: &Expression) -> Result<f64, ComputeError> {
    let operand = operand_value("operand", operand)?;
    Ok(computed(-operand))
}

#[instrument(level = "debug", skip_all, fields(lhs = field::Empty, rhs = field::Empty))]
fn add(lhs: &Expression, rhs: &Expression) -> Result<f64, ComputeError> {
    let (lhs, rhs) = operand_values(lhs, rhs)?;
    Ok(computed(lhs + rhs))
}

#[instrument(level = "debug", skip_all, fields(lhs = field::Empty, rhs = field::Empty))]
fn subtract(lhs: &Expression, rhs: &Expression) -> Result<f64, ComputeError> {
    let (lhs, rhs) = operand_values(lhs, rhs)?;
    Ok(computed(lhs - rhs))
}

#[instrument(level = "debug", skip_all, fields(lhs = field::Empty, rhs = field::Empty))]
fn multiply(lhs: &Expression, rhs: &Expression) -> Result<f64, ComputeError> {
    let (lhs, rhs) = operand_values(lhs, rhs)?;
    Ok(computed(lhs * rhs))
}

#[instrument(level = "debug", skip_all, fields(lhs = field::Empty, rhs = field::Empty))]
fn divide(lhs: &Expression, rhs: &Expression) -> Result<f64, ComputeError> {
    let (lhs, rhs) = operand_values(lhs, rhs)?;
    if rhs == 0.0 {
        error!("division by zero");
        return Err(ComputeError::DivisionByZero);
    }
    Ok(computed(lhs / rhs))
}

#[instrument(level = "debug", skip_all, fields(lhs = field::Empty, rhs = field::Empty))]
fn power(lhs: &Expression, rhs: &Expression) -> Result<f64, ComputeError> {
    let (base, exponent) = operand_values(lhs, rhs)?;
    if exponent.fract() != 0.0 || exponent.abs() > f64::from(i32::MAX) {
        error!("fractional or huge exponent");
        return Err(ComputeError::UnsupportedExponent);
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is a whole number within bounds")]
    let exponent = exponent as i32;
    debug!(exponent, "multiplying up");
    Ok(computed(base.powi(exponent)))
}

#[instrument(level = "debug", skip_all, fields(operand = field::Empty))]
fn factorial(operand: &Expression) -> Result<f64, ComputeError> {
    let operand = operand_value("operand", operand)?;
    if operand < 0.0 || operand.fract() != 0.0 {
        error!("factorial of a negative or fractional number");
        return Err(ComputeError::UndefinedFactorial);
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a natural number, and a larger one overflows as well"
    )]
    let factors = operand as u64;
    debug!(factors, "multiplying up");
    let product = (1..=factors).fold(1_u64, |product, factor| {
        product.checked_mul(factor).expect("the factorial overflows u64")
    });
    #[allow(clippy::cast_precision_loss, reason = "the answer is the nearest float")]
    let product = product as f64;
    Ok(computed(product))
}

fn operand_values(lhs: &Expression, rhs: &Expression) -> Result<(f64, f64), ComputeError> {
    Ok((operand_value("lhs", lhs)?, operand_value("rhs", rhs)?))
}

fn operand_value(field: &str, operand: &Expression) -> Result<f64, ComputeError> {
    let value = value_of(operand)?;
    Span::current().record(field, value);
    Ok(value)
}

fn computed(value: f64) -> f64 {
    trace!(value, "computed");
    if !value.is_finite() {
        warn!(infinite = value.is_infinite(), "not a finite number");
    }
    value
}
