use core::fmt;

use ::predicates::{Predicate, reflection::PredicateReflection};

use super::{field::IntoFieldPredicate, loosely::PlainType};
use crate::wire::TracedValue;

/// Matches numbers that differ from an expected one by at most a tolerance, for [`field()`](super::field()).
///
/// An integer is compared as the nearest `f64`. Infinity is close only to itself, unless the tolerance is infinite, and
/// `NaN` only to `NaN`. Values that are not numbers do not match, not even a text such as `0.3`: a
/// [negative](super::Scanner#negatives) that holds for that reason fails.
///
/// # Panics
///
/// Panics if the tolerance is negative or `NaN`.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!(ratio = 0.1 + 0.2, "measured");
/// let trace = capture.trace();
/// trace.scan_events().single(&field("ratio", close_to(0.3, 1e-9)));
/// trace.scan_events().none(&field("ratio", 0.3)); // it is 0.30000000000000004
/// ```
#[track_caller]
pub fn close_to(expected: f64, tolerance: f64) -> CloseToPredicate {
    assert!(tolerance >= 0.0, "the tolerance is {tolerance:?}");
    CloseToPredicate { expected, tolerance }
}

/// Predicate for numbers with a tolerance, returned by [`close_to()`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CloseToPredicate {
    expected: f64,
    tolerance: f64,
}

impl_operators!({} CloseToPredicate);

impl IntoFieldPredicate for CloseToPredicate {
    type Predicate = Self;

    fn into_predicate(self) -> Self {
        self
    }

    fn plain_type(&self) -> Option<PlainType> {
        Some(PlainType::Float)
    }
}

impl fmt::Display for CloseToPredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} ± {:?}", self.expected, self.tolerance)
    }
}

impl PredicateReflection for CloseToPredicate {}

impl Predicate<TracedValue> for CloseToPredicate {
    #[allow(clippy::cast_precision_loss, clippy::float_cmp)] // the former is documented
    fn eval(&self, value: &TracedValue) -> bool {
        let value = match value {
            TracedValue::Float(value) => *value,
            TracedValue::Int(value) => *value as f64,
            TracedValue::UInt(value) => *value as f64,
            _ => return false,
        };
        // The difference of equal infinities is NaN.
        value == self.expected
            || (value - self.expected).abs() <= self.tolerance
            || value.is_nan() && self.expected.is_nan()
    }
}
