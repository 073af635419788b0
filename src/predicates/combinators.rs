use alloc::{boxed::Box, string::ToString};
use core::{fmt, ops::Deref};

use ::predicates::{
    Predicate,
    reflection::{Case, Child, Parameter, PredicateReflection, Product},
};

/// The operator by which a predicate of this crate combines its parts.
///
/// The reflection of predicates knows only texts, so an operator is the name of a parameter there. Predicates of other
/// crates have no operator: it is unknown what they do with their parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// All parts have to match.
    And,
    /// One of the parts has to match.
    Or,
    /// Its part must not match.
    Not,
    /// Its part looks at all values that fields ever had.
    Ever,
    /// Its part has to match another item: one in a span, or around it.
    Related,
    /// All parts have to match, but different items.
    Tree,
    /// The same, and no other items may be there.
    TreeAlone,
}

impl Operator {
    const ALL: [Self; 7] =
        [Self::And, Self::Or, Self::Not, Self::Ever, Self::Related, Self::Tree, Self::TreeAlone];

    const fn name(self) -> &'static str {
        match self {
            Self::And => "spanshot::and",
            Self::Or => "spanshot::or",
            Self::Not => "spanshot::not",
            Self::Ever => "spanshot::ever",
            Self::Related => "spanshot::related",
            Self::Tree => "spanshot::tree",
            Self::TreeAlone => "spanshot::tree and nothing else",
        }
    }

    /// Returns the parameters of a predicate with this operator.
    pub(super) fn parameters<'a>(self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        Box::new(core::iter::once(Parameter::new(self.name(), &"")))
    }

    /// Returns the operator of a predicate.
    pub(super) fn of(predicate: &dyn PredicateReflection) -> Option<Self> {
        predicate.parameters().find_map(|parameter| {
            Self::ALL.into_iter().find(|operator| operator.name() == parameter.name())
        })
    }
}

/// The predicate behind a pointer, as a sized one: it may be a trait object of another kind.
pub(super) struct Behind<P>(pub(super) P);

impl<P: Deref<Target: PredicateReflection>> fmt::Display for Behind<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<P: Deref<Target: PredicateReflection>> PredicateReflection for Behind<P> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        self.0.parameters()
    }

    fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
        self.0.children()
    }
}

/// Gives a predicate that has one part, `matches`, its operators, a text with this name, and a reflection that tells what
/// the predicate does with its part.
macro_rules! impl_with_part {
    ($ty:ident, $name:literal, $operator:ident, $part:expr) => {
        impl_operators_and_text!($ty, $name);

        impl<P: ::predicates::reflection::PredicateReflection>
            ::predicates::reflection::PredicateReflection for $ty<P>
        {
            fn parameters<'a>(
                &'a self,
            ) -> alloc::boxed::Box<
                dyn Iterator<Item = ::predicates::reflection::Parameter<'a>> + 'a,
            > {
                $crate::predicates::combinators::Operator::$operator.parameters()
            }

            fn children<'a>(
                &'a self,
            ) -> alloc::boxed::Box<dyn Iterator<Item = ::predicates::reflection::Child<'a>> + 'a>
            {
                let part = ::predicates::reflection::Child::new($part, &self.matches);
                alloc::boxed::Box::new(core::iter::once(part))
            }
        }
    };
}

pub(super) use impl_with_part;

/// Implements the combination of two predicates that an operator of Rust makes of their results.
macro_rules! impl_pair {
    ($ty:ident, $operator:tt) => {
        impl_operators!({T, U,} $ty<T, U>);

        impl<T, U> $ty<T, U> {
            pub(super) fn new(first: T, second: U) -> Self {
                Self { first, second }
            }
        }

        impl<T: fmt::Display, U: fmt::Display> fmt::Display for $ty<T, U> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!("({} ", stringify!($operator), " {})"), self.first, self.second)
            }
        }

        impl<T: PredicateReflection, U: PredicateReflection> PredicateReflection for $ty<T, U> {
            fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
                Operator::$ty.parameters()
            }

            fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
                let parts = [Child::new("first", &self.first), Child::new("second", &self.second)];
                Box::new(parts.into_iter())
            }
        }

        impl<T: Predicate<Item>, U: Predicate<Item>, Item: ?Sized> Predicate<Item> for $ty<T, U> {
            fn eval(&self, item: &Item) -> bool {
                self.first.eval(item) $operator self.second.eval(item)
            }

            fn find_case(&self, expected: bool, item: &Item) -> Option<Case<'_>> {
                let parts = || [find_any_case(&self.first, item), find_any_case(&self.second, item)];
                (self.eval(item) == expected).then(|| find_case(self, expected, parts()))
            }
        }
    };
}

/// Predicate that is true if both of its parts are true, made by `&`.
///
/// # Example
///
/// ```
/// use spanshot::predicates::*;
/// use tracing::Level;
///
/// let predicate = level(Level::INFO) & name(eq("connect"));
/// assert_eq!(predicate.to_string(), r#"(level(INFO) && name(var == "connect"))"#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct And<T, U> {
    first: T,
    second: U,
}

impl_pair!(And, &&);

/// Predicate that is true if one of its parts is true, made by `|`.
///
/// # Example
///
/// ```
/// use spanshot::predicates::*;
///
/// let predicate = name(eq("connect")) | name(eq("bind"));
/// assert_eq!(predicate.to_string(), r#"(name(var == "connect") || name(var == "bind"))"#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Or<T, U> {
    first: T,
    second: U,
}

impl_pair!(Or, ||);

/// Builds the case of a combination, with the cases of its parts, each with its own result: to find the nearest
/// candidate, the true ones are counted.
fn find_case<'a>(
    combination: &'a dyn PredicateReflection,
    expected: bool,
    parts: [Option<Case<'a>>; 2],
) -> Case<'a> {
    let parts = parts.into_iter().flatten();
    parts.fold(Case::new(Some(combination), expected), Case::add_child)
}

/// Copies an actual value of a case, for the case around it.
pub(super) fn copy(product: &Product) -> Product {
    Product::new(product.name().to_string(), product.value().to_string())
}

/// Finds the case of a part, for either result.
pub(super) fn find_any_case<'a, P: Predicate<Item> + ?Sized, Item: ?Sized>(
    predicate: &'a P,
    item: &Item,
) -> Option<Case<'a>> {
    predicate.find_case(false, item).or_else(|| predicate.find_case(true, item))
}

/// Predicate that is true if another one is false, made by `!`.
///
/// # Example
///
/// ```
/// use spanshot::predicates::*;
///
/// let predicate = !name(eq("connect"));
/// assert_eq!(predicate.to_string(), r#"!name(var == "connect")"#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Not<T> {
    negated: T,
}

impl<T> Not<T> {
    pub(super) fn new(negated: T) -> Self {
        Self { negated }
    }
}

impl<T: fmt::Display> fmt::Display for Not<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "!{}", self.negated)
    }
}

impl<T: PredicateReflection> PredicateReflection for Not<T> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        Operator::Not.parameters()
    }

    fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
        Box::new(core::iter::once(Child::new("negated", &self.negated)))
    }
}

impl<T: Predicate<Item>, Item: ?Sized> Predicate<Item> for Not<T> {
    fn eval(&self, item: &Item) -> bool {
        !self.negated.eval(item)
    }

    fn find_case(&self, expected: bool, item: &Item) -> Option<Case<'_>> {
        // The actual values come from the negated predicate; the condition is this one.
        let negated = self.negated.find_case(!expected, item)?;
        let mut case = Case::new(Some(self), expected);
        let mut unvisited = alloc::vec![&negated];
        while let Some(part) = unvisited.pop() {
            // The parts of such a case would only describe the nearest candidate, which does not match either.
            let says_all = !part.result() && part.products().next().is_some();
            for product in part.products() {
                case = case.add_product(copy(product));
            }
            unvisited.extend(part.children().filter(|_| !says_all));
        }
        Some(case)
    }
}

impl_operators!({T,} Not<T>);
