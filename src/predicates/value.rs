use alloc::{format, string::ToString, vec::Vec};
use core::{any::type_name, borrow::Borrow, fmt, marker::PhantomData};

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::{
    field::IntoFieldPredicate,
    loosely::{NumberType, PlainType},
    shown_value::{case_with_remark, details},
};
use crate::wire::{FromTracedValue, TracedValue};

/// Matches values of one type, by a predicate for that type. Values of other types do not match.
///
/// The type is `bool`, an integer, `f64`, `str` or `[u8]`, as in [`FromTracedValue`]. Often it follows from the
/// predicate. A number without a suffix is an `i32`, and larger values do not match: write `gt(5_i128)` for all
/// integers. If the type cannot be inferred, name it: `value::<str, _>(eq("a"))`.
///
/// A [negative](super::Scanner#negatives) with `value(gt(500))` does not pass over 3,000,000,000 or 812.5: it fails, and
/// says that the type is to be named. It does not notice this if the value's predicate is combined with others by `&`,
/// `|` or `!`.
///
/// # Example
///
/// ```
/// use spanshot::predicates::*;
///
/// let long = field("millis", value(gt(500_i64)) & !value(gt(30_000_i64)));
/// let local = field("host", value(starts_with("127.")));
/// # let _ = (long & local);
/// ```
pub fn value<T, P>(matches: P) -> ValuePredicate<T, P>
where
    T: for<'a> FromTracedValue<'a> + ?Sized,
    P: Predicate<T>,
{
    ValuePredicate { matches, ty: PhantomData }
}

/// Predicate for values of one type, returned by [`value()`].
#[derive(Debug)]
pub struct ValuePredicate<T: ?Sized, P> {
    matches: P,
    ty: PhantomData<fn(&T)>,
}

impl_operators!({T: ?Sized, P,} ValuePredicate<T, P>);

impl<T, P> IntoFieldPredicate for ValuePredicate<T, P>
where
    T: for<'a> FromTracedValue<'a> + ?Sized,
    P: Predicate<T>,
{
    type Predicate = Self;

    fn into_predicate(self) -> Self {
        self
    }

    fn plain_type(&self) -> Option<PlainType> {
        NumberType::of::<T>().map(PlainType::Number)
    }
}

impl<T: ?Sized, P: Clone> Clone for ValuePredicate<T, P> {
    fn clone(&self) -> Self {
        Self { matches: self.matches.clone(), ty: PhantomData }
    }
}

impl<T: ?Sized, P: Copy> Copy for ValuePredicate<T, P> {}

impl<T: ?Sized, P: fmt::Display> fmt::Display for ValuePredicate<T, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}({})", type_name::<T>(), self.matches)
    }
}

impl<T: ?Sized, P: PredicateReflection> PredicateReflection for ValuePredicate<T, P> {}

impl<T, P> Predicate<TracedValue> for ValuePredicate<T, P>
where
    T: for<'a> FromTracedValue<'a> + ?Sized,
    P: Predicate<T>,
{
    fn eval(&self, value: &TracedValue) -> bool {
        T::from_value(value).is_some_and(|value| self.matches.eval(value.borrow()))
    }

    fn find_case(&self, expected: bool, value: &TracedValue) -> Option<Case<'_>> {
        let remark = || {
            let Some(found) = T::from_value(value) else {
                return Some(format!("not of type {}", type_name::<T>()));
            };
            let shown = value.as_text().map_or_else(|| value.to_string(), ToString::to_string);
            let details =
                details(self.matches.find_case(expected, found.borrow()).as_ref(), &shown);
            let details: Vec<_> =
                details.into_iter().map(|(name, value)| format!("{name} is {value}")).collect();
            (!details.is_empty()).then(|| details.join(", "))
        };
        (self.eval(value) == expected).then(|| case_with_remark(self, expected, remark()))
    }
}
