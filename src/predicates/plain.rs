//! Plain values that a field is compared with.

use alloc::string::String;
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::{
    field::IntoFieldPredicate,
    loosely::PlainType,
    shown_value::{NO_VALUE, case_with_remark, look_alike},
};
use crate::wire::{TracedValue, hex::Hex};

/// Value that a [`TracedValue`] is compared with.
pub trait Plain {
    /// Checks whether the traced value is this one, as a person means it.
    fn equals(&self, traced: &TracedValue) -> bool;

    /// Shows the value.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result;
}

macro_rules! impl_plain {
    ($($ty:ty: |$value:ident, $traced:ident| $equals:expr),+ $(,)?) => {$(
        impl Plain for $ty {
            #[inline]
            fn equals(&self, $traced: &TracedValue) -> bool {
                let $value = self;
                $equals
            }

            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self, formatter)
            }
        }
    )+};
}

macro_rules! impl_plain_integer {
    ($($ty:ty),+) => {
        impl_plain!($($ty: |value, traced| traced == value),+);
        impl_into_field_predicate!($({} $ty: Integer, |value| value => Self);+);
    };
}

/// Makes the plain value that a type is compared as.
macro_rules! impl_into_field_predicate {
    ($({$($generics:tt)*} $ty:ty: $plain_type:ident, |$value:ident| $plain:expr => $plain_ty:ty);+ $(;)?) => {$(
        impl<$($generics)*> IntoFieldPredicate for $ty {
            type Predicate = EquivPredicate<$plain_ty>;

            fn into_predicate(self) -> Self::Predicate {
                let $value = self;
                EquivPredicate { value: $plain }
            }

            fn plain_type(&self) -> Option<PlainType> {
                Some(PlainType::$plain_type)
            }
        }
    )+};
}

impl_plain_integer!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

impl_plain! {
    bool: |value, traced| traced == value,
    // A test that expects NaN wants to find NaN.
    f64: |value, traced| traced == value || value.is_nan() && traced.as_float().is_some_and(f64::is_nan),
    &str: |value, traced| traced == value,
    String: |value, traced| traced == value.as_str(),
    char: |value, traced| traced.as_text().is_some_and(|text| text.chars().eq([*value])),
}

impl Plain for &[u8] {
    fn equals(&self, traced: &TracedValue) -> bool {
        traced.as_bytes() == Some(self)
    }

    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hex(self), formatter)
    }
}

impl_into_field_predicate! {
    {} bool: Boolean, |value| value => Self;
    {} f64: Float, |value| value => Self;
    // `tracing` records an `f32` as an `f64`, and so it is shown.
    {} f32: Float, |value| value.into() => f64;
    {} &str: Text, |value| value => Self;
    {} String: Text, |value| value => Self;
    {'a} &'a String: Text, |value| value.as_str() => &'a str;
    {} char: Text, |value| value => Self;
    {} &[u8]: Bytes, |value| value => Self;
    {'a, const N: usize} &'a [u8; N]: Bytes, |value| value.as_slice() => &'a [u8];
}

/// Predicate for a value that equals a plain one, made by [`field()`](super::field()).
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EquivPredicate<V> {
    value: V,
}

impl<V: Plain> fmt::Display for EquivPredicate<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "var == {}", ShownPlain(&self.value))
    }
}

impl<V: Plain> PredicateReflection for EquivPredicate<V> {}

impl<V: Plain> Predicate<TracedValue> for EquivPredicate<V> {
    #[inline]
    fn eval(&self, value: &TracedValue) -> bool {
        self.value.equals(value)
    }

    fn find_case(&self, expected: bool, value: &TracedValue) -> Option<Case<'_>> {
        let remark = || look_alike(value, &ShownPlain(&self.value));
        (self.eval(value) == expected).then(|| case_with_remark(self, expected, remark()))
    }
}

/// Shows a plain value as the predicate for it does.
struct ShownPlain<'a, V>(&'a V);

impl<V: Plain> fmt::Display for ShownPlain<'_, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Compares with the value in `Some`; `None` stands for a field without a value.
impl<V: IntoFieldPredicate> IntoFieldPredicate for Option<V> {
    type Predicate = OptionPredicate<V::Predicate>;

    fn into_predicate(self) -> OptionPredicate<V::Predicate> {
        OptionPredicate { matches: self.map(V::into_predicate) }
    }

    fn matches_absent(&self) -> bool {
        self.as_ref().is_none_or(V::matches_absent)
    }

    fn plain_type(&self) -> Option<PlainType> {
        self.as_ref().map_or(Some(PlainType::Absent), V::plain_type)
    }
}

/// Predicate for an optional value, made by [`field()`](super::field()).
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionPredicate<P> {
    matches: Option<P>,
}

impl<P: fmt::Display> fmt::Display for OptionPredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.matches {
            Some(matches) => matches.fmt(formatter),
            None => formatter.write_str(NO_VALUE),
        }
    }
}

impl<P: PredicateReflection> PredicateReflection for OptionPredicate<P> {}

impl<P: Predicate<TracedValue>> Predicate<TracedValue> for OptionPredicate<P> {
    fn eval(&self, value: &TracedValue) -> bool {
        self.matches.as_ref().is_some_and(|matches| matches.eval(value))
    }

    fn find_case(&self, expected: bool, value: &TracedValue) -> Option<Case<'_>> {
        match &self.matches {
            Some(matches) => matches.find_case(expected, value),
            None => (!expected).then(|| Case::new(Some(self), false)),
        }
    }
}
