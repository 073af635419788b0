use alloc::boxed::Box;
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, Parameter, PredicateReflection},
};

use super::{
    failure::actual,
    sight::TARGET,
    text::{Bracketed, Literal, Matching},
};
use crate::{capture::Captured, wire::text::Quoted};

/// What [`target()`] and [`module()`](super::module()) take.
///
/// # Example
///
/// See [`target()`].
#[diagnostic::on_unimplemented(
    note = "`target()` and `module()` take a string, or a predicate for `str`"
)]
pub trait IntoTargetPredicate<Form> {
    /// The predicate for a target.
    type Predicate: Predicate<str>;

    /// Makes the predicate.
    fn into_predicate(self) -> Self::Predicate;
}

impl<P: Predicate<str>> IntoTargetPredicate<Matching> for P {
    type Predicate = P;

    fn into_predicate(self) -> P {
        self
    }
}

impl<P: Predicate<str>> IntoTargetPredicate<Bracketed> for [P; 1] {
    type Predicate = P;

    fn into_predicate(self) -> P {
        let [predicate] = self;
        predicate
    }
}

impl<'a> IntoTargetPredicate<Literal> for &'a str {
    type Predicate = TargetStrPredicate<'a>;

    fn into_predicate(self) -> TargetStrPredicate<'a> {
        TargetStrPredicate { module: self }
    }
}

/// Creates a predicate for the target of a span or event.
///
/// It takes
///
/// - a string: this target, or one below it in the sense of modules. `target("net")` matches `net`
///   and `net::dns`, but not `network`;
/// - a predicate for strings, which may stand in square brackets.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!(target: "net::dns", "resolved");
/// let trace = capture.trace();
/// trace.scan_events().single(&target("net"));
/// trace.scan_events().single(&target(ends_with("dns")));
/// trace.scan_events().none(&target("ne"));
/// ```
pub fn target<Form, P: IntoTargetPredicate<Form>>(matches: P) -> TargetPredicate<P::Predicate> {
    TargetPredicate { matches: matches.into_predicate() }
}

/// Predicate for the target of a span or event, returned by [`target()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetPredicate<P> {
    matches: P,
}

impl_operators!({P,} TargetPredicate<P>);

impl<P: fmt::Display> fmt::Display for TargetPredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "target({})", self.matches)
    }
}

impl<P: PredicateReflection> PredicateReflection for TargetPredicate<P> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        self.matches.parameters()
    }
}

impl<'a, P: Predicate<str>, T: Captured<'a>> Predicate<T> for TargetPredicate<P> {
    fn eval(&self, item: &T) -> bool {
        self.matches.eval(item.metadata().target())
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        (self.eval(item) == expected)
            .then(|| actual(self, expected, item, "target", &Quoted(item.metadata().target())))
    }
}

/// Predicate for a module and those below it, made from a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetStrPredicate<'a> {
    module: &'a str,
}

impl fmt::Display for TargetStrPredicate<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} or below", self.module)
    }
}

impl PredicateReflection for TargetStrPredicate<'_> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        Box::new(core::iter::once(Parameter::new(TARGET, &self.module)))
    }
}

impl Predicate<str> for TargetStrPredicate<'_> {
    fn eval(&self, target: &str) -> bool {
        let below = target.strip_prefix(self.module);
        below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
    }
}
