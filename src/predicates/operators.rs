//! Operators of predicates.

/// Gives a predicate its operators, whatever generic parameters it has: each of them, in braces,
/// with a comma behind it.
macro_rules! impl_operators {
    ({$($generics:tt)*} $ty:ty) => {
        impl<$($generics)* Rhs> core::ops::BitAnd<Rhs> for $ty
        where
            Rhs: ::predicates::reflection::PredicateReflection,
        {
            type Output = $crate::predicates::And<Self, Rhs>;

            fn bitand(self, rhs: Rhs) -> Self::Output {
                $crate::predicates::And::new(self, rhs)
            }
        }

        impl<$($generics)* Rhs> core::ops::BitOr<Rhs> for $ty
        where
            Rhs: ::predicates::reflection::PredicateReflection,
        {
            type Output = $crate::predicates::Or<Self, Rhs>;

            fn bitor(self, rhs: Rhs) -> Self::Output {
                $crate::predicates::Or::new(self, rhs)
            }
        }

        impl<$($generics)*> core::ops::Not for $ty {
            type Output = $crate::predicates::Not<Self>;

            fn not(self) -> Self::Output {
                $crate::predicates::Not::new(self)
            }
        }
    };
}
