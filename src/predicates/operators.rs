//! Operators of predicates.

use ::predicates::reflection::PredicateReflection;

/// The predicates that `&` and `|` take on their right: all predicates.
///
/// It is a separate trait to improve the compiler's message for other types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a predicate",
    label = "the right side is not a predicate",
    note = "`name(…)`, `message(…)`, `target(…)`, `field(…)` and others make predicates of strings and values"
)]
pub trait Operand: PredicateReflection {}

#[diagnostic::do_not_recommend]
impl<P: PredicateReflection> Operand for P {}

/// Gives a predicate its operators. Its generic parameters stand in braces, each followed by a comma.
macro_rules! impl_operators {
    ({$($generics:tt)*} $ty:ty) => {
        impl<$($generics)* Rhs> core::ops::BitAnd<Rhs> for $ty
        where
            Rhs: $crate::predicates::operators::Operand,
        {
            type Output = $crate::predicates::types::And<Self, Rhs>;

            fn bitand(self, rhs: Rhs) -> Self::Output {
                $crate::predicates::types::And::new(self, rhs)
            }
        }

        impl<$($generics)* Rhs> core::ops::BitOr<Rhs> for $ty
        where
            Rhs: $crate::predicates::operators::Operand,
        {
            type Output = $crate::predicates::types::Or<Self, Rhs>;

            fn bitor(self, rhs: Rhs) -> Self::Output {
                $crate::predicates::types::Or::new(self, rhs)
            }
        }

        impl<$($generics)*> core::ops::Not for $ty {
            type Output = $crate::predicates::types::Not<Self>;

            fn not(self) -> Self::Output {
                $crate::predicates::types::Not::new(self)
            }
        }
    };
}

/// Gives a predicate that has one part, `matches`, its operators, and a text with this name.
macro_rules! impl_operators_and_text {
    ($ty:ident, $name:expr) => {
        impl_operators!({P,} $ty<P>);

        impl<P: core::fmt::Display> core::fmt::Display for $ty<P> {
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(formatter, concat!($name, "({})"), self.matches)
            }
        }
    };
}
