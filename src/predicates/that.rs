use alloc::boxed::Box;
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, Child, Parameter, PredicateReflection},
};

/// Gives any predicate the operators `&`, `|` and `!`.
///
/// The predicates of this module have them already, and take any predicate on their right. Wrap a predicate that has no
/// operators: one of another crate, or one that a helper returns as `impl Predicate<…>`. The helper can also do so
/// itself.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, CapturedEvent, predicates::{types::ThatPredicate, *}};
/// use tracing::Level;
///
/// fn is_slow() -> impl for<'a> Predicate<CapturedEvent<'a>> {
///     level(Level::WARN) & message(starts_with("slow"))
/// }
///
/// fn is_retry() -> ThatPredicate<impl for<'a> Predicate<CapturedEvent<'a>>> {
///     that(field("attempt", value(gt(1))))
/// }
///
/// let capture = Capture::start();
/// tracing::warn!(attempt = 2, "slow: dns");
/// let trace = capture.trace();
/// trace.scan_events().single(&(that(is_slow()) & is_retry()));
/// trace.scan_events().single(&(is_retry() & is_slow()));
/// trace.scan_events().none(&!that(is_slow()));
/// ```
pub fn that<P: PredicateReflection>(matches: P) -> ThatPredicate<P> {
    ThatPredicate { matches }
}

/// Wrapper that gives a predicate operators, returned by [`that()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThatPredicate<P> {
    matches: P,
}

impl_operators!({P,} ThatPredicate<P>);

impl<P: fmt::Display> fmt::Display for ThatPredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.matches.fmt(formatter)
    }
}

impl<P: PredicateReflection> PredicateReflection for ThatPredicate<P> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        self.matches.parameters()
    }

    fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
        self.matches.children()
    }
}

impl<P: Predicate<Item>, Item: ?Sized> Predicate<Item> for ThatPredicate<P> {
    fn eval(&self, item: &Item) -> bool {
        self.matches.eval(item)
    }

    fn find_case(&self, expected: bool, item: &Item) -> Option<Case<'_>> {
        self.matches.find_case(expected, item)
    }
}
