use core::{any::type_name, borrow::Borrow, fmt, marker::PhantomData};

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::failure::actual;
use crate::{
    capture::Captured,
    wire::{FromTracedValue, TracedValue},
};

/// What [`field()`] takes for the value.
///
/// # Example
///
/// See [`field()`].
#[diagnostic::on_unimplemented(
    note = "`field()` takes a Boolean, an integer, an `f64`, a `&str`, a predicate for one of these types in `value(…)`, or a predicate for `TracedValue` in square brackets"
)]
pub trait IntoFieldPredicate {
    /// The predicate for a value.
    type Predicate: Predicate<TracedValue>;

    /// Makes the predicate.
    fn into_predicate(self) -> Self::Predicate;
}

impl<P: Predicate<TracedValue>> IntoFieldPredicate for [P; 1] {
    type Predicate = P;

    fn into_predicate(self) -> P {
        let [predicate] = self;
        predicate
    }
}

macro_rules! impl_into_field_predicate {
    ($($ty:ty),+) => {$(
        impl IntoFieldPredicate for $ty {
            type Predicate = EquivPredicate<Self>;

            fn into_predicate(self) -> EquivPredicate<Self> {
                EquivPredicate { value: self }
            }
        }
    )+};
}

impl_into_field_predicate!(bool, f64, &str);
impl_into_field_predicate!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

/// Creates a predicate for a field of a span or event.
///
/// For the value it takes
///
/// - a Boolean, an integer of any type, an `f64` or a string, which is compared as
///   [`TracedValue`] does: `5` matches `5_u64`, and a string also `Debug` and `Display` output;
/// - what [`value()`] returns, to look at values of one type only;
/// - a predicate for [`TracedValue`] in square brackets.
///
/// A field without a value does not match, whatever the predicate.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// drop(tracing::info_span!("connect", port = 8_080_u16, host = %"::1"));
/// let trace = capture.trace();
/// trace.scan_spans().single(&field("port", 8_080));
/// trace.scan_spans().single(&field("port", value(gt(1_024_u64))));
/// trace.scan_spans().single(&field("host", "::1"));
/// trace.scan_spans().single(&field("host", [always()]));
/// trace.scan_spans().none(&field("path", [always()]));
/// ```
pub fn field<P: IntoFieldPredicate>(
    name: &'static str,
    matches: P,
) -> FieldPredicate<P::Predicate> {
    FieldPredicate { name, matches: matches.into_predicate() }
}

/// Predicate for a field of a span or event, returned by [`field()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldPredicate<P> {
    name: &'static str,
    matches: P,
}

impl_bool_ops!(FieldPredicate<P>);

impl<P: fmt::Display> fmt::Display for FieldPredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "field {:?}({})", self.name, self.matches)
    }
}

impl<P: PredicateReflection> PredicateReflection for FieldPredicate<P> {}

impl<'a, P: Predicate<TracedValue>, T: Captured<'a>> Predicate<T> for FieldPredicate<P> {
    fn eval(&self, item: &T) -> bool {
        item.value(self.name).is_some_and(|value| self.matches.eval(value))
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        let case = match item.value(self.name) {
            Some(value) => actual(self, expected, self.name, value),
            None => actual(self, expected, self.name, &"not there"),
        };
        (self.eval(item) == expected).then_some(case)
    }
}

/// Predicate for a value that equals a plain one, made by [`field()`].
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EquivPredicate<V> {
    value: V,
}

impl<V: fmt::Debug> fmt::Display for EquivPredicate<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "var == {:?}", self.value)
    }
}

impl<V: fmt::Debug> PredicateReflection for EquivPredicate<V> {}

impl<V: fmt::Debug + PartialEq<TracedValue>> Predicate<TracedValue> for EquivPredicate<V> {
    fn eval(&self, value: &TracedValue) -> bool {
        self.value == *value
    }
}

/// Creates a predicate for values of one type, from a predicate for that type. Values of other
/// types do not match.
///
/// The type is `bool`, an integer, `f64`, `str` or `[u8]`, as in [`FromTracedValue`]. Often it
/// follows from the predicate. A number without a suffix is an `i32`, which no larger value is: write
/// `gt(5_i128)` for any. Where the type cannot be inferred, it is named: `value::<str, _>(eq("a"))`.
///
/// # Example
///
/// ```
/// use spanshot::predicates::*;
///
/// let long = field("millis", value(gt(500_i64)));
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
}

impl<T, P> IntoFieldPredicate for ValuePredicate<T, P>
where
    T: for<'a> FromTracedValue<'a> + ?Sized,
    P: Predicate<T>,
{
    type Predicate = Self;

    fn into_predicate(self) -> Self {
        self
    }
}
