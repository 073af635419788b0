use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::{
    IntoTextPredicate,
    failure::{absent, actual},
};
use crate::{capture::Captured, wire::text::Quoted};

/// Creates a predicate for the source file of a span or event.
///
/// It takes a string that the path has to be equal to, or any predicate for strings. The path is
/// that of `file!()`, with the separators of the platform that the program was compiled on. A call
/// site that does not know its file does not match, whatever the predicate.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!("started");
/// let trace = capture.trace();
/// trace.scan_events().single(&file(file!()));
/// trace.scan_events().single(&file(ends_with(".rs")));
/// ```
pub fn file<Form, P>(matches: P) -> FilePredicate<P::Predicate>
where
    P: IntoTextPredicate<Form>,
{
    FilePredicate { matches: matches.into_predicate() }
}

/// Predicate for the source file of a span or event, returned by [`file()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePredicate<P> {
    matches: P,
}

impl_operators!({P,} FilePredicate<P>);

impl<P: fmt::Display> fmt::Display for FilePredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "file({})", self.matches)
    }
}

impl<P: PredicateReflection> PredicateReflection for FilePredicate<P> {}

impl<'a, P: Predicate<str>, T: Captured<'a>> Predicate<T> for FilePredicate<P> {
    fn eval(&self, item: &T) -> bool {
        item.metadata().file().is_some_and(|file| self.matches.eval(file))
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        if self.eval(item) != expected {
            return None;
        }
        Some(match item.metadata().file() {
            Some(file) => actual(self, expected, item, "file", &Quoted(file)),
            None => absent(self, expected, item, "file", "not known"),
        })
    }
}
