use alloc::{boxed::Box, string::ToString};
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, Child, Parameter, PredicateReflection, Product},
};

use super::nearest::{Distance, is_ranking};

/// Name of the parameter by which combinations are told apart in a [`Case`].
pub(super) const OPERATOR: &str = "operator";

/// The operator of a pattern of a subtree: all its parts have to match, but not the same thing.
pub(super) const TREE: &str = "tree";

/// Name of the parameter that a pattern has which wants nothing else to be there.
pub(super) const ALONE: &str = "and nothing else";

/// The operator of a predicate for something else: its part has to match what is in a span, or around it.
pub(super) const RELATED: &str = "related";

/// The operator of a predicate whose part looks at all values that fields ever had.
pub(super) const EVER: &str = "ever";

pub(super) fn operator<'a>(name: &'a &'static str) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
    Box::new(core::iter::once(Parameter::new(OPERATOR, name)))
}

/// Predicate that is true if both of its parts are, made by `&`.
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

impl<T, U> And<T, U> {
    pub(super) fn new(first: T, second: U) -> Self {
        Self { first, second }
    }
}

impl<T: fmt::Display, U: fmt::Display> fmt::Display for And<T, U> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "({} && {})", self.first, self.second)
    }
}

impl<T: PredicateReflection, U: PredicateReflection> PredicateReflection for And<T, U> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        operator(&"and")
    }

    fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
        Box::new([Child::new("first", &self.first), Child::new("second", &self.second)].into_iter())
    }
}

impl<T: Predicate<Item>, U: Predicate<Item>, Item: ?Sized> Predicate<Item> for And<T, U> {
    fn eval(&self, item: &Item) -> bool {
        self.first.eval(item) && self.second.eval(item)
    }

    /// The case has those of both parts, each with a result of its own: who looks for what came
    /// nearest wants to know how many are true.
    fn find_case(&self, expected: bool, item: &Item) -> Option<Case<'_>> {
        if is_ranking() {
            let parts = Distance::to(&self.first, item).and(Distance::to(&self.second, item));
            return (parts.is_match() == expected).then(|| parts.into_case());
        }
        let parts = || [find_any_case(&self.first, item), find_any_case(&self.second, item)];
        (self.eval(item) == expected).then(|| find_case(self, expected, parts()))
    }
}

/// Predicate that is true if one of its parts is, made by `|`.
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

impl<T, U> Or<T, U> {
    pub(super) fn new(first: T, second: U) -> Self {
        Self { first, second }
    }
}

impl<T: fmt::Display, U: fmt::Display> fmt::Display for Or<T, U> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "({} || {})", self.first, self.second)
    }
}

impl<T: PredicateReflection, U: PredicateReflection> PredicateReflection for Or<T, U> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        operator(&"or")
    }

    fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
        Box::new([Child::new("first", &self.first), Child::new("second", &self.second)].into_iter())
    }
}

impl<T: Predicate<Item>, U: Predicate<Item>, Item: ?Sized> Predicate<Item> for Or<T, U> {
    fn eval(&self, item: &Item) -> bool {
        self.first.eval(item) || self.second.eval(item)
    }

    fn find_case(&self, expected: bool, item: &Item) -> Option<Case<'_>> {
        if is_ranking() {
            let parts = Distance::to(&self.first, item).or(Distance::to(&self.second, item));
            return (parts.is_match() == expected).then(|| parts.into_case());
        }
        let parts = || [find_any_case(&self.first, item), find_any_case(&self.second, item)];
        (self.eval(item) == expected).then(|| find_case(self, expected, parts()))
    }
}

/// Builds the case of a combination, with those of its parts: what holds of them and what does not.
fn find_case<'a>(
    combination: &'a dyn PredicateReflection,
    expected: bool,
    parts: [Option<Case<'a>>; 2],
) -> Case<'a> {
    let parts = parts.into_iter().flatten();
    parts.fold(Case::new(Some(combination), expected), Case::add_child)
}

/// Finds the case of a part, whichever there is.
pub(super) fn find_any_case<'a, P: Predicate<Item> + ?Sized, Item: ?Sized>(
    predicate: &'a P,
    item: &Item,
) -> Option<Case<'a>> {
    predicate.find_case(false, item).or_else(|| predicate.find_case(true, item))
}

/// Predicate that is true if another one is not, made by `!`.
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
        operator(&"not")
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
        // What there was is that of the negated predicate; the condition is this one.
        let negated = self.negated.find_case(!expected, item)?;
        let mut case = Case::new(Some(self), expected);
        if is_ranking() {
            return Some(case);
        }
        let mut unvisited = alloc::vec![&negated];
        while let Some(part) = unvisited.pop() {
            // Else it says what comes nearest to it, of which not even that is there.
            let says_all = !part.result() && part.products().next().is_some();
            for product in part.products() {
                case = case.add_product(Product::new(
                    product.name().to_string(),
                    product.value().to_string(),
                ));
            }
            unvisited.extend(part.children().filter(|_| !says_all));
        }
        Some(case)
    }
}

impl_operators!({T, U,} And<T, U>);
impl_operators!({T, U,} Or<T, U>);
impl_operators!({T,} Not<T>);
