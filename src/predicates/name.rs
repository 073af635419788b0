use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::{IntoTextPredicate, failure::actual};
use crate::{capture::CapturedSpan, wire::text::Quoted};

/// Creates a predicate for the name of a span.
///
/// It takes a string that the name has to be equal to, or any predicate for strings.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// drop(tracing::info_span!("connect"));
/// let trace = capture.trace();
/// trace.scan_spans().single(&name("connect"));
/// trace.scan_spans().single(&name(starts_with("co")));
/// ```
pub fn name<Form, P>(matches: P) -> NamePredicate<P::Predicate>
where
    P: IntoTextPredicate<Form>,
{
    NamePredicate { matches: matches.into_predicate() }
}

/// Predicate for the name of a span, returned by [`name()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamePredicate<P> {
    matches: P,
}

impl_operators!({P,} NamePredicate<P>);

impl<P: fmt::Display> fmt::Display for NamePredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "name({})", self.matches)
    }
}

impl<P: PredicateReflection> PredicateReflection for NamePredicate<P> {}

impl<P: Predicate<str>> Predicate<CapturedSpan<'_>> for NamePredicate<P> {
    fn eval(&self, span: &CapturedSpan<'_>) -> bool {
        self.matches.eval(span.metadata().name())
    }

    fn find_case(&self, expected: bool, span: &CapturedSpan<'_>) -> Option<Case<'_>> {
        (self.eval(span) == expected)
            .then(|| actual(self, expected, span, "name", &Quoted(span.metadata().name())))
    }
}
