use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::{
    IntoTargetPredicate,
    failure::{absent, actual},
};
use crate::{capture::Captured, wire::text::Quoted};

/// Creates a predicate for the module that a span or event stands in, which is also its
/// [`target()`](super::target()) unless that is given.
///
/// It takes what `target()` does:
///
/// - a string: this module, or one below it. `module("app::net")` matches `app::net` and
///   `app::net::dns`, but not `app::network`;
/// - a predicate for strings, which may stand in square brackets.
///
/// A call site that does not know its module does not match, whatever the predicate.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!(target: "net", "connected");
/// let trace = capture.trace();
/// trace.scan_events().single(&(target("net") & module(module_path!())));
/// ```
pub fn module<Form, P: IntoTargetPredicate<Form>>(matches: P) -> ModulePredicate<P::Predicate> {
    ModulePredicate { matches: matches.into_predicate() }
}

/// Predicate for the module of a span or event, returned by [`module()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModulePredicate<P> {
    matches: P,
}

impl_operators!({P,} ModulePredicate<P>);

impl<P: fmt::Display> fmt::Display for ModulePredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "module({})", self.matches)
    }
}

impl<P: PredicateReflection> PredicateReflection for ModulePredicate<P> {}

impl<'a, P: Predicate<str>, T: Captured<'a>> Predicate<T> for ModulePredicate<P> {
    fn eval(&self, item: &T) -> bool {
        item.metadata().module_path().is_some_and(|module| self.matches.eval(module))
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        if self.eval(item) != expected {
            return None;
        }
        Some(match item.metadata().module_path() {
            Some(module) => actual(self, expected, item, "module", &Quoted(module)),
            None => absent(self, expected, item, "module", "not known"),
        })
    }
}
