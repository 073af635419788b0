use alloc::boxed::Box;
use core::{fmt, iter};

use ::predicates::{
    Predicate,
    reflection::{Case, Parameter, PredicateReflection},
};

use super::{
    field::impl_into_itself,
    shown_value::{case_with_remark, what_it_is},
    sight::SOURCES,
    text::IntoTextPredicate,
};
use crate::wire::TracedValue;

/// Matches errors whose own message matches, or the message of one of their sources, for [`field()`](super::field()).
///
/// Pass a string that the message has to be equal to, or a predicate for strings. A value without sources is a chain of
/// one message: an error that was recorded with `%` or `?`, or a string.
///
/// A chain is [cut after 100 errors](crate::TracedError::may_be_cut). [Negatives](crate::predicates::Scanner#negatives) fail
/// if the trace has such a chain.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
/// use std::{error::Error, fmt, num::ParseIntError};
///
/// #[derive(Debug)]
/// struct BadPort(ParseIntError);
///
/// impl fmt::Display for BadPort {
///     fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
///         formatter.write_str("the port is invalid")
///     }
/// }
///
/// impl Error for BadPort {
///     fn source(&self) -> Option<&(dyn Error + 'static)> {
///         Some(&self.0)
///     }
/// }
///
/// let capture = Capture::start();
/// let error = BadPort("http".parse::<u16>().unwrap_err());
/// tracing::error!(error = &error as &dyn Error, "failed");
/// let trace = capture.trace();
/// trace.scan_events().single(&field("error", "the port is invalid"));
/// trace.scan_events().single(&field("error", error_chain(contains("invalid digit"))));
/// ```
pub fn error_chain<Form, P>(matches: P) -> ErrorChainPredicate<P::Predicate>
where
    P: IntoTextPredicate<Form>,
{
    ErrorChainPredicate { matches: matches.into_predicate() }
}

/// Predicate for the messages of an error and its sources, returned by [`error_chain()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorChainPredicate<P> {
    matches: P,
}

impl_operators!({P,} ErrorChainPredicate<P>);
impl_into_itself!({P} ErrorChainPredicate<P>);

impl<P: fmt::Display> fmt::Display for ErrorChainPredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "any in the error chain: {}", self.matches)
    }
}

impl<P: PredicateReflection> PredicateReflection for ErrorChainPredicate<P> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        Box::new(iter::once(Parameter::new(SOURCES, &"")))
    }
}

impl<P: Predicate<str>> Predicate<TracedValue> for ErrorChainPredicate<P> {
    fn eval(&self, value: &TracedValue) -> bool {
        match value {
            TracedValue::Error(error) => error.messages().any(|text| self.matches.eval(text)),
            _ => value.as_text().is_some_and(|text| self.matches.eval(text)),
        }
    }

    fn find_case(&self, expected: bool, value: &TracedValue) -> Option<Case<'_>> {
        let remark = || value.as_text().is_none().then(|| what_it_is(value));
        (self.eval(value) == expected).then(|| case_with_remark(self, expected, remark()))
    }
}
