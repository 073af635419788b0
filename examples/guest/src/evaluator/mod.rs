//! Evaluates arithmetic expressions, and traces how it does.
//!
//! A text is split into tokens ([`token`]), which are parsed into a tree ([`parser`], [`expression`]), which is
//! computed operation by operation ([`arithmetic`]). Each step traces inside a span of its own, and the span of an
//! operation holds those of its operands: the trace has the shape of the expression.
//!
//! A fault is traced as an error where it arises, and once more as a warning with its whole chain of causes where
//! the expression is given up.

mod arithmetic;
mod error;
mod expression;
mod formula;
mod parser;
mod token;

use std::error::Error;

use tracing::{Span, field, info, instrument, warn};

pub(crate) use self::error::EvaluateError;
use self::formula::Formula;

/// Computes the value of an arithmetic expression such as `(1 + 2) * 3`.
///
/// It may hold decimal numbers, parentheses, and in ascending order of precedence `+` and `-`; `*` and `/`; the
/// sign `-`; the power `^`; the factorial `!`.
///
/// # Errors
///
/// If the text is not an expression, or if one of its operations has no result.
///
/// # Panics
///
/// If a factorial does not fit into 64 bits: `21!` and those above.
#[instrument(fields(result = field::Empty))]
pub(crate) fn evaluate(expression: &str) -> Result<f64, EvaluateError> {
    let outcome = Formula::parse(expression)
        .map_err(EvaluateError::Parse)
        .and_then(|formula| formula.compute().map_err(EvaluateError::Compute));
    match &outcome {
        Ok(result) => {
            Span::current().record("result", result);
            info!(whole = result.fract() == 0.0, "evaluated");
        }
        Err(error) => warn!(error = error as &dyn Error, "no result"),
    }
    outcome
}
