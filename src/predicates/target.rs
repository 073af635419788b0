//! Predicates for targets and modules, which match by a part of their paths.

use alloc::boxed::Box;
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Parameter, PredicateReflection},
};

use super::{
    sight::TARGET,
    text::{FoundText, Literal, impl_into_predicate, impl_text_predicate},
};
use crate::capture::Captured;

/// The types that [`target()`] and [`module()`](super::module()) take.
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

impl_into_predicate!(IntoTargetPredicate for str);

impl<'a> IntoTargetPredicate<Literal> for &'a str {
    type Predicate = TargetStrPredicate<'a>;

    fn into_predicate(self) -> TargetStrPredicate<'a> {
        TargetStrPredicate { module: self }
    }
}

/// Matches spans and events by their target.
///
/// Pass
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

impl<P: PredicateReflection> PredicateReflection for TargetPredicate<P> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        self.matches.parameters()
    }
}

impl_text_predicate!(TargetPredicate for {'a, T: Captured<'a>,} T: "target", |item: &T| {
    FoundText::Text(item.metadata().target())
});

/// Matches spans and events by the module of their call site, which is also their [`target()`](super::target()) unless
/// the call site names another one.
///
/// Pass the same as for `target()`:
///
/// - a string: this module, or one below it. `module("app::net")` matches `app::net` and
///   `app::net::dns`, but not `app::network`;
/// - a predicate for strings, which may stand in square brackets.
///
/// A call site that does not know its module never matches.
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

impl<P: PredicateReflection> PredicateReflection for ModulePredicate<P> {}

impl_text_predicate!(ModulePredicate for {'a, T: Captured<'a>,} T: "module", |item: &T| {
    FoundText::known(item.metadata().module_path())
});

/// Predicate for a module and the modules below it, made from a string.
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
