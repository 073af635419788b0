use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::iter;

use ::predicates::{
    Predicate,
    reflection::{Case, Parameter, PredicateReflection},
};

use super::{
    failure::{absent, actual},
    field::IntoFieldPredicate,
    loosely::PlainType,
    shown_value::Shown,
    sight::{ANY_VALUE, sources_parameter},
};
use crate::{
    capture::{Captured, short::Short},
    wire::{TracedValue, text::Escaped},
};

/// Number of fields that a reason lists.
const MAX_SHOWN: usize = 4;

/// Matches spans and events that have a matching value in any field, under any name.
///
/// The message of an event is its field `message`. `any_field()` takes the same values and predicates as
/// [`field()`](super::field()); `None` matches no field. It looks at the last value of each field, and within
/// [`ever()`](super::ever()) at all values that each field had. [Negatives](super::Scanner#negatives) look at both.
///
/// To make sure that a secret is nowhere in a trace, call
/// [`assert_never_contains()`](crate::Storage::assert_never_contains): it looks at names as well, and its
/// message does not show the secret.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!(host = "localhost", port = 8_080, "connected");
/// let trace = capture.trace();
/// trace.scan_events().single(&any_field(8_080));
/// trace.scan_events().single(&any_field(value::<str, _>(contains("local"))));
/// trace.scan_events().single(&any_field("connected"));
/// trace.scan_events().none(&any_field("refused"));
/// ```
pub fn any_field<P: IntoFieldPredicate>(matches: P) -> AnyFieldPredicate<P::Predicate> {
    let plain_type = matches.plain_type();
    AnyFieldPredicate { matches: matches.into_predicate(), plain_type }
}

/// Predicate for the values of all fields, returned by [`any_field()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnyFieldPredicate<P> {
    matches: P,
    plain_type: Option<PlainType>,
}

impl_operators_and_text!(AnyFieldPredicate, "any field");

impl<P: PredicateReflection> PredicateReflection for AnyFieldPredicate<P> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        let any = iter::once(Parameter::new(ANY_VALUE, &""));
        let plain = self.plain_type.map(|_| PlainType::parameter());
        Box::new(any.chain(plain).chain(sources_parameter(&self.matches)))
    }
}

impl<'a, P: Predicate<TracedValue>, T: Captured<'a>> Predicate<T> for AnyFieldPredicate<P> {
    fn eval(&self, item: &T) -> bool {
        let plain_type = self.plain_type.filter(|_| item.is_read_loosely());
        item.any_field(|_, value| {
            let matches = |value: &TracedValue| self.matches.eval(value);
            matches(value) || plain_type.is_some_and(|plain| plain.resembles(value, matches))
        })
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        if self.eval(item) != expected {
            return None;
        }
        let is_empty = !item.any_field(|_, _| true);
        if is_empty {
            return Some(absent(self, expected, item, "it", "without fields"));
        }
        if item.is_brief() {
            return Some(Case::new(Some(self), expected));
        }
        let mut shown = Vec::new();
        item.any_field(|name, value| {
            // If a value should not be there, the others are of no interest.
            if !expected || self.matches.eval(value) {
                let is_last = shown.len() == MAX_SHOWN;
                shown.push(if is_last {
                    "…".to_string()
                } else {
                    let value = Shown::new(value, &self.matches, expected).short();
                    alloc::format!("{}={value}", Short::phrase(Escaped(name)))
                });
            }
            shown.len() > MAX_SHOWN
        });
        Some(actual(self, expected, item, "it", &format_args!("with {}", shown.join(", "))))
    }
}
