use std::{error::Error, fmt, num::ParseIntError};

use super::token::MAX_TOKENS;

/// Why an expression has no value.
#[derive(Debug)]
pub(crate) enum EvaluateError {
    Parse(ParseError),
    Compute(ComputeError),
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse(_) => "cannot parse the expression",
            Self::Compute(_) => "cannot compute the expression",
        })
    }
}

impl Error for EvaluateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Parse(error) => error,
            Self::Compute(error) => error,
        })
    }
}

/// Why a text is not an expression; `at` counts its bytes from zero.
#[derive(Debug)]
pub(crate) enum ParseError {
    UnexpectedCharacter { at: usize },
    MalformedNumber { at: usize, source: ParseIntError },
    UnexpectedToken { at: usize },
    UnexpectedEnd,
    TooLong,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedCharacter { at } => write!(f, "unexpected character at byte {at}"),
            Self::MalformedNumber { at, .. } => write!(f, "malformed number at byte {at}"),
            Self::UnexpectedToken { at } => write!(f, "unexpected token at byte {at}"),
            Self::UnexpectedEnd => f.write_str("unexpected end"),
            Self::TooLong => write!(f, "more than {MAX_TOKENS} tokens"),
        }
    }
}

impl Error for ParseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::MalformedNumber { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why an operation has no result.
#[derive(Debug)]
pub(crate) enum ComputeError {
    DivisionByZero,
    UnsupportedExponent,
    UndefinedFactorial,
}

impl fmt::Display for ComputeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DivisionByZero => "division by zero",
            Self::UnsupportedExponent => "fractional or huge exponent",
            Self::UndefinedFactorial => "factorial of a negative or fractional number",
        })
    }
}

impl Error for ComputeError {}
