use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::{fmt, iter};

use ::predicates::{
    Predicate,
    reflection::{Case, Parameter, PredicateReflection},
};

use super::{
    combinators::{And, Not, Or},
    failure::{absent, actual_text},
    loosely::PlainType,
    shown_value::{NOT_THERE, Shown},
    sight::{NO_VALUE_OF, VALUE_OF, sources_parameter},
    that::ThatPredicate,
};
use crate::{capture::Captured, wire::TracedValue};

/// The types that [`field()`] takes for the value.
///
/// # Example
///
/// See [`field()`].
#[diagnostic::on_unimplemented(
    note = "`field()` takes a Boolean, a number, a string, bytes, an `Option` of these, what `value(…)`, `close_to(…)`, `debug(…)` or `error_chain(…)` returns, or a predicate for `TracedValue` in square brackets"
)]
pub trait IntoFieldPredicate {
    /// The predicate for a value.
    type Predicate: Predicate<TracedValue>;

    /// Makes the predicate.
    fn into_predicate(self) -> Self::Predicate;

    /// Checks whether a field without a value matches. By default, it does not.
    #[doc(hidden)]
    fn matches_absent(&self) -> bool {
        false
    }

    /// Returns the type of a plain value. Negatives refuse if they hold only because a value has another type.
    #[doc(hidden)]
    fn plain_type(&self) -> Option<PlainType> {
        None
    }
}

impl<P: Predicate<TracedValue>> IntoFieldPredicate for [P; 1] {
    type Predicate = P;

    fn into_predicate(self) -> P {
        let [predicate] = self;
        predicate
    }
}

/// Lets `field()` take predicates for values without brackets.
macro_rules! impl_into_itself {
    ($({$($generics:tt)*} $ty:ty),+) => {$(
        impl<$($generics)*> $crate::predicates::types::IntoFieldPredicate for $ty
        where
            Self: ::predicates::Predicate<$crate::wire::TracedValue>,
        {
            type Predicate = Self;

            fn into_predicate(self) -> Self {
                self
            }
        }
    )+};
}

pub(super) use impl_into_itself;

impl_into_itself!({T, U} And<T, U>, {T, U} Or<T, U>, {T} Not<T>, {T} ThatPredicate<T>);

/// Matches spans and events by the value of a field.
///
/// For the value, pass
///
/// - a Boolean, a number of any type, a string, a `char` or bytes. They are compared as [`TracedValue`] compares them:
///   `5` matches `5_u64`, and a string also matches `Debug` and `Display` output and an error with this message. Unlike
///   there, `NaN` matches `NaN`;
/// - an `Option` of these: `Some(5)` is the same as `5`, and `None` matches if the field has no value, as `tracing`
///   records a `None`. An assertion that holds by this fails if no captured call site declares the field. So you find
///   misspelt names;
/// - [`value()`], to look at values of one type only; [`close_to()`] for numbers with a tolerance; [`debug()`] for
///   `Debug` output; [`error_chain()`] for the sources of an error; and these combined by `&`, `|` and `!`;
/// - a predicate for [`TracedValue`] in square brackets.
///
/// A field without a value matches only `None`, never a predicate.
///
/// A call site may declare several fields with one name. They match if the value of any of them does. `None` matches if
/// none of them has a value.
///
/// A field of a span may be recorded several times. The predicate looks at its last value, and within
/// [`ever()`](super::ever()) at any value that it had. [Negatives](super::Scanner#negatives) look at both.
///
/// [`close_to()`]: super::close_to()
/// [`debug()`]: super::debug()
/// [`error_chain()`]: super::error_chain()
/// [`value()`]: super::value()
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// drop(tracing::info_span!("connect", port = 8_080_u16, host = %"::1", path = None::<&str>));
/// let trace = capture.trace();
/// trace.scan_spans().single(&field("port", 8_080));
/// trace.scan_spans().single(&field("port", value(gt(1_024_u64))));
/// trace.scan_spans().single(&field("host", "::1"));
/// trace.scan_spans().single(&field("host", [always()]));
/// trace.scan_spans().none(&field("path", [always()]));
/// trace.scan_spans().single(&field("path", None::<&str>));
/// ```
pub fn field<P: IntoFieldPredicate>(
    name: &'static str,
    matches: P,
) -> FieldPredicate<P::Predicate> {
    let (matches_absent, plain_type) = (matches.matches_absent(), matches.plain_type());
    FieldPredicate { name, matches: matches.into_predicate(), matches_absent, plain_type }
}

/// Predicate for a field of a span or event, returned by [`field()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldPredicate<P> {
    name: &'static str,
    matches: P,
    matches_absent: bool,
    plain_type: Option<PlainType>,
}

impl_operators!({P,} FieldPredicate<P>);

impl<P: fmt::Display> fmt::Display for FieldPredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "field {:?}({})", self.name, self.matches)
    }
}

impl<P: PredicateReflection> PredicateReflection for FieldPredicate<P> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        let wanted = if self.matches_absent { NO_VALUE_OF } else { VALUE_OF };
        let wanted = Parameter::new(wanted, &self.name);
        let plain = self.plain_type.map(|_| PlainType::parameter());
        Box::new(iter::once(wanted).chain(plain).chain(sources_parameter(&self.matches)))
    }
}

impl<'a, P: Predicate<TracedValue>, T: Captured<'a>> Predicate<T> for FieldPredicate<P> {
    #[inline]
    fn eval(&self, item: &T) -> bool {
        let plain_type = self.plain_type.filter(|_| item.is_read_loosely());
        let any_matches = item.any_value(self.name, |value| {
            let matches = |value: &TracedValue| self.matches.eval(value);
            matches(value) || plain_type.is_some_and(|plain| plain.resembles(value, matches))
        });
        any_matches.unwrap_or(self.matches_absent)
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        if self.eval(item) != expected {
            return None;
        }
        if item.any_value(self.name, |_| true).is_none() {
            return Some(absent(self, expected, item, self.name, NOT_THERE));
        }
        if item.is_brief() {
            return Some(Case::new(Some(self), expected));
        }
        let (node, name) = (item.node(), self.name);
        let values = node.values().filter(|(other, _)| *other == name);
        let show = |value| Shown::new(value, &self.matches, expected);
        let values: Vec<_> = values.map(|(_, value)| show(value)).collect();
        let mut earlier = Vec::new();
        let mut are_cut = false;
        item.see_earlier_values(name, |value| {
            // If an earlier value should not have been there, the others are of no interest.
            let is_wanted = !(expected && item.has_earlier_values()) || self.matches.eval(value);
            are_cut |= is_wanted && earlier.len() == MAX_EARLIER;
            if is_wanted && !are_cut {
                earlier.push(Shown::new(value, &self.matches, expected).short());
            }
        });
        if let ([value], []) = (&values[..], &earlier[..]) {
            return Some(actual_text(self, expected, name, value.of(self)));
        }
        let values: Vec<_> = values.iter().map(Shown::short).collect();
        let mut what = list(&values);
        if are_cut {
            what = format!("{what}, and was {}, … before", earlier.join(", "));
        } else if !earlier.is_empty() {
            what = format!("{what}, and was {} before", list(&earlier));
        }
        Some(actual_text(self, expected, name, what))
    }
}

/// Number of earlier values that a reason lists.
const MAX_EARLIER: usize = 4;

fn list(values: &[String]) -> String {
    match values {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => values.concat(),
    }
}
